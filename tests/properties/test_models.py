"""Random models: training never brings the interpreter down, files and copies keep everything."""

import pickle

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from random_models import (
    BATCHES,
    LOSSES,
    OPTIMIZERS,
    SHAPES,
    build,
    models,
    optimizer_of,
)

import seqrnn as keras

pytestmark = pytest.mark.filterwarnings("ignore:Layer .* does not support masking")


def built(layers, shape):
    """The model; a model whose windows do not fit the time is refused when it is built."""
    try:
        return build(layers, shape)
    except ValueError as error:
        assert any(word in str(error) for word in ("steps", "time", "kernel")), error
        assume(False)


def data_for(model, shape, batch, seed=0):
    random = np.random.RandomState(seed)
    y_shape = (batch, *model.output_shape[1:])
    return random.normal(size=(batch, *shape)), random.normal(size=y_shape)


@given(models(), SHAPES, BATCHES, LOSSES, OPTIMIZERS)
def test_fit_gives_finite_losses_and_the_same_bits_again(layers, shape, batch, loss, optimizer):
    results = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        model = built(layers, shape)
        x, y = data_for(model, shape, batch)
        model.compile(loss=loss, optimizer=optimizer_of(optimizer))
        history = model.fit(x, y, epochs=2, batch_size=4, verbose=0).history["loss"]
        assert np.isfinite(history).all()
        prediction = model.predict(x, verbose=0)
        assert prediction.shape == y.shape
        results.append([np.array(history), prediction, *model.get_weights()])
    for one, other in zip(*results, strict=True):
        assert np.array_equal(one, other)


@given(models(), SHAPES, BATCHES)
def test_a_batch_is_its_rows(layers, shape, batch):
    model = built(layers, shape)
    x, _ = data_for(model, shape, batch)
    together = model.predict(x, verbose=0)
    for row in range(batch):
        alone = model.predict(x[row : row + 1], verbose=0)[0]
        assert np.abs(together[row] - alone).max(initial=0) <= 1e-5 * max(
            1.0, np.abs(alone).max(initial=0)
        )


@pytest.mark.parametrize("way", ["file", "pickle", "config", "clone"])
@given(layers=models(), shape=SHAPES, optimizer=OPTIMIZERS)
def test_copies_predict_and_train_on_alike(way, layers, shape, optimizer, tmp_path_factory):
    model = built(layers, shape)
    x, y = data_for(model, shape, 4)
    model.compile(loss="mse", optimizer=optimizer_of(optimizer))
    model.fit(x, y, verbose=0)
    copy = _copy(model, way, tmp_path_factory)
    assert np.array_equal(model.predict(x, verbose=0), copy.predict(x, verbose=0))
    if way in ("file", "pickle") and not _random(layers):
        losses = [m.train_on_batch(x, y) for m in (model, copy)]
        assert np.array_equal(*losses)
        for one, other in zip(model.get_weights(), copy.get_weights(), strict=True):
            assert np.array_equal(one, other)


def _random(layers):
    """Whether training draws numbers; a copy starts its own stream."""
    rates = ("rate", "dropout", "recurrent_dropout")
    return any(options.get(rate) for _, options in layers for rate in rates)


def _copy(model, way, folders):
    if way == "pickle":
        return pickle.loads(pickle.dumps(model))
    if way == "file":
        path = folders.mktemp("models") / "model.srn"
        model.save(path)
        return keras.models.load_model(path)
    if way == "clone":
        copy = keras.models.clone_model(model)
    else:
        copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


BAD_VALUES = st.sampled_from([-1, 0, 1.5, "seven", None, (2, 3), float("nan"), 10**6, True])
VALUE_OPTIONS = st.sampled_from(
    ["units", "filters", "kernel_size", "strides", "rate", "dropout", "momentum", "pool_size"]
)


@given(models(), SHAPES, st.integers(0, 4), VALUE_OPTIONS, BAD_VALUES)
def test_bad_options_are_errors_or_work(layers, shape, at, option, value):
    """Whatever a layer is given: an error for the user, or a model that trains."""
    name, options = layers[at % len(layers)]
    layers = [*layers]
    layers[at % len(layers)] = (name, {**options, option: value})
    assume(value != 10**6 or option in ("strides", "pool_size", "kernel_size"))  # memory, time
    try:
        model = build(layers, shape)
        x, y = data_for(model, shape, 3)
        model.compile(loss="mse")
        history = model.fit(x, y, verbose=0).history
    except (ValueError, TypeError) as error:
        assert len(str(error)) > 10, repr(error)
        return
    assert np.isfinite(history["loss"]).all()


@given(models(), SHAPES, st.sampled_from([np.nan, np.inf, -np.inf, 1e30]))
def test_numbers_that_are_none_come_out_as_such(layers, shape, value):
    """A NaN in the data is no error: the loss says so, and predict still has its shape."""
    model = built(layers, shape)
    x, y = data_for(model, shape, 3)
    x[0] = value
    model.compile(loss="mse")
    loss = model.fit(x, y, verbose=0).history["loss"]
    assert len(loss) == 1 and isinstance(loss[0], float)
    assert model.predict(x, verbose=0).shape == y.shape


@given(models(), SHAPES, st.data())
def test_wrong_shapes_are_errors(layers, shape, data):
    model = built(layers, shape)
    model.compile(loss="mse")
    x, y = data_for(model, shape, 3)
    # One axis more is right where it is a last one of size 1: Keras takes it off.
    wider = np.stack([x, x], -1)
    wrong = data.draw(st.sampled_from([x[..., :0], wider, x[0], x[:2], np.concatenate([x, x], -1)]))
    with pytest.raises((ValueError, TypeError)):
        model.fit(wrong, y, verbose=0)
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"]).all()
