"""LSTM: long short-term memory.

    i, f, c~, o = blocks of x_t W + b + h_{t-1} R      rec = recurrent_activation
    c_t = rec(f) c_{t-1} + rec(i) act(c~)              h_t = rec(o) act(c_t)

W (features, 4 units), R (units, 4 units), b (4 units,), blocks in the order i, f, c, o. The output
is h, the states are [h, c]. Hochreiter, Schmidhuber (1997), Long Short-Term Memory; the forget gate
is that of Gers, Schmidhuber, Cummins (2000), its bias of 1 that of Jozefowicz et al. (2015), An
Empirical Exploration of Recurrent Network Architectures.
"""

from __future__ import annotations

import numpy as np

from seqrnn import ops
from seqrnn.layers.arguments import flag
from seqrnn.layers.recurrent_cell import RecurrentCell, implementation_of, product
from seqrnn.layers.rnn import BuiltInRNN, of_cell


def unit_forget_bias(cell, units: int):
    """Makes the weight `bias` (4 units,) of a cell: 1 for the forget gate, the others by the cell's
    `bias_initializer`."""

    def initializer(shape, dtype=None):
        i = cell.bias_initializer((units,), dtype)
        rest = cell.bias_initializer((2 * units,), dtype)
        return np.concatenate([np.asarray(i), np.ones(units, dtype), np.asarray(rest)])

    return cell.add_weight(
        name="bias",
        shape=(4 * units,),
        initializer=initializer,
        regularizer=cell.bias_regularizer,
        constraint=cell.bias_constraint,
    )


class LSTMCell(RecurrentCell):
    """One step of LSTM: (batch, features), [h, c] -> h, [h, c].

    Args:
        units: size of each state.
        activation, recurrent_activation: None means linear.
        unit_forget_bias: whether the bias of f starts at 1.
        dropout, recurrent_dropout: of the input and of h, in training.
        implementation: 2, or 1 for dropout masks of their own for each gate.
        seed: of the dropout masks.
    """

    gates = 4
    _plain = (*RecurrentCell._plain, "unit_forget_bias")
    _activations = ("activation", "recurrent_activation")

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        **kwargs,
    ):
        implementation = implementation_of(kwargs)
        super().__init__(**kwargs)
        self.implementation = implementation
        options = {
            "kernel_initializer": kernel_initializer,
            "recurrent_initializer": recurrent_initializer,
            "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer,
            "recurrent_regularizer": recurrent_regularizer,
            "bias_regularizer": bias_regularizer,
            "kernel_constraint": kernel_constraint,
            "recurrent_constraint": recurrent_constraint,
            "bias_constraint": bias_constraint,
        }
        words = {"activation": activation, "recurrent_activation": recurrent_activation}
        self._keep(units, use_bias, dropout, recurrent_dropout, seed, words, options)
        self.unit_forget_bias = flag(unit_forget_bias, self, "unit_forget_bias")
        self.state_size = [self.units, self.units]

    def _bias(self):
        if not self.unit_forget_bias:
            return super()._bias()
        return unit_forget_bias(self, self.units)

    def call(self, sequence, states, training=False):
        h, c = states
        z = self._project(sequence, training, self.bias)
        z = z + product(h, self._state_mask(h, training), self.recurrent_kernel)
        i, f, g, o = ops.split(z, 4, axis=-1)
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        h = self.recurrent_activation(o) * self.activation(c)
        return h, [h, c]

    def whole(self, x, states, mask=None, training=False, reverse=False, zero_output=False):
        h, c = states
        y, h, c = ops.lstm(
            self._project(x, training, self.bias),
            ops.convert_to_tensor(self.recurrent_kernel),
            h,
            c,
            mask,
            self._state_mask(h, training),
            reverse=reverse,
            zero_output=zero_output,
            **self._words(),
        )
        return y, [h, c]


class LSTM(BuiltInRNN):
    """Long short-term memory over a sequence: (batch, time, features) -> (batch, units).

    Args:
        units: size of the output and of both states.
        activation, recurrent_activation: name or function; None means linear.
        dropout, recurrent_dropout: between 0 and 1, of the input and of the state, in training;
            one mask for all steps and gates, with `implementation=1` one for each gate.
        return_sequences: the output of every step, (batch, time, units), instead of the last one's.
        return_state: gives (output, h, c), the states after the last step.
        go_backwards: from the last step to the first; outputs in the order of processing.
        stateful: begins a batch with the states at the end of the one before, until
            `reset_state()`. All batches must be of one size.
        *_initializer, *_regularizer, *_constraint: of the weights; names, objects or functions.
        unit_forget_bias: whether the bias of the forget gate starts at 1.
        unroll, use_cudnn: accepted, no effect.

    Call arguments: mask (batch, time), true where a step counts; initial_state, h and c
    (batch, units).
    Weights: kernel (features, 4 units), recurrent_kernel (units, 4 units), bias (4 units,),
    blocks in the order i, f, c, o.
    Raises ValueError for input that is not 3-D, and for units that are no positive whole number.
    """

    recurrent_activation = of_cell("recurrent_activation")
    unit_forget_bias = of_cell("unit_forget_bias")

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        use_cudnn="auto",
        **kwargs,
    ):
        cell = LSTMCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            implementation=implementation_of(kwargs),
            dtype=kwargs.get("dtype"),
            name="lstm_cell",
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            unroll=unroll,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
