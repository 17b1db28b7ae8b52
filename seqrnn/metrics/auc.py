"""The area under a curve that a threshold draws: ROC, precision-recall, and their gains."""

import numpy as np

from seqrnn import config, ops
from seqrnn.metrics.base import check_choice, divide, flat_pair
from seqrnn.metrics.confusion import ThresholdMetric, as_thresholds

_CURVES = ("ROC", "PR", "PRGAIN")
_METHODS = ("interpolation", "majoring", "minoring")


class AUC(ThresholdMetric):
    """The area under a curve, by Riemann sums over thresholds. Predictions lie in [0, 1].

    Args:
        num_thresholds: how many; > 1. Includes one below 0 and one above 1.
        curve: 'ROC' (recall by false positive rate), 'PR' (precision by recall) or 'PRGAIN'
            (P. Flach, M. Kull 2015, Precision-Recall-Gain Curves), also in small letters.
        summation_method: 'interpolation' (the middle of both heights; of 'PR' as by J. Davis,
            M. Goadrich 2006, The Relationship Between Precision-Recall and ROC Curves),
            'majoring' (the larger one) or 'minoring' (the smaller one).
        thresholds: those between the first and the last, in [0, 1]; `num_thresholds` then follows.
        multi_label: one curve per column of predictions (B, C), and the mean of the areas.
        num_labels: C, for `multi_label` only; the first batch tells it otherwise.
        label_weights: C weights; of the areas under `multi_label`, else of the columns.
        from_logits: predictions are before the sigmoid.

    ValueError for a threshold outside of [0, 1], an unknown curve or method, and `num_labels`
    without `multi_label`.
    """

    def __init__(
        self,
        num_thresholds=200,
        curve="ROC",
        summation_method="interpolation",
        name=None,
        dtype=None,
        thresholds=None,
        multi_label=False,
        num_labels=None,
        label_weights=None,
        from_logits=False,
    ):
        self.curve = str(curve).upper()
        self.summation_method = str(summation_method).lower()
        check_choice(self, "curve", self.curve, _CURVES)
        check_choice(self, "summation_method", self.summation_method, _METHODS)
        if num_labels and not multi_label:
            raise ValueError("AUC: `num_labels` is needed only when `multi_label` is True.")
        self._given = thresholds is not None
        if self._given:
            between = sorted(as_thresholds(thresholds, None))
            num_thresholds = len(between) + 2
        elif num_thresholds <= 1:
            raise ValueError(f"AUC: num_thresholds must be an int > 1, got {num_thresholds}.")
        else:
            between = list(np.linspace(0.0, 1.0, num_thresholds)[1:-1])
        self.num_thresholds = num_thresholds
        limits = [-config.epsilon(), *between, 1.0 + config.epsilon()]
        super().__init__(limits, name, dtype)
        self.multi_label = multi_label
        self.num_labels = num_labels
        self.label_weights = None if label_weights is None else list(label_weights)
        self._from_logits = from_logits
        if multi_label:
            self.totals = None

    @property
    def thresholds(self):
        """All of them, a list."""
        return [float(t) for t in self._limits]

    def statistics(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred, weight = flat_pair(y_true, y_pred, sample_weight)
        self._check(y_pred.shape)
        if self._from_logits:
            y_pred = ops.sigmoid(y_pred)
        if self.multi_label:
            return [self.table(y_true, y_pred, weight, columns=y_pred.shape[1])]
        if self.label_weights is not None:
            columns = ops.convert_to_tensor(self.label_weights, dtype=y_pred.dtype)
            weight = ops.ones_like(y_pred) * columns if weight is None else weight * columns
        return [self.table(y_true, y_pred, weight)]

    def _check(self, shape):
        who = f"AUC {self.name!r}"
        if self.multi_label and (len(shape) != 2 or self.num_labels not in (None, 0, shape[1])):
            expected = self.num_labels or "labels"
            raise ValueError(
                f"{who}: multi_label=True needs predictions (batch, {expected}), got shape "
                f"{tuple(shape)}."
            )
        weights = self.label_weights
        if weights is not None and (not shape or len(weights) != shape[-1]):
            raise ValueError(
                f"{who}: {len(weights)} label_weights for predictions of shape {tuple(shape)}."
            )

    def value(self, totals):
        counts = self.counts(totals)
        if self.curve == "PR" and self.summation_method == "interpolation":
            areas = _interpolated_pr(*counts)
        else:
            areas = _riemann(*_CURVE_OF[self.curve](*counts), self.summation_method)
        if not self.multi_label or areas.ndim == 0:
            return areas
        return np.average(areas, weights=self.label_weights)

    def get_config(self):
        config_ = {
            **super().get_config(),
            "num_thresholds": self.num_thresholds,
            "curve": self.curve,
            "summation_method": self.summation_method,
            "multi_label": self.multi_label,
            "num_labels": self.num_labels,
            "label_weights": self.label_weights,
            "from_logits": self._from_logits,
        }
        return config_ | ({"thresholds": self.thresholds[1:-1]} if self._given else {})


def _roc(tp, fp, tn, fn):
    return divide(fp, fp + tn), divide(tp, tp + fn)


def _pr(tp, fp, tn, fn):
    return divide(tp, tp + fn), divide(tp, tp + fp)


def _pr_gain(tp, fp, tn, fn):
    """Gains over always saying 1, for P labels 1 and N labels 0: 1 - (P / N) (FN / TP), at least 0,
    and 1 - (P / N) (FP / TP)."""
    odds = divide(tp + fn, tn + fp)
    recall = np.where(tp == 0, 0.0, 1.0 - odds * divide(fn, tp))
    precision = np.where(tp == 0, 1.0, 1.0 - odds * divide(fp, tp))
    return np.maximum(recall, 0.0), precision


_CURVE_OF = {"ROC": _roc, "PR": _pr, "PRGAIN": _pr_gain}


def _riemann(x, y, method):
    """The area under y(x), where x falls along the first axis."""
    heights = {
        "interpolation": (y[:-1] + y[1:]) / 2.0,
        "minoring": np.minimum(y[:-1], y[1:]),
        "majoring": np.maximum(y[:-1], y[1:]),
    }
    return ((x[:-1] - x[1:]) * heights[method]).sum(axis=0)


def _interpolated_pr(tp, fp, tn, fn):
    """Between two thresholds TP grows linearly with the number of positives P, so the area is the
    integral of (slope + intercept / P) dTP / (TP + FN)."""
    said = tp + fp
    d_tp, d_said = tp[:-1] - tp[1:], said[:-1] - said[1:]
    slope = divide(d_tp, np.maximum(d_said, 0.0))
    intercept = tp[1:] - slope * said[1:]
    both = (said[:-1] > 0) & (said[1:] > 0)
    ratio = np.where(both, divide(said[:-1], said[1:]), 1.0)
    return divide(slope * (d_tp + intercept * np.log(ratio)), tp[1:] + fn[1:]).sum(axis=0)
