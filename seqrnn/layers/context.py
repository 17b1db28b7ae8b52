"""Calling a layer in a function that is being traced, and building it.

Around every `call`: inputs are cast, the weights are made the first time, masks and the argument
`training` are passed on, nodes get the layer's name, and an error names the layer.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
import warnings

import numpy as np

from seqrnn import config
from seqrnn.errors import UnknownArgumentError, did_you_mean
from seqrnn.layers import padding
from seqrnn.layers.arguments import call_spec
from seqrnn.layers.input_spec import by_name
from seqrnn.layers.tracking import undone_on_error
from seqrnn.trace import (
    Array,
    Tensor,
    Variable,
    current,
    entered,
    nest,
    operators,
    state,
    training_is,
)


class _Path(threading.local):
    names: tuple = ()  # of the layers being called or built around


_path = _Path()


@contextlib.contextmanager
def on_path(layer):
    """Weights that are made inside carry the name of `layer` in their path."""
    before = _path.names
    if before[-1:] != (layer.name,):
        _path.names = (*before, layer.name)
    try:
        yield
    finally:
        _path.names = before


@contextlib.contextmanager
def name_scope(name: str):
    """Layers that are built inside have `name` in front of the paths of their weights."""
    if not isinstance(name, str) or not name or "/" in name:
        raise ValueError(f"name_scope: expected a name without '/', got {name!r}.")
    before = _path.names
    _path.names = (*before, name)
    try:
        yield
    finally:
        _path.names = before


def path_of(layer) -> str:
    """'sequential/lstm/lstm_cell': the layers around `layer`, down to itself."""
    names = _path.names if _path.names[-1:] == (layer.name,) else (layer.name,)
    return "/".join(names)


def built_in_context(build):
    """Wraps a `build` method: it runs outside of any trace, and a failure takes all of it back."""

    @functools.wraps(build)
    def wrapper(self, *args, **kwargs):
        with entered(None), undone_on_error(self), on_path(self):
            build(self, *args, **kwargs)
            self.built = True

    return wrapper


def prepare(layer, args: tuple, kwargs: dict) -> None:
    """Checks the inputs' shapes against `input_spec`, and builds the layer if it is not built.

    Works on tensors and placeholders alike.
    """
    if not args:
        return
    if layer.input_spec is not None:
        _check_inputs(layer, args[0])
    if layer.built:
        return
    from seqrnn.layers.base import Layer

    if type(layer).build is Layer.build:
        layer.built = True  # `call` builds the layers inside
        return
    names = list(inspect.signature(type(layer).build).parameters)[1:]
    wanted = {}
    if len(names) > 1 and all(name.endswith("_shape") for name in names):
        given = dict(zip(call_spec(type(layer).call).positional, args, strict=False), **kwargs)
        wanted = {n: shapes_of(given[n[:-6]]) for n in names if given.get(n[:-6]) is not None}
        if not wanted:
            raise ValueError(
                f"build() wants {', '.join(names)}, so call() must name its arguments likewise: "
                f"{', '.join(name[:-6] for name in names)}."
            )
    if wanted:
        layer.build(**wanted)
    else:
        layer.build(shapes_of(args[0]))
    if layer.input_spec is not None:
        _check_inputs(layer, args[0])


def shapes_of(inputs):
    """The shape(s) that `build` is given: a tensor's batch size is None, a placeholder's stays."""
    if isinstance(inputs, (list, tuple)):
        return [shapes_of(each) for each in inputs]
    if isinstance(inputs, dict):
        return {name: shapes_of(each) for name, each in inputs.items()}
    shape = tuple(getattr(inputs, "shape", ()))
    return (None, *shape[1:]) if isinstance(inputs, Tensor) and shape else shape


def _check_inputs(layer, inputs) -> None:
    if inputs is None:
        raise ValueError("expected a tensor or an array as input, got None.")
    specs = nest.flatten(layer.input_spec)
    inputs = by_name(specs, inputs)
    if len(specs) == len(inputs):  # None may stand for an optional one
        pairs = zip(specs, inputs, strict=True)
        specs = [s for s, x in pairs if x is not None or not getattr(s, "optional", False)]
    inputs = [x for x in inputs if x is not None]
    if len(specs) != len(inputs):
        hint = ""
        if len(specs) == 1:
            hint = "; join them by Concatenate, or call the layer on each"
        if _has_states(layer):
            hint = "; initial states are given as initial_state=[...]"
        wanted = "one input" if len(specs) == 1 else f"{len(specs)} inputs"
        raise ValueError(f"expected {wanted}, got {len(inputs)}{hint}.")
    for spec, x in zip(specs, inputs, strict=True):
        if spec is not None and hasattr(x, "shape"):
            spec.check(tuple(x.shape), getattr(x, "dtype", None) and str(x.dtype))


def _has_states(layer) -> bool:
    return "initial_state" in call_spec(type(layer).call).named


# ---- the call ----


def is_float(leaf) -> bool:
    """Whether a tensor or array holds floats."""
    return config.is_float(str(leaf.dtype))


def applied(layer, args: tuple, kwargs: dict):
    """What `layer(*args, **kwargs)` is in a function being traced."""
    if layer._settled:
        return _named_errors(layer, args, kwargs)
    with undone_on_error(layer):
        outputs = _named_errors(layer, args, kwargs)
        layer._settled = True
    return outputs


def _named_errors(layer, args, kwargs):
    try:
        return _call(layer, args, kwargs)
    except (ValueError, TypeError, IndexError) as error:
        raise name_layer(error, layer) from error.__cause__
    except RecursionError as error:
        if hasattr(error, "layer_name"):
            raise
        error = RecursionError("its call() calls itself without end, or layers are too deep inside")
        raise name_layer(error, layer) from None


def name_layer(error: Exception, layer) -> Exception:
    """The error with "in layer 'gru_1' (GRU): " in front, unless it names an inner layer."""
    if not hasattr(error, "layer_name") and len(error.args) == 1 and isinstance(error.args[0], str):
        error.layer_name = layer.name
        error.args = (f"in layer {layer.name!r} ({type(layer).__name__}): {error.args[0]}",)
    return error


def _call(layer, args, kwargs):
    spec = call_spec(type(layer).call)
    convert = functools.partial(_converted, layer.compute_dtype if layer.autocast else None)
    args = nest.map_leaves(convert, args)
    kwargs = nest.map_leaves(convert, kwargs)
    training = _training(spec, args, kwargs)
    mask = _mask(spec, args, kwargs)
    _argument_masks(spec, args, kwargs)
    for name in kwargs:
        if name not in spec.named and not spec.extra:
            raise UnknownArgumentError(
                f"call() got an unexpected keyword argument {name!r}."
                f"{did_you_mean(name, spec.named | {'training', 'mask'})}"
            )
    prepare(layer, args, kwargs)
    losses = state.frame.root.losses if state.padded else []
    before = len(losses)
    with _scope(layer.name), training_is(training), on_path(layer):
        outputs = nest.map_leaves(functools.partial(_converted, None), layer.call(*args, **kwargs))
        if state.padded:
            padding.check_losses(layer, mask, [t for by, t in losses[before:] if by is layer])
        if layer.activity_regularizer is not None:
            _regularize(layer, outputs)
        if args:
            _pass_mask(layer, spec, args[0], mask, outputs)
    if state.outputs is not None:
        state.outputs.setdefault(id(layer), outputs)
    return outputs


@contextlib.contextmanager
def _scope(name):
    """Names the nodes made inside, if there is a trace."""
    if current() is None:
        yield
        return
    graph = current().graph
    before = graph.scope
    graph.scope = name
    try:
        yield
    finally:
        graph.scope = before


def _converted(dtype: str | None, leaf):
    """Arrays and variables as tensors; floats cast to `dtype`."""
    eager = isinstance(leaf, Array) and current() is None
    if isinstance(leaf, (np.ndarray, np.generic, Variable)) and not eager:
        leaf = operators.ops.convert_to_tensor(leaf)
    if isinstance(leaf, (Tensor, Array)) and dtype not in (None, leaf.dtype) and is_float(leaf):
        mask = leaf._keras_mask
        leaf = operators.ops.cast(leaf, dtype)
        leaf._keras_mask = mask
    return leaf


def _training(spec, args, kwargs):
    """What `training` is: given > that of the call around > not known, which counts as False."""
    if "training" in spec.positional[: len(args)]:
        return args[spec.positional.index("training")]
    training = kwargs.get("training")
    if training is None:
        training = state.training
    elif not isinstance(training, (int, np.bool_)):
        raise TypeError(f"training must be True, False or None, got {training!r}.")
    if spec.training:
        kwargs["training"] = bool(training)
    elif not spec.extra:
        kwargs.pop("training", None)
    return training


def _mask(spec, args, kwargs):
    """The mask of the first argument, given or travelling with it; passed to `call` if it wants."""
    if "mask" in spec.positional[: len(args)]:
        return args[spec.positional.index("mask")]
    mask = kwargs.get("mask")
    if mask is None and args:
        mask = nest.map_leaves(lambda leaf: getattr(leaf, "_keras_mask", None), args[0])
        if all(leaf is None for leaf in nest.flatten(mask)):
            mask = None
    mask = nest.map_leaves(
        lambda m: operators.ops.cast(m, "bool") if isinstance(m, (Tensor, np.ndarray)) else m, mask
    )
    if spec.mask:
        kwargs["mask"] = mask
    elif not spec.extra:
        kwargs.pop("mask", None)
    return mask


def _argument_masks(spec, args, kwargs) -> None:
    """Where `call` has an argument `value_mask` beside `value`, it gets the mask of that tensor."""
    for name in spec.masked:
        at = spec.positional.index(name)
        tensor = args[at] if at < len(args) else kwargs.get(name)
        given = spec.positional.index(f"{name}_mask") < len(args)
        if not given and kwargs.get(f"{name}_mask") is None:
            kwargs[f"{name}_mask"] = nest.map_leaves(
                lambda leaf: getattr(leaf, "_keras_mask", None), tensor
            )


def _regularize(layer, outputs) -> None:
    for leaf in nest.flatten(outputs):
        if isinstance(leaf, (Tensor, Array)) and is_float(leaf):
            if state.padded:
                padding.check_activity(leaf)
            batch = leaf.shape[0] if leaf.shape else 1
            layer.add_loss(operators.ops.sum(layer.activity_regularizer(leaf)) / max(batch, 1))


def _pass_mask(layer, spec, inputs, mask, outputs) -> None:
    """Lets the layer's `compute_mask` say which mask travels with each output."""
    from seqrnn.layers.base import Layer

    default = type(layer).compute_mask is Layer.compute_mask
    if mask is None and default:
        return
    if default and not layer.supports_masking:
        if state.padded:
            padding.check(layer, outputs)
        elif not spec.mask:
            warnings.warn(
                f"Layer {layer.name!r} ({type(layer).__name__}) was given an input with a mask, "
                "but does not support masking: the mask ends here.",
                stacklevel=6,
            )
        return
    computed = nest.flatten(layer.compute_mask(inputs, mask))
    if state.padded:
        computed = padding.kept(layer, inputs, mask, spec.mask, outputs, computed)
    for leaf, out_mask in zip(nest.flatten(outputs), computed, strict=False):
        if isinstance(leaf, (Tensor, Array)) and out_mask is not None:
            leaf._keras_mask = out_mask
