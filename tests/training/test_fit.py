"""fit, evaluate, predict: values by formula, arguments, order of what happens."""

import itertools
import re
import signal
import threading
import tracemalloc

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import callbacks, layers


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


def data(n=20, t=5, f=2):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, t, f)).astype("float32")
    return x, x.sum(-1, keepdims=True)


def linear(loss="mse", optimizer="sgd", units=1, **kwargs):
    model = keras.Sequential([layers.Dense(units, input_shape=[None, 2])])
    model.compile(loss=loss, optimizer=optimizer, **kwargs)
    return model


def sgd_by_hand(model, x, y, order, batch_size=32, lr=0.01, weight=None):
    """Weights and mean loss after one epoch of plain SGD on mse, in float64."""
    kernel, bias = [w.astype(float) for w in model.get_weights()]
    total = 0.0
    for at in range(0, len(order), batch_size):
        rows = order[at : at + batch_size]
        a, b = x[rows].astype(float), y[rows].astype(float)
        w = np.ones(len(rows)) if weight is None else weight[rows]
        difference = a @ kernel + bias - b
        n = difference.shape[0] * difference.shape[1]
        total += (w[:, None, None] * difference**2).sum() / n * len(rows)
        g = 2 * w[:, None, None] * difference / n
        kernel = kernel - lr * np.einsum("btf,btu->fu", a, g)
        bias = bias - lr * g.sum((0, 1))
    return [kernel, bias], total / len(order)


# ---- training ----


@pytest.mark.parametrize("batch_size", [None, 1, 7, 20, 100])
def test_an_epoch_of_sgd(batch_size):
    x, y = data()
    model = linear()
    expected, loss = sgd_by_hand(model, x, y, np.arange(20), batch_size or 32)
    history = model.fit(x, y, batch_size=batch_size, shuffle=False, verbose=0)
    for got, want in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    assert history.history["loss"] == [pytest.approx(loss, rel=1e-5)]


def test_loss_is_the_mean_per_sample_with_a_short_last_batch():
    x, y = data(20)
    model = linear(optimizer=keras.optimizers.SGD(0.0), metrics=["mae"])
    logs = model.fit(x, y, batch_size=8, verbose=0).history
    difference = model.predict(x, verbose=0) - y
    assert logs["loss"][0] == pytest.approx((difference**2).mean(), rel=1e-6)
    assert logs["mae"][0] == pytest.approx(np.abs(difference).mean(), rel=1e-6)


def test_sample_weight_per_sample_and_per_step():
    x, y = data()
    w = np.random.default_rng(5).uniform(size=20)
    model, other = linear(), linear()
    other.set_weights(model.get_weights())
    expected, loss = sgd_by_hand(model, x, y, np.arange(20), 8, weight=w)
    history = model.fit(x, y, sample_weight=w, batch_size=8, shuffle=False, verbose=0)
    np.testing.assert_allclose(model.get_weights()[0], expected[0], rtol=1e-5)
    assert history.history["loss"][0] == pytest.approx(loss, rel=1e-5)
    steps = np.repeat(w[:, None], 5, 1)
    other.fit(x, y, sample_weight=steps, batch_size=8, shuffle=False, verbose=0)
    np.testing.assert_allclose(other.get_weights()[0], expected[0], rtol=1e-5)


def test_class_weight():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(30, 4)), rng.integers(0, 3, 30)
    weights = {0: 2.0, 2: 0.5}
    each = np.array([weights.get(k, 1.0) for k in y])
    results = []
    for target, extra in (
        (y, {"class_weight": weights}),
        (y[:, None], {"class_weight": weights}),
        (np.eye(3)[y], {"class_weight": weights}),
        (y, {"sample_weight": each}),
    ):
        keras.utils.set_random_seed(3)
        model = keras.Sequential([layers.Dense(3, activation="softmax", input_shape=[4])])
        one_hot = target.ndim == 2 and target.shape[1] == 3
        name = "categorical_crossentropy" if one_hot else "sparse_categorical_crossentropy"
        model.compile(loss=name, optimizer="sgd")
        model.fit(x, target, shuffle=False, verbose=0, **extra)
        results.append(model.get_weights()[0])
    for other in results[1:]:
        np.testing.assert_allclose(other, results[0], rtol=1e-5)


