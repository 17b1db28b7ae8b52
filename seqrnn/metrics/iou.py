"""Intersection over union of classes: TP / (TP + FP + FN), from a table of class by class."""

import numpy as np

from seqrnn import ops
from seqrnn.config import epsilon, floatx, is_float
from seqrnn.losses.base import joint_weight
from seqrnn.losses.functions import ShapeMismatch
from seqrnn.metrics.base import SumMetric


class IoU(SumMetric):
    """The mean, over some classes, of the share of positions where targets and predictions agree
    among those where one of them has the class. (P. Jaccard 1912.)

    Args:
        num_classes: classes are 0 .. num_classes - 1; positions with another one don't count.
        target_class_ids: the classes to average over; those that never occur are left out.
        ignore_class: positions with this target don't count.
        sparse_y_true, sparse_y_pred: class numbers (B, ...); else one score per class (the largest
            counts), on the axis `axis`.

    ValueError if a target class is not below num_classes. Sample weights count as they are; under
    the default dtype, int64, Keras cuts off their fractions.
    """

    def __init__(
        self,
        num_classes,
        target_class_ids,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        super().__init__("int64" if dtype in (None, "int") else dtype, name)
        self.num_classes = num_classes
        self.target_class_ids = list(target_class_ids)
        wrong = [i for i in self.target_class_ids if not 0 <= i < num_classes]
        if wrong:
            raise ValueError(
                f"{type(self).__name__}: target class id {wrong[0]} is out of range, which is "
                f"[0, {num_classes})."
            )
        self.ignore_class = ignore_class
        self.sparse_y_true = sparse_y_true
        self.sparse_y_pred = sparse_y_pred
        self.axis = axis
        self.bind(np.zeros(num_classes * num_classes))

    def _ids(self, x, sparse):
        x = ops.convert_to_tensor(x)
        return ops.cast(x if sparse else ops.argmax(x, axis=self.axis), "int32")

    def statistics(self, y_true, y_pred, sample_weight=None):
        given, y_pred = y_pred, self._ids(y_pred, self.sparse_y_pred)
        y_true = self._ids(y_true, self.sparse_y_true)
        if np.prod(y_true.shape, dtype=int) != np.prod(y_pred.shape, dtype=int):
            raise ShapeMismatch(y_true.shape, y_pred.shape, (y_true.shape, y_pred.shape))
        y_true = ops.reshape(y_true, y_pred.shape)
        counted = ops.logical_and(self._valid(y_true), self._valid(y_pred))
        if self.ignore_class is not None:
            counted = ops.logical_and(counted, ops.not_equal(y_true, self.ignore_class))
        weight = ops.cast(counted, self.dtype if is_float(self.dtype) else floatx())
        given_weight = joint_weight(weight, sample_weight, given)
        if given_weight is not None:
            weight = weight * given_weight
        place = ops.where(counted, y_true * self.num_classes + y_pred, 0)
        flat = ops.reshape(weight, (-1,)), ops.reshape(place, (-1,))
        return [ops.segment_sum(*flat, self.num_classes**2)]

    def _valid(self, ids):
        return ops.logical_and(ops.greater_equal(ids, 0), ops.less(ids, self.num_classes))

    def value(self, totals):
        table = totals.reshape(self.num_classes, -1)
        both = table.diagonal()[self.target_class_ids]
        one = (table.sum(axis=0) + table.sum(axis=1))[self.target_class_ids] - both
        occurring, tiny = one > 1e-9, epsilon()
        shares = np.where(occurring, both / (one + tiny), 0.0)
        return shares.sum() / (occurring.sum() + tiny)

    def get_config(self):
        names = ("num_classes", "target_class_ids", "ignore_class", "sparse_y_true")
        names += ("sparse_y_pred", "axis")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}

    def _config_without(self, *names):
        return {k: v for k, v in IoU.get_config(self).items() if k not in names}


class BinaryIoU(IoU):
    """`IoU` of labels 0 and 1 and scores: a score of at least `threshold` says 1."""

    def __init__(self, target_class_ids=(0, 1), threshold=0.5, name=None, dtype=None):
        super().__init__(2, target_class_ids, name, dtype)
        self.threshold = threshold

    def statistics(self, y_true, y_pred, sample_weight=None):
        scores = ops.convert_to_tensor(y_pred)
        said = ops.cast(scores >= self.threshold, "int32")
        said._keras_mask = getattr(y_pred, "_keras_mask", None)
        return super().statistics(y_true, said, sample_weight)

    def get_config(self):
        config_ = self._config_without(
            "num_classes", "ignore_class", "sparse_y_true", "sparse_y_pred", "axis"
        )
        return {**config_, "threshold": self.threshold}


class MeanIoU(IoU):
    """`IoU`, averaged over all classes."""

    def __init__(
        self,
        num_classes,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_true=True,
        sparse_y_pred=True,
        axis=-1,
    ):
        ids = range(num_classes)
        super().__init__(
            num_classes, ids, name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis
        )

    def get_config(self):
        return self._config_without("target_class_ids")


class OneHotIoU(IoU):
    """`IoU` of one-hot targets and scores, or class numbers with `sparse_y_pred`."""

    def __init__(
        self,
        num_classes,
        target_class_ids,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_pred=False,
        axis=-1,
    ):
        super().__init__(
            num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis
        )

    def get_config(self):
        return self._config_without("sparse_y_true")


class OneHotMeanIoU(MeanIoU):
    """`MeanIoU` of one-hot targets and scores, or class numbers with `sparse_y_pred`."""

    def __init__(
        self,
        num_classes,
        name=None,
        dtype=None,
        ignore_class=None,
        sparse_y_pred=False,
        axis=-1,
    ):
        super().__init__(num_classes, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self):
        return self._config_without("target_class_ids", "sparse_y_true")
