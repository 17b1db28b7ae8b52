"""Metrics, as functions and as objects; see `base` for how they are summed up."""

from seqrnn.config import snake_case
from seqrnn.errors import public_names
from seqrnn.lookup import Lookup
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
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
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
from seqrnn.losses.functions import automatic_crossentropy as _automatic_crossentropy
from seqrnn.metrics import auc as _auc
from seqrnn.metrics import classes as _classes
from seqrnn.metrics import confusion as _confusion
from seqrnn.metrics import functions as _functions
from seqrnn.metrics import iou as _iou
from seqrnn.metrics import scores as _scores
from seqrnn.metrics.auc import AUC
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
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy,
    SparseTopKCategoricalAccuracy,
    SquaredHinge,
    TopKCategoricalAccuracy,
)
from seqrnn.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    PrecisionAtRecall,
    Recall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    TrueNegatives,
    TruePositives,
)
from seqrnn.metrics.functions import (
    accuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from seqrnn.metrics.iou import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from seqrnn.metrics.scores import (
    ConcordanceCorrelation,
    F1Score,
    FBetaScore,
    PearsonCorrelation,
    R2Score,
    concordance_correlation,
    pearson_correlation,
)

_MODULES = (_classes, _confusion, _auc, _scores, _iou)
CLASSES = {
    name: cls
    for module in _MODULES
    for name, cls in {**vars(module), "Mean": Mean, "Sum": Sum}.items()
    if isinstance(cls, type) and issubclass(cls, SumMetric) and cls is globals().get(name)
}
for _base in ("SumMetric", "MeanMetricWrapper"):
    CLASSES.pop(_base, None)
FUNCTIONS = {
    **_LOSSES,
    **_ALIASES,
    **{
        name: fn
        for module in (_functions, _scores)
        for name, fn in vars(module).items()
        if callable(fn) and not isinstance(fn, type) and fn is globals().get(name)
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
    "crossentropy": _automatic_crossentropy,
    "ce": _automatic_crossentropy,
}

_lookup = Lookup("metric", {**_AUTOMATIC, **_BY_NAME, **CLASSES})
serialize = _lookup.serialize
deserialize = _lookup.deserialize


def get(identifier):
    """The metric that a name, config, class, object or function stands for; None for None."""
    return None if identifier is None else _lookup.get(identifier)


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
    name = identifier if isinstance(identifier, str) else _function_name(metric)
    return MeanMetricWrapper(metric, name=name)


def _function_name(fn):
    return (
        getattr(fn, "__name__", None) or getattr(fn, "name", None) or snake_case(type(fn).__name__)
    )


__getattr__, __dir__ = public_names(__name__)
