"""More of NumPy: joining, cutting, diagonals, grids, windows, writing into parts of an array."""

from __future__ import annotations

import math

import numpy as np

from seqrnn import config
from seqrnn.ops.core import (
    as_float,
    as_tensor,
    is_number,
    one_axis,
    op,
    operands,
    same_dtype,
    whole_shape,
)
from seqrnn.ops.elementwise import abs as absolute
from seqrnn.ops.elementwise import (
    add,
    equal,
    exp,
    less,
    log,
    logical_and,
    multiply,
    power,
    sign,
    where,
)
from seqrnn.ops.indexing import getitem
from seqrnn.ops.shaping import (
    broadcast_to,
    concatenate,
    cut,
    expand_dims,
    flip,
    full,
    linspace,
    pad,
    ravel,
    reshape,
    split,
    swapaxes,
    transpose,
    zeros,
    zeros_like,
)
from seqrnn.ops.sorting import argsort
from seqrnn.trace.frame import Tensor, emit1

# ---- new tensors ----


@op
def array(x, dtype=None):
    """x, a tensor, array, number or nested list of them, as a tensor."""
    return as_tensor(x, None if dtype is None else config.requested_dtype(dtype))


@op
def copy(x):
    """x; tensors never change, so a copy is the tensor itself."""
    return as_tensor(x)


@op
def empty(shape, dtype=None):
    """Zeros: memory that nobody has written to would not be the same from run to run."""
    return zeros(shape, dtype)


@op
def empty_like(x, dtype=None):
    """Zeros in the shape of x."""
    return zeros_like(x, dtype)


@op
def tri(N, M=None, k=0, dtype=None):
    """Ones on the k-th diagonal and below, zeros elsewhere: shape (N, M or N)."""
    return as_tensor(np.tri(N, M, k, dtype=config.requested_dtype(dtype)))


@op
def logspace(start, stop, num=50, endpoint=True, base=10, dtype=None, axis=0):
    """`num` numbers from base^start to base^stop at equal ratios."""
    exponents = linspace(start, stop, num, endpoint, False, "float64", axis)
    return as_tensor(power(as_float(base), exponents), config.requested_dtype(dtype))


@op
def geomspace(start, stop, num=50, endpoint=True, dtype=None, axis=0):
    """`num` numbers from start to stop at equal ratios."""
    dtype = config.requested_dtype(dtype)
    if is_number(start) and is_number(stop):
        return as_tensor(np.geomspace(start, stop, num, endpoint).astype(dtype))
    a, b = (as_tensor(t, "float64") for t in operands(start, stop))
    a, b = where(equal(sign(a), sign(b)), a, math.nan), b
    sizes = exp(linspace(log(absolute(a)), log(absolute(b)), num, endpoint, False, "float64", axis))
    return as_tensor(multiply(sizes, expand_dims(sign(a), axis)), dtype)


def _window(make, x):
    """The window of x points; x must be known."""
    return as_tensor(make(int(x)).astype(config.floatx()))


@op(static=("x",))
def bartlett(x):
    """The triangular window of x points, an int (Bartlett 1950): shape (x,)."""
    return _window(np.bartlett, x)


@op(static=("x",))
def blackman(x):
    """The Blackman window of x points: .42 - .5 cos(2 pi t) + .08 cos(4 pi t), t = n / (x - 1)."""
    return _window(np.blackman, x)


@op(static=("x",))
def hamming(x):
    """The Hamming window of x points: .54 - .46 cos(2 pi n / (x - 1))."""
    return _window(np.hamming, x)


@op(static=("x",))
def hanning(x):
    """The Hann window of x points: .5 - .5 cos(2 pi n / (x - 1))."""
    return _window(np.hanning, x)


@op(static=("x", "beta"))
def kaiser(x, beta):
    """The Kaiser window of x points with shape parameter beta (Kaiser 1974)."""
    return _window(lambda n: np.kaiser(n, float(beta)), x)


