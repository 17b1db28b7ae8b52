"""Conv1DTranspose: the gradient of a convolution by its input, as a layer that makes steps.

    y[b, t s + k d - left, f] += x[b, t, c] kernel[k, f, c]  for all t, k, c;  then bias, activation

with stride s, dilation d (Dumoulin, Visin, 2016, A guide to convolution arithmetic for deep
learning). Lengths, with the extent e = (K - 1) d + 1 and output_padding p:

    valid   (T - 1) s + e + p, without p (T - 1) s + max(e, s);  left = 0
    same    (T - 1) s + e mod 2 + p, without p T s;  left = half of what is cut, rounded down
"""

from __future__ import annotations

from seqrnn import ops
from seqrnn.layers.conv import Convolution
from seqrnn.layers.options import keep_options, positive_int, weight


class Conv1DTranspose(Convolution):
    """(batch, time, channels) -> (batch, steps, filters); see the head of the module.

    Weights: kernel (kernel_size, filters, channels), bias (filters,).

    Args:
        filters: channels of the output.
        kernel_size: steps that each input reaches.
        strides: steps of the output for each of the input.
        padding: 'valid' or 'same'.
        output_padding: steps to add behind, below `strides`; None for the lengths without it.
        data_format: 'channels_last', or 'channels_first' for (batch, channels, time).
        activation: name or function; None means linear.

    Raises ValueError for sizes that are no positive whole numbers, for padding='causal', for
    strides and dilation_rate both above 1, and for output_padding not below strides.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        output_padding=None,
        data_format=None,
        dilation_rate=1,
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
        self.filters = positive_int(filters, "Conv1DTranspose: filters")
        self._keep(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        self.output_padding = self._checked_padding(output_padding)
        keep_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def _checked_padding(self, value):
        one = value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value
        if one is None or (type(one) is int and 0 <= one < self.strides):
            return one
        raise ValueError(
            f"Conv1DTranspose: output_padding must be a whole number from 0 and below "
            f"strides={self.strides}, got {value!r}."
        )

    def build(self, input_shape):
        channels = self._channels(input_shape)
        self.kernel = weight(self, "kernel", (self.kernel_size, self.filters, channels))
        self.bias = weight(self, "bias", (self.filters,)) if self.use_bias else None

    def _convolved(self, x):
        return ops.conv_transpose(
            x,
            self.kernel,
            self.strides,
            self.padding,
            self.output_padding,
            None,
            self.dilation_rate,
        )

    def get_config(self):
        more = self.output_padding
        return {
            **super().get_config(),
            "filters": self.filters,
            "output_padding": None if more is None else (more,),
        }
