"""Scores of classes and of regressions: F-beta, R squared, correlations along an axis."""

import warnings

import numpy as np

from seqrnn import config, ops
from seqrnn.losses.base import joint_weight
from seqrnn.losses.functions import match
from seqrnn.metrics.base import MeanMetricWrapper, SumMetric, check_choice


def table_pair(metric, y_true, y_pred, sample_weight):
    """Targets and predictions (B, C) and weights (B, 1), None without any. ValueError otherwise."""
    given = y_pred
    y_true, y_pred = match(y_true, y_pred)
    if len(y_pred.shape) != 2:
        raise ValueError(
            f"{type(metric).__name__} {metric.name!r} expects targets and predictions of shape "
            f"(batch, outputs), got {tuple(y_pred.shape)}."
        )
    return y_true, y_pred, joint_weight(y_pred, sample_weight, given)


class FBetaScore(SumMetric):
    """(1 + beta^2) precision recall / (beta^2 precision + recall), per class.

    (C. van Rijsbergen 1979, Information Retrieval.) Targets are one-hot or multi-hot (B, C).

    Args:
        average: None: a list, one score per class; 'micro': of all classes counted together;
            'macro': their mean; 'weighted': their mean by the number of targets.
        beta: float > 0; how many times recall matters more than precision.
        threshold: float in (0, 1], predictions above it say 1; None: the largest of the row.

    ValueError for other values.
    """

    def __init__(self, average=None, beta=1.0, threshold=None, name="fbeta_score", dtype=None):
        super().__init__(dtype, name)
        check_choice(self, "average", average, (None, "micro", "macro", "weighted"))
        who = type(self).__name__
        if not isinstance(beta, float) or beta <= 0.0:
            raise ValueError(f"{who}: beta must be a float > 0, got {beta!r}.")
        if threshold is not None and not (isinstance(threshold, float) and 0.0 < threshold <= 1.0):
            raise ValueError(f"{who}: threshold must be a float in (0, 1], got {threshold!r}.")
        self.average = average
        self.beta = beta
        self.threshold = threshold

    def statistics(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred, weight = table_pair(self, y_true, y_pred, sample_weight)
        if self.threshold is None:
            largest = ops.max(y_pred, axis=-1, keepdims=True)
            said = ops.logical_and(y_pred >= largest, ops.abs(y_pred) > 1e-9)
        else:
            said = y_pred > self.threshold
        said = ops.cast(said, y_pred.dtype)
        axis = None if self.average == "micro" else 0
        kinds = said * y_true, said * (1.0 - y_true), (1.0 - said) * y_true
        if weight is not None:
            kinds = [kind * weight for kind in kinds]
        return [ops.sum(kind, axis=axis) for kind in kinds]

    def value(self, totals):
        tp, fp, fn = totals.reshape(3, -1)
        tiny = config.epsilon()
        precision, recall = tp / (tp + fp + tiny), tp / (tp + fn + tiny)
        square = self.beta**2
        scores = (1.0 + square) * precision * recall / (square * precision + recall + tiny)
        if self.average == "weighted":
            return (scores * (tp + fn)).sum() / ((tp + fn).sum() + tiny)
        return scores if self.average is None else scores.mean()

    def get_config(self):
        return {
            **super().get_config(),
            "average": self.average,
            "beta": self.beta,
            "threshold": self.threshold,
        }


class F1Score(FBetaScore):
    __doc__ = FBetaScore.__doc__.replace(
        "(1 + beta^2) precision recall / (beta^2 precision + recall)",
        "2 precision recall / (precision + recall)",
    ).replace("        beta: float > 0; how many times recall matters more than precision.\n", "")

    def __init__(self, average=None, threshold=None, name="f1_score", dtype=None):
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self):
        return {name: v for name, v in super().get_config().items() if name != "beta"}


