"""The series that the models are trained on: two sines and noise, forecast ten steps ahead.

Source of the recipe: A. Geron, "Hands-On Machine Learning", 2nd edition (2019), chapter 15.
"""

import numpy as np

HORIZON = 10  # steps ahead, the width of the targets


def series(rows, steps, features=1, seed=42):
    """(rows, steps, features) float32: .5 sin((t - o1)(10 f1 + 10)) + .2 sin((t - o2)(10 f2 + 20))
    + noise within .05, each series with offsets o and frequencies f of its own."""
    rng = np.random.default_rng(seed)
    time = np.linspace(0, 1, steps, dtype=np.float32)[:, np.newaxis]

    def uniform():
        return rng.random((rows, 1, features), dtype=np.float32)

    values = 0.1 * (rng.random((rows, steps, features), dtype=np.float32) - 0.5)
    for size, base in ((0.5, 10), (0.2, 20)):
        offset, frequency = uniform(), uniform()
        values += size * np.sin((time - offset) * (frequency * 10 + base))
    return values


def examples(case, rows):
    """X (rows, T, F) and Y (rows, T', 10), float32: at a step the next ten values of feature 0."""
    values = series(rows, case.steps + HORIZON, case.features)
    ahead = np.lib.stride_tricks.sliding_window_view(values[:, 1:, 0], HORIZON, axis=1)
    x = np.ascontiguousarray(values[:, : case.steps])
    return x, np.ascontiguousarray(ahead[:, case.target_steps])
