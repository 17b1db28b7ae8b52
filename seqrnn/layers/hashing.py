"""Hashing: categories, strings or whole numbers, as numbers without a vocabulary."""

from __future__ import annotations

import numpy as np

from seqrnn import config, ops
from seqrnn.layers.base import Layer
from seqrnn.layers.encoding import encode, output_mode_of, refuse_sparse
from seqrnn.layers.lookup import on_data, strings
from seqrnn.layers.options import positive_int
from seqrnn.trace.array import as_array
from seqrnn.utils.fingerprints import buckets, salt_of


class Hashing(Layer):
    """hash(x) modulo num_bins, with FarmHash's Fingerprint64, or SipHash-2-4 if there is a salt.

    It works on arrays and lists, before a model and not in it. Whole numbers are hashed as their
    decimal digits, the fraction of floats is cut off.

    Args:
        num_bins: how many numbers there are.
        mask_value: this value gets the number 0, all others the numbers from 1.
        salt: a whole number, or two: another salt, another hash.
        output_mode: 'int', or vectors: 'one_hot', 'multi_hot', 'count', see `CategoryEncoding`.
        sparse: not supported.
        dtype: of the result; default int64, `floatx()` for vectors.

    Call: array (...) -> (...), or vectors.
    """

    def __init__(
        self, num_bins, mask_value=None, salt=None, output_mode="int", sparse=False, **kwargs
    ):
        if kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64" if output_mode == "int" else config.floatx()
        super().__init__(**kwargs)
        refuse_sparse(self, sparse)
        known = ("int", "one_hot", "multi_hot", "count")
        self.output_mode = output_mode_of(self, output_mode, known)
        self.num_bins = positive_int(num_bins, "Hashing: num_bins")
        if self.output_mode == "int" and config.is_float(self.dtype):
            raise ValueError(
                f"Hashing: dtype must be 'int32' or 'int64' for output_mode 'int', got "
                f"{self.dtype!r}."
            )
        self.mask_value = mask_value
        self.salt = salt_of(salt, "Hashing")
        self.built = True

    def __call__(self, inputs):
        return on_data(self, self.call, inputs)

    def call(self, inputs):
        values = np.asarray(inputs)
        if values.dtype.kind in "fiub":
            values = values.astype(np.int64)
            texts = list(map(str, values.ravel().tolist()))
        else:
            values = strings(inputs)
            texts = values.ravel().tolist()
        masks = self.mask_value is not None and self.num_bins > 1
        numbers = np.reshape(buckets(texts, self.num_bins - masks, self.salt), values.shape)
        if masks:
            numbers = np.where(values == self.mask_value, 0, numbers + 1)
        if self.output_mode == "int":
            return as_array(numbers.astype(self.dtype))
        return encode(ops.convert_to_tensor(numbers), self.output_mode, self.num_bins, self.dtype)

    def get_config(self):
        return {
            **super().get_config(),
            "num_bins": self.num_bins,
            "salt": self.salt,
            "mask_value": self.mask_value,
            "output_mode": self.output_mode,
            "sparse": False,
        }
