"""Layers that make vectors of categories, and categories of numbers.

`CategoryEncoding`: class numbers to vectors. `Discretization`: numbers to the bins they fall into.
"""

from __future__ import annotations

import itertools

import numpy as np

from seqrnn import config, ops
from seqrnn.errors import did_you_mean
from seqrnn.layers.base import Layer
from seqrnn.layers.options import positive_int

_SPELT = {"binary": "multi_hot", "tf-idf": "tf_idf"}  # Keras 2


def output_mode_of(layer, mode, known):
    """The name of an output mode; ValueError for others than `known`."""
    mode = _SPELT.get(mode, mode)
    if mode not in known:
        raise ValueError(
            f"{type(layer).__name__}: unknown output_mode {mode!r}.{did_you_mean(mode, known)}"
        )
    return mode


def refuse_sparse(layer, sparse):
    """ValueError if sparse tensors are asked for."""
    if sparse:
        raise ValueError(
            f"{type(layer).__name__}: sparse is not supported, leave it out; got {sparse!r}."
        )


def encode(indices, mode, depth, dtype, weights=None):
    """Class numbers as vectors of `depth` values; the numbers outside of 0 .. depth - 1 are left
    out.

    'int': as they are. 'one_hot': a vector for each, (..., depth); a last axis of 1 goes.
    'multi_hot', 'count': one vector for all along axis 1, (B, n) -> (B, depth): which there are,
    and how many (or the sum of their weights).
    """
    if mode == "int":
        return ops.cast(indices, dtype)
    if indices.ndim == 0:
        indices = ops.reshape(indices, (1,))
    if mode == "one_hot":
        if indices.ndim > 1 and indices.shape[-1] == 1:
            indices = ops.squeeze(indices, -1)
        return ops.one_hot(indices, depth, dtype=dtype)
    if mode == "multi_hot":
        return ops.multi_hot(indices, depth, dtype=dtype)
    hot = ops.one_hot(indices, depth, dtype=dtype)
    if weights is not None:
        hot = hot * ops.expand_dims(ops.cast(weights, dtype), -1)
    return ops.sum(hot, 1 if indices.ndim > 1 else 0)


class CategoryEncoding(Layer):
    """Class numbers as vectors: (B, n) -> (B, num_tokens), or (..., num_tokens) for 'one_hot'.

    Args:
        num_tokens: how many classes there are.
        output_mode: 'multi_hot': 1 for each class that is in the sample; 'count': how many times;
            'one_hot': a vector for each number.
        sparse: not supported.

    Call arguments:
        inputs: class numbers (B, n).
        count_weights: (B, n), for 'count': what each of them counts.
    """

    def __init__(self, num_tokens=None, output_mode="multi_hot", sparse=False, **kwargs):
        super().__init__(**kwargs)
        refuse_sparse(self, sparse)
        self.output_mode = output_mode_of(self, output_mode, ("count", "one_hot", "multi_hot"))
        self.num_tokens = positive_int(num_tokens, "CategoryEncoding: num_tokens")

    def call(self, inputs, count_weights=None):
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(f"count_weights needs output_mode 'count', not {self.output_mode!r}")
        indices = ops.cast(inputs, "int32")
        return encode(indices, self.output_mode, self.num_tokens, self.compute_dtype, count_weights)

    def get_config(self):
        return {
            **super().get_config(),
            "num_tokens": self.num_tokens,
            "output_mode": self.output_mode,
        }


