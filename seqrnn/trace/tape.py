"""Gradients by hand: `GradientTape` and `value_and_grad`.

In a function that is being traced (a `train_step` inside `fit`, say) the gradient is more nodes of
the same graph. Outside, where every layer and op runs at once, a tape notes which plans were run on
which arrays; `gradient` traces these calls again, as one function with its gradient, and runs that.
The plan is kept: the next batch of the same shapes, with the same calls, is one run.

What is noted are calls of a `Function`, which is what layers and ops are when called on arrays. The
arrays that come out are `Taped`: while a tape records, their operators and methods are ops, too.
"""

from __future__ import annotations

import functools
import operator
import random
from collections import OrderedDict

import numpy as np

from seqrnn import config
from seqrnn.trace import frame as _frame
from seqrnn.trace import nest, operators
from seqrnn.trace.array import Array
from seqrnn.trace.frame import Tensor, state
from seqrnn.trace.operators import Operators
from seqrnn.trace.traced import Function
from seqrnn.trace.variable import Variable

_KEPT = 64  # gradient functions, of all tapes
_functions: OrderedDict = OrderedDict()
config.at_clear.append(_functions.clear)


# ---- in a trace ----


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
    numbers = frame.graph.gradient([frame.value(target)], None, [frame.value(v) for v in wanted])
    found = {
        id(v): Tensor(frame, number, "gradient")
        for v, number in zip(wanted, numbers, strict=True)
        if number is not None
    }
    parts = [[found[id(v)] for v in versions if id(v) in found] for versions in values]
    return [functools.reduce(operator.add, each) if each else None for each in parts]


# ---- arrays that a tape follows ----


