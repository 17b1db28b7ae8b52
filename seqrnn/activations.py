"""Activations: elementwise functions of a tensor (softmax, log_softmax, sparsemax and glu: along an
axis).

Each can be called with tensors, placeholders or arrays. A function `fn(x)` of tensors serves as an
activation as well.
"""

from __future__ import annotations

from seqrnn import ops
from seqrnn.lookup import Lookup
from seqrnn.ops import (
    celu,
    elu,
    glu,
    hard_shrink,
    hard_sigmoid,
    hard_silu,
    hard_swish,
    hard_tanh,
    leaky_relu,
    log_sigmoid,
    log_softmax,
    mish,
    relu6,
    selu,
    sigmoid,
    silu,
    soft_shrink,
    softmax,
    softplus,
    softsign,
    sparse_plus,
    sparse_sigmoid,
    sparsemax,
    squareplus,
    swish,
    tanh,
    tanh_shrink,
    threshold,
)
from seqrnn.ops.core import op


def linear(x):
    """x."""
    return x


@op
def exponential(x):
    """e^x."""
    return ops.exp(x)


@op
def gelu(x, approximate=False):
    """x times the normal distribution function of x; `approximate`: by a tanh."""
    return ops.gelu(x, approximate)


@op
def relu(x, negative_slope=0.0, max_value=None, threshold=0.0):
    """max(x, 0). In general: x above `threshold`, else negative_slope * (x - threshold); with
    `max_value`, x lies between 0 and that."""
    if threshold == 0.0:
        y = ops.relu(x)
    else:
        y = ops.where(x > threshold, x, 0.0)
    if max_value is not None:
        y = ops.clip(y, 0.0, max_value)
    return y - negative_slope * ops.relu(threshold - x) if negative_slope else y


_FUNCTIONS = (
    celu, elu, exponential, gelu, glu, hard_shrink, hard_sigmoid, hard_silu, hard_tanh, leaky_relu,
    linear, log_sigmoid, log_softmax, mish, relu, relu6, selu, sigmoid, silu, soft_shrink, softmax,
    softplus, softsign, sparse_plus, sparse_sigmoid, sparsemax, squareplus, tanh, tanh_shrink,
    threshold,
)  # fmt: skip
_known = {function.__name__: function for function in _FUNCTIONS}
_lookup = Lookup("activation", {**_known, "swish": swish, "hard_swish": hard_swish})


def get(identifier):
    """The function that a name, config, layer or function stands for; linear for None."""
    return linear if identifier is None else _lookup.get(identifier)


def serialize(activation):
    """The name of one of ours; other functions and layers as data."""
    name = getattr(activation, "__name__", None)
    return name if _known.get(name) is activation else _lookup.serialize(activation)


deserialize = _lookup.deserialize
