"""Keras 2's windows of a series, against slices."""

import json

import numpy as np
import pytest

import seqrnn as keras
from seqrnn.preprocessing.sequence import TimeseriesGenerator

DATA = np.arange(40.0).reshape(20, 2)
TARGETS = np.arange(20) * 10


def sliced(length, rate=1, stride=1, first=0, last=19, size=128, step=1):
    rows = list(range(first + length, last + 1, stride))
    for at in range(0, len(rows), size):
        part = rows[at : at + size]
        windows = [DATA[row - length : row : rate][::step] for row in part]
        yield np.array(windows), np.array([TARGETS[row] for row in part])


@pytest.mark.parametrize(
    ("options", "slices"),
    [
        ({}, {}),
        ({"sampling_rate": 2}, {"rate": 2}),
        ({"sampling_rate": 3}, {"rate": 3}),
        ({"stride": 3, "batch_size": 2}, {"stride": 3, "size": 2}),
        ({"batch_size": 5}, {"size": 5}),
        ({"start_index": 4, "end_index": 12}, {"first": 4, "last": 12}),
        ({"reverse": True, "sampling_rate": 2}, {"rate": 2, "step": -1}),
        ({"start_index": 15}, {"first": 15}),
    ],
)
def test_windows(options, slices):
    made = list(TimeseriesGenerator(DATA, TARGETS, length=4, **options))
    expected = list(sliced(4, **slices))
    assert len(made) == len(expected)
    for (x, y), (x_expected, y_expected) in zip(made, expected, strict=True):
        np.testing.assert_array_equal(x, x_expected)
        np.testing.assert_array_equal(y, y_expected)


def test_lists_and_flat_series():
    (x, y), *rest = TimeseriesGenerator(list(range(6)), list("abcdef"), length=3)
    assert x.tolist() == [[0, 1, 2], [1, 2, 3], [2, 3, 4]] and not rest
    assert y.tolist() == ["d", "e", "f"]


def test_shuffled_windows_fit_their_targets():
    np.random.seed(0)
    batches = list(TimeseriesGenerator(DATA, TARGETS, 4, shuffle=True, batch_size=6))
    for x, y in batches:
        assert x.shape == (6, 4, 2)
        np.testing.assert_array_equal(x[:, -1, 0] // 2 + 1, y // 10)
    np.random.seed(0)
    again = list(TimeseriesGenerator(DATA, TARGETS, 4, shuffle=True, batch_size=6))
    np.testing.assert_array_equal(batches[1][0], again[1][0])
    assert len({int(v) for _, y in batches for v in y}) > 6


def test_fit():
    model = keras.Sequential([keras.Input((4, 2)), keras.layers.Flatten(), keras.layers.Dense(1)])
    model.compile("sgd", "mae")
    windows = TimeseriesGenerator(DATA, TARGETS, 4, batch_size=5)
    assert model.fit(windows, epochs=1, verbose=0).params["steps"] == 4
    assert model.predict(windows, verbose=0).shape == (16, 1)


def test_config():
    made = TimeseriesGenerator(DATA[:3].tolist(), [1, 2, 3], 1)
    config = json.loads(made.to_json())["config"]
    assert json.loads(config["targets"]) == [1, 2, 3] and config["batch_size"] == 128


def test_errors():
    with pytest.raises(ValueError, match="20 and 19"):
        TimeseriesGenerator(DATA, TARGETS[1:], 4)
    with pytest.raises(ValueError, match="no window of length 20"):
        TimeseriesGenerator(DATA, TARGETS, 20)
    assert len(TimeseriesGenerator(DATA, TARGETS, 19)) == 1
