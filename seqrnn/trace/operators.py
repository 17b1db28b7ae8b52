"""What symbolic values have in common: operators, slicing, methods, and NumPy's functions.

Everything ends in a function of `seqrnn.ops`. Values of a graph being traced, placeholders of the
functional API and variables share this.
"""

from __future__ import annotations

# The module seqrnn.ops. It sets itself here when it is imported, which the package seqrnn.trace
# does last: the two need each other.
ops = None

# NumPy's functions that are ops under another name; the others have the same one.
_RENAMED = {
    "true_divide": "divide",
    "bitwise_and": "logical_and",
    "bitwise_or": "logical_or",
    "bitwise_xor": "logical_xor",
    "invert": "logical_not",
    "fabs": "abs",
    "remainder": "mod",
    "float_power": "power",
    "amax": "max",
    "amin": "min",
    "concat": "concatenate",
    "permute_dims": "transpose",
}
_RENAMED_KEYWORDS = {
    "a": "x",
    "arr": "x",
    "ary": "x",
    "array": "x",
    "a_min": "x_min",
    "a_max": "x_max",
    "min": "x_min",
    "max": "x_max",
    "newshape": "shape",
    "shape": "shape",
}


def find(name: str):
    """The op that stands for NumPy's function `name`, or None."""
    name = _RENAMED.get(name, name)
    return getattr(ops, name, None) if name in ops.__all__ else None


class NoValueError(TypeError):
    """A tensor was asked for a value that it has not."""


# `a > b` is computed as `b < a`; the user wrote one of the two.
_COMPARED = {"less": "`<` or `>`", "less_equal": "`<=` or `>=`"}


def no_value(tensor, what: str, instead: str) -> NoValueError:
    """The error for code that needs the elements of a symbolic value."""
    op = getattr(tensor, "op", None)
    made_by = f", made by {_COMPARED.get(op, repr(op))}," if op else ""
    if hasattr(tensor, "origin"):
        why = "it is a placeholder for data to come"
    else:
        why = "the function is being traced, once for all data"
    return NoValueError(
        f"{what} needs a value, but this tensor of shape {tensor.shape}{made_by} has none yet: "
        f"{why}. {instead}"
    )


