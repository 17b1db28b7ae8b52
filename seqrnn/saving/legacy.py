"""The HDF5 files that Keras wrote before `.keras`, and that people still have: `model.h5`.

    attributes          keras_version, backend, model_config (JSON), training_config (JSON)
    model_weights       attribute layer_names; in a weights file this group is the file itself
      <layer>           attribute weight_names: the data sets below, trainable ones first
      top_level_model_weights
    optimizer_weights   attribute weight_names, in the order of the optimizer's variables

Weights are told by their order, never by their names, so files of Keras 2 and 3 are read alike.
"""

import functools
import json
import warnings

import numpy as np

from seqrnn.saving import hdf5
from seqrnn.saving.archive import damage_named
from seqrnn.saving.objects import (
    custom_object_scope,
    deserialize_keras_object,
    serialize_keras_object,
)
from seqrnn.trace.array import checked

_TOP = "top_level_model_weights"
KERAS_VERSION = "3.15.1"  # whose format it is


def write_model(file, model, include_optimizer=True):
    """Writes architecture, weights, and compile settings with the optimizer's state."""
    node = serialize_keras_object(model)
    compiled = node.pop("compile_config", None) if include_optimizer else None
    config = {"class_name": node["class_name"], "config": node["config"]}
    if "build_config" in node:
        config["build_config"] = node["build_config"]
    file.attrs["keras_version"] = KERAS_VERSION
    file.attrs["backend"] = "seqrnn"
    file.attrs["model_config"] = json.dumps(config).encode()
    if compiled is not None:
        optimizer = compiled.pop("optimizer")
        keys = ("class_name", "config", "registered_name")
        compiled["optimizer_config"] = {key: optimizer[key] for key in keys}
        file.attrs["training_config"] = json.dumps(compiled).encode()
    write_weights(file.create_group("model_weights"), model)
    if compiled is not None:
        _write_arrays(file.create_group("optimizer_weights"), _optimizer_arrays(model.optimizer))


def write_weights(group, model):
    """Writes the weights, by layers."""
    hdf5.set_names(group, "layer_names", [name for name, _ in _layers(model)])
    group.attrs["backend"] = "seqrnn"
    group.attrs["keras_version"] = KERAS_VERSION
    for name, variables in (*_layers(model), (_TOP, _top_level(model))):
        arrays = {}
        for variable in variables:
            key = variable.path if variable.path not in arrays else f"{variable.path}_{len(arrays)}"
            arrays[key] = variable.numpy()
        _write_arrays(group.create_group(name), arrays)


def _write_arrays(group, arrays):
    hdf5.set_names(group, "weight_names", list(arrays))
    for name, array in arrays.items():
        group[name] = hdf5.number_of_keras(array)


def _optimizer_arrays(optimizer):
    names = ["iteration", "learning_rate"] if optimizer._schedule is None else ["iteration"]
    arrays = [variable.numpy() for variable in optimizer.variables]
    names += [f"slot_{i}" for i in range(len(arrays) - len(names))]
    return {f"{optimizer.name}/{name}": a for name, a in zip(names, arrays, strict=True)}


def _layers(model):
    """[(name, variables)] of the layers, trainable variables first."""
    return [(layer.name, _ordered(layer.weights)) for layer in model.layers]


def _top_level(model):
    return _ordered(model._own_variables())


def _ordered(variables):
    return sorted(variables, key=lambda v: not v.trainable)


# ---- reading ----


def read_model(file, filename, custom_objects=None, compile=True):
    """The model in an open file. ValueError if it is not one of Keras's."""
    config = hdf5.json_in(file, "model_config")
    if config is None:
        raise ValueError(
            f"{filename!r} holds no model, maybe weights only. Make the model and call "
            "load_weights() on it."
        )
    model = deserialize_keras_object(config, custom_objects)
    load_weights(hdf5.child_group(file, "model_weights"), model, filename)
    training = hdf5.json_in(file, "training_config")
    if compile and training is not None:
        optimizer = training.pop("optimizer_config", None)
        with custom_object_scope(custom_objects or {}):
            model.compile_from_config({**training, "optimizer": optimizer})
        if "optimizer_weights" in file:
            _load_optimizer(hdf5.child_group(file, "optimizer_weights"), model, filename)
    return model


