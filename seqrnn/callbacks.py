"""Callbacks: what happens besides training, at its begin, its end, and around epochs and batches.

`fit` calls the user's in their order, then `History` and the progress output, which so show what
the user's add to `logs`. `logs` are floats by name; at the end of an epoch also the validation's,
as val_*.
"""

import csv
import inspect
import math
import os
import warnings

from seqrnn.errors import UnknownArgumentError, did_you_mean, public_names
from seqrnn.training.arguments import check_patience

_HOOKS = [
    f"on_{what}_{when}"
    for what in ("train", "test", "predict", "epoch", "batch", "train_batch", "test_batch",
                 "predict_batch")
    for when in ("begin", "end")
]  # fmt: skip


class Callback:
    """Base of callbacks. Attributes: `model`; `params`, with 'verbose', 'epochs' and 'steps'."""

    def __new__(cls, *args, **kwargs):
        known = inspect.signature(cls.__init__).parameters
        if not any(p.kind is p.VAR_KEYWORD for p in known.values()):
            for name in kwargs.keys() - known.keys():
                raise UnknownArgumentError(
                    f"{cls.__name__}() got an unexpected keyword argument {name!r}."
                    f"{did_you_mean(name, list(known)[1:])}"
                )
        return super().__new__(cls)

    def __init__(self):
        self._model = None
        self.params = None

    @property
    def model(self):
        return getattr(self, "_model", None)

    def set_model(self, model):
        self._model = model

    def set_params(self, params):
        self.params = params

    def on_train_begin(self, logs=None):
        """Before the first epoch."""

    def on_train_end(self, logs=None):
        """After the last epoch, with its logs."""

    def on_epoch_begin(self, epoch, logs=None):
        """Before an epoch, numbered from 0."""

    def on_epoch_end(self, epoch, logs=None):
        """After an epoch and its validation."""

    def on_batch_begin(self, batch, logs=None):
        """As `on_train_batch_begin`."""

    def on_batch_end(self, batch, logs=None):
        """As `on_train_batch_end`."""

    def on_train_batch_begin(self, batch, logs=None):
        """Before a batch of training, numbered from 0 in each epoch."""
        self.on_batch_begin(batch, logs=logs)

    def on_train_batch_end(self, batch, logs=None):
        """After a batch, with the running values of loss and metrics."""
        self.on_batch_end(batch, logs=logs)

    def on_test_begin(self, logs=None):
        """Before `evaluate`, also the validation in `fit`."""

    def on_test_end(self, logs=None):
        """After `evaluate`, with loss and metrics."""

    def on_test_batch_begin(self, batch, logs=None):
        """Before a batch of `evaluate`."""

    def on_test_batch_end(self, batch, logs=None):
        """After a batch of `evaluate`."""

    def on_predict_begin(self, logs=None):
        """Before `predict`."""

    def on_predict_end(self, logs=None):
        """After `predict`."""

    def on_predict_batch_begin(self, batch, logs=None):
        """Before a batch of `predict`."""

    def on_predict_batch_end(self, batch, logs=None):
        """After a batch of `predict`, with {'outputs': array}."""


class CallbackList:
    """Several callbacks as one. A hook that nobody has costs nothing.

    Args:
        callbacks: a callback, a list or tuple of them, or None.
        last: callbacks that go after them.
    """

    def __init__(self, callbacks, last=(), model=None, **params):
        if callbacks is None:
            callbacks = []
        elif not isinstance(callbacks, list | tuple):
            callbacks = [callbacks]
        for callback in callbacks:
            if not hasattr(callback, "on_epoch_end") or isinstance(callback, type):
                hint = f" Write {callback.__name__}(...)." if isinstance(callback, type) else ""
                raise TypeError(
                    f"Expected callbacks to be Callback objects, got {callback!r}.{hint}"
                )
        self.callbacks = [*callbacks, *last]
        for callback in self.callbacks:
            callback.set_model(model)
            callback.set_params(params)
        self._hooks = {}  # by name, once asked for

    def _listeners(self, name):
        if name not in self._hooks:
            also = {"on_train_batch_begin": "on_batch_begin", "on_train_batch_end": "on_batch_end"}
            names = [name, also.get(name, name)]
            self._hooks[name] = [
                getattr(callback, name)
                for callback in self.callbacks
                if any(_overrides(callback, each) for each in names)
            ]
        return self._hooks[name]

    def has(self, *names):
        """Whether any callback listens to one of these hooks."""
        return any(map(self._listeners, names))

    def call(self, name, *args):
        """Calls a hook of all that have it."""
        for hook in self._listeners(name):
            hook(*args)


def _overrides(callback, name):
    mine = getattr(callback, name, None)
    return mine is not None and getattr(mine, "__func__", mine) is not getattr(Callback, name)


