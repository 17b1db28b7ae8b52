"""The functions of seqrnn.ops against NumPy's: eagerly, and as recorded on placeholders."""

import numpy as np
import pytest
from ops.test_specs import close

from seqrnn import layers, ops, trace

rng = np.random.default_rng(11)
X = rng.normal(size=(3, 4, 5))
Y = rng.normal(size=(3, 4, 5))
P = rng.uniform(0.2, 3.0, size=(3, 4))
M = rng.normal(size=(5, 6))
B = rng.random(size=(3, 4)) < 0.5
I = rng.integers(-9, 9, size=(3, 4)).astype("int32")  # noqa: E741

# (name, arguments, keywords): the NumPy function of the same name is the reference.
SAME = [
    ("add", (X, Y), {}),
    ("add", (X, 1.5), {}),
    ("subtract", (2, X), {}),
    ("multiply", (X, M[:, 0]), {}),
    ("divide", (X, P[:, :, None]), {}),
    ("divide", (I, 4), {}),
    ("floor_divide", (X, 0.7), {}),
    ("floor_divide", (I, 4), {}),
    ("mod", (I, 4), {}),
    ("mod", (X, 0.7), {}),
    ("power", (P, 1.7), {}),
    ("power", (X, 3), {}),
    ("power", (X, 2), {}),
    ("power", (P, 0.5), {}),
    ("power", (P, -1), {}),
    ("power", (I, 3), {}),
    ("power", (2.0, P), {}),
    ("maximum", (X, 0.0), {}),
    ("minimum", (X, Y), {}),
    ("clip", (X, -0.5, 0.5), {}),
    ("logaddexp", (X, Y), {}),
    ("equal", (I, 2), {}),
    ("not_equal", (X, Y), {}),
    ("less", (X, Y), {}),
    ("less_equal", (I, I.T.reshape(3, 4)), {}),
    ("greater", (X, 0), {}),
    ("greater_equal", (X, Y), {}),
    ("logical_and", (B, ~B), {}),
    ("logical_or", (B, I), {}),
    ("logical_xor", (B, B[0]), {}),
    ("logical_not", (B,), {}),
    ("where", (B, P, 0.0), {}),
    ("isnan", (np.array([1.0, np.nan]),), {}),
    ("isinf", (np.array([1.0, -np.inf, np.nan]),), {}),
    ("isfinite", (np.array([1.0, -np.inf, np.nan]),), {}),
    ("negative", (X,), {}),
    ("abs", (I,), {}),
    ("sign", (X,), {}),
    ("square", (X,), {}),
    ("floor", (X,), {}),
    ("ceil", (X,), {}),
    ("trunc", (X,), {}),
    ("round", (X,), {}),
    ("round", (X, 2), {}),
    *((name, (P,), {}) for name in ("sqrt", "reciprocal", "log", "log1p", "log2", "log10")),
    *((name, (X,), {}) for name in ("exp", "expm1", "exp2", "sin", "cos", "tan", "sinh", "cosh")),
    ("tanh", (X,), {}),
    *(
        (name, (X,), {"axis": axis, "keepdims": keep})
        for name in ("sum", "mean", "max", "min", "prod", "std", "var")
        for axis in (None, 0, -1, (0, 2))
        for keep in (False, True)
    ),
    ("sum", (B,), {"axis": 1}),
    ("any", (B,), {"axis": 1}),
    ("all", (B,), {"axis": 0, "keepdims": True}),
    ("argmax", (X,), {"axis": 1}),
    ("argmax", (X,), {}),
    ("argmin", (X,), {"axis": -1, "keepdims": True}),
    ("count_nonzero", (I,), {"axis": 0}),
    ("cumsum", (X,), {"axis": 1}),
    ("cumsum", (X,), {}),
    ("reshape", (X, (4, -1)), {}),
    ("reshape", (X, -1), {}),
    ("ravel", (X,), {}),
    ("transpose", (X,), {}),
    ("transpose", (X, (1, 0, 2)), {}),
    ("swapaxes", (X, 0, -1), {}),
    ("moveaxis", (X, 0, -1), {}),
    ("moveaxis", (X, (0, 1), (2, 0)), {}),
    ("expand_dims", (X, (0, -1)), {}),
    ("squeeze", (X[:1, :, :1],), {}),
    ("squeeze", (X[:1],), {"axis": 0}),
    ("broadcast_to", (X[0], (2, 4, 5)), {}),
    ("concatenate", ([X, Y],), {"axis": 1}),
    ("stack", ([X, Y],), {"axis": -1}),
    ("hstack", ([P, P],), {}),
    ("vstack", ([P[0], P[1]],), {}),
    ("split", (X, 2), {"axis": 1}),
    ("split", (X, [1, 3]), {"axis": 2}),
    ("flip", (X,), {}),
    ("flip", (X,), {"axis": 1}),
    ("roll", (X, 2), {"axis": 1}),
    ("roll", (X, -3), {}),
    ("tile", (P, (2, 1, 3)), {}),
    ("repeat", (P, 2), {"axis": 1}),
    ("repeat", (P, 3), {}),
    ("repeat", (P, [1, 0, 2]), {"axis": 0}),
    ("pad", (P, ((1, 0), (0, 2))), {}),
    ("pad", (P, 1), {"mode": "reflect"}),
    ("pad", (P, ((0, 0), (2, 1))), {"mode": "edge"}),
    ("tril", (P,), {}),
    ("triu", (P, 1), {}),
    ("take", (X, [2, 0, -1]), {"axis": 1}),
    ("take", (X, [[2, 7]]), {}),
    ("take_along_axis", (X, np.argsort(X, 1)), {"axis": 1}),
    ("matmul", (X, M), {}),
    ("matmul", (M[0], M.T), {}),
    ("matmul", (X, M[:, 0]), {}),
    ("matmul", (M[:, 0], M[:, 1]), {}),
    ("dot", (X, M), {}),
    ("dot", (P[0], np.moveaxis(X, 1, 2)[0].T), {}),
    ("dot", (P, rng.normal(size=(2, 4, 3))), {}),
    ("vdot", (P, P), {}),
    ("inner", (X, P[:1] @ np.ones((4, 5))), {}),
    ("outer", (P[0], P[1]), {}),
    ("tensordot", (X, Y), {"axes": ((0, 2), (0, 2))}),
    ("tensordot", (P, X), {"axes": 2}),
    ("diagonal", (X,), {"offset": 1, "axis1": 0, "axis2": 2}),
    ("trace", (P,), {}),
    ("nan_to_num", (np.array([1.0, np.nan, np.inf]),), {"posinf": 9.0}),
]

