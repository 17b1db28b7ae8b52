"""GRU: gated recurrent unit.

    z, r, h~ = blocks of x_t W + b                     rec = recurrent_activation
    reset_after:  z', r', h' = blocks of h_{t-1} R + b'
                  hh = act(h~ + rec(r + r') h')        z = rec(z + z')
    else:         z', r' = h_{t-1} R_z, h_{t-1} R_r
                  hh = act(h~ + (rec(r + r') h_{t-1}) R_h)
    h_t = z h_{t-1} + (1 - z) hh

W (features, 3 units), R (units, 3 units), blocks in the order z, r, h; the bias is (2, 3 units)
with reset_after, rows b and b', else (3 units,). The output is the state. Cho et al. (2014),
Learning Phrase Representations using RNN Encoder-Decoder for Statistical Machine Translation.
"""

from __future__ import annotations

from seqrnn import ops
from seqrnn.layers.arguments import flag
from seqrnn.layers.cell_protocol import as_list
from seqrnn.layers.options import weight
from seqrnn.layers.recurrent_cell import RecurrentCell, implementation_of, product
from seqrnn.layers.rnn import BuiltInRNN, of_cell


class GRUCell(RecurrentCell):
    """One step of GRU: (batch, features), [h] -> h, [h].

    Args:
        units: size of the state.
        activation, recurrent_activation: None means linear.
        dropout, recurrent_dropout: of the input and the state, in training.
        reset_after: whether the reset gate comes after the product with R (cuDNN's form) or
            before (the paper's).
        seed: of the dropout masks.
    """

    gates = 3
    _plain = (*RecurrentCell._plain, "reset_after")
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
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        reset_after=True,
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
        self.reset_after = flag(reset_after, self, "reset_after")

    def _bias(self):
        width = 3 * self.units
        return weight(self, "bias", (2, width) if self.reset_after else (width,))

    def _biases(self):
        """(that of the input, that of the recurrent side); None where there is none."""
        if self.bias is None or not self.reset_after:
            return self.bias, None
        return self.bias[0], self.bias[1]

    def call(self, sequence, states, training=False):
        h = as_list(states)[0]
        input_bias, bias = self._biases()
        x_z, x_r, x_h = ops.split(self._project(sequence, training, input_bias), 3, axis=-1)
        mask = self._state_mask(h, training)
        kernel, split = self.recurrent_kernel, 2 * self.units
        if self.reset_after:
            side = product(h, mask, kernel)
            h_z, h_r, h_h = ops.split(side if bias is None else side + bias, 3, axis=-1)
            candidate = x_h + self.recurrent_activation(x_r + h_r) * h_h
        else:
            side = product(h, None if mask is None else mask[:2], kernel[:, :split])
            h_z, h_r = ops.split(side, 2, axis=-1)
            kept = h if mask is None else h * mask[-1]
            candidate = x_h + ops.matmul(
                self.recurrent_activation(x_r + h_r) * kept, kernel[:, split:]
            )
        z = self.recurrent_activation(x_z + h_z)
        h = z * h + (1.0 - z) * self.activation(candidate)
        return h, [h]

    def whole(self, x, states, mask=None, training=False, reverse=False, zero_output=False):
        (h,) = states
        input_bias, bias = self._biases()
        y, h = ops.gru(
            self._project(x, training, input_bias),
            ops.convert_to_tensor(self.recurrent_kernel),
            bias,
            h,
            mask,
            self._state_mask(h, training),
            reset_after=self.reset_after,
            reverse=reverse,
            zero_output=zero_output,
            **self._words(),
        )
        return y, [h]


class GRU(BuiltInRNN):
    """Gated recurrent unit over a sequence: (batch, time, features) -> (batch, units).

    Args:
        units: size of the output, which is the state.
        activation, recurrent_activation: name or function; None means linear.
        dropout, recurrent_dropout: between 0 and 1, of the input and of the state, in training;
            one mask for all steps and gates, with `implementation=1` one for each gate.
        return_sequences: the output of every step, (batch, time, units), instead of the last one's.
        return_state: gives (output, h), the states after the last step.
        go_backwards: from the last step to the first; outputs in the order of processing.
        stateful: begins a batch with the states at the end of the one before, until
            `reset_state()`. All batches must be of one size.
        *_initializer, *_regularizer, *_constraint: of the weights; names, objects or functions.
        reset_after: whether the reset gate comes after the product with the recurrent kernel
            (cuDNN's form) or before (the paper's).
        unroll, use_cudnn: accepted, no effect.

    Call arguments: mask (batch, time), true where a step counts; initial_state, h (batch, units).
    Weights: kernel (features, 3 units), recurrent_kernel (units, 3 units), bias (2, 3 units),
    without reset_after (3 units,); blocks in the order z, r, h.
    Raises ValueError for input that is not 3-D, and for units that are no positive whole number.
    """

    recurrent_activation = of_cell("recurrent_activation")
    reset_after = of_cell("reset_after")

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
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
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        reset_after=True,
        use_cudnn="auto",
        **kwargs,
    ):
        cell = GRUCell(
            units,
            activation=activation,
            recurrent_activation=recurrent_activation,
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
            reset_after=reset_after,
            seed=seed,
            implementation=implementation_of(kwargs),
            dtype=kwargs.get("dtype"),
            name="gru_cell",
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
