"""Sequential: adding, removing, with and without a declared input."""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers


def test_list_add_and_input_are_the_same():
    def chain():
        return [layers.Dense(3), layers.Dense(2)]

    made = [
        keras.Sequential([layers.Dense(3, input_shape=[None, 4]), layers.Dense(2)]),
        keras.Sequential([keras.Input([None, 4]), *chain()]),
        keras.models.Sequential([layers.InputLayer(input_shape=[None, 4]), *chain()]),
    ]
    by_add = keras.models.Sequential(name="mine")
    by_add.add(layers.Dense(3, input_shape=(None, 4)))
    by_add.add(layers.Dense(2))
    for model in [*made, by_add]:
        assert model.built and len(model.layers) == 2
        assert model.input_shape == (None, None, 4) and model.output_shape == (None, None, 2)
        assert model.count_params() == 4 * 3 + 3 + 3 * 2 + 2
        assert [w.shape for w in model.weights] == [(4, 3), (3,), (3, 2), (2,)]
    assert by_add.name == "mine"


def test_prediction_is_the_composition():
    model = keras.Sequential([layers.Dense(3, activation="tanh", input_shape=[4]), layers.Dense(2)])
    x = np.random.default_rng(0).normal(size=(5, 4)).astype("float32")
    k1, b1, k2, b2 = model.get_weights()
    expected = np.tanh(x @ k1 + b1) @ k2 + b2
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(model(x), model.predict(x, verbose=0))
    np.testing.assert_array_equal(model(x).numpy(), model.predict(x, verbose=0))


def test_without_a_declared_input():
    model = keras.Sequential([layers.Dense(3), layers.Dense(1)])
    assert not model.built and model.weights == []
    model.compile(loss="mse", optimizer="sgd")
    model.fit(np.zeros((4, 5, 2)), np.zeros((4, 5, 1)), verbose=0)
    assert len(model.weights) == 4 and model.count_params() == 2 * 3 + 3 + 3 + 1
    # another length of the sequences is fine
    assert model.predict(np.zeros((2, 9, 2)), verbose=0).shape == (2, 9, 1)


def test_first_call_builds():
    model = keras.Sequential([layers.Dense(3)])
    assert model(np.zeros((2, 4), "float32")).shape == (2, 3)
    assert model.built and model.count_params() == 15


def test_build_by_hand():
    model = keras.Sequential([layers.Dense(3), layers.Flatten()])
    model.build((None, 4, 2))
    assert model.output_shape == (None, 12)
    with pytest.raises(ValueError, match="add\\(\\) some"):
        keras.Sequential().build((None, 2))


def test_a_failed_first_call_leaves_no_weights():
    model = keras.Sequential([layers.Dense(3), layers.Conv1D(2, 9)])
    with pytest.raises(ValueError):
        model(np.zeros((2, 4, 2), "float32"))
    assert not model.built and model.weights == []
    assert model(np.zeros((2, 10, 2), "float32")).shape == (2, 2, 2)


def test_a_failed_add_changes_nothing():
    model = keras.Sequential([layers.Flatten(input_shape=[4, 2])])
    with pytest.raises(ValueError):
        model.add(layers.Conv1D(2, 3))
    assert len(model.layers) == 1 and model.output_shape == (None, 8)
    model.add(layers.Dense(1))
    assert model.predict(np.zeros((1, 4, 2)), verbose=0).shape == (1, 1)


def test_pop():
    model = keras.Sequential([layers.Dense(3, input_shape=[4]), layers.Dense(2)])
    last = model.layers[-1]
    assert model.pop() is last
    assert model.output_shape == (None, 3)
    assert model.predict(np.zeros((1, 4)), verbose=0).shape == (1, 3)
    model.add(layers.Dense(5))
    assert model.predict(np.zeros((1, 4)), verbose=0).shape == (1, 5)
    with pytest.raises(IndexError, match="no layers to pop"):
        keras.Sequential().pop()


def test_add_refuses_what_is_no_layer():
    model = keras.Sequential()
    with pytest.raises(TypeError, match=r"Write Dense\(\.\.\.\)"):
        model.add(layers.Dense)
    with pytest.raises(TypeError, match="expects a layer, got 3"):
        model.add(3)
    model.add(layers.Dense(1, name="a"))
    with pytest.raises(ValueError, match="'a' is already in the model"):
        model.add(layers.Dense(1, name="a"))
    with pytest.raises(ValueError, match="first entry"):
        model.add(keras.Input([3]))


