"""Training that was killed goes on where it was."""

import contextlib
import os
import warnings

from seqrnn.callbacks.base import Callback
from seqrnn.saving import archive, state


class BackupAndRestore(Callback):
    """Writes down what a `fit` needs to go on, and goes on from there when it is called again.

    The second `fit`, in a new process after the first was killed, needs the same model, built and
    compiled, its layers with the same seeds (`utils.set_random_seed`), and the same data and
    arguments. It begins at the last backup, in the midst of an epoch too, with the weights, the
    state of the optimizer, the streams of random numbers, the order of the samples and the sums of
    the metrics of then, so that it ends with the bits of a fit that was never interrupted. Not in
    it: what other callbacks keep, the history of the epochs before, and random numbers that a
    generator or `PyDataset` of yours draws; batches that it gave are skipped.

    Args:
        backup_dir: directory for the backup, one file 'latest.srn'; made if it is missing.
        save_freq: 'epoch', or every so many batches.
        double_checkpoint: whether the backup before the last is kept too, for the case that the
            last can't be read.
        delete_checkpoint: whether the backup is deleted when `fit` ends.

    Raises ValueError at the begin of `fit` for a model that is not built or not the one that the
    backup is of; `fit` in the middle of which this happens has not changed the model.
    """

    def __init__(
        self, backup_dir, save_freq="epoch", double_checkpoint=False, delete_checkpoint=True
    ):
        super().__init__()
        if not backup_dir:
            raise ValueError("BackupAndRestore: backup_dir is empty; pass the name of a directory.")
        whole = isinstance(save_freq, int) and not isinstance(save_freq, bool) and save_freq > 0
        if save_freq != "epoch" and not whole:
            raise ValueError(
                "BackupAndRestore: save_freq must be 'epoch' or a number of batches, got "
                f"{save_freq!r}."
            )
        self.backup_dir = os.fspath(backup_dir)
        self.save_freq = save_freq
        self.double_checkpoint = double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        self._path = os.path.join(self.backup_dir, "latest.srn")
        self._previous = f"{self._path}.bkp"
        self._batches = 0
        if whole:
            self.on_train_batch_end = self._count

    def on_train_begin(self, logs=None):
        if not self.model.weights:
            raise ValueError(
                f"BackupAndRestore: model {self.model.name!r} has no weights yet; build() it or "
                "call it on data before fit()."
            )
        self._batches = 0
        if not os.path.exists(self._path):
            return
        try:
            kind, documents, arrays = archive.read_srn(self._path)
        except (OSError, ValueError) as error:
            if not os.path.exists(self._previous):
                raise
            warnings.warn(
                f"The last backup can't be read, that before it is taken: {error}", stacklevel=2
            )
            kind, documents, arrays = archive.read_srn(self._previous)
        if kind != "backup":
            raise ValueError(f"{self._path!r} is no backup of BackupAndRestore, but a {kind}.")
        self._restore(documents["training"], arrays)

    def _restore(self, document, arrays):
        stores, own = {}, {}
        for name, array in arrays.items():
            part, _, rest = name.partition("/")
            if part == "fit":
                own[rest] = array
            else:
                place, _, key = rest.rpartition("/vars/")
                stores.setdefault(place, {})[key] = array
        model = self.model
        if model.optimizer is not None and not model.optimizer.built:
            model.optimizer.build_for(model.trainable_variables)
        state.restore(model, stores, self._path)
        model.random_step, model.inference_step = document["random_steps"]
        self._batches = document["batches"]
        model._steps.underway.go_on(document, own)

    def on_epoch_end(self, epoch, logs=None):
        if self.save_freq == "epoch":
            self._save(within=False)

    def _count(self, batch, logs=None):
        self._batches += 1
        if self._batches % self.save_freq == 0:
            self._save(within=True)

    def _save(self, within):
        model = self.model
        document, own = model._steps.underway.state(model._steps, within)
        counts = [model.random_step, model.inference_step]
        document |= {"random_steps": counts, "batches": self._batches}
        arrays = {f"fit/{name}": array for name, array in own.items()}
        for place, (_, store) in state.collect(model).items():
            arrays |= {f"model/{place}/vars/{key}": array for key, array in store.items()}
        os.makedirs(self.backup_dir, exist_ok=True)
        if self.double_checkpoint and os.path.exists(self._path):
            os.replace(self._path, self._previous)
        archive.write_srn(self._path, "backup", {"training": document}, arrays)

    def on_train_end(self, logs=None):
        if not self.delete_checkpoint:
            return
        for path in (self._path, self._previous):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
        with contextlib.suppress(OSError):  # there are other files in it, or it was never made
            os.rmdir(self.backup_dir)
