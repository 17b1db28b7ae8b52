"""Tar and zip archives of unknown origin, unpacked so that nothing gets out of the folder."""

import os
import shutil
import zipfile

_FORMATS = ("tar", "zip")


def unpack(path, folder, archive_format="auto"):
    """Writes the files of an archive into `folder`, which is made if it is missing.

    Only files and directories are unpacked. An archive that has anything else (links, devices), or
    a name that leads out of the folder, is refused as a whole before anything is written.

    Args:
        path: a file .tar, also compressed by gzip, bzip2 or xz, or .zip.
        archive_format: 'tar', 'zip', a list of them, or 'auto' for both.

    Raises ValueError for what is no archive of these formats, or one that is refused.
    """
    import tarfile  # here, as it takes long to import

    formats = _FORMATS if archive_format == "auto" else archive_format
    formats = [formats] if isinstance(formats, str) else list(formats or ())
    for name in formats:
        if name not in _FORMATS:
            raise ValueError(f"archive_format must be 'auto', 'tar' or 'zip', got {name!r}.")
    if "tar" in formats and tarfile.is_tarfile(path):
        with tarfile.open(path) as archive:
            members = [_tar_member(m, path) for m in archive.getmembers()]
            _write(members, archive.extractfile, folder, path)
    elif "zip" in formats and zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = [(i, i.filename, i.is_dir()) for i in archive.infolist()]
            _write(members, archive.open, folder, path)
    else:
        raise ValueError(f"{path!r} is no archive of the format {' or '.join(formats) or 'None'}.")


def _tar_member(member, path):
    if not (member.isfile() or member.isdir()):
        raise ValueError(
            f"{path!r} is not unpacked: {member.name!r} in it is neither a file nor a directory."
        )
    return member, member.name, member.isdir()


def _write(members, open_member, folder, path):
    """`members`: (what `open_member` takes, name, whether it is a directory)."""
    folder = os.path.realpath(folder)
    targets = [os.path.realpath(os.path.join(folder, name)) for _, name, _ in members]
    for (_, name, _), target in zip(members, targets, strict=True):
        if os.path.commonpath([folder, target]) != folder:
            raise ValueError(f"{path!r} is not unpacked: {name!r} in it leads out of the folder.")
    os.makedirs(folder, exist_ok=True)
    for (member, _, is_directory), target in zip(members, targets, strict=True):
        os.makedirs(target if is_directory else os.path.dirname(target), exist_ok=True)
        if not is_directory:
            with open_member(member) as source, open(target, "wb") as file:
                shutil.copyfileobj(source, file)
