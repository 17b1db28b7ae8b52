"""Conv1D: cross-correlation along time; and what the layers of its kind share.

    y[b, t, f] = activation(bias[f] + sum over k, c of x[b, t s + k d - left, c] kernel[k, c, f])

with stride s, dilation d, and zeros outside of x. Lengths, with the extent e = (K - 1) d + 1:
valid floor((T - e) / s) + 1, left = 0; same and causal ceil(T / s), where 'same' pads
max((out - 1) s + e - T, 0) zeros, the odd one behind, and 'causal' e - 1 zeros in front, so that no
output sees a later step.
"""

from __future__ import annotations

from typing import ClassVar

from seqrnn import activations, ops
from seqrnn.layers.arguments import flag
from seqrnn.layers.base import Layer
from seqrnn.layers.input_spec import InputSpec
from seqrnn.layers.options import (
    LAYOUTS,
    keep_layout,
    keep_options,
    one_int,
    one_of,
    options_config,
    positive_int,
    weight,
)


class Convolution(Layer):
    """Base of the convolutions: their arguments, and the channels' axis.

    `_convolved(x)` of a subclass takes and gives (batch, time, channels).
    """

    _paddings: tuple = ("valid", "same")
    _both = False  # whether strides and dilation_rate may both be above 1

    def _keep(
        self, kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias
    ):
        name = type(self).__name__
        self.kernel_size = one_int(kernel_size, f"{name}: kernel_size")
        self.strides = one_int(strides, f"{name}: strides")
        self.padding = one_of(padding, self._paddings, f"{name}: padding")
        keep_layout(self, data_format)
        self.dilation_rate = one_int(dilation_rate, f"{name}: dilation_rate")
        if self.strides > 1 and self.dilation_rate > 1 and not self._both:
            raise ValueError(
                f"{name}: strides={self.strides} and dilation_rate={self.dilation_rate} cannot "
                "both be above 1."
            )
        self.activation = activations.get(activation)
        self.use_bias = flag(use_bias, self, "use_bias")

    @property
    def _axis(self) -> int:
        return -1 if self.data_format == "channels_last" else 1

    def _channels(self, input_shape) -> int:
        """The channels of the input, which are known from now on."""
        channels = input_shape[self._axis]
        if channels is None:
            raise ValueError(
                f"the channels of the input, axis {self._axis} of {tuple(input_shape)}, must be "
                "known when the layer is built"
            )
        layout = LAYOUTS[self.data_format]
        self.input_spec = InputSpec(ndim=3, axes={self._axis: channels}, layout=layout)
        return int(channels)

    def call(self, inputs):
        first = self.data_format == "channels_first"
        x = self._convolved(ops.swapaxes(inputs, 1, 2) if first else inputs)
        if self.bias is not None:
            x = x + self.bias
        x = ops.swapaxes(x, 1, 2) if first else x
        return self.activation(x)

    def get_config(self):
        return {
            **super().get_config(),
            "kernel_size": (self.kernel_size,),
            "strides": (self.strides,),
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": (self.dilation_rate,),
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **options_config(self),
        }


class Conv1D(Convolution):
    """(batch, time, channels) -> (batch, steps, filters); see the head of the module.

    Weights: kernel (kernel_size, channels / groups, filters), bias (filters,).

    Args:
        filters: channels of the output.
        kernel_size: steps that each output sees (with dilation, one in `dilation_rate`).
        data_format: 'channels_last', or 'channels_first' for (batch, channels, time), in and out.
        padding: 'valid': only where the kernel fits; 'same': zeros on both sides, 'causal': zeros
            before, so that there are as many steps as in the input (divided by strides).
        activation: name or function; None means linear.
        strides, dilation_rate: one of them at least must be 1.
        groups: the channels and filters are cut into so many, each sees its own.
    """

    _paddings = ("valid", "same", "causal")

    _unsupported: ClassVar[dict] = {"lora_rank": None, "lora_alpha": None}

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_int(filters, "Conv1D: filters")
        self.groups = positive_int(groups, "Conv1D: groups")
        self._keep(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        if self.filters % self.groups:
            raise ValueError(
                f"Conv1D: filters={self.filters} cannot be cut into groups={self.groups}."
            )
        keep_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape):
        channels = self._channels(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"the {channels} channels of the input cannot be cut into groups={self.groups}"
            )
        shape = (self.kernel_size, channels // self.groups, self.filters)
        self.kernel = weight(self, "kernel", shape)
        self.bias = weight(self, "bias", (self.filters,)) if self.use_bias else None

    def _convolved(self, x):
        return ops.conv(x, self.kernel, self.strides, self.padding, None, self.dilation_rate)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters, "groups": self.groups}