class Taped(Array):
    """An array that came out of a recorded call. Behaves as an ndarray once no tape records."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        op = operators.find(ufunc.__name__) if state.tapes and method == "__call__" else None
        if op is not None and not kwargs:
            return op(*inputs)
        plain = [x.view(np.ndarray) if isinstance(x, Taped) else x for x in inputs]
        if "out" in kwargs:
            kwargs["out"] = tuple(
                x.view(np.ndarray) if isinstance(x, Taped) else x for x in kwargs["out"]
            )
        result = getattr(ufunc, method)(*plain, **kwargs)
        return result.view(Array) if isinstance(result, np.ndarray) else result

    def __array_function__(self, func, types, args, kwargs):
        if state.tapes and operators.find(func.__name__) is not None:
            return Operators.__array_function__(self, func, types, args, kwargs)
        return super().__array_function__(func, types, args, kwargs)


def _op_while_recording(name):
    taped, plain = getattr(Operators, name), getattr(np.ndarray, name)
    if isinstance(taped, property):
        return property(lambda self: (taped.fget if state.tapes else plain.__get__)(self))

    def method(self, *args, **kwargs):
        return (taped if state.tapes else plain)(self, *args, **kwargs)

    return method


for _name in (
    *("T", "astype", "reshape", "transpose", "swapaxes", "squeeze", "flatten", "ravel", "repeat"),
    *("take", "dot", "clip", "round", "sum", "mean", "max", "min", "prod", "std", "var", "cumsum"),
    "__getitem__",
):
    setattr(Taped, _name, _op_while_recording(_name))
for _name in ("add", "sub", "mul", "truediv", "pow", "matmul"):
    # `loss += x` makes a new array: changing the old one would go unnoticed.
    setattr(Taped, f"__i{_name}__", getattr(Operators, f"__{_name}__"))


# ---- the tape ----


class _Recorded:
    """A call of a Function: what it was given and what came out."""

    __slots__ = ("arguments", "before", "first_draw", "function", "leaves", "outputs", "versions")


class GradientTape:
    """Notes what is computed inside `with`, to take gradients of it.

        with keras.GradientTape() as tape:
            loss = loss_fn(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables))

    Variables are followed by themselves, arrays after `watch`. Inside, arrays may be looked at
    (`print`, `if`, `float`); what NumPy alone computes from them has no gradient.

    Args:
        persistent: whether `gradient` may be called more than once.
        watch_accessed_variables: False to follow only the variables given to `watch`.

    Take gradients before the variables change: afterwards it is a RuntimeError.
    """

    def __init__(self, persistent=False, watch_accessed_variables=True):
        self._persistent = persistent
        self._all_variables = watch_accessed_variables
        self._calls: list[_Recorded] = []
        self._made: dict[int, tuple] = {}  # id(array) -> (call, place among its outputs)
        self._watched: dict[int, object] = {}
        self._drawn: dict[int, int] = {}  # id(function) -> random seeds that it has used
        self._used = False
        self.step = 0  # of which random numbers in recorded calls are made

    def __enter__(self):
        self.step = state.tapes[0].step if state.tapes else random.getrandbits(31)
        state.tapes = (*state.tapes, self)
        return self

    def __exit__(self, *_):
        state.tapes = tuple(tape for tape in state.tapes if tape is not self)

    def watch(self, tensor):
        """Makes gradients by these arrays (nested) possible.

        TypeError for a plain NumPy array, which goes its own ways: convert it before by
        `x = keras.ops.convert_to_tensor(x)`.
        """
        for leaf in nest.flatten(tensor):
            if not isinstance(leaf, (Tensor, Variable, Array)):
                raise TypeError(
                    f"tape.watch can't follow a {type(leaf).__name__}. Convert it before, "
                    "x = keras.ops.convert_to_tensor(x)."
                )
            if type(leaf) is Array:
                leaf.__class__ = Taped
            self._watched[id(leaf)] = leaf

    def watched_variables(self) -> tuple:
        """The variables that recorded calls have used, in that order."""
        found = {id(v): v for call in self._calls for v, _ in call.versions}
        return tuple(v for v in found.values() if v.trainable)

    def reset(self):
        """Forgets what was recorded."""
        self._calls, self._made, self._watched = [], {}, {}
        self._used = False

    def stop_recording(self):
        """A context in which nothing is recorded."""
        return _Paused(self)

    def gradient(self, target, sources, output_gradients=None, unconnected_gradients="none"):
        """The gradient of `target`, summed over its elements, in the structure of `sources`.

        Args:
            target: float array or tensor computed inside the tape, or a list of them.
            sources: variables and watched arrays, nested.
            output_gradients: what to multiply the elements of the target by before they are summed.
            unconnected_gradients: 'none' gives None where the target does not depend on a source,
                'zero' zeros.

        ValueError for a target that was not computed inside; RuntimeError for a second call if the
        tape is not persistent, and when variables have changed since.
        """
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(
                f"unconnected_gradients must be 'none' or 'zero', got {unconnected_gradients!r}."
            )
        if self._used and not self._persistent:
            raise RuntimeError(
                "A GradientTape gives gradients once. For more, make it with persistent=True."
            )
        self._used = True
        targets = [t for t in nest.flatten(target) if t is not None]
        given = output_gradients
        seeds = [None] * len(targets) if given is None else nest.flatten(given)
        if len(seeds) != len(targets):
            raise ValueError(f"Got {len(seeds)} output_gradients for {len(targets)} targets.")
        leaves = nest.flatten(sources)
        if _frame.current() is None:
            found = self._recorded_gradient(targets, leaves, seeds)
        else:
            found = self._traced_gradient(targets, leaves, seeds)
        if unconnected_gradients == "zero":
            pairs = zip(found, leaves, strict=True)
            found = [operators.ops.zeros(s.shape, s.dtype) if g is None else g for g, s in pairs]
        return nest.pack(sources, found)

    def _traced_gradient(self, targets, sources, seeds):
        total = _total(targets, seeds)
        return gradient_nodes(total, [s if self._follows(s) else None for s in sources])

    def _follows(self, source):
        accessed = self._all_variables or not isinstance(source, Variable)
        return accessed or id(source) in self._watched

    # ---- recording ----

    def record(self, function, arguments, traced, leaves, step):
        """Runs a plan for a `Function`, and has all tapes note that. Returns its outputs.

        A call that no variable and no followed array goes into is none to be noted.
        """
        inputs = nest.flatten(arguments)
        variables = [*traced.variables, *(x for x in inputs if isinstance(x, Variable))]
        tapes = [t for t in state.tapes if variables or t._knows(inputs)]
        if not tapes:
            return traced.run(leaves, step)
        call = _Recorded()
        call.function, call.arguments = function, arguments
        call.leaves = [_kept(x) for x in inputs]
        call.first_draw = self.first_draw(function)
        assigned = {id(v) for v in traced.assigned}
        call.before = [(v, v.numpy()) for v in traced.assigned]
        call.versions = [(v, v.version) for v in variables if id(v) not in assigned]
        self._drawn[id(function)] = call.first_draw + traced.draws
        outputs = nest.map_leaves(_as_taped, traced.run(leaves, self.step))
        call.outputs = nest.flatten(outputs)
        for tape in tapes:
            tape._note(call)
        return outputs

    def _knows(self, inputs):
        return any(id(x) in self._made or id(x) in self._watched for x in inputs)

    def _note(self, call):
        for place, leaf in enumerate(call.outputs):
            if isinstance(leaf, np.ndarray):
                self._made[id(leaf)] = (len(self._calls), place)
        self._calls.append(call)

    def first_draw(self, function) -> int:
        """How many random seeds this function has used before, so that it goes on from there."""
        return self._drawn.get(id(function), 0)

    # ---- playing back ----

    def _recorded_gradient(self, targets, sources, seeds):
        for target in targets:
            if id(target) not in self._made and id(target) not in self._watched:
                raise ValueError(
                    f"gradient: the target {target!r} was not computed by layers and ops inside "
                    "the tape's `with` block from variables or watched arrays."
                )
        needed = self._needed(targets)
        self._check_unchanged(needed)
        script = _Script(self, needed, targets, [s if self._follows(s) else None for s in sources])
        with _Paused(self):
            return _played(script).at_step(self.step, script.arrays, seeds)

    def _needed(self, targets) -> list[int]:
        """The calls that lead to the targets, in order."""
        todo = [self._made[id(t)][0] for t in targets if id(t) in self._made]
        needed = set()
        while todo:
            index = todo.pop()
            if index not in needed:
                needed.add(index)
                made = (self._made.get(id(x)) for x in self._calls[index].leaves)
                todo += [place[0] for place in made if place is not None]
        return sorted(needed)

    def _check_unchanged(self, needed):
        for index in needed:
            for variable, version in self._calls[index].versions:
                if variable.version != version:
                    raise RuntimeError(
                        f"gradient: the variable {variable.path!r} has changed since it was used "
                        "inside the tape. Take all gradients first, then apply them."
                    )


class _Paused:
    """A context in which one tape does not record."""

    def __init__(self, tape):
        self._tape = tape

    def __enter__(self):
        self._before = state.tapes
        state.tapes = tuple(tape for tape in state.tapes if tape is not self._tape)

    def __exit__(self, *_):
        state.tapes = self._before


class _Script:
    """Recorded calls as a function of all arrays that came from outside.

    Attributes:
        arrays: these arrays, in the order in which `play` takes them.
        key: equal for tapes that recorded the same calls, connected in the same way.
    """

    def __init__(self, tape, needed, targets, sources):
        self.arrays: list = []
        self._outside: dict[int, int] = {}
        self._number = {index: n for n, index in enumerate(needed)}
        self._tape = tape
        self._calls = []
        parts = []
        for index in needed:
            call = tape._calls[index]
            wiring = [self._place(leaf) for leaf in call.leaves]
            before = [(v, self._place(array)) for v, array in call.before]
            self._calls.append((call.function, call.arguments, wiring, before, call.first_draw))
            parts.append(
                (
                    *(call.function, nest.key(call.arguments), call.first_draw),
                    *map(_hashable, wiring),
                    *((id(v), place) for v, place in before),
                )
            )
        self._targets = [self._place(t) for t in targets]
        self._sources = [None if s is None else self._place(s, of_source=True) for s in sources]
        self.key = (*parts, *map(_hashable, self._targets), *map(_hashable, self._sources))
        self._tape = None  # what is kept holds no arrays

    def _place(self, leaf, of_source=False):
        """Where the value of a leaf comes from: ('call', i, j), ('array', i) or ('as is', leaf)."""
        made = self._tape._made.get(id(leaf))
        if made is not None and made[0] in self._number:
            return ("call", self._number[made[0]], made[1])
        if isinstance(leaf, (np.ndarray, np.floating)):
            if of_source and id(leaf) not in self._outside:
                return ("as is", None)  # the target does not depend on it
            if id(leaf) not in self._outside:
                self._outside[id(leaf)] = len(self.arrays)
                self.arrays.append(leaf)
            return ("array", self._outside[id(leaf)])
        return ("as is", leaf)

    def play(self, arrays, seeds):
        """The gradients, while this is being traced."""
        results: list[list] = []
        frame = _frame.current()

        def value(place):
            if place[0] == "call":
                return results[place[1]][place[2]]
            return arrays[place[1]] if place[0] == "array" else place[1]

        draws = frame.draws
        for function, arguments, wiring, before, first_draw in self._calls:
            args, kwargs = nest.pack(arguments, map(value, wiring))
            frame.draws, frame.first_draw = {}, first_draw
            for variable, place in before:
                frame.assigned[id(variable)] = value(place)
            results.append(nest.flatten(function.fn(*args, **kwargs)))
            frame.assigned.clear()  # it has happened
        frame.draws, frame.first_draw = draws, 0
        total = _total([value(place) for place in self._targets], seeds)
        return gradient_nodes(total, [None if p is None else value(p) for p in self._sources])


def _played(script: _Script) -> Function:
    """The gradient of these calls as a function. It is kept, unless a call was given a Python
    function, which may do something else the next time."""
    try:
        function = _functions.pop(script.key, None) or Function(script.play)
    except TypeError:  # such a key does not hash
        return Function(script.play)
    _functions[script.key] = function
    while len(_functions) > _KEPT:
        _functions.popitem(last=False)
    return function


def _total(targets, seeds):
    """The sum of all elements of the targets, each times its seed if there is one."""
    ops = operators.ops
    parts = [
        ops.sum(ops.convert_to_tensor(t) if s is None else t * ops.cast(s, t.dtype))
        for t, s in zip(targets, seeds, strict=True)
    ]
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def _kept(leaf):
    """An input until `gradient`: arrays of the caller may be overwritten before, so a copy."""
    own = isinstance(leaf, Array) or not isinstance(leaf, np.ndarray)
    return leaf if own else leaf.copy()


def _as_taped(leaf):
    return leaf.view(Taped) if isinstance(leaf, np.ndarray) else leaf


def _hashable(place):
    """A place as part of a key; leaves that are equal but not the same kind differ."""
    if place is None or place[0] != "as is":
        return place
    leaf = place[1]
    return ("variable", id(leaf)) if isinstance(leaf, Variable) else nest.leaf_key(leaf)


# ---- functions ----


def value_and_grad(fn, variables=None, has_aux=False):
    """A function that returns what `fn` returns, and its gradient by `variables`.

        step = keras.value_and_grad(lambda x, y: loss_fn(y, model(x, training=True)), model)
        loss, gradients = step(x, y)

    Traced and compiled once per set of shapes; then a call is one run of a plan.

    Args:
        fn: function of arrays (nested) that returns a float scalar.
        variables: list of variables, or a layer or model, whose trainable variables count; None:
            the gradient is by the first argument of `fn` instead, in its structure.
        has_aux: `fn` returns (scalar, anything), which is returned as it is.

    Returns: a function giving (value, gradients), with has_aux ((value, aux), gradients). The
    gradients are arrays in the order of the variables, zeros where there is no dependence.
    """

    def wanted(args):
        if variables is None:
            if not args:
                raise TypeError("value_and_grad: the function needs an argument to derive by.")
            return args[0]
        return list(getattr(variables, "trainable_variables", variables))

    def traced(args, kwargs, training):
        with _frame.training_is(training):
            result = fn(*args, **kwargs)
        value = result[0] if has_aux else result
        if nest.flatten(getattr(value, "shape", (None,))) != []:
            raise ValueError(
                f"value_and_grad: the function must return a scalar, got {value!r}."
                + ("" if has_aux else " For (scalar, more) say has_aux=True.")
            )
        sources = wanted(args)
        leaves = nest.flatten(sources)
        found = gradient_nodes(value, leaves)
        zeros = operators.ops.zeros
        pairs = zip(found, leaves, strict=True)
        found = [zeros(s.shape, s.dtype) if g is None else g for g, s in pairs]
        return result, nest.pack(sources, found)

    function = Function(traced)

    def call(*args, **kwargs):
        if _frame.current() is not None:
            return traced(args, kwargs, state.training)
        return function(args, kwargs, state.training)

    return call
