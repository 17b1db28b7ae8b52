"""Random numbers, a pure function of a seed: the same for any number of threads.

`seed` is an int: always the same numbers; a `SeedGenerator`: new ones each time, the same series
for the same generator; or None: drawn from Python's `random`, so `utils.set_random_seed` fixes it.
In a function that is traced the numbers change from run to run, with the run's step counter.
ValueError for another seed, for a dtype of the wrong kind, and for parameters out of range.
"""

from __future__ import annotations

import random as _python

import numpy as np

from seqrnn import config, ops
from seqrnn.errors import UnknownArgumentError
from seqrnn.trace import Function, KerasTensor, Tensor, Variable, current, emit1

_SPREAD = 0x9E3779B97F4A7C15  # odd: consecutive counts give distant streams


def draw_seed() -> int:
    """A seed from Python's `random`, 1 .. 10**9."""
    return _python.randint(1, 10**9)


class SeedGenerator:
    """A series of seeds.

    Args:
        seed: where it starts; None: drawn from Python's `random`.
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs):
        if kwargs:
            raise UnknownArgumentError(
                f"SeedGenerator() got an unexpected keyword argument {next(iter(kwargs))!r}."
            )
        if seed is not None and (not _is_whole(seed) or seed < 0):
            raise ValueError(f"SeedGenerator: seed must be a whole number >= 0, got {seed!r}.")
        self.name = name or config.unique_name("seed_generator")
        self.initial_seed = draw_seed() if seed is None else int(seed)
        self.count = 0

    def next(self, ordered: bool = True) -> int:
        """The next seed of the series.

        In each function that is traced the series starts anew, so that what a layer draws does not
        depend on how often it has been traced; the step counter makes the runs differ.
        """
        frame = current()
        if frame is None:
            self.count += 1
            count = self.count
        else:
            draws = frame.root.draws
            count = draws[self] = draws.get(self, frame.root.first_draw) + 1
        return (self.initial_seed + count * _SPREAD) % 2**62

    def get_config(self) -> dict:
        """What `from_config` needs."""
        return {"seed": self.initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config):
        """A generator made from what `get_config` gave."""
        return cls(**config)


def _is_whole(seed) -> bool:
    return isinstance(seed, int | np.integer) and not isinstance(seed, bool)


def _stream(seed) -> int:
    if seed is None:
        return draw_seed()
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if not _is_whole(seed):
        raise ValueError(f"seed must be an int, a SeedGenerator or None, got {seed!r}.")
    return int(seed)


def _check(function: str, name: str, value, fits, expected: str) -> None:
    """ValueError unless all numbers in `value` fit; what has values in a run only is let pass."""
    if not isinstance(value, Tensor | KerasTensor | Variable) and not np.all(
        fits(np.asarray(value))
    ):
        raise ValueError(f"{function}: {name} must be {expected}, got {value!r}.")


def _dtype_of_kind(function: str, dtype, floats: bool) -> str:
    dtype = config.standardize_dtype(dtype)
    if config.is_float(dtype) != floats or dtype == "bool":
        kind = "a float" if floats else "an integer"
        raise ValueError(f"{function}: dtype must be {kind}, got {dtype!r}.")
    return dtype


def _drawn(op: str, shape, dtype, seed, **attrs):
    """The node, or at once the array, of a random op."""
    dtype = _dtype_of_kind(op, dtype, floats=True)
    attrs |= {"shape": tuple(int(d) for d in shape), "dtype": dtype}
    stream = _stream(seed)
    if current() is not None:
        return emit1(op, seed=stream, **attrs)
    return _at_once.at_step(stream, op, **attrs)


# Eagerly the seed is the step counter, so that all seeds share one plan.
_at_once = Function(lambda op, **attrs: emit1(op, seed=0, **attrs))


def uniform(shape, minval=0.0, maxval=1.0, dtype=None, seed=None):
    """Uniform in [minval, maxval)."""
    unit = _drawn("random_uniform", shape, dtype, seed)
    return unit if (minval, maxval) == (0.0, 1.0) else unit * (maxval - minval) + minval


def normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normal with this mean and standard deviation."""
    standard = _drawn("random_normal", shape, dtype, seed)
    return standard if (mean, stddev) == (0.0, 1.0) else standard * stddev + mean


def truncated_normal(shape, mean=0.0, stddev=1.0, dtype=None, seed=None):
    """Normal, drawn again where it is more than two standard deviations from the mean."""
    series = SeedGenerator(_stream(seed))
    z = normal(shape, dtype=dtype, seed=series)
    for _ in range(8):  # one in 10**12 is still outside then, and clipped
        z = ops.where(ops.abs(z) < 2.0, z, normal(shape, dtype=dtype, seed=series))
    return ops.clip(z, -2.0, 2.0) * stddev + mean


def randint(shape, minval, maxval, dtype="int32", seed=None):
    """Whole numbers from minval to maxval - 1, all as likely."""
    dtype = _dtype_of_kind("randint", dtype, floats=False)
    _check("randint", "minval", minval, lambda low: low < maxval, f"below maxval, {maxval!r}")
    unit = uniform(shape, dtype="float64", seed=seed)
    return ops.cast(ops.floor(unit * (maxval - minval)) + minval, dtype)


