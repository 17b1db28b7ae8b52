"""Logs for TensorBoard."""

import os
import time

from seqrnn.callbacks.base import Callback
from seqrnn.callbacks.events import EventFile
from seqrnn.training.arguments import check_count


class TensorBoard(Callback):
    """Writes event files into `log_dir`/train and `log_dir`/validation; no TensorFlow is needed.

    Tags, as in Keras 3: epoch_<log> per epoch, with epoch_learning_rate;
    evaluation_<log>_vs_iterations after each validation; batch_<log> per batch if `update_freq`
    says so; <path of a weight>/histogram.

    Args:
        log_dir: directory.
        histogram_freq: a histogram of each weight every so many epochs; 0 for none.
        write_graph: whether the JSON of a functional or sequential model is written.
        write_steps_per_second: whether the training steps per second are written too.
        update_freq: 'epoch', 'batch', or every so many batches.
        write_images, profile_batch, embeddings_freq, embeddings_metadata: not supported.

    Raises ValueError for what is not supported.
    """

    def __init__(
        self,
        log_dir="logs",
        histogram_freq=0,
        write_graph=True,
        write_images=False,
        write_steps_per_second=False,
        update_freq="epoch",
        profile_batch=0,
        embeddings_freq=0,
        embeddings_metadata=None,
    ):
        super().__init__()
        refused = {
            "write_images": write_images,
            "profile_batch": profile_batch,
            "embeddings_freq": embeddings_freq,
            "embeddings_metadata": embeddings_metadata,
        }
        for name, value in refused.items():
            if value:
                raise ValueError(
                    f"TensorBoard: {name}={value!r} is not supported; scalars, histograms and the "
                    "model's JSON are."
                )
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = 1 if update_freq == "batch" else update_freq
        if self.update_freq != "epoch":
            check_count(self.update_freq, "TensorBoard: update_freq")
            self.on_train_batch_begin = self._begin_batch
            self.on_train_batch_end = self._end_batch
        self._files = {}
        self._fitting = False
        self._batches, self._began, self._steps_before = 0, 0.0, 0

    def _file(self, name):
        if name not in self._files:
            self._files[name] = EventFile(os.path.join(self.log_dir, name))
        return self._files[name]

    def set_model(self, model):
        super().set_model(model)
        self._fitting = False  # also when the fit before ended with an error
        self._close()
        if self.write_graph and getattr(model, "_graph", None) is not None:
            self._file("train").keras_model(model.to_json())

    def on_train_begin(self, logs=None):
        self._batches, self._fitting = 0, True

    def _begin_batch(self, batch, logs=None):
        self._batches += 1
        self._began = time.perf_counter()

    def _end_batch(self, batch, logs=None):
        if self._batches % self.update_freq:
            return
        file = self._file("train")
        if self.write_steps_per_second:
            rate = 1.0 / (time.perf_counter() - self._began)
            file.scalar("batch_steps_per_second", rate, self._batches)
        for name, value in (logs or {}).items():
            file.scalar(f"batch_{name}", value, self._batches)

    def on_test_end(self, logs=None):
        if self.model.optimizer is None:
            return
        step = int(self.model.optimizer.iterations)
        for name, value in (logs or {}).items():
            self._file("validation").scalar(f"evaluation_{name}_vs_iterations", value, step)
        if not self._fitting:
            self._close()

    def on_epoch_begin(self, epoch, logs=None):
        self._steps_before = int(self.model.optimizer.iterations)
        self._epoch_began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        train = {k: v for k, v in (logs or {}).items() if not k.startswith("val_")}
        train["learning_rate"] = self.model.optimizer.current_rate()
        if self.write_steps_per_second:
            steps = int(self.model.optimizer.iterations) - self._steps_before
            train["steps_per_second"] = steps / (time.perf_counter() - self._epoch_began)
        for name, value in train.items():
            self._file("train").scalar(f"epoch_{name}", value, epoch)
        for name, value in (logs or {}).items():
            if name.startswith("val_"):
                self._file("validation").scalar(f"epoch_{name[4:]}", value, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for layer in self.model.layers:
                for weight in layer.weights:
                    self._file("train").histogram(f"{weight.path}/histogram", weight.value, epoch)
        for file in self._files.values():
            file.flush()

    def on_train_end(self, logs=None):
        self._fitting = False
        self._close()

    def _close(self):
        for file in self._files.values():
            file.close()
        self._files = {}
