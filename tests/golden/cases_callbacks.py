"""Callbacks: which hooks run with which logs, what each callback does to a run, what it writes."""

import contextlib
import io
import os
import pathlib
import tempfile
import warnings

from cases_fit import classifier
from golden_builders import normal
from golden_fit import FitCase
from golden_kinds import FactCase, RefusalCase

net = classifier(2, "linear")
TARGETS = {"x": normal(11, 3), "y": normal(11, 2), "vx": normal(5, 3), "vy": normal(5, 2)}
PLAIN = {"x": normal(11, 3), "y": normal(11, 2)}


def compiled(rate=0.05, metrics=("mae",), **options):
    return lambda k: {
        "loss": "mse",
        "optimizer": k.optimizers.SGD(rate),
        "metrics": list(metrics),
        **options,
    }


def _run(name, callbacks=None, data=TARGETS, compile=None, hooks=False, **fit):
    fit = {"epochs": 2, "batch_size": 4, **fit}
    compile = compile or compiled()
    return FitCase(name, net, data, compile, fit, hooks=hooks, callbacks=callbacks)


HOOKS = [
    _run("hooks_validation", hooks=True),
    _run("hooks_without_validation", data=PLAIN, hooks=True),
    _run("hooks_split", data=PLAIN, hooks=True, validation_split=0.3),
    _run("hooks_freq", hooks=True, epochs=4, validation_freq=2),
    _run("hooks_freq_list", hooks=True, epochs=4, validation_freq=[1, 4]),
    _run("hooks_initial_epoch", hooks=True, epochs=5, initial_epoch=3),
    _run("hooks_no_epochs_left", data=PLAIN, hooks=True, epochs=2, initial_epoch=2),
    _run("hooks_one_batch", hooks=True, batch_size=64),
    _run("hooks_single_samples", data=PLAIN, hooks=True, epochs=1, batch_size=1),
    _run("hooks_validation_batch", hooks=True, validation_batch_size=2),
    _run("hooks_validation_steps", hooks=True, validation_steps=1),
    _run("hooks_steps", data=PLAIN, hooks=True, steps_per_epoch=2),
    _run("hooks_steps_per_execution", hooks=True, compile=compiled(steps_per_execution=2)),
    _run("hooks_no_metrics", hooks=True, compile=compiled(metrics=())),
    _run("hooks_metric_classes", hooks=True,
         compile=compiled(metrics=("mse", "mae", "cosine_similarity"))),
]  # fmt: skip


STALLS = -0.02  # this rate, and the monitored value should grow, which it does not


def _stalling(rate, options):
    return {"mode": "max", **options} if rate < 0 else options


def _early(**options):
    return lambda k: [k.callbacks.EarlyStopping(**options)]


def _plateau(**options):
    return lambda k: [k.callbacks.ReduceLROnPlateau(**options)]


STOPPING = [
    _run(f"early_{name}", _early(**_stalling(rate, options)), epochs=8, compile=compiled(abs(rate)))
    for name, rate, options in [
        ("diverging", STALLS, {}),
        ("patience", STALLS, {"patience": 3}),
        ("restore", STALLS, {"patience": 2, "restore_best_weights": True}),
        ("restore_at_the_end", 0.05, {"patience": 20, "restore_best_weights": True}),
        ("start_from", STALLS, {"start_from_epoch": 3}),
        ("min_delta", 0.01, {"min_delta": 0.5}),
        ("negative_min_delta", 0.01, {"min_delta": -0.5, "patience": 1}),
        ("baseline", 0.01, {"baseline": 0.01, "patience": 2}),
        ("baseline_restore", 0.01,
         {"baseline": 0.01, "patience": 2, "restore_best_weights": True}),
        ("loss", STALLS, {"monitor": "loss"}),
        ("metric", STALLS, {"monitor": "val_mae", "patience": 1}),
        ("max", 0.05, {"mode": "max", "patience": 1}),
        ("min", 0.05, {"mode": "min", "patience": 1}),
        ("missing", 0.05, {"monitor": "val_nothing", "mode": "min"}),
    ]
]  # fmt: skip

