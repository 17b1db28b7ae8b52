"""clone_model: a model like another one, with new weights."""

from seqrnn import trace
from seqrnn.layers.base import Layer
from seqrnn.layers.core import InputLayer
from seqrnn.models.model import Model
from seqrnn.models.sequential import Sequential
from seqrnn.saving.objects import (
    deserialize_keras_object,
    recorded_objects,
    serialize_keras_object,
)
from seqrnn.trace import KerasTensor, nest


def clone_model(
    model, input_tensors=None, clone_function=None, call_function=None, recursive=False
):
    """A model of the same architecture with new weights, not compiled.

    Args:
        model: Sequential, functional, or (without the other arguments) of a class of your own.
        input_tensors: placeholders in the structure of `model.input`, which take their place.
        clone_function: function of a layer that gives the layer in its place; by default one made
            from its config. Not asked for the inputs.
        call_function: function (layer, *args, **kwargs) that calls a new layer, to do more; for
            functional models.
        recursive: whether models inside are cloned in this way too.

    ValueError for arguments that do not go with the kind of model; TypeError for what
    `clone_function` returns if that is no layer.
    """
    clone = _cloner(clone_function, call_function, recursive)
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError("call_function works with functional models, this one is Sequential.")
        return _clone_sequential(model, input_tensors, clone)
    if isinstance(model, Model) and model._graph is not None and type(model) is Model:
        return _clone_functional(model, input_tensors, clone, call_function)
    if not isinstance(model, Layer):
        raise ValueError(f"clone_model expects a model, got {model!r}.")
    given = (input_tensors, clone_function, call_function)
    if any(each is not None for each in given) or recursive:
        raise ValueError(
            "input_tensors, clone_function, call_function and recursive work with Sequential and "
            f"functional models, but {model.name!r} is of the class {type(model).__name__}."
        )
    return _from_config(model)


def _from_config(layer):
    with recorded_objects() as objects:
        config = serialize_keras_object(layer)
    config.pop("compile_config", None)
    return deserialize_keras_object(config, objects)


def _cloner(clone_function, call_function, recursive):
    """The function of a layer that gives its clone."""

    def clone(layer):
        if recursive and isinstance(layer, Model):
            calls = None if isinstance(layer, Sequential) else call_function
            return clone_model(layer, None, clone_function, calls, True)
        if clone_function is None:
            return _from_config(layer)
        new = clone_function(layer)
        if not isinstance(new, Layer):
            raise TypeError(
                f"clone_function must return a layer, got {new!r} for layer {layer.name!r}."
            )
        return new

    return clone


def _clone_sequential(model, input_tensors, clone):
    clones = [clone(layer) for layer in model.layers]
    placeholder = model._input
    if input_tensors is not None:
        (placeholder,) = _placeholders(input_tensors, None)
    elif placeholder is not None:
        placeholder = _like(placeholder)
    first = [] if placeholder is None else [placeholder]
    return Sequential([*first, *clones], name=model.name, trainable=model.trainable)


def _clone_functional(model, input_tensors, clone, call_function):
    graph = model._graph
    if input_tensors is None:
        inputs = [_like(tensor) for tensor in graph.input_tensors]
    else:
        inputs = _placeholders(input_tensors, graph.inputs)
    clones = {id(layer): clone(layer) for layer in graph.layers}

    def called(fn, args, kwargs):
        if not isinstance(fn, Layer):
            return fn(*args, **kwargs)
        if call_function is None:
            return clones[id(fn)](*args, **kwargs)
        return call_function(clones[id(fn)], *args, **kwargs)

    outputs = trace.replay(graph.outputs, zip(graph.input_tensors, inputs, strict=True), called)
    inputs = nest.pack(graph.inputs, inputs)
    return Model(inputs, outputs, name=model.name, trainable=model.trainable)


def _like(tensor):
    return InputLayer(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name).output


def _placeholders(given, expected):
    """`input_tensors` as a list, checked against the structure of the model's input."""
    leaves = nest.flatten(given)
    wrong = next((leaf for leaf in leaves if not isinstance(leaf, KerasTensor)), None)
    if wrong is not None:
        raise ValueError(
            f"input_tensors must be placeholders made by keras.Input(), got a "
            f"{type(wrong).__name__}."
        )
    wanted = 1 if expected is None else len(nest.flatten(expected))
    if len(leaves) != wanted:
        raise ValueError(
            f"input_tensors must be in the structure of the model's input: expected {wanted}, got "
            f"{len(leaves)}."
        )
    if isinstance(expected, dict) and isinstance(given, dict):
        return [given[key] for key in expected]
    return leaves
