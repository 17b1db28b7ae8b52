"""Optimizers; `rules` has their formulas."""

from seqrnn.errors import NotAnOptimizerError, did_you_mean, public_names
from seqrnn.optimizers import schedules
from seqrnn.optimizers.base import Optimizer
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
)
from seqrnn.saving.objects import (
    deserialize_keras_object,
    get_registered_object,
    serialize_keras_object,
)

_RULES = (
    SGD, RMSprop, Adam, AdamW, Nadam, Adagrad, Adadelta, Adamax, Ftrl, Lion, Lamb, Adafactor,
)  # fmt: skip
CLASSES = {cls.__name__.lower(): cls for cls in _RULES}
_REFUSED = {
    "muon": "'Muon': AdamW is the rule for what Muon leaves to it",
    "lossscaleoptimizer": (
        "'LossScaleOptimizer': float32 needs no dynamic scale; use the optimizer it wraps, with "
        "loss_scale_factor= for a fixed one"
    ),
    "multioptimizer": "'MultiOptimizer': write a train_step that applies several optimizers",
    "optimizermap": "'OptimizerMap': write a train_step that applies several optimizers",
    "schedulefreeadamw": "'ScheduleFreeAdamW': use AdamW with use_ema=True or a schedule",
}


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
    if name.lower() in _REFUSED:
        raise ValueError(f"seqrnn has no {_REFUSED[name.lower()]}.")
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
    if isinstance(name, str) and name.lower() in _REFUSED:
        _class_named(name)
    if isinstance(name, str) and name.lower() in CLASSES:
        config = {"module": "keras.optimizers", "registered_name": None, "config": {}, **config}
        config["class_name"] = CLASSES[name.lower()].__name__
    return deserialize_keras_object(config, custom_objects)


_missing, __dir__ = public_names(__name__)


def __getattr__(name):
    if name.lower() in _REFUSED:
        raise AttributeError(f"seqrnn has no {_REFUSED[name.lower()]}.", name=name)
    return _missing(name)
