"""Loops, choices, and what a tensor is: scan, fori_loop, map, cond, shape, conversions."""

from __future__ import annotations

import builtins
import functools

import numpy as np

from seqrnn import config
from seqrnn.ops.core import as_tensor, dtype_of_numbers, is_number, one_axis, op
from seqrnn.ops.elementwise import cast, stop_gradient, where
from seqrnn.ops.shaping import arange, concatenate, cut, flip
from seqrnn.trace import nest
from seqrnn.trace.array import Array, as_array, standard
from seqrnn.trace.derivatives import OwnGradient
from seqrnn.trace.frame import Frame, Tensor, entered, state
from seqrnn.trace.operators import Operators, no_value
from seqrnn.trace.placeholder import KerasTensor
from seqrnn.trace.variable import Variable


@op
def scan(f, init, xs=None, length=None, reverse=False, unroll=1):
    """Applies `f` once per time step: (carry, x_t) -> (carry, y_t); returns (last carry, ys).

    `f` is called once, whatever the number of steps, and runs compiled.

    Args:
        f: function of (carry, x): returns the new carry, of the shapes and dtypes of the old one,
            and an output, which may be None.
        init: the first carry: nested tensors, arrays, numbers.
        xs: nested tensors with time first, (T, ...); `x` has their structure, without that axis.
        length: the number of steps, if there are no xs.
        reverse: from the last step to the first; each y stays at its own time.
        unroll: accepted for Keras's sake; has no effect.

    Returns: the last carry, and the outputs stacked, (T, ...).
    """
    frame = state.frame
    init = nest.map_leaves(as_tensor, init)
    xs = nest.map_leaves(lambda x: None if x is None else as_tensor(x), xs)
    states = nest.flatten(init)
    sequences = [x for x in nest.flatten(xs) if x is not None]
    length = _length(sequences, length)
    body = Frame(frame)
    with entered(body, close=True):
        carry = [body.input("state", s.shape, s.dtype) for s in states]
        step = [body.input("step", x.shape[1:], x.dtype) for x in sequences]
        source = iter(step)
        x_t = nest.map_leaves(lambda x: None if x is None else next(source), xs)
        result = f(nest.pack(init, carry), x_t)
        if not isinstance(result, (tuple, list)) or len(result) != 2:
            raise TypeError(f"scan: f must return (carry, output), got {type(result).__name__}.")
        news = _new_states(init, states, result[0])
        ys = nest.map_leaves(lambda y: None if y is None else as_tensor(y), result[1])
        outputs = [body.value(t) for t in news + [y for y in nest.flatten(ys) if y is not None]]
        inputs = [frame.value(t) for t in states + sequences] + list(body.captures)
        values = frame.graph.scan(
            body.graph, length, len(states), len(sequences), inputs, outputs, bool(reverse)
        )
    tensors = [Tensor(frame, value, "scan") for value in values]
    source = iter(tensors[len(states) :])
    stacked = nest.map_leaves(lambda y: None if y is None else next(source), ys)
    return nest.pack(init, tensors), stacked


def _length(sequences: list, length) -> int:
    sizes = {x.shape[0] if x.shape else None for x in sequences} | ({length} - {None})
    if None in sizes:
        raise ValueError("scan: the xs need a first axis, time.")
    if len(sizes) != 1:
        raise ValueError(
            f"scan: the xs (and `length`) must agree on the number of steps, got {sorted(sizes)}."
            if sizes
            else "scan: give `xs`, or `length`, the number of steps."
        )
    return int(sizes.pop())


def _new_states(init, states: list, carry) -> list:
    """The new carry as tensors, after checking that it is like the old one."""
    if nest.key(carry) != nest.key(init):
        raise ValueError(
            f"scan: f must return a carry with the structure of `init`, {len(states)} tensors, got "
            f"{len(nest.flatten(carry))} in another structure."
        )
    news = []
    for number, (old, new) in enumerate(zip(states, nest.flatten(carry), strict=True)):
        new = as_tensor(new)
        if config.is_float(new.dtype) == config.is_float(old.dtype):
            new = as_tensor(new, old.dtype)
        if (new.shape, new.dtype) != (old.shape, old.dtype):
            raise ValueError(
                f"scan: state {number} begins as {old.dtype} of shape {old.shape}, but f returns "
                f"{new.dtype} of shape {new.shape}; both must be the same."
            )
        news.append(new)
    return news


@op
def fori_loop(lower, upper, body_fun, init_val):
    """val = body_fun(i, val) for i = lower .. upper - 1; ints known beforehand."""
    if upper <= lower:
        return nest.map_leaves(as_tensor, init_val)
    steps = arange(lower, upper)
    return scan(lambda value, i: (body_fun(i, value), None), init_val, steps)[0]


