"""Pooling along time: the largest or the mean of windows, or of the whole sequence.

'valid': only whole windows, floor((T - size) / s) + 1. 'same': ceil(T / s) windows, what lies
outside of the sequence is left out (a mean is over the steps that exist).
"""

from __future__ import annotations

import functools

import numpy as np

from seqrnn import ops
from seqrnn.layers.arguments import InputSpec, flag
from seqrnn.layers.base import Layer
from seqrnn.layers.options import channels_last, one_int, one_of
from seqrnn.ops.nn import same_padding

_LAYOUT = "(batch, time, channels)"


class _Pooling1D(Layer):
    def __init__(self, pool_size, strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(**kwargs)
        name = type(self).__name__
        channels_last(data_format, name)
        self.pool_size = one_int(pool_size, f"{name}: pool_size")
        self.strides = self.pool_size if strides is None else one_int(strides, f"{name}: strides")
        self.padding = one_of(padding, ("valid", "same"), f"{name}: padding")
        self.input_spec = InputSpec(ndim=3, layout=_LAYOUT)

    def _windows(self, time: int) -> tuple[int, int, int]:
        """(number of windows, padding in front, padding behind)."""
        if self.padding == "same":
            count = -(-time // self.strides)
            return count, *same_padding(time, self.pool_size, self.strides)
        if self.pool_size > time:
            raise ValueError(
                f"windows of {self.pool_size} steps do not fit into the input's {time} steps; use "
                "padding='same' or a smaller pool_size"
            )
        return (time - self.pool_size) // self.strides + 1, 0, 0

    def _shifted(self, x, count: int) -> list:
        """For each place in the window, that step of all windows: (batch, count, channels)."""
        last = (count - 1) * self.strides
        return [x[:, k : k + last + 1 : self.strides] for k in range(self.pool_size)]

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
        }


class MaxPooling1D(_Pooling1D):
    """The largest value of each window, per channel."""

    def __init__(self, pool_size=2, strides=None, padding="valid", data_format=None, **kwargs):
        super().__init__(pool_size, strides, padding, data_format, **kwargs)

    def call(self, inputs):
        count, left, right = self._windows(inputs.shape[1])
        if left or right:
            lowest = float(np.finfo(inputs.dtype).min)
            inputs = ops.pad(inputs, ((0, 0), (left, right), (0, 0)), constant_values=lowest)
        return functools.reduce(ops.maximum, self._shifted(inputs, count))


class AveragePooling1D(_Pooling1D):
    """The mean of each window, per channel."""

    def call(self, inputs):
        time = inputs.shape[1]
        count, left, right = self._windows(time)
        if left or right:
            inputs = ops.pad(inputs, ((0, 0), (left, right), (0, 0)))
        total = functools.reduce(ops.add, self._shifted(inputs, count))
        begin = np.arange(count) * self.strides - left
        real = np.minimum(begin + self.pool_size, time) - np.maximum(begin, 0)
        return total * (1.0 / real[:, None])


class _GlobalPooling1D(Layer):
    supports_masking = True

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        channels_last(data_format, type(self).__name__)
        self.keepdims = flag(keepdims, self, "keepdims")
        self.input_spec = InputSpec(ndim=3, layout=_LAYOUT)

    def compute_mask(self, inputs, mask=None):
        return None  # there are no steps any more

    def get_config(self):
        return {**super().get_config(), "keepdims": self.keepdims}


class GlobalMaxPooling1D(_GlobalPooling1D):
    """The largest value over time: (batch, time, channels) -> (batch, channels)."""

    def call(self, inputs):
        return ops.max(inputs, axis=1, keepdims=self.keepdims)


class GlobalAveragePooling1D(_GlobalPooling1D):
    """The mean over time, of the steps that the mask leaves; 0 where it leaves none."""

    def call(self, inputs, mask=None):
        if mask is None:
            return ops.mean(inputs, axis=1, keepdims=self.keepdims)
        weights = ops.expand_dims(ops.cast(mask, inputs.dtype), -1)
        total = ops.sum(ops.where(ops.expand_dims(mask, -1), inputs, 0.0), 1, self.keepdims)
        return total / ops.maximum(ops.sum(weights, 1, self.keepdims), 1.0)
