"""A callback that raises, or Ctrl-C, at every hook: the model goes on as if nothing had been."""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers
from seqrnn.training.pace import Pace

X = np.random.default_rng(1).normal(size=(20, 5, 2)).astype("float32")
Y = X.sum(-1, keepdims=True)
HOOKS = (
    *("on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end"),
    *("on_test_begin", "on_test_batch_end", "on_test_end", "on_epoch_end", "on_train_end"),
)


class Own(keras.Model):
    def train_step(self, data):
        return super().train_step(data)


class Raises(keras.callbacks.Callback):
    """Once, at the hook."""

    def __init__(self, hook, error):
        super().__init__()
        self.error = error
        setattr(self, hook, self.interrupt)

    def interrupt(self, *args, **kwargs):
        if self.error is not None:
            error, self.error = self.error, None
            raise error


def trained(model, **options):
    return model.fit(X, Y, batch_size=8, shuffle=False, verbose=0, **options).history


@pytest.mark.parametrize("error", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize(("cls", "eager"), [(keras.Model, False), (Own, False), (Own, True)])
def test_the_next_fit_works(cls, eager, hook, error):
    keras.utils.set_random_seed(1)
    x = keras.Input((None, 2))
    y = layers.BatchNormalization()(layers.GRU(3, return_sequences=True)(x))
    model = cls(x, layers.Dense(1)(y))
    model.compile("adam", "mse", metrics=["mae"], run_eagerly=eager)
    callback, validation = Raises(hook, error), (X[:6], Y[:6])
    with pytest.raises(type(error)):
        trained(model, epochs=2, validation_data=validation, callbacks=[callback])
    # A model with the same weights and optimizer state that was never interrupted.
    steps = int(model.optimizer.iterations.numpy())
    other = keras.models.clone_model(model)
    other.compile("adam", "mse", metrics=["mae"])
    other.optimizer.build(other.trainable_variables)
    other.set_weights(model.get_weights())
    if model.optimizer.built:
        other.optimizer.set_weights(model.optimizer.variables)
    history = trained(model, validation_data=validation, callbacks=[callback])
    assert int(model.optimizer.iterations.numpy()) == steps + 3
    expected = trained(other, validation_data=validation)
    for name, values in expected.items():
        np.testing.assert_allclose(history[name], values, rtol=1e-6)
    for a, b in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_ctrl_c_while_fit_begins(monkeypatch):
    class Interrupted(dict):
        """Ctrl-C comes when the fit has just been noted in it."""

        def setdefault(self, key, value):
            super().setdefault(key, value)
            raise KeyboardInterrupt

    model = keras.Sequential([layers.GRU(3), layers.Dense(1)])
    model.compile("adam", "mse")
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(model._one_fit, "_running", running := Interrupted())
        model.fit(X, Y[:, 0], verbose=0)
    assert not running
    model.fit(X, Y[:, 0], verbose=0)


def test_the_steps_in_a_call_do_not_grow_without_end():
    pace = Pace(lambda: False)
    assert max(pace.steps() for _ in range(1000)) < 2**32
