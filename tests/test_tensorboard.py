"""TensorBoard: event files, byte for byte as TensorFlow writes them, and which tags are in them."""

import json
import os
import struct
import subprocess
import textwrap

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import callbacks, layers
from seqrnn.callbacks import events

PYTHON = os.environ.get("SEQRNN_KERAS_PYTHON")

# tf.io.TFRecordWriter of two Event messages with wall_time 1234.5 and step 300, TensorFlow 2.21.
BY_TENSORFLOW = bytes.fromhex(
    "3700000000000000e7e8ca590900000000004a934010ac022a290a270a0a65706f63685f6c6f7373420a0801"
    "120022040000803e4a0d0a090a077363616c6172732001c4bd47067a00000000000000138986780900000000"
    "004a934010ac022a6c0a6a0a1664656e73652f6b65726e656c2f686973746f6772616d423e08021208120208"
    "021202080322300000000000000000000000000000f03f0000000000000040000000000000f03f0000000000"
    "00004000000000000008404a100a0c0a0a686973746f6772616d73200276b3d881"
)


@pytest.mark.parametrize(
    ("data", "crc"),
    [  # RFC 3720, B.4, and the check value of the CRC catalogue
        (bytes(32), 0x8A9136AA),
        (b"\xff" * 32, 0x62A8AB43),
        (bytes(range(32)), 0x46DD794E),
        (b"123456789", 0xE3069283),
    ],
)
def test_crc32c(data, crc):
    assert events.crc32c(data) == crc


def test_records_are_those_of_tensorflow(tmp_path, monkeypatch):
    monkeypatch.setattr(events, "buckets", lambda values: values)
    file = events.EventFile(tmp_path)
    file.flush()
    before = os.path.getsize(file.path)
    monkeypatch.setattr(events.time, "time", lambda: 1234.5)
    file.scalar("epoch_loss", 0.25, 300)
    file.histogram("dense/kernel/histogram", np.array([[0.0, 1, 2], [1, 2, 3]]), 300)
    file.close()
    with open(file.path, "rb") as written:
        assert written.read()[before:] == BY_TENSORFLOW


def test_buckets():
    values = np.random.default_rng(0).normal(size=1000)
    left, right, count = events.buckets(values).T
    assert count.sum() == 1000 and left[0] == values.min() and right[-1] == values.max()
    for a, b, n in zip(left[:-1], right[:-1], count[:-1], strict=True):
        assert n == ((values >= a) & (values < b)).sum()
    assert events.buckets(np.full(5, 2.0))[:, 2].sum() == 5
    assert events.buckets([]).shape == (0, 3)


# ---- the callback ----


def fields(data):
    """[(field, number or bytes)] of a message."""
    at, found = 0, []

    def varint():
        nonlocal at
        number = shift = 0
        while True:
            byte = data[at]
            at, number, shift = at + 1, number | (byte & 0x7F) << shift, shift + 7
            if byte < 0x80:
                return number

    while at < len(data):
        key = varint()
        if key & 7 == 0:
            found.append((key >> 3, varint()))
        else:
            size = 8 if key & 7 == 1 else varint()
            found.append((key >> 3, data[at : at + size]))
            at += size
    return found


def written(directory):
    """[(tag, step, bytes of the tensor message)] of the one file in a directory."""
    (name,) = os.listdir(directory)
    data, found = (directory / name).read_bytes(), []
    while data:
        (size,) = struct.unpack("<Q", data[:8])
        event = dict(fields(data[12 : 12 + size]))
        data = data[16 + size :]
        if 5 in event:
            value = dict(fields(dict(fields(event[5]))[1]))
            found.append((value[1].decode(), event[2], dict(fields(value[8]))))
    return found


def scalars(directory):
    return {
        (tag, step): struct.unpack("<f", tensor[4])[0]
        for tag, step, tensor in written(directory)
        if len(tensor.get(4, b"")) == 4
    }


def fit(tmp_path, **options):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    x = np.arange(30).reshape(10, 3) / 30
    y = x.sum(1, keepdims=True)
    board = callbacks.TensorBoard(tmp_path, **options)
    data = {"validation_data": (x[:5], y[:5]), "epochs": 2, "batch_size": 4, "verbose": 0}
    return model, model.fit(x, y, callbacks=[board], **data).history


def test_scalars(tmp_path):
    model, history = fit(tmp_path)
    expected = {("epoch_learning_rate", e): 0.1 for e in (0, 1)}
    expected |= {(f"epoch_{k}", e): history[k][e] for k in ("loss", "mae") for e in (0, 1)}
    assert scalars(tmp_path / "train") == pytest.approx(expected)
    seen = {}
    for name in ("loss", "mae"):
        for epoch, value in enumerate(history[f"val_{name}"]):
            seen[f"epoch_{name}", epoch] = value
            seen[f"evaluation_{name}_vs_iterations", 3 * (epoch + 1)] = value
    assert scalars(tmp_path / "validation") == pytest.approx(seen)
    tag, step, tensor = written(tmp_path / "train")[0]
    assert (tag, step) == ("keras", 0)
    assert json.loads(tensor[8]) == json.loads(model.to_json())


@pytest.mark.parametrize(("freq", "steps"), [("batch", [1, 2, 3, 4, 5, 6]), (2, [2, 4, 6])])
def test_batches(tmp_path, freq, steps):
    _, history = fit(tmp_path, update_freq=freq, write_graph=False)
    found = scalars(tmp_path / "train")
    assert sorted(step for tag, step in found if tag == "batch_mae") == steps
    assert found["batch_loss", 6] == pytest.approx(history["loss"][1])


def test_histograms_and_rates(tmp_path):
    model, _ = fit(tmp_path, histogram_freq=2, write_steps_per_second=True)
    found = {(tag, step): tensor for tag, step, tensor in written(tmp_path / "train")}
    for weight in model.weights:
        table = np.frombuffer(found[f"{weight.path}/histogram", 0][4]).reshape(30, 3)
        assert table[:, 2].sum() == np.prod(weight.shape)
        assert (f"{weight.path}/histogram", 1) not in found
    assert scalars(tmp_path / "train")["epoch_steps_per_second", 1] > 0


@pytest.mark.parametrize("option", ["write_images", "profile_batch", "embeddings_freq"])
def test_refused(option):
    with pytest.raises(ValueError, match=f"{option}=1 is not supported"):
        callbacks.TensorBoard(**{option: 1})
    with pytest.raises(TypeError, match="update_freq"):
        callbacks.TensorBoard(update_freq="step")


READ = """
    import glob, sys
    from tensorflow.python.summary.summary_iterator import summary_iterator
    for path in sorted(glob.glob(sys.argv[1] + "/*/*")):
        for event in summary_iterator(path):
            for value in event.summary.value:
                print(value.tag, value.metadata.plugin_data.plugin_name, event.step)
"""


@pytest.mark.skipif(not PYTHON, reason="SEQRNN_KERAS_PYTHON names no Python with TensorFlow")
def test_tensorflow_reads_them(tmp_path):
    fit(tmp_path, histogram_freq=1)
    read = [PYTHON, "-c", textwrap.dedent(READ), str(tmp_path)]
    lines = subprocess.run(read, capture_output=True, text=True, check=True).stdout.splitlines()
    assert "epoch_loss scalars 1" in lines and "keras graph_keras_model 0" in lines
    assert sum(line.endswith("histograms 1") for line in lines) == 4
