"""Files in Keras's formats: written, read, refused. What real Keras wrote is in tests/golden/files
(family 'files'); round trips with it are in tests/golden/round_trips.py."""

import builtins
import io
import json
import os
import pickle
import zipfile

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers, saving

h5py = pytest.importorskip("h5py")
X = np.random.default_rng(0).normal(size=(8, 5, 3)).astype("float32")
Y = X.sum(-1, keepdims=True)


def small(units=4, **options):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            layers.Input([5, 3]),
            layers.GRU(units, return_sequences=True, name="memory"),
            layers.BatchNormalization(),
            layers.Dropout(0.3, seed=2),
            layers.Dense(1, name="head"),
        ]
    )
    model.compile(loss="mse", **{"optimizer": "adam", "metrics": ["mae"], **options})
    return model


def trained(**options):
    model = small(**options)
    model.fit(X, Y, epochs=2, batch_size=4, verbose=0)
    return model


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".hdf5", ".srn"])
@pytest.mark.parametrize("optimizer", ["adam", "nadam", "rmsprop"])
def test_training_goes_on(suffix, optimizer, tmp_path):
    model, path = trained(optimizer=optimizer), tmp_path / f"model{suffix}"
    model.save(path)
    other = keras.models.load_model(path)
    np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    assert int(other.optimizer.iterations) == 4
    if suffix in (".h5", ".hdf5"):
        other.random_step = model.random_step  # which this format has no place for
    one = model.fit(X, Y, epochs=2, batch_size=4, shuffle=False, verbose=0).history
    two = other.fit(X, Y, epochs=2, batch_size=4, shuffle=False, verbose=0).history
    for name in one:
        np.testing.assert_allclose(two[name], one[name], rtol=1e-6)


def test_learning_rate_in_float32_is_the_only_loss(tmp_path):
    model = trained(optimizer=keras.optimizers.Adam(0.1))
    model.save(tmp_path / "m.keras")
    rate = float(keras.models.load_model(tmp_path / "m.keras").optimizer.learning_rate)
    assert rate == float(np.float32(0.1)) != 0.1


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5", ".srn", ".keras"])
def test_weights(suffix, tmp_path):
    model, other, path = trained(), small(), tmp_path / f"w{suffix}"
    (model.save if suffix == ".keras" else model.save_weights)(path)
    other.load_weights(path)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_endings_that_do_not_go_with_the_method(tmp_path):
    with pytest.raises(ValueError, match=r"'\.weights\.h5' is for save_weights"):
        small().save(tmp_path / "m.weights.h5")
    with pytest.raises(ValueError, match=r"ends in '\.weights\.h5'"):
        small().save_weights(tmp_path / "w.keras")
    assert os.listdir(tmp_path) == []


def test_without_h5py(tmp_path, monkeypatch):
    small().save(tmp_path / "m.keras")
    original = builtins.__import__

    def no_h5py(name, *args, **kwargs):
        if name == "h5py":
            raise ImportError("No module named 'h5py'")
        return original(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_h5py)
    with pytest.raises(ImportError, match=r"pip install h5py.*'\.srn'"):
        keras.models.load_model(tmp_path / "m.keras")
    with pytest.raises(ImportError, match=r"pip install h5py"):
        small().save(tmp_path / "n.h5")
    assert sorted(os.listdir(tmp_path)) == ["m.keras"]
    small().save(tmp_path / "m.srn")
    assert keras.models.load_model(tmp_path / "m.srn").compiled


def test_include_optimizer(tmp_path):
    for suffix in (".keras", ".h5", ".srn"):
        trained().save(tmp_path / f"m{suffix}", include_optimizer=False)
        assert not keras.models.load_model(tmp_path / f"m{suffix}").compiled


def test_unknown_options(tmp_path):
    with pytest.raises(TypeError, match="'overwite'"):
        small().save(tmp_path / "m.keras", overwite=True)
    with pytest.raises(ValueError, match=r"zipped=False.*not available"):
        small().save(tmp_path / "m.keras", zipped=False)
    assert os.listdir(tmp_path) == []


# ---- layout ----


def test_places_do_not_depend_on_names(tmp_path):
    model = small()
    model.save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5") as file:
        assert sorted(file["layers"]) == ["batch_normalization", "dense", "dropout", "gru"]
        assert file["layers/gru/vars"].attrs["name"] == "memory"
        assert list(file["layers/gru/cell/vars"]) == ["0", "1", "2"]
        np.testing.assert_array_equal(file["layers/dense/vars/1"], model.layers[-1].bias)
        assert sorted(file["optimizer/vars"]) == ["0", "1"]


