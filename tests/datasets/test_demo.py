import sys

import numpy as np

from seqrnn import demo
from seqrnn.datasets import co2


def test_gaps_are_filled_on_a_straight_line():
    values = np.array([1.0, np.nan, np.nan, 4.0, 5.0])
    np.testing.assert_allclose(demo.fill_gaps(values), [1, 2, 3, 4, 5])


def test_windows_hold_the_past_and_the_changes_to_come():
    dates, values = co2()
    values = demo.fill_gaps(values)
    X, Y = demo.windows(dates, values, 10, 400, stride=7)
    assert X.shape == (len(X), demo.WINDOW, 3) and Y.shape == (len(X), demo.WINDOW, demo.HORIZON)
    week = 10 + 7 * 2 + 30  # step 30 of example 2
    assert X[2, 30, 0] == np.float32(values[week] - values[week - 1])
    np.testing.assert_allclose(np.square(X[..., 1:]).sum(-1), 1, rtol=1e-5)
    np.testing.assert_allclose(Y[2, 30], values[week + 1 : week + 14] - values[week], rtol=1e-5)


def test_windows_see_nothing_from_the_end_on():
    dates, values = co2()
    values = demo.fill_gaps(values)
    expected = demo.windows(dates, values, 1, 600, stride=1)
    values[600:] = 1e6
    for now, before in zip(demo.windows(dates, values, 1, 600, stride=1), expected, strict=True):
        np.testing.assert_array_equal(now, before)


def test_naive_forecasts():
    values = np.arange(200.0)
    weeks = np.array([100, 150])
    last, year_ago, growth = demo.naive_forecasts(values, weeks).values()
    np.testing.assert_array_equal(last, np.repeat(weeks[:, np.newaxis], demo.HORIZON, axis=1))
    np.testing.assert_array_equal(year_ago, last + np.arange(1, 14) - 52)
    np.testing.assert_array_equal(growth, last + np.arange(1, 14))


def test_demo_runs(tmp_path, monkeypatch, capsys):
    picture = tmp_path / "forecast.png"
    monkeypatch.setattr(sys, "argv", ["demo", "--epochs", "1", "--picture", str(picture)])
    demo.main()
    out = capsys.readouterr().out
    assert "the last value                  1.723  2.121" in out
    assert picture.read_bytes().startswith(b"\x89PNG")
