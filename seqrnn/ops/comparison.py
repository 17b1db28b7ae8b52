"""More functions of each element: nearness, infinities, parts of numbers, remainders, steps."""

from __future__ import annotations

import math

import numpy as np

from seqrnn import config
from seqrnn.ops.core import as_float, as_tensor, op, operands
from seqrnn.ops.elementwise import (
    abs,
    add,
    cast,
    clip,
    divide,
    equal,
    exp2,
    isnan,
    less,
    less_equal,
    logaddexp,
    logical_and,
    logical_not,
    logical_or,
    maximum,
    minimum,
    mod,
    multiply,
    negative,
    sign,
    subtract,
    where,
)
from seqrnn.ops.reduction import all, any
from seqrnn.ops.shaping import reshape


@op
def isclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether |x1 - x2| <= atol + rtol |x2|, bool; `equal_nan`: two NaN are near each other."""
    a, b = (as_float(t) for t in operands(x1, x2))
    near = less_equal(abs(subtract(a, b)), add(multiply(abs(b), rtol), atol))
    near = where(less(abs(b), math.inf), near, equal(a, b))
    return logical_or(near, logical_and(isnan(a), isnan(b))) if equal_nan else near


@op
def allclose(x1, x2, rtol=1e-5, atol=1e-8, equal_nan=False):
    """Whether all elements are near each other (see `isclose`): a bool of shape ()."""
    return all(isclose(x1, x2, rtol, atol, equal_nan))


@op
def isposinf(x):
    """Whether it is +infinity, bool."""
    return equal(as_float(x), math.inf)


@op
def signbit(x):
    """Whether the sign is a minus, that of -0.0 too; False for NaN."""
    x = as_tensor(x)
    if not config.is_float(x.dtype):
        return less(x, 0)
    return where(equal(x, 0.0), less(divide(1.0, x), 0.0), less(x, 0.0))


@op
def isneginf(x):
    """Whether it is -infinity, bool."""
    return equal(as_float(x), -math.inf)


@op
def isreal(x):
    """Whether the imaginary part is 0, bool: true, as there are no complex numbers."""
    return equal(as_tensor(x, "bool"), as_tensor(x, "bool"))


@op
def real(x):
    """The real part: x, as there are no complex numbers."""
    return as_tensor(x)


@op
def conj(x):
    """The complex conjugate: x, as there are no complex numbers."""
    return as_tensor(x)


conjugate = conj


@op
def fmax(x1, x2):
    """The larger of each two elements; of a number and NaN the number."""
    a, b = operands(x1, x2)
    return where(isnan(a), b, where(isnan(b), a, maximum(a, b)))


@op
def fmin(x1, x2):
    """The smaller of each two elements; of a number and NaN the number."""
    a, b = operands(x1, x2)
    return where(isnan(a), b, where(isnan(b), a, minimum(a, b)))


@op
def fmod(x1, x2):
    """The remainder of x1 / x2 with the sign of x1."""
    a, b = operands(x1, x2)
    rest = mod(abs(a), abs(b))
    return where(less(a, 0), negative(rest), rest)


@op
def heaviside(x1, x2):
    """0 where x1 < 0, 1 where x1 > 0, x2 where x1 is 0; NaN stays. A float."""
    a, b = (as_float(t) for t in operands(x1, x2))
    return where(equal(a, 0.0), b, multiply(add(sign(a), 1.0), 0.5))


@op
def ldexp(x1, x2):
    """x1 times 2 to the power of x2, which are integers."""
    a, n = as_float(x1), as_tensor(x2)
    if config.is_float(n.dtype):
        raise TypeError(f"ldexp: x2 must be integers, got {n.dtype}; use x1 * ops.exp2(x2).")
    return multiply(a, exp2(cast(n, a.dtype)))


@op
def logaddexp2(x1, x2):
    """log2(2^x1 + 2^x2) without overflow."""
    a, b = (multiply(as_float(t), math.log(2.0)) for t in operands(x1, x2))
    return divide(logaddexp(a, b), math.log(2.0))


@op
def isin(x1, x2, assume_unique=False, invert=False):
    """Whether each element of x1 is among those of x2, bool. `assume_unique` changes nothing."""
    a, b = operands(x1, x2)
    found = any(equal(reshape(a, (*a.shape, 1)), reshape(b, (-1,))), -1)
    return logical_not(found) if invert else found


@op
def saturate_cast(x, dtype):
    """x in another dtype; what is beyond its range becomes its smallest or largest number."""
    dtype = config.requested_dtype(dtype)
    x = as_tensor(x)
    if not config.is_float(x.dtype) or config.is_float(dtype) or dtype == "bool":
        if (x.dtype, dtype) != ("int64", "int32"):
            return cast(x, dtype)
        limits = np.iinfo(dtype)
        return cast(clip(x, int(limits.min), int(limits.max)), dtype)
    limits = np.iinfo(dtype)
    low, high = float(limits.min), float(limits.max)
    inside = cast(where(logical_and(less_equal(low, x), less(x, high)), x, 0.0), dtype)
    inside = where(less(x, low), as_tensor(np.asarray(limits.min)), inside)
    return where(less_equal(high, x), as_tensor(np.asarray(limits.max)), inside)
