"""The less used names of NumPy in seqrnn.ops against NumPy: eager, traced and on placeholders."""

import numpy as np
import pytest
from ops.test_specs import close

from seqrnn import ops, trace

rng = np.random.default_rng(23)
X = rng.normal(size=(3, 4, 5))
Y = rng.normal(size=(3, 4, 5))
V = rng.normal(size=6)
U = rng.uniform(-1, 1, size=(3, 4))
I = rng.integers(-9, 9, size=(3, 4)).astype("int32")  # noqa: E741
T = np.array([3, 1, 3, 3, 2, 1, 3.0])  # ties
EDGES = np.array([0.0, -0.0, 1.0, -1.0, 1e-30, -1e-9, 1e9, -1e30, np.inf, -np.inf, np.nan])
HOLES = np.where(rng.random((4, 6)) < 0.3, np.nan, rng.normal(size=(4, 6)))
UNIT = np.array([0.0, 1.0, -1.0, 0.5, -1e-9, 0.999999999])

# (name, arguments, keywords): the NumPy function of the same name is the reference.
SAME = [
    *((name, (values,), {}) for name in ("arctan", "arcsinh", "cbrt") for values in (X, EDGES)),
    *((name, (values,), {}) for name in ("arcsin", "arccos") for values in (U, UNIT)),
    ("arctanh", (U,), {}),
    ("arccosh", (np.array([1.0, 1 + 1e-9, 2.0, 1e30]),), {}),
    ("arctan2", (X, Y), {}),
    ("arctan2", (EDGES[:, None], EDGES), {}),
    ("hypot", (X, Y), {}),
    ("hypot", (EDGES[:-1, None], EDGES[:-1]), {}),
    ("sinc", (X,), {}),
    ("sinc", (EDGES[:6],), {}),
    ("deg2rad", (X,), {}),
    ("rad2deg", (X,), {}),
    *(
        (name, (HOLES,), {"axis": axis, "keepdims": keep})
        for name in ("nansum", "nanprod", "nanmean", "nanvar", "nanstd", "nanmax", "nanmin")
        for axis in (None, 0, -1, (0, 1))
        for keep in (False, True)
    ),
    ("nancumsum", (HOLES,), {"axis": 1}),
    ("nancumprod", (HOLES,), {}),
    ("nanargmax", (HOLES,), {"axis": 1}),
    ("nanargmin", (HOLES,), {"axis": 0}),
    (
        "isclose",
        (np.array([1.0, 1.0, np.inf, np.nan]), np.array([1 + 1e-9, 1.1, np.inf, np.nan])),
        {},
    ),
    ("isclose", (EDGES[:, None], EDGES), {"equal_nan": True, "atol": 1e-3}),
    ("allclose", (X, X + 1e-9), {}),
    ("isposinf", (EDGES,), {}),
    ("isneginf", (EDGES,), {}),
    ("isreal", (X,), {}),
    ("fmax", (EDGES[:, None], EDGES), {}),
    ("fmin", (EDGES[:, None], EDGES), {}),
    ("fmod", (X, 0.7), {}),
    ("fmod", (I, 4), {}),
    ("fmod", (X, -0.7), {}),
    ("heaviside", (np.array([-2.0, 0.0, 3.0]), 0.25), {}),
    ("ldexp", (X, np.array([1, -2, 3, 0, 5])), {}),
    ("logaddexp2", (X, Y), {}),
    ("isin", (I, [1, 2, 3]), {}),
    ("isin", (I, [1, 2, 3]), {"invert": True}),
    *(("sort", (values,), {"axis": axis}) for values in (X, I) for axis in (0, 1, -1, None)),
    ("sort", (np.array([2.0, np.nan, 1.0]),), {}),
    *(("argsort", (X,), {"axis": axis}) for axis in (0, -1, None)),
    *(
        (name, (X, q), {"axis": axis, "keepdims": keep, "method": method})
        for name, q in (("quantile", 0.3), ("quantile", [0.0, 0.5, 1.0]), ("percentile", 40))
        for axis in (None, 1, (0, -1))
        for keep in (False, True)
        for method in ("linear", "lower", "higher", "midpoint", "nearest")
    ),
    ("median", (X,), {"axis": (0, 1), "keepdims": True}),
    ("median", (np.array([1.0, np.nan, 2.0]),), {}),
    ("searchsorted", (np.array([1.0, 2.0, 2.0, 4.0]), np.array([0.0, 2.0, 5.0])), {}),
    ("searchsorted", (np.array([1, 2, 2, 4]), np.array([[0, 2], [5, 4]])), {"side": "right"}),
    ("digitize", (X, np.array([-1.0, 0.0, 1.0])), {}),
    ("cumprod", (X,), {"axis": 1}),
    ("cumprod", (X,), {}),
    ("diff", (X,), {}),
    ("diff", (X,), {"n": 2, "axis": 1}),
    ("diff", (V,), {"n": 9}),
    ("trapezoid", (X,), {"dx": 0.5, "axis": 1}),
    ("trapezoid", (X, np.array([0.0, 1.0, 1.5, 4.0])), {"axis": 1}),
    ("corrcoef", (X[0],), {}),
    ("ptp", (X,), {"axis": (0, 2)}),
    ("amax", (X,), {"axis": 1}),
    ("amin", (X,), {"axis": 1, "keepdims": True}),
    ("true_divide", (I, 4), {}),
    ("fabs", (X,), {}),
    ("conj", (X,), {}),
    ("append", (X, Y), {"axis": 1}),
    ("append", (X, V), {}),
    ("array_split", (X, 3), {"axis": 1}),
    ("array_split", (V, [2, 3]), {}),
    ("hsplit", (X, 2), {}),
    ("vsplit", (X, 3), {}),
    ("dsplit", (X, [2]), {}),
    ("dstack", ([V, V],), {}),
    ("dstack", ([U, U],), {}),
    ("dstack", ([X, Y],), {}),
    ("diag", (V,), {}),
    ("diag", (V, 2), {}),
    ("diag", (V, -1), {}),
    ("diag", (U, 1), {}),
    ("diagflat", (U, -1), {}),
    ("fliplr", (X,), {}),
    ("flipud", (X,), {}),
    *(("rot90", (X,), {"k": k, "axes": axes}) for k in range(5) for axes in ((0, 1), (2, 1))),
    ("kron", (U, X), {}),
    ("kron", (V, V), {}),
    ("vander", (V,), {}),
    ("vander", (V, 3), {"increasing": True}),
    ("cross", (X[..., :3], Y[..., :3]), {}),
    ("cross", (X[:, :3], Y[:, :3]), {"axis": 1}),
    ("select", ([X > 1, X > 0], [X, Y], 7.0), {}),
    ("unravel_index", (np.array([3, 17]), (3, 6)), {}),
    ("meshgrid", (V, X[0, 0]), {}),
    ("meshgrid", (V, X[0, 0], U[0]), {"indexing": "ij"}),
    ("meshgrid", (V,), {}),
    *(("floor_divide", (I, d), {}) for d in (1, -1, 3, -4)),
    ("logspace", (0, 2, 5), {"base": 2}),
    ("geomspace", (1.0, 100.0, 4), {"endpoint": False}),
    ("tri", (3, 4, 1), {}),
    *((name, (7,), {}) for name in ("bartlett", "blackman", "hamming", "hanning")),
    ("kaiser", (7, 3.0), {}),
]
IN_FLOAT32 = {"logspace", "geomspace", "bartlett", "blackman", "hamming", "hanning", "kaiser"}


