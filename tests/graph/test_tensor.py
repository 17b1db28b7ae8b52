"""The symbolic tensor: operators, methods, NumPy's functions on it, and errors for values."""

import operator

import numpy as np
import pytest

from seqrnn import ops, trace

rng = np.random.default_rng(2)
X = rng.uniform(0.5, 2.0, size=(3, 4))
Y = rng.uniform(0.5, 2.0, size=(3, 4))


def run(fn, *arrays):
    """fn on tensors like the arrays, traced and run."""
    return trace.trace(fn, tuple(trace.Spec.like(a) for a in arrays)).run(arrays)


BINARY = [
    operator.add,
    operator.sub,
    operator.mul,
    operator.truediv,
    operator.floordiv,
    operator.mod,
    operator.pow,
    operator.eq,
    operator.ne,
    operator.lt,
    operator.le,
    operator.gt,
    operator.ge,
]


@pytest.mark.parametrize("op", BINARY)
def test_operators(op):
    for args, fn in [
        ((X, Y), lambda a, b: op(a, b)),
        ((X,), lambda a: op(a, 1.5)),
        ((X,), lambda a: op(1.5, a)),
        ((X,), lambda a: op(a, Y)),
        ((X,), lambda a: op(Y, a)),
        ((X,), lambda a: op(np.float64(1.5), a)),
    ]:
        got, expected = run(fn, *args), fn(*args)
        assert got.dtype == expected.dtype
        np.testing.assert_allclose(got, expected, rtol=1e-13)


def test_matmul_and_unary_operators():
    fn = lambda a, b: (a @ b.T, b.T @ Y, Y.T @ a, -a, +a, abs(-a))  # noqa: E731
    for got, expected in zip(run(fn, X, Y), fn(X, Y), strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-13)


def test_logic():
    fn = lambda a, b: ((a > 1) & (b > 1), (a > 1) | (b > 1), (a > 1) ^ (b > 1), ~(a > 1))  # noqa: E731
    for got, expected in zip(run(fn, X, Y), fn(X, Y), strict=True):
        np.testing.assert_array_equal(got, expected)


METHODS = [
    lambda a: a.sum(),
    lambda a: a.sum(0),
    lambda a: a.sum(axis=1, keepdims=True),
    lambda a: a.mean(1),
    lambda a: a.max(0),
    lambda a: a.min(),
    lambda a: a.prod(1),
    lambda a: a.std(0),
    lambda a: a.var(),
    lambda a: (a > 1).any(0),
    lambda a: (a > 0.6).all(),
    lambda a: a.argmax(1),
    lambda a: a.argmin(),
    lambda a: a.cumsum(1),
    lambda a: a.reshape(4, 3),
    lambda a: a.reshape((2, -1)),
    lambda a: a.transpose(),
    lambda a: a.transpose(1, 0),
    lambda a: a.transpose((0, 1)),
    lambda a: a.T,
    lambda a: a.swapaxes(0, 1),
    lambda a: a[:1].squeeze(0),
    lambda a: a.flatten(),
    lambda a: a.ravel(),
    lambda a: a.repeat(2, 1),
    lambda a: a.take([1, 0], 0),
    lambda a: a.dot(Y.T),
    lambda a: a.clip(0.8, 1.2),
    lambda a: a.round(),
    lambda a: a.astype("int32"),
    lambda a: a.copy(),
    lambda a: a.astype(np.float64),
]

