"""Functions of each element: arithmetic, comparison, logic, exponentials, rounding.

The operands of a binary function are broadcast as in NumPy and brought to one dtype (see
`ops.core`). Functions that only floats have turn integers into `floatx()` first.
"""

from __future__ import annotations

import math

from seqrnn import config
from seqrnn.ops.core import as_float, as_tensor, op, operands
from seqrnn.trace.frame import Tensor, emit1

# ---- arithmetic ----


def _binary(name: str, a, b) -> Tensor:
    a, b = operands(a, b)
    if a.dtype == "bool":
        a, b = as_tensor(a, "int32"), as_tensor(b, "int32")
    return emit1(name, a, b)


def _float_binary(name: str, a, b) -> Tensor:
    a, b = operands(a, b)
    return emit1(name, as_float(a), as_float(b))


@op
def add(x1, x2):
    """x1 + x2."""
    return _binary("add", x1, x2)


@op
def subtract(x1, x2):
    """x1 - x2."""
    return _binary("sub", x1, x2)


@op
def multiply(x1, x2):
    """x1 * x2."""
    return _binary("mul", x1, x2)


@op
def divide(x1, x2):
    """x1 / x2, a float."""
    return _float_binary("div", x1, x2)


@op
def divide_no_nan(x1, x2):
    """x1 / x2, and 0 where x2 is 0."""
    a, b = operands(x1, x2)
    a, b = as_float(a), as_float(b)
    zero = equal(b, 0)
    return where(zero, 0.0, divide(a, where(zero, 1.0, b)))


@op
def true_divide(x1, x2):
    """x1 / x2, as `divide`; Keras's name for the operator."""
    return divide(x1, x2)


@op
def floor_divide(x1, x2):
    """The largest whole number not above x1 / x2, in the dtype of the operands."""
    a, b = operands(x1, x2)
    if config.is_float(a.dtype):
        return _floored_quotient(a, b)
    if a.dtype == "bool":
        a, b = as_tensor(a, "int32"), as_tensor(b, "int32")
    return _whole_quotient(a, b)


def _floored_quotient(a: Tensor, b: Tensor) -> Tensor:
    """floor(a / b) of floats: the quotient of what the remainder leaves, as a / b may round up to a
    whole number. Gradient 0."""
    rest = mod(a, b)
    exact = round(divide(subtract(a, rest), b))
    beyond = where(isinf(rest), -1.0, 0.0)  # by infinity: -1 where the signs differ
    result = where(logical_and(isinf(b), isfinite(a)), beyond, exact)
    return where(equal(b, 0), floor(divide(a, b)), result)


def _whole_quotient(a: Tensor, b: Tensor) -> Tensor:
    """floor(a / b) of integers, exact; by 0 it is 0.

    The quotient of a less its remainder, in float64, is off by the rounding of int64 to 53 bits
    alone; the quotient of what it leaves corrects that.
    """
    zero = equal(b, 0)
    b = where(zero, 1, b)
    rest = mod(a, b)  # with the sign of b; below with that of a, so that nothing overflows
    crossed = logical_and(not_equal(rest, 0), logical_xor(less(rest, 0), less(a, 0)))
    left = subtract(a, subtract(rest, where(crossed, b, 0)))
    quotient = negative(cast(crossed, a.dtype))
    for _ in range(2 if a.dtype == "int64" else 1):
        part = emit1("round", divide(cast(left, "float64"), cast(b, "float64")))
        part = cast(part, a.dtype)
        quotient = add(quotient, part)
        left = subtract(left, multiply(part, b))
    return where(zero, 0, quotient)


@op
def mod(x1, x2):
    """x1 - x2 * floor(x1 / x2): has the sign of x2."""
    return _binary("mod", x1, x2)


@op
def power(x1, x2):
    """x1 to the power of x2. Small whole exponents are products."""
    if isinstance(x2, (int, float)) and not isinstance(x2, bool):
        x = as_tensor(x1)
        if x2 == 2:
            return square(x)
        if x2 == 1:
            return x
        if x2 == 0.5:
            return sqrt(x)
        if isinstance(x2, int) and not config.is_float(x.dtype):
            return _whole_power(x, x2)
    a, b = operands(x1, x2)
    if not config.is_float(a.dtype):  # exact up to 2^53
        whole = "int32" if a.dtype == "bool" else a.dtype
        return cast(emit1("pow", cast(a, "float64"), cast(b, "float64")), whole)
    return _float_binary("pow", x1, x2)


