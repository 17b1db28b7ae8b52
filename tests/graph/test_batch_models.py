"""Models over a batch in parts against the same models whole: outputs and gradients; with random
numbers, which are others in parts, gradients against differences instead.
"""

import numpy as np
import pytest
from split_plans import B, LNCell, close, steps

import seqrnn as keras
from seqrnn import _core, layers, losses, ops, random, trace
from seqrnn.trace import Spec, Variable

rng = np.random.default_rng(5)
T, F, U = 12, 6, 8


@pytest.fixture(autouse=True)
def float64():
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(1)
    yield
    keras.config.set_floatx("float32")


def both(step, arrays, trainable, batch=B, training=True):
    """step, traced in parts and whole."""
    specs = tuple(Spec.like(x) for x in arrays)
    return [
        trace.trace(step, specs, trainable=trainable, training=training, batch=n)
        for n in (batch, 0)
    ]


def agree(step, arrays, trainable, inside=(), batch=B, tolerance=1e-11, training=True):
    """The same outputs and gradients; the ops `inside` are nowhere else. Gives the plan's steps."""
    parts, whole = both(step, arrays, trainable, batch, training)
    outside, within = steps(parts.plan)
    for op in inside:
        assert op in within, str(parts.plan)
        assert op not in outside, str(parts.plan)
    (a, da), (b, db) = parts.gradients(arrays, 3), whole.gradients(arrays, 3)
    for x, y in zip(trace.nest.flatten(a), trace.nest.flatten(b), strict=True):
        close(np.asarray(x), np.asarray(y), tolerance)
    for x, y in zip(da, db, strict=True):
        close(np.asarray(x), np.asarray(y), tolerance)
    assert any(np.abs(x).max(initial=0) > 0 for x in da)
    return outside, within


def differences(step, arrays, trainable, inside=(), batch=B):
    """The gradient in parts, along one direction per variable, against the loss on both sides."""
    parts, _ = both(step, arrays, trainable, batch)
    outside, within = steps(parts.plan)
    for op in inside:
        assert op in within, str(parts.plan)
        assert op not in outside, str(parts.plan)
    _, gradients = parts.gradients(arrays, 3)
    for variable, gradient in zip(trainable, gradients, strict=True):
        kept = variable.numpy().copy()
        direction = rng.normal(size=kept.shape)
        values = []
        for sign in (1, -1):
            variable.assign(kept + sign * 1e-5 * direction)
            values.append(float(parts.gradients(arrays, 3)[0][0]))
        variable.assign(kept)
        expected = (values[0] - values[1]) / 2e-5
        assert np.sum(gradient * direction) == pytest.approx(expected, rel=2e-5, abs=1e-7)
    return parts


def of_model(model, x, weight=False):
    """(step, variables): mean squares of the outputs, more for some samples."""
    model(x)

    def step(x, *more):
        y = model(x)
        each = ops.sum(ops.square(y - 0.1), tuple(range(1, y.ndim)))
        each = each * more[0] if weight else each
        return ops.mean(each), y

    return step, list(model.trainable_variables)


class PairCell(layers.Layer):
    """Two states, an output that is neither."""

    state_size = (U, 3)
    output_size = U

    def build(self, shape):
        self.w = self.add_weight(shape=(shape[-1], U), name="w")
        self.u = self.add_weight(shape=(U, U), name="u")
        self.v = self.add_weight(shape=(U, 3), name="v")

    def call(self, inputs, states):
        h, m = states
        h = ops.tanh(inputs @ self.w + h @ self.u + ops.sum(m, -1, keepdims=True))
        m = 0.9 * m + ops.sigmoid(h @ self.v)
        return h * m[:, :1], [h, m]


class LinearDropCell(layers.Layer):
    """A sum of inputs that are dropped: the way back needs nothing of the batch."""

    state_size = output_size = F

    def call(self, inputs, states):
        h = states[0] + inputs * random.uniform((inputs.shape[0], F), seed=9)
        return h, [h]


def sequential(*items):
    return keras.Sequential([layers.Input((T, F)), *items])