NUMPY = [
    np.tanh,
    np.exp,
    np.sqrt,
    np.abs,
    np.sign,
    np.negative,
    np.square,
    lambda a: np.maximum(a, 1.0),
    lambda a: np.minimum(Y, a),
    lambda a: np.power(a, 2.5),
    lambda a: np.add(Y, a),
    lambda a: np.logical_and(a > 1, Y > 1),
    lambda a: np.where(a > 1, a, 0.0),
    lambda a: np.clip(a, 0.8, 1.2),
    lambda a: np.sum(a, axis=1),
    lambda a: np.mean(a, axis=(0, 1)),
    lambda a: np.max(a, axis=0, keepdims=True),
    lambda a: np.amin(a),
    lambda a: np.std(a, 1),
    lambda a: np.argmax(a, axis=1),
    lambda a: np.concatenate([a, Y], axis=1),
    lambda a: np.stack([Y, a]),
    lambda a: np.reshape(a, (2, 6)),
    lambda a: np.transpose(a),
    lambda a: np.expand_dims(a, 1),
    lambda a: np.squeeze(a[:, :1]),
    lambda a: np.matmul(a, Y.T),
    lambda a: np.dot(a, Y.T),
    lambda a: np.einsum("ij,kj->ik", a, Y),
    lambda a: np.zeros_like(a),
    lambda a: np.cumsum(a, axis=0),
    lambda a: np.flip(a, 1),
    lambda a: np.tile(a, (2, 1)),
    lambda a: np.repeat(a, 2, axis=0),
    lambda a: np.pad(a, ((1, 0), (0, 1))),
    lambda a: np.swapaxes(a, 0, 1),
    lambda a: np.moveaxis(a, 0, 1),
    lambda a: np.take(a, [0, 2], axis=0),
    lambda a: np.broadcast_to(a, (2, 3, 4)),
    lambda a: np.outer(a[0], a[1]),
    lambda a: np.fmod(a, 1.0) if isinstance(a, np.ndarray) else np.mod(a, 1.0),
]


@pytest.mark.parametrize("fn", METHODS + NUMPY)
def test_methods_and_numpy_functions(fn):
    got, expected = run(fn, X), np.asarray(fn(X))
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_what_is_known():
    def fn(a):
        assert (a.shape, a.ndim, a.size, a.dtype, len(a)) == ((3, 4), 2, 12, "float64", 3)
        assert repr(a) == "<Tensor shape=(3, 4) dtype=float64 of op 'input'>"
        assert {a: 1}[a] == 1  # hashes by identity
        rows = list(a)
        first, *_ = a
        assert len(rows) == 3 and rows[0].shape == first.shape == (4,)
        return ops.stack(rows)

    np.testing.assert_array_equal(run(fn, X), X)


VALUES = [
    (lambda t: bool(t > 0), "made by `<` or `>`,"),
    (lambda t: 1 if t.sum() > 0 else 2, "made by `<` or `>`,"),
    (lambda t: (t > 0) and t, r"ops\.where"),
    (lambda t: not t, r"ops\.where"),
    (lambda t: t in [1.0, 2.0], r"ops\.where"),
    (lambda t: float(t.sum()), "'sum'"),
    (lambda t: int(t.sum()), r"ops\.cast"),
    (lambda t: range(t.sum()), r"\.shape"),
    (lambda t: np.asarray(t), "NumPy array"),
    (lambda t: np.array([t, t]), "NumPy array|NumPy"),
    (lambda t: t.numpy(), "numpy"),
    (lambda t: t.sum().item(), "item"),
    (lambda t: t.tolist(), "tolist"),
    (lambda t: ops.convert_to_numpy(t), "Return the tensor"),
]


@pytest.mark.parametrize(("fn", "text"), VALUES)
def test_what_needs_a_value(fn, text):
    with pytest.raises(TypeError, match=text) as info:
        run(fn, X)
    assert "being traced" in str(info.value)


def test_numpy_functions_that_do_not_exist_here():
    for fn in (lambda a: np.add.outer(a, a), np.linalg.svd, np.linalg.eigvals):
        with pytest.raises(TypeError, match=r"does not work on tensors.*seqrnn\.ops"):
            run(fn, X)
    with pytest.raises(TypeError, match="out"):
        run(lambda a: np.tanh(a, out=X), X)


def test_a_tensor_that_outlives_its_trace():
    kept = []
    run(lambda a: kept.append(a) or a * 2, X)
    for use in (lambda t: t + 1, lambda t: -t, lambda t: t[0], lambda t: ops.add(Y, t)):
        with pytest.raises(ValueError, match="already been traced"):
            use(kept[0])
    with pytest.raises(ValueError, match="already been traced"):
        run(lambda a: a + kept[0], X)
    assert kept[0].frame.graph is None  # holds nothing but its shape


def test_a_tensor_of_another_trace():
    def outer(a):
        return run(lambda b: b + a, X)

    with pytest.raises(ValueError, match="another function"):
        run(outer, X)


def test_things_that_are_no_tensors():
    for wrong in (None, "x", {}, print):
        with pytest.raises(TypeError, match="expected a tensor"):
            run(lambda a, wrong=wrong: a + wrong, X)
