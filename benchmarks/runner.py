"""Starts the processes: every measurement in one of its own, the implementations in turn."""

import json
import os
import statistics
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).absolute().parent.parent
# They would slow OpenBLAS down, in our process and in the peers'.
HOBBLES = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
OURS = {"seqrnn": None, "seqrnn-1": 1}  # threads, None for those asked for
LONG = 30.0  # seconds: a run that took longer is not repeated


@dataclass
class Settings:
    """What the command line says."""

    python: str  # runs seqrnn
    peers: str | None  # runs the peers
    threads: int
    seconds: float  # of training, per run
    timeout: float  # of a process
    say: object = print
    missing: dict = field(default_factory=dict)  # peer: why it is skipped


def environment(subject, threads):
    env = {name: value for name, value in os.environ.items() if name not in HOBBLES}
    count = str(threads)
    env.update(OMP_NUM_THREADS=count, OPENBLAS_NUM_THREADS=count, TF_CPP_MIN_LOG_LEVEL="3")
    env.update(TF_NUM_INTRAOP_THREADS=count, PYTHONHASHSEED="0", PYTHONPATH=str(ROOT))
    if subject.startswith("keras-"):
        env["KERAS_BACKEND"] = subject.removeprefix("keras-")
    return env


def compile_ours(settings):
    """Byte code, as pip leaves it, also where PYTHONDONTWRITEBYTECODE is set."""
    command = [settings.python, "-m", "compileall", "-q", "seqrnn", "benchmarks"]
    subprocess.run(command, cwd=ROOT, check=True)


def _start(settings, subject, arguments, threads):
    python = settings.python if subject.startswith("seqrnn") else settings.peers
    command = [python, "-m", *arguments]
    cpus = sorted(os.sched_getaffinity(0))
    if subject not in OURS and threads < len(cpus):
        # Not every peer can be told how many threads to use.
        command = ["taskset", "-c", ",".join(map(str, cpus[:threads])), *command]
    return subprocess.Popen(
        command,
        env=environment(subject, threads),
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(settings, subject, arguments, threads):
    """The last `RESULT` of a process: a dict, with 'failed' when it didn't get to its end and
    'seconds', what it took."""
    began = time.perf_counter()
    process = _start(settings, subject, arguments, threads)
    try:
        out, err = process.communicate(timeout=settings.timeout)
        failed = None if process.returncode == 0 else _last_line(err, process.returncode)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        failed = f"stopped after {settings.timeout:.0f} s"
    lines = [line for line in out.splitlines() if line.startswith("RESULT ")]
    result = json.loads(lines[-1].removeprefix("RESULT ")) if lines else {}
    if failed:
        result["failed"] = failed
    result["seconds"] = time.perf_counter() - began
    return result


def _last_line(err, code):
    lines = [line for line in err.splitlines() if line.strip()]
    return lines[-1][:200] if lines else f"exit code {code}"


def probe(settings, peers):
    """Which of the peers are installed; notes why the others are skipped."""
    found = []
    for peer in peers:
        needed = peer.split("-")
        if settings.peers is None:
            settings.missing[peer] = "no Python with peers given (--peers or SEQRNN_PEERS)"
            continue
        code = "import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))"
        command = [settings.peers, "-c", code, *needed]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode == 0:
            found.append(peer)
        else:
            settings.missing[peer] = f"{' and '.join(needed)} not installed in {settings.peers}"
    return found


def measure_case(settings, case, results):
    """Adds a result to those of each subject: results is {subject: list of results}. A failed or
    long run is not repeated."""
    for subject, before in results.items():
        if before and ("failed" in before[-1] or before[-1]["seconds"] > LONG):
            continue
        threads = OURS.get(subject) or settings.threads
        job = {
            "case": case.name,
            "subject": subject,
            "threads": threads,
            "seconds": settings.seconds,
        }
        result = run(settings, subject, ["benchmarks.worker", json.dumps(job)], threads)
        before.append(result)
        step = result.get("step_ms")
        text = f"{step:.3f} ms" if step else "nothing measured"
        text += f" ({result['failed']})" if "failed" in result else ""
        settings.say(f"  {case.name}, round {len(before)}, {subject}: {text}")


def summary(results):
    """Medians over the rounds of what is a number, the last of the rest."""
    merged = {}
    for result in results:
        for key, value in result.items():
            merged.setdefault(key, []).append(value)
    return {
        key: statistics.median(values) if isinstance(values[-1], int | float) else values[-1]
        for key, values in merged.items()
    }


def measure_sgemm(settings, peers, rates):
    """Adds Gflop/s to {library: {threads: list of rates}}."""
    libraries = {"numpy": "seqrnn", "seqrnn": "seqrnn"}
    if "torch" in peers:
        libraries["torch"] = "torch"
    for library, subject in libraries.items():
        for threads in sorted({1, settings.threads}):
            result = run(settings, subject, ["benchmarks.sgemm", library], threads)
            if "gflops" in result:
                rates.setdefault(library, {}).setdefault(threads, []).append(result["gflops"])
