"""Files from elsewhere: only whole ones are kept, nothing leaves its folder, nothing is run."""

import io
import os
import pathlib
import pickle
import struct
import tarfile
import zipfile

import numpy as np
import pytest

import seqrnn as keras
from seqrnn.datasets import fashion_mnist, mnist
from seqrnn.datasets.object_arrays import read_npz
from seqrnn.utils import archives, download


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_keras_home(cache, tmp_path, monkeypatch, capsys):
    (tmp_path / "a.txt").write_text("text")
    uri = (tmp_path / "a.txt").as_uri()
    assert keras.utils.get_file(origin=uri) == str(cache / "datasets" / "a.txt")
    assert capsys.readouterr().out.startswith(f"Downloading data from {uri}\n4/4 ")
    monkeypatch.delenv("KERAS_HOME")
    assert download.keras_home() == os.path.expanduser("~/.keras")


class Answer(io.BytesIO):
    """Of a server that announces more than it sends."""

    @property
    def headers(self):
        return {"Content-Length": "10"}


def test_only_whole_files_are_kept(cache, monkeypatch):
    monkeypatch.setattr("urllib.request.urlopen", lambda *_, **__: Answer(b"four"))
    with pytest.raises(ConnectionError, match="after 4 of 10 bytes"):
        keras.utils.get_file(origin="https://nowhere.example/a.txt")
    assert os.listdir(cache / "datasets") == []


def test_a_wrong_hash_leaves_the_file_that_was_there(cache, tmp_path):
    (tmp_path / "a.txt").write_text("new")
    (cache / "datasets").mkdir(parents=True)
    (cache / "datasets" / "a.txt").write_text("old")
    with pytest.raises(ValueError, match="incomplete"):
        keras.utils.get_file(origin=(tmp_path / "a.txt").as_uri(), file_hash="0" * 32)
    assert [p.read_text() for p in (cache / "datasets").iterdir()] == ["old"]


@pytest.mark.parametrize("name", ["..", ".", "a/b", "/etc/passwd"])
def test_a_name_is_no_path(cache, name):
    with pytest.raises(ValueError, match="fname must be a name"):
        keras.utils.get_file(name, origin="file:///a.txt")
    with pytest.raises(ValueError, match=r"without a name|without a path"):
        keras.utils.get_file(origin="https://nowhere.example/..")


def tar_of(path, *members):
    with tarfile.open(path, "w") as archive:
        for name, options in members:
            info = tarfile.TarInfo(name)
            for key, value in options.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(b"x" * info.size))


GOOD = ("good.txt", {"size": 3})
HOSTILE = {
    "above": [GOOD, ("../bad.txt", {"size": 1})],
    "absolute": [GOOD, ("/tmp/bad.txt", {"size": 1})],
    "symbolic link": [GOOD, ("link", {"type": tarfile.SYMTYPE, "linkname": "/etc"})],
    "hard link": [GOOD, ("link", {"type": tarfile.LNKTYPE, "linkname": "../../x"})],
    "device": [GOOD, ("null", {"type": tarfile.CHRTYPE})],
    "pipe": [GOOD, ("pipe", {"type": tarfile.FIFOTYPE})],
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_tar(tmp_path, kind):
    tar_of(tmp_path / "bad.tar", *HOSTILE[kind])
    with pytest.raises(ValueError, match="not unpacked"):
        archives.unpack(str(tmp_path / "bad.tar"), str(tmp_path / "out"))
    assert os.listdir(tmp_path) == ["bad.tar"]


def test_hostile_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("good.txt", "1")
        archive.writestr("a/../../bad.txt", "2")
    with pytest.raises(ValueError, match="leads out"):
        archives.unpack(str(tmp_path / "bad.zip"), str(tmp_path / "out"))
    assert os.listdir(tmp_path) == ["bad.zip"]


def test_a_link_in_the_folder_is_not_followed(tmp_path):
    tar_of(tmp_path / "a.tar", ("there/file.txt", {"size": 1}))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "there").symlink_to(tmp_path)
    with pytest.raises(ValueError, match="leads out"):
        archives.unpack(str(tmp_path / "a.tar"), str(tmp_path / "out"))


