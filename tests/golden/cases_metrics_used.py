"""Metrics in `fit`, as pure functions of their state, and what they refuse."""

import numpy as np
from cases_fit import classifier
from cases_metrics import (
    C,
    hot,
    ids,
    labels,
    largest_error,
    logits,
    mean_of_squares,
    scores,
    step_chances,
    step_labels,
    values,
)
from golden_builders import integers, normal, one_hot, probabilities, uniform
from golden_case import CallCase
from golden_fit import FitCase
from golden_kinds import FactCase, RefusalCase


def _refused(name, call, words, *inputs, **options):
    return RefusalCase(f"refused_{name}", call, words, inputs=inputs, **options)


def _fed(class_name, y, p, words, name, **options):
    """Refused by the first batch."""
    arguments = options.pop("arguments", {})
    return _refused(
        name,
        lambda k, y, p: getattr(k.metrics, class_name)(**arguments).update_state(y, p),
        words,
        y,
        p,
        **options,
    )


REFUSED = [
    _refused("name", lambda k: k.metrics.get("acuracy"), ["acuracy"]),
    _refused("threshold", lambda k: k.metrics.Precision(thresholds=1.5), ["threshold", "1.5"]),
    _refused("thresholds", lambda k: k.metrics.Recall(thresholds=[0.5, -1]), ["threshold", "-1"]),
    _refused("auc_one", lambda k: k.metrics.AUC(num_thresholds=1), ["num_thresholds", "1"]),
    _refused("auc_curve", lambda k: k.metrics.AUC(curve="RC"), ["curve", "RC", "PR"]),
    _refused("auc_method", lambda k: k.metrics.AUC(summation_method="mid"), ["summation", "MID"]),
    _refused("auc_labels", lambda k: k.metrics.AUC(num_labels=3), ["num_labels", "multi_label"]),
    _fed(
        "AUC",
        step_labels(3),
        step_chances(3),
        ["multi_label", "(3, 3, 1)"],
        "auc_rank",
        arguments={"multi_label": True},
    ),
    _refused(
        "sensitivity", lambda k: k.metrics.SensitivityAtSpecificity(1.5), ["specificity", "1.5"]
    ),
    _refused(
        "recall_count",
        lambda k: k.metrics.RecallAtPrecision(0.5, num_thresholds=0),
        ["num_thresholds", "0"],
    ),
    _fed(
        "Precision",
        integers(2, 4),
        uniform(0, 1, 4),
        ["class_id", "(4,)"],
        "class_of_numbers",
        arguments={"class_id": 1},
    ),
    _refused("f1_average", lambda k: k.metrics.F1Score(average="mean"), ["average", "mean"]),
    _refused("f_beta", lambda k: k.metrics.FBetaScore(beta=-1.0), ["beta", "-1.0"]),
    _refused("f_beta_int", lambda k: k.metrics.FBetaScore(beta=2), ["beta", "2", "float"]),
    _refused("f1_threshold", lambda k: k.metrics.F1Score(threshold=0.0), ["threshold", "0.0"]),
    _refused("f1_threshold_int", lambda k: k.metrics.F1Score(threshold=1), ["threshold", "1"]),
    _fed("F1Score", step_labels(3), step_chances(3), ["F1Score", "(3, 3, 1)"], "f1_rank"),
    _fed("R2Score", step_labels(3), step_chances(3), ["R2Score", "(3, 3, 1)"], "r2_rank"),
    _refused(
        "r2_aggregation",
        lambda k: k.metrics.R2Score(class_aggregation="mean"),
        ["class_aggregation", "mean", "uniform_average"],
    ),
    _refused("r2_regressors", lambda k: k.metrics.R2Score(num_regressors=-1), ["num_regressors"]),
    _refused("iou_ids", lambda k: k.metrics.IoU(2, [0, 2]), ["2", "[0, 2)"]),
    _refused("no_update", lambda k: k.metrics.Metric().update_state(1, 2), ["update_state"]),
    _refused("no_result", lambda k: k.metrics.Metric().result(), ["result"]),
    _refused("not_constructed", lambda k: _without_super(k), ["super().__init__"]),
    _fed(
        "MeanSquaredError",
        normal(4, 3),
        normal(4, 2),
        ["(4, 3)", "(4, 2)"],
        "sizes",
        raises=ValueError,
        differs="Keras's error is the backend's",
    ),
]


def _masked(k):
    """A model that masks the second of three steps, evaluated by a count of decisions."""
    steps = k.Input((3, 1))
    model = k.Model(steps, k.layers.Masking(mask_value=9.0)(steps))
    model.compile(loss="mse", metrics=[k.metrics.TrueNegatives(name="count")])
    return model.evaluate(np.array([[[0.1], [9.0], [0.2]]]), np.zeros((1, 3, 1)), verbose=0)[1]


DIFFERS = [
    FactCase(
        "mask_of_decisions",
        lambda k: _masked(k),
        differs="masked steps are no decisions: the mask counts in every metric, as in Keras 2",
        here=2.0,
    ),
    FactCase(
        "iou_half_weights",
        lambda k: round(_half_weighted(k), 4),
        differs="sample weights of IoU count as they are; Keras casts them to its dtype, int64",
        here=0.5,
    ),
]