PLAIN = {
    "dense": (lambda: [layers.Dense(40, "tanh"), layers.Dense(3)], ["tanh"]),
    "flat": (lambda: [layers.Flatten(), layers.Dense(64, "relu"), layers.Dense(3)], ["relu"]),
    "rnn": (lambda: [layers.SimpleRNN(U, return_sequences=True), layers.SimpleRNN(U)], ["rnn"]),
    "lstm": (
        lambda: [layers.LSTM(U, return_sequences=True), layers.LSTM(U)],
        ["lstm", "lstm_grad"],
    ),
    "gru": (lambda: [layers.GRU(U, return_sequences=True), layers.GRU(U)], ["gru", "gru_grad"]),
    "gru before": (
        lambda: [layers.GRU(U, reset_after=False), layers.Dense(2)],
        ["gru", "gru_grad"],
    ),
    "backwards": (
        lambda: [layers.LSTM(U, go_backwards=True, return_sequences=True)],
        ["lstm_grad"],
    ),
    "masked": (lambda: [layers.Masking(0.0), layers.GRU(U, return_sequences=True)], ["gru_grad"]),
    "causal": (
        lambda: [layers.Conv1D(20, 3, padding="causal", dilation_rate=d) for d in (1, 2, 4)],
        ["conv1d", "conv1d_dw"],
    ),
    "strides": (lambda: [layers.Conv1D(20, 4, strides=2), layers.GRU(U)], ["conv1d", "gru"]),
    "seed's cell": (lambda: [layers.RNN(LNCell(U), return_sequences=True)], ["layer_norm"]),
    "two states": (lambda: [layers.RNN(PairCell(), return_sequences=True)], ["sigmoid"]),
    "stacked cells": (
        lambda: [layers.RNN([layers.GRUCell(U), layers.LSTMCell(5)])],
        ["gru", "lstm_grad"],
    ),
    "distributed": (lambda: [layers.TimeDistributed(layers.Dense(30, "tanh"))], ["tanh"]),
    "pooling": (
        lambda: [layers.Conv1D(30, 3, activation="relu"), layers.MaxPooling1D(2)],
        ["relu"],
    ),
    "global": (lambda: [layers.Conv1D(30, 3), layers.GlobalMaxPooling1D()], ["conv1d"]),
    "layer norm": (lambda: [layers.Dense(50), layers.LayerNormalization()], ["layer_norm"]),
    "repeated": (lambda: [layers.LSTM(U), layers.RepeatVector(20), layers.GRU(U)], ["lstm", "gru"]),
}


@pytest.mark.parametrize("batch", [B, 96])
@pytest.mark.parametrize("name", PLAIN)
def test_model(name, batch):
    make, inside = PLAIN[name]
    x = rng.normal(size=(batch, T, F)) * (rng.random((batch, T, 1)) < 0.8)
    step, variables = of_model(sequential(*make()), x)
    agree(step, [x], variables, inside, batch)


@pytest.mark.parametrize("batch", [16, 18, 24, 30, 32, 33, 64, 96, 128, 256])
def test_batch_sizes(batch):
    x = rng.normal(size=(batch, 60, F))
    model = keras.Sequential([layers.LSTM(U, return_sequences=True), layers.RNN(LNCell(U))])
    step, variables = of_model(model, x)
    agree(step, [x], variables, ["lstm", "layer_norm"] if batch % 2 == 0 else (), batch)


def test_second_axis_and_weights_of_the_batch_size():
    x = rng.normal(size=(B, B, B))
    model = keras.Sequential([layers.GRU(B, return_sequences=True), layers.Dense(B, "tanh")])
    step, variables = of_model(model, x)
    agree(step, [x], variables, ["gru", "gru_grad"])


# ---- random numbers ----

DRAWING = {
    "dropout": (lambda: [layers.Dropout(0.4, seed=3), layers.Dense(30, "tanh")], ["dropout_mask"]),
    "noise": (lambda: [layers.GaussianNoise(0.4, seed=3), layers.Dense(30, "tanh")], ["tanh"]),
    "spatial": (lambda: [layers.SpatialDropout1D(0.4), layers.Conv1D(30, 2)], ["dropout_mask"]),
    "rnn": (lambda: [layers.SimpleRNN(U, dropout=0.3, recurrent_dropout=0.3)], ["rnn"]),
    "lstm": (lambda: [layers.LSTM(U, dropout=0.3, recurrent_dropout=0.3)], ["lstm_grad"]),
    "gru": (lambda: [layers.GRU(U, dropout=0.3, recurrent_dropout=0.3)], ["gru_grad"]),
    "cell": (lambda: [layers.Dense(F), layers.RNN(LNCell(U, 0.4))], ["dropout_mask"]),
    "lstm cell": (
        lambda: [layers.RNN(layers.LSTMCell(U, dropout=0.3, recurrent_dropout=0.3))],
        ["lstm", "lstm_grad"],
    ),
}


