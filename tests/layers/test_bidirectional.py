"""Bidirectional: against one layer per direction, against Keras's own numbers, its configs, states.

The values around every layer and option are in tests/golden/cases_bidirectional.py.
"""

import copy
import pickle

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers, ops

RNG = np.random.default_rng(0)
EVERYTHING = {"return_sequences": True, "return_state": True}


def floats(*shape):
    return RNG.normal(size=shape).astype("float32")


def constant(value):
    return keras.initializers.Constant(value)


def test_numbers_of_keras():
    """The constants in Keras's own test of the layer (bidirectional_test.py), last outputs."""
    layer = layers.Bidirectional(
        layers.SimpleRNN(
            2,
            kernel_initializer=constant(0.01),
            recurrent_initializer=constant(0.02),
            bias_initializer=constant(0.03),
        )
    )
    y = layer(np.arange(24, dtype="float32").reshape(2, 3, 4))
    expected = np.repeat([[0.3968728, 0.1000430], [0.7237238, 0.5339159]], 2, axis=1)
    np.testing.assert_allclose(y, expected, atol=1e-6)


def one_way(layer, x, states=(), **options):
    """The outputs and states of one direction, outputs in the order of time."""
    y, *after = layer(x, initial_state=list(states) or None, **options)
    return (np.asarray(y)[:, ::-1] if layer.go_backwards else np.asarray(y)), after


@pytest.mark.parametrize("merge", ["concat", "sum", "mul", "ave", None])
@pytest.mark.parametrize("masked", [False, True])
def test_is_two_layers(merge, masked):
    x, mask = floats(3, 7, 2), RNG.random((3, 7)) < 0.6 if masked else None
    states = [floats(3, 4) for _ in range(4)]
    both = layers.Bidirectional(layers.LSTM(4, **EVERYTHING), merge_mode=merge)
    results = both(x, initial_state=states, mask=mask)
    forward = layers.LSTM(4, zero_output_for_mask=True, **EVERYTHING)
    backward = layers.LSTM(4, zero_output_for_mask=True, go_backwards=True, **EVERYTHING)
    for layer, source in ((forward, both.forward_layer), (backward, both.backward_layer)):
        layer.build(x.shape)
        layer.set_weights(source.get_weights())
    a, after_a = one_way(forward, x, states[:2], mask=mask)
    b, after_b = one_way(backward, x, states[2:], mask=mask)
    expected = {
        "concat": [np.concatenate([a, b], -1)],
        "sum": [a + b],
        "mul": [a * b],
        "ave": [(a + b) / 2],
        None: [a, b],
    }[merge]
    for value, reference in zip(results, [*expected, *after_a, *after_b], strict=True):
        np.testing.assert_allclose(value, reference, atol=1e-6)


def test_both_layers_are_new():
    inner = layers.GRU(3, name="reader")
    inner.build((None, None, 2))
    layer = layers.Bidirectional(inner)
    assert layer.forward_layer is not inner and layer.backward_layer is not inner
    names = layer.forward_layer.name, layer.backward_layer.name
    assert names == ("forward_reader", "backward_reader")
    layer.build((None, None, 2))
    assert not np.array_equal(layer.get_weights()[0], inner.get_weights()[0])
    assert not np.array_equal(layer.get_weights()[0], layer.get_weights()[3])


def test_given_backward_layer_is_used_as_it_is():
    given = layers.GRU(2, go_backwards=True, return_sequences=True)
    layer = layers.Bidirectional(layers.LSTM(4, return_sequences=True), backward_layer=given)
    x = floats(2, 5, 3)
    y = layer(x)
    assert layer.backward_layer is given and y.shape == (2, 5, 6)
    np.testing.assert_allclose(y[:, ::-1, 4:], given(x), atol=1e-6)


def test_first_weights():
    source = layers.Bidirectional(layers.LSTM(3))
    source.build((None, 5, 2))
    weights = source.get_weights()
    layer = layers.Bidirectional(layers.LSTM(3), weights=weights)
    x = floats(2, 5, 2)
    np.testing.assert_array_equal(layer(x), source(x))
    with pytest.raises(ValueError, match="6 weights, got 2"):
        layers.Bidirectional(layers.LSTM(3), weights=weights[:2])(x)


def local_activation(x):
    return ops.tanh(x) * 0.5


