"""Pooling of sequences (batch, time, channels): the largest or the mean of windows along time.

valid: only whole windows, floor((time - size) / stride) + 1. same: ceil(time / stride) windows;
what lies outside of the sequence is left out, a mean is over the steps that exist. adaptive: n
windows that cover the sequence, the i-th from floor(i time / n) to ceil((i + 1) time / n).
"""

from __future__ import annotations

import builtins
import functools

import numpy as np

from seqrnn import config
from seqrnn.ops.convolution import one_step, same_padding, sequence
from seqrnn.ops.core import op
from seqrnn.ops.elementwise import add, maximum, multiply
from seqrnn.ops.reduction import max as largest
from seqrnn.ops.reduction import mean
from seqrnn.ops.shaping import pad, stack, swapaxes


@op
def max_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The largest value of each window, per channel.

    Args:
        inputs: (batch, time, channels); (batch, channels, time) for data_format='channels_first'.
        pool_size, strides: steps of a window, and from one to the next (None: pool_size).
        padding: 'valid' or 'same', see the head of the module.

    Raises ValueError for other shapes, and for windows that do not fit into the input.
    """
    x, first = sequence(inputs, data_format, "max_pool")
    windows = _windows(x.shape[1], pool_size, strides, padding, "max_pool")
    limits = np.finfo if config.is_float(x.dtype) else np.iinfo
    lowest = np.asarray(limits(x.dtype).min).item()
    y = functools.reduce(maximum, _shifted(x, *windows, lowest))
    return swapaxes(y, 1, 2) if first else y


@op
def average_pool(inputs, pool_size, strides=None, padding="valid", data_format=None):
    """The mean of each window, per channel; arguments and errors are those of `max_pool`."""
    x, first = sequence(inputs, data_format, "average_pool")
    time = x.shape[1]
    windows = _windows(time, pool_size, strides, padding, "average_pool")
    total = functools.reduce(add, _shifted(x, *windows, 0.0))
    size, stride, count, left = windows
    begin = np.arange(count) * stride - left
    real = np.minimum(begin + size, time) - np.maximum(begin, 0)
    y = multiply(total, 1.0 / real[:, None])
    return swapaxes(y, 1, 2) if first else y


def _windows(time: int, pool_size, strides, padding, name: str) -> tuple[int, int, int, int]:
    """(steps of a window, stride, number of windows, padding in front)."""
    size = one_step(pool_size, f"{name}: pool_size")
    stride = size if strides is None else one_step(strides, f"{name}: strides")
    if padding == "same":
        return size, stride, -(-time // stride), same_padding(time, size, stride)[0]
    if padding != "valid":
        raise ValueError(f"{name}: padding must be 'valid' or 'same', got {padding!r}.")
    if size > time:
        raise ValueError(
            f"{name}: windows of {size} steps do not fit into the input's {time} steps; use "
            "padding='same' or a smaller pool_size."
        )
    return size, stride, (time - size) // stride + 1, 0


def _shifted(x, size: int, stride: int, count: int, left: int, outside: float) -> list:
    """For each place in the window that some window has inside the sequence, the step there of all
    windows: (batch, count, channels); `outside` before and behind the sequence."""
    time, last = x.shape[1], (count - 1) * stride
    places = range(builtins.max(left - last, 0), min(left + time, size))
    front, back = left - places.start, places.stop - 1 + last - left - (time - 1)
    if front > 0 or back > 0:
        x = pad(x, ((0, 0), (front, builtins.max(back, 0)), (0, 0)), constant_values=outside)
    return [x[:, k : k + last + 1 : stride] for k in range(len(places))]


@op
def adaptive_max_pool(inputs, output_size, data_format=None):
    """The largest value of each of `output_size` windows that cover the sequence, per channel."""
    return _adaptive(largest, inputs, output_size, data_format, "adaptive_max_pool")


@op
def adaptive_average_pool(inputs, output_size, data_format=None):
    """The mean of each of `output_size` windows that cover the sequence, per channel."""
    return _adaptive(mean, inputs, output_size, data_format, "adaptive_average_pool")


def _adaptive(reduce, inputs, output_size, data_format, name: str):
    x, first = sequence(inputs, data_format, name)
    time, count = x.shape[1], one_step(output_size, f"{name}: output_size")
    if not time:
        raise ValueError(f"{name}: the input has no steps, shape {x.shape}.")
    bounds = [(i * time // count, -(-(i + 1) * time // count)) for i in range(count)]
    y = stack([reduce(x[:, begin:end], 1) for begin, end in bounds], 1)
    return swapaxes(y, 1, 2) if first else y
