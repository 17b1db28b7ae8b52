"""Ops and their derivatives at special points: zeros, kinks, infinities, NaN. The expected values
are NumPy's, or the closed formula of the derivative."""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import ops

INF, NAN = np.inf, np.nan
S = np.array([0.0, -0.0, 1.0, -2.0, 0.1, INF, -INF, NAN], "float32")
A, B = (t.ravel() for t in np.meshgrid(S, S))


def slope(fn, *values):
    variables = [keras.Variable(np.asarray(v, "float32")) for v in values]
    with keras.GradientTape() as tape:
        y = ops.sum(fn(*variables))
    found = tape.gradient(y, variables, unconnected_gradients="zero")
    return found[0] if len(found) == 1 else found


# ---- values ----


@pytest.mark.parametrize(
    "name",
    ["sinh", "cosh", "arcsin", "arccos", "arctan", "arcsinh", "arccosh", "arctanh", "cbrt", "exp2"],
)
def test_values_of_one(name):
    x = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 89.0, 1e30, INF, -INF, NAN], "float32")
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(x)
    result = getattr(ops, name)(x)
    np.testing.assert_allclose(result, expected, rtol=2e-6)
    zero = expected == 0
    np.testing.assert_array_equal(np.signbit(result)[zero], np.signbit(expected)[zero])


@pytest.mark.parametrize(
    "name", ["arctan2", "hypot", "logaddexp", "logaddexp2", "floor_divide", "mod"]
)
def test_values_of_two(name):
    with np.errstate(all="ignore"):
        expected = getattr(np, name)(A, B)
    np.testing.assert_allclose(getattr(ops, name)(A, B), expected, rtol=1e-6, atol=1e-9)


def test_floor_divide_where_the_quotient_rounds_up():
    a, b = (
        np.array([1.0, -1.0, 7.0, -7.5, 0.6], "float32"),
        np.array([0.1, 0.1, -2, 2, 0.2], "float32"),
    )
    np.testing.assert_array_equal(ops.floor_divide(a, b), np.floor_divide(a, b))
    assert ops.floor_divide(np.float64(1.0), np.float64(0.1)) == 9


# ---- derivatives ----


@pytest.mark.parametrize(
    ("name", "points", "expected"),
    [
        ("arctan", [0.0, 1.0, -1.0, 2.0, 1e20], [1.0, 0.5, 0.5, 0.2, 0.0]),
        ("arcsin", [0.0, 0.6, 1.0, -1.0], [1.0, 1.25, INF, INF]),
        ("arccos", [0.0, 0.6, 1.0], [-1.0, -1.25, -INF]),
        ("arcsinh", [0.0, 0.75, -0.75], [1.0, 0.8, 0.8]),
        ("arccosh", [1.0, 1.25, 0.5, -2.0], [INF, 1 / 0.75, NAN, NAN]),
        ("arctanh", [0.0, 0.5, 1.0, -1.0], [1.0, 4 / 3, INF, INF]),
        ("sinh", [0.0], [1.0]),
        ("cosh", [0.0], [0.0]),
        ("cbrt", [0.0, 8.0, -8.0], [INF, 1 / 12, 1 / 12]),
        ("sinc", [0.0], [0.0]),
        ("relu", [0.0], [0.0]),
        ("relu6", [0.0, 3.0, 6.0], [0.0, 1.0, 0.0]),
        ("leaky_relu", [0.0, 1.0, -1.0], [0.2, 1.0, 0.2]),
        ("hard_sigmoid", [-3.0, 0.0, 3.0], [0.0, 1 / 6, 0.0]),
        ("hard_silu", [-3.0, 0.0, 3.0], [0.0, 0.5, 1.0]),
        ("hard_tanh", [-1.0, 0.0, 1.0], [1.0, 1.0, 1.0]),
        ("soft_shrink", [-0.5, 0.0, 0.5, 1.0], [0.0, 0.0, 0.0, 1.0]),
        ("sparse_sigmoid", [-1.0, 0.0, 1.0], [0.0, 0.5, 0.0]),
        ("softplus", [0.0], [0.5]),
        ("softsign", [0.0], [1.0]),
        ("elu", [0.0], [1.0]),
        ("celu", [0.0], [1.0]),
        ("mish", [0.0], [0.6]),
        ("gelu", [0.0], [0.5]),
        ("squareplus", [0.0], [0.5]),
        ("floor", [0.5, 1.0], [0.0, 0.0]),
    ],
)
def test_derivatives(name, points, expected):
    np.testing.assert_allclose(slope(getattr(ops, name), points), expected, rtol=1e-6, atol=1e-7)


def test_derivatives_of_arctan2():
    y, x = np.array([0, 1, -2, 1, 1, 0, 1e30]), np.array([1, 1, 2, -1, 0, -1, 1e30])
    by_y, by_x = slope(ops.arctan2, y, x)
    square = y**2 + x**2
    np.testing.assert_allclose(by_y, x / square, rtol=1e-6)
    np.testing.assert_allclose(by_x, -y / square, rtol=1e-6)


def test_derivatives_of_hypot():
    by_a, by_b = slope(ops.hypot, [3.0, 0.0, -1.0, 3e30], [4.0, 0.0, 0.0, 4e30])
    np.testing.assert_allclose(by_a, [0.6, 0.0, -1.0, 0.6], rtol=1e-6)
    np.testing.assert_allclose(by_b, [0.8, 0.0, 0.0, 0.8], rtol=1e-6)


