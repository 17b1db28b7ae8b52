"""Placeholders of the functional API: tensors whose sizes may be unknown, and calls on them.

Calling a layer or an op on a `KerasTensor` runs nothing: it records a `Call`, whose outputs are
placeholders again. `replay` executes the recorded calls on tensors of a trace.

What a call gives is found by tracing it twice, with every unknown size replaced by one number and
then by another: sizes that stay the same are known, the others are not.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

from seqrnn import config
from seqrnn.trace import frame as _frame
from seqrnn.trace import nest
from seqrnn.trace.frame import Frame, Tensor
from seqrnn.trace.operators import Operators
from seqrnn.trace.traced import Spec
from seqrnn.trace.variable import Variable

# Sizes tried for (first axis, other unknown axes), in pairs that differ by a multiple of 16, so
# that strides show. A convolution longer than the first pair needs the later ones, and a table of
# a few positions the last ones.
_PROBES = (
    ((2, 16), (3, 32)),
    ((2, 256), (3, 512)),
    ((2, 4096), (3, 8192)),
    ((2, 2), (3, 18)),
    ((2, 4), (3, 8)),
)
_ODD = (99_991, 99_989)  # sizes that stand out in the text of an error

_serial = itertools.count()


class KerasTensor(Operators):
    """A placeholder: shape (None for unknown sizes), dtype, name.

    Attributes:
        origin: the `Call` that it is an output of; None for an input of a model.
        index: which of the call's outputs, flattened.
    """

    def __init__(self, shape, dtype=None, name=None):
        self.shape = Spec(shape, dtype).shape
        self.dtype = config.standardize_dtype(dtype)
        self.name = name or config.unique_name("keras_tensor")
        self.origin: Call | None = None
        self.index = 0
        self.input_layer = None  # the InputLayer that it came from
        self.masked = None  # shape of the mask that travels with it
        self._mask = None

    @property
    def op(self) -> str | None:
        """The name of what made it, for error texts."""
        return self.origin.name if self.origin is not None else None

    @property
    def _keras_mask(self):
        """The mask that will travel with the tensor, as a placeholder, or None."""
        if self.masked is not None and self._mask is None:
            self._mask = KerasTensor(self.masked, "bool")
            self._mask.origin = Call(_mask_of, (self,), {}, self._mask)
        return self._mask

    def __repr__(self):
        return f"<KerasTensor shape={self.shape} dtype={self.dtype} name={self.name}>"

    def __len__(self):
        raise TypeError("len() of a placeholder: use its `.shape`, whose sizes may be None.")

    def __iter__(self):
        raise TypeError(
            "a placeholder cannot be iterated over. Use `ops.unstack(x, num, axis)`, or a Layer, "
            "whose `call` sees whole sizes."
        )


def _mask_of(tensor: Tensor):
    return tensor._keras_mask


class Call:
    """A layer or function applied to placeholders.

    Attributes:
        fn: the layer, or the function.
        args, kwargs: its arguments, placeholders among them.
        outputs: nested placeholders.
        name: of the layer, or of the function.
        serial: grows with time, so calls in its order are in topological order.
    """

    __slots__ = ("args", "fn", "kwargs", "name", "outputs", "serial")

    def __init__(self, fn: Callable, args: tuple, kwargs: dict, outputs):
        self.fn = fn
        self.args = args
        self.kwargs = kwargs
        self.outputs = outputs
        self.serial = next(_serial)
        self.name = getattr(fn, "name", None) or getattr(fn, "__name__", type(fn).__name__)

    def inputs(self) -> list[KerasTensor]:
        """The placeholders among the arguments, in order."""
        return placeholders((self.args, self.kwargs))

    def __repr__(self):
        return f"<Call of {self.name}>"


def placeholders(structure) -> list[KerasTensor]:
    """The placeholders in a nested structure, in order, each as often as it is there."""
    found = []
    for leaf in nest.flatten(structure):
        if isinstance(leaf, KerasTensor):
            found.append(leaf)
        elif isinstance(leaf, slice):
            found += placeholders((leaf.start, leaf.stop, leaf.step))
    return found


# ---- recording ----


def record(fn: Callable, args: tuple, kwargs: dict):
    """Applies `fn` to placeholders: returns placeholders for its outputs."""
    specs = output_specs(fn, args, kwargs)
    outputs = nest.map_leaves(_placeholder, specs)
    call = Call(fn, args, kwargs, outputs)
    for index, leaf in enumerate(nest.flatten(outputs)):
        if isinstance(leaf, KerasTensor):
            leaf.origin = call
            leaf.index = index
    return outputs


class _Result(Spec):
    """The spec of an output, and the shape of its mask if it carries one."""

    __slots__ = ("mask",)


def _placeholder(leaf):
    if not isinstance(leaf, _Result):
        return leaf
    tensor = KerasTensor(leaf.shape, leaf.dtype)
    tensor.masked = leaf.mask
    return tensor


def output_specs(fn: Callable, args: tuple, kwargs: dict):
    """The specs of what `fn` gives for placeholders, in the structure that it returns."""
    inputs = {id(t): t for t in placeholders((args, kwargs))}
    unknown = any(d is None for t in inputs.values() for d in (*t.shape, *(t.masked or ())))
    if not unknown:
        return _probe(fn, args, kwargs, inputs, (1, 1))
    failure = None
    for small, large in _PROBES:
        try:
            first = _probe(fn, args, kwargs, inputs, small)
            second = _probe(fn, args, kwargs, inputs, large)
        except (ValueError, TypeError, IndexError) as error:
            failure = failure or error
            continue
        return _compare(fn, first, second)
    raise _with_note(failure, lambda sizes: _probe(fn, args, kwargs, inputs, sizes))


def _with_note(error: Exception, probe: Callable) -> Exception:
    """The error of the first probe, with None for the sizes that are not known: the text of one
    with sizes that stand out. If that is another error, a note says what the sizes are."""
    try:
        probe(_ODD)
    except type(error) as other:
        text = re.sub("|".join(map(str, _ODD)), "None", str(other))
        if re.sub(r"\bNone\b|\d+", "", text) == re.sub(r"\bNone\b|\d+", "", str(error)):
            error.args = (text,)
            return error
    except Exception:  # it comes to something else: then the first error tells more
        pass
    if len(error.args) == 1 and isinstance(error.args[0], str):
        batch, others = _PROBES[0][0]
        error.args = (
            f"{error.args[0]} (Unknown sizes were tried as {batch} for the batch, else {others}.)",
        )
    return error


def _probe(fn, args, kwargs, inputs, sizes):
    """Traces `fn` with unknown sizes replaced; compiles nothing."""
    frame = Frame()
    frame.known = None
    with _frame.entered(frame, close=True):
        feeds = {key: _feed(frame, t, sizes) for key, t in inputs.items()}
        result = fn(*_substitute(args, feeds), **_substitute(kwargs, feeds))
        return nest.map_leaves(_describe, result)


def _feed(frame: Frame, tensor: KerasTensor, sizes) -> Tensor:
    fed = frame.input(tensor.name, _concrete(tensor.shape, sizes), tensor.dtype)
    if tensor.masked is not None:
        fed._keras_mask = frame.input("mask", _concrete(tensor.masked, sizes), "bool")
    return fed


def _concrete(shape, sizes) -> tuple:
    return tuple(sizes[axis > 0] if d is None else d for axis, d in enumerate(shape))


def _describe(leaf):
    if isinstance(leaf, Variable):
        leaf = leaf.value
    if not isinstance(leaf, Tensor):
        return leaf
    result = _Result(leaf.shape, leaf.dtype)
    result.mask = None if leaf._keras_mask is None else leaf._keras_mask.shape
    return result


def _compare(fn, first, second):
    """Merges the results of two probes: what differs is unknown."""
    a, b = nest.flatten(first), nest.flatten(second)
    same = nest.key(first) == nest.key(second)
    merged = [_merge(x, y) for x, y in zip(a, b, strict=False)]
    if not same or any(leaf is _DIFFERS for leaf in merged):
        name = getattr(fn, "name", None) or getattr(fn, "__name__", repr(fn))
        raise ValueError(
            f"{name!r} gives another number of outputs, another rank or another dtype for other "
            f"input sizes: {first} and {second}. Declare the sizes in the input shape."
        )
    return nest.pack(first, merged)


_DIFFERS = object()


def _merge(x, y):
    if isinstance(x, _Result) and isinstance(y, _Result):
        shape = _merge_shapes(x.shape, y.shape)
        if shape is None or x.dtype != y.dtype or (x.mask is None) != (y.mask is None):
            return _DIFFERS
        result = _Result(shape, x.dtype)
        result.mask = None if x.mask is None else _merge_shapes(x.mask, y.mask)
        return result
    return x if type(x) is type(y) and (x is y or x == y) else _DIFFERS


def _merge_shapes(a, b):
    if len(a) != len(b):
        return None
    return tuple(m if m == n else None for m, n in zip(a, b, strict=True))


# ---- replaying ----


def calls_of(outputs, inputs=()) -> list[Call]:
    """The calls that lead from `inputs` to `outputs`, in an order in which they can run."""
    known = {id(t) for t in nest.flatten(inputs)}
    todo = [t for t in placeholders(outputs) if id(t) not in known]
    calls: dict[int, Call] = {}
    while todo:
        tensor = todo.pop()
        call = tensor.origin
        if id(tensor) in known or call is None or call.serial in calls:
            continue
        calls[call.serial] = call
        todo += call.inputs()
    return [calls[serial] for serial in sorted(calls)]


def replay(outputs, feeds, called=None):
    """Runs the recorded calls, each once, and gives the outputs as tensors.

    Args:
        outputs: nested placeholders.
        feeds: pairs (placeholder, tensor) for the inputs of the model.
        called: function (fn, args, kwargs) that makes a call; default `fn(*args, **kwargs)`.
    """
    feeds = list(feeds)
    values = {id(placeholder): tensor for placeholder, tensor in feeds}
    for call in calls_of(outputs, [placeholder for placeholder, _ in feeds]):
        for tensor in call.inputs():
            if id(tensor) not in values:
                raise _unfed(tensor)
        args, kwargs = _substitute(call.args, values), _substitute(call.kwargs, values)
        result = call.fn(*args, **kwargs) if called is None else called(call.fn, args, kwargs)
        made = nest.flatten(result)
        for placeholder, tensor in zip(nest.flatten(call.outputs), made, strict=True):
            if isinstance(placeholder, KerasTensor):
                values.setdefault(id(placeholder), tensor)
    for tensor in placeholders(outputs):
        if id(tensor) not in values:
            raise _unfed(tensor)
    return _substitute(outputs, values)


def _unfed(tensor: KerasTensor) -> ValueError:
    return ValueError(
        f"the outputs depend on {tensor!r}, which is not among the inputs of the model nor made "
        "from them. Add it to `inputs`."
    )


def _substitute(structure, values):
    """The structure with placeholders replaced by their values."""

    def replace(leaf):
        if isinstance(leaf, KerasTensor):
            return values[id(leaf)]
        if isinstance(leaf, slice):
            return slice(replace(leaf.start), replace(leaf.stop), replace(leaf.step))
        return leaf

    return nest.map_leaves(replace, structure)
