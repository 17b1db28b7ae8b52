"""model.memory: bytes counted by hand, and against what the process really takes."""

import os
import random
import subprocess
import sys

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import _core, layers


def lstm(outputs=10, **kwargs):
    return keras.Sequential(
        [
            layers.LSTM(20, return_sequences=True, input_shape=[None, 1], **kwargs),
            layers.LSTM(20, return_sequences=True),
            layers.TimeDistributed(layers.Dense(outputs)),
        ]
    )


class Own(keras.Model):
    def __init__(self):
        super().__init__()
        self.cell = layers.RNN(layers.GRUCell(8), return_sequences=True)
        self.out = layers.Dense(1)

    def call(self, x):
        return self.out(self.cell(x))


WEIGHTS = 4 * (4 * 20 * (1 + 20 + 1) + 4 * 20 * (20 + 20 + 1) + 10 * (20 + 1))


@pytest.mark.parametrize(
    ("optimizer", "slots"),
    [
        ("sgd", 0),
        (keras.optimizers.SGD(momentum=0.9), 1),
        ("rmsprop", 1),
        ("adam", 2),
        (keras.optimizers.Adam(amsgrad=True), 3),
    ],
)
def test_weights_and_optimizer(optimizer, slots):
    model = lstm()
    model.compile(loss="mse", optimizer=optimizer)
    memory = model.memory(4, 6)
    assert memory.weights == WEIGHTS
    assert memory.optimizer == slots * WEIGHTS
    assert memory.total == (1 + slots) * WEIGHTS + memory.training
    assert memory.training > memory.predicting > 0


def test_frozen_weights_have_no_slots():
    model = lstm()
    model.layers[0].trainable = False
    model.compile(loss="mse", optimizer="adam")
    memory = model.memory(4, 6)
    assert memory.weights == WEIGHTS
    assert memory.optimizer == 2 * (WEIGHTS - 4 * 4 * 20 * 22)
    for layer in model.layers:
        layer.trainable = False
    model.compile(loss="mse", optimizer="adam")
    assert model.memory(4, 6).optimizer == 0


def test_without_compile_it_is_predicting_alone():
    memory = lstm().memory(4, 6)
    assert memory.training is None and memory.optimizer == 0
    assert memory.total == WEIGHTS + memory.predicting
    assert "not compiled" in str(memory)


def test_table():
    model = lstm()
    model.compile(loss="mse", optimizer="adam")
    memory = model.memory(32, 50)
    lines = str(memory).splitlines()
    assert lines[0] == f"Memory of '{model.name}' for batches of 32 with 50 time steps:"
    assert lines[1].split() == ["weights", "20.51", "KB"]
    assert lines[2].split() == ["optimizer", "41.02", "KB"]
    assert [line.rsplit(None, 2)[0].strip() for line in lines[3:]] == [
        "workspace of a training step",
        "workspace of predict",
        "total",
    ]
    assert repr(memory) == str(memory)


# ---- the workspaces ----


def scanned(outputs=10):
    cell = layers.RNN(layers.LSTMCell(20), return_sequences=True, input_shape=[None, 1])
    return keras.Sequential([cell, layers.Dense(outputs)])


@pytest.mark.parametrize("make", [lstm, scanned])
def test_grows_linearly_with_batch_and_steps(make):
    model = make()
    model.compile(loss="mse", optimizer="adam")
    # From 128 on a batch goes through the plan in eight parts: then they grow with it.
    for sizes in ([(128, 50), (256, 50), (384, 50)], [(32, 200), (32, 400), (32, 600)]):
        for kind in ("training", "predicting"):
            one, two, three = [getattr(model.memory(*each), kind) for each in sizes]
            assert three - two == pytest.approx(two - one, rel=0.02)
            assert two == pytest.approx(2 * one, rel=0.1)


def test_at_least_the_states_that_the_way_back_needs():
    """Two layers of 20 units: the output of each step; the gates of each step are four of them."""
    model = lstm()
    model.compile(loss="mse", optimizer="adam")
    states = 4 * 32 * 400 * 2 * 20
    assert 2 * states < model.memory(32, 400).training < 20 * states


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def taken(make, training):
    """(what `memory` says, what the process takes), of a large batch."""
    _core.set_num_threads(1)  # a second one may find nothing left to do and never touch its part
    model, batch, steps = make(outputs=1), 64, 5000
    model.compile(loss="mse", optimizer="sgd")
    x, y = np.zeros((2, batch, steps, 1), "float32")
    memory = model.memory(batch, steps)
    model.train_on_batch(x[:, :5], y[:, :5])
    before = resident()
    if training:
        model.train_on_batch(x, y)
    else:
        model.predict_on_batch(x)
    return memory.training if training else memory.predicting, resident() - before


