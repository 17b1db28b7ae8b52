"""Passes over data in several threads on one model: each gives what it gives alone."""

import threading

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers, ops

X = np.random.default_rng(0).normal(size=(64, 5, 3)).astype("float32")
Y = np.random.default_rng(1).normal(size=(64, 1)).astype("float32")


def doubled(y_true, y_pred):
    return 2.0 * ops.mean(ops.abs(y_true - y_pred), -1)


def with_numpy(y_true, y_pred):
    return np.mean(np.abs(np.asarray(y_true) - np.asarray(y_pred)))


def compiled(metrics, rate=0.01):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([layers.Input((5, 3)), layers.GRU(4), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), "mse", metrics=metrics)
    return model


def in_threads(functions):
    """Their results, called at the same time."""
    found = [None] * len(functions)

    def call(i):
        found[i] = functions[i]()

    threads = [threading.Thread(target=call, args=(i,)) for i in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


@pytest.mark.parametrize("metrics", [["mae", doubled], [with_numpy]])
@pytest.mark.filterwarnings("ignore:The metric 'with_numpy' can't be traced")
def test_evaluate_in_threads(metrics):
    model = compiled(metrics)
    data = [(X[i:], Y[i:]) for i in (0, 16, 32)]
    alone = [model.evaluate(x, y, 4, verbose=0) for x, y in data]

    def repeated(x, y):
        return [model.evaluate(x, y, 4, verbose=0) for _ in range(40)]

    for found, expected in zip(
        in_threads([lambda d=d: repeated(*d) for d in data]), alone, strict=True
    ):
        np.testing.assert_array_equal(found, [expected] * 40)


def test_evaluate_beside_fit():
    model = compiled(["mae"], rate=0.0)
    alone = model.evaluate(X, Y, 4, verbose=0)
    fit = model.fit(X, Y, 4, epochs=40, shuffle=False, verbose=0).history
    history, evaluated = in_threads(
        [
            lambda: model.fit(X, Y, 4, epochs=40, shuffle=False, verbose=0).history,
            lambda: [model.evaluate(X, Y, 4, verbose=0) for _ in range(40)],
        ]
    )
    assert history == fit
    np.testing.assert_array_equal(evaluated, [alone] * 40)


def test_metrics_keep_what_was_looked_at_last():
    metric = keras.metrics.MeanAbsoluteError()
    model = compiled([metric])
    logs = model.evaluate(X, Y, verbose=0, return_dict=True)
    assert float(metric.result()) == logs["mean_absolute_error"]
    logs = model.train_on_batch(X[:8], Y[:8], return_dict=True)
    assert float(metric.result()) == logs["mean_absolute_error"]
