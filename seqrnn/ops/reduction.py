"""Functions along axes: sums, means, extremes, cumulated sums.

`axis` is an int, several ints, or None for all; `keepdims` leaves the axes with size 1.
"""

from __future__ import annotations

import math

from seqrnn import config
from seqrnn.ops.core import as_float, as_tensor, many_axes, one_axis, op
from seqrnn.ops.elementwise import (
    abs,
    add,
    divide,
    exp,
    isfinite,
    log,
    maximum,
    minimum,
    multiply,
    not_equal,
    power,
    rsqrt,
    sqrt,
    square,
    stop_gradient,
    subtract,
    where,
)
from seqrnn.ops.shaping import concatenate, cut, reshape, squeeze, transpose, zeros_like
from seqrnn.trace.frame import Tensor, emit1


def _reduce(name: str, x: Tensor, axis, keepdims: bool) -> Tensor:
    axes = many_axes(axis, x.ndim, name)
    if not axes:
        return x
    return emit1(name, x, axes=axes, keepdims=bool(keepdims))


def _countable(x) -> Tensor:
    x = as_tensor(x)
    return as_tensor(x, "int32") if x.dtype == "bool" else x


@op
def sum(x, axis=None, keepdims=False):
    """The sum; of bools, how many are true (int32)."""
    return _reduce("sum", _countable(x), axis, keepdims)


@op
def prod(x, axis=None, keepdims=False, dtype=None):
    """The product."""
    x = _countable(x)
    return _reduce("prod", x if dtype is None else as_tensor(x, dtype), axis, keepdims)


@op
def max(x, axis=None, keepdims=False, initial=None):
    """The largest element. ValueError if there is none."""
    result = _reduce("max", as_tensor(x), axis, keepdims)
    return result if initial is None else maximum(result, initial)


@op
def min(x, axis=None, keepdims=False, initial=None):
    """The smallest element. ValueError if there is none."""
    result = _reduce("min", as_tensor(x), axis, keepdims)
    return result if initial is None else minimum(result, initial)


amax, amin = max, min


@op
def ptp(x, axis=None, keepdims=False):
    """The largest element less the smallest."""
    return subtract(max(x, axis, keepdims), min(x, axis, keepdims))


@op
def any(x, axis=None, keepdims=False):
    """Whether one of them is true."""
    return _reduce("max", as_tensor(x, "bool"), axis, keepdims)


@op
def all(x, axis=None, keepdims=False):
    """Whether all of them are true."""
    return _reduce("min", as_tensor(x, "bool"), axis, keepdims)


def _count(x: Tensor, axis) -> int:
    count = 1
    for a in many_axes(axis, x.ndim, "mean"):
        count *= x.shape[a]
    return count


@op
def mean(x, axis=None, keepdims=False):
    """The sum divided by the number of elements, a float; NaN of no elements."""
    x = as_float(x)
    return divide(_reduce("sum", x, axis, keepdims), float(_count(x, axis)))


@op
def average(x, axis=None, weights=None):
    """The mean, weighted if there are weights: of x's shape, or one per index of a single axis."""
    if weights is None:
        return mean(x, axis)
    x = as_float(x)
    weights = as_tensor(weights, x.dtype)
    if weights.ndim == 1 and isinstance(axis, int):
        shape = [1] * x.ndim
        shape[one_axis(axis, x.ndim, "average")] = -1
        weights = reshape(weights, shape)
    elif weights.shape != x.shape:
        raise ValueError(
            f"average: weights {weights.shape} must have the shape of x {x.shape}, or one axis."
        )
    weights = weights + zeros_like(x)
    return sum(x * weights, axis) / sum(weights, axis)


@op
def var(x, axis=None, keepdims=False):
    """The mean square of the distances from the mean (divided by n)."""
    x = as_float(x)
    return mean(square(subtract(x, mean(x, axis, True))), axis, keepdims)


@op
def std(x, axis=None, keepdims=False):
    """The square root of `var`."""
    return sqrt(var(x, axis, keepdims))


