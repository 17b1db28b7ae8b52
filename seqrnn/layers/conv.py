"""Conv1D: cross-correlation along time.

    y[b, t, f] = activation(bias[f] + sum over k, c of x[b, t s + k d - left, c] kernel[k, c, f])

with stride s, dilation d, and zeros outside of x. Lengths, with the extent e = (K - 1) d + 1:
valid floor((T - e) / s) + 1, left = 0; same and causal ceil(T / s), where 'same' pads
max((out - 1) s + e - T, 0) zeros, the odd one behind, and 'causal' e - 1 zeros in front, so that no
output sees a later step.
"""

from __future__ import annotations

from seqrnn import activations, ops
from seqrnn.layers.arguments import InputSpec, flag
from seqrnn.layers.base import Layer
from seqrnn.layers.options import (
    channels_last,
    keep_options,
    last_size,
    one_int,
    one_of,
    options_config,
    positive_int,
    weight,
)
from seqrnn.ops.nn import same_padding

_LAYOUT = "(batch, time, channels)"


class Conv1D(Layer):
    """(batch, time, channels) -> (batch, steps, filters); see the head of the module.

    Weights: kernel (kernel_size, channels / groups, filters), bias (filters,).

    Args:
        filters: channels of the output.
        kernel_size: steps that each output sees (with dilation, one in `dilation_rate`).
        padding: 'valid': only where the kernel fits; 'same': zeros on both sides, 'causal': zeros
            before, so that there are as many steps as in the input (divided by strides).
        activation: name or function; None means linear.
        strides, dilation_rate: one of them at least must be 1.
        groups: the channels and filters are cut into so many, each sees its own.
    """

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
        channels_last(data_format, "Conv1D")
        self.filters = positive_int(filters, "Conv1D: filters")
        self.kernel_size = one_int(kernel_size, "Conv1D: kernel_size")
        self.strides = one_int(strides, "Conv1D: strides")
        self.padding = one_of(padding, ("valid", "same", "causal"), "Conv1D: padding")
        self.dilation_rate = one_int(dilation_rate, "Conv1D: dilation_rate")
        self.groups = positive_int(groups, "Conv1D: groups")
        if self.strides > 1 and self.dilation_rate > 1:
            raise ValueError(
                f"Conv1D: strides={self.strides} and dilation_rate={self.dilation_rate} cannot "
                "both be above 1."
            )
        if self.filters % self.groups:
            raise ValueError(
                f"Conv1D: filters={self.filters} cannot be cut into groups={self.groups}."
            )
        self.activation = activations.get(activation)
        self.use_bias = flag(use_bias, self, "use_bias")
        keep_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.input_spec = InputSpec(ndim=3, layout=_LAYOUT)

    def build(self, input_shape):
        channels = last_size(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"the {channels} channels of the input cannot be cut into groups={self.groups}"
            )
        shape = (self.kernel_size, channels // self.groups, self.filters)
        self.kernel = weight(self, "kernel", shape)
        self.bias = weight(self, "bias", (self.filters,)) if self.use_bias else None
        self.input_spec = InputSpec(ndim=3, axes={-1: channels}, layout=_LAYOUT)

    def call(self, inputs):
        left, right = self._padding(inputs.shape[1])
        x = ops.conv1d(
            inputs, self.kernel, self.strides, self.dilation_rate, left, right, self.groups
        )
        if self.bias is not None:
            x = x + self.bias
        return self.activation(x)

    def _padding(self, time: int) -> tuple[int, int]:
        extent = (self.kernel_size - 1) * self.dilation_rate + 1
        if self.padding == "causal":
            return extent - 1, 0
        if self.padding == "same":
            return same_padding(time, extent, self.strides)
        if extent > time:
            raise ValueError(
                f"a kernel over {extent} steps (kernel_size={self.kernel_size}, dilation_rate="
                f"{self.dilation_rate}) does not fit into the input's {time} steps; use "
                "padding='same' or 'causal', or a smaller kernel"
            )
        return 0, 0

    def get_config(self):
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "dilation_rate": self.dilation_rate,
            "groups": self.groups,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **options_config(self),
        }