def _half_weighted(k):
    metric = k.metrics.IoU(2, [1])
    metric.update_state(np.array([1, 1]), np.array([1, 0]), sample_weight=np.array([0.5, 0.5]))
    return float(metric.result())


def _without_super(k):
    class Forgetful(k.metrics.Metric):
        def __init__(self):
            self.total = self.add_weight(name="total")

    Forgetful()


def _fit(name, activation, y, given, loss="mse", **options):
    """`fit` with validation and `evaluate` of a small model; `given(k)`: arguments of compile."""
    return FitCase(
        f"fit_{name}",
        classifier(C, activation),
        {"x": normal(11, 3), "y": y(11), "vx": normal(5, 3), "vy": y(5), **options},
        lambda k: {"loss": loss, "optimizer": k.optimizers.Adam(0.05), **given(k)},
        {"epochs": 2, "batch_size": 4},
    )


ROWS = {"sample_weight": uniform(0, 2, 11)}
FITS = [
    _fit(
        "positives",
        "sigmoid",
        labels,
        lambda k: {
            "metrics": [k.metrics.Precision(), "Recall", k.metrics.TruePositives([0.3, 0.6])]
        },
    ),
    _fit(
        "weighted_decisions",
        "sigmoid",
        labels,
        lambda k: {
            "metrics": [k.metrics.Recall(thresholds=0.4)],
            "weighted_metrics": [k.metrics.Precision(top_k=2), k.metrics.FalseNegatives(), "mae"],
        },
        **ROWS,
    ),
    _fit(
        "areas",
        "sigmoid",
        labels,
        lambda k: {
            "metrics": ["AUC", k.metrics.AUC(curve="PR", name="pr", multi_label=True)],
            "weighted_metrics": [k.metrics.AUC(name="weighted", num_thresholds=20)],
        },
        "binary_crossentropy",
        **ROWS,
    ),
    _fit(
        "scores",
        "softmax",
        hot,
        lambda k: {
            "metrics": [
                k.metrics.F1Score(),
                k.metrics.FBetaScore("macro", beta=2.0, threshold=0.3),
                k.metrics.TopKCategoricalAccuracy(k=2),
                k.metrics.OneHotMeanIoU(C),
            ]
        },
        "categorical_crossentropy",
    ),
    _fit(
        "regression",
        "linear",
        logits,
        lambda k: {
            "metrics": ["r2_score", k.metrics.RootMeanSquaredError(), "cosine_similarity"],
            "weighted_metrics": [k.metrics.R2Score(name="weighted"), "PearsonCorrelation"],
        },
        "huber",
        **ROWS,
    ),
    _fit(
        "own",
        "linear",
        logits,
        lambda k: {"metrics": [largest_error(k)], "weighted_metrics": [mean_of_squares(k)]},
        "log_cosh",
        **ROWS,
    ),
    _fit(
        "sparse",
        "softmax",
        ids,
        lambda k: {
            "metrics": [
                "sparse_categorical_crossentropy",
                k.metrics.SparseTopKCategoricalAccuracy(k=2, name="top"),
                k.metrics.MeanIoU(C, sparse_y_pred=False, name="overlap"),
            ]
        },
        "crossentropy",
    ),
]


def _stateless(name, make, y, p):
    """Two batches through states that are passed on; then what the metric itself holds."""

    def call(k, *arrays):
        metric = make(k)
        state = metric.stateless_reset_state()
        first = metric.stateless_update_state(state, arrays[0], arrays[1])
        second = metric.stateless_update_state(first, arrays[2], arrays[3])
        results = [metric.stateless_result(each) for each in (first, second)]
        own = metric.result()
        for variable, value in zip(metric.variables, second, strict=True):
            variable.assign(value)
        return [*results, own, metric.result()]

    return CallCase(f"stateless_{name}", call, [y, p, y, p])


STATELESS = [
    _stateless("mean_error", lambda k: k.metrics.MeanAbsoluteError(), values(5), values(5)),
    _stateless("own", largest_error, values(5), values(5)),
    _stateless("subclass", mean_of_squares, values(5), values(5)),
    _stateless("accuracy", lambda k: k.metrics.CategoricalAccuracy(), one_hot(C, 5), scores(5)),
    _stateless(
        "precision", lambda k: k.metrics.Precision([0.3, 0.6]), one_hot(2, 6), probabilities(6, 2)
    ),
    _stateless("auc", lambda k: k.metrics.AUC(), one_hot(2, 6), probabilities(6, 2)),
    _stateless("iou", lambda k: k.metrics.MeanIoU(C), integers(C, 9), integers(C, 9)),
    FactCase(
        "mean_variables",
        lambda k: [[v.name, list(v.shape), float(v)] for v in k.metrics.Mean().variables],
    ),
    FactCase(
        "sum_variables",
        lambda k: [[v.name, list(v.shape), float(v)] for v in k.metrics.Sum().variables],
    ),
    RefusalCase(
        "refused_stateless_update",
        lambda k: k.metrics.Mean().stateless_update_state([], np.ones(3)),
        ["Mean", "metric_variables", "2", "0"],
    ),
    RefusalCase(
        "refused_stateless_result",
        lambda k: k.metrics.Mean().stateless_result([1.0]),
        ["Mean", "metric_variables", "2", "1"],
    ),
]


CASES = [*REFUSED, *FITS, *DIFFERS, *STATELESS]
