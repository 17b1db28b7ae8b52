"""Files that are downloaded: `get_file` with local URLs, and data sets out of small files."""

import contextlib
import hashlib
import io
import json
import pathlib
import sys
import tarfile
import tempfile
import unittest.mock
import zipfile

import numpy as np
from golden_kinds import FactCase, RefusalCase

TEXT = b"to be or not to be\n" * 9
MEMBERS = {"one.txt": b"1", "inner/two.txt": b"22"}


def _make_origin(folder, name):
    """A file, by the ending of its name an archive, to be downloaded."""
    path = folder / name
    if name.endswith(".zip"):
        with zipfile.ZipFile(path, "w") as archive:
            for member, content in MEMBERS.items():
                archive.writestr(member, content)
    elif ".tar" in name:
        with tarfile.open(path, "w:gz" if name.endswith("gz") else "w") as archive:
            for member, content in MEMBERS.items():
                info = tarfile.TarInfo(member)
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    else:
        path.write_bytes(TEXT)
    return path.as_uri()


def _got(k, name="text.txt", **options):
    """What get_file gives and what is in the cache then."""
    with tempfile.TemporaryDirectory() as there, tempfile.TemporaryDirectory() as cache:
        uri = _make_origin(pathlib.Path(there), name)
        with contextlib.redirect_stdout(io.StringIO()):
            path = k.utils.get_file(**{"origin": uri, "cache_dir": cache, **options})
        cache = pathlib.Path(cache)
        files = sorted(p for p in cache.rglob("*") if p.is_file())
        contents = {str(p.relative_to(cache)): len(p.read_bytes()) for p in files}
        return [str(pathlib.Path(path).relative_to(cache)), contents]


def _fact(name, *arguments, **options):
    return FactCase(f"get_file_{name}", lambda k: _got(k, *arguments, **options))


def _again(k, force):
    """Whether a second call sees that the origin has changed."""
    with tempfile.TemporaryDirectory() as there, tempfile.TemporaryDirectory() as cache:
        uri = _make_origin(pathlib.Path(there), "text.txt")
        with contextlib.redirect_stdout(io.StringIO()):
            k.utils.get_file(origin=uri, cache_dir=cache)
            (pathlib.Path(there) / "text.txt").write_bytes(b"new")
            path = k.utils.get_file(origin=uri, cache_dir=cache, force_download=force)
        return len(pathlib.Path(path).read_bytes())


def _stale(k):
    """A file of this name with another hash is downloaded again."""
    with tempfile.TemporaryDirectory() as there, tempfile.TemporaryDirectory() as cache:
        uri = _make_origin(pathlib.Path(there), "text.txt")
        (pathlib.Path(cache) / "datasets").mkdir()
        (pathlib.Path(cache) / "datasets" / "text.txt").write_bytes(b"stale")
        with contextlib.redirect_stdout(io.StringIO()):
            path = k.utils.get_file(origin=uri, cache_dir=cache, file_hash=SHA256)
        return len(pathlib.Path(path).read_bytes())


SHA256 = hashlib.sha256(TEXT).hexdigest()
MD5 = hashlib.md5(TEXT).hexdigest()