class Leaky(layers.Layer):
    """A cell that is registered nowhere."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.state_size = units
        self.inner = layers.SimpleRNNCell(units, activation=local_activation)

    def call(self, inputs, states):
        y, _ = self.inner(inputs, states)
        return 0.5 * (y + states[0]), [0.5 * (y + states[0])]


def test_cells_and_functions_that_are_registered_nowhere():
    layer = layers.Bidirectional(layers.RNN(Leaky(3), return_sequences=True))
    assert layer(floats(2, 5, 4)).shape == (2, 5, 6)
    assert layer.backward_layer.cell.inner.activation is local_activation
    layer = layers.Bidirectional(layers.GRU(3, activation=local_activation))
    assert layer.forward_layer.activation is local_activation


@pytest.mark.parametrize(
    "inner",
    [
        lambda: layers.LSTM(3, return_sequences=True, kernel_regularizer="l2", name="inner"),
        lambda: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)], return_state=True),
    ],
)
def test_config_round_trip(inner):
    layer = layers.Bidirectional(inner(), merge_mode=None, name="both")
    again = layers.Bidirectional.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert again.backward_layer.go_backwards and not again.forward_layer.go_backwards


def test_in_models_copies_and_files(tmp_path):
    model = keras.Sequential(
        [
            layers.Bidirectional(layers.LSTM(3, return_sequences=True), input_shape=[None, 2]),
            layers.Bidirectional(layers.GRU(2), merge_mode="sum"),
            layers.Dense(1),
        ]
    )
    x = floats(4, 6, 2)
    y = model.predict(x, verbose=0)
    assert model.output_shape == (None, 1)
    assert model.count_params() == 2 * 4 * 3 * (2 + 3 + 1) + 2 * 3 * 2 * (6 + 2 + 2) + 3
    for copied in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copied.predict(x, verbose=0), y)
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(clone.predict(x, verbose=0), y)


def test_trainable():
    layer = layers.Bidirectional(layers.LSTM(3), trainable=False)
    layer.build((None, 5, 2))
    assert not layer.trainable_weights and len(layer.weights) == 6
    layer.trainable = True
    assert len(layer.trainable_weights) == 6
    frozen = layers.Bidirectional(layers.LSTM(3, trainable=False))
    frozen.build((None, 5, 2))
    assert not frozen.trainable_weights


def test_dropout_draws_anew_for_each_direction():
    layer = layers.Bidirectional(
        layers.SimpleRNN(
            64, activation=None, dropout=0.5, kernel_initializer="identity", use_bias=False
        ),
        merge_mode=None,
    )
    x = np.ones((2, 1, 64), "float32")
    forward, backward = layer(x, training=True)
    assert set(np.unique(forward)) == set(np.unique(backward)) == {0.0, 2.0}
    assert not np.array_equal(forward, backward)
    np.testing.assert_array_equal(layer(x)[0], x[:, 0])


def test_placeholders_and_no_batch():
    x = keras.Input([None, 3])
    sequences = layers.Bidirectional(layers.LSTM(2, **EVERYTHING))(x)
    assert [t.shape for t in sequences] == [(None, None, 4), *[(None, 2)] * 4]
    forward, backward = layers.Bidirectional(layers.LSTM(2), merge_mode=None)(x)
    assert forward.shape == backward.shape == (None, 2)


def test_input_shape_of_the_layer_inside():
    model = keras.Sequential([layers.Bidirectional(layers.LSTM(4, input_shape=(5, 3)))])
    assert model.output_shape == (None, 8)


# ---- stateful ----


def test_stateful_goes_on_where_it_was():
    """As the states of both directions, handed over by hand."""
    kept = layers.Bidirectional(layers.GRU(3, stateful=True, return_sequences=True))
    plain = layers.Bidirectional(layers.GRU(3, **EVERYTHING))
    x = floats(2, 6, 2)
    first = kept(x[:, :4])
    plain.build(x.shape)
    plain.set_weights(kept.get_weights())
    expected, *states = plain(x[:, :4])
    np.testing.assert_allclose(first, expected, atol=1e-6)
    expected, *states = plain(x[:, 4:], initial_state=states)
    np.testing.assert_allclose(kept(x[:, 4:]), expected, atol=1e-6)
    for state, reference in zip(kept.states, states, strict=True):
        np.testing.assert_allclose(state.numpy(), reference, atol=1e-6)
    kept.reset_state()
    np.testing.assert_allclose(kept(x[:, :4]), first, atol=1e-6)
    assert len(kept.weights) == 6


def test_only_a_stateful_layer_can_be_reset():
    layer = layers.Bidirectional(layers.GRU(3))
    assert layer.states is None
    with pytest.raises(AttributeError, match="stateful=True"):
        layer.reset_state()


def test_states_of_one_direction_are_not_enough():
    layer, x = layers.Bidirectional(layers.GRU(3)), floats(2, 5, 4)
    with pytest.raises(ValueError, match="forward layer and as many for the backward layer, got 1"):
        layer(x, initial_state=[floats(2, 3)])
    with pytest.raises(ValueError, match="must be a list with the states"):
        layer(x, initial_state=floats(2, 3))
