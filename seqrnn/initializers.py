"""Initializers: functions of (shape, dtype) that give the first value of a weight.

Random ones draw from NumPy's PCG64, in float64, so a seed gives the same weights (rounded) in
float32 and float64. An initializer made without a seed picks one at once, from Python's `random`;
the same object called twice gives the same values. A function `fn(shape, dtype)`, an array or a
number serves as well.

Fans of a kernel (..., inputs, outputs): the leading axes, as of a convolution, count for both.
Sources: Glorot, Bengio (2010), Understanding the difficulty of training deep feedforward neural
networks; He et al. (2015), Delving deep into rectifiers; LeCun et al. (1998), Efficient BackProp;
Saxe, McClelland, Ganguli (2014), Exact solutions to the nonlinear dynamics of learning.
"""

from __future__ import annotations

import math
import random

import numpy as np

from seqrnn import config
from seqrnn.lookup import Configurable, Lookup

# Standard deviation of a standard normal that is cut at ±2.
_TRUNCATED_STDDEV = 0.87962566103423978


class Initializer(Configurable):
    """Base class: override `__call__` and `get_config`."""

    def __call__(self, shape, dtype=None):
        """shape: tuple of ints; dtype: default `floatx()`. Returns an array."""
        raise NotImplementedError(f"{type(self).__name__} has no method `__call__(shape, dtype)`.")

    def clone(self):
        """Another one like it."""
        return self.from_config(self.get_config())


# ---- constants ----


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape, dtype=None):
        return np.zeros(shape, config.standardize_dtype(dtype))


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape, dtype=None):
        return np.ones(shape, config.standardize_dtype(dtype))


class Constant(Initializer):
    """All `value`; an array as value must have the weight's shape, or broadcast to it."""

    broadcasts = True  # False for an array given in place of an initializer

    def __init__(self, value=0.0):
        self.value = value

    def __call__(self, shape, dtype=None):
        value = np.asarray(self.value, config.standardize_dtype(dtype))
        try:
            if not self.broadcasts and value.shape != tuple(shape):
                raise ValueError
            return np.broadcast_to(value, shape).copy()
        except ValueError:
            raise ValueError(
                f"the value given to initialise a weight of shape {tuple(shape)} has shape "
                f"{value.shape}."
            ) from None

    def get_config(self):
        return {"value": self.value}


class Identity(Initializer):
    """A matrix with `gain` on its diagonal."""

    def __init__(self, gain=1.0):
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) != 2:
            raise ValueError(f"Identity: expected a shape of 2 axes, got {tuple(shape)}.")
        return self.gain * np.eye(*shape, dtype=config.standardize_dtype(dtype))

    def get_config(self):
        return {"gain": self.gain}


# ---- random ones ----


class RandomInitializer(Initializer):
    """Base of the random ones.

    Args:
        seed: an int, None for one picked now, or a `random.SeedGenerator`, whose next seed each
            call takes.
    """

    def __init__(self, seed=None):
        if isinstance(seed, dict):
            seed = deserialize(seed)
        whole = isinstance(seed, int | np.integer) and not isinstance(seed, bool)
        if seed is not None and not whole and not callable(getattr(seed, "next", None)):
            raise ValueError(
                f"{type(self).__name__}: seed must be an int, a SeedGenerator or None, got "
                f"{seed!r}."
            )
        self._given_seed = seed
        self.seed = random.randint(1, 10**9) if seed is None else int(seed) if whole else seed

    def __call__(self, shape, dtype=None):
        seed = self.seed if isinstance(self.seed, int) else self.seed.next()
        generator = np.random.default_rng(abs(seed))
        return self._draw(generator, tuple(shape)).astype(config.standardize_dtype(dtype))

    def _draw(self, generator, shape):
        """float64 values of this shape."""
        raise NotImplementedError

    def get_config(self):
        return {"seed": self._given_seed}


