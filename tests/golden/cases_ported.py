"""What code that people bring along relies on, beside the options of layers and functions."""

import base64
import json
import marshal
import os
import re
import tempfile
import warnings

import numpy as np
from golden_kinds import FactCase, RefusalCase

X = np.arange(6, dtype="float32")


def ones(k, shape, *before):
    """A model that adds up what comes in."""
    dense = k.layers.Dense(1, kernel_initializer="ones")
    model = k.Sequential([k.Input(shape), *before, dense])
    model.compile(k.optimizers.SGD(0.0), "mse")
    return model


def rounded(values):
    return np.round(np.asarray(values, "float64"), 4).tolist()


def of_two_names(k):
    inputs = [k.Input((1,), name="a"), k.Input((1,), name="b")]
    return k.Model(inputs, k.layers.Concatenate()(inputs))


def _in_every_way(k, shape, x):
    """fit, evaluate, predict and a call of data whose last axis does not fit."""
    model, y = ones(k, shape), np.ones(x.shape[:2] if x.ndim < 3 else len(x), "float32")
    fitted = model.fit(x, y, batch_size=4, verbose=0).history["loss"]
    evaluated = model.evaluate(x, y, verbose=0)
    return [
        rounded([*fitted, evaluated, model.train_on_batch(x, y), model.test_on_batch(x, y)]),
        rounded(model.predict(x, verbose=0)),
        rounded(model.predict_on_batch(x)),
        rounded(model(x)),
    ]


def _generated(k):
    def batches():
        while True:
            yield X, X

    return rounded(ones(k, (1,)).fit(batches(), steps_per_epoch=2, verbose=0).history["loss"])


def _ranks(name, call):
    return FactCase(f"rank_{name}", call)


RANKS = [
    _ranks("missing", lambda k: _in_every_way(k, (1,), X)),
    _ranks("missing_3d", lambda k: _in_every_way(k, (None, 1), X.reshape(2, 3))),
    _ranks("too_many", lambda k: _in_every_way(k, (3,), X.reshape(2, 3, 1))),
    _ranks("generator", _generated),
    _ranks("ids", lambda k: list(k.Sequential(
        [k.Input((1,)), k.layers.Embedding(9, 2)]).predict(np.arange(6), verbose=0).shape)),
    _ranks("dict", lambda k: rounded(of_two_names(k).predict({"b": X, "a": 2 * X}, verbose=0))),
    _ranks("dict_call", lambda k: rounded(of_two_names(k)({"b": X, "a": 2 * X}))),
    _ranks("list", lambda k: rounded(of_two_names(k).predict([X, X[:, None]], verbose=0))),
    FactCase("rank_placeholder", lambda k: list(ones(k, (3,))(k.Input((3, 1))).shape),
             differs="Keras reckons (None, 3, 1), which is not the shape of what then comes out",
             here=[None, 1]),
]  # fmt: skip


def _reloaded(k, ending):
    """How far a model with layers whose configs have no name is from what its file gives."""

    class Scaled(k.layers.Layer):
        def __init__(self, units=2):
            super().__init__()
            self.units = units

        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="normal")

        def call(self, inputs):
            return k.ops.matmul(inputs, self.w)

        def get_config(self):
            return {"units": self.units}

    inputs = k.Input((2,))
    model = k.Model(inputs, Scaled(3)(Scaled(5)(inputs)))
    x = X.reshape(3, 2)
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, f"model{ending}")
        model.save(path)
        loaded = k.models.load_model(path, custom_objects={"Scaled": Scaled})
    return rounded(loaded.predict(x, verbose=0) - model.predict(x, verbose=0))


def _without_call(k):
    """A model whose train_step is all it has."""

    class Trained(k.Model):
        def __init__(self):
            super().__init__()
            self.inner = k.layers.Dense(1, kernel_initializer="ones")
            self.seen = k.metrics.Mean(name="seen")

        def train_step(self, data):
            x, _ = data
            self.seen.update_state(k.ops.mean(self.inner(x)))
            return {"seen": self.seen.result()}

        test_step = train_step

    model, x = Trained(), X.reshape(3, 2)
    model.compile()
    model.fit(x, x, batch_size=2, epochs=2, shuffle=False, verbose=0)
    return [
        rounded(model.history.history["seen"]),
        rounded(model.evaluate(x, x, verbose=0, return_dict=True)["seen"]),
        len(model.weights),
    ]


def _doubling(k):
    return k.Sequential([k.Input((2,)), k.layers.Lambda(lambda x: 2.0 * x, name="twice")])


def _lambda_config(k):
    (layer,) = _doubling(k).layers
    function = json.loads(json.dumps(layer.get_config()))["function"]
    code = function["config"].pop("code")
    return [function, type(marshal.loads(base64.b64decode(code))).__name__]


def _lambda_read(k, **options):
    with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path = os.path.join(directory, "model.keras")
        _doubling(k).save(path)
        return k.models.load_model(path, **options)


