"""Files of models with layers of the user's own, whose configs are as short as can be."""

import json

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers, ops

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")


class Scaled(layers.Layer):
    """As in Keras's guides: the constructor takes no name, the config has none."""

    def __init__(self, units=2):
        super().__init__()
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units))

    def call(self, inputs):
        return ops.matmul(inputs, self.w)

    def get_config(self):
        return {"units": self.units}


OWN = {"Scaled": Scaled}


def two_of_a_kind():
    inputs = keras.Input((3,))
    first, second = Scaled(3), Scaled(3)
    return keras.Model(inputs, first(second(first(inputs))) + inputs)


@pytest.mark.parametrize("module", [Scaled.__module__, "__main__"])
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".srn"])
def test_config_without_name(suffix, module, tmp_path, monkeypatch):
    monkeypatch.setattr(Scaled, "__module__", module)
    if suffix in (".keras", ".h5"):
        pytest.importorskip("h5py")
    model, path = two_of_a_kind(), tmp_path / f"model{suffix}"
    model.save(path)
    expected = model.predict(X, verbose=0)
    loaded = keras.models.load_model(path, custom_objects=OWN)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), expected)
    with keras.utils.custom_object_scope(OWN):
        loaded = keras.models.load_model(path)
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), expected)


def test_config_without_name_in_memory(monkeypatch):
    monkeypatch.setattr(Scaled, "__module__", "__main__")
    model = two_of_a_kind()
    for other in (
        keras.Model.from_config(model.get_config(), custom_objects=OWN),
        keras.models.model_from_json(model.to_json(), custom_objects=OWN),
        keras.models.clone_model(model),
    ):
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))


def test_own_layer_that_nobody_names(monkeypatch):
    monkeypatch.setattr(Scaled, "__module__", "__main__")
    with pytest.raises(ValueError, match=r"custom_objects=\{'Scaled': Scaled\}"):
        keras.models.model_from_json(json.dumps(json.loads(two_of_a_kind().to_json())))


# ---- lambdas ----


def of_lambdas():
    factor = 2.0
    inputs = keras.Input((3,))
    x = layers.Lambda(lambda t: t * factor + 1.0, name="twice")(inputs)
    x = layers.Dense(2, name="head")(x)
    return keras.Model(inputs, layers.Lambda(lambda t, n=1: t[:, :n], name="first")(x))


GIVEN = {"twice": lambda t: 2.0 * t + 1.0, "first": lambda t: t[:, :1]}


@pytest.mark.parametrize("safe_mode", [True, False])
@pytest.mark.parametrize("suffix", [".keras", ".h5", ".srn"])
def test_lambdas_in_files(suffix, safe_mode, tmp_path):
    if suffix in (".keras", ".h5"):
        pytest.importorskip("h5py")
    model, path = of_lambdas(), tmp_path / f"model{suffix}"
    with pytest.warns(UserWarning, match=r"custom_objects=\{'twice': lambda x: ..., 'first'"):
        model.save(path)
    expected = model.predict(X, verbose=0)
    with pytest.raises(ValueError, match=r"'twice'.*never runs code.*custom_objects=\{'twice'"):
        keras.models.load_model(path, safe_mode=safe_mode)
    loaded = keras.models.load_model(path, custom_objects=GIVEN)
    np.testing.assert_allclose(loaded.predict(X, verbose=0), expected, rtol=1e-6)
    with pytest.raises(ValueError, match="'first'"):
        keras.models.load_model(path, custom_objects={"twice": GIVEN["twice"]})
    other = of_lambdas()
    other.load_weights(path)
    np.testing.assert_array_equal(other.predict(X, verbose=0), expected)


def test_checkpoints_of_lambdas(tmp_path):
    pytest.importorskip("h5py")
    model = of_lambdas()
    model.compile("sgd", "mse")
    path = tmp_path / "best.keras"
    with pytest.warns(UserWarning, match="lambdas"):
        model.fit(X, X[:, :1], verbose=0, callbacks=[keras.callbacks.ModelCheckpoint(str(path))])
    loaded = keras.models.load_model(path, custom_objects=GIVEN)
    np.testing.assert_allclose(loaded.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-6)


def test_lambdas_that_stay_in_the_process():
    model = of_lambdas()
    for other in (
        keras.models.clone_model(model),
        keras.Model.from_config(model.get_config()),
    ):
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    with pytest.raises(ValueError, match=r"'twice'.*never runs code"):
        keras.models.model_from_json(model.to_json())


def test_lambda_as_a_mask():
    layer = layers.Lambda(lambda x: x, mask=lambda x, mask: mask, name="kept")
    data = json.loads(json.dumps(layer.get_config()))
    with (
        pytest.raises(ValueError, match=r"'kept.mask'"),
        keras.utils.custom_object_scope({"kept": lambda x: x}),
    ):
        layers.Lambda.from_config(data)


def test_lambda_of_keras_2():
    data = {"name": "old", "function": ["4wEA", None, None], "function_type": "lambda"}
    with pytest.raises(ValueError, match=r"'old'.*never runs code"):
        layers.Lambda.from_config(data)
    with keras.utils.custom_object_scope({"old": lambda x: x + 1}):
        layer = layers.Lambda.from_config(data)
    np.testing.assert_array_equal(layer(X), X + 1)


def test_lambda_over_what_is_no_data():
    held = object()
    model = keras.Sequential([keras.Input((3,)), layers.Lambda(lambda x: (held, x)[1])])
    with pytest.warns(UserWarning), pytest.raises(TypeError, match="Cannot save <object"):
        model.save("unused.srn")
