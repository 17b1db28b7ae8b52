"""What comes out of fit, evaluate and predict, in the form that users get it."""

import numpy as np

from seqrnn.trace import nest
from seqrnn.training.unequal import Cut


def validates(frequency, epoch):
    """Whether the epoch of this number, from 0, ends with a validation."""
    if isinstance(frequency, int | np.integer):
        return (epoch + 1) % frequency == 0
    return epoch + 1 in frequency


def returned(logs, return_dict):
    """What `evaluate` gives: the logs, or their values; one of them alone."""
    if return_dict:
        return logs
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def joined(parts):
    """Batches of nested arrays as one."""
    if len(parts) == 1:
        return nest.map_leaves(lambda leaf: _joined_leaf([leaf]), parts[0])
    leaves = [nest.flatten(part) for part in parts]
    joined = [_joined_leaf(arrays) for arrays in zip(*leaves, strict=True)]
    return nest.pack(parts[0], joined)


def _joined_leaf(arrays):
    if isinstance(arrays[0], Cut):
        return Cut([row for part in arrays for row in part.rows])
    return (arrays[0] if len(arrays) == 1 else np.concatenate(arrays)).view(np.ndarray)


def as_list(leaf):
    """A `Cut` as its list."""
    return leaf.rows if isinstance(leaf, Cut) else leaf
