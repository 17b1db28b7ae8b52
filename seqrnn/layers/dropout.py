"""Dropout and noise: active in training only.

Inverted dropout (Srivastava et al., 2014, Dropout: a simple way to prevent neural networks from
overfitting): an element is 0 with probability `rate`, else it is multiplied by 1 / (1 - rate).
Each call of a layer draws from a stream of its own; `seed` fixes it.
"""

from __future__ import annotations

import math

from seqrnn import random, regularizers
from seqrnn.layers.base import Layer
from seqrnn.layers.input_spec import InputSpec
from seqrnn.layers.options import rate_between_0_and_1


class Dropout(Layer):
    """x times a dropout mask.

    Args:
        rate: between 0 and 1; 1 gives zeros.
        noise_shape: of the mask, which is broadcast to x; None for a size of x.
        seed: an int, or None for one picked now.
    """

    supports_masking = True

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate_between_0_and_1(rate, f"{type(self).__name__}: rate")
        self.noise_shape = None if noise_shape is None else tuple(noise_shape)
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        shape = self._shape(inputs.shape)
        return inputs * random.dropout_mask(shape, self.rate, self.seed_generator, inputs.dtype)

    def _shape(self, shape):
        if self.noise_shape is None:
            return shape
        if len(self.noise_shape) != len(shape):
            raise ValueError(f"noise_shape {self.noise_shape} does not fit the input {shape}")
        return tuple(
            size if n is None else n for n, size in zip(self.noise_shape, shape, strict=True)
        )

    def get_config(self):
        return {
            **super().get_config(),
            "rate": self.rate,
            "noise_shape": self.noise_shape,
            "seed": self.seed,
        }


class SpatialDropout1D(Dropout):
    """Dropout of whole channels: the same mask at all steps. (batch, time, channels)."""

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(rate, (None, 1, None), seed, **kwargs)
        self.input_spec = InputSpec(ndim=3)

    def get_config(self):
        """As in Keras, which does not take `trainable` here; there is nothing to train."""
        config = super().get_config()
        del config["noise_shape"], config["trainable"]
        return config


class AlphaDropout(Dropout):
    """Dropout that keeps mean 0 and variance 1, for what comes out of `selu`.

    (Klambauer et al., 2017, Self-normalizing neural networks.) With alpha' = -1.7581, which selu
    tends to, a = ((1 - rate) (1 + rate alpha'²))^(-1/2) and b = -a alpha' rate, an element becomes
    a alpha' + b with probability `rate`, else a x + b. The arguments are those of `Dropout`; a
    rate of 1 is refused, as a is infinite then.
    """

    _lowest = -1.6732632423543772 * 1.0507009873554805

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(rate, noise_shape, seed, **kwargs)
        if self.rate == 1:
            raise ValueError("AlphaDropout: rate must be below 1.")

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        shape, low = self._shape(inputs.shape), self._lowest
        kept = random.dropout_mask(shape, self.rate, self.seed_generator, inputs.dtype)
        kept = kept * (1.0 - self.rate)
        a = ((1.0 - self.rate) * (1.0 + self.rate * low**2)) ** -0.5
        return (inputs * kept + low * (1.0 - kept)) * a - a * low * self.rate


class GaussianNoise(Layer):
    """x plus normal noise of mean 0; the shape stays.

    Args:
        stddev: of the noise, between 0 and 1, as Keras has it; ValueError for others.
        seed: an int, or None for one picked now.
    """

    supports_masking = True

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.stddev = rate_between_0_and_1(stddev, "GaussianNoise: stddev")
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training or self.stddev == 0:
            return inputs
        noise = random.normal(
            inputs.shape, 0.0, self.stddev, dtype=inputs.dtype, seed=self.seed_generator
        )
        return inputs + noise

    def get_config(self):
        return {**super().get_config(), "stddev": self.stddev, "seed": self.seed}


class GaussianDropout(Layer):
    """x times normal noise of mean 1 and variance rate / (1 - rate); the shape stays.

    Args:
        rate: from 0 to below 1; ValueError for others.
        seed: an int, or None for one picked now.
    """

    supports_masking = True

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate_between_0_and_1(rate, "GaussianDropout: rate")
        if self.rate == 1:
            raise ValueError("GaussianDropout: rate must be below 1.")
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)

    def call(self, inputs, training=False):
        if not training or self.rate == 0:
            return inputs
        stddev = math.sqrt(self.rate / (1.0 - self.rate))
        return inputs * random.normal(
            inputs.shape, 1.0, stddev, dtype=inputs.dtype, seed=self.seed_generator
        )

    def get_config(self):
        return {**super().get_config(), "rate": self.rate, "seed": self.seed}


class ActivityRegularization(Layer):
    """x; adds l1 * sum |x| + l2 * sum x², divided by the batch size, to the loss."""

    supports_masking = True

    def __init__(self, l1=0.0, l2=0.0, **kwargs):
        super().__init__(activity_regularizer=regularizers.L1L2(l1, l2), **kwargs)
        self.l1 = l1
        self.l2 = l2

    def call(self, inputs):
        return inputs

    def get_config(self):
        config = {**super().get_config(), "l1": self.l1, "l2": self.l2}
        del config["activity_regularizer"]
        return config
