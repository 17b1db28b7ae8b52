"""Files exchanged with real Keras in both directions: `python round_trips.py <python with Keras>`.

For each model and format: one side trains for 4 steps, saves, and trains for 4 more; the other side
loads, and must predict the same, train on to the same weights, and save a file that the first side
reads with the same predictions. What is compared: predictions within 1e-5, and, for the formats
that hold the optimizer, predictions after training on, within 2e-4 of the largest (both sides round
in float32). Keras cannot compile what it reads from its own '.h5' with a loss by name, so there it
reads the weights only.

The two sides run as processes of their own, on this file: "worker <module> <stage> <directory>".
`test_round_trips.py` runs it in CI if it finds Keras.
"""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
from golden_classes import own_adam

SUFFIXES = (".keras", ".h5", ".weights.h5")
STEPS, BATCH, TIME = 4, 8, 12


# ---- the models, on either side ----


def sequential(k, *layers):
    return k.Sequential([k.layers.Input([TIME, 1]), *layers])


def linear(k):
    return sequential(k, k.layers.Flatten(), k.layers.Dense(10))


def simple_rnn(k):
    return sequential(k, k.layers.SimpleRNN(1))


def deep_rnn(k):
    L = k.layers
    return sequential(
        k,
        L.SimpleRNN(8, return_sequences=True),
        L.SimpleRNN(8, return_sequences=True),
        L.TimeDistributed(L.Dense(10)),
    )


def layer_norm_rnn(k):
    L, cell = k.layers, layer_norm_cell(k)
    return sequential(
        k,
        L.RNN(cell(6), return_sequences=True),
        L.RNN(cell(6), return_sequences=True),
        L.TimeDistributed(L.Dense(10)),
    )


def lstm(k):
    L = k.layers
    return sequential(
        k,
        L.LSTM(6, return_sequences=True),
        L.LSTM(6, return_sequences=True),
        L.TimeDistributed(L.Dense(10)),
    )


def conv_gru(k):
    L = k.layers
    return sequential(
        k,
        L.Conv1D(6, 4, strides=2, padding="valid"),
        L.GRU(6, return_sequences=True),
        L.GRU(6, return_sequences=True),
        L.TimeDistributed(L.Dense(10)),
    )


def wavenet(k):
    L = k.layers
    rates = (1, 2, 4) * 2
    convs = [
        L.Conv1D(6, 2, padding="causal", activation="relu", dilation_rate=rate) for rate in rates
    ]
    return sequential(k, *convs, L.Conv1D(10, 1))


def branches(k):
    """Two branches whose layers Keras orders by depth, a shared layer, ops, a nested model."""
    L = k.layers
    x = k.Input([TIME, 1], name="series")
    shared = L.Dense(4, activation="tanh")
    long = L.GRU(4, return_sequences=True)(L.Dense(3)(x))
    short = shared(x)
    mixed = shared(k.ops.sum(long, axis=-1, keepdims=True) + 0.5 * short[:, :, :1])
    inner = k.Sequential([L.Input([TIME, 8]), L.LayerNormalization(), L.Dense(2)])
    y = inner(L.Concatenate()([mixed, k.ops.tanh(short) - long]))
    state = L.SimpleRNN(4, return_sequences=True)(y, initial_state=long[:, -1])
    return k.Model(x, L.BatchNormalization(momentum=0.9)(state))


def stacked(k):
    L = k.layers
    return sequential(
        k, L.RNN([L.LSTMCell(4), L.GRUCell(3)], return_sequences=True), L.Dropout(0.0), L.Dense(2)
    )


def schedule(k):
    return k.optimizers.schedules.ExponentialDecay(0.01, 3, 0.5)