GET_FILE = [
    _fact("plain"),
    _fact("named", fname="other.txt"),
    _fact("subdirectory", cache_subdir="a/b"),
    _fact("sha256", file_hash=SHA256),
    _fact("sha256_named", file_hash=SHA256, hash_algorithm="sha256"),
    _fact("md5", file_hash=MD5),
    _fact("md5_named", file_hash=MD5, hash_algorithm="md5"),
    _fact("md5_of_keras_2", md5_hash=MD5),
    _fact("zip", "data.zip", extract=True),
    _fact("zip_not_extracted", "data.zip"),
    _fact("zip_format", "data.zip", extract=True, archive_format="zip"),
    _fact("tar", "data.tar", extract=True),
    _fact("tar_gz", "data.tar.gz", extract=True),
    _fact("tar_format", "data.tar.gz", extract=True, archive_format="tar"),
    _fact("untar", "data.tar.gz", untar=True),
    _fact("extract_named", "data.zip", extract=True, fname="folder"),
    _fact("extract_named_with_dot", "data.tar.gz", extract=True, fname="my.data.tar.gz"),
    FactCase("get_file_kept", lambda k: _again(k, force=False)),
    FactCase("get_file_forced", lambda k: _again(k, force=True)),
    FactCase("get_file_stale", _stale),
    RefusalCase("get_file_no_origin", lambda k: k.utils.get_file("a.txt"), ["origin"]),
    RefusalCase("get_file_path", lambda k: _got(k, fname="a/b.txt"), ["fname", "a/b.txt"]),
    RefusalCase("get_file_wrong_hash", lambda k: _got(k, file_hash="0" * 64), ["sha256", "0" * 64]),
    RefusalCase("get_file_missing", lambda k: _got(k, origin="file:///nowhere/a.txt"),
                ["file:///nowhere/a.txt", "can't be downloaded"]),
    RefusalCase("get_file_argument", lambda k: _got(k, file_hsh=MD5), ["file_hsh"]),
    RefusalCase("get_file_no_archive", lambda k: _got(k, extract=True), ["archive", "tar"],
                raises=ValueError),
    RefusalCase("get_file_unknown_hash",
                lambda k: _got(k, file_hash=MD5, hash_algorithm="sha1"), ["sha1", "sha256"],
                raises=ValueError),
]  # fmt: skip


# ---- data sets ----


def _rows(random, n):
    rows = np.empty(n, object)
    for i in range(n):
        rows[i] = random.randint(1, 30, random.randint(2, 9)).tolist()
    return rows


def _loaded(k, name, **options):
    """A small file in the place of the one that is downloaded."""
    module = getattr(k.datasets, name)
    random = np.random.RandomState(7)
    if name == "imdb":
        arrays = {f"{a}_{part}": _rows(random, 9) if a == "x" else random.randint(0, 2, 9)
                  for part in ("train", "test") for a in "xy"}  # fmt: skip
    else:
        arrays = {"x": _rows(random, 17), "y": random.randint(0, 46, 17)}
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "data.npz"
        np.savez(path, **arrays)
        with _instead(module.load_data, path):
            found = module.load_data(**options)
    return [[np.asarray(a).tolist() for a in part] + [str(part[1].dtype)] for part in found]


def _instead(function, path):
    module = sys.modules[function.__module__]
    return unittest.mock.patch.object(module, "get_file", lambda *_, **__: str(path))


def _index(k, name):
    module = getattr(k.datasets, name)
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "index.json"
        path.write_text(json.dumps({"the": 1, "é": 2}))
        with _instead(module.get_word_index, path):
            return module.get_word_index()


OPTIONS = {
    "default": {},
    "num_words": {"num_words": 15},
    "skip_top": {"skip_top": 8},
    "both_limits": {"num_words": 20, "skip_top": 6},
    "maxlen": {"maxlen": 7},
    "seed": {"seed": 5},
    "start_char": {"start_char": 9},
    "no_start_char": {"start_char": None},
    "oov_char": {"oov_char": 0, "num_words": 12},
    "no_oov_char": {"oov_char": None, "num_words": 12},
    "index_from": {"index_from": 10},
    "plain": {"start_char": None, "index_from": 0, "oov_char": None},
}

DATASETS = [
    *(
        FactCase(f"{name}_{title}", lambda k, n=name, o=options: _loaded(k, n, **o))
        for name in ("imdb", "reuters")
        for title, options in OPTIONS.items()
    ),
    FactCase("reuters_test_split", lambda k: _loaded(k, "reuters", test_split=0.5)),
    FactCase("reuters_labels", lambda k: k.datasets.reuters.get_label_names()),
    FactCase("imdb_index", lambda k: _index(k, "imdb")),
    FactCase("reuters_index", lambda k: _index(k, "reuters")),
    RefusalCase("imdb_maxlen_too_small", lambda k: _loaded(k, "imdb", maxlen=1), ["maxlen", "1"]),
]

