"""RNN: a cell over the time axis.

    for t = 0 .. T-1:  output_t, states = cell(x_t, states)

(batch, time, features) -> (batch, units), or (batch, time, units) with return_sequences. A cell
written in Python is called once, whatever T is: the step is traced and runs compiled. The built-in
cells do all steps in one op of the core.

A mask (batch, time) says which steps count. At a step that does not, the states stay as they are
and the output is that of the last step that did, zeros before the first; with zero_output_for_mask
it is zeros.
"""

from __future__ import annotations

from typing import ClassVar

from seqrnn import ops
from seqrnn.layers.arguments import flag
from seqrnn.layers.base import Layer
from seqrnn.layers.cell_protocol import (
    apply_cell,
    as_list,
    batch_size_of,
    check_cell,
    in_structure_of,
    initial_state_of,
    reset_dropout_masks,
)
from seqrnn.layers.context import name_layer
from seqrnn.layers.input_spec import InputSpec
from seqrnn.layers.stacked_cells import StackedRNNCells
from seqrnn.trace import Variable, entered, nest


class _Kept:
    """The states of a stateful layer. Not a container, so that they don't count as weights."""

    def __init__(self, batch: int, variables: list):
        self.batch = batch
        self.variables = variables


class RNN(Layer):
    """A cell, or a list of them, over a sequence; see the head of the module.

    Args:
        cell: a layer with `call(inputs_at_t, states) -> (output, new_states)` and `state_size`; a
            list of cells becomes `StackedRNNCells`.
        return_sequences: the output of every step instead of the last one's.
        return_state: returns (output, *states).
        go_backwards: from the last step to the first; outputs come in the order of processing.
        stateful: the states at the end of one batch are the first ones of the next, until
            `reset_state()`. All batches must be of one size.
        unroll: accepted for Keras's sake; has no effect.
        zero_output_for_mask: see the head of the module.

    Call arguments:
        sequences: (batch, time, features).
        initial_state: a tensor (batch, units), or a list of them, as the cell's states.
        mask: (batch, time), true where a step counts.
        training: for dropout, and for layers inside the cell.
    """

    supports_masking = True
    _layout = "(batch, time, features)"
    _rank = None  # of the input, from 3 on: a user's cell may take more than vectors
    _unsupported: ClassVar[dict] = {"time_major": False}  # of Keras 2
    _sequence_input = True  # what `input_dim=` and `input_length=` mean

    def __init__(
        self,
        cell,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        zero_output_for_mask=False,
        **kwargs,
    ):
        kwargs.pop("implementation", None)
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        if isinstance(cell, RNN):
            name = type(cell).__name__
            raise TypeError(
                f"RNN: the cell must do one step, but {name} is a layer over all steps. Use it as "
                f"it is, or RNN({name}Cell(...))."
            )
        check_cell(cell)
        self.cell = cell
        self.return_sequences = flag(return_sequences, self, "return_sequences")
        self.return_state = flag(return_state, self, "return_state")
        self.go_backwards = flag(go_backwards, self, "go_backwards")
        self.stateful = flag(stateful, self, "stateful")
        self.unroll = flag(unroll, self, "unroll")
        self.zero_output_for_mask = flag(zero_output_for_mask, self, "zero_output_for_mask")
        self.input_spec = InputSpec(ndim=self._rank, min_ndim=3, layout=self._layout)
        self._kept = None
        if not self._trainable:
            self.trainable = False  # the cell's weights too

    # ---- building ----

    def build(self, input_shape):
        if isinstance(self.cell, Layer):
            if not self.cell.built:
                self.cell.build((input_shape[0], *input_shape[2:]))
            inside = self.cell._flatten_layers(include_self=False)
            if not all(layer.built for layer in inside):
                self.built = True
                self.compute_output_shape(input_shape)  # calls the cell once, which builds them
        if self.stateful and input_shape[0] is not None:
            self._state_variables(input_shape[0])
        features = {axis: input_shape[axis] for axis in range(2, len(input_shape))}
        self.input_spec = InputSpec(ndim=self._rank, min_ndim=3, axes=features, layout=self._layout)

    # ---- states ----

    @property
    def state_size(self) -> list:
        """The cell's, as a list: of ints, or of lists of them, one per cell of a stack."""
        return as_list(self.cell.state_size)

    def get_initial_state(self, batch_size=None, inputs=None):
        """The states before the first step, as a list. `inputs` may be given instead."""
        return initial_state_of(self.cell, batch_size_of(batch_size, inputs), self.compute_dtype)

    @property
    def states(self):
        """The kept states of a stateful layer, None before the first call."""
        return None if self._kept is None else self._kept.variables

    def reset_state(self):
        """Sets the kept states of a stateful layer to zeros."""
        for variable in nest.flatten(self.states):
            if variable is not None:
                variable.assign(ops.zeros(variable.shape, dtype=variable.dtype))

    def reset_states(self, states=None):
        """`reset_state` by the name of Keras 2; or sets the kept states to the given arrays."""
        self.reset_state()
        if states is not None and self._kept is not None:
            given = in_structure_of(self.states, states, self.cell)
            for variable, value in zip(nest.flatten(self.states), nest.flatten(given), strict=True):
                variable.assign(value)

    def _state_variables(self, batch: int) -> list:
        if self._kept is None:
            with entered(None):
                first = self.get_initial_state(batch)
                variables = nest.map_leaves(
                    lambda s: Variable(s, dtype=self.compute_dtype, trainable=False, name="state"),
                    first,
                )
            self._kept = _Kept(batch, variables)
        if self._kept.batch != batch:
            raise ValueError(
                f"the layer is stateful, with states for batches of {self._kept.batch}, but got a "
                f"batch of {batch}. Use batches of one size (declare it: `batch_size=` of Input), "
                "or make a stateless layer and `set_weights` of this one's."
            )
        return self._kept.variables

    def _first_states(self, given, batch: int) -> list:
        kept = self._state_variables(batch) if self.stateful else None
        if given is None and kept is not None:
            return nest.map_leaves(ops.convert_to_tensor, kept)
        zeros = self.get_initial_state(batch)
        if given is None:
            return nest.map_leaves(lambda s: ops.convert_to_tensor(s, self.compute_dtype), zeros)
        given = in_structure_of(zeros, given, self.cell)
        for state, zero in zip(nest.flatten(given), nest.flatten(zeros), strict=True):
            if not hasattr(state, "shape"):
                raise ValueError(
                    "initial_state must be a tensor or an array (batch, units), or a list of them, "
                    f"got {state!r}."
                )
            if tuple(state.shape) != tuple(zero.shape):
                raise ValueError(
                    f"initial_state must have the shapes "
                    f"{[tuple(s.shape) for s in nest.flatten(zeros)]} (batch, units), got "
                    f"{[tuple(s.shape) for s in nest.flatten(given)]}."
                )
        return nest.map_leaves(ops.convert_to_tensor, given)

    # ---- the call ----

    def _record(self, args, kwargs):
        check_static_batch(self, args)
        return super()._record(args, kwargs)

    def call(self, sequences, initial_state=None, mask=None, training=False):
        batch, time = sequences.shape[:2]
        if time == 0:
            raise ValueError(f"expected one time step or more, got shape {sequences.shape}")
        mask = self._time_major_mask(mask, batch, time)
        states = self._first_states(initial_state, batch)
        if isinstance(self.cell, Layer):
            reset_dropout_masks(self.cell)
        x = ops.swapaxes(sequences, 0, 1)
        run = self._whole if getattr(self.cell, "fused", False) else self._scan
        outputs, last, states = run(x, states, mask, training)
        if self.stateful:
            for variable, state in zip(
                nest.flatten(self.states), nest.flatten(states), strict=True
            ):
                variable.assign(state)
        if self.return_sequences:
            outputs = ops.flip(outputs, 0) if self.go_backwards else outputs
            last = ops.swapaxes(outputs, 0, 1)
        return (last, *states) if self.return_state else last

    def _time_major_mask(self, mask, batch: int, time: int):
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        if mask is None:
            return None
        if not hasattr(mask, "shape"):
            raise ValueError(
                f"the mask must be an array of bools (batch, time), got {type(mask).__name__}; "
                "np.asarray(mask, bool) makes one."
            )
        if tuple(mask.shape) == (batch, time, 1):
            mask = mask[..., 0]
        if tuple(mask.shape) != (batch, time):
            raise ValueError(
                f"the mask must have shape {(batch, time)} (batch, time), got {tuple(mask.shape)}"
            )
        return ops.swapaxes(mask, 0, 1)

    def _whole(self, x, states, mask, training):
        """All steps by the cell's fused ops: (outputs, last output, states), time-major."""
        y, after = self.cell.whole(
            x, states, mask, training, self.go_backwards, self.zero_output_for_mask
        )
        after = in_structure_of(states, after, self.cell)
        # The output of a built-in cell is the first state of the (last) cell.
        last = as_list(after[-1] if isinstance(self.cell, StackedRNNCells) else after)[0]
        if mask is not None:
            if self.zero_output_for_mask:
                counts = mask[0 if self.go_backwards else -1]
            else:
                counts = ops.any(mask, axis=0)
            last = ops.where(ops.expand_dims(counts, -1), last, 0.0)
        return y, last, after

    def _scan(self, x, states, mask, training):
        """All steps by a scan of the cell's `call`, for any cell."""

        def step(states, inputs):
            x_t, counts = inputs
            output, new = apply_cell(self.cell, x_t, states)
            if counts is not None:
                new = nest.pack(
                    new,
                    [
                        _choose(counts, a, b)
                        for a, b in zip(nest.flatten(new), nest.flatten(states), strict=True)
                    ],
                )
                if self.zero_output_for_mask:
                    output = _choose(counts, output, 0.0)
            return new, output

        states, y = ops.scan(step, states, (x, mask), reverse=self.go_backwards)
        if mask is not None and not self.zero_output_for_mask:
            y = self._repeat_outputs(y, mask)
        return y, y[0 if self.go_backwards else -1], states

    def _repeat_outputs(self, y, mask):
        """Outputs of steps that don't count become the last one that does, or zeros."""

        def step(last, inputs):
            output = _choose(inputs[1], inputs[0], last)
            return output, output

        return ops.scan(step, ops.zeros_like(y[0]), (y, mask), reverse=self.go_backwards)[1]

    def compute_mask(self, inputs, mask=None):
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        if not self.return_state:
            return mask
        return [mask] + [None] * len(nest.flatten(self.state_size))

    # ---- config ----

    def _own_config(self) -> dict:
        return {
            "return_sequences": self.return_sequences,
            "return_state": self.return_state,
            "go_backwards": self.go_backwards,
            "stateful": self.stateful,
            "unroll": self.unroll,
            "zero_output_for_mask": self.zero_output_for_mask,
        }

    def get_config(self):
        from seqrnn import saving

        cell = saving.serialize_keras_object(self.cell)
        return {**super().get_config(), **self._own_config(), "cell": cell}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        from seqrnn import saving

        config = dict(config)
        cell = saving.deserialize_keras_object(config.pop("cell"), custom_objects)
        return cls(cell, **config)


