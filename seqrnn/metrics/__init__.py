"""Metrics, as functions and as objects; see `base` for how they are summed up."""

from seqrnn.config import snake_case
from seqrnn.errors import did_you_mean
from seqrnn.losses import ALIASES as _ALIASES
from seqrnn.losses import (
    BCE,
    KLD,
    MAE,
    MAPE,
    MSE,
    MSLE,
    bce,
    binary_crossentropy,
    categorical_crossentropy,
    categorical_hinge,
    cosine_similarity,
    hinge,
    huber,
    kl_divergence,
    kld,
    log_cosh,
    logcosh,
    mae,
    mape,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    mse,
    msle,
    poisson,
    sparse_categorical_crossentropy,
    squared_hinge,
)
from seqrnn.losses import FUNCTIONS as _LOSSES
from seqrnn.metrics import classes as _classes
from seqrnn.metrics import functions as _functions
from seqrnn.metrics.base import Mean, MeanMetricWrapper, Metric, Sum, SumMetric
from seqrnn.metrics.classes import (
    Accuracy,
    BinaryAccuracy,
    BinaryCrossentropy,
    CategoricalAccuracy,
    CategoricalCrossentropy,
    CategoricalHinge,
    CosineSimilarity,
    Hinge,
    KLDivergence,
    LogCoshError,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    Precision,
    Recall,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SquaredHinge,
    TopKCategoricalAccuracy,
)
from seqrnn.metrics.functions import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from seqrnn.saving.objects import (
    deserialize_keras_object,
    get_registered_object,
    serialize_keras_object,
)

CLASSES = {
    name: cls
    for name, cls in {**vars(_classes), "Mean": Mean, "Sum": Sum}.items()
    if isinstance(cls, type) and cls.__name__ == name and issubclass(cls, SumMetric)
}
for _base in ("SumMetric", "MeanMetricWrapper", "_Confusion"):
    CLASSES.pop(_base, None)
FUNCTIONS = {
    **_LOSSES,
    **_ALIASES,
    **{
        name: fn
        for name, fn in vars(_functions).items()
        if callable(fn) and fn is globals().get(name)
    },
}
# By the string, the class goes first: the metric 'cosine_similarity' grows when things get better.
_BY_NAME = {
    **FUNCTIONS,
    **{snake_case(n): c for n, c in CLASSES.items() if n not in ("Mean", "Sum")},
}
_AUTOMATIC = {
    "accuracy": _functions.automatic_accuracy,
    "acc": _functions.automatic_accuracy,
    "crossentropy": _functions.automatic_crossentropy,
    "ce": _functions.automatic_crossentropy,
}


def get(identifier):
    """A metric by name, config, function or object; None stays None.

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
            f"Expected a metric as a string, function or Metric object, got {identifier!r}."
        )
    found = (
        get_registered_object(identifier)
        or _BY_NAME.get(identifier.lower())
        or CLASSES.get(identifier)
    )
    if found is None:
        known = [*_BY_NAME, *CLASSES, *_AUTOMATIC]
        raise ValueError(f"Unknown metric {identifier!r}.{did_you_mean(identifier, known)}")
    return found() if isinstance(found, type) else found


def metric_object(identifier):
    """What `compile(metrics=[...])` makes of an entry: a Metric.

    A string is also the metric's name, as written; a function's name is its `__name__`.
    'accuracy' (or 'acc') and 'crossentropy' ('ce') choose by the shapes of the batch.
    """
    if isinstance(identifier, str) and identifier.lower() in _AUTOMATIC:
        return MeanMetricWrapper(_AUTOMATIC[identifier.lower()], name=identifier)
    metric = get(identifier)
    if isinstance(metric, Metric):
        if isinstance(identifier, str):
            metric.name = identifier
        return metric
    if not callable(metric):
        raise TypeError(f"Expected a metric, got {identifier!r}.")
    name = identifier if isinstance(identifier, str) else _function_name(metric)
    return MeanMetricWrapper(metric, name=name)


def _function_name(fn):
    return (
        getattr(fn, "__name__", None) or getattr(fn, "name", None) or snake_case(type(fn).__name__)
    )


def serialize(metric):
    """A metric as plain data."""
    return serialize_keras_object(metric)


def deserialize(config, custom_objects=None):
    """The inverse of `serialize`."""
    return deserialize_keras_object(config, custom_objects)
