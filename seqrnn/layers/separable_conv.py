"""Convolutions of each channel by itself: DepthwiseConv1D, SeparableConv1D.

    z[b, t, c M + m] = sum over k of x[b, t s + k d - left, c] kernel[k, c, m]

with M = depth_multiplier, stride s, dilation d; padding as in `conv`. SeparableConv1D (Chollet,
2017, Xception: Deep learning with depthwise separable convolutions) mixes them by a product:

    y[b, t, f] = activation(bias[f] + sum over j of z[b, t, j] pointwise[0, j, f])
"""

from __future__ import annotations

from seqrnn import ops
from seqrnn.layers.conv import Convolution
from seqrnn.layers.options import keep_options, positive_int, weight


class _Depthwise(Convolution):
    _both = True

    def get_config(self):
        return {**super().get_config(), "depth_multiplier": self.depth_multiplier}


class DepthwiseConv1D(_Depthwise):
    """Each channel by filters of its own: (batch, time, channels) -> (batch, steps, channels M).

    Weights: kernel (kernel_size, channels, depth_multiplier), bias (channels depth_multiplier,).

    Args:
        kernel_size: steps that each output sees (with dilation, one in `dilation_rate`).
        padding: 'valid' or 'same', see `Conv1D`.
        depth_multiplier: filters for each channel, M.
        data_format: 'channels_last', or 'channels_first' for (batch, channels, time).
        activation: name or function; None means linear.

    Raises ValueError for sizes that are no positive whole numbers, for padding='causal', and for a
    kernel that does not fit into the input.
    """

    def __init__(
        self,
        kernel_size,
        strides=1,
        padding="valid",
        depth_multiplier=1,
        data_format=None,
        dilation_rate=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.depth_multiplier = positive_int(depth_multiplier, "DepthwiseConv1D: depth_multiplier")
        self._keep(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        keep_options(
            self,
            depthwise_initializer=depthwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape):
        channels = self._channels(input_shape)
        self.kernel = self.add_weight(
            name="kernel",
            shape=(self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = weight(self, "bias", (channels * self.depth_multiplier,))

    def _convolved(self, x):
        return ops.depthwise_conv(
            x, self.kernel, self.strides, self.padding, None, self.dilation_rate
        )


class SeparableConv1D(_Depthwise):
    """Each channel by itself, then all of them mixed: (batch, time, channels) -> (batch, steps,
    filters).

    Weights: depthwise_kernel (kernel_size, channels, depth_multiplier), pointwise_kernel
    (1, channels depth_multiplier, filters), bias (filters,).

    Args:
        filters: channels of the output.

    The others, and the errors, are those of `DepthwiseConv1D`.
    """

    def __init__(
        self,
        filters,
        kernel_size,
        strides=1,
        padding="valid",
        data_format=None,
        dilation_rate=1,
        depth_multiplier=1,
        activation=None,
        use_bias=True,
        depthwise_initializer="glorot_uniform",
        pointwise_initializer="glorot_uniform",
        bias_initializer="zeros",
        depthwise_regularizer=None,
        pointwise_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        depthwise_constraint=None,
        pointwise_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.filters = positive_int(filters, "SeparableConv1D: filters")
        self.depth_multiplier = positive_int(depth_multiplier, "SeparableConv1D: depth_multiplier")
        self._keep(kernel_size, strides, padding, data_format, dilation_rate, activation, use_bias)
        keep_options(
            self,
            depthwise_initializer=depthwise_initializer,
            pointwise_initializer=pointwise_initializer,
            bias_initializer=bias_initializer,
            depthwise_regularizer=depthwise_regularizer,
            pointwise_regularizer=pointwise_regularizer,
            bias_regularizer=bias_regularizer,
            depthwise_constraint=depthwise_constraint,
            pointwise_constraint=pointwise_constraint,
            bias_constraint=bias_constraint,
        )

    def build(self, input_shape):
        channels = self._channels(input_shape)
        self.depthwise_kernel = self.add_weight(
            name="depthwise_kernel",
            shape=(self.kernel_size, channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )
        self.pointwise_kernel = self.add_weight(
            name="pointwise_kernel",
            shape=(1, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self.bias = weight(self, "bias", (self.filters,)) if self.use_bias else None

    def _convolved(self, x):
        kernels = self.depthwise_kernel, self.pointwise_kernel
        return ops.separable_conv(x, *kernels, self.strides, self.padding, None, self.dilation_rate)

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}