@op
def map(f, xs):
    """f of each slice along the first axis, stacked."""
    return scan(lambda _, x: ((), f(x)), (), xs)[1]


@op
def cond(pred, true_fn, false_fn):
    """`true_fn()` or `false_fn()`, as `pred` says. Both are computed; one is chosen."""
    if is_number(pred) and not isinstance(pred, np.generic):
        return true_fn() if pred else false_fn()
    return _chosen(pred, true_fn(), false_fn(), "cond")


@op
def vectorized_map(function, elements):
    """`function` of each slice along the first axis, stacked: (n, ...) to (n, ...)."""
    return map(function, elements)


@op
def switch(index, branches, *operands):
    """`branches[index](*operands)`; an index outside is moved to the nearest branch.

    While a function is traced all branches are computed, and one is chosen.
    """
    last = len(branches) - 1
    if is_number(index):
        return branches[builtins.min(builtins.max(int(index), 0), last)](*operands)
    index = as_tensor(index)
    result = branches[0](*operands)
    for number, branch in enumerate(branches[1:], 1):
        result = _chosen(index >= number, branch(*operands), result, "switch")
    return result


def _chosen(condition, a, b, name: str):
    """Nested tensors a where the condition is true, else b."""
    if nest.key(a) != nest.key(b):
        raise ValueError(f"{name}: the branches must return the same structure.")
    pairs = zip(nest.flatten(a), nest.flatten(b), strict=True)
    return nest.pack(a, [where(condition, x, y) for x, y in pairs])


@op
def while_loop(cond, body, loop_vars, maximum_iterations=None):
    """loop_vars = body(*loop_vars) while cond(*loop_vars) is true; returns the last ones.

    In a plan the number of steps must be bounded: give `maximum_iterations` (an int). So many steps
    are computed, and those after the end of the loop change nothing. Without it the loop runs as
    long as `cond` gives Python bools.

    Args:
        cond: function of the loop variables: a bool of shape ().
        body: function of the loop variables: the new ones, in their shapes and dtypes.
        loop_vars: nested tensors; the entries of a tuple or list are passed one by one.
    """
    several = isinstance(loop_vars, (tuple, list))

    def called(fn, values):
        return fn(*values) if several else fn(values)

    def renewed(values):
        new = called(body, values)
        return type(loop_vars)(new) if several and isinstance(new, (tuple, list)) else new

    first = called(cond, loop_vars)
    if isinstance(first, Operators) and maximum_iterations is None:
        raise TypeError(
            "while_loop: how many steps there are depends on values that are not known while the "
            "function is traced. Give `maximum_iterations`, or use `ops.fori_loop` or `ops.scan`."
        )
    if not isinstance(first, Operators):
        count = 0
        while called(cond, loop_vars) and count != maximum_iterations:
            loop_vars, count = renewed(loop_vars), count + 1
        return nest.map_leaves(as_tensor, loop_vars)

    def step(values, _):
        return _chosen(called(cond, values), renewed(values), values, "while_loop"), None

    start = nest.map_leaves(as_tensor, loop_vars)
    return scan(step, start, length=maximum_iterations)[0] if maximum_iterations else start


@op
def associative_scan(f, elems, reverse=False, axis=0):
    """f(...f(f(x_1, x_2), x_3)..., x_k) for each k along an axis, for an associative f.

    In log2(n) calls of f on whole tensors (Hillis and Steele, Data Parallel Algorithms, 1986).

    Args:
        f: function of two structures like `elems`, of any size along the axis.
        elems: nested tensors with the same size n along the axis.
        reverse: from the last to the first.
    """
    xs = [as_tensor(x) for x in nest.flatten(elems)]
    axes = [one_axis(axis, x.ndim, "associative_scan") for x in xs]
    sizes = {x.shape[a] for x, a in zip(xs, axes, strict=True)}
    if len(sizes) != 1:
        raise ValueError(f"associative_scan: the sizes along axis {axis} differ: {sorted(sizes)}.")
    n, distance = sizes.pop(), 1
    if reverse:
        xs = [flip(x, a) for x, a in zip(xs, axes, strict=True)]
    while distance < n:
        before = [cut(x, a, 0, n - distance) for x, a in zip(xs, axes, strict=True)]
        here = [cut(x, a, distance, n) for x, a in zip(xs, axes, strict=True)]
        joined = nest.flatten(f(nest.pack(elems, before), nest.pack(elems, here)))
        xs = [
            concatenate([cut(x, a, 0, distance), y], a)
            for x, a, y in zip(xs, axes, joined, strict=True)
        ]
        distance *= 2
    if reverse:
        xs = [flip(x, a) for x, a in zip(xs, axes, strict=True)]
    return nest.pack(elems, xs)


