"""Weights of PyTorch in layers here, and back; the numbers of torch itself are in tests/data."""

import pathlib

import numpy as np
import pytest

from seqrnn import Input, Model, Sequential, layers, saving

FILE = pathlib.Path(__file__).parent / "data/torch_modules.npz"
EPSILON = {"epsilon": 1e-5}

# name of the module in the file: the layers that are the module, all with weights for its input
MODULES = {
    "linear": lambda: [layers.Dense(4)],
    "linear_without_bias": lambda: [layers.Dense(4, use_bias=False)],
    "conv": lambda: [layers.Conv1D(6, 3, strides=2, groups=1)],
    "conv_groups": lambda: [layers.Conv1D(6, 3, dilation_rate=2, groups=3)],
    "embedding": lambda: [layers.Embedding(7, 4)],
    "layer_norm": lambda: [layers.LayerNormalization(**EPSILON)],
    "batch_norm": lambda: [layers.BatchNormalization(**EPSILON)],
    "rnn": lambda: [layers.SimpleRNN(5, return_sequences=True)],
    "rnn_relu": lambda: [
        layers.SimpleRNN(5, activation="relu", return_sequences=True) for _ in range(2)
    ],
    "lstm": lambda: [layers.LSTM(5, return_sequences=True) for _ in range(2)],
    "lstm_without_bias": lambda: [layers.LSTM(5, return_sequences=True, use_bias=False)],
    "gru": lambda: [layers.GRU(5, return_sequences=True) for _ in range(2)],
    "lstm_both_ways": lambda: [both_ways(layers.LSTM) for _ in range(2)],
    "gru_both_ways": lambda: [both_ways(layers.GRU)],
}


def both_ways(layer):
    return layers.Bidirectional(layer(5, return_sequences=True))


def reference(name):
    """(input, output, state_dict) as PyTorch gave them."""
    with np.load(FILE) as file:
        found = {key.partition("/")[2]: file[key] for key in file if key.startswith(f"{name}/")}
    return found.pop("x"), found.pop("y"), found


@pytest.mark.parametrize("name", MODULES)
def test_module_of_torch(name):
    x, y, state_dict = reference(name)
    found = MODULES[name]()
    model = Sequential([Input(x.shape[1:], dtype=x.dtype.name), *found])
    saving.load_torch_weights(found, state_dict)
    np.testing.assert_allclose(model.predict(x, verbose=0), y, rtol=1e-5, atol=2e-6)
    # Taken out again: what comes of two biases there is one of them here.
    taken = saving.torch_state_dict(found)
    assert taken.keys() == state_dict.keys()
    summed = dict(taken)
    for key in taken:
        assert taken[key].shape == state_dict[key].shape
        if "bias_hh" in key and not name.startswith("gru"):
            other = key.replace("bias_hh", "bias_ih")
            state_dict[other] = state_dict[other] + state_dict[key]
            summed[other] = taken[other] + taken[key]
            del state_dict[key]
    for key, value in state_dict.items():
        if not key.endswith("num_batches_tracked"):
            np.testing.assert_allclose(summed[key], value, rtol=1e-6)


def model_and_state():
    x = Input([6, 3], name="series")
    h = layers.LSTM(5, return_sequences=True, name="a")(x)
    h = layers.LSTM(5, return_sequences=True, name="b")(h)
    model = Model(x, layers.TimeDistributed(layers.Dense(2), name="c")(h))
    state = {f"encoder.{k}": v for k, v in reference("lstm")[2].items()}
    state |= {"head.weight": np.ones((2, 5)), "head.bias": np.array([1.0, 2.0])}
    return model, state, {"encoder": ["a", "b"], "head": "c"}


def test_modules_of_a_model_by_name():
    model, state, names = model_and_state()
    saving.load_torch_weights(model, state, names)
    np.testing.assert_array_equal(model.get_layer("b").cell.kernel, state["encoder.weight_ih_l1"].T)
    np.testing.assert_array_equal(model.get_layer("c").layer.bias, [1.0, 2.0])
    assert saving.torch_state_dict(model, names).keys() == state.keys()
    single = Sequential([Input([3]), layers.Dense(2, name="fc")])
    saving.load_torch_weights(single, {"fc.weight": np.ones((2, 3)), "fc.bias": np.ones(2)})
    np.testing.assert_array_equal(single.get_weights()[0], np.ones((3, 2)))


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        (lambda s, n: s.pop("head.bias"), ValueError, r"no 'head.bias'.*layer 'dense"),
        (lambda s, n: s.update(more=np.ones(1)), ValueError, r"takes 'more'.*names="),
        (lambda s, n: s.update({"head.bias": np.ones(3)}), ValueError, r"shape \(3,\).*\(2,\)"),
        (lambda s, n: n.update(encoder=["a", "c"]), TypeError, "no recurrent layer"),
        (lambda s, n: n.update(encoder=["a", "z"]), ValueError, "no layer named 'z'"),
    ],
)
def test_what_does_not_fit_changes_nothing(change, error, words):
    model, state, names = model_and_state()
    before = model.get_weights()
    change(state, names)
    with pytest.raises(error, match=words):
        saving.load_torch_weights(model, state, names)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (layers.GRU(2, reset_after=False), "reset_after=True"),
        (layers.LSTM(2, activation="relu"), "activation of LSTMCell is tanh"),
        (layers.GRU(2, recurrent_activation="hard_sigmoid"), "sigmoid"),
        (layers.Dense(2), "no weights yet"),
    ],
)
def test_what_torch_does_not_compute(layer, words):
    if "weights" not in words:
        layer.build((None, 4, 3))
    with pytest.raises(ValueError, match=words):
        saving.torch_state_dict(layer)


def test_layers_that_torch_has_not():
    layer = layers.Normalization(mean=[0.0], variance=[1.0])
    own = layers.Dense(2)
    own.build((None, 3))
    own.__class__ = type("Mine", (layers.Dense,), {})
    with pytest.raises(TypeError, match="no module for Mine"):
        saving.torch_state_dict(own)
    with pytest.raises((TypeError, ValueError)):
        saving.torch_state_dict(layer)


@pytest.mark.parametrize(
    ("name", "shape"), [("bias_hh_l0", (1,)), ("weight_ih_l0", (21, 3)), ("bias_ih_l0", (15,))]
)
def test_every_tensor_has_the_shape_that_torch_gives_it(name, shape):
    model = Sequential([Input((None, 3)), layers.LSTM(5)])
    state = saving.torch_state_dict(model, {"": model.layers[0]})
    before = model.get_weights()
    key = next(key for key in state if key.endswith(name))
    with pytest.raises(ValueError, match=rf"{name}.*{shape[0]}.*lstm.*expected \(20"):
        saving.load_torch_weights(model, state | {key: np.ones(shape)}, {"": model.layers[0]})
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