@op
def meshgrid(*x, indexing="xy"):
    """One tensor per 1-D tensor, each varying along its own axis; 'xy' swaps the first two axes."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing is 'xy' or 'ij', got {indexing!r}.")
    xs = [reshape(t, (-1,)) for t in x]
    sizes = [t.shape[0] for t in xs]
    grids = [
        broadcast_to(reshape(t, [-1 if a == i else 1 for a in range(len(xs))]), sizes)
        for i, t in enumerate(xs)
    ]
    return [swapaxes(g, 0, 1) for g in grids] if indexing == "xy" and len(xs) > 1 else grids


# ---- joining and cutting ----


@op
def append(x1, x2, axis=None):
    """x2 behind x1 along an axis; None: both flattened."""
    if axis is None:
        x1, x2, axis = ravel(x1), ravel(x2), 0
    return concatenate([x1, x2], axis)


@op
def dstack(xs):
    """Tensors along the third axis; 1-D ones are (1, n, 1), 2-D ones (m, n, 1)."""
    xs = [as_tensor(x) for x in xs]
    shapes = [(1, *x.shape, 1)[x.ndim == 2 :] if x.ndim < 3 else x.shape for x in xs]
    shapes = [(1, 1, 1) if x.ndim == 0 else s for x, s in zip(xs, shapes, strict=True)]
    return concatenate([reshape(x, s) for x, s in zip(xs, shapes, strict=True)], 2)


@op
def array_split(x, indices_or_sections, axis=0):
    """As `split`; so many parts need not be equal: the first ones get one element more."""
    x = as_tensor(x)
    axis = one_axis(axis, x.ndim, "array_split")
    if isinstance(indices_or_sections, (int, np.integer)):
        places = np.array_split(np.arange(x.shape[axis]), indices_or_sections)
        indices_or_sections = np.cumsum([len(p) for p in places])[:-1].tolist()
    return split(x, indices_or_sections, axis)


@op
def hsplit(x, indices_or_sections):
    """`split` along the second axis, or the first if there is one only."""
    x = as_tensor(x)
    return split(x, indices_or_sections, 0 if x.ndim == 1 else 1)


@op
def vsplit(x, indices_or_sections):
    """`split` along the first axis."""
    return split(x, indices_or_sections, 0)


@op
def dsplit(x, indices_or_sections):
    """`split` along the third axis."""
    return split(x, indices_or_sections, 2)


@op
def flipud(x):
    """The opposite order along the first axis."""
    return flip(x, 0)


@op
def fliplr(x):
    """The opposite order along the second axis."""
    return flip(x, 1)


@op
def rot90(array, k=1, axes=(0, 1)):
    """Turned k times by a right angle, from the first of the axes towards the second."""
    x = as_tensor(array)
    a, b = (one_axis(v, x.ndim, "rot90") for v in axes)
    if a == b:
        raise ValueError(f"rot90: axes must be two different ones, got {axes}.")
    if k % 4 == 2:
        return flip(x, (a, b))
    if k % 4 == 1:
        return swapaxes(flip(x, b), a, b)
    return flip(swapaxes(x, a, b), b) if k % 4 else x


# ---- diagonals and products ----


@op
def diag(x, k=0):
    """A vector on the k-th diagonal of a square of zeros; of a matrix, its k-th diagonal."""
    from seqrnn.ops.linear import diagonal

    x = as_tensor(x)
    if x.ndim == 2:
        return diagonal(x, k)
    if x.ndim != 1:
        raise ValueError(f"diag: expected one or two axes, got shape {x.shape}.")
    n = x.shape[0] + abs(k)
    square = where(as_tensor(np.eye(x.shape[0], dtype=bool)), x, zeros((), x.dtype))
    before, after = (abs(k), 0), (0, abs(k))
    return reshape(pad(square, (after, before) if k >= 0 else (before, after)), (n, n))


@op
def diagflat(x, k=0):
    """The flattened x on the k-th diagonal of a square of zeros."""
    return diag(ravel(x), k)


@op
def kron(x1, x2):
    """The Kronecker product: each element of x1 times all of x2."""
    a, b = as_tensor(x1), as_tensor(x2)
    rank = max(a.ndim, b.ndim)
    a = reshape(a, (1,) * (rank - a.ndim) + a.shape)
    b = reshape(b, (1,) * (rank - b.ndim) + b.shape)
    wide = multiply(
        reshape(a, [d for s in a.shape for d in (s, 1)]),
        reshape(b, [d for s in b.shape for d in (1, s)]),
    )
    return reshape(wide, [m * n for m, n in zip(a.shape, b.shape, strict=True)])


@op
def vander(x, N=None, increasing=False):
    """The powers 0 .. N - 1 of a vector as columns, the highest first unless `increasing`."""
    x = as_tensor(x)
    count = x.shape[0] if N is None else int(N)
    columns = [zeros_like(x) + 1] if count else []
    while len(columns) < count:
        columns.append(multiply(columns[-1], x))
    if not columns:
        return zeros((x.shape[0], 0), x.dtype)
    return transpose(concatenate([reshape(c, (1, -1)) for c in columns[:: 2 * increasing - 1]], 0))


@op
def cross(x1, x2, axisa=-1, axisb=-1, axisc=-1, axis=None):
    """The vector product of vectors of 3 (or 2: the missing one is 0) along an axis."""
    from seqrnn.ops.shaping import moveaxis

    if axis is not None:
        axisa = axisb = axisc = axis
    a, b = same_dtype([x1, x2])
    a, b = moveaxis(a, axisa, -1), moveaxis(b, axisb, -1)
    if {a.shape[-1], b.shape[-1]} - {2, 3}:
        raise ValueError(f"cross: vectors must have 2 or 3 elements, got {a.shape}, {b.shape}.")
    flat = a.shape[-1] == b.shape[-1] == 2
    u, v = ([getitem(t, (..., i)) for i in range(t.shape[-1])] for t in (a, b))
    z = u[0] * v[1] - u[1] * v[0]
    if flat:
        return z
    u, v = (t if len(t) == 3 else [*t, zeros_like(t[0])] for t in (u, v))
    parts = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], z]
    return moveaxis(concatenate([reshape(p, (*p.shape, 1)) for p in parts], -1), -1, axisc)


# ---- choosing ----


@op
def select(condlist, choicelist, default=0):
    """The choice of the first condition that is true, else the default; all are broadcast."""
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(
            f"select: expected one choice per condition, got {len(condlist)} and {len(choicelist)}."
        )
    result = default
    for condition, choice in zip(reversed(condlist), reversed(choicelist), strict=True):
        result = where(condition, choice, result)
    return result


@op
def slice(inputs, start_indices, shape):
    """The part of `inputs` of this shape that begins at these indices, one per axis.

    Negative indices count from the end; all are moved so that the part lies inside.
    """
    x = as_tensor(inputs)
    shape = whole_shape(shape, "slice")
    starts = _starts(start_indices, x, "slice")
    if len(shape) != x.ndim:
        raise ValueError(f"slice: expected {x.ndim} sizes as shape, one per axis, got {shape}.")
    for axis, (start, size) in enumerate(zip(starts, shape, strict=True)):
        last = x.shape[axis] - size
        if last < 0:
            raise ValueError(f"slice: {size} elements of axis {axis} of shape {x.shape}.")
        if isinstance(start, int):
            start = min(max(start + x.shape[axis] if start < 0 else start, 0), last)
            x = cut(x, axis, start, start + size)
        else:
            start = where(less(start, 0), add(start, x.shape[axis]), start)
            start = where(less(start, 0), 0, where(less(last, start), last, start))
            x = emit1("take", x, add(start, np.arange(size, dtype=start.dtype)), axis=axis)
    return x


def _starts(indices, x: Tensor, name: str) -> list:
    """Where a part begins: an int per axis, or a tensor of shape ()."""
    if not isinstance(indices, (list, tuple)):
        indices = _known(indices)
    if isinstance(indices, Tensor):
        indices = [getitem(indices, i) for i in range(indices.shape[0])]
    if len(indices) != x.ndim:
        raise ValueError(f"{name}: expected {x.ndim} start indices, one per axis, got {indices}.")
    return [i if isinstance(i, Tensor) else int(i) for i in indices]


def _known(x):
    """A list if the elements are known while tracing, else a tensor."""
    tensor = x if isinstance(x, Tensor) else None
    return np.asarray(x).tolist() if tensor is None else tensor


@op(static=("start_indices",))
def slice_update(inputs, start_indices, updates):
    """`inputs` with `updates` written over the part that begins at these indices, ints."""
    x = as_tensor(inputs)
    new = as_tensor(updates, x.dtype)
    starts = _starts(start_indices, x, "slice_update")
    if any(isinstance(s, Tensor) for s in starts):
        raise TypeError(
            "slice_update: the start indices must be ints while a function is traced; use "
            "`ops.where` with `ops.arange(n) == index`."
        )
    widths = []
    for start, size, part in zip(starts, x.shape, new.shape, strict=True):
        start = min(max(start + size if start < 0 else start, 0), size - part)
        widths.append((start, size - part - start))
    mask = np.pad(np.ones(new.shape, bool), widths)
    return where(as_tensor(mask), pad(new, widths), x)


# ---- writing to places ----


def _flat_places(indices, shape) -> Tensor:
    """Rows of indices (..., k) as places of the first k axes, flattened."""
    index = as_tensor(indices)
    depth = index.shape[-1] if index.ndim else 0
    if not index.dtype.startswith("int") or not 1 <= depth <= len(shape):
        raise ValueError(
            f"expected integers of shape (n, k) with k from 1 to {len(shape)} as indices, got "
            f"{index.dtype} of shape {index.shape}."
        )
    place = 0
    for axis in range(depth):
        part = getitem(index, (..., axis))
        part = where(less(part, 0), add(part, shape[axis]), part)
        place = add(multiply(place, shape[axis]), part)
    return reshape(as_tensor(place, "int64"), (-1,))


def _sums_at(places: Tensor, values: Tensor, count: int) -> Tensor:
    """Values (n, ...) added up at places of (count, ...); other places are left out."""
    inside = logical_and(less(-1, places), less(places, count))
    places = where(inside, places, count)
    sums = emit1("take_grad", as_float(values), places, axis=0, n=count + 1)
    return as_tensor(cut(sums, 0, 0, count), values.dtype)


@op
def scatter(indices, values, shape):
    """Zeros of a shape, with values added at indices (n, k), which name the first k axes."""
    shape = whole_shape(shape, "scatter")
    places = _flat_places(indices, shape)
    depth = as_tensor(indices).shape[-1]
    values = as_tensor(values)
    values = reshape(values, (places.shape[0], *shape[depth:]))
    return reshape(_sums_at(places, values, math.prod(shape[:depth])), shape)


@op
def scatter_update(inputs, indices, updates, reduction=None):
    """`inputs` with `updates` (n, ...) put at indices (n, k), which name the first k axes.

    reduction: None: the last of several at one place stays; 'add': they are added to what is there.
    """
    if reduction not in (None, "add"):
        raise ValueError(f"scatter_update: reduction is None or 'add', got {reduction!r}.")
    x = as_tensor(inputs)
    places = _flat_places(indices, x.shape)
    depth = as_tensor(indices).shape[-1]
    count = math.prod(x.shape[:depth])
    updates = reshape(as_tensor(updates, x.dtype), (places.shape[0], *x.shape[depth:]))
    flat = reshape(x, (count, *x.shape[depth:]))
    if reduction == "add":
        return reshape(add(flat, _sums_at(places, updates, count)), x.shape)
    order = argsort(places)  # stable: the last at each place stands before a larger one
    ordered = emit1("take", places, order, axis=0)
    following = concatenate([cut(ordered, 0, 1, ordered.shape[0]), full((1,), -1, "int64")], 0)
    winners = where(ordered == following, count, ordered)
    updates = emit1("take", updates, order, axis=0)
    written = _sums_at(winners, full((places.shape[0],), 1.0), count)
    written = reshape(written, (count,) + (1,) * (flat.ndim - 1))
    return reshape(where(written > 0, _sums_at(winners, updates, count), flat), x.shape)


@op
def unravel_index(indices, shape):
    """The index along each axis of places in the flattened tensor: a tuple of tensors."""
    index = as_tensor(indices)
    shape = whole_shape(shape, "unravel_index")
    parts = []
    for size in reversed(shape):
        parts.append(index % size)
        index = index // size
    return tuple(reversed(parts))


@op
def extract_sequences(x, sequence_length, sequence_stride):
    """Windows along the last axis: (..., T) to (..., windows, sequence_length)."""
    x = as_tensor(x)
    count = (x.shape[-1] - sequence_length) // sequence_stride + 1
    if count < 1:
        raise ValueError(f"extract_sequences: {sequence_length} steps of {x.shape[-1]} in all.")
    starts = np.arange(count)[:, None] * sequence_stride
    return emit1("take", x, as_tensor(starts + np.arange(sequence_length)), axis=x.ndim - 1)
