"""Order: sort, argsort, top_k, medians and quantiles, and what counts by value.

Sorting is stable, NaN comes last. What has as many elements as the data say (unique, nonzero,
histograms) exists for arrays only: the shapes of a traced function must be known beforehand.
"""

from __future__ import annotations

import math

import numpy as np

from seqrnn import config
from seqrnn.ops.core import as_float, as_tensor, eager, many_axes, one_axis, op, operands
from seqrnn.ops.elementwise import (
    add,
    ceil,
    equal,
    floor,
    isnan,
    less,
    less_equal,
    logical_not,
    multiply,
    round,
    subtract,
    where,
)
from seqrnn.ops.indexing import take_along_axis
from seqrnn.ops.reduction import any, sum
from seqrnn.ops.shaping import broadcast_to, cut, reshape, transpose
from seqrnn.trace.array import as_array
from seqrnn.trace.frame import Tensor, emit1

# ---- sorting ----


def _order(x: Tensor, axis: int, descending: bool = False) -> Tensor:
    """The places in ascending order along an axis, int64."""
    perm = list(range(x.ndim))
    perm[axis], perm[-1] = perm[-1], perm[axis]
    return transpose(emit1("argsort", transpose(x, perm), descending=descending), perm)


def _with_axis(x, axis, name: str) -> tuple[Tensor, int]:
    x = as_tensor(x)
    if axis is None:
        return reshape(x, (-1,)), 0
    return x, one_axis(axis, x.ndim, name)


@op
def argsort(x, axis=-1):
    """The places of the elements in ascending order along an axis (int32); None: flattened."""
    x, axis = _with_axis(x, axis, "argsort")
    return as_tensor(_order(x, axis), "int32")


@op
def sort(x, axis=-1):
    """The elements in ascending order along an axis; None: of the flattened tensor."""
    x, axis = _with_axis(x, axis, "sort")
    return take_along_axis(x, _order(x, axis), axis)


@op
def argpartition(x, kth, axis=-1):
    """Places such that the kth element is where sorting puts it, the smaller ones before it."""
    x, axis = _with_axis(x, axis, "argpartition")
    one_axis(kth, x.shape[axis], "argpartition: kth")
    return argsort(x, axis)


@op
def top_k(x, k, sorted=True):
    """(values, places) of the k largest along the last axis, the largest first (int32 places).

    Of equal ones the first comes first. `sorted=False` is the same: it only allows another order.
    """
    x = as_tensor(x)
    if not x.ndim or not 0 <= k <= x.shape[-1]:
        raise ValueError(f"top_k: there are no {k} elements along the last axis of {x.shape}.")
    places = cut(_order(x, x.ndim - 1, True), x.ndim - 1, 0, int(k))
    return take_along_axis(x, places, -1), as_tensor(places, "int32")


@op
def in_top_k(targets, predictions, k):
    """Whether the prediction (B, C) of the target class (B,) is among the k largest, bool.

    Ties with the k-th count as among them; a class outside is not, nor is one predicted as NaN.
    """
    targets, scores = as_tensor(targets), as_tensor(predictions)
    classes = np.arange(scores.shape[-1])
    hit = reshape(targets, (*targets.shape, 1)) == as_tensor(classes, targets.dtype)
    own = sum(where(hit, scores, 0), -1, True)
    larger = sum(as_tensor(less(own, scores), "int32"), -1)
    return (larger < k) & any(hit, -1) & ~any(isnan(own), -1)


# ---- medians and quantiles ----

_METHODS = ("linear", "lower", "higher", "midpoint", "nearest")


@op
def quantile(x, q, axis=None, method="linear", keepdims=False):
    """The number below which a part q (0 .. 1) of the elements lies; NaN if one of them is.

    q: a number, or several, which then are the first axis of the result. Between the elements at
    floor and ceil of q (n - 1), `method` says what to take: 'linear', 'lower', 'higher',
    'midpoint' or 'nearest' (Hyndman and Fan, Sample Quantiles in Statistical Packages, 1996, 7).
    """
    return _quantile(x, q, axis, method, keepdims, "quantile", lambda flat: flat.shape[-1])


@op
def nanquantile(x, q, axis=None, method="linear", keepdims=False):
    """`quantile` of what is not NaN; NaN of nothing."""

    def left(flat):
        count = sum(as_tensor(logical_not(isnan(flat)), "int32"), -1, True)
        return as_tensor(where(count > 0, count, 1), "float64")

    return _quantile(x, q, axis, method, keepdims, "nanquantile", left)