class Discretization(Layer):
    """Numbers as the bins they fall into: i where boundary[i-1] <= x < boundary[i].

    Args:
        bin_boundaries: ascending numbers; there is one more bin than boundaries.
        num_bins: give it in their place, and call `adapt(data)`, which cuts the data into so many
            bins of equal size.
        epsilon: how exact that is, as a share of the data.
        output_mode: 'int': the bin's number, int32; 'one_hot', 'multi_hot', 'count': vectors of it,
            see `CategoryEncoding`.
        sparse: not supported.
    """

    def __init__(
        self,
        bin_boundaries=None,
        num_bins=None,
        epsilon=0.01,
        output_mode="int",
        sparse=False,
        dtype=None,
        name=None,
        **kwargs,
    ):
        super().__init__(dtype=dtype, name=name, **kwargs)
        refuse_sparse(self, sparse)
        known = ("int", "one_hot", "multi_hot", "count")
        self.output_mode = output_mode_of(self, output_mode, known)
        if (num_bins is None) == (bin_boundaries is None):
            raise ValueError(
                "Discretization: give either bin_boundaries or num_bins, got "
                f"bin_boundaries={bin_boundaries!r} and num_bins={num_bins!r}."
            )
        self.num_bins = num_bins
        if num_bins is not None:
            self.num_bins = positive_int(num_bins, "Discretization: num_bins")
        self.bin_boundaries = None
        if bin_boundaries is not None:
            self.bin_boundaries = [float(b) for b in bin_boundaries]
        self.epsilon = epsilon

    def adapt(self, data, steps=None) -> None:
        """Takes the boundaries from an array, or from up to `steps` batches of an iterable."""
        if self.num_bins is None:
            raise ValueError(
                f"layer {self.name!r} (Discretization) has bin_boundaries; to adapt it, make it "
                "with num_bins."
            )
        summary = np.zeros((2, 0), np.float32)
        for batch in batches_of(data, steps):
            summary = _merged(_summary(np.asarray(batch), self.epsilon), summary, self.epsilon)
        if not summary.size:
            raise ValueError("Discretization.adapt: the data is empty.")
        self.bin_boundaries = _compressed(summary, 1.0 / self.num_bins)[0, :-1].tolist()
        config.invalidate()  # plans hold the old ones as constants

    def call(self, inputs):
        if self.bin_boundaries is None:
            raise ValueError("call `adapt(data)` first, or give bin_boundaries")
        bins = ops.digitize(inputs, np.asarray(self.bin_boundaries, self.compute_dtype))
        dtype = "int32" if self.output_mode == "int" else self.compute_dtype
        return encode(bins, self.output_mode, len(self.bin_boundaries) + 1, dtype)

    def get_config(self):
        return {
            "bin_boundaries": self.bin_boundaries,
            "num_bins": self.num_bins,
            "epsilon": self.epsilon,
            "output_mode": self.output_mode,
            "sparse": False,
            "name": self.name,
            "dtype": self.dtype,
        }

    @classmethod
    def from_config(cls, config):
        """The layer; an adapted one has its boundaries in the config beside num_bins."""
        boundaries = config.get("bin_boundaries")
        if boundaries is None or config.get("num_bins") is None:
            return cls(**config)
        layer = cls(**{**config, "bin_boundaries": None})
        layer.bin_boundaries = list(boundaries)
        return layer


def batches_of(data, steps=None):
    """What `adapt` is given, as batches: an array or a list is one, anything else yields them."""
    if isinstance(data, np.ndarray | list | tuple) or hasattr(data, "to_numpy"):
        return [data]
    return itertools.islice(data, steps)


# ---- quantiles of data that come in batches, as Keras approximates them ----
#
# A summary is an array (2, n): values in ascending order, and how many of the data each of them
# stands for.


def _summary(values, epsilon):
    """At most about 1 / epsilon of the values, at equal distances in their order."""
    values = np.sort(values.astype(np.float32), axis=None)
    step = max(len(values) * epsilon, 1)
    kept = values[int(step - 1) :: int(step)]
    return np.stack([kept, np.full_like(kept, step)])


def _merged(one, other, epsilon):
    """The summary of two sets of data together."""
    both = np.concatenate([one, other], axis=1)
    return _compressed(both[:, np.argsort(both[0])], epsilon)


def _compressed(summary, epsilon):
    """1 / epsilon values, each for the same share of the data, interpolated between those given."""
    values, weights = summary
    if len(values) * epsilon < 1:
        return summary
    wanted = epsilon + np.arange(0.0, 1.0, epsilon)
    total = np.cumsum(weights)
    shares = total / total[-1]
    counts = np.diff(np.interp(wanted, shares, total), prepend=0.0)
    return np.stack([np.interp(wanted, shares, values), counts]).astype(np.float32)
