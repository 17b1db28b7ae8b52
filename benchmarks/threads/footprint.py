"""What it costs to have the library: milliseconds of importing it above NumPy's own import (median
of cold processes; seqrnn loads its modules when they are first used, so also with those that a
model needs), of the first training step of each of the notebook's models (build, trace, compile,
run), the wheel and OpenBLAS in MB, and the memory of an LSTM fit.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import runner
from benchmarks.threads.common import main

MODELS = ("lstm", "gru", "conv_gru", "ln", "lstm_dropout", "simple_rnn", "conv")
IMPORTS = 11
SCRIPT = """
import time
began = time.perf_counter()
import numpy
there = time.perf_counter()
{library}
print(there - began, time.perf_counter() - there)
"""
EVERYTHING = "import seqrnn as keras; keras.models, keras.layers, keras.optimizers, keras.losses"


def import_ms(library):
    """(NumPy's, the library's after it)."""
    spent = []
    for _ in range(IMPORTS):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT.format(library=library)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        spent.append([1e3 * float(part) for part in done.stdout.split()])
    return [statistics.median(column) for column in zip(*spent, strict=True)]


def wheel_mb():
    """Size of a wheel built from this tree."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation"]
        done = subprocess.run(
            [*command, "--no-deps", "-w", folder, "."], cwd=runner.ROOT, capture_output=True,
            text=True,
        )  # fmt: skip
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            return "not built: " + done.stderr.strip().splitlines()[-1]
        return wheels[0].stat().st_size / 1e6


def blas_mb():
    import scipy_openblas32

    library = Path(scipy_openblas32.get_lib_dir())
    return sum(path.stat().st_size for path in library.iterdir() if ".so" in path.name) / 1e6


def ours(given):
    numpy_ms, library_ms = import_ms("import seqrnn")
    figures = {
        "import numpy, ms": numpy_ms,
        "import seqrnn, ms above": library_ms,
        "and layers, models, losses, optimizers, ms above": import_ms(EVERYTHING)[1],
    }
    settings = runner.Settings(
        python=sys.executable, peers=None, threads=given.threads, seconds=1.0, timeout=120
    )
    for name in MODELS:
        job = {"case": name, "subject": "seqrnn", "threads": given.threads, "seconds": 1.0}
        arguments = ["benchmarks.worker", json.dumps(job)]
        rounds = [runner.run(settings, "seqrnn", arguments, given.threads) for _ in range(3)]
        figures[f"first step, {name}, ms"] = statistics.median(r["first_step_ms"] for r in rounds)
        if name == "lstm":
            figures["memory of the LSTM fit, MB"] = max(r["peak_mb"] for r in rounds)
    return figures | {"wheel, MB": wheel_mb(), "OpenBLAS (a wheel of its own), MB": blas_mb()}


SUBJECTS = {"seqrnn": ours}
LIMITS = {
    "import seqrnn, ms above": 60,
    "and layers, models, losses, optimizers, ms above": 60,
    **{f"first step, {name}, ms": 30 for name in MODELS},
    "memory of the LSTM fit, MB": 120,
    "wheel, MB": 5,
}


if __name__ == "__main__":
    main(sys.modules[__name__])
