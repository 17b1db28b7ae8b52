"""Masks against loops over single sequences: a masked step is as if it was not there."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from random_models import RECURRENT, SIZES

import seqrnn as keras

TOLERANCE = 1e-5


@st.composite
def masked_batches(draw):
    """x (batch, time, features) and a mask in which no row is empty."""
    batch, time, features = draw(SIZES), draw(st.integers(1, 8)), draw(SIZES)
    rows = st.lists(st.booleans(), min_size=time, max_size=time).filter(any)
    mask = np.array([draw(rows) for _ in range(batch)])
    seed = draw(st.integers(0, 1000))
    return np.random.RandomState(seed).normal(size=(batch, time, features)).astype("float32"), mask


def inference(recurrent):
    name, options = recurrent
    return getattr(keras.layers, name)(**options)


def near(value, reference):
    assert value.shape == reference.shape
    assert np.abs(value - reference).max() <= TOLERANCE * max(1.0, np.abs(reference).max())


@given(RECURRENT, masked_batches())
def test_the_last_output_is_that_of_the_steps_that_count(recurrent, data):
    x, mask = data
    layer = inference(recurrent)
    together = np.asarray(layer(x, mask=mask))
    for row in range(len(x)):
        near(together[row], np.asarray(layer(x[row : row + 1, mask[row]]))[0])


@given(RECURRENT, masked_batches())
def test_outputs_at_the_steps_that_count(recurrent, data):
    x, mask = data
    name, options = recurrent
    layer = inference((name, {**options, "return_sequences": True}))
    together = np.asarray(layer(x, mask=mask))
    for row in range(len(x)):
        alone = np.asarray(layer(x[row : row + 1, mask[row]]))[0]
        here = mask[row][::-1] if options.get("go_backwards") else mask[row]
        near(together[row][here], alone)


@given(RECURRENT, masked_batches(), SIZES)
def test_losses_and_gradients_of_padded_steps_are_none(recurrent, data, units):
    """What stands at masked steps, even a NaN's neighbour, moves no weight and no loss."""
    x, mask = data
    name, options = recurrent
    options = {**options, "return_sequences": True, "dropout": 0.0, "recurrent_dropout": 0.0}
    target = np.ones((*x.shape[:2], units), "float32")
    weights, losses = [], []
    start = None
    for junk in (-77.0, -77.0 * 2):
        model = keras.Sequential(
            [
                keras.Input(x.shape[1:]),
                keras.layers.Masking(junk),
                getattr(keras.layers, name)(**options),
                keras.layers.Dense(units),
            ]
        )
        start = start or model.get_weights()
        model.set_weights(start)
        model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.01))
        losses.append(model.train_on_batch(np.where(mask[..., None], x, junk), target))
        weights.append(model.get_weights())
    assert np.array_equal(losses[0], losses[1])
    for one, other in zip(*weights, strict=True):
        assert np.array_equal(one, other)


@given(masked_batches())
def test_the_mean_over_time_is_that_of_the_steps_that_count(data):
    x, mask = data
    together = np.asarray(keras.layers.GlobalAveragePooling1D()(x, mask=mask))
    for row in range(len(x)):
        near(together[row], x[row, mask[row]].mean(0))
