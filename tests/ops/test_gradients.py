"""Gradients of the functions that are made of several ops, against central differences."""

import numpy as np
import pytest
from ops.test_specs import close

from seqrnn import ops, trace
from seqrnn.trace import Variable

rng = np.random.default_rng(12)
X = rng.normal(size=(3, 4)) * 1.5
P = rng.uniform(0.3, 2.0, size=(3, 4))
T = rng.normal(size=(2, 3, 4))

SMOOTH = (ops.elu, ops.celu, ops.selu, ops.silu, ops.softplus, ops.softsign, ops.mish, ops.gelu)
OTHERS = (ops.leaky_relu, ops.log_sigmoid, ops.hard_silu, ops.sinh, ops.cosh, ops.exp2)
REDUCTIONS = (ops.logsumexp, ops.std, ops.var, ops.mean, ops.log_softmax, ops.softmax)

FUNCTIONS = {
    **{fn.__name__: (fn, (X,)) for fn in SMOOTH + OTHERS + REDUCTIONS},
    "tan": (ops.tan, (P / 2,)),
    "gelu exact": (lambda x: ops.gelu(x, approximate=False), (X,)),
    "log2": (ops.log2, (P,)),
    "logaddexp": (ops.logaddexp, (X, P)),
    "power by an int": (lambda x: ops.power(x, 3), (X,)),
    "divide_no_nan": (ops.divide_no_nan, (X, P)),
    "clip": (lambda x: ops.clip(x, -0.5, 0.7), (X,)),
    "norm": (lambda x: ops.norm(x, axis=1), (X,)),
    "norm 3": (lambda x: ops.norm(x, 3, axis=0), (X,)),
    "normalize": (ops.normalize, (X,)),
    "softmax along 0": (lambda x: ops.softmax(x, 0), (X,)),
    "binary_crossentropy": (lambda p: ops.binary_crossentropy(X > 0, p / 3), (P,)),
    "logits": (lambda x: ops.binary_crossentropy(P > 1, x, from_logits=True), (X,)),
    "layer_norm": (ops.layer_norm, (X, P[0], X[1])),
    "rms_norm": (ops.rms_norm, (X, P[0])),
    "matmul": (ops.matmul, (T, X.T)),
    "matmul of vectors": (ops.matmul, (X[0], P[1])),
    "tensordot": (lambda x, y: ops.tensordot(x, y, ((2, 0), (1, 2))), (T, T.transpose(1, 2, 0))),
    "dot": (ops.dot, (X, T.transpose(0, 2, 1))),
    "einsum": (lambda x, y: ops.einsum("bij,kj->bik", x, y), (T, X)),
    "einsum of a diagonal": (lambda x: ops.einsum("ii->i", x), (X[:, :3],)),
    "stack": (lambda x, y: ops.stack([x, y, x], 1), (X, P)),
    "split": (lambda x: ops.split(x, 2, 1)[1], (X,)),
    "tile": (lambda x: ops.tile(x, (2, 3)), (X,)),
    "repeat": (lambda x: ops.repeat(x, 2, 1), (X,)),
    "repeat by counts": (lambda x: ops.repeat(x, [2, 0, 1], 0), (X,)),
    "roll": (lambda x: ops.roll(x, 2, 1), (X,)),
    "pad by reflection": (lambda x: ops.pad(x, 2, "reflect"), (X,)),
    "take twice": (lambda x: ops.take(x, [1, 1, -1], 0), (X,)),
    "take_along_axis": (lambda x: ops.take_along_axis(x, np.argsort(X, 1), 1), (X,)),
    "moveaxis": (lambda x: ops.moveaxis(x, 0, -1), (T,)),
    "cumsum": (lambda x: ops.cumsum(x, 0), (X,)),
    "tril": (lambda x: ops.tril(x), (X,)),
    "max": (lambda x: ops.max(x, 1), (X,)),
    "where": (lambda x, y: ops.where(X > 0, x, y), (X, P)),
    "conv": (
        lambda x, w: ops.conv(x, w, 2, "same"),
        (rng.normal(size=(2, 7, 3)), rng.normal(size=(3, 3, 2))),
    ),
    "conv_transpose": (
        lambda x, w: ops.conv_transpose(x, w, 2, "same"),
        (rng.normal(size=(2, 4, 3)), rng.normal(size=(3, 2, 3))),
    ),
    "separable_conv": (
        lambda x, w, v: ops.separable_conv(x, w, v, 2, "same"),
        tuple(rng.normal(size=s) for s in ((2, 7, 3), (3, 3, 2), (1, 6, 2))),
    ),
    "correlate": (lambda x, y: ops.correlate(x[0], y[:, 0], "full"), (X, P)),
    "max_pool": (lambda x: ops.max_pool(x, 2, 1, "same"), (T,)),
    "average_pool": (lambda x: ops.average_pool(x, 2, 1, "same"), (T,)),
    "adaptive_average_pool": (lambda x: ops.adaptive_average_pool(x, 2), (T,)),
    "segment_max": (lambda x: ops.segment_max(x, np.array([0, 1, 0])[: len(X)], 2), (X,)),
    "segment_prod": (lambda x: ops.segment_prod(x, np.zeros(len(X), int), 1), (X,)),
    "nanmedian": (lambda x: ops.nanmedian(ops.where(X > 0.5, np.nan, x), 1), (X,)),
    "ctc_loss": (
        lambda x: ops.ctc_loss(np.array([[1, 2], [3, 3]]), x, np.array([2, 2]), np.array([6, 4])),
        (rng.normal(size=(2, 6, 4)),),
    ),
    "trace": (lambda x: ops.trace(x), (X,)),
}


