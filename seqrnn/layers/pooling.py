"""Pooling along time: the largest or the mean of windows (see `ops.pooling`) or of all steps.

`data_format='channels_first'` is for inputs and outputs (batch, channels, time).
"""

from __future__ import annotations

from seqrnn import ops
from seqrnn.layers.arguments import flag
from seqrnn.layers.base import Layer
from seqrnn.layers.options import keep_layout, one_int, one_of


class _Pooling1D(Layer):
    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(**kwargs)
        name = type(self).__name__
        self.pool_size = one_int(pool_size, f"{name}: pool_size")
        self.strides = self.pool_size if strides is None else one_int(strides, f"{name}: strides")
        self.padding = one_of(padding, ("valid", "same"), f"{name}: padding")
        keep_layout(self, data_format)

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": (self.pool_size,),
            "strides": (self.strides,),
            "padding": self.padding,
            "data_format": self.data_format,
        }


class MaxPooling1D(_Pooling1D):
    """The largest value of each window, per channel: (batch, time, channels) -> (batch, windows,
    channels)."""

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, **kwargs)

    def call(self, inputs):
        return ops.max_pool(inputs, self.pool_size, self.strides, self.padding, self.data_format)


class AveragePooling1D(_Pooling1D):
    """The mean of each window, per channel: (batch, time, channels) -> (batch, windows,
    channels)."""

    def call(self, inputs):
        return ops.average_pool(
            inputs, self.pool_size, self.strides, self.padding, self.data_format
        )


class _AdaptivePooling1D(Layer):
    def __init__(self, output_size, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.output_size = one_int(output_size, f"{type(self).__name__}: output_size")
        keep_layout(self, data_format)

    def get_config(self):
        return {
            **super().get_config(),
            "output_size": (self.output_size,),
            "data_format": self.data_format,
        }


class AdaptiveMaxPooling1D(_AdaptivePooling1D):
    """The largest value of each of `output_size` windows that cover the sequence: (batch, time,
    channels) -> (batch, output_size, channels)."""

    def call(self, inputs):
        return ops.adaptive_max_pool(inputs, self.output_size, self.data_format)


class AdaptiveAveragePooling1D(_AdaptivePooling1D):
    """The mean of each of `output_size` windows that cover the sequence: (batch, time, channels)
    -> (batch, output_size, channels)."""

    def call(self, inputs):
        return ops.adaptive_average_pool(inputs, self.output_size, self.data_format)


class _GlobalPooling1D(Layer):
    supports_masking = True

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.keepdims = flag(keepdims, self, "keepdims")
        keep_layout(self, data_format)

    @property
    def _time(self) -> int:
        """The axis of the steps."""
        return 1 if self.data_format == "channels_last" else 2

    def compute_mask(self, inputs, mask=None):
        return None  # there are no steps any more

    def get_config(self):
        layout = {"data_format": self.data_format, "keepdims": self.keepdims}
        return {**super().get_config(), **layout}


class GlobalMaxPooling1D(_GlobalPooling1D):
    """The largest value over time: (batch, time, channels) -> (batch, channels)."""

    def call(self, inputs):
        return ops.max(inputs, axis=self._time, keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalPooling1D):
    """The mean over time, of the steps that the mask leaves; 0 where it leaves none."""

    def call(self, inputs, mask=None):
        if mask is None:
            return ops.mean(inputs, axis=self._time, keepdims=self.keepdims)
        mask = ops.expand_dims(mask, 3 - self._time)
        total = ops.sum(ops.where(mask, inputs, 0.0), self._time, self.keepdims)
        count = ops.sum(ops.cast(mask, inputs.dtype), self._time, self.keepdims)
        return total / ops.maximum(count, 1.0)
