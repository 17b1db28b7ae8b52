"""Frames: the graphs being traced, and which of them new nodes go to.

A root frame is the graph of one traced function. The step of a recurrence is traced into a frame
of its own, whose parent is the frame around. Of the frames of one trace, a node goes to the
outermost one that knows all its inputs: what does not depend on the step is computed once, outside
the loop. A value of an outer frame that a step uses is *captured*: it becomes an input of the
step's graph and a constant of the scan. Variables and large constants live in the root frame.

Each thread has its own current frame.
"""

from __future__ import annotations

import contextlib
import threading
import weakref

import numpy as np

from seqrnn import _core
from seqrnn.trace import operators
from seqrnn.trace.operators import Operators


class _State(threading.local):
    frame: Frame | None = None  # where nodes without inputs go
    training: bool | None = None  # of the layer call around
    tapes: tuple = ()  # the GradientTapes that record, from the outside in
    outputs: dict | None = None  # id(layer) -> what its first call gave; None: nobody asks
    padded: bool = False  # whether the inputs are sequences of unequal length, padded
    eager: bool = False  # whether the `call` of users' layers runs as Python on arrays


state = _State()


class Frame:
    """One graph being traced.

    Holds, in the root frame, what the finished trace will need: the variables it reads, the values
    assigned to them, the losses added on the way, and the checks of input ranges.
    """

    __slots__ = (
        "__weakref__",
        "assigned",
        "captures",
        "checks",
        "closed",
        "depth",
        "draws",
        "first_draw",
        "graph",
        "known",
        "later",
        "losses",
        "noted",
        "own_gradients",
        "parent",
        "preparations",
        "reads",
        "root",
        "scalars",
        "sources",
        "stand_ins",
        "statistics",
        "updates",
        "variables",
    )

    def __init__(self, parent: Frame | None = None):
        self.graph = _core.Graph()
        self.parent = parent
        self.root = self if parent is None else parent.root
        self.depth = 0 if parent is None else parent.depth + 1
        self.captures: dict[int, int] = {}  # value of the parent -> input of this graph, in order
        self.scalars: dict = {}
        if parent is None:
            self.variables: list = []
            self.reads: dict[int, Tensor] = {}  # id(variable) -> its value at the start
            self.assigned: dict[int, Tensor] = {}  # id(variable) -> its value from here on
            self.later: dict[int, list] = {}  # id(variable) -> all values assigned, in order
            self.losses: list = []  # (layer, scalar tensor)
            self.draws: dict = {}  # generator of seeds -> how many it gave
            self.first_draw = 0  # how many each had given before
            self.sources: dict[int, int] = {}  # value -> the graph input whose elements it has
            self.checks: list = []  # (input, n, who asks)
            # Integers known already, to be checked at once; None where sizes are only tried.
            self.known: dict[int, np.ndarray] | None = {}
            self.closed: list = []  # weak references to the arrays of ops that became constants
            self.stand_ins: dict[int, Tensor] = {}  # id(array) -> what is used in its place
            self.statistics: list = []  # (metric, list of tensors to add to its sums)
            self.own_gradients: list = []  # calls of functions with a gradient of their own
            self.noted: list | None = None  # the variables read, while somebody wants to know
            self.preparations: list = []  # what is called before each run
            self.updates: list[Update] = []  # steps of optimizers at the end of the run
        else:
            self.graph.scope = parent.graph.scope

    def close(self) -> None:
        """Lets go of everything; tensors that outlive the trace only hold this empty shell."""
        self.graph = None
        self.scalars = {}
        self.parent = None
        if self.root is self:
            self.reads, self.assigned, self.later, self.losses = {}, {}, {}, []
            self.statistics, self.updates, self.preparations = [], [], []
            self.own_gradients, self.known = [], None

    def input(self, name: str, shape: tuple, dtype: str) -> Tensor:
        return Tensor(self, self.graph.input(name, shape, dtype), "input")

    def value(self, tensor: Tensor) -> int:
        """The number that `tensor` has in this frame's graph, after capturing it if need be."""
        if tensor.frame is self:
            return tensor.id
        chain = []
        frame: Frame | None = self
        while frame is not tensor.frame:
            if frame is None or tensor.frame.graph is None:
                raise stray(tensor)
            chain.append(frame)
            frame = frame.parent
        number = tensor.id
        for frame in reversed(chain):
            inner = frame.captures.get(number)
            if inner is None:
                inner = frame.graph.input("outer", tensor.shape, tensor.dtype)
                frame.captures[number] = inner
            number = inner
        return number

    def scalar(self, value, dtype: str) -> Tensor:
        """A constant of shape ()."""
        key = (dtype, value if value else repr(value))
        tensor = self.scalars.get(key)
        if tensor is None:
            number = self.graph.constant(np.asarray(value, dtype))
            tensor = self.scalars[key] = Tensor(self, number, "constant")
        return tensor

    def constant(self, array: np.ndarray) -> Tensor:
        """A constant in the root frame; the data is copied."""
        root = self.root
        tensor = Tensor(root, root.graph.constant(array), "constant")
        if root.known is not None and array.dtype.kind == "i":
            root.known[tensor.id] = array
        return tensor

    def close_over(self, array):
        """What stands for an array of an op that a traced function uses without having been given
        it; None: the array is a constant, which tapes that follow it have to know of."""
        root = self.root
        found = root.stand_ins.get(id(array))
        if found is None:
            root.closed.append(weakref.ref(array))
        return found

    def read(self, variable) -> Tensor:
        """The value of a variable: at the start of the run, or what the trace assigned since."""
        if any(update.changes(variable) for update in self.root.updates):
            raise TypeError(
                f"the variable {variable.path!r} is used after optimizer.apply, which changes it "
                "at the end of the step. Use it before."
            )
        if self.root.noted is not None:
            self.root.noted.append(variable)
        tensor = self.root.assigned.get(id(variable))
        return self.root.first_read(variable) if tensor is None else tensor

    def first_read(self, variable) -> Tensor:
        """The value of a variable at the start of the run; the root frame only."""
        tensor = self.reads.get(id(variable))
        if tensor is None:
            number = self.graph.variable(variable.path, variable.shape, variable.dtype)
            tensor = self.reads[id(variable)] = Tensor(self, number, "variable")
            self.variables.append(variable)
        return tensor

    def assign(self, variable, value: Tensor) -> None:
        """Records that `variable` gets `value` when the run ends."""
        if value.frame is not self.root:
            raise ValueError(
                f"the variable {variable.path!r} was assigned inside a recurrent step or a scan. "
                "Its value can change once per run only; make it a state of the recurrence instead."
            )
        self.root.first_read(variable)
        # To a gradient, the variable is a new one from here on.
        value = emit1("stop_gradient", value)
        self.root.assigned[id(variable)] = value
        self.root.later.setdefault(id(variable), []).append(value)

    def versions(self, variable) -> list[Tensor]:
        """All values that the variable has had so far, the one at the start first; of the root."""
        return [self.first_read(variable), *self.later.get(id(variable), ())]

    def before_run(self, function) -> None:
        """Has `function()` called before each run; of the root frame."""
        if function not in self.preparations:
            self.preparations.append(function)


