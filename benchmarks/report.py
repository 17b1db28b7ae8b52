"""Medians, ratios and tables from what the runner found."""

import json
import platform
from datetime import datetime, timezone

from benchmarks.cases import BEST_OF_THREE, BY_NAME, PEERS, Case

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


def ratio(name, found, named=False):
    """(how many times as fast as that reference, the same as text): None and '' if unknown."""
    ours, peer = found.get("seqrnn", {}).get("step_ms"), reference(name, found)
    if not ours or not peer:
        return None, ""
    times = peer[1] / ours
    return times, f"{number(times)}x" + (f" {SHORT[peer[0]]}" if named else "")


def speed_table(cases, sgemm_rate):
    """The table for README.md: ms per training step, ratios, limits, whether all of them hold."""
    peers = [p for p in PEERS if any(p in found for found in cases.values())]
    head = ["ms per training step", *(SHORT[s] for s in ("seqrnn", *peers))]
    head += ["Keras-TF : ours", "limit", "best : ours", "limit", "of sgemm", "limit", "holds"]
    rows = []
    for name, found in cases.items():
        rows += _speed_rows(BY_NAME[name], found, peers, sgemm_rate)
    text = "best: of torch, JAX by hand and Keras-JAX; of all peers from LSTM(128) on."
    return table(head, rows) + "\n\n" + text


def _speed_rows(case, found, peers, sgemm_rate):
    """One row, and one more for each further peer that the case is compared with."""
    needs, keras = dict(case.needs), "keras-tensorflow"
    others = [against for against in needs if against != keras] or ["best"]
    share, share_text = _share(case, found, sgemm_rate)
    times, times_text = ratio(keras, found)
    best, best_text = ratio(others[0], found, named=True)
    held = [(times, needs.get(keras)), (best, needs.get(others[0])), (share, case.share)]
    rows = [[
        case.title, *(step_text(found.get(s)) for s in ("seqrnn", *peers)),
        times_text, _limit(needs.get(keras)), best_text, _limit(needs.get(others[0])), share_text,
        f"{100 * case.share:.0f} %" if case.share else "", _holds(held),
    ]]  # fmt: skip
    for against in others[1:]:
        times, text = ratio(against, found, named=True)
        empty = [""] * (len(peers) + 3)
        rows.append(["", *empty, text, _limit(needs[against]), "", "",
                     _holds([(times, needs[against])])])  # fmt: skip
    return rows


def _share(case, found, sgemm_rate):
    """(share of the machine's speed in matrix products that the step reaches, the same as text)."""
    step = found.get("seqrnn", {}).get("step_ms")
    if not step or not sgemm_rate:
        return None, ""
    share = case.flop() / step * 1e-6 / sgemm_rate
    return share, f"{100 * share:.0f} %"


def _limit(needed):
    return "" if needed is None else f"{needed:g}x"


def _holds(pairs):
    """Of (reached, at least): 'no' if one fails, 'yes' if all hold, '' if one is not known."""
    pairs = [(reached, least) for reached, least in pairs if least is not None]
    if any(reached is not None and reached < least for reached, least in pairs):
        return "no"
    return "yes" if pairs and all(reached is not None for reached, _ in pairs) else ""


GAIN = 1.7  # two threads against one, for batches of 32 and more


def ours_table(cases):
    """Two threads against one, CPU time, Gflop/s of the matrix products."""
    rows = []
    for name, found in cases.items():
        many, one = found.get("seqrnn", {}), found.get("seqrnn-1", {})
        step = many.get("step_ms")
        if not step:
            continue
        gain = one["step_ms"] / step if one.get("step_ms") else None
        least = GAIN if BY_NAME[name].batch >= 32 else 1.0
        rate = BY_NAME[name].flop() / step * 1e-6
        rows.append(
            [BY_NAME[name].title, number(step), number(one.get("step_ms")),
             f"{gain:.2f}x" if gain else "", f"{least:g}x", _holds([(gain, least)]),
             number(many.get("cpu_ms")), number(one.get("cpu_ms")), number(rate)]
        )  # fmt: skip
    head = ["seqrnn", "ms", "1 thread", "gain", "limit", "holds", "CPU ms", "1 thread", "Gflop/s"]
    return table(head, rows) if rows else ""


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

    def add(what, name, base, limit, per=lambda case: 1):
        if step(name) and step(base):
            times = step(name) / step(base) * per(BY_NAME[base]) / per(BY_NAME[name])
            holds = "yes" if times <= limit else "no"
            rows.append([what, f"{times:.2f}x", f"{limit:g}x", holds])

    for what, name, base, limit in OWN_LIMITS:
        add(what, name, base, limit)
    add("GRU(128) against LSTM(128), time per flop", "gru128", "lstm128", 1.0, Case.flop)
    return table(["ours, time of", "times", "limit", "holds"], rows) if rows else ""


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
