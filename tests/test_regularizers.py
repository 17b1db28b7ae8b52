"""Regularizers and constraints against NumPy, and in training."""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import constraints, regularizers

RNG = np.random.default_rng(0)
W = RNG.normal(size=(4, 3)).astype("float32")


# ---- regularizers ----


@pytest.mark.parametrize(
    ("regularizer", "expected"),
    [
        (regularizers.L1(0.5), 0.5 * np.abs(W).sum()),
        (regularizers.L2(0.5), 0.5 * (W**2).sum()),
        (regularizers.L1L2(0.5, 0.25), 0.5 * np.abs(W).sum() + 0.25 * (W**2).sum()),
        (regularizers.L1L2(), 0.0),
        (regularizers.get("l1"), 0.01 * np.abs(W).sum()),
        (regularizers.get("l2"), 0.01 * (W**2).sum()),
        (regularizers.get("L2"), 0.01 * (W**2).sum()),
        (regularizers.l1_l2(l1=0.1, l2=0.2), 0.1 * np.abs(W).sum() + 0.2 * (W**2).sum()),
    ],
)
def test_regularizer_values(regularizer, expected):
    np.testing.assert_allclose(regularizer(W), expected, rtol=1e-5)


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonal_regularizer(mode):
    units = W if mode == "rows" else W.T
    units = units / np.linalg.norm(units, axis=1, keepdims=True)
    products = np.abs(units @ units.T)
    n = len(units)
    expected = 0.5 * 0.5 * (products.sum() - np.trace(products)) / (n * (n - 1) / 2)
    np.testing.assert_allclose(
        regularizers.OrthogonalRegularizer(0.5, mode)(W), expected, rtol=1e-5
    )


def test_regularizer_is_part_of_loss_and_gradient():
    layer = keras.layers.Dense(3, use_bias=False, kernel_regularizer=regularizers.L2(0.1))
    model = keras.Sequential([layer])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.build((None, 4))
    layer.set_weights([W])
    x, y = np.zeros((2, 4)), np.zeros((2, 3))
    loss = model.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(loss, 0.1 * (W**2).sum(), rtol=1e-5)
    model.train_on_batch(x, y)
    np.testing.assert_allclose(layer.get_weights()[0], W - 0.2 * W, rtol=1e-5)


@pytest.mark.parametrize(
    "thing",
    [
        regularizers.L1(0.3),
        regularizers.L2(0.3),
        regularizers.L1L2(0.1, 0.2),
        regularizers.OrthogonalRegularizer(0.2, "columns"),
        constraints.MaxNorm(3.0, axis=[0, 1]),
        constraints.NonNeg(),
        constraints.UnitNorm(axis=1),
        constraints.MinMaxNorm(0.1, 2.0, 0.5),
    ],
)
def test_config_round_trip(thing):
    module = regularizers if isinstance(thing, regularizers.Regularizer) else constraints
    again = module.get(module.serialize(thing))
    assert type(again) is type(thing) and again.get_config() == thing.get_config()


def test_own_functions_and_none():
    assert regularizers.get(None) is None and constraints.get(None) is None
    assert regularizers.get(np.sum) is np.sum and constraints.get(np.abs) is np.abs


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: regularizers.get("l3"), "Unknown regularizer 'l3'"),
        (lambda: regularizers.L2(-1), "l2 must be a number from 0, got -1"),
        (lambda: regularizers.L1(float("nan")), "nan"),
        (lambda: regularizers.L1("a"), "'a'"),
        (lambda: regularizers.OrthogonalRegularizer(mode="row"), "'rows' or 'columns'"),
        (lambda: regularizers.OrthogonalRegularizer()(np.zeros(3)), "matrix"),
        (lambda: constraints.get("max_nrom"), "Did you mean 'max_norm'"),
        (lambda: constraints.get(3.0), "expected the name of a constraint"),
    ],
)
def test_errors(make, text):
    with pytest.raises(ValueError, match=text):
        make()


# ---- constraints ----


def norms(w, axis):
    return np.sqrt((np.asarray(w, np.float64) ** 2).sum(axis=axis, keepdims=True))


@pytest.mark.parametrize("axis", [0, 1, (0, 1)])
def test_norm_constraints(axis):
    before = norms(W, axis)
    after = norms(constraints.MaxNorm(1.0, axis)(W), axis)
    np.testing.assert_allclose(after, np.minimum(before, 1), rtol=1e-5)
    np.testing.assert_allclose(norms(constraints.UnitNorm(axis)(W), axis), 1, rtol=1e-5)
    after = norms(constraints.MinMaxNorm(0.9, 1.1, 0.25, axis)(W), axis)
    expected = 0.25 * np.clip(before, 0.9, 1.1) + 0.75 * before
    np.testing.assert_allclose(after, expected, rtol=1e-5)


def test_zero_weights_stay_finite():
    zeros = np.zeros((3, 2), np.float32)
    for constraint in (constraints.MaxNorm(), constraints.UnitNorm(), constraints.MinMaxNorm()):
        np.testing.assert_array_equal(constraint(zeros), zeros)


def test_non_neg():
    np.testing.assert_array_equal(constraints.NonNeg()(W), np.maximum(W, 0))


def test_constraints_hold_after_training():
    layer = keras.layers.Dense(3, kernel_constraint=constraints.MaxNorm(0.5), use_bias=False)
    model = keras.Sequential([layer])
    model.compile(keras.optimizers.SGD(5.0), "mse")
    x, y = RNG.normal(size=(20, 4)), RNG.normal(size=(20, 3))
    model.fit(x, y, epochs=2, verbose=0)
    assert norms(layer.get_weights()[0], 0).max() <= 0.5 * (1 + 1e-6)
