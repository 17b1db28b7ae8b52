"""What is certain about initial weights: exact values, bounds and moments, never the stream.

A uniform draw is bounded by `limit`; its standard deviation is limit / sqrt(3). A truncated normal
draw of deviation `std` (after the cut) lies within 2 * std / .8796. The fans of a recurrent or
convolutional kernel are those of the weight as a whole.
"""

import math

import numpy as np
import pytest
from golden_module import k

CUT = 0.87962566103423978  # the deviation of a standard normal that is cut at 2
SHAPE = (60, 80)

# Name: standard deviation, and bound as a multiple of it (None: unbounded).
RANDOM = {
    "glorot_uniform": (math.sqrt(2 / 140), math.sqrt(3)),
    "glorot_normal": (math.sqrt(2 / 140), 2 / CUT),
    "he_uniform": (math.sqrt(2 / 60), math.sqrt(3)),
    "he_normal": (math.sqrt(2 / 60), 2 / CUT),
    "lecun_uniform": (math.sqrt(1 / 60), math.sqrt(3)),
    "lecun_normal": (math.sqrt(1 / 60), 2 / CUT),
    "random_normal": (0.05, None),
    "random_uniform": (0.05 / math.sqrt(3), math.sqrt(3)),
    "truncated_normal": (0.05 * CUT, 2 / CUT),
}

# Layers and their kernels: (layer, input shape, index of the weight, fan in, fan out).
GLOROT_KERNELS = {
    "dense": (lambda: k.layers.Dense(70), (None, 50), 0, 50, 70),
    "lstm": (lambda: k.layers.LSTM(30), (None, 5, 20), 0, 20, 120),
    "gru": (lambda: k.layers.GRU(30), (None, 5, 20), 0, 20, 90),
    "simple_rnn": (lambda: k.layers.SimpleRNN(60), (None, 5, 40), 0, 40, 60),
    "conv1d": (lambda: k.layers.Conv1D(32, 5), (None, 9, 12), 0, 60, 160),
}

RECURRENT = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}


def check_moments(values, std, bound):
    """The sample's mean and deviation, within five of their own standard errors or so."""
    count = values.size
    assert abs(values.mean()) < 5 * std / math.sqrt(count)
    assert abs(values.std() / std - 1) < 5 / math.sqrt(count)
    if bound is not None:
        assert 0.9 * bound * std < np.abs(values).max() <= bound * std * (1 + 1e-6)


def drawn(initializer, shape=SHAPE):
    return np.asarray(initializer(shape))


def built_weights(layer, shape):
    layer.build(shape)
    return layer.get_weights()


@pytest.mark.parametrize("name", RANDOM)
def test_random(name):
    std, bound = RANDOM[name]
    check_moments(drawn(k.initializers.get(name)), std, bound)


@pytest.mark.parametrize("name", GLOROT_KERNELS)
def test_default_kernel(name):
    layer, shape, index, fan_in, fan_out = GLOROT_KERNELS[name]
    kernel = built_weights(layer(), shape)[index]
    check_moments(kernel, math.sqrt(2 / (fan_in + fan_out)), math.sqrt(3))


def test_default_embedding():
    table = built_weights(k.layers.Embedding(60, 80), (None, 5))[0]
    check_moments(table, 0.05 / math.sqrt(3), math.sqrt(3))


@pytest.mark.parametrize("name", RECURRENT)
def test_recurrent_kernel_is_orthogonal_as_a_whole(name):
    units, gates = 12, RECURRENT[name]
    kernel = built_weights(getattr(k.layers, name)(units), (None, 5, 3))[1]
    assert kernel.shape == (units, gates * units)
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(units), atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8), (5, 12), (12, 5), (2, 3, 7)])
@pytest.mark.parametrize("gain", [1.0, 0.5])
def test_orthogonal(shape, gain):
    matrix = drawn(k.initializers.Orthogonal(gain=gain), shape).reshape(-1, shape[-1])
    if matrix.shape[0] > matrix.shape[1]:
        matrix = matrix.T
    np.testing.assert_allclose(matrix @ matrix.T, gain**2 * np.eye(len(matrix)), atol=1e-5)


@pytest.mark.parametrize(
    ("initializer", "value"),
    [
        (lambda: k.initializers.Zeros(), np.zeros((3, 4))),
        (lambda: k.initializers.Ones(), np.ones((3, 4))),
        (lambda: k.initializers.Constant(0.3), np.full((3, 4), 0.3, np.float32)),
        (lambda: k.initializers.Identity(2.0), 2 * np.eye(3, 4)),
        (lambda: k.initializers.get("zeros"), np.zeros((3, 4))),
        (lambda: k.initializers.get("ones"), np.ones((3, 4))),
    ],
)
def test_exact(initializer, value):
    np.testing.assert_array_equal(drawn(initializer(), value.shape), value)


@pytest.mark.parametrize(
    ("mode", "distribution", "variance"),
    [
        ("fan_in", "uniform", 3 / 60),
        ("fan_out", "uniform", 3 / 80),
        ("fan_avg", "truncated_normal", 3 / 70),
        ("fan_in", "untruncated_normal", 3 / 60),
    ],
)
def test_variance_scaling(mode, distribution, variance):
    initializer = k.initializers.VarianceScaling(scale=3.0, mode=mode, distribution=distribution)
    bound = {"uniform": math.sqrt(3), "truncated_normal": 2 / CUT}.get(distribution)
    check_moments(drawn(initializer), math.sqrt(variance), bound)


@pytest.mark.parametrize(("unit_forget_bias", "forget"), [(True, 1.0), (False, 0.25)])
def test_bias_of_lstm(unit_forget_bias, forget):
    layer = k.layers.LSTM(
        3, bias_initializer=k.initializers.Constant(0.25), unit_forget_bias=unit_forget_bias
    )
    bias = built_weights(layer, (None, 5, 2))[2]
    np.testing.assert_array_equal(bias, np.repeat([0.25, forget, 0.25, 0.25], 3))


@pytest.mark.parametrize(("reset_after", "shape"), [(True, (2, 9)), (False, (9,))])
def test_bias_of_gru(reset_after, shape):
    bias = built_weights(k.layers.GRU(3, reset_after=reset_after), (None, 5, 2))[2]
    np.testing.assert_array_equal(bias, np.zeros(shape))


def test_function_as_initializer():
    layer = k.layers.Dense(
        3, kernel_initializer=lambda shape, dtype=None: 0.5 * np.ones(shape, "float32")
    )
    np.testing.assert_array_equal(built_weights(layer, (None, 2))[0], np.full((2, 3), 0.5))
