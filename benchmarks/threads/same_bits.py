"""The same bits: weights after a fit with 1, 2, 3 and 8 threads, with another run of the same seed,
and with a run that was saved in the middle and went on in another process (weights, optimizer and
random stream; the model has dropout). Each in a process of its own; compared by a hash.
"""

import hashlib
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import runner
from benchmarks.cases import BY_NAME
from benchmarks.data import examples
from benchmarks.keras_subject import last_step_metric, model_of
from benchmarks.threads.common import main

CASES = ("lstm_dropout", "gru", "conv_gru", "ln", "lstm128")
RESUMED = ("lstm_dropout", "gru", "conv_gru", "lstm128")
THREADS = (1, 2, 3, 8)
_MANY = ", ".join(map(str, THREADS)) + " threads"
ROWS = 300


def _hash(model):
    digest = hashlib.sha256()
    for weight in model.get_weights():
        digest.update(weight.tobytes())
    return digest.hexdigest()[:16]


def work(case, threads, path=None):
    """Two epochs; with a path either the first, saved there, or the second, loaded from it."""
    import seqrnn as keras

    keras.set_num_threads(threads)
    keras.utils.set_random_seed(1)
    x, y = examples(BY_NAME[case], ROWS)
    resumes = path is not None and Path(path).exists()
    if resumes:
        metric = last_step_metric(keras)
        model = keras.models.load_model(path, custom_objects={metric.__name__: metric})
    else:
        model = model_of(keras, BY_NAME[case])
    # Unshuffled: the order of the samples is the caller's, not part of what is saved.
    model.fit(x, y, batch_size=32, epochs=1, shuffle=False, verbose=0)
    if path is None:
        model.fit(x, y, batch_size=32, epochs=1, shuffle=False, verbose=0)
    elif not resumes:
        model.save(path)
    return _hash(model)


def _child(case, threads, path=None):
    job = json.dumps({"case": case, "threads": threads, "path": path})
    code = "import json, sys; from benchmarks.threads.same_bits import work; "
    code += "print(work(**json.loads(sys.argv[1])))"
    done = subprocess.run(
        [sys.executable, "-c", code, job], cwd=runner.ROOT, capture_output=True, text=True
    )
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    return done.stdout.strip()


def ours(given):
    figures = {}
    for case in CASES:
        found = {threads: _child(case, threads) for threads in THREADS}
        base = found[1]
        same = all(found[threads] == base for threads in THREADS)
        figures[f"{case}, {_MANY}"] = "same" if same else str(found)
        figures[f"{case}, again"] = _same(_child(case, 2), base)
        if case in RESUMED:
            figures[f"{case}, resumed"] = _resumed(case, base)
    return figures


def _resumed(case, base):
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.srn")
        _child(case, 2, path)
        return _same(_child(case, 2, path), base)


def _same(found, base):
    return "same" if found == base else f"differs: {found}"


SUBJECTS = {"seqrnn": ours}
LIMITS = {f"{case}, {how}": "same" for case in CASES for how in (_MANY, "again")}
LIMITS |= {f"{case}, resumed": "same" for case in RESUMED}


if __name__ == "__main__":
    main(sys.modules[__name__])
