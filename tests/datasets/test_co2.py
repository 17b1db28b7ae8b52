import numpy as np

from seqrnn.datasets import co2


def test_counts():
    dates, values = co2()
    assert dates.shape == values.shape == (2284,)
    assert dates.dtype == "datetime64[D]" and values.dtype == np.float64
    assert np.isnan(values).sum() == 59


def test_every_week_is_there():
    dates, _ = co2()
    assert dates[0] == np.datetime64("1958-03-29") and dates[-1] == np.datetime64("2001-12-29")
    assert (np.diff(dates) == np.timedelta64(7, "D")).all()


def test_first_last_and_extreme_values():
    _, values = co2()
    assert values[0] == 316.1 and values[-1] == 371.5
    assert np.nanmin(values) == 313.0 and np.nanmax(values) == 373.9


def test_a_caller_may_change_its_copy():
    co2()[1][:] = 0
    assert co2()[1][0] == 316.1
