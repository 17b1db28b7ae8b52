"""Random functional models: they train alike on any number of threads, files and configs keep them,
rows of a batch and masked steps do not see each other.
"""

import os
import tempfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_graphs import ENDS, MASKED_LAYERS, build, data_for, graphs, listed
from random_models import OPTIMIZERS, optimizer_of

import seqrnn as keras

pytestmark = pytest.mark.filterwarnings("ignore:Layer .* does not support masking")

TIMES, FEATURES, BATCHES = st.integers(1, 6), st.integers(1, 4), st.integers(1, 5)
TOLERANCE = 1e-5


def near(value, reference, tolerance=TOLERANCE):
    assert value.shape == reference.shape
    largest = max(1.0, np.abs(reference).max(initial=0))
    assert np.abs(value - reference).max(initial=0) <= tolerance * largest


def rows(arrays, row, length=None):
    """One row of each array, cut to its first steps."""
    return [array[row : row + 1, :length] for array in arrays]


def fitted(graph, time, features, batch, optimizer, threads):
    """Losses, predictions and weights after two epochs."""
    before = keras.num_threads()
    keras.set_num_threads(threads)
    try:
        keras.utils.set_random_seed(7)
        model = build(graph, time, features)
        x, y = data_for(model, graph, batch)
        model.compile(loss="mse", optimizer=optimizer_of(optimizer))
        history = model.fit(x, y, epochs=2, batch_size=4, verbose=0).history
        predictions = listed(model.predict(x, verbose=0))
        return [np.array(history["loss"]), *predictions, *model.get_weights()]
    finally:
        keras.set_num_threads(before)


@given(graphs(), TIMES, FEATURES, BATCHES, OPTIMIZERS)
def test_fit_gives_the_same_bits_on_any_number_of_threads(graph, time, features, batch, optimizer):
    one, two = (fitted(graph, time, features, batch, optimizer, n) for n in (1, 2))
    assert np.isfinite(one[0]).all()
    for a, b in zip(one, two, strict=True):
        assert np.array_equal(a, b)


@pytest.mark.parametrize("suffix", [".keras", ".srn", ".h5", ".weights.h5"])
@given(graph=graphs(), time=TIMES, features=FEATURES)
def test_files_keep_the_model(suffix, graph, time, features):
    model = build(graph, time, features)
    x, y = data_for(model, graph, 4)
    model.compile(loss="mse", optimizer="sgd")
    model.fit(x, y, verbose=0)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, f"model{suffix}")
        if suffix == ".weights.h5":
            model.save_weights(path)
            copy = keras.models.clone_model(model)
            copy.load_weights(path)
        else:
            model.save(path)
            copy = keras.models.load_model(path)
    assert copy.get_config() == model.get_config()
    predictions = (listed(each.predict(x, verbose=0)) for each in (model, copy))
    for a, b in zip(*predictions, strict=True):
        assert np.array_equal(a, b)


@given(graphs(), TIMES, FEATURES, BATCHES)
def test_predict_call_and_rows_agree(graph, time, features, batch):
    model = build(graph, time, features)
    x, _ = data_for(model, graph, batch)
    together = listed(model.predict(x, verbose=0))
    for a, b in zip(together, listed(model(x, training=False)), strict=True):
        assert np.array_equal(a, b)
    for row in range(batch):
        alone = listed(model.predict(rows(x, row), verbose=0))
        for a, b in zip(together, alone, strict=True):
            near(a[row : row + 1], b)


MASKED_INPUTS = st.sampled_from(["tokens", "padded"])
# As in Keras, a maximum over time does not look at masks.
MASKED_ENDS = [end for end in ENDS if end != "GlobalMaxPooling1D"]


@given(graphs(MASKED_LAYERS, MASKED_INPUTS, ends=MASKED_ENDS), TIMES, FEATURES, BATCHES)
def test_padded_rows_are_the_rows_alone(graph, time, features, batch):
    """With a mask on every way, a row is what its sequence is alone, cut to its length."""
    model = build(graph, time, features)
    x, _ = data_for(model, graph, batch)
    lengths = (np.asarray(x[0]).reshape(batch, time, -1) != 0).any(-1).sum(1)
    together = listed(model.predict(x, verbose=0))
    for row, length in enumerate(lengths):
        alone = build(graph, int(length), features)
        alone.set_weights(model.get_weights())
        parts = listed(alone.predict(rows(x, row, length), verbose=0))
        for a, b in zip(together, parts, strict=True):
            part = a[row : row + 1]
            near(part[:, :length] if part.ndim == 3 else part, b)