RATES = [
    *(
        _run(f"plateau_{name}", _plateau(**_stalling(rate, options)), epochs=8,
             compile=compiled(abs(rate)))
        for name, rate, options in [
            ("default", STALLS, {}),
            ("patience", STALLS, {"patience": 2}),
            ("factor", STALLS, {"patience": 1, "factor": 0.7}),
            ("cooldown", STALLS, {"patience": 1, "cooldown": 2, "factor": 0.9}),
            ("min_lr", STALLS, {"patience": 1, "factor": 0.5, "min_lr": 0.4}),
            ("min_delta", 0.02, {"patience": 1, "min_delta": 0.2}),
            ("max", 0.05, {"mode": "max", "patience": 2}),
            ("loss", STALLS, {"monitor": "loss", "patience": 1}),
            ("missing", 0.05, {"monitor": "val_nothing", "mode": "min"}),
        ]
    ),
    _run("scheduler_epoch",
         lambda k: [k.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch))], epochs=4),
    _run("scheduler_rate",
         lambda k: [k.callbacks.LearningRateScheduler(lambda epoch, rate: float(rate) * 0.5)],
         epochs=4),
    _run("scheduler_and_plateau",
         lambda k: [k.callbacks.LearningRateScheduler(lambda epoch, rate: float(rate)),
                    k.callbacks.ReduceLROnPlateau(patience=1)], epochs=5),
    _run("scheduler_hooks",
         lambda k: [k.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (1 + epoch))],
         hooks=True, epochs=3),
]  # fmt: skip


class Stop:
    """Makes a callback that stops training at a hook."""

    def __init__(self, hook, at):
        self.hook, self.at = hook, at

    def __call__(self, k):
        at = self.at

        def stop(self, index, logs=None):
            if index == at:
                self.model.stop_training = True

        return [type("Stop", (k.callbacks.Callback,), {self.hook: stop})()]


STOPS = [
    _run(f"stop_{hook}_{at}", Stop(hook, at), hooks=True, epochs=3)
    for hook, at in [
        ("on_epoch_end", 0),
        ("on_epoch_end", 1),
        ("on_epoch_begin", 1),
        ("on_train_batch_end", 0),
        ("on_train_batch_end", 2),
        ("on_train_batch_begin", 1),
    ]
]


# ---- what is written ----


def _trained(k, make, epochs=2, batch_size=4, rate=0.125, steps_per_execution=1, **fit):
    """Trains with `make(k, directory)`; gives the directory's files, and the callback."""
    import numpy as np

    k.utils.clear_session()
    model = k.Sequential([k.Input((3,)), k.layers.Dense(2)])
    model.set_weights([np.zeros((3, 2)), np.zeros(2)])
    model.compile(k.optimizers.SGD(rate), "mse", metrics=["mae"],
                  steps_per_execution=steps_per_execution)  # fmt: skip
    x = np.ones((8, 3), "float32")
    y = np.ones((8, 2), "float32")
    with tempfile.TemporaryDirectory() as directory:
        callback = make(k, directory)
        model.fit(x, y, epochs=epochs, batch_size=batch_size, verbose=0, shuffle=False,
                  callbacks=[callback], **fit)  # fmt: skip
        files = sorted(
            os.path.relpath(os.path.join(root, name), directory)
            for root, _, names in os.walk(directory)
            for name in names
        )
        path = pathlib.Path(directory)
        texts = {n: (path / n).read_text() for n in files if n.endswith("csv")}
    return files, texts, callback


