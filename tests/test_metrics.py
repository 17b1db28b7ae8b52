"""Metrics: exact means over samples, whatever the batches; state; names."""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import metrics


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


# ---- state ----


def test_mean_and_sum():
    mean, total = metrics.Mean(), metrics.Sum()
    for values in ([1.0, 3.0], [8.0]):
        mean.update_state(np.array(values))
        total.update_state(np.array(values))
    assert float(mean.result()) == 4.0 and float(total.result()) == 12.0
    assert mean.result().numpy() == 4.0
    mean.reset_state()
    assert float(mean.result()) == 0.0
    mean.update_state(np.array([1.0, 3.0]), sample_weight=np.array([3.0, 1.0]))
    assert float(mean.result()) == 1.5


def test_calling_returns_the_running_result():
    metric = metrics.MeanAbsoluteError()
    assert float(metric(np.zeros((2, 1)), np.ones((2, 1)))) == 1.0
    assert float(metric(np.zeros((2, 1)), 3 * np.ones((2, 1)))) == 2.0


class Largest(metrics.Metric):
    """A user's metric with a variable of its own."""

    def __init__(self, name="largest", **kwargs):
        super().__init__(name=name, **kwargs)
        self.largest = self.add_weight(name="largest", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        error = keras.ops.max(keras.ops.abs(y_true - y_pred))
        self.largest.assign(keras.ops.maximum(self.largest, error))

    def result(self):
        return self.largest.value


def test_own_metric_on_arrays():
    metric = Largest()
    metric.update_state(np.zeros((2, 1), "float32"), np.array([[2.0], [-3.0]], "float32"))
    metric.update_state(np.zeros((2, 1), "float32"), np.ones((2, 1), "float32"))
    assert float(metric.result()) == 3.0
    metric.reset_state()
    assert float(metric.result()) == 0.0


def test_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="update_state"):
        metrics.Metric().update_state(1, 2)
    with pytest.raises(NotImplementedError, match="result"):
        metrics.Metric().result()


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
def test_classes_round_trip_their_config(name):
    metric = metrics.CLASSES[name](**ARGUMENTS.get(name, {}))
    copy = metrics.deserialize(metrics.serialize(metric))
    assert type(copy) is type(metric) and copy.get_config() == metric.get_config()