def _quantile(x, q, axis, method, keepdims, name, count):
    """`count(flat)`: how many elements of the rows of flat, NaN behind the others, count."""
    if method not in _METHODS:
        raise ValueError(f"{name}: method is one of {', '.join(_METHODS)}; got {method!r}.")
    if isinstance(q, Tensor):
        raise TypeError(f"{name}: q must be known while a function is traced, got a tensor.")
    q = np.asarray(q, np.float64)
    if q.ndim > 1 or not ((q >= 0) & (q <= 1)).all():
        raise ValueError(f"{name}: expected q between 0 and 1, a number or a list, got {q}.")
    x = as_float(x)
    axes = many_axes(axis, x.ndim, name)
    rest = [a for a in range(x.ndim) if a not in axes]
    n = math.prod(x.shape[a] for a in axes)
    flat = sort(reshape(transpose(x, [*rest, *axes]), (*(x.shape[a] for a in rest), n)))
    counted = count(flat)
    result = _between(flat, (counted - 1) * np.atleast_1d(q), method)
    if name == "quantile":
        result = where(any(flat != flat, -1, True), math.nan, result)
    shape = [1 if a in axes else d for a, d in enumerate(x.shape)]
    shape = shape if keepdims else [x.shape[a] for a in rest]
    if q.ndim:
        perm = [len(rest), *range(len(rest))]
        return reshape(transpose(result, perm), (q.size, *shape))
    return reshape(result, shape)


def _between(ordered: Tensor, places, method: str) -> Tensor:
    """Elements of the sorted last axis at places (.., q), float64, that need not be whole."""
    places = as_tensor(places)
    if method == "nearest":
        places = round(places)
    low = floor(places) if method != "higher" else ceil(places)
    high = ceil(places) if method != "lower" else low
    part = subtract(places, low) if method == "linear" else where(equal(low, high), 0.0, 0.5)
    shape = (*ordered.shape[:-1], places.shape[-1])
    a, b = (
        take_along_axis(ordered, broadcast_to(as_tensor(p, "int64"), shape), -1)
        for p in (low, high)
    )
    between = add(a, multiply(subtract(b, a), as_tensor(part, ordered.dtype)))
    return where(equal(a, b), a, between)  # infinities, too


@op
def percentile(x, q, axis=None, method="linear", keepdims=False):
    """`quantile` with q in 0 .. 100."""
    return quantile(x, np.asarray(q) / 100.0, axis, method, keepdims)


@op
def median(x, axis=None, keepdims=False):
    """The middle element, or the mean of the two in the middle; NaN if one of them is."""
    return quantile(x, 0.5, axis, "linear", keepdims)


@op
def nanpercentile(x, q, axis=None, method="linear", keepdims=False):
    """`nanquantile` with q in 0 .. 100."""
    return nanquantile(x, np.asarray(q) / 100.0, axis, method, keepdims)


@op
def nanmedian(x, axis=None, keepdims=False):
    """`median` of what is not NaN; NaN of nothing."""
    return nanquantile(x, 0.5, axis, "linear", keepdims)


# ---- places among sorted numbers ----


@op
def searchsorted(sorted_sequence, values, side="left"):
    """How many of a sorted vector are smaller than each value ('right': or equal), int32. NaN comes
    after all numbers, as in `sort`."""
    if side not in ("left", "right"):
        raise ValueError(f"searchsorted: side is 'left' or 'right', got {side!r}.")
    ordered, values = operands(sorted_sequence, values)
    if ordered.ndim != 1:
        raise ValueError(f"searchsorted: the sequence must have one axis, got {ordered.shape}.")
    values = reshape(values, (*values.shape, 1))
    before = less(ordered, values) if side == "left" else less_equal(ordered, values)
    if config.is_float(values.dtype):
        last = isnan(values)
        before = before | (last & ~isnan(ordered) if side == "left" else last)
    return sum(before, -1)


@op
def digitize(x, bins):
    """The number of the bin of each element: i where bins[i-1] <= x < bins[i] (int32)."""
    return searchsorted(bins, x, "right")


# ---- arrays only ----


@eager("of what shape the result is depends on the elements", "`ops.where(x, a, b)`")
def nonzero(x):
    """The indices of the elements that are not 0: one int32 array per axis."""
    return tuple(as_array(i.astype("int32")) for i in np.nonzero(x))


@eager("how many there are depends on the elements", "`ops.sort` and a comparison of neighbours")
def unique(
    x,
    sorted=True,
    return_index=False,
    return_inverse=False,
    return_counts=False,
    axis=None,
    size=None,
    fill_value=None,
):
    """The different elements in ascending order, with what is asked for besides (int32)."""
    if size is not None or fill_value is not None:
        raise ValueError("unique: `size` and `fill_value` are not supported, leave them out.")
    result = np.unique(x, return_index, return_inverse, return_counts, axis=axis)
    if not isinstance(result, tuple):
        return as_array(result)
    return tuple(as_array(r if i == 0 else r.astype("int32")) for i, r in enumerate(result))


@eager("its length depends on the elements", "`ops.segment_sum(ones, x, num_segments)`")
def bincount(x, weights=None, minlength=0, sparse=False):
    """How often each of 0, 1, 2, ... is there, or the sum of its weights."""
    if sparse:
        raise ValueError("bincount: there are no sparse tensors; leave `sparse` out.")
    counts = np.bincount(x, weights, minlength)
    return as_array(counts.astype("int32" if weights is None else np.asarray(weights).dtype))


@eager("its bins depend on the elements", "`ops.digitize` and `ops.segment_sum`")
def histogram(x, bins=10, range=None):
    """(how many elements are in each bin, the edges of the bins), as NumPy's."""
    counts, edges = np.histogram(x, bins, range)
    return as_array(counts.astype("int32")), as_array(edges.astype(config.floatx()))
