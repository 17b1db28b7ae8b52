"""The loss functions as classes: MeanSquaredError()(y_true, y_pred) is a scalar."""

from seqrnn.losses import functions as f
from seqrnn.losses.base import LossFunctionWrapper


def _loss_class(class_name, fn, default_name=None):
    """A class for a function without further arguments."""
    default = default_name or fn.__name__

    class Wrapped(LossFunctionWrapper):
        def __init__(self, reduction="sum_over_batch_size", name=default, dtype=None):
            super().__init__(fn, reduction, name, dtype)

    Wrapped.__name__ = Wrapped.__qualname__ = class_name
    Wrapped.__doc__ = f"{fn.__doc__}\n\n    As an object: the weighted mean over samples and steps."
    return Wrapped


MeanSquaredError = _loss_class("MeanSquaredError", f.mean_squared_error)
MeanAbsoluteError = _loss_class("MeanAbsoluteError", f.mean_absolute_error)
MeanAbsolutePercentageError = _loss_class(
    "MeanAbsolutePercentageError", f.mean_absolute_percentage_error
)
MeanSquaredLogarithmicError = _loss_class(
    "MeanSquaredLogarithmicError", f.mean_squared_logarithmic_error
)
LogCosh = _loss_class("LogCosh", f.log_cosh)
Poisson = _loss_class("Poisson", f.poisson)
KLDivergence = _loss_class("KLDivergence", f.kl_divergence)
Hinge = _loss_class("Hinge", f.hinge)
SquaredHinge = _loss_class("SquaredHinge", f.squared_hinge)
CategoricalHinge = _loss_class("CategoricalHinge", f.categorical_hinge)


class Huber(LossFunctionWrapper):
    """Quadratic up to |d| = delta, then linear."""

    def __init__(self, delta=1.0, reduction="sum_over_batch_size", name="huber_loss", dtype=None):
        super().__init__(f.huber, reduction, name, dtype, delta=delta)


class CosineSimilarity(LossFunctionWrapper):
    """-cosine of the angle between targets and predictions, along `axis`."""

    def __init__(
        self, axis=-1, reduction="sum_over_batch_size", name="cosine_similarity", dtype=None
    ):
        super().__init__(f.cosine_similarity, reduction, name, dtype, axis=axis)


class BinaryCrossentropy(LossFunctionWrapper):
    """Crossentropy of labels 0 and 1 and probabilities (or logits)."""

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_crossentropy",
        dtype=None,
    ):
        super().__init__(
            f.binary_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy of one-hot labels and class probabilities (or logits)."""

    def __init__(
        self,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(
            f.categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class SparseCategoricalCrossentropy(LossFunctionWrapper):
    """Crossentropy of integer labels and class probabilities (or logits)."""

    def __init__(
        self,
        from_logits=False,
        ignore_class=None,
        reduction="sum_over_batch_size",
        axis=-1,
        name="sparse_categorical_crossentropy",
        dtype=None,
    ):
        super().__init__(
            f.sparse_categorical_crossentropy,
            reduction,
            name,
            dtype,
            from_logits=from_logits,
            ignore_class=ignore_class,
            axis=axis,
        )
