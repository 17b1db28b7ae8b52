"""Sums, products and extremes of rows that have the same number."""

from __future__ import annotations

import numpy as np

from seqrnn import config
from seqrnn.ops.core import as_float, as_tensor, op
from seqrnn.ops.elementwise import equal, greater_equal, less, logical_and, where
from seqrnn.ops.indexing import getitem
from seqrnn.ops.reduction import max, min, prod
from seqrnn.ops.shaping import expand_dims, reshape
from seqrnn.trace.frame import emit1


def _segments(data, segment_ids, num_segments, name: str):
    """(data, segment_ids, number of segments), checked."""
    data, ids = as_tensor(data), as_tensor(segment_ids)
    if num_segments is None:
        raise ValueError(
            f"{name}: give `num_segments`; the shape of a result can't depend on values."
        )
    if ids.shape != data.shape[:1] or not ids.dtype.startswith("int"):
        raise ValueError(
            f"{name}: expected {data.shape[:1]} integers as segment_ids, one per row of data, "
            f"got {ids.dtype} of shape {ids.shape}."
        )
    return data, ids, int(num_segments)


@op
def segment_sum(data, segment_ids, num_segments=None, sorted=False):
    """Sums of the rows of data (N, ...) that have the same number in segment_ids (N,).

    The result is (num_segments, ...); rows with another number are left out. `num_segments` must be
    given, as its value can't depend on data. `sorted`, a hint in Keras, changes nothing.
    """
    data, ids, count = _segments(data, segment_ids, num_segments, "segment_sum")
    valid = logical_and(greater_equal(ids, 0), less(ids, count))
    sums = emit1("take_grad", as_float(data), where(valid, ids, count), axis=0, n=count + 1)
    return as_tensor(getitem(sums, slice(count)), data.dtype)


@op
def segment_max(data, segment_ids, num_segments=None, sorted=False):
    """The largest of the rows with the same number, see `segment_sum`; of none the lowest value
    that the dtype has."""
    return _extreme(max, data, segment_ids, num_segments, "segment_max")


@op
def segment_min(data, segment_ids, num_segments=None, sorted=False):
    """The smallest of the rows with the same number, see `segment_sum`; of none the highest value
    that the dtype has."""
    return _extreme(min, data, segment_ids, num_segments, "segment_min")


def _extreme(reduce, data, segment_ids, num_segments, name: str):
    data, ids, count = _segments(data, segment_ids, num_segments, name)
    limits = np.finfo(data.dtype) if config.is_float(data.dtype) else np.iinfo(data.dtype)
    neutral = limits.min if reduce is max else limits.max
    return reduce(_by_segment(data, ids, count, neutral), 1)


@op
def segment_prod(data, segment_ids, num_segments=None, sorted=False):
    """Products of the rows with the same number, see `segment_sum`; of none 1."""
    data, ids, count = _segments(data, segment_ids, num_segments, "segment_prod")
    return prod(_by_segment(data, ids, count, 1), 1)


def _by_segment(data, ids, count: int, neutral):
    """(segments, N, ...): the rows of each segment, the others neutral."""
    belongs = equal(reshape(ids, (1, -1)), reshape(np.arange(count, dtype="int32"), (-1, 1)))
    belongs = reshape(belongs, (*belongs.shape, *(1,) * (data.ndim - 1)))
    return where(belongs, expand_dims(data, 0), as_tensor(neutral, data.dtype))