def test_class_weight_stays_out_of_the_validation_split():
    rng = np.random.default_rng(2)
    x, y = rng.normal(size=(12, 4)), np.repeat([0, 1], 6)
    model = keras.Sequential([layers.Dense(2, activation="softmax", input_shape=[4])])
    model.compile(loss="sparse_categorical_crossentropy", optimizer="sgd")
    history = model.fit(x, y, validation_split=0.25, class_weight={1: 100.0}, verbose=0).history
    plain = model.evaluate(x[9:], y[9:], verbose=0)
    np.testing.assert_allclose(history["val_loss"], [plain], rtol=1e-6)


def test_class_weight_refuses_what_it_cannot_do():
    x, y = data()
    with pytest.raises(ValueError, match="both class_weight and sample_weight"):
        linear().fit(x, y, class_weight={0: 1.0}, sample_weight=np.ones(20))
    with pytest.raises(ValueError, match=r"sample_weight of shape \(samples, steps\)"):
        linear().fit(x, y, class_weight={0: 1.0})


def test_metrics_ignore_sample_weight_and_weighted_metrics_use_it():
    x, y = data()
    w = np.random.default_rng(5).uniform(size=20)
    model = linear(metrics=["mae"], weighted_metrics=[keras.metrics.MeanAbsoluteError("wmae")])
    logs = model.evaluate(x, y, sample_weight=w, verbose=0, return_dict=True)
    difference = np.abs(model.predict(x, verbose=0) - y).mean((1, 2))
    assert list(logs) == ["loss", "mae", "wmae"]
    assert logs["mae"] == pytest.approx(difference.mean(), rel=1e-5)
    assert logs["wmae"] == pytest.approx((w * difference).sum() / w.sum(), rel=1e-5)


def test_regularization_is_in_the_loss_of_fit_and_evaluate():
    x, y = data()
    model = keras.Sequential(
        [layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.1), input_shape=[None, 2])]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
    mse = ((model.predict(x, verbose=0) - y) ** 2).mean()
    expected = mse + 0.1 * (model.get_weights()[0] ** 2).sum()
    assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)
    assert model.fit(x, y, verbose=0).history["loss"][0] == pytest.approx(expected, rel=1e-5)


def test_constraints_hold_after_each_step():
    x, y = data()
    model = keras.Sequential(
        [layers.Dense(1, kernel_constraint=keras.constraints.NonNeg(), input_shape=[None, 2])]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.5))
    model.set_weights([np.array([[0.01], [0.01]]), np.zeros(1)])
    model.fit(x, -y, verbose=0)
    assert (model.get_weights()[0] == 0).all()


def test_frozen_layers_stay():
    x, y = data()
    model = keras.Sequential(
        [layers.Dense(3, trainable=False, input_shape=[None, 2]), layers.Dense(1)]
    )
    model.compile(loss="mse", optimizer="adam")
    before = model.get_weights()
    model.fit(x, y, verbose=0)
    after = model.get_weights()
    np.testing.assert_array_equal(before[0], after[0])
    assert (before[2] != after[2]).any()


def test_a_model_without_trainable_weights():
    x, y = data()
    model = keras.Sequential([layers.Dense(1, trainable=False, input_shape=[None, 2])])
    model.compile(loss="mse", optimizer="adam")
    before = model.get_weights()[0]
    model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before)


def test_changing_trainable_needs_compile():
    x, y = data()
    model = linear()
    model.fit(x, y, verbose=0)
    model.layers[0].trainable = False
    with pytest.warns(UserWarning, match=r"compile\(\) again"):
        model.fit(x, y, verbose=0)