def run(fn, arrays):
    """The loss sum(w * fn(...)) and its gradients."""
    variables = [Variable(a) for a in arrays]
    weights = np.random.default_rng(1)

    def loss():
        y = fn(*variables)
        return ops.sum(y * np.asarray(weights.normal(size=y.shape)))

    value, gradients = trace.trace(loss, (), trainable=variables).gradients(())
    return float(value), gradients


@pytest.mark.parametrize("name", FUNCTIONS)
def test_gradient(name):
    fn, arrays = FUNCTIONS[name]
    arrays = [np.array(a) for a in arrays]
    _, got = run(fn, arrays)
    step = 1e-5
    for a, gradient in zip(arrays, got, strict=True):
        expected = np.zeros_like(a)
        for at in np.ndindex(a.shape):
            middle = a[at]
            a[at] = middle + step
            above = run(fn, arrays)[0]
            a[at] = middle - step
            below = run(fn, arrays)[0]
            a[at] = middle
            expected[at] = (above - below) / (2 * step)
        close(gradient, expected, 1e-6)


def test_gradients_stay_finite_at_the_extremes():
    x = np.array([-1e3, -1.0, 0.0, 1.0, 1e3])
    for fn in (*SMOOTH, ops.leaky_relu, ops.log_sigmoid, ops.sigmoid):
        assert np.isfinite(run(fn, [x])[1][0]).all(), fn
    for p in (0.0, 1.0):
        loss = lambda v, p=p: ops.binary_crossentropy(1.0 - p, v)  # noqa: E731
        assert np.isfinite(run(loss, [np.array([p])])[1][0]).all()
    zero = np.zeros(3)
    assert np.isfinite(run(lambda v: ops.divide_no_nan(v, v * 0.0), [zero])[1][0]).all()
    assert np.isfinite(run(ops.logsumexp, [np.array([1e3, -1e3])])[1][0]).all()


def test_stop_gradient():
    _, (gradient,) = run(lambda x: x * ops.stop_gradient(x), [np.array(3.0)])
    _, (plain,) = run(lambda x: x, [np.array(3.0)])
    np.testing.assert_allclose(gradient, 3.0 * plain)
