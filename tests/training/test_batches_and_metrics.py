"""Batches one by one, losses and metrics in the loop, several steps in one call."""

import signal
import threading
import tracemalloc

import numpy as np
import pytest
from training.fitting import data, linear

import seqrnn as keras
from seqrnn import callbacks, layers


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


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