@pytest.mark.parametrize("name", DRAWING)
def test_random_numbers_are_the_same_forward_and_back(name):
    make, inside = DRAWING[name]
    x = rng.normal(size=(B, 30, F))
    step, variables = of_model(sequential_of(30, *make()), x)
    parts = differences(step, [x], variables, inside)
    outputs = [np.asarray(parts.gradients([x], s)[0][1]) for s in (3, 3, 4)]
    np.testing.assert_array_equal(outputs[0], outputs[1])
    assert (outputs[0] != outputs[2]).any()


def sequential_of(times, *items):
    return keras.Sequential([layers.Input((times, F)), *items])


def test_each_sample_and_step_draws_for_itself():
    x = np.ones((B, 40, F))

    def step(x):
        def one(h, x_t):
            m = random.uniform((B, F), seed=2)
            return h + m @ np.eye(F), m

        h, drawn = ops.scan(one, ops.zeros((B, F)), ops.transpose(x, (1, 0, 2)))
        return ops.sum(h), drawn

    parts = trace.trace(step, (Spec.like(x),), batch=B)
    drawn = np.asarray(parts.run([x], 1)[1])
    assert np.unique(drawn).size == drawn.size


@pytest.mark.parametrize("where", ["back", "forward", "shared", "shared in a loop"])
def test_a_scan_that_draws_is_split_whole_or_not_at_all(where):
    """Only the way back or forth has the batch; numbers that all samples share."""
    w = Variable(rng.normal(size=(F, F)) * 0.3)
    x = rng.normal(size=(B, 30, F))
    shape = (F,) if where.startswith("shared") else (B, F)

    def draw():
        if where == "shared in a loop":
            return ops.scan(
                lambda c, _: (c + random.uniform(shape, seed=3), c),
                ops.zeros(shape),
                None,
                length=2,
            )[0]
        return random.uniform(shape, seed=3)

    def step(x):
        xs = ops.transpose(x, (1, 0, 2)) @ w

        def one(h, x_t):
            if where == "forward":
                return ops.tanh(h @ w * draw() + 0.1), h
            if where == "back":
                return h + x_t * draw(), h
            return ops.tanh(h + x_t * draw()), h

        h, ys = ops.scan(
            one,
            ops.zeros((B, F)),
            None if where == "forward" else xs,
            **({"length": 30} if where == "forward" else {}),
        )
        return (ops.sum(h * x[:, 0]) if where == "forward" else ops.sum(h)), h, ys

    parts = differences(step, [x], [w])
    if where.startswith("shared"):
        whole = trace.trace(step, (Spec.like(x),), trainable=[w])
        close(np.asarray(parts.gradients([x], 3)[0][1]), np.asarray(whole.gradients([x], 3)[0][1]))


# ---- samples that meet ----


def test_batch_normalization():
    x = rng.normal(size=(B, T, F)) * 3 + 1
    model = sequential(layers.Dense(30), layers.BatchNormalization(), layers.LSTM(U))
    norm = model.layers[-2]
    step, variables = of_model(model, x)
    parts, whole = both(step, [x], variables)
    _, within = steps(parts.plan)
    assert "lstm_grad" in within
    moved = []
    for traced in (parts, whole):
        norm.moving_mean.assign(np.zeros(30))
        norm.moving_variance.assign(np.ones(30))
        moved.append(
            (
                traced.gradients([x])[1],
                norm.moving_mean.numpy().copy(),
                norm.moving_variance.numpy().copy(),
            )
        )
    for a, b in zip(trace.nest.flatten(moved[0]), trace.nest.flatten(moved[1]), strict=True):
        close(np.asarray(a), np.asarray(b), 1e-11)
    dense = model.layers[0]
    z = x.reshape(-1, F) @ dense.kernel.numpy() + dense.bias.numpy()
    close(moved[0][1], z.mean(0) * (1 - norm.momentum), 1e-12)