class Operators:
    """Operators and methods by way of `seqrnn.ops`; compares elementwise, hashes by identity."""

    __slots__ = ()

    # ---- arithmetic ----
    def __add__(self, other):
        return ops.add(self, other)

    def __radd__(self, other):
        return ops.add(other, self)

    def __sub__(self, other):
        return ops.subtract(self, other)

    def __rsub__(self, other):
        return ops.subtract(other, self)

    def __mul__(self, other):
        return ops.multiply(self, other)

    def __rmul__(self, other):
        return ops.multiply(other, self)

    def __truediv__(self, other):
        return ops.true_divide(self, other)

    def __rtruediv__(self, other):
        return ops.true_divide(other, self)

    def __floordiv__(self, other):
        return ops.floor_divide(self, other)

    def __rfloordiv__(self, other):
        return ops.floor_divide(other, self)

    def __mod__(self, other):
        return ops.mod(self, other)

    def __rmod__(self, other):
        return ops.mod(other, self)

    def __pow__(self, other):
        return ops.power(self, other)

    def __rpow__(self, other):
        return ops.power(other, self)

    def __matmul__(self, other):
        return ops.matmul(self, other)

    def __rmatmul__(self, other):
        return ops.matmul(other, self)

    def __neg__(self):
        return ops.negative(self)

    def __pos__(self):
        return self

    def __abs__(self):
        return ops.abs(self)

    # ---- comparison and logic ----
    def __eq__(self, other):
        return ops.equal(self, other)

    def __ne__(self, other):
        return ops.not_equal(self, other)

    def __lt__(self, other):
        return ops.less(self, other)

    def __le__(self, other):
        return ops.less_equal(self, other)

    def __gt__(self, other):
        return ops.greater(self, other)

    def __ge__(self, other):
        return ops.greater_equal(self, other)

    def __and__(self, other):
        return ops.logical_and(self, other)

    def __rand__(self, other):
        return ops.logical_and(other, self)

    def __or__(self, other):
        return ops.logical_or(self, other)

    def __ror__(self, other):
        return ops.logical_or(other, self)

    def __xor__(self, other):
        return ops.logical_xor(self, other)

    def __rxor__(self, other):
        return ops.logical_xor(other, self)

    def __invert__(self):
        return ops.logical_not(self)

    __hash__ = object.__hash__

    # ---- slicing ----
    def __getitem__(self, key):
        return ops.getitem(self, key)

    def __setitem__(self, key, value):
        raise TypeError(
            "a tensor cannot be changed in place. Build the new one with `ops.where`, "
            "`ops.concatenate` or `ops.stack`, or use a Variable."
        )

    # ---- what needs a value ----
    def __bool__(self):
        raise no_value(
            self,
            "`if`, `while`, `and`, `or`, `not` or `in` on a tensor",
            "Use `ops.where(condition, a, b)` to choose, `&`, `|`, `~` to combine conditions.",
        )

    def __float__(self):
        raise no_value(self, "float()", "Use the tensor itself, or `ops.cast` to change its dtype.")

    def __int__(self):
        raise no_value(self, "int()", "Use the tensor itself, or `ops.cast(t, 'int32')`.")

    def __index__(self):
        raise no_value(
            self,
            "an integer index, as in `range(t)`,",
            "Sizes from `.shape` are ints; to index by a tensor use `ops.take(x, t, axis)`.",
        )

    def __array__(self, *args, **kwargs):
        raise no_value(
            self,
            "a conversion to a NumPy array",
            "Use functions of `seqrnn.ops`, or NumPy functions that exist there under their name.",
        )

    def numpy(self):
        raise no_value(self, ".numpy()", "Return the tensor from the function to see its value.")

    def item(self):
        raise no_value(self, ".item()", "Return the tensor from the function to see its value.")

    def tolist(self):
        raise no_value(self, ".tolist()", "Return the tensor from the function to see its value.")

    # ---- NumPy's functions ----
    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        fn = find(ufunc.__name__)
        if method != "__call__" or fn is None:
            name = ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}"
            raise TypeError(f"np.{name} does not work on tensors. {_instead(ufunc.__name__)}")
        if kwargs:
            raise TypeError(f"np.{ufunc.__name__} on a tensor takes no {', '.join(kwargs)}=.")
        return fn(*inputs)

    def __array_function__(self, func, types, args, kwargs):
        fn = find(func.__name__)
        if fn is None:
            raise TypeError(
                f"np.{func.__name__} does not work on tensors. {_instead(func.__name__)}"
            )
        return fn(*args, **{_RENAMED_KEYWORDS.get(name, name): v for name, v in kwargs.items()})

    # ---- methods, as of an ndarray ----
    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self):
        size = 1
        for dim in self.shape:
            size = None if dim is None or size is None else size * dim
        return size

    @property
    def T(self):
        return ops.transpose(self)

    def astype(self, dtype):
        return ops.cast(self, dtype)

    def reshape(self, *shape):
        return ops.reshape(self, shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes):
        return ops.transpose(self, axes[0] if len(axes) == 1 else axes or None)

    def swapaxes(self, axis1, axis2):
        return ops.swapaxes(self, axis1, axis2)

    def squeeze(self, axis=None):
        return ops.squeeze(self, axis)

    def flatten(self):
        return ops.reshape(self, (-1,))

    ravel = flatten

    def repeat(self, repeats, axis=None):
        return ops.repeat(self, repeats, axis)

    def take(self, indices, axis=None):
        return ops.take(self, indices, axis)

    def dot(self, other):
        return ops.dot(self, other)

    def clip(self, x_min=None, x_max=None):
        return ops.clip(self, x_min, x_max)

    def round(self, decimals=0):
        return ops.round(self, decimals)

    def copy(self):
        return self

    def sum(self, axis=None, keepdims=False):
        return ops.sum(self, axis, keepdims)

    def mean(self, axis=None, keepdims=False):
        return ops.mean(self, axis, keepdims)

    def max(self, axis=None, keepdims=False):
        return ops.max(self, axis, keepdims)

    def min(self, axis=None, keepdims=False):
        return ops.min(self, axis, keepdims)

    def prod(self, axis=None, keepdims=False):
        return ops.prod(self, axis, keepdims)

    def std(self, axis=None, keepdims=False):
        return ops.std(self, axis, keepdims)

    def var(self, axis=None, keepdims=False):
        return ops.var(self, axis, keepdims)

    def any(self, axis=None, keepdims=False):
        return ops.any(self, axis, keepdims)

    def all(self, axis=None, keepdims=False):
        return ops.all(self, axis, keepdims)

    def argmax(self, axis=None):
        return ops.argmax(self, axis)

    def argmin(self, axis=None):
        return ops.argmin(self, axis)

    def cumsum(self, axis=None):
        return ops.cumsum(self, axis)


def _instead(name: str) -> str:
    from seqrnn.errors import did_you_mean

    return f"Use a function of `seqrnn.ops`.{did_you_mean(name, ops.__all__)[:400]}"
