"""Many calls of predict (TensorFlow 40261: "model.predict is much slower on TF 2.1+", 2020,
https://github.com/tensorflow/tensorflow/issues/40261).

The report: 100 calls on a model that does nothing take 3 s with TensorFlow 2.2 (0.13 s with 2.0).
Beside that, for LSTM(20) x2: microseconds of a call on one series of 50 steps, and the part of it
that is not arithmetic: the intercept of a line through the times for 1 to 50 steps. For lengths
never seen before (51, 52, ...) the milliseconds of the first call. And how much the process grows
over many calls.
"""

import statistics
import sys
import time

from benchmarks.cases import BY_NAME
from benchmarks.keras_subject import model_of
from benchmarks.threads.common import main, median_ms, our_keras

STEPS = (1, 5, 10, 20, 30, 40, 50)
NEW_LENGTHS = range(51, 91)


def resident_mb():
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def through_predict(keras, calls, lengths):
    import numpy as np

    from benchmarks.data import series

    x = keras.Input((1, 1))
    nothing, zeros = keras.Model(x, x), np.zeros((1, 1, 1), np.float32)
    figures = {
        "100 calls of nothing, s": 0.1 * median_ms(lambda: nothing.predict(zeros, verbose=0))
    }
    model = model_of(keras, BY_NAME["lstm"])
    values = series(1, 200)
    times = [
        1e3 * median_ms(lambda n=n: model.predict(values[:, :n], verbose=0), seconds=0.5)
        for n in STEPS
    ]
    figures["50 steps, us"] = times[-1]
    figures["not arithmetic, us"] = float(np.polyfit(STEPS, times, 1)[1])
    fresh = []
    for n in list(NEW_LENGTHS)[:lengths]:
        began = time.perf_counter()
        model.predict(values[:, :n], verbose=0)
        fresh.append((time.perf_counter() - began) * 1e3)
    figures["a new length, ms, median"] = statistics.median(fresh)
    figures["a new length, ms, worst"] = max(fresh)
    return figures | _memory(model, values[:, :50], calls)


def _memory(model, x, calls):
    if not calls:
        return {}
    for _ in range(min(1000, calls)):
        model.predict(x, verbose=0)
    before = resident_mb()
    for _ in range(calls):
        model.predict(x, verbose=0)
    grown = resident_mb() - before
    return {"calls": calls, "memory grew by, MB": grown}


def ours(given):
    return through_predict(our_keras(given), given.calls, len(NEW_LENGTHS))


def keras(given):
    import keras

    return through_predict(keras, min(given.calls, 300), 5)


SUBJECTS = {"seqrnn": ours, "keras-tensorflow": keras, "keras-jax": keras}
REPORTED = {"100 calls of nothing, s": "3 s TF 2.2, 0.13 s TF 2.0"}
LIMITS = {
    "not arithmetic, us": 20,
    "a new length, ms, median": 1,
    "a new length, ms, worst": 1,
    "memory grew by, MB": 1,
}
OPTIONS = [("calls", 1_000_000, "calls of predict, after which memory is compared (1,000,000)")]


if __name__ == "__main__":
    main(sys.modules[__name__])
