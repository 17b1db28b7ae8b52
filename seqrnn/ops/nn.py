"""Functions of neural networks: activations, softmax, normalisation, recurrence."""

from __future__ import annotations

import math

import numpy as np

from seqrnn import config
from seqrnn.ops.core import as_float, as_tensor, many_axes, op, operands
from seqrnn.ops.elementwise import (
    abs,
    add,
    clip,
    divide,
    equal,
    erf,
    exp,
    expm1,
    less,
    less_equal,
    log,
    log1p,
    maximum,
    minimum,
    multiply,
    negative,
    square,
    subtract,
    tanh,
    where,
)
from seqrnn.ops.reduction import along_last
from seqrnn.ops.shaping import moveaxis, reshape, transpose
from seqrnn.trace.frame import Tensor, emit, emit1

# ---- activations ----


@op
def relu(x):
    """max(x, 0)."""
    x = as_tensor(x)
    return emit1("relu", as_tensor(x, "int32") if x.dtype == "bool" else x)


@op
def relu6(x):
    """x between 0 and 6. Gradient 0 at both."""
    x = as_tensor(x)
    return where(less_equal(6, x), 6, relu(x))


@op(static=("negative_slope",))
def leaky_relu(x, negative_slope=0.2):
    """x, times `negative_slope` where it is not positive."""
    x = as_float(x)
    return where(less(0.0, x), x, multiply(x, negative_slope))


@op(static=("alpha",))
def elu(x, alpha=1.0):
    """x, and alpha (exp(x) - 1) where it is negative."""
    x = as_float(x)
    return where(less(x, 0.0), multiply(expm1(minimum(x, 0.0)), alpha), x)


@op(static=("alpha",))
def celu(x, alpha=1.0):
    """x, and alpha (exp(x / alpha) - 1) where it is negative."""
    x = as_float(x)
    return where(less(x, 0.0), multiply(expm1(divide(minimum(x, 0.0), alpha)), alpha), x)


@op
def selu(x):
    """A scaled elu that keeps mean 0 and variance 1 (Klambauer et al., 2017)."""
    return multiply(elu(x, 1.6732632423543772), 1.0507009873554805)


@op
def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return emit1("sigmoid", as_float(x))


@op
def log_sigmoid(x):
    """log(sigmoid(x))."""
    return negative(softplus(negative(as_float(x))))


@op
def hard_sigmoid(x):
    """x / 6 + 0.5 between 0 and 1. Gradient 0 at -3 and 3."""
    return divide(relu6(add(as_float(x), 3.0)), 6.0)


@op
def silu(x):
    """x sigmoid(x)."""
    x = as_float(x)
    return multiply(x, sigmoid(x))


swish = silu


@op
def hard_silu(x):
    """x hard_sigmoid(x)."""
    x = as_float(x)
    return multiply(x, hard_sigmoid(x))


hard_swish = hard_silu


@op
def hard_tanh(x):
    """x between -1 and 1. Gradient 1 at both."""
    x = as_float(x)
    return where(less(x, -1.0), -1.0, where(less(1.0, x), 1.0, x))


@op
def softplus(x):
    """log(1 + exp(x)) without overflow."""
    x = as_float(x)
    return add(maximum(x, 0.0), log1p(exp(negative(abs(x)))))


@op
def softsign(x):
    """x / (1 + |x|)."""
    x = as_float(x)
    return divide(x, add(abs(x), 1.0))


@op
def mish(x):
    """x tanh(softplus(x))."""
    x = as_float(x)
    return multiply(x, tanh(softplus(x)))


@op
def gelu(x, approximate=True):
    """x times the normal distribution function of x; `approximate`: by a tanh."""
    x = as_float(x)
    if approximate:
        cubic = multiply(add(x, multiply(multiply(square(x), x), 0.044715)), math.sqrt(2 / math.pi))
        return multiply(multiply(x, 0.5), add(tanh(cubic), 1.0))
    return multiply(multiply(x, 0.5), add(erf(multiply(x, math.sqrt(0.5))), 1.0))


def _over_axes(fn, x: Tensor, axes) -> Tensor:
    """`fn` along the last axis, of x with these axes put together as the last."""
    axes = many_axes(axes, x.ndim, fn.__name__)
    perm = [*(a for a in range(x.ndim) if a not in axes), *axes]
    moved = transpose(x, perm)
    flat = fn(reshape(moved, (*moved.shape[: x.ndim - len(axes)], -1)))
    return transpose(reshape(flat, moved.shape), sorted(range(x.ndim), key=perm.__getitem__))


