"""Every loss under every optimizer: training is finite and repeatable, its gradient that of finite
differences, and it goes on from a file as if it had not been interrupted.
"""

import contextlib
import os
import tempfile

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from random_graphs import MASKED_LAYERS, build, data_for, graphs
from random_models import EVERY_LOSS, RULE_OPTIONS, RULES

import seqrnn as keras

pytestmark = pytest.mark.filterwarnings(
    "ignore:Layer .* does not support masking", "ignore:There are no gradients"
)
LOSSES = st.sampled_from(sorted(EVERY_LOSS))
TIMES = st.integers(1, 5)
INPUTS = st.sampled_from(["tokens", "padded", "series"])
ENDS = ["sequence", "GRU", "GlobalAveragePooling1D"]
GRAPHS = graphs(MASKED_LAYERS, INPUTS, outputs=1, ends=ENDS)


@contextlib.contextmanager
def precision(name):
    before = keras.config.floatx()
    keras.config.set_floatx(name)
    try:
        yield
    finally:
        keras.config.set_floatx(before)


def with_loss(graph, time, loss, seed=1):
    """(model, x, y): the model's last activation and the targets are those of the loss."""
    keras.utils.set_random_seed(seed)
    activation, targets = EVERY_LOSS[loss]
    inner = build(graph, time, 3)
    y = keras.layers.Dense(3, activation=activation)(inner.outputs[0])
    model = keras.Model(inner.inputs, y)
    x, (dense,) = data_for(model, graph, 6)
    return model, x, targets(np.random.RandomState(seed), dense.shape)


def optimizer(rule, options):
    return getattr(keras.optimizers, rule)(learning_rate=0.01, **options)


@given(GRAPHS, TIMES, LOSSES, RULES, RULE_OPTIONS)
def test_fit_is_finite_and_repeatable(graph, time, loss, rule, options):
    results = []
    for _ in range(2):
        model, x, y = with_loss(graph, time, loss)
        model.compile(loss=loss, optimizer=optimizer(rule, options))
        history = model.fit(x, y, epochs=2, batch_size=4, verbose=0).history["loss"]
        results.append([np.array(history), *model.get_weights()])
    assert np.isfinite(results[0][0]).all()
    for one, other in zip(*results, strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("suffix", [".keras", ".srn"])
@given(graph=GRAPHS, time=TIMES, rule=RULES, options=RULE_OPTIONS)
def test_training_goes_on_from_a_file(suffix, graph, time, rule, options):
    model, x, y = with_loss(graph, time, "mse")
    model.compile(loss="mse", optimizer=optimizer(rule, options))
    for _ in range(3):  # the accumulated gradients of one are in the file
        model.train_on_batch(x, y)
    with tempfile.TemporaryDirectory() as folder:
        model.save(os.path.join(folder, f"m{suffix}"))
        copy = keras.models.load_model(os.path.join(folder, f"m{suffix}"))
    assume(not _draws(graph))  # a copy starts its own streams of random numbers
    for each in (model, copy):
        each.train_on_batch(x, y)
    for one, other in zip(model.get_weights(), copy.get_weights(), strict=True):
        # In '.keras' the learning rate is in float32.
        assert np.allclose(one, other, rtol=1e-5, atol=1e-6)


def _draws(graph):
    return "dropout': 0.3" in str(graph) or "Dropout" in str(graph)


@given(graphs(outputs=1), TIMES, LOSSES, st.integers(0, 1000))
def test_gradients_of_losses(graph, time, loss, seed):
    """Along a random direction, in float64; masked steps count neither here nor there."""
    with precision("float64"):
        model, x, y = with_loss(graph, time, loss)
        # Biases of 0 and a recurrent weight of -1 would put a relu on its kink.
        random = np.random.RandomState(seed)
        for weight in model.trainable_weights:
            weight.assign(weight.numpy() + 0.1 * random.normal(size=weight.shape))
        model.compile(loss=loss, optimizer=keras.optimizers.SGD(1.0))
        loss_at, gradient = losses_and_gradient(model, x, y)
        direction = [random.normal(size=g.shape) for g in gradient]
        slope = sum((g * d).sum() for g, d in zip(gradient, direction, strict=True))
        slopes = [
            (loss_at(direction, h) - loss_at(direction, -h)) / (2 * h) for h in (1e-4, 1e-5, 1e-6)
        ]
    # Where a kink (a relu, a maximum) lies within a step, the differences do not agree themselves.
    assume(max(slopes) - min(slopes) <= 1e-5 * max(1.0, abs(slopes[0])))
    assert abs(slope - slopes[1]) <= 1e-5 * max(1.0, abs(slope))


def losses_and_gradient(model, x, y):
    """(loss at the weights plus h times a direction, gradient) of a training step by SGD(1)."""
    weights, others = model.trainable_weights, model.non_trainable_weights
    start = [[v.numpy() for v in group] for group in (weights, others)]

    def loss_at(direction, h):
        for v, value, d in zip(weights, start[0], direction, strict=True):
            v.assign(value + h * d)
        for v, value in zip(others, start[1], strict=True):
            v.assign(value)
        model.random_step = 0  # the same dropout again
        return float(np.asarray(model.train_on_batch(x, y)).ravel()[0])

    loss_at([np.zeros(v.shape) for v in weights], 0.0)
    gradient = [value - v.numpy() for v, value in zip(weights, start[0], strict=True)]
    return loss_at, gradient
