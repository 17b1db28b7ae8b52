"""Helpers for data: class numbers to vectors, sequences to rectangles, batches on demand."""

import numpy as np

from seqrnn.trace import nest
from seqrnn.trace.array import as_array
from seqrnn.training.arguments import check_count
from seqrnn.utils.batches import Batches


def to_categorical(x, num_classes=None):
    """Class numbers (...) as one-hot vectors (..., num_classes) of float64.

    A trailing axis of length 1 is dropped first. ValueError for numbers outside
    [0, num_classes).
    """
    x = np.asarray(x)
    if x.dtype.kind not in "biuf":
        raise ValueError(
            f"to_categorical: expected class numbers, got an array of dtype {x.dtype}. Numbers out "
            "of names: names, x = np.unique(x, return_inverse=True)."
        )
    x = x.astype(np.int64)
    if x.ndim > 1 and x.shape[-1] == 1:
        x = x[..., 0]
    if num_classes is None:
        num_classes = int(x.max(initial=-1)) + 1
    if x.size and (x.min() < 0 or x.max() >= num_classes):
        wrong = x.min() if x.min() < 0 else x.max()
        raise ValueError(
            f"to_categorical: class {wrong} is outside of 0 .. {num_classes - 1} "
            f"(num_classes={num_classes})."
        )
    vectors = np.zeros((*x.shape, num_classes))
    np.put_along_axis(vectors, x[..., np.newaxis], 1.0, axis=-1)
    return vectors


