"""What fit, evaluate and predict take: batches, generators, frames, arrays of any dtype."""

import numpy as np
import pytest
from training.fitting import data, linear

import seqrnn as keras
from seqrnn import callbacks, layers


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


def batches(x, y, size):
    for at in range(0, len(x), size):
        yield x[at : at + size], y[at : at + size]


class Batches(keras.utils.PyDataset):
    def __init__(self, x, y, size):
        super().__init__()
        self.items = list(batches(x, y, size))
        self.ended = 0

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]

    def on_epoch_end(self):
        self.ended += 1


class Again:
    """Can be iterated over again and again, without a length."""

    def __init__(self, x, y, size):
        self.arguments = x, y, size

    def __iter__(self):
        return batches(*self.arguments)


@pytest.mark.parametrize("kind", [Batches, Again])
def test_iterables_are_like_arrays(kind):
    x, y = data()
    model, other = linear(), linear()
    other.set_weights(model.get_weights())
    expected = model.fit(x, y, batch_size=8, shuffle=False, epochs=3, verbose=0).history
    source = kind(x, y, 8)
    got = other.fit(source, shuffle=False, epochs=3, verbose=0, validation_data=kind(x, y, 8))
    assert got.history["loss"] == expected["loss"]
    assert got.params["steps"] == (3 if kind is Batches else None)
    assert getattr(source, "ended", 3) == 3
    assert got.history["val_loss"][-1] == pytest.approx(other.evaluate(x, y, verbose=0), rel=1e-6)
    assert other.evaluate(kind(x, y, 8), verbose=0) == pytest.approx(
        other.evaluate(x, y, verbose=0), rel=1e-6
    )
    np.testing.assert_allclose(
        other.predict(kind(x, y, 8), verbose=0), other.predict(x, verbose=0), rtol=1e-6
    )


def test_generator_with_weights_and_steps_per_epoch():
    x, y = data()

    def endless():
        while True:
            yield x[:4], y[:4], np.ones(4)

    history = linear().fit(endless(), steps_per_epoch=3, epochs=2, verbose=0)
    assert len(history.history["loss"]) == 2 and history.params["steps"] == 3


def test_generator_that_runs_out():
    x, y = data()
    with pytest.warns(UserWarning, match="ran out of data after 2 batches"):
        history = linear().fit(batches(x, y, 4), steps_per_epoch=3, epochs=2, verbose=0)
    assert history.epoch == [0, 1]


@pytest.mark.parametrize("steps", [None, 3])
@pytest.mark.parametrize("empty", [iter(()), (b for b in ()), Again(np.ones((0, 5, 2)), (), 4)])
def test_data_without_batches(empty, steps):
    with pytest.raises(ValueError, match="The data to train on yield no batches"):
        linear().fit(empty, steps_per_epoch=steps, verbose=0)


def test_array_with_steps_per_epoch_goes_on_in_the_next_epoch():
    x, y = data(20)
    steps = []
    spy = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: steps.append(batch))
    with pytest.warns(UserWarning, match="ran out of data after 1 batches"):
        linear().fit(x, y, batch_size=4, steps_per_epoch=2, epochs=3, callbacks=spy, verbose=0)
    assert steps == [0, 1, 0, 1, 0]
    with pytest.warns(UserWarning, match="ran out of data after 5 batches"):
        linear().fit(x, y, batch_size=4, steps_per_epoch=7, verbose=0)


def test_batch_size_follows_steps_per_epoch():
    x, y = data(20)
    history = linear().fit(x, y, steps_per_epoch=4, verbose=0)
    assert history.params["steps"] == 4


class Frame:
    """As pandas: has to_numpy; a column of another kind makes it one of objects."""

    def __init__(self, array):
        self.array = np.asarray(array)

    def to_numpy(self, dtype=None, na_value=None):
        if na_value is not None:
            missing = np.array([item is MISSING for item in self.array.flat])
            filled = np.where(missing.reshape(self.array.shape), na_value, self.array)
            return filled.astype(dtype)
        return self.array

    def __len__(self):
        return len(self.array)

    def __bool__(self):
        raise ValueError("The truth value of a DataFrame is ambiguous.")


