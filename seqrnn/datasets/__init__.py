"""Data sets that come with the package: nothing is downloaded."""

from seqrnn.datasets.mauna_loa import co2
from seqrnn.datasets.synthetic import time_series
from seqrnn.errors import public_names

__all__ = ["co2", "time_series"]
__getattr__, __dir__ = public_names(__name__)