def crossing(name, y):
    """(B, U) and something of all samples."""
    return {
        "mean": lambda: y - ops.mean(y, 0, keepdims=True),
        "largest": lambda: y / (1 + ops.max(ops.abs(y), 0)),
        "pairs": lambda: ops.softmax(y @ ops.transpose(y)) @ y,
        "cumsum": lambda: ops.cumsum(y, 0),
        "turned": lambda: y + ops.cumsum(ops.transpose(y), 0)[:1, : y.shape[1]].sum(),
        "flipped": lambda: y + y[::-1],
        "shifted": lambda: y[1:] * y[:-1],
        "best": lambda: y * (ops.argmax(y[:, 0]) + 1.0),
        "taken": lambda: ops.take(y, ops.argmax(y, 0), 0),
        "doubled": lambda: ops.concatenate([y, y * 2.0], 0),
        "all pairs": lambda: ops.tanh(y[:, None] - y[None]),
        "first": lambda: y - y[0],
        "norm": lambda: y / ops.sqrt(ops.sum(ops.square(y))),
        "reshaped": lambda: ops.tanh(ops.reshape(y, (B // 4, -1))),
    }[name]()


@pytest.mark.parametrize(
    "name",
    [
        "mean",
        "largest",
        "pairs",
        "cumsum",
        "turned",
        "flipped",
        "shifted",
        "best",
        "taken",
        "doubled",
        "all pairs",
        "first",
        "norm",
        "reshaped",
    ],
)
def test_samples_meet(name):
    """In the middle of a model: two recurrent layers around it where that has a meaning."""
    x = rng.normal(size=(B, T, F))
    first, last = layers.GRU(U, return_sequences=True), layers.Dense(5, "tanh")
    first(x), last(rng.normal(size=(2, U)))

    def step(x):
        y = crossing(name, first(x)[:, -1])
        y = last(y) if y.shape[-1] == U else y
        return ops.mean(ops.square(y - 0.1)), y

    agree(step, [x], [*first.trainable_variables, *last.trainable_variables], ["gru", "gru_grad"])


def test_samples_meet_in_every_step():
    """Nothing can be split then, and all is as before."""
    x = rng.normal(size=(B, T, F))
    w = Variable(rng.normal(size=(F, F)))

    def step(x):
        def one(h, x_t):
            h = ops.tanh(x_t @ w + h - ops.mean(h, 0))
            return h, h

        h, ys = ops.scan(one, ops.zeros((B, F)), ops.transpose(x, (1, 0, 2)))
        return ops.sum(ops.square(ys)), h

    agree(step, [x], [w])


def test_attention():
    x = rng.normal(size=(B, T, F))
    q, k, v = (layers.Dense(U) for _ in range(3))
    for layer in (q, k, v):
        layer(x)

    def step(x):
        scores = ops.matmul(q(x), ops.transpose(k(x), (0, 2, 1))) / np.sqrt(U)
        y = ops.matmul(ops.softmax(scores), v(x))
        return ops.mean(ops.square(y)), y

    variables = [w for layer in (q, k, v) for w in layer.trainable_variables]
    agree(step, [x], variables, ["softmax"])


def test_embedding():
    ids = rng.integers(0, 9, size=(B, 40)).astype("int32")
    model = keras.Sequential([layers.Embedding(9, 10, mask_zero=True), layers.LSTM(U)])
    step, variables = of_model(model, ids)
    agree(step, [ids], variables, ["take", "take_grad", "lstm", "lstm_grad"])


def test_several_inputs_and_outputs():
    a, b = layers.Input((T, F)), layers.Input((5,))
    x = layers.GRU(U, return_sequences=True)(a)
    y = layers.LSTM(U)(x)
    z = layers.concatenate([y, layers.Dense(U, "tanh")(b)])
    model = keras.Model([a, b], [layers.Dense(3)(z), layers.add([x, x]), layers.dot([y, y], 1)])
    arrays = [rng.normal(size=(B, T, F)), rng.normal(size=(B, 5))]
    model(arrays)

    def step(a, b):
        outputs = model([a, b])
        return sum(ops.mean(ops.square(y - 0.2)) for y in outputs), outputs

    agree(step, arrays, model.trainable_variables, ["gru", "lstm", "gru_grad", "lstm_grad"])


def test_sample_weights_and_masked_losses():
    x, y = rng.normal(size=(B, T, F)), rng.normal(size=(B, T, 2))
    x[rng.random((B, T)) < 0.3] = 0
    weight = rng.random(B)
    model = sequential(layers.Masking(0.0), layers.LSTM(U, return_sequences=True), layers.Dense(2))
    model(x)
    loss = losses.Huber()

    def step(x, y, weight):
        predicted = model(x)
        return loss(y, predicted, sample_weight=weight[:, None]), predicted

    agree(step, [x, y, weight], model.trainable_variables, ["lstm", "lstm_grad"])


def test_states_that_are_kept():
    x = rng.normal(size=(B, T, F))
    layer = layers.LSTM(U, stateful=True, return_sequences=True)
    layer.build((B, T, F))

    def step(x):
        y = layer(x)
        return ops.mean(ops.square(y)), y

    parts, whole = both(step, [x], layer.trainable_variables)
    assert "lstm" in steps(parts.plan)[1]
    found = []
    for traced in (parts, whole):
        layer.reset_states()
        runs = [traced.gradients([x]) for _ in range(3)]
        found.append([runs, [s.numpy().copy() for s in layer.states]])
    for a, b in zip(trace.nest.flatten(found[0]), trace.nest.flatten(found[1]), strict=True):
        close(np.asarray(a), np.asarray(b), 1e-11)


def test_a_state_without_samples_that_is_kept():
    """It has no batch, and nothing in the graph reads it but the assignment."""
    x = rng.normal(size=(B, 60, F))
    count, w = Variable(np.zeros(3)), Variable(rng.normal(size=(F, F)))

    def step(x):
        def one(carry, x_t):
            return (ops.tanh(carry[0] + x_t @ w), carry[1] + 1.0), carry[0]

        init = ops.zeros((B, F)), ops.zeros((3,))
        (h, n), ys = ops.scan(one, init, ops.transpose(x, (1, 0, 2)))
        count.assign(n)
        return ops.sum(ops.square(ys)), h

    agree(step, [x], [w])
    np.testing.assert_array_equal(count.numpy(), 60)


def test_a_gradient_that_is_zero_takes_its_shape_from_a_dead_value():
    graph = _core.Graph()
    x = graph.input("x", (B, 600), "float64")
    (s,) = graph.emit("sum", graph.emit("square", [x]))
    (dead,) = graph.emit("exp", graph.emit("fill", [], shape=[3, 4], dtype="float64"))
    plan = graph.compile([s], gradients=[None], gradient_like=[dead], batch=B)
    assert "square" in steps(plan)[1]
    total, gradient = plan.run([np.ones((B, 600))], (), gradients=True)
    assert total == B * 600
    np.testing.assert_array_equal(gradient, np.zeros(12))


# ---- sums of sums ----


def test_an_unrolled_loop_adds_its_gradients_in_parts():
    x = rng.normal(size=(B, 25, F))
    cell = layers.LSTMCell(U)
    cell(x[:, 0], [np.zeros((B, U))] * 2)

    def step(x):
        states = [ops.zeros((B, U)), ops.zeros((B, U))]
        for t in range(x.shape[1]):
            y, states = cell(x[:, t], states)
        return ops.mean(ops.square(y)), y

    outside, _ = agree(step, [x], cell.trainable_variables, ["sigmoid"])
    assert outside.count("add") == 4  # two parts of the loss and of three weights


def test_gradients_from_several_regions_are_added():
    x = rng.normal(size=(B, 90, F))
    w, v = (Variable(rng.normal(size=(F, F)) * 0.4) for _ in range(2))

    def step(x):
        for _ in range(2):
            x = ops.tanh(x @ w)
            x = x - ops.mean(x, 0) + ops.max(x @ v)
        penalty = ops.sum(ops.square(w))
        return ops.mean(ops.square(x)) + ops.sum(x[:, 0] @ w) + penalty, x

    agree(step, [x], [w, v])
