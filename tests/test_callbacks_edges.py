"""Callbacks when validation is rare, names are odd, values are not finite, or something raises."""

import csv
import gc
import os

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import callbacks, layers
from seqrnn.callbacks import events

X = np.random.default_rng(0).normal(size=(12, 2)).astype("float32")
Y = X.sum(1, keepdims=True)


def compiled(**options):
    model = keras.Sequential([layers.Dense(1, input_shape=[2])])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.05, **options))
    return model


@pytest.mark.parametrize(
    ("name", "grows"),
    [
        ("val_layer2_loss", False),
        ("recall_loss", False),
        ("leaf1_loss", False),
        ("val_f1", True),
        ("r2_score", True),
        ("out_recall_1", True),
        ("val_precision", True),
        ("cosine_similarity", True),
        ("val_last_step_mse", False),
        ("my_auc", True),
    ],
)
def test_mode_auto_goes_by_the_words_of_the_name(name, grows):
    stop = callbacks.EarlyStopping(name)
    assert stop.better(2.0, 1.0) is grows
    assert stop.better(1.0, 2.0) is not grows


def test_csv_has_columns_for_a_validation_that_comes_later(tmp_path):
    """As in Keras 3.15.1: NA until then."""
    path = tmp_path / "log.csv"
    history = compiled().fit(
        X, Y, epochs=3, validation_data=(X, Y), validation_freq=2, verbose=0,
        callbacks=[callbacks.CSVLogger(path)],
    )  # fmt: skip
    with open(path) as file:
        rows = list(csv.DictReader(file))
    assert [row["val_loss"] for row in rows] == ["NA", str(history.history["val_loss"][0]), "NA"]


@pytest.mark.filterwarnings("ignore:The loss of epoch 1 is NaN")
def test_histograms_leave_out_what_is_not_finite(tmp_path):
    values = np.array([np.nan, 1.0, -np.inf, 3.0, np.inf])
    np.testing.assert_array_equal(events.buckets(values, 2), [[1, 2, 1], [2, 3, 1]])
    assert events.buckets(values[:1]).shape == (0, 3)
    model = compiled()
    model.set_weights([np.full((2, 1), np.inf), np.zeros(1)])
    board = callbacks.TensorBoard(tmp_path, histogram_freq=1)
    assert np.isnan(model.fit(X, Y, verbose=0, callbacks=[board]).history["loss"][0])


class Raises(callbacks.Callback):
    def on_test_batch_end(self, batch, logs=None):
        raise KeyboardInterrupt


@pytest.mark.parametrize("within_fit", [True, False])
def test_averages_are_out_again_when_validation_is_interrupted(within_fit):
    model = compiled(use_ema=True)
    model.fit(X, Y, epochs=3, verbose=0)
    model.fit(X, Y, verbose=0, callbacks=[callbacks.SwapEMAWeights()], validation_data=(X, Y))
    before = model.get_weights()
    calls = [callbacks.SwapEMAWeights(), Raises()]
    with pytest.raises(KeyboardInterrupt):
        if within_fit:
            model.fit(X, Y, verbose=0, callbacks=calls, validation_data=(X, Y), steps_per_epoch=1)
        else:
            model.evaluate(X, Y, verbose=0, callbacks=calls)
    assert not model.optimizer.averages_in_place
    if not within_fit:
        for now, then in zip(model.get_weights(), before, strict=True):
            np.testing.assert_array_equal(now, then)


def open_files():
    gc.collect()
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="reads /proc")
def test_no_file_stays_open(tmp_path):
    model = compiled()
    boards = [callbacks.TensorBoard(tmp_path / str(i)) for i in range(5)]
    loggers = [callbacks.CSVLogger(tmp_path / f"{i}.csv") for i in range(5)]
    before = open_files()
    for board, logger in zip(boards, loggers, strict=True):
        model.evaluate(X, Y, verbose=0, callbacks=[board])
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y, verbose=0, callbacks=[logger, Raises()], validation_data=(X, Y))
    assert open_files() == before


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        (lambda epoch, *, factor=2: factor * 0.01, [0.02, 0.02]),
        (lambda *given: given[1] / 2, [0.025, 0.0125]),
        (lambda epoch: np.float64(0.1), [0.1, 0.1]),
    ],
)
def test_schedules_get_as_many_arguments_as_they_take(schedule, rates):
    seen = compiled().fit(
        X, Y, epochs=2, verbose=0, callbacks=[callbacks.LearningRateScheduler(schedule)]
    )
    np.testing.assert_allclose(seen.history["learning_rate"], rates, rtol=1e-6)


def test_a_schedule_without_a_number_is_named():
    scheduler = callbacks.LearningRateScheduler(lambda epoch: None)
    with pytest.raises(ValueError, match=r"LearningRateScheduler: .* None for epoch 0"):
        compiled().fit(X, Y, verbose=0, callbacks=[scheduler])


@pytest.mark.parametrize("name", ["{epoch:zz}.srn", "{}.srn"])
def test_a_path_that_cannot_be_filled_in_is_named(name, tmp_path):
    checkpoint = callbacks.ModelCheckpoint(tmp_path / name)
    with pytest.raises(ValueError, match="ModelCheckpoint: filepath"):
        compiled().fit(X, Y, verbose=0, callbacks=[checkpoint])


def test_logs_are_a_dict_in_every_hook():
    """As in Keras: the guide to callbacks writes `list(logs.keys())` in each of them."""
    seen = []

    def note(*args, **logs):
        seen.append(isinstance((*args, *logs.values())[-1], dict))

    hooks = [n for n in dir(callbacks.Callback) if n.startswith("on_") and "_batch_" not in n]
    spy = callbacks.LambdaCallback(**dict.fromkeys(hooks, note))
    model = compiled()
    model.fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[spy])
    model.predict(X, verbose=0, callbacks=[spy])
    assert len(seen) == 8
    assert all(seen)