class RandomNormal(RandomInitializer):
    """Normal numbers."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        self.mean = mean
        self.stddev = _at_least_zero(stddev, "RandomNormal: stddev")
        super().__init__(seed)

    def _draw(self, generator, shape):
        return self.mean + self.stddev * generator.standard_normal(shape)

    def get_config(self):
        return {"mean": self.mean, "stddev": self.stddev, **super().get_config()}


class TruncatedNormal(RandomNormal):
    """Normal numbers, drawn again when more than two standard deviations from the mean."""

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(mean, stddev, seed)

    def _draw(self, generator, shape):
        return self.mean + self.stddev * _truncated(generator, shape)


class RandomUniform(RandomInitializer):
    """Uniform numbers from [minval, maxval)."""

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        if not minval <= maxval:
            raise ValueError(f"RandomUniform: minval {minval} is above maxval {maxval}.")
        self.minval = minval
        self.maxval = maxval
        super().__init__(seed)

    def _draw(self, generator, shape):
        return generator.uniform(self.minval, self.maxval, shape)

    def get_config(self):
        return {"minval": self.minval, "maxval": self.maxval, **super().get_config()}


class VarianceScaling(RandomInitializer):
    """Numbers of variance scale / n, where n is a fan of the weight.

    Args:
        scale: above 0.
        mode: n is 'fan_in', 'fan_out' or 'fan_avg'.
        distribution: 'truncated_normal', 'untruncated_normal' or 'uniform' on ±sqrt(3 scale / n).
        input_axes, output_axes: the fans are the products of the sizes of these axes; give both.
    """

    def __init__(
        self,
        scale=1.0,
        mode="fan_in",
        distribution="truncated_normal",
        seed=None,
        input_axes=None,
        output_axes=None,
    ):
        if not scale > 0:
            raise ValueError(f"VarianceScaling: scale must be above 0, got {scale}.")
        _one_of(mode, ("fan_in", "fan_out", "fan_avg"), "VarianceScaling: mode")
        distribution = {"normal": "truncated_normal"}.get(distribution, distribution)
        _one_of(
            distribution,
            ("truncated_normal", "untruncated_normal", "uniform"),
            "VarianceScaling: distribution",
        )
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        if (input_axes is None) != (output_axes is None):
            raise ValueError(f"{type(self).__name__}: give both input_axes and output_axes.")
        self._axes = {"input_axes": input_axes, "output_axes": output_axes}
        super().__init__(seed)

    def _draw(self, generator, shape):
        fan_in, fan_out = fans(shape, **self._axes)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3.0 * variance)
            return generator.uniform(-limit, limit, shape)
        if self.distribution == "untruncated_normal":
            return math.sqrt(variance) * generator.standard_normal(shape)
        return math.sqrt(variance) / _TRUNCATED_STDDEV * _truncated(generator, shape)

    def get_config(self):
        return {
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            **self._axes,
            **super().get_config(),
        }


class _Scaled(VarianceScaling):
    """A `VarianceScaling` whose scale, mode and distribution are given."""

    scaling: tuple

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(*self.scaling, seed=seed, input_axes=input_axes, output_axes=output_axes)

    def get_config(self):
        return {**self._axes, **RandomInitializer.get_config(self)}


class GlorotUniform(_Scaled):
    """Uniform on ±sqrt(6 / (fan_in + fan_out))."""

    scaling = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal, variance 2 / (fan_in + fan_out)."""

    scaling = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform on ±sqrt(6 / fan_in)."""

    scaling = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal, variance 2 / fan_in."""

    scaling = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform on ±sqrt(3 / fan_in)."""

    scaling = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal, variance 1 / fan_in."""

    scaling = (1.0, "fan_in", "truncated_normal")


class Orthogonal(RandomInitializer):
    """`gain` times a matrix with orthonormal rows or columns, whichever are fewer.

    The weight is seen as a matrix (all axes but the last, last axis): Q of the QR decomposition of
    a normal matrix, its signs those of the diagonal of R, transposed if there are more columns.
    """

    def __init__(self, gain=1.0, seed=None):
        self.gain = gain
        super().__init__(seed)

    def _draw(self, generator, shape):
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: expected a shape of 2 axes or more, got {shape}.")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        normal = generator.standard_normal((max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(normal)
        q = q * np.where(np.diag(r) < 0, -1.0, 1.0)
        return self.gain * (q.T if rows < columns else q).reshape(shape)

    def get_config(self):
        return {"gain": self.gain, **super().get_config()}


def fans(shape, input_axes=None, output_axes=None) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight of this shape, from its last axes if no others are given."""
    if input_axes is not None:
        return tuple(math.prod(shape[a] for a in axes) for axes in (input_axes, output_axes))
    if len(shape) == 0:
        return 1, 1
    if len(shape) == 1:
        return shape[0], shape[0]
    window = math.prod(shape[:-2])
    return shape[-2] * window, shape[-1] * window


def _truncated(generator, shape):
    """Standard normal numbers within ±2."""
    values = generator.standard_normal(shape)
    outside = np.abs(values) > 2
    while outside.any():
        values[outside] = generator.standard_normal(int(outside.sum()))
        outside = np.abs(values) > 2
    return values


def _at_least_zero(value, what: str):
    if not value >= 0:
        raise ValueError(f"{what} must not be negative, got {value}.")
    return value


def _one_of(word, words, what: str) -> None:
    if word not in words:
        raise ValueError(f"{what} must be one of {', '.join(map(repr, words))}, got {word!r}.")


zeros, ones, constant, identity = Zeros, Ones, Constant, Identity
random_normal, truncated_normal, random_uniform = RandomNormal, TruncatedNormal, RandomUniform
variance_scaling, orthogonal = VarianceScaling, Orthogonal
glorot_uniform, glorot_normal = GlorotUniform, GlorotNormal
he_uniform, he_normal = HeUniform, HeNormal
lecun_uniform, lecun_normal = LecunUniform, LecunNormal
OrthogonalInitializer, IdentityInitializer = Orthogonal, Identity

_lookup = Lookup(
    "initializer",
    {
        "zeros": Zeros,
        "zero": Zeros,
        "ones": Ones,
        "one": Ones,
        "constant": Constant,
        "identity": Identity,
        "IdentityInitializer": Identity,
        "random_normal": RandomNormal,
        "normal": RandomNormal,
        "truncated_normal": TruncatedNormal,
        "random_uniform": RandomUniform,
        "uniform": RandomUniform,
        "variance_scaling": VarianceScaling,
        "orthogonal": Orthogonal,
        "OrthogonalInitializer": Orthogonal,
        "glorot_uniform": GlorotUniform,
        "glorot_normal": GlorotNormal,
        "he_uniform": HeUniform,
        "he_normal": HeNormal,
        "lecun_uniform": LecunUniform,
        "lecun_normal": LecunNormal,
    },
)
serialize = _lookup.serialize
deserialize = _lookup.deserialize


def get(identifier):
    """The initializer that a name, config, object, function, array or number stands for.

    None stays None.
    """
    if identifier is None:
        return None
    if isinstance(identifier, np.ndarray):
        found = Constant(identifier)
        found.broadcasts = False
        return found
    if isinstance(identifier, np.generic | float):
        return Constant(identifier)
    if isinstance(identifier, str) and identifier.lower() in ("stft", "stft_initializer"):
        raise ValueError(f"{identifier!r}: seqrnn has no short-time Fourier transforms.")
    return _lookup.get(identifier)
