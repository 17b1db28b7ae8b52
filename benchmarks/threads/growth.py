"""Cost in steps and rows: LSTM(20) x2 trained on 50 to 100,000 steps and on 1 to 1,024 rows, and
one and two layers whose Python loop unrolls to 250 to 2,000 steps. Nanoseconds per row and step
should level off, and so should the seconds of tracing and compiling per step.
"""

import sys
import time

from benchmarks.cases import BY_NAME
from benchmarks.keras_subject import model_of
from benchmarks.threads.common import main, median_ms, our_keras

STEPS = (50, 500, 5_000, 20_000, 100_000)
ROWS = (1, 8, 32, 128, 512, 1024)
LOOPS = (250, 500, 1000, 2000)
LAYERS = {"one layer": 1, "two layers": 2}


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


def _loop(keras, layers, steps):
    """(seconds to the end of the first training step, ms of one more) of unrolled loops."""
    import numpy as np

    class Unrolled(keras.layers.Layer):
        def build(self, input_shape):
            self.kernel = self.add_weight(shape=(8, 8), initializer="orthogonal", name="kernel")
            self.built = True

        def call(self, inputs):
            states = [inputs[:, 0]]
            for t in range(1, inputs.shape[1]):
                h = keras.ops.matmul(states[-1], self.kernel)
                states.append(keras.ops.tanh(inputs[:, t] + h))
            return keras.ops.stack(states, axis=1)

    model = keras.models.Sequential([keras.Input((steps, 8)), *(Unrolled() for _ in range(layers))])
    model.compile(loss="mse", optimizer="adam")
    x = np.random.default_rng(0).standard_normal((4, steps, 8)).astype(np.float32)
    y = np.zeros((4, steps, 8), np.float32)
    began = time.perf_counter()
    model.train_on_batch(x, y)
    first = time.perf_counter() - began
    return first, median_ms(lambda: model.train_on_batch(x, y))


def ours(given):
    keras = our_keras(given)
    figures = {}
    steady, first = {}, {}
    for steps in STEPS:
        steady[steps], first[steps] = _per_row_and_step(keras, 2, steps)
        figures[f"2 rows x {steps:,} steps, ns per step and row"] = steady[steps]
        figures[f"2 rows x {steps:,} steps, first step, s"] = first[steps]
    figures["100,000 : 5,000 steps, per step"] = steady[100_000] / steady[5_000]
    figures["100,000 : 5,000 steps, first step, per step"] = first[100_000] / first[5_000] / 20
    for rows in ROWS:
        steady[rows], _ = _per_row_and_step(keras, rows, 50)
        figures[f"{rows:,} rows x 50 steps, ns per step and row"] = steady[rows]
    figures["1,024 : 32 rows, per row"] = steady[1024] / steady[32]
    for name, layers in LAYERS.items():
        figures |= _loops(keras, name, layers)
    return figures


def _loops(keras, name, layers):
    figures, first = {}, {}
    for steps in LOOPS:
        first[steps], again = _loop(keras, layers, steps)
        figures[f"{name} unrolled, {steps:,} iterations, first step, s"] = first[steps]
        figures[f"{name} unrolled, {steps:,} iterations, next step, ms"] = again
    ratio = first[2000] / first[250] / 8
    figures[f"{name} unrolled, 2,000 : 250 iterations, per iteration"] = ratio
    return figures


SUBJECTS = {"seqrnn": ours}
# Quadratic growth would make these 20, 20, 32 and 8.
LINEAR = 2.0
LIMITS = {
    "100,000 : 5,000 steps, per step": LINEAR,
    "100,000 : 5,000 steps, first step, per step": LINEAR,
    "1,024 : 32 rows, per row": LINEAR,
    **{f"{n} unrolled, 2,000 : 250 iterations, per iteration": LINEAR for n in LAYERS},
    **{f"{n} unrolled, 2,000 iterations, first step, s": 2 for n in LAYERS},
}


if __name__ == "__main__":
    main(sys.modules[__name__])
