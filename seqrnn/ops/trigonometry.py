"""Inverse and other trigonometric functions, of what the core computes: sin, cos, sqrt, log1p.

The formulas stand with each function (Abramowitz and Stegun, Handbook of Mathematical Functions,
1964, chapter 4). Angles are in radians. Integers become `floatx()` first.
"""

from __future__ import annotations

import math

from seqrnn.ops.core import as_float, op, operands
from seqrnn.ops.elementwise import (
    abs,
    add,
    divide,
    equal,
    exp,
    greater,
    isnan,
    less,
    log,
    log1p,
    logical_or,
    maximum,
    minimum,
    multiply,
    negative,
    reciprocal,
    sign,
    sin,
    sqrt,
    square,
    subtract,
    where,
)

_HALVINGS = 3


@op
def arctan(x):
    """The angle in (-pi/2, pi/2) whose tangent is x.

    Of 1/|x| where |x| > 1. Three times atan(t) = 2 atan(t / (1 + sqrt(1 + t^2))) brings t below
    0.1, where the series t - t^3/3 + t^5/5 - ... to t^17 is exact to the last digit of float64.
    """
    x = as_float(x)
    size = abs(x)
    large = greater(size, 1.0)
    t = where(large, reciprocal(maximum(size, 1.0)), minimum(size, 1.0))
    t = where(equal(x, x), t, x)  # NaN stays
    for _ in range(_HALVINGS):
        t = divide(t, add(sqrt(add(square(t), 1.0)), 1.0))
    u = square(t)
    series = 1.0 / 17
    for k in range(7, -1, -1):
        series = subtract(1.0 / (2 * k + 1), multiply(u, series))
    angle = multiply(multiply(t, series), float(2**_HALVINGS))
    angle = where(large, subtract(math.pi / 2, angle), angle)
    return where(less(x, 0.0), negative(angle), angle)


@op
def arctan2(x1, x2):
    """The angle in [-pi, pi] of the point with ordinate x1 and abscissa x2."""
    y, x = (as_float(t) for t in operands(x1, x2))
    width, height = abs(x), abs(y)
    flat = greater(width, height)
    longer, shorter = maximum(width, height), minimum(width, height)
    origin = equal(longer, 0.0)
    both = equal(shorter, math.inf)  # the diagonal
    ratio = divide(shorter, where(logical_or(origin, both), 1.0, longer))
    angle = arctan(where(both, 1.0, ratio))
    angle = where(flat, angle, subtract(math.pi / 2, angle))
    angle = where(origin, 0.0, angle)
    angle = where(_has_minus(x), subtract(math.pi, angle), angle)
    return where(_has_minus(y), negative(angle), angle)


def _has_minus(x):
    """Whether x is negative, -0 included."""
    return less(where(equal(x, 0.0), reciprocal(x), x), 0.0)


@op
def arcsin(x):
    """The angle in [-pi/2, pi/2] whose sine is x: atan(x / sqrt((1 - x)(1 + x)))."""
    x = as_float(x)
    return arctan(divide(x, sqrt(multiply(subtract(1.0, x), add(x, 1.0)))))


@op
def arccos(x):
    """The angle in [0, pi] whose cosine is x: 2 atan(sqrt((1 - x) / (1 + x)))."""
    x = as_float(x)
    return multiply(arctan(sqrt(divide(subtract(1.0, x), add(x, 1.0)))), 2.0)


@op
def arcsinh(x):
    """The number whose sinh is x: sign(x) log(|x| + sqrt(x^2 + 1)), by log1p for small x."""
    x = as_float(x)
    size = abs(x)
    small = minimum(size, 1e8)
    grown = add(small, divide(square(small), add(sqrt(add(square(small), 1.0)), 1.0)))
    far = add(log(maximum(size, 1e8)), math.log(2.0))
    return multiply(sign(x), where(greater(size, 1e8), far, log1p(grown)))


@op
def arccosh(x):
    """The number >= 0 whose cosh is x >= 1: log1p(t + sqrt(t (t + 2))), t = x - 1."""
    t = subtract(as_float(x), 1.0)
    return log1p(add(t, multiply(sqrt(t), sqrt(add(t, 2.0)))))


@op
def arctanh(x):
    """The number whose tanh is x: log1p(2 x / (1 - x)) / 2."""
    x = as_float(x)
    size = abs(x)
    value = multiply(log1p(divide(multiply(size, 2.0), subtract(1.0, size))), 0.5)
    return where(less(x, 0.0), negative(value), value)


@op
def hypot(x1, x2):
    """sqrt(x1^2 + x2^2) without overflow."""
    a, b = (abs(as_float(t)) for t in operands(x1, x2))
    longer, shorter = maximum(a, b), minimum(a, b)
    plain = logical_or(equal(longer, 0.0), equal(longer, math.inf))
    ratio = divide(shorter, where(plain, 1.0, longer))
    return where(plain, longer, multiply(longer, sqrt(add(square(ratio), 1.0))))


@op
def deg2rad(x):
    """Degrees to radians: x pi / 180."""
    return multiply(as_float(x), math.pi / 180)


@op
def rad2deg(x):
    """Radians to degrees: x 180 / pi."""
    return multiply(as_float(x), 180 / math.pi)


@op
def sinc(x):
    """sin(pi x) / (pi x), and 1 at 0."""
    x = multiply(as_float(x), math.pi)
    zero = equal(x, 0.0)
    return where(zero, 1.0, divide(sin(x), where(zero, 1.0, x)))


@op
def cbrt(x):
    """The real cube root, by exp(log|x| / 3) and one step of Newton."""
    x = as_float(x)
    size = abs(x)
    plain = logical_or(equal(size, 0.0), logical_or(equal(size, math.inf), isnan(x)))
    safe = where(plain, 1.0, size)
    root = exp(multiply(log(safe), 1.0 / 3))
    root = subtract(root, divide(subtract(root, divide(safe, square(root))), 3.0))
    return where(plain, x, multiply(sign(x), root))
