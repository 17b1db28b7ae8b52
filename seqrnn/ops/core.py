"""How the functions of `seqrnn.ops` are called, and how their arguments become tensors.

A function decorated with `op` is written once, for tensors. In a function being traced it runs as
it stands. Called on placeholders it is recorded. Called on arrays it is traced, compiled and run at
once, by a plan that is kept for the next call with the same shapes.

Dtypes of two operands: Python numbers and NumPy data take the tensor's dtype where the kind allows
it; of two tensors, bool gives way to integers, integers to floats, the smaller to the larger; bool
with bool computes in int32; an integer with a float number gives `floatx()`.
"""

from __future__ import annotations

import functools
import inspect

import numpy as np

from seqrnn import config
from seqrnn.trace import nest
from seqrnn.trace.array import Array, standard
from seqrnn.trace.frame import Tensor, emit1, state, stray
from seqrnn.trace.operators import Operators
from seqrnn.trace.placeholder import KerasTensor, placeholders, record
from seqrnn.trace.traced import Function
from seqrnn.trace.variable import Variable

_RANK = {"bool": 0, "int32": 1, "int64": 2, "float32": 3, "float64": 4}


# Parameters that are no data, in every op: sizes, places, options. See `op`.
_STATIC = """
    axes axis axis1 axis2 axisa axisb axisc destination source shape newshape size num n k kth N
    M length num_classes num_segments repeats shift order ord indices_or_sections lower upper
    maximum_iterations decimals q minlength increasing unroll strides stride padding pool_size
    output_size dilation dilation_rate groups output_padding pad_left pad_right pad_width
    constant_values sequence_length sequence_stride mask_index dtype keepdims method mode side
    endpoint retstep reverse indexing sparse epsilon rtol atol equal_nan from_logits activation
    recurrent_activation is_causal approximate
"""


def op(fn=None, *, static=()):
    """Makes a function of tensors work on placeholders and arrays too.

    What is no data (the parameters in `_STATIC`, and those named in `static`) is a part of the
    plan. It may be given as arrays and NumPy's numbers, which become tuples and Python's numbers.
    """
    if fn is None:
        return functools.partial(op, static=static)
    parameters = inspect.signature(fn).parameters.values()
    names = {p.name for p in parameters if p.name in _STATIC.split() or p.name in static}
    places = [i for i, p in enumerate(parameters) if p.name in names and p.kind != p.KEYWORD_ONLY]

    @functools.wraps(fn)
    def call(*args, **kwargs):
        if names:
            args, kwargs = _with_static(args, kwargs, places, names)
        if state.frame is not None:
            return fn(*args, **kwargs)
        if placeholders((args, kwargs)):
            return record(call, args, kwargs)
        if any(isinstance(leaf, Tensor) for leaf in nest.flatten((args, kwargs))):
            return fn(*args, **kwargs)  # of a trace that is suspended or over: emit will tell
        return function(*args, **kwargs)

    function = Function(fn)
    return call


def _with_static(args, kwargs, places, names) -> tuple:
    """The arguments, those at these places and of these names without arrays."""
    args = list(args)
    for place in places:
        if place >= len(args):
            break
        args[place] = _without_arrays(args[place])
    return tuple(args), {k: _without_arrays(v) if k in names else v for k, v in kwargs.items()}


def _without_arrays(value):
    """A nested value with tuples for arrays, Python's numbers for NumPy's."""
    if value is None or isinstance(value, (int, str)):
        return value
    if isinstance(value, (list, tuple)):
        return nest.map_leaves(_without_arrays, value)
    if isinstance(value, Variable) and state.frame is None:
        value = value.numpy()
    return _as_tuple(value.tolist()) if isinstance(value, (np.ndarray, np.generic)) else value


def _as_tuple(value):
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value


def eager(why: str, instead: str):
    """Makes a function of NumPy arrays an op that exists for arrays only; TypeError elsewhere."""

    def decorate(fn):
        @functools.wraps(fn)
        def call(*args, **kwargs):
            leaves = nest.flatten((args, kwargs))
            if state.frame is not None or any(isinstance(v, (Tensor, KerasTensor)) for v in leaves):
                raise TypeError(
                    f"{fn.__name__} works on arrays only: {why}, which is not known while a "
                    f"function is traced or on placeholders. Use {instead}."
                )
            args, kwargs = nest.map_leaves(
                lambda v: v.numpy() if isinstance(v, (Variable, Array)) else v, (args, kwargs)
            )
            return fn(*args, **kwargs)

        return call

    return decorate


# ---- to tensors ----


def is_number(x) -> bool:
    """Whether x is a Python number, or a NumPy one without axes."""
    return isinstance(x, (bool, int, float, np.generic))


def as_tensor(x, dtype: str | None = None) -> Tensor:
    """x as a tensor of the trace: a tensor itself, a variable's value, or a constant."""
    if isinstance(x, Tensor):
        return x if dtype is None or x.dtype == dtype else emit1("cast", x, dtype=dtype)
    if isinstance(x, Variable):
        return as_tensor(_frame().read(x), dtype)
    if isinstance(x, KerasTensor):
        raise TypeError(
            f"the placeholder {x!r} is used inside a function that is being traced. Pass it to the "
            "layer or function as an argument instead."
        )
    if isinstance(x, Array) and (found := _frame().close_over(x)) is not None:
        return as_tensor(found, dtype)
    if dtype is None and isinstance(x, (bool, int, float)):
        dtype = _number_dtype(x)
    if is_number(x):
        return _frame().scalar(x, dtype or config.standardize_dtype(x.dtype))
    if isinstance(x, (list, tuple)) and any(isinstance(v, Operators) for v in nest.flatten(x)):
        from seqrnn.ops.shaping import stack

        return as_tensor(stack([as_tensor(v) for v in x]), dtype)
    array = standard(x)
    if dtype is None and not hasattr(x, "dtype"):
        dtype = dtype_of_numbers(array)
    if dtype is not None:
        array = array.astype(dtype)
    return _frame().constant(array)


