"""Cost in steps and rows: LSTM(20) x2 trained on 1 to 100,000 steps and on 1 to 1,024 rows, and a
Python loop of 250 to 2,000 unrolled steps. Nanoseconds per row and step should level off, and so
should the microseconds of tracing and compiling per step.
"""

import sys
import time

from benchmarks.cases import BY_NAME
from benchmarks.keras_subject import model_of
from benchmarks.threads.common import main, median_ms, our_keras

STEPS = (50, 500, 5_000, 20_000, 100_000)
ROWS = (1, 8, 32, 128, 512, 1024)
LOOPS = (250, 500, 1000, 2000)


def _model(keras):
    keras.utils.set_random_seed(1)
    return model_of(keras, BY_NAME["lstm"])


def _per_row_and_step(keras, rows, steps):
    """(ns per row and step of a training step, seconds of the first)."""
    import numpy as np

    from benchmarks.data import series

    model, x = _model(keras), series(rows, steps)
    y = np.zeros((rows, steps, 10), np.float32)
    began = time.perf_counter()
    model.train_on_batch(x, y)
    first = time.perf_counter() - began
    return 1e6 * median_ms(lambda: model.train_on_batch(x, y)) / (rows * steps), first


def _loop(keras, steps):
    """(seconds to the end of the first training step, ms of one more) of an unrolled loop."""
    import numpy as np

    class Unrolled(keras.layers.Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(8, 8), initializer="orthogonal", name="kernel")
            self.built = True

        def call(self, inputs):
            h = inputs[:, 0]
            for t in range(1, inputs.shape[1]):
                h = keras.ops.tanh(inputs[:, t] + keras.ops.matmul(h, self.kernel))
            return h

    model = keras.models.Sequential([keras.Input((steps, 8)), Unrolled()])
    model.compile(loss="mse", optimizer="adam")
    x = np.random.default_rng(0).standard_normal((4, steps, 8)).astype(np.float32)
    y = np.zeros((4, 8), np.float32)
    began = time.perf_counter()
    model.train_on_batch(x, y)
    first = time.perf_counter() - began
    return first, median_ms(lambda: model.train_on_batch(x, y))


def ours(given):
    keras = our_keras(given)
    figures = {}
    for steps in STEPS:
        ns, first = _per_row_and_step(keras, 2, steps)
        figures[f"2 rows x {steps:,} steps, ns per step and row"] = ns
        figures[f"2 rows x {steps:,} steps, first step, s"] = first
    for rows in ROWS:
        ns, _ = _per_row_and_step(keras, rows, 50)
        figures[f"{rows:,} rows x 50 steps, ns per step and row"] = ns
    for steps in LOOPS:
        first, again = _loop(keras, steps)
        figures[f"loop of {steps:,}, first step, s"] = first
        figures[f"loop of {steps:,}, us per iteration of the first"] = first / steps * 1e6
        figures[f"loop of {steps:,}, next step, ms"] = again
    return figures


if __name__ == "__main__":
    main(
        sys.modules[__name__],
        {"seqrnn": ours},
        {"loop of 2,000, first step, s": "under 2"},
    )