class Blocks(keras.Model):
    """Layers in attributes, a list and a dict, one of them twice."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.last = layers.Dense(1)
        self.blocks = [layers.Dense(3), [layers.Dense(3)]]
        self.named = {"a": layers.Dense(3), "again": self.last}

    def call(self, x):
        return self.last(self.named["a"](self.blocks[1][0](self.blocks[0](x))))


@pytest.mark.parametrize("suffix", [".keras", ".srn"])
def test_parts_in_containers(suffix, tmp_path):
    model = Blocks()
    expected = model.predict(X, verbose=0)
    model.save(tmp_path / f"m{suffix}")
    copy = keras.models.load_model(tmp_path / f"m{suffix}", {"Blocks": Blocks})
    np.testing.assert_array_equal(copy.predict(X, verbose=0), expected)


def test_what_keras_reads_exactly():
    """Names and keys that Keras does not read otherwise, found by `golden/file_trips.py`."""
    attention = saving.serialize_keras_object(layers.GroupQueryAttention(2, 2, 1))
    assert attention["class_name"] == "GroupQueryAttention"
    dropout = layers.SpatialDropout1D(0.3, seed=1)
    assert dropout.get_config().keys() == {"name", "dtype", "rate", "seed"}
    model = Blocks()
    model.predict(X, verbose=0)
    assert model.get_build_config() == {"input_shape": [8, 5, 3]}


class Table(layers.Layer):
    """Saves something that is no weight."""

    def __init__(self, words=None, **kwargs):
        super().__init__(**kwargs)
        self.counts = np.zeros(3, np.int64)

    def build(self, shape):
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones")

    def call(self, x):
        return x * self.scale

    def save_own_variables(self, store):
        super().save_own_variables(store)
        store["counts"] = self.counts

    def load_own_variables(self, store):
        self.counts = np.array(store["counts"])
        self.scale.assign(store["0"])


@pytest.mark.parametrize("suffix", [".keras", ".srn"])
def test_layers_that_save_themselves(suffix, tmp_path):
    model = keras.Sequential([layers.Input([3]), Table()])
    model.layers[0].counts += [1, 2, 3]
    model.layers[0].scale.assign(5.0)
    model.save(tmp_path / f"m{suffix}")
    copy = keras.models.load_model(tmp_path / f"m{suffix}", {"Table": Table})
    assert copy.layers[0].counts.tolist() == [1, 2, 3] and float(copy.layers[0].scale) == 5.0


class Prepared(layers.Layer):
    """Makes its weights for something other than the shape of the input."""

    def prepare(self, size):
        self.size = size
        self.bias = self.add_weight(name="bias", shape=(size,), initializer="ones")
        self.built = True

    def get_build_config(self):
        return {"size": self.size}

    def build_from_config(self, config):
        self.prepare(config["size"])

    def call(self, x):
        return x + self.bias


def test_layers_that_build_themselves(tmp_path):
    layer = Prepared()
    layer.prepare(3)
    model = keras.Sequential([layers.Input([3]), layer])
    model.save(tmp_path / "m.keras")
    copy = keras.models.load_model(tmp_path / "m.keras", {"Prepared": Prepared})
    assert copy.layers[0].size == 3


# ---- by name, and what does not fit ----


def test_by_name(tmp_path):
    source = small()
    source.save_weights(tmp_path / "w.h5")
    model = keras.Sequential(
        [layers.Input([5, 4]), layers.Dense(1, name="head"), layers.Dense(2, name="other")]
    )
    kept = model.get_weights()
    model.load_weights(tmp_path / "w.h5", by_name=True)
    np.testing.assert_array_equal(model.get_weights()[0], source.layers[-1].kernel)
    np.testing.assert_array_equal(model.get_weights()[2], kept[2])
    with pytest.raises(ValueError, match=r"holds weights of 3 layers.*has 2 layers"):
        model.load_weights(tmp_path / "w.h5")
    wrong = keras.Sequential([layers.Input([3]), layers.Dense(1, name="head")])
    with pytest.raises(ValueError, match=r"layer 'head' has shape \(3, 1\).*unchanged"):
        wrong.load_weights(tmp_path / "w.h5", by_name=True)
    with pytest.warns(UserWarning, match="Skipped: weight 'kernel' of layer 'head'"):
        wrong.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True)


@pytest.mark.parametrize("suffix", [".weights.h5", ".h5"])
def test_skip_mismatch(suffix, tmp_path):
    small(5).save_weights(tmp_path / f"w{suffix}")
    model = small(4)
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"'memory' has shape \(3, 12\).*\(3, 15\).*unchanged"):
        model.load_weights(tmp_path / f"w{suffix}")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.warns(UserWarning, match="Skipped"):
        model.load_weights(tmp_path / f"w{suffix}", skip_mismatch=True)


def test_many_names_in_a_legacy_file(tmp_path):
    """HDF5 has no room for an attribute of 64 KiB, so the list is cut into several."""
    wide = [layers.Dense(1, name=f"{'a' * 240}_{i}") for i in range(300)]
    x = layers.Input([1])
    model = keras.Model(x, [layer(x) for layer in wide])
    model.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5") as file:
        assert "layer_names1" in file.attrs
    other = keras.models.clone_model(model)
    other.load_weights(tmp_path / "w.h5")
    np.testing.assert_array_equal(other.get_weights()[-2], model.get_weights()[-2])


# ---- code in files ----


def keras_file(path, node, arrays=None):
    """A '.keras' file with this description of a model."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for name, array in (arrays or {}).items():
            file[name] = array
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        archive.writestr("config.json", json.dumps(node))
        archive.writestr("model.weights.h5", buffer.getvalue())


