"""The code of the seed's notes runs after the two edits that a user has to make.

The edits: the import lines, and `return_sequence`, which is misspelt there. The notes leave two
holes, which are filled here: `last_time_step_mse` is used but not defined, and the last line is
`model.fit(~~)`.
"""

import re
from pathlib import Path

import numpy as np
import pytest

import seqrnn as keras

SEED = Path(__file__).parents[3] / "shared/000_04e23eac34d03fdc.txt"
IMPORTS = {
    "import tensorflow as tf\n": "",
    "from tensorflow import keras\n": "import seqrnn as keras\n",
    "from tensorflow.keras.layers import": "from seqrnn.layers import",
    # Nothing of these is used in the notes.
    "import pandas as pd\n": "",
    "import matplotlib.pyplot as plt\n": "",
    "%matplotlib inline\n": "",
}
FIT = "model.fit(X, Y[:, 3::2], epochs=2, verbose=0, validation_data=(X, Y[:, 3::2]))"


def seed_cells():
    """The code cells of the notes, as they are: what follows 'In [3]:' up to an empty line that is
    not followed by more code."""
    if not SEED.exists():
        pytest.skip(f"the seed's notes are not at {SEED}")
    text = SEED.read_text(encoding="utf-8").replace("\r\n", "\n")
    cells = []
    for part in re.split(r"^In \[(?: |\d+|None)\]:\n", text, flags=re.MULTILINE)[1:]:
        paragraphs = part.strip("\n").split("\n\n")
        code = [paragraphs[0]]
        for paragraph in paragraphs[1:]:
            if re.match(r"#|[^\x00-\x7f]", paragraph):
                break
            code.append(paragraph)
        cells.append("\n\n".join(code) + "\n")
    return cells


def replaced(text, edits):
    for old, new in edits.items():
        assert text.count(old), f"the notes have no {old!r}"
        text = text.replace(old, new)
    return text


@pytest.fixture
def cells():
    """By what they are about."""
    imports, ln_cell, ln_model, lstm, conv = seed_cells()
    return {
        "imports": replaced(imports, {k: v for k, v in IMPORTS.items() if ".layers" not in k}),
        "LNSimpleRNNCell": ln_cell,
        "LNSimpleRNNCell in RNN": ln_model,
        "LSTM": lstm,
        "Conv1D + GRU": replaced(conv, {k: v for k, v in IMPORTS.items() if ".layers" in k}),
    }


@pytest.fixture
def namespace(cells):
    """After the first two cells, with data and the metric that the notes do not define."""

    def last_time_step_mse(Y_true, Y_pred):
        return keras.metrics.mean_squared_error(Y_true[:, -1], Y_pred[:, -1])

    keras.utils.set_random_seed(1)
    X, Y = keras.datasets.time_series(256, seed=1)
    namespace = {"last_time_step_mse": last_time_step_mse, "X": X, "Y": Y}
    run(cells, "imports", namespace)
    run(cells, "LNSimpleRNNCell", namespace)
    return namespace


def run(cells, name, namespace):
    exec(compile(cells[name], f"the seed's cell '{name}'", "exec"), namespace)


def test_the_notes_have_five_code_cells(cells):
    assert len(cells) == 5
    for name, code in cells.items():
        compile(code.replace("(~~)", "()"), name, "exec")


@pytest.mark.parametrize("name", ["LNSimpleRNNCell in RNN", "LSTM"])
def test_a_model_of_the_notes_trains(cells, namespace, name):
    run(cells, name, namespace)
    model, X, Y = (namespace[key] for key in ("model", "X", "Y"))
    model.compile(loss="mse", optimizer="adam", metrics=[namespace["last_time_step_mse"]])
    history = model.fit(X, Y, epochs=3, verbose=0).history
    assert list(history) == ["loss", "last_time_step_mse"]
    assert np.all(np.diff(history["loss"]) < 0)
    assert model.predict(X[:5], verbose=0).shape == (5, 50, 10)


def test_the_parameters_are_those_of_keras(cells, namespace):
    for name, count in (("LNSimpleRNNCell in RNN", 1550), ("LSTM", 5250)):
        run(cells, name, namespace)
        assert namespace["model"].count_params() == count


def test_the_last_cell_compiles_and_fits(cells, namespace):
    edits = {"return_sequence=": "return_sequences=", "model.fit(~~)": FIT}
    cells["Conv1D + GRU"] = replaced(cells["Conv1D + GRU"], edits)
    run(cells, "Conv1D + GRU", namespace)
    history, model = namespace["history"].history, namespace["model"]
    names = ["loss", "last_time_step_mse", "val_loss", "val_last_time_step_mse"]
    assert list(history) == names
    assert history["loss"][1] < history["loss"][0]
    assert history["val_loss"][1] < history["val_loss"][0]
    assert model.count_params() == 5350
    assert model.predict(namespace["X"][:5], verbose=0).shape == (5, 24, 10)


@pytest.mark.parametrize("error", [TypeError, ValueError])
def test_the_misspelt_argument_suggests_the_right_one(cells, namespace, error):
    cells["Conv1D + GRU"] = replaced(cells["Conv1D + GRU"], {"model.fit(~~)": FIT})
    with pytest.raises(error, match=r"GRU.*'return_sequence'.*'return_sequences'"):
        run(cells, "Conv1D + GRU", namespace)


def test_targets_of_every_step_suggest_the_slice(cells, namespace):
    """Where `fit(~~)` most likely goes wrong: 50 targets for 24 steps."""
    edits = {"return_sequence=": "return_sequences=", "model.fit(~~)": "model.fit(X, Y, verbose=0)"}
    cells["Conv1D + GRU"] = replaced(cells["Conv1D + GRU"], edits)
    with pytest.raises(ValueError, match=r"3::2"):
        run(cells, "Conv1D + GRU", namespace)