def _whole_power(x: Tensor, n: int) -> Tensor:
    """Integers to a whole power, by repeated squaring."""
    if n < 0:
        raise ValueError("integers to a negative power: cast them to float first.")
    result = None
    while n:
        if n & 1:
            result = x if result is None else multiply(result, x)
        n >>= 1
        x = square(x) if n else x
    return emit1("fill", shape=x.shape, value=1.0, dtype=x.dtype) if result is None else result


@op
def maximum(x1, x2):
    """The larger of each two elements; NaN if one of them is."""
    return _binary("maximum", x1, x2)


@op
def minimum(x1, x2):
    """The smaller of each two elements; NaN if one of them is."""
    return _binary("minimum", x1, x2)


@op
def clip(x, x_min=None, x_max=None):
    """x, but at least `x_min` and at most `x_max`; None means no bound."""
    x = as_tensor(x)
    if x_min is not None:
        x = maximum(x, x_min)
    return x if x_max is None else minimum(x, x_max)


# ---- comparison and logic ----


@op
def equal(x1, x2):
    """x1 == x2, bool."""
    return emit1("equal", *operands(x1, x2))


@op
def not_equal(x1, x2):
    """x1 != x2, bool."""
    return emit1("not_equal", *operands(x1, x2))


def _ordered(name: str, a, b) -> Tensor:
    a, b = operands(a, b)
    if a.dtype == "bool":
        a, b = as_tensor(a, "int32"), as_tensor(b, "int32")
    return emit1(name, a, b)


@op
def less(x1, x2):
    """x1 < x2, bool."""
    return _ordered("less", x1, x2)


@op
def less_equal(x1, x2):
    """x1 <= x2, bool."""
    return _ordered("less_equal", x1, x2)


@op
def greater(x1, x2):
    """x1 > x2, bool."""
    return _ordered("less", x2, x1)


@op
def greater_equal(x1, x2):
    """x1 >= x2, bool."""
    return _ordered("less_equal", x2, x1)


@op
def logical_and(x1, x2):
    """Whether both are true (not 0), bool."""
    return emit1("logical_and", as_tensor(x1, "bool"), as_tensor(x2, "bool"))


@op
def logical_or(x1, x2):
    """Whether one of them or both are true, bool."""
    return emit1("logical_or", as_tensor(x1, "bool"), as_tensor(x2, "bool"))


@op
def logical_xor(x1, x2):
    """Whether just one of them is true, bool."""
    return emit1("not_equal", as_tensor(x1, "bool"), as_tensor(x2, "bool"))


@op
def logical_not(x):
    """Whether it is false (0), bool."""
    return emit1("logical_not", as_tensor(x, "bool"))


@op
def where(condition, x1=None, x2=None):
    """x1 where the condition is true, x2 elsewhere; all three are broadcast."""
    if x1 is None or x2 is None:
        raise TypeError(
            "where: give all of `condition`, `x1` and `x2`; the number of true elements "
            "is not known while a function is traced."
        )
    return emit1("where", as_tensor(condition, "bool"), *operands(x1, x2))


@op
def isnan(x):
    """Whether it is not a number, bool."""
    return emit1("isnan", as_float(x))


@op
def isfinite(x):
    """Whether it is neither infinite nor NaN, bool."""
    return emit1("isfinite", as_float(x))


@op
def isinf(x):
    """Whether it is infinite, bool."""
    return equal(abs(as_float(x)), math.inf)


@op
def nan_to_num(x, nan=0.0, posinf=None, neginf=None):
    """NaN replaced by `nan`; infinities by the numbers given, else by the largest finite ones.
    Integers have neither."""
    x = as_tensor(x)
    if not config.is_float(x.dtype):
        return x
    largest = 3.4028234663852886e38 if x.dtype == "float32" else 1.7976931348623157e308
    x = where(isnan(x), nan, x)
    x = where(equal(x, math.inf), largest if posinf is None else posinf, x)
    return where(equal(x, -math.inf), -largest if neginf is None else neginf, x)


