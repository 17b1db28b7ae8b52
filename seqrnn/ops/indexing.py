"""x[key] in all forms of NumPy whose result has a shape known beforehand, and taking by index.

Slices, integers, `...` and None become one `slice` node and a reshape. Index arrays and index
tensors become `take` along one axis: several of them are first combined into one index of the
flattened axes. As in NumPy, the result's new axes stand where the index arrays were if those were
neighbours, else in front, and a single integer among index arrays counts as one of them.
"""

from __future__ import annotations

import math

import numpy as np

from seqrnn.ops.core import as_tensor, one_axis, op
from seqrnn.ops.elementwise import add, less, multiply, where
from seqrnn.ops.shaping import broadcast_to, expand_dims, reshape, transpose
from seqrnn.trace.array import as_array
from seqrnn.trace.frame import Tensor, emit1, state
from seqrnn.trace.operators import Operators
from seqrnn.trace.placeholder import KerasTensor


def getitem(x, key):
    """x[key]; IndexError for an index out of range, TypeError for what cannot be an index."""
    if state.frame is None and not state.tapes and not isinstance(x, (Tensor, KerasTensor)):
        return as_array(np.asarray(x)[key])
    return _getitem(x, key)


@op
def _getitem(x, key):
    x = as_tensor(x)
    items = list(key) if isinstance(key, tuple) else [key]
    items = [_item(item) for item in items]
    items = _aligned(items, x.shape)
    _check_ranges(items, x.shape)
    arrays = [item for item in items if isinstance(item, _Places)]
    if not arrays:
        return _basic(x, items)
    kept = [slice(None) if isinstance(item, (_Places, int)) else item for item in items]
    at = [i for i, item in enumerate(items) if isinstance(item, (_Places, int))]
    places = [
        items[i].tensor if isinstance(items[i], _Places) else as_tensor(np.asarray(items[i]))
        for i in at
    ]
    return _advanced(_basic(x, kept), at, places)


class _Places:
    """An integer array or tensor used as an index."""

    __slots__ = ("tensor", "values")

    def __init__(self, tensor: Tensor, values: np.ndarray | None = None):
        self.tensor = tensor
        self.values = values  # if they are known now


def _item(item):
    """One part of a key: slice, int, None, Ellipsis, a constant bool array, or _Places."""
    if item is None or item is Ellipsis:
        return item
    if isinstance(item, slice):
        for part in (item.start, item.stop, item.step):
            if isinstance(part, Operators):
                raise TypeError(
                    "the bounds of a slice must be ints: the shape of the result must be known "
                    "while the function is traced. Use `ops.take(x, indices, axis)`, or a mask."
                )
        return item
    if isinstance(item, (bool, np.bool_)):
        raise TypeError("a bool cannot be an index; use `ops.where` or None for a new axis.")
    if isinstance(item, (int, np.integer)):
        return int(item)
    if isinstance(item, Operators):
        tensor = as_tensor(item)
        if tensor.dtype == "bool":
            raise TypeError(
                "a bool tensor cannot be an index: how many elements it picks is not known while "
                "the function is traced. Use `ops.where(mask, x, 0)`."
            )
        if not tensor.dtype.startswith("int"):
            raise TypeError(f"an index must be of integers, got a tensor of {tensor.dtype}.")
        return _Places(tensor)
    array = np.asarray(item)
    if array.size == 0 and array.dtype.kind == "f":
        array = array.astype(np.int64)  # []
    if array.dtype == bool:
        return array
    if array.dtype.kind not in "iu":
        raise TypeError(f"an index must be of integers, got {item!r}.")
    return _Places(as_tensor(array), array)


def _aligned(items: list, shape: tuple) -> list:
    """The parts of a key without `...`: one per axis, and None for each new axis."""
    flat: list = []
    for item in items:
        if isinstance(item, np.ndarray):  # bools known now: the indices of the true ones
            sizes = shape[_axes_used(flat, len(shape), items) :][: item.ndim]
            if item.shape != sizes:
                raise IndexError(f"a bool index of shape {item.shape} on axes of shape {sizes}.")
            flat += [_Places(as_tensor(where_)) for where_ in np.nonzero(item)]
        else:
            flat.append(item)
    used = sum(item is not None and item is not Ellipsis for item in flat)
    if used > len(shape):
        raise IndexError(f"{used} indices for a tensor with {len(shape)} axes, of shape {shape}.")
    if sum(item is Ellipsis for item in flat) > 1:
        raise IndexError("a key can have one `...` only.")
    rest = [slice(None)] * (len(shape) - used)
    for position, item in enumerate(flat):
        if item is Ellipsis:
            return flat[:position] + rest + flat[position + 1 :]
    return flat + rest


