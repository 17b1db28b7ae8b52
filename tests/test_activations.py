"""Activations against their formulas in float64, their slopes, and lookup by name."""

import itertools
import math

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import activations, trace

X = np.concatenate([np.linspace(-8, 8, 65), [-100.0, 100.0, 1e-8, -1e-8]])
# Where the slope, or its slope, jumps: differences are of no use there.
KINKS = {
    "relu": [0],
    "relu6": [0, 6],
    "leaky_relu": [0],
    "elu": [0],
    "celu": [0],
    "selu": [0],
    "softsign": [0],
    "hard_sigmoid": [-3, 3],
    "hard_silu": [-3, 3],
    "hard_tanh": [-1, 1],
    "soft_shrink": [-0.5, 0.5],
    "hard_shrink": [-0.5, 0.5],
    "sparse_plus": [-1, 1],
    "sparse_sigmoid": [-1, 1],
}


def erf(x):
    return np.vectorize(math.erf)(x)


def softplus(x):
    return np.logaddexp(x, 0)


FORMULAS = {
    "linear": lambda x: x,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x >= 0, x, 0.2 * x),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "selu": lambda x: (
        1.05070098735548049 * np.where(x > 0, x, 1.67326324235437728 * np.expm1(np.minimum(x, 0)))
    ),
    "celu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "softplus": softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "exponential": np.exp,
    "gelu": lambda x: 0.5 * x * (1 + erf(x / math.sqrt(2))),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "swish": lambda x: x / (1 + np.exp(-x)),
    "mish": lambda x: x * np.tanh(softplus(x)),
    "log_sigmoid": lambda x: -softplus(-x),
    "soft_shrink": lambda x: np.sign(x) * np.maximum(np.abs(x) - 0.5, 0),
    "hard_shrink": lambda x: x * (np.abs(x) > 0.5),
    "tanh_shrink": lambda x: x - np.tanh(x),
    "squareplus": lambda x: 0.5 * (x + np.hypot(x, 2)),
    "sparse_plus": lambda x: np.where(np.abs(x) < 1, (x + 1) ** 2 / 4, np.maximum(x, 0)),
    "sparse_sigmoid": lambda x: np.clip((x + 1) / 2, 0, 1),
    "softmax": lambda x: np.exp(x - x.max()) / np.exp(x - x.max()).sum(),
    "log_softmax": lambda x: x - x.max() - np.log(np.exp(x - x.max()).sum()),
}


