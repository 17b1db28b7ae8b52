"""Stateful layers in models: states live on through fit, evaluate and predict until they are reset.

The reference is a stateless layer of the same weights, its states handed over by hand.
"""

import copy
import pickle

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers
from seqrnn.trace import nest

RNG = np.random.default_rng(0)
BATCH, FEATURES, UNITS = 4, 2, 3


def floats(*shape):
    return RNG.normal(size=shape).astype("float32")


KINDS = {
    "SimpleRNN": lambda **options: layers.SimpleRNN(UNITS, **options),
    "LSTM": lambda **options: layers.LSTM(UNITS, **options),
    "GRU": lambda **options: layers.GRU(UNITS, **options),
    "stack": lambda **options: layers.RNN([layers.LSTMCell(2), layers.GRUCell(UNITS)], **options),
}


def model_of(layer, batch=BATCH):
    model = keras.Sequential([keras.Input(batch_shape=(batch, None, FEATURES)), layer])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.1))
    return model


def handed_over(layer, batches):
    """Outputs of a stateless layer on batches in a row, and the states after the last."""
    outputs, states = [], None
    for batch in batches:
        y, *states = layer(batch, initial_state=states)
        outputs.append(np.asarray(y))
    return np.concatenate(outputs), states


def twin(model, make):
    """A stateless layer with the weights of the model's."""
    layer = make(return_state=True)
    layer.build((None, None, FEATURES))
    layer.set_weights(model.layers[0].get_weights())
    return layer


def test_batches_have_the_declared_size():
    x, y = floats(3 * BATCH, 5, FEATURES), floats(3 * BATCH, UNITS)
    runs = []
    for size in ({}, {"batch_size": BATCH}):
        keras.utils.set_random_seed(0)
        model = model_of(layers.LSTM(UNITS, stateful=True))
        size["verbose"] = 0
        history = model.fit(x, y, epochs=2, validation_data=(x, y), shuffle=False, **size).history
        runs.append((history, model.evaluate(x, y, **size), model.predict(x, **size).tolist()))
    assert runs[0] == runs[1]


def test_a_part_of_the_data_has_batches_of_the_declared_size():
    model = model_of(layers.GRU(UNITS, stateful=True))
    x, y = floats(6 * BATCH, 5, FEATURES), floats(6 * BATCH, UNITS)
    history = model.fit(x, y, validation_split=0.5, shuffle=False, verbose=0)
    assert history.params["steps"] == 3
    assert model.predict(x, steps=2, batch_size=BATCH, verbose=0).shape == (2 * BATCH, UNITS)


@pytest.mark.parametrize("kind", KINDS)
def test_predict_goes_on(kind):
    model = model_of(KINDS[kind](stateful=True))
    plain, x = twin(model, KINDS[kind]), floats(3 * BATCH, 5, FEATURES)
    batches = [*np.split(x, 3), *np.split(x, 3)]
    expected, states = handed_over(plain, batches)
    first = model.predict(x, batch_size=BATCH, verbose=0)
    second = model.predict(x, batch_size=BATCH, verbose=0)
    np.testing.assert_allclose(np.concatenate([first, second]), expected, atol=1e-6)
    kept = nest.flatten(model.layers[0].states)
    for variable, state in zip(kept, nest.flatten(states), strict=True):
        np.testing.assert_allclose(variable.numpy(), state, atol=1e-6)
    model.reset_states()
    np.testing.assert_array_equal(model.predict(x, batch_size=BATCH, verbose=0), first)


@pytest.mark.parametrize("kind", KINDS)
def test_fit_evaluate_and_predict_share_the_states(kind):
    """With a rate of 0 fit leaves the weights alone, so that what it does to the states shows."""
    model = model_of(KINDS[kind](stateful=True))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
    plain, x = twin(model, KINDS[kind]), floats(2 * BATCH, 5, FEATURES)
    y, (a, b) = np.zeros((2 * BATCH, UNITS), "float32"), np.split(x, 2)
    outputs, _ = handed_over(plain, [a, b] * 4)
    losses = (outputs.astype(float) ** 2).reshape(4, -1).mean(1)
    history = model.fit(x, y, batch_size=BATCH, epochs=2, shuffle=False, verbose=0)
    np.testing.assert_allclose(history.history["loss"], losses[:2], rtol=1e-5)
    assert model.evaluate(x, y, batch_size=BATCH, verbose=0) == pytest.approx(losses[2], rel=1e-5)
    predicted = model.predict(x, batch_size=BATCH, verbose=0)
    np.testing.assert_allclose(predicted, outputs[6 * BATCH :], atol=1e-6)


