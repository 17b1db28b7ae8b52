"""Metrics: exact means over samples, whatever the batches; state; names."""

import copy
import pickle

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import metrics
from seqrnn.training.steps import Steps


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def fed(metric, *arrays, sizes, weight=None):
    """The result after batches of these sizes."""
    start = 0
    for size in sizes:
        rows = slice(start, start + size)
        batch = [a[rows] for a in arrays]
        if weight is None:
            metric.update_state(*batch)
        else:
            metric.update_state(*batch, sample_weight=weight[rows])
        start += size
    return float(metric.result())


@pytest.mark.parametrize(
    ("metric", "formula"),
    [
        (metrics.MeanSquaredError, lambda y, p: ((y - p) ** 2).mean()),
        (metrics.RootMeanSquaredError, lambda y, p: np.sqrt(((y - p) ** 2).mean())),
        (metrics.MeanAbsoluteError, lambda y, p: np.abs(y - p).mean()),
        (metrics.LogCoshError, lambda y, p: np.log(np.cosh(y - p)).mean()),
        (
            metrics.CosineSimilarity,
            lambda y, p: (
                (y * p).sum(-1) / np.linalg.norm(y, axis=-1) / np.linalg.norm(p, axis=-1)
            ).mean(),
        ),
    ],
)
def test_exact_over_unequal_batches(metric, formula, rng):
    y, p = rng.normal(size=(10, 3, 2)), rng.normal(size=(10, 3, 2))
    assert fed(metric(), y, p, sizes=(4, 4, 2)) == pytest.approx(formula(y, p), rel=1e-12)


def test_weights(rng):
    y, p, w = rng.normal(size=(10, 3, 2)), rng.normal(size=(10, 3, 2)), rng.uniform(size=10)
    values = ((y - p) ** 2).mean((1, 2))
    result = fed(metrics.MeanSquaredError(), y, p, sizes=(4, 6), weight=w)
    assert result == pytest.approx((w * values).sum() / w.sum(), rel=1e-12)
    w = rng.uniform(size=(10, 3))
    values = ((y - p) ** 2).mean(2)
    result = fed(metrics.MeanSquaredError(), y, p, sizes=(4, 6), weight=w)
    assert result == pytest.approx((w * values).sum() / w.sum(), rel=1e-12)


def test_mask_of_the_predictions(rng):
    y, p = rng.normal(size=(5, 3, 2)), rng.normal(size=(5, 3, 2))
    mask = np.arange(3) < np.array([3, 1, 2, 0, 3])[:, None]
    values = ((y - p) ** 2).mean(-1)
    p = keras.ops.add(p, 0.0)
    p._keras_mask = mask
    metric = metrics.MeanSquaredError()
    metric.update_state(y, p)
    assert float(metric.result()) == pytest.approx(values[mask].mean(), rel=1e-12)


def test_mask_is_ignored_when_the_function_removed_its_axis(rng):
    def last_step(y_true, y_pred):
        return metrics.mean_squared_error(y_true[:, -1], y_pred[:, -1])

    y, p = rng.normal(size=(5, 3, 2)), keras.ops.add(rng.normal(size=(5, 3, 2)), 0.0)
    p._keras_mask = np.zeros((5, 3), bool)
    metric = metrics.MeanMetricWrapper(last_step)
    metric.update_state(y, p)
    expected = ((y - np.asarray(p))[:, -1] ** 2).mean()
    assert float(metric.result()) == pytest.approx(expected, rel=1e-12)


def test_function_that_returns_a_scalar_counts_once_per_batch():
    metric = metrics.MeanMetricWrapper(lambda y, p: keras.ops.mean(p), name="m")
    result = fed(metric, np.zeros((6, 1)), np.array([1.0, 1, 1, 1, 4, 4])[:, None], sizes=(4, 2))
    assert result == 2.5


# ---- classification ----


def test_binary_accuracy():
    y, p = np.array([0, 1, 1, 0]), np.array([0.2, 0.7, 0.4, 0.5])
    for target, prediction in ((y, p[:, None]), (y[:, None], p[:, None])):
        metric = metrics.BinaryAccuracy()
        metric.update_state(target, prediction)
        assert float(metric.result()) == 0.75
    metric = metrics.BinaryAccuracy(threshold=0.3)
    metric.update_state(y[:, None], p[:, None])
    assert float(metric.result()) == 0.75