def model_node(layer):
    first = {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {"batch_shape": [1, 3]},
    }
    config = {"name": "sequential", "layers": [first, layer]}
    return {"module": "keras", "class_name": "Sequential", "config": config}


def layer_node(name, module="keras.layers", **config):
    return {"module": module, "class_name": name, "config": config, "registered_name": name}


CODE = {
    "lambda": layer_node("Lambda", function={"class_name": "__lambda__", "config": {"value": "x"}}),
    "of another module": layer_node("Popen", "subprocess", args="true"),
    "of the library, no layer": layer_node("load_model", "keras.models", filepath="x"),
    "private": layer_node("_Kept", "seqrnn.layers.rnn", batch=1, variables=[]),
    "activation": layer_node(
        "Dense",
        units=1,
        activation={"module": "os", "class_name": "function", "config": "system"},
    ),
}


@pytest.mark.parametrize("case", CODE)
@pytest.mark.parametrize("safe_mode", [True, False])
def test_nothing_in_a_file_is_run(case, safe_mode, tmp_path, monkeypatch):
    keras_file(tmp_path / "m.keras", model_node(CODE[case]))
    monkeypatch.setattr(pickle, "loads", None)
    imported = []
    original = builtins.__import__
    monkeypatch.setattr(
        builtins, "__import__", lambda n, *a, **k: imported.append(n) or original(n, *a, **k)
    )
    with pytest.raises(ValueError):
        keras.models.load_model(tmp_path / "m.keras", safe_mode=safe_mode)
    assert "subprocess" not in imported and not {"marshal", "dill"} & set(imported)


def test_op_nodes_reach_ops_only(tmp_path):
    x = layers.Input([3])
    node = saving.serialize_keras_object(keras.Model(x, keras.ops.tanh(x)))
    for name, module in (("LoadModel", "keras.src.ops.numpy"), ("__import__", "seqrnn.ops")):
        op = node["config"]["layers"][1]
        op["class_name"], op["module"] = name, module
        keras_file(tmp_path / "m.keras", node)
        with pytest.raises(ValueError, match="does not have"):
            keras.models.load_model(tmp_path / "m.keras")


# ---- hostile files ----


def test_a_layer_larger_than_the_file(tmp_path):
    keras_file(tmp_path / "m.keras", model_node(layer_node("Dense", units=10**9)))
    with pytest.raises(ValueError, match="more than the file has weights for"):
        keras.models.load_model(tmp_path / "m.keras")


def test_bombs(tmp_path):
    with zipfile.ZipFile(tmp_path / "zip.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", "{}")
        archive.writestr("model.weights.h5", bytes(2**27))
    with pytest.raises(ValueError, match=r"would grow from .* refused"):
        keras.models.load_model(tmp_path / "zip.keras")
    with h5py.File(tmp_path / "w.weights.h5", "w") as file:
        file.create_dataset("layers/dense/vars/0", (10**6, 10**6), "f4", chunks=True)
    with pytest.raises(ValueError, match=r"claims 4000000000000 bytes.*refused"):
        small().load_weights(tmp_path / "w.weights.h5")


