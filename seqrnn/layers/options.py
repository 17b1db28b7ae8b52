"""What the constructors of layers share: options of weights, and checks of numbers.

An option is named after a weight and a kind: `kernel_initializer`, `bias_regularizer`,
`gamma_constraint`.
"""

from __future__ import annotations

import numpy as np

from seqrnn import constraints, initializers, regularizers
from seqrnn.layers.input_spec import InputSpec

_KINDS = {
    "initializer": initializers,
    "regularizer": regularizers,
    "constraint": constraints,
}


def keep_options(layer, **options) -> None:
    """Sets each option as an attribute of the layer, names and configs turned into objects."""
    for name, value in options.items():
        setattr(layer, name, _KINDS[name.rpartition("_")[2]].get(value))
    layer._weight_options = tuple(options)


def options_config(layer) -> dict:
    """The options kept, as `get_config` gives them."""
    return {
        name: _KINDS[name.rpartition("_")[2]].serialize(getattr(layer, name))
        for name in layer._weight_options
    }


def weight(layer, name: str, shape: tuple, **kwargs):
    """`layer.add_weight`, with the options that the layer keeps for this name."""
    options = {kind: getattr(layer, f"{name}_{kind}", None) for kind in _KINDS}
    return layer.add_weight(name=name, shape=shape, **options, **kwargs)


def positive_int(value, what: str) -> int:
    """`value` as an int from 1; `what` names it in the ValueError: 'Dense: units'."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{what} must be a positive whole number, got {value!r}.")
    return int(value)


def whole_numbers(values) -> tuple | None:
    """A list or tuple of whole numbers as a tuple of ints, None for anything else."""
    if not isinstance(values, (list, tuple)) or not all(
        isinstance(v, (int, np.integer)) and not isinstance(v, bool) for v in values
    ):
        return None
    return tuple(map(int, values))


def one_int(value, what: str) -> int:
    """A positive int that may also be given as a list or tuple of one."""
    if isinstance(value, (list, tuple)) and len(value) == 1:
        value = value[0]
    return positive_int(value, what)


def int_pair(value, what: str) -> tuple[int, int]:
    """Two ints from 0; one stands for both."""
    pair = (value, value) if isinstance(value, (int, np.integer)) else value
    if (
        not isinstance(pair, (list, tuple))
        or len(pair) != 2
        or not all(isinstance(v, (int, np.integer)) and v >= 0 for v in pair)
    ):
        raise ValueError(f"{what} must be one or two whole numbers from 0, got {value!r}.")
    return int(pair[0]), int(pair[1])


def rate_between_0_and_1(value, what: str) -> float:
    """`value` as a float in [0, 1]."""
    number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
    if not number or not 0 <= value <= 1:
        raise ValueError(f"{what} must be a number between 0 and 1, got {value!r}.")
    return float(value)


def one_of(value, words: tuple, what: str) -> str:
    """`value` in lower case, if it is one of the words."""
    word = value.lower() if isinstance(value, str) else value
    if word not in words:
        raise ValueError(f"{what} must be one of {', '.join(map(repr, words))}, got {value!r}.")
    return word


LAYOUTS = {"channels_last": "(batch, time, channels)", "channels_first": "(batch, channels, time)"}


def keep_layout(layer, data_format) -> None:
    """Sets `data_format` of a layer on sequences, None for 'channels_last', and its input_spec."""
    what = f"{type(layer).__name__}: data_format"
    layer.data_format = one_of(data_format or "channels_last", tuple(LAYOUTS), what)
    layer.input_spec = InputSpec(ndim=3, layout=LAYOUTS[layer.data_format])


def channels_last(value, what: str) -> None:
    """ValueError unless `value` is None or 'channels_last', the only layout there is."""
    if value not in (None, "channels_last"):
        raise ValueError(
            f"{what}: data_format must be 'channels_last' (batch, time, channels), got {value!r}. "
            "Use Permute((2, 1)) before and after."
        )


def last_size(input_shape) -> int:
    """The size of the last axis, which must be known to make the weights."""
    if isinstance(input_shape, dict) or (input_shape and isinstance(input_shape[0], (tuple, list))):
        raise ValueError(
            f"expected one input, got {len(input_shape)}; join them by Concatenate, or call the "
            "layer on each."
        )
    if not input_shape or input_shape[-1] is None:
        raise ValueError(
            f"the last axis of the input must be known when the layer is built, got shape "
            f"{tuple(input_shape)}."
        )
    return int(input_shape[-1])