@op
def softmax(x, axis=-1):
    """exp(x) divided by its sum along an axis, or over several axes together."""
    if isinstance(axis, (tuple, list)):
        return _over_axes(softmax, as_float(x), axis)
    return along_last(lambda t: emit1("softmax", t), as_float(x), axis, "softmax")


@op
def log_softmax(x, axis=-1):
    """log(softmax(x)), along an axis or over several."""
    if isinstance(axis, (tuple, list)):
        return _over_axes(log_softmax, as_float(x), axis)
    return along_last(lambda t: emit1("log_softmax", t), as_float(x), axis, "log_softmax")


# ---- classes ----


@op
def one_hot(x, num_classes, axis=-1, dtype=None, sparse=False):
    """1 at the place of each class and 0 elsewhere, along a new axis; all 0 for a class outside."""
    if sparse:
        raise ValueError("one_hot: there are no sparse tensors; leave `sparse` out.")
    x = as_tensor(x)
    classes = as_tensor(np.arange(num_classes), x.dtype)
    wide = emit1("reshape", x, shape=(*x.shape, 1))
    hot = as_tensor(equal(wide, classes), config.standardize_dtype(dtype))
    return hot if axis in (-1, x.ndim) else moveaxis(hot, -1, axis)


@op
def binary_crossentropy(target, output, from_logits=False):
    """-(t log p + (1 - t) log(1 - p)) of each element."""
    target, output = operands(target, as_float(output))
    if from_logits:
        return add(
            subtract(maximum(output, 0.0), multiply(output, target)),
            log1p(exp(negative(abs(output)))),
        )
    p = clip(output, config.epsilon(), 1.0 - config.epsilon())
    positive = multiply(target, log(p))
    return negative(add(positive, multiply(subtract(1.0, target), log(subtract(1.0, p)))))


# ---- layers in one op ----


@op
def layer_norm(x, gamma=None, beta=None, epsilon=1e-3):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta over the last axis, variance / n.

    gamma, beta: shape (size of the last axis,), or None for 1 and 0.
    """
    x = as_float(x)
    gamma, beta = (None if t is None else as_tensor(t, x.dtype) for t in (gamma, beta))
    return emit("layer_norm", [x, gamma, beta], epsilon=float(epsilon))[0]


# ---- recurrence: time-major, the input projected before; the formulas stand in csrc/ops ----

ACTIVATIONS = (
    "linear",
    "tanh",
    "sigmoid",
    "relu",
    "hard_sigmoid",
    "softsign",
    "elu",
    "exponential",
    "softplus",
    "selu",
    "relu6",
    "leaky_relu",
)


@op
def rnn(xz, R, h0, mask=None, rmask=None, activation="tanh", reverse=False, zero_output=False):
    """A simple recurrent layer over a whole sequence: returns (y, last h).

    xz: (T, B, U), the input after its kernel and bias. R: (U, U). h0: (B, U). mask: (T, B) bool.
    rmask: (1, B, U), what the state is multiplied by before R.
    """
    return tuple(
        emit(
            "rnn",
            [xz, R, h0, mask, rmask],
            activation=activation,
            reverse=reverse,
            zero_output=zero_output,
        )[:2]
    )


@op
def lstm(
    xz,
    R,
    h0,
    c0,
    mask=None,
    rmask=None,
    activation="tanh",
    recurrent_activation="sigmoid",
    reverse=False,
    zero_output=False,
):
    """An LSTM over a whole sequence: returns (y, last h, last c).

    xz: (T, B, 4U), gates i, f, c, o. R: (U, 4U). h0, c0: (B, U). mask: (T, B) bool.
    rmask: (1 or 4, B, U), what h is multiplied by before R.
    """
    return tuple(
        emit(
            "lstm",
            [xz, R, h0, c0, mask, rmask],
            activation=activation,
            recurrent_activation=recurrent_activation,
            reverse=reverse,
            zero_output=zero_output,
        )[:3]
    )


@op
def gru(
    xz,
    R,
    rb,
    h0,
    mask=None,
    rmask=None,
    activation="tanh",
    recurrent_activation="sigmoid",
    reset_after=True,
    reverse=False,
    zero_output=False,
):
    """A GRU over a whole sequence: returns (y, last h).

    xz: (T, B, 3U), gates z, r, h, the input bias included. R: (U, 3U). rb: (3U,) recurrent bias,
    with `reset_after` only, or None. h0: (B, U). mask: (T, B) bool. rmask: (1 or 3, B, U).
    """
    return tuple(
        emit(
            "gru",
            [xz, R, rb, h0, mask, rmask],
            activation=activation,
            recurrent_activation=recurrent_activation,
            reset_after=reset_after,
            reverse=reverse,
            zero_output=zero_output,
        )[:2]
    )
