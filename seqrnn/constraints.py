"""Constraints: functions that a weight is replaced by after each step of the optimizer.

As in Keras 3; `axis` is what a norm is summed over: 0 for a kernel (inputs, units) bounds the
weights that come into each unit. A function `fn(weight) -> weight` serves as well.
"""

from __future__ import annotations

from seqrnn import config, ops
from seqrnn.lookup import Configurable, Lookup


class Constraint(Configurable):
    """Base class: override `__call__` and `get_config`."""

    def __call__(self, w):
        """w: the weight. Returns what takes its place, of the same shape."""
        return w


class MaxNorm(Constraint):
    """Norms of at most `max_value`: w * clip(|w|, 0, max_value) / (eps + |w|)."""

    def __init__(self, max_value=2, axis=0):
        self.max_value = max_value
        self.axis = axis

    def __call__(self, w):
        norms = _norms(w, self.axis)
        return w * (ops.clip(norms, 0.0, self.max_value) / (config.epsilon() + norms))

    def get_config(self):
        return {"max_value": self.max_value, "axis": self.axis}


class NonNeg(Constraint):
    """No negative weights: max(w, 0)."""

    def __call__(self, w):
        return ops.maximum(w, 0.0)


class UnitNorm(Constraint):
    """Norms of 1: w / (eps + |w|)."""

    def __init__(self, axis=0):
        self.axis = axis

    def __call__(self, w):
        return w / (config.epsilon() + _norms(w, self.axis))

    def get_config(self):
        return {"axis": self.axis}


class MinMaxNorm(Constraint):
    """Norms drawn into [min_value, max_value], by the part `rate` of the way:

    w * (rate * clip(|w|, min_value, max_value) + (1 - rate) * |w|) / (eps + |w|)
    """

    def __init__(self, min_value=0.0, max_value=1.0, rate=1.0, axis=0):
        self.min_value = min_value
        self.max_value = max_value
        self.rate = rate
        self.axis = axis

    def __call__(self, w):
        norms = _norms(w, self.axis)
        wanted = self.rate * ops.clip(norms, self.min_value, self.max_value)
        return w * ((wanted + (1.0 - self.rate) * norms) / (config.epsilon() + norms))

    def get_config(self):
        return {
            "min_value": self.min_value,
            "max_value": self.max_value,
            "rate": self.rate,
            "axis": self.axis,
        }


def _norms(w, axis):
    return ops.sqrt(ops.sum(ops.square(w), axis=axis, keepdims=True))


max_norm, non_neg, unit_norm, min_max_norm = MaxNorm, NonNeg, UnitNorm, MinMaxNorm
_lookup = Lookup(
    "constraint",
    {
        "max_norm": MaxNorm,
        "non_neg": NonNeg,
        "unit_norm": UnitNorm,
        "min_max_norm": MinMaxNorm,
    },
)
serialize = _lookup.serialize
deserialize = _lookup.deserialize


def get(identifier):
    """The constraint that a name, config, object or function stands for; None for None."""
    return None if identifier is None else _lookup.get(identifier)
