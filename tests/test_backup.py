"""BackupAndRestore: a fit that is killed and begun again ends with the bits of one that was not."""

import os
import signal
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import callbacks, layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(22, 5, 2)).astype("float32")
Y = X.sum(-1, keepdims=True)
ROWS = [RNG.normal(size=(n, 2)).astype("float32") for n in RNG.integers(1, 9, 22)]


def new_model():
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((None, 2)),
            layers.GRU(4, return_sequences=True, dropout=0.2),
            layers.BatchNormalization(),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", metrics=["mae", keras.metrics.RootMeanSquaredError()])
    return model


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 6

    def __getitem__(self, i):
        return X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]


def endless():
    while True:
        for i in range(6):
            yield X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]


DATA = {
    "shuffled": lambda: {"x": X, "y": Y, "batch_size": 4},
    "in_order": lambda: {"x": X, "y": Y, "batch_size": 4, "shuffle": False},
    "passes_across_epochs": lambda: {"x": X, "y": Y, "batch_size": 4, "steps_per_epoch": 4},
    "validated": lambda: {"x": X, "y": Y, "batch_size": 4, "validation_data": (X[:5], Y[:5])},
    "unequal": lambda: {"x": ROWS, "y": [r[:, :1] for r in ROWS], "batch_size": 4},
    "dataset": lambda: {"x": Batches()},
    "generator": lambda: {"x": endless(), "steps_per_epoch": 4},
}


class Dies(callbacks.Callback):
    """At the begin of this batch of this epoch."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.at, self.epoch = (epoch, batch), None

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if (self.epoch, batch) == self.at:
            raise KeyboardInterrupt


@pytest.mark.parametrize("freq", ["epoch", 1, 3])
@pytest.mark.parametrize("name", DATA)
@pytest.mark.filterwarnings("ignore:Your input ran out of data after 2 batches")
def test_same_bits(name, freq, tmp_path):
    whole = new_model()
    history = whole.fit(**DATA[name](), epochs=4, verbose=0).history
    backup = callbacks.BackupAndRestore(tmp_path / "b", save_freq=freq)
    with pytest.raises(KeyboardInterrupt):
        new_model().fit(**DATA[name](), epochs=4, verbose=0, callbacks=[backup, Dies(2, 2)])
    backup = callbacks.BackupAndRestore(tmp_path / "b", save_freq=freq)
    model = new_model()
    keras.utils.set_random_seed(8)  # the order of the samples is not drawn anew
    model.set_weights([w + 1 for w in model.get_weights()])
    again = model.fit(**DATA[name](), epochs=4, verbose=0, callbacks=[backup])
    first = again.epoch[0]
    assert first == 2 or (first == 1 and freq == 3)  # a backup right before the end of epoch 1
    for key, values in history.items():
        assert again.history[key] == values[first:]
    for a, b in zip(model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert int(model.optimizer.iterations) == int(whole.optimizer.iterations)
    assert not (tmp_path / "b").exists()


SCRIPT = """
import os, signal, sys
sys.path.insert(0, {here!r})
from test_backup import *

class Kill(callbacks.Callback):
    count = 0
    def on_train_batch_end(self, batch, logs=None):
        Kill.count += 1
        if Kill.count == 9:
            os.kill(os.getpid(), signal.SIGKILL)

model = new_model()
backup = callbacks.BackupAndRestore(sys.argv[1], save_freq=2, delete_checkpoint=False)
model.fit(X, Y, batch_size=4, epochs=3, verbose=0,
          callbacks=[backup, *([Kill()] if sys.argv[2] == "kill" else [])])
np.savez(sys.argv[3], *model.get_weights())
"""


def test_killed_process(tmp_path):
    def run(how):
        script = textwrap.dedent(SCRIPT.format(here=os.path.dirname(__file__)))
        where = [tmp_path / "b", how, tmp_path / "weights.npz"]
        return subprocess.run([sys.executable, "-c", script, *where], timeout=120).returncode

    assert run("kill") == -signal.SIGKILL
    assert run("go on") == 0
    whole = new_model()
    whole.fit(X, Y, batch_size=4, epochs=3, verbose=0)
    with np.load(tmp_path / "weights.npz") as found:
        for i, weight in enumerate(whole.get_weights()):
            np.testing.assert_array_equal(found[f"arr_{i}"], weight)


def fit(model, backup, epochs=1, **options):
    return model.fit(X, Y, epochs=epochs, verbose=0, callbacks=[backup], **options)


def test_kept_backups(tmp_path):
    backup = callbacks.BackupAndRestore(tmp_path, double_checkpoint=True, delete_checkpoint=False)
    fit(new_model(), backup, epochs=3)
    assert sorted(os.listdir(tmp_path)) == ["latest.srn", "latest.srn.bkp"]
    assert fit(new_model(), backup, epochs=4).epoch == [3]
    (tmp_path / "latest.srn").write_bytes(b"torn")
    with pytest.warns(UserWarning, match="that before it is taken"):
        assert fit(new_model(), backup, epochs=4).epoch == [3]


def test_refused(tmp_path):
    for freq in (0, "batch", 2.5, True):
        with pytest.raises(ValueError, match="save_freq"):
            callbacks.BackupAndRestore(tmp_path, save_freq=freq)
    with pytest.raises(ValueError, match="backup_dir"):
        callbacks.BackupAndRestore("")
    keep = callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    fit(new_model(), keep)
    other = keras.Sequential([keras.Input((None, 2)), layers.GRU(5), layers.Dense(1)])
    other.compile("adam", "mse")
    before = other.get_weights()
    with pytest.raises(ValueError, match="Cannot load weights"):
        other.fit(X, Y[:, 0], verbose=0, callbacks=[keep])
    for a, b in zip(before, other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    unbuilt = keras.Sequential([layers.Dense(1)])
    unbuilt.compile("sgd", "mse")
    with pytest.raises(ValueError, match="no weights yet"):
        unbuilt.fit(Batches(), verbose=0, callbacks=[keep])
    other.save_weights(tmp_path / "latest.srn")
    with pytest.raises(ValueError, match="is no backup"):
        other.fit(X, Y[:, 0], verbose=0, callbacks=[keep])