def _load_optimizer(group, model, filename):
    arrays = [np.asarray(array) for array in _arrays(group, filename)]
    try:
        model.optimizer.set_weights(arrays)
    except ValueError as error:
        warnings.warn(
            f"The state of the optimizer in {filename!r} is left out, it starts anew: {error}",
            stacklevel=6,
        )


def _arrays(group, filename):
    """The data sets of a group in the order of its `weight_names`, not read yet."""
    store = hdf5.Store(filename)
    for name in hdf5.names_in(group, "weight_names"):
        where, _, key = name.rpartition("/")
        parent = hdf5.child_group(group, where) if where else group
        if key not in parent:
            raise ValueError(f"it has no array {name!r}")
        store.add(name, hdf5.checked_child(parent, key))
    return [store[name] for name in store]


def load_weights(group, model, filename, by_name=False, skip_mismatch=False):
    """Sets the weights from a group with `layer_names`; all, or on an error none.

    By order, of the layers that have weights; or `by_name`, where layers that are only in the
    model or only in the file are left alone.
    """
    if "layer_names" not in group.attrs and "layer_names0" not in group.attrs:
        raise ValueError(f"{filename!r} holds no weights of Keras.")
    held = {}
    with damage_named(filename):
        for name in (*hdf5.names_in(group, "layer_names"), *([_TOP] if _TOP in group else [])):
            held[name] = _arrays(hdf5.child_group(group, name), filename)
    top = held.pop(_TOP, [])
    wanted = [(name, variables) for name, variables in _layers(model) if variables]
    if by_name:
        triples = [(name, variables, held[name]) for name, variables in wanted if name in held]
    else:
        full = [(name, arrays) for name, arrays in held.items() if arrays]
        if len(full) != len(wanted):
            raise ValueError(
                f"{filename!r} holds weights of {len(full)} layers "
                f"({', '.join(name for name, _ in full)}), but model {model.name!r} has "
                f"{len(wanted)} layers with weights ({', '.join(name for name, _ in wanted)})."
            )
        pairs = zip(wanted, full, strict=True)
        triples = [(name, variables, arrays) for (name, variables), (_, arrays) in pairs]
    if top or _top_level(model):
        triples.append((model.name, _top_level(model), top))
    assignments = [
        assign for triple in triples for assign in _assignments(*triple, filename, skip_mismatch)
    ]
    for assign in assignments:
        assign()


def _assignments(name, variables, arrays, filename, skip_mismatch):
    """Functions that set the variables of one layer."""
    expected = [v.shape for v in variables]
    found = [tuple(a.shape) for a in arrays]
    texts = []
    if len(expected) != len(found):
        texts = [f"layer {name!r} has {len(expected)} weights, {filename!r} {len(found)} for it"]
    else:
        texts = [
            f"weight {v.name!r} of layer {name!r} has shape {v.shape}, but {filename!r} has shape "
            f"{tuple(a.shape)} for it"
            for v, a in zip(variables, arrays, strict=True)
            if v.shape != tuple(a.shape)
        ]
    if texts and not skip_mismatch:
        raise ValueError(f"Cannot load weights: {texts[0]}. The model is unchanged.")
    for text in texts:
        warnings.warn(f"Skipped: {text}.", stacklevel=7)
    if len(expected) != len(found):
        return []
    return [
        functools.partial(v.assign, checked(a, f"weight {v.name!r} in {filename!r}"))
        for v, a in zip(variables, arrays, strict=True)
        if v.shape == tuple(a.shape)
    ]
