"""Callbacks that watch one value of the logs, and act when it stalls."""

import math
import warnings

from seqrnn.callbacks.base import Callback
from seqrnn.errors import did_you_mean
from seqrnn.training.arguments import check_patience
from seqrnn.utils.progress import say

_GROWING = {"precision", "recall", "f1", "r2", "similarity"}  # words of metrics' names


class Monitor(Callback):
    """What callbacks share that watch one value: whether it has become better.

    mode 'auto': a lower value is better for names that end in loss; a higher one for names that end
    in acc, accuracy or auc, or with precision, recall, f1, r2, similarity among their words; a
    lower one for all others (Keras 2).
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
        grows = not name.endswith("loss") and (
            name.endswith(("acc", "accuracy", "auc")) or not _GROWING.isdisjoint(name.split("_"))
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


class EarlyStopping(Monitor):
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
            say(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                say(
                    "Restoring model weights from the end of the best epoch: "
                    f"{self.best_epoch + 1}."
                )
            self.model.set_weights(self.best_weights)


class ReduceLROnPlateau(Monitor):
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
                say(
                    f"\nEpoch {epoch + 1}: ReduceLROnPlateau reducing learning rate to "
                    f"{optimizer.current_rate()}."
                )
            self.cooldown_counter, self.wait = self.cooldown, 0
