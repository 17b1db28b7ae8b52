"""The metrics as objects."""

import numpy as np

from seqrnn import losses, ops
from seqrnn.errors import not_supported
from seqrnn.losses.base import expand_weight, mask_weight
from seqrnn.losses.functions import match
from seqrnn.metrics import functions as f
from seqrnn.metrics.base import MeanMetricWrapper, SumMetric, divide


def _metric_class(class_name, fn, default_name=None):
    """A class for a function without further arguments."""
    default = default_name or fn.__name__

    class Wrapped(MeanMetricWrapper):
        def __init__(self, name=default, dtype=None):
            super().__init__(fn, name, dtype)

    Wrapped.__name__ = Wrapped.__qualname__ = class_name
    Wrapped.__doc__ = f"{fn.__doc__}\n\n    As an object: the mean over all samples seen."
    return Wrapped


MeanSquaredError = _metric_class("MeanSquaredError", losses.mean_squared_error)
MeanAbsoluteError = _metric_class("MeanAbsoluteError", losses.mean_absolute_error)
MeanAbsolutePercentageError = _metric_class(
    "MeanAbsolutePercentageError", losses.mean_absolute_percentage_error
)
MeanSquaredLogarithmicError = _metric_class(
    "MeanSquaredLogarithmicError", losses.mean_squared_logarithmic_error
)
LogCoshError = _metric_class("LogCoshError", losses.log_cosh, "logcosh")
Poisson = _metric_class("Poisson", losses.poisson)
KLDivergence = _metric_class("KLDivergence", losses.kl_divergence)
Hinge = _metric_class("Hinge", losses.hinge)
SquaredHinge = _metric_class("SquaredHinge", losses.squared_hinge)
CategoricalHinge = _metric_class("CategoricalHinge", losses.categorical_hinge)
Accuracy = _metric_class("Accuracy", f.accuracy)
CategoricalAccuracy = _metric_class("CategoricalAccuracy", f.categorical_accuracy)
SparseCategoricalAccuracy = _metric_class(
    "SparseCategoricalAccuracy", f.sparse_categorical_accuracy
)


class BinaryAccuracy(MeanMetricWrapper):
    """Share of labels 0 and 1 that equal y_pred > threshold."""

    def __init__(self, name="binary_accuracy", dtype=None, threshold=0.5):
        super().__init__(f.binary_accuracy, name, dtype, threshold=threshold)


class TopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose one-hot class is among the k largest predictions."""

    def __init__(self, k=5, name="top_k_categorical_accuracy", dtype=None):
        super().__init__(f.top_k_categorical_accuracy, name, dtype, k=k)


class SparseTopKCategoricalAccuracy(MeanMetricWrapper):
    """Share of samples whose class number is among the k largest predictions."""

    def __init__(self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None):
        super().__init__(f.sparse_top_k_categorical_accuracy, name, dtype, k=k)


class BinaryCrossentropy(MeanMetricWrapper):
    """Mean crossentropy of labels 0 and 1 and probabilities (or logits)."""

    def __init__(
        self, name="binary_crossentropy", dtype=None, from_logits=False, label_smoothing=0
    ):
        super().__init__(
            losses.binary_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
        )


class CategoricalCrossentropy(MeanMetricWrapper):
    """Mean crossentropy of one-hot labels and class probabilities (or logits)."""

    def __init__(
        self,
        name="categorical_crossentropy",
        dtype=None,
        from_logits=False,
        label_smoothing=0,
        axis=-1,
    ):
        super().__init__(
            losses.categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(MeanMetricWrapper):
    """Mean crossentropy of class numbers and class probabilities (or logits)."""

    def __init__(
        self,
        name="sparse_categorical_crossentropy",
        dtype=None,
        from_logits=False,
        ignore_class=None,
        axis=-1,
    ):
        super().__init__(
            losses.sparse_categorical_crossentropy,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )


def _cosine(y_true, y_pred, axis=-1):
    return -losses.cosine_similarity(y_true, y_pred, axis)


class CosineSimilarity(MeanMetricWrapper):
    """Cosine of the angle between targets and predictions along `axis`: 1 is the best.

    (The loss of the same name has the opposite sign.)
    """

    def __init__(self, name="cosine_similarity", dtype=None, axis=-1):
        super().__init__(_cosine, name, dtype, axis=axis)


class RootMeanSquaredError(MeanMetricWrapper):
    """sqrt(mean((y_pred - y_true)^2)) over all samples seen."""

    def __init__(self, name="root_mean_squared_error", dtype=None):
        super().__init__(losses.mean_squared_error, name, dtype)

    def value(self, totals):
        return np.sqrt(super().value(totals))


class _Confusion(SumMetric):
    """[true positives, false positives, false negatives], each summed over all elements.

    `thresholds`: a prediction above it (default 0.5) is positive; a list gives a list of results.
    `top_k` and `class_id` are not supported: ValueError.
    """

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        not_supported(type(self).__name__, top_k=top_k, class_id=class_id)
        super().__init__(dtype, name)
        self.thresholds = thresholds

    def statistics(self, y_true, y_pred, sample_weight=None):
        mask = getattr(y_pred, "_keras_mask", None)
        y_true, y_pred = match(y_true, y_pred)
        weight = ops.ones_like(y_pred)
        if sample_weight is not None:
            weight = weight * expand_weight(sample_weight, y_pred)
        mask = mask_weight(mask, y_pred)
        weight = weight if mask is None else weight * mask
        true_positive, false_positive, false_negative = [], [], []
        for threshold in np.ravel(0.5 if self.thresholds is None else self.thresholds):
            positive = ops.cast(y_pred > float(threshold), y_pred.dtype)
            true_positive.append(ops.sum(weight * positive * y_true))
            false_positive.append(ops.sum(weight * positive * (1.0 - y_true)))
            false_negative.append(ops.sum(weight * (1.0 - positive) * y_true))
        return true_positive + false_positive + false_negative

    def _counts(self, totals):
        counts = totals.reshape(3, -1)
        return counts if np.ndim(self.thresholds) else counts[:, 0]

    def get_config(self):
        return {**super().get_config(), "thresholds": self.thresholds}


class Precision(_Confusion):
    """true positives / all predicted positives."""

    def value(self, totals):
        true_positive, false_positive, _ = self._counts(totals)
        return divide(true_positive, true_positive + false_positive)


class Recall(_Confusion):
    """true positives / all that should be positive."""

    def value(self, totals):
        true_positive, _, false_negative = self._counts(totals)
        return divide(true_positive, true_positive + false_negative)
