"""Initializers: moments, fans, orthogonality, seeds, lookup."""

import math
import random

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import initializers

NAMES = [
    "zeros", "ones", "constant", "identity", "orthogonal", "random_normal", "random_uniform",
    "truncated_normal", "variance_scaling", "glorot_uniform", "glorot_normal", "he_uniform",
    "he_normal", "lecun_uniform", "lecun_normal",
]  # fmt: skip
RANDOM = NAMES[4:]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_shape_and_dtype(name, dtype):
    values = initializers.get(name)((5, 3), dtype=dtype)
    assert values.shape == (5, 3) and values.dtype == dtype
    assert initializers.get(name)((4, 4)).dtype == np.float32


@pytest.mark.parametrize(
    ("name", "variance"),
    [
        ("glorot_uniform", 2 / 700),
        ("glorot_normal", 2 / 700),
        ("he_uniform", 2 / 300),
        ("he_normal", 2 / 300),
        ("lecun_uniform", 1 / 300),
        ("lecun_normal", 1 / 300),
        ("variance_scaling", 1 / 300),
        ("random_normal", 0.05**2),
        ("random_uniform", 0.1**2 / 12),
        ("truncated_normal", (0.05 * 0.87962566103423978) ** 2),
    ],
)
def test_moments(name, variance):
    """Of 120,000 numbers: the mean within 5 standard errors, the variance within 3 %."""
    values = initializers.get(name)((300, 400), dtype="float64")
    assert abs(values.mean()) < 5 * math.sqrt(variance / values.size)
    assert abs(values.var() / variance - 1) < 0.03


def test_limits():
    limit = math.sqrt(6 / 700)
    values = initializers.GlorotUniform()((300, 400), "float64")
    assert 0.999 * limit < np.abs(values).max() < limit
    values = initializers.TruncatedNormal(1.0, 2.0)((300, 400), "float64")
    assert 1.99 * 2 < np.abs(values - 1).max() < 2 * 2
    values = initializers.LecunNormal()((300, 400), "float64")
    cut = 2 * math.sqrt(1 / 300) / 0.87962566103423978
    assert 0.99 * cut < np.abs(values).max() < cut


def test_fans_of_kernels():
    assert initializers.fans((5, 3, 7)) == (15, 35)
    assert initializers.fans((3, 28)) == (3, 28)
    assert initializers.fans((4,)) == (4, 4)
    assert initializers.fans(()) == (1, 1)
    values = initializers.HeNormal()((50, 20, 100), "float64")
    assert abs(values.var() * 1000 / 2 - 1) < 0.03


@pytest.mark.parametrize("shape", [(6, 6), (6, 24), (24, 6), (3, 4, 5), (1, 4), (4, 1), (1, 1)])
def test_orthogonal(shape):
    matrix = initializers.Orthogonal(gain=2.0)(shape, "float64").reshape(-1, shape[-1]) / 2
    few = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    np.testing.assert_allclose(few @ few.T, np.eye(few.shape[0]), atol=1e-12)


def test_orthogonal_takes_the_signs_of_r():
    """The distribution is uniform (Haar) only if so: then Q has no preferred signs."""
    signs = [initializers.Orthogonal(seed=s)((3, 3))[0, 0] > 0 for s in range(200)]
    assert 70 < sum(signs) < 130


@pytest.mark.parametrize("name", RANDOM)
def test_seeds(name):
    first, second = initializers.get(name), initializers.get(name)
    np.testing.assert_array_equal(first((4, 4)), first((4, 4)))
    assert (first((4, 4)) != second((4, 4))).any()
    cls = type(first)
    np.testing.assert_array_equal(cls(seed=5)((4, 4)), cls(seed=5)((4, 4)))
    np.testing.assert_allclose(cls(seed=5)((4, 4)), cls(seed=5)((4, 4), "float64"), rtol=1e-6)
    random.seed(1)
    a = cls()((4, 4))
    random.seed(1)
    np.testing.assert_array_equal(cls()((4, 4)), a)


def test_constants():
    np.testing.assert_array_equal(initializers.Constant(3)((2, 2)), np.full((2, 2), 3))
    np.testing.assert_array_equal(initializers.Constant([1, 2])((3, 2)), [[1, 2]] * 3)
    np.testing.assert_array_equal(initializers.Identity(2.0)((2, 3)), [[2, 0, 0], [0, 2, 0]])
    with pytest.raises(ValueError, match=r"shape \(3, 2\) has shape \(3,\)"):
        initializers.Constant([1, 2, 3])((3, 2))


def test_get():
    for name in ("GlorotUniform", "glorot_uniform", initializers.GlorotUniform):
        assert isinstance(initializers.get(name), initializers.GlorotUniform)
    assert isinstance(initializers.get("uniform"), initializers.RandomUniform)
    assert initializers.get(None) is None
    array = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(initializers.get(array)((2, 3)), array)

    def own(shape, dtype=None):
        return np.full(shape, 7, dtype)

    assert initializers.get(own) is own
    layer = keras.layers.Dense(2, kernel_initializer=own)
    layer.build((None, 3))
    np.testing.assert_array_equal(layer.kernel.numpy(), np.full((3, 2), 7))


def test_config_round_trip():
    for thing in (
        initializers.RandomNormal(1.0, 2.0, seed=3),
        initializers.RandomUniform(0.0, 2.0),
        initializers.VarianceScaling(2.0, "fan_avg", "uniform", seed=3),
        initializers.Orthogonal(0.5, seed=3),
        initializers.GlorotNormal(seed=3),
        initializers.Constant(4.0),
    ):
        data = initializers.serialize(thing)
        again = initializers.get(data)
        assert type(again) is type(thing) and again.get_config() == thing.get_config()


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: initializers.get("glorotuniform"), "Did you mean 'glorot_uniform'"),
        (lambda: initializers.get("xyz"), "Unknown initializer 'xyz'"),
        (lambda: initializers.get(3), "expected the name of an initializer"),
        (lambda: initializers.RandomNormal(stddev=-1), "negative"),
        (lambda: initializers.RandomNormal(seed="a"), "seed"),
        (lambda: initializers.RandomUniform(2.0, 1.0), "above"),
        (lambda: initializers.VarianceScaling(0), "above 0"),
        (lambda: initializers.VarianceScaling(mode="fan"), "'fan_in'"),
        (lambda: initializers.VarianceScaling(distribution="beta"), "'uniform'"),
        (lambda: initializers.Orthogonal()((3,)), "2 axes"),
        (lambda: initializers.Identity()((3,)), "2 axes"),
    ],
)
def test_errors(make, text):
    with pytest.raises(ValueError, match=text):
        make()
