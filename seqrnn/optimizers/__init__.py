"""Optimizers; `rules` has their formulas."""

from seqrnn.errors import did_you_mean, public_names
from seqrnn.optimizers import schedules
from seqrnn.optimizers.base import Optimizer
from seqrnn.optimizers.rules import SGD, Adam, AdamW, Nadam, RMSprop
from seqrnn.saving.objects import (
    deserialize_keras_object,
    get_registered_object,
    serialize_keras_object,
)

CLASSES = {cls.__name__.lower(): cls for cls in (SGD, RMSprop, Adam, AdamW, Nadam)}


def get(identifier):
    """An optimizer by name in any case ('adam'), config, class or object.

    Raises ValueError for an unknown name, with those there are.
    """
    if isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if not isinstance(identifier, str):
        raise TypeError(f"Expected an optimizer as a string or object, got {identifier!r}.")
    found = get_registered_object(identifier) or CLASSES.get(identifier.lower())
    if found is None:
        names = [cls.__name__ for cls in CLASSES.values()]
        near = did_you_mean(identifier, names)
        known = "" if near.startswith(" Known") else f" Known: {', '.join(names)}."
        raise ValueError(f"Unknown optimizer {identifier!r}.{near}{known}")
    return found()


def serialize(optimizer):
    """An optimizer as plain data, without its state."""
    return serialize_keras_object(optimizer)


def deserialize(config, custom_objects=None):
    """The inverse of `serialize`."""
    return deserialize_keras_object(config, custom_objects)


__getattr__, __dir__ = public_names(__name__)
