"""Saving and loading models and weights, in the format that the name of the file asks for.

    .keras               Keras 3: a zip of JSON and HDF5       models        (here, `objects`)
    .weights.h5          Keras 3: HDF5                         weights       (`state`, `hdf5`)
    .h5, .hdf5           Keras 2 and 3: HDF5                   both          (`legacy`)
    anything else        seqrnn's own, needs only NumPy        both          (`archive`)

What a file to be read is, is seen from its content. No reading runs, imports or unpickles anything,
and nothing in a file makes us allocate more than the file's own size explains.
"""

import contextlib
import datetime
import io
import json
import os
import zipfile

import numpy as np

from seqrnn import config
from seqrnn.errors import BadConfigError, UnknownObjectError
from seqrnn.saving import archive, hdf5, legacy, state
from seqrnn.saving.lambdas import warn_of_lambdas
from seqrnn.saving.objects import deserialize_keras_object, serialize_keras_object

_WEIGHTS = "model.weights.h5"


def format_of_name(path):
    """'keras', 'weights', 'legacy' or 'srn'."""
    lowered = os.fsdecode(path).lower()
    if lowered.endswith(".keras"):
        return "keras"
    if lowered.endswith(".weights.h5"):
        return "weights"
    return "legacy" if lowered.endswith((".h5", ".hdf5")) else "srn"


# ---- saving ----


def save_model(model, filepath, overwrite=True, include_optimizer=True, **kwargs):
    """Writes architecture, weights, compile settings and the optimizer's state to one file.

    Args:
        filepath: the ending chooses the format, see the head of the module.
        overwrite: whether an existing file may be replaced; else FileExistsError.
        include_optimizer: False leaves compile settings and state out.

    Raises ImportError for Keras's formats without h5py, TypeError for a model that can't be
    described by names and configs.
    """
    _refuse_options("save", kwargs, {"zipped": (None, True), "save_format": (None,)})
    kind = format_of_name(filepath)
    warn_of_lambdas(model)
    if kind == "weights":
        raise ValueError(
            f"{os.fsdecode(filepath)!r}: '.weights.h5' is for save_weights(); a model's file ends "
            "in '.keras'."
        )
    if kind == "legacy":
        data = _hdf5_bytes(lambda file: legacy.write_model(file, model, include_optimizer))
        archive.write_whole(filepath, data, overwrite)
        return
    node = serialize_keras_object(model)
    if not include_optimizer:
        node.pop("compile_config", None)
    collected = state.collect(model, optimizer="compile_config" in node)
    if kind == "srn":
        documents = {"config": {"model": node, "random_step": model.random_step}}
        _write_srn(filepath, "model", documents, collected, overwrite)
        return
    from seqrnn import __version__

    metadata = {
        "keras_version": legacy.KERAS_VERSION,
        "date_saved": datetime.datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
        "seqrnn_version": __version__,
        "random_step": model.random_step,
    }
    members = {
        "metadata.json": json.dumps(metadata),
        "config.json": json.dumps(node),
        _WEIGHTS: _hdf5_bytes(lambda file: hdf5.write_state(file, collected)),
    }
    archive.write_whole(filepath, archive.zipped(members), overwrite)


def save_weights(model, filepath, overwrite=True, **kwargs):
    """Writes the weights; in Keras's '.weights.h5' the optimizer's state too, as Keras does."""
    _refuse_options("save_weights", kwargs, {"max_shard_size": (None,), "save_format": (None,)})
    if not model.weights:
        raise ValueError(
            f"Model {model.name!r} has no weights yet: call it on data or build() it first."
        )
    kind = format_of_name(filepath)
    if kind == "keras":
        raise ValueError(
            f"{os.fsdecode(filepath)!r}: '.keras' is for save(); a file of weights ends in "
            "'.weights.h5'."
        )
    if kind == "srn":
        _write_srn(filepath, "weights", {}, state.collect(model, optimizer=False), overwrite)
    elif kind == "weights":
        collected = state.collect(model)
        data = _hdf5_bytes(lambda file: hdf5.write_state(file, collected))
        archive.write_whole(filepath, data, overwrite)
    else:
        data = _hdf5_bytes(lambda file: legacy.write_weights(file, model))
        archive.write_whole(filepath, data, overwrite)


def _refuse_options(method, given, accepted):
    for name, value in given.items():
        if name not in accepted:
            raise TypeError(f"{method}() got an unexpected keyword argument {name!r}.")
        if value not in accepted[name]:
            raise ValueError(
                f"{method}(): {name}={value!r} is not available; the ending of the file's name "
                "chooses the format."
            )


def _hdf5_bytes(write):
    buffer = io.BytesIO()
    with hdf5.h5py().File(buffer, "w") as file:
        write(file)
    return buffer.getvalue()


def _write_srn(filepath, kind, documents, collected, overwrite):
    arrays = {
        f"{place}/vars/{key}".lstrip("/"): array
        for place, (_, store) in collected.items()
        for key, array in store.items()
    }
    archive.write_srn(filepath, kind, documents, arrays, overwrite)


# ---- loading ----