def test_categorical_accuracies(rng):
    p, ids = rng.uniform(size=(20, 5)), rng.integers(0, 5, 20)
    expected = (p.argmax(1) == ids).mean()
    one_hot = np.eye(5)[ids]
    assert fed(metrics.CategoricalAccuracy(), one_hot, p, sizes=(20,)) == expected
    assert fed(metrics.SparseCategoricalAccuracy(), ids, p, sizes=(20,)) == expected
    assert fed(metrics.SparseCategoricalAccuracy(), ids[:, None], p, sizes=(13, 7)) == expected
    top = (np.argsort(-p, 1)[:, :3] == ids[:, None]).any(1).mean()
    assert fed(metrics.SparseTopKCategoricalAccuracy(k=3), ids, p, sizes=(20,)) == top
    assert fed(metrics.TopKCategoricalAccuracy(k=3), one_hot, p, sizes=(20,)) == top


def test_sequence_accuracy(rng):
    p, ids = rng.uniform(size=(6, 4, 5)), rng.integers(0, 5, (6, 4))
    expected = (p.argmax(-1) == ids).mean()
    assert fed(metrics.metric_object("accuracy"), ids, p, sizes=(6,)) == expected


@pytest.mark.parametrize("name", ["accuracy", "acc"])
def test_accuracy_chooses_by_the_shapes(name, rng):
    p, ids = rng.uniform(size=(8, 3)), rng.integers(0, 3, 8)
    expected = (p.argmax(1) == ids).mean()
    for target in (ids, ids[:, None], np.eye(3)[ids]):
        metric = metrics.metric_object(name)
        assert metric.name == name
        metric.update_state(target, p)
        assert float(metric.result()) == expected
    q = rng.uniform(size=(8, 1))
    metric = metrics.metric_object(name)
    metric.update_state(ids % 2, q)
    assert float(metric.result()) == ((q[:, 0] > 0.5) == ids % 2).mean()


def test_precision_and_recall():
    y = np.array([[1.0], [0], [1], [1], [0]])
    p = np.array([[0.9], [0.8], [0.3], [0.6], [0.1]])
    assert fed(metrics.Precision(), y, p, sizes=(2, 3)) == pytest.approx(2 / 3)
    assert fed(metrics.Recall(), y, p, sizes=(2, 3)) == pytest.approx(2 / 3)
    recall = metrics.Recall(thresholds=[0.2, 0.7])
    recall.update_state(y, p)
    np.testing.assert_allclose(recall.result(), [1.0, 1 / 3])


def test_area_under_roc_is_the_share_of_pairs_in_order(rng):
    y = rng.integers(0, 2, (40, 1)).astype(float)
    p = (rng.integers(0, 10, (40, 1)) + 0.5) / 10  # one value between two thresholds each
    right, wrong = p[y == 1], p[y == 0]
    order = np.sign(right[:, None] - wrong) / 2 + 0.5
    assert fed(metrics.AUC(num_thresholds=11), y, p, sizes=(25, 15)) == pytest.approx(order.mean())


def test_mask_leaves_decisions_out(rng):
    y, p = rng.integers(0, 2, (5, 3, 1)), rng.uniform(size=(5, 3, 1))
    mask = np.arange(3) < np.array([3, 1, 2, 0, 3])[:, None]
    q = keras.ops.add(p, 0.0)
    q._keras_mask = mask
    kinds = metrics.Precision, metrics.Recall, metrics.AUC, metrics.TrueNegatives
    for metric in (*(kind() for kind in kinds), metrics.BinaryIoU(), metrics.MeanAbsoluteError()):
        metric.update_state(y, q)
        masked = float(metric.result())
        metric.reset_state()
        metric.update_state(y[mask], p[mask])
        assert masked == pytest.approx(float(metric.result()), rel=1e-6), metric


