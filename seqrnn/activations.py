"""Activations: elementwise functions of a tensor (softmax and log_softmax: along an axis).

Any of them is called with tensors, placeholders or arrays. A function `fn(x)` of tensors serves
as an activation as well.
"""

from __future__ import annotations

import math

from seqrnn import ops
from seqrnn.lookup import Lookup

_SELU_ALPHA = 1.67326324235437728
_SELU_SCALE = 1.05070098735548049


def linear(x):
    """x."""
    return x


def tanh(x):
    """(e^x - e^-x) / (e^x + e^-x)."""
    return ops.tanh(x)


def sigmoid(x):
    """1 / (1 + e^-x)."""
    return ops.sigmoid(x)


def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """max(x, 0), or in general: x from `threshold` on, below it negative_slope * (x - threshold);
    at most max_value."""
    if negative_slope == 0.0 and threshold == 0.0:
        y = ops.relu(x)
    else:
        below = 0.0 if negative_slope == 0.0 else negative_slope * (x - threshold)
        above = x > threshold if negative_slope == 0.0 else x >= threshold
        y = ops.where(above, x, below)
    return y if max_value is None else ops.minimum(y, max_value)


def relu6(x):
    """min(max(x, 0), 6)."""
    return ops.minimum(ops.relu(x), 6.0)


def leaky_relu(x, negative_slope=0.2):
    """x for x >= 0, negative_slope * x below. (The layer LeakyReLU has another default, 0.3.)"""
    return ops.where(x >= 0.0, x, negative_slope * x)


def elu(x, alpha=1.0):
    """x for x > 0, alpha * (e^x - 1) below."""
    return ops.where(x > 0.0, x, alpha * ops.expm1(ops.where(x > 0.0, 0.0, x)))


def selu(x):
    """1.0507 * elu(x, 1.6733): keeps mean 0 and variance 1. Klambauer et al. (2017)."""
    return _SELU_SCALE * elu(x, _SELU_ALPHA)


def softplus(x):
    """log(1 + e^x)."""
    size = ops.abs(x)
    return 0.5 * (x + size) + ops.log1p(ops.exp(-size))  # so the slope at 0 is 1/2


def softsign(x):
    """x / (1 + |x|)."""
    return x / (1.0 + ops.abs(x))


def hard_sigmoid(x):
    """x / 6 + 1/2, clipped to [0, 1]."""
    return ops.clip(x / 6.0 + 0.5, 0.0, 1.0)


def hard_silu(x):
    """x * hard_sigmoid(x)."""
    return x * hard_sigmoid(x)


def exponential(x):
    """e^x."""
    return ops.exp(x)


def gelu(x, approximate=False):
    """x * Phi(x), Phi the standard normal distribution; by tanh if `approximate`."""
    if approximate:
        inner = math.sqrt(2.0 / math.pi) * (x + 0.044715 * x * x * x)
        return 0.5 * x * (1.0 + ops.tanh(inner))
    return 0.5 * x * (1.0 + ops.erf(x / math.sqrt(2.0)))


def silu(x):
    """x * sigmoid(x), also called swish."""
    return x * ops.sigmoid(x)


def mish(x):
    """x * tanh(softplus(x))."""
    return x * ops.tanh(softplus(x))


def log_sigmoid(x):
    """log(sigmoid(x))."""
    return -softplus(-x)


def softmax(x, axis=-1):
    """e^x / sum of e^x along `axis`."""
    return ops.softmax(x, axis=axis)


def log_softmax(x, axis=-1):
    """log(softmax(x))."""
    return ops.log_softmax(x, axis=axis)


swish, hard_swish = silu, hard_silu

_FUNCTIONS = (
    linear, tanh, sigmoid, relu, relu6, leaky_relu, elu, selu, softplus, softsign, hard_sigmoid,
    hard_silu, exponential, gelu, silu, mish, log_sigmoid, softmax, log_softmax,
)  # fmt: skip
_known = {function.__name__: function for function in _FUNCTIONS}
_lookup = Lookup("activation", {**_known, "swish": silu, "hard_swish": hard_silu})


def get(identifier):
    """The function that a name, config, layer or function stands for; linear for None."""
    return linear if identifier is None else _lookup.get(identifier)


def serialize(activation):
    """The name of one of ours; other functions and layers as data."""
    name = getattr(activation, "__name__", None)
    return name if _known.get(name) is activation else _lookup.serialize(activation)


deserialize = _lookup.deserialize