def test_deep_json(tmp_path):
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", "[" * 100_000 + "]" * 100_000)
        archive.writestr("model.weights.h5", b"")
    with pytest.raises(ValueError, match="damaged"):
        keras.models.load_model(tmp_path / "m.keras")


@pytest.mark.parametrize("kind", ["soft", "external", "file", "virtual", "text", "cycle"])
def test_links_and_other_strangers(kind, tmp_path):
    model = small()
    model.save_weights(tmp_path / "w.weights.h5")
    (tmp_path / "secret").write_bytes(bytes(16))
    with h5py.File(tmp_path / "w.weights.h5", "a") as file:
        group = file["layers/dense/vars"]
        del group["1"]
        if kind == "soft":
            group["1"] = h5py.SoftLink("/layers/gru/cell/vars/2")
        elif kind == "external":
            group["1"] = h5py.ExternalLink(str(tmp_path / "secret"), "/x")
        elif kind == "file":
            group.create_dataset("1", (1,), "f4", external=[(str(tmp_path / "secret"), 0, 4)])
        elif kind == "virtual":
            layout = h5py.VirtualLayout((1,), "f4")
            layout[0] = h5py.VirtualSource(str(tmp_path / "secret"), "x", (1,))[0]
            group.create_virtual_dataset("1", layout)
        elif kind == "text":
            group["1"] = "hello"
        else:
            group["again"] = file["layers"]
    with pytest.raises(ValueError, match=r"refused|expected numbers|2 weights"):
        model.load_weights(tmp_path / "w.weights.h5")


@pytest.mark.parametrize("suffix", [".keras", ".h5", ".weights.h5"])
def test_truncated_files(suffix, tmp_path):
    model = small()
    path = tmp_path / f"m{suffix}"
    (model.save_weights if suffix == ".weights.h5" else model.save)(path)
    whole = path.read_bytes()
    for size in range(0, len(whole), len(whole) // 25):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"damaged|not a file of seqrnn|no weights|no model"):
            model.load_weights(path) if suffix == ".weights.h5" else keras.models.load_model(path)


def test_members_that_are_missing(tmp_path):
    small().save(tmp_path / "m.keras")
    with zipfile.ZipFile(tmp_path / "m.keras") as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    del members["model.weights.h5"]
    members["model.weights.npz"] = b""
    with zipfile.ZipFile(tmp_path / "n.keras", "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(ValueError, match=r"no model\.weights\.h5.*pickles are not read"):
        keras.models.load_model(tmp_path / "n.keras")


def test_a_model_that_lacks_what_the_file_has(tmp_path):
    small().save_weights(tmp_path / "w.weights.h5")
    model = keras.Sequential([layers.Input([5, 3]), layers.GRU(4, return_sequences=True)])
    with pytest.raises(ValueError, match=r"weights for 'layers/.*the model does not have"):
        model.load_weights(tmp_path / "w.weights.h5")


@pytest.mark.parametrize("change", ["loop", "missing", "no_output"])
def test_graphs_that_are_none(change, tmp_path):
    x = layers.Input([3], name="x")
    model = keras.Model(x, layers.Dense(2, name="b")(layers.Dense(3, name="a")(x)))
    node = saving.serialize_keras_object(model)
    history = node["config"]["layers"][1]["inbound_nodes"][0]["args"][0]["config"]
    refs = {"loop": ["b", 0, 0], "missing": ["z", 0, 0], "no_output": ["x", 0, 5]}
    history["keras_history"] = refs[change]
    keras_file(tmp_path / "m.keras", node)
    with pytest.raises(ValueError, match=r"has a loop|not among its layers|no output 5"):
        keras.models.load_model(tmp_path / "m.keras")


# ---- other ways to copy ----


def test_joblib(tmp_path):
    joblib = pytest.importorskip("joblib")
    model = trained()
    joblib.dump(model, tmp_path / "m.joblib")
    other = joblib.load(tmp_path / "m.joblib")
    one = model.fit(X, Y, epochs=1, verbose=0, shuffle=False).history
    assert other.fit(X, Y, epochs=1, verbose=0, shuffle=False).history == one


def test_json_compiles():
    model = keras.models.model_from_json(trained().to_json())
    assert model.compiled and model.loss == "mse"
    assert json.loads(small().to_json())["class_name"] == "Sequential"
