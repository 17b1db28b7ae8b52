"""Files: everything comes back, nothing is half written, bad files say what they are."""

import functools
import json
import os
import zipfile

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers, saving


def data():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(16, 6, 2)).astype("float32")
    return x, x.sum(-1, keepdims=True)


def last_step(y_true, y_pred):
    return keras.metrics.mse(y_true[:, -1], y_pred[:, -1])


class Scaled(layers.Layer):
    def __init__(self, factor=2.0, **kwargs):
        super().__init__(**kwargs)
        self.factor = factor

    def call(self, x):
        return self.factor * x


def sequential(declared=True):
    first = {"input_shape": [None, 2]} if declared else {}
    return keras.Sequential(
        [
            layers.Conv1D(4, 3, padding="causal", activation="relu", **first),
            layers.BatchNormalization(),
            layers.TimeDistributed(
                layers.Dense(3, kernel_regularizer="l2", bias_initializer="ones")
            ),
            layers.Dropout(0.2, seed=1),
            Scaled(3.0),
            layers.Dense(1),
        ]
    )


def functional():
    x = keras.Input([None, 2], name="series")
    z = layers.Dense(4, name="gates")(x)
    z = keras.ops.tanh(z[..., :2]) * keras.activations.sigmoid(z[..., 2:])
    z = layers.Concatenate(axis=-1)([z, Scaled(0.5)(x)])
    return keras.Model(x, layers.Dense(1)(keras.ops.clip(z, -1.0, x_max=1.0)))