# ---- texts in a directory ----


def _directory(folder):
    for name in ("pos/b.txt", "pos/a.txt", "neg/c.txt", "neg/in/d.txt", "neg/e.text", ".x/f.txt",
                 "third/g.TXT", "third/h.txt"):  # fmt: skip
        path = pathlib.Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"text {path.stem} of {path.parent.name}\n")


def _texts(k, **options):
    """The batches, and the names of the classes."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        _directory(folder)
        options = {"shuffle": False, **options}
        made = k.utils.text_dataset_from_directory(folder, **options)
        return [
            [[[_plain(part) for part in (b if isinstance(b, tuple) else (b,))] for b in data],
             data.class_names]
            for data in (made if isinstance(made, list) else [made])
        ]  # fmt: skip


def _plain(part):
    values = np.asarray(part).tolist()
    if isinstance(values, list):
        return [v.decode() if isinstance(v, bytes) else v for v in values]
    return values.decode() if isinstance(values, bytes) else values


def _shuffled(k, **options):
    """The set of texts; within a batch of all, as Keras shuffles once more."""
    found = _texts(k, shuffle=True, batch_size=9, **options)
    return [sorted(zip(*data[0][0], strict=True)) for data in found]


DIRECTORIES = {
    "default": {},
    "batches": {"batch_size": 2},
    "single": {"batch_size": None},
    "two_classes": {"class_names": ["pos", "neg"]},
    "binary": {"class_names": ["neg", "pos"], "label_mode": "binary"},
    "categorical": {"label_mode": "categorical"},
    "no_mode": {"label_mode": None},
    "no_labels": {"labels": None},
    "max_length": {"max_length": 6},
    "training": {"validation_split": 0.4, "subset": "training"},
    "validation": {"validation_split": 0.4, "subset": "validation"},
    "both": {"validation_split": 0.4, "subset": "both"},
}

TEXTS = [
    *(FactCase(f"texts_{name}", lambda k, o=o: _texts(k, **o)) for name, o in DIRECTORIES.items()),
    *(FactCase(f"texts_shuffled_{seed}", lambda k, seed=seed: _shuffled(
        k, seed=seed, validation_split=0.4, subset="both")) for seed in (1, 2)),
    *(RefusalCase(f"texts_{name}", lambda k, o=options: _texts(k, **o), words)
      for name, options, words in [
          ("label_mode", {"label_mode": "ints"}, ["label_mode", "ints"]),
          ("labels", {"labels": "given"}, ["labels", "given"]),
          ("too_few_labels", {"labels": [1, 2]}, ["labels", "2"]),
          ("class_names", {"class_names": ["pos", "none"]}, ["class_names", "none"]),
          ("names_and_labels", {"labels": None, "class_names": ["pos"]}, ["class_names"]),
          ("binary_of_three", {"label_mode": "binary"}, ["binary", "2"]),
          ("split_alone", {"validation_split": 0.5}, ["validation_split", "subset"]),
          ("subset_alone", {"subset": "both"}, ["validation_split", "subset"]),
          ("split_of_two", {"validation_split": 2, "subset": "both"}, ["between 0 and 1", "2"]),
          ("subset", {"validation_split": 0.5, "subset": "test"}, ["subset", "test"]),
          ("no_seed", {"validation_split": 0.5, "subset": "both", "shuffle": True}, ["seed"]),
          ("empty_validation", {"validation_split": 0.01, "subset": "both"}, ["No", "files"]),
      ]),
    RefusalCase("texts_grain", lambda k: _texts(k, format="grain"), ["format", "grain"],
                raises=ValueError, differs="Keras misses the package grain"),
]  # fmt: skip

CASES = [*GET_FILE, *DATASETS, *TEXTS]
