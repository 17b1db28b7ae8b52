"""The C core (csrc/py): graphs, plans, optimizers. Only `trace`, `training` and `ops` import it."""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

from numpy import ndarray
from numpy.typing import ArrayLike

class Graph:
    """A graph under construction. Nodes are appended; a value is its number in the graph.

    Errors: ValueError (a shape or a value does not fit), TypeError (a dtype or a kind does not
    fit), IndexError (no value of this graph). After an error the graph is as it was before the
    call.
    """

    scope: str | None
    """Name of the layer that new nodes belong to; it appears in the texts of graph and plan."""

    def input(self, name: str, shape: Sequence[int], dtype: str) -> int:
        """An array that is given to each run; inputs are numbered in this order."""
    def variable(self, name: str, shape: Sequence[int], dtype: str) -> int:
        """Storage of the caller that lives on between runs; numbered in this order."""
    def constant(self, array: ArrayLike, /) -> int:
        """Data known now, copied: float32, float64, int32, int64 or bool."""
    def emit(self, op: str, inputs: Sequence[int | None], /, **attrs: Any) -> tuple[int, ...]:
        """A node of any op of `op_table()`; None is an absent optional input."""
    def scan(
        self,
        body: Graph,
        length: int,
        n_state: int,
        n_seq: int,
        inputs: Sequence[int],
        outputs: Sequence[int],
        reverse: bool = False,
    ) -> tuple[int, ...]:
        """The body once per time step.

        `inputs`: states (n_state), sequences (n_seq; each (length, ...)), constants. The body's
        inputs stand in that order, the sequences without their first axis. `outputs` are values of
        the body: the new states, then the ys. Returns the final states, then the stacked ys.
        """
    def gradient(
        self, ys: Sequence[int], seeds: Sequence[int | None] | None, xs: Sequence[int]
    ) -> list[int | None]:
        """Appends the backward pass: sum over y of seed * dy/dx for each x.

        A seed of None means 1, for a y of one element. None comes back where no y depends on x.
        """
    def type(self, value: int, /) -> tuple[str, tuple[int, ...]]:
        """dtype and shape."""
    def compile(
        self,
        outputs: Sequence[int],
        gradients: Sequence[int | None] = (),
        gradient_like: Sequence[int] = (),
        assigns: Sequence[tuple[int, int]] = (),
    ) -> Plan:
        """A plan. The gradients land side by side in one flat buffer; where one is None, zeros like
        the value in `gradient_like`. `assigns`: (variable number, value), done after the run.
        """

class Plan:
    """A compiled graph: immutable, independent of the graph, run by any number of threads at once.

    inputs: one array per `Graph.input`, of exactly its shape; any dtype that NumPy casts to the
    declared one as 'same_kind' (integers to floats, never floats to integers).
    variables: one array per `Graph.variable`, of exactly its type, C-contiguous and writeable.
    seed, step: of the random nodes; any int, of which the low 64 bits count.

    A call that fails has changed no variable.
    """

    gradient_offsets: tuple[int, ...]
    """Where each gradient begins in the flat buffer, and where the last one ends, in elements."""
    workspace_bytes: int
    """Memory of one run."""

    def run(
        self,
        inputs: Sequence[ArrayLike],
        variables: Sequence[ndarray],
        *,
        seed: int = 0,
        step: int = 0,
        gradients: bool = False,
    ) -> tuple[ndarray, ...]:
        """The outputs as fresh arrays; with `gradients`, the flat gradient is the last one."""
    def train(
        self,
        inputs: Sequence[ArrayLike],
        variables: Sequence[ndarray],
        optimizer: Optimizer,
        *,
        learning_rate: float,
        iteration: int,
        seed: int = 0,
        step: int = 0,
    ) -> tuple[ndarray, ...]:
        """Run, do the assigns, then one step of the optimizer by this run's gradients.

        `iteration`: steps made so far, 0 at the first.
        """
    def watch(self) -> None:
        """Times the steps of all runs from here on."""
    def times(self) -> str:
        """Where the time of the watched runs went: a table, one step of the plan a line."""

class Optimizer:
    """An update rule with its state, for `variables` of one dtype (float32 or float64).

    kind: 'sgd', 'rmsprop', 'adam', 'nadam', 'adagrad', 'adadelta', 'adamax', 'ftrl', 'lion',
    'lamb', 'adafactor', 'schedule_free' (whose first slot has to be made a copy of the variables).
    config of the rules: momentum, nesterov, rho, centered, beta_1, beta_2,
    epsilon, amsgrad, initial_accumulator, learning_rate_power, l1, l2, l2_shrinkage, beta,
    beta_2_decay, epsilon_2, clip_threshold, warmup_steps, u_product, learning_rate (each step
    brings its own);
    of what is around them: weight_decay, clipnorm, clipvalue, global_clipnorm, loss_scale_factor,
    accumulation_steps, ema_overwrite_frequency (None or 0: off), use_ema, ema_momentum;
    undecayed: a bool per variable.
    """

    idle: Sequence[bool]
    """Which variables have no gradient, so that steps leave them alone; write only."""
    @property
    def u_product(self) -> ndarray:
        """Nadam: the product of its momentum schedule so far, an array without axes; writeable."""

    def __new__(cls, kind: str, variables: Sequence[ndarray], /, **config: Any) -> Optimizer: ...
    @property
    def slots(self) -> tuple[ndarray, ...]:
        """Flat arrays as long as all variables together: write to restore a state."""
    def step(self, gradient: ArrayLike, *, learning_rate: float, iteration: int) -> None:
        """One update by a flat gradient, which stays as it is."""

class OpRow(TypedDict):
    doc: str
    arity: tuple[int, int]
    """fewest and most inputs; -1: any number"""
    n_out: int
    """-1: the shape rule says"""
    attrs: list[tuple[str, str, bool]]
    """name; int, float, bool, ints, word, dtype or body; whether required"""
    words: dict[str, list[str]]
    """of the attributes that are words"""
    differentiable: Literal["rule", "zero", "none"]
    parallel: Literal["rows", "whole"]
    optional_inputs: bool
    random: bool

def op_table() -> dict[str, OpRow]:
    """Every op by name."""

def set_num_threads(n: int, /) -> None:
    """Threads of a run, 64 at most; the results do not depend on it."""

def num_threads() -> int: ...
def release_memory() -> None:
    """Gives back the memory that is kept for further runs of plans."""

def isa() -> str:
    """The instruction set that the kernels use: 'ref', 'base', 'avx2' or 'avx512'."""
