"""Gradients of whole models, as the optimizer sees them, against central differences in float64.

The gradient is had from one step of SGD with rate 1: weights before less weights after. For each
weight the derivative along a random direction is compared.
"""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers

STEP = 1e-5
TOLERANCE = 1e-6


@pytest.fixture(autouse=True)
def float64():
    keras.config.set_floatx("float64")
    keras.utils.set_random_seed(0)
    yield
    keras.config.set_floatx("float32")


class LNSimpleRNNCell(layers.Layer):
    """The seed's cell."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.state_size = self.output_size = units
        self.simple_rnn_cell = layers.SimpleRNNCell(units, activation=None)
        self.layer_norm = layers.LayerNormalization()

    def call(self, inputs, states):
        outputs, _ = self.simple_rnn_cell(inputs, states)
        outputs = keras.ops.tanh(self.layer_norm(outputs))
        return outputs, [outputs]


class MyRNN(layers.Layer):
    """The book's loop in Python over the time steps."""

    def __init__(self, cell, **kwargs):
        super().__init__(**kwargs)
        self.cell = cell

    def call(self, inputs):
        states = [keras.ops.zeros((inputs.shape[0], self.cell.state_size))]
        outputs = []
        for t in range(inputs.shape[1]):
            output, states = self.cell(inputs[:, t], states)
            outputs.append(output)
        return keras.ops.stack(outputs, axis=1)


def chain(*parts):
    return keras.Sequential([keras.Input([6, 2]), *parts, layers.Dense(3)])


def stack_of(recurrent, **options):
    return chain(
        recurrent(3, return_sequences=True, **options), recurrent(4, return_sequences=True)
    )


def wavenet():
    x = keras.Input([6, 2])
    z, skips = layers.Conv1D(4, 2, padding="causal")(x), []
    for dilation in (1, 2):
        gates = layers.Conv1D(8, 2, padding="causal", dilation_rate=dilation)(z)
        gated = keras.activations.tanh(gates[..., :4]) * keras.activations.sigmoid(gates[..., 4:])
        skips.append(layers.Conv1D(4, 1)(gated))
        z = layers.Add()([z, skips[-1]])
    return keras.Model(x, layers.Conv1D(3, 1)(layers.Concatenate()(skips)))


def states_passed_on():
    x = keras.Input([6, 2])
    _, h, c = layers.LSTM(3, return_state=True)(x)
    y = layers.LSTM(3, return_sequences=True, go_backwards=True)(x, initial_state=[h, c])
    return keras.Model(x, layers.Dense(3)(y))


MODELS = {
    "simple_rnn": lambda: stack_of(layers.SimpleRNN),
    "lstm": lambda: stack_of(layers.LSTM),
    "gru": lambda: stack_of(layers.GRU),
    "gru_reset_before": lambda: stack_of(layers.GRU, reset_after=False),
    "dropout": lambda: stack_of(layers.LSTM, dropout=0.3, recurrent_dropout=0.4, seed=3),
    "masked": lambda: chain(layers.Masking(), layers.GRU(3, return_sequences=True)),
    "ln_cell": lambda: chain(layers.RNN(LNSimpleRNNCell(4), return_sequences=True)),
    "my_rnn": lambda: chain(MyRNN(layers.SimpleRNNCell(4))),
    "stacked_cells": lambda: chain(
        layers.RNN([layers.LSTMCell(3), layers.GRUCell(4)], return_sequences=True)
    ),
    "batch_norm": lambda: chain(
        layers.SimpleRNN(4, return_sequences=True),
        layers.BatchNormalization(),
        layers.GRU(3, return_sequences=True),
    ),
    "conv_gru": lambda: chain(
        layers.Conv1D(4, 3, padding="same", activation="tanh"),
        layers.GRU(3, return_sequences=True, kernel_regularizer="l2"),
    ),
    "wavenet": wavenet,
    "states": states_passed_on,
}


class Probe:
    """Loss and gradient of a model in training mode, always with the same random numbers."""

    def __init__(self, model, x, y):
        self.model, self.x, self.y = model, x, y
        model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))

    def step(self, weights, rate):
        for variable, value in zip(self.model.trainable_weights, weights, strict=True):
            variable.assign(value)
        self.model.random_step = 7
        self.model.optimizer.learning_rate = rate
        loss = self.model.train_on_batch(self.x, self.y)
        return loss, [v.numpy() for v in self.model.trainable_weights]

    def loss(self, weights):
        return self.step(weights, 0.0)[0]

    def gradient(self, weights):
        return [w - after for w, after in zip(weights, self.step(weights, 1.0)[1], strict=True)]


@pytest.mark.parametrize("name", MODELS)
def test_gradient(name):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(5, 6, 2)), rng.normal(size=(5, 6, 3))
    if name == "masked":
        x[rng.integers(0, 2, (5, 6)) == 0] = 0.0
    probe = Probe(MODELS[name](), x, y)
    weights = [w.numpy() + 0.1 * rng.normal(size=w.shape) for w in probe.model.trainable_weights]
    gradient = probe.gradient(weights)
    for i, (weight, g) in enumerate(zip(weights, gradient, strict=True)):
        direction = rng.normal(size=weight.shape)
        losses = []
        for sign in (1, -1):
            moved = list(weights)
            moved[i] = weight + sign * STEP * direction
            losses.append(probe.loss(moved))
        measured = (losses[0] - losses[1]) / (2 * STEP)
        computed = float((g * direction).sum())
        scale = max(abs(measured), float(np.abs(g * direction).sum()), 1e-3)
        path = probe.model.trainable_weights[i].path
        assert abs(measured - computed) <= TOLERANCE * scale, (path, measured, computed)
