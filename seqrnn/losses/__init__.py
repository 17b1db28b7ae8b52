"""Losses, as functions and as objects; see `functions` for the formulas, `base` for reductions."""

from seqrnn.errors import public_names
from seqrnn.lookup import Lookup
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

_lookup = Lookup("loss", {**FUNCTIONS, **ALIASES, **CLASSES})
serialize = _lookup.serialize
deserialize = _lookup.deserialize


def get(identifier):
    """The loss that a name ('mse', 'MeanSquaredError', ...), config, class, object or function
    stands for; None for None."""
    return None if identifier is None else _lookup.get(identifier)


__getattr__, __dir__ = public_names(__name__)