def check_static_batch(layer, args: tuple) -> None:
    """ValueError if a stateful layer is called on a placeholder whose batch size is unknown."""
    shape = getattr(args[0], "shape", None) if args else None
    if layer.stateful and shape and shape[0] is None:
        error = ValueError(
            f"a stateful layer needs a fixed batch size, got an input of shape {tuple(shape)}. "
            "Declare it: Input(batch_shape=(batch, time, features))."
        )
        raise name_layer(error, layer)


def _choose(counts, a, b):
    """a where a step counts, else b; counts (batch,), a (batch, ...)."""
    return ops.where(ops.reshape(counts, (*counts.shape, *(1,) * (a.ndim - 1))), a, b)


def of_cell(name: str) -> property:
    return property(lambda self: getattr(self.cell, name), doc=f"`{name}` of the cell.")


class BuiltInRNN(RNN):
    """Base of SimpleRNN, LSTM and GRU: an RNN that goes by its cell's arguments."""

    _rank = 3
    units = of_cell("units")
    activation = of_cell("activation")
    use_bias = of_cell("use_bias")
    kernel_initializer = of_cell("kernel_initializer")
    recurrent_initializer = of_cell("recurrent_initializer")
    bias_initializer = of_cell("bias_initializer")
    kernel_regularizer = of_cell("kernel_regularizer")
    recurrent_regularizer = of_cell("recurrent_regularizer")
    bias_regularizer = of_cell("bias_regularizer")
    kernel_constraint = of_cell("kernel_constraint")
    recurrent_constraint = of_cell("recurrent_constraint")
    bias_constraint = of_cell("bias_constraint")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
    seed = of_cell("seed")

    def get_config(self):
        cell = self.cell.get_config()
        for name in ("name", "trainable", "dtype"):
            del cell[name]
        return {**Layer.get_config(self), **cell, **self._own_config()}

    @classmethod
    def from_config(cls, config):
        return cls(**config)
