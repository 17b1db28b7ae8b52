"""Losses, as functions and as objects; see `functions` for the formulas, `base` for reductions."""

from seqrnn.errors import public_names
from seqrnn.lookup import Lookup
from seqrnn.losses import alignment as _alignment
from seqrnn.losses import classes as _classes
from seqrnn.losses import functions as _functions
from seqrnn.losses import imbalance as _imbalance
from seqrnn.losses.alignment import circle, ctc
from seqrnn.losses.base import Loss, LossFunctionWrapper
from seqrnn.losses.classes import (
    CTC,
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CategoricalHinge,
    Circle,
    CosineSimilarity,
    Dice,
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
    Tversky,
)
from seqrnn.losses.functions import (
    automatic_crossentropy as _automatic,
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
from seqrnn.losses.imbalance import (
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
    categorical_generalized_cross_entropy,
    dice,
    tversky,
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
    name: fn
    for module in (_functions, _imbalance, _alignment)
    for name, fn in vars(module).items()
    if callable(fn) and fn.__module__ == module.__name__ and name in globals()
}
ALIASES = {
    "mse": mse, "mae": mae, "mape": mape, "msle": msle, "bce": bce, "kld": kld,
    "kullback_leibler_divergence": kld, "logcosh": log_cosh, "huber_loss": huber,
    "crossentropy": _automatic, "ce": _automatic,
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
    stands for; None for None. 'crossentropy' ('ce') chooses by the shapes of the batch."""
    return None if identifier is None else _lookup.get(identifier)


__getattr__, __dir__ = public_names(__name__)
