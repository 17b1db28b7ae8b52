"""fit, evaluate, predict: values by formula, arguments, order of what happens."""

import itertools
import re
import signal
import threading

import numpy as np
import pytest
from training.fitting import data, linear

import seqrnn as keras
from seqrnn import callbacks, layers


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


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


@pytest.mark.filterwarnings("ignore:The metric 'spy' can't be traced")
def test_order_without_shuffling():
    assert seen_rows(shuffle=False) == 2 * [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.filterwarnings("ignore:The metric 'spy' can't be traced")
def test_shuffling_is_a_new_permutation_per_epoch():
    seen = seen_rows()
    first, second = [list(itertools.chain(*part)) for part in (seen[:3], seen[3:])]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second and first != list(range(10))


@pytest.mark.filterwarnings("ignore:The metric 'spy' can't be traced")
def test_shuffling_within_batches():
    seen = seen_rows(shuffle="batch")
    assert [sorted(rows) for rows in seen[:3]] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


@pytest.mark.filterwarnings("ignore:The metric 'spy' can't be traced")
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