@op
def moments(x, axes, keepdims=False, synchronized=False):
    """(mean, var)."""
    return mean(x, axes, keepdims), var(x, axes, keepdims)


@op
def logsumexp(x, axis=None, keepdims=False):
    """log(sum(exp(x))) without overflow."""
    x = as_float(x)
    top = stop_gradient(_reduce("max", x, axis, True))
    top = where(isfinite(top), top, 0.0)
    total = add(log(_reduce("sum", exp(subtract(x, top)), axis, True)), top)
    return total if keepdims else squeeze(total, many_axes(axis, x.ndim, "logsumexp"))


@op
def norm(x, ord=None, axis=None, keepdims=False):
    """The norm of vectors along an axis, or of matrices along two; None: of all axes.

    ord: None: sqrt(sum x^2), over any axes. For vectors 1: sum |x|; inf: max |x|;
    -inf: min |x|; 0: how many are not 0; another number p: (sum |x|^p)^(1/p). For matrices
    (rows, columns) 'fro': sqrt(sum x^2); 1: the largest sum |x| of a column, -1 the smallest; inf:
    the largest of a row, -inf the smallest. ValueError for another, and for 2, -2 and 'nuc' of
    matrices, which need singular values. (Golub and Van Loan, Matrix Computations, 2013, 2.3.)
    """
    x = as_float(x)
    axes = range(x.ndim) if axis is None else axis if isinstance(axis, (tuple, list)) else (axis,)
    axes = tuple(one_axis(a, x.ndim, "norm") for a in axes)
    matrix = len(axes) == 2
    if ord is None or (ord == "fro" and matrix) or (ord == 2 and len(axes) == 1):
        return sqrt(sum(square(x), axes, keepdims))
    if matrix and ord in (1, -1, math.inf, -math.inf):
        return _matrix_norm(x, ord, axes, keepdims)
    if len(axes) < 2 and isinstance(ord, (int, float)):
        return _vector_norm(x, ord, axes, keepdims)
    known = {1: "a number", 2: "'fro', 1, -1, inf or -inf"}.get(len(axes), "one axis or two")
    raise ValueError(
        f"norm: expected {known} for {len(axes)} axes, got ord={ord!r} and axis={axis!r}."
        + (" It needs singular values, which are not supported." if ord in (2, -2, "nuc") else "")
    )


def _vector_norm(x: Tensor, ord, axis, keepdims) -> Tensor:
    if ord == 1:
        return sum(abs(x), axis, keepdims)
    if ord == math.inf:
        return max(abs(x), axis, keepdims)
    if ord == -math.inf:
        return min(abs(x), axis, keepdims)
    if ord == 0:
        return as_tensor(sum(not_equal(x, 0), axis, keepdims), x.dtype)
    return power(sum(power(abs(x), float(ord)), axis, keepdims), 1.0 / ord)


def _matrix_norm(x: Tensor, ord, axes, keepdims) -> Tensor:
    """The extreme, over columns or rows, of sums of |x|."""
    rows, columns = axes
    summed, left = (rows, columns) if ord in (1, -1) else (columns, rows)
    extreme = (max if ord > 0 else min)(sum(abs(x), summed, True), left, True)
    return extreme if keepdims else squeeze(extreme, axes)


def _argument(name: str, x, axis, keepdims: bool) -> Tensor:
    x = as_tensor(x)
    if axis is None:
        shape = (1,) * x.ndim
        result = as_tensor(emit1(name, reshape(x, (-1,)), axis=0), "int32")
        return reshape(result, shape) if keepdims else result
    axis = one_axis(axis, x.ndim, name)
    result = as_tensor(emit1(name, x, axis=axis), "int32")
    return reshape(result, (*x.shape[:axis], 1, *x.shape[axis + 1 :])) if keepdims else result


@op
def argmax(x, axis=None, keepdims=False):
    """Where the largest element is, the first of equals (int32); None: in the flattened tensor."""
    return _argument("argmax", x, axis, keepdims)