# ---- what a tensor is ----


def shape(x) -> tuple:
    """The shape: a tuple of ints (None for the unknown sizes of placeholders)."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def ndim(x) -> int:
    """The number of axes."""
    return len(shape(x))


def size(x) -> int:
    """The number of elements."""
    return x.size if hasattr(x, "size") else np.size(x)


def dtype(x) -> str:
    """The dtype's name."""
    return config.standardize_dtype(x.dtype)


def is_tensor(x) -> bool:
    """Whether x is a tensor, an array that an op returned, or a placeholder."""
    return isinstance(x, (Tensor, Array, KerasTensor))


def convert_to_tensor(x, dtype=None, sparse=None, ragged=None):
    """x as a tensor: of the trace while a function is traced, else an array that owns its data."""
    dtype = None if dtype is None else config.requested_dtype(dtype)
    if isinstance(x, KerasTensor):
        return x if dtype is None else x.astype(dtype)
    if state.frame is not None or isinstance(x, Tensor):
        return as_tensor(x, dtype)
    if state.tapes and isinstance(x, (Array, Variable)):
        wanted = dtype or config.standardize_dtype(x.dtype)
        return x if isinstance(x, Array) and x.dtype == wanted else cast(x, wanted)
    array = x.storage if isinstance(x, Variable) else standard(x)
    if dtype is None:
        dtype = array.dtype if hasattr(x, "dtype") else dtype_of_numbers(array)
    if isinstance(x, Array) and x.dtype == dtype:
        return x
    return as_array(array.astype(dtype))


def convert_to_numpy(x) -> np.ndarray:
    """x as a plain ndarray. TypeError for a tensor of a trace, which has no value."""
    if isinstance(x, (Tensor, KerasTensor)):
        raise no_value(x, "a conversion to NumPy", "Return the tensor from the function instead.")
    return x.numpy() if isinstance(x, (Array, Variable)) else np.asarray(x)


def custom_gradient(f):
    """Makes a function of tensors that says itself what its gradient is.

        @keras.ops.custom_gradient
        def reversed_gradient(x):
            def grad(upstream):
                return -upstream

            return ops.identity(x), grad

    Args:
        f: function of tensors that returns (outputs, grad), where outputs are one float tensor or
            nested ones, and grad(*upstream), with the gradient by each of them, gives that by each
            argument: a tensor of its shape, or a list of them, None for none.

    Returns: a function like f, without grad.

    Raises ValueError when f uses trainable variables that are no arguments, as there would be no
    gradient by them; inside a recurrent step or a scan; and for gradients that do not fit.
    """

    @op
    @functools.wraps(f)
    def call(*args, **kwargs):
        name, root = getattr(f, "__name__", "f"), state.frame.root
        if state.frame is not root:
            raise ValueError(
                f"{name} has a gradient of its own (custom_gradient), which can't be taken inside "
                "a recurrent step or a scan. Apply it to the whole sequence."
            )
        xs = [as_tensor(x) for x in args]
        before, root.noted = root.noted, []
        try:
            outputs, grad = f(*xs, **kwargs)
            used = [v for v in root.noted if v.trainable]
        finally:
            root.noted = before
        if used:
            raise ValueError(
                f"{name} has a gradient of its own (custom_gradient) and uses the variable "
                f"{used[0].path!r}, by which it gives none. Make the variable an argument."
            )
        outputs = nest.map_leaves(stop_gradient, outputs)
        given = functools.partial(_given_gradients, name, grad, xs)
        root.own_gradients.append(OwnGradient(xs, nest.flatten(outputs), given))
        return outputs

    return call


def _given_gradients(name, grad, xs, *upstream):
    """What the function `grad` gives, one item per argument."""
    found = grad(*upstream)
    found = list(found) if isinstance(found, (list, tuple)) else [found]
    if len(found) != len(xs):
        raise ValueError(
            f"{name}: its grad() must return a gradient for each of {len(xs)} arguments, got "
            f"{len(found)}."
        )
    for i, (x, dx) in enumerate(zip(xs, found, strict=True)):
        if dx is None or not config.is_float(x.dtype):
            found[i] = None
            continue
        found[i] = as_tensor(dx, x.dtype)
        if found[i].shape != x.shape:
            raise ValueError(
                f"{name}: its grad() must return gradients in the shapes of the arguments; got "
                f"{found[i].shape} for argument {i} of shape {x.shape}."
            )
    return found
