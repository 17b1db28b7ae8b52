"""Data of every kind for fit, evaluate and predict; helpers that make data."""

import numpy as np
from cases_fit import classifier
from golden_builders import integers, normal, sequential, uniform, whole
from golden_case import CallCase
from golden_fit import FitCase
from golden_kinds import FactCase, RefusalCase

net = classifier(2, "linear")
DATA = {"x": normal(12, 3), "y": normal(12, 2)}
WEIGHTED = {**DATA, "w": uniform(0, 2, 12)}


def sgd(k):
    return {"loss": "mse", "optimizer": k.optimizers.SGD(0.05), "metrics": ["mae"]}


def weighted(k):
    return {**sgd(k), "weighted_metrics": ["mse"]}


def batches(given, size=4):
    keys = [key for key in ("x", "y", "w") if key in given]
    n = len(given["x"])
    return [tuple(given[key][i : i + size] for key in keys) for i in range(0, n, size)]


def dataset(k, given, size=4, **options):
    found = batches(given, size)

    class Batches(k.utils.PyDataset):
        def __len__(self):
            return len(found)

        def __getitem__(self, i):
            return found[i]

    return Batches(**options)


def endless(given, size=4):
    while True:
        yield from batches(given, size)


def _fed(name, feed, data=DATA, compile=sgd, hooks=False, **fit):
    return FitCase(name, net, data, compile, {"epochs": 2, **fit}, feed=feed, hooks=hooks)


def _everywhere(make):
    """The same kind of data for all three stages; evaluated and predicted without steps."""
    return lambda k, given: {
        stage: {"x": make(k, given)} for stage in ("fit", "evaluate", "predict")
    }


FEEDS = [
    _fed("dataset", _everywhere(dataset)),
    _fed("dataset_hooks", _everywhere(dataset), hooks=True),
    _fed("dataset_uneven", _everywhere(lambda k, g: dataset(k, g, 5))),
    _fed("dataset_weights", _everywhere(dataset), WEIGHTED, weighted),
    _fed("dataset_validation",
         lambda k, g: {"fit": {"x": dataset(k, g), "validation_data": dataset(k, g, 3)}}),
    _fed("dataset_validation_steps", lambda k, g: {
        "fit": {"x": dataset(k, g), "validation_data": dataset(k, g, 3), "validation_steps": 2}}),
    _fed("dataset_steps", lambda k, g: {"fit": {"x": dataset(k, g), "steps_per_epoch": 2}},
         epochs=1),
    _fed("generator", lambda k, g: {
        "fit": {"x": endless(g), "steps_per_epoch": 3},
        "evaluate": {"x": endless(g), "steps": 2},
        "predict": {"x": endless(g), "steps": 2}}),
    _fed("generator_hooks", lambda k, g: {
        "fit": {"x": endless(g), "steps_per_epoch": 3},
        "evaluate": {"x": endless(g), "steps": 2},
        "predict": {"x": endless(g), "steps": 2}}, hooks=True),
    _fed("generator_goes_on", lambda k, g: {"fit": {"x": endless(g), "steps_per_epoch": 2}},
         epochs=3),
    _fed("generator_weights",
         lambda k, g: {"fit": {"x": endless(g), "steps_per_epoch": 3}}, WEIGHTED, weighted),
    _fed("generator_lists", lambda k, g: {
        "fit": {"x": ((a, b) for _ in range(9) for a, b in batches(g)), "steps_per_epoch": 3}}),
    _fed("generator_of_inputs", lambda k, g: {
        "fit": {"x": g["x"], "y": g["y"], "batch_size": 4},
        "predict": {"x": (b[:1] for b in batches(g)), "steps": 3}}),
    _fed("generator_without_steps", lambda k, g: {
        "fit": {"x": (b for b in batches(g))},
        "evaluate": {"x": (b for b in batches(g))},
        "predict": {"x": (b for b in batches(g))}}, epochs=1),
    _fed("arrays_weights", lambda k, g: {
        "fit": {"x": g["x"], "y": g["y"], "sample_weight": g["w"], "batch_size": 5},
        "evaluate": {"x": g["x"], "y": g["y"], "sample_weight": g["w"]}}, WEIGHTED, weighted),
    _fed("arrays_validation_weights", lambda k, g: {
        "fit": {"x": g["x"], "y": g["y"], "validation_data": (g["x"], g["y"], g["w"]),
                "batch_size": 5}}, WEIGHTED, weighted),
    _fed("arrays_split_weights", lambda k, g: {
        "fit": {"x": g["x"], "y": g["y"], "sample_weight": g["w"], "validation_split": 0.4}},
        WEIGHTED, weighted, batch_size=4),
    _fed("arrays_steps_of_evaluate", lambda k, g: {
        "fit": {"x": g["x"], "y": g["y"]},
        "evaluate": {"x": g["x"], "y": g["y"], "batch_size": 4, "steps": 2},
        "predict": {"x": g["x"], "batch_size": 4, "steps": 2}}),
    _fed("arrays_dict_by_name", lambda k, g: {
        "fit": {"x": g["x"], "y": g["y"], "validation_data": dataset(k, g), "batch_size": 6}}),
]  # fmt: skip

