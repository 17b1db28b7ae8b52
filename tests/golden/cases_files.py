"""Files of real Keras, one row per layer, optimizer and format; and the errors of files."""

import pathlib
import tempfile

from golden_builders import integers, normal
from golden_classes import own_adam, own_momentum
from golden_kinds import FactCase, FileCase, RefusalCase

X = [normal(2, 6, 3)]


def model_of(*layers, first=(6, 3), dtype=None, optimizer=None):
    """A function of the module that makes a Sequential, compiled if there is an optimizer."""

    def build(k):
        model = k.Sequential([k.layers.Input(first, dtype=dtype), *(make(k) for make in layers)])
        if optimizer is not None:
            model.compile(loss="mse", optimizer=optimizer(k))
            model.optimizer.build(model.trainable_variables)
        return model

    return build


def row(name, make, suffix=".weights.h5", **options):
    return FileCase(f"file_{name}", model_of(make, **options), X, suffix)


def dense(k):
    return k.layers.Dense(2)


LAYERS = [
    row("dense", lambda k: k.layers.Dense(4, "relu", kernel_regularizer="l2"), ".keras"),
    row("simple_rnn", lambda k: k.layers.SimpleRNN(4)),
    row("lstm", lambda k: k.layers.LSTM(4, return_sequences=True), ".keras"),
    row("gru", lambda k: k.layers.GRU(4), ".keras"),
    row("gru_reset_before", lambda k: k.layers.GRU(4, reset_after=False)),
    row("rnn_of_cells", lambda k: k.layers.RNN([k.layers.LSTMCell(3), k.layers.GRUCell(2)])),
    row("rnn_of_one_cell", lambda k: k.layers.RNN(k.layers.SimpleRNNCell(3)), ".keras"),
    row("conv1d", lambda k: k.layers.Conv1D(4, 3, padding="causal")),
    row("layer_norm", lambda k: k.layers.LayerNormalization(), ".keras"),
    row("batch_norm", lambda k: k.layers.BatchNormalization(), ".keras"),
    row("time_distributed", lambda k: k.layers.TimeDistributed(k.layers.Dense(2)), ".keras"),
    row("spectral", lambda k: k.layers.SpectralNormalization(k.layers.Conv1D(4, 2)), ".keras"),
    row("dropout", lambda k: k.layers.Dropout(0.3, seed=3), ".keras"),
    row("activation", lambda k: k.layers.Activation("tanh"), ".keras"),
    row("reshape", lambda k: k.layers.Reshape((3, 6)), ".keras"),
    row("flatten", lambda k: k.layers.Flatten(), ".keras"),
    row("masking", lambda k: k.layers.Masking(0.0), ".keras"),
    FileCase(
        "file_embedding",
        model_of(lambda k: k.layers.Embedding(9, 4), first=(6,), dtype="int32"),
        [integers(9, 2, 6)],
        ".keras",
    ),
    FileCase(
        "file_nested",
        model_of(dense, lambda k: k.Sequential([k.layers.Input((6, 2)), k.layers.Dense(3)])),
        X,
        ".keras",
    ),
    FileCase("file_two_of_a_kind", model_of(dense, dense, lambda k: k.layers.LSTM(2)), X, ".h5"),
]


def branches(k):
    """Layers that Keras orders by depth, not by their calls."""
    x = k.Input((6, 3), name="series")
    shared = k.layers.Dense(3, activation="tanh")
    deep = k.layers.Dense(3)(k.layers.Dense(4)(x))
    short = shared(x)
    both = k.layers.Concatenate()([shared(deep), k.layers.Add()([short, deep])])
    return k.Model(x, [k.layers.GRU(2)(both), k.layers.Dense(1)(short)])


def with_ops(k):
    x = k.Input((6, 3))
    y = k.ops.sum(x, axis=1, keepdims=True) * 0.5 - x[..., :1]
    return k.Model(x, k.layers.Dense(2)(k.ops.concatenate([k.ops.tanh(y), x], axis=-1)))