def test_empty_model():
    model = keras.Sequential()
    model.compile(loss="mse")
    with pytest.raises(ValueError, match="no layers yet"):
        model.fit(np.zeros((2, 2)), np.zeros((2, 1)), verbose=0)


def test_get_layer():
    model = keras.Sequential([layers.Dense(1, name="first", input_shape=[2]), layers.Dense(1)])
    assert model.get_layer("first") is model.get_layer(index=0) is model.layers[0]
    with pytest.raises(ValueError, match=r"'frist'.*Did you mean 'first'"):
        model.get_layer("frist")
    with pytest.raises(ValueError, match="has 2 layers"):
        model.get_layer(index=2)


def test_nested():
    inner = keras.Sequential([layers.Dense(3, activation="relu", input_shape=[None, 2])])
    model = keras.Sequential([inner, layers.Dense(1)])
    assert model.input_shape == (None, None, 2) and model.output_shape == (None, None, 1)
    x = np.random.default_rng(0).normal(size=(4, 5, 2)).astype("float32")
    model.compile(loss="mse", optimizer="sgd")
    before = inner.get_weights()[0]
    model.fit(x, x[..., :1], verbose=0)
    assert (inner.get_weights()[0] != before).any()
    expected = model.layers[1](inner.predict(x, verbose=0))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-6)


def test_set_weights_checks():
    model = keras.Sequential([layers.Dense(1, input_shape=[2])])
    model.set_weights([np.ones((2, 1)), np.ones(1)])
    np.testing.assert_array_equal(model.predict(np.ones((1, 2)), verbose=0), [[3.0]])
    with pytest.raises(ValueError, match="2 weights, got 1"):
        model.set_weights([np.ones((2, 1))])
    with pytest.raises(ValueError, match=r"\(2, 1\)"):
        model.set_weights([np.ones((3, 1)), np.ones(1)])


def test_masks_reach_the_loss():
    model = keras.Sequential([layers.Masking(input_shape=[None, 1]), layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd", metrics=["mse"])
    x = np.array([1.0, 2, 0, 3, 0, 0]).reshape(2, 3, 1)
    y = np.ones((2, 3, 1))
    p = model.predict(x, verbose=0)
    square = ((p - y) ** 2)[..., 0]
    expected = square[x[..., 0] != 0].mean()
    assert model.evaluate(x, y, verbose=0) == pytest.approx([expected, expected], rel=1e-5)


def test_training_argument_reaches_inner_layers():
    seen = []

    class Spy(layers.Layer):
        def call(self, x, training=None):
            seen.append(training)
            return x

    model = keras.Sequential([Spy(input_shape=[2])])
    model.compile(loss="mse")
    seen.clear()
    x = np.zeros((2, 2), "float32")
    model.evaluate(x, x, verbose=0)
    model.predict(x, verbose=0)
    model(x)
    assert seen == [False, False, False]
    seen.clear()
    model.fit(x, x, verbose=0)
    model(x, training=True)
    assert seen == [True, True]


def test_plans_are_made_once_per_shape():
    calls = []

    class Counting(layers.Layer):
        def call(self, x):
            calls.append(x.shape)
            return x

    model = keras.Sequential([layers.Dense(1, input_shape=[2]), Counting()])
    model.compile(loss="mse")
    calls.clear()
    x, y = np.zeros((20, 2)), np.zeros((20, 1))
    model.fit(x, y, batch_size=8, epochs=3, verbose=0)
    assert calls == [(8, 1), (4, 1)]


def test_shapes_are_known_after_the_first_data():
    model = keras.Sequential([layers.LSTM(3), layers.Dense(2)])
    with pytest.raises(AttributeError, match="not known yet"):
        model.input_shape  # noqa: B018
    model(np.zeros((4, 5, 1)))
    assert model.input_shape == (None, None, 1)
    assert model.output_shape == (None, 2)


def test_asking_for_shapes_and_config_records_no_calls():
    model = keras.Sequential([layers.Masking(), layers.LSTM(3), layers.Dense(1)])
    model.predict(np.ones((2, 4, 3), "float32"), verbose=0)
    for _ in range(3):
        model.get_config()
        assert (model.input_shape, model.output_shape) == ((None, None, 3), (None, 1))
    assert [layer._recorded for layer in model.layers] == [(), (), ()]
    with pytest.raises(AttributeError, match="has not been called on a tensor made by"):
        model.layers[1].input  # noqa: B018
