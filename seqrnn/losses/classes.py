"""The loss functions as classes: MeanSquaredError()(y_true, y_pred) is a scalar."""

from seqrnn.losses import alignment, imbalance
from seqrnn.losses import functions as f
from seqrnn.losses.base import LossFunctionWrapper


def _loss_class(class_name, fn, default_name=None):
    """A class for a function without further arguments."""
    default = default_name or fn.__name__

    class Wrapped(LossFunctionWrapper):
        def __init__(self, reduction="sum_over_batch_size", name=default, dtype=None):
            super().__init__(fn, reduction, name, dtype)

    Wrapped.__name__ = Wrapped.__qualname__ = class_name
    Wrapped.__init__.__qualname__ = f"{class_name}.__init__"  # as error texts name it
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
CTC = _loss_class("CTC", alignment.ctc)


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


class BinaryFocalCrossentropy(LossFunctionWrapper):
    """Crossentropy of labels 0 and 1; those that are sure and right count less."""

    def __init__(
        self,
        apply_class_balancing=False,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="binary_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(
            imbalance.binary_focal_crossentropy,
            reduction,
            name,
            dtype,
            apply_class_balancing=apply_class_balancing,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalFocalCrossentropy(LossFunctionWrapper):
    """Crossentropy of one-hot labels; those that are sure and right count less."""

    def __init__(
        self,
        alpha=0.25,
        gamma=2.0,
        from_logits=False,
        label_smoothing=0.0,
        axis=-1,
        reduction="sum_over_batch_size",
        name="categorical_focal_crossentropy",
        dtype=None,
    ):
        super().__init__(
            imbalance.categorical_focal_crossentropy,
            reduction,
            name,
            dtype,
            alpha=alpha,
            gamma=gamma,
            from_logits=from_logits,
            label_smoothing=label_smoothing,
            axis=axis,
        )


class CategoricalGeneralizedCrossEntropy(LossFunctionWrapper):
    """(1 - p^q) / q of the true class, for labels that are partly wrong; 0 < q < 1."""

    def __init__(
        self,
        q=0.5,
        reduction="sum_over_batch_size",
        name="categorical_generalized_cross_entropy",
        dtype=None,
    ):
        if not 0 < q < 1:
            raise ValueError(f"CategoricalGeneralizedCrossEntropy: expected 0 < q < 1, got q={q}.")
        super().__init__(
            imbalance.categorical_generalized_cross_entropy,
            reduction,
            name,
            dtype,
            q=q,
        )


class Dice(LossFunctionWrapper):
    """1 - the share of targets and predictions that cover each other."""

    def __init__(
        self,
        reduction="sum_over_batch_size",
        name="dice",
        axis=None,
        dtype=None,
    ):
        super().__init__(
            imbalance.dice,
            reduction,
            name,
            dtype,
            axis=axis,
        )


class Tversky(LossFunctionWrapper):
    """`Dice` with weights for what is missed (alpha) and for what is too much (beta)."""

    def __init__(
        self,
        alpha=0.5,
        beta=0.5,
        reduction="sum_over_batch_size",
        name="tversky",
        axis=None,
        dtype=None,
    ):
        super().__init__(
            imbalance.tversky,
            reduction,
            name,
            dtype,
            alpha=alpha,
            beta=beta,
            axis=axis,
        )


class Circle(LossFunctionWrapper):
    """Embeddings of one class together, of two apart: (B,) class numbers, (B, F) vectors."""

    def __init__(
        self,
        gamma=80.0,
        margin=0.4,
        remove_diagonal=True,
        reduction="sum_over_batch_size",
        name="circle",
        dtype=None,
    ):
        super().__init__(
            alignment.circle,
            reduction,
            name,
            dtype,
            gamma=gamma,
            margin=margin,
            remove_diagonal=remove_diagonal,
        )
