"""Functions that move elements (reshape, join, split, repeat, pad) and that make tensors."""

from __future__ import annotations

import math

import numpy as np

from seqrnn import config
from seqrnn.ops.core import (
    as_float,
    as_tensor,
    is_number,
    many_axes,
    one_axis,
    op,
    same_dtype,
    whole_shape,
)
from seqrnn.trace.frame import Tensor, emit1

# ---- the same elements in another shape ----


@op
def reshape(x, newshape):
    """x in another shape of as many elements; one size may be -1."""
    x = as_tensor(x)
    shape = whole_shape(newshape, "reshape")
    if shape.count(-1) == 1:
        rest = -math.prod(shape)
        if rest > 0 and x.size % rest == 0:
            shape = tuple(x.size // rest if d == -1 else d for d in shape)
    if shape == x.shape:
        return x
    result = emit1("reshape", x, shape=shape)
    root = x.frame.root
    if x.frame is root and x.id in root.sources:
        root.sources[result.id] = root.sources[x.id]
    return result


@op
def ravel(x):
    """x with one axis."""
    return reshape(x, (-1,))


@op
def transpose(x, axes=None):
    """The axes in another order; None: reversed."""
    x = as_tensor(x)
    if axes is None:
        perm = tuple(reversed(range(x.ndim)))
    else:
        perm = tuple(one_axis(a, x.ndim, "transpose") for a in axes)
        if sorted(perm) != list(range(x.ndim)):
            raise ValueError(f"transpose: {axes} does not name each of the {x.ndim} axes once.")
    return x if perm == tuple(range(x.ndim)) else emit1("transpose", x, perm=perm)


@op
def swapaxes(x, axis1, axis2):
    """Two axes exchanged."""
    x = as_tensor(x)
    a, b = one_axis(axis1, x.ndim, "swapaxes"), one_axis(axis2, x.ndim, "swapaxes")
    perm = list(range(x.ndim))
    perm[a], perm[b] = b, a
    return transpose(x, perm)


@op
def moveaxis(x, source, destination):
    """Axes moved to other places; the others keep their order."""
    x = as_tensor(x)
    pairs = zip(_as_list(source), _as_list(destination), strict=True)
    places = {one_axis(d, x.ndim, "moveaxis"): one_axis(s, x.ndim, "moveaxis") for s, d in pairs}
    rest = iter([a for a in range(x.ndim) if a not in places.values()])
    return transpose(x, [places[a] if a in places else next(rest) for a in range(x.ndim)])


def _as_list(x) -> list:
    return list(x) if isinstance(x, (list, tuple)) else [x]


@op
def expand_dims(x, axis):
    """New axes of size 1 at these places of the result."""
    x = as_tensor(x)
    axes = _as_list(axis)
    rank = x.ndim + len(axes)
    places = {one_axis(a, rank, "expand_dims") for a in axes}
    sizes = iter(x.shape)
    return reshape(x, tuple(1 if a in places else next(sizes) for a in range(rank)))


@op
def squeeze(x, axis=None):
    """Axes of size 1 taken away; None: all of them."""
    x = as_tensor(x)
    if axis is None:
        return reshape(x, tuple(d for d in x.shape if d != 1))
    axes = many_axes(axis, x.ndim, "squeeze")
    for a in axes:
        if x.shape[a] != 1:
            raise ValueError(f"squeeze: axis {a} of shape {x.shape} has size {x.shape[a]}, not 1.")
    return reshape(x, tuple(d for a, d in enumerate(x.shape) if a not in axes))


@op
def broadcast_to(x, shape):
    """x repeated to a shape, by NumPy's rule."""
    x = as_tensor(x)
    shape = whole_shape(shape, "broadcast_to")
    return x if shape == x.shape else emit1("broadcast_to", x, shape=shape)


# ---- joining and splitting ----


@op
def concatenate(xs, axis=0):
    """Tensors one after the other along an axis."""
    xs = same_dtype(xs) if len(xs) else []
    if not xs:
        raise ValueError("concatenate: got no tensors.")
    axis = one_axis(axis, xs[0].ndim, "concatenate")
    return xs[0] if len(xs) == 1 else emit1("concat", *xs, axis=axis)


@op
def stack(x, axis=0):
    """Tensors of one shape along a new axis."""
    xs = same_dtype(x) if len(x) else []
    if not xs:
        raise ValueError("stack: got no tensors.")
    shape = xs[0].shape
    for each in xs:
        if each.shape != shape:
            raise ValueError(f"stack: the shapes {shape} and {each.shape} differ.")
    axis = one_axis(axis, len(shape) + 1, "stack")
    shape = (*shape[:axis], 1, *shape[axis:])
    return concatenate([reshape(each, shape) for each in xs], axis)


@op
def hstack(xs):
    """Tensors side by side: along the second axis, or the first if there is one only."""
    xs = [as_tensor(x) for x in xs]
    return concatenate(xs, 1 if xs[0].ndim > 1 else 0)


@op
def vstack(xs):
    """Tensors one below the other, 1-D ones as rows."""
    xs = [as_tensor(x) for x in xs]
    return concatenate([reshape(x, (1, -1)) if x.ndim < 2 else x for x in xs], 0)


def cut(x: Tensor, axis: int, begin: int, end: int) -> Tensor:
    """x[begin:end] along one axis."""
    if begin == 0 and end == x.shape[axis]:
        return x
    start, stop = [0] * x.ndim, list(x.shape)
    start[axis], stop[axis] = begin, end
    return emit1("slice", x, start=start, stop=stop, step=[1] * x.ndim)


@op
def split(x, indices_or_sections, axis=0):
    """A list of pieces along an axis: so many of equal size, or cut at these indices."""
    x = as_tensor(x)
    axis = one_axis(axis, x.ndim, "split")
    size = x.shape[axis]
    if isinstance(indices_or_sections, (int, np.integer)):
        n = int(indices_or_sections)
        if n < 1 or size % n:
            raise ValueError(f"split: axis {axis} of shape {x.shape} has no {n} equal parts.")
        ends = [size // n * (i + 1) for i in range(n)]
    else:
        ends = [*(slice(None, int(i)).indices(size)[1] for i in indices_or_sections), size]
    begins = [0, *ends[:-1]]
    return [cut(x, axis, b, max(b, e)) for b, e in zip(begins, ends, strict=True)]


@op
def unstack(x, num=None, axis=0):
    """A list of the slices along an axis, without that axis."""
    x = as_tensor(x)
    axis = one_axis(axis, x.ndim, "unstack")
    if num is not None and num != x.shape[axis]:
        raise ValueError(f"unstack: axis {axis} of shape {x.shape} does not have {num} slices.")
    rest = x.shape[:axis] + x.shape[axis + 1 :]
    return [reshape(cut(x, axis, i, i + 1), rest) for i in range(x.shape[axis])]


# ---- repeating, turning, padding ----


@op
def flip(x, axis=None):
    """The elements in the opposite order along axes; None: along all."""
    x = as_tensor(x)
    axes = many_axes(axis, x.ndim, "flip")
    start = [d - 1 if a in axes else 0 for a, d in enumerate(x.shape)]
    stop = [-1 if a in axes else d for a, d in enumerate(x.shape)]
    step = [-1 if a in axes else 1 for a in range(x.ndim)]
    return emit1("slice", x, start=start, stop=stop, step=step) if axes and x.size else x


@op
def roll(x, shift, axis=None):
    """The elements moved by `shift` places; what falls off comes back at the front."""
    x = as_tensor(x)
    if axis is None:
        return reshape(roll(reshape(x, (-1,)), shift, 0), x.shape)
    shifts, axes = _as_list(shift), _as_list(axis)
    count = max(len(shifts), len(axes))  # one goes with each of the other
    if {len(shifts), len(axes)} - {1, count}:
        raise ValueError(f"roll: {len(shifts)} shifts do not fit {len(axes)} axes.")
    shifts, axes = (v * count if len(v) == 1 else v for v in (shifts, axes))
    for s, a in zip(shifts, axes, strict=True):
        a = one_axis(a, x.ndim, "roll")
        size = x.shape[a]
        at = -s % size if size else 0
        if at:
            x = concatenate([cut(x, a, at, size), cut(x, a, 0, at)], a)
    return x


@op
def tile(x, repeats):
    """The whole tensor repeated along each axis."""
    x = as_tensor(x)
    repeats = whole_shape(repeats, "tile")
    rank = max(x.ndim, len(repeats))
    repeats = (1,) * (rank - len(repeats)) + repeats
    shape = (1,) * (rank - x.ndim) + x.shape
    wide = [d for r, s in zip(repeats, shape, strict=True) for d in (r, s)]
    thin = [d for s in shape for d in (1, s)]
    repeated = broadcast_to(reshape(x, thin), wide)
    return reshape(repeated, [r * s for r, s in zip(repeats, shape, strict=True)])


@op
def repeat(x, repeats, axis=None):
    """Each element repeated, one after the other; `repeats` may be a list, one per element."""
    x = as_tensor(x)
    if axis is None:
        x, axis = reshape(x, (-1,)), 0
    axis = one_axis(axis, x.ndim, "repeat")
    if not isinstance(repeats, (int, np.integer)):
        counts = np.broadcast_to(np.asarray(repeats), (x.shape[axis],))
        places = np.repeat(np.arange(x.shape[axis]), counts)
        return emit1("take", x, as_tensor(places), axis=axis)
    before, size, after = x.shape[:axis], x.shape[axis], x.shape[axis + 1 :]
    wide = broadcast_to(reshape(x, (*before, size, 1, *after)), (*before, size, repeats, *after))
    return reshape(wide, (*before, size * repeats, *after))


@op
def pad(x, pad_width, mode="constant", constant_values=None):
    """More elements around x: (before, after) per axis, one pair for all, or one number.

    mode: 'constant' (with `constant_values`, default 0), 'reflect', 'symmetric' or 'edge'.
    """
    x = as_tensor(x)
    widths = np.broadcast_to(np.asarray(pad_width, np.int64), (x.ndim, 2)).tolist()
    if any(w < 0 for pair in widths for w in pair):
        raise ValueError(f"pad: the widths must not be negative, got {pad_width}.")
    if mode == "constant":
        before, after = [b for b, _ in widths], [a for _, a in widths]
        return emit1("pad", x, before=before, after=after, value=float(constant_values or 0))
    if constant_values is not None:
        raise ValueError(f"pad: constant_values has no meaning with mode {mode!r}.")
    if mode not in ("reflect", "symmetric", "edge"):
        raise ValueError(f"pad: unknown mode {mode!r}; 'constant', 'reflect', 'symmetric', 'edge'.")
    for axis, pair in enumerate(widths):
        if pair != [0, 0]:
            places = np.pad(np.arange(x.shape[axis]), pair, mode)
            x = emit1("take", x, as_tensor(places), axis=axis)
    return x


# ---- new tensors ----


@op
def full(shape, fill_value, dtype=None):
    """A tensor of one value; the dtype is `floatx()` unless given."""
    dtype = config.requested_dtype(dtype)
    shape = whole_shape(shape, "full")
    if is_number(fill_value):
        return emit1("fill", shape=shape, value=float(fill_value), dtype=dtype)
    return broadcast_to(as_tensor(fill_value, dtype), shape)


@op
def zeros(shape, dtype=None):
    """Zeros; the dtype is `floatx()` unless given."""
    return full(shape, 0, dtype)


@op
def ones(shape, dtype=None):
    """Ones; the dtype is `floatx()` unless given."""
    return full(shape, 1, dtype)


@op
def full_like(x, fill_value, dtype=None):
    """One value in the shape of x, and in its dtype unless given."""
    x = as_tensor(x)
    return full(x.shape, fill_value, dtype or x.dtype)


@op
def zeros_like(x, dtype=None):
    """Zeros in the shape of x, and in its dtype unless given."""
    return full_like(x, 0, dtype)


@op
def ones_like(x, dtype=None):
    """Ones in the shape of x, and in its dtype unless given."""
    return full_like(x, 1, dtype)


@op(static=("start", "stop", "step"))
def arange(start, stop=None, step=None, dtype=None):
    """start, start + step, ... below stop; `arange(n)` gives 0 .. n-1. Integers give int32."""
    if stop is None:
        start, stop = 0, start
    if start is None or stop is None:
        raise ValueError(
            "arange: a size of the shape of a placeholder is not known (None). Declare it in "
            "Input(shape=...), or write a Layer, whose `call` sees whole sizes."
        )
    step = 1 if step is None else step
    if dtype is None:
        whole = all(isinstance(v, (int, np.integer)) for v in (start, stop, step))
        dtype = "int32" if whole else config.floatx()
    return as_tensor(np.arange(start, stop, step, dtype=config.requested_dtype(dtype)))


@op
def linspace(start, stop, num=50, endpoint=True, retstep=False, dtype=None, axis=0):
    """`num` numbers at equal distances from start to stop; of tensors, along a new axis."""
    dtype = config.requested_dtype(dtype)
    if is_number(start) and is_number(stop):
        values, step = np.linspace(start, stop, num, endpoint, True)
        values = as_tensor(values.astype(dtype))
    else:
        values, step = _linspace(start, stop, num, endpoint, axis)
        values = as_tensor(values, dtype)
    return (values, step) if retstep else values


def _linspace(start, stop, num: int, endpoint: bool, axis: int) -> tuple[Tensor, Tensor]:
    """Of tensors: start + i step, and exactly stop at the end; and the step."""
    from seqrnn.ops import elementwise as e

    start, stop = (as_float(t) for t in e.operands(start, stop))
    parts = num - 1 if endpoint else num
    step = e.divide(e.subtract(stop, start), float(parts) if parts > 0 else math.nan)
    places = as_tensor(np.arange(num).reshape((num,) + (1,) * len(step.shape)), start.dtype)
    values = e.where(e.equal(places, 0), start, e.add(start, e.multiply(places, step)))
    if endpoint and parts > 0:
        values = e.where(e.equal(places, parts), stop, values)
    return moveaxis(values, 0, axis), step


@op
def eye(N, M=None, k=0, dtype=None):
    """Ones on the k-th diagonal, zeros elsewhere: shape (N, M or N)."""
    return as_tensor(np.eye(N, M, k, dtype=config.requested_dtype(dtype)))


@op
def identity(n, dtype=None):
    """Ones on the diagonal, zeros elsewhere: shape (n, n)."""
    return eye(n, dtype=dtype)


@op
def tril(x, k=0):
    """x with zeros above the k-th diagonal of its last two axes."""
    return _triangle(x, np.tril, k)


@op
def triu(x, k=0):
    """x with zeros below the k-th diagonal of its last two axes."""
    return _triangle(x, np.triu, k)


def _triangle(x, keep, k) -> Tensor:
    x = as_tensor(x)
    mask = as_tensor(keep(np.ones(x.shape[-2:], bool), k))
    return emit1("where", mask, x, x.frame.scalar(0, x.dtype))