def test_fit_learns():
    x, y = data(200)
    model = linear(optimizer=keras.optimizers.Adam(0.05))
    losses = model.fit(x, y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 1e-3 * losses[0]


# ---- order and seeds ----


def seen_rows(**options):
    """The samples of each batch of two epochs, in the order in which a model sees them."""
    seen = []
    x = np.arange(10.0).reshape(10, 1)

    def spy(y_true, y_pred):
        seen.append(np.asarray(y_true)[:, 0].tolist())
        return keras.ops.mean(y_pred)

    model = keras.Sequential([layers.Dense(1, input_shape=[1])])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0), metrics=[spy])
    model.fit(x, x, batch_size=4, epochs=2, verbose=0, **options)
    return seen


def test_order_without_shuffling():
    assert seen_rows(shuffle=False) == 2 * [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_shuffling_is_a_new_permutation_per_epoch():
    seen = seen_rows()
    first, second = [list(itertools.chain(*part)) for part in (seen[:3], seen[3:])]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second and first != list(range(10))


def test_shuffling_within_batches():
    seen = seen_rows(shuffle="batch")
    assert [sorted(rows) for rows in seen[:3]] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_seeds_fix_the_order():
    keras.utils.set_random_seed(7)
    first = seen_rows()
    keras.utils.set_random_seed(7)
    assert seen_rows() == first
    np.random.seed(7)
    third = seen_rows()
    np.random.seed(7)
    assert seen_rows() == third


def test_same_seed_same_bits():
    x, y = data(50)

    def trained():
        keras.utils.set_random_seed(11)
        model = keras.Sequential(
            [layers.Dense(8, input_shape=[None, 2]), layers.Dropout(0.3), layers.Dense(1)]
        )
        model.compile(loss="mse", optimizer="adam")
        return model.fit(x, y, epochs=3, verbose=0).history, model.get_weights()

    (history, weights), (again, same) = trained(), trained()
    assert history == again
    for a, b in zip(weights, same, strict=True):
        np.testing.assert_array_equal(a, b)


# ---- validation ----


def test_validation_split_takes_the_end():
    x, y = data(20)
    model = linear(optimizer=keras.optimizers.SGD(0.0))
    logs = model.fit(x, y, validation_split=0.3, verbose=0).history
    square = ((model.predict(x, verbose=0) - y) ** 2).mean((1, 2))
    assert logs["loss"][0] == pytest.approx(square[:14].mean(), rel=1e-5)
    assert logs["val_loss"][0] == pytest.approx(square[14:].mean(), rel=1e-5)


def test_validation_data_and_weights():
    x, y = data(20)
    w = np.arange(5.0)
    model = linear(metrics=["mae"])
    history = model.fit(x, y, validation_data=(x[:5], y[:5], w), validation_split=0.5, verbose=0)
    expected = model.evaluate(x[:5], y[:5], sample_weight=w, verbose=0)
    assert [history.history["val_loss"][0], history.history["val_mae"][0]] == expected
    assert history.params["steps"] == 1  # validation_data overrides validation_split


def test_validation_split_that_leaves_nothing():
    x, y = data(3)
    with pytest.raises(ValueError, match="leaves 0 for training and 3"):
        linear().fit(x, y, validation_split=0.9)
    with pytest.raises(ValueError, match="between 0 and 1"):
        linear().fit(x, y, validation_split=1.5)


@pytest.mark.parametrize(
    ("frequency", "expected"), [(1, 4), (2, 2), (np.int64(2), 2), ([1, 4], 2), (5, 0)]
)
def test_validation_freq(frequency, expected):
    x, y = data()
    logs = linear().fit(
        x, y, validation_data=(x, y), validation_freq=frequency, epochs=4, verbose=0
    )
    assert len(logs.history.get("val_loss", [])) == expected


# ---- kinds of data ----


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


def test_nan_in_the_data_does_not_crash():
    x, y = data()
    x[0, 0, 0] = np.nan
    model = linear()
    assert np.isnan(model.fit(x, y, verbose=0).history["loss"][0])


# ---- batches one by one ----


def test_train_on_batch_is_a_step_of_fit():
    x, y = data(8)
    model, other = linear(metrics=["mae"]), linear(metrics=["mae"])
    other.set_weights(model.get_weights())
    history = model.fit(x, y, batch_size=8, shuffle=False, verbose=0)
    values = other.train_on_batch(x, y)
    assert values == [history.history["loss"][0], history.history["mae"][0]]
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])


