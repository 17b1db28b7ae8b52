"""The model or its weights in a file, as training goes on."""

import os

from seqrnn.callbacks.monitors import Monitor


class ModelCheckpoint(Monitor):
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
