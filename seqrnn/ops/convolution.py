"""Convolutions of sequences: (batch, time, channels), the kernel (size, channels, filters).

`conv1d` and `conv1d_transpose` are the ops of the core, with numbers for everything; the others
take Keras's arguments and work out the zeros at both ends (Dumoulin, Visin, 2016, A guide to
convolution arithmetic for deep learning). With the extent e = (size - 1) dilation + 1 of a kernel:

    valid    floor((time - e) / stride) + 1 steps, no zeros
    same     ceil(time / stride) steps, zeros at both ends, the odd one behind
    causal   ceil(time / stride) steps, e - 1 zeros in front: no step sees a later one
"""

from __future__ import annotations

from seqrnn.ops.core import as_float, op, operands
from seqrnn.ops.elementwise import add, multiply
from seqrnn.ops.linear import matmul
from seqrnn.ops.shaping import expand_dims, flip, pad, reshape, swapaxes
from seqrnn.trace.frame import Tensor, emit1

# ---- of the core ----


@op
def conv1d(x, kernel, stride=1, dilation=1, pad_left=0, pad_right=0, groups=1):
    """Cross-correlation along time.

    x: (batch, time, channels). kernel: (size, channels / groups, filters). Zeros are added before
    and behind. Result: (batch, (time + pads - (size - 1) dilation - 1) // stride + 1, filters).
    """
    x, kernel = operands(as_float(x), kernel)
    return emit1(
        "conv1d",
        x,
        kernel,
        stride=stride,
        dilation=dilation,
        pad_left=pad_left,
        pad_right=pad_right,
        groups=groups,
    )


@op
def conv1d_transpose(x, kernel, length, stride=1, dilation=1, pad_left=0, groups=1):
    """The gradient of `conv1d` by its input: each step of x spreads over those it would be made of.

    x: (batch, time, channels). kernel: (size, filters / groups, channels). Result: (batch, length,
    filters); what falls before its first step, by `pad_left`, or behind its last, is dropped.
    """
    x, kernel = operands(as_float(x), kernel)
    reach = (x.shape[1] - 1) * stride + (kernel.shape[0] - 1) * dilation + 1
    return emit1(
        "conv1d_dx",
        x,
        kernel,
        stride=stride,
        dilation=dilation,
        pad_left=pad_left,
        pad_right=max(reach - length - pad_left, 0),
        groups=groups,
        length=length,
    )


# ---- Keras's ----