def test_weights_of_steps_reach_targets_without_last_axis(rng):
    y, p, w = rng.normal(size=(5, 3)), rng.normal(size=(5, 3, 1)), rng.uniform(size=(5, 3))
    for metric in (metrics.MeanAbsoluteError(), metrics.RootMeanSquaredError()):
        metric.update_state(y, p, sample_weight=w)
        metric.update_state(y, p, sample_weight=w[:, :, None])
    error = np.sqrt((w * (y - p[..., 0]) ** 2).sum() / w.sum())
    assert float(metric.result()) == pytest.approx(error)


def test_thresholds_in_any_order(rng):
    y, p = rng.integers(0, 2, (30, 1)), rng.uniform(size=(30, 1))
    limits = [0.8, 0.1, 0.5, 0.5]
    metric = metrics.FalsePositives(limits)
    metric.update_state(y, p)
    expected = [((p > t) & (y == 0)).sum() for t in limits]
    np.testing.assert_array_equal(metric.result(), expected)
    assert metrics.FalsePositives(limits).result().shape == (4,)


def test_top_k_of_equal_scores_takes_the_first():
    metric = metrics.Precision(top_k=2)
    metric.update_state(np.array([[1, 0, 1]]), np.array([[0.4, 0.4, 0.4]]))
    assert float(metric.result()) == 0.5
    with pytest.raises(ValueError, match="top_k=4 of only 3"):
        metrics.Precision(top_k=4).update_state(np.ones((1, 3)), np.ones((1, 3)))


def test_top_k_wants_a_score_that_is_a_number():
    """Masked logits are -inf, those of a diverged model NaN; class numbers may be out of range."""
    logits = np.array([[-np.inf, 2, 1], [np.nan, 2, 1], [-np.inf, 2, 1], [np.inf, 2, 1]])
    ids = np.array([0, 0, 1, 0])
    for k, expected in ((1, [0, 0, 1, 1]), (3, [0, 0, 1, 1])):
        found = metrics.sparse_top_k_categorical_accuracy(ids, logits, k=k)
        np.testing.assert_array_equal(found, expected)
        found = metrics.top_k_categorical_accuracy(np.eye(3)[ids], logits, k=k)
        np.testing.assert_array_equal(found, expected)
    outside = metrics.sparse_top_k_categorical_accuracy([7, -1, 3], np.ones((3, 3)), k=3)
    np.testing.assert_array_equal(outside, [0, 0, 0])


def test_a_prediction_that_is_no_number_exceeds_no_threshold():
    y, p = np.array([0, 1, 1, 0.0]), np.array([np.nan, 0.5, 0.6, 0.1])
    auc = metrics.AUC()
    auc.update_state(y, p)
    assert auc.totals.sum() == 4
    assert float(auc.result()) == pytest.approx(0.5)  # the rate of false positives ends at 1/2
    for limits in ([0.0, 0.25, 0.5, 0.75, 1.0], [0.0, 0.3, 0.5, 0.75, 1.0]):
        missed = metrics.FalseNegatives(limits)
        missed.update_state(np.ones(4), p)
        np.testing.assert_array_equal(missed.result(), [(~(p > t)).sum() for t in limits])


def test_predictions_at_evenly_spaced_thresholds():
    """The number exceeded is the ceiling of (K - 1) p in the dtype of p, as in Keras: 0.1f, say,
    does not exceed 0.1."""
    limits = np.linspace(0.0, 1.0, 200)
    p = limits.astype("float32")
    exceeded = np.ceil(p * np.float32(199)).astype(int)
    assert (exceeded != (p[:, None] > p).sum(1)).any()  # comparing would give something else
    metric = metrics.TruePositives(list(limits))
    metric.update_state(np.ones(200, "float32"), p)
    np.testing.assert_array_equal(metric.result(), [(exceeded > i).sum() for i in range(200)])


