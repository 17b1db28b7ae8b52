"""Callbacks: what happens besides training, at its begin, its end, and around epochs and batches.

`fit` calls the user's in their order, then `History` and the progress output, which so show what
the user's add to `logs`. `logs` are floats by name; at the end of an epoch also the validation's,
as val_*.
"""

import inspect

from seqrnn.errors import UnknownArgumentError, did_you_mean

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
        return bool(self.callbacks) and any(map(self._listeners, names))

    def call(self, name, *args):
        """Calls a hook of all that have it."""
        if not self.callbacks:
            return
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