# On JAX, Keras puts the batch that it looks at to build the model behind the others.
ON_TENSORFLOW = [
    _fed("dataset_threads", _everywhere(lambda k, g: dataset(k, g, workers=3, max_queue_size=2))),
]


def _validated(k, batches, steps):
    """The mean of what each of three validations reads of an endless generator: 0, 1, 2, ..."""

    def endless():
        for i in range(100):
            yield np.full((2, 1), i % batches, "float32"), np.zeros((2, 1), "float32")

    model = k.Sequential(
        [k.Input((1,)), k.layers.Dense(1, use_bias=False, kernel_initializer="ones")]
    )
    model.compile(k.optimizers.SGD(0.0), "mae")
    history = model.fit(
        X[:, :1], Y[:, :1], epochs=3, verbose=0,
        validation_data=endless(), validation_steps=steps,
    )  # fmt: skip
    return [round(value, 3) for value in history.history["val_loss"]]


GOES_ON = "a generator goes on where it was; Keras begins each validation with its first 2 batches"

VALIDATED = [
    FactCase("generator_validation", lambda k: _validated(k, 3, 2), differs=GOES_ON,
             here=[0.5, 1.0, 1.5]),
    FactCase("generator_validation_whole", lambda k: _validated(k, 3, 3), differs=GOES_ON,
             here=[1.0, 1.0, 1.0]),
]  # fmt: skip


# ---- sequences of unequal length ----

LENGTHS = (3, 6, 1, 4, 2, 5)


def _masked(*layers):
    return whole(
        sequential(
            lambda k: k.Input(shape=(None, 2)),
            lambda k: k.layers.Masking(),
            *layers,
        )
    )


def _unequal(k, given):
    """Lists here, padded arrays for Keras: the Masking layer makes the mask there."""
    lists = [row[:n] for row, n in zip(given["x"], LENGTHS, strict=True)]
    x = lists
    if k.__name__ != "seqrnn":
        x = k.utils.pad_sequences(lists, dtype=given["x"].dtype, padding="post")
    data = {"x": x, "y": given["y"], "batch_size": 3}
    return {"fit": data, "evaluate": data, "predict": {"x": x, "batch_size": 3}}


def _unequal_case(name, *layers, y=None):
    data = {"x": uniform(0.1, 2, 6, 6, 2), "y": y or normal(6, 2)}
    return FitCase(name, _masked(*layers), data, sgd, {"epochs": 2}, feed=_unequal)


UNEQUAL = [
    _unequal_case("unequal_lstm", lambda k: k.layers.LSTM(2)),
    _unequal_case("unequal_gru", lambda k: k.layers.GRU(3), lambda k: k.layers.Dense(2)),
    _unequal_case("unequal_simple", lambda k: k.layers.SimpleRNN(2)),
    _unequal_case("unequal_backwards", lambda k: k.layers.GRU(2, go_backwards=True)),
    _unequal_case("unequal_stack", lambda k: k.layers.LSTM(3, return_sequences=True),
                  lambda k: k.layers.GRU(2)),
    _unequal_case("unequal_bidirectional", lambda k: k.layers.Bidirectional(k.layers.LSTM(1))),
    _unequal_case("unequal_mean", lambda k: k.layers.GRU(2, return_sequences=True),
                  lambda k: k.layers.GlobalAveragePooling1D()),
]  # fmt: skip


# ---- helpers ----

ROWS = [[1, 2, 3], [4], [5, 6]]


def _pad(name, **options):
    return FactCase(f"pad_{name}", lambda k: k.utils.pad_sequences(ROWS, **options).tolist())


def _windows(name, n=12, targets=True, **options):
    def call(k):
        data = np.arange(2.0 * n).reshape(n, 2)
        y = np.arange(n) * 10 if targets else None
        made = k.utils.timeseries_dataset_from_array(data, y, **options)
        found = list(made)
        first = found[0] if targets else (found[0],)
        return [len(found), *[np.asarray(a).tolist() for a in first],
                np.asarray(found[-1][0] if targets else found[-1]).tolist()]  # fmt: skip

    return FactCase(f"windows_{name}", call)


def _halves(k, *sizes, n=7, **options):
    """The samples on either side."""
    x = np.arange(2 * n).reshape(n, 2)
    sides = k.utils.split_dataset((x, x[:, 0]), *sizes, **options)
    if k.__name__ == "seqrnn":
        sides = [zip(*side, strict=True) for side in sides]
    return [[[np.asarray(v).tolist() for v in row] for row in side] for side in sides]


