"""GroupNormalization (Wu, He, 2018, Group normalization).

    y = gamma (x - mean) / sqrt(variance + epsilon) + beta

mean and variance, divided by n, of each sample over all axes, within each of `groups` equal groups
of channels. One group is a layer normalisation over all of a sample, groups=-1, one channel in
each, an instance normalisation.
"""

from __future__ import annotations

import numpy as np

from seqrnn import ops
from seqrnn.layers.arguments import flag
from seqrnn.layers.base import Layer
from seqrnn.layers.input_spec import InputSpec
from seqrnn.layers.normalization import whole_axis
from seqrnn.layers.options import keep_options, options_config, weight


class GroupNormalization(Layer):
    """Normalises each sample over time and a group of channels; see the head of the module.

    Weights: gamma, beta, each (channels,).

    Args:
        groups: number of groups, which must divide the channels; -1 for as many as channels.
        axis: of the channels.
        epsilon: inside the square root.
        center, scale: whether there are beta and gamma.

    Raises ValueError for groups that are not whole, that do not divide the channels, and for an
    axis that the input has not.
    """

    supports_masking = True

    def __init__(
        self,
        groups=32,
        axis=-1,
        epsilon=0.001,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        whole = isinstance(groups, (int, np.integer)) and not isinstance(groups, bool)
        if not whole or (groups < 1 and groups != -1):
            raise ValueError(
                "GroupNormalization: groups must be a positive whole number, or -1 for one channel "
                f"in each, got {groups!r}."
            )
        self.groups = int(groups)
        self.axis = whole_axis(self, axis)
        self.epsilon = float(epsilon)
        self.center = flag(center, self, "center")
        self.scale = flag(scale, self, "scale")
        keep_options(
            self,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )

    def build(self, input_shape):
        rank = len(input_shape)
        if not -rank <= self.axis < rank or self.axis % rank == 0:
            raise ValueError(
                f"there are no channels along axis {self.axis} in an input of shape "
                f"{tuple(input_shape)}"
            )
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(f"axis {self.axis} of the input {tuple(input_shape)} must be known")
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ValueError(
                f"the {channels} channels of the input cannot be cut into groups={self.groups}"
            )
        self.gamma = weight(self, "gamma", (channels,)) if self.scale else None
        self.beta = weight(self, "beta", (channels,)) if self.center else None
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: channels})

    def call(self, inputs):
        shape, at = inputs.shape, self.axis % inputs.ndim
        channels = shape[at]
        x = ops.reshape(
            inputs, (*shape[:at], self.groups, channels // self.groups, *shape[at + 1 :])
        )
        axes = [a for a in range(1, x.ndim) if a != at]
        centred = x - ops.mean(x, axes, keepdims=True)
        variance = ops.mean(ops.square(centred), axes, keepdims=True)
        y = ops.reshape(centred * ops.rsqrt(variance + self.epsilon), shape)
        wide = (channels, *[1] * (inputs.ndim - 1 - at))
        if self.gamma is not None:
            y = y * ops.reshape(self.gamma, wide)
        return y if self.beta is None else y + ops.reshape(self.beta, wide)

    def get_config(self):
        return {
            **super().get_config(),
            "groups": self.groups,
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            **options_config(self),
        }
