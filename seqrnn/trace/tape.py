"""Gradients by hand: `GradientTape`.

In a function that is being traced (a `train_step` inside `fit`, say) the gradient is more nodes of
the same graph. Outside, where every layer and op runs at once, a tape notes which plans were run on
which arrays; `gradient` traces these calls again, as one function with its gradient, and runs that.
The plan is kept: the next batch of the same shapes, with the same calls, is one run. It is kept by
the last variable that the calls use, and goes with it.

What is noted are calls of a `Function`, which is what layers and ops are when called on arrays. The
arrays that come out are `Taped`: while a tape records, their operators and methods are ops, too.
"""

from __future__ import annotations

import random
from collections import OrderedDict

import numpy as np

from seqrnn import config
from seqrnn.trace import derivatives, nest, operators
from seqrnn.trace import frame as _frame
from seqrnn.trace.array import Array
from seqrnn.trace.frame import Tensor, state
from seqrnn.trace.taped import Taped
from seqrnn.trace.traced import Function
from seqrnn.trace.variable import Variable

_KEPT = 32  # gradient functions, of one variable


# ---- the tape ----


class _Recorded:
    """A call of a Function: what it was given and what came out."""

    __slots__ = (
        *("arguments", "before", "closed", "first_draw", "function"),
        *("leaves", "outputs", "versions"),
    )


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

        ValueError for a target that was not computed inside or is no float, and for
        `output_gradients` of another shape; TypeError for sources that are no variables or arrays;
        RuntimeError for a second call if the tape is not persistent, and when variables have
        changed since.
        """
        self._begin(unconnected_gradients)
        targets = [t for t in nest.flatten(target) if t is not None]
        seeds = _seeds(output_gradients, targets)
        leaves = nest.flatten(sources)
        found = self._derived(derivatives.gradients, targets, leaves, seeds)
        if unconnected_gradients == "zero":
            found = _filled(found, leaves, [leaf.shape for leaf in leaves])
        return nest.pack(sources, found)

    def jacobian(
        self,
        target,
        sources,
        unconnected_gradients="none",
        parallel_iterations=None,
        experimental_use_pfor=True,
    ):
        """The derivative of each element of `target` by each source.

        Each element is a way back through the graph, in one plan: for targets of some hundred
        elements at most.

        Args:
            target: a float array or tensor computed inside the tape.
            sources: variables and watched arrays, nested.
            unconnected_gradients: as of `gradient`.
            parallel_iterations, experimental_use_pfor: of TensorFlow, about how it is done; no
                effect.

        Returns: arrays target.shape + source.shape in the structure of `sources`. Raises as
        `gradient`.
        """
        self._begin(unconnected_gradients)
        leaves = nest.flatten(sources)
        found = self._derived(derivatives.jacobians, [target], leaves, [None])
        if unconnected_gradients == "zero":
            found = _filled(found, leaves, [(*target.shape, *leaf.shape) for leaf in leaves])
        return nest.pack(sources, found)

    def batch_jacobian(
        self,
        target,
        source,
        unconnected_gradients="none",
        parallel_iterations=None,
        experimental_use_pfor=True,
    ):
        """The Jacobian of each sample: `target` (batch, ...) by `source` (batch, ...), where no
        sample of the target depends on another one of the source, gives (batch, ..., ...).

        Otherwise as `jacobian`, with one source. ValueError if the batch sizes differ.
        """
        self._begin(unconnected_gradients)
        sizes = [tuple(x.shape)[:1] for x in (target, source)]
        if () in sizes or sizes[0] != sizes[1]:
            raise ValueError(
                "batch_jacobian: target and source must have the batch in front, of one size; got "
                f"the shapes {tuple(target.shape)} and {tuple(source.shape)}."
            )
        found = self._derived(derivatives.batch_jacobians, [target], [source], [None])
        if unconnected_gradients == "zero":
            found = _filled(found, [source], [(*target.shape, *source.shape[1:])])
        return found[0]

    def _begin(self, unconnected_gradients):
        if unconnected_gradients not in ("none", "zero"):
            raise ValueError(
                f"unconnected_gradients must be 'none' or 'zero', got {unconnected_gradients!r}."
            )
        if self._used and not self._persistent:
            raise RuntimeError(
                "A GradientTape gives gradients once. For more, make it with persistent=True."
            )
        self._used = True

    def _derived(self, derive, targets, sources, seeds):
        """What a function of `derivatives` gives, None for sources that are not followed."""
        _check_targets(targets)
        for source in sources:
            if not isinstance(source, (Variable, Tensor, np.ndarray)):
                raise TypeError(
                    f"gradient: a source must be a variable or an array, got {source!r}."
                )
        sources = [s if self._follows(s) else None for s in sources]
        if _frame.current() is not None:
            return derive(targets, seeds, sources)
        return self._played_back(derive, targets, sources, seeds)

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
        closed = traced.closed_over()
        tapes = [t for t in state.tapes if variables or t.knows(inputs) or t.knows(closed)]
        if not tapes:
            return traced.run(leaves, step)
        call = _Recorded()
        call.function, call.arguments = function, arguments
        call.leaves = [_kept(x) for x in inputs]
        call.closed = closed
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

    def knows(self, inputs) -> bool:
        """Whether one of these is an array that the tape follows."""
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

    def _played_back(self, derive, targets, sources, seeds):
        for target in targets:
            if not isinstance(target, Variable) and not self.knows([target]):
                raise ValueError(
                    f"gradient: the target {target!r} was not computed by layers and ops inside "
                    "the tape's `with` block from variables or watched arrays."
                )
        needed = self._needed(targets)
        self._check_unchanged(needed)
        script = _Script(self, needed, derive, targets, sources)
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
                call = self._calls[index]
                made = (self._made.get(id(x)) for x in (*call.leaves, *call.closed))
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
        key: equal for tapes that recorded the same calls, connected in the same way; None if a
            call was of a function that closes over arrays.
        owner: what the function is kept by: the last variable used, so that a model on top of
            layers of another one can go; else the last function called; None without calls.
    """

    def __init__(self, tape, needed, derive, targets, sources):
        self._derive = derive
        self.arrays: list = []
        self._outside: dict[int, int] = {}
        self._number = {index: n for n, index in enumerate(needed)}
        self._tape = tape
        self._calls = []
        self._closes = False
        parts = []
        for index in needed:
            call = tape._calls[index]
            wiring = [self._place(leaf) for leaf in call.leaves]
            before = [(v, self._place(array)) for v, array in call.before]
            closed = [(array, self._place(array)) for array in call.closed if tape.knows([array])]
            self._closes = self._closes or bool(closed)
            arguments = nest.map_leaves(lambda _: None, call.arguments)
            self._calls.append((call.function, arguments, wiring, before, closed, call.first_draw))
            parts.append(
                (
                    *(call.function, nest.key(call.arguments), call.first_draw),
                    *map(_hashable, wiring),
                    *((id(v), place) for v, place in before),
                )
            )
        self._targets = [self._place(t) for t in targets]
        self._sources = [None if s is None else self._place(s, of_source=True) for s in sources]
        self.key = (derive, *parts, *map(_hashable, self._targets), *map(_hashable, self._sources))
        self._tape = None  # what is kept holds no arrays
        calls = [tape._calls[index] for index in needed]
        owners = [call.function for call in calls[-1:]]
        owners += [v for call in calls for v, _ in (*call.versions, *call.before)]
        self.owner = owners[-1] if owners else None

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
        """The derivatives, while this is being traced."""
        results: list[list] = []
        frame = _frame.current()

        def value(place):
            if place[0] == "call":
                return results[place[1]][place[2]]
            return arrays[place[1]] if place[0] == "array" else place[1]

        draws = frame.draws
        for function, arguments, wiring, before, closed, first_draw in self._calls:
            args, kwargs = nest.pack(arguments, map(value, wiring))
            frame.stand_ins = {id(array): value(place) for array, place in closed}
            frame.draws, frame.first_draw = {}, first_draw
            for variable, place in before:
                frame.assigned[id(variable)] = value(place)
            results.append(nest.flatten(function.fn(*args, **kwargs)))
            frame.assigned.clear()  # it has happened
            frame.stand_ins = {}
        frame.draws, frame.first_draw = draws, 0
        targets = [value(place) for place in self._targets]
        return self._derive(
            targets, seeds, [None if p is None else value(p) for p in self._sources]
        )