class Update:
    """What `optimizer.apply` was given in a function being traced: the end of the run.

    Attributes:
        optimizer: built for `variables`.
        gradients: a tensor, or None, per variable.
    """

    __slots__ = ("_changing", "gradients", "optimizer", "variables")

    def __init__(self, optimizer, gradients, variables):
        self.optimizer = optimizer
        self.gradients = gradients
        self.variables = variables
        self._changing = [*variables, *optimizer.changing_variables()]

    def changes(self, variable) -> bool:
        return any(v is variable for v in self._changing)


class Tensor(Operators):
    """A value of a graph being traced: shape (ints) and dtype are known, the elements are not.

    Attributes:
        shape: tuple of ints.
        dtype: 'float32', 'float64', 'int32', 'int64' or 'bool'.
        op: name of the op that made it.
        is_number: whether it stands for a number of NumPy (np.float32(2)) and not for an array.
        _keras_mask: the mask that travels with it, a bool tensor or None.
    """

    __slots__ = ("_keras_mask", "dtype", "frame", "id", "is_number", "op", "shape")

    def __init__(self, frame: Frame, number: int, op: str):
        self.frame = frame
        self.id = number
        self.op = op
        self.dtype, self.shape = frame.graph.type(number)
        self.is_number = False
        self._keras_mask = None

    def __repr__(self):
        return f"<Tensor shape={self.shape} dtype={self.dtype} of op '{self.op}'>"

    def __len__(self):
        if not self.shape:
            raise TypeError("len() of a tensor of shape (), which has no axes")
        return self.shape[0]

    def __iter__(self):
        return (self[i] for i in range(len(self)))