EINSUM = [
    ("ij,jk->ik", (P, X[0])),
    ("btf,fu->btu", (X, M)),
    ("btf,btg->bfg", (X, Y)),
    ("bij,bkj->bik", (X, Y)),
    ("ij->ji", (P,)),
    ("ii->i", (M[:5, :5],)),
    ("ii", (M[:5, :5],)),
    ("ij,kj,i", (P, P, P[:, 0])),
    ("...f,fu->...u", (X, M)),
    ("i,j->ij", (P[0], P[1])),
    ("bt,->b", (P, np.array(2.0))),
    ("abc,abd,abe->cde", (X, Y, X)),
]


def numpy_of(name):
    return getattr(np, name)


@pytest.mark.parametrize(("name", "args", "kwargs"), SAME)
def test_as_numpy(name, args, kwargs):
    got = getattr(ops, name)(*args, **kwargs)
    expected = numpy_of(name)(*args, **kwargs)
    if name == "split":
        for g, e in zip(got, expected, strict=True):
            close(g, e, 1e-12)
    else:
        close(got, np.asarray(expected), 1e-12)


def _on_batches(name, args):
    """Whether the first argument is a float tensor whose first size the function need not know."""
    x = args[0]
    needs_sizes = name in ("reshape", "broadcast_to", "tile", "repeat", "split")
    floats = isinstance(x, np.ndarray) and x.dtype == np.float64 and x.ndim > 1
    return floats and x.shape[0] == 3 and not needs_sizes


@pytest.mark.parametrize(
    ("name", "args", "kwargs"), [row for row in SAME if _on_batches(row[0], row[1])]
)
def test_placeholders_know_the_shape(name, args, kwargs):
    """Recording a call on placeholders with a batch of unknown size, then replaying it."""
    first = args[0]
    expected = np.asarray(numpy_of(name)(*args, **kwargs))
    if any(isinstance(a, np.ndarray) and a.ndim and a.shape[0] == 3 for a in args[1:]):
        placeholder = trace.KerasTensor(first.shape, "float64")
    else:
        placeholder = trace.KerasTensor((None, *first.shape[1:]), "float64")
    output = getattr(ops, name)(placeholder, *args[1:], **kwargs)
    if "axis" not in kwargs or kwargs["axis"] is None:
        assert len(output.shape) == expected.ndim
    for size, known in zip(expected.shape, output.shape, strict=True):
        assert known in (size, None)
    run = trace.Function(lambda x: trace.replay(output, [(placeholder, x)]))
    close(run(first), expected, 1e-12)


