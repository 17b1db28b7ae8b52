"""What any cell is, built-in or a user's: how it is checked, started and called.

A cell has `state_size` (an int, or nested lists of them) and `call(inputs_at_t, states)`, which
returns (output, new_states). States come as a list, also a single one; new states may be a list, a
tuple or one tensor. Optional: `output_size`, `get_initial_state(batch_size)`.
"""

from __future__ import annotations

import inspect

import numpy as np

from seqrnn import ops
from seqrnn.trace import nest


def as_list(states) -> list:
    """States as cells get them: a list, also of one."""
    return list(states) if isinstance(states, (list, tuple)) else [states]


def check_cell(cell) -> None:
    """ValueError unless `cell` can serve as a cell."""
    name = type(cell).__name__
    if isinstance(cell, type):
        raise ValueError(
            f"expected a cell, got the class {cell.__name__}: write {cell.__name__}(...)."
        )
    for attribute, what in (
        ("call", "a method `call`"),
        ("state_size", "an attribute `state_size`"),
    ):
        if not hasattr(cell, attribute):
            raise ValueError(
                f"a cell needs {what}, which {name} has not. It does one step: "
                "`call(self, inputs_at_t, states)` returns (output, new_states); `state_size` is "
                "the size of its state, or a list of sizes."
            )
    sizes = cell.state_size
    if not nest.flatten(sizes) or not all(map(_is_size, nest.flatten(sizes))):
        raise ValueError(
            f"state_size of the cell {name} must be a whole number, or a list of them (one per "
            f"state), got {sizes!r}."
        )
    if not callable(cell):
        raise ValueError(f"the cell {name} must be a keras.layers.Layer.")


def _is_size(size) -> bool:
    whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool)
    return whole and size >= 0


def output_size(cell) -> int:
    """The width of a cell's output: `output_size`, else its first state's."""
    size = getattr(cell, "output_size", None)
    if size is None:
        size = nest.flatten(cell.state_size)[0]
    return size


def zeros_of(sizes, batch_size: int, dtype: str):
    """Zeros (batch_size, size) for each of nested sizes."""
    return nest.map_leaves(lambda size: ops.zeros((batch_size, size), dtype=dtype), sizes)


def batch_size_of(batch_size, inputs) -> int:
    """The batch size of `get_initial_state`'s arguments: Keras 3 gives it, Keras 2 the inputs."""
    given = batch_size if inputs is None else inputs
    return given.shape[0] if hasattr(given, "shape") else given


def initial_state_of(cell, batch_size: int, dtype: str) -> list:
    """The first states of a cell: what its `get_initial_state` says, else zeros.

    Both the signature of Keras 3, (batch_size), and that of Keras 2, (inputs, batch_size, dtype),
    are served.
    """
    own = getattr(cell, "get_initial_state", None)
    if own is None:
        return as_list(zeros_of(cell.state_size, batch_size, dtype))
    names = inspect.signature(own).parameters
    given = {"batch_size": batch_size, "dtype": dtype}
    states = own(**{name: value for name, value in given.items() if name in names})
    return as_list(states)


def in_structure_of(template, states, cell):
    """`states` in the nesting of `template`. ValueError if there are more or fewer of them."""
    leaves, wanted = nest.flatten(states), len(nest.flatten(template))
    if len(leaves) != wanted:
        raise ValueError(
            f"the cell {type(cell).__name__} has {wanted} {'state' if wanted == 1 else 'states'} "
            f"(state_size={cell.state_size}), got {len(leaves)}."
        )
    return nest.pack(template, leaves)


def apply_cell(cell, x, states: list):
    """One step: (output, new states in the structure of the old ones)."""
    result = cell(x, states)
    if not isinstance(result, (list, tuple)) or len(result) != 2:
        raise ValueError(
            f"`call` of the cell {type(cell).__name__} must return (output, new_states), got "
            f"{type(result).__name__}"
            + (f" of {len(result)}." if isinstance(result, (list, tuple)) else ".")
        )
    output, new = result
    shape = getattr(output, "shape", None)
    if shape is None or tuple(shape[:1]) != tuple(x.shape[:1]):
        got = type(output).__name__ if shape is None else f"shape {tuple(shape)}"
        raise ValueError(
            f"`call` of the cell {type(cell).__name__} must return as its output one tensor with "
            f"the batch axis first, ({x.shape[0]}, ...), got {got}."
        )
    return output, in_structure_of(states, new, cell)


def reset_dropout_masks(layer) -> None:
    """Makes all cells in and below `layer` draw new dropout masks."""
    for each in layer._flatten_layers():
        reset = getattr(each, "reset_dropout_mask", None)
        if reset is not None:
            reset()
