"""Helpers: one-hot, padding, windows, seeds, learning curves; the light import."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import utils


def test_to_categorical():
    np.testing.assert_array_equal(utils.to_categorical([0, 2]), [[1, 0, 0], [0, 0, 1]])
    np.testing.assert_array_equal(utils.to_categorical([[1], [0]], 2), [[0, 1], [1, 0]])
    assert utils.to_categorical(np.zeros((2, 3)), 4).shape == (2, 3, 4)
    assert utils.to_categorical([0]).dtype == np.float64
    with pytest.raises(ValueError, match=r"class 3 is outside of 0 \.\. 2"):
        utils.to_categorical([3], 3)
    with pytest.raises(ValueError, match="class -1"):
        utils.to_categorical([-1, 0])


def test_pad_sequences():
    rows = [[1, 2, 3], [4], []]
    pad = keras.preprocessing.sequence.pad_sequences
    np.testing.assert_array_equal(pad(rows), [[1, 2, 3], [0, 0, 4], [0, 0, 0]])
    np.testing.assert_array_equal(
        pad(rows, maxlen=2, padding="post", value=9), [[2, 3], [4, 9], [9, 9]]
    )
    np.testing.assert_array_equal(pad(rows, maxlen=2, truncating="post"), [[1, 2], [0, 4], [0, 0]])
    assert pad(rows).dtype == np.int32
    assert pad([np.ones((2, 3)), np.ones((1, 3))], dtype="float32").shape == (2, 2, 3)
    with pytest.raises(ValueError, match="'pre' or 'post', got 'front'"):
        pad(rows, padding="front")
    with pytest.raises(ValueError, match="sequence 1 is not a sequence: 3"):
        pad([[1], 3])


def test_normalize():
    np.testing.assert_allclose(utils.normalize([[3.0, 4.0], [0, 0]]), [[0.6, 0.8], [0, 0]])


def test_windows():
    data, targets = np.arange(10.0)[:, None], np.arange(100, 110.0)
    windows = utils.timeseries_dataset_from_array(data, targets, 3, batch_size=4)
    batches = list(windows)
    assert len(windows) == 2 and [len(x) for x, _ in batches] == [4, 4]
    np.testing.assert_array_equal(batches[0][0][1, :, 0], [1, 2, 3])
    assert batches[0][1][1] == 101
    sparse = utils.timeseries_dataset_from_array(data, None, 3, sampling_rate=2, sequence_stride=3)
    np.testing.assert_array_equal(sparse[0][:, :, 0], [[0, 2, 4], [3, 5, 7]])
    with pytest.raises(ValueError, match="a window takes 11 steps"):
        utils.timeseries_dataset_from_array(data, None, 11)


def test_shuffled_windows():
    windows = utils.timeseries_dataset_from_array(np.arange(40.0), None, 3, batch_size=4)
    shuffled = windows.shuffle(8, seed=1)
    first, second = ([x[0, 0] for x in shuffled] for _ in range(2))
    assert sorted(first) == sorted(second) == list(np.arange(0.0, 37.0, 4.0))
    assert first != second and first != sorted(first)
    once = windows.shuffle(8, seed=1, reshuffle_each_iteration=False)
    assert [x[0, 0] for x in once] == [x[0, 0] for x in once]
    with pytest.raises(ValueError, match=r"fit\(epochs"):
        windows.repeat()


def test_windows_feed_a_model():
    data = np.sin(np.arange(50.0))[:, None]
    windows = utils.timeseries_dataset_from_array(data[:-1], data[5:], 5, shuffle=True, seed=1)
    model = keras.Sequential([keras.layers.Flatten(input_shape=[5, 1]), keras.layers.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.1))
    losses = model.fit(windows, epochs=60, verbose=0).history["loss"]
    assert losses[-1] < 0.05 * losses[0]


def test_set_random_seed():
    drawn = []
    for _ in range(2):
        utils.set_random_seed(3)
        drawn.append((random.random(), np.random.rand()))
    assert drawn[0] == drawn[1]
    with pytest.raises(ValueError, match="whole number"):
        utils.set_random_seed("now")


def test_seed_fixes_initial_weights():
    def weights():
        utils.set_random_seed(5)
        return keras.Sequential([keras.layers.Dense(3, input_shape=[4])]).get_weights()[0]

    np.testing.assert_array_equal(weights(), weights())


def test_plot_history():
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    axes = utils.plot_history({"loss": [3.0, 2.0], "val_loss": [3.5, 2.5]})
    training, validation = axes.get_lines()
    np.testing.assert_array_equal(training.get_xdata(), [0.5, 1.5])
    np.testing.assert_array_equal(validation.get_xdata(), [1, 2])
    with pytest.raises(ValueError, match="no 'mae'"):
        utils.plot_history({"loss": [1.0]}, metrics="mae")


def test_names_of_the_package():
    assert keras.Sequential is keras.models.Sequential
    assert keras.Model is keras.models.Model and keras.Input is keras.layers.Input
    assert callable(keras.set_num_threads) and keras.__version__
    assert {"layers", "models", "Sequential", "ops"} <= set(dir(keras))
    with pytest.raises(AttributeError, match="no attribute 'layer'"):
        keras.layer  # noqa: B018


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("SEQRNN_DUMP", "graph,plans", "'plans'. Did you mean 'plan'?"),
        ("SEQRNN_KERNELS", "avx", "'avx'"),
        ("SEQRNN_DUMP", "", ""),
        ("SEQRNN_KERNELS", "base", ""),
    ],
)
def test_misspelt_environment_variables_are_told(name, value, text):
    code = "import seqrnn; seqrnn.layers"
    environment = {**os.environ, name: value}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    assert text in done.stderr and ("UserWarning" in done.stderr) == bool(text)


def test_import_is_light():
    code = "import sys, seqrnn; print([m for m in sys.modules if m.startswith('seqrnn')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['seqrnn']"


@pytest.mark.parametrize(
    "code",
    [
        "import seqrnn as keras; keras.layers.Dense",
        "from seqrnn.layers import Dense, Conv1D",
        "from seqrnn.models import Sequential",
        "from seqrnn import losses",
        "from seqrnn import saving",
        "import seqrnn.metrics",
        "import seqrnn.optimizers",
        "import seqrnn.callbacks",
        "import seqrnn.utils",
        "import seqrnn.backend",
        "from seqrnn import Function, mixed_precision, tree",
        "import seqrnn.activations",
        "import seqrnn.trace",
        "import seqrnn.ops",
    ],
)
def test_every_module_can_be_the_first(code):
    subprocess.run([sys.executable, "-c", code], check=True)


def test_small_names_of_keras():
    assert keras.utils.standardize_dtype("float16") == keras.backend.standardize_dtype("float16")
    keras.config.disable_traceback_filtering()
    assert not keras.config.is_traceback_filtering_enabled()
    assert keras.utils.PyDataset.workers == 1 and keras.utils.PyDataset.max_queue_size == 10
    assert keras.preprocessing.text_dataset_from_directory is (
        keras.utils.text_dataset_from_directory
    )


def test_names_that_are_not_here_say_why():
    for name, word in {
        "StatelessScope": "value_and_grad",
        "remat": "memory",
        "Operation": "Layer",
    }.items():
        with pytest.raises(AttributeError, match=f"seqrnn has no '{name}'.*{word}"):
            getattr(keras, name)
    with pytest.raises(AttributeError, match=r"Dense has no 'stateless_call'.*GradientTape"):
        keras.layers.Dense(1).stateless_call()
    with pytest.raises(AttributeError, match=r"Model has no 'export'.*Keras's files"):
        keras.Sequential().export()
    with pytest.raises(ValueError, match="'jax' is not supported"):
        keras.config.set_backend("jax")
    keras.config.set_backend("seqrnn")


def test_function_of_keras_2():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    x = np.ones((4, 3), "float32")
    first, second = keras.backend.function(model.inputs, [la.output for la in model.layers])([x])
    np.testing.assert_allclose(first, x @ model.layers[0].kernel.numpy(), rtol=1e-6)
    np.testing.assert_allclose(second, model.predict(x, verbose=0), rtol=1e-6)


def test_the_last_of_policy_and_floatx_counts():
    keras.config.set_dtype_policy("float64")
    assert keras.layers.Dense(1).dtype == "float64" and keras.Input((2,)).dtype == "float32"
    keras.config.set_floatx("float32")
    assert keras.layers.Dense(1).dtype == keras.config.dtype_policy().name == "float32"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"sampling_rate": 0}, "sampling_rate must be at least 1"),
        ({"sequence_stride": -1}, "sequence_stride must be at least 1"),
        ({"sequence_length": 0}, "sequence_length must be at least 1"),
        ({"sequence_length": 2.5}, "sequence_length must be a whole number"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"start_index": -3}, "start_index must be 0 or more.*got -3"),
        ({"start_index": 20}, "start_index.*10 steps.*got 20"),
        ({"end_index": 50}, "end_index.*10 steps.*got 50"),
        ({"start_index": 5, "end_index": 3}, "end_index must be above start_index"),
    ],
)
def test_windows_of_wrong_numbers(options, error):
    with pytest.raises((ValueError, TypeError), match=error):
        utils.timeseries_dataset_from_array(
            np.arange(10.0), None, **{"sequence_length": 3} | options
        )


def test_shuffled_windows_have_another_order_in_each_epoch():
    windows = utils.timeseries_dataset_from_array(
        np.arange(40.0), None, 2, batch_size=None, shuffle=True, seed=3
    )
    orders = []
    for _ in range(3):
        orders.append([float(window[0]) for window in windows])
        windows.on_epoch_end()
    assert all(sorted(order) == list(range(39)) for order in orders)
    assert orders[0] != orders[1] != orders[2] != orders[0]
