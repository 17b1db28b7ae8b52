"""Processes and threads after a fit (PyTorch 123828: "Change model size or load weights will cause
multiprocessing deadlock", 2024, https://github.com/pytorch/pytorch/issues/123828).

The report: after an LSTM of 128 units has run in the parent, the workers of a forked pool hang in
theirs. Here, after a fit with several threads: a forked multiprocessing pool and a joblib pool
whose workers fit, a fork that predicts with the parent's model, two Python threads that fit two
models at once, and a second fit of a model that is being fitted, which has to be refused. Seconds,
or what went wrong.
"""

import multiprocessing
import sys
import threading
import time

from benchmarks.threads.common import main, our_keras

PATIENCE = 60  # seconds, then it hangs
WORKERS = 5


def _data():
    import numpy as np

    rng = np.random.default_rng(0)
    return rng.standard_normal((256, 50, 2)).astype(np.float32), np.zeros((256, 128), np.float32)


def our_fit(epochs=1):
    import seqrnn as keras

    model = keras.models.Sequential([keras.Input((None, 2)), keras.layers.LSTM(128)])
    model.compile(loss="mse", optimizer="adam")
    history = model.fit(*_data(), epochs=epochs, verbose=0)
    return model, history.history["loss"][-1]


def _our_worker(number):
    return our_fit()[1]


def _timed(what):
    began = time.perf_counter()
    try:
        problem = what()
    except multiprocessing.TimeoutError:
        problem = f"hangs ({PATIENCE} s)"
    return problem or time.perf_counter() - began


def _pool(worker):
    pool = multiprocessing.get_context("fork").Pool(WORKERS)
    try:
        pool.map_async(worker, range(WORKERS)).get(PATIENCE)
    finally:
        pool.terminate()


def _joblib(worker):
    try:
        import joblib
    except ImportError:
        return "joblib not installed"
    joblib.Parallel(n_jobs=2, timeout=PATIENCE)(joblib.delayed(worker)(n) for n in range(WORKERS))
    return None


def _forked_predict(model):
    import numpy as np

    x = _data()[0]
    expected = model.predict(x, verbose=0)

    def child(queue):
        queue.put(bool(np.array_equal(model.predict(x, verbose=0), expected)))

    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=child, args=(queue,))
    process.start()
    process.join(PATIENCE)
    if process.is_alive():
        process.kill()
        return f"hangs ({PATIENCE} s)"
    return None if not queue.empty() and queue.get() else "another result than in the parent"


def _two_threads():
    losses = []
    threads = [
        threading.Thread(target=lambda: losses.append(our_fit(5)[1]), daemon=True) for _ in "ab"
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    if any(thread.is_alive() for thread in threads):
        return f"hangs ({PATIENCE} s)"
    return None if len(losses) == 2 else "a thread failed"


def _second_fit(model):
    """Fits a model while it is fitted in another thread."""
    started = threading.Event()
    keras = sys.modules["seqrnn"]

    class Tell(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            started.set()

    def first():
        model.fit(*_data(), epochs=20, verbose=0, callbacks=[Tell()])

    thread = threading.Thread(target=first, daemon=True)
    thread.start()
    started.wait(PATIENCE)
    try:
        model.fit(*_data(), verbose=0)
        answer = "accepted"
    except RuntimeError:
        answer = "refused"
    thread.join(PATIENCE)
    return answer


def ours(given):
    our_keras(given)
    model = our_fit()[0]
    return {
        "forked pool of 5": _timed(lambda: _pool(_our_worker)),
        "joblib, 5 fits": _timed(lambda: _joblib(_our_worker)),
        "fork predicts with the parent's model": _timed(lambda: _forked_predict(model)),
        "two threads, two models": _timed(_two_threads),
        "a second fit of one model": _second_fit(model),
    }


def _torch_worker(number):
    import torch

    lstm = torch.nn.LSTM(2, 128, batch_first=True)
    lstm(torch.from_numpy(_data()[0]))[0].mean().backward()


def torch(given):
    import torch

    torch.set_num_threads(given.threads)
    _torch_worker(0)
    return {"forked pool of 5": _timed(lambda: _pool(_torch_worker))}


SUBJECTS = {"seqrnn": ours, "torch": torch}
REPORTED = {"forked pool of 5": "hangs"}
LIMITS = dict.fromkeys(
    ("forked pool of 5", "joblib, 5 fits", "fork predicts with the parent's model")
    + ("two threads, two models",),
    PATIENCE,
) | {"a second fit of one model": "refused"}


if __name__ == "__main__":
    main(sys.modules[__name__])
