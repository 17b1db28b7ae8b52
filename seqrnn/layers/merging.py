"""Layers that join several tensors: Add, Concatenate, ... and the functions add, concatenate, ...

Elementwise ones broadcast; a tensor with fewer axes gets new ones behind its batch axis. With masks
on all inputs a step is missing if all say so; without one of them there is no mask.

What an input has at its missing steps counts in Add, Subtract, Average and Concatenate, but not in
Multiply, Maximum and Minimum: there the others stand in for it. As in Keras, this does not hold for
inputs that get new axes.
ValueError for anything but a list of tensors, and for shapes that do not fit together.
"""

from __future__ import annotations

import functools

from seqrnn import ops
from seqrnn.layers.arguments import flag
from seqrnn.layers.base import Layer


class _Merge(Layer):
    supports_masking = True

    def call(self, inputs):
        return self._merge(self._of_one_rank(inputs))

    def _of_one_rank(self, inputs) -> list:
        tensors = self._checked(inputs)
        rank = max(x.ndim for x in tensors)
        tensors = [
            ops.reshape(x, (*x.shape[:1], *[1] * (rank - x.ndim), *x.shape[1:])) for x in tensors
        ]
        for x in tensors[1:]:
            self._check_pair(tensors[0].shape, x.shape)
        return tensors

    def _checked(self, inputs) -> list:
        if not isinstance(inputs, (list, tuple)) or len(inputs) < self._fewest:
            raise ValueError(
                f"expected a list of {self._fewest} tensors or more, got {_describe(inputs)}"
            )
        return list(inputs)

    _fewest = 1

    @staticmethod
    def _check_pair(a, b) -> None:
        if any(p != q and 1 not in (p, q) for p, q in zip(a, b, strict=True)):
            raise ValueError(f"shapes {a} and {b} do not fit together")

    def _merge(self, tensors):
        """What becomes of tensors of one rank."""
        raise NotImplementedError

    def compute_mask(self, inputs, mask=None):
        if mask is None or any(m is None for m in mask):
            return None
        return functools.reduce(ops.logical_or, mask)


class _MaskedMerge(_Merge):
    """A merge that has an eye on which steps of its inputs are missing."""

    def call(self, inputs, mask=None):
        tensors = self._of_one_rank(inputs)
        if mask is None:
            return self._merge(tensors)
        wide = [
            _wide(m, y) if m is not None and x.ndim == y.ndim else None
            for x, y, m in zip(inputs, tensors, mask, strict=True)
        ]
        return self._merge_masked(tensors, wide)

    def _merge_masked(self, tensors, masks):
        """The same of tensors and their masks, ready to broadcast; None for no mask."""
        raise NotImplementedError


class _Choice(_MaskedMerge):
    """The one of two elements that `_pick` says, over all inputs from left to right."""

    _pick = None

    def _merge(self, tensors):
        return functools.reduce(self._pick, tensors)

    def _merge_masked(self, tensors, masks):
        """Before two are compared, the one that is missing becomes the other. The result is missing
        where both are; one without a mask makes it present everywhere."""
        result, present = tensors[0], masks[0]
        for x, mask in zip(tensors[1:], masks[1:], strict=True):
            if mask is not None:
                x = ops.where(mask, x, result)
            if present is not None:
                result = ops.where(present, result, x)
            both = present is not None and mask is not None
            present = ops.logical_or(present, mask) if both else None
            result = self._pick(result, x)
        return result


class Add(_Merge):
    """a + b + ...: a list of tensors (batch, ...) -> (batch, ...)."""

    def _merge(self, tensors):
        return functools.reduce(ops.add, tensors)


class Subtract(_Merge):
    """a - b: a list of two tensors (batch, ...) -> (batch, ...). ValueError for more of them."""

    _fewest = 2

    def _merge(self, tensors):
        if len(tensors) != 2:
            raise ValueError(f"expected two tensors, got {len(tensors)}")
        return tensors[0] - tensors[1]


class Multiply(_MaskedMerge):
    """a * b * ...: a list of tensors (batch, ...) -> (batch, ...).

    A step that is missing counts as 1; the product is 0 where all inputs have a mask and all of
    them say so.
    """

    def _merge(self, tensors):
        return functools.reduce(ops.multiply, tensors)

    def _merge_masked(self, tensors, masks):
        factors = [
            x if m is None else ops.where(m, x, 1.0) for x, m in zip(tensors, masks, strict=True)
        ]
        product = self._merge(factors)
        if any(m is None for m in masks):
            return product
        return ops.where(functools.reduce(ops.logical_or, masks), product, 0.0)


class Average(_Merge):
    """(a + b + ...) / their number: a list of tensors (batch, ...) -> (batch, ...)."""

    def _merge(self, tensors):
        return functools.reduce(ops.add, tensors) / float(len(tensors))


class Maximum(_Choice):
    """The largest, element by element: a list of tensors (batch, ...) -> (batch, ...).

    Where a step of one is missing, that of the others counts.
    """

    _pick = staticmethod(ops.maximum)


class Minimum(_Choice):
    """The smallest, element by element: a list of tensors (batch, ...) -> (batch, ...).

    Where a step of one is missing, that of the others counts.
    """

    _pick = staticmethod(ops.minimum)