def same(got, expected, name):
    if isinstance(expected, (list, tuple)):
        assert len(got) == len(expected)
        for g, e in zip(got, expected, strict=True):
            same(g, e, name)
        return
    tolerance = 1e-6 if name in IN_FLOAT32 else 1e-12
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance)


def reference(name, args, kwargs):
    if name == "argsort":
        kwargs = kwargs | {"kind": "stable"}
    with np.errstate(all="ignore"):
        return getattr(np, name)(*args, **kwargs)


@pytest.mark.parametrize(("name", "args", "kwargs"), SAME)
def test_as_numpy(name, args, kwargs):
    same(getattr(ops, name)(*args, **kwargs), reference(name, args, kwargs), name)


TRACED = [row for row in SAME if isinstance(row[1][0], np.ndarray) and row[1][0].ndim == 3]


@pytest.mark.parametrize(("name", "args", "kwargs"), TRACED)
def test_placeholders(name, args, kwargs):
    """A call recorded on a placeholder has the shape and, replayed, the values of the eager one."""
    first = args[0]
    placeholder = trace.KerasTensor(first.shape, first.dtype)
    output = getattr(ops, name)(placeholder, *args[1:], **kwargs)
    run = trace.Function(lambda x: trace.replay(output, [(placeholder, x)]))
    got, expected = run(first), getattr(ops, name)(*args, **kwargs)
    for o, g, e in zip(*map(trace.nest.flatten, (output, got, expected)), strict=True):
        assert o.shape == g.shape == e.shape and o.dtype == str(g.dtype) == str(e.dtype)
        np.testing.assert_array_equal(g, e)


