"""The means of functions as metrics; those with other sums stand in confusion, auc, scores, iou."""

import numpy as np

from seqrnn import losses
from seqrnn.metrics import functions as f
from seqrnn.metrics.base import MeanMetricWrapper


def _metric_class(class_name, fn, default_name=None):
    """A class for a function without further arguments."""
    default = default_name or fn.__name__

    class Wrapped(MeanMetricWrapper):
        def __init__(self, name=default, dtype=None):
            super().__init__(fn, name, dtype)

    Wrapped.__name__ = Wrapped.__qualname__ = class_name
    Wrapped.__init__.__qualname__ = f"{class_name}.__init__"  # as error texts name it
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
    """Share of samples whose class number is among the k largest predictions.

    `from_sorted_ids`: predictions are class numbers, the likeliest first.
    """

    def __init__(
        self, k=5, name="sparse_top_k_categorical_accuracy", dtype=None, from_sorted_ids=False
    ):
        super().__init__(
            f.sparse_top_k_categorical_accuracy, name, dtype, k=k, from_sorted_ids=from_sorted_ids
        )

    def get_config(self):
        """As Keras's, which older versions read too: without `from_sorted_ids` unless it is on."""
        config = super().get_config()
        if not config["from_sorted_ids"]:
            del config["from_sorted_ids"]
        return config


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