@pytest.mark.parametrize(("subscripts", "arrays"), EINSUM)
def test_einsum(subscripts, arrays):
    close(ops.einsum(subscripts, *arrays), np.asarray(np.einsum(subscripts, *arrays)), 1e-12)


def test_einsum_refuses():
    with pytest.raises(ValueError, match="2 operands"):
        ops.einsum("ij,jk->ik", P)
    with pytest.raises(ValueError, match="'j'"):
        ops.einsum("ij,jk->ik", P, P)
    with pytest.raises(ValueError, match="ijk"):
        ops.einsum("ijk->i", P)


CREATED = [
    ("zeros", ((2, 3),), {}),
    ("ones", (4,), {"dtype": "int32"}),
    ("full", ((2,), 7), {"dtype": "float64"}),
    ("arange", (5,), {}),
    ("arange", (1.0, 2.0, 0.25), {}),
    ("linspace", (0, 1, 5), {}),
    ("eye", (3, 4), {}),
    ("zeros_like", (X,), {}),
    ("ones_like", (I,), {}),
    ("full_like", (P, 2), {}),
]


@pytest.mark.parametrize(("name", "args", "kwargs"), CREATED)
def test_created(name, args, kwargs):
    got = getattr(ops, name)(*args, **kwargs)
    np.testing.assert_array_equal(got, numpy_of(name)(*args, **kwargs))
    if "dtype" in kwargs:
        assert got.dtype == kwargs["dtype"]
    elif not name.endswith("_like"):
        assert got.dtype in ("float32", "int32")


def test_statistics_without_a_numpy_function():
    close(ops.logsumexp(X, 1), np.log(np.exp(X).sum(1)), 1e-12)
    assert ops.logsumexp(np.array([1000.0, 1000.0])) == pytest.approx(1000 + np.log(2))
    assert ops.logsumexp(np.array([-np.inf, -np.inf])) == -np.inf
    for order in (None, 1, 2, 3, np.inf, -np.inf):
        close(ops.norm(X, order, 1), np.linalg.norm(X, order, 1), 1e-12)
    mean, var = ops.moments(X, (0, 1))
    close(mean, X.mean((0, 1)), 1e-12)
    close(var, X.var((0, 1)), 1e-12)
    close(ops.cumsum(X, 1, reverse=True), np.flip(np.cumsum(np.flip(X, 1), 1), 1), 1e-12)
    close(ops.rsqrt(P), 1 / np.sqrt(P), 1e-12)
    close(ops.divide_no_nan(P, P * B), np.where(B, 1.0, 0.0), 1e-12)


def _softplus(x):
    return np.log1p(np.exp(x))


ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "relu6": lambda x: np.clip(x, 0, 6),
    "leaky_relu": lambda x: np.where(x < 0, 0.2 * x, x),
    "elu": lambda x: np.where(x < 0, np.exp(x) - 1, x),
    "celu": lambda x: np.where(x < 0, np.exp(x) - 1, x),
    "selu": lambda x: 1.0507009873554805 * np.where(x < 0, 1.6732632423543772 * (np.exp(x) - 1), x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "log_sigmoid": lambda x: -_softplus(-x),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "hard_silu": lambda x: x * np.clip(x / 6 + 0.5, 0, 1),
    "hard_tanh": lambda x: np.clip(x, -1, 1),
    "softplus": _softplus,
    "softsign": lambda x: x / (1 + np.abs(x)),
    "mish": lambda x: x * np.tanh(_softplus(x)),
    "gelu": lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_activation(name):
    close(getattr(ops, name)(X * 3), ACTIVATIONS[name](X * 3), 1e-12)
    extreme = getattr(ops, name)(np.array([-1000.0, 1000.0]))
    assert not np.isnan(extreme).any()


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_softmax_along_an_axis(axis):
    expected = np.exp(X) / np.exp(X).sum(axis, keepdims=True)
    close(ops.softmax(X, axis), expected, 1e-12)
    close(ops.log_softmax(X, axis), np.log(expected), 1e-12)


def test_one_hot():
    classes = np.array([[0, 2], [1, 3]])
    expected = np.eye(3)[[0, 2, 1]]
    hot = ops.one_hot(classes, 3)
    assert hot.dtype == "float32" and hot.shape == (2, 2, 3)
    np.testing.assert_array_equal(hot.reshape(4, 3)[:3], expected)
    np.testing.assert_array_equal(hot[1, 1], 0)
    assert ops.one_hot(classes, 3, axis=1).shape == (2, 3, 2)


def test_binary_crossentropy():
    p, t = rng.uniform(0.1, 0.9, 7), rng.integers(0, 2, 7).astype(float)
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p))
    close(ops.binary_crossentropy(t, p), expected, 1e-12)
    close(ops.binary_crossentropy(t, np.log(p / (1 - p)), from_logits=True), expected, 1e-12)