# name: (model, optimizer)
MODELS = {
    "linear": (linear, lambda k: k.optimizers.SGD(0.02, momentum=0.9)),
    "simple_rnn": (simple_rnn, lambda k: "adam"),
    "deep_rnn": (deep_rnn, lambda k: k.optimizers.Adam(schedule(k))),
    "layer_norm_rnn": (layer_norm_rnn, lambda k: k.optimizers.Nadam(0.005)),
    "lstm": (lstm, lambda k: k.optimizers.RMSprop(0.003, momentum=0.5, centered=True)),
    "conv_gru": (conv_gru, lambda k: k.optimizers.Adam(0.005, amsgrad=True, clipnorm=1.0)),
    "wavenet": (wavenet, lambda k: k.optimizers.AdamW(0.003)),
    "branches": (branches, lambda k: k.optimizers.Adam(0.003)),
    "stacked": (stacked, lambda k: "rmsprop"),
    "muon": (simple_rnn, lambda k: k.optimizers.Muon(0.003)),
    "own_rule": (linear, lambda k: own_adam(k)(0.01, gradient_accumulation_steps=2)),
    "loss_scale": (
        linear,
        lambda k: k.optimizers.LossScaleOptimizer(k.optimizers.Adam(0.01), dynamic_growth_steps=4),
    ),
}


def layer_norm_cell(k):
    """The seed's cell, with a `build`, which Keras needs to load it."""
    if k.__name__ in CELLS:
        return CELLS[k.__name__]

    class LNSimpleRNNCell(k.layers.Layer):
        def __init__(self, units, activation="tanh", **kwargs):
            super().__init__(**kwargs)
            self.state_size = self.output_size = units
            self.simple_rnn_cell = k.layers.SimpleRNNCell(units, activation=None)
            self.layer_norm = k.layers.LayerNormalization()
            self.activation = k.activations.get(activation)

        def build(self, input_shape):
            self.simple_rnn_cell.build(input_shape)
            self.layer_norm.build((None, self.state_size))
            self.built = True

        def call(self, inputs, states):
            outputs, _ = self.simple_rnn_cell(inputs, states)
            outputs = self.activation(self.layer_norm(outputs))
            return outputs, [outputs]

    CELLS[k.__name__] = LNSimpleRNNCell
    return LNSimpleRNNCell


CELLS = {}


# ---- one side ----


class Side:
    """What either side does, with its module `k`, in a directory that both know."""

    def __init__(self, k, directory):
        self.k = k
        self.directory = pathlib.Path(directory)
        self.name = "keras" if k.__name__ == "keras" else "seqrnn"
        self.other = "seqrnn" if self.name == "keras" else "keras"
        self.custom = {"LNSimpleRNNCell": layer_norm_cell(k), "trend": trend}
        own_adam(k)  # is known by name then
        self.results = {}
        self.errors = []

    def compiled(self, name):
        model, optimizer = MODELS[name]
        self.k.utils.set_random_seed(1)
        model = model(self.k)
        model.compile(loss="mse", optimizer=optimizer(self.k), metrics=[trend, "mae"])
        return model

    def train(self, model):
        rng = np.random.default_rng(5)
        for _ in range(STEPS):
            x = rng.normal(size=(BATCH, TIME, 1)).astype("float32")
            shape = (BATCH, *model.output_shape[1:])
            y = (
                0.5 * x[:, :1, 0].reshape(BATCH, *[1] * (len(shape) - 1)) + np.zeros(shape)
            ).astype("float32")
            model.train_on_batch(x, y)

    def predict(self, key, model):
        x = np.random.default_rng(6).normal(size=(BATCH, TIME, 1)).astype("float32")
        self.results[key] = np.asarray(model.predict(x, verbose=0))

    def write(self, model, path):
        (model.save_weights if path.name.endswith(".weights.h5") else model.save)(path)

    def read(self, name, path):
        if path.name.endswith(".weights.h5"):
            model = self.compiled(name)
            model.optimizer.build(model.trainable_variables)
            model.load_weights(path)
            return model
        full = path.suffix == ".keras" or self.name == "seqrnn"
        return self.k.models.load_model(path, custom_objects=self.custom, compile=full)

    def make(self):
        """Trains, saves, trains on."""
        for name in MODELS:
            with self.noted(name):
                model = self.compiled(name)
                self.train(model)
                for suffix in SUFFIXES:
                    self.write(model, self.directory / f"{self.name}_{name}{suffix}")
                self.predict(name, model)
                self.train(model)
                self.predict(f"{name} on", model)

    def take(self):
        """Loads what the other side made, predicts, saves again, trains on."""
        for name in MODELS:
            for suffix in SUFFIXES:
                with self.noted(f"{name}{suffix}"):
                    model = self.read(name, self.directory / f"{self.other}_{name}{suffix}")
                    self.predict(f"{name} {suffix}", model)
                    self.write(model, self.directory / f"{self.name}_again_{name}{suffix}")
                    if model.compiled and self.trains(suffix):
                        self.train(model)
                        self.predict(f"{name} on {suffix}", model)

    def trains(self, suffix):
        """Training is compiled anew per model, which takes Keras seconds each."""
        return self.name == "seqrnn" or suffix == ".keras"

    def again(self):
        """Loads what the other side loaded from here and saved."""
        for name in MODELS:
            for suffix in SUFFIXES:
                with self.noted(f"{name}{suffix}"):
                    model = self.read(name, self.directory / f"{self.other}_again_{name}{suffix}")
                    self.predict(f"{name} {suffix}", model)

    def noted(self, what):
        return _Noted(self, what)


