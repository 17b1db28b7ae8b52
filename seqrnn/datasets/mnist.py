"""60,000 handwritten digits for training and 10,000 for testing.

Source: Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
recognition", Proceedings of the IEEE 86, 1998.
"""

from seqrnn.datasets.indexed_texts import ORIGIN
from seqrnn.datasets.object_arrays import read_npz
from seqrnn.errors import public_names
from seqrnn.utils.download import get_file

_HASH = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


def load_data(path="mnist.npz"):
    """(x_train, y_train), (x_test, y_test): uint8 images (N, 28, 28) from 0 (black) to 255, and the
    digits uint8 (N,). Downloaded at the first call, to ~/.keras/datasets."""
    arrays = read_npz(get_file(fname=path, origin=f"{ORIGIN}mnist.npz", file_hash=_HASH))
    return tuple((arrays[f"x_{part}"], arrays[f"y_{part}"]) for part in ("train", "test"))


__getattr__, __dir__ = public_names(__name__)
