"""More functions of neural networks: classes, normalisation, attention."""

from __future__ import annotations

import numpy as np

from seqrnn import config
from seqrnn.ops.core import as_float, as_tensor, many_axes, one_axis, op, same_dtype
from seqrnn.ops.elementwise import (
    add,
    log10,
    multiply,
    rsqrt,
    square,
    subtract,
    where,
)
from seqrnn.ops.linear import einsum
from seqrnn.ops.nn import layer_norm, one_hot, softmax
from seqrnn.ops.reduction import max, mean, var
from seqrnn.ops.shaping import reshape, tril

# ---- classes ----


@op
def multi_hot(inputs, num_classes=None, axis=-1, dtype=None, sparse=False, **kwargs):
    """1 for each class that is among the last axis of the inputs (B, n), else 0: (B, classes)."""
    if kwargs:
        raise TypeError(f"multi_hot: unknown argument {next(iter(kwargs))!r}.")
    if num_classes is None:
        raise ValueError("multi_hot: give `num_classes`, the size of the result's last axis.")
    if axis != -1:
        raise ValueError(f"multi_hot: the classes are the last axis; axis must be -1, got {axis}.")
    hot = one_hot(inputs, num_classes, -1, dtype, sparse)
    return max(hot, 1 if hot.ndim > 2 else 0)


@op
def categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-sum(target log p) over an axis, p the output made to sum to 1; see the loss."""
    from seqrnn.losses import functions

    return functions.categorical_crossentropy(target, output, from_logits, 0.0, axis)


@op
def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1):
    """-log p of the class in target: (B, ...) integers against (B, ..., classes); see the loss."""
    from seqrnn.losses import functions

    return functions.sparse_categorical_crossentropy(target, output, from_logits, None, axis)


@op
def psnr(x1, x2, max_val):
    """The peak signal-to-noise ratio in dB: 20 log10(max_val) - 10 log10(mean (x1 - x2)^2)."""
    a, b = same_dtype([as_float(x1), as_float(x2)])
    if a.shape != b.shape:
        raise ValueError(f"psnr: the shapes {a.shape} and {b.shape} differ.")
    peak = log10(as_tensor(max_val, a.dtype))
    return subtract(multiply(peak, 20.0), multiply(log10(mean(square(subtract(a, b)))), 10.0))


# ---- normalisation ----


@op
def batch_normalization(x, mean, variance, axis, offset=None, scale=None, epsilon=1e-3):
    """(x - mean) / sqrt(variance + epsilon) * scale + offset; all of these have the size of x's
    axis `axis`: shape (channels,)."""
    x = as_float(x)
    axis = one_axis(axis, x.ndim, "batch_normalization")
    shape = [-1 if a == axis else 1 for a in range(x.ndim)]

    def spread(t):
        return reshape(as_tensor(t, x.dtype), shape)

    factor = rsqrt(add(spread(variance), epsilon))
    if scale is not None:
        factor = multiply(factor, spread(scale))
    x = multiply(subtract(x, spread(mean)), factor)
    return x if offset is None else add(x, spread(offset))


@op
def layer_normalization(x, gamma=None, beta=None, axis=-1, epsilon=None, **kwargs):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta over one axis or several.

    gamma, beta: of the sizes of the axes. epsilon: default `epsilon()`. (Ba et al., Layer
    Normalization, 2016.) ValueError for `rms_scaling`: use `rms_normalization`.
    """
    if kwargs.pop("rms_scaling", False):
        raise ValueError("layer_normalization: rms_scaling is not supported; rms_normalization is.")
    if kwargs:
        raise TypeError(f"layer_normalization: unknown argument {next(iter(kwargs))!r}.")
    x = as_float(x)
    axes = many_axes(axis, x.ndim, "layer_normalization")
    epsilon = config.epsilon() if epsilon is None else epsilon
    if axes == (x.ndim - 1,):
        return layer_norm(x, gamma, beta, epsilon)
    factor = rsqrt(add(var(x, axes, True), epsilon))
    y = multiply(subtract(x, mean(x, axes, True)), factor)
    shape = [d if a in axes else 1 for a, d in enumerate(x.shape)]
    y = y if gamma is None else multiply(y, reshape(as_tensor(gamma, x.dtype), shape))
    return y if beta is None else add(y, reshape(as_tensor(beta, x.dtype), shape))


@op
def rms_normalization(x, scale=None, axis=-1, epsilon=None):
    """x / sqrt(mean of x^2 + epsilon) * scale over one axis or several; epsilon: default
    `epsilon()`. (Zhang and Sennrich, Root Mean Square Layer Normalization, 2019.)"""
    x = as_float(x)
    epsilon = config.epsilon() if epsilon is None else epsilon
    x = multiply(x, rsqrt(add(mean(square(x), axis, True), epsilon)))
    return x if scale is None else multiply(x, as_tensor(scale, x.dtype))


@op
def rms_norm(x, scale=None, axis=-1, epsilon=1e-6):
    """`rms_normalization` with another default of epsilon."""
    return rms_normalization(x, scale, axis, epsilon)


# ---- attention ----


@op
def dot_product_attention(
    query,
    key,
    value,
    bias=None,
    mask=None,
    scale=None,
    is_causal=False,
    flash_attention=None,
    attn_logits_soft_cap=None,
):
    """softmax(scale query key^T + bias) value, per head (Vaswani et al., Attention Is All You
    Need, 2017).

    Args:
        query: (batch, T, heads, size).
        key, value: (batch, S, heads, size); or fewer heads, each for several of the query's.
        bias, mask: broadcast to (batch, heads, T, S); False in the bool mask: not looked at.
        scale: default 1 / sqrt(size).
        is_causal: step t of the query looks at steps up to t of the key only.
        flash_attention: None or False; True is a ValueError, as there is one way to compute it.
        attn_logits_soft_cap: not supported, a ValueError.
    """
    if flash_attention or attn_logits_soft_cap is not None:
        name = "flash_attention" if flash_attention else "attn_logits_soft_cap"
        raise ValueError(f"dot_product_attention: {name} is not supported, leave it out.")
    query, key, value = same_dtype([as_float(t) for t in (query, key, value)])
    if {query.ndim, key.ndim, value.ndim} != {4}:
        raise ValueError(
            "dot_product_attention: expected query, key and value of shape (batch, time, heads, "
            f"size), got {query.shape}, {key.shape}, {value.shape}."
        )
    groups = query.shape[2] // key.shape[2]
    if groups > 1:
        key, value = key.repeat(groups, 2), value.repeat(groups, 2)
    scale = key.shape[-1] ** -0.5 if scale is None else scale
    scores = multiply(einsum("btnh,bsnh->bnts", query, key), scale)
    if bias is not None:
        scores = add(scores, as_tensor(bias, scores.dtype))
    lowest = float(np.finfo(scores.dtype).min) / 2
    if mask is not None:
        scores = where(mask, scores, lowest)
    if is_causal:
        scores = where(tril(np.ones(scores.shape[-2:], bool)), scores, lowest)
    return einsum("bnts,bsnh->btnh", softmax(scores), value)
