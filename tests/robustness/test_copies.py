"""Models copied by `copy.deepcopy` and by pickle go on training as the original would."""

import copy
import pickle

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers

X = np.random.default_rng(0).normal(size=(8, 5, 3)).astype("float32")
Y = X[..., :1]


def sequential():
    return keras.Sequential([layers.Input((5, 3)), layers.LSTM(4, return_sequences=True)])


def functional():
    x = layers.Input((5, 3))
    h = layers.Dense(3, activation="tanh")(x)
    return keras.Model(x, layers.Dense(1)(layers.Add()([x * 2.0, h])))


def undeclared():
    return keras.Sequential([layers.GRU(4, return_sequences=True, kernel_constraint="max_norm")])


@pytest.mark.parametrize("make", [sequential, functional, undeclared])
@pytest.mark.parametrize("optimizer", ["adam", "nadam", keras.optimizers.SGD(momentum=0.9)])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copy_of_a_trained_model(make, optimizer, copied):
    model = make()
    if make is not functional:
        model.add(layers.Dense(1))
    model.compile(loss="mse", optimizer=copy.deepcopy(optimizer), metrics=["mae"])
    history = model.fit(X, Y, epochs=2, verbose=0)
    other = copied(model)
    assert copied(history).history == history.history
    before = model.get_weights()
    mine = other.fit(X, Y, epochs=2, verbose=0, shuffle=False).history
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert model.fit(X, Y, epochs=2, verbose=0, shuffle=False).history == mine
    for a, b in zip(other.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_copy_of_an_optimizer_that_was_not_built():
    other = copy.deepcopy(keras.optimizers.Adam(0.5))
    assert not other.built
    assert float(other.learning_rate) == 0.5
