"""Runs the functions of a script in processes of their own and prints what they return.

A script is a module with

    SUBJECTS    {implementation: function(arguments) -> {figure: number or text}}
    REPORTED    {figure: text}, what the report said (if there is one)
    LIMITS      {figure: limit}, what ours has to reach: a number is the most it may be, a text is
                what it has to say (if there are any)
    OPTIONS     (name, default, help) of further arguments (if there are any)

Each function is started as `python -m benchmarks.threads.NAME --as IMPLEMENTATION`.
"""

import argparse
import json
import os
import statistics
import sys
import time

from benchmarks import runner
from benchmarks.report import SHORT, number, table


def arguments(scripts, description):
    """A parser of what all these scripts understand."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--peers", default=os.environ.get("SEQRNN_PEERS"), metavar="PYTHON")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--timeout", type=float, default=600, help="s per process (600)")
    for name, default, text in (option for script in scripts for option in _options(script)):
        parser.add_argument(f"--{name}", type=type(default), default=default, help=text)
    return parser


def _options(script):
    return getattr(script, "OPTIONS", ())


def main(script):
    parser = arguments([script], script.__doc__)
    parser.add_argument("--as", dest="subject", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.subject:
        figures = script.SUBJECTS[given.subject](given)
        print("RESULT", json.dumps(figures), flush=True)
        return
    print(shown(script, *measure(script, given)))


def measure(script, given):
    """({implementation: figures}, {peer: why it is skipped})."""
    settings = runner.Settings(
        python=sys.executable, peers=given.peers, threads=given.threads, seconds=0,
        timeout=given.timeout,
    )  # fmt: skip
    runner.compile_ours(settings)
    peers = runner.probe(settings, [name for name in script.SUBJECTS if name not in runner.OURS])
    module = "benchmarks.threads." + os.path.splitext(os.path.basename(script.__file__))[0]
    options = ["--threads", str(given.threads)]
    for name, *_ in _options(script):
        options += [f"--{name}", str(getattr(given, name))]
    found = {}
    for name in ["seqrnn", *peers]:
        found[name] = runner.run(settings, name, [module, "--as", name, *options], given.threads)
    return found, settings.missing


def shown(script, found, missing):
    """What the script is about, its figures as a table, what is missing."""
    reported, limits = getattr(script, "REPORTED", {}), getattr(script, "LIMITS", {})
    figures = dict.fromkeys(
        key for result in found.values() for key in result if key not in ("seconds", "failed")
    )
    rows = [
        [key, *(_text(result.get(key)) for result in found.values()), reported.get(key, ""),
         *_verdict(found["seqrnn"], key, limits.get(key))]
        for key in figures
    ]  # fmt: skip
    head = ["", *(SHORT[name] for name in found), "reported", "limit", "ok"]
    empty = [i for i in range(1, len(head)) if not any(row[i] for row in rows)]
    text = table(_without(head, empty), [_without(row, empty) for row in rows])
    lines = [script.__doc__.strip(), "", text]
    for name, result in found.items():
        if "failed" in result:
            lines.append(f"{SHORT[name]}: {result['failed']}.")
    lines += [f"{SHORT[name]}: skipped, {why}." for name, why in missing.items()]
    return "\n".join(lines) + "\n"


def checked(script, found):
    """[[figure, ours, limit, ok]] of all limits of the script."""
    ours = found["seqrnn"]
    return [
        [key, _text(ours.get(key)), *_verdict(ours, key, limit)]
        for key, limit in getattr(script, "LIMITS", {}).items()
    ]


def _verdict(ours, key, limit):
    """(the limit, whether it holds) as texts; what was not measured does not hold."""
    if limit is None:
        return "", ""
    value = ours.get(key)
    if isinstance(limit, str):
        return limit, "yes" if value == limit else "no"
    holds = isinstance(value, int | float) and value <= limit
    return f"<= {limit:g}", "yes" if holds else "no"


def _without(row, places):
    return [cell for place, cell in enumerate(row) if place not in places]


def _text(value):
    if isinstance(value, int):
        return f"{value:,}"
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
