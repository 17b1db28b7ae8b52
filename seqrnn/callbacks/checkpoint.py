"""The model or its weights in a file, as training goes on."""

import math
import os

from seqrnn.callbacks.monitors import Monitor
from seqrnn.utils.progress import say


class ModelCheckpoint(Monitor):
    """Saves the model, or its weights, as training goes on.

    Args:
        filepath: may hold {epoch} (from 1), names of the logs, and with a number as `save_freq`
            {batch} (from 1): "model-{epoch:02d}.srn". Directories are made.
        save_best_only: only when `monitor` is better than ever before; when it is missing, with a
            warning, always.
        save_weights_only: `model.save_weights` instead of `model.save`.
        save_freq: 'epoch', or every so many batches.
        verbose: 1 to print what is done.
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
        if save_freq != "epoch" and not (type(save_freq) is int and save_freq > 0):
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
        self._unsaved = 0  # batches since the last save, with a number of them as save_freq
        self._last = -1  # the batch of the hook before

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.save_freq == "epoch":
            return
        self._unsaved += batch - self._last if batch > self._last else batch + 1
        self._last = batch
        if self._unsaved >= self.save_freq:
            self._unsaved = 0
            self._save(logs, batch)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save(logs)

    def _save(self, logs, batch=None):
        path = self._path(logs, batch)
        if self.save_best_only:
            value = self.current(logs)
            if value is not None and not self._improved(value, path):
                return
        else:
            self._say(f"saving model to {path}")
        os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
        save = self.model.save_weights if self.save_weights_only else self.model.save
        save(path)
        self._say(f"finished saving model to {path}")

    def _say(self, text):
        if self.verbose:
            say(f"\nEpoch {self._epoch + 1}: {text}")

    def _improved(self, value, path):
        """Whether `value` is the best so far; it is kept then."""
        before = "None" if math.isinf(self.best) else f"{self.best:.5f}"
        if not self.better(value, self.best):
            self._say(f"{self.monitor} did not improve from {before}")
            return False
        self._say(f"{self.monitor} improved from {before} to {value:.5f}, saving model to {path}")
        self.best = value
        return True

    def _path(self, logs, batch):
        known = {} if batch is None else {"batch": batch + 1}
        try:
            return self.filepath.format(epoch=self._epoch + 1, **known | (logs or {}))
        except KeyError as error:
            raise KeyError(
                f"ModelCheckpoint: filepath {self.filepath!r} names {error}, which is not in the "
                f"logs: {', '.join(logs or {})}."
            ) from None
        except (ValueError, IndexError) as error:
            raise ValueError(
                f"ModelCheckpoint: filepath {self.filepath!r} can't be filled in: {error}. Write "
                "{epoch:02d}, or a log with a format for floats such as {loss:.3f}."
            ) from None
