"""Layers that move elements: Flatten, Reshape, Permute, RepeatVector, and those along time."""

from __future__ import annotations

import math

import numpy as np

from seqrnn import ops
from seqrnn.layers.base import Layer
from seqrnn.layers.input_spec import InputSpec
from seqrnn.layers.options import (
    LAYOUTS,
    int_pair,
    keep_layout,
    one_int,
    one_of,
    positive_int,
    whole_numbers,
)


class Flatten(Layer):
    """(batch, ...) -> (batch, product of the rest); with data_format='channels_first' the axis 1
    goes behind the others before."""

    def __init__(self, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.data_format = one_of(
            data_format or "channels_last", tuple(LAYOUTS), "Flatten: data_format"
        )
        self.input_spec = InputSpec(min_ndim=1)

    def call(self, inputs):
        if self.data_format == "channels_first" and inputs.ndim > 2:
            inputs = ops.moveaxis(inputs, 1, -1)
        return ops.reshape(inputs, (inputs.shape[0], math.prod(inputs.shape[1:])))

    def get_config(self):
        return {**super().get_config(), "data_format": self.data_format}


class Reshape(Layer):
    """(batch, ...) -> (batch, *target_shape); one size may be -1."""

    def __init__(self, target_shape, **kwargs):
        super().__init__(**kwargs)
        sizes = whole_numbers(target_shape)
        if sizes is None or min(sizes, default=0) < -1 or sizes.count(-1) > 1:
            raise ValueError(
                "Reshape: target_shape has whole numbers, without the batch axis, and -1 once at "
                f"most; got {target_shape!r}."
            )
        self.target_shape = sizes

    def call(self, inputs):
        size = math.prod(inputs.shape[1:])
        known = math.prod(d for d in self.target_shape if d != -1)
        if (size != known) if -1 not in self.target_shape else (known == 0 or size % known):
            raise ValueError(
                f"a sample of shape {inputs.shape[1:]} has {size} elements, which do not fit into "
                f"{self.target_shape}"
            )
        free = size // known if known else 0
        shape = [free if d == -1 else d for d in self.target_shape]
        return ops.reshape(inputs, (inputs.shape[0], *shape))

    def get_config(self):
        return {**super().get_config(), "target_shape": self.target_shape}


class Permute(Layer):
    """The axes in the order `dims`, which counts from 1 and leaves the batch axis: Permute((2, 1))
    exchanges time and features."""

    def __init__(self, dims, **kwargs):
        super().__init__(**kwargs)
        self.dims = whole_numbers(dims)
        if self.dims is None or sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(f"Permute: dims must order the numbers from 1, got {dims!r}.")
        self.input_spec = InputSpec(ndim=len(self.dims) + 1)

    def call(self, inputs):
        return ops.transpose(inputs, (0, *self.dims))

    def get_config(self):
        return {**super().get_config(), "dims": self.dims}


class RepeatVector(Layer):
    """(batch, features) -> (batch, n, features)."""

    def __init__(self, n, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(n, (int, np.integer)):
            raise TypeError(f"RepeatVector: n must be a whole number, got {n!r}.")
        self.n = positive_int(n, "RepeatVector: n")
        self.input_spec = InputSpec(ndim=2)

    def call(self, inputs):
        batch, features = inputs.shape
        return ops.broadcast_to(ops.expand_dims(inputs, 1), (batch, self.n, features))

    def get_config(self):
        return {**super().get_config(), "n": self.n}


class UpSampling1D(Layer):
    """Each step `size` times: (batch, time, features) -> (batch, time * size, features)."""

    def __init__(self, size=2, **kwargs):
        super().__init__(**kwargs)
        self.size = one_int(size, "UpSampling1D: size")
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs):
        return ops.repeat(inputs, self.size, axis=1)

    def get_config(self):
        return {**super().get_config(), "size": self.size}


class ZeroPadding1D(Layer):
    """Zeros before and behind along time, the axis 1, or 2 with data_format='channels_first'; one
    number stands for both."""

    def __init__(self, padding=1, data_format=None, **kwargs):
        super().__init__(**kwargs)
        self.padding = int_pair(padding, "ZeroPadding1D: padding")
        keep_layout(self, data_format)

    def call(self, inputs):
        last = self.data_format == "channels_last"
        pads = (self.padding, (0, 0)) if last else ((0, 0), self.padding)
        return ops.pad(inputs, ((0, 0), *pads))

    def get_config(self):
        return {**super().get_config(), "padding": self.padding, "data_format": self.data_format}


class Cropping1D(Layer):
    """Takes steps off at the beginning and the end; one number stands for both."""

    def __init__(self, cropping=(1, 1), **kwargs):
        super().__init__(**kwargs)
        self.cropping = int_pair(cropping, "Cropping1D: cropping")
        self.input_spec = InputSpec(ndim=3)

    def call(self, inputs):
        front, back = self.cropping
        time = inputs.shape[1]
        if front + back >= time:
            raise ValueError(f"cropping {self.cropping} leaves nothing of {time} steps")
        return inputs[:, front : time - back]

    def get_config(self):
        return {**super().get_config(), "cropping": self.cropping}