def _checkpoint(name, filename, differs="", here=None, at_once=1, **options):
    def call(k):
        def make(k, directory):
            return k.callbacks.ModelCheckpoint(os.path.join(directory, filename), **options)

        return _trained(k, make, steps_per_execution=at_once)[0]

    return FactCase(f"checkpoint_{name}", call, differs=differs, here=here)


def _header(k, **options):
    def make(k, directory):
        return k.callbacks.CSVLogger(os.path.join(directory, "log.csv"), **options)

    _, texts, _ = _trained(k, make, validation_split=0.25)
    lines = texts["log.csv"].splitlines()
    separator = options.get("separator", ",")
    return [sorted(lines[0].split(separator)[1:]), lines[0].split(separator)[0], len(lines)]


WRITTEN = [
    _checkpoint("each", "m{epoch:02d}.keras"),
    _checkpoint("weights", "m{epoch}.weights.h5", save_weights_only=True),
    _checkpoint("named_by_loss", "{epoch}-{loss:.1f}.keras"),
    _checkpoint("every_batch", "m{epoch}.keras", save_freq=1),
    _checkpoint("every_third_batch", "m{epoch}.keras", save_freq=3),
    _checkpoint("best", "m{epoch}.keras", save_best_only=True, monitor="loss"),
    _checkpoint("best_max", "m{epoch}.keras", save_best_only=True, monitor="loss", mode="max"),
    _checkpoint("threshold", "m{epoch}.keras", save_best_only=True, monitor="loss",
                initial_value_threshold=0.01),
    _checkpoint("best_missing", "m{epoch}.keras", save_best_only=True, monitor="val_loss"),
    _checkpoint("named_by_batch", "m{epoch}-{batch}.keras", save_freq=1),
    _checkpoint("several_at_once", "m{epoch}-{batch}.keras", save_freq=1, at_once=2),
    _checkpoint("third_of_two_at_once", "m{epoch}.keras", save_freq=3, at_once=2),
    _checkpoint("subdirectory", "a/b/m{epoch}.keras"),
    FactCase("csv_header", _header),
    FactCase("csv_separator", lambda k: _header(k, separator=";")),
    FactCase("csv_append", lambda k: _header(k, append=True)),
    FactCase(
        "history_params",
        lambda k: {n: _trained(k, lambda k, _: k.callbacks.Callback())[2].params[n]
                   for n in ("epochs", "steps", "verbose")},
    ),
]  # fmt: skip

# ---- what is said ----


def _said(name, make, rate=0.125, epochs=4, differs="", here=None, **fit):
    """The lines that a callback prints during a silent `fit`."""

    def call(k):
        folder = []

        def made(k, directory):
            folder.append(directory)
            return make(k, directory)

        with contextlib.redirect_stdout(io.StringIO()) as text, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _trained(k, made, epochs=epochs, rate=rate, **fit)
        return text.getvalue().replace(folder[0], "<dir>").split("\n")

    return FactCase(f"said_{name}", call, differs=differs, here=here)


def _saving(**options):
    options = {"monitor": "loss", "verbose": 1, **options}

    def make(k, directory):
        return k.callbacks.ModelCheckpoint(os.path.join(directory, "m{epoch}.keras"), **options)

    return make


