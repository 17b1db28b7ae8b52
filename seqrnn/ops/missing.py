"""Functions along axes that leave NaN out: nansum, nanmean, nanmax, ...

Integers and bools have no NaN and are taken as they are.
"""

from __future__ import annotations

import math

from seqrnn import config
from seqrnn.ops.core import as_float, as_tensor, op
from seqrnn.ops.elementwise import divide, isnan, logical_not, sqrt, square, subtract, where
from seqrnn.ops.reduction import all, argmax, argmin, cumprod, cumsum, max, min, prod, sum
from seqrnn.trace.frame import Tensor


def _filled(x, value: float, dtype=None) -> Tensor:
    x = as_tensor(x, dtype)
    return where(isnan(x), value, x) if config.is_float(x.dtype) else x


def _none_left(result: Tensor, x, axis, keepdims: bool) -> Tensor:
    """The result, and NaN where all elements were NaN."""
    x = as_tensor(x)
    if not config.is_float(x.dtype):
        return result
    return where(all(isnan(x), axis, keepdims), math.nan, result)


@op
def nansum(x, axis=None, keepdims=False):
    """The sum of what is not NaN; of nothing 0."""
    return sum(_filled(x, 0.0), axis, keepdims)


@op
def nanprod(x, axis=None, keepdims=False):
    """The product of what is not NaN; of nothing 1."""
    return prod(_filled(x, 1.0), axis, keepdims)


@op
def nanmax(x, axis=None, keepdims=False):
    """The largest that is not NaN; NaN of nothing else."""
    return _none_left(max(_filled(x, -math.inf), axis, keepdims), x, axis, keepdims)


@op
def nanmin(x, axis=None, keepdims=False):
    """The smallest that is not NaN; NaN of nothing else."""
    return _none_left(min(_filled(x, math.inf), axis, keepdims), x, axis, keepdims)


@op
def nanmean(x, axis=None, keepdims=False):
    """The mean of what is not NaN, a float; NaN of nothing."""
    x = as_float(x)
    count = sum(as_tensor(logical_not(isnan(x)), x.dtype), axis, keepdims)
    return divide(nansum(x, axis, keepdims), count)


@op
def nanvar(x, axis=None, keepdims=False):
    """The mean square of the distances from the mean, of what is not NaN (divided by n)."""
    x = as_float(x)
    return nanmean(square(subtract(x, nanmean(x, axis, True))), axis, keepdims)


@op
def nanstd(x, axis=None, keepdims=False):
    """The square root of `nanvar`."""
    return sqrt(nanvar(x, axis, keepdims))


@op
def nancumsum(x, axis=None, dtype=None):
    """`cumsum` with NaN as 0."""
    return cumsum(_filled(x, 0.0), axis, dtype)


@op
def nancumprod(x, axis=None, dtype=None):
    """`cumprod` with NaN as 1."""
    return cumprod(_filled(x, 1.0), axis, dtype)


@op
def nanargmax(x, axis=None, keepdims=False):
    """Where the largest that is not NaN stands (int32); -1 if all are NaN, as in Keras."""
    return _place(argmax, x, -math.inf, axis, keepdims)


@op
def nanargmin(x, axis=None, keepdims=False):
    """Where the smallest that is not NaN stands (int32); -1 if all are NaN, as in Keras."""
    return _place(argmin, x, math.inf, axis, keepdims)


def _place(search, x, value: float, axis, keepdims: bool) -> Tensor:
    place = search(_filled(x, value), axis, keepdims)
    x = as_tensor(x)
    if not config.is_float(x.dtype):
        return place
    return where(all(isnan(x), axis, keepdims), -1, place)
