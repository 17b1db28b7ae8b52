"""Variables: the storage of weights and other state, which plans read and write in place."""

from __future__ import annotations

import contextlib
import math

import numpy as np

from seqrnn import config
from seqrnn.trace import frame as _frame
from seqrnn.trace import operators
from seqrnn.trace.array import Array, checked
from seqrnn.trace.frame import Tensor
from seqrnn.trace.operators import Operators

_ALIGNMENT = 64  # bytes: one cache line, one AVX-512 vector


def _aligned(shape: tuple, dtype: str) -> np.ndarray:
    """C-contiguous storage, zeros, that begins at a multiple of `_ALIGNMENT`.

    It lives in a bytearray, which, unlike an array, refuses to be resized while others use it.
    """
    count = math.prod(shape) * np.dtype(dtype).itemsize
    raw = np.frombuffer(bytearray(count + _ALIGNMENT), np.uint8)
    skip = -raw.ctypes.data % _ALIGNMENT
    return raw[skip : skip + count].view(dtype).reshape(shape)


class Variable(Operators):
    """An array with a name that keeps its place in memory.

    Args:
        initializer: the value (array or number), or a function of (shape, dtype) that gives it.
        shape: needed with a function.
        dtype: default: the value's for an array, else `floatx()`.
        trainable: whether `fit` changes it.
        name: default 'variable', 'variable_1', ...
        regularizer, constraint: functions of the value, or None.
    """

    gradients = None  # functions that `tape` keeps with this variable

    def __init__(
        self,
        initializer,
        shape=None,
        dtype=None,
        trainable=True,
        autocast=True,
        aggregation=None,
        name=None,
        *,
        regularizer=None,
        constraint=None,
    ):
        self.name = name or config.unique_name("variable")
        self.path = self.name
        self._trainable = self.declared_trainable = bool(trainable)
        self.regularizer = regularizer
        self.constraint = constraint
        if callable(initializer):
            if shape is None:
                raise ValueError(f"Variable {self.name!r}: an initializer needs a shape too.")
            self.dtype = config.standardize_dtype(dtype)
            shape = _whole(shape, self.name)
            value = initializer(shape, dtype=self.dtype)
        else:
            value = checked(initializer, f"the value of variable {self.name!r}")
            if dtype is None and value.dtype == np.float64 and not hasattr(initializer, "dtype"):
                dtype = config.floatx()  # a Python number or list of them
            self.dtype = config.standardize_dtype(value.dtype if dtype is None else dtype)
            shape = value.shape if shape is None else _whole(shape, self.name)
        self.shape = shape
        self.version = 0  # grows with every assignment from outside of a plan
        self.storage = _aligned(shape, self.dtype)
        self._store(value)

    @property
    def trainable(self) -> bool:
        """Whether `fit` changes it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        if self._trainable != bool(value):
            self._trainable = bool(value)
            config.toggle_trainable(self)

    # ---- the value ----
    @property
    def value(self):
        """The value: a tensor while tracing, else a read-only view."""
        if _frame.current() is not None:
            return _frame.current().read(self)
        view = self.storage.view(Array)
        view.flags.writeable = False
        return view

    def numpy(self) -> np.ndarray:
        """A copy of the value at this moment."""
        return self.storage.copy()

    def assign(self, value):
        """Gives the variable a new value of the same shape; returns the new value.

        While tracing, the value is stored when the run ends, and reads that follow in the traced
        function see it. Otherwise it is stored at once.
        """
        frame = _frame.current()
        if frame is None:
            self._store(value)
            return self.value
        tensor = operators.ops.cast(value, self.dtype)
        if tensor.shape != self.shape:
            raise self._wrong_shape(tensor.shape)
        frame.assign(self, tensor)
        return tensor

    def assign_add(self, value):
        """`assign(self + value)`."""
        return self.assign(self + value)

    def assign_sub(self, value):
        """`assign(self - value)`."""
        return self.assign(self - value)

    def _store(self, value) -> None:
        if isinstance(value, Variable):
            value = value.storage
        if isinstance(value, Tensor):
            raise _frame.stray(value)
        array = checked(value, f"the value of variable {self.name!r}")
        if array.shape != self.shape:
            raise self._wrong_shape(array.shape)
        self.storage[...] = array
        self.version += 1

    def _wrong_shape(self, shape) -> ValueError:
        return ValueError(
            f"variable {self.path!r} has shape {self.shape}, but got a value of shape {shape}."
        )

    # ---- outside of a trace it has a value ----
    def __bool__(self):
        return bool(self.storage) if _frame.current() is None else super().__bool__()

    def __float__(self):
        return float(self.storage) if _frame.current() is None else super().__float__()

    def __int__(self):
        return int(self.storage) if _frame.current() is None else super().__int__()

    def __array__(self, dtype=None, copy=None):
        if _frame.current() is not None:
            return super().__array__()
        return np.array(self.storage, dtype=dtype)

    def __len__(self):
        return len(self.storage)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __repr__(self):
        return f"<Variable path={self.path} shape={self.shape} dtype={self.dtype}>"

    def __getstate__(self):
        return {**self.__dict__, "gradients": None}

    def __deepcopy__(self, memo):
        other = Variable.__new__(Variable)
        memo[id(self)] = other
        other.__dict__.update(self.__getstate__())
        other.storage = _aligned(self.shape, self.dtype)
        other.storage[...] = self.storage
        return other

    def __setstate__(self, fields):
        self.__dict__.update(fields)
        self.storage = _aligned(self.shape, self.dtype)
        self.storage[...] = fields["storage"]


class Slot(Variable):
    """A piece of an array that belongs to something else, such as the state of an optimizer.
    Reading and assigning it reads and changes that.

    Args:
        storage: view of the piece.
        name: of the piece, such as 'dense_kernel_momentum'.
        owner: name of what it belongs to.
    """

    def __init__(self, storage, name, owner):
        self.name, self.path = name, f"{owner}/{name}"
        self._trainable = self.declared_trainable = False
        self.regularizer = self.constraint = None
        self.dtype, self.shape = storage.dtype.name, storage.shape
        self.version = 0
        self.storage = storage


@contextlib.contextmanager
def substituted(variables, values):
    """Gives variables other values inside; afterwards they have their own again."""
    if _frame.current() is not None:
        raise TypeError("values of variables can't be substituted while a function is traced.")
    before = [variable.numpy() for variable in variables]
    try:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        yield
    finally:
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)


def _whole(shape, name: str) -> tuple:
    """A shape given by the user as a tuple of ints."""
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if any(not isinstance(d, (int, np.integer)) or d < 0 for d in shape):
        raise ValueError(
            f"Variable {name!r} needs a shape of whole numbers, got {shape}. A size that is None "
            "is not known yet: declare it in the input shape, or call the layer on data."
        )
    return tuple(map(int, shape))