@op
def argmin(x, axis=None, keepdims=False):
    """Where the smallest element is, the first of equals (int32)."""
    return _argument("argmin", x, axis, keepdims)


@op
def count_nonzero(x, axis=None):
    """How many elements are not 0."""
    return sum(not_equal(x, 0), axis)


@op
def cumsum(x, axis=None, dtype=None, reverse=False):
    """Sums of the first 1, 2, ... elements along an axis; `reverse`: of the last ones."""
    x = _countable(as_tensor(x, dtype))
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    return emit1("cumsum", x, axis=one_axis(axis, x.ndim, "cumsum"), reverse=bool(reverse))


@op
def cumprod(x, axis=None, dtype=None):
    """Products of the first 1, 2, ... elements along an axis; None: of the flattened tensor.

    In log2(n) steps, each of which multiplies by what stands 1, 2, 4, ... places before (Hillis and
    Steele, Data Parallel Algorithms, 1986).
    """
    x = _countable(as_tensor(x, dtype))
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    axis = one_axis(axis, x.ndim, "cumprod")
    n, distance = x.shape[axis], 1
    while distance < n:
        later = multiply(cut(x, axis, distance, n), cut(x, axis, 0, n - distance))
        x = concatenate([cut(x, axis, 0, distance), later], axis)
        distance *= 2
    return x


@op
def diff(a, n=1, axis=-1):
    """The differences of neighbours along an axis, n times over; of bools, whether they differ."""
    x = as_tensor(a)
    axis = one_axis(axis, x.ndim, "diff")
    if n < 0:
        raise ValueError(f"diff: n must not be negative, got {n}.")
    for _ in range(n):
        if not x.shape[axis]:
            break
        size = x.shape[axis]
        later, earlier = cut(x, axis, 1, size), cut(x, axis, 0, size - 1)
        x = not_equal(later, earlier) if x.dtype == "bool" else subtract(later, earlier)
    return x


@op
def trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral of y along an axis by trapezoids, at places x, or `dx` apart."""
    y = as_float(y)
    axis = one_axis(axis, y.ndim, "trapezoid")
    n = y.shape[axis]
    heights = multiply(add(cut(y, axis, 1, n), cut(y, axis, 0, n - 1)), 0.5)
    if x is not None:
        x = as_tensor(x, y.dtype)
        dx = diff(x, 1, axis if x.ndim > 1 else 0)
        if x.ndim == 1:
            dx = reshape(dx, [-1 if a == axis else 1 for a in range(y.ndim)])
    return sum(multiply(heights, dx), axis)


@op
def corrcoef(x):
    """Pearson's correlations of the rows of x (variables, observations): a square matrix."""
    x = as_float(x)
    centred = subtract(x, mean(x, -1, True))
    if x.ndim == 1:
        return divide(sum(square(centred)), sum(square(centred)))
    spread = sqrt(sum(square(centred), -1, True))
    unit = divide(centred, spread)
    return minimum(maximum(emit1("matmul", unit, transpose(unit)), -1.0), 1.0)


@op
def normalize(x, axis=-1, order=2, epsilon=None):
    """x divided by its norm along an axis, which is taken to be at least `epsilon`."""
    x = as_float(x)
    epsilon = config.epsilon() if epsilon is None else epsilon
    if order == 2:  # the root of what is not 0, for its slope at 0 is infinite
        return multiply(x, rsqrt(maximum(sum(square(x), axis, True), epsilon**2)))
    return divide(x, maximum(norm(x, order, axis, True), epsilon))


def along_last(fn, x: Tensor, axis: int, name: str) -> Tensor:
    """`fn`, which works along the last axis, applied along another."""
    axis = one_axis(axis, x.ndim, name)
    if axis == x.ndim - 1:
        return fn(x)
    perm = list(range(x.ndim))
    perm[axis], perm[-1] = perm[-1], perm[axis]
    return transpose(fn(transpose(x, perm)), perm)
