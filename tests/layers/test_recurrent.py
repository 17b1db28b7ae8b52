"""SimpleRNN, LSTM and GRU: fused op == scan of the cell == plain NumPy loop, forward and backward.

Shapes, masks and options are drawn from a fixed sequence, so that they meet in many combinations.
"""

import numpy as np
import plain_recurrence
import pytest

from seqrnn import layers, ops, trace
from seqrnn.layers.recurrent_cell import RecurrentCell

SHAPES = [  # time, batch, features, units
    (5, 3, 2, 4),
    (1, 1, 1, 1),
    (1, 4, 3, 5),
    (7, 1, 2, 3),
    (4, 5, 1, 1),
    (6, 2, 9, 17),
]
MASKS = ["none", "gaps", "left", "right", "empty_row"]
KINDS = ["SimpleRNN", "LSTM", "GRU", "GRU_before"]
STATES = {"SimpleRNN": 1, "LSTM": 2, "GRU": 1}


def make_mask(kind, batch, time, rng):
    rows, steps = np.arange(batch)[:, None], np.arange(time)[None]
    return {
        "none": None,
        "gaps": rng.random((batch, time)) < 0.6,
        "left": steps >= rows % (time + 1),
        "right": steps < time - rows % (time + 1),
        "empty_row": np.broadcast_to(rows != batch // 2, (batch, time)).copy(),
    }[kind]


class Problem:
    """A layer with options, data, and weights for a loss that looks at all outputs."""

    def __init__(self, kind, number):
        rng = self.rng = np.random.default_rng([KINDS.index(kind), number])
        self.kind = kind.removesuffix("_before")
        time, batch, features, units = SHAPES[number % len(SHAPES)]
        self.mask_kind = MASKS[number // len(SHAPES) % len(MASKS)]
        usual = number % 3 > 0
        words = ["linear", "relu", "softsign", "sigmoid", "hard_sigmoid"]
        self.options = {"activation": "tanh" if usual else str(rng.choice(words))}
        if self.kind != "SimpleRNN":
            self.options["recurrent_activation"] = "sigmoid" if usual else str(rng.choice(words))
        if self.kind == "GRU":
            self.options["reset_after"] = kind == "GRU"
        self.flags = {
            "go_backwards": bool(rng.integers(2)),
            "zero_output_for_mask": bool(rng.integers(2)),
        }
        self.units = units
        self.x = rng.normal(size=(batch, time, features))
        self.mask = make_mask(self.mask_kind, batch, time, rng)
        self.states = [rng.normal(size=(batch, units)) for _ in range(STATES[self.kind])]
        self.factors = [rng.normal(size=(batch, time, units))]
        self.factors += [rng.normal(size=(batch, units)) for _ in range(len(self.states) + 1)]

    def layer(self, **more):
        """A new layer with the problem's weights."""
        options = {"return_sequences": True, "return_state": True, "dtype": "float64", **more}
        layer = getattr(layers, self.kind)(self.units, **self.options, **self.flags, **options)
        layer.build(self.x.shape)
        rng = np.random.default_rng(0)
        layer.set_weights([rng.normal(size=w.shape) * 0.4 for w in layer.weights])
        return layer

    def plain(self, weights, x, states):
        return plain_recurrence.run(
            self.kind,
            self.options,
            weights,
            x,
            states,
            self.mask,
            self.flags["go_backwards"],
            self.flags["zero_output_for_mask"],
        )

    def plain_loss(self, arrays):
        *weights, x = arrays[:4]
        outputs, states = self.plain(weights, x, arrays[4:])
        terms = [outputs, outputs[:, -1], *states]
        order = [self.factors[0], self.factors[1], *self.factors[2:]]
        return sum(float((f * t).sum()) for f, t in zip(order, terms, strict=True))

    def gradients(self, training=False, **more):
        """(outputs, loss gradients by kernel, recurrent kernel, bias, x and the states)."""
        layer, last = self.layer(**more), self.layer(**{**more, "return_sequences": False})
        for mine, theirs in zip(last.weights, layer.weights, strict=True):
            mine.assign(theirs.numpy())
        x = trace.Variable(self.x)
        states = [trace.Variable(s) for s in self.states]

        def loss(mask):
            last.cell = layer.cell
            outputs, *after = layer(x.value, initial_state=[s.value for s in states], mask=mask)
            final, *_ = last(x.value, initial_state=[s.value for s in states], mask=mask)
            terms = [outputs, final, *after]
            total = sum(ops.sum(t * f) for t, f in zip(terms, self.factors, strict=True))
            return total, outputs, after, final

        mask = self.mask
        spec = None if mask is None else trace.Spec(mask.shape, "bool")
        variables = [*layer.weights, x, *states]
        traced = trace.trace(loss, (spec,), trainable=variables, training=training)
        (_, outputs, after, final), gradients = traced.gradients((mask,))
        return [outputs, *after, final], gradients


def assert_near(values, references, tolerance):
    for value, reference in zip(values, references, strict=True):
        assert value.shape == reference.shape
        largest = max(1.0, np.abs(reference).max(initial=0))
        assert np.abs(value - reference).max(initial=0) <= tolerance * largest


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", range(30))
def test_fused_is_scan_is_plain_loop(kind, number, monkeypatch):
    problem = Problem(kind, number)
    outputs, gradients = problem.gradients()
    monkeypatch.setattr(RecurrentCell, "fused", False)
    scanned, scan_gradients = problem.gradients()

    weights = problem.layer().get_weights()
    expected, states = problem.plain(weights, problem.x, problem.states)
    assert_near(outputs, [expected, *states, expected[:, -1]], 1e-12)
    assert_near(scanned, outputs, 1e-12)
    assert_near(scan_gradients, gradients, 1e-11)

    arrays = [*weights, problem.x, *problem.states]
    step = 1e-6
    for which, gradient in enumerate(gradients):
        for _ in range(4):  # a few elements of each
            place = tuple(problem.rng.integers(n) for n in gradient.shape)
            sides = []
            for sign in (1, -1):
                moved = [a.copy() for a in arrays]
                moved[which][place] += sign * step
                sides.append(problem.plain_loss(moved))
            numeric = (sides[0] - sides[1]) / (2 * step)
            assert abs(gradient[place] - numeric) <= 1e-6 * max(1, abs(numeric))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rates", [(0.4, 0.0), (0.0, 0.4), (0.3, 0.5)])
@pytest.mark.parametrize("implementation", [1, 2])
def test_dropout_is_the_same_in_fused_and_scan(kind, rates, implementation, monkeypatch):
    problem = Problem(kind, 11)
    options = {"dropout": rates[0], "recurrent_dropout": rates[1], "seed": 3}
    options["implementation"] = implementation
    outputs, gradients = problem.gradients(training=True, **options)
    monkeypatch.setattr(RecurrentCell, "fused", False)
    scanned, scan_gradients = problem.gradients(training=True, **options)
    assert_near(scanned, outputs, 1e-12)
    assert_near(scan_gradients, gradients, 1e-11)
    plain, _ = problem.plain(problem.layer().get_weights(), problem.x, problem.states)
    assert np.abs(outputs[0] - plain).max() > 0.01


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("implementation", [1, 2])
def test_dropout_masks_of_the_gates(kind, implementation):
    """With identity kernels each gate sees the input's mask: one for all, or one each."""
    layer = getattr(layers, kind + "Cell")(4, dropout=0.5, implementation=implementation)
    layer.build((3, 4))
    layer.kernel.assign(np.tile(np.eye(4), layer.gates))
    seen = trace.trace(lambda x: layer._project(x, True, None), trace.Spec((3, 4), "float32"))
    z = np.asarray(seen.run(np.ones((3, 4), "float32"))).reshape(3, layer.gates, 4)
    assert set(np.unique(z)) == {0.0, 2.0}
    assert (z == z[:, :1]).all() == (implementation == 2)


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_default_arguments(kind):
    layer = getattr(layers, kind)(3)
    assert (layer.return_sequences, layer.return_state, layer.go_backwards) == (False,) * 3
    assert (layer.stateful, layer.unroll, layer.zero_output_for_mask) == (False,) * 3
    assert layer.activation.__name__ == "tanh" and layer.use_bias
    y = layer(np.ones((2, 4, 5), "float32"))
    assert y.shape == (2, 3) and y.dtype == np.float32


def test_orthogonal_kernel_and_forget_bias():
    layer = layers.LSTM(4)
    layer.build((None, None, 3))
    kernel, recurrent, bias = layer.get_weights()
    assert kernel.shape == (3, 16)
    np.testing.assert_allclose(recurrent @ recurrent.T, np.eye(4), atol=1e-6)
    np.testing.assert_array_equal(bias, [0] * 4 + [1] * 4 + [0] * 8)


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_float32_and_unknown_activation(kind):
    """An activation that the core has no word for goes through the scan."""
    x = np.random.default_rng(0).normal(size=(3, 6, 2)).astype("float32")
    layer = getattr(layers, kind)(4, activation="silu", return_sequences=True)
    y = layer(x)
    assert not layer.cell.fused
    options = {"activation": "silu", "recurrent_activation": "sigmoid", "reset_after": True}
    zeros = [np.zeros((3, 4))] * STATES[kind]
    weights = [w.astype("float64") for w in layer.get_weights()]
    expected, _ = plain_recurrence.run(kind, options, weights, x.astype("float64"), zeros)
    np.testing.assert_allclose(y, expected, atol=1e-6)


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU"])
def test_config_round_trip(kind):
    layer = getattr(layers, kind)(
        4,
        activation="relu",
        kernel_regularizer="l2",
        recurrent_constraint="unit_norm",
        bias_initializer="ones",
        dropout=0.1,
        recurrent_dropout=0.2,
        return_sequences=True,
        go_backwards=True,
        zero_output_for_mask=True,
        name="mine",
    )
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    assert again.name == "mine" and again.cell.dropout == 0.1 and again.zero_output_for_mask


def test_keras_2_arguments_are_accepted():
    assert layers.LSTM(3, implementation=1).get_config()["implementation"] == 1
    with pytest.raises(ValueError, match="implementation must be 1"):
        layers.LSTM(3, implementation=3)
    layers.LSTM(3, implementation=2, use_cudnn=False, unroll=True, input_shape=[None, 1])
    layers.GRU(3, implementation=1, batch_input_shape=[2, None, 1], stateful=True)
    layers.SimpleRNN(3, implementation=1, input_dim=2, input_length=5)


def test_misspelt_argument():
    with pytest.raises(TypeError, match="Did you mean 'return_sequences'"):
        layers.GRU(3, return_sequence=True)
    with pytest.raises(ValueError, match="units must be a positive whole number, got 0"):
        layers.GRU(0)


def test_input_errors():
    layer = layers.GRU(3, name="my_gru")
    with pytest.raises(ValueError, match=r"'my_gru' \(GRU\): expected 3-D input .* got \(2, 5\)"):
        layer(np.ones((2, 5), "float32"))
    with pytest.raises(ValueError, match="expected one time step or more"):
        layer(np.ones((2, 0, 5), "float32"))
    layer(np.ones((2, 4, 5), "float32"))
    with pytest.raises(ValueError, match="expected 5 elements along axis 2"):
        layer(np.ones((2, 4, 6), "float32"))
    with pytest.raises(ValueError, match=r"mask must have shape \(2, 4\)"):
        layer(np.ones((2, 4, 5), "float32"), mask=np.ones((2, 3), bool))
    with pytest.raises(ValueError, match=r"has 1 state .* got 2"):
        layer(np.ones((2, 4, 5), "float32"), initial_state=[np.ones((2, 3), "float32")] * 2)
    with pytest.raises(ValueError, match=r"initial_state must have the shapes \[\(2, 3\)\]"):
        layer(np.ones((2, 4, 5), "float32"), initial_state=np.ones((2, 4), "float32"))
