"""Losses, as functions and as objects; see `functions` for the formulas, `base` for reductions."""

from seqrnn.errors import did_you_mean
from seqrnn.losses import classes as _classes
from seqrnn.losses import functions as _functions
from seqrnn.losses.base import Loss, LossFunctionWrapper
from seqrnn.losses.classes import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    SparseCategoricalCrossentropy,
    SquaredHinge,
)
from seqrnn.losses.functions import (
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from seqrnn.saving.objects import (
    deserialize_keras_object,
    get_registered_object,
    serialize_keras_object,
)

mse = MSE = mean_squared_error
mae = MAE = mean_absolute_error
mape = MAPE = mean_absolute_percentage_error
msle = MSLE = mean_squared_logarithmic_error
bce = BCE = binary_crossentropy
kld = KLD = kullback_leibler_divergence = kl_divergence
logcosh = log_cosh
huber_loss = huber

FUNCTIONS = {
    fn.__name__: fn
    for fn in vars(_functions).values()
    if callable(fn) and fn.__module__ == _functions.__name__ and fn.__name__ in globals()
}
ALIASES = {
    "mse": mse, "mae": mae, "mape": mape, "msle": msle, "bce": bce, "kld": kld,
    "kullback_leibler_divergence": kld, "logcosh": log_cosh, "huber_loss": huber,
}  # fmt: skip
CLASSES = {
    name: cls
    for name, cls in vars(_classes).items()
    if isinstance(cls, type)
    and issubclass(cls, LossFunctionWrapper)
    and cls is not LossFunctionWrapper
}


def get(identifier):
    """A loss by name ('mse', 'MeanSquaredError', ...), config, function or object; None stays None.

    Raises ValueError for an unknown name, with the nearest one.
    """
    if identifier is None or (callable(identifier) and not isinstance(identifier, type)):
        return identifier
    if isinstance(identifier, type):
        return identifier()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if not isinstance(identifier, str):
        raise TypeError(
            f"Expected a loss as a string, function or Loss object, got {identifier!r}."
        )
    found = (
        get_registered_object(identifier)
        or FUNCTIONS.get(identifier.lower())
        or ALIASES.get(identifier.lower())
        or CLASSES.get(identifier)
    )
    if found is None:
        known = [*FUNCTIONS, *ALIASES, *CLASSES]
        raise ValueError(f"Unknown loss {identifier!r}.{did_you_mean(identifier, known)}")
    return found() if isinstance(found, type) else found


def serialize(loss):
    """A loss as plain data."""
    return serialize_keras_object(loss)


def deserialize(config, custom_objects=None):
    """The inverse of `serialize`."""
    return deserialize_keras_object(config, custom_objects)