@pytest.mark.parametrize("name", FORMULAS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-13), ("float32", 2e-6)])
def test_formula(name, dtype, tolerance):
    x = X[:-4] if name in ("exponential", "log_softmax") else X
    x = x.astype(dtype)
    y = activations.get(name)(x)
    assert y.dtype == dtype
    expected = FORMULAS[name](x.astype(np.float64))
    np.testing.assert_allclose(y, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", sorted(set(FORMULAS) - {"swish"}))
def test_slope(name):
    x = np.concatenate([np.linspace(-7.3, 7.4, 40), [0.0]])
    x = np.array([v for v in x if v not in KINKS.get(name, ())])
    variable = trace.Variable(x)
    factors = np.random.default_rng(0).normal(size=x.size)

    def loss():
        return (keras.ops.sum(activations.get(name)(variable.value) * factors),)

    traced = trace.trace(loss, (), trainable=[variable])
    _, (slope,) = traced.gradients(())
    step = 1e-5
    for i in range(x.size):
        sides = []
        for sign in (1, -1):
            moved = x.copy()
            moved[i] += sign * step
            sides.append(FORMULAS[name](moved) @ factors)
        numeric = (sides[0] - sides[1]) / (2 * step)
        assert abs(slope[i] - numeric) <= 1e-6 * max(1, abs(numeric)), x[i]


@pytest.mark.parametrize(
    ("name", "slope"), [("elu", 1), ("celu", 1), ("softsign", 1), ("softplus", 0.5), ("silu", 0.5)]
)
def test_slope_at_zero(name, slope):
    """Inputs of exactly zero are common: zero padding times a kernel, plus a zero bias."""
    variable = trace.Variable(np.zeros(3))

    def loss():
        return (keras.ops.sum(activations.get(name)(variable.value)),)

    _, (gradient,) = trace.trace(loss, (), trainable=[variable]).gradients(())
    np.testing.assert_array_equal(gradient, np.full(3, slope))


def test_relu_in_general():
    """`max_value` cuts at 0 too, where the threshold is negative; at the threshold it is 0."""
    x = np.array([-3.0, -2, -1, -0.5, 0, 1, 1.5, 5])

    def expected(slope, top, threshold):
        y = np.where(x > threshold, x, 0)
        y = y if top is None else np.clip(y, 0, top)
        return y - slope * np.maximum(threshold - x, 0)

    for case in itertools.product((0.0, 0.2), (None, 2.0), (0.0, 1.0, -1.0)):
        found = activations.relu(x, *case)
        np.testing.assert_allclose(found, expected(*case), rtol=1e-12, err_msg=str(case))


def test_options():
    x = np.linspace(-3, 3, 25)
    tanh = np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))
    np.testing.assert_allclose(activations.gelu(x, approximate=True), 0.5 * x * (1 + tanh))
    np.testing.assert_allclose(activations.elu(x, 2.0), np.where(x > 0, x, 2 * np.expm1(x)))
    np.testing.assert_allclose(activations.leaky_relu(x, 0.5), np.where(x > 0, x, 0.5 * x))
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    expected = np.exp(x) / np.exp(x).sum(1, keepdims=True)
    np.testing.assert_allclose(activations.softmax(x, axis=1), expected)


def test_gates_and_thresholds():
    x = np.random.default_rng(0).normal(size=(3, 4, 6))
    gate = 1 / (1 + np.exp(-x[:, 2:]))
    np.testing.assert_allclose(activations.glu(x, axis=1), x[:, :2] * gate)
    with pytest.raises(ValueError, match=r"even.*\(3, 4, 6\)"):
        activations.glu(x, axis=0)
    np.testing.assert_array_equal(activations.threshold(x, 0.2, -5.0), np.where(x > 0.2, x, -5.0))


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_sparsemax(axis):
    """The projection on the simplex, by bisection."""
    x = np.random.default_rng(0).normal(size=(5, 4, 7)) * 2
    low, high = x.min(axis, keepdims=True) - 1, x.max(axis, keepdims=True)
    for _ in range(60):
        tau = (low + high) / 2
        above = np.maximum(x - tau, 0).sum(axis, keepdims=True) > 1
        low, high = np.where(above, tau, low), np.where(above, high, tau)
    np.testing.assert_allclose(activations.sparsemax(x, axis), np.maximum(x - low, 0), atol=1e-12)


def test_get():
    assert activations.get(None) is activations.linear
    assert activations.get("tanh") is activations.tanh
    assert activations.get(np.tanh) is np.tanh
    layer = keras.layers.LeakyReLU()
    assert activations.get(layer) is layer
    with pytest.raises(ValueError, match=r"Unknown activation 'sigmod'\. Did you mean 'sigmoid'"):
        activations.get("sigmod")
    with pytest.raises(ValueError, match="expected the name of an activation"):
        activations.get(3)


def test_serialize():
    for name in FORMULAS:
        data = activations.serialize(activations.get(name))
        assert activations.deserialize(data) is activations.get(name)
        assert isinstance(data, str)
    with pytest.raises(TypeError, match="lambda"):
        activations.serialize(lambda x: x)


def test_on_placeholders():
    x = keras.Input([None, 3])
    assert activations.sigmoid(x).shape == (None, None, 3)
    assert activations.gelu(x).shape == (None, None, 3)
