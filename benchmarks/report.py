"""Medians, ratios and tables from what the runner found."""

import json
import platform
from datetime import datetime, timezone

from benchmarks.cases import BEST_OF_THREE, BY_NAME, PEERS

SHORT = {
    "seqrnn": "seqrnn",
    "seqrnn-1": "1 thread",
    "keras-tensorflow": "Keras-TF",
    "keras-jax": "Keras-JAX",
    "keras-torch": "Keras-torch",
    "torch": "torch",
    "jax": "JAX by hand",
}


def machine():
    """Name of the processor, vector units, cores, memory, kernel."""
    info = {"processor": platform.processor() or platform.machine(), "kernel": platform.release()}
    try:
        with open("/proc/cpuinfo") as file:
            fields = dict(
                (part.strip() for part in line.split(":", 1)) for line in file if ":" in line
            )
        info["processor"] = fields.get("model name", info["processor"])
        flags = fields.get("flags", "").split()
        info["vectors"] = [f for f in ("avx2", "fma", "avx512f", "avx512_bf16") if f in flags]
    except OSError:
        pass
    return info


def table(head, rows):
    """Markdown, the first column to the left, the others to the right."""
    text = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(len(row[i]) for row in text) for i in range(len(head))]

    def line(row):
        cells = [
            row[0].ljust(widths[0]),
            *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True)),
        ]
        return "| " + " | ".join(cells) + " |"

    ruler = "|" + "|".join("-" * (w + 2 if i == 0 else w + 1) + (":" if i else "")
                           for i, w in enumerate(widths)) + "|"  # fmt: skip
    return "\n".join([line(text[0]), ruler, *map(line, text[1:])])


def number(value, digits=3):
    """So many significant digits, no exponent."""
    if value is None:
        return ""
    if value >= 10 ** (digits - 1):
        return f"{value:,.0f}"
    return f"{value:#.{digits}g}"


def step_text(result):
    if result is None:
        return ""
    step, failed = result.get("step_ms"), result.get("failed")
    if step is None:
        return "failed" if failed and "stopped" not in failed else ">timeout"
    return number(step)


def reference(name, found):
    """(peer, ms) that a need compares with: a peer, 'best', or 'best of three'."""
    names = {"best": PEERS, "best of three": BEST_OF_THREE}.get(name, (name,))
    known = {n: found[n]["step_ms"] for n in names if found.get(n, {}).get("step_ms")}
    if not known:
        return None
    best = min(known, key=known.get)
    return best, known[best]


def ratios(case, found):
    """[(against, peer, ratio, needed)] for the case's needs."""
    ours = found.get("seqrnn", {}).get("step_ms")
    rows = []
    for name, needed in case.needs:
        peer = reference(name, found)
        if ours and peer:
            rows.append((name, peer[0], peer[1] / ours, needed))
    return rows


def steps_table(cases):
    """ms per training step, and how many times as fast as the best peer."""
    shown = [s for s in SHORT if any(s in found for found in cases.values())]
    rows = []
    for name, found in cases.items():
        case = BY_NAME[name]
        row = [case.title, *(step_text(found.get(subject)) for subject in shown)]
        best = reference("best", found)
        ours = found.get("seqrnn", {}).get("step_ms")
        row.append(f"{best[1] / ours:.1f}x" if ours and best else "")
        rows.append(row)
    return table(["ms per training step", *(SHORT[s] for s in shown), "best peer : ours"], rows)


def needs_table(cases):
    rows = []
    for name, found in cases.items():
        for against, peer, ratio, needed in ratios(BY_NAME[name], found):
            label = SHORT[peer] if against == peer else f"{against} ({SHORT[peer]})"
            verdict = "yes" if ratio >= needed else "no"
            rows.append([BY_NAME[name].title, label, f"{ratio:.1f}x", f"{needed}x", verdict])
    return table(["speed against", "peer", "reached", "needed", "holds"], rows) if rows else ""


def ours_table(cases, sgemm_rate):
    """Threads, CPU time, and the share of the machine's speed in matrix products."""
    rows = []
    for name, found in cases.items():
        two, one = found.get("seqrnn", {}), found.get("seqrnn-1", {})
        step = two.get("step_ms")
        if not step:
            continue
        rate = BY_NAME[name].flop() / step * 1e-6
        share = f"{100 * rate / sgemm_rate:.0f} %" if sgemm_rate else ""
        gain = f"{one['step_ms'] / step:.2f}x" if one.get("step_ms") else ""
        rows.append(
            [BY_NAME[name].title, number(step), number(one.get("step_ms")), gain,
             number(two.get("cpu_ms")), number(rate), share]
        )  # fmt: skip
    head = ["seqrnn", "ms", "1 thread", "gain", "CPU ms", "Gflop/s", "of sgemm"]
    return table(head, rows)


BESIDE = (
    ("CPU time, ms per training step", "cpu_ms"),
    ("import, ms above NumPy", "import_ms"),
    ("first step from cold, ms", "first_step_ms"),
    ("predict of one series, us", "predict_us"),
    ("peak memory, MB", "peak_mb"),
)


def beside_tables(cases):
    """What was measured besides the training steps, a table each."""
    shown = [s for s in SHORT if any(s in found for found in cases.values())]
    for what, key in BESIDE:
        rows = [
            [BY_NAME[name].title, *(number(found.get(s, {}).get(key)) for s in shown)]
            for name, found in cases.items()
        ]
        yield table([what, *(SHORT[s] for s in shown)], rows)


# (what, case, compared with, at most)
OWN_LIMITS = (
    ("layer-norm cell against LSTM(20)", "ln", "lstm", 1.0),
    ("dropout against none", "lstm_dropout", "lstm", 1.15),
    ("LSTM as a Python cell against the built-in one", "lstm_cell", "lstm", 1.5),
)


def limits_table(cases):
    """Our cases against each other."""
    rows = []

    def step(name):
        return cases.get(name, {}).get("seqrnn", {}).get("step_ms")

    for what, name, base, limit in OWN_LIMITS:
        if step(name) and step(base):
            ratio = step(name) / step(base)
            rows.append([what, f"{ratio:.2f}x", f"{limit}x", "yes" if ratio <= limit else "no"])
    if step("gru128") and step("lstm128"):
        rate = {n: BY_NAME[n].flop() / step(n) for n in ("gru128", "lstm128")}
        ratio = rate["lstm128"] / rate["gru128"]
        rows.append(
            ["GRU(128) against LSTM(128), time per flop", f"{ratio:.2f}x", "1.0x", _holds(ratio)]
        )
    return table(["ours", "time", "at most", "holds"], rows) if rows else ""


def _holds(ratio):
    return "yes" if ratio <= 1.0 else "no"


def notes(cases, missing):
    """What the tables leave out: skipped peers, failures, runs that were cut short."""
    lines = [f"{SHORT[peer]}: skipped, {why}." for peer, why in missing.items()]
    for name, found in cases.items():
        for subject, result in found.items():
            if "failed" in result:
                lines.append(f"{BY_NAME[name].title}, {SHORT[subject]}: {result['failed']}.")
            elif result.get("steps", 99) < 10:
                lines.append(
                    f"{BY_NAME[name].title}, {SHORT[subject]}: {result['steps']:.0f} step(s) per "
                    f"epoch, {result['epochs']:.0f} epoch(s)."
                )
    return "\n".join(lines)


def stamp():
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def save(path, data):
    with open(path, "w") as file:
        json.dump(data, file, indent=1)
        file.write("\n")
