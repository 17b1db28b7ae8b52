"""The progress line, in a file, a terminal and Jupyter; the formats of its numbers."""

import io
import re
import sys

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers
from seqrnn.utils import progress

BAR = "━" * 20
TIMES = r"\d+s \d+(us|ms|s)/step"


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def output(monkeypatch, stream, epochs=2, verbose="auto", **options):
    monkeypatch.setattr(sys, "stdout", stream)
    model = keras.Sequential([layers.Dense(1, input_shape=[2])])
    model.compile(loss="mse", optimizer="sgd", metrics=["mae"])
    x, y = np.ones((10, 2)), np.ones((10, 1))
    model.fit(x, y, batch_size=2, epochs=epochs, verbose=verbose, **options)
    return stream.getvalue()


class File(io.StringIO):
    encoding = "utf-8"


def test_in_a_file_only_final_lines(monkeypatch):
    lines = output(monkeypatch, File(), validation_split=0.2).split("\n")
    assert lines[0] == "Epoch 1/2" and lines[2] == "Epoch 2/2" and lines[4] == ""
    number = r"[\d.e-]+"
    pattern = (
        f"4/4 {BAR} {TIMES} - loss: {number} - mae: {number} - val_loss: {number} "
        f"- val_mae: {number}"
    )
    assert re.fullmatch(pattern, lines[1]) and re.fullmatch(pattern, lines[3])


def test_no_control_characters_in_a_file(monkeypatch):
    text = output(monkeypatch, File())
    assert "\r" not in text and "\x1b" not in text and "\b" not in text


def test_one_epoch_has_no_headline(monkeypatch):
    assert output(monkeypatch, File(), epochs=1).startswith("5/5 ")


def test_verbose_2(monkeypatch):
    lines = output(monkeypatch, File(), verbose=2).split("\n")
    assert lines[0] == "Epoch 1/2"
    assert re.fullmatch(r"5/5 - \d+s - \d+(us|ms|s)/step - loss: \S+ - mae: \S+", lines[1])


def test_verbose_0(monkeypatch):
    assert output(monkeypatch, File(), verbose=0) == ""


def test_a_stream_without_the_characters_gets_others(monkeypatch):
    class Ascii(io.StringIO):
        encoding = "ascii"

    text = output(monkeypatch, Ascii())
    assert f"5/5 {'=' * 20} " in text and text.isascii()


def test_terminal_redraws_one_line(monkeypatch):
    monkeypatch.setitem(progress._REFRESH, "terminal", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    text = output(monkeypatch, Terminal(), epochs=1)
    drawn = text.split("\r")[1:]
    assert len(drawn) == 6 and text.endswith("\n") and text.count("\n") == 1
    assert "\x1b[1m1/5 \x1b[0m\x1b[32m━━━━\x1b[0m" + "─" * 16 in drawn[0]
    plain = re.sub(r"\x1b\[\d*m", "", drawn[-1])
    assert re.fullmatch(f"5/5 {BAR} {TIMES} - loss: \\S+ - mae: \\S+ *\n", plain)


def test_a_narrow_terminal_is_not_wrapped_while_running(monkeypatch):
    monkeypatch.setitem(progress._REFRESH, "terminal", 0.0)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "30")
    drawn = output(monkeypatch, Terminal(), epochs=1).split("\r")[1:]
    assert all(len(line) <= 29 for line in drawn[:-1])


def test_jupyter_redraws_without_colours(monkeypatch):
    monkeypatch.setitem(progress._REFRESH, "notebook", 0.0)
    stream = type("OutStream", (File,), {"__module__": "ipykernel.iostream"})()
    text = output(monkeypatch, stream, epochs=1)
    assert text.count("\r") == 6 and "\x1b" not in text


def test_unknown_number_of_steps(monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream := File())
    bar = progress.Progbar(None)
    bar.update(34, [("loss", 0.5)], finalize=True)
    assert re.fullmatch(r"     34/Unknown \d+s \d+us/step - loss: 0.5000\n", stream.getvalue())


def test_evaluate_and_predict(monkeypatch):
    model = keras.Sequential([layers.Dense(1, input_shape=[2])])
    model.compile(loss="mse")
    monkeypatch.setattr(sys, "stdout", stream := File())
    model.evaluate(np.ones((40, 2)), np.ones((40, 1)))
    model.predict(np.ones((40, 2)))
    first, second, rest = stream.getvalue().split("\n")
    assert re.fullmatch(f"2/2 {BAR} {TIMES} - loss: \\S+", first)
    assert re.fullmatch(f"2/2 {BAR} {TIMES}", second) and rest == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.01814, "0.0181"),
        (12.5, "12.5000"),
        (0.001, "1.0000e-03"),
        (-2.5e-5, "-2.5000e-05"),
        (0.0, "0.0000e+00"),
        (float("nan"), "nan"),
    ],
)
def test_values(value, text):
    assert progress.format_value(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2.4, "2s/step"), (0.0114, "11ms/step"), (48e-6, "48us/step"), (0, "0s/step")],
)
def test_time_per_step(seconds, text):
    assert progress.format_per_unit(seconds, "step") == text


@pytest.mark.parametrize(("seconds", "text"), [(17.2, "17s"), (125, "2:05"), (3900, "1:05:00")])
def test_time_left(seconds, text):
    assert progress.format_left(seconds) == text


def test_counter_has_the_width_of_the_total(monkeypatch):
    monkeypatch.setattr(sys, "stdout", stream := File())
    progress.Progbar(219).update(5, finalize=True)
    assert stream.getvalue().startswith("  5/219 ")
