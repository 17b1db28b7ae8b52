"""Metric objects over several batches, the last one short."""

from golden_builders import integers, normal, one_hot, probabilities, uniform
from golden_case import MetricCase

C = 4


def _metric(name, metric, draw_true, draw_pred, weights=False):
    """Three batches, of 5, 5 and 2 rows."""
    batches = [
        [draw_true(rows), draw_pred(rows)] + ([uniform(0, 2, rows)] if weights else [])
        for rows in (5, 5, 2)
    ]
    return MetricCase(name, metric, batches)


def _of(class_name, **arguments):
    return lambda k: getattr(k.metrics, class_name)(**arguments)


def values(rows):
    return normal(rows, 3)


def sequences(rows):
    return normal(rows, 4, 3)


def scores(rows):
    return probabilities(rows, C)


def chances(rows):
    return uniform(0, 1, rows, 1)


CASES = [
    _metric("mse", _of("MeanSquaredError"), values, values),
    _metric("mae", _of("MeanAbsoluteError"), values, values),
    _metric("mse_sequences", _of("MeanSquaredError"), sequences, sequences),
    _metric("mae_sequences", _of("MeanAbsoluteError"), sequences, sequences),
    _metric("mse_weights", _of("MeanSquaredError"), values, values, weights=True),
    _metric("rmse", _of("RootMeanSquaredError"), values, values),
    _metric("accuracy", _of("Accuracy"), lambda n: integers(2, n, 1), lambda n: integers(2, n, 1)),
    _metric("binary_accuracy", _of("BinaryAccuracy"), lambda n: integers(2, n, 1), chances),
    _metric(
        "binary_accuracy_threshold",
        _of("BinaryAccuracy", threshold=0.3),
        lambda n: integers(2, n, 1),
        chances,
    ),
    _metric(
        "binary_accuracy_weights",
        _of("BinaryAccuracy"),
        lambda n: integers(2, n, 1),
        chances,
        weights=True,
    ),
    _metric("categorical_accuracy", _of("CategoricalAccuracy"), lambda n: one_hot(C, n), scores),
    _metric("sparse_accuracy", _of("SparseCategoricalAccuracy"), lambda n: integers(C, n), scores),
    _metric(
        "sparse_accuracy_column",
        _of("SparseCategoricalAccuracy"),
        lambda n: integers(C, n, 1),
        scores,
    ),
    _metric(
        "sparse_accuracy_sequences",
        _of("SparseCategoricalAccuracy"),
        lambda n: integers(C, n, 3),
        lambda n: probabilities(n, 3, C),
    ),
    _metric(
        "sparse_top_k", _of("SparseTopKCategoricalAccuracy", k=2), lambda n: integers(C, n), scores
    ),
    _metric(
        "mean_wrapper",
        lambda k: k.metrics.MeanMetricWrapper(k.metrics.mean_squared_error, name="own"),
        values,
        values,
    ),
]
