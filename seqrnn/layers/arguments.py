"""The arguments of a layer: of its constructor, of its `call`."""

from __future__ import annotations

import functools
import inspect
from typing import NamedTuple

import numpy as np

from seqrnn.errors import RENAMED, NotInitialisedError, UnknownArgumentError, did_you_mean

# Every layer takes these by keyword.
COMMON = ("activity_regularizer", "trainable", "dtype", "autocast", "name")

_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def refuse_unknown(cls: type, unknown: dict) -> None:
    """Raises UnknownArgumentError for the first of the keywords `unknown`; fine when there is none.

    `GRU() got an unexpected keyword argument 'return_sequence'. Did you mean 'return_sequences'?`
    What Keras has and seqrnn has not, `cls._unsupported`, may be given with its default.
    """
    for name, value in unknown.items():
        if name in cls._unsupported:
            if value != cls._unsupported[name]:
                raise ValueError(
                    f"{cls.__name__}: {name} is not supported, got {value!r}; leave it out, or at "
                    f"{cls._unsupported[name]!r}."
                )
            continue
        raise UnknownArgumentError(
            f"{cls.__name__}() got an unexpected keyword argument {name!r}."
            f"{did_you_mean(name, constructor_arguments(cls))}"
        )


def refuse_renamed(cls: type, options: dict) -> None:
    """UnknownArgumentError for a name of Keras 1 whose new name the class has."""
    known = constructor_arguments(cls)
    for name in RENAMED.keys() & options.keys():
        if name not in known and RENAMED[name] in known:
            refuse_unknown(cls, {name: options[name]})


def constructor_arguments(cls: type) -> list[str]:
    """The keywords that the constructors of `cls` and its bases know."""
    names = dict.fromkeys(COMMON + ("input_shape",))
    for base in cls.__mro__:
        if "__init__" in base.__dict__ and base is not object:
            for parameter in list(inspect.signature(base.__init__).parameters.values())[1:]:
                if parameter.kind in _NAMED:
                    names[parameter.name] = None
    return list(names)


def declared_input_shape(cls: type, options: dict) -> tuple | None:
    """Takes the input keywords out of `options`; the input's shape with the batch axis, or None.

    `input_shape=[None, 1]` gives (None, None, 1); `input_dim=3, input_length=10` of a recurrent
    layer gives (None, 10, 3).
    """
    batch_shape = options.pop("batch_input_shape", None)
    shape = options.pop("input_shape", None)
    dim, batch, length = (
        whole_sizes((options.pop(name, None),), f"{cls.__name__}: {name}")[0]
        for name in ("input_dim", "batch_size", "input_length")
    )
    if batch_shape is not None:
        return whole_sizes(batch_shape, f"{cls.__name__}: batch_input_shape")
    if isinstance(shape, int) and getattr(cls, "_sequence_input", False):
        raise ValueError(
            f"{cls.__name__}: input_shape={shape} is a number (the shape of one axis is written "
            f"({shape},)); it must be (steps, features), such as ({shape}, 1) or (None, {shape})."
        )
    if shape is not None:
        return (batch, *whole_sizes(shape, f"{cls.__name__}: input_shape"))
    if dim is not None:
        recurrent = length is not None or getattr(cls, "_sequence_input", False)
        return (batch, length, dim) if recurrent else (batch, dim)
    return None


def whole_sizes(shape, what: str) -> tuple:
    """A shape given by the user as a tuple of ints and None; `what` names it in the ValueError."""
    shape = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    for size in shape:
        whole = isinstance(size, (int, np.integer)) and not isinstance(size, bool) and size >= 0
        if size is not None and not whole:
            raise ValueError(f"{what} must hold whole numbers or None, got {shape}.")
    return tuple(None if size is None else int(size) for size in shape)


def flag(value, layer, name: str) -> bool:
    """`value` of an argument that is True or False. TypeError for anything else, for a string such
    as 'False' counts as true."""
    if not isinstance(value, (bool, int, np.bool_, np.integer)) or value not in (0, 1):
        raise TypeError(f"{type(layer).__name__}: {name} must be True or False, got {value!r}.")
    return bool(value)


def check_aggregation(value) -> None:
    """ValueError unless `value` is one of Keras's words for how devices share a weight."""
    words = (None, "none", "mean", "sum", "only_first_replica")
    if value not in words:
        raise ValueError(f"add_weight: aggregation must be one of {words}, got {value!r}.")


class CallSpec(NamedTuple):
    """What the signature of a `call` says."""

    first: str | None  # name of the first argument
    required: int  # positional arguments without a default
    training: bool  # has an argument `training`
    mask: bool  # has an argument `mask`
    extra: bool  # has **kwargs
    positional: tuple  # names of the positional arguments
    named: frozenset  # names that can be given as keywords
    masked: tuple  # names with another beside them for their mask: value, value_mask


@functools.lru_cache(1024)
def call_spec(function) -> CallSpec:
    """The spec of an unbound `call`; without its `self`."""
    parameters = list(inspect.signature(function).parameters.values())[1:]
    named = frozenset(p.name for p in parameters if p.kind in _NAMED)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    names = tuple(p.name for p in positional)
    return CallSpec(
        first=names[0] if names else None,
        required=sum(p.default is p.empty for p in positional),
        training="training" in named,
        mask="mask" in named,
        extra=any(p.kind is p.VAR_KEYWORD for p in parameters),
        positional=names,
        named=named,
        masked=tuple(name for name in names if f"{name}_mask" in names),
    )


def checked_init(cls: type, init):
    """The `__init__` of a user's layer or model: afterwards that of `Layer` must have run."""

    @functools.wraps(init)
    def wrapper(self, *args, **kwargs):
        init(self, *args, **kwargs)
        if "built" not in self.__dict__:
            raise NotInitialisedError(cls)

    return wrapper


def is_plain(value) -> bool:
    """Whether JSON can hold `value`: None, numbers, strings, and lists and dicts of such."""
    if isinstance(value, (list, tuple)):
        return all(map(is_plain, value))
    if isinstance(value, dict):
        return all(isinstance(k, str) and is_plain(v) for k, v in value.items())
    return value is None or isinstance(value, (bool, int, float, str))


class Recipe:
    """The arguments that a layer was made with, for the classes that have no `get_config`."""

    __slots__ = ("args", "kwargs")

    def __init__(self, args: tuple, kwargs: dict):
        self.args = args
        self.kwargs = kwargs

    def config(self, layer) -> dict:
        """The arguments by name, but those that every layer has. NotImplementedError if one of
        them is not plain."""
        cls = type(layer)
        bound = inspect.signature(cls.__init__).bind(layer, *self.args, **self.kwargs).arguments
        values: dict = {}
        for name, parameter in list(inspect.signature(cls.__init__).parameters.items())[1:]:
            if name in bound:
                extra = parameter.kind is parameter.VAR_KEYWORD
                values.update(bound[name] if extra else {name: bound[name]})
        for name in (*COMMON, "input_shape", "batch_input_shape"):
            values.pop(name, None)
        for name, value in values.items():
            if not is_plain(value):
                raise NotImplementedError(
                    f"{cls.__name__} needs a method `get_config`: its argument {name!r} is a "
                    f"{type(value).__name__}, which is not saved by itself. Return a dict of the "
                    "constructor's arguments, updated with `super().get_config()`."
                )
        return values
