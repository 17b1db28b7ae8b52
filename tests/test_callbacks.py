"""Callbacks: the order of hooks, and what each of ours does."""

import math
import os

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import callbacks, layers


def model_and_data(n=12, metrics=()):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(n, 2)).astype("float32")
    model = keras.Sequential([layers.Dense(1, input_shape=[2])])
    model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.1), metrics=list(metrics))
    return model, x, x.sum(1, keepdims=True)


def test_order_of_hooks():
    names = [
        f"on_{what}_{when}"
        for what in ("train", "test", "predict", "epoch", "train_batch", "test_batch")
        for when in ("begin", "end")
    ]
    calls = []
    spies = {name: (lambda *_, _name=name, **__: calls.append(_name)) for name in names}
    model, x, y = model_and_data(8)
    spy = callbacks.LambdaCallback(**spies)
    model.fit(x, y, batch_size=4, validation_data=(x, y), verbose=0, callbacks=[spy])
    assert calls == [
        "on_train_begin",
        "on_epoch_begin",
        *["on_train_batch_begin", "on_train_batch_end"] * 2,
        "on_test_begin",
        *["on_test_batch_begin", "on_test_batch_end"] * 2,
        "on_test_end",
        "on_epoch_end",
        "on_train_end",
    ]
    calls.clear()
    model.predict(x, verbose=0, callbacks=[spy])
    assert calls == ["on_predict_begin", "on_predict_end"]


def test_aliases_attributes_and_logs():
    seen = []

    class Mine(callbacks.Callback):
        def on_batch_end(self, batch, logs=None):
            seen.append((batch, dict(logs)))

        def on_epoch_end(self, epoch, logs=None):
            assert self.params == {"verbose": 0, "epochs": 1, "steps": 3}
            seen.append(logs)

    model, x, y = model_and_data(metrics=["mae"])
    mine = Mine()
    model.fit(x, y, batch_size=4, verbose=0, callbacks=mine)
    assert mine.model is model
    assert [entry[0] for entry in seen[:3]] == [0, 1, 2]
    assert list(seen[0][1]) == ["loss", "mae"]
    # running means: after the last batch they are those of the epoch
    assert seen[2][1] == seen[3]


