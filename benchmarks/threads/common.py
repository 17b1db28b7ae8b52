"""Runs the functions of a script in processes of their own and prints what they return.

A script has one function per implementation; it takes the parsed arguments and returns figures as a
dict, and is started as `python -m benchmarks.threads.NAME --as IMPLEMENTATION`.
"""

import argparse
import json
import os
import statistics
import sys
import time

from benchmarks import runner
from benchmarks.report import SHORT, number, table


def main(script, subjects, reported, options=()):
    """Args:
    script: the module, its docstring's first line is the title.
    subjects: {implementation: function(arguments) -> {figure: value}}.
    reported: {figure: text}, what the report said.
    options: (name, default, help) of further arguments.
    """
    parser = argparse.ArgumentParser(description=script.__doc__)
    parser.add_argument("--peers", default=os.environ.get("SEQRNN_PEERS"))
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--as", dest="subject", help=argparse.SUPPRESS)
    for name, default, text in options:
        parser.add_argument(f"--{name}", type=type(default), default=default, help=text)
    given = parser.parse_args()
    if given.subject:
        figures = subjects[given.subject](given)
        print("RESULT", json.dumps(figures), flush=True)
        return
    settings = runner.Settings(
        python=sys.executable, peers=given.peers, threads=given.threads, seconds=0,
        timeout=given.timeout,
    )  # fmt: skip
    peers = runner.probe(settings, [name for name in subjects if name not in runner.OURS])
    module = "benchmarks.threads." + os.path.splitext(os.path.basename(script.__file__))[0]
    found = {}
    for name in ["seqrnn", *peers]:
        arguments = [module, "--as", name, *sys.argv[1:]]
        found[name] = runner.run(settings, name, arguments, given.threads)
    show(script, found, reported, settings.missing)


def show(script, found, reported, missing):
    print(script.__doc__.strip() + "\n")
    figures = dict.fromkeys(
        key for result in found.values() for key in result if key not in ("seconds", "failed")
    )
    rows = [
        [key, *(_text(result.get(key)) for result in found.values()), reported.get(key, "")]
        for key in figures
    ]
    print(table(["", *(SHORT[name] for name in found), "reported"], rows))
    for name, result in found.items():
        if "failed" in result:
            print(f"{SHORT[name]}: {result['failed']}.")
    for name, why in missing.items():
        print(f"{SHORT[name]}: skipped, {why}.")


def _text(value):
    return value if isinstance(value, str) else number(value)


def median_ms(call, seconds=1.0):
    """The median time of a call in ms, after one that doesn't count."""
    return medians_ms({None: call}, seconds)[None]


def medians_ms(calls, seconds=1.0, least=5, most=10_000):
    """{name: median time of its call in ms}, the calls in turn, so that what else the machine does
    falls on all of them alike; about so many seconds for each."""
    for call in calls.values():
        call()
    times, end = {name: [] for name in calls}, time.perf_counter() + seconds * len(calls)
    for count in range(most):
        if count >= least and time.perf_counter() > end:
            break
        for name, call in calls.items():
            began = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - began)
    return {name: statistics.median(spent) * 1e3 for name, spent in times.items()}


def our_keras(arguments):
    """seqrnn, with the threads asked for."""
    import seqrnn as keras

    keras.set_num_threads(arguments.threads)
    return keras
