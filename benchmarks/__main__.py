"""python -m benchmarks: every case with every implementation, side by side.

    python -m benchmarks --peers /path/to/venv/bin/python
    python -m benchmarks --cases lstm gru --rounds 1
    python -m benchmarks --subjects seqrnn seqrnn-1            # ours alone

Prints the tables and writes everything that was measured as JSON (--json).
"""

import argparse
import os
import statistics
import subprocess
import sys
import time

from benchmarks import report, runner
from benchmarks.cases import BY_NAME, PEERS


def arguments():
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Speed of seqrnn next to its peers, in one run."
    )
    parser.add_argument("--cases", nargs="+", choices=BY_NAME, default=list(BY_NAME), metavar="C",
                        help="of " + ", ".join(BY_NAME))  # fmt: skip
    parser.add_argument("--subjects", nargs="+", choices=[*runner.OURS, *PEERS], metavar="S",
                        help="of " + ", ".join([*runner.OURS, *PEERS]))  # fmt: skip
    parser.add_argument("--peers", default=os.environ.get("SEQRNN_PEERS"), metavar="PYTHON",
                        help="the interpreter that has the peers (or SEQRNN_PEERS)")  # fmt: skip
    parser.add_argument("--rounds", type=int, default=3, help="runs of each (3)")
    parser.add_argument("--seconds", type=float, default=2, help="of training per run (2)")
    parser.add_argument("--minutes", type=float, default=30,
                        help="after which no case gets another round (30)")  # fmt: skip
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)),
                        help="of every implementation (all cores)")  # fmt: skip
    parser.add_argument("--timeout", type=float, default=150, help="s per run (150)")
    parser.add_argument("--json", default="benchmarks.json", help="file of all results")
    return parser.parse_args()


def main():
    given = arguments()
    settings = runner.Settings(
        python=sys.executable,
        peers=given.peers,
        threads=given.threads,
        seconds=given.seconds,
        timeout=given.timeout,
        say=lambda text: print(text, file=sys.stderr, flush=True),
    )
    runner.compile_ours(settings)
    wanted = given.subjects or [*runner.OURS, *PEERS]
    peers = runner.probe(settings, [s for s in wanted if s in PEERS])
    ours = [s for s in wanted if s in runner.OURS]
    result = {"begun": report.stamp(), "load": os.getloadavg()[0], "machine": report.machine()}
    result["threads"], result["commit"] = settings.threads, commit()
    rates, rounds = {}, {}
    for name in given.cases:
        only = BY_NAME[name].peers
        rounds[name] = {s: [] for s in ours + [p for p in peers if only is None or p in only]}
    measure(settings, given, peers, rates, rounds, result)
    show(result, settings)


def measure(settings, given, peers, rates, rounds, result):
    """Round after round over all cases, so that what the machine does meanwhile falls on all of
    them alike; everything is saved after each."""
    end = time.monotonic() + 60 * given.minutes
    for number in range(given.rounds):
        runner.measure_sgemm(settings, peers, rates)
        for name, results in rounds.items():
            if number and time.monotonic() > end:
                return
            runner.measure_case(settings, BY_NAME[name], results)
            result.update(rounds=rounds, sgemm=rates, ended=report.stamp())
            result["sgemm_gflops"] = {
                library: {threads: statistics.median(found) for threads, found in by.items()}
                for library, by in rates.items()
            }
            result["cases"] = {
                name: {s: runner.summary(found) for s, found in results.items() if found}
                for name, results in rounds.items()
            }
            report.save(given.json, result)


def show(result, settings):
    cases, sgemm = result["cases"], result["sgemm_gflops"]
    rate = max((by.get(settings.threads, 0) for by in sgemm.values()), default=0)
    machine = result["machine"]
    print(f"\n{machine['processor']} ({', '.join(machine.get('vectors', []))}), {settings.threads} "
          f"threads, load {result['load']:.1f} at the start, {result['begun']}.")  # fmt: skip
    print("Versions: " + ", ".join(f"{name} {v}" for name, v in versions(cases).items()) + ".")
    for library, by_threads in sgemm.items():
        rates = ", ".join(f"{r:.0f} on {t}" for t, r in sorted(by_threads.items()))
        print(f"sgemm 1,024 x 1,024, {library}, Gflop/s by threads: {rates}.")
    parts = [report.speed_table(cases, rate), report.ours_table(cases), report.limits_table(cases)]
    parts += report.beside_tables(cases)
    parts.append(report.notes(cases, settings.missing))
    print("\n" + "\n\n".join(part for part in parts if part))


def versions(cases):
    merged = {}
    for found in cases.values():
        for result in found.values():
            merged.update(result.get("versions", {}))
    return merged


def commit():
    command = ["git", "-C", str(runner.ROOT), "rev-parse", "--short", "HEAD"]
    try:
        return subprocess.run(command, capture_output=True, text=True).stdout.strip()
    except OSError:
        return ""


if __name__ == "__main__":
    main()
