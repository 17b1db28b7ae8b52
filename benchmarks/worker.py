"""One case with one implementation, measured in a process of its own.

    python -m benchmarks.worker '{"case": "lstm", "subject": "seqrnn", "threads": 2, "seconds": 5}'

Prints lines `RESULT {...}`, each with more than the one before, so that what is known survives when
the process is killed for taking too long:

    numpy_ms         importing NumPy
    import_ms        importing the library, when NumPy is there
    first_step_ms    build the model, trace, compile, one step of `fit`, after the import
    step_ms          an epoch's time divided by its steps: the median of the epochs after the first
    best_ms          and of the fastest epoch
    cpu_ms           CPU time per step, of all threads
    steps, epochs    per epoch, and how many were measured
    predict_us       `predict` of one series: the median of many calls
    peak_mb          the most memory that the process had (VmHWM), data included
"""

import contextlib
import importlib
import json
import statistics
import sys
import time

EPOCHS = (2, 20)  # measured at least and at most
PREDICTIONS = (5, 2000)


def peak_mb():
    with open("/proc/self/status") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


class Results(dict):
    def add(self, **values):
        self.update(values)
        print("RESULT", json.dumps(self), flush=True)


def module_of(subject):
    return {"torch": "torch_subject", "jax": "jax_subject"}.get(subject, "keras_subject")


def import_subject(results, name, threads):
    began = time.perf_counter()
    import numpy

    numpy_done = time.perf_counter()
    module = importlib.import_module("benchmarks." + module_of(name))
    subject = module.Subject(name, threads)
    results.add(
        numpy_ms=(numpy_done - began) * 1e3,
        import_ms=(time.perf_counter() - numpy_done) * 1e3,
        versions={"numpy": numpy.__version__, **subject.versions},
    )
    return subject


def train(results, subject, case, seconds):
    """First step, then epochs for about so many seconds, on as much of the data as that allows."""
    from benchmarks.data import examples

    x, y = examples(case, case.samples)
    batch = case.batch
    began = time.perf_counter()
    subject.build(case)
    subject.epochs(x[:batch], y[:batch], batch, 1)
    results.add(first_step_ms=(time.perf_counter() - began) * 1e3)

    wall, cpu = subject.epochs(x[:batch], y[:batch], batch, 1)[0]
    results.add(step_ms=wall * 1e3, best_ms=wall * 1e3, cpu_ms=cpu * 1e3, steps=1, epochs=1)
    if wall > seconds:
        return  # one step says enough
    full = -(-case.samples // batch)
    steps = max(1, min(full, int(seconds / wall / (EPOCHS[0] + 1))))
    rows = min(case.samples, steps * batch)
    count = max(EPOCHS[0], min(EPOCHS[1], int(seconds / (wall * steps))))
    spent = subject.epochs(x[:rows], y[:rows], batch, count + 1)[1:]
    walls, cpus = zip(*spent, strict=True)
    results.add(
        step_ms=statistics.median(walls) / steps * 1e3,
        best_ms=min(walls) / steps * 1e3,
        cpu_ms=statistics.median(cpus) / steps * 1e3,
        steps=steps,
        epochs=count,
    )


def predict(results, subject, case, seconds):
    from benchmarks.data import series

    x = series(1, case.steps, case.features)
    subject.predict(x)
    times, end = [], time.perf_counter() + seconds
    for count in range(PREDICTIONS[1]):
        if count >= PREDICTIONS[0] and time.perf_counter() > end:
            break
        began = time.perf_counter()
        subject.predict(x)
        times.append(time.perf_counter() - began)
    results.add(predict_us=statistics.median(times) * 1e6)


def main(job):
    from benchmarks.cases import BY_NAME

    results, case = Results(), BY_NAME[job["case"]]
    # Libraries write to stdout too; results alone matter there.
    with contextlib.suppress(KeyboardInterrupt):
        subject = import_subject(results, job["subject"], job["threads"])
        train(results, subject, case, job["seconds"])
        results.add(peak_mb=peak_mb())
        predict(results, subject, case, job["seconds"] / 5)
        results.add(done=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
