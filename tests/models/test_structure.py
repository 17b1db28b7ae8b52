"""What a model says about its layers, and models made from models."""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers


@pytest.fixture
def model():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    shared = layers.Dense(3, name="shared")
    left, right = shared(a), shared(b)
    both = layers.Add(name="both")([left, right]) * 2.0
    return keras.Model([a, b], [layers.Dense(2, name="end")(both), left], name="m")


X = [np.random.default_rng(i).normal(size=(3, 4)).astype("float32") for i in (0, 1)]


def test_layers_begin_with_those_of_the_inputs(model):
    assert [la.name for la in model.layers] == ["a", "b", "shared", "both", "end"]
    assert isinstance(model.layers[0], layers.InputLayer)
    assert model.layers[0] is model.get_layer("a") is model.get_layer(index=0)
    assert model.layers[0].output is model.input[0]


def test_input_and_output_of_layers(model):
    assert model.get_layer("shared").input is model.input[0]
    assert model.get_layer("shared").output is model.output[1]
    assert [t.shape for t in model.get_layer("both").input] == [(None, 3)] * 2
    inner = keras.Model(model.input, model.get_layer("both").output)
    kernel, bias = model.get_layer("shared").get_weights()
    expected = (X[0] + X[1]) @ kernel + 2 * bias
    np.testing.assert_allclose(inner.predict(X, verbose=0), expected, rtol=1e-5)
    with pytest.raises(AttributeError, match="'lone' has no input: it has not been called"):
        layers.Dense(1, name="lone").input  # noqa: B018


def test_get_layer_wants_one_of_name_and_index(model):
    for arguments in ({}, {"name": "a", "index": 0}):
        with pytest.raises(ValueError, match="either the name of a layer or its index"):
            model.get_layer(**arguments)


def test_clone(model):
    model.compile("sgd", "mse")
    clone = keras.models.clone_model(model)
    assert [la.name for la in clone.layers] == [la.name for la in model.layers]
    assert clone.name == "m" and not clone.compiled
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])
    clone.set_weights(model.get_weights())
    for a, b in zip(clone.predict(X, verbose=0), model.predict(X, verbose=0), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not {id(v) for v in clone.weights} & {id(v) for v in model.weights}


def test_clone_function_replaces_layers(model):
    def wider(layer):
        if layer.name == "end":
            return layers.Dense(5, name="end")
        return layer.__class__.from_config(layer.get_config())

    clone = keras.models.clone_model(model, clone_function=wider)
    assert clone.output_shape == [(None, 5), (None, 3)]
    with pytest.raises(TypeError, match="clone_function must return a layer"):
        keras.models.clone_model(model, clone_function=lambda layer: None)


def test_call_function_adds_to_calls(model):
    def noisy(layer, *args, **kwargs):
        x = layer(*args, **kwargs)
        return layers.Activation("relu")(x) if layer.name == "end" else x

    clone = keras.models.clone_model(model, call_function=noisy)
    clone.set_weights(model.get_weights())
    expected = np.maximum(model.predict(X, verbose=0)[0], 0)
    np.testing.assert_array_equal(clone.predict(X, verbose=0)[0], expected)


def test_clone_on_other_inputs(model):
    inputs = [keras.Input((4,), name="one"), keras.Input((4,), name="two")]
    clone = keras.models.clone_model(model, input_tensors=inputs)
    assert clone.input[0] is inputs[0] and clone.layers[1].name == "two"
    with pytest.raises(ValueError, match="expected 2, got 1"):
        keras.models.clone_model(model, input_tensors=inputs[:1])
    with pytest.raises(ValueError, match="placeholders made by keras"):
        keras.models.clone_model(model, input_tensors=X)


def test_clone_of_models_inside():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(3)], name="inner")
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(2)(inner(x)))
    seen = []

    def note(layer):
        seen.append(type(layer).__name__)
        return layer.__class__.from_config(layer.get_config())

    keras.models.clone_model(model, clone_function=note)
    assert seen == ["Sequential", "Dense"]
    seen.clear()
    clone = keras.models.clone_model(model, clone_function=note, recursive=True)
    assert seen == ["Dense", "Dense"]
    assert clone.layers[1].name == "inner"


def test_clone_of_a_class_takes_no_functions():
    class Own(keras.Model):
        def call(self, x):
            return x

    assert isinstance(keras.models.clone_model(Own()), Own)
    with pytest.raises(ValueError, match="of the class Own"):
        keras.models.clone_model(Own(), clone_function=lambda layer: layer)


def test_paths_of_weights_in_a_sequential():
    declared = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="w")], name="s")
    later = keras.Sequential([layers.Dense(2, name="w")], name="s")
    later(np.zeros((1, 4)))
    for model in (declared, later):
        assert [v.path for v in model.weights] == ["s/w/kernel", "s/w/bias"]


def test_a_layer_that_calls_itself_is_named():
    class Endless(layers.Layer):
        def call(self, x):
            return self(x)

    layer = Endless(name="snake")
    for x in (np.zeros((2, 2)), keras.Input((2,))):
        with pytest.raises(RecursionError, match=r"'snake' \(Endless\): its call\(\) calls itself"):
            layer(x)


def test_add_metric_says_what_to_do():
    with pytest.raises(NotImplementedError, match=r"Pass metrics to compile\(\)"):
        layers.Dense(1).add_metric(1.0)


# ---- compile ----


class Hooks(keras.callbacks.Callback):
    def __init__(self):
        super().__init__()
        self.seen = []

    def on_train_batch_begin(self, batch, logs=None):
        self.seen.append(batch)

    on_train_batch_end = on_test_batch_begin = on_test_batch_end = on_train_batch_begin
    on_predict_batch_begin = on_train_batch_begin

    def on_predict_batch_end(self, batch, logs=None):
        self.seen.append((batch, len(logs["outputs"])))


def test_steps_per_execution_is_how_often_hooks_are_called():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    model.compile("sgd", "mse", steps_per_execution=3)
    hooks = Hooks()
    x, y = np.zeros((7, 2)), np.zeros((7, 1))
    model.fit(x, y, batch_size=1, callbacks=[hooks], verbose=0)
    assert hooks.seen == [0, 2, 3, 5, 6, 8]  # as Keras counts
    hooks.seen.clear()
    model.predict(x, batch_size=2, callbacks=[hooks], verbose=0)
    assert hooks.seen == [0, (2, 6), 3, (5, 1)]
    with pytest.raises(ValueError, match="steps_per_execution must be at least 1"):
        model.compile("sgd", "mse", steps_per_execution=0)


def test_flags_of_compile():
    model = keras.Sequential([keras.Input((2,)), layers.Dense(1)])
    with pytest.warns(UserWarning, match="jit_compile=True has no effect"):
        model.compile("sgd", "mse", run_eagerly=True, jit_compile=True)
    with pytest.raises(ValueError, match="jit_compile must be"):
        model.compile("sgd", "mse", jit_compile="yes")
    with pytest.raises(TypeError, match="run_eagerly must be"):
        model.compile("sgd", "mse", run_eagerly="yes")


def test_unknown_outputs_are_key_and_value_errors(model):
    for options in ({"loss": {"en": "mse"}}, {"loss": "mse", "metrics": {"en": ["mae"]}}):
        model.compile("sgd", **options)
        for kind in (KeyError, ValueError):
            with pytest.raises(kind) as caught:
                model.evaluate(X, [np.zeros((3, 2)), np.zeros((3, 3))], verbose=0)
            assert "'en'. Did you mean 'end'?" in str(caught.value)
