"""Optimizers; `rules` has their formulas."""

from seqrnn.errors import NotAnOptimizerError, did_you_mean, public_names
from seqrnn.optimizers import legacy, schedules
from seqrnn.optimizers.base import Optimizer
from seqrnn.optimizers.muon import Muon
from seqrnn.optimizers.rules import (
    SGD,
    Adadelta,
    Adafactor,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    Ftrl,
    Lamb,
    Lion,
    Nadam,
    RMSprop,
    ScheduleFreeAdamW,
)
from seqrnn.optimizers.wrappers import LossScaleOptimizer, MultiOptimizer, OptimizerMap
from seqrnn.saving.objects import (
    deserialize_keras_object,
    get_registered_object,
    serialize_keras_object,
)

_RULES = (
    SGD, RMSprop, Adam, AdamW, Nadam, Adagrad, Adadelta, Adamax, Ftrl, Lion, Lamb, Adafactor,
    Muon, ScheduleFreeAdamW,
)  # fmt: skip
CLASSES = {cls.__name__.lower(): cls for cls in _RULES}
_WRAPPERS = {cls.__name__.lower(): cls for cls in (LossScaleOptimizer, MultiOptimizer)}


def get(identifier):
    """An optimizer by name in any case ('adam'), config, class or object; None for None.

    Raises ValueError for an unknown name, with those there are, and for anything else.
    """
    if identifier is None or isinstance(identifier, Optimizer):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Optimizer):
        return identifier()
    if isinstance(identifier, dict):
        return deserialize(identifier)
    if not isinstance(identifier, str):
        raise NotAnOptimizerError(
            f"Expected an optimizer as a string or object, got {identifier!r}."
        )
    return _class_named(identifier)()


def _class_named(name):
    found = get_registered_object(name) or CLASSES.get(name.lower())
    if found is not None:
        return found
    if name.lower() in _WRAPPERS:
        wrapper = _WRAPPERS[name.lower()].__name__
        raise ValueError(f"The name {name!r} says no inner optimizers: pass {wrapper}(...).")
    names = [cls.__name__ for cls in CLASSES.values()]
    near = did_you_mean(name, names)
    known = "" if near.startswith(" Known") else f" Known: {', '.join(names)}."
    raise ValueError(f"Unknown optimizer {name!r}.{near}{known}")


def serialize(optimizer):
    """An optimizer as plain data, without its state."""
    return serialize_keras_object(optimizer)


def deserialize(config, custom_objects=None):
    """The inverse of `serialize`; class names in any case."""
    name = config.get("class_name") if isinstance(config, dict) else None
    known = CLASSES | _WRAPPERS
    if isinstance(name, str) and name.lower() in known:
        config = {"module": "keras.optimizers", "registered_name": None, "config": {}, **config}
        config["class_name"] = known[name.lower()].__name__
    return deserialize_keras_object(config, custom_objects)


__getattr__, __dir__ = public_names(__name__)