def same_padding(time: int, size: int, stride: int) -> tuple[int, int]:
    """Steps to add in front and behind so that windows of `size` give ceil(time / stride)."""
    total = max((-(-time // stride) - 1) * stride + size - time, 0)
    return total // 2, total - total // 2


def one_step(value, what: str) -> int:
    """A whole number from 1, or a list or tuple of one."""
    one = value[0] if isinstance(value, (list, tuple)) and len(value) == 1 else value
    if isinstance(one, bool) or not hasattr(one, "__index__") or one.__index__() < 1:
        raise ValueError(f"{what} must be a positive whole number, got {value!r}.")
    return one.__index__()


def sequence(x, data_format, name: str) -> tuple[Tensor, bool]:
    """x as floats with the channels last, and whether they came first."""
    if data_format not in (None, "channels_last", "channels_first"):
        raise ValueError(
            f"{name}: data_format must be 'channels_last' or 'channels_first', got {data_format!r}."
        )
    x, first = as_float(x), data_format == "channels_first"
    if x.ndim != 3:
        layout = "(batch, channels, time)" if first else "(batch, time, channels)"
        raise ValueError(f"{name}: expected sequences {layout}, got shape {x.shape}.")
    return (swapaxes(x, 1, 2) if first else x), first


def pads(
    time: int, size: int, stride: int, dilation: int, padding, name: str, unit="steps"
) -> tuple[int, int]:
    """Zeros in front and behind, for a kernel of `size` taps; ValueError if it does not fit."""
    extent = (size - 1) * dilation + 1
    if padding == "causal":
        return extent - 1, 0
    if padding == "same":
        return same_padding(time, extent, stride)
    if padding != "valid":
        raise ValueError(f"{name}: padding must be 'valid', 'same' or 'causal', got {padding!r}.")
    if extent > time:
        raise ValueError(
            f"{name}: a kernel over {extent} {unit} (kernel_size={size}, dilation_rate={dilation}) "
            f"does not fit into the input's {time} {unit}; use padding='same', or a smaller kernel."
        )
    return 0, 0


def _prepared(inputs, kernel, channel_axis: int, strides, dilation_rate, data_format, name: str):
    """(sequences with the channels last, kernel, whether they came first, stride, dilation)."""
    x, first = sequence(inputs, data_format, name)
    x, kernel = operands(x, as_float(kernel))
    if kernel.ndim != 3:
        raise ValueError(f"{name}: expected a kernel with 3 axes, got shape {kernel.shape}.")
    channels, taken = x.shape[-1], kernel.shape[channel_axis]
    if channels % taken or (channels != taken and name != "conv"):
        raise ValueError(
            f"{name}: the kernel {kernel.shape} is for {taken} channels, the input {x.shape} has "
            f"{channels}."
        )
    stride = one_step(strides, f"{name}: strides")
    return x, kernel, first, stride, one_step(dilation_rate, f"{name}: dilation_rate")


@op
def conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Cross-correlation along time: (batch, time, channels) -> (batch, steps, filters).

    Args:
        kernel: (size, channels / groups, filters).
        padding: 'valid', 'same' or 'causal', see the head of the module.
        data_format: 'channels_first' for (batch, channels, time), in and out.

    Raises ValueError for other shapes, and for a kernel that does not fit into the input.
    """
    x, kernel, first, stride, dilation = _prepared(
        inputs, kernel, 1, strides, dilation_rate, data_format, "conv"
    )
    left, right = pads(x.shape[1], kernel.shape[0], stride, dilation, padding, "conv")
    groups = x.shape[-1] // kernel.shape[1]
    y = conv1d(x, kernel, stride, dilation, left, right, groups)
    return swapaxes(y, 1, 2) if first else y


@op
def conv_transpose(
    inputs,
    kernel,
    strides=1,
    padding="valid",
    output_padding=None,
    data_format=None,
    dilation_rate=1,
):
    """The gradient of a convolution by its input: (batch, time, channels) -> (.., steps, filters).

        y[b, t s + k d - left, f] += x[b, t, c] kernel[k, f, c]  for all t, k, c

    With stride s, dilation d, e as in the head of the module, and p = output_padding there are

        valid   (time - 1) s + e + p steps, without p (time - 1) s + max(e, s);  left = 0
        same    (time - 1) s + e mod 2 + p, without p time s;  left = half of what is cut

    Args:
        kernel: (size, filters, channels).
        output_padding: steps to add behind, from 0 and below `strides`; None: see above.

    Raises ValueError for other shapes, for padding='causal', and for another output_padding.
    """
    x, kernel, first, stride, dilation = _prepared(
        inputs, kernel, 2, strides, dilation_rate, data_format, "conv_transpose"
    )
    extent, before = (kernel.shape[0] - 1) * dilation + 1, (x.shape[1] - 1) * stride
    more = output_padding
    if more is not None and not (type(more) is int and 0 <= more < stride):
        raise ValueError(
            "conv_transpose: output_padding must be a whole number from 0 and below "
            f"strides={stride}, got {more!r}."
        )
    if padding == "valid":
        length, left = before + (max(extent, stride) if more is None else extent + more), 0
    elif padding == "same":
        kept = stride if more is None else extent % 2 + more
        length, left = before + kept, max(extent - kept, 0) // 2
    else:
        raise ValueError(f"conv_transpose: padding must be 'valid' or 'same', got {padding!r}.")
    y = conv1d_transpose(x, kernel, length, stride, dilation, left)
    return swapaxes(y, 1, 2) if first else y


@op
def depthwise_conv(inputs, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """Each channel by filters of its own: (batch, time, channels) -> (batch, steps, channels M).

        z[b, t, c M + m] = sum over k of x[b, t s + k d - left, c] kernel[k, c, m]

    Args:
        kernel: (size, channels, M).

    The others, and the errors, are those of `conv`.
    """
    x, kernel, first, stride, dilation = _prepared(
        inputs, kernel, 1, strides, dilation_rate, data_format, "depthwise_conv"
    )
    size, channels, filters = kernel.shape
    left, right = pads(x.shape[1], size, stride, dilation, padding, "depthwise_conv")
    steps = (x.shape[1] + left + right - (size - 1) * dilation - 1) // stride + 1
    if left or right:
        x = pad(x, ((0, 0), (left, right), (0, 0)))
    if filters > 1:
        x = expand_dims(x, -1)
    else:
        kernel = reshape(kernel, (size, channels))
    z = None
    for k in range(size):
        begin = k * dilation
        tap = multiply(x[:, begin : begin + (steps - 1) * stride + 1 : stride], kernel[k])
        z = tap if z is None else add(z, tap)
    z = reshape(z, (z.shape[0], steps, channels * filters))
    return swapaxes(z, 1, 2) if first else z


@op
def separable_conv(
    inputs,
    depthwise_kernel,
    pointwise_kernel,
    strides=1,
    padding="valid",
    data_format=None,
    dilation_rate=1,
):
    """`depthwise_conv`, its channels mixed by a product: (.., channels) -> (.., filters).

    Args:
        depthwise_kernel: (size, channels, M).
        pointwise_kernel: (1, channels M, filters).

    (Chollet, 2017, Xception: Deep learning with depthwise separable convolutions.)
    """
    x, first = sequence(inputs, data_format, "separable_conv")
    z = depthwise_conv(x, depthwise_kernel, strides, padding, None, dilation_rate)
    z, mixing = operands(z, as_float(pointwise_kernel))
    if mixing.ndim != 3 or mixing.shape[:2] != (1, z.shape[-1]):
        raise ValueError(
            f"separable_conv: expected a pointwise kernel (1, {z.shape[-1]}, filters), got "
            f"{mixing.shape}."
        )
    y = matmul(z, mixing[0])
    return swapaxes(y, 1, 2) if first else y


@op
def correlate(x1, x2, mode="valid"):
    """sum over k of x1[t + k] x2[k] for vectors (N,) and (M,), `numpy.correlate`.

    mode: 'valid': where they overlap wholly, |N - M| + 1 values; 'same': max(N, M); 'full':
    N + M - 1. ValueError for another mode and for more than one axis.
    """
    a, b = operands(as_float(x1), as_float(x2))
    if a.ndim != 1 or b.ndim != 1 or not a.shape[0] or not b.shape[0]:
        raise ValueError(
            f"correlate: expected two vectors with elements, got shapes {a.shape} and {b.shape}."
        )
    if mode not in ("valid", "same", "full"):
        raise ValueError(f"correlate: mode must be 'valid', 'same' or 'full', got {mode!r}.")
    if b.shape[0] > a.shape[0]:  # the same values, from behind
        return flip(correlate(b, a, mode))
    size = b.shape[0]
    left = {"valid": 0, "same": size // 2, "full": size - 1}[mode]
    right = {"valid": 0, "same": size - 1 - size // 2, "full": size - 1}[mode]
    y = conv1d(reshape(a, (1, -1, 1)), reshape(b, (-1, 1, 1)), pad_left=left, pad_right=right)
    return reshape(y, (-1,))