@pytest.mark.parametrize("name", ["logaddexp", "logaddexp2"])
def test_derivatives_of_logaddexp_are_a_softmax(name):
    by_a, by_b = slope(getattr(ops, name), [0.0, 1.0, 500.0], [0.0, 1.0, -500.0])
    np.testing.assert_allclose(by_a, [0.5, 0.5, 1.0], rtol=1e-6)
    np.testing.assert_allclose(by_b, [0.5, 0.5, 0.0], rtol=1e-6)


def test_derivative_of_normalize_at_zero():
    def first(x):
        return ops.normalize(ops.reshape(x, (1, 2)))[0, 0]

    np.testing.assert_allclose(slope(first, [0.0, 0.0]), [1e7, 0.0], rtol=1e-6)
    np.testing.assert_allclose(slope(first, [3.0, 4.0]), [0.128, -0.096], rtol=1e-5)


# ---- order ----


def test_medians_of_infinities():
    x = np.array([1, INF, INF], "float32")
    assert ops.median(x) == INF
    x = np.array([-INF, -INF, 1, 2], "float32")
    np.testing.assert_array_equal(ops.quantile(x, [0.25, 1.0]), [-INF, 2])


def test_nan_stands_behind_all_numbers():
    x, values = np.array([1, 2, 3], "float32"), np.array([NAN, INF, 2], "float32")
    for ordered in (x, np.array([1, NAN, NAN], "float32")):
        for side in ("left", "right"):
            expected = np.searchsorted(ordered, values, side)
            np.testing.assert_array_equal(ops.searchsorted(ordered, values, side), expected)
    np.testing.assert_array_equal(ops.digitize(values, x), np.digitize(values, x))


def test_in_top_k_of_nan():
    scores = np.array([[NAN, 1, 0], [1, NAN, 0], [INF, 1, 0], [1, -INF, 0]], "float32")
    assert ops.in_top_k(np.zeros(4, "int32"), scores, 2).tolist() == [False, True, True, True]


# ---- norms ----

M = np.array([[-2.0, -1, 0], [1, 2, 3]], "float32")
STACK = np.stack([M, 2 * M, M - 1])


@pytest.mark.parametrize("ord", [None, "fro", 1, -1, INF, -INF])
def test_norms_of_matrices(ord):
    np.testing.assert_allclose(ops.norm(M, ord), np.linalg.norm(M, ord), rtol=1e-6)
    for axis in ((0, 1), (1, 0), (-1, 0), (2, 1)):
        for keepdims in (False, True):
            expected = np.linalg.norm(STACK, ord, axis, keepdims)
            np.testing.assert_allclose(ops.norm(STACK, ord, axis, keepdims), expected, rtol=1e-6)


@pytest.mark.parametrize("ord", [None, 0, 1, 2, 3, -1, -2, 0.5, INF, -INF])
def test_norms_of_vectors(ord):
    x = STACK + 0.5
    expected = np.linalg.norm(x, ord, -1)
    np.testing.assert_allclose(ops.norm(x, ord, -1), expected, rtol=1e-6)
    np.testing.assert_allclose(ops.norm(x, ord, (2,)), expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("ord", "axis", "words"),
    [
        (2, None, "singular"),
        ("nuc", (0, 1), "singular"),
        (-2, (0, 1), "singular"),
        (3, None, "'fro', 1, -1, inf or -inf"),
        ("fro", 0, "number"),
        ("euclidean", None, "euclidean"),
    ],
)
def test_norms_that_are_refused(ord, axis, words):
    with pytest.raises(ValueError, match=words):
        ops.norm(M, ord, axis)
    with pytest.raises(ValueError, match="one axis or two"):
        ops.norm(STACK, 1)


# ---- ranges ----


@pytest.mark.parametrize("axis", [0, -1])
@pytest.mark.parametrize("endpoint", [True, False])
@pytest.mark.parametrize("num", [5, 1])
def test_ranges_between_tensors(axis, endpoint, num):
    start, stop = np.array([0.5, 1], "float32"), np.array([[1, 2], [3, 4]], "float32")
    options = {"num": num, "endpoint": endpoint, "axis": axis}
    for name in ("linspace", "logspace", "geomspace"):
        expected = getattr(np, name)(start, stop, **options)
        np.testing.assert_allclose(getattr(ops, name)(start, stop, **options), expected, rtol=2e-6)
    expected, step = np.linspace(start, 7, retstep=True, **options)
    result = ops.linspace(start, 7, retstep=True, **options)
    np.testing.assert_allclose(result[0], expected, rtol=1e-6)
    np.testing.assert_allclose(result[1], step, rtol=1e-6)


def test_ranges_between_tensors_and_placeholders():
    assert ops.linspace([0, 1], 5, 3, dtype="int32").tolist() == [[0, 1], [2, 3], [5, 5]]
    assert ops.linspace([0.0, 1.0], 5.0, 0).shape == (0, 2)
    placeholder = keras.Input((2,))
    model = keras.Model(placeholder, ops.linspace(placeholder, placeholder + 2.0, 3, axis=1))
    np.testing.assert_array_equal(
        model.predict([[0.0, 1.0]], verbose=0), [[[0, 1], [1, 2], [2, 3]]]
    )
    np.testing.assert_array_equal(slope(lambda x: ops.linspace(x, 4.0, 3), [0.0]), [1.5])