# ---- pickles in .npz files ----


def npz_with(path, payload):
    """An object array of shape (1,) whose pickle is `payload`."""
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + payload
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", content)
    return path


class Call:
    """Pickled: a call of `function` when it is read."""

    def __init__(self, function, *arguments):
        self.what = function, arguments

    def __reduce__(self):
        return self.what


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_pickles_run_nothing(tmp_path, protocol):
    made = tmp_path / "made"
    payload = pickle.dumps(Call(os.mkdir, str(made)), protocol)
    with pytest.raises(ValueError, match="no array of lists"):
        read_npz(npz_with(tmp_path / "x.npz", payload))
    assert not made.exists()
    np.load(tmp_path / "x.npz", allow_pickle=True)["x"]  # it would have been made
    assert made.exists()


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"garbage",
        pickle.dumps([1, 2]),
        pickle.dumps(np.array([{}], object)),
        pickle.dumps(np.array(["text"], object)),
        pickle.dumps(np.array([1.5], object)),
        pickle.dumps(np.arange(3)),
        b"c__builtin__\neval\n(S'1'\ntR.",
        b"cnumpy\nndarray\n.",  # the stand-in itself
        b"cnumpy\nndarray\n}S'__setstate__'\nNsb.",  # an attribute of it
    ],
)
def test_other_pickles_are_refused(tmp_path, payload):
    with pytest.raises(ValueError, match="no array of lists"):
        read_npz(npz_with(tmp_path / "x.npz", payload))
    np.savez(tmp_path / "good.npz", x=np.array([[1], [2, 3]], object))
    assert read_npz(tmp_path / "good.npz")["x"].tolist() == [[1], [2, 3]]  # still


def test_arrays_of_equal_lists_and_of_numbers(tmp_path):
    rows = np.empty(2, object)
    rows[:] = [[1, 2], [3, 4]]
    np.savez(tmp_path / "a.npz", x=rows, y=np.arange(3))
    found = read_npz(tmp_path / "a.npz")
    assert found["x"].shape == (2,) and found["x"].tolist() == [[1, 2], [3, 4]]
    assert found["y"].tolist() == [0, 1, 2]


# ---- pictures ----


def test_mnist(tmp_path, monkeypatch):
    arrays = {"x_train": np.zeros((3, 28, 28), np.uint8), "y_train": np.arange(3, dtype=np.uint8)}
    arrays |= {"x_test": np.ones((2, 28, 28), np.uint8), "y_test": np.zeros(2, np.uint8)}
    np.savez(tmp_path / "mnist.npz", **arrays)
    monkeypatch.setattr(mnist, "get_file", lambda **_: tmp_path / "mnist.npz")
    (x, y), (x_test, y_test) = keras.datasets.mnist.load_data()
    assert x.shape == (3, 28, 28) and y.tolist() == [0, 1, 2]
    assert x_test.min() == 1 and y_test.shape == (2,)


def test_fashion_mnist(tmp_path, monkeypatch):
    import gzip

    for part, n in (("train", 3), ("t10k", 2)):
        images = bytes(16) + bytes(range(n)) * 784
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(images))
        labels = bytes(8) + bytes([7] * n)
        (tmp_path / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(labels))
    origin = pathlib.Path(tmp_path).as_uri() + "/"
    monkeypatch.setattr(fashion_mnist, "ORIGIN", origin)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    (x, y), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    assert x.shape == (3, 28, 28) and x_test.shape == (2, 28, 28)
    assert x[0, 0, :4].tolist() == [0, 1, 2, 0] and x.dtype == np.uint8
    assert y.tolist() == [7, 7, 7] and y_test.tolist() == [7, 7]
