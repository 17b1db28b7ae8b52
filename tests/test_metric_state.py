"""What metrics hold: sums, weights, variables, also of users' own classes."""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import metrics


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


def test_weight_of_a_scalar():
    """The loss of a batch by the number of its samples, as a `test_step` tracks it."""
    mean = metrics.Mean()
    mean.update_state(3.0)
    mean.update_state(5.0, sample_weight=2.0)
    assert float(mean.result()) == pytest.approx(13 / 3)
    mean.update_state(1.0, sample_weight=np.array([3]))
    assert float(mean.result()) == pytest.approx(16 / 6)
    with pytest.raises(ValueError, match=r"sample_weight.*\(3,\).*one number"):
        mean.update_state(1.0, sample_weight=np.ones(3))


def test_sum_counts_valid_positions_only():
    values = keras.ops.add(np.array([[1.0, 2, 3], [4, 5, 6]]), 0.0)
    values._keras_mask = np.array([[1, 0, 1], [1, 1, 0]], bool)
    for weight, expected in ((None, 13.0), ([1.0, 2.0], 22.0), (np.full((2, 3), 0.5), 6.5)):
        total = metrics.Sum()
        total.update_state(values, sample_weight=weight)
        assert float(total.result()) == expected


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


def test_stateless_without_variables_at_first():
    """F1 knows how many classes there are at its first batch."""
    y, p = np.eye(3)[[0, 1, 2, 2]], np.eye(3)[[0, 1, 1, 2]]
    metric, other = metrics.F1Score(), metrics.F1Score()
    other.update_state(y, p)
    other.update_state(y, p[::-1])
    assert metric.variables == [] == metric.stateless_reset_state()
    state = metric.stateless_update_state([], y, p)
    assert (metric.result() == 0).all()
    state = metric.stateless_update_state(state, y, p[::-1])
    np.testing.assert_array_equal(metric.stateless_result(state), other.result())


def test_mean_shows_its_sums():
    mean = metrics.Mean()
    mean.update_state(np.array([1.0, 3.0]), sample_weight=np.array([3.0, 1.0]))
    assert (mean.total, mean.count) == (6.0, 4.0)


def test_aggregation_is_checked():
    assert metrics.Metric().add_variable((2,), "ones", aggregation="mean").shape == (2,)
    with pytest.raises(ValueError, match="aggregation 'median'"):
        metrics.Metric().add_variable((), "zeros", aggregation="median")


def test_base_class_says_what_is_missing():
    with pytest.raises(NotImplementedError, match="update_state"):
        metrics.Metric().update_state(1, 2)
    with pytest.raises(NotImplementedError, match="result"):
        metrics.Metric().result()