def dense_pair(k):
    a, b = k.Input((4,), name="a"), k.Input((3,), name="b")
    return k.Model({"a": a, "b": b}, k.layers.Dense(2)(k.layers.Concatenate()([a, b])))


GRAPHS = [
    FileCase("file_ops", with_ops, X, ".keras"),
]


def optimizer(name, **options):
    def make(k):
        return getattr(k.optimizers, name)(**options)

    return make


OPTIMIZERS = [
    row(f"optimizer_{name}", dense, ".keras", optimizer=make)
    for name, make in {
        "sgd": optimizer("SGD"),
        "sgd_momentum": optimizer("SGD", momentum=0.9, nesterov=True),
        "rmsprop": optimizer("RMSprop", learning_rate=0.01),
        "rmsprop_all": optimizer("RMSprop", momentum=0.5, centered=True),
        "adam": optimizer("Adam", clipnorm=1.0),
        "adam_amsgrad": optimizer("Adam", amsgrad=True),
        "adamw": optimizer("AdamW"),
        "nadam": optimizer("Nadam"),
        "muon": optimizer("Muon"),
        "schedule_free": optimizer("ScheduleFreeAdamW", use_ema=True),
        "loss_scale": lambda k: k.optimizers.LossScaleOptimizer(k.optimizers.Adam(0.25)),
        "multi": lambda k: k.optimizers.MultiOptimizer(
            k.optimizers.OptimizerMap(
                k.optimizers.Adam(0.25), {".*kernel": k.optimizers.SGD(0.5, momentum=0.5)}
            )
        ),
        "schedule": lambda k: k.optimizers.Adam(
            k.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
        ),
    }.items()
]

FORMATS = [
    row("h5", lambda k: k.layers.LSTM(3), ".h5"),
    row("h5_batch_norm", lambda k: k.layers.BatchNormalization(), ".h5"),
    row("weights_optimizer", dense, optimizer=optimizer("Adam")),
    row("weights_own_optimizer", dense, optimizer=lambda k: own_adam(k)(0.25)),
    row(
        "weights_own_optimizer_options",
        dense,
        optimizer=lambda k: own_momentum(k)(0.25, use_ema=True, gradient_accumulation_steps=2),
    ),
]


# ---- errors ----


def in_folder(action):
    """A call of the module in a folder of its own, with a small model."""

    def call(k):
        with tempfile.TemporaryDirectory() as folder:
            model = k.Sequential([k.layers.Input((3,)), k.layers.Dense(2, name="head")])
            return action(k, model, pathlib.Path(folder))

    return call


def other_weights(k, model, folder):
    """Weights of another shape."""
    k.Sequential([k.layers.Input((4,)), k.layers.Dense(2)]).save_weights(folder / "w.weights.h5")
    model.load_weights(folder / "w.weights.h5")


def other_legacy(k, model, folder):
    layers = [k.layers.Input((3,)), k.layers.Dense(2), k.layers.Dense(2)]
    k.Sequential(layers).save(folder / "m.h5")
    model.load_weights(folder / "m.h5")


def own_layer(k, model, folder):
    class Mine(k.layers.Layer):
        def call(self, x):
            return x

    k.Sequential([k.layers.Input((3,)), Mine()]).save(folder / "m.keras")
    k.models.load_model(folder / "m.keras")


def by_name(k, model, folder):
    model.save_weights(folder / "w.weights.h5")
    model.load_weights(folder / "w.weights.h5", by_name=True)


def foreign(k, model, folder):
    (folder / "m.keras").write_text("hello")
    k.models.load_model(folder / "m.keras")


def unbuilt(k, model, folder):
    k.Sequential([k.layers.Dense(2)]).save_weights(folder / "w.weights.h5")


def lambda_in_file(k, model, folder):
    node = {"class_name": "__lambda__", "config": {"value": ["4wEA", None, None]}}
    k.saving.deserialize_keras_object(node)


def registered_twice(k):
    @k.saving.register_keras_serializable(package="golden", name="a_name")
    class Mine:
        pass


