"""Errors of the Python side, the suggestion they end with, and what modules show of themselves."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Callable, Iterable
from types import ModuleType


class UnknownObjectError(ValueError, TypeError):
    """A class or function that saved data name and nobody knows; a TypeError as in Keras."""


class BadConfigError(ValueError, TypeError):
    """No object can be made from its config. Keras 3 raises TypeError, whatever the reason is."""


class UnknownArgumentError(TypeError, ValueError):
    """A constructor got a keyword that it does not have.

    Python raises TypeError for this and Keras 3 ValueError, so this is both.
    """


class NotInitialisedError(RuntimeError, AttributeError):
    """A layer or model whose class has an `__init__` that does not call that of its base.

    RuntimeError as in Keras; an AttributeError too, so that `hasattr` gives False.
    """

    def __init__(self, cls: type):
        super().__init__(
            f"{cls.__name__}.__init__ does not call `super().__init__()`. Write it there as the "
            "first line, before the layer or model is used."
        )


class NotALayerError(TypeError, ValueError):
    """Something else was given where a layer belongs: a TypeError; Keras 3 raises ValueError."""


class NotAnOptimizerError(TypeError, ValueError):
    """Something else was given where an optimizer belongs: a TypeError; Keras 3: ValueError."""


class UnknownOutputError(ValueError, KeyError):
    """Losses, metrics, weights or targets are given for an output that the model does not have.

    Keras 3 raises KeyError for losses and ValueError for the others, so this is both.
    """

    __str__ = ValueError.__str__


def not_supported(what: str, **options) -> None:
    """ValueError for the first of these options of Keras that is given."""
    for name, value in options.items():
        if value is not None:
            raise ValueError(f"{what}: {name} is not supported, leave it out; got {value!r}.")


# What was called otherwise in Keras 1 and 2; where the new name is known, it is meant.
RENAMED = {
    "output_dim": "units",
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "subsample_length": "strides",
    "subsample": "strides",
    "border_mode": "padding",
    "atrous_rate": "dilation_rate",
    "pool_length": "pool_size",
    "stride": "strides",
    "init": "kernel_initializer",
    "inner_init": "recurrent_initializer",
    "forget_bias_init": "unit_forget_bias",
    "inner_activation": "recurrent_activation",
    "W_regularizer": "kernel_regularizer",
    "U_regularizer": "recurrent_regularizer",
    "b_regularizer": "bias_regularizer",
    "W_constraint": "kernel_constraint",
    "U_constraint": "recurrent_constraint",
    "b_constraint": "bias_constraint",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    "consume_less": "implementation",
    "bias": "use_bias",
    "p": "rate",
    "beta_init": "beta_initializer",
    "gamma_init": "gamma_initializer",
    "period": "save_freq",
    "Merge": "Concatenate",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
    "TimeDistributedDense": "TimeDistributed",
}


def did_you_mean(word: object, words: Iterable[str]) -> str:
    """The end of an error text: " Did you mean 'tanh'?", or all the words when none is near.

    Starts with a space, so that it can follow a full sentence; empty when `words` is empty.
    """
    words = sorted(set(words))
    if not words:
        return ""
    text = str(word)
    if RENAMED.get(text) in words:
        return f" Did you mean {RENAMED[text]!r}?"
    lowered = {w.lower(): w for w in words}
    near = difflib.get_close_matches(text.lower(), list(lowered), n=1, cutoff=0.65)
    if near:
        return f" Did you mean {lowered[near[0]]!r}?"
    return " Known: " + ", ".join(repr(w) for w in words) + "."


def public_names(module: str) -> tuple[Callable, Callable]:
    """`__getattr__` and `__dir__` of a module for users.

    An unknown name is an AttributeError that suggests the nearest one, and tab completion lists
    what is there to be used, without the modules and helpers behind it.
    """

    def listed():
        found = vars(sys.modules[module])
        return sorted(n for n in found if not n.startswith("_") and _is_public(n, found[n]))

    def missing(name):
        text = f"module {module!r} has no attribute {name!r}."
        if not name.startswith("_"):
            near = did_you_mean(name, listed())
            near = "" if near.startswith(" Known") else near
            text += f"{near} seqrnn has not all of Keras: dir({module}) lists what it has."
        raise AttributeError(text, name=name)

    return missing, listed


def _is_public(name: str, value) -> bool:
    home = getattr(value, "__module__", None) or type(value).__module__
    return (
        home.startswith("seqrnn")
        and home != __name__
        and not isinstance(value, ModuleType)
        and name not in ("Lookup", "Configurable")
    )
