"""60,000 pictures of clothes for training and 10,000 for testing, of 10 kinds.

Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking
Machine Learning Algorithms", 2017. The kinds: 0 T-shirt, 1 trousers, 2 pullover, 3 dress, 4 coat,
5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot.
"""

import gzip
import os

import numpy as np

from seqrnn.datasets.indexed_texts import ORIGIN
from seqrnn.errors import public_names
from seqrnn.utils.download import get_file


def load_data():
    """(x_train, y_train), (x_test, y_test): uint8 images (N, 28, 28) from 0 to 255, and the kinds
    uint8 (N,). Downloaded at the first call, to ~/.keras/datasets/fashion-mnist."""
    return tuple(
        (
            _read(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28),
            _read(f"{part}-labels-idx1-ubyte.gz", 8),
        )
        for part in ("train", "t10k")
    )


def _read(name, header):
    """The bytes behind the header of an IDX file."""
    folder = os.path.join("datasets", "fashion-mnist")
    path = get_file(name, origin=ORIGIN + name, cache_subdir=folder)
    with gzip.open(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)


__getattr__, __dir__ = public_names(__name__)
