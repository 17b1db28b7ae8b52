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
    with pytest.raises(ValueError, match="custom_objects={'Scaled': Scaled}"):
        keras.models.model_from_json(json.dumps(json.loads(two_of_a_kind().to_json())))
