"""Normalisation: y = gamma (x - mean) / sqrt(variance + epsilon) + beta; variances divided by n.

BatchNormalization (Ioffe, Szegedy, 2015): mean and variance over all axes but one, of the batch in
training, their moving averages otherwise. LayerNormalization (Ba, Kiros, Hinton, 2016): over the
features of each step. Normalization: of the data, learned once by `adapt`.
"""

from __future__ import annotations

import math

import numpy as np

from seqrnn import config, ops
from seqrnn.layers.arguments import InputSpec, flag
from seqrnn.layers.base import Layer
from seqrnn.layers.options import keep_options, options_config, weight

_MASK_EPSILON = 1e-7  # keeps the mean of no steps finite


class BatchNormalization(Layer):
    """Normalises each channel over the batch and all other axes.

    In training (and if `trainable`): mean and variance of the batch, and
    moving := momentum * moving + (1 - momentum) * batch. Otherwise the moving ones. With a mask,
    steps that it leaves out do not count: sum(m x) / (sum(m) + 1e-7).

    Weights: gamma, beta, moving_mean, moving_variance, each (channels,).

    Args:
        axis: of the channels.
        momentum, epsilon: as above; epsilon inside the square root.
        center, scale: whether there are beta and gamma.
    """

    supports_masking = True

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=0.001,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        renorm=False,
        renorm_clipping=None,
        renorm_momentum=0.99,
        synchronized=False,
        **kwargs,
    ):
        super().__init__(**kwargs)
        if renorm:
            raise ValueError("BatchNormalization: there is no renorm; leave it out.")
        self.axis = one_axis(self, axis)
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.center = flag(center, self, "center")
        self.scale = flag(scale, self, "scale")
        keep_options(
            self,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )

    def build(self, input_shape):
        rank = len(input_shape)
        if not -rank <= self.axis < rank:
            raise ValueError(f"there is no axis {self.axis} in an input of shape {input_shape}")
        channels = input_shape[self.axis]
        if channels is None:
            raise ValueError(f"axis {self.axis} of the input {input_shape} must be known")
        shape = (channels,)
        self.gamma = weight(self, "gamma", shape) if self.scale else None
        self.beta = weight(self, "beta", shape) if self.center else None
        self.moving_mean = weight(self, "moving_mean", shape, trainable=False)
        self.moving_variance = weight(self, "moving_variance", shape, trainable=False)
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: channels})

    def call(self, inputs, training=False, mask=None):
        if training and self.trainable:
            mean, variance = self._moments(inputs, mask)
            self._update(self.moving_mean, mean)
            self._update(self.moving_variance, variance)
        else:
            mean, variance = self.moving_mean.value, self.moving_variance.value
        factor = ops.rsqrt(variance + self.epsilon)
        if self.gamma is not None:
            factor = factor * self.gamma
        y = (inputs - self._wide(mean, inputs)) * self._wide(factor, inputs)
        return y if self.beta is None else y + self._wide(self.beta.value, inputs)

    def _wide(self, vector, like):
        """The vector along `axis`, ready to broadcast."""
        shape = [1] * like.ndim
        shape[self.axis] = vector.shape[0]
        return vector if self.axis in (-1, like.ndim - 1) else ops.reshape(vector, shape)

    def _update(self, moving, batch):
        batch = ops.stop_gradient(batch)
        moving.assign(moving * self.momentum + batch * (1.0 - self.momentum))

    def _moments(self, x, mask):
        """Mean and variance of each channel; in two passes, so that nothing cancels."""
        channel = self.axis % x.ndim
        axes = [a for a in range(x.ndim) if a != channel]
        if mask is None:
            mean = ops.mean(x, axes)
            return mean, ops.mean(ops.square(x - self._wide(mean, x)), axes)
        if mask.ndim > channel:
            raise ValueError(
                f"a mask of shape {mask.shape} reaches into the channels, axis {self.axis}"
            )
        present = ops.reshape(mask, (*mask.shape, *[1] * (x.ndim - mask.ndim)))
        rest = math.prod(x.shape[a] for a in axes if a >= mask.ndim)
        count = ops.sum(ops.cast(mask, x.dtype)) * float(rest) + _MASK_EPSILON
        mean = ops.sum(ops.where(present, x, 0.0), axes) / count
        squares = ops.square(x - self._wide(mean, x))
        return mean, ops.sum(ops.where(present, squares, 0.0), axes) / count

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            **options_config(self),
        }


