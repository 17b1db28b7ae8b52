"""Metric objects over several batches, the last one short."""

import numpy as np
from golden_builders import integers, normal, one_hot, probabilities, uniform
from golden_case import CallCase, MetricCase
from golden_kinds import FactCase

C = 4


def _metric(name, metric, draw_true, draw_pred, weights=()):
    """Three batches, of 5, 5 and 2 rows; `weights`: a draw for a number of rows, True: one each."""
    draw_weights = [lambda rows: uniform(0, 2, rows)] if weights is True else [*weights]
    draws = [draw_true, draw_pred, *draw_weights]
    return MetricCase(name, metric, [[draw(rows) for draw in draws] for rows in (5, 5, 2)])


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


FIRST = [
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


def labels(rows):
    return integers(2, rows, C)


def many_chances(rows):
    return uniform(0, 1, rows, C)


def one_label(rows):
    return integers(2, rows, 1)


def ids(rows):
    return integers(C, rows)


def ids_of_steps(rows):
    return integers(C, rows, 3)


def hot(rows):
    return one_hot(C, rows)


def hot_steps(rows):
    return one_hot(C, rows, 3)


def scores_of_steps(rows):
    return probabilities(rows, 3, C)


def step_labels(rows):
    return integers(2, rows, 3, 1)


def step_chances(rows):
    return uniform(0, 1, rows, 3, 1)


def logits(rows):
    return normal(rows, C)


def signs(rows):
    return lambda rng: 2.0 * integers(2, rows, 3)(rng).astype(np.float32) - 1.0


def positive(rows):
    return uniform(0.1, 3, rows, 3)


def step_weights(rows):
    return uniform(0, 2, rows, 3)


# (name, class, arguments, targets, predictions), each without and with weights per row.
MEANS = [
    ("mape", "MeanAbsolutePercentageError", {}, positive, values),
    ("msle", "MeanSquaredLogarithmicError", {}, positive, positive),
    ("logcosh", "LogCoshError", {}, values, values),
    ("rmse_steps", "RootMeanSquaredError", {}, sequences, sequences),
    ("cosine", "CosineSimilarity", {}, values, values),
    ("cosine_axis", "CosineSimilarity", {"axis": 1}, sequences, sequences),
    ("kld", "KLDivergence", {}, scores, scores),
    ("poisson", "Poisson", {}, positive, positive),
    ("hinge", "Hinge", {}, signs, values),
    ("squared_hinge", "SquaredHinge", {}, signs, values),
    ("categorical_hinge", "CategoricalHinge", {}, hot, logits),
    ("bce", "BinaryCrossentropy", {}, labels, many_chances),
    (
        "bce_logits",
        "BinaryCrossentropy",
        {"from_logits": True, "label_smoothing": 0.1},
        labels,
        logits,
    ),
    ("cce", "CategoricalCrossentropy", {}, hot, scores),
    ("cce_logits", "CategoricalCrossentropy", {"from_logits": True}, hot, logits),
    ("cce_smooth", "CategoricalCrossentropy", {"label_smoothing": 0.1}, hot, scores),
    ("scce", "SparseCategoricalCrossentropy", {}, ids, scores),
    ("scce_logits", "SparseCategoricalCrossentropy", {"from_logits": True}, ids, logits),
    ("scce_steps", "SparseCategoricalCrossentropy", {}, ids_of_steps, scores_of_steps),
    ("accuracy_many", "Accuracy", {}, labels, labels),
    ("binary_accuracy_many", "BinaryAccuracy", {}, labels, many_chances),
    ("binary_accuracy_steps", "BinaryAccuracy", {}, step_labels, step_chances),
    ("categorical_accuracy_steps", "CategoricalAccuracy", {}, hot_steps, scores_of_steps),
    ("top_k", "TopKCategoricalAccuracy", {"k": 2}, hot, scores),
    ("top_k_steps", "TopKCategoricalAccuracy", {"k": 2}, hot_steps, scores_of_steps),
    (
        "sparse_top_k_steps",
        "SparseTopKCategoricalAccuracy",
        {"k": 3},
        ids_of_steps,
        scores_of_steps,
    ),
    ("pearson", "PearsonCorrelation", {}, logits, logits),
    ("pearson_batch", "PearsonCorrelation", {"axis": 1}, sequences, sequences),
    ("concordance", "ConcordanceCorrelation", {}, logits, logits),
    ("concordance_axis", "ConcordanceCorrelation", {"axis": 1}, sequences, sequences),
]
THRESHOLDS = [
    ("precision", "Precision", {}, one_label, chances),
    ("precision_many", "Precision", {"thresholds": [0.7, 0.2, 0.5]}, labels, many_chances),
    ("precision_even", "Precision", {"thresholds": [0.0, 0.25, 0.5, 0.75, 1.0]}, labels, scores),
    ("precision_top", "Precision", {"top_k": 2}, labels, scores),
    ("precision_class", "Precision", {"class_id": 1, "thresholds": 0.3}, hot, scores),
    ("precision_top_class", "Precision", {"top_k": 2, "class_id": 3}, hot, scores),
    ("recall", "Recall", {}, one_label, chances),
    ("recall_many", "Recall", {"thresholds": [0.3, 0.6]}, labels, many_chances),
    ("recall_top", "Recall", {"top_k": 3}, labels, scores),
    ("recall_class", "Recall", {"class_id": 0, "thresholds": 0.2}, hot, scores),
    ("true_positives", "TruePositives", {}, labels, many_chances),
    ("true_negatives", "TrueNegatives", {"thresholds": [0.3, 0.6]}, labels, many_chances),
    ("false_positives", "FalsePositives", {"thresholds": 0.3}, labels, many_chances),
    ("false_negatives", "FalseNegatives", {"thresholds": [0.9, 0.1, 0.5]}, labels, many_chances),
    ("sensitivity", "SensitivityAtSpecificity", {"specificity": 0.5}, one_label, chances),
    (
        "sensitivity_one",
        "SensitivityAtSpecificity",
        {"specificity": 0.2, "num_thresholds": 1},
        one_label,
        chances,
    ),
    (
        "specificity",
        "SpecificityAtSensitivity",
        {"sensitivity": 0.4, "num_thresholds": 10},
        labels,
        many_chances,
    ),
    (
        "specificity_class",
        "SpecificityAtSensitivity",
        {"sensitivity": 0.4, "class_id": 2},
        labels,
        many_chances,
    ),
    ("precision_at_recall", "PrecisionAtRecall", {"recall": 0.6}, labels, many_chances),
    ("recall_at_precision", "RecallAtPrecision", {"precision": 0.6}, labels, many_chances),
    ("auc", "AUC", {}, one_label, chances),
    ("auc_many", "AUC", {"num_thresholds": 20}, labels, many_chances),
    ("auc_thresholds", "AUC", {"thresholds": [0.8, 0.1, 0.35]}, labels, many_chances),
    ("auc_even", "AUC", {"thresholds": [0.25, 0.5, 0.75]}, labels, many_chances),
    ("auc_logits", "AUC", {"from_logits": True}, labels, logits),
    ("auc_by_label", "AUC", {"multi_label": True}, labels, many_chances),
    (
        "auc_labels_averaged",
        "AUC",
        {"multi_label": True, "num_labels": C, "label_weights": [1.0, 2.0, 0.5, 0.0]},
        labels,
        many_chances,
    ),
    ("auc_columns", "AUC", {"label_weights": [1.0, 2.0, 0.5, 0.0]}, labels, many_chances),
    (
        "auc_labels_thresholds",
        "AUC",
        {"multi_label": True, "thresholds": [0.2, 0.3]},
        labels,
        many_chances,
    ),
    *[
        (
            f"auc_{curve}_{method}",
            "AUC",
            {"curve": curve, "summation_method": method, "num_thresholds": 30},
            labels,
            many_chances,
        )
        for curve in ("ROC", "pr", "PRGAIN")
        for method in ("interpolation", "Minoring", "majoring")
    ],
    (
        "auc_PR_labels",
        "AUC",
        {"curve": "PR", "multi_label": True, "label_weights": [1.0, 2.0, 0.5, 0.2]},
        labels,
        many_chances,
    ),
]
SCORES = [
    *[
        (f"{name}_{average}", cls, {"average": average, **arguments}, labels, many_chances)
        for average in (None, "micro", "macro", "weighted")
        for name, cls, arguments in [
            ("f1", "F1Score", {}),
            ("f_beta", "FBetaScore", {"beta": 2.0}),
            ("f1_threshold", "F1Score", {"threshold": 0.4}),
        ]
    ],
    ("f1_one_hot", "F1Score", {}, hot, scores),
    *[
        (f"r2_{how}", "R2Score", {"class_aggregation": how}, values, values)
        for how in (None, "uniform_average", "variance_weighted_average")
    ],
    ("r2_adjusted", "R2Score", {"num_regressors": 2}, values, values),
    (
        "iou",
        "IoU",
        {"num_classes": C, "target_class_ids": [0, 2], "dtype": "float32"},
        ids,
        ids,
    ),
    (
        "iou_scores",
        "IoU",
        {
            "num_classes": C,
            "target_class_ids": [1, 3],
            "sparse_y_pred": False,
            "ignore_class": 0,
            "dtype": "float32",
        },
        ids,
        scores,
    ),
    ("binary_iou", "BinaryIoU", {"threshold": 0.3, "dtype": "float32"}, one_label, chances),
    ("mean_iou", "MeanIoU", {"num_classes": C, "dtype": "float32"}, ids, ids),
    ("mean_iou_outside", "MeanIoU", {"num_classes": 3, "dtype": "float32"}, ids, ids),
    (
        "one_hot_iou",
        "OneHotIoU",
        {"num_classes": C, "target_class_ids": [0, 1], "dtype": "float32"},
        hot,
        scores,
    ),
    ("one_hot_mean_iou", "OneHotMeanIoU", {"num_classes": C, "dtype": "float32"}, hot, scores),
]
TABLE = [
    _metric(f"{name}{suffix}", _of(cls, **arguments), y, p, weights)
    for name, cls, arguments, y, p in [*MEANS, *THRESHOLDS, *SCORES]
    for suffix, weights in [("", ()), ("_weights", True)]
]
STEPS = [
    _metric(f"{name}_step_weights", _of(cls), y, p, weights=[step_weights])
    for name, cls, y, p in [
        ("mse", "MeanSquaredError", sequences_of_three, sequences_of_three)
        for sequences_of_three in [lambda rows: normal(rows, 3, 2)]
    ]
    + [
        ("sparse_accuracy", "SparseCategoricalAccuracy", ids_of_steps, scores_of_steps),
        ("scce", "SparseCategoricalCrossentropy", ids_of_steps, scores_of_steps),
        ("precision", "Precision", step_labels, step_chances),
        ("auc", "AUC", step_labels, step_chances),
    ]
] + [
    _metric("iou_steps", _of("MeanIoU", num_classes=C), ids_of_steps, ids_of_steps),
    _metric("one_hot_iou_steps", _of("OneHotMeanIoU", num_classes=C), hot_steps, scores_of_steps),
    MetricCase("mean", _of("Mean"), [[normal(4)], [normal(2)], [normal(3)]]),
    MetricCase("mean_steps", _of("Mean"), [[normal(4, 3)], [normal(2, 3)]]),
    MetricCase("mean_number", _of("Mean"), [[normal()], [normal()]]),
    MetricCase("mean_weights", _of("Mean"), [[normal(4, 3), uniform(0, 2, 4)]]),
    MetricCase("sum", _of("Sum"), [[normal(4)], [normal(2)]]),
    MetricCase("sum_weights", _of("Sum"), [[normal(4, 3), uniform(0, 2, 4)]]),
    _metric(
        "sorted_ids",
        _of("SparseTopKCategoricalAccuracy", k=2, from_sorted_ids=True),
        ids,
        lambda rows: lambda rng: np.stack([rng.permutation(C) for _ in range(rows)]).astype("f4"),
    ),
]


def largest_error(k):
    """A metric that a user wrote, with a variable and another metric inside."""

    class LargestError(k.metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.largest = self.add_variable((), "zeros", name="largest")
            self.seen = self.add_weight(shape=(2,), initializer="zeros", name="seen")
            self.mean = k.metrics.Mean()

        def update_state(self, y_true, y_pred, sample_weight=None):
            error = k.ops.abs(k.ops.cast(y_true, y_pred.dtype) - y_pred)
            self.largest.assign(
                k.ops.maximum(self.largest, k.ops.cast(k.ops.max(error), "float32"))
            )
            self.seen.assign_add(k.ops.ones(2))
            self.mean.update_state(error)

        def result(self):
            return self.largest + k.ops.sum(self.seen) + self.mean.result()

    return LargestError()


def mean_of_squares(k):
    """A subclass of a metric of the library."""

    class MeanOfSquares(k.metrics.Mean):
        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(k.ops.square(y_true - y_pred), sample_weight=sample_weight)

    return MeanOfSquares()


OWN = [
    _metric("own_metric", largest_error, values, values),
    _metric("own_subclass", mean_of_squares, values, values),
    _metric("own_subclass_weights", mean_of_squares, values, values, weights=True),
    FactCase("own_variables", lambda k: [tuple(v.shape) for v in largest_error(k).variables][:2]),
]
FUNCTIONS = [
    CallCase(f"function_{name}", lambda k, y, p, n=name: getattr(k.metrics, n)(y, p), [y, p])
    for name, y, p in [
        ("binary_accuracy", labels(5), many_chances(5)),
        ("categorical_accuracy", hot_steps(5), scores_of_steps(5)),
        ("sparse_categorical_accuracy", ids_of_steps(5), scores_of_steps(5)),
        ("top_k_categorical_accuracy", one_hot(8, 5), probabilities(5, 8)),
        ("sparse_top_k_categorical_accuracy", integers(8, 5), probabilities(5, 8)),
        ("pearson_correlation", logits(5), logits(5)),
        ("concordance_correlation", logits(5), logits(5)),
        ("binary_focal_crossentropy", labels(5), many_chances(5)),
        ("mean_absolute_error", sequences(5), sequences(5)),
    ]
]
CLASSES = (
    *("Accuracy", "AUC", "BinaryAccuracy", "BinaryIoU", "CosineSimilarity", "F1Score"),
    *("FBetaScore", "FalseNegatives", "LogCoshError", "MeanAbsoluteError", "PearsonCorrelation"),
    *("Precision", "R2Score", "Recall", "RootMeanSquaredError", "SparseTopKCategoricalAccuracy"),
    "TruePositives",
)
NAMES = [FactCase(f"name_{c}", lambda k, c=c: getattr(k.metrics, c)().name) for c in CLASSES] + [
    FactCase(f"get_{word}", lambda k, w=word: k.metrics.get(w).name)
    for word in ("auc", "AUC", "f1_score", "Precision", "r2_score", "R2Score", "recall", "Mean")
]


CASES = [*FIRST, *TABLE, *STEPS, *OWN, *FUNCTIONS, *NAMES]