# ---- dtypes ----

F32, F64 = np.float32([1, 2]), np.float64([1, 2])
I32, I64, BOOL = np.int32([1, 2]), np.int64([1, 2]), np.array([True, False])

DTYPES = [
    (F32, F64, "float64"),
    (F32, I64, "float32"),
    (F64, BOOL, "float64"),
    (I32, I64, "int64"),
    (BOOL, BOOL, "int32"),
    (BOOL, I32, "int32"),
    (F32, 2, "float32"),
    (F32, 2.5, "float32"),
    (I32, 2, "int32"),
    (I32, 2.5, "float32"),
    (I64, True, "int64"),
    (BOOL, 2.5, "float32"),
    (F32, np.float64(2.5), "float32"),
]


@pytest.mark.parametrize(("a", "b", "expected"), DTYPES)
def test_dtype_of_two(a, b, expected):
    assert ops.add(a, b).dtype == expected
    assert ops.multiply(b, a).dtype == expected


def test_constants_take_the_dtype_of_the_tensor():
    constant = np.array([0.5, 1.5])  # float64
    add = trace.Function(lambda x: x + constant)
    assert add(F32).dtype == "float32"
    assert add(I32).dtype == "float32"


def test_integers_to_float_functions():
    assert ops.sqrt(I32).dtype == "float32"
    assert ops.mean(I32).dtype == "float32"
    assert ops.divide(I32, I32).dtype == "float32"
    assert ops.sum(I64).dtype == "int64"
    assert ops.add(np.float16([1]), np.float16([1])).dtype == "float32"


def test_cast():
    assert ops.cast([1.7, -1.7], "int32").tolist() == [1, -1]
    assert ops.cast(np.array([0, 2]), "bool").tolist() == [False, True]
    with pytest.raises(ValueError, match="float32"):
        ops.cast(F32, "flaot32")


def test_bad_arguments():
    with pytest.raises(TypeError, match="numbers"):
        ops.add(np.array(["a"]), 1)
    with pytest.raises(TypeError, match="padded"):
        ops.sum(np.array([None, 1], object))
    with pytest.raises(ValueError, match="axis 3"):
        ops.sum(X, 3)
    with pytest.raises(ValueError, match="twice"):
        ops.sum(X, (1, -2))
    with pytest.raises(TypeError, match="ints"):
        ops.reshape(X, (2.5, 1))
    with pytest.raises(ValueError, match=r"\(3, 4, 5\)"):
        ops.split(X, 3, 1)
    with pytest.raises(ValueError, match="differ"):
        ops.stack([P, P.T])


def test_arrays_of_other_layouts():
    close(ops.add(np.asfortranarray(P), 0.0), P, 1e-15)
    close(ops.add(P[::-1, ::2], 0.0), P[::-1, ::2], 1e-15)
    close(ops.add(P.astype(">f8"), 0.0), P, 1e-15)
    close(ops.add(P.astype("float16"), 0), P.astype("float16").astype("float32"), 0.0)
    assert ops.add(np.zeros((0, 3)), 1).shape == (0, 3)


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "int16", "uint16", "uint32", "float16", np.uint8]
)
def test_dtypes_that_are_not_there_are_refused_by_name(dtype):
    name = getattr(dtype, "__name__", dtype)
    for call in (
        lambda: ops.cast(np.array([300, -1]), dtype),
        lambda: ops.saturate_cast(np.array([1e10, -5.0]), dtype),
        lambda: ops.arange(3, dtype=dtype),
        lambda: ops.zeros((2,), dtype),
        lambda: ops.convert_to_tensor([1, 2], dtype),
        lambda: layers.Dense(2, dtype=dtype),
    ):
        with pytest.raises(ValueError, match=f"dtype '{name}' is not supported"):
            call()


def test_integers_beyond_int64_are_refused():
    with pytest.raises(ValueError, match=r"9223372036854779904.*2\*\*63"):
        ops.add(np.array([2**63 + 4096], "uint64"), 0)
    assert int(ops.add(np.array([2**63 - 1], "uint64"), 0)[0]) == 2**63 - 1
