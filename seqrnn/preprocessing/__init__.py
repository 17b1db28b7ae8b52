"""Keras's names for helpers that are in `utils`."""

from seqrnn.preprocessing import sequence
from seqrnn.utils.data import timeseries_dataset_from_array
