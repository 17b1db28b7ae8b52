"""Arrays of lists of whole numbers out of .npz files, read without running what is in the file.

NumPy writes such an array as a pickle, which could call any function when it is read. Here a pickle
reaches nothing but the stand-ins below, made anew for each array: it gives lists of numbers or an
error.
"""

import pickle
import zipfile

import numpy as np


def read_npz(path):
    """{name: array} of an .npz file: arrays of numbers, and 1-D object arrays of lists of ints.

    ValueError for anything else in it.
    """
    found = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            name = member.removesuffix(".npy")
            with archive.open(member) as file:
                version = np.lib.format.read_magic(file)
                read_header = getattr(np.lib.format, f"read_array_header_{version[0]}_0", None)
                if read_header is None:
                    raise ValueError(f"{path!r}: {name!r} is of the unknown version {version}.")
                shape, _, dtype = read_header(file)
                if dtype.hasobject:
                    found[name] = _rows(file, shape, f"{path!r}: {name!r}")
                    continue
            with archive.open(member) as file:
                found[name] = np.lib.format.read_array(file, allow_pickle=False)
    return found


def object_array(rows):
    """A 1-D array of the lists, also when they have one length."""
    array = np.empty(len(rows), object)
    for i, row in enumerate(rows):
        array[i] = row
    return array


def _rows(file, shape, what):
    try:
        state = _Reader(file).load().state
        rows = state[-1]
    except (pickle.UnpicklingError, AttributeError, EOFError, IndexError, TypeError) as error:
        raise ValueError(f"{what} is no array of lists of whole numbers: {error}") from None
    whole = isinstance(rows, list) and shape == (len(rows),)
    if not whole or not all(type(r) is list and all(type(n) is int for n in r) for r in rows):
        raise ValueError(f"{what} is no array of lists of whole numbers.")
    return object_array(rows)


class _Reader(pickle.Unpickler):
    """Gives the state of a pickled ndarray, whose last item is the list of its elements."""

    def __init__(self, file):
        super().__init__(file, encoding="latin1")

        class Inert:
            def __init__(self, *_):
                self.state = None

            def __setstate__(self, state):
                self.state = state

        self._stand_ins = {
            ("numpy", "ndarray"): Inert,
            ("numpy", "dtype"): Inert,
            ("numpy.core.multiarray", "_reconstruct"): Inert,
            ("numpy._core.multiarray", "_reconstruct"): Inert,
        }

    def find_class(self, module, name):
        try:
            return self._stand_ins[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}") from None
