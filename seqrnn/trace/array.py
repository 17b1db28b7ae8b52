"""Arrays that come back from an eager call: ndarrays with `.numpy()`, so both idioms work."""

from __future__ import annotations

import numpy as np

from seqrnn import config


class Array(np.ndarray):
    """An ndarray; `.numpy()` gives the plain one. `_keras_mask` is the mask of a layer's output."""

    _keras_mask = None

    def numpy(self) -> np.ndarray:
        """The same data as a plain ndarray."""
        return self.view(np.ndarray)


def as_array(x) -> Array:
    """An ndarray as an Array, sharing its data."""
    return np.asanyarray(x).view(Array)


def frame_to_array(frame) -> np.ndarray:
    """What `to_numpy()` of a DataFrame or Series gives; numbers if all columns hold such, also of
    several kinds (float beside bool), nullable ones (NaN for what is missing) and objects."""
    array = frame.to_numpy()
    if array.dtype != object or any(isinstance(item, str | bytes) for item in array.flat):
        return array
    try:
        return frame.to_numpy(dtype="float64", na_value=np.nan)
    except (TypeError, ValueError):  # dates, lists, ...
        return array


def checked(x, what: str = "an input") -> np.ndarray:
    """`x` as an array of numbers. TypeError for None, objects, strings; ValueError for ragged lists
    and for arrays with masked elements."""
    if x is None:
        raise TypeError(
            f"{what} must hold numbers, got None. A function without `return` gives it."
        )
    refuse_masked(x, what)
    try:
        array = np.asarray(x)
    except ValueError as error:
        raise ValueError(f"{what} cannot be made an array of numbers: {error}") from error
    if array.dtype.kind not in "fiub":
        hint = ""
        if array.dtype.kind == "O":
            hint = " Use `np.asarray(x, 'float32')`; rows of unequal length must be padded first."
        raise TypeError(f"{what} must hold numbers, got an array of dtype {array.dtype}.{hint}")
    return array


def refuse_masked(x, what: str) -> None:
    """ValueError if elements of `x` are masked, for nothing here would respect that."""
    if isinstance(x, np.ma.MaskedArray) and np.ma.is_masked(x):
        raise ValueError(
            f"{what} is a masked array, and {np.ma.count_masked(x)} of its elements are masked. "
            "Fill them, x.filled(0.0), and say which samples or steps count by `sample_weight` "
            "or a mask."
        )


def standard(x, what: str = "an input") -> np.ndarray:
    """`x` as a native, C-contiguous array of a dtype that the core computes with."""
    array = checked(x, what)
    if array.dtype == np.uint64 and array.size and array.max() >= 2**63:
        raise ValueError(
            f"{what} holds {array.max()}, of uint64; integers are int64 here, up to 2**63 - 1."
        )
    return np.ascontiguousarray(array, config.standardize_dtype(array.dtype)).reshape(array.shape)
