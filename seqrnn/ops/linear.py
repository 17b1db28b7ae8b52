"""Products of matrices and tensors: matmul, dot, tensordot, outer, einsum."""

from __future__ import annotations

import math

from seqrnn import config
from seqrnn.ops.core import as_tensor, one_axis, op, operands, same_dtype
from seqrnn.ops.elementwise import multiply
from seqrnn.ops.indexing import getitem
from seqrnn.ops.reduction import sum
from seqrnn.ops.shaping import arange, reshape, transpose
from seqrnn.trace.frame import Tensor, emit1


@op
def matmul(x1, x2):
    """x1 @ x2: the last axis of x1 with the last but one of x2; the axes before are broadcast.

    A 1-D x1 counts as a row, a 1-D x2 as a column, and the axis is taken away again. Of integers
    the result is one too, exact up to 2^53.
    """
    a, b = operands(x1, x2)
    if not config.is_float(a.dtype):
        return as_tensor(matmul(as_tensor(a, "float64"), as_tensor(b, "float64")), a.dtype)
    if a.ndim == 0 or b.ndim == 0:
        raise ValueError(f"matmul: got the shapes {a.shape} and {b.shape}; use `*` with a number.")
    row, column = a.ndim == 1, b.ndim == 1
    if row:
        a = reshape(a, (1, *a.shape))
    if column:
        b = reshape(b, (*b.shape, 1))
    c = emit1("matmul", a, b)
    if row or column:
        last = c.shape[-2:]
        c = reshape(c, (*c.shape[:-2], *last[row : 2 - column]))
    return c


@op
def tensordot(x1, x2, axes=2):
    """Sums over pairs of axes: the last `axes` of x1 with the first of x2, or lists of axes."""
    a, b = operands(x1, x2)
    if isinstance(axes, int):
        of_a, of_b = list(range(a.ndim - axes, a.ndim)), list(range(axes))
    else:
        of_a, of_b = (list(p) if isinstance(p, (list, tuple)) else [p] for p in axes)
        of_a = [one_axis(p, a.ndim, "tensordot") for p in of_a]
        of_b = [one_axis(p, b.ndim, "tensordot") for p in of_b]
    if [a.shape[p] for p in of_a] != [b.shape[p] for p in of_b]:
        raise ValueError(
            f"tensordot: axes {of_a} of shape {a.shape} do not fit axes {of_b} of shape {b.shape}."
        )
    free_a = [p for p in range(a.ndim) if p not in of_a]
    free_b = [p for p in range(b.ndim) if p not in of_b]
    inner = math.prod(a.shape[p] for p in of_a)
    rows = [a.shape[p] for p in free_a]
    columns = [b.shape[p] for p in free_b]
    left = reshape(transpose(a, free_a + of_a), (math.prod(rows), inner))
    right = reshape(transpose(b, of_b + free_b), (inner, math.prod(columns)))
    return reshape(matmul(left, right), rows + columns)


@op
def dot(x1, x2):
    """NumPy's dot: the last axis of x1 with the last but one (or only) axis of x2."""
    a, b = operands(x1, x2)
    if a.ndim == 0 or b.ndim == 0:
        return as_tensor(multiply(a, b), a.dtype)
    if b.ndim <= 2:
        return matmul(a, b)
    return tensordot(a, b, ((a.ndim - 1,), (b.ndim - 2,)))


@op
def vdot(x1, x2):
    """The sum of the products of all elements."""
    return sum(multiply(reshape(x1, (-1,)), reshape(x2, (-1,))))


@op
def inner(x1, x2):
    """Sums over the last axes of both."""
    a, b = operands(x1, x2)
    if a.ndim == 0 or b.ndim == 0:
        return as_tensor(multiply(a, b), a.dtype)
    return tensordot(a, b, ((a.ndim - 1,), (b.ndim - 1,)))


@op
def outer(x1, x2):
    """Each element of x1 times each of x2: shape (size of x1, size of x2)."""
    return multiply(reshape(x1, (-1, 1)), reshape(x2, (1, -1)))


@op(static=("offset",))
def trace(x, offset=0, axis1=0, axis2=1):
    """The sum of a diagonal."""
    return sum(diagonal(x, offset, axis1, axis2), -1)


@op(static=("offset",))
def diagonal(x, offset=0, axis1=0, axis2=1):
    """The elements whose places along two axes differ by `offset`, along a new last axis."""
    x = as_tensor(x)
    axis1, axis2 = one_axis(axis1, x.ndim, "diagonal"), one_axis(axis2, x.ndim, "diagonal")
    n = min(x.shape[axis1] - max(-offset, 0), x.shape[axis2] - max(offset, 0))
    rest = [a for a in range(x.ndim) if a not in (axis1, axis2)]
    x = transpose(x, rest + [axis1, axis2])
    places = arange(n)
    return getitem(x, (..., places + max(-offset, 0), places + max(offset, 0)))


