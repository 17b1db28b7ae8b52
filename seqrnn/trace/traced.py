"""Tracing: a Python function of arrays becomes a plan, once per set of shapes.

`trace(fn, specs)` runs `fn` once on symbolic tensors and compiles what it recorded. With
`trainable`, the function's first output is the loss, and its gradient by these variables lands in
one flat buffer. `Function` keeps the plans of one Python function, one per set of shapes, dtypes
and other arguments.

The environment variable SEQRNN_DUMP=graph,plan,time prints to stderr what is compiled and, when the
process ends, where the time of each plan's runs went.
"""

from __future__ import annotations

import atexit
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np

from seqrnn import config
from seqrnn.trace import frame as _frame
from seqrnn.trace import nest, operators
from seqrnn.trace.array import Array, standard
from seqrnn.trace.derivatives import backward
from seqrnn.trace.frame import Frame, Tensor, state
from seqrnn.trace.variable import Variable


class Spec:
    """Shape and dtype of an array that will be given later.

    Args:
        shape: ints; None for a size that is not known (placeholders only).
        dtype: standardised; default `floatx()`.
    """

    __slots__ = ("dtype", "shape")

    def __init__(self, shape, dtype=None):
        self.shape = tuple(None if d is None else int(d) for d in shape)
        self.dtype = config.standardize_dtype(dtype)

    @classmethod
    def like(cls, array) -> Spec:
        """The spec of an array, with the dtype it is computed in."""
        return cls(array.shape, array.dtype)

    def __eq__(self, other):
        return isinstance(other, Spec) and (self.shape, self.dtype) == (other.shape, other.dtype)

    def __hash__(self):
        return hash((self.shape, self.dtype))

    def __repr__(self):
        return f"Spec({self.shape}, {self.dtype!r})"


class _Output:
    """Where a tensor was in the structure that the function returned."""

    __slots__ = ()


_OUTPUT = _Output()


def trace(
    fn: Callable,
    specs,
    *,
    trainable: Sequence[Variable] | None = None,
    training: bool | None = None,
    batch: int = 0,
    first_draw: int = 0,
    title: str | None = None,
) -> Traced:
    """Records what `fn` does to arrays of these shapes, and compiles it.

    Args:
        fn: gets tensors in the structure of `specs`, as positional arguments if that is a tuple.
        specs: nested lists, tuples and dicts of `Spec`; other leaves reach `fn` as they are.
        trainable: then the first output must be the loss, a float of one element.
        training: what `training` is for the layers that `fn` calls.
        batch: arrays with so many entries in front hold samples: these may be computed in parts.
        first_draw: how many random seeds each generator has given before, see `GradientTape`.
        title: what it is, for SEQRNN_DUMP; default the name of `fn`.

    Returns: a `Traced`, whose outputs have the structure that `fn` returned. Leaves of it that
    are no tensors, arrays, variables or floats (None, strings, ...) are kept as they are.
    """
    frame = Frame()
    frame.first_draw = first_draw
    with _frame.entered(frame, close=True), _frame.training_is(training):
        tensors = nest.map_leaves(
            lambda s: frame.input("input", s.shape, s.dtype) if isinstance(s, Spec) else s, specs
        )
        for index, tensor in enumerate(t for t in nest.flatten(tensors) if _is_tensor(t)):
            frame.sources[tensor.id] = index
        result = fn(*tensors) if isinstance(specs, tuple) else fn(tensors)
        return Traced(frame, specs, result, trainable, batch, title or _title(fn))


def _is_tensor(leaf) -> bool:
    return isinstance(leaf, Tensor)


def _as_output(leaf):
    if isinstance(leaf, (np.ndarray, np.generic, Variable, float)):
        return operators.ops.convert_to_tensor(leaf)
    return leaf