def emit(op: str, inputs, /, **attrs) -> list[Tensor]:
    """Appends a node and returns its outputs.

    inputs: tensors of one trace, None for an absent optional input. The node goes to the innermost
    of their frames; without inputs, to the current frame.
    """
    frame = None
    for tensor in inputs:
        if tensor is not None and (frame is None or tensor.frame.depth > frame.depth):
            frame = tensor.frame
    if frame is None:
        frame = state.frame
    if frame.graph is None:
        raise stray(next(t for t in inputs if t is not None and t.frame is frame))
    numbers = [None if t is None else t.id if t.frame is frame else frame.value(t) for t in inputs]
    return [Tensor(frame, number, op) for number in frame.graph.emit(op, numbers, **attrs)]


def emit1(op: str, *inputs, **attrs) -> Tensor:
    """`emit` for an op with one output."""
    return emit(op, inputs, **attrs)[0]


def stray(tensor: Tensor) -> Exception:
    """The error for a tensor that is used where it has no value."""
    if tensor.frame.graph is None:
        when = "the function that made it has already been traced"
        fix = "Return it from that function instead of keeping it, or keep it in a Variable."
    else:
        when = "it belongs to another function that is being traced"
        fix = "Pass it as an argument instead."
    return ValueError(
        f"a tensor of shape {tensor.shape} made by '{tensor.op}' is used, but {when}. {fix}"
    )


def current() -> Frame | None:
    """The frame of this thread that nodes without inputs go to; None: nothing is being traced."""
    return state.frame


@contextlib.contextmanager
def entered(frame: Frame | None, *, close: bool = False):
    """Makes `frame` the current one; with None, nothing inside is traced (it runs at once)."""
    before = state.frame
    state.frame = frame
    try:
        yield frame
    finally:
        state.frame = before
        if close:
            frame.close()


@contextlib.contextmanager
def training_is(value: bool | None):
    """Sets what `training` is for the layers called inside."""
    before = state.training
    state.training = value
    try:
        yield
    finally:
        state.training = before


@contextlib.contextmanager
def noted_outputs():
    """Gives a dict that fills with what layers give when they are first called inside."""
    before = state.outputs
    state.outputs = {}
    try:
        yield state.outputs
    finally:
        state.outputs = before


@contextlib.contextmanager
def eagerly(value: bool = True):
    """Has the `call` of users' layers run as Python, on arrays, when they are called on arrays."""
    before = state.eager
    state.eager = value
    try:
        yield
    finally:
        state.eager = before


@contextlib.contextmanager
def assigning_if(condition: Tensor):
    """What is assigned to variables inside holds only in runs where `condition`, a bool tensor of
    shape (), is true; in others they keep the value that they had before."""
    root = state.frame.root
    before = dict(root.assigned)
    yield
    for variable in root.variables:
        new, old = root.assigned.get(id(variable)), before.get(id(variable))
        if new is not None and new is not old:
            old = root.first_read(variable) if old is None else old
            root.assign(variable, operators.ops.where(condition, new, old))


@contextlib.contextmanager
def outside_scan():
    """Nodes without inputs emitted inside go to the frame around all scans.

    A dropout mask made this way is the same at every step.
    """
    frame = state.frame
    with entered(frame.root if frame is not None else None):
        yield