class LayerNormalization(Layer):
    """Normalises over `axis`, by default the features of each step.

    Weights: gamma, beta, of the sizes of these axes.

    Args:
        axis: an int, or a list of them.
        epsilon: inside the square root.
        center, scale: whether there are beta and gamma.
    """

    supports_masking = True

    def __init__(
        self,
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
        if kwargs.pop("rms_scaling", False):  # which files of Keras have
            raise ValueError("LayerNormalization: rms_scaling is not supported.")
        super().__init__(**kwargs)
        several = isinstance(axis, (list, tuple))
        self.axis = [one_axis(self, a) for a in axis] if several else one_axis(self, axis)
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

    def _axes(self, shape) -> list[int]:
        rank = len(shape)
        axes = self.axis if isinstance(self.axis, list) else [self.axis]
        if not axes or not all(-rank <= a < rank for a in axes):
            raise ValueError(f"axis {self.axis} does not fit an input of shape {tuple(shape)}")
        return sorted({a % rank for a in axes})

    def build(self, input_shape):
        axes = self._axes(input_shape)
        shape = tuple(input_shape[a] for a in axes)
        if None in shape:
            raise ValueError(f"axis {self.axis} of the input {tuple(input_shape)} must be known")
        self.gamma = weight(self, "gamma", shape) if self.scale else None
        self.beta = weight(self, "beta", shape) if self.center else None
        sizes = dict(zip(axes, shape, strict=True))
        self.input_spec = InputSpec(ndim=len(input_shape), axes=sizes)

    def call(self, inputs):
        axes = self._axes(inputs.shape)
        if axes == [inputs.ndim - 1]:
            return ops.layer_norm(inputs, self.gamma, self.beta, self.epsilon)
        centred = inputs - ops.mean(inputs, axes, keepdims=True)
        variance = ops.mean(ops.square(centred), axes, keepdims=True)
        y = centred * ops.rsqrt(variance + self.epsilon)
        shape = [size if a in axes else 1 for a, size in enumerate(inputs.shape)]
        if self.gamma is not None:
            y = y * ops.reshape(self.gamma, shape)
        return y if self.beta is None else y + ops.reshape(self.beta, shape)

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            **options_config(self),
        }


class Normalization(Layer):
    """(x - mean) / max(sqrt(variance), 1e-7), with mean and variance of the data or as given.

    Args:
        axis: the axes that keep statistics of their own; None for one mean of everything.
        mean, variance: give both, or call `adapt`.
        invert: the way back: x * sqrt(variance) + mean.
    """

    supports_masking = True

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError("Normalization: give both mean and variance, or neither.")
        self.axis = axis
        self.mean = None if mean is None else np.asarray(mean, self.dtype)
        self.variance = None if variance is None else np.asarray(variance, self.dtype)
        self.invert = flag(invert, self, "invert")

    def adapt(self, data) -> None:
        """Takes mean and variance from an array of samples."""
        data = np.asarray(data, np.float64)
        kept = self._kept(data.ndim)
        axes = tuple(a for a in range(data.ndim) if a not in kept)
        if data.size == 0:
            raise ValueError("Normalization.adapt: the data is empty.")
        self.mean = data.mean(axes).astype(self.dtype)
        self.variance = data.var(axes).astype(self.dtype)
        config.invalidate()  # plans hold the old values as constants

    def _kept(self, rank: int) -> set[int]:
        if self.axis is None:
            return set()
        axes = self.axis if isinstance(self.axis, (list, tuple)) else [self.axis]
        return {a % rank for a in axes}

    def call(self, inputs):
        if self.mean is None:
            raise ValueError("call `adapt(data)` first, or give mean and variance")
        mean, deviation = (
            self._wide(each, inputs)
            for each in (self.mean, np.maximum(np.sqrt(self.variance), 1e-7))
        )
        return inputs * deviation + mean if self.invert else (inputs - mean) / deviation

    def _wide(self, values, like):
        """The statistics, one per index of the kept axes, ready to broadcast."""
        kept = self._kept(like.ndim)
        sizes = [size if a in kept else 1 for a, size in enumerate(like.shape)]
        return np.broadcast_to(
            values, [size for a, size in enumerate(like.shape) if a in kept]
        ).reshape(sizes)

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "mean": self.mean,
            "variance": self.variance,
            "invert": self.invert,
        }


def one_axis(layer, axis) -> int:
    """`axis` of a layer as an int; it may come as a list of one. ValueError for anything else."""
    if isinstance(axis, (list, tuple)) and len(axis) == 1:
        axis = axis[0]
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise ValueError(f"{type(layer).__name__}: axis must be a whole number, got {axis!r}.")
    return int(axis)
