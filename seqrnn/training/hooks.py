"""When the hooks of callbacks around batches are called, and what is put right behind them."""


class WeightsBack:
    """When something fails, averages that a callback has put in the place of the model's weights
    are taken out again."""

    def __init__(self, model):
        self._model = model

    def __enter__(self):
        pass

    def __exit__(self, failed, error, trace):
        optimizer = self._model.optimizer
        if failed and optimizer is not None and optimizer.averages_in_place:
            optimizer.swap_averages()


class BatchHooks:
    """Calls on_<kind>_batch_begin and _end.

    Args:
        listeners: a CallbackList.
        kind: 'train', 'test' or 'predict'.
        size: `steps_per_execution`: so many batches go between a begin and an end. The begin gets
            the number of the first, the end that of the last.

    Attributes:
        heard: whether any callback has such a hook.
    """

    def __init__(self, listeners, kind, size=1):
        self._begin, self._end = f"on_{kind}_batch_begin", f"on_{kind}_batch_end"
        self.heard = listeners.has(self._begin, self._end)
        self._listeners = listeners
        self._size = size

    def begin(self, first):
        """Before the batch of this number, counted from 0."""
        if self.heard and first % self._size == 0:
            self._listeners.call(self._begin, first, {})

    def end(self, done, logs):
        """After `done` batches; `logs()` is asked if a hook is due."""
        if self.heard and done % self._size == 0:
            self._listeners.call(self._end, done - 1, logs())

    def over(self, done, logs):
        """After the last batch: as Keras, the end counts the batches that there were not, too."""
        if self.heard and done % self._size:
            last = -(-done // self._size) * self._size - 1
            self._listeners.call(self._end, last, logs())