def dtype_of_numbers(array: np.ndarray) -> str:
    """The dtype of a list of Python numbers: floats are `floatx()`, integers int32 if they fit."""
    if array.dtype == np.float64:
        return config.floatx()
    if array.dtype == np.int64 and np.array_equal(array, array.astype("int32")):
        return "int32"
    return config.standardize_dtype(array.dtype)


def _frame():
    if state.frame is None:
        raise RuntimeError("a tensor is needed, but nothing is being traced")
    return state.frame


def _number_dtype(x) -> str:
    if isinstance(x, bool):
        return "bool"
    return config.floatx() if isinstance(x, float) else "int32"


def as_float(x) -> Tensor:
    """x as a float tensor: integers and bools become `floatx()`."""
    x = as_tensor(x)
    return x if config.is_float(x.dtype) else emit1("cast", x, dtype=config.floatx())


# ---- two operands ----


def result_dtype(a: str, b: str) -> str:
    """The dtype of what two tensors of these dtypes give together."""
    return a if _RANK[a] >= _RANK[b] else b


def operands(a, b) -> tuple[Tensor, Tensor]:
    """Both as tensors of one dtype. Those that are no tensors take the dtype of the other."""
    a, b = _read(a), _read(b)
    if isinstance(a, Tensor):
        if isinstance(b, Tensor):
            if a.dtype == b.dtype:
                return a, b
            dtype = _common_dtype([a, b])
            return as_tensor(a, dtype), as_tensor(b, dtype)
        return _with_constant(a, b)
    if isinstance(b, Tensor):
        b, a = _with_constant(b, a)
        return a, b
    return operands(as_tensor(a), as_tensor(b))


def _read(x):
    if isinstance(x, Array) and state.frame is not None:
        found = state.frame.close_over(x)
        return x if found is None else found
    return as_tensor(x) if isinstance(x, (Variable, KerasTensor)) else x


def _with_constant(tensor: Tensor, x) -> tuple[Tensor, Tensor]:
    """A tensor, and something that is not one, in the dtype of both."""
    if isinstance(x, (bool, int, float)):
        weak = _number_dtype(x)
    else:
        if not isinstance(x, np.generic) and not isinstance(x, np.ndarray):
            x = _plain_array(x)
            if isinstance(x, Tensor):
                return operands(tensor, x)
        weak = config.standardize_dtype(x.dtype)
    dtype = tensor.dtype
    if _kind(weak) > _kind(dtype):
        dtype = config.floatx() if config.is_float(weak) else weak
        tensor = as_tensor(tensor, dtype)
    if tensor.frame.graph is None:
        raise stray(tensor)
    if is_number(x):
        return tensor, tensor.frame.scalar(x, dtype)
    return tensor, as_tensor(np.asarray(x), dtype)


def _plain_array(x):
    if x is None or isinstance(x, (str, dict)) or callable(x):
        raise TypeError(f"expected a tensor, an array or a number, got {x!r}.")
    if isinstance(x, (list, tuple)) and any(isinstance(v, Operators) for v in nest.flatten(x)):
        return as_tensor(x)
    return standard(x)


def _kind(dtype: str) -> int:
    return 0 if dtype == "bool" else 1 if dtype.startswith("int") else 2


def _common_dtype(tensors) -> str:
    """The largest dtype. NumPy's float numbers do not count beside floats that are arrays."""
    strong = [t.dtype for t in tensors if not t.is_number]
    if not any(map(config.is_float, strong)):
        numbers = [t.dtype for t in tensors if t.is_number]
        strong += [config.floatx()] if strong and numbers else numbers
    return functools.reduce(result_dtype, strong)


def same_dtype(values) -> list[Tensor]:
    """All as tensors of one dtype, the largest of the tensors among them."""
    values = [_read(v) for v in values]
    given = [v for v in values if isinstance(v, Tensor)]
    if not given:
        given = values = [as_tensor(v) for v in values]
    dtype = _common_dtype(given)
    return [as_tensor(v, dtype) for v in values]


# ---- axes and shapes ----


def one_axis(axis, rank: int, name: str) -> int:
    """An axis counted from the front. ValueError if there is none such."""
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise TypeError(f"{name}: an axis must be an int, got {axis!r}.")
    if not -rank <= axis < rank:
        raise ValueError(f"{name}: there is no axis {axis} in a tensor with {rank} axes.")
    return int(axis) % rank if rank else 0


def many_axes(axis, rank: int, name: str) -> tuple[int, ...]:
    """Axes counted from the front, ascending; None means all."""
    if axis is None:
        return tuple(range(rank))
    axes = axis if isinstance(axis, (tuple, list)) else (axis,)
    found = sorted({one_axis(a, rank, name) for a in axes})
    if len(found) != len(axes):
        raise ValueError(f"{name}: an axis is named twice in {axis}.")
    return tuple(found)


def whole_shape(shape, name: str) -> tuple[int, ...]:
    """A shape given by the user as a tuple of ints; an int means one axis."""
    if isinstance(shape, (Tensor, KerasTensor)):
        raise TypeError(f"{name}: a shape must be ints, got a tensor. Use `x.shape`.")
    if isinstance(shape, (int, np.integer)):
        shape = (shape,)
    try:
        return tuple(int(d.__index__()) for d in shape)
    except (AttributeError, TypeError):
        raise TypeError(f"{name}: a shape must be ints, got {shape!r}.") from None
