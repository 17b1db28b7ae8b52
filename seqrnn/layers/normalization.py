"""Normalisation: y = gamma (x - mean) / sqrt(variance + epsilon) + beta; variances divided by n.

BatchNormalization (Ioffe, Szegedy, 2015): mean and variance over all axes but one, of the batch in
training, their moving averages otherwise. LayerNormalization (Ba, Kiros, Hinton, 2016): over the
features of each step. Normalization: of the data, learned once by `adapt`.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from seqrnn import ops
from seqrnn.layers.arguments import flag
from seqrnn.layers.base import Layer
from seqrnn.layers.input_spec import InputSpec
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
    _unsupported: ClassVar[dict] = {
        "renorm": False,
        "renorm_clipping": None,
        "renorm_momentum": 0.99,
        "synchronized": False,
    }

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
        super().__init__(
            renorm=renorm,
            renorm_clipping=renorm_clipping,
            renorm_momentum=renorm_momentum,
            synchronized=synchronized,
            **kwargs,
        )
        self.axis = whole_axis(self, axis)
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
    _unsupported: ClassVar[dict] = {"rms_scaling": False}  # which files of Keras have

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
        super().__init__(**kwargs)
        several = isinstance(axis, (list, tuple))
        self.axis = [whole_axis(self, a) for a in axis] if several else whole_axis(self, axis)
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

    Weights, unless mean and variance are given: mean and variance, of the shape of the kept axes, 0
    and 1 until `adapt` sets them, and a count that Keras's files have and nobody uses.

    Args:
        axis: the axes that keep statistics of their own; None for one mean of everything.
        mean, variance: give both, or call `adapt`.
        invert: the way back: x * sqrt(variance) + mean.

    Raises ValueError if only one of the two is given or their shapes do not fit, and if a kept axis
    is not known or not there.
    """

    supports_masking = True

    def __init__(self, axis=-1, mean=None, variance=None, invert=False, **kwargs):
        super().__init__(**kwargs)
        if (mean is None) != (variance is None):
            raise ValueError("Normalization: give both mean and variance, or neither.")
        self.axis = axis
        axes = np.size(axis) if axis is not None else 0
        if np.shape(mean) != np.shape(variance) or np.ndim(mean) > axes:
            raise ValueError(
                f"Normalization: mean {np.shape(mean)} and variance {np.shape(variance)} must have "
                f"the same shape, of no more than {axes} axes for axis={axis}."
            )
        self.input_mean, self.input_variance = mean, variance
        self.invert = flag(invert, self, "invert")

    def build(self, input_shape):
        rank = len(input_shape)
        kept = self._kept(rank)
        unknown = [a for a in kept if input_shape[a] is None]
        if unknown:
            raise ValueError(f"axis {unknown[0]} of the input {input_shape} must be known")
        self._kept_shape = tuple(input_shape[a] for a in kept)
        self._wide_shape = tuple(n if a in kept else 1 for a, n in enumerate(input_shape))
        if self.input_mean is None:
            for name, dtype in (("mean", None), ("variance", None), ("count", "int64")):
                first = "ones" if name == "variance" else "zeros"
                own = () if name == "count" else self._kept_shape
                options = {"initializer": first, "dtype": dtype, "trainable": False}
                variable = self.add_weight(name=name, shape=own, **options)
                setattr(self, name if name == "count" else f"adapt_{name}", variable)
        self.input_spec = InputSpec(ndim=rank, axes={a: input_shape[a] for a in kept})

    def adapt(self, data) -> None:
        """Takes mean and variance from samples.

        Args:
            data: an array, or batches: any iterable of arrays, or of tuples that begin with one.

        Raises ValueError for no data, for other sizes of the kept axes than those built for, and if
        mean and variance were given.
        """
        if self.input_mean is not None:
            raise ValueError("Normalization.adapt: mean and variance were given, there is no need.")
        data = _samples(data)
        if data.size == 0:
            raise ValueError("Normalization.adapt: the data is empty.")
        if not self.built:
            self.build(data.shape)
            self.built = True
        kept = self._kept(data.ndim)
        if tuple(data.shape[a] for a in kept) != self.adapt_mean.shape:
            raise ValueError(
                f"Normalization.adapt: data of shape {data.shape}, but the layer was built for "
                f"{self.adapt_mean.shape} on its axis {self.axis}."
            )
        axes = tuple(a for a in range(data.ndim) if a not in kept)
        self.adapt_mean.assign(data.mean(axes))
        self.adapt_variance.assign(data.var(axes))

    def _kept(self, rank: int) -> list[int]:
        axes = () if self.axis is None else self.axis
        axes = axes if isinstance(axes, (list, tuple)) else [axes]
        for axis in axes:
            if not -rank <= axis < rank:
                raise ValueError(f"there is no axis {axis} in an input of {rank} axes")
        return sorted(a % rank for a in axes)

    @property
    def mean(self):
        """The mean, ready to broadcast with the input; None before the layer is built."""
        return self._statistic("mean")

    @property
    def variance(self):
        """The variance, as `mean`."""
        return self._statistic("variance")

    def _statistic(self, name):
        if not self.built:
            return None
        given = getattr(self, f"input_{name}")
        if given is None:
            return ops.reshape(getattr(self, f"adapt_{name}"), self._wide_shape)
        given = np.broadcast_to(np.asarray(given, self.dtype), self._kept_shape)
        return given.reshape(self._wide_shape)

    def call(self, inputs):
        mean, deviation = self.mean, ops.maximum(ops.sqrt(self.variance), 1e-7)
        return inputs * deviation + mean if self.invert else (inputs - mean) / deviation

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "mean": _as_list(self.input_mean),
            "variance": _as_list(self.input_variance),
            "invert": self.invert,
        }


def _as_list(values):
    return values if values is None else np.asarray(values).tolist()


def _samples(data):
    """One float64 array of an array, or of batches."""
    if not hasattr(data, "shape"):
        if hasattr(data, "__getitem__"):  # a PyDataset too
            data = [data[i] for i in range(len(data))]
        batches = [batch[0] if isinstance(batch, tuple) else batch for batch in data]
        data = np.concatenate(batches) if batches and hasattr(batches[0], "shape") else batches
    return np.asarray(data, np.float64)


def whole_axis(layer, axis) -> int:
    """`axis` of a layer as an int; it may come as a list of one. ValueError for anything else."""
    if isinstance(axis, (list, tuple)) and len(axis) == 1:
        axis = axis[0]
    if isinstance(axis, bool) or not isinstance(axis, (int, np.integer)):
        raise ValueError(f"{type(layer).__name__}: axis must be a whole number, got {axis!r}.")
    return int(axis)
