"""Callbacks of a few lines: schedules, logs as a table, a stop at NaN."""

import csv
import inspect
import math
import os

import numpy as np

from seqrnn.callbacks.base import Callback
from seqrnn.utils.progress import say

_Parameter = inspect.Parameter
_BOTH = _Parameter.POSITIONAL_OR_KEYWORD


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
        say(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True


class LearningRateScheduler(Callback):
    """Sets the learning rate of each epoch: schedule(epoch, rate) or schedule(epoch) -> rate.

    Raises ValueError when the schedule gives no number.
    """

    def __init__(self, schedule, verbose=0):
        super().__init__()
        self.schedule = schedule
        self.verbose = verbose
        kinds = [p.kind for p in inspect.signature(schedule).parameters.values()]
        positional = [k for k in kinds if k in (_Parameter.POSITIONAL_ONLY, _BOTH)]
        self._n_arguments = 2 if _Parameter.VAR_POSITIONAL in kinds else min(len(positional), 2)

    def on_epoch_begin(self, epoch, logs=None):
        optimizer = self.model.optimizer
        arguments = (epoch, optimizer.current_rate())[: self._n_arguments]
        rate = self.schedule(*arguments)
        if not isinstance(rate, (int, float, np.number, np.ndarray)) or np.ndim(rate):
            raise ValueError(
                f"LearningRateScheduler: the schedule must return a number, got {rate!r} for epoch "
                f"{epoch}."
            )
        optimizer.learning_rate = float(rate)
        if self.verbose:
            rate = optimizer.current_rate()
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = self.model.optimizer.current_rate()


class ProgbarLogger(Callback):
    """The progress output, as an entry of `callbacks`: it is there in any case, as `verbose` says,
    and not written twice."""


class CSVLogger(Callback):
    """Writes the logs of each epoch as a line of a CSV file; `append` keeps what is there.

    Columns: epoch, then the logs of the first epoch, and those of a validation even if there has
    been none yet; NA for what is missing.
    """

    def __init__(self, filename, separator=",", append=False):
        super().__init__()
        self.filename = os.fspath(filename)
        self.separator = separator
        self.append = append
        self._names, self._has_header = None, False

    def on_train_begin(self, logs=None):
        if not self.append:
            open(self.filename, "w").close()
        self._has_header = os.path.exists(self.filename) and os.path.getsize(self.filename) > 0
        self._names = None

    def on_epoch_end(self, epoch, logs=None):
        if self._names is None:
            names = list(logs or {})
            if not any(name.startswith("val_") for name in names):
                names += [f"val_{name}" for name in names]  # of later epochs: validation_freq
            self._names = ["epoch", *names]
        # Opened for each line, so that no file stays open if training ends with an error.
        with open(self.filename, "a", newline="") as file:
            writer = csv.DictWriter(
                file, self._names, restval="NA", extrasaction="ignore", delimiter=self.separator
            )
            if not self._has_header:
                writer.writeheader()
                self._has_header = True
            writer.writerow({"epoch": epoch, **(logs or {})})