class Missing:
    """As pandas.NA."""

    def __float__(self):
        raise TypeError("float() argument must be a number")


MISSING = Missing()


def ones(*shape):
    """A model that adds its inputs up."""
    model = keras.Sequential([keras.Input(shape), layers.Dense(1, kernel_initializer="ones")])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
    return model


def test_frames_of_mixed_columns():
    mixed = Frame(np.array([[1.5, True], [2, np.False_]], object))
    np.testing.assert_array_equal(ones(2).predict(mixed, verbose=0), [[2.5], [2.0]])
    np.testing.assert_array_equal(ones(2)(mixed), [[2.5], [2.0]])
    loss = ones(2).fit(mixed, Frame(np.array([1, True], object)), verbose=0).history["loss"]
    assert loss == [(1.5**2 + 1) / 2]
    nullable = Frame(np.array([[1, MISSING], [2, 3]], object))
    np.testing.assert_array_equal(ones(2).predict(nullable, verbose=0), [[np.nan], [5.0]])


@pytest.mark.parametrize("items", [["a", "b"], [1.0, "b"], [[1], [2, 3]]])
def test_frames_of_no_numbers(items):
    column = np.empty((2, 1), object)
    column[:, 0] = items
    with pytest.raises(TypeError, match="x: expected an array of numbers"):
        ones(1).predict(Frame(column), verbose=0)


def test_a_series_is_a_column():
    model = keras.Sequential([layers.Dense(1, kernel_initializer="ones")])
    assert model.predict(Frame(np.arange(3.0)), verbose=0).shape == (3, 1)
    model.compile("sgd", "mse")
    weighted = model.evaluate(
        Frame([1.0, 2.0]), Frame([0.0, 0.0]), sample_weight=Frame([0.0, 1.0]), verbose=0
    )
    assert weighted == 2.0


@pytest.mark.parametrize(
    "convert",
    [
        np.float64,
        np.float16,
        lambda a: a.tolist(),
        Frame,
        lambda a: a.astype(">f4"),
        lambda a: np.asfortranarray(a),
        lambda a: np.repeat(a, 2, axis=0)[::2],
        lambda a: a[::-1][::-1],
        np.longdouble,
    ],
    ids=["f64", "f16", "list", "pandas", "big-endian", "fortran", "strided", "reversed", "long"],
)
def test_arrays_of_all_kinds(convert):
    rng = np.random.default_rng(1)
    x = rng.integers(-4, 4, size=(12, 2)).astype("float32") / 4
    y = x.sum(1)
    model, other = linear(), linear()
    model = keras.Sequential([layers.Dense(1, input_shape=[2])])
    other = keras.Sequential([layers.Dense(1, input_shape=[2])])
    other.set_weights(model.get_weights())
    for each in (model, other):
        each.compile(loss="mse", optimizer="sgd")
    expected = model.fit(x, y, shuffle=False, verbose=0).history
    assert other.fit(convert(x), convert(y), shuffle=False, verbose=0).history == expected


def test_integer_and_boolean_inputs():
    model = keras.Sequential([layers.Dense(1, input_shape=[3])])
    x = np.array([[1, 0, 2], [0, 1, 1]])
    expected = model.predict(x.astype("float32"), verbose=0)
    np.testing.assert_array_equal(model.predict(x, verbose=0), expected)
    np.testing.assert_array_equal(
        model.predict(x > 0, verbose=0), model.predict((x > 0) * 1.0, verbose=0)
    )


@pytest.mark.filterwarnings("ignore:The loss of epoch 1 is NaN")
def test_nan_in_the_data_does_not_crash():
    x, y = data()
    x[0, 0, 0] = np.nan
    model = linear()
    assert np.isnan(model.fit(x, y, verbose=0).history["loss"][0])