def _positions(k, n, layer):
    """A table of n positions behind an input of any length."""

    class Positions(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.table = k.layers.Embedding(n, 2) if layer else None

        def build(self, input_shape):
            if self.table is None:
                self.pe = self.add_weight(shape=(1, n, 2), name="pe")

        def call(self, x):
            steps = k.ops.shape(x)[1]
            found = self.table(k.ops.arange(steps)) if self.table else self.pe[:, :steps]
            return x + found

    inputs = k.Input((None, 2))
    model = k.Model(inputs, Positions()(inputs))
    return list(model.predict(np.ones((3, 7, 2), "float32"), verbose=0).shape)


def _rows_of_summary(k):
    """Names and kinds of the rows of a summary."""
    x = inputs = k.Input((5, 4), name="x")
    x = x + inputs
    x = (x + inputs) * 2.0 - 1.0
    x = k.ops.matmul(x, k.ops.transpose(x, (0, 2, 1)))[:, 0]
    x = abs(-k.ops.relu(x) / 3.0) ** 2.0 // 0.5 % 3.0
    model = k.Model(inputs, k.ops.where((x > 0.1) & ~(x <= 2.0), 1.0 / x, 1.0 - x))
    lines = []
    model.summary(print_fn=lambda text, **_: lines.append(text), line_length=140)
    return re.findall(r"[a-z_0-9]+ \([A-Z]\w+\)", "\n".join(lines))


def _ids_too_large(k):
    class Positions(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.table = k.layers.Embedding(20, 2, name="table")

        def call(self, x):
            return x + self.table(k.ops.arange(k.ops.shape(x)[1]))

    return Positions()(np.ones((2, 25, 2), "float32"))


def _series(k, change, batch_size=3):
    """What a changed data set of windows yields: the arrays, and their shapes by `.numpy()`."""
    series = np.arange(10, dtype="float32")
    windows = k.utils.timeseries_dataset_from_array(
        series[:-1], series[3:], 3, batch_size=batch_size
    )
    return [
        [[list(part.numpy().shape), np.asarray(part).ravel().tolist()] for part in batch]
        for batch in change(windows)
    ]


def _fitted_to_series(k):
    series = np.arange(20, dtype="float32") / 20
    windows = k.utils.timeseries_dataset_from_array(series[:-1], series[3:], 3, batch_size=4)
    train = windows.take(3).map(lambda x, y: (x[:, 1:], y)).cache().prefetch(1)
    valid = windows.skip(3).map(lambda x, y: (x[:, 1:], y))
    history = ones(k, (2,)).fit(train, validation_data=valid, verbose=0).history
    return {name: rounded(values) for name, values in sorted(history.items())}


def _batches(name, change, **options):
    return FactCase(f"batches_{name}", lambda k: _series(k, change, **options))


BATCHES = [
    _batches("take", lambda data: data.take(1)),
    _batches("take_all", lambda data: data.take(-1)),
    _batches("take_more", lambda data: data.take(9)),
    _batches("skip", lambda data: data.skip(2)),
    _batches("skip_all", lambda data: data.skip(9)),
    _batches("map", lambda data: data.map(lambda x, y: (x[:, 1:], y, x[:, :1]))),
    _batches("repeat", lambda data: data.skip(1).repeat(2)),
    _batches("cached", lambda data: data.cache().prefetch(2)),
    _batches("batch", lambda data: data.batch(2), batch_size=None),
    _batches("batch_whole", lambda data: data.batch(2, drop_remainder=True), batch_size=None),
    _batches("unbatch", lambda data: data.unbatch().skip(1).batch(4)),
    FactCase(
        "batches_numpy",
        lambda k: [
            [part.tolist() for part in batch]
            for batch in k.utils.timeseries_dataset_from_array(
                np.arange(6), np.arange(2, 8), 2, batch_size=3
            ).as_numpy_iterator()
        ],
    ),
    FactCase("batches_fitted", _fitted_to_series),
]

MODELS = [
    *(
        FactCase(
            f"positions_{n}_{kind}", lambda k, n=n, kind=kind: _positions(k, n, kind == "layer")
        )
        for n in (10, 20, 40)
        for kind in ("layer", "weight")
    ),
    FactCase("summary_of_ops", _rows_of_summary),
    FactCase("lambda_config", _lambda_config),
    FactCase("own_layer_without_name_keras", lambda k: _reloaded(k, ".keras")),
    FactCase("own_layer_without_name_h5", lambda k: _reloaded(k, ".h5")),
    FactCase("own_step_without_call", _without_call),
]

REFUSED = [
    RefusalCase("arange_of_open_size",
                lambda k: k.ops.arange(k.ops.shape(k.Input((None, 4)))[1]), ["arange", "None"]),
    RefusalCase("ids_computed_too_large", _ids_too_large, ["table", "19", "24"],
                raises=ValueError, differs="Keras's class is that of its backend's failure"),
    RefusalCase("lambda_read", _lambda_read, ["lambda", "twice", "custom_objects"]),
    RefusalCase("rank_two_less", lambda k: ones(k, (3, 1))(X), ["(6,)"]),
    RefusalCase("rank_two_more", lambda k: ones(k, (3,))(X.reshape(2, 3, 1, 1)), ["(2, 3, 1, 1)"]),
    RefusalCase("rank_last_of_2", lambda k: ones(k, (3,)).predict(X.reshape(1, 3, 2), verbose=0),
                ["(None, 3)", "(1, 3, 2)"]),
    RefusalCase("rank_undeclared", lambda k: k.Sequential([k.layers.Dense(1)]).predict(X),
                ["dense", "(6,)"]),
]  # fmt: skip

CASES = [*RANKS, *BATCHES, *MODELS, *REFUSED]