ERRORS = [
    RefusalCase("weights_of_other_shape", in_folder(other_weights), ["head", "(3, 2)", "(4, 2)"]),
    RefusalCase("legacy_of_other_layers", in_folder(other_legacy), ["head", "2 layers"]),
    RefusalCase("unknown_class", in_folder(own_layer), ["Mine", "custom_objects"]),
    RefusalCase("by_name", in_folder(by_name), ["by_name", ".h5"]),
    RefusalCase("foreign", in_folder(foreign), ["not a file of seqrnn or Keras"]),
    RefusalCase("unbuilt_weights", in_folder(unbuilt), ["no weights yet", "build"]),
    RefusalCase("lambda_in_file", in_folder(lambda_in_file), ["lambda", "custom_objects"]),
    RefusalCase(
        "missing_file",
        in_folder(lambda k, model, folder: k.models.load_model(folder / "none.h5")),
        ["none.h5"],
    ),
    RefusalCase(
        "save_weights_as_keras",
        in_folder(lambda k, model, folder: model.save_weights(folder / "w.keras")),
        [".weights.h5"],
    ),
    RefusalCase("register_without_config", registered_twice, ["Mine", "get_config"]),
    RefusalCase(
        "model_from_json_unknown",
        lambda k: k.models.model_from_json(
            '{"class_name": "Nothing", "config": {}, "module": null, "registered_name": "Nothing"}'
        ),
        ["Nothing", "custom_objects"],
    ),
]


# ---- facts ----


def serialized(make):
    """What `serialize_keras_object` gives."""
    return lambda k: k.saving.serialize_keras_object(make(k))


def registered_name(k):
    @k.saving.register_keras_serializable(package="golden", name="thing")
    class Thing(k.layers.Layer):
        pass

    found = k.saving.get_registered_object("golden>thing") is Thing
    return [k.saving.get_registered_name(Thing), found]


def scoped(k):
    def spin(x):
        return x

    with k.saving.custom_object_scope({"spin": spin}):
        inside = k.saving.get_registered_object("spin") is spin
    return [inside, "spin" in k.saving.get_custom_objects()]


FACTS = [
    FactCase("registered_name", registered_name),
    FactCase("custom_object_scope", scoped),
    FactCase("serialize_list", serialized(lambda k: [1, 2.5, "a", None, True])),
    FactCase("serialize_dict", serialized(lambda k: {"a": [1], "b": {"c": "d"}})),
    FactCase("serialize_slice", serialized(lambda k: slice(None, 3, 2))),
    FactCase("serialize_ellipsis", serialized(lambda k: ...)),
    FactCase("serialize_initializer", serialized(lambda k: k.initializers.Zeros())),
    FactCase("serialize_regularizer", serialized(lambda k: k.regularizers.L2(0.5))),
    FactCase("serialize_constraint", serialized(lambda k: k.constraints.NonNeg())),
    FactCase("input_layer_config", lambda k: k.layers.InputLayer((3, None), name="i").get_config()),
    FactCase("no_build_config", lambda k: k.layers.Dropout(0.5).get_build_config()),
    FactCase(
        "functional_refs",
        lambda k: [branches(k).get_config()[key] for key in ("input_layers", "output_layers")],
    ),
    FactCase(
        "functional_order",
        lambda k: [node["name"] for node in branches(k).get_config()["layers"]],
    ),
    FactCase(
        "functional_calls",
        lambda k: [len(node["inbound_nodes"]) for node in branches(k).get_config()["layers"]],
    ),
    FactCase("functional_inputs_by_name", lambda k: dense_pair(k).get_config()["input_layers"]),
    FactCase(
        "op_nodes",
        lambda k: [
            [node["module"], node["class_name"], node["config"]]
            for node in with_ops(k).get_config()["layers"]
            if "ops" in node["module"]
        ],
    ),
]

CASES = [*LAYERS, *GRAPHS, *OPTIMIZERS, *FORMATS]
SAVING = [*ERRORS, *FACTS]
