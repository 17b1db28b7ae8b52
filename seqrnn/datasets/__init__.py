"""Data sets: `co2` and `time_series` come with the package, the others are downloaded."""

from seqrnn.datasets import fashion_mnist, imdb, mnist, reuters
from seqrnn.datasets.mauna_loa import co2
from seqrnn.datasets.synthetic import time_series
from seqrnn.errors import public_names

__all__ = ["co2", "fashion_mnist", "imdb", "mnist", "reuters", "time_series"]
__getattr__, __dir__ = public_names(__name__)
