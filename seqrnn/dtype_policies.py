"""What layers compute in: `DTypePolicy`. Everything of a layer has one dtype, float32 or float64.

`mixed_float16` and `mixed_bfloat16` are refused: processors compute no faster in them.
"""

from __future__ import annotations

from seqrnn import config
from seqrnn.errors import public_names
from seqrnn.lookup import Configurable


class DTypePolicy(Configurable):
    """The dtype of the weights and of the computation of a layer.

    Args:
        name: 'float32' or 'float64', or an integer dtype for an input; None for the global policy,
            `config.dtype_policy()`.

    Attributes:
        name, compute_dtype, variable_dtype: this dtype.

    Raises ValueError for mixed precision, other floats and what is no dtype.
    """

    def __init__(self, name=None):
        if name is not None and not isinstance(name, str):
            raise TypeError(f"DTypePolicy: name must be a string such as 'float32', got {name!r}.")
        self.name = self.compute_dtype = self.variable_dtype = config.policy_dtype(name)

    def get_config(self) -> dict:
        return {"name": self.name}

    def __eq__(self, other):
        return isinstance(other, DTypePolicy) and other.name == self.name

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return f'<DTypePolicy "{self.name}">'


FloatDTypePolicy = DTypePolicy


def get(identifier) -> DTypePolicy:
    """The policy that a name, a config or a policy stands for; None for the global one."""
    return DTypePolicy(config.policy_dtype(identifier))


def serialize(dtype_policy) -> dict:
    """A policy as data."""
    return {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": dtype_policy.get_config(),
        "registered_name": None,
    }


def deserialize(config, custom_objects=None) -> DTypePolicy:
    """The policy that `serialize` described."""
    return get(config)


__getattr__, __dir__ = public_names(__name__)
