"""ConvLSTM1D (Shi et al., 2015, Convolutional LSTM network: a machine learning approach for
precipitation nowcasting): an LSTM whose products are convolutions over places.

    z = x_t * kernel + h * recurrent_kernel + bias, blocks of `filters` channels i, f, c, o
    c = sigmoid(z_f) c + sigmoid(z_i) tanh(z_c);   h = sigmoid(z_o) tanh(c)

x_t (batch, places, channels); h and c (batch, places', filters), places' by kernel_size, strides,
padding and dilation_rate as in `Conv1D`. The convolution of h has padding 'same'. That of x is done
for all steps at once, before the loop.

Dropout: one mask on x and one on h for each of the four gates, the same at all steps.
"""

from __future__ import annotations

from seqrnn import activations, ops
from seqrnn.layers.arguments import flag
from seqrnn.layers.base import Layer
from seqrnn.layers.cell_protocol import batch_size_of
from seqrnn.layers.lstm import unit_forget_bias
from seqrnn.layers.options import (
    channels_last,
    keep_options,
    one_int,
    one_of,
    options_config,
    positive_int,
    rate_between_0_and_1,
    weight,
)
from seqrnn.layers.rnn import RNN, of_cell
from seqrnn.ops.convolution import pads, same_padding
from seqrnn.random import SeedGenerator, dropout_mask

_GATES = 4


class ConvLSTMCell(Layer):
    """The weights of a ConvLSTM1D, the convolution of all inputs, and one step after it."""

    def __init__(
        self,
        filters,
        kernel_size,
        strides,
        padding,
        dilation_rate,
        activation,
        recurrent_activation,
        use_bias,
        unit_forget_bias,
        dropout,
        recurrent_dropout,
        seed,
        options,
        **kwargs,
    ):
        super().__init__(**kwargs)
        name = "ConvLSTM1D"
        self.filters = positive_int(filters, f"{name}: filters")
        self.kernel_size = one_int(kernel_size, f"{name}: kernel_size")
        self.strides = one_int(strides, f"{name}: strides")
        self.padding = one_of(padding, ("valid", "same"), f"{name}: padding")
        self.dilation_rate = one_int(dilation_rate, f"{name}: dilation_rate")
        if self.strides > 1 and self.dilation_rate > 1:
            raise ValueError(
                f"{name}: strides={self.strides} and dilation_rate={self.dilation_rate} cannot "
                "both be above 1."
            )
        self.activation = activations.get(activation)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.use_bias = flag(use_bias, self, "use_bias")
        self.unit_forget_bias = flag(unit_forget_bias, self, "unit_forget_bias")
        self.dropout = rate_between_0_and_1(dropout or 0.0, f"{name}: dropout")
        self.recurrent_dropout = rate_between_0_and_1(
            recurrent_dropout or 0.0, f"{name}: recurrent_dropout"
        )
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        keep_options(self, **options)
        self.state_size = [self.filters, self.filters]
        self._state_masks = None

    def build(self, input_shape):
        places, channels = input_shape[1:]
        if places is None or channels is None:
            raise ValueError(
                f"the places and channels of the input must be known, got {tuple(input_shape)} "
                "for one step (batch, places, channels)"
            )
        size, dilation = self.kernel_size, self.dilation_rate
        self._pads = pads(
            places, size, self.strides, dilation, self.padding, "ConvLSTM1D", "places"
        )
        extent = (size - 1) * dilation + 1
        self._places = (places + sum(self._pads) - extent) // self.strides + 1
        width = _GATES * self.filters
        self.kernel = weight(self, "kernel", (self.kernel_size, channels, width))
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.kernel_size, self.filters, width),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = self._bias(width) if self.use_bias else None

    def _bias(self, width):
        if not self.unit_forget_bias:
            return weight(self, "bias", (width,))
        return unit_forget_bias(self, self.filters)

    def get_initial_state(self, batch_size=None, inputs=None, dtype=None):
        """Zeros (batch_size, places', filters), twice. `inputs` may be given instead."""
        shape = (batch_size_of(batch_size, inputs), self._places, self.filters)
        return [ops.zeros(shape, dtype or self.compute_dtype) for _ in range(2)]

    def _masks(self, rate, training, shape):
        if not training or not 0.0 < rate < 1.0:
            return None
        return dropout_mask((_GATES, *shape), rate, self.seed_generator, self.compute_dtype)

    def projected(self, x, training, batch):
        """x (time, batch, places, channels) -> (time, batch, places', 4 filters), bias included.

        Also draws the masks of the states, which are outside of the loop so.
        """
        self._state_masks = self._masks(
            self.recurrent_dropout, training, (batch, self._places, self.filters)
        )
        masks = self._masks(self.dropout, training, x.shape[1:])
        flat = [x] if masks is None else [x * masks[g] for g in range(_GATES)]
        flat = [ops.reshape(part, (-1, *part.shape[2:])) for part in flat]
        z = self._blocks(flat, self.kernel, self.strides, self.dilation_rate, self._pads)
        z = z if self.bias is None else z + self.bias
        return ops.reshape(z, (*x.shape[:2], *z.shape[1:]))

    def _blocks(self, parts, kernel, stride, dilation, pads):
        """Convolution by all of the kernel, or of one part for each of its blocks of filters."""
        if len(parts) == 1:
            return ops.conv1d(parts[0], kernel, stride, dilation, *pads)
        kernels = ops.split(kernel, _GATES, axis=-1)
        blocks = zip(parts, kernels, strict=True)
        return ops.concatenate([ops.conv1d(x, w, stride, dilation, *pads) for x, w in blocks], -1)

    def call(self, projected, states):
        h, c = states
        masks = self._state_masks
        parts = [h] if masks is None else [h * masks[g] for g in range(_GATES)]
        same = same_padding(self._places, self.kernel_size, 1)
        z = projected + self._blocks(parts, self.recurrent_kernel, 1, 1, same)
        i, f, g, o = ops.split(z, _GATES, axis=-1)
        c = self.recurrent_activation(f) * c + self.recurrent_activation(i) * self.activation(g)
        h = self.recurrent_activation(o) * self.activation(c)
        return h, [h, c]

    def __getstate__(self):
        return {**super().__getstate__(), "_state_masks": None}


