"""python -m benchmarks.threads: all scripts, then all their limits in one table.

    python -m benchmarks.threads --peers /path/to/venv/bin/python
    python -m benchmarks.threads --scripts denormals fork --calls 20000

Takes about ten minutes with all peers. Ends with status 1 when a limit does not hold.
"""

import importlib
import sys

from benchmarks import report
from benchmarks.threads import common

SCRIPTS = ("text_classifier", "packed", "denormals", "tiny_batch", "predict_overhead", "fork")
SCRIPTS += ("footprint", "growth", "same_bits", "idle")


def main():
    scripts = {name: importlib.import_module("benchmarks.threads." + name) for name in SCRIPTS}
    parser = common.arguments(scripts.values(), "Complaints and limits, one after the other.")
    parser.add_argument("--scripts", nargs="+", choices=SCRIPTS, default=SCRIPTS, metavar="S",
                        help="of " + ", ".join(SCRIPTS))  # fmt: skip
    parser.add_argument("--json", default="threads.json", help="file of all figures")
    given = parser.parse_args()
    everything, rows = {}, []
    for name in given.scripts:
        found, missing = common.measure(scripts[name], given)
        print(f"## {name}\n\n{common.shown(scripts[name], found, missing)}", flush=True)
        rows += [[f"{name}: {row[0]}", *row[1:]] for row in common.checked(scripts[name], found)]
        everything[name] = found
        report.save(given.json, everything)
    print("## All limits\n\n" + report.table(["", "measured", "limit", "ok"], rows))
    sys.exit(any(row[-1] == "no" for row in rows))


if __name__ == "__main__":
    main()