SAID = [
    _said("checkpoint_each", _saving()),
    _said("checkpoint_batches", _saving(save_freq=3)),
    _said("checkpoint_best", _saving(save_best_only=True)),
    _said("checkpoint_not_better", _saving(save_best_only=True, mode="max")),
    _said("checkpoint_threshold", _saving(save_best_only=True, initial_value_threshold=0.125)),
    _said("checkpoint_missing", _saving(save_best_only=True, monitor="val_loss")),
    _said("checkpoint_weights", lambda k, directory: k.callbacks.ModelCheckpoint(
        os.path.join(directory, "w.weights.h5"), save_weights_only=True, verbose=1)),
    _said("checkpoint_silent", _saving(verbose=0)),
    *(
        _said(f"early_{name}", lambda k, _, options=options: k.callbacks.EarlyStopping(**options))
        for name, options in [
            ("stops", {"monitor": "loss", "mode": "max", "verbose": 1}),
            ("restores", {"monitor": "loss", "mode": "max", "verbose": 1, "patience": 2,
                          "restore_best_weights": True}),
            ("restores_at_the_end", {"monitor": "loss", "verbose": 1, "patience": 9,
                                     "restore_best_weights": True}),
            ("runs_through", {"monitor": "loss", "verbose": 1, "patience": 9}),
            ("silent", {"monitor": "loss", "mode": "max", "restore_best_weights": True}),
        ]
    ),
    *(
        _said(f"plateau_{name}", lambda k, _, options=options: k.callbacks.ReduceLROnPlateau(
            monitor="loss", mode="max", factor=0.5, **options))
        for name, options in [
            ("reduces", {"patience": 1, "verbose": 1}),
            ("until_min", {"patience": 1, "verbose": 1, "min_lr": 0.046875}),
            ("waits", {"patience": 9, "verbose": 1}),
            ("silent", {"patience": 1}),
        ]
    ),
    _said("scheduler", lambda k, _: k.callbacks.LearningRateScheduler(
        lambda epoch: 0.25 / 2**epoch, verbose=1)),
    _said("scheduler_rate", lambda k, _: k.callbacks.LearningRateScheduler(
        lambda epoch, rate: rate * 0.5, verbose=1)),
    _said("scheduler_decimal", lambda k, _: k.callbacks.LearningRateScheduler(
        lambda epoch: 0.1, verbose=1)),
    _said("scheduler_silent", lambda k, _: k.callbacks.LearningRateScheduler(lambda epoch: 0.1)),
    _said("nan", lambda k, _: k.callbacks.TerminateOnNaN(), rate=1e30),
    _said("finite", lambda k, _: k.callbacks.TerminateOnNaN()),
    _said("backup", lambda k, directory: k.callbacks.BackupAndRestore(
        os.path.join(directory, "backup"))),
]  # fmt: skip

REFUSED = [
    RefusalCase("plateau_factor_one", lambda k: k.callbacks.ReduceLROnPlateau(factor=1.0),
                ["factor", "1.0"]),
    RefusalCase("backup_dir_empty", lambda k: k.callbacks.BackupAndRestore(""), ["backup_dir"]),
    RefusalCase("backup_freq", lambda k: k.callbacks.BackupAndRestore("b", save_freq="batch"),
                ["save_freq", "batch"]),
    RefusalCase("checkpoint_freq", lambda k: k.callbacks.ModelCheckpoint("m.keras", save_freq="x"),
                ["save_freq", "x"]),
    RefusalCase("early_unknown_argument", lambda k: k.callbacks.EarlyStopping(patiance=3),
                ["patiance", "patience"]),
    RefusalCase("early_mode", lambda k: k.callbacks.EarlyStopping(mode="maxx"), ["maxx", "max"],
                raises=ValueError),
    RefusalCase("plateau_mode", lambda k: k.callbacks.ReduceLROnPlateau(mode="best"),
                ["best"], raises=ValueError),
    RefusalCase("early_patience_negative", lambda k: k.callbacks.EarlyStopping(patience=-1),
                ["patience", "-1"], raises=ValueError),
    RefusalCase("lambda_hook", lambda k: k.callbacks.LambdaCallback(on_epoch_and=print),
                ["on_epoch_and", "on_epoch_end"], raises=ValueError),
    *(RefusalCase(f"tensorboard_{option}",
                  lambda k, option=option: k.callbacks.TensorBoard(**{option: 1}),
                  [option, "not supported"], raises=ValueError, lacking=True)
      for option in ("write_images", "embeddings_freq")),
]  # fmt: skip

CASES = [*HOOKS, *STOPPING, *RATES, *STOPS, *WRITTEN, *SAID, *REFUSED]
