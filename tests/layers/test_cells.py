"""RNN over users' cells and stacks: protocol, tracing, dropout, stateful layers, errors."""

import numpy as np
import pytest

from seqrnn import layers, ops, trace
from seqrnn.trace import nest

RNG = np.random.default_rng(0)


class CountingCell(layers.Layer):
    """The seed's kind of cell: an inner SimpleRNNCell, a normalisation, no `build`."""

    calls = 0

    def __init__(self, units, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.state_size = units
        self.output_size = units
        self.inner = layers.SimpleRNNCell(units, activation=None, dropout=dropout, seed=1)
        self.norm = layers.LayerNormalization()

    def call(self, inputs, states):
        CountingCell.calls += 1
        outputs, _ = self.inner(inputs, states)
        outputs = ops.tanh(self.norm(outputs))
        return outputs, [outputs]


def floats(*shape):
    return RNG.normal(size=shape).astype("float32")


def test_call_count_does_not_depend_on_the_length():
    counts = []
    for time in (5, 500):
        layer = layers.RNN(CountingCell(3), return_sequences=True)
        layer.build((None, None, 2))
        CountingCell.calls = 0
        assert layer(floats(2, time, 2)).shape == (2, time, 3)
        counts.append(CountingCell.calls)
    assert counts[0] == counts[1] <= 2


def test_build_makes_the_weights_of_inner_layers():
    layer = layers.RNN(CountingCell(3))
    layer.build((None, None, 2))
    assert [w.name for w in layer.weights] == [
        "kernel",
        "recurrent_kernel",
        "bias",
        "gamma",
        "beta",
    ]


def test_custom_cell_is_a_plain_loop():
    layer = layers.RNN(CountingCell(3), return_sequences=True, return_state=True)
    x = floats(4, 6, 2)
    outputs, state = layer(x)
    kernel, recurrent, bias, gamma, beta = layer.get_weights()
    h = np.zeros((4, 3), "float32")
    for t in range(6):
        z = x[:, t] @ kernel + bias + h @ recurrent
        z = (z - z.mean(-1, keepdims=True)) / np.sqrt(z.var(-1, keepdims=True) + 1e-3)
        h = np.tanh(z * gamma + beta)
        np.testing.assert_allclose(outputs[:, t], h, atol=1e-5)
    np.testing.assert_allclose(state, h, atol=1e-5)


class TwoStates(layers.Layer):
    """An output of its own size, two states of different sizes, returned as a tuple; a loop."""

    state_size = (3, 1)
    output_size = 2

    def call(self, inputs, states):
        a, n = states
        for _ in range(2):
            a = 0.5 * a + inputs
        return a[:, :2] + n, (a, n + 1.0)

    def get_initial_state(self, inputs=None, batch_size=None, dtype=None):  # as in Keras 2
        return [ops.ones((batch_size, 3), dtype=dtype), ops.zeros((batch_size, 1), dtype=dtype)]


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("zeros", [False, True])
def test_several_states_and_masks(backwards, zeros):
    layer = layers.RNN(
        TwoStates(),
        return_sequences=True,
        return_state=True,
        go_backwards=backwards,
        zero_output_for_mask=zeros,
    )
    x = floats(2, 5, 3)
    mask = np.array([[1, 0, 1, 1, 0], [0, 0, 0, 0, 0]], bool)
    outputs, a, n = layer(x, mask=mask)
    for row in range(2):
        state, count, y = np.ones(3), 0.0, np.zeros(2)
        for place, t in enumerate(range(4, -1, -1) if backwards else range(5)):
            if mask[row, t]:
                state = 0.25 * state + 1.5 * x[row, t]
                y, count = state[:2] + count, count + 1
            elif zeros:
                y = np.zeros(2)
            np.testing.assert_allclose(outputs[row, place], y, atol=1e-5)
        np.testing.assert_allclose(a[row], state, atol=1e-5)
        assert n[row] == count


def test_bare_state_and_int_state_size():
    class Sum(layers.Layer):
        state_size = 2

        def call(self, inputs, states):
            assert isinstance(states, list) and len(states) == 1
            return inputs, states[0] + inputs

    x = floats(3, 4, 2)
    y, total = layers.RNN(Sum(), return_state=True)(x)
    np.testing.assert_allclose(y, x[:, -1])
    np.testing.assert_allclose(total, x.sum(1), atol=1e-6)


def test_cell_on_matrices():
    """A user's cell may take more than vectors."""

    class Blur(layers.Layer):
        state_size = 4

        def get_initial_state(self, batch_size=None):
            return [ops.zeros((batch_size, 4, 2))]

        def call(self, inputs, states):
            new = 0.5 * states[0] + inputs
            return new, [new]

    x = floats(3, 5, 4, 2)
    y = layers.RNN(Blur(), return_sequences=True)(x, mask=np.ones((3, 5), bool))
    h = np.zeros((3, 4, 2))
    for t in range(5):
        h = 0.5 * h + x[:, t]
        np.testing.assert_allclose(y[:, t], h, atol=1e-5)


def test_loop_over_a_cell_in_a_layer():
    """The book's MyRNN: a Python loop over time equals RNN."""

    class MyRNN(layers.Layer):
        def __init__(self, cell, **kwargs):
            super().__init__(**kwargs)
            self.cell = cell

        def call(self, inputs):
            states = self.cell.get_initial_state(inputs)  # as in Keras 2
            steps = []
            for t in range(inputs.shape[1]):
                outputs, states = self.cell(inputs[:, t], states)
                steps.append(outputs)
            return ops.stack(steps, axis=1)

    cell = layers.GRUCell(3)
    x = floats(2, 5, 4)
    looped = MyRNN(cell)(x)
    np.testing.assert_allclose(looped, layers.RNN(cell, return_sequences=True)(x), atol=1e-6)


def test_subclass_of_a_built_in_cell_is_not_fused():
    class Clipped(layers.GRUCell):
        def call(self, sequence, states, training=False):
            output, states = super().call(sequence, states, training)
            return ops.clip(output, -0.01, 0.01), states

    y = layers.RNN(Clipped(3), return_sequences=True)(floats(2, 5, 4))
    assert np.abs(y).max() <= 0.01


# ---- stacks ----


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("backwards", [False, True])
def test_stack_is_layer_after_layer(masked, backwards):
    cells = [layers.LSTMCell(4), layers.GRUCell(3), layers.SimpleRNNCell(2)]
    flags = {"return_sequences": True, "return_state": True, "go_backwards": backwards}
    stack = layers.RNN(cells, **flags)
    x = floats(3, 6, 2)
    mask = RNG.random((3, 6)) < 0.6 if masked else None
    outputs, lstm, gru, simple = stack(x, mask=mask)
    y, states = x, []
    for cell in cells:
        y, *after = layers.RNN(cell, **flags)(y, mask=mask)
        y = y[:, ::-1] if backwards else y
        states += after
    np.testing.assert_allclose(outputs, y[:, ::-1] if backwards else y, atol=1e-6)
    for state, expected in zip([*lstm, gru, simple], states, strict=True):
        np.testing.assert_allclose(state, expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["LSTMCell", "GRUCell", "SimpleRNNCell"])
def test_stack_of_one_is_its_cell(kind):
    """Under a mask too, where Keras's TensorFlow backend fails."""
    cell, x, mask = getattr(layers, kind)(3), floats(2, 5, 4), RNG.random((2, 5)) < 0.6
    y, states = layers.RNN([cell], return_state=True, return_sequences=True)(x, mask=mask)
    expected, *after = layers.RNN(cell, return_state=True, return_sequences=True)(x, mask=mask)
    np.testing.assert_array_equal(y, expected)
    for state, reference in zip(nest.flatten(states), after, strict=True):
        np.testing.assert_array_equal(state, reference)


def test_stack_with_a_custom_cell_scans():
    stack = layers.RNN([CountingCell(3), layers.LSTMCell(4)], return_state=True)
    y, first, second = stack(floats(2, 5, 3))
    assert y.shape == (2, 4) and first.shape == (2, 3)
    assert [s.shape for s in second] == [(2, 4), (2, 4)]
    again = layers.RNN.from_config(
        stack.get_config(), custom_objects={"CountingCell": CountingCell}
    )
    assert again.get_config() == stack.get_config()


# ---- dropout ----


class Masks(layers.Layer):
    """Gives the dropout mask of an inner cell at every step."""

    state_size = 8

    def __init__(self, rate, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.SimpleRNNCell(
            8, activation=None, kernel_initializer="identity", dropout=rate
        )

    def call(self, inputs, states):
        y, _ = self.inner(inputs, [ops.zeros_like(states[0])])
        return y, states


def test_dropout_mask_is_constant_over_time_and_fresh_per_call():
    layer = layers.RNN(Masks(0.5), return_sequences=True)
    x = np.ones((4, 6, 8), "float32")
    first, second = layer(x, training=True), layer(x, training=True)
    assert set(np.unique(first)) == {0.0, 2.0}
    assert np.array_equal(first, np.repeat(first[:, :1], 6, axis=1))
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(layer(x), x)  # none in inference


def test_dropout_mask_is_fresh_when_a_layer_is_called_twice_in_one_trace():
    layer = layers.RNN(Masks(0.5))
    x = np.ones((4, 2, 8), "float32")
    traced = trace.trace(lambda x: (layer(x), layer(x)), (trace.Spec.like(x),), training=True)
    first, second = traced.run((x,))
    assert not np.array_equal(first, second)


def test_same_seed_same_masks():
    x = floats(2, 5, 3)
    options = {"dropout": 0.5, "recurrent_dropout": 0.5, "kernel_initializer": "ones", "seed": 7}
    a, b = (layers.LSTM(4, recurrent_initializer="ones", **options) for _ in range(2))
    np.testing.assert_array_equal(a(x, training=True), b(x, training=True))


def test_rates_at_the_ends():
    x = np.ones((2, 3, 4), "float32")
    zeros = layers.SimpleRNN(3, dropout=1.0)(x, training=True)
    np.testing.assert_array_equal(zeros, np.zeros((2, 3)))
    lstm = layers.LSTM(3, dropout=1.0, recurrent_dropout=1.0)  # as Keras: 1 does nothing
    np.testing.assert_array_equal(lstm(x, training=True), lstm(x))


# ---- stateful ----


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_stateful_goes_on_where_it_was(kind):
    x = floats(3, 8, 2)
    kept = getattr(layers, kind)(4, stateful=True, return_sequences=True)
    parts = np.concatenate([kept(x[:, :3]), kept(x[:, 3:])], axis=1)
    plain = getattr(layers, kind)(4, return_sequences=True)
    plain.build(x.shape)
    plain.set_weights(kept.get_weights())
    np.testing.assert_allclose(parts, plain(x), atol=1e-6)
    assert len(kept.weights) == 3
    kept.reset_state()
    np.testing.assert_allclose(kept(x), plain(x), atol=1e-6)
    kept.reset_states()
    np.testing.assert_allclose(kept(x), plain(x), atol=1e-6)


def test_stateful_batch_size():
    layer = layers.GRU(2, stateful=True, batch_input_shape=(3, None, 1))
    layer.build((3, None, 1))
    with pytest.raises(ValueError, match="states for batches of 3, but got a batch of 4"):
        layer(floats(4, 5, 1))
    assert layer(floats(3, 5, 1)).shape == (3, 2)


# ---- masks that travel ----


def test_mask_goes_on_with_the_sequences():
    ids = np.array([[1, 2, 0], [3, 0, 0]])
    embedded = layers.Embedding(5, 4, mask_zero=True)(ids)
    layer = layers.LSTM(3, return_sequences=True, return_state=True)
    y, h, c = layer(embedded)
    np.testing.assert_array_equal(y._keras_mask, ids != 0)
    assert h._keras_mask is None and c._keras_mask is None
    np.testing.assert_allclose(h, y[:, -1])
    assert getattr(layers.LSTM(3)(embedded), "_keras_mask", None) is None


# ---- errors ----


def test_cells_that_are_none():
    class NoState(layers.Layer):
        def call(self, inputs, states):
            return inputs, states

    with pytest.raises(ValueError, match="state_size"):
        layers.RNN(NoState())
    with pytest.raises(ValueError, match="needs a method `call`"):
        layers.RNN(object())
    with pytest.raises(ValueError, match=r"write LSTMCell\(...\)"):
        layers.RNN(layers.LSTMCell)
    with pytest.raises(ValueError, match="list of cells"):
        layers.RNN([])


def test_what_a_cell_returns_is_checked():
    class Bad(layers.Layer):
        state_size = 3

        def __init__(self, result, **kwargs):
            super().__init__(**kwargs)
            self.result = result

        def call(self, inputs, states):
            return self.result(inputs, states)

    x = floats(2, 4, 3)
    with pytest.raises(ValueError, match=r"must return \(output, new_states\)"):
        layers.RNN(Bad(lambda x, s: x))(x)
    with pytest.raises(ValueError, match=r"has 1 state .* got 2"):
        layers.RNN(Bad(lambda x, s: (x, [x, x])))(x)
    with pytest.raises(ValueError, match=r"\(2, 3\), but f returns float32 of shape \(2, 2\)"):
        layers.RNN(Bad(lambda x, s: (x, x[:, :2])))(x)