def load_model(filepath, custom_objects=None, compile=True, safe_mode=True):
    """A model from a file of `model.save`, or of Keras's.

    Args:
        custom_objects: {name: class or function} for what is not part of seqrnn.
        compile: whether compile settings and optimizer state come back too.
        safe_mode: accepted; code in a file is never run, even with False.

    Raises FileNotFoundError; ValueError for a damaged or foreign file, unknown names and code in
    the file; ImportError for Keras's formats without h5py.
    """
    kind, path = archive.kind_of_file(filepath), os.fsdecode(filepath)
    if kind == "hdf5":
        with hdf5.opened(path, path) as file, _explained(path), _budget(_all_stores(file, path)):
            return legacy.read_model(file, path, custom_objects, compile)
    if kind == "keras":
        with _keras_archive(path) as (metadata, node, stores):
            return _made(path, node, stores, metadata, custom_objects, compile)
    held, documents, arrays = archive.read_srn(path)
    if held != "model":
        raise ValueError(
            f"{path!r} holds weights only. Make the model and call load_weights() on it."
        )
    with _explained(path):
        document = documents["config"]
        stores = _grouped(arrays)
        return _made(path, document["model"], stores, document, custom_objects, compile)


def _made(path, node, stores, extras, custom_objects, compile):
    with _explained(path):
        if not compile:
            node.pop("compile_config", None)
        with _budget(stores):
            model = deserialize_keras_object(node, custom_objects)
        if not hasattr(model, "load_weights"):
            raise ValueError(f"{path!r} holds a {type(model).__name__}, expected a model.")
        if not model.compiled:
            stores.pop("optimizer", None)
        state.restore(model, stores, path)
        model.random_step = int(extras.get("random_step", 0))
        return model


def load_weights(model, filepath, skip_mismatch=False, by_name=False, **kwargs):
    """Sets the weights from a file of `save_weights` or `save`, or of Keras's.

    Args:
        skip_mismatch: what does not fit stays as it is, with a warning.
        by_name: for legacy '.h5' files: layers by their names instead of their order.

    Raises ValueError, which names the layer, if the weights do not fit; then nothing has changed.
    """
    _refuse_options("load_weights", kwargs, {"objects_to_skip": (None,)})
    kind, path = archive.kind_of_file(filepath), os.fsdecode(filepath)
    if not model.weights:
        raise ValueError(
            f"Model {model.name!r} has no weights yet, so none can be loaded into it: call it on "
            "data or build() it first."
        )
    if kind == "hdf5":
        with hdf5.opened(path, path) as file, _explained(path):
            group = hdf5.child_group(file, "model_weights") if "model_weights" in file else file
            if "layer_names" in group.attrs or "layer_names0" in group.attrs:
                legacy.load_weights(group, model, path, by_name, skip_mismatch)
                return
            _refuse_by_name(by_name, path)
            state.restore(model, _places(hdf5.stores(file, path)), path, skip_mismatch)
        return
    _refuse_by_name(by_name, path)
    if kind == "keras":
        with _keras_archive(path) as (_, _, stores), _explained(path):
            state.restore(model, stores, path, skip_mismatch)
        return
    stores = _grouped(archive.read_srn(path)[2])
    stores.pop("optimizer", None)
    with _explained(path):
        state.restore(model, stores, path, skip_mismatch)


def _refuse_by_name(by_name, path):
    if by_name:
        raise ValueError(
            f"by_name=True: {path!r} is no legacy '.h5' file, and others do not hold the names "
            "of layers."
        )


@contextlib.contextmanager
def _keras_archive(path):
    """(metadata, the model's node, stores) of a '.keras' file."""
    with archive.damage_named(path), zipfile.ZipFile(path) as file:
        names = file.namelist()
        if _WEIGHTS not in names:
            raise ValueError(
                f"it has no {_WEIGHTS}"
                + (", and arrays in pickles are not read" if "model.weights.npz" in names else "")
            )
        metadata = json.loads(archive.read_member(file, "metadata.json"))
        node = json.loads(archive.read_member(file, "config.json"))
        weights = archive.read_member(file, _WEIGHTS)
    with hdf5.opened(weights, path) as file:
        yield metadata, node, _places(hdf5.stores(file, path))


def _places(stores):
    """Stores by place, without the name of the group 'vars'; of older files too."""
    found = {}
    for group, store in stores.items():
        place = group.removesuffix("vars").rstrip("/")
        found[place.replace("_layer_checkpoint_dependencies", "layers")] = store
    return found


def _grouped(arrays):
    """{place: {key: array}} from {place/vars/key: array}."""
    stores = {}
    for name, array in arrays.items():
        group, _, key = name.rpartition("/")
        stores.setdefault(group.removesuffix("vars").rstrip("/"), {})[key] = array
    return stores


def _all_stores(file, path):
    group = hdf5.child_group(file, "model_weights") if "model_weights" in file else file
    return hdf5.stores(group, path)


def _budget(stores):
    """Within the block, layers can't have more weights than the stores hold."""
    held = 0
    for store in stores.values():
        if hasattr(store, "elements"):
            held += store.elements()
        else:
            held += sum(np.size(array) for array in store.values())
    return config.weight_budget(held)


@contextlib.contextmanager
def _explained(filepath):
    """Errors that come of what stands in a file, as a ValueError that names the file."""
    try:
        yield
    except UnknownObjectError:
        raise
    except BadConfigError as error:
        raise BadConfigError(f"{os.fsdecode(filepath)!r}: {error}") from error
    except (
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        ArithmeticError,
        MemoryError,
        RecursionError,
    ) as error:
        raise ValueError(
            f"{os.fsdecode(filepath)!r} can't be made a model again: {type(error).__name__}: "
            f"{error}. The file is damaged, or a class has changed since it was saved."
        ) from error