def pad_sequences(
    sequences, maxlen=None, dtype="int32", padding="pre", truncating="pre", value=0.0
):
    """Sequences of different lengths as one array (N, maxlen, ...).

    Args:
        sequences: list of sequences; the items may be arrays of one shape.
        maxlen: length; default the longest.
        padding, truncating: 'pre' or 'post': at which end to fill and to cut.
        value: what to fill with.
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f"pad_sequences: {name} must be 'pre' or 'post', got {side!r}.")
    if not hasattr(sequences, "__len__"):
        raise ValueError(f"pad_sequences: expected a list of sequences, got {sequences!r}.")
    rows = []
    for i, sequence in enumerate(sequences):
        if not hasattr(sequence, "__len__") or isinstance(sequence, str):
            raise ValueError(f"pad_sequences: sequence {i} is not a sequence: {sequence!r}.")
        rows.append(np.asarray(sequence))
        if rows[-1].dtype.kind in "US" and np.dtype(dtype).kind in "biuf":
            raise ValueError(
                f"pad_sequences: sequence {i} holds strings; numbers out of texts make "
                "layers.TextVectorization or StringLookup, or give dtype=object and a value."
            )
    if maxlen is None:
        maxlen = max((len(row) for row in rows), default=0)
    shapes = {row.shape[1:] for row in rows if len(row)} or {()}
    if len(shapes) > 1:
        raise ValueError(f"pad_sequences: the items have different shapes: {sorted(shapes)}.")
    padded = np.full((len(rows), maxlen, *shapes.pop()), value, dtype=dtype)
    for target, row in zip(padded, rows, strict=True):
        kept = row[max(len(row) - maxlen, 0) :] if truncating == "pre" else row[:maxlen]
        if len(kept):
            target[(slice(-len(kept), None) if padding == "pre" else slice(len(kept)))] = kept
    return padded


def normalize(x, axis=-1, order=2):
    """`x` divided by its norm of this order along `axis`; zero vectors stay zero."""
    x = np.atleast_1d(np.asarray(x))
    norm = np.atleast_1d(np.linalg.norm(x, order, axis))
    return x / np.expand_dims(np.where(norm == 0, 1, norm), axis)


def timeseries_dataset_from_array(
    data,
    targets,
    sequence_length,
    sequence_stride=1,
    sampling_rate=1,
    batch_size=128,
    shuffle=False,
    seed=None,
    start_index=None,
    end_index=None,
):
    """Windows of a long series, as a `Batches` of (x, y), or of x if `targets` is None.

    With `batch_size` None it gives single windows (sequence_length, ...), as in Keras: no batches.

    Window i holds data[i stride + j sampling_rate] for j < sequence_length; its target is
    targets[i stride]. Windows are cut when a batch is asked for: no copy of the whole is made. With
    `shuffle` each epoch has an order of its own, drawn by a generator with `seed`.

    Raises ValueError for numbers below 1, for indices outside of the data, and when no window fits.
    """
    data = np.asarray(data)
    for name, value in (
        ("sequence_length", sequence_length),
        ("sequence_stride", sequence_stride),
        ("sampling_rate", sampling_rate),
        ("batch_size", batch_size),
    ):
        check_count(value, f"timeseries_dataset_from_array: {name}")
    _check_part(start_index, end_index, len(data))
    data = data[start_index:end_index]
    if targets is not None:
        targets = np.asarray(targets)[start_index:end_index]
    reach = (sequence_length - 1) * sampling_rate
    n = len(data) - reach if targets is None else min(len(data) - reach, len(targets))
    starts = np.arange(0, max(n, 0), sequence_stride)
    if not len(starts):
        raise ValueError(
            f"timeseries_dataset_from_array: a window takes {reach + 1} steps, the series has "
            f"{len(data)}."
        )
    random = np.random.default_rng(seed) if shuffle else None
    return _Windows(data, targets, starts, reach, sampling_rate, batch_size, random)


def _check_part(start, end, length):
    """ValueError unless data[start:end] is a part of `length` steps, counted from the front."""
    if start is not None and not 0 <= start < length:
        raise ValueError(
            "timeseries_dataset_from_array: start_index must be 0 or more, and below the "
            f"{length} steps of the data, got {start}."
        )
    if end is not None and not (start or 0) < end <= length:
        raise ValueError(
            "timeseries_dataset_from_array: end_index must be above start_index, and at most the "
            f"{length} steps of the data, got {end}."
        )


def split_dataset(dataset, left_size=None, right_size=None, shuffle=False, seed=None):
    """The first and the last samples of arrays, apart.

    Args:
        dataset: an array, or a list, tuple or dict of arrays with one number of samples.
        left_size, right_size: numbers of samples, or floats for shares of them; None for what the
            other leaves.
        shuffle: whether samples are put in a new order first, by a generator with `seed`.

    Returns: (left, right), arrays in the structure of `dataset`. (Keras gives a tf.data.Dataset of
        single samples for each.)

    Raises ValueError for sizes that leave a side empty or are more than there is, TypeError for
    others than int and float.
    """
    arrays = nest.map_leaves(np.asarray, dataset)
    lengths = {len(a) if a.ndim else 0 for a in nest.flatten(arrays)}
    if len(lengths) != 1 or 0 in lengths:
        raise ValueError(
            f"split_dataset: expected arrays with one number of samples, got {sorted(lengths)}."
        )
    n = lengths.pop()
    left, right = _sizes(left_size, right_size, n)
    order = np.random.default_rng(seed).permutation(n) if shuffle else np.arange(n)
    return tuple(
        nest.map_leaves(lambda a, rows=rows: a[rows], arrays)
        for rows in (order[:left], order[n - right :])
    )


def _sizes(left, right, n):
    """Two sizes as numbers of samples."""
    if left is None and right is None:
        raise ValueError("split_dataset: give left_size or right_size.")
    sizes = []
    for name, size in (("left_size", left), ("right_size", right)):
        if size is not None and type(size) not in (int, float):
            raise TypeError(f"split_dataset: {name} must be an int or a float, got {size!r}.")
        if size is not None and not 0 < size < (n if type(size) is int else 1):
            raise ValueError(
                f"split_dataset: {name} must be above 0, and below 1 (a share) or {n} (samples), "
                f"got {size!r}."
            )
        sizes.append(round(size * n) if type(size) is float else size)
    left, right = sizes
    left = n - right if left is None else left
    right = n - left if right is None else right
    if not left or not right or left + right > n:
        raise ValueError(
            f"split_dataset: of {n} samples, {left} and {right} can't be had: both sides need at "
            "least one, and together at most all."
        )
    return left, right


class _Windows(Batches):
    def __init__(self, data, targets, starts, reach, sampling_rate, batch_size, random):
        super().__init__()
        self._random = random
        self._data, self._targets, self._starts = data, targets, starts
        self._offsets = np.arange(0, reach + 1, sampling_rate)
        self._batch_size = batch_size
        self.on_epoch_end()

    def on_epoch_end(self):
        """A new order, if they are shuffled."""
        if self._random is not None:
            self._starts = self._random.permutation(self._starts)

    def __len__(self):
        return -(-len(self._starts) // (self._batch_size or 1))

    def __getitem__(self, index):
        size = self._batch_size
        starts = self._starts[slice(index * size, (index + 1) * size) if size else index]
        x = as_array(self._data[starts[..., np.newaxis] + self._offsets])
        return x if self._targets is None else (x, as_array(self._targets[starts]))