class History(Callback):
    """What `fit` returns: `history`, lists of floats by name; `epoch`, their numbers."""

    def __init__(self):
        super().__init__()
        self.history = {}
        self.epoch = []

    def on_train_begin(self, logs=None):
        self.epoch = []

    def on_epoch_end(self, epoch, logs=None):
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)
        self.model.history = self


class LambdaCallback(Callback):
    """A callback out of functions: LambdaCallback(on_epoch_end=lambda epoch, logs: ...)."""

    def __init__(self, **functions):
        super().__init__()
        for name, function in functions.items():
            if name not in _HOOKS:
                raise ValueError(
                    f"LambdaCallback: unknown hook {name!r}.{did_you_mean(name, _HOOKS)}"
                )
            if function is not None:
                setattr(self, name, function)


class TerminateOnNaN(Callback):
    """Stops training at a loss that is not finite; `raise_error` raises RuntimeError instead."""

    def __init__(self, raise_error=False):
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(f"The loss is {loss} at batch {batch}: training was stopped.")
        print(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True


class _Monitor(Callback):
    """What callbacks share that watch one value: whether it has become better.

    mode 'auto': a higher value is better for names that end in acc, accuracy or auc (or contain
    precision, recall, f1, r2 or similarity), a lower one for all others (Keras 2).
    """

    def __init__(self, monitor, mode, min_delta=0.0):
        super().__init__()
        if mode not in ("auto", "min", "max"):
            raise ValueError(
                f"{type(self).__name__}: unknown mode {mode!r}."
                f"{did_you_mean(mode, ('auto', 'min', 'max'))}"
            )
        self.monitor = monitor
        self.mode = mode
        self.min_delta = abs(min_delta)
        name = monitor.lower()
        grows = name.endswith(("acc", "accuracy", "auc")) or any(
            word in name for word in ("precision", "recall", "f1", "r2", "cosine_similarity")
        )
        self._sign = 1.0 if mode == "max" or (mode == "auto" and grows) else -1.0

    def worst(self):
        return -math.inf if self._sign > 0 else math.inf

    def better(self, value, best):
        return self._sign * (value - best) > self.min_delta or (
            math.isinf(best) and not math.isinf(value) and not math.isnan(value)
        )

    def current(self, logs):
        """The watched value, or None with a warning if it isn't in the logs."""
        value = (logs or {}).get(self.monitor)
        if value is None:
            warnings.warn(
                f"{type(self).__name__} watches {self.monitor!r}, which is not in the logs: "
                f"{', '.join(logs or {})}.",
                stacklevel=6,
            )
        return value


class EarlyStopping(_Monitor):
    """Stops when `monitor` has not improved by more than `min_delta` for `patience` epochs.

    Args:
        baseline: value that has to be beaten.
        restore_best_weights: whether the weights of the best epoch come back at the end.
        start_from_epoch: epochs before this one don't count.
    """

    def __init__(
        self,
        monitor="val_loss",
        min_delta=0,
        patience=0,
        verbose=0,
        mode="auto",
        baseline=None,
        restore_best_weights=False,
        start_from_epoch=0,
    ):
        super().__init__(monitor, mode, min_delta)
        self.patience = check_patience(patience, "EarlyStopping")
        self.verbose = verbose
        self.baseline = baseline
        self.restore_best_weights = restore_best_weights
        self.start_from_epoch = start_from_epoch
        self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
        self.best, self.best_weights = None, None

    def on_train_begin(self, logs=None):
        self.wait, self.stopped_epoch, self.best_epoch = 0, 0, 0
        self.best, self.best_weights = self.worst(), None

    def on_epoch_end(self, epoch, logs=None):
        value = self.current(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        if self.restore_best_weights and self.best_weights is None:
            self.best_weights, self.best_epoch = self.model.get_weights(), epoch
        self.wait += 1
        if self.better(value, self.best):
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.baseline is None or self.better(value, self.baseline):
                self.wait = 0
            return
        if self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                print(
                    "Restoring model weights from the end of the best epoch: "
                    f"{self.best_epoch + 1}."
                )
            self.model.set_weights(self.best_weights)


class ModelCheckpoint(_Monitor):
    """Saves the model, or its weights, as training goes on.

    Args:
        filepath: may hold {epoch} (from 1) and names of the logs: "model-{epoch:02d}.srn".
        save_best_only: only when `monitor` is better than ever before.
        save_weights_only: `model.save_weights` instead of `model.save`.
        save_freq: 'epoch', or every so many batches.
        initial_value_threshold: what `monitor` has to beat at first.
    """

    def __init__(
        self,
        filepath,
        monitor="val_loss",
        verbose=0,
        save_best_only=False,
        save_weights_only=False,
        mode="auto",
        save_freq="epoch",
        initial_value_threshold=None,
    ):
        super().__init__(monitor, mode)
        if save_freq != "epoch" and not (isinstance(save_freq, int) and save_freq > 0):
            raise ValueError(
                "ModelCheckpoint: save_freq must be 'epoch' or a number of batches, got "
                f"{save_freq!r}."
            )
        self.filepath = os.fspath(filepath)
        self.verbose = verbose
        self.save_best_only = save_best_only
        self.save_weights_only = save_weights_only
        self.save_freq = save_freq
        self.best = self.worst() if initial_value_threshold is None else initial_value_threshold
        self._epoch = 0
        self._batches = 0

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches % self.save_freq == 0:
            self._save(logs)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save(logs)

    def _save(self, logs):
        if self.save_best_only:
            value = self.current(logs)
            if value is None or not self.better(value, self.best):
                return
            if self.verbose:
                print(
                    f"\nEpoch {self._epoch + 1}: {self.monitor} improved from {self.best:.5f} to "
                    f"{value:.5f}, saving model to {self._path(logs)}"
                )
            self.best = value
        elif self.verbose:
            print(f"\nEpoch {self._epoch + 1}: saving model to {self._path(logs)}")
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(self._path(logs))

    def _path(self, logs):
        try:
            return self.filepath.format(epoch=self._epoch + 1, **(logs or {}))
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: filepath {self.filepath!r} names {error}, which is not in the "
                f"logs: {', '.join(logs or {})}."
            ) from None


class LearningRateScheduler(Callback):
    """Sets the learning rate of each epoch: schedule(epoch, rate) or schedule(epoch) -> rate."""

    def __init__(self, schedule, verbose=0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose
        self._n_arguments = len(inspect.signature(schedule).parameters)

    def on_epoch_begin(self, epoch, logs=None):
        optimizer = self.model.optimizer
        arguments = (epoch, optimizer.current_rate())[: self._n_arguments]
        optimizer.learning_rate = self.schedule(*arguments)
        if self.verbose:
            rate = optimizer.current_rate()
            print(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = self.model.optimizer.current_rate()


class ReduceLROnPlateau(_Monitor):
    """Multiplies the learning rate by `factor` when `monitor` stalls for `patience` epochs.

    `cooldown` epochs pass before it counts again; the rate never goes below `min_lr`.
    """

    def __init__(
        self,
        monitor="val_loss",
        factor=0.1,
        patience=10,
        verbose=0,
        mode="auto",
        min_delta=0.0001,
        cooldown=0,
        min_lr=0.0,
    ):
        super().__init__(monitor, mode, min_delta)
        if factor >= 1.0:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1, got {factor}.")
        self.factor = factor
        self.patience = check_patience(patience, "ReduceLROnPlateau")
        self.verbose = verbose
        self.cooldown = cooldown
        self.min_lr = min_lr
        self.best, self.wait, self.cooldown_counter = self.worst(), 0, 0

    def on_train_begin(self, logs=None):
        self.best, self.wait, self.cooldown_counter = self.worst(), 0, 0

    def on_epoch_end(self, epoch, logs=None):
        optimizer = self.model.optimizer
        logs["learning_rate"] = optimizer.current_rate()
        value = self.current(logs)
        if value is None:
            return
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.wait = 0
        if self.better(value, self.best):
            self.best, self.wait = value, 0
            return
        if self.cooldown_counter > 0:
            return
        self.wait += 1
        rate = optimizer.current_rate()
        if self.wait >= self.patience and rate > self.min_lr:
            optimizer.learning_rate = max(rate * self.factor, self.min_lr)
            if self.verbose:
                print(
                    f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to "
                    f"{optimizer.current_rate()}."
                )
            self.cooldown_counter, self.wait = self.cooldown, 0


class CSVLogger(Callback):
    """Writes the logs of each epoch as a line of a CSV file; `append` keeps what is there."""

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._file, self._writer, self._names = None, None, None

    def on_train_begin(self, logs=None):
        has_header = (
            self.append and os.path.exists(self.filename) and os.path.getsize(self.filename)
        )
        self._file = open(self.filename, "a" if self.append else "w", newline="")  # noqa: SIM115
        self._writer, self._names = None, bool(has_header)

    def on_epoch_end(self, epoch, logs=None):
        if self._writer is None:
            names = ["epoch", *(logs or {})]
            self._writer = csv.DictWriter(
                self._file, names, restval="NA", extrasaction="ignore", delimiter=self.separator
            )
            if not self._names:
                self._writer.writeheader()
        self._writer.writerow({"epoch": epoch, **(logs or {})})
        self._file.flush()

    def on_train_end(self, logs=None):
        self._file.close()
        self._file, self._writer = None, None


__getattr__, __dir__ = public_names(__name__)