class R2Score(SumMetric):
    """1 - sum((y - p)^2) / sum((y - mean y)^2) per output of (B, outputs): 1 is the best, 0 is what
    always predicting the mean gives.

    Args:
        class_aggregation: 'uniform_average', 'variance_weighted_average', or None for a list.
        num_regressors: number p of independent variables of the adjusted score,
            1 - (1 - R^2) (n - 1) / (n - p - 1), n the number of targets; 0: not adjusted.

    ValueError for other values.
    """

    def __init__(
        self, class_aggregation="uniform_average", num_regressors=0, name="r2_score", dtype=None
    ):
        super().__init__(dtype, name)
        known = (None, "uniform_average", "variance_weighted_average")
        check_choice(self, "class_aggregation", class_aggregation, known)
        if num_regressors < 0:
            raise ValueError(f"R2Score: num_regressors must be >= 0, got {num_regressors}.")
        self.class_aggregation = class_aggregation
        self.num_regressors = num_regressors

    def statistics(self, y_true, y_pred, sample_weight=None):
        y_true, y_pred, weight = table_pair(self, y_true, y_pred, sample_weight)
        weight = ops.ones_like(y_true) * (1.0 if weight is None else weight)
        sums = weight * y_true, weight * ops.square(y_true), weight * ops.square(y_true - y_pred)
        count = float(y_true.shape[0] * y_true.shape[1])
        sums = [ops.sum(x, axis=0) for x in (*sums, weight)]
        return [*sums, ops.zeros_like(sums[0][:1]) + count]

    def value(self, totals):
        total, squares, residual, count = totals[:-1].reshape(4, -1)
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = squares - total * total / count
            scores = 1.0 - residual / spread
            scores = np.where(np.isinf(scores), 0.0, scores)
            if self.class_aggregation == "uniform_average":
                scores = scores.mean()
            elif self.class_aggregation == "variance_weighted_average":
                scores = (spread * scores).sum() / spread.sum()
        return self._adjusted(scores, totals[-1])

    def _adjusted(self, scores, samples):
        if not self.num_regressors:
            return scores
        left = samples - self.num_regressors - 1.0
        if left <= 0:
            warnings.warn(
                f"R2Score: {self.num_regressors} regressors are too many for {samples:.0f} "
                "targets; the score is not adjusted.",
                stacklevel=4,
            )
            return scores
        return 1.0 - (1.0 - scores) * (samples - 1.0) / left

    def get_config(self):
        return {
            **super().get_config(),
            "class_aggregation": self.class_aggregation,
            "num_regressors": self.num_regressors,
        }


# ---- correlations ----


def pearson_correlation(y_true, y_pred, axis=-1):
    """Covariance along `axis` by the product of the standard deviations: -1 .. 1.

    NaN where one of them is constant. (K. Pearson 1895.)
    """
    d_true, d_pred = _centered(*match(y_true, y_pred), axis)
    spread = ops.mean(ops.square(d_true), axis=axis) * ops.mean(ops.square(d_pred), axis=axis)
    return ops.mean(d_true * d_pred, axis=axis) / ops.sqrt(spread)


def concordance_correlation(y_true, y_pred, axis=-1):
    """2 covariance / (both variances + squared difference of the means + 1e-7) along `axis`.

    1 only where both are equal. (L. Lin 1989, A Concordance Correlation Coefficient to Evaluate
    Reproducibility.)
    """
    y_true, y_pred = match(y_true, y_pred)
    d_true, d_pred = _centered(y_true, y_pred, axis)
    apart = ops.mean(y_true, axis=axis) - ops.mean(y_pred, axis=axis)
    spread = ops.mean(ops.square(d_true) + ops.square(d_pred), axis=axis) + ops.square(apart)
    return 2.0 * ops.mean(d_true * d_pred, axis=axis) / (spread + config.epsilon())


def _centered(y_true, y_pred, axis):
    return [x - ops.mean(x, axis=axis, keepdims=True) for x in (y_true, y_pred)]


class PearsonCorrelation(MeanMetricWrapper):
    """The mean of `pearson_correlation` along `axis` over all samples seen."""

    def __init__(self, name="pearson_correlation", dtype=None, axis=-1):
        super().__init__(pearson_correlation, name, dtype, axis=axis)


class ConcordanceCorrelation(MeanMetricWrapper):
    """The mean of `concordance_correlation` along `axis` over all samples seen."""

    def __init__(self, name="concordance_correlation", dtype=None, axis=-1):
        super().__init__(concordance_correlation, name, dtype, axis=axis)