class Traced:
    """A compiled function: a plan, the variables it uses, and the structure of its results.

    Attributes:
        plan: the `_core.Plan`.
        variables: those the plan reads or assigns; the trainable ones keep their own order.
        trainable: the variables by which there is a gradient, in the order given.
        idle: for each of them whether the loss does not depend on it; () if it does on all.
        assigned: the variables that the plan assigns.
        updates: a pair (optimizer, its idle) for each that the function applied, whose step comes
            after the run; `trainable` and `idle` hold those of all of them, one after the other.
        draws: how many random seeds one generator gave at most.
        outputs: (shape, dtype) of each tensor among the results.
    """

    def __init__(self, frame: Frame, specs, result, trainable, batch, title):
        result = nest.map_leaves(_as_output, result)
        leaves = nest.flatten(result)
        self.outputs = [(leaf.shape, leaf.dtype) for leaf in leaves if _is_tensor(leaf)]
        outputs = [frame.value(leaf) for leaf in leaves if _is_tensor(leaf)]
        gradients, like = [], []
        if trainable is not None:
            like = [frame.first_read(v).id for v in trainable]
            gradients = backward(frame, _loss(frame, leaves), like)
        elif frame.updates:
            trainable = [v for update in frame.updates for v in update.variables]
            like = [frame.first_read(v).id for v in trainable]
            found = [g for update in frame.updates for g in update.gradients]
            gradients = [None if g is None else frame.value(g) for g in found]
        position = {id(v): i for i, v in enumerate(frame.variables)}
        assigns = [(position[key], t.id) for key, t in frame.assigned.items()]
        inputs = ", ".join(str(s) for s in nest.flatten(specs) if isinstance(s, Spec))
        title = f"== {title}: {inputs}"
        _dump("graph", title, frame.graph)
        self.plan = frame.graph.compile(
            outputs, gradients=gradients, gradient_like=like, assigns=assigns, batch=batch
        )
        _dump("plan", title, self.plan)
        if _dumps("time"):
            self.plan.watch()
            atexit.register(_print_times, title, self.plan)
        self.variables = frame.variables
        self.assigned = [v for v in frame.variables if id(v) in frame.assigned]
        self.draws = max(frame.draws.values(), default=frame.first_draw) - frame.first_draw
        self.trainable = list(trainable or ())
        idle = tuple(gradient is None for gradient in gradients)
        self.idle = idle if any(idle) else ()
        self.updates = [(u.optimizer, [g is None for g in u.gradients]) for u in frame.updates]
        self._storage = tuple(v.storage for v in self.variables)
        self._checks = tuple(frame.checks)
        self._preparations = tuple(frame.preparations)
        self._closed = tuple(frame.closed)
        self._is_input = [isinstance(s, Spec) for s in nest.flatten(specs)]
        self._flat_inputs = isinstance(specs, tuple) and all(isinstance(s, Spec) for s in specs)
        self._structure = nest.map_leaves(lambda s: _OUTPUT if _is_tensor(s) else s, result)
        self._flat_tuple = isinstance(result, tuple) and all(map(_is_tensor, result))

    def run(self, arrays, step: int = 0, rows=None, totals=None):
        """Runs on arrays in the structure of the specs; gives Arrays as the function did.

        Args:
            step: a counter; random numbers are a function of it and of the seeds in the graph.
            rows: None, or numbers (runs, batch), int64: so many runs, each on these rows of the
                arrays, and each with `step` one higher; the result is that of the last.
            totals: None, or a float64 array to which each run adds the second output.
        """
        inputs = self._inputs(arrays, rows)
        return self._pack(self.plan.run(inputs, self._storage, rows=rows, totals=totals, step=step))

    def train(
        self,
        arrays,
        optimizer,
        learning_rate: float,
        iteration: np.ndarray,
        step: int = 0,
        rows=None,
        totals=None,
    ):
        """As `run`, but after each run `optimizer` (a `_core.Optimizer` of `trainable`) takes a
        step, and `iteration` (an int64 array of one number) goes up by one.
        """
        outputs = self.plan.train(
            self._inputs(arrays, rows),
            self._storage,
            optimizer,
            learning_rate=learning_rate,
            iteration=iteration,
            rows=rows,
            totals=totals,
            step=step,
        )
        return self._pack(outputs)

    def gradients(self, arrays, step: int = 0, rows=None, totals=None):
        """As `run`; gives (outputs, [gradient by each trainable variable])."""
        inputs = self._inputs(arrays, rows)
        *outputs, flat = self.plan.run(
            inputs, self._storage, rows=rows, totals=totals, step=step, gradients=True
        )
        begin = self.plan.gradient_offsets
        parts = [
            flat[b : b + v.storage.size].reshape(v.shape)
            for b, v in zip(begin, self.trainable, strict=False)
        ]
        return self._pack(outputs), parts

    def closed_over(self) -> list:
        """The arrays of ops that the function used without having been given them."""
        found = {id(array): array for ref in self._closed if (array := ref()) is not None}
        return list(found.values())

    def _inputs(self, arrays, rows=None):
        for prepare in self._preparations:
            prepare()
        if self._flat_inputs and not self._checks and len(arrays) == len(self._is_input):
            return arrays
        leaves = nest.flatten(arrays)
        if len(leaves) != len(self._is_input):
            raise ValueError(
                f"expected {len(self._is_input)} inputs as in the specs, got {len(leaves)}"
            )
        leaves = [x for x, wanted in zip(leaves, self._is_input, strict=True) if wanted]
        for index, size, asker in self._checks:
            ids = np.asarray(leaves[index])
            _check_range(ids if rows is None else ids[rows], size, asker)
        return leaves

    def _pack(self, outputs):
        if self._flat_tuple:
            return tuple([x.view(Array) for x in outputs])
        if self._structure is _OUTPUT:
            return outputs[0].view(Array)
        source = iter(outputs)
        return nest.map_leaves(
            lambda leaf: next(source).view(Array) if leaf is _OUTPUT else leaf, self._structure
        )


