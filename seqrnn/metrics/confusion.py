"""Metrics that count right and wrong decisions: a prediction above a threshold says 1.

All of them sum up the same table: per number of thresholds that a prediction exceeds, how many
labels are 1 and how many 0 (weighted). From it come, for each threshold, the true positives, false
positives, true negatives and false negatives; so 200 thresholds cost no more than one.

    Precision    TP / (TP + FP)        sensitivity = Recall    TP / (TP + FN)
    specificity  TN / (TN + FP)

A label counts as 1 unless it is 0. Where a denominator is 0 the value is 0.
"""

import numpy as np

from seqrnn import config, ops
from seqrnn.metrics.base import SumMetric, divide, flat_pair


class ThresholdMetric(SumMetric):
    """The table, and counts at each threshold from it.

    Args:
        thresholds: numbers; positive is what lies above.
        top_k: only the k largest predictions of a row count as positive.
        class_id: only this index of the last axis is looked at.
    """

    def __init__(self, thresholds, name=None, dtype=None, top_k=None, class_id=None):
        super().__init__(dtype, name)
        self._limits = np.asarray(thresholds, float)
        self._even = evenly_spaced(self._limits)
        self.top_k = top_k
        self.class_id = class_id
        self.bind(np.zeros(2 * (len(self._limits) + 1)))

    def statistics(self, y_true, y_pred, sample_weight=None):
        return [self.table(*flat_pair(y_true, y_pred, sample_weight))]

    def table(self, y_true, y_pred, weight=None, columns=1):
        """(columns (K + 1) 2,): weights of the labels 1 and 0 by the thresholds exceeded, with one
        such table for each column of the last axis."""
        if self.top_k is not None:
            y_pred = _only_top(y_pred, self.top_k)
        if self.class_id is not None:
            self._check_class(y_pred.shape)
            y_true, y_pred = y_true[..., self.class_id], y_pred[..., self.class_id]
            weight = None if weight is None else weight[..., self.class_id]
        exceeded = self._exceeded(y_pred)
        sizes = len(self._limits) + 1
        if columns > 1:
            exceeded = exceeded + ops.arange(columns) * sizes
        positive = ops.cast(ops.not_equal(y_true, 0), y_pred.dtype)
        kinds = ops.stack([positive, 1.0 - positive], axis=-1)
        if weight is not None:
            kinds = kinds * ops.expand_dims(weight, -1)
        rows = ops.reshape(kinds, (-1, 2)), ops.reshape(exceeded, (-1,))
        return ops.reshape(ops.segment_sum(*rows, columns * sizes), (-1,))

    def _exceeded(self, y_pred):
        """How many thresholds lie below each prediction, int32; none below NaN."""
        if not self._even:
            limits = np.sort(self._limits).astype(y_pred.dtype)
            below = ops.expand_dims(y_pred, -1) > ops.convert_to_tensor(limits)
            return ops.sum(ops.cast(below, "int32"), axis=-1)
        steps = float(len(self._limits) - 1)
        exceeded = ops.ceil(ops.clip(y_pred, 0.0, 1.0) * steps)
        if self._limits[0] < 0.0:
            exceeded = ops.maximum(exceeded, 1.0)
        return ops.cast(ops.where(ops.isnan(y_pred), 0.0, exceeded), "int32")

    def _check_class(self, shape):
        if len(shape) < 2 or not -shape[-1] <= self.class_id < shape[-1]:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: class_id={self.class_id} needs predictions "
                f"(batch, classes) with that class, got shape {tuple(shape)}."
            )

    def counts(self, totals):
        """(TP, FP, TN, FN), each with an axis of thresholds in the order given, then columns."""
        table = totals.reshape(-1, len(self._limits) + 1, 2)
        above = table[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:]
        below = table.sum(axis=1, keepdims=True) - above
        order = np.argsort(np.argsort(self._limits, kind="stable"), kind="stable")
        above, below = above[:, order], below[:, order]
        found = above[..., 0], above[..., 1], below[..., 1], below[..., 0]
        return [x.T if len(table) > 1 else x[0] for x in found]


def evenly_spaced(thresholds):
    """Whether they are 0, 1 / (K - 1), ..., 1, but for `epsilon()`, with K of at least 3."""
    count = len(thresholds)
    even = np.arange(count) / max(count - 1, 1)
    return count > 2 and np.allclose(thresholds, even, rtol=0, atol=2 * config.epsilon())


def _only_top(x, k):
    """x where it is among the k largest of its last axis (of equal ones the first), else -1e10."""
    if k > x.shape[-1]:
        raise ValueError(f"top_k={k} of only {x.shape[-1]} classes: predictions {tuple(x.shape)}.")
    chosen, rest = None, x
    for _ in range(k):
        first = ops.one_hot(ops.argmax(rest, axis=-1), x.shape[-1], dtype="bool")
        chosen = first if chosen is None else ops.logical_or(chosen, first)
        rest = ops.where(first, -np.inf, rest)
    return ops.where(chosen, x, _LOWEST)


_LOWEST = -1e10


def as_thresholds(thresholds, default):
    """A list; ValueError for one outside of [0, 1]."""
    if thresholds is None:
        return [default]
    found = list(thresholds) if np.ndim(thresholds) else [thresholds]
    wrong = [t for t in found if t is None or not 0 <= t <= 1]
    if wrong or not found:
        raise ValueError(f"Threshold values must be in [0, 1], got {wrong or found}.")
    return found


# ---- counts ----