def test_values_of_user_callbacks_reach_history():
    class Adds(callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            logs["extra"] = float(epoch)

    model, x, y = model_and_data()
    history = model.fit(x, y, epochs=2, verbose=0, callbacks=[Adds()])
    assert history.history["extra"] == [0.0, 1.0]


def test_stop_training():
    class Stop(callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 1

    model, x, y = model_and_data()
    history = model.fit(x, y, batch_size=4, epochs=5, verbose=0, callbacks=[Stop()])
    assert history.epoch == [0] and int(model.optimizer.iterations) == 2
    model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    assert int(model.optimizer.iterations) == 8


@pytest.mark.parametrize("patience", [-1, -0.5, "3", None, True, float("nan")])
@pytest.mark.parametrize("kind", [callbacks.EarlyStopping, callbacks.ReduceLROnPlateau])
def test_patience_refused(kind, patience):
    with pytest.raises(ValueError, match=f"{kind.__name__}: patience must be 0 .* {patience!r}"):
        kind(patience=patience)


# ---- EarlyStopping ----


class FakeModel:
    """Weights are the number of the epoch."""

    stop_training = False
    weights = None

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def stopped_at(callback, values, name="val_loss"):
    """The epoch in which training stops (or the number of epochs), and the weights at the end."""
    model = FakeModel()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.weights = epoch
        callback.on_epoch_end(epoch, {name: value})
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch, model.weights


@pytest.mark.parametrize(
    ("options", "values", "epoch"),
    [
        ({}, [3, 2, 2.5, 1], 2),
        ({"patience": 2}, [3, 2, 2.5, 2.2, 1], 3),
        ({"patience": 2}, [3, 2, 2.5, 1, 1.5, 1.5], 5),
        ({"min_delta": 0.5}, [3, 2.7, 2], 1),
        ({"patience": 1, "start_from_epoch": 2}, [1, 2, 3, 4, 5], 3),
        ({"baseline": 1.5, "patience": 2}, [3, 2, 2, 1], 2),
        ({"mode": "max"}, [1, 2, 1.5], 2),
        ({"patience": 1}, [float("nan")] * 3, 1),
    ],
)
def test_early_stopping(options, values, epoch):
    assert stopped_at(callbacks.EarlyStopping(**options), values)[0] == epoch


def test_early_stopping_restores_the_best_weights():
    best = callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    assert stopped_at(best, [3, 1, 2, 2, 2]) == (3, 1)
    # also when training ends by itself
    assert stopped_at(best, [3, 1, 2]) == (2, 1)


@pytest.mark.parametrize(
    ("name", "grows"),
    [
        ("val_loss", False),
        ("val_last_time_step_mse", False),
        ("val_accuracy", True),
        ("acc", True),
        ("auc", True),
    ],
)
def test_direction_follows_the_name(name, grows):
    values = [1, 2, 3] if grows else [3, 2, 1]
    assert stopped_at(callbacks.EarlyStopping(name), values, name)[0] == 2
    assert stopped_at(callbacks.EarlyStopping(name), values[::-1], name)[0] == 1


def test_missing_value_warns_with_what_there_is():
    model, x, y = model_and_data()
    with pytest.warns(UserWarning, match=r"'val_loss', which is not in the logs: loss"):
        model.fit(x, y, verbose=0, callbacks=[callbacks.EarlyStopping()])


def test_unknown_mode():
    with pytest.raises(ValueError, match=r"'maxx'.*Did you mean 'max'"):
        callbacks.EarlyStopping(mode="maxx")


# ---- ModelCheckpoint ----


def test_checkpoint_each_epoch(tmp_path):
    model, x, y = model_and_data()
    path = tmp_path / "{epoch:02d}-{loss:.2f}.srn"
    logs = model.fit(
        x, y, epochs=2, verbose=0, callbacks=[callbacks.ModelCheckpoint(path)]
    ).history["loss"]
    assert sorted(os.listdir(tmp_path)) == [f"01-{logs[0]:.2f}.srn", f"02-{logs[1]:.2f}.srn"]
    copy = keras.models.load_model(tmp_path / f"02-{logs[1]:.2f}.srn")
    np.testing.assert_array_equal(copy.predict(x, verbose=0), model.predict(x, verbose=0))


def test_checkpoint_of_the_best(tmp_path):
    class Count(FakeModel):
        saved = 0

        def save_weights(self, path):
            self.saved += 1

    model = Count()
    checkpoint = callbacks.ModelCheckpoint(
        tmp_path / "w", save_best_only=True, save_weights_only=True
    )
    checkpoint.set_model(model)
    counts = []
    for epoch, value in enumerate([3.0, 4.0, 2.0, 2.0]):
        checkpoint.on_epoch_begin(epoch)
        checkpoint.on_epoch_end(epoch, {"val_loss": value})
        counts.append(model.saved)
    assert counts == [1, 1, 2, 2]


def test_checkpoint_every_so_many_batches(tmp_path):
    model, x, y = model_and_data()
    path = tmp_path / "{epoch}-{loss:.3f}.srn"
    model.fit(
        x, y, batch_size=4, epochs=2, verbose=0,
        callbacks=[callbacks.ModelCheckpoint(path, save_freq=2)],
    )  # fmt: skip
    assert len(os.listdir(tmp_path)) == 3


def test_checkpoint_arguments(tmp_path):
    with pytest.raises(ValueError, match="save_freq"):
        callbacks.ModelCheckpoint(tmp_path / "m", save_freq=0)
    model, x, y = model_and_data()
    with pytest.raises(KeyError, match="val_loss"):
        model.fit(x, y, verbose=0, callbacks=[callbacks.ModelCheckpoint(tmp_path / "{val_loss}")])


# ---- learning rate ----


@pytest.mark.parametrize(
    "schedule", [lambda epoch: 0.1 / (epoch + 1), lambda epoch, rate: rate / 2]
)
def test_learning_rate_scheduler(schedule):
    model, x, y = model_and_data()
    rates = model.fit(
        x, y, epochs=2, verbose=0, callbacks=[callbacks.LearningRateScheduler(schedule)]
    ).history["learning_rate"]
    expected = [0.1, 0.05] if schedule.__code__.co_argcount == 1 else [0.05, 0.025]
    assert rates == pytest.approx(expected)


def test_reduce_lr_on_plateau():
    model, _, _ = model_and_data()
    callback = callbacks.ReduceLROnPlateau(factor=0.5, patience=2, cooldown=1, min_lr=0.03)
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate([1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]):
        logs = {"val_loss": value}
        callback.on_epoch_end(epoch, logs)
        rates.append(model.optimizer.current_rate())
    # after epochs 1, 2 halved; one epoch of cooldown counts no waiting; then to the lower bound
    assert rates == pytest.approx([0.1, 0.1, 0.05, 0.05, 0.03, 0.03, 0.03, 0.03])
    with pytest.raises(ValueError, match="factor"):
        callbacks.ReduceLROnPlateau(factor=1.0)


# ---- others ----


@pytest.mark.filterwarnings("ignore:The loss of epoch 1 is NaN")
def test_terminate_on_nan(capsys):
    model, x, y = model_and_data()
    y[5] = np.nan
    stop = callbacks.TerminateOnNaN()
    history = model.fit(x, y, batch_size=4, epochs=3, shuffle=False, verbose=0, callbacks=[stop])
    assert history.epoch == [0] and math.isnan(history.history["loss"][0])
    assert int(model.optimizer.iterations) == 2
    assert "Batch 1: Invalid loss" in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="nan"):
        model.fit(x, y, verbose=0, callbacks=[callbacks.TerminateOnNaN(raise_error=True)])


def test_csv_logger(tmp_path):
    model, x, y = model_and_data()
    path = tmp_path / "log.csv"
    first = model.fit(x, y, epochs=2, verbose=0, callbacks=[callbacks.CSVLogger(path)])
    again = model.fit(x, y, verbose=0, callbacks=[callbacks.CSVLogger(path, append=True)])
    lines = path.read_text().split()
    values = first.history["loss"] + again.history["loss"]
    expected = [f"{e},{v},NA" for e, v in zip((0, 1, 0), values, strict=True)]
    assert lines == ["epoch,loss,val_loss", *expected]


def test_lambda_callback_refuses_unknown_hooks():
    with pytest.raises(ValueError, match=r"'on_epoch_and'.*Did you mean 'on_epoch_end'"):
        callbacks.LambdaCallback(on_epoch_and=print)


@pytest.mark.parametrize("verbose", [0, 1, 2])
def test_progbar_logger_writes_nothing_twice(verbose, capsys):
    model, x, y = model_and_data()
    model.fit(x, y, epochs=2, verbose=verbose)
    plain = capsys.readouterr().out
    model.fit(x, y, epochs=2, verbose=verbose, callbacks=[callbacks.ProgbarLogger()])
    assert capsys.readouterr().out.count("Epoch") == plain.count("Epoch")
