"""The file format: one zip archive, stored, without pickles.

    format.json     {"format": "seqrnn", "version": 1, "kind": "model" or "weights", "made_by": ...,
                     "members": names of all the others}
    config.json     a model's architecture and compile settings (see `objects`); not in "weights"
    arrays.json     {"weights": [{"layer", "name"}, ...]}, in the order of weight_0, weight_1, ...
    arrays/<name>.npy

A file is written beside its place under another name and then moved there, so that a reader, or a
crash, never sees half of it. Zip keeps a checksum of every member, which is verified on reading.
"""

import io
import json
import os
import tempfile
import zipfile

import numpy as np

VERSION = 1
_LATER = (".keras", ".h5", ".hdf5")


def check_name(path):
    """ValueError for names that promise a format of Keras."""
    lowered = path.lower()
    if lowered.endswith(_LATER):
        raise ValueError(
            f"{path!r}: files in Keras's formats ({', '.join(_LATER)}) are not available yet. "
            "Choose another ending, such as '.srn', for seqrnn's own format."
        )


def write_archive(path, kind, documents, arrays, overwrite=True):
    """Writes a file atomically.

    Args:
        documents: {name: JSON data}.
        arrays: {name: array}.

    Raises FileExistsError if there is a file and not `overwrite`.
    """
    path = os.fspath(path)
    check_name(path)
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"{path!r} exists already, and overwrite=False was asked for.")
    from seqrnn import __version__

    head = {
        "format": "seqrnn",
        "version": VERSION,
        "kind": kind,
        "made_by": f"seqrnn {__version__}",
        "members": [*map("{}.json".format, documents), *map("arrays/{}.npy".format, arrays)],
    }
    texts = {
        f"{name}.json": json.dumps(document, indent=1)
        for name, document in {"format": head, **documents}.items()
    }
    directory = os.path.dirname(path) or "."
    if not os.path.isdir(directory):
        raise FileNotFoundError(
            f"Cannot save {path!r}: the directory {directory!r} does not exist."
        )
    handle, temporary = tempfile.mkstemp(dir=directory, prefix=".seqrnn-", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for name, text in texts.items():
                    archive.writestr(name, text)
                for name, array in arrays.items():
                    archive.writestr(f"arrays/{name}.npy", _npy(array))
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _npy(array):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=False)
    return buffer.getvalue()


def read_archive(path):
    """(kind, {name: JSON data}, {name: array}).

    Raises FileNotFoundError, or ValueError for a file that is damaged, of another kind or of a
    later version.
    """
    path = os.fspath(path)
    check_name(path)
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no file {path!r}.")
    try:
        with zipfile.ZipFile(path) as archive:
            if "format.json" not in archive.namelist():
                raise _foreign(path)
            head = json.loads(archive.read("format.json"))
            if not isinstance(head, dict) or head.get("format") != "seqrnn":
                raise _foreign(path)
            if head.get("version", 0) > VERSION:
                raise ForeignFile(
                    f"{path!r} has format version {head['version']}, by {head.get('made_by')}; "
                    f"this seqrnn reads up to version {VERSION}. Update seqrnn."
                )
            return head.get("kind"), *_members(archive, head.get("members", ()))
    except ForeignFile:
        raise
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, KeyError, RuntimeError) as error:
        if isinstance(error, PermissionError | IsADirectoryError):
            raise
        with open(path, "rb") as file:
            is_zip = file.read(2) == b"PK"
        if not is_zip:
            raise _foreign(path) from None
        raise ValueError(f"{path!r} is damaged or incomplete: {error}.") from error


class ForeignFile(ValueError):
    """A file that is not ours, or of a later version."""


def _foreign(path):
    return ForeignFile(
        f"{path!r} is not a file of seqrnn: expected one written by model.save() or "
        "model.save_weights()."
    )


def _members(archive, names):
    """({name: JSON data}, {name: array}). ValueError if one of `names` is missing."""
    documents, arrays = {}, {}
    missing = sorted(set(names).difference(archive.namelist()))
    if missing:
        raise ValueError(f"{missing[0]} is missing")
    for name in archive.namelist():
        data = archive.read(name)
        if name.startswith("arrays/") and name.endswith(".npy"):
            arrays[name[7:-4]] = np.lib.format.read_array(io.BytesIO(data), allow_pickle=False)
        elif name.endswith(".json"):
            documents[name[:-5]] = json.loads(data)
    return documents, arrays
