"""Files of seqrnn's own format, and what all formats share: whole files or none, and zip archives.

The format, `.srn`, needs nothing but NumPy: one zip archive, stored, without pickles.

    format.json     {"format": "seqrnn", "version": 2, "kind": "model" or "weights", "made_by": ...,
                     "members": names of all the others}
    config.json     {"model": the model as data (see `objects`), "random_step"}; not in "weights"
    arrays/<place>/vars/<key>.npy       by places, see `state`

A file is written beside its place under another name and then moved there, so that a reader, or a
crash, never sees half of it. Zip keeps a checksum of every member, which is verified on reading.
Nothing is compressed, so what a file makes us allocate is never more than its own size; archives of
others may be, up to a limit.
"""

import contextlib
import io
import json
import os
import secrets
import stat
import tokenize
import zipfile

import numpy as np

VERSION = 2
# A member may be larger than what is stored of it, up to a size, or up to this factor.
_LARGE = 2**26
_EXPANSION = 100


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


def write_srn(path, kind, documents, arrays, overwrite=True):
    """Writes a file of our own format.

    Args:
        documents: {name: JSON data}.
        arrays: {name: array}.

    Raises FileExistsError if there is a file and not `overwrite`.
    """
    from seqrnn import __version__

    head = {
        "format": "seqrnn",
        "version": VERSION,
        "kind": kind,
        "made_by": f"seqrnn {__version__}",
        "members": [*map("{}.json".format, documents), *map("arrays/{}.npy".format, arrays)],
    }
    members = {
        f"{name}.json": json.dumps(document, indent=1)
        for name, document in {"format": head, **documents}.items()
    }
    members |= {f"arrays/{name}.npy": _npy(array) for name, array in arrays.items()}
    write_whole(path, zipped(members), overwrite)


def zipped(members):
    """The bytes of a zip archive, nothing compressed, of {name: bytes or text}."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getbuffer()


def write_whole(path, data, overwrite=True):
    """Puts a file of these bytes at `path`, or on an error leaves what was there."""
    path = os.fsdecode(path)
    _check_regular(path)
    path = os.path.realpath(path)  # of a symbolic link: it stays, what it points to is replaced
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"{path!r} exists already, and overwrite=False was asked for.")
    directory = os.path.dirname(path) or "."
    if not os.path.isdir(directory):
        raise FileNotFoundError(
            f"Cannot save {path!r}: the directory {directory!r} does not exist."
        )
    temporary = os.path.join(directory, f".seqrnn-{secrets.token_hex(8)}.part")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _npy(array):
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asarray(array), allow_pickle=False)
    return buffer.getvalue()


def kind_of_file(path):
    """'srn', 'keras' or 'hdf5', by the content of a file.

    Raises FileNotFoundError, and ForeignFile (a ValueError) for anything else.
    """
    path = os.fsdecode(path)
    _check_regular(path)
    if not os.path.exists(path):
        raise FileNotFoundError(f"There is no file {path!r}.")
    with open(path, "rb") as file:
        start = file.read(8)
    if start == b"\x89HDF\r\n\x1a\n":
        return "hdf5"
    if start[:2] != b"PK":
        raise _foreign(path)
    with damage_named(path), zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    if "format.json" in names:
        return "srn"
    if "config.json" in names and "metadata.json" in names:
        return "keras"
    raise _foreign(path)


@contextlib.contextmanager
def damage_named(path):
    """Errors of reading a damaged file, as ValueErrors that name it."""
    try:
        yield
    except (ForeignFile, PermissionError):
        raise
    except (
        zipfile.BadZipFile,
        EOFError,
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        RecursionError,
        NotImplementedError,
    ) as error:
        raise ValueError(f"{path!r} is damaged or incomplete: {error}.") from error


def read_srn(path):
    """(kind, {name: JSON data}, {name: array}) of a file of our own format.

    Raises ValueError for a file that is damaged, or of another version.
    """
    path = os.fsdecode(path)
    with damage_named(path), zipfile.ZipFile(path) as archive:
        head = json.loads(read_member(archive, "format.json"))
        if not isinstance(head, dict) or head.get("format") != "seqrnn":
            raise _foreign(path)
        if head.get("version") != VERSION:
            raise ForeignFile(
                f"{path!r} has format version {head.get('version')}, by {head.get('made_by')}; "
                f"this seqrnn reads version {VERSION}. Use the seqrnn that the file was made by."
            )
        missing = sorted(set(head.get("members", ())).difference(archive.namelist()))
        if missing:
            raise ValueError(f"{missing[0]} is missing")
        documents, arrays = {}, {}
        for name in archive.namelist():
            data = read_member(archive, name)
            if name.startswith("arrays/") and name.endswith(".npy"):
                arrays[name[7:-4]] = _array(data)
            elif name.endswith(".json"):
                documents[name[:-5]] = json.loads(data)
        return head.get("kind"), documents, arrays


class ForeignFile(ValueError):
    """A file that nobody here can read."""


def _foreign(path):
    return ForeignFile(
        f"{path!r} is not a file of seqrnn or Keras: expected one written by model.save() or "
        "model.save_weights()."
    )


def read_member(archive, name):
    """The bytes of a member. ValueError if it claims to be far larger than what is stored of it."""
    info = archive.getinfo(name)
    if info.file_size > max(_LARGE, _EXPANSION * info.compress_size):
        raise ValueError(
            f"{name!r} would grow from {info.compress_size} bytes to {info.file_size}: refused"
        )
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