def test_mask_leaves_rows_out_of_scores(rng):
    y, p = np.eye(3)[rng.integers(0, 3, 12)], rng.uniform(size=(12, 3))
    mask, weight = rng.integers(0, 2, 12).astype(bool), rng.uniform(size=12)
    q = keras.ops.add(p, 0.0)
    q._keras_mask = mask
    for kind in (metrics.F1Score, metrics.FBetaScore):
        found, expected = kind(), kind()
        found.update_state(y, q, sample_weight=weight)
        expected.update_state(y[mask], p[mask], sample_weight=weight[mask])
        np.testing.assert_allclose(found.result(), expected.result(), rtol=1e-6)
    # R2Score divides by the sum of the weights, and so by the number of unmasked rows.
    found, expected = metrics.R2Score(), metrics.R2Score()
    found.update_state(y, q)
    expected.update_state(y[mask], p[mask])
    assert float(found.result()) == pytest.approx(float(expected.result()), rel=1e-6)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (metrics.Accuracy, 0.5),
        (metrics.BinaryAccuracy, 0.5),
        (metrics.MeanSquaredError, 2.0),
        (metrics.RootMeanSquaredError, 2.0**0.5),
        (metrics.TruePositives, 1.0),
        (metrics.Precision, 0.5),
        (metrics.AUC, 0.5),
        (metrics.BinaryIoU, 0.25),
        (lambda: metrics.MeanMetricWrapper(lambda y, p: y - p), -1.0),
    ],
)
def test_lists(metric, expected):
    made = metric()
    made.update_state([1, 0], [1, 2])
    assert float(made.result()) == pytest.approx(expected)


# ---- in fit ----


class Harmonic(metrics.Metric):
    """Keeps two metrics of the library and counts the batches."""

    def __init__(self, name="harmonic"):
        super().__init__(name=name)
        self.both = {"precision": metrics.Precision(), "recall": metrics.Recall()}
        self.batches = self.add_weight(name="batches")

    def update_state(self, y_true, y_pred, sample_weight=None):
        for metric in self.both.values():
            metric.update_state(y_true, y_pred, sample_weight=sample_weight)
        self.batches.assign_add(1.0)

    def result(self):
        p, r = (float(metric.result()) for metric in self.both.values())
        return 2 * p * r / (p + r or 1.0) + 100 * float(self.batches)


def wrapping(y_true, y_pred):
    """As libraries do that are asked for arrays: says so by another error."""
    try:
        return float(np.abs(np.asarray(y_true) - np.asarray(y_pred)).mean())
    except TypeError as error:
        raise ValueError("expected arrays") from error


def classifier(*given, **options):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.layers.Dense(4), keras.layers.Dense(1, "sigmoid")])
    model.compile("adam", "bce", metrics=list(given), **options)
    return model


@pytest.mark.filterwarnings("ignore:The metric 'wrapping' can't be traced")
def test_metric_objects_in_fit(rng):
    x, y = rng.normal(size=(20, 3)).astype("float32"), rng.integers(0, 2, (20, 1))
    objects = [
        metrics.AUC(),
        metrics.F1Score(threshold=0.5),
        Harmonic(),
        metrics.Recall([0.2, 0.6]),
    ]
    model = classifier(*objects, metrics.Recall([0.2, 0.6]), "mae", wrapping)
    history = model.fit(x, y, batch_size=8, epochs=2, verbose=0, shuffle=False).history
    logs = model.evaluate(x, y, batch_size=8, verbose=0, return_dict=True)
    p = model.predict(x, verbose=0)
    for metric in (metrics.AUC(), metrics.F1Score(threshold=0.5), metrics.Recall([0.2, 0.6])):
        metric.update_state(y, p)
        np.testing.assert_allclose(logs[metric.name], metric.result(), rtol=1e-6)
    said, right = (p > 0.5).ravel(), (p[:, 0] > 0.5) & (y[:, 0] == 1)
    expected = 2 * right.sum() / (said.sum() + y.sum()) + 300  # 3 batches
    assert logs["harmonic"] == pytest.approx(expected)
    batches = [np.abs(y - p)[i : i + 8].mean() for i in (0, 8, 16)]
    assert logs["wrapping"] == pytest.approx(np.mean(batches), rel=1e-5)
    assert history["harmonic"][1] > 300  # reset before each epoch
    assert len(history["recall"][0]) == 2


def test_a_result_of_several_numbers_is_printed_as_their_mean(capsys):
    model = classifier(metrics.TruePositives([0.0, 1.0]))
    model.fit(np.zeros((4, 3)), np.ones((4, 1)), verbose=2)
    assert " - true_positives: 2.0000" in capsys.readouterr().out


