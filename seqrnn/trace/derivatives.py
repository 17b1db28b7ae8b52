"""Derivatives of traced values: gradients, Jacobians, and functions with a gradient of their own.

The core takes the gradient of a graph (reverse accumulation; Griewank and Walther, 2008, Evaluating
Derivatives). What is made of it here are more nodes of the same graph.
"""

from __future__ import annotations

import functools
import operator

from seqrnn import config
from seqrnn.trace import frame as _frame
from seqrnn.trace import operators
from seqrnn.trace.frame import Frame, Tensor
from seqrnn.trace.variable import Variable


class OwnGradient:
    """A call of a function that says itself what its gradient is, see `ops.custom_gradient`.

    Attributes:
        inputs: the tensors that it was given, all floats.
        outputs: what came out, cut off from the inputs: the core sees no way through.
        gradient: function of one tensor per output that gives one per input.
    """

    __slots__ = ("gradient", "inputs", "outputs")

    def __init__(self, inputs, outputs, gradient):
        self.inputs = inputs
        self.outputs = outputs
        self.gradient = gradient


def backward(frame: Frame, value: int, sources: list[int]) -> list:
    """The gradient of the scalar `value` of a root frame by other values of it: numbers of values,
    None where it does not depend on them.

    From the last call with a gradient of its own to the first: the gradient by its outputs is
    handed to it, and what it gives is where the gradient goes on from its inputs.
    """
    ends, seeds = [value], [None]
    for call in reversed(list(frame.own_gradients)):
        found = frame.graph.gradient(ends, seeds, [y.id for y in call.outputs])
        if all(number is None for number in found):
            continue
        pairs = zip(found, call.outputs, strict=True)
        given = [
            operators.ops.zeros_like(y) if n is None else Tensor(frame, n, "gradient")
            for n, y in pairs
        ]
        for x, dx in zip(call.inputs, call.gradient(*given), strict=True):
            if dx is not None:
                ends.append(frame.value(x))
                seeds.append(frame.value(dx))
    return frame.graph.gradient(ends, seeds, sources)


def gradient_nodes(target: Tensor, sources: list) -> list:
    """Tensors of the gradient of the scalar `target` by tensors and variables; None where it does
    not depend on them. Of a variable that was assigned meanwhile, all values count."""
    frame = _frame.current().root
    target = operators.ops.convert_to_tensor(target)
    if not config.is_float(target.dtype):
        raise ValueError(f"gradient: the target must be a float, got {target!r}.")
    values = [frame.versions(s) if isinstance(s, Variable) else [s] for s in sources]
    flat = [v for versions in values for v in versions]
    wanted = [v for v in flat if isinstance(v, Tensor) and config.is_float(v.dtype)]
    numbers = backward(frame, frame.value(target), [frame.value(v) for v in wanted])
    found = {
        id(v): Tensor(frame, number, "gradient")
        for v, number in zip(wanted, numbers, strict=True)
        if number is not None
    }
    parts = [[found[id(v)] for v in versions if id(v) in found] for versions in values]
    return [functools.reduce(operator.add, each) if each else None for each in parts]


# ---- what a tape asks for: functions of targets, their factors and sources ----


def gradients(targets, factors, sources) -> list:
    """The gradient of the sum of all elements of the targets, each times its factor if it has one,
    by each source."""
    ops = operators.ops
    parts = [
        ops.sum(ops.convert_to_tensor(t) if f is None else t * ops.cast(f, t.dtype))
        for t, f in zip(targets, factors, strict=True)
    ]
    return gradient_nodes(functools.reduce(operator.add, parts), sources)


def jacobians(targets, _, sources) -> list:
    """The derivative of each element of the one target by each source: target.shape +
    source.shape."""
    ops = operators.ops
    target = ops.convert_to_tensor(targets[0])
    elements = ops.reshape(target, (-1,))
    rows = [gradient_nodes(elements[i], sources) for i in range(target.size)]
    return [
        None if s is None else _stacked([row[j] for row in rows], 0, (*target.shape, *s.shape), s)
        for j, s in enumerate(sources)
    ]


def batch_jacobians(targets, _, sources) -> list:
    """The same for each sample by itself: (batch, ...) by (batch, ...) gives (batch, ..., ...)."""
    ops = operators.ops
    target, source = ops.convert_to_tensor(targets[0]), sources[0]
    elements = ops.reshape(target, (target.shape[0], -1))
    rows = [gradient_nodes(ops.sum(elements[:, i]), sources)[0] for i in range(elements.shape[1])]
    return [_stacked(rows, 1, (*target.shape, *source.shape[1:]), source)]


def _stacked(parts, axis, shape, source):
    """The derivatives by one source as one tensor; None if there is no dependence at all."""
    ops = operators.ops
    if all(part is None for part in parts):
        return None
    zeros = ops.zeros(source.shape, source.dtype)
    return ops.reshape(ops.stack([zeros if p is None else p for p in parts], axis), shape)
