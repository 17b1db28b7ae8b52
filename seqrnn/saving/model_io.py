"""Saving and loading models and weights; the file itself is described in `archive`."""

import contextlib
import os
import warnings

from seqrnn.saving.archive import read_archive, write_archive
from seqrnn.saving.objects import deserialize_keras_object, serialize_keras_object
from seqrnn.trace import Spec, nest
from seqrnn.trace.array import checked


def save_model(model, filepath, overwrite=True):
    """Writes architecture, weights, compile settings, optimizer state and the random counter."""
    document = {
        "model": serialize_keras_object(model),
        "built_with": _specs_to_data(model._built_with),
        "random_step": model.random_step,
        "compile": _compile_data(model),
    }
    arrays, index = _weight_arrays(model)
    if document["compile"] is not None:
        state = {}
        model.optimizer.save_own_variables(state)
        arrays |= {f"optimizer_{name}": array for name, array in state.items()}
    write_archive(filepath, "model", {"config": document, "arrays": index}, arrays, overwrite)


def _compile_data(model):
    if not model.compiled:
        return None
    try:
        return serialize_keras_object(model._compiled_with)
    except TypeError as error:
        warnings.warn(
            f"The model is saved without its compile() settings and optimizer state: {error}",
            stacklevel=4,
        )
        return None


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    """A model from a file of `model.save`.

    Args:
        custom_objects: {name: class or function} for what is not part of seqrnn.
        compile: whether compile settings and optimizer state come back too.
        safe_mode: accepted; files never hold code.

    Raises ValueError for a damaged or foreign file, and for unknown names.
    """
    kind, documents, arrays = read_archive(filepath)
    if kind != "model":
        raise ValueError(
            f"{os.fspath(filepath)!r} holds weights only. Make the model and call load_weights() "
            "on it."
        )
    with _explained(filepath):
        document = documents["config"]
        model = deserialize_keras_object(document["model"], custom_objects)
        specs = _specs_from_data(document["built_with"])
        if specs is not None:
            model.build_from(specs)
        _assign(_matched(model, documents["arrays"], arrays, filepath))
        model.random_step = int(document["random_step"])
        if compile and document["compile"] is not None:
            model.compile(**deserialize_keras_object(document["compile"], custom_objects))
            _restore_optimizer(model, arrays)
        return model


@contextlib.contextmanager
def _explained(filepath):
    """Errors that come of what stands in a file, as a ValueError that names the file."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as error:
        raise ValueError(
            f"{os.fspath(filepath)!r} can't be made a model again: {type(error).__name__}: {error}."
            " The file is damaged, or a class has changed since it was saved."
        ) from error


def _restore_optimizer(model, arrays):
    prefix = "optimizer_"
    state = {k[len(prefix) :]: v for k, v in arrays.items() if k.startswith(prefix)}
    if len(state) > len(model.optimizer.variables):
        model.optimizer.build(model.trainable_variables)
    model.optimizer.load_own_variables(state)


def save_weights(model, filepath, overwrite=True):
    """Writes the weights alone."""
    if not model.weights:
        raise ValueError(
            f"Model {model.name!r} has no weights yet: call it on data or build() it first."
        )
    arrays, index = _weight_arrays(model)
    write_archive(filepath, "weights", {"arrays": index}, arrays, overwrite)


def load_weights(model, filepath, skip_mismatch=False):
    """Reads weights, by order, from a file of `save_weights` or `save`.

    With `skip_mismatch`, weights of another shape are left as they are, with a warning. Otherwise
    ValueError names the layer, and the model is unchanged.
    """
    _, documents, arrays = read_archive(filepath)
    with _explained(filepath):
        pairs = _matched(model, documents["arrays"], arrays, filepath, skip_mismatch)
    _assign(pairs)


def _weight_arrays(model):
    """Arrays by name, and what is known about each."""
    layers = _owners(model)
    arrays, listed = {}, []
    for i, variable in enumerate(model.weights):
        arrays[f"weight_{i}"] = variable.numpy()
        listed.append({"layer": layers[id(variable)], "name": variable.name})
    return arrays, {"weights": listed}


def _owners(model):
    """id(variable) -> the name of the model's layer that it belongs to."""
    owners = {}
    for layer in [*model.layers, model]:
        for variable in layer.weights:
            owners.setdefault(id(variable), layer.name)
    return owners


def _matched(model, index, arrays, filepath, skip_mismatch=False):
    """Pairs (variable, array), all checked before anything is assigned."""
    variables, owners = model.weights, _owners(model)
    if not variables and index["weights"]:
        raise ValueError(
            f"Model {model.name!r} has no weights yet, so none can be loaded into it: call it on "
            "data or build() it first."
        )
    if len(variables) != len(index["weights"]):
        difference = _first_difference(variables, owners, index["weights"])
        raise ValueError(
            f"{os.fspath(filepath)!r} holds {len(index['weights'])} weights, but model "
            f"{model.name!r} has {len(variables)}: {difference}."
        )
    pairs = []
    for i, variable in enumerate(variables):
        array = arrays.get(f"weight_{i}")
        if array is None:
            raise ValueError(f"{os.fspath(filepath)!r} is damaged: weight {i} is missing.")
        checked(array, f"weight {i} of {os.fspath(filepath)!r}")
        if array.shape == variable.shape:
            pairs.append((variable, array))
            continue
        text = (
            f"weight {variable.name!r} of layer {owners[id(variable)]!r} has shape "
            f"{variable.shape}, but {os.fspath(filepath)!r} has shape {array.shape} for it"
        )
        if not skip_mismatch:
            raise ValueError(f"Cannot load weights: {text}. The model is unchanged.")
        warnings.warn(f"Skipped: {text}.", stacklevel=4)
    return pairs


def _first_difference(variables, owners, listed):
    for variable, entry in zip(variables, listed, strict=False):
        if variable.name != entry["name"]:
            return (
                f"the first difference is {entry['name']!r} of layer {entry['layer']!r} in the "
                f"file, {variable.name!r} of layer {owners[id(variable)]!r} in the model"
            )
    extra = len(variables) > len(listed)
    name = owners[id(variables[len(listed)])] if extra else listed[len(variables)]["layer"]
    return f"those of layer {name!r} are only in the {'model' if extra else 'file'}"


def _assign(pairs):
    for variable, array in pairs:
        variable.assign(array)


def _specs_to_data(specs):
    if specs is None:
        return None
    return nest.map_leaves(
        lambda s: {"shape": list(s.shape), "dtype": s.dtype} if isinstance(s, Spec) else s, specs
    )


def _specs_from_data(data):
    if isinstance(data, dict) and set(data) == {"shape", "dtype"}:
        return Spec(data["shape"], data["dtype"])
    if isinstance(data, dict):
        return {name: _specs_from_data(item) for name, item in data.items()}
    if isinstance(data, list):
        return [_specs_from_data(item) for item in data]
    return data