# ---- one operand, its dtype kept ----


def _keeping(name: str, x) -> Tensor:
    x = as_tensor(x)
    return emit1(name, as_tensor(x, "int32") if x.dtype == "bool" else x)


@op
def negative(x):
    """-x."""
    return _keeping("neg", x)


@op
def abs(x):
    """|x|."""
    x = as_tensor(x)
    return x if x.dtype == "bool" else emit1("abs", x)


@op
def sign(x):
    """-1, 0 or 1."""
    return _keeping("sign", x)


@op
def square(x):
    """x * x."""
    return _keeping("square", x)


@op
def floor(x):
    """The largest whole number not above x, a float."""
    return emit1("floor", as_float(x))


@op
def ceil(x):
    """The smallest whole number not below x, a float."""
    return emit1("ceil", as_float(x))


def _rounded(name: str, x) -> Tensor:
    x = as_tensor(x)
    return emit1(name, x) if config.is_float(x.dtype) else x


@op
def round(x, decimals=0):
    """The nearest number with that many decimals; halves go to the even one."""
    if decimals == 0:
        return _rounded("round", x)
    factor = 10.0**decimals
    return divide(_rounded("round", multiply(x, factor)), factor)


@op
def trunc(x):
    """x without its fraction."""
    x = as_tensor(x)
    return where(less(x, 0), ceil(x), floor(x)) if config.is_float(x.dtype) else x


# ---- one operand, floats ----


@op
def sqrt(x):
    """The square root; NaN below 0."""
    return emit1("sqrt", as_float(x))


@op
def rsqrt(x):
    """1 / sqrt(x)."""
    return emit1("rsqrt", as_float(x))


@op
def reciprocal(x):
    """1 / x."""
    return emit1("reciprocal", as_float(x))


@op
def exp(x):
    """e to the power of x."""
    return emit1("exp", as_float(x))


@op
def expm1(x):
    """exp(x) - 1, exact near 0."""
    return emit1("expm1", as_float(x))


@op
def exp2(x):
    """2 to the power of x."""
    return exp(multiply(as_float(x), math.log(2.0)))


@op
def log(x):
    """The natural logarithm."""
    return emit1("log", as_float(x))


@op
def log1p(x):
    """log(1 + x), exact near 0."""
    return emit1("log1p", as_float(x))


@op
def log2(x):
    """The logarithm to base 2."""
    return multiply(log(x), 1.0 / math.log(2.0))


@op
def log10(x):
    """The logarithm to base 10."""
    return multiply(log(x), 1.0 / math.log(10.0))


@op
def logaddexp(x1, x2):
    """log(exp(x1) + exp(x2)) without overflow."""
    a, b = operands(x1, x2)
    a, b = as_float(a), as_float(b)
    behind = less(a, b)
    larger, smaller = where(behind, b, a), where(behind, a, b)
    return add(larger, log1p(exp(_apart(smaller, larger))))


def _apart(a: Tensor, b: Tensor) -> Tensor:
    """a - b, and 0 of the same infinities."""
    return where(logical_and(equal(a, b), isinf(a)), 0.0, subtract(a, b))


@op
def sin(x):
    """Sine of radians."""
    return emit1("sin", as_float(x))


@op
def cos(x):
    """Cosine of radians."""
    return emit1("cos", as_float(x))


@op
def tan(x):
    """Tangent of radians."""
    return divide(sin(x), cos(x))


@op
def tanh(x):
    """Hyperbolic tangent."""
    return emit1("tanh", as_float(x))


@op
def erf(x):
    """The error function."""
    return emit1("erf", as_float(x))


# ---- dtype and gradient ----


@op
def cast(x, dtype):
    """x in another dtype. Floats become integers by dropping the fraction, bools by `x != 0`."""
    dtype = config.requested_dtype(dtype)
    tensor = as_tensor(x)
    result = as_tensor(tensor, dtype)
    root = tensor.frame.root
    if tensor.frame is root and tensor.id in root.sources:
        root.sources[result.id] = root.sources[tensor.id]
    return result


@op
def stop_gradient(x):
    """x, but its gradient is zero."""
    return emit1("stop_gradient", as_tensor(x))
