"""python -m benchmarks: every case with every implementation, side by side.

    python -m benchmarks --peers /path/to/venv/bin/python
    python -m benchmarks --cases lstm gru --rounds 1 --quick
    python -m benchmarks --subjects seqrnn seqrnn-1            # ours alone

Prints the tables and writes everything that was measured as JSON (--json).
"""

import argparse
import os
import subprocess
import sys

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
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)),
                        help="of every implementation (all cores)")  # fmt: skip
    parser.add_argument("--quick", action="store_true", help="one round, 2 s of training per run")
    parser.add_argument("--timeout", type=float, default=300, help="s per run (300)")
    parser.add_argument("--json", default="benchmarks.json", help="file of all results")
    return parser.parse_args()


def main():
    given = arguments()
    settings = runner.Settings(
        python=sys.executable,
        peers=given.peers,
        rounds=1 if given.quick else given.rounds,
        threads=given.threads,
        seconds=2.0 if given.quick else 10.0,
        timeout=given.timeout,
        say=lambda text: print(text, file=sys.stderr, flush=True),
    )
    wanted = given.subjects or [*runner.OURS, *PEERS]
    peers = runner.probe(settings, [s for s in wanted if s in PEERS])
    ours = [s for s in wanted if s in runner.OURS]
    result = {"begun": report.stamp(), "load": os.getloadavg()[0], "machine": report.machine()}
    result["threads"], result["commit"] = settings.threads, commit()
    result["sgemm_gflops"] = runner.measure_sgemm(settings, peers)

    rounds, cases = {}, {}
    for name in given.cases:
        case = BY_NAME[name]
        subjects = ours + [p for p in peers if case.peers is None or p in case.peers]
        rounds[name] = runner.measure_case(settings, case, subjects)
        cases[name] = {s: runner.summary(found) for s, found in rounds[name].items()}
        result.update(cases=cases, rounds=rounds, ended=report.stamp())
        report.save(given.json, result)
    show(result, settings)


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
    parts = [report.steps_table(cases), report.needs_table(cases)]
    parts += [report.ours_table(cases, rate), report.limits_table(cases)]
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
