"""fit, evaluate and predict with batches in parts: the same bits for any number of threads, and the
same results for any size of the batch."""

import numpy as np
import pytest
from split_plans import LNCell, close, steps

import seqrnn as keras
from seqrnn import _core, layers

T, F, U = 12, 6, 8


@pytest.fixture(autouse=True)
def float64():
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


def trained(batch_size, threads=1):
    keras.utils.set_random_seed(7)
    model = keras.Sequential(
        [
            layers.Input((T, F)),
            layers.Conv1D(U, 2, strides=2),
            layers.LSTM(U, return_sequences=True, dropout=0.1),
            layers.RNN(LNCell(U, 0.1)),
            layers.BatchNormalization(),
            layers.Dense(1),
        ]
    )
    model.compile(loss="mse", optimizer="adam", metrics=["mae"])
    x = np.random.default_rng(0).normal(size=(150, T, F))
    y = x.mean((1, 2))[:, None]
    before = _core.num_threads()
    try:
        _core.set_num_threads(threads)
        history = model.fit(x, y, batch_size=batch_size, epochs=2, verbose=0).history
        return model, x, y, history, [*model.get_weights(), model.predict(x, verbose=0)]
    finally:
        _core.set_num_threads(before)


@pytest.mark.parametrize("batch_size", [32, 64, 128])
def test_the_same_bits_for_any_number_of_threads(batch_size):
    runs = [trained(batch_size, threads) for threads in (1, 2, 3, 8)]
    plans = [traced.plan for traced in runs[0][0]._steps._plans.values()]
    assert all("lstm" in steps(plan)[1] for plan in plans)
    assert any("lstm_grad" in steps(plan)[1] for plan in plans)
    for *_, history, arrays in runs[1:]:
        assert history == runs[0][3]
        for a, b in zip(arrays, runs[0][4], strict=True):
            assert np.asarray(a).tobytes() == np.asarray(b).tobytes()


def test_short_last_batches():
    """150 samples in 32s, 64s, 128s: the last batch has 22, 22, 22 samples; or all are alone."""
    model, x, y, _, _ = trained(32)
    one = np.concatenate([model.predict(x[i : i + 1], verbose=0) for i in range(len(x))])
    for size in (32, 33, 64, 96, 128, 150):
        close(np.asarray(model.predict(x, batch_size=size, verbose=0)), one, 1e-11)
        loss, mae = model.evaluate(x, y, batch_size=size, verbose=0)
        assert loss == pytest.approx(np.mean((one - y) ** 2), rel=1e-9)
        assert mae == pytest.approx(np.mean(np.abs(one - y)), rel=1e-9)
