import numpy as np
import pytest

from seqrnn.datasets import time_series


def test_shapes_and_types():
    X, Y = time_series(n_series=5, n_steps=7, horizon=3)
    assert X.shape == (5, 7, 1) and Y.shape == (5, 7, 3)
    assert X.dtype == Y.dtype == np.float32
    assert X.flags.c_contiguous and Y.flags.c_contiguous and X.flags.writeable and Y.flags.writeable


def test_defaults_are_those_of_the_workflow():
    X, Y = time_series()
    assert X.shape == (10000, 50, 1) and Y.shape == (10000, 50, 10)


def test_targets_are_the_following_values():
    X, Y = time_series(n_series=4, n_steps=20, horizon=6)
    for k in range(6):
        # what was forecast k + 1 steps ahead comes k + 1 steps later
        np.testing.assert_array_equal(Y[:, : 20 - k - 1, k], X[:, k + 1 :, 0])
    np.testing.assert_array_equal(Y[:, 1:, :-1], Y[:, :-1, 1:])


def test_books_numbers():
    """The book gets 0.020211 for the naive forecast on its validation series."""
    X, Y = time_series(horizon=1)
    naive, truth = X[7000:9000, -1, 0], Y[7000:9000, -1, 0]
    assert np.mean((naive - truth) ** 2) == pytest.approx(0.020211367, abs=1e-8)


def test_same_values_as_the_books_code():
    np.random.seed(42)
    freq1, freq2, offsets1, offsets2 = np.random.rand(4, 30, 1)
    time = np.linspace(0, 1, 60)
    series = 0.5 * np.sin((time - offsets1) * (freq1 * 10 + 10))
    series += 0.2 * np.sin((time - offsets2) * (freq2 * 20 + 20))
    series += 0.1 * (np.random.rand(30, 60) - 0.5)
    series = series[..., np.newaxis].astype(np.float32)

    np.random.seed(42)
    for seed in (42, np.random.RandomState(42), None):
        X, Y = time_series(n_series=30, seed=seed)
        np.testing.assert_array_equal(X, series[:, :50])
        for step in range(1, 11):
            np.testing.assert_array_equal(Y[..., step - 1], series[:, step : step + 50, 0])


def test_global_state_is_left_alone():
    np.random.seed(7)
    expected = np.random.rand()
    np.random.seed(7)
    time_series(n_series=3)
    assert np.random.rand() == expected


@pytest.mark.parametrize("name", ["n_series", "n_steps", "horizon"])
def test_sizes_are_checked(name):
    with pytest.raises(ValueError, match=f"{name} must be at least 1, got 0"):
        time_series(**{name: 0})