class Concatenate(_Merge):
    """One behind the other along `axis`: a list of tensors (batch, ...) -> (batch, ...).

    Args:
        axis: any but that of the batch.

    ValueError for an axis that is not there, and for shapes that differ along another one.
    """

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = int(axis)

    def call(self, inputs):
        tensors = self._checked(inputs)
        rank = tensors[0].ndim
        shapes = [x.shape for x in tensors]
        if not -rank <= self.axis < rank or self.axis % rank == 0:
            raise ValueError(
                f"tensors of shape {shapes[0]} cannot be joined along axis {self.axis}"
            )
        axis = self.axis % rank
        rest = {(*shape[:axis], *shape[axis + 1 :]) for shape in shapes}
        if len(rest) > 1 or any(len(shape) != rank for shape in shapes):
            raise ValueError(
                f"shapes {', '.join(map(str, shapes))} must be equal but for axis {self.axis}"
            )
        return ops.concatenate(tensors, axis)

    def compute_mask(self, inputs, mask=None):
        if mask is None or all(m is None for m in mask):
            return None
        present = next(m for m in mask if m is not None)
        axis = self.axis % inputs[0].ndim
        if axis >= present.ndim:
            return super().compute_mask(inputs, mask)
        parts = [
            ops.ones(x.shape[: present.ndim], "bool") if m is None else m
            for x, m in zip(inputs, mask, strict=True)
        ]
        return ops.concatenate(parts, axis)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class Dot(_Merge):
    """The products of two tensors, summed along one axis of each, per sample.

    Args:
        axes: an int for both, or a pair; they count the batch axis, which is 0.
        normalize: whether to divide by the norms along these axes first: cosine similarity.

    [(batch, n, k), (batch, m, k)] -> (batch, n, m) for axes=2; two vectors give (batch, 1).
    ValueError for axes that are not there, and for sizes along them that differ.
    """

    _fewest = 2

    def __init__(self, axes, normalize=False, **kwargs):
        super().__init__(**kwargs)
        pair = (axes, axes) if isinstance(axes, int) else axes
        if (
            not isinstance(pair, (list, tuple))
            or len(pair) != 2
            or not all(isinstance(a, int) for a in pair)
        ):
            raise TypeError(f"Dot: axes must be one or two whole numbers, got {axes!r}.")
        self.axes = tuple(pair)
        self.normalize = flag(normalize, self, "normalize")

    def call(self, inputs):
        tensors = self._checked(inputs)
        if len(tensors) != 2:
            raise ValueError(f"expected two tensors, got {len(tensors)}")
        a, b = tensors
        i, j = self.axes[0] % a.ndim, self.axes[1] % b.ndim
        if i == 0 or j == 0 or a.shape[i] != b.shape[j] or a.shape[0] != b.shape[0]:
            raise ValueError(f"shapes {a.shape} and {b.shape} have no dot along axes {self.axes}")
        if self.normalize:
            a, b = ops.normalize(a, i), ops.normalize(b, j)
        letters = "abcdefghijklmnop"
        left = "z" + letters[: a.ndim - 1]
        right = "z" + letters[8 : 8 + b.ndim - 1]
        right = right[:j] + left[i] + right[j + 1 :]
        out = "z" + (left[:i] + left[i + 1 :])[1:] + (right[:j] + right[j + 1 :])[1:]
        result = ops.einsum(f"{left},{right}->{out}", a, b)
        return ops.expand_dims(result, 1) if result.ndim == 1 else result

    def compute_mask(self, inputs, mask=None):
        return None

    def get_config(self):
        return {**super().get_config(), "axes": self.axes, "normalize": self.normalize}


def _wide(mask, x):
    """The mask with the axes of x, ready to broadcast."""
    return ops.reshape(mask, (*mask.shape, *[1] * (x.ndim - mask.ndim)))


def _describe(inputs) -> str:
    if isinstance(inputs, (list, tuple)):
        return f"a list of {len(inputs)}"
    return f"one of shape {getattr(inputs, 'shape', None)}"


def add(inputs, **kwargs):
    """`Add()(inputs)`."""
    return Add(**kwargs)(inputs)


def subtract(inputs, **kwargs):
    """`Subtract()(inputs)`."""
    return Subtract(**kwargs)(inputs)


def multiply(inputs, **kwargs):
    """`Multiply()(inputs)`."""
    return Multiply(**kwargs)(inputs)


def average(inputs, **kwargs):
    """`Average()(inputs)`."""
    return Average(**kwargs)(inputs)


def maximum(inputs, **kwargs):
    """`Maximum()(inputs)`."""
    return Maximum(**kwargs)(inputs)


def minimum(inputs, **kwargs):
    """`Minimum()(inputs)`."""
    return Minimum(**kwargs)(inputs)


def concatenate(inputs, axis=-1, **kwargs):
    """`Concatenate(axis)(inputs)`."""
    return Concatenate(axis, **kwargs)(inputs)


def dot(inputs, axes=-1, **kwargs):
    """`Dot(axes)(inputs)`."""
    return Dot(axes, **kwargs)(inputs)