def test_copies_and_files_keep_metrics(rng, tmp_path):
    x, y = rng.normal(size=(20, 3)).astype("float32"), rng.integers(0, 2, (20, 1))
    objects = metrics.AUC(curve="PR"), metrics.Precision([0.2, 0.4]), metrics.F1Score("micro", 0.5)
    model = classifier(*objects, weighted_metrics=[metrics.MeanIoU(2)])
    model.fit(x, y, verbose=0)
    logs = model.evaluate(x, y, verbose=0, return_dict=True)
    model.save(tmp_path / "model.srn")
    loaded = keras.models.load_model(tmp_path / "model.srn")
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), loaded):
        assert other.evaluate(x, y, verbose=0, return_dict=True) == logs


def test_metric_objects_leave_the_step_in_one_plan():
    model = classifier(metrics.AUC(), Harmonic(), weighted_metrics=[metrics.Precision()])
    model.fit(np.zeros((4, 3)), np.zeros((4, 1)), verbose=0)
    assert type(model._steps) is Steps and not model._steps.one_by_one()


def test_metrics_are_the_same_for_any_number_of_threads(rng):
    x, y = rng.normal(size=(300, 3)).astype("float32"), rng.integers(0, 2, (300, 1))
    found, threads = [], keras.num_threads()
    try:
        for number in (1, 2):
            keras.set_num_threads(number)
            model = classifier(metrics.AUC(), metrics.Precision(), metrics.BinaryIoU())
            found.append(model.fit(x, y, batch_size=128, epochs=2, verbose=0).history)
    finally:
        keras.set_num_threads(threads)
    assert found[0] == found[1]


def test_variables_of_metrics_inside():
    metric = Harmonic()
    assert [v.name for v in metric.variables][:1] == ["batches"]
    metric.update_state(np.ones((2, 1)), np.ones((2, 1)))
    assert float(metric.result()) == 101.0
    metric.reset_state()
    assert float(metric.both["recall"].result()) == 0.0 and float(metric.batches) == 0.0


# ---- names ----


def test_string_is_the_name():
    assert metrics.metric_object("mse").name == "mse"
    assert metrics.metric_object("mean_squared_error").name == "mean_squared_error"
    assert metrics.metric_object("MeanSquaredError").name == "MeanSquaredError"


def test_function_keeps_its_spelling():
    def lastStepMSE(y_true, y_pred):
        return y_pred

    assert metrics.metric_object(lastStepMSE).name == "lastStepMSE"


def test_metric_object_keeps_its_name():
    assert metrics.metric_object(metrics.MeanSquaredError(name="x")).name == "x"
    assert metrics.MeanSquaredError().name == "mean_squared_error"


def test_unknown_name_suggests_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'accuracy'"):
        metrics.metric_object("acuracy")


ARGUMENTS = {
    "IoU": {"num_classes": 3, "target_class_ids": [0, 2], "ignore_class": 1},
    "MeanIoU": {"num_classes": 3},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [1], "axis": 1},
    "OneHotMeanIoU": {"num_classes": 3, "sparse_y_pred": True},
    "SensitivityAtSpecificity": {"specificity": 0.3, "num_thresholds": 7},
    "SpecificityAtSensitivity": {"sensitivity": 0.3, "class_id": 1},
    "PrecisionAtRecall": {"recall": 0.3},
    "RecallAtPrecision": {"precision": 0.3, "dtype": "float64"},
    "AUC": {"thresholds": [0.2, 0.4], "multi_label": True, "num_labels": 2, "curve": "pr"},
}


@pytest.mark.parametrize("name", metrics.CLASSES)
def test_unknown_arguments_name_the_class(name):
    with pytest.raises(TypeError, match=rf"{name}.*'treshold'"):
        metrics.CLASSES[name](**ARGUMENTS.get(name, {}), treshold=0.5)


@pytest.mark.parametrize("name", metrics.CLASSES)
def test_classes_round_trip_their_config(name):
    metric = metrics.CLASSES[name](**ARGUMENTS.get(name, {}))
    copy = metrics.deserialize(metrics.serialize(metric))
    assert type(copy) is type(metric) and copy.get_config() == metric.get_config()
