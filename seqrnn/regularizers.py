"""Regularizers: functions of a weight, whose value is added to the loss.

    L1: l1 * sum |w|        L2: l2 * sum w²  (no factor 1/2)        L1L2: their sum

As in Keras 3. A function `fn(weight) -> scalar` serves as well.
"""

from __future__ import annotations

import math

from seqrnn import ops
from seqrnn.lookup import Configurable, Lookup


class Regularizer(Configurable):
    """Base class: override `__call__` and `get_config`."""

    def __call__(self, x):
        """x: the weight, any shape. Returns a scalar."""
        return 0.0


class L1L2(Regularizer):
    """l1 * sum |w| + l2 * sum w²."""

    def __init__(self, l1=0.0, l2=0.0):
        self.l1 = _factor(l1, "l1")
        self.l2 = _factor(l2, "l2")

    def __call__(self, x):
        total = 0.0
        if self.l1:
            total = total + self.l1 * ops.sum(ops.abs(x))
        if self.l2:
            total = total + self.l2 * ops.sum(ops.square(x))
        return total

    def get_config(self):
        return {"l1": self.l1, "l2": self.l2}


class L1(Regularizer):
    """l1 * sum |w|."""

    def __init__(self, l1=0.01):
        self.l1 = _factor(0.01 if l1 is None else l1, "l1")

    def __call__(self, x):
        return self.l1 * ops.sum(ops.abs(x))

    def get_config(self):
        return {"l1": self.l1}


class L2(Regularizer):
    """l2 * sum w²."""

    def __init__(self, l2=0.01):
        self.l2 = _factor(0.01 if l2 is None else l2, "l2")

    def __call__(self, x):
        return self.l2 * ops.sum(ops.square(x))

    def get_config(self):
        return {"l2": self.l2}


class OrthogonalRegularizer(Regularizer):
    """Draws the rows (or columns) of a matrix towards being orthogonal to each other.

    factor * 1/2 * sum over pairs i ≠ j of |<u_i, u_j>|, divided by the number of pairs n(n-1)/2,
    where u_i are the rows of unit length.
    """

    def __init__(self, factor=0.01, mode="rows"):
        if mode not in ("rows", "columns"):
            raise ValueError(f"OrthogonalRegularizer: mode is 'rows' or 'columns', got {mode!r}.")
        self.factor = _factor(factor, "factor")
        self.mode = mode

    def __call__(self, x):
        if len(x.shape) != 2:
            raise ValueError(f"OrthogonalRegularizer: expected a matrix, got shape {x.shape}.")
        axis = 1 if self.mode == "rows" else 0
        x = x / ops.maximum(ops.sqrt(ops.sum(ops.square(x), axis=axis, keepdims=True)), 1e-7)
        products = x @ ops.transpose(x) if self.mode == "rows" else ops.transpose(x) @ x
        n = products.shape[0]
        if n < 2:
            return 0.0 * ops.sum(products)
        off_diagonal = products * (1.0 - ops.eye(n, dtype=products.dtype))
        return self.factor * 0.5 * ops.sum(ops.abs(off_diagonal)) / (n * (n - 1) / 2)

    def get_config(self):
        return {"factor": self.factor, "mode": self.mode}


def _factor(value, name: str) -> float:
    value = 0.0 if value is None else value
    if not isinstance(value, (int, float)) or not 0 <= value < math.inf:
        raise ValueError(f"a regularizer's {name} must be a number from 0, got {value!r}.")
    return float(value)


l1, l2, l1_l2, orthogonal_regularizer = L1, L2, L1L2, OrthogonalRegularizer
_lookup = Lookup(
    "regularizer",
    {
        "l1": L1,
        "l2": L2,
        "l1l2": L1L2,
        "L1L2": L1L2,
        "l1_l2": L1L2,
        "orthogonal_regularizer": OrthogonalRegularizer,
    },
)
serialize = _lookup.serialize
deserialize = _lookup.deserialize


def get(identifier):
    """The regularizer that a name, config, object or function stands for; None for None."""
    return None if identifier is None else _lookup.get(identifier)
