"""Files that are damaged or made to harm: a ValueError, in bounded memory, the model unchanged."""

import json
import os
import pathlib
import stat
import struct
import zipfile

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers


@pytest.fixture
def saved(tmp_path):
    """(model, path of its file)"""
    model = keras.Sequential([layers.Input((5, 3)), layers.GRU(2), layers.Dense(1)])
    model.compile(loss="mse", optimizer="adam")
    model.fit(np.ones((4, 5, 3)), np.ones((4, 1)), verbose=0)
    path = str(tmp_path / "model.srn")
    model.save(path)
    return model, path


def rewritten(path, changes, compression=zipfile.ZIP_STORED):
    """The path of a copy with some members replaced, left out (None) or compressed."""
    other = path + ".changed"
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(other, "w", compression) as target:
        for name in source.namelist():
            data = changes.get(name, source.read(name))
            if data is not None:
                target.writestr(name, data)
    return other


def npy(header, data=b""):
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + data


def test_truncated(saved, tmp_path):
    data = pathlib.Path(saved[1]).read_bytes()
    short = tmp_path / "short.srn"
    for end in range(0, len(data), 97):
        short.write_bytes(data[:end])
        with pytest.raises(ValueError):
            keras.models.load_model(short)


def test_flipped_bits(saved, tmp_path):
    """A flip that no checksum covers (a time stamp, say) may go unnoticed: all others are found."""
    data = pathlib.Path(saved[1]).read_bytes()
    other = tmp_path / "flipped.srn"
    for at in range(0, len(data), 41):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        other.write_bytes(changed)
        try:
            keras.models.load_model(other)
        except ValueError as error:
            assert "flipped.srn" in str(error)


@pytest.mark.parametrize("name", ["format.json", "config.json"])
@pytest.mark.parametrize(
    "text", ["", "null", "[]", "{}", "3", '"a"', '{"a":', "[" * 100_000, "NaN"]
)
def test_wrong_json(saved, name, text):
    with pytest.raises(ValueError, match=r"damaged|not a file of seqrnn"):
        keras.models.load_model(rewritten(saved[1], {name: text}))


@pytest.mark.parametrize("value", [None, 3, "a", [], {}, {"class_name": "GRU", "config": {}}])
def test_wrong_values_in_the_config(saved, value):
    config = json.loads(zipfile.ZipFile(saved[1]).read("config.json"))
    for where in (["model"], ["model", "config"], ["model", "class_name"], ["random_step"]):
        changed = json.loads(json.dumps(config))
        inner = changed
        for key in where[:-1]:
            inner = inner[key]
        inner[where[-1]] = value
        if value == 3 and where == ["random_step"]:
            continue
        with pytest.raises(ValueError):
            keras.models.load_model(rewritten(saved[1], {"config.json": json.dumps(changed)}))


@pytest.mark.parametrize(
    "data",
    [
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (100000000000,), }"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,) * 2, }"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-5,), }"),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", b"12345678"),
        npy("{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }", b"abcd"),
        npy("{'descr': '<c8', 'fortran_order': False, 'shape': (1,), }", b"12345678"),
        npy("__import__('os').abort()"),
        npy("(" * 9000),
        b"",
    ],
)
def test_hostile_arrays_change_nothing(saved, data):
    model, path = saved
    other = rewritten(path, {"arrays/layers/dense/vars/1.npy": data})
    before = model.get_weights()
    for load in (keras.models.load_model, model.load_weights):
        with pytest.raises(ValueError, match="changed"):
            load(other)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_compressed_members_are_refused_unread(saved):
    bomb = rewritten(saved[1], {"config.json": bytes(50_000_000)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ValueError, match="compressed"):
        keras.models.load_model(bomb)


def test_pipes_and_devices(saved, tmp_path):
    """A pipe must not be waited for, nor a device replaced by a file."""
    pipe = str(tmp_path / "pipe.srn")
    os.mkfifo(pipe)
    for use in (keras.models.load_model, saved[0].save, saved[0].save_weights):
        with pytest.raises(ValueError, match="device or a pipe"):
            use(pipe)
        with pytest.raises(IsADirectoryError, match="is a directory"):
            use(str(tmp_path))
    assert stat.S_ISFIFO(os.stat(pipe).st_mode)
