"""Normalisation by size alone, without taking a mean off.

UnitNormalization: y = x / max(sqrt(sum of x²), 1e-12). RMSNormalization (Zhang, Sennrich, 2019,
Root mean square layer normalization): y = scale x / sqrt(mean of x² + epsilon).
"""

from __future__ import annotations

from seqrnn import ops
from seqrnn.layers.base import Layer
from seqrnn.layers.options import whole_numbers

_SHORTEST = 1e-12


class UnitNormalization(Layer):
    """x divided by its Euclidean length over `axis`, an int or a list of them.

    TypeError for another `axis`, ValueError for one that the input has not.
    """

    supports_masking = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = _axis_or_axes(self, axis)

    def call(self, inputs):
        return ops.normalize(inputs, _within(self.axis, inputs.shape), epsilon=_SHORTEST)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}


class RMSNormalization(Layer):
    """x divided by the root of the mean of its squares over `axis`, times a weight.

    Weights: scale, of the sizes of these axes, in the order that they have in the input.

    Args:
        axis: an int, or a list of them.
        epsilon: inside the square root.

    TypeError for another `axis`, ValueError for one that the input has not.
    """

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis = _axis_or_axes(self, axis)
        self.epsilon = float(epsilon)

    def build(self, input_shape):
        shape = tuple(input_shape[a] for a in _within(self.axis, input_shape))
        if None in shape:
            raise ValueError(f"axis {self.axis} of the input {tuple(input_shape)} must be known")
        self.axis = sorted(self.axis if isinstance(self.axis, list) else [self.axis])  # as Keras
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")

    def call(self, inputs):
        axes = _within(self.axis, inputs.shape)
        mean = ops.mean(ops.square(inputs), axes, keepdims=True)
        wide = [size if a in axes else 1 for a, size in enumerate(inputs.shape)]
        return inputs * ops.rsqrt(mean + self.epsilon) * ops.reshape(self.scale, wide)

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}


def _axis_or_axes(layer, axis):
    axes = whole_numbers(axis if isinstance(axis, (list, tuple)) else [axis])
    if not axes:
        raise TypeError(
            f"{type(layer).__name__}: axis must be a whole number or a list of them, got {axis!r}."
        )
    return list(axes) if isinstance(axis, (list, tuple)) else axes[0]


def _within(axis, shape) -> list[int]:
    """The axes as numbers from 0, in order. ValueError if the shape has not that many."""
    axes, rank = axis if isinstance(axis, list) else [axis], len(shape)
    if not all(-rank <= a < rank for a in axes):
        raise ValueError(f"axis {axis} does not fit an input of shape {tuple(shape)}")
    return sorted({a % rank for a in axes})