def _loss(frame: Frame, leaves) -> int:
    loss = leaves[0] if leaves else None
    if not _is_tensor(loss) or loss.size != 1 or not config.is_float(loss.dtype):
        raise ValueError(f"the loss must be a float of one element, got {loss!r}.")
    return frame.value(loss)


def _dumps(what: str) -> bool:
    return what in os.environ.get("SEQRNN_DUMP", "").split(",")


def _dump(what: str, title: str, thing) -> None:
    if _dumps(what):
        print(title, thing, sep="\n", file=sys.stderr)


def _print_times(title: str, plan) -> None:
    print(title, plan.times(), sep="\n", file=sys.stderr)


def _title(fn) -> str:
    """What a traced function is called in dumps: after its layer, or its own name."""
    layer = getattr(getattr(fn, "__self__", None), "name", None)
    return f"call of {layer}" if layer else getattr(fn, "__qualname__", type(fn).__name__)


# ---- ranges of ids ----


def check_range(tensor: Tensor, size: int, asker: str) -> None:
    """Has every run check that the integers in `tensor` lie in [0, size).

    Only possible when the elements of `tensor` are those of an array given to the run, perhaps
    cast or reshaped; those of a constant (`ops.arange(steps)`) are checked at once. Other ids that
    are computed are clipped by the core instead.
    """
    root = tensor.frame.root
    if tensor.frame is root and tensor.id in (root.known or ()):
        _check_range(root.known[tensor.id], size, asker)
    if tensor.frame is root and tensor.id in root.sources:
        root.checks.append((root.sources[tensor.id], size, asker))


def _check_range(array: np.ndarray, size: int, asker: str) -> None:
    if array.dtype.kind == "f" and (parts := array != np.floor(array)).any():
        raise ValueError(f"{asker}: ids must be whole numbers, got {array[parts][0]}.")
    if array.size and not (array.min() >= 0 and array.max() < size):
        low, high = array.min(), array.max()
        raise ValueError(
            f"{asker}: ids must lie in 0 .. {size - 1}, got {low if low < 0 else high}."
        )


# ---- plans by shape ----


class Function:
    """A Python function that runs as compiled plans.

    Called with arrays, numbers and other objects, nested as you like; arrays, variables and NumPy's
    floats may differ from call to call at no cost, new shapes, dtypes or other arguments are
    traced. With a Python function among the arguments every call is, for what it does may change.

    Args:
        fn: the function, of tensors.
        size: how many plans are kept; the least recently used goes first.
        training: what `training` is for the layers that `fn` calls.
    """

    def __init__(self, fn: Callable, size: int = 32, training: bool | None = None):
        self.fn = fn
        self.training = training
        self.step = 0
        self._size = size
        self._plans: OrderedDict = OrderedDict()
        self._lock = threading.Lock()
        self.gradients = None  # of calls of this function, see `tape`

    def __call__(self, *args, **kwargs):
        with self._lock:
            self.step += 1
            step = self.step
        return self.at_step(step, *args, **kwargs)

    def at_step(self, step: int, *args, **kwargs):
        """Runs with this step counter, of which random numbers are a function."""
        arguments = (args, kwargs)
        leaves = []
        first_draw = state.tapes[0].first_draw(self) if state.tapes else 0
        key = [nest.key(arguments), config.version(), first_draw]
        for leaf in nest.flatten(arguments):
            if isinstance(leaf, Variable):
                leaf = leaf.storage
            if isinstance(leaf, np.ndarray):
                plain = leaf.dtype.isnative and leaf.dtype.char in "fdilq?"
                if not plain or isinstance(leaf, np.ma.MaskedArray):
                    leaf = standard(leaf)
                key.append((leaf.shape, leaf.dtype.char))
            elif isinstance(leaf, np.floating):
                leaf = standard(leaf)
                key.append(("number", leaf.dtype.char))
            else:
                key.append(nest.leaf_key(leaf))
            leaves.append(leaf)
        traced = self._traced(tuple(key), arguments, leaves, first_draw)
        if state.tapes:
            return state.tapes[0].record(self, arguments, traced, leaves, step)
        return traced.run(leaves, step)

    def _traced(self, key, arguments, leaves, first_draw) -> Traced:
        try:
            with self._lock:
                traced = self._plans.get(key)
                if traced is not None:
                    self._plans.move_to_end(key)
                    return traced
        except TypeError:  # an argument that does not hash, a function say: traced every time
            key = None
        specs = [Spec.like(x) if isinstance(x, np.ndarray) else x for x in leaves]

        def call(flat):
            for tensor, given in zip(flat, nest.flatten(arguments), strict=True):
                if isinstance(given, np.floating):
                    tensor.is_number = True
            args, kwargs = nest.pack(arguments, flat)
            return self.fn(*args, **kwargs)

        traced = trace(
            call, specs, training=self.training, first_draw=first_draw, title=_title(self.fn)
        )
        if key is not None:
            with self._lock:
                self._plans[key] = traced
                while len(self._plans) > self._size:
                    self._plans.popitem(last=False)
        return traced
