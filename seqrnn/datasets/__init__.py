"""Data sets that come with the package: nothing is downloaded."""

from seqrnn.datasets.mauna_loa import co2
from seqrnn.datasets.synthetic import time_series

__all__ = ["co2", "time_series"]
