"""Trigonometric and hyperbolic functions with their inverses, and what goes with them.

Angles are in radians. Integers become `floatx()` first. (Abramowitz and Stegun, Handbook of
Mathematical Functions, 1964, chapter 4.)
"""

from __future__ import annotations

import math

from seqrnn.ops.core import as_float, op, operands
from seqrnn.ops.elementwise import divide, equal, multiply, sin, where
from seqrnn.trace.frame import emit1


@op
def arctan(x):
    """The angle in [-pi/2, pi/2] whose tangent is x. Gradient 1 / (1 + x^2)."""
    return emit1("atan", as_float(x))


@op
def arctan2(x1, x2):
    """The angle in [-pi, pi] of the point with ordinate x1 and abscissa x2."""
    return emit1("atan2", *(as_float(t) for t in operands(x1, x2)))


@op
def arcsin(x):
    """The angle in [-pi/2, pi/2] whose sine is x; NaN outside of -1 .. 1."""
    return emit1("asin", as_float(x))


@op
def arccos(x):
    """The angle in [0, pi] whose cosine is x; NaN outside of -1 .. 1."""
    return emit1("acos", as_float(x))


@op
def sinh(x):
    """(exp(x) - exp(-x)) / 2."""
    return emit1("sinh", as_float(x))


@op
def cosh(x):
    """(exp(x) + exp(-x)) / 2."""
    return emit1("cosh", as_float(x))


@op
def arcsinh(x):
    """The number whose sinh is x."""
    return emit1("asinh", as_float(x))


@op
def arccosh(x):
    """The number >= 0 whose cosh is x; NaN below 1."""
    return emit1("acosh", as_float(x))


@op
def arctanh(x):
    """The number whose tanh is x; NaN outside of -1 .. 1."""
    return emit1("atanh", as_float(x))


@op
def hypot(x1, x2):
    """sqrt(x1^2 + x2^2) without overflow; infinite if one of them is. Gradient 0 at the origin."""
    return emit1("hypot", *(as_float(t) for t in operands(x1, x2)))


@op
def cbrt(x):
    """The real cube root. Gradient infinite at 0."""
    return emit1("cbrt", as_float(x))


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