@pytest.mark.skipif(
    sys.platform != "linux" or "asan" in os.environ.get("LD_PRELOAD", ""),
    reason="reads /proc, and AddressSanitizer takes memory of its own",
)
@pytest.mark.parametrize("make", ["lstm", "scanned"])
@pytest.mark.parametrize("training", [True, False])
def test_workspace_is_what_the_process_takes(make, training):
    """In a process of its own: here the allocator may have kept what other tests have freed. Large
    enough that it asks the system, and filled with zeros when made."""
    code = f"import test_memory as t; print(*t.taken(t.{make}, {training}))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.path.dirname(__file__)},
        capture_output=True,
        text=True,
        check=True,
    )
    expected, found = map(int, done.stdout.split())
    assert expected > 30e6
    assert found == pytest.approx(expected, rel=0.05)


def test_asking_takes_no_memory():
    """A workspace of a terabyte."""
    model = lstm()
    model.compile(loss="mse", optimizer="adam")
    assert model.memory(100_000, 100_000).training > 1e12


# ---- the model stays as it is ----


def test_the_model_stays_as_it_is():
    def trained(asks):
        keras.utils.set_random_seed(1)
        model = lstm(dropout=0.2)
        model.add(layers.Lambda(lambda x: x + keras.random.normal((1,))))
        model.compile(loss="mse", optimizer="adam", metrics=["mae"])
        if asks:
            state = random.getstate()
            model.memory(8, 5)
            assert not model.optimizer.built and model._steps._plans == {}
            assert random.getstate() == state
        x, y = np.ones((8, 5, 1)), np.ones((8, 5, 10))
        history = model.fit(x, y, epochs=2, verbose=0).history
        if asks:
            before = model.evaluate(x, y, verbose=0)
            model.memory(4, 3)
            model.inference_step -= 1  # to draw the same numbers
            assert model.evaluate(x, y, verbose=0) == before
        return history, model.get_weights()

    plain, asked = trained(False), trained(True)
    assert plain[0] == asked[0]
    for a, b in zip(plain[1], asked[1], strict=True):
        np.testing.assert_array_equal(a, b)


# ---- inputs ----


def test_a_model_that_is_not_built():
    for model in (keras.Sequential([layers.GRU(3)]), Own()):
        with pytest.raises(ValueError, match=r"not known yet\. Declare them .*or call the model"):
            model.memory(4, 6)
        assert not model.weights
        model(np.zeros((2, 5, 3), "float32"))
        assert model.memory(4, 6).weights == sum(w.nbytes for w in model.get_weights())
        assert model.memory(4, 6000).predicting > 9 * model.memory(4, 600).predicting
        assert model.memory(4).predicting == model.memory(4, 5).predicting


def test_class_numbers():
    model = keras.Sequential(
        [layers.Input((None,)), layers.Embedding(10, 4), layers.GRU(4), layers.Dense(3, "softmax")]
    )
    model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    assert model.memory(8, 20).training > 0


def test_several_inputs_and_outputs():
    a, b = layers.Input((None, 2), name="a"), layers.Input((3,), name="b")
    h = layers.GRU(4)(a)
    model = keras.Model([a, b], [layers.Dense(1)(h), layers.Concatenate()([h, b])])
    model.compile("adam", ["mse", None])
    assert model.memory(8, 20).training > 0


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((4,), ValueError, "say how long sequences are"),
        ((0, 5), ValueError, "batch must be at least 1"),
        ((4, 0), ValueError, "steps must be at least 1"),
        ((4.0, 5), TypeError, "batch must be a whole number"),
    ],
)
def test_sizes_refused(arguments, error, text):
    with pytest.raises(error, match=text):
        lstm().memory(*arguments)


def test_batch_of_32_unless_given():
    model = keras.Sequential([layers.LSTM(3, input_shape=(5, 2))])
    assert model.memory(None).predicting == model.memory().predicting == model.memory(32).predicting


def test_sizes_that_do_not_fit():
    fixed = keras.Sequential([layers.LSTM(3, input_shape=(5, 2))])
    assert fixed.memory(4).predicting == fixed.memory(4, 5).predicting
    with pytest.raises(ValueError, match=r"No input .* can have 6 time steps: \(None, 5, 2\)"):
        fixed.memory(4, 6)
    batch = keras.Sequential([layers.LSTM(3, batch_input_shape=(2, None, 1))])
    with pytest.raises(ValueError, match="takes batches of 2, but got batch=4"):
        batch.memory(4, 6)
    with pytest.raises(ValueError, match="No input"):
        keras.Sequential([layers.Dense(1, input_shape=(3,))]).memory(4, 6)


def test_a_loss_that_wants_other_targets():
    model = lstm()
    model.compile("sgd", lambda y, p: keras.ops.mean((y[:, :, :, 0] - p) ** 2))
    with pytest.raises((ValueError, IndexError), match="supposes that targets have the shape"):
        model.memory(4, 6)
