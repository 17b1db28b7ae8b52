"""Files laid out as Keras 2 wrote them (see `data/make_keras2_h5.py`), read."""

import pathlib

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers

pytest.importorskip("h5py")
DATA = pathlib.Path(__file__).parent / "data"
X = np.random.default_rng(0).normal(size=(8, 5, 3)).astype("float32")


def keras2_numbers(*shape):
    count = int(np.prod(shape))
    return ((np.arange(count) * 7 % 11 - 5) / 16).reshape(shape)


def test_sequential_of_keras_2():
    with pytest.warns(UserWarning, match="state of the optimizer.*starts anew"):
        model = keras.models.load_model(DATA / "keras2.h5")
    h = np.zeros((8, 4))
    for t in range(5):
        inputs = X[:, t] @ keras2_numbers(3, 4) + keras2_numbers(4)
        h = np.tanh(inputs + h @ keras2_numbers(4, 4))
    expected = h @ keras2_numbers(4, 2) + keras2_numbers(2)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, rtol=1e-5, atol=1e-6)
    assert model.loss == "mse" and float(model.optimizer.learning_rate) == 0.01


def test_functional_of_keras_2():
    model = keras.models.load_model(DATA / "keras2_functional.h5", compile=False)
    x = X[:, 0]
    left = np.tanh(x @ keras2_numbers(3, 3) + keras2_numbers(3))
    expected = (x + left) @ keras2_numbers(3, 2) + 2 * keras2_numbers(2)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_layers_of_keras_2():
    """Configs without modules, wrappers too, which Keras 3 does not read; a GRU with one bias."""
    model = keras.models.load_model(DATA / "keras2_layers.h5", compile=False)
    lstm = layers.LSTM(2, return_sequences=True)
    twin = keras.Sequential(
        [
            layers.Input([6, 3]),
            layers.Conv1D(4, 2, padding="causal", activation="relu"),
            layers.BatchNormalization(momentum=0.9),
            layers.GRU(3, return_sequences=True, reset_after=False),
            layers.Bidirectional(lstm),
            layers.TimeDistributed(layers.Dense(3, activation="tanh")),
            layers.LSTM(2),
            layers.Dense(3, activation="softmax"),
        ]
    )
    weights = [keras2_numbers(*w.shape) for w in twin.get_weights()]
    weights[5] = 1.0 + np.abs(weights[5])  # the variance
    twin.set_weights(weights)
    x = np.concatenate([X, X[:, :1]], axis=1)
    np.testing.assert_allclose(model.predict(x, verbose=0), twin.predict(x, verbose=0), rtol=1e-6)
