"""The line that shows how far a loop over batches is.

In a terminal and in Jupyter it is drawn over and over; elsewhere (a file, a pipe) only the finished
line is written, without control characters. In a terminal the bar has colours.

    219/219 ━━━━━━━━━━━━━━━━━━━━ 3s 11ms/step - loss: 0.0181 - val_loss: 0.0202     verbose=1
    219/219 - 3s - 11ms/step - loss: 0.0181 - val_loss: 0.0202                       verbose=2
"""

import logging
import math
import os
import shutil
import sys
import time

from seqrnn import config

_WIDTH = 20
_REFRESH = {"terminal": 0.05, "notebook": 0.25}  # seconds between two drawings


def output_kind():
    """'terminal', 'notebook' or 'file': what stdout is, or the log in its place."""
    if not config.is_interactive_logging_enabled():
        return "file"
    if hasattr(sys.stdout, "isatty") and sys.stdout.isatty():
        return "terminal" if os.environ.get("TERM") != "dumb" else "file"
    # Jupyter's stream has no terminal, but draws a line again after '\r'.
    module = type(sys.stdout).__module__
    return "notebook" if module.startswith("ipykernel") else "file"


def can_print(text):
    """Whether stdout's encoding has all characters of `text`."""
    try:
        text.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def write(text):
    """To stdout, at once; a stdout that is closed is not worth failing for. To the log, where
    interactive logging is disabled."""
    if not config.is_interactive_logging_enabled():
        logging.getLogger("seqrnn").info("%s", text.strip())
    elif sys.stdout is not None:
        sys.stdout.write(text)
        sys.stdout.flush()


def say(text):
    """A line of its own."""
    write(f"{text}\n")


def format_value(value):
    """'0.0181', or '1.2345e-05' for small values; of a list, its mean, as Keras prints."""
    if isinstance(value, list):
        value = sum(value) / len(value)
    return f"{value:.4f}" if not math.isfinite(value) or abs(value) > 1e-3 else f"{value:.4e}"


def format_values(values):
    """' - loss: 0.0181 - mae: 0.1'."""
    return "".join(f" - {name}: {format_value(value)}" for name, value in values)


def format_per_unit(seconds, unit):
    """'11ms/step'."""
    if seconds >= 1 or seconds == 0:
        return f"{seconds:.0f}s/{unit}"
    if seconds >= 1e-3:
        return f"{seconds * 1e3:.0f}ms/{unit}"
    return f"{seconds * 1e6:.0f}us/{unit}"


def format_left(seconds):
    """'1:05:00', '2:05' or '17s'."""
    seconds = round(seconds)
    if seconds >= 3600:
        return f"{seconds // 3600}:{seconds % 3600 // 60:02d}:{seconds % 60:02d}"
    return f"{seconds // 60}:{seconds % 60:02d}" if seconds >= 60 else f"{seconds}s"


class Progbar:
    """The progress of one loop.

    Args:
        target: number of steps; None if unknown.
        verbose: 0 silent, 1 a bar, 2 one line at the end.
        unit_name: what a step is called.
    """

    def __init__(
        self,
        target,
        width=_WIDTH,
        verbose=1,
        interval=None,
        stateful_metrics=None,
        unit_name="step",
    ):
        self.target = target
        self.width = width
        self.verbose = verbose
        self.unit_name = unit_name
        self._kind = output_kind() if verbose else "file"
        self._interval = _REFRESH.get(self._kind, 0.0) if interval is None else interval
        self._live = verbose == 1 and self._kind != "file"
        self._full, self._empty = ("━", "─") if verbose and can_print("━─") else ("=", ".")
        self._start = time.monotonic()
        self._next = 0.0
        self._drawn = 0
        self._count = 0
        self.done = False

    def due(self):
        """Whether it is time to draw; values need to be computed only then."""
        return self._live and time.monotonic() >= self._next

    def update(self, current, values=None, finalize=None):
        """Step `current` is done; `values` are pairs (name, float). Finished at `target`."""
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        if self.done or not self.verbose or not (finalize or self.due()):
            return
        now = time.monotonic()
        self._next = now + self._interval
        self.done = finalize
        parts = self._parts(current, now - self._start, finalize)
        parts = (*parts[:3], parts[3] + format_values(values or ()))
        if self._live:
            self._draw(parts, finalize)
        else:
            write("".join(parts) + "\n")

    def add(self, n, values=None):
        """`n` more steps are done."""
        self._count += n
        self.update(self._count, values)

    def _parts(self, current, elapsed, finalize):
        """Counter, done and open part of the bar, times."""
        per_unit = format_per_unit(elapsed / max(current, 1), self.unit_name)
        if self.target is None:
            count = f"{current:>7}/Unknown"
        else:
            count = f"{current:>{len(str(self.target))}}/{self.target}"
        if self.verbose == 2:
            return count, "", "", f" - {elapsed:.0f}s - {per_unit}"
        if self.target is None:
            return count, "", "", f" {elapsed:.0f}s {per_unit}"
        done = min(self.width * current // max(self.target, 1), self.width)
        left = elapsed / max(current, 1) * (self.target - current)
        clock = f"{elapsed:.0f}s" if finalize or current == 0 else format_left(left)
        bar = self._full * done, self._empty * (self.width - done)
        return f"{count} ", *bar, f" {clock} {per_unit}"

    def _draw(self, parts, finalize):
        """Over the line drawn before; cut to the width of the terminal until it is final."""
        text = "".join(parts)
        terminal = self._kind == "terminal"
        columns = shutil.get_terminal_size().columns if terminal else len(text) + self._drawn + 1
        padding = " " * (min(self._drawn, columns - 1) - len(text))
        if len(text) >= columns and not finalize:
            text = text[: columns - 1]
        elif terminal:
            text = f"\x1b[1m{parts[0]}\x1b[0m\x1b[32m{parts[1]}\x1b[0m{parts[2]}{parts[3]}"
        self._drawn = len("".join(parts))
        write("\r" + text + padding + ("\n" if finalize else ""))
