"""Keras's name for where `pad_sequences` is."""

from seqrnn.utils.data import pad_sequences  # noqa: F401
