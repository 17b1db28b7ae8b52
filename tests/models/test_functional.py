"""Model(inputs, outputs) and subclasses of Model."""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers


def arrays(*shapes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape).astype("float32") for shape in shapes]


def test_branches():
    x = keras.Input([None, 2])
    a = layers.Dense(3, activation="tanh", name="a")(x)
    b = layers.Dense(3, name="b")(x)
    model = keras.Model(inputs=[x], outputs=[layers.Add()([a, b])])
    assert model.input_shape == (None, None, 2) and model.output_shape == (None, None, 3)
    (data,) = arrays((4, 5, 2))
    ka, ba, kb, bb = model.get_weights()
    expected = np.tanh(data @ ka + ba) + data @ kb + bb
    np.testing.assert_allclose(model.predict(data, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_operators_slices_and_activations_on_symbolic_tensors():
    x = keras.Input([None, 4])
    z = layers.Dense(6, name="z")(x)
    gated = keras.activations.tanh(z[..., :3]) * keras.activations.sigmoid(z[..., 3:])
    model = keras.Model(x, 1.0 - gated[:, -1] / 2.0)
    (data,) = arrays((3, 5, 4))
    kernel, bias = model.get_weights()
    z = data @ kernel + bias
    expected = 1 - (np.tanh(z[..., :3]) / (1 + np.exp(-z[..., 3:])))[:, -1] / 2
    np.testing.assert_allclose(model.predict(data, verbose=0), expected, rtol=1e-5, atol=1e-6)


class GatedUnit(layers.Layer):
    def call(self, inputs):
        n = inputs.shape[-1] // 2
        return keras.ops.tanh(inputs[..., :n]) * keras.ops.sigmoid(inputs[..., n:])


def wavenet():
    x = keras.Input([None, 1])
    z = layers.Conv1D(4, 2, padding="causal")(x)
    skips = []
    for dilation in (1, 2):
        gated = GatedUnit()(layers.Conv1D(8, 2, padding="causal", dilation_rate=dilation)(z))
        skip = layers.Conv1D(4, 1)(gated)
        z = layers.Add()([z, skip])
        skips.append(skip)
    z = keras.activations.relu(layers.Add()(skips))
    return keras.Model(inputs=x, outputs=layers.Conv1D(2, 1)(z))


def test_wavenet_trains():
    model = wavenet()
    model.compile(loss="mse", optimizer="adam")
    x, y = arrays((16, 12, 1), (16, 12, 2))
    losses = model.fit(x, y, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert model.predict(x[:, :7], verbose=0).shape == (16, 7, 2)


def two_outputs(loss=None, **kwargs):
    a, b = keras.Input([3], name="a"), keras.Input([2], name="b")
    shared = layers.Dense(4, name="shared")
    h = layers.Concatenate()([shared(a), layers.Dense(4, name="other")(b)])
    model = keras.Model([a, b], [layers.Dense(1, name="p")(h), layers.Dense(2, name="q")(h)])
    model.compile(loss=loss or "mse", optimizer=keras.optimizers.SGD(0.0), **kwargs)
    return model


def test_several_inputs_and_outputs():
    a, b, p, q = arrays((10, 3), (10, 2), (10, 1), (10, 2))
    model = two_outputs(metrics=[["mae"], ["mse"]], loss_weights=[2.0, 0.5])
    predicted = model.predict([a, b], verbose=0)
    assert [y.shape for y in predicted] == [(10, 1), (10, 2)]
    loss_p, loss_q = ((predicted[0] - p) ** 2).mean(), ((predicted[1] - q) ** 2).mean()
    expected = {
        "loss": 2 * loss_p + 0.5 * loss_q,
        "p_loss": loss_p,
        "q_loss": loss_q,
        "p_mae": np.abs(predicted[0] - p).mean(),
        "q_mse": loss_q,
    }
    logs = model.evaluate([a, b], [p, q], batch_size=4, verbose=0, return_dict=True)
    assert list(logs) == list(expected)
    for name, value in expected.items():
        assert logs[name] == pytest.approx(value, rel=1e-5)
    history = model.fit({"a": a, "b": b}, {"q": q, "p": p}, batch_size=4, verbose=0).history
    assert history["loss"][0] == pytest.approx(expected["loss"], rel=1e-5)


def test_losses_and_metrics_by_name_of_the_output():
    a, b, p, q = arrays((10, 3), (10, 2), (10, 1), (10, 2))
    model = two_outputs({"p": "mae", "q": "mse"}, metrics={"q": ["mae"]})
    logs = model.evaluate([a, b], {"p": p, "q": q}, verbose=0, return_dict=True)
    assert list(logs) == ["loss", "p_loss", "q_loss", "q_mae"]
    with pytest.raises(ValueError, match=r"unknown output 'r'"):
        two_outputs({"r": "mae"}).evaluate([a, b], [p, q], verbose=0)
    with pytest.raises(ValueError, match="3 entries, but the model has 2 outputs"):
        two_outputs(["mse"] * 3).evaluate([a, b], [p, q], verbose=0)


def test_output_without_loss():
    a, b, p, q = arrays((10, 3), (10, 2), (10, 1), (10, 2))
    model = two_outputs(["mse", None])
    logs = model.evaluate([a, b], [p, q], verbose=0, return_dict=True)
    error = np.mean((model.predict([a, b], verbose=0)[0] - p) ** 2)
    assert logs == {"loss": pytest.approx(error, rel=1e-5)}


def test_wrong_number_of_inputs():
    model = two_outputs()
    a, b, p = arrays((10, 3), (10, 2), (10, 1))
    with pytest.raises(ValueError, match="2 inputs, got 1"):
        model.predict(a, verbose=0)
    with pytest.raises(ValueError, match="Input 'b' is missing"):
        model.predict({"a": a}, verbose=0)
    with pytest.raises(ValueError, match="1 arrays of targets for a model with 2 outputs"):
        model.evaluate([a, b], p, verbose=0)


def test_dict_of_outputs():
    x = keras.Input([2])
    model = keras.Model(x, {"u": layers.Dense(1)(x), "v": layers.Dense(3)(x)})
    (data,) = arrays((4, 2))
    predicted = model.predict(data, verbose=0)
    assert {k: v.shape for k, v in predicted.items()} == {"u": (4, 1), "v": (4, 3)}
    model.compile(loss={"u": "mse", "v": "mae"})
    logs = model.evaluate(data, {"u": data[:, :1], "v": np.zeros((4, 3))}, verbose=0)
    assert len(logs) == 3


def test_shared_layer_counts_once():
    shared = layers.Dense(2, name="shared")
    x = keras.Input([2])
    model = keras.Model(x, shared(shared(x)))
    assert [la.name for la in model.layers] == [x.name, "shared"] and model.count_params() == 6
    kernel, bias = model.get_weights()
    (data,) = arrays((3, 2))
    expected = (data @ kernel + bias) @ kernel + bias
    np.testing.assert_allclose(model.predict(data, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_model_in_a_model():
    inner = wavenet()
    x = keras.Input([None, 1])
    model = keras.Model(x, layers.Dense(1)(inner(x)))
    (data,) = arrays((2, 6, 1))
    expected = model.layers[-1](inner.predict(data, verbose=0))
    np.testing.assert_allclose(model.predict(data, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_disconnected_graph():
    x, y = keras.Input([2]), keras.Input([2])
    with pytest.raises(ValueError, match="Graph disconnected"):
        keras.Model(x, layers.Dense(1)(y))
    with pytest.raises(ValueError, match="must be tensors made by"):
        keras.Model(x, np.zeros(3))
    with pytest.raises(ValueError, match="needs both"):
        keras.Model(inputs=x)


def test_deep_chain():
    x = h = keras.Input([2])
    for _ in range(1500):
        h = h + 1.0
    model = keras.Model(x, h)
    np.testing.assert_array_equal(model.predict(np.zeros((1, 2)), verbose=0), [[1500, 1500]])


# ---- subclasses ----


class Mine(keras.Model):
    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.hidden = layers.Dense(units, activation="tanh")
        self.outs = [layers.Dense(1), layers.Dense(1)]

    def call(self, inputs, training=False):
        h = self.hidden(inputs)
        return self.outs[0](h) + self.outs[1](h)


def test_subclass():
    model = Mine()
    x, y = arrays((12, 2), (12, 1))
    model.compile(loss="mse", optimizer="adam", metrics=["mae"])
    history = model.fit(x, y, epochs=5, validation_split=0.25, verbose=0).history
    assert list(history) == ["loss", "mae", "val_loss", "val_mae"]
    assert len(model.weights) == 6 and len(model.layers) == 3
    np.testing.assert_array_equal(model(x), model.predict(x, verbose=0))
    assert int(model.optimizer.iterations) == 5


def test_subclass_with_inputs_and_outputs():
    class Functional(keras.Model):
        pass

    x = keras.Input([2])
    model = Functional(inputs=x, outputs=layers.Dense(1)(x))
    assert model.predict(np.zeros((3, 2)), verbose=0).shape == (3, 1)


def test_subclass_without_call():
    with pytest.raises(NotImplementedError, match="has no method `call"):
        keras.Model()(np.zeros((2, 2)))


def test_clone():
    model = wavenet()
    copy = keras.models.clone_model(model)
    assert [w.shape for w in copy.weights] == [w.shape for w in model.weights]
    copy.set_weights(model.get_weights())
    (data,) = arrays((2, 6, 1))
    np.testing.assert_array_equal(copy.predict(data, verbose=0), model.predict(data, verbose=0))