def test_values_of_single_batches():
    x, y = data(8)
    model = linear(optimizer=keras.optimizers.SGD(0.0))
    for rows in (slice(4), slice(4, 8)):
        value = model.test_on_batch(x[rows], y[rows])
        assert value == pytest.approx(model.evaluate(x[rows], y[rows], verbose=0), rel=1e-6)
        assert model.train_on_batch(x[rows], y[rows]) == pytest.approx(value, rel=1e-6)
    assert model.train_on_batch(x, y, return_dict=True).keys() == {"loss"}


def test_predict_on_batch():
    x, _ = data()
    model = linear()
    expected = x @ model.get_weights()[0] + model.get_weights()[1]
    np.testing.assert_allclose(model.predict_on_batch(x), expected, rtol=1e-5, atol=1e-6)


def test_predict_in_batches_keeps_the_order():
    x, _ = data(23)
    model = linear(units=3)
    whole = model.predict(x, batch_size=100, verbose=0)
    assert type(whole) is np.ndarray and whole.dtype == np.float32
    np.testing.assert_array_equal(model.predict(x, batch_size=4, verbose=0), whole)


def test_predict_works_without_compile_and_does_not_alias():
    model = keras.Sequential([layers.Dense(1, input_shape=[2])])
    x = np.ones((3, 2))
    first = model.predict(x, verbose=0)
    kept = first.copy()
    model.predict(2 * x, verbose=0)
    np.testing.assert_array_equal(first, kept)


# ---- metrics in the loop ----


def test_order_is_that_of_compile():
    def zebra(y_true, y_pred):
        return keras.losses.mae(y_true, y_pred)

    x, y = data()
    model = linear(metrics=[zebra, "mae", "mse"], weighted_metrics=["mae"])
    history = model.fit(x, y, validation_split=0.2, verbose=0).history
    names = ["loss", "zebra", "mae", "mse", "weighted_mae"]
    assert list(history) == names + [f"val_{name}" for name in names]
    assert model.metrics_names == names
    assert all(type(v) is float for values in history.values() for v in values)


def test_metric_that_needs_values_is_called_on_arrays():
    kinds = []

    def median_error(y_true, y_pred):
        kinds.append(type(y_pred))
        return float(np.median(np.abs(np.asarray(y_true) - np.asarray(y_pred))))

    x, y = data(16)
    model = linear(optimizer=keras.optimizers.SGD(0.0), metrics=[median_error, "mae"])
    with pytest.warns(
        UserWarning, match="'median_error' can't be traced.*slower.*NumPy array"
    ) as w:
        value = model.evaluate(x, y, verbose=0)[1]
        assert model.evaluate(x, y, verbose=0)[1] == value
        model.fit(x, y, verbose=0)
    assert len(w) == 1
    difference = np.abs(model.predict(x, verbose=0) - y)
    assert value == pytest.approx(np.median(difference), rel=1e-5)
    assert issubclass(kinds[-1], np.ndarray)