def _check_ranges(items: list, shape: tuple) -> None:
    """IndexError if a known index does not fit its axis."""
    axes = [item for item in items if item is not None]
    for axis, (item, size) in enumerate(zip(axes, shape, strict=True)):
        if isinstance(item, int):
            bad = [] if -size <= item < size else [item]
        elif isinstance(item, _Places) and item.values is not None:
            bad = item.values[(item.values < -size) | (item.values >= size)]
        else:
            continue
        if len(bad):
            raise IndexError(f"index {bad[0]} is out of range for axis {axis} of size {size}.")


def _axes_used(flat: list, rank: int, items: list) -> int:
    """How many axes the parts in `flat` take, with `...` filled up for the whole key."""
    used = sum(item is not None and item is not Ellipsis for item in flat)
    if any(item is Ellipsis for item in flat):
        total = sum(
            item.ndim if isinstance(item, np.ndarray) else item is not None and item is not Ellipsis
            for item in items
        )
        used += rank - total
    return used


def _basic(x: Tensor, items: list) -> Tensor:
    """Slices, integers and new axes: one slice node, one reshape."""
    start, stop, step, shape = [], [], [], []
    sizes = iter(x.shape)
    for item in items:
        if item is None:
            shape.append(1)
            continue
        size = next(sizes)
        if isinstance(item, int):
            start.append(item % size)
            stop.append(item % size + 1)
            step.append(1)
            continue
        first, end, by = item.indices(size)
        count = len(range(first, end, by))
        # An empty or a backward slice in the core's terms: stop is -1 past the front.
        start.append(first if count else 0)
        stop.append(first + (count - 1) * by + (1 if by > 0 else -1) if count else 0)
        step.append(by if count else 1)
        shape.append(count)
    whole = all(v == 0 for v in start) and stop == list(x.shape) and all(v == 1 for v in step)
    if not whole:
        x = emit1("slice", x, start=start, stop=stop, step=step)
    return reshape(x, tuple(shape))


def _advanced(x: Tensor, at: list[int], places: list[Tensor]) -> Tensor:
    """x with the axes `at` indexed by `places`, broadcast together."""
    neighbours = at == list(range(at[0], at[0] + len(at)))
    shape = np.broadcast_shapes(*(p.shape for p in places))
    if not neighbours:
        rest = [axis for axis in range(x.ndim) if axis not in at]
        x = transpose(x, at + rest)
        at = list(range(len(at)))
    sizes = [x.shape[axis] for axis in at]
    index = places[0]
    if len(at) > 1:
        index = _not_negative(index, sizes[0])
        for place, size in zip(places[1:], sizes[1:], strict=True):
            index = add(multiply(index, size), _not_negative(place, size))
        x = reshape(x, (*x.shape[: at[0]], math.prod(sizes), *x.shape[at[-1] + 1 :]))
    return emit1("take", x, broadcast_to(index, shape), axis=at[0])


def _not_negative(index: Tensor, size: int) -> Tensor:
    return where(less(index, 0), add(index, size), index)


@op
def take(x, indices, axis=None):
    """The slices of x at these places along an axis; None: of the flattened x.

    The result has the shape of the indices in place of the axis. Negative indices count from the
    end. Indices out of range are clipped when they are computed or come from data.
    """
    x = as_tensor(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    axis = one_axis(axis, x.ndim, "take")
    index = as_tensor(indices)
    if not index.dtype.startswith("int"):
        raise TypeError(f"take: the indices must be integers, got {index.dtype}; use `ops.cast`.")
    return emit1("take", x, index, axis=axis)


@op
def take_along_axis(x, indices, axis=None):
    """For each place, the element of x at that index along the axis; None: of all of x in a row."""
    x = as_tensor(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    index = as_tensor(indices)
    axis = one_axis(axis, x.ndim, "take_along_axis")
    if index.ndim != x.ndim:
        raise ValueError(
            f"take_along_axis: x {x.shape} and the indices {index.shape} need as many axes."
        )
    perm = [a for a in range(x.ndim) if a != axis] + [axis]
    back = sorted(range(x.ndim), key=perm.__getitem__)
    x, index = transpose(x, perm), transpose(index, perm)
    shape = np.broadcast_shapes(x.shape[:-1], index.shape[:-1])
    x = broadcast_to(x, (*shape, x.shape[-1]))
    index = _not_negative(broadcast_to(index, (*shape, index.shape[-1])), x.shape[-1])
    if index.shape[-1] == 1:
        picked = expand_dims(emit1("pick", x, reshape(index, shape)), -1)
        return transpose(picked, back)
    rows = math.prod(shape)
    first = reshape(np.arange(rows, dtype="int64") * x.shape[-1], (*shape, 1))
    flat = emit1("take", reshape(x, (-1,)), add(index, first), axis=0)
    return transpose(flat, back)


@op
def pick(x, indices):
    """x[..., indices[...]]: x of shape (..., n), indices of shape (...)."""
    return emit1("pick", as_tensor(x), as_tensor(indices))
