"""Activations that are seldom used: shrinking, sparse and gated ones."""

from __future__ import annotations

from seqrnn.ops.core import as_float, op
from seqrnn.ops.elementwise import (
    add,
    greater,
    less,
    less_equal,
    maximum,
    multiply,
    sqrt,
    square,
    subtract,
    tanh,
    where,
)
from seqrnn.ops.nn import relu, sigmoid
from seqrnn.ops.reduction import sum
from seqrnn.ops.shaping import expand_dims, moveaxis, split


@op
def soft_shrink(x, threshold=0.5):
    """x moved towards 0 by `threshold`, and 0 where |x| <= threshold."""
    x = as_float(x)
    below = where(less(x, -threshold), add(x, threshold), 0.0)
    return where(greater(x, threshold), subtract(x, threshold), below)


@op
def hard_shrink(x, threshold=0.5):
    """x, and 0 where |x| <= threshold."""
    x = as_float(x)
    return where(greater(x, threshold), x, where(less(x, -threshold), x, 0.0))


@op
def tanh_shrink(x):
    """x - tanh(x)."""
    x = as_float(x)
    return subtract(x, tanh(x))


@op
def threshold(x, threshold, default_value):
    """x, and `default_value` where x <= threshold."""
    x = as_float(x)
    return where(greater(x, threshold), x, default_value)


@op(static=("b",))
def squareplus(x, b=4):
    """(x + sqrt(x^2 + b)) / 2 (J. Barron, 2021, Squareplus: A Softplus-Like Rectifier)."""
    x = as_float(x)
    return multiply(add(x, sqrt(add(square(x), float(b)))), 0.5)


@op
def sparse_plus(x):
    """0 up to -1, (x + 1)^2 / 4 up to 1, then x: the integral of `sparse_sigmoid`."""
    x = as_float(x)
    middle = multiply(square(add(x, 1.0)), 0.25)
    return where(less_equal(x, -1.0), 0.0, where(less(x, 1.0), middle, x))


@op
def sparse_sigmoid(x):
    """(x + 1) / 2 between 0 and 1: the derivative of `sparse_plus`. Gradient 0 at -1 and 1."""
    x = as_float(x)
    middle = multiply(add(x, 1.0), 0.5)
    return where(less_equal(x, -1.0), 0.0, where(less_equal(1.0, x), 1.0, middle))


@op
def glu(x, axis=-1):
    """a sigmoid(b), where a and b are the halves of x along an axis (Y. Dauphin and others, 2017,
    Language Modeling with Gated Convolutional Networks). ValueError if its size is odd."""
    x = as_float(x)
    if x.shape[axis] % 2:
        raise ValueError(
            f"glu: the size of axis {axis} must be even, to be cut in halves; got shape {x.shape}."
        )
    a, b = split(x, 2, axis=axis)
    return multiply(a, sigmoid(b))


@op
def sparsemax(x, axis=-1):
    """The probabilities nearest to x along an axis: max(x - tau, 0), tau such that they sum to 1
    (A. Martins, R. Astudillo, 2016, From Softmax to Sparsemax).

    An element is above tau if what the larger ones exceed it by sums to less than 1. All pairs are
    compared, so memory grows with the square of the axis.
    """
    x = moveaxis(as_float(x), axis, -1)
    excess = sum(relu(subtract(expand_dims(x, -2), expand_dims(x, -1))), axis=-1)
    support = where(less(excess, 1.0), 1.0, 0.0)
    count = sum(support, axis=-1, keepdims=True)
    tau = (sum(multiply(x, support), axis=-1, keepdims=True) - 1.0) / count
    return moveaxis(maximum(subtract(x, tau), 0.0), -1, axis)