class ConvLSTM1D(RNN):
    """An LSTM of convolutions: (batch, time, places, channels) -> (batch, places', filters).

    Weights: kernel (kernel_size, channels, 4 filters), recurrent_kernel (kernel_size, filters,
    4 filters), bias (4 filters,), blocks in the order i, f, c, o.

    Args:
        filters: channels of the output and of both states.
        kernel_size: places that each output sees (with dilation, one in `dilation_rate`).
        strides, dilation_rate: of the convolution of the input; one of them at least must be 1.
        padding: 'valid' or 'same', of the input; see `Conv1D`.
        data_format: 'channels_last', the only one there is.
        dropout, recurrent_dropout: between 0 and 1, of the input and of the state, in training.
        unit_forget_bias: whether the bias of the forget gate starts at 1.

    The others, and the call's (mask (batch, time); initial_state, h and c (batch, places',
    filters)), are those of `LSTM`.
    Raises ValueError for input that is not 4-D or whose places are not known, for sizes that are no
    positive whole numbers, and for a kernel that does not fit into the input.
    """

    _rank = 4
    _layout = "(batch, time, places, channels)"
    filters = of_cell("filters")
    kernel_size = of_cell("kernel_size")
    strides = of_cell("strides")
    padding = of_cell("padding")
    dilation_rate = of_cell("dilation_rate")
    activation = of_cell("activation")
    recurrent_activation = of_cell("recurrent_activation")
    use_bias = of_cell("use_bias")
    unit_forget_bias = of_cell("unit_forget_bias")
    dropout = of_cell("dropout")
    recurrent_dropout = of_cell("recurrent_dropout")
    seed = of_cell("seed")
    data_format = "channels_last"

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
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
        **kwargs,
    ):
        channels_last(data_format, "ConvLSTM1D")
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
        cell = ConvLSTMCell(
            filters,
            kernel_size,
            strides,
            padding,
            dilation_rate,
            activation,
            recurrent_activation,
            use_bias,
            unit_forget_bias,
            dropout,
            recurrent_dropout,
            seed,
            options,
            dtype=kwargs.get("dtype"),
            name="conv_lstm_cell",
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )

    def _scan(self, x, states, mask, training):
        return super()._scan(self.cell.projected(x, training, x.shape[1]), states, mask, training)

    def get_config(self):
        plain = ("filters", "padding", "data_format", "use_bias", "unit_forget_bias", "dropout")
        plain = (*plain, "recurrent_dropout", "seed")
        tuples = ("kernel_size", "strides", "dilation_rate")
        words = ("activation", "recurrent_activation")
        return {
            **Layer.get_config(self),
            **{name: getattr(self, name) for name in plain},
            **{name: (getattr(self, name),) for name in tuples},
            **{name: activations.serialize(getattr(self, name)) for name in words},
            **options_config(self.cell),
            **self._own_config(),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)