class _Noted:
    """An error of one case does not keep the others from running."""

    def __init__(self, side, what):
        self.side, self.what = side, what

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if isinstance(error, Exception):
            self.side.errors.append(f"{self.side.name} {self.what}: {kind.__name__}: {error}"[:600])
            return True
        return False


def trend(y_true, y_pred):
    """A metric of the user's, which both sides find in custom_objects."""
    return (y_pred - y_true) ** 2


def work(module, stage, directory):
    k = __import__(module)
    side = Side(k, directory)
    getattr(side, stage)()
    np.savez(pathlib.Path(directory) / f"{module}_{stage}.npz", **side.results)
    (pathlib.Path(directory) / f"{module}_{stage}.json").write_text(json.dumps(side.errors))


# ---- both ----


def run(keras_python, directory):
    """All stages; gives [(what, largest difference, limit)] and a list of errors."""
    pythons = {"keras": keras_python, "seqrnn": sys.executable}
    errors, results = [], {}
    for stage in ("make", "take", "again"):
        for module, python in pythons.items():
            command = [python, __file__, "worker", module, stage, str(directory)]
            environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}
            subprocess.run(command, check=True, env=environment)
            key = (module, stage)
            path = pathlib.Path(directory) / f"{module}_{stage}"
            errors += json.loads(path.with_suffix(".json").read_text())
            with np.load(path.with_suffix(".npz")) as file:
                results[key] = dict(file)
    differences = []
    for maker, taker in (("keras", "seqrnn"), ("seqrnn", "keras")):
        made = results[maker, "make"]
        for stage, side in (("take", taker), ("again", maker)):
            for what, got in results[side, stage].items():
                expected = made[what.rpartition(" ")[0]]
                error = np.abs(got - expected).max() / max(np.abs(expected).max(), 1e-3)
                limit = 2e-4 if " on " in what else 1e-5
                differences.append((f"{maker} -> {side}, {stage}: {what}", error, limit))
    return differences, errors


def main():
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        differences, errors = run(sys.argv[1], directory)
    for what, error, limit in differences:
        print(f"{'ok  ' if error <= limit else 'FAIL'} {error:.1e} {what}")
    print("\n".join(errors))
    bad = [each for each in differences if each[1] > each[2]]
    print(f"{len(differences)} comparisons, {len(bad)} too far off, {len(errors)} errors")
    sys.exit(bool(bad or errors))


if __name__ == "__main__":
    if sys.argv[1] == "worker":
        work(*sys.argv[2:])
    else:
        main()