def categorical(logits, num_samples, dtype="int32", seed=None):
    """Classes drawn with probabilities softmax(logits): (batch, classes) gives (batch, samples)."""
    logits = ops.convert_to_tensor(logits)
    if len(logits.shape) != 2:
        raise ValueError(
            f"categorical: logits must have the shape (batch, classes), got {tuple(logits.shape)}."
        )
    shape = (logits.shape[0], num_samples, logits.shape[1])
    u = uniform(shape, seed=seed)
    gumbel = -ops.log(-ops.log(ops.clip(u, 1e-20, 1.0 - 6e-8)))
    return ops.cast(ops.argmax(ops.expand_dims(logits, 1) + gumbel, -1), dtype)


def gamma(shape, alpha, dtype=None, seed=None):
    """Gamma-distributed with shape parameter alpha > 0 (a number or tensor, broadcast), scale 1.

    d v with v = (1 + c z)^3, z normal, d = alpha - 1/3, c = 1 / sqrt(9 d), drawn again unless
    log u < z^2 / 2 + d (1 - v + log v); below alpha = 1 that of alpha + 1, times u^(1 / alpha)
    (Marsaglia and Tsang, A Simple Method for Generating Gamma Variables, 2000).
    """
    _check("gamma", "alpha", alpha, lambda a: a > 0, "above 0")
    dtype = config.standardize_dtype(dtype)
    series = SeedGenerator(_stream(seed))
    alpha = ops.broadcast_to(ops.cast(alpha, dtype), shape)
    d = ops.where(alpha < 1.0, alpha + 1.0, alpha) - 1.0 / 3
    c = ops.rsqrt(9.0 * d)
    found = ops.ones(shape, dtype)
    for _ in range(10):  # each fails once in 20; what is left after that is the mode, v = 1
        z = normal(shape, dtype=dtype, seed=series)
        u = ops.maximum(uniform(shape, dtype=dtype, seed=series), 1e-30)
        v = 1.0 + c * z
        v = ops.where(v > 0.0, v * v * v, 0.0)
        safe = ops.maximum(v, 1e-30)
        good = (v > 0.0) & (ops.log(u) < 0.5 * z * z + d * (1.0 - v + ops.log(safe)))
        found = ops.where(ops.logical_and(good, found == 1.0), v, found)
    u = ops.maximum(uniform(shape, dtype=dtype, seed=series), 1e-30)
    return d * found * ops.where(alpha < 1.0, ops.exp(ops.log(u) / alpha), 1.0)


def beta(shape, alpha, beta, dtype=None, seed=None):
    """Beta-distributed, alpha and beta above 0: a / (a + b) of two gamma-distributed numbers."""
    for name, value in (("alpha", alpha), ("beta", beta)):
        _check("beta", name, value, lambda a: a > 0, "above 0")
    series = SeedGenerator(_stream(seed))
    a, b = gamma(shape, alpha, dtype, series), gamma(shape, beta, dtype, series)
    return a / (a + b)


def binomial(shape, counts, probabilities, dtype=None, seed=None):
    """How many of `counts` tries succeed, each with the probability given; both are broadcast.

    counts: whole numbers known now, at most 10,000: every try is drawn.
    """
    tries = np.asarray(counts)
    most = int(tries.max())
    if (tries < 0).any() or (tries != np.floor(tries)).any() or most > 10_000:
        raise ValueError(f"binomial: counts must be whole, from 0 to 10,000; got {counts!r}.")
    _check(
        "binomial",
        "probabilities",
        probabilities,
        lambda p: (p >= 0) & (p <= 1),
        "from 0 to 1",
    )
    shape = tuple(shape)
    u = uniform((*shape, most), seed=seed)
    p = ops.expand_dims(ops.broadcast_to(probabilities, shape), -1)
    counted = np.arange(most) < np.broadcast_to(tries, shape)[..., None]
    return ops.cast(ops.sum((u < p) & counted, -1), config.standardize_dtype(dtype))


def dropout(inputs, rate, noise_shape=None, seed=None):
    """Elements become 0 with probability `rate`, the others are multiplied by 1 / (1 - rate)."""
    inputs = ops.convert_to_tensor(inputs)
    shape = inputs.shape if noise_shape is None else noise_shape
    shape = [d if n is None else n for n, d in zip(shape, inputs.shape, strict=True)]
    return inputs * dropout_mask(shape, rate, seed, inputs.dtype)


def dropout_mask(shape, rate, seed=None, dtype=None):
    """0 with probability `rate`, else 1 / (1 - rate): what dropout multiplies by."""
    if not 0.0 <= rate <= 1.0:
        raise ValueError(f"dropout: rate must be from 0 to 1, got {rate!r}.")
    return _drawn("dropout_mask", shape, dtype, seed, rate=float(rate))


def shuffle(x, axis=0, seed=None):
    """The slices along an axis in a random order."""
    x = ops.convert_to_tensor(x)
    order = ops.argsort(uniform((x.shape[axis],), dtype="float64", seed=seed))
    return ops.take(x, order, axis)
