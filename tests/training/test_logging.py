"""Where progress goes, and limits for trying out a script."""

import logging

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import config

X, Y = np.ones((6, 2), "float32"), np.ones((6, 1), "float32")


@pytest.fixture
def model():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    yield model
    config.enable_interactive_logging()
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(None)


def test_progress_goes_to_the_log(model, capsys, caplog):
    assert keras.utils.is_interactive_logging_enabled()
    keras.utils.disable_interactive_logging()
    assert not config.is_interactive_logging_enabled()
    stop = keras.callbacks.EarlyStopping("loss", mode="max", verbose=1)
    with caplog.at_level(logging.INFO, "seqrnn"):
        model.fit(X, Y, epochs=2, callbacks=[stop])
    lines = [record.getMessage() for record in caplog.records]
    assert lines[0] == "Epoch 1/2" and lines[1].startswith("1/1 - 0s - ")
    assert lines[-1] == "Epoch 2: early stopping"
    assert capsys.readouterr().out == ""
    keras.utils.enable_interactive_logging()
    model.predict(X)
    assert capsys.readouterr().out.startswith("1/1 ━")


def test_limits(model):
    config.set_max_epochs(2)
    config.set_max_steps_per_epoch(3)
    assert (config.max_epochs(), config.max_steps_per_epoch()) == (2, 3)
    with pytest.warns(UserWarning, match="Limited to"):
        history = model.fit(X, Y, batch_size=1, epochs=9, verbose=0)
    assert history.epoch == [0, 1] and history.params["steps"] == 3
    with pytest.warns(UserWarning, match="Limited to 3 batches"):
        assert model.predict(X, batch_size=1, verbose=0).shape == (3, 1)
    assert len(model.predict(X, batch_size=2, verbose=0)) == 6  # no more than the limit
