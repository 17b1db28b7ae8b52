"""Callbacks of a few lines: schedules, logs as a table, a stop at NaN."""

import csv
import inspect
import math
import os

from seqrnn.callbacks.base import Callback
from seqrnn.utils.progress import say


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
            say(f"\nEpoch {epoch + 1}: LearningRateScheduler setting learning rate to {rate}.")

    def on_epoch_end(self, epoch, logs=None):
        logs["learning_rate"] = self.model.optimizer.current_rate()


class ProgbarLogger(Callback):
    """The progress output, as an entry of `callbacks`: it is there in any case, as `verbose` says,
    and not written twice."""


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