# ---- einsum ----


@op
def einsum(subscripts, *tensors):
    """Sums of products by the names of the axes: `einsum('btf,fu->btu', x, w)`.

    `...` stands for axes that are broadcast. A name twice in one operand means its diagonal.
    """
    tensors = same_dtype(tensors)
    whole = tensors[0].dtype
    if not config.is_float(whole):
        return as_tensor(einsum(subscripts, *(as_tensor(t, "float64") for t in tensors)), whole)
    terms, output = _subscripts(subscripts, [t.ndim for t in tensors])
    parts = [_diagonals(term, tensor) for term, tensor in zip(terms, tensors, strict=True)]
    while len(parts) > 1:
        (a, x), (b, y), *rest = parts
        keep = set(output).union(*(term for term, _ in rest))
        parts = [_contract(a, x, b, y, keep), *rest]
    term, x = parts[0]
    gone = [i for i, label in enumerate(term) if label not in output]
    if gone:
        x = sum(x, gone)
        term = [label for label in term if label in output]
    return transpose(x, [term.index(label) for label in output])


def _subscripts(text: str, ranks: list[int]):
    """The labels of each operand and of the result; those of `...` are numbers from the right."""
    left, arrow, right = text.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(ranks):
        raise ValueError(f"einsum: {text!r} names {len(terms)} operands, got {len(ranks)}.")
    labels = [_labels(term, rank, text) for term, rank in zip(terms, ranks, strict=True)]
    dots = max((_dots(term) for term in labels), default=0)
    if arrow:
        result = _labels(right, len(right.replace("...", "")) + dots * ("..." in right), text)
    else:
        seen = [label for term in labels for label in term if isinstance(label, str)]
        result = list(range(-dots, 0)) + sorted(s for s in set(seen) if seen.count(s) == 1)
    return labels, result


def _dots(term) -> int:
    """How many labels of a term stand for axes of `...`."""
    return len([label for label in term if isinstance(label, int)])


def _labels(term: str, rank: int, text: str) -> list:
    front, dots, back = term.partition("...")
    extra = rank - len(front) - len(back)
    if (not (front + back).isalpha() and front + back) or extra < 0 or (extra and not dots):
        raise ValueError(f"einsum: {term!r} in {text!r} does not fit an operand with {rank} axes.")
    return [*front, *range(-extra, 0), *back]


def _diagonals(term: list, x: Tensor):
    for label in dict.fromkeys(term):
        while term.count(label) > 1:
            a = term.index(label)
            b = term.index(label, a + 1)
            x = diagonal(x, 0, a, b)
            term = [v for i, v in enumerate(term) if i not in (a, b)] + [label]
    return term, x


def _contract(a: list, x: Tensor, b: list, y: Tensor, keep: set):
    """Two operands to one: axes that nobody needs any more are summed away, by a matmul."""
    for term, z, other in ((a, x, b), (b, y, a)):
        gone = [i for i, label in enumerate(term) if label not in keep and label not in other]
        if gone:
            z = sum(z, gone)
            term = [label for label in term if label in keep or label in other]
        if other is b:
            a, x = term, z
        else:
            b, y = term, z
    batch = [label for label in a if label in b and label in keep]
    summed = [label for label in a if label in b and label not in keep]
    rows = [label for label in a if label not in b]
    columns = [label for label in b if label not in a]
    size = {**dict(zip(b, y.shape, strict=True)), **dict(zip(a, x.shape, strict=True))}
    sizes_b = dict(zip(b, y.shape, strict=True))
    for label in batch + summed:
        if 1 in (size[label], sizes_b[label]) and size[label] != sizes_b[label]:
            return _by_product(a, x, b, y, keep)  # a size 1 that is broadcast
        if size[label] != sizes_b[label]:
            raise ValueError(
                f"einsum: the axis {label!r} has {size[label]} elements in one operand and "
                f"{sizes_b[label]} in another."
            )

    def count(labels):
        return math.prod(size[label] for label in labels)

    shape = [size[label] for label in batch]
    x = transpose(x, [a.index(label) for label in batch + rows + summed])
    y = transpose(y, [b.index(label) for label in batch + summed + columns])
    x = reshape(x, (*shape, count(rows), count(summed)))
    y = reshape(y, (*shape, count(summed), count(columns)))
    labels = batch + rows + columns
    return labels, reshape(matmul(x, y), [size[label] for label in labels])


def _by_product(a: list, x: Tensor, b: list, y: Tensor, keep: set):
    labels = list(dict.fromkeys(a + b))

    def spread(term, z):
        z = transpose(z, [term.index(label) for label in labels if label in term])
        sizes = iter(z.shape)
        return reshape(z, [next(sizes) if label in term else 1 for label in labels])

    product = multiply(spread(a, x), spread(b, y))
    gone = [i for i, label in enumerate(labels) if label not in keep]
    return [v for v in labels if v in keep], sum(product, gone) if gone else product
