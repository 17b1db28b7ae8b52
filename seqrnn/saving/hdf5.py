"""HDF5 files with Keras's weights, by h5py, which is an extra and imported only here.

What is read from a file is arrays of numbers, names and JSON text, nothing else: links to other
places or files, virtual data sets, and data sets whose size has nothing to do with what is stored
are refused. An array is read when somebody asks for it, which `state` does after it has compared
the shapes.
"""

import contextlib
import io
import json

import numpy as np

from seqrnn import config
from seqrnn.saving.archive import damage_named

# A data set may be larger than what is stored of it, up to a size, or up to this factor.
_LARGE = 2**26
_EXPANSION = 1000
_DEPTH, _COUNT = 100, 1_000_000  # of groups within groups; of all objects
_ATTRIBUTE = 64_000  # bytes; HDF5 has room for 64 KiB in an object's header


def h5py():
    """The module h5py. ImportError says how to install it."""
    try:
        import h5py
    except ImportError as error:
        raise ImportError(
            "Files of Keras (.keras, .h5) need the package h5py: pip install h5py. "
            "seqrnn's own format, '.srn', does without."
        ) from error
    return h5py


# ---- reading ----


@contextlib.contextmanager
def opened(source, filename):
    """An open file, from a path or bytes. ValueError, which names the file, for a damaged one."""
    module = h5py()
    with damage_named(filename):
        file = module.File(io.BytesIO(source) if isinstance(source, bytes) else source, "r")
    with file:
        yield file


class Store:
    """The data sets of a group, {key: array}; each has a `shape` before it is read."""

    def __init__(self, filename):
        self._filename = filename
        self._datasets = {}

    def add(self, key, dataset):
        self._datasets[key] = dataset

    def __len__(self):
        return len(self._datasets)

    def __iter__(self):
        return iter(self._datasets)

    def __contains__(self, key):
        return key in self._datasets

    def keys(self):
        return self._datasets.keys()

    def __getitem__(self, key):
        return _Lazy(self._datasets[key], self._filename)

    def elements(self):
        """How many numbers the data sets hold."""
        return sum(dataset.size or 0 for dataset in self._datasets.values())


class _Lazy:
    """A data set that becomes an array when it is asked for."""

    def __init__(self, dataset, filename):
        self._dataset = dataset
        self._filename = filename
        self.shape = dataset.shape
        self.dtype = dataset.dtype

    def __array__(self, dtype=None, copy=None):
        with damage_named(self._filename):
            array = np.asarray(self._dataset[()])
        return array if dtype is None else array.astype(dtype)


def stores(group, filename):
    """{place: Store} of all groups with data sets below `group`. ValueError for unsafe ones."""
    module = h5py()
    found, seen, todo = {}, set(), [("", group)]
    with damage_named(filename):
        while todo:
            place, parent = todo.pop()
            if place.count("/") > _DEPTH or len(seen) > _COUNT:
                raise ValueError("there are too many groups in it")
            for name in parent:
                child = checked_child(parent, name)
                where = f"{place}/{name}".lstrip("/")
                if isinstance(child, module.Group):
                    address = module.h5o.get_info(child.id).addr
                    if address not in seen:  # groups may hold each other
                        seen.add(address)
                        todo.append((where, child))
                    continue
                found.setdefault(place, Store(filename)).add(name, child)
    return found


def checked_child(parent, name):
    """The group or data set of this name in a group. ValueError if it is unsafe to read."""
    module = h5py()
    if parent.get(name, getclass=True, getlink=True) is not module.HardLink:
        raise ValueError(f"{name!r} is a link to another place or file: refused")
    child = parent[name]
    if isinstance(child, module.Dataset):
        _check_dataset(child, name)
    elif not isinstance(child, module.Group):
        raise ValueError(f"{name!r} is neither an array nor a group")
    return child


def _check_dataset(dataset, name):
    if dataset.external or dataset.is_virtual:
        raise ValueError(f"the array {name!r} lies in another file: refused")
    if dataset.dtype.kind not in "fiub" or dataset.shape is None:
        raise ValueError(f"the array {name!r} holds {dataset.dtype}, expected numbers")
    size = dataset.size * dataset.dtype.itemsize
    if size > max(_LARGE, _EXPANSION * dataset.id.get_storage_size()):
        raise ValueError(f"the array {name!r} claims {size} bytes, which are not there: refused")


def child_group(group, path):
    """The group at a path below `group`, each step checked. ValueError if there is none."""
    module = h5py()
    for name in path.split("/"):
        child = checked_child(group, name) if name in group else None
        if not isinstance(child, module.Group):
            raise ValueError(f"it has no group {path!r}")
        group = child
    return group


def names_in(group, attribute):
    """A list of names in an attribute; a long one is cut into `attribute0`, `attribute1`, ..."""
    if attribute in group.attrs:
        parts = [group.attrs[attribute]]
    else:
        parts, i = [], 0
        while f"{attribute}{i}" in group.attrs:
            parts.append(group.attrs[f"{attribute}{i}"])
            i += 1
    return [text_of(name) for part in parts for name in part]


def text_of(value):
    """An attribute that is text, of bytes too."""
    return value.decode() if isinstance(value, bytes) else str(value)


def json_in(group, attribute):
    """The JSON data in an attribute, None if there is none."""
    value = group.attrs.get(attribute)
    return None if value is None else json.loads(text_of(value))


# ---- writing ----


def write_state(file, state):
    """Puts {place: (name, {key: array})} into an open file or group."""
    for place, (name, store) in state.items():
        group = file.create_group(f"{place}/vars".lstrip("/"))
        group.attrs["name"] = name
        for key, array in store.items():
            group[key] = number_of_keras(array)


def number_of_keras(array):
    """Single numbers, of the optimizer, in `floatx()`, where we keep float64."""
    array = np.asarray(array)
    return array.astype(config.floatx()) if array.ndim == 0 and array.dtype.kind == "f" else array


def set_names(group, attribute, names):
    """The inverse of `names_in`."""
    encoded = [name.encode() for name in names]
    longest = max(map(len, encoded), default=1)
    per_part = max(1, _ATTRIBUTE // longest)
    parts = [encoded[i : i + per_part] for i in range(0, len(encoded), per_part)] or [[]]
    for i, part in enumerate(parts):
        key = attribute if len(parts) == 1 else f"{attribute}{i}"
        group.attrs[key] = np.array(part, dtype=f"S{longest}") if part else np.zeros(0)
