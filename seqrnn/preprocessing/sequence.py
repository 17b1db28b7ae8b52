"""Keras's name for where `pad_sequences` is, and Keras 2's `TimeseriesGenerator`."""

from seqrnn.errors import public_names
from seqrnn.preprocessing.windows import TimeseriesGenerator
from seqrnn.utils.data import pad_sequences

__all__ = ["TimeseriesGenerator", "pad_sequences"]
__getattr__, __dir__ = public_names(__name__)