HALVES = [
    *(
        FactCase(f"split_{name}", lambda k, s=sizes: _halves(k, *s))
        for name, sizes in {
            "left": (3,), "right": (None, 2), "both": (2, 3), "share": (0.5,),
            "share_right": (None, 0.3), "shares": (0.5, 0.4), "share_rounded": (0.21,),
        }.items()
    ),
    FactCase("split_shuffled", lambda k: [len(s) for s in _halves(k, 3, shuffle=True, seed=1)]),
    *(
        RefusalCase(f"split_{name}", lambda k, s=sizes: _halves(k, *s), words)
        for name, sizes, words in [
            ("too_many", (8,), ["left_size", "8"]),
            ("share_of_one", (1.0,), ["left_size", "1.0"]),
            ("negative", (None, -1), ["right_size", "-1"]),
            ("together_too_many", (5, 4), ["5", "4", "7"]),
            ("empty_side", (0.01,), ["0", "7"]),
            ("text", ("half",), ["left_size", "half"]),
        ]
    ),
    RefusalCase("split_no_size", _halves, ["left_size", "right_size"]),
]  # fmt: skip

HELPERS = [
    _pad("default"),
    _pad("post", padding="post"),
    _pad("maxlen", maxlen=2),
    _pad("maxlen_post", maxlen=2, truncating="post"),
    _pad("longer", maxlen=5, padding="post"),
    _pad("value", value=-1),
    _pad("float", dtype="float32", value=0.5),
    CallCase("normalize", lambda k, x: k.utils.normalize(x), [normal(3, 4)]),
    CallCase("normalize_order", lambda k, x: k.utils.normalize(x, order=1), [normal(3, 4)]),
    CallCase("categorical", lambda k, x: k.utils.to_categorical(x), [integers(4, 6)]),
    CallCase("categorical_n", lambda k, x: k.utils.to_categorical(x, 7), [integers(4, 6)]),
    CallCase("categorical_column", lambda k, x: k.utils.to_categorical(x, 4), [integers(4, 6, 1)]),
    CallCase("categorical_steps", lambda k, x: k.utils.to_categorical(x, 4), [integers(4, 2, 3)]),
    _windows("default", sequence_length=4),
    _windows("stride", sequence_length=3, sequence_stride=2),
    _windows("rate", sequence_length=3, sampling_rate=2),
    _windows("batches", sequence_length=3, batch_size=4),
    _windows("part", sequence_length=3, start_index=2, end_index=9),
    _windows("one_batch", sequence_length=3, batch_size=None),
    _windows("no_targets", sequence_length=4, targets=False),
]


# ---- what is refused ----


def _model(k):
    model = k.Sequential([k.Input((3,)), k.layers.Dense(2)])
    model.compile("sgd", "mse")
    return model


X, Y = np.ones((6, 3), "float32"), np.ones((6, 2), "float32")


def _refused(name, words, call, **options):
    return RefusalCase(name, lambda k: call(k, _model(k)), words, **options)


GIVEN = {"x": X, "y": Y}

REFUSED = [
    _refused("generator_and_y", ["targets", "x"], lambda k, m: m.fit(endless(GIVEN), Y)),
    _refused("generator_and_weights", ["weight"],
             lambda k, m: m.fit(endless(GIVEN), sample_weight=np.ones(6))),
    _refused("dataset_and_y", ["targets"], lambda k, m: m.fit(dataset(k, GIVEN), Y)),
    _refused("split_of_generator", ["validation_split"],
             lambda k, m: m.fit(endless(GIVEN), validation_split=0.5, steps_per_epoch=1)),
    _refused("split_of_dataset", ["validation_split"],
             lambda k, m: m.fit(dataset(k, GIVEN), validation_split=0.5)),
    _refused("class_weight_of_steps", ["class_weight", "(6, 4)", "sample_weight", "steps"],
             lambda k, m: m.fit(X, np.arange(24).reshape(6, 4), class_weight={0: 1.0}),
             raises=ValueError,
             differs="Keras takes the step with the largest number for the class"),
    _refused("class_and_sample_weight", ["class_weight", "sample_weight"],
             lambda k, m: m.fit(X, Y, class_weight={0: 1.0}, sample_weight=np.ones(6))),
    _refused("lengths", ["cardinality", "6", "3"], lambda k, m: m.fit(X, Y[:3])),
    _refused("validation_of_four", ["x, y"],
             lambda k, m: m.fit(X, Y, validation_data=(X, Y, Y, Y))),
    _refused("evaluate_lengths", ["cardinality"], lambda k, m: m.evaluate(X, Y[:3])),
    RefusalCase("categorical_too_few", lambda k: k.utils.to_categorical([0, 3], 2), ["3", "2"],
                raises=ValueError, differs="the class and the range are named, not an index"),
    RefusalCase("pad_side", lambda k: k.utils.pad_sequences(ROWS, padding="left"),
                ["padding", "left"]),
    RefusalCase("pad_truncating", lambda k: k.utils.pad_sequences(ROWS, truncating="left"),
                ["truncating", "left"]),
    RefusalCase("pad_numbers", lambda k: k.utils.pad_sequences([1, 2]), ["sequence"]),
    RefusalCase("pad_shapes",
                lambda k: k.utils.pad_sequences([np.zeros((2, 3)), np.zeros((2, 4))]), ["shape"]),
    RefusalCase("dataset_argument", lambda k: k.utils.PyDataset(worker=2), ["worker"]),
]  # fmt: skip

CASES = [*FEEDS, *VALIDATED, *UNEQUAL, *HALVES, *HELPERS, *REFUSED]
