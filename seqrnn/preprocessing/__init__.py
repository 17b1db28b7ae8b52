"""Keras's names for helpers that are in `utils`, and what Keras 2 has for texts and windows."""

from seqrnn.errors import public_names
from seqrnn.preprocessing import sequence, text
from seqrnn.utils.data import timeseries_dataset_from_array
from seqrnn.utils.text_files import text_dataset_from_directory

__all__ = ["sequence", "text", "text_dataset_from_directory", "timeseries_dataset_from_array"]
__getattr__, __dir__ = public_names(__name__)
