"""What files and configs refuse, and what serialised objects look like."""

import json
import pathlib
import tempfile
import warnings
import zipfile

import numpy as np
from cases_files import branches, dense_pair, with_ops
from golden_kinds import FactCase, RefusalCase

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


def edited(suffix, change):
    """Saves the model, has `change` edit the open HDF5 file of it, and loads its weights."""

    def action(k, model, folder):
        import h5py

        path = folder / f"w{suffix}"
        (model.save_weights if suffix == ".weights.h5" else model.save)(path)
        with h5py.File(path, "a") as file:
            change(file)
        model.load_weights(path)

    return in_folder(action)


def drop(*names):
    def change(file):
        for name in names:
            del file[name]

    return change


def reshaped(name):
    def change(file):
        array = file[name][()]
        del file[name]
        file[name] = array[:-1]

    return change


def without_names(file):
    del file["model_weights/head"].attrs["weight_names"]
    file["model_weights/head"].attrs["weight_names"] = [b"sequential/head/kernel"]


def archive_edited(change):
    """Saves the model, has `change` edit {member: bytes}, and loads the model."""

    def action(k, model, folder):
        model.save(folder / "m.keras")
        with zipfile.ZipFile(folder / "m.keras") as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        change(members)
        with zipfile.ZipFile(folder / "m.keras", "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        k.models.load_model(folder / "m.keras")

    return in_folder(action)


def config_edited(*path, value):
    """Sets one entry of the JSON in the archive; the last key may be new."""

    def change(members):
        config = json.loads(members["config.json"])
        node = config
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = value
        members["config.json"] = json.dumps(config).encode()

    return archive_edited(change)


HEAD = ("config", "layers", 1)


def compiled_with(**settings):
    """Saves a model that was compiled with functions of the user's, and loads it without them."""

    def action(k, model, folder):
        model.compile(**{"loss": "mse"} | settings)
        model.save(folder / "m.keras")
        k.models.load_model(folder / "m.keras")

    return in_folder(action)


def my_score(y_true, y_pred):
    return y_pred - y_true


def layer_with(**options):
    """Saves a Dense layer with these options, and loads it."""

    def action(k, model, folder):
        layers = [k.layers.Input((3,)), k.layers.Dense(2, **options)]
        k.Sequential(layers).save(folder / "m.keras")
        k.models.load_model(folder / "m.keras")

    return in_folder(action)


def my_activation(x):
    return x


def my_start(shape, dtype=None):
    return np.zeros(shape, dtype)


def fewer_layers(suffix):
    """The model has a layer more than the file."""

    def action(k, model, folder):
        (model.save if suffix == ".h5" else model.save_weights)(folder / f"w{suffix}")
        bigger = k.Sequential([k.layers.Input((3,)), k.layers.Dense(2), k.layers.Dense(4)])
        bigger.load_weights(folder / f"w{suffix}")

    return in_folder(action)


def more_layers(k, model, folder):
    """The file has a layer more than the model."""
    bigger = k.Sequential([k.layers.Input((3,)), k.layers.Dense(2), k.layers.LSTM(4)][:2])
    bigger.add(k.layers.LayerNormalization())
    bigger.save_weights(folder / "w.weights.h5")
    model.load_weights(folder / "w.weights.h5")


def legacy_by_name(shape, **options):
    """A legacy file whose layer 'head' has a kernel of another shape."""

    def action(k, model, folder):
        model.save(folder / "m.h5")
        other = k.Sequential([k.layers.Input((shape,)), k.layers.Dense(2, name="head")])
        other.load_weights(folder / "m.h5", by_name=True, **options)

    return in_folder(action)


def weights_of_unbuilt(k, model, folder):
    model.save_weights(folder / "w.weights.h5")
    k.Sequential([k.layers.Dense(2)]).load_weights(folder / "w.weights.h5")


def weights_as_model(k, model, folder):
    model.save_weights(folder / "w.weights.h5")
    k.models.load_model(folder / "w.weights.h5")


def save_name(name, method="save"):
    return in_folder(lambda k, model, folder: getattr(model, method)(folder / name))


def truncated(k, model, folder):
    model.save(folder / "m.keras")
    data = (folder / "m.keras").read_bytes()
    (folder / "m.keras").write_bytes(data[: len(data) // 2])
    k.models.load_model(folder / "m.keras")


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
    RefusalCase("unknown_loss", compiled_with(loss=my_score), ["my_score", "custom_objects"]),
    RefusalCase("unknown_metric", compiled_with(metrics=[my_score]), ["my_score"]),
    RefusalCase("unknown_activation", layer_with(activation=my_activation), ["my_activation"]),
    RefusalCase("unknown_initializer", layer_with(kernel_initializer=my_start), ["my_start"]),
    RefusalCase("layer_missing_in_weights", fewer_layers(".weights.h5"), ["dense", "0 weights"]),
    RefusalCase("layer_missing_in_legacy", fewer_layers(".h5"), ["2 layers", "1 layers"]),
    RefusalCase(
        "layer_too_many_in_weights",
        in_folder(more_layers),
        ["layers/layer_normalization", "does not have"],
        raises=ValueError,
    ),
    RefusalCase("legacy_by_name_shape", legacy_by_name(4), ["head", "(4, 2)", "(3, 2)"]),
    RefusalCase("weights_into_unbuilt", in_folder(weights_of_unbuilt), ["no weights yet", "build"]),
    RefusalCase("weights_as_model", in_folder(weights_as_model), ["w.weights.h5", "load_weights"]),
    RefusalCase("truncated", in_folder(truncated), ["m.keras"]),
    RefusalCase(
        "save_as_weights",
        save_name("m.weights.h5"),
        [".weights.h5", "save_weights"],
        raises=ValueError,
    ),
    RefusalCase("save_into_nowhere", save_name("none/m.keras"), ["none", "does not exist"]),
    RefusalCase(
        "array_missing",
        edited(".weights.h5", drop("layers/dense/vars/1")),
        ["head", "2 weights", "1 weights"],
    ),
    RefusalCase(
        "group_missing",
        edited(".weights.h5", drop("layers/dense/vars")),
        ["head", "2 weights", "0 weights"],
    ),
    RefusalCase(
        "array_shape",
        edited(".weights.h5", reshaped("layers/dense/vars/0")),
        ["head", "(3, 2)", "(2, 2)"],
    ),
    RefusalCase("legacy_array_names", edited(".h5", without_names), ["head", "2 weights", "1 "]),
    RefusalCase(
        "legacy_group_missing",
        edited(".h5", drop("model_weights/head")),
        ["w.h5", "head"],
        raises=ValueError,
        differs="Keras's class is that of h5py",
    ),
    RefusalCase(
        "config_missing",
        archive_edited(lambda m: m.pop("config.json")),
        ["m.keras"],
        raises=ValueError,
        differs="Keras's class is that of zipfile",
    ),
    RefusalCase(
        "weights_missing", archive_edited(lambda m: m.pop("model.weights.h5")), ["weights.h5"]
    ),
    RefusalCase(
        "config_no_json", archive_edited(lambda m: m.update({"config.json": b"{"})), ["m.keras"]
    ),
    RefusalCase(
        "config_unknown_argument", config_edited(*HEAD, "config", "unitz", value=3), ["unitz"]
    ),
    RefusalCase(
        "config_bad_value", config_edited(*HEAD, "config", "units", value=-2), ["units", "-2"]
    ),
    RefusalCase(
        "config_unknown_class", config_edited(*HEAD, "class_name", value="Densest"), ["Densest"]
    ),
    RefusalCase(
        "config_units_changed",
        config_edited(*HEAD, "config", "units", value=5),
        ["head", "kernel", "15"],
    ),
    RefusalCase(
        "deserialize_number",
        lambda k: k.layers.deserialize(3),
        ["3"],
    ),
    RefusalCase("json_is_none", lambda k: k.models.model_from_json("no json"), ["no json"]),
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


def skipped(suffix, **options):
    """Which weights are set when those of one layer do not fit."""

    def call(k):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / f"w{suffix}"
            names = ("first", "last")
            source, model = (
                k.Sequential(
                    [
                        k.layers.Input((3,)),
                        *(k.layers.Dense(n, name=m) for n, m in zip(u, names, strict=True)),
                    ]
                )
                for u in ((4, 2), (4, 3))
            )
            source.set_weights([np.ones(w.shape) for w in source.get_weights()])
            model.set_weights([np.zeros(w.shape) for w in model.get_weights()])
            (source.save_weights if suffix == ".weights.h5" else source.save)(path)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.load_weights(path, skip_mismatch=True, **options)
            return [float(w.mean()) for w in model.get_weights()]

    return call


def by_names(k):
    """Layers are found by name, whatever their order; others are left alone."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "m.h5"
        source = k.Sequential(
            [k.layers.Input((3,)), k.layers.Dense(3, name="a"), k.layers.Dense(3, name="b")]
        )
        source.set_weights([np.full(w.shape, float(i)) for i, w in enumerate(source.get_weights())])
        source.save(path)
        names = ("b", "other", "a")
        model = k.Sequential(
            [k.layers.Input((3,)), *(k.layers.Dense(3, name=name) for name in names)]
        )
        model.set_weights([np.full(w.shape, -1.0) for w in model.get_weights()])
        model.load_weights(path, by_name=True)
        return [float(w.mean()) for w in model.get_weights()]


def layer_as_data(k):
    """A layer made from its data, its name and one setting."""
    layer = k.layers.Bidirectional(k.layers.GRU(3), merge_mode="ave", name="both")
    again = k.layers.deserialize(k.layers.serialize(layer))
    return [type(again).__name__, again.name, again.merge_mode]


def order_of_objects(k):
    """A scope comes before what is registered, that before the argument."""

    def spin(x):
        return x

    def argument(x):
        return x

    k.saving.register_keras_serializable("golden", "spin")(spin)
    node = k.saving.serialize_keras_object(spin)
    given = k.saving.deserialize_keras_object(node, custom_objects={"golden>spin": argument})
    with k.saving.custom_object_scope({"golden>spin": argument}):
        inside = k.saving.deserialize_keras_object(node)
    return [given is argument, inside is argument]


FACTS = [
    FactCase("registered_name", registered_name),
    FactCase("custom_object_scope", scoped),
    FactCase("order_of_objects", order_of_objects),
    FactCase("layer_as_data", layer_as_data),
    FactCase("skip_mismatch_weights", skipped(".weights.h5")),
    FactCase("skip_mismatch_legacy", skipped(".h5")),
    FactCase("skip_mismatch_legacy_by_name", skipped(".h5", by_name=True)),
    FactCase("legacy_by_name", by_names),
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

CASES = [*ERRORS, *FACTS]