def test_reset_at_each_epoch():
    """The book's callback."""

    class Reset(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.model.reset_states()

    model = model_of(layers.GRU(UNITS, stateful=True))
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
    x, y = floats(2 * BATCH, 5, FEATURES), floats(2 * BATCH, UNITS)
    options = {"batch_size": BATCH, "epochs": 3, "shuffle": False, "verbose": 0}
    losses = model.fit(x, y, callbacks=[Reset()], **options).history["loss"]
    np.testing.assert_allclose(losses, losses[0], rtol=1e-6)


def test_reset_reaches_layers_in_models_in_layers():
    inner = keras.Sequential([layers.LSTM(UNITS, stateful=True, return_sequences=True)])
    model = keras.Sequential(
        [
            keras.Input(batch_shape=(BATCH, 5, FEATURES)),
            inner,
            layers.Bidirectional(layers.GRU(2, stateful=True)),
            layers.Dropout(0.1),
        ]
    )
    x = floats(BATCH, 5, FEATURES)
    first, second = (model.predict(x, batch_size=BATCH, verbose=0) for _ in range(2))
    assert not np.allclose(first, second)
    model.reset_states()
    np.testing.assert_array_equal(model.predict(x, batch_size=BATCH, verbose=0), first)


def test_weights_of_a_stateless_twin():
    stateful = model_of(layers.LSTM(UNITS, stateful=True))
    plain = model_of(layers.LSTM(UNITS), batch=None)
    x = floats(BATCH, 6, FEATURES)
    stateful.predict(x, batch_size=BATCH, verbose=0)
    plain.set_weights(stateful.get_weights())
    stateful.reset_states()
    np.testing.assert_allclose(
        plain.predict(x, verbose=0),
        stateful.predict(x, batch_size=BATCH, verbose=0),
        atol=1e-6,
    )
    stateful.set_weights(plain.get_weights())


def test_masks_leave_the_states_alone():
    """A row whose steps are all masked goes on later as if the batch had not been."""
    kept = layers.GRU(UNITS, stateful=True)
    x, more = floats(2, 4, FEATURES), floats(2, 3, FEATURES)
    kept(x)
    kept(more, mask=np.array([[False] * 3, [True] * 3]))
    plain = layers.GRU(UNITS, return_state=True)
    plain.build(x.shape)
    plain.set_weights(kept.get_weights())
    _, state = plain(x)
    np.testing.assert_allclose(kept.states[0].numpy()[0], state[0], atol=1e-6)
    assert not np.allclose(kept.states[0].numpy()[1], state[1])


def test_given_states_come_before_kept_ones():
    kept, x, state = layers.GRU(UNITS, stateful=True), floats(2, 4, 2), floats(2, UNITS)
    first = kept(x, initial_state=state)
    kept(x)
    np.testing.assert_array_equal(kept(x, initial_state=state), first)


def test_reset_to_given_states():
    kept, x, state = layers.GRU(UNITS, stateful=True), floats(2, 4, 2), floats(2, UNITS)
    expected = kept(x, initial_state=state)
    kept.reset_states(state)
    np.testing.assert_array_equal(kept(x), expected)


def test_another_batch_size():
    model = model_of(layers.LSTM(UNITS, stateful=True, name="memory"))
    x, y = floats(BATCH + 1, 5, FEATURES), floats(BATCH + 1, UNITS)
    with pytest.raises(ValueError, match=r"batch.* 4.* 1\b"):
        model.fit(x, y, batch_size=BATCH, verbose=0)
    layer = layers.LSTM(UNITS, stateful=True, name="memory")
    layer(x)
    with pytest.raises(ValueError, match=r"'memory'.* batches of 5, but got a batch of 2"):
        layer(x[:2])


def test_unknown_batch_size_is_refused():
    for layer in (
        layers.LSTM(UNITS, stateful=True, name="memory"),
        layers.Bidirectional(layers.LSTM(UNITS, stateful=True), name="memory"),
    ):
        with pytest.raises(ValueError, match=r"'memory'.* fixed batch size.*batch_shape="):
            layer(keras.Input((5, FEATURES)))


def test_copies_keep_the_states():
    layer, x = layers.LSTM(UNITS, stateful=True), floats(2, 4, FEATURES)
    layer(x)
    copies = [copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))]
    expected = layer(x)
    for each in copies:
        np.testing.assert_array_equal(each(x), expected)


def test_same_bits_on_any_number_of_threads():
    def run(threads):
        before = keras.num_threads()
        keras.set_num_threads(threads)
        try:
            keras.utils.set_random_seed(3)
            model = model_of(layers.Bidirectional(layers.LSTM(UNITS, stateful=True)), batch=64)
            x = np.random.default_rng(1).normal(size=(128, 9, FEATURES)).astype("float32")
            y = np.random.default_rng(2).normal(size=(128, 2 * UNITS)).astype("float32")
            model.fit(x, y, batch_size=64, epochs=2, shuffle=False, verbose=0)
            return model.predict(x, batch_size=64, verbose=0)
        finally:
            keras.set_num_threads(before)

    first = run(1)
    for threads in (2, 3):
        np.testing.assert_array_equal(run(threads), first)


def test_states_are_no_second_input():
    x, state = floats(2, 4, FEATURES), floats(2, UNITS)
    with pytest.raises(ValueError, match=r"one input, got 2.*initial_state="):
        layers.GRU(UNITS)([x, state])