class _Count(ThresholdMetric):
    """The weighted number of one kind of decision, a list for several thresholds.

    `thresholds`: a number or a list in [0, 1], default 0.5; ValueError otherwise.
    """

    kind = 0  # of TP, FP, TN, FN

    def __init__(self, thresholds, name, dtype):
        self.init_thresholds = thresholds
        self.thresholds = as_thresholds(thresholds, 0.5)
        super().__init__(self.thresholds, name, dtype)

    def value(self, totals):
        counts = self.counts(totals)[self.kind]
        return counts if len(counts) > 1 else counts[0]

    def get_config(self):
        return {**super().get_config(), "thresholds": self.init_thresholds}


class TruePositives(_Count):
    """How many labels 1 have a prediction above the threshold."""

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype)


class FalsePositives(_Count):
    """How many labels 0 have a prediction above the threshold."""

    kind = 1

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype)


class TrueNegatives(_Count):
    """How many labels 0 have no prediction above the threshold."""

    kind = 2

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype)


class FalseNegatives(_Count):
    """How many labels 1 have no prediction above the threshold."""

    kind = 3

    def __init__(self, thresholds=None, name=None, dtype=None):
        super().__init__(thresholds, name, dtype)


# ---- ratios ----


class _Share(ThresholdMetric):
    """TP by a sum of counts.

    Args:
        thresholds: a number or a list in [0, 1] (then the result is a list). Default 0.5, or
            without limit under `top_k`. ValueError otherwise.
        top_k: only the k largest predictions of a row can be positive.
        class_id: only this class of predictions (batch, classes) is looked at.
    """

    def __init__(self, thresholds, top_k, class_id, name, dtype):
        self.init_thresholds = thresholds
        self.thresholds = as_thresholds(thresholds, 0.5 if top_k is None else _LOWEST)
        super().__init__(self.thresholds, name, dtype, top_k, class_id)

    def ratio(self, tp, fp, tn, fn):
        raise NotImplementedError

    def value(self, totals):
        found = self.ratio(*self.counts(totals))
        return found if len(found) > 1 else found[0]

    def get_config(self):
        return {
            **super().get_config(),
            "thresholds": self.init_thresholds,
            "top_k": self.top_k,
            "class_id": self.class_id,
        }


class Precision(_Share):
    __doc__ = _Share.__doc__.replace("TP by a sum of counts.", "Right ones of the positives said.")

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(thresholds, top_k, class_id, name, dtype)

    def ratio(self, tp, fp, tn, fn):
        return divide(tp, tp + fp)


class Recall(_Share):
    __doc__ = _Share.__doc__.replace("TP by a sum of counts.", "Share of the labels 1 found.")

    def __init__(self, thresholds=None, top_k=None, class_id=None, name=None, dtype=None):
        super().__init__(thresholds, top_k, class_id, name, dtype)

    def ratio(self, tp, fp, tn, fn):
        return divide(tp, tp + fn)


# ---- the best of one ratio while another is good enough ----


class _BestAt(ThresholdMetric):
    """The largest `sought` over all thresholds at which `given` is at least a number."""

    argument = ""  # the name of the number

    def __init__(self, least, num_thresholds, class_id, name, dtype):
        who = type(self).__name__
        if not 0 <= least <= 1:
            raise ValueError(f"{who}: {self.argument} must be in the range [0, 1], got {least}.")
        if num_thresholds <= 0:
            raise ValueError(f"{who}: num_thresholds must be an int > 0, got {num_thresholds}.")
        self.least = least
        self.num_thresholds = num_thresholds
        limits = np.linspace(0.0, 1.0, num_thresholds) if num_thresholds > 1 else [0.5]
        self.thresholds = [float(t) for t in limits]
        super().__init__(limits, name, dtype, class_id=class_id)

    def value(self, totals):
        given, sought = self.ratios(*self.counts(totals))
        return np.where(given >= self.least, sought, 0.0).max()

    def ratios(self, tp, fp, tn, fn):
        raise NotImplementedError

    def get_config(self):
        return {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            self.argument: self.least,
            "class_id": self.class_id,
        }


class SensitivityAtSpecificity(_BestAt):
    """The largest sensitivity (share of the labels 1 found) among the thresholds at which the
    specificity (share of the labels 0 found) is at least `specificity`, in [0, 1]."""

    argument = "specificity"

    def __init__(self, specificity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(specificity, num_thresholds, class_id, name, dtype)

    def ratios(self, tp, fp, tn, fn):
        return divide(tn, tn + fp), divide(tp, tp + fn)


class SpecificityAtSensitivity(_BestAt):
    """The largest specificity (share of the labels 0 found) among the thresholds at which the
    sensitivity (share of the labels 1 found) is at least `sensitivity`, in [0, 1]."""

    argument = "sensitivity"

    def __init__(self, sensitivity, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)

    def ratios(self, tp, fp, tn, fn):
        return divide(tp, tp + fn), divide(tn, tn + fp)


class PrecisionAtRecall(_BestAt):
    """The largest precision among the thresholds at which the recall is at least `recall`."""

    argument = "recall"

    def __init__(self, recall, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(recall, num_thresholds, class_id, name, dtype)

    def ratios(self, tp, fp, tn, fn):
        return divide(tp, tp + fn), divide(tp, tp + fp)


class RecallAtPrecision(_BestAt):
    """The largest recall among the thresholds at which the precision is at least `precision`."""

    argument = "precision"

    def __init__(self, precision, num_thresholds=200, class_id=None, name=None, dtype=None):
        super().__init__(precision, num_thresholds, class_id, name, dtype)

    def ratios(self, tp, fp, tn, fn):
        return divide(tp, tp + fp), divide(tp, tp + fn)