def _played(script: _Script) -> Function:
    """The gradient of these calls as a function. It is kept, unless a call was given a Python
    function, which may do something else the next time, or closes over arrays."""
    if script.owner is None or script.key is None:
        return Function(script.play)
    kept = script.owner.gradients = script.owner.gradients or OrderedDict()
    try:
        function = kept.pop(script.key, None) or Function(script.play)
    except TypeError:  # such a key does not hash
        return Function(script.play)
    kept[script.key] = function
    while len(kept) > _KEPT:
        kept.popitem(last=False)
    return function


def _filled(found, sources, shapes):
    """Zeros of these shapes instead of None."""
    triples = zip(found, sources, shapes, strict=True)
    return [operators.ops.zeros(shape, s.dtype) if g is None else g for g, s, shape in triples]


def _seeds(output_gradients, targets):
    """What each target is multiplied by: None, or a number or an array of its shape."""
    if output_gradients is None:
        return [None] * len(targets)
    seeds = nest.flatten(output_gradients)
    if len(seeds) != len(targets):
        raise ValueError(f"Got {len(seeds)} output_gradients for {len(targets)} targets.")
    for seed, target in zip(seeds, targets, strict=True):
        shape = () if seed is None else np.shape(seed)
        if shape not in ((), tuple(target.shape)):
            raise ValueError(
                f"gradient: output_gradients of shape {shape} for a target of shape "
                f"{tuple(target.shape)}; both must have the same."
            )
    return seeds


def _check_targets(targets):
    if not targets:
        raise ValueError("gradient: there is no target, only None.")
    for target in targets:
        if not isinstance(target, (Variable, Tensor, np.ndarray, np.floating)):
            raise TypeError(f"gradient: the target must be an array, got {target!r}.")
        if not config.is_float(config.standardize_dtype(target.dtype)):
            raise ValueError(f"gradient: the target must be a float, got {target!r}.")


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
