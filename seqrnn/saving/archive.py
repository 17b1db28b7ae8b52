"""The file format: one zip archive, stored, without pickles.

    format.json     {"format": "seqrnn", "version": 1, "kind": "model" or "weights", "made_by": ...,
                     "members": names of all the others}
    config.json     a model's architecture and compile settings (see `objects`); not in "weights"
    arrays.json     {"weights": [{"layer", "name"}, ...]}, in the order of weight_0, weight_1, ...
    arrays/<name>.npy

A file is written beside its place under another name and then moved there, so that a reader, or a
crash, never sees half of it. Zip keeps a checksum of every member, which is verified on reading.
Nothing is compressed, so what a file makes us allocate is never more than its own size.
"""

import io
import json
import os
import stat
import tempfile
import tokenize
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


def _check_regular(path):
    """Raises for what exists and is no file: opening a pipe waits, a device would be replaced."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(f"{path!r} is a directory, expected the name of a file.")
    if not stat.S_ISREG(mode):
        raise ValueError(f"{path!r} is a device or a pipe, expected a regular file.")


def write_archive(path, kind, documents, arrays, overwrite=True):
    """Writes a file atomically.

    Args:
        documents: {name: JSON data}.
        arrays: {name: array}.

    Raises FileExistsError if there is a file and not `overwrite`.
    """
    path = os.fsdecode(path)
    check_name(path)
    _check_regular(path)
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
    path = os.fsdecode(path)
    check_name(path)
    _check_regular(path)
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no file {path!r}.")
    try:
        with zipfile.ZipFile(path) as archive:
            if "format.json" not in archive.namelist():
                raise _foreign(path)
            head = json.loads(_stored(archive, "format.json"))
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
        if isinstance(error, PermissionError):
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
        data = _stored(archive, name)
        if name.startswith("arrays/") and name.endswith(".npy"):
            arrays[name[7:-4]] = _array(data)
        elif name.endswith(".json"):
            documents[name[:-5]] = json.loads(data)
    return documents, arrays


def _stored(archive, name):
    """The bytes of a member that is stored as it is."""
    if archive.getinfo(name).compress_type != zipfile.ZIP_STORED:
        raise ValueError(f"{name!r} is compressed, which seqrnn never does")
    return archive.read(name)


def _array(data):
    """The array in the bytes of an npy file, a view of them: allocates nothing."""
    file = io.BytesIO(data)
    if np.lib.format.read_magic(file) != (1, 0):
        raise ValueError("an array is not in version 1.0 of the npy format")
    try:
        shape, fortran, dtype = np.lib.format.read_array_header_1_0(file)
    except (SyntaxError, MemoryError, tokenize.TokenError) as error:  # of NumPy's parser
        raise ValueError("the header of an array can't be read") from error
    if dtype.hasobject:
        raise ValueError("an array holds Python objects")
    flat = np.frombuffer(data, dtype, offset=file.tell())
    return flat.reshape(shape, order="F" if fortran else "C")