class Subclass(keras.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.a, self.b = layers.Dense(units), layers.Dense(1)

    def call(self, x):
        return self.b(self.a(x))


CUSTOM = {"last_step": last_step, "Scaled": Scaled, "Subclass": Subclass}


def nested():
    x = keras.Input([None, 2])
    inner = keras.Sequential([layers.GRU(3, return_sequences=True, input_shape=[None, 2])])
    return keras.Model(x, layers.TimeDistributed(layers.Dense(1))(inner(x)))


MAKERS = [sequential, lambda: sequential(False), functional, Subclass, nested]


def trained(make=sequential, optimizer="adam"):
    keras.utils.set_random_seed(0)
    model = make()
    model.compile(loss="mse", optimizer=optimizer, metrics=[last_step, "mae"])
    model.fit(*data(), epochs=2, batch_size=8, verbose=0)
    return model


@pytest.mark.parametrize(
    "make", MAKERS, ids=["sequential", "undeclared", "functional", "subclass", "nested"]
)
@pytest.mark.parametrize("optimizer", ["adam", "nadam", keras.optimizers.SGD])
def test_model_comes_back_and_trains_on(make, optimizer, tmp_path):
    if optimizer is keras.optimizers.SGD:
        optimizer = keras.optimizers.SGD(0.1, momentum=0.9, clipnorm=1.0)
    model, path = trained(make, optimizer), tmp_path / "model.srn"
    model.save(path)
    copy = keras.models.load_model(path, custom_objects=CUSTOM)
    x, y = data()
    np.testing.assert_array_equal(copy.predict(x, verbose=0), model.predict(x, verbose=0))
    assert int(copy.optimizer.iterations) == int(model.optimizer.iterations) == 4
    # Optimizer state and the random stream of the dropout go on as if nothing had happened.
    one = model.fit(x, y, epochs=2, batch_size=8, shuffle=False, verbose=0).history
    two = copy.fit(x, y, epochs=2, batch_size=8, shuffle=False, verbose=0).history
    assert one == two and list(one) == ["loss", "last_step", "mae"]
    for a, b in zip(model.get_weights(), copy.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def _inside(model, shape=(6, 3)):
    inputs = layers.Input(shape)
    return keras.Model(inputs, model(inputs))


def _dense(units, n=1):
    inputs = y = layers.Input((6, 3))
    for _ in range(n):
        y = layers.Dense(units)(y)
    return keras.Model(inputs, y)


NESTED = {
    "three deep": lambda: _inside(_inside(_dense(3))),
    "siblings": lambda: keras.Sequential([_dense(3, 2), _dense(3), _dense(3, 3)]),
    "sequential in sequential": lambda: functools.reduce(
        lambda inner, _: keras.Sequential([layers.Input((6, 3)), inner]), range(9), _dense(3)
    ),
}


@pytest.mark.parametrize("ending", [".srn", ".keras", ".weights.h5"])
@pytest.mark.parametrize("make", NESTED.values(), ids=NESTED)
def test_models_in_models_keep_all_weights(make, ending, tmp_path):
    """Each asks for fresh lists of layers, and a list may get the address of one that is gone."""
    models = [make() for _ in range(5)]
    for model in models:
        path, weights = tmp_path / f"m{ending}", model.get_weights()
        model.save_weights(path) if ending == ".weights.h5" else model.save(path)
        if ending == ".weights.h5":
            model.set_weights([0 * w for w in weights])
            model.load_weights(path)
        else:
            model = keras.models.load_model(path)
        for got, wanted in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(got, wanted)


def test_a_weight_that_has_no_place_is_an_error(tmp_path):
    class Hiding(layers.Layer):
        def __init__(self):
            super().__init__()
            self.add_metric = layers.Dense(3)  # a method of every layer: not looked at

        def call(self, x):
            return self.add_metric(x)

    model = keras.Sequential([layers.Input((3,)), Hiding()])
    assert len(model.weights) == 2
    with pytest.raises(RuntimeError, match=r"dense.*kernel.*as an attribute"):
        model.save_weights(tmp_path / "x.weights.h5")


def test_names_and_settings_come_back(tmp_path):
    model = sequential()
    model.layers[0].trainable = False
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    model.compile(
        loss=keras.losses.Huber(0.5),
        optimizer=keras.optimizers.Adam(schedule),
        metrics=[keras.metrics.MeanAbsoluteError("error")],
        weighted_metrics=["mse"],
    )
    model.save(tmp_path / "m")
    copy = saving.load_model(tmp_path / "m", custom_objects=CUSTOM)
    assert [la.name for la in copy.layers] == [la.name for la in model.layers]
    assert copy.name == model.name and not copy.layers[0].trainable
    assert copy.optimizer.get_config() == model.optimizer.get_config()
    assert copy.loss.get_config() == model.loss.get_config()
    x, y = data()
    names = list(model.evaluate(x, y, verbose=0, return_dict=True))
    assert list(copy.evaluate(x, y, verbose=0, return_dict=True)) == names


def test_without_compile(tmp_path):
    model = trained()
    model.save(tmp_path / "m.srn")
    copy = keras.models.load_model(tmp_path / "m.srn", {"Scaled": Scaled}, compile=False)
    assert not copy.compiled
    plain = sequential()
    plain.save(tmp_path / "p.srn")
    assert not keras.models.load_model(tmp_path / "p.srn", CUSTOM).compiled


def test_lambda_metric_is_left_out_with_a_warning(tmp_path):
    model = keras.Sequential([layers.Dense(1, input_shape=[2])])
    model.compile(loss="mse", metrics=[lambda y, p: keras.metrics.mse(y, p)])
    with pytest.warns(UserWarning, match=r"without its compile\(\) settings.*lambda"):
        model.save(tmp_path / "m.srn")
    assert not keras.models.load_model(tmp_path / "m.srn").compiled


# ---- own classes and functions ----


def test_unknown_class_and_function(tmp_path):
    trained().save(tmp_path / "m.srn")
    with pytest.raises(ValueError, match=r"'Scaled'.*custom_objects=\{'Scaled': Scaled\}"):
        keras.models.load_model(tmp_path / "m.srn")
    with pytest.raises(ValueError, match="'last_step'"):
        keras.models.load_model(tmp_path / "m.srn", {"Scaled": Scaled})


def test_scope(tmp_path):
    model = trained()
    model.save(tmp_path / "m.srn")
    with keras.utils.custom_object_scope(CUSTOM):
        copy = keras.models.load_model(tmp_path / "m.srn")
    assert isinstance(copy.layers[4], Scaled) and copy.layers[4].factor == 3.0
    with pytest.raises(ValueError):
        keras.models.load_model(tmp_path / "m.srn")


def test_registered(tmp_path):
    @keras.utils.register_keras_serializable(package="tests")
    class Shifted(layers.Layer):
        def call(self, x):
            return x + 1.0

    @keras.utils.register_keras_serializable("tests", "cubed")
    def cube(x):
        return x**3

    assert keras.utils.get_registered_name(Shifted) == "tests>Shifted"
    model = keras.Sequential([layers.Dense(2, activation=cube, input_shape=[2]), Shifted()])
    model.save(tmp_path / "m.srn")
    copy = keras.models.load_model(tmp_path / "m.srn")
    x = np.ones((2, 2))
    np.testing.assert_array_equal(copy.predict(x, verbose=0), model.predict(x, verbose=0))


def test_class_with_layers_as_arguments_needs_get_config(tmp_path):
    class Holder(layers.Layer):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = inner

        def call(self, x):
            return self.inner(x)

    model = keras.Sequential([Holder(layers.Dense(1), input_shape=[2])])
    with pytest.raises(NotImplementedError, match="Holder needs a method `get_config`"):
        model.save(tmp_path / "m.srn")
    assert os.listdir(tmp_path) == []


# ---- weights ----


def test_weights_alone(tmp_path):
    model, other = trained(), sequential()
    model.save_weights(tmp_path / "w")
    other.load_weights(tmp_path / "w")
    x, _ = data()
    np.testing.assert_array_equal(other.predict(x, verbose=0), model.predict(x, verbose=0))
    model.save(tmp_path / "m")
    third = sequential()
    third.load_weights(tmp_path / "m")
    np.testing.assert_array_equal(third.predict(x, verbose=0), model.predict(x, verbose=0))
    with pytest.raises(ValueError, match="weights only"):
        keras.models.load_model(tmp_path / "w")


def small(units, name="mine"):
    return keras.Sequential([layers.Dense(3, input_shape=[2]), layers.Dense(units, name=name)])


def test_weights_that_do_not_fit_leave_the_model_unchanged(tmp_path):
    small(4).save_weights(tmp_path / "w")
    model = small(5)
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"layer 'mine' has shape \(3, 5\).*shape \(3, 4\)"):
        model.load_weights(tmp_path / "w")
    longer = keras.Sequential([*small(4, "other").layers, layers.Dense(1, name="extra")])
    with pytest.raises(ValueError, match=r"layer 'extra' has 2 weights.*holds 0 weights for it"):
        longer.load_weights(tmp_path / "w")
    shorter = keras.Sequential([layers.Dense(3, input_shape=[2])])
    with pytest.raises(
        ValueError, match=r"weights for 'layers/dense_1', which the model does not have"
    ):
        shorter.load_weights(tmp_path / "w")
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_skip_mismatch(tmp_path):
    source, model = small(4), small(5)
    source.save_weights(tmp_path / "w")
    kept = model.get_weights()[2]
    with pytest.warns(UserWarning) as warned:
        model.load_weights(tmp_path / "w", skip_mismatch=True)
    assert [str(w.message).split(" has")[0] for w in warned] == [
        "Skipped: weight 'kernel' of layer 'mine'",
        "Skipped: weight 'bias' of layer 'mine'",
    ]
    np.testing.assert_array_equal(model.get_weights()[0], source.get_weights()[0])
    np.testing.assert_array_equal(model.get_weights()[2], kept)


def test_unbuilt_models(tmp_path):
    with pytest.raises(ValueError, match="no weights yet"):
        keras.Sequential([layers.Dense(1)]).save_weights(tmp_path / "w")
    small(4).save_weights(tmp_path / "w")
    with pytest.raises(ValueError, match="no weights yet"):
        keras.Sequential([layers.Dense(1)]).load_weights(tmp_path / "w")


# ---- files ----


def test_missing_file_and_directory(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing"):
        keras.models.load_model(tmp_path / "nothing")
    with pytest.raises(FileNotFoundError, match="does not exist"):
        small(1).save(tmp_path / "no" / "m.srn")


def test_overwrite(tmp_path):
    small(1).save(tmp_path / "m.srn")
    with pytest.raises(FileExistsError):
        small(2).save(tmp_path / "m.srn", overwrite=False)
    small(2).save(tmp_path / "m.srn")
    assert keras.models.load_model(tmp_path / "m.srn").output_shape == (None, 2)
    assert os.listdir(tmp_path) == ["m.srn"]


def test_foreign_files(tmp_path):
    (tmp_path / "text").write_text("hello")
    (tmp_path / "empty").write_bytes(b"")
    np.savez(tmp_path / "a.npz", x=np.ones(3))
    for name in ("text", "empty", "a.npz"):
        with pytest.raises(ValueError, match="is not a file of seqrnn or Keras"):
            keras.models.load_model(tmp_path / name)


def test_every_truncation_is_noticed(tmp_path):
    small(1).save(tmp_path / "m.srn")
    whole = (tmp_path / "m.srn").read_bytes()
    for size in range(1, len(whole), max(1, len(whole) // 60)):
        (tmp_path / "cut").write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"is damaged|is not a file of seqrnn"):
            keras.models.load_model(tmp_path / "cut")


def test_flipped_bits_anywhere_are_noticed_or_harmless(tmp_path):
    """In the names, sizes and methods of the archive's members too, which have no checksum."""
    model = small(1)
    model.compile(loss="mse")
    model.save(tmp_path / "m.srn")
    whole = (tmp_path / "m.srn").read_bytes()
    directory = whole.index(b"PK\x01\x02")
    refused = 0
    for at in [*range(120), *range(directory, len(whole))]:
        flipped = bytearray(whole)
        flipped[at] ^= 1 << at % 8
        (tmp_path / "flipped").write_bytes(flipped)
        try:
            loaded = keras.models.load_model(tmp_path / "flipped")
        except ValueError as error:
            assert "is damaged" in str(error) or "is not a file of seqrnn or Keras" in str(error)
            refused += 1
        else:
            np.testing.assert_array_equal(loaded.get_weights()[0], model.get_weights()[0])
    assert refused > 100


def test_settings_in_tuples_come_back(tmp_path):
    x, y = data()
    x, y = x[:, 0], y[:, 0]
    model = small(1)
    model.compile(loss="mse", metrics=(keras.metrics.MeanAbsoluteError(name="off"), "mse"))
    expected = model.evaluate(x, y, verbose=0)
    model.save(tmp_path / "m.srn")
    loaded = keras.models.load_model(tmp_path / "m.srn")
    assert loaded.evaluate(x, y, verbose=0) == expected


def test_flipped_bits_in_the_weights_are_noticed(tmp_path):
    model = small(1)
    model.save(tmp_path / "m.srn")
    whole = bytearray((tmp_path / "m.srn").read_bytes())
    at = whole.index(model.get_weights()[0].tobytes())
    whole[at] ^= 1
    (tmp_path / "m.srn").write_bytes(whole)
    target = small(1)
    before = target.get_weights()
    with pytest.raises(ValueError, match=r"damaged.*CRC"):
        target.load_weights(tmp_path / "m.srn")
    np.testing.assert_array_equal(target.get_weights()[0], before[0])


def test_later_version(tmp_path):
    with zipfile.ZipFile(tmp_path / "m", "w") as archive:
        head = {"format": "seqrnn", "version": 99, "kind": "model", "made_by": "seqrnn 9"}
        archive.writestr("format.json", json.dumps(head))
    with pytest.raises(ValueError, match=r"version 99, by seqrnn 9.*reads version 2"):
        keras.models.load_model(tmp_path / "m")


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m.srn"
    small(1).save(path)
    before = path.read_bytes()

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        small(2).save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["m.srn"]


def test_nothing_in_a_file_is_a_pickle(tmp_path):
    trained().save(tmp_path / "m.srn")
    with zipfile.ZipFile(tmp_path / "m.srn") as archive:
        for name in archive.namelist():
            if name.endswith(".npy"):
                np.lib.format.read_array(archive.open(name), allow_pickle=False)
            else:
                json.loads(archive.read(name))


# ---- objects ----


@pytest.mark.parametrize(
    "thing",
    [
        None,
        3,
        2.5,
        "x",
        [1, [2.0, None]],
        {"a": [1, 2], "b": [True]},
        [slice(None, 3), ...],
        np.float32(1.5),
    ],
)
def test_plain_data(thing):
    text = json.dumps(saving.serialize_keras_object(thing))
    assert saving.deserialize_keras_object(json.loads(text)) == thing


def test_what_cannot_be_described():
    with pytest.raises(TypeError, match="Cannot save"):
        saving.serialize_keras_object(object())
    with pytest.raises(TypeError, match="lambda"):
        saving.serialize_keras_object(lambda x: x)
    with pytest.raises(TypeError, match="keys must be strings"):
        saving.serialize_keras_object({1: 2})


def test_json_of_a_model():
    model = functional()
    copy = keras.models.model_from_json(model.to_json(), CUSTOM)
    copy.set_weights(model.get_weights())
    x, _ = data()
    np.testing.assert_array_equal(copy.predict(x, verbose=0), model.predict(x, verbose=0))


@pytest.mark.parametrize("suffix", [".srn", ".keras"])
def test_an_initializer_with_a_seed_generator_is_loaded(tmp_path, suffix):
    seed = keras.random.SeedGenerator(3)
    layer = keras.layers.Dense(2, kernel_initializer=keras.initializers.GlorotUniform(seed=seed))
    config = keras.saving.serialize_keras_object(layer.kernel_initializer)["config"]["seed"]
    assert (config["module"], config["class_name"]) == ("keras.random", "SeedGenerator")
    model = keras.Sequential([keras.Input((3,)), layer])
    model.save(tmp_path / f"model{suffix}")
    again = keras.models.load_model(tmp_path / f"model{suffix}")
    assert again.layers[-1].kernel_initializer.seed.initial_seed == 3
    np.testing.assert_array_equal(again.get_weights()[0], model.get_weights()[0])


def test_saving_through_a_link_keeps_it_and_obeys_the_umask(tmp_path):
    model = keras.Sequential([layers.Input((3,)), layers.Dense(2)])
    target, link = tmp_path / "there.srn", tmp_path / "link.srn"
    target.write_bytes(b"old")
    link.symlink_to(target)
    before = os.umask(0o027)
    try:
        model.save(link)
        model.save(tmp_path / "new.srn")
    finally:
        os.umask(before)
    assert link.is_symlink()
    assert len(keras.models.load_model(target).weights) == len(model.weights)
    assert (tmp_path / "new.srn").stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.srn", "new.srn", "there.srn"]
