"""The weekly record of carbon dioxide in the air at Mauna Loa, Hawaii."""

import functools
from importlib import resources

import numpy as np


def co2():
    """Weekly means of atmospheric CO2 at Mauna Loa, 29 March 1958 to 29 December 2001.

    2,284 weeks, one after the other without a gap in the dates; 59 of them have no value. The
    record rises from 316 to 371 ppm and swings by 6 ppm with the seasons.

    Source: C. D. Keeling and T. P. Whorf, "Atmospheric CO2 concentrations derived from flask air
    samples at sites in the SIO network", in "Trends: A Compendium of Data on Global Change", Carbon
    Dioxide Information Analysis Center, Oak Ridge National Laboratory, 2004. In the public domain.
    The numbers are those of `statsmodels.datasets.co2`.

    Returns:
        dates, values: the Saturday of each week (datetime64[D]), and the mean in parts per
        million by volume (float64), NaN where it is missing; both of shape (2284,).

    Example:
        >>> dates, values = seqrnn.datasets.co2()
        >>> np.isnan(values).sum()
        59
    """
    dates, values = _read()
    return dates.copy(), values.copy()


@functools.cache
def _read():
    text = resources.files(__package__).joinpath("co2.csv").read_text(encoding="ascii")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    dates = np.array([date for date, _ in rows], dtype="datetime64[D]")
    values = np.array([float(value) if value else np.nan for _, value in rows])
    return dates, values
