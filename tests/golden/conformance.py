"""Write docs/conformance.md and docs/conformance/*.md from the golden table: `make tables`.

One row per case: what is compared, and the verdict. The tests hold every row to its verdict, so
the pages say what the tests have shown; `test_conformance.py` says when the pages are stale.
"""

import functools
import pathlib
import re
from collections import Counter

import golden_file
from cases import FAMILIES
from golden_case import PASSED

HERE = pathlib.Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
VERDICTS = (PASSED, "differs on purpose", "not supported", "stricter")
WORDS = f"""\
- **{PASSED}**: seqrnn gives what Keras gives, within the tolerance of `tests/golden`; for an error:
  of the class that is named, with a message that says what is wrong.
- **differs on purpose**: it gives something else; the row says what or why, and is tested.
- **not supported**: Keras has it, seqrnn has not, and says so by the error that the row names.
- **stricter**: Keras accepts what is wrong (a negative clip norm, say); seqrnn refuses it by that
  error.

The column "compared" says what a row looks at: result, output, loss, grad (gradients), w
(weights after steps), raised (the class of an error), fact (names, shapes, numbers) and so on; a
number in front says how many of them."""


@functools.cache
def table():
    """{family: [(case, what is compared, verdict)]}, and {family: versions}."""
    rows, versions = {}, {}
    for family, cases in FAMILIES.items():
        stored, versions[family] = golden_file.load(HERE / f"{family}.npz")
        rows[family] = []
        for case in cases:
            results = {n[1:]: value for n, value in stored[case.name].items() if n[0] == "="}
            rows[family].append((case.name, _compared(results), case.verdict(results)))
    return rows, versions


def _compared(results):
    """The names of the results; numbered ones as one: 'grad0_1, grad1_1' is '2 grad'."""
    stems = Counter(re.sub(r"\d+(_\d+)?$|_\d+$", "", name) for name in results)
    return ", ".join(f"{count} {stem}" if count > 1 else stem for stem, count in stems.items())


def page(family, rows, versions):
    """The page of one family."""
    made = ", ".join(f"{name} {version}" for name, version in sorted(versions.items()))
    lines = [f"# Conformance: {family}", "", f"{len(rows)} rows. References: {made}.", ""]
    lines += ["| case | compared | result |", "|---|---|---|"]
    lines += [f"| `{name}` | {compared} | {verdict} |" for name, compared, verdict in rows]
    return "\n".join(lines) + "\n"


def overview(rows):
    """The first page: counts, and every row that did not simply pass."""
    counts = {family: _count(its) for family, its in rows.items()}
    total = sum(counts.values(), Counter())
    lines = ["# Conformance with Keras 3.15.1", ""]
    lines += [
        f"{total.total()} rows, each a test (`tests/golden`); written by `make tables`.",
        "",
        WORDS,
        "",
    ]
    lines += ["| family | " + " | ".join(VERDICTS) + " |", "|---" * (1 + len(VERDICTS)) + "|"]
    for family, count in [*counts.items(), ("all", total)]:
        name = f"[{family}](conformance/{family}.md)" if family in rows else f"**{family}**"
        lines.append(f"| {name} | " + " | ".join(str(count[v]) for v in VERDICTS) + " |")
    for verdict in VERDICTS[1:]:
        lines += [
            "",
            f"## {verdict.capitalize()}",
            "",
            "| case | what is so, or why |",
            "|---|---|",
        ]
        lines += [
            f"| `{family}-{name}` | {found.partition(': ')[2]} |"
            for family, its in rows.items()
            for name, _, found in its
            if found.startswith(verdict)
        ]
    return "\n".join(lines) + "\n"


def _count(rows):
    return Counter(verdict.partition(":")[0] for _, _, verdict in rows)


@functools.cache
def pages():
    """{path below docs/: text}"""
    rows, versions = table()
    texts = {f"conformance/{f}.md": page(f, its, versions[f]) for f, its in rows.items()}
    return {"conformance.md": overview(rows)} | texts


def main():
    for name, text in pages().items():
        path = DOCS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
