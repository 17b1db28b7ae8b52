"""Testing with the average of the weights that an optimizer with `use_ema=True` keeps."""

from seqrnn.callbacks.base import Callback


class SwapEMAWeights(Callback):
    """Puts the averages in the place of the weights for testing and predicting, and takes them out
    for training.

    Args:
        swap_on_epoch: whether they are in place at the end of each epoch too, for callbacks after
            this one that save the model; out again when the next one begins.

    Raises ValueError when the optimizer keeps no averages.
    """

    def __init__(self, swap_on_epoch=False):
        super().__init__()
        self.swap_on_epoch = swap_on_epoch

    def _put(self, in_place):
        if in_place != self.model.optimizer.averages_in_place:
            self.model.optimizer.swap_averages()

    def on_epoch_begin(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._put(False)

    def on_epoch_end(self, epoch, logs=None):
        if self.swap_on_epoch:
            self._put(True)

    def on_test_begin(self, logs=None):
        self._put(True)

    def on_test_end(self, logs=None):
        self._put(False)

    def on_predict_begin(self, logs=None):
        self._put(True)

    def on_predict_end(self, logs=None):
        self._put(False)
