"""Files from the network, kept in a folder of the user."""

import contextlib
import hashlib
import os
import urllib.parse

from seqrnn.utils.archives import unpack
from seqrnn.utils.progress import Progbar, say

_TIMEOUT = 60  # seconds without a byte
_CHUNK = 1 << 16


def get_file(
    fname=None,
    origin=None,
    untar=False,
    md5_hash=None,
    file_hash=None,
    cache_subdir="datasets",
    hash_algorithm="auto",
    extract=False,
    archive_format="auto",
    cache_dir=None,
    force_download=False,
):
    """The path of a file that is downloaded unless it is there already.

    It is written under a temporary name and gets its own when it is complete and has the right
    hash.

    Args:
        fname: its name here; default the last part of `origin`.
        origin: its URL: https, http, ftp or file.
        untar: as `extract`, for tar archives only.
        md5_hash: as `file_hash` with MD5.
        file_hash: the hexadecimal hash that the file must have; another file of this name is
            downloaded again.
        cache_subdir: the folder in `cache_dir`, or an absolute path.
        hash_algorithm: 'sha256', 'md5', or 'auto' to tell by the length of the hash.
        extract: whether the file is an archive to be unpacked; see `archives.unpack` for what is
            refused.
        archive_format: 'auto', 'tar' or 'zip'.
        cache_dir: default $KERAS_HOME, or ~/.keras.
        force_download: whether to download it in any case.

    Returns: the path of the file, or of the folder into which it was unpacked: named `fname` if
        that is without a dot, else its part before the dot and '_extracted'.

    Raises ValueError for a wrong hash, a name that is a path, no archive; ConnectionError when the
    file can't be had, which says where to put it by hand.
    """
    if origin is None:
        raise ValueError("get_file: origin must be the URL of the file, got None.")
    if md5_hash is not None and file_hash is None:
        file_hash, hash_algorithm = md5_hash, "md5"
    name = _file_name(fname, origin)
    folder = os.path.join(os.path.expanduser(cache_dir or keras_home()), cache_subdir)
    os.makedirs(folder, exist_ok=True)
    unpacked = None
    if extract or untar:
        unpacked, name = _names_of_archive(fname, name)
    path = os.path.join(folder, name)
    if force_download or not _is_there(path, file_hash, hash_algorithm):
        _download(origin, path, file_hash, hash_algorithm)
    if unpacked is None:
        return path
    unpack(path, os.path.join(folder, unpacked), "tar" if untar else archive_format)
    return os.path.join(folder, unpacked)


def keras_home():
    """The folder for what is kept: $KERAS_HOME, or ~/.keras."""
    return os.environ.get("KERAS_HOME") or os.path.join(os.path.expanduser("~"), ".keras")


def _file_name(fname, origin):
    name = os.fspath(fname or os.path.basename(urllib.parse.urlsplit(origin).path))
    if not name:
        raise ValueError(f"get_file: {origin!r} ends without a name; give one as fname.")
    if name != os.path.basename(name) or name in (os.curdir, os.pardir):
        raise ValueError(
            f"get_file: fname must be a name without a path, got {name!r}. The folder is given by "
            "cache_dir and cache_subdir."
        )
    return name


def _names_of_archive(fname, name):
    """The folder to unpack into, and the name of the archive."""
    if fname and "." in name:
        return f"{name.split('.')[0]}_extracted", name
    return name, f"{name}_archive"


def _is_there(path, file_hash, algorithm):
    if not os.path.exists(path):
        return False
    if file_hash is None or _hash(path, _algorithm(algorithm, file_hash)) == file_hash.lower():
        return True
    say(f"{path} has not the hash {file_hash} and is downloaded again.")
    return False


def _algorithm(algorithm, file_hash):
    if algorithm not in ("auto", "sha256", "md5"):
        raise ValueError(
            f"get_file: hash_algorithm must be 'auto', 'sha256' or 'md5', got {algorithm!r}."
        )
    if algorithm == "auto":
        return "sha256" if len(file_hash) == 64 else "md5"
    return algorithm


def _hash(path, algorithm):
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _download(origin, path, file_hash, algorithm):
    say(f"Downloading data from {origin}")
    part = f"{path}.{os.getpid()}.part"
    try:
        with open(part, "wb") as file:
            _copy(origin, file, path)
        if file_hash is not None:
            algorithm = _algorithm(algorithm, file_hash)
            found = _hash(part, algorithm)
            if found != file_hash.lower():
                raise ValueError(
                    f"get_file: {origin} is incomplete or not the file that was meant: its "
                    f"{algorithm} hash is {found}, expected {file_hash}."
                )
        os.replace(part, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(part)


def _copy(origin, file, path):
    """The bytes behind a URL into a file; `path` is where it will be, for the error text."""
    import urllib.request  # here, as it takes long to import

    try:
        with urllib.request.urlopen(origin, timeout=_TIMEOUT) as source:
            length = source.headers.get("Content-Length")
            total, done = int(length) if length else None, 0
            bar = Progbar(total, unit_name="byte")
            while chunk := source.read(_CHUNK):
                file.write(chunk)
                done += len(chunk)
                bar.update(done, finalize=False)
    except urllib.error.HTTPError as error:
        reason = f"{error.code} {error.reason}"
    except (OSError, ValueError) as error:
        reason = str(getattr(error, "reason", error))
    else:
        if total in (None, done):
            bar.update(done, finalize=True)
            return
        reason = f"the connection ended after {done} of {total} bytes"
    raise ConnectionError(
        f"get_file: {origin} can't be downloaded: {reason}. Without a network, put the file at "
        f"{path!r}."
    )
