"""Functions of `seqrnn.ops` with the names, arguments and defaults that they have in Keras 2."""

from __future__ import annotations

from seqrnn import ops, random
from seqrnn.trace import nest


def constant(value, dtype=None, shape=None, name=None):
    """The value as a tensor; a number fills `shape`, other values are put into it."""
    x = ops.convert_to_tensor(value, dtype)
    if shape is None:
        return x
    return ops.reshape(x, shape) if ops.size(x) > 1 else ops.full(shape, value, x.dtype)


def zeros(shape, dtype=None, name=None):
    """A tensor of zeros."""
    return ops.zeros(shape, dtype)


def ones(shape, dtype=None, name=None):
    """A tensor of ones."""
    return ops.ones(shape, dtype)


def zeros_like(x, dtype=None, name=None):
    """Zeros in the shape of x."""
    return ops.zeros_like(x, dtype)


def ones_like(x, dtype=None, name=None):
    """Ones in the shape of x."""
    return ops.ones_like(x, dtype)


def eye(size, dtype=None, name=None):
    """The identity matrix."""
    return ops.eye(size, dtype=dtype)


def arange(start, stop=None, step=1, dtype="int32"):
    """The numbers from start to stop, which is left out; to start, if it is the only one."""
    return ops.arange(start, stop, step, dtype)


def equal(x, y):
    """x == y, element by element."""
    return ops.equal(x, y)


def not_equal(x, y):
    """x != y."""
    return ops.not_equal(x, y)


def greater(x, y):
    """x > y."""
    return ops.greater(x, y)


def greater_equal(x, y):
    """x >= y."""
    return ops.greater_equal(x, y)


def less(x, y):
    """x < y."""
    return ops.less(x, y)


def less_equal(x, y):
    """x <= y."""
    return ops.less_equal(x, y)


def maximum(x, y):
    """The larger one of each pair of elements."""
    return ops.maximum(x, y)


def minimum(x, y):
    """The smaller one of each pair of elements."""
    return ops.minimum(x, y)


def pow(x, a):
    """x to the power of a."""
    return ops.power(x, a)


def clip(x, min_value, max_value):
    """x, not below and not above these."""
    return ops.clip(x, min_value, max_value)


def dot(x, y):
    """Sums over the last axis of x and the last but one of y."""
    return ops.dot(x, y)


def reshape(x, shape):
    """The elements in another shape."""
    return ops.reshape(x, shape)


def tile(x, n):
    """x repeated n times along each axis."""
    return ops.tile(x, n)


def permute_dimensions(x, pattern):
    """The axes in another order."""
    return ops.transpose(x, pattern)


def concatenate(tensors, axis=-1):
    """The tensors one after the other along an axis, by default the last."""
    return ops.concatenate(tensors, axis)


def expand_dims(x, axis=-1):
    """x with an axis of size 1 more, by default behind the others."""
    return ops.expand_dims(x, axis)


def argmax(x, axis=-1):
    """Where x is largest along an axis, by default the last."""
    return ops.argmax(x, axis)


def argmin(x, axis=-1):
    """Where x is smallest along an axis, by default the last."""
    return ops.argmin(x, axis)


def cumsum(x, axis=0):
    """The sums so far along an axis, by default the first."""
    return ops.cumsum(x, axis)


def cumprod(x, axis=0):
    """The products so far along an axis, by default the first."""
    return ops.cumprod(x, axis)


def stop_gradient(variables):
    """A tensor, or several, through which no gradient goes."""
    return nest.map_leaves(ops.stop_gradient, variables)


def dropout(x, level, noise_shape=None, seed=None):
    """x with the share `level` of its elements 0 and the others scaled up."""
    return random.dropout(x, level, noise_shape, seed)


def map_fn(fn, elems, name=None, dtype=None):
    """fn of each element along the first axis."""
    result = ops.map(fn, elems)
    return result if dtype is None else ops.cast(result, dtype)


def foldl(fn, elems, initializer=None, name=None):
    """fn(fn(fn(initializer, x_0), x_1), ...); without initializer it begins with x_0."""
    begin, rest = (elems[0], elems[1:]) if initializer is None else (initializer, elems)
    return ops.scan(lambda done, x: (fn(done, x), None), begin, rest)[0]


def foldr(fn, elems, initializer=None, name=None):
    """As `foldl`, from the last element to the first."""
    return foldl(fn, ops.flip(elems, 0), initializer)


def switch(condition, then_expression, else_expression):
    """The one where the condition holds, else the other; functions without arguments are called.

    A condition with two axes or more, but fewer than the others, counts for all elements behind.
    """
    given = (then_expression, else_expression)
    then, other = [each() if callable(each) else each for each in given]
    axes = len(getattr(condition, "shape", ()))
    return ops.where(behind(condition, then) if axes > 1 else condition, then, other)


def behind(condition, x):
    """The condition with as many axes as x, the new ones behind its own."""
    missing = len(getattr(x, "shape", ())) - len(condition.shape)
    return condition[(..., *[None] * missing)] if missing > 0 else condition
