"""SimpleRNN: the fully connected recurrent layer.

    h_t = activation(x_t W + b + h_{t-1} R)

W (features, units), R (units, units), b (units,). The output is the state. Elman (1990), Finding
Structure in Time.
"""

from __future__ import annotations

from seqrnn import ops
from seqrnn.layers.cell_protocol import as_list
from seqrnn.layers.recurrent_cell import RecurrentCell, product
from seqrnn.layers.rnn import BuiltInRNN


class SimpleRNNCell(RecurrentCell):
    """One step of SimpleRNN: (batch, features), [h] -> h, [h].

    Args:
        units: size of the state.
        activation: None means linear.
        dropout, recurrent_dropout: of the input and the state, in training; 1 gives zeros.
        seed: of the dropout masks.
    """

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
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
        super().__init__(**kwargs)
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
        words = {"activation": activation}
        self._keep(units, use_bias, dropout, recurrent_dropout, seed, words, options)

    def _active(self, rate):
        return rate > 0.0

    def call(self, sequence, states, training=False):
        h = as_list(states)[0]
        z = self._project(sequence, training, self.bias)
        h = self.activation(z + product(h, self._state_mask(h, training), self.recurrent_kernel))
        return h, [h]

    def whole(self, x, states, mask=None, training=False, reverse=False, zero_output=False):
        (h,) = states
        y, h = ops.rnn(
            self._project(x, training, self.bias),
            ops.convert_to_tensor(self.recurrent_kernel),
            h,
            mask,
            self._state_mask(h, training),
            reverse=reverse,
            zero_output=zero_output,
            **self._words(),
        )
        return y, [h]


class SimpleRNN(BuiltInRNN):
    """A fully connected state over a sequence: (batch, time, features) -> (batch, units).

    h_t = activation(x_t W + h_{t-1} R + b)

    Args:
        units: size of the output, which is the state.
        activation: name or function; None means linear.
        dropout, recurrent_dropout: between 0 and 1, of the input and of the state, in training;
            one mask for all steps.
        return_sequences: the output of every step, (batch, time, units), instead of the last one's.
        return_state: gives (output, h), the states after the last step.
        go_backwards: from the last step to the first; outputs in the order of processing.
        stateful: begins a batch with the states at the end of the one before, until
            `reset_state()`. All batches must be of one size.
        *_initializer, *_regularizer, *_constraint: of the weights; names, objects or functions.
        unroll: accepted, no effect.

    Call arguments: mask (batch, time), true where a step counts; initial_state, h (batch, units).
    Weights: kernel (features, units), recurrent_kernel (units, units), bias (units,).
    Raises ValueError for input that is not 3-D, and for units that are no positive whole number.
    """

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        seed=None,
        **kwargs,
    ):
        cell = SimpleRNNCell(
            units,
            activation=activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            dtype=kwargs.get("dtype"),
            name="simple_rnn_cell",
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