def test_an_error_of_a_metric_s_own_is_no_need_for_values():
    calls = []

    def wrong(y_true, y_pred):
        calls.append(type(y_pred))
        try:
            return len(None)
        except TypeError:
            raise ValueError("my own") from None

    def wrapped(y_true, y_pred):
        try:
            return float(y_pred)
        except TypeError as error:
            raise ValueError("a library's") from error

    x, y = data()
    with pytest.raises(ValueError, match="my own"):
        linear(metrics=[wrong]).fit(x, y, verbose=0)
    assert len(calls) == 1 and not issubclass(calls[0], np.ndarray)
    with (
        pytest.warns(UserWarning, match="'wrapped' can't be traced"),
        pytest.raises(ValueError, match="a library's"),
    ):
        linear(metrics=[wrapped]).fit(x, y, verbose=0)


def test_metric_with_an_error_is_reported_before_the_first_step():
    def wrong(y_true, y_pred):
        return y_true[:, :, 0] - y_pred[:, :, 3]

    x, y = data()
    model = linear(metrics=[wrong])
    before = model.get_weights()
    with pytest.raises((ValueError, IndexError)):
        model.fit(x, y, verbose=0)
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert int(model.optimizer.iterations) == 0


class LargestError(keras.metrics.Metric):
    def __init__(self, name="largest", **kwargs):
        super().__init__(name=name, **kwargs)
        self.largest = self.add_weight(name="largest", initializer="zeros")

    def update_state(self, y_true, y_pred, sample_weight=None):
        error = keras.ops.max(keras.ops.abs(y_true - y_pred))
        self.largest.assign(keras.ops.maximum(self.largest, error))

    def result(self):
        return self.largest.value


def test_own_metric_with_variables():
    x, y = data(20)
    model = linear(optimizer=keras.optimizers.SGD(0.0), metrics=[LargestError()])
    difference = np.abs(model.predict(x, verbose=0) - y)
    history = model.fit(x, y, batch_size=8, epochs=2, verbose=0).history
    assert history["largest"] == [pytest.approx(difference.max(), rel=1e-6)] * 2
    assert model.evaluate(x[:3], y[:3], verbose=0)[1] == pytest.approx(
        difference[:3].max(), rel=1e-6
    )


