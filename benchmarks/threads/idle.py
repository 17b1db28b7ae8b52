"""A process that waits after a fit with all its threads: CPU seconds per second of waiting, and the
threads that are there.
"""

import os
import sys
import time

from benchmarks.cases import BY_NAME
from benchmarks.data import examples
from benchmarks.keras_subject import model_of
from benchmarks.threads.common import main, our_keras

SECONDS = 5


def _idle(keras):
    x, y = examples(BY_NAME["lstm"], 640)
    model = model_of(keras, BY_NAME["lstm"])
    model.fit(x, y, epochs=2, verbose=0)
    time.sleep(0.5)
    cpu, wall = time.process_time(), time.perf_counter()
    time.sleep(SECONDS)
    share = (time.process_time() - cpu) / (time.perf_counter() - wall)
    threads = len(os.listdir("/proc/self/task"))
    return {"CPU while waiting": round(share, 5), "threads": threads}


def ours(given):
    return _idle(our_keras(given))


def keras(given):
    import keras

    return _idle(keras)


SUBJECTS = {"seqrnn": ours, "keras-tensorflow": keras, "keras-jax": keras, "keras-torch": keras}
LIMITS = {"CPU while waiting": 0.001}


if __name__ == "__main__":
    main(sys.modules[__name__])
