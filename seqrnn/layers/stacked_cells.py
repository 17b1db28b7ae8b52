"""StackedRNNCells: several cells as one."""

from __future__ import annotations

from seqrnn.layers.base import Layer
from seqrnn.layers.cell_protocol import (
    apply_cell,
    as_list,
    batch_size_of,
    check_cell,
    in_structure_of,
    initial_state_of,
    output_size,
)


class StackedRNNCells(Layer):
    """Cells in a row, at each step: the output of one is the input of the next.

    Args:
        cells: list of cells. `state_size` is the list of theirs, the states nest likewise.
    """

    def __init__(self, cells, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ValueError(f"StackedRNNCells: expected a list of cells, got {cells!r}.")
        for cell in cells:
            check_cell(cell)
        self.cells = list(cells)

    @property
    def state_size(self) -> list:
        """The state sizes of the cells."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """The output size of the last cell."""
        return output_size(self.cells[-1])

    def get_initial_state(self, batch_size=None, inputs=None, dtype=None):
        """The first states of the cells, nested as `state_size`. `inputs` may be given instead."""
        size, dtype = batch_size_of(batch_size, inputs), dtype or self.compute_dtype
        states = [initial_state_of(cell, size, dtype) for cell in self.cells]
        return self._nested(states)

    def _nested(self, states):
        """A list per cell, a cell with one state having it bare."""
        sizes = self.state_size
        return [
            each if isinstance(size, (list, tuple)) else as_list(each)[0]
            for size, each in zip(sizes, states, strict=True)
        ]

    def build(self, input_shape):
        shape = tuple(input_shape)
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(shape)
            shape = (shape[0], output_size(cell))

    def call(self, inputs, states, training=False):
        states = in_structure_of(self.state_size, states, self)
        new = []
        for cell, own in zip(self.cells, states, strict=True):
            inputs, after = apply_cell(cell, inputs, as_list(own))
            new.append(after)
        return inputs, self._nested(new)

    @property
    def fused(self) -> bool:
        """Whether each cell can do a whole sequence in one op."""
        return all(getattr(cell, "fused", False) for cell in self.cells)

    def whole(self, x, states, mask=None, training=False, reverse=False, zero_output=False):
        """All steps, cell by cell; see `RecurrentCell.whole`."""
        new = []
        for cell, own in zip(
            self.cells, in_structure_of(self.state_size, states, self), strict=True
        ):
            x, after = cell.whole(x, as_list(own), mask, training, reverse, zero_output)
            new.append(after)
        return x, self._nested(new)

    def get_config(self):
        from seqrnn import saving

        cells = [saving.serialize_keras_object(cell) for cell in self.cells]
        return {**super().get_config(), "cells": cells}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        from seqrnn import saving

        config = dict(config)
        cells = [
            saving.deserialize_keras_object(cell, custom_objects) for cell in config.pop("cells")
        ]
        return cls(cells, **config)