def test_own_loss_functions_and_classes():
    x, y = data()

    def cubic(y_true, y_pred):
        return keras.ops.mean(keras.ops.abs(y_true - y_pred) ** 3, axis=-1)

    class Cubic(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return cubic(y_true, y_pred)

    for loss in (cubic, Cubic(), lambda a, b: np.mean(np.abs(a - b) ** 3)):
        model = linear(loss=loss)
        expected = (np.abs(model.predict(x, verbose=0) - y) ** 3).mean()
        assert model.evaluate(x, y, verbose=0) == pytest.approx(expected, rel=1e-5)


def test_add_loss_alone():
    class Penalty(layers.Layer):
        def call(self, x):
            self.add_loss(keras.ops.mean(keras.ops.square(x)))
            return x

    x, _ = data()
    model = keras.Sequential([layers.Dense(1, input_shape=[None, 2]), Penalty()])
    model.compile(optimizer="sgd")
    expected = (model.predict(x, verbose=0) ** 2).mean()
    assert model.fit(x, verbose=0).history["loss"][0] == pytest.approx(expected, rel=1e-5)


def random_model():
    """With random numbers, state that changes in training, and a seed of its own."""
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            layers.GRU(4, dropout=0.3, return_sequences=True, input_shape=[None, 2]),
            layers.BatchNormalization(),
            layers.Dense(1),
        ]
    )
    model.compile(loss="mse", optimizer="adam", metrics=["mae"])
    return model


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"shuffle": False},
        {"shuffle": "batch"},
        {"steps_per_epoch": 30},
        {"sample_weight": np.linspace(0, 1, 203)},
        {"validation_split": 0.4},
    ],
)
def test_many_steps_in_one_call_are_those_one_by_one(options):
    """A callback that listens to batches has every step made by itself."""
    x, y = data(203)
    spy = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    options = {"batch_size": 2, "epochs": 3, "verbose": 0, **options}
    plain, heard = random_model(), random_model()
    np.random.seed(5)
    expected = heard.fit(x, y, callbacks=[spy], **options)
    np.random.seed(5)
    history = plain.fit(x, y, **options)
    assert history.history == expected.history
    for a, b in zip(plain.get_weights(), heard.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert plain.random_step == heard.random_step == int(plain.optimizer.iterations)
    assert plain.evaluate(x, y, batch_size=2, verbose=0) == heard.evaluate(
        x, y, batch_size=2, verbose=0
    )


@pytest.mark.parametrize(
    "convert",
    [
        lambda a: a.astype(np.float64),
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: np.asfortranarray(a),
        lambda a: a[::-1].copy()[::-1],
    ],
)
def test_dtype_and_strides_of_the_data_do_not_matter(convert):
    x, y = data(50)
    plain, other = linear(metrics=["mae"]), linear(metrics=["mae"])
    other.set_weights(plain.get_weights())
    np.random.seed(5)
    expected = plain.fit(x, y, batch_size=4, epochs=2, verbose=0).history
    np.random.seed(5)
    assert other.fit(convert(x), convert(y), batch_size=4, epochs=2, verbose=0).history == expected


def test_windows_of_a_series_are_not_copied():
    """Windows that overlap are a view many times larger than the series."""
    series = np.sin(np.arange(1000.0))
    windows = np.lib.stride_tricks.sliding_window_view(series, 200)[..., None]
    model = keras.Sequential([layers.Dense(1, input_shape=[None, 1])])
    model.compile(loss="mse", optimizer="sgd")
    model.fit(windows[:64], windows[:64], verbose=0)
    tracemalloc.start()
    model.fit(windows, windows, epochs=1, verbose=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < windows.nbytes / 4


def test_steps_are_counted_when_ctrl_c_comes():
    """The signal is handled when the core returns: the steps it has made are counted by then."""
    x, y = data()
    model = linear()
    model.fit(x, y, verbose=0)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer = threading.Timer(0.1, signal.raise_signal, [signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(x, y, batch_size=4, epochs=10**9, verbose=0)
    finally:
        signal.signal(signal.SIGINT, before)
    assert int(model.optimizer.iterations) == model.random_step


# ---- epochs ----


def test_history():
    x, y = data()
    model = linear()
    history = model.fit(x, y, epochs=3, verbose=0)
    assert isinstance(history, callbacks.History) and history.model is model
    assert history.epoch == [0, 1, 2] and model.history is history
    assert history.params == {"verbose": 0, "epochs": 3, "steps": 1}
    again = model.fit(x, y, initial_epoch=3, epochs=5, verbose=0)
    assert again.epoch == [3, 4]


def test_no_epochs():
    x, y = data()
    model = linear()
    before = model.get_weights()[0]
    history = model.fit(x, y, epochs=0, verbose=0)
    assert history.history == {} and history.epoch == []
    np.testing.assert_array_equal(model.get_weights()[0], before)


def test_ctrl_c_leaves_a_usable_model():
    class Interrupt(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 1:
                raise KeyboardInterrupt

    x, y = data()
    model = linear()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, batch_size=4, callbacks=[Interrupt()], verbose=0)
    assert int(model.optimizer.iterations) == 2
    model.fit(x, y, batch_size=4, verbose=0)
    assert int(model.optimizer.iterations) == 7
    assert np.isfinite(model.evaluate(x, y, verbose=0))


def test_a_real_ctrl_c():
    x, y = data()
    model = linear()
    model.fit(x, y, verbose=0)
    timer = threading.Timer(0.2, signal.raise_signal, [signal.SIGINT])
    # A job in the background, `make test &` in a script, begins with Ctrl-C ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    timer.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            model.fit(x, y, batch_size=4, epochs=10**9, verbose=0)
    finally:
        signal.signal(signal.SIGINT, before)
    assert np.isfinite(model.fit(x, y, verbose=0).history["loss"][0])


def test_training_goes_on_after_another_compile():
    x, y = data()
    model = linear()
    model.fit(x, y, verbose=0)
    model.compile(loss="mae", optimizer="adam", metrics=["mse"])
    assert list(model.fit(x, y, verbose=0).history) == ["loss", "mse"]


def test_a_second_fit_of_the_same_model_is_refused():
    """From another thread or from a callback; afterwards, also after an error, it works again."""
    model = keras.Sequential([layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    x = np.ones((8, 2), "float32")
    errors = []

    def again():
        try:
            model.fit(x, x[:, :1], verbose=0)
        except RuntimeError as error:
            errors.append(str(error))

    class Inside(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            thread = threading.Thread(target=again)
            thread.start()
            thread.join()
            again()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.fit(x, x[:, :1], verbose=0, callbacks=[Inside()])
    assert len(errors) == 2 and "already being trained" in errors[0]
    again()
    assert len(errors) == 2


class Once(callbacks.Callback):
    """Does something in the first batch, in another thread."""

    def __init__(self, do):
        super().__init__()
        self.do, self.errors = do, []

    def on_train_batch_end(self, batch, logs=None):
        def work():
            try:
                self.do(self.model)
            except RuntimeError as error:
                self.errors.append(str(error))

        if batch == 0:
            thread = threading.Thread(target=work)
            thread.start()
            thread.join()


@pytest.mark.parametrize(
    ("do", "text"),
    [
        (lambda model: model.compile("adam", "mae"), r"compile\(\)"),
        (lambda model: setattr(model, "optimizer", "adam"), "a new optimizer"),
        (lambda model: model.add(layers.Dense(1)), r"add\(\)"),
        (lambda model: model.pop(), r"pop\(\)"),
    ],
)
def test_what_has_to_wait_until_a_fit_is_over(do, text):
    x, y = data()
    model = keras.Sequential([layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    model.fit(x, y, epochs=2, verbose=0, callbacks=[once := Once(do)])
    assert len(once.errors) == 2
    assert re.search(f"being trained, so {text} has to wait", once.errors[0])
    do(model)
    model.add(layers.Dense(1))
    model.compile(loss="mse", optimizer="sgd")
    model.fit(x, y, verbose=0)


def test_a_new_optimizer_between_fits():
    x, y = data()
    model = linear()
    model.fit(x, y, verbose=0)
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    other.compile(loss="mse", optimizer="adam")
    model.optimizer = keras.optimizers.Adam()
    assert model.get_compile_config()["optimizer"]["class_name"] == "Adam"
    for each in (model, other):
        each.fit(x, y, verbose=0, shuffle=False)
    assert int(model.optimizer.iterations) == int(other.optimizer.iterations) > 0
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(TypeError, match="needs an optimizer, got None"):
        model.optimizer = None
    model = keras.Sequential([layers.Dense(1)])
    model.optimizer = "adam"  # before compile, for loops of one's own
    assert isinstance(model.optimizer, keras.optimizers.Adam)


def test_random_numbers_after_a_call_that_failed():
    """A step that was not made does not count."""
    ids, y = np.arange(8)[:, None] % 4, np.ones((8, 1), "float32")
    model = keras.Sequential(
        [layers.Embedding(4, 3), layers.Flatten(), layers.Dropout(0.5), layers.Dense(1)]
    )
    model.compile(loss="mse", optimizer="sgd")
    model.fit(ids, y, batch_size=4, verbose=0)
    assert model.random_step == 2
    with pytest.raises(ValueError, match="ids must lie in"):
        model.fit(ids + 1, y, batch_size=4, epochs=3, verbose=0)
    assert model.random_step == int(model.optimizer.iterations) == 2