SMOOTH = {
    **dict.fromkeys(("arctan", "arcsinh", "cbrt", "sinc"), X),
    **dict.fromkeys(("arcsin", "arccos", "arctanh"), U * 0.9),
    "arccosh": 1.5 + np.abs(U),
    **dict.fromkeys(("sort", "median", "cumprod", "nanstd", "diag", "corrcoef"), U),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_gradient(name):
    """By differences: (f(x + h) - f(x - h)) / 2h, weighted."""
    x, fn = SMOOTH[name], getattr(ops, name)
    weights = np.asarray(rng.normal(size=np.shape(fn(x))))
    v = trace.Variable(x, dtype="float64")
    traced = trace.trace(lambda: ops.sum(fn(v) * weights), (), trainable=[v])
    got = traced.gradients(())[1][0]
    h, expected = 1e-6, np.empty_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = h
        expected[place] = ((fn(x + step) - fn(x - step)) * weights).sum() / (2 * h)
    np.testing.assert_allclose(got, expected, rtol=1e-6, atol=1e-7)


# ---- whole numbers ----


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_whole_quotients_are_exact(dtype):
    top = 2**30 if dtype == "int32" else 2**62
    a = rng.integers(-top, top, size=4000).astype(dtype)
    sizes = (rng.uniform(0, np.log(float(top)), size=4000)).astype("float64")
    b = (np.exp(sizes).astype(dtype) + 1) * rng.choice([-1, 1], size=4000).astype(dtype)
    got = ops.floor_divide(a, b)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, a // b)
    np.testing.assert_array_equal(ops.floor_divide(a, np.zeros_like(a)), 0)


def test_products_of_integers_are_integers():
    a = rng.integers(-2000, 2000, size=(3, 4))
    b = rng.integers(-2000, 2000, size=(4, 5)) * 10**6
    for product in (ops.matmul(a, b), ops.einsum("ij,jk->ik", a, b), ops.dot(a, b)):
        assert product.dtype == "int64"
        np.testing.assert_array_equal(product, a @ b)
    assert ops.tensordot(a.astype("int32"), b.astype("int32"), 1).dtype == "int32"


def test_saturate_cast():
    x = np.array([-1e20, -3.7, 3.7, 1e20, 2.0**31])
    np.testing.assert_array_equal(
        ops.saturate_cast(x, "int32"), [-(2**31), -3, 3, 2**31 - 1, 2**31 - 1]
    )
    np.testing.assert_array_equal(
        ops.saturate_cast(np.array([2**40, -(2**40), 5]), "int32"), [2**31 - 1, -(2**31), 5]
    )
    assert ops.saturate_cast(x, "float32").dtype == "float32"


# ---- order ----


def test_top_k():
    values, places = ops.top_k(T, 4)
    np.testing.assert_array_equal(values, [3, 3, 3, 3])
    np.testing.assert_array_equal(places, [0, 2, 3, 6])
    assert places.dtype == "int32"
    values, places = ops.top_k(X, 2)
    order = np.argsort(-X, -1)[..., :2]
    np.testing.assert_array_equal(places, order)
    np.testing.assert_array_equal(values, np.take_along_axis(X, order, -1))
    with pytest.raises(ValueError, match="6"):
        ops.top_k(X, 6)
    hits = ops.in_top_k([0, 1, 9], np.array([[3.0, 2, 1], [3, 1, 2], [1, 2, 3]]), 2)
    assert hits.tolist() == [True, False, False]


def test_argpartition():
    places = ops.argpartition(V, 2)
    assert V[places[2]] == np.sort(V)[2] and (V[places[:2]] <= V[places[2]]).all()


@pytest.mark.parametrize("n", [1, 4])
def test_take_along_axis_at_several_places(n):
    index = rng.integers(-5, 5, size=(3, 4, n))
    expected = np.take_along_axis(X, index, -1)
    close(ops.take_along_axis(X, index, -1), expected, 1e-15)
    v = trace.Variable(X, dtype="float64")
    weights = rng.normal(size=expected.shape)
    loss = trace.trace(
        lambda: ops.sum(ops.take_along_axis(v, index, -1) * weights), (), trainable=[v]
    )
    gradient = np.zeros_like(X)
    a, b, _ = np.indices(index.shape)
    np.add.at(gradient, (a, b, index), weights)
    np.testing.assert_allclose(loss.gradients(())[1][0], gradient, atol=1e-12)


def test_for_arrays_only():
    np.testing.assert_array_equal(ops.nonzero(I > 3), np.nonzero(I > 3))
    values, inverse, counts = ops.unique(T, return_inverse=True, return_counts=True)
    np.testing.assert_array_equal(values[inverse], T)
    assert counts.tolist() == [2, 1, 4]
    assert ops.bincount(np.array([1, 1, 4]), minlength=7).tolist() == [0, 2, 0, 0, 1, 0, 0]
    counts, edges = ops.histogram(V, 4)
    np.testing.assert_array_equal(counts, np.histogram(V, 4)[0])
    close(edges, np.histogram(V, 4)[1], 1e-6)
    for fn in (ops.nonzero, ops.unique, ops.bincount, ops.histogram):
        with pytest.raises(TypeError, match=rf"{fn.__name__}.*arrays only.*Use"):
            fn(trace.KerasTensor((3,), "int32"))
        with pytest.raises(TypeError, match=fn.__name__):
            trace.trace(fn, (trace.Spec((3,), "int32"),))


# ---- writing to places ----


def test_scatter():
    index = np.array([[0, 1], [2, 3], [0, 1], [-1, -1]])
    values = rng.normal(size=4)
    expected = np.zeros((3, 4))
    np.add.at(expected, tuple(index.T), values)
    close(ops.scatter(index, values, (3, 4)), expected, 1e-15)
    rows = rng.normal(size=(2, 4))
    expected = np.zeros((3, 4))
    expected[[2, 0]] = rows
    close(ops.scatter([[2], [0]], rows, (3, 4)), expected, 1e-15)
    with pytest.raises(ValueError, match="indices"):
        ops.scatter(np.array([[0.5]]), values[:1], (3,))


def test_scatter_update():
    index = rng.integers(0, 3, size=(40, 2))
    values = rng.normal(size=40)
    expected = U.copy()
    for place, value in zip(index, values, strict=True):
        expected[tuple(place)] = value  # the last stays
    close(ops.scatter_update(U, index, values), expected, 1e-15)
    expected = U.copy()
    np.add.at(expected, tuple(index.T), values)
    close(ops.scatter_update(U, index, values, reduction="add"), expected, 1e-12)
    with pytest.raises(ValueError, match="'max'"):
        ops.scatter_update(U, index, values, reduction="max")


def test_slice_and_update():
    np.testing.assert_array_equal(ops.slice(X, (1, 0, 2), (2, 3, 2)), X[1:3, :3, 2:4])
    moved = trace.Function(lambda x, i: ops.slice(x, (i, 0, 0), (2, 4, 5)))
    np.testing.assert_array_equal(moved(X, np.array(1)), X[1:3])
    np.testing.assert_array_equal(moved(X, np.array(7)), X[1:3])
    expected = X.copy()
    expected[1:3, 2:, :1] = 5.0
    np.testing.assert_array_equal(ops.slice_update(X, (1, 2, 0), np.full((2, 2, 1), 5.0)), expected)
    with pytest.raises(ValueError, match="3 start indices"):
        ops.slice(X, (1, 0), (2, 3, 2))


def test_extract_sequences():
    windows = ops.extract_sequences(X, 3, 2)
    np.testing.assert_array_equal(windows, np.stack([X[..., 0:3], X[..., 2:5]], -2))
    with pytest.raises(ValueError, match="5"):
        ops.extract_sequences(X, 6, 1)


# ---- loops ----


def test_while_loop():
    assert ops.while_loop(lambda i: i < 10, lambda i: i + 3, 0) == 12
    halved = trace.Function(
        lambda x: ops.while_loop(
            lambda n, x: ops.max(x) > 1.0,
            lambda n, x: (n + 1, x / 2),
            (0, x),
            maximum_iterations=20,
        )
    )
    steps, x = halved(np.array([9.0, 0.5]))
    assert steps == 4 and x.tolist() == [9 / 16, 0.5 / 16]
    assert halved(np.array([0.5]))[0] == 0
    with pytest.raises(TypeError, match="maximum_iterations"):
        ops.while_loop(lambda x: x < 1, lambda x: x + 1, np.zeros(()))


def test_associative_scan():
    for n in (1, 2, 5, 8):
        xs = rng.normal(size=(2, n))
        close(ops.associative_scan(ops.add, xs, axis=1), np.cumsum(xs, 1), 1e-12)
        close(
            ops.associative_scan(ops.add, xs, reverse=True, axis=1),
            np.cumsum(xs[:, ::-1], 1)[:, ::-1],
            1e-12,
        )
    # h_t = a_t h_{t-1} + b_t as a scan of pairs, against the loop
    a, b, h = rng.normal(size=6), rng.normal(size=6), 0.0
    pairs = ops.associative_scan(lambda x, y: (x[0] * y[0], x[1] * y[0] + y[1]), (a, b))
    for t in range(6):
        h = a[t] * h + b[t]
        assert pairs[1][t] == pytest.approx(h)


def test_vectorized_map_and_switch():
    close(ops.vectorized_map(lambda x: ops.sum(x * x), U), (U * U).sum(1), 1e-12)
    branches = [lambda x: x + 1, lambda x: x * 10, lambda x: -x]
    chosen = trace.Function(lambda i, x: ops.switch(i, branches, x))
    for index, expected in ((-3, 3), (0, 3), (1, 20), (2, -2), (9, -2)):
        assert chosen(np.array(index), np.array(2.0)) == expected
        assert ops.switch(index, branches, np.array(2.0)) == expected


@pytest.mark.parametrize(
    ("name", "hint"),
    [("inv", "numpy.linalg"), ("fft", "numpy.fft"), ("vectorize", "vectorized_map")],
)
def test_what_is_absent_says_what_to_use(name, hint):
    with pytest.raises(AttributeError, match=rf"'{name}'\. Use .*{hint}"):
        getattr(ops, name)
