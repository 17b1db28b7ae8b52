"""Data for `fit`, `evaluate` and `predict`: whatever the user gives, as batches (x, y, weight).

Arrays (also pandas objects, nested lists of numbers, and lists or dicts of arrays for several
inputs) become `ArrayData`, lists of sequences `unequal.UnequalData`, everything that can be
iterated over `iterables.IterableData`. All offer

    size       samples, None if unknown
    steps      batches in a pass, None if unknown
    random     the generator that shuffles; None without, or before `seed`
    one_pass() begins a pass: a function take(most) that gives the next `Batch`, or up to `most`
               batches of one size at once; None at the end
    close()    ends a pass before its end

Shuffling permutes the samples anew for every pass, by a generator that is seeded once per call of
`fit` from NumPy's global one, so `utils.set_random_seed` or `np.random.seed` fixes it.
"""

import warnings
from typing import NamedTuple

import numpy as np

from seqrnn import config
from seqrnn.trace import nest
from seqrnn.trace.array import frame_to_array, refuse_masked


def as_array(value, what):
    """`value` as an array of native numbers with at least one axis and one sample.

    A Series of pandas is one column, (N, 1), as in Keras, unless it holds sample weights.

    Raises TypeError for objects and strings, ValueError for ragged lists, empty and masked arrays.
    """
    if hasattr(value, "to_numpy"):
        value = frame_to_array(value)
        if value.ndim == 1 and not what.startswith("sample_weight"):
            value = value[:, np.newaxis]
    refuse_masked(value, what)
    try:
        array = np.asarray(value)
    except ValueError:
        array = np.empty((), object)
    if array.dtype.kind in "US" or (array.dtype.kind == "O" and _is_text(array)):
        raise TypeError(
            f"{what}: expected an array of numbers, got strings. Make numbers of them before: "
            + (
                "names, y = np.unique(y, return_inverse=True)."
                if what.startswith("y")
                else "x = vectorize(texts), with vectorize a TextVectorization or StringLookup."
            )
        )
    if callable(value):
        raise TypeError(f"{what}: expected data, got the function {value!r}. Call it: {what}().")
    if isinstance(value, list) and value and all(isinstance(item, tuple) for item in value):
        raise TypeError(
            f"{what}: expected an array of numbers, got a list of {len(value)} tuples. Batches "
            "(x, y) come from a generator or a keras.utils.PyDataset; or join them to two arrays: "
            "x = np.concatenate([x for x, y in batches])."
        )
    if array.dtype.kind == "O":
        raise TypeError(
            f"{what}: expected an array of numbers, got objects (dtype object). If its rows have "
            "different lengths, pad them: keras.utils.pad_sequences(rows, dtype='float32'); if it "
            "holds numbers, convert it: x.astype('float32')."
        )
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{what}: expected an array of numbers, got dtype {array.dtype}.")
    if array.ndim == 0:
        raise ValueError(f"{what}: expected an array with a batch axis, got the number {array}.")
    if array.shape[0] == 0:
        raise ValueError(
            f"{what}: expected at least one sample, got an array of shape {array.shape}."
        )
    if array.dtype.itemsize > 8:
        return array.astype(np.float64)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


def _is_text(array):
    return any(isinstance(item, str | bytes) for item in array.flat)


def as_arrays(value, what):
    """Nested arrays: a list or tuple of arrays (or None, where an output needs none) and a dict
    keep their structure."""
    if value is None or hasattr(value, "lengths"):  # a list of sequences, see `unequal`
        return value
    if isinstance(value, dict):
        return {name: as_arrays(item, f"{what}[{name!r}]") for name, item in value.items()}
    if isinstance(value, list | tuple) and _is_list_of_arrays(value):
        return [as_arrays(item, f"{what}[{i}]") for i, item in enumerate(value)]
    return as_array(value, what)


def _is_list_of_arrays(items):
    given = [item for item in items if item is not None]
    return bool(given) and all(map(is_array, given))


def is_array(value):
    """Whether this is one array, not several: of NumPy, pandas, torch, ..."""
    marks = hasattr(value, "to_numpy") or hasattr(value, "lengths")
    return marks or (hasattr(value, "__array__") and np.ndim(value) > 0)


class Batch(NamedTuple):
    """Nested arrays, and which of their rows make a batch; y and weight may be None.

    rows: int64 (batches, samples), so that the core gathers them: one array of numbers stands for
        several batches in a row. None: the arrays are one batch.
    """

    x: object
    y: object = None
    weight: object = None
    rows: np.ndarray | None = None

    @property
    def arrays(self):
        return self[:3]

    @property
    def steps(self):
        """How many batches."""
        return 1 if self.rows is None else len(self.rows)

    def shape_of(self, array):
        """The shape that `array` has in one batch."""
        return array.shape if self.rows is None else (self.rows.shape[1], *array.shape[1:])

    def cut(self):
        """(x, y, weight) of a single batch."""
        if self.rows is None:
            return self.arrays
        (rows,) = self.rows
        return nest.map_leaves(lambda a: None if a is None else a[rows], self.arrays)


class ArrayData:
    """Batches out of arrays, the last one shorter if need be.

    Args:
        x, y, sample_weight: nested arrays with one length; y and sample_weight may be None.
        shuffle: True, False, or 'batch' to permute within each batch only.
        match_inputs: function that brings x into the structure that the model wants.
    """

    restarts = True

    def __init__(
        self,
        x,
        y=None,
        sample_weight=None,
        *,
        batch_size=32,
        shuffle=False,
        class_weight=None,
        match_inputs=None,
    ):
        self.x = as_arrays(x, "x")
        self.y = as_arrays(y, "y")
        self.weight = as_arrays(sample_weight, "sample_weight")
        check_cardinality(self.x, self.y, self.weight)
        self._by_class = class_weight is not None
        if self._by_class:
            self.weight = weights_of_classes(self.y, self.weight, class_weight)
        if match_inputs is not None:
            self.x = match_inputs(self.x)
        self.size = len(nest.flatten(self.x)[0])
        self.set_batch_size(batch_size)
        self.shuffle = shuffle
        self.random = None

    def set_batch_size(self, batch_size):
        """Samples per batch."""
        self.batch_size = batch_size
        self.steps = -(-self.size // batch_size)

    def seed(self):
        """Draws a new seed for the shuffling."""
        if self.shuffle:
            self.random = np.random.default_rng(np.random.randint(2**32, dtype=np.uint32))

    def one_pass(self):
        order, done = self._order(), 0

        def take(most=1):
            nonlocal done
            whole = min((self.size - done) // self.batch_size, most)
            rows = order[done : done + whole * self.batch_size] if whole else order[done:]
            if not len(rows):
                return None
            done += len(rows)
            return self._batch(rows.reshape(max(whole, 1), -1))

        return take

    def _batch(self, rows=None):
        return Batch(self.x, self.y, self.weight, rows)

    def _order(self):
        if not self.shuffle:
            return np.arange(self.size)
        if self.shuffle != "batch":
            return self.random.permutation(self.size)
        batches = np.split(np.arange(self.size), range(self.batch_size, self.size, self.batch_size))
        return np.concatenate([self.random.permutation(batch) for batch in batches])

    def first(self):
        """The first batch without shuffling, for its shapes."""
        return self._batch(np.arange(min(self.batch_size, self.size)).reshape(1, -1))

    def whole(self):
        """All samples as one batch."""
        return self._batch()

    def close(self):
        """Nothing to end."""

    def settle(self, dtype):
        """Targets and weights as the plans for `dtype` read them, so batches are plain copies."""
        self.y, self.weight = nest.map_leaves(lambda a: _settled(a, dtype), [self.y, self.weight])

    def split_at(self, share):
        """How many samples stay when the last `share` of them goes; ValueError for none or all."""
        at = int(self.size * (1.0 - share))
        if at == 0 or at == self.size:
            raise ValueError(
                f"validation_split={share} of {self.size} samples leaves {at} for training and "
                f"{self.size - at} for validation; both need at least one."
            )
        return at

    def split(self, share):
        """(data without the last `share` of the samples, data of that share).

        Weights by class are for training alone.
        """
        at = self.split_at(share)
        head, tail = [
            nest.map_leaves(lambda a, r=rows: None if a is None else a[r], self._batch().arrays)
            for rows in (slice(0, at), slice(at, None))
        ]
        if self._by_class:
            tail = (*tail[:2], None)
        train = ArrayData(*head, batch_size=self.batch_size, shuffle=self.shuffle)
        return train, ArrayData(*tail)


def _settled(array, dtype):
    """The array, contiguous; floats in `dtype`. Overlapping windows of a series stay as they are,
    for a copy could be many times as large."""
    if array is None:
        return None
    reach = sum((n - 1) * abs(s) for n, s in zip(array.shape, array.strides, strict=True))
    if reach + array.itemsize < array.nbytes:
        return array
    return np.ascontiguousarray(array, dtype if array.dtype.kind == "f" else array.dtype)


def samples_of(arrays):
    """The set of the numbers of samples of nested arrays."""
    if arrays is None:
        return set()
    return {len(a) for a in nest.flatten(arrays) if a is not None}


def check_cardinality(x, y, weight):
    """ValueError unless all arrays have the same number of samples."""
    samples = samples_of(x)
    if not samples:
        raise ValueError("x: expected an array, got none.")
    if len(samples | samples_of(y) | samples_of(weight)) > 1:
        named = (("x", x), ("y", y), ("sample_weight", weight))
        listed = "; ".join(
            f"{name}: {', '.join(str(len(a)) for a in nest.flatten(arrays) if a is not None)}"
            for name, arrays in named
            if samples_of(arrays)
        )
        raise ValueError(
            f"Data cardinality is ambiguous: the numbers of samples differ ({listed}). Make sure "
            "all arrays contain the same number of samples."
        )


def weights_of_classes(y, weight, class_weight):
    """Weights (N,) by the class of each sample: y (N,), (N, 1) integers or (N, C) one-hot."""
    if weight is not None:
        raise ValueError("You cannot set both class_weight and sample_weight. Multiply them first.")
    if not isinstance(y, np.ndarray):
        raise ValueError("class_weight needs targets for a single output.")
    if y.ndim > 2:
        raise ValueError(
            f"class_weight needs one class per sample, but the targets have shape {y.shape}. Pass "
            "sample_weight of shape (samples, steps) instead."
        )
    one_hot = y.ndim == 2 and y.shape[1] > 1
    if one_hot and ((y < 0) | (y > 1)).any():
        raise ValueError(
            f"class_weight needs one class per sample, (N,) or one-hot (N, classes), but the "
            f"targets have shape {y.shape} and values such as {y[(y < 0) | (y > 1)][0]}. If they "
            "are the classes of steps, pass sample_weight of shape (samples, steps) instead."
        )
    classes = y.argmax(axis=1) if one_hot else y.ravel()
    weights = np.ones(len(classes), np.float32)
    for label, value in class_weight.items():
        weights[classes == int(label)] = value
    return weights


def _limited(steps, data):
    """`steps`, or the limit that is set for all loops."""
    most = config.max_steps_per_epoch()
    if not most or (steps or data.steps or most + 1) <= most:
        return steps
    warnings.warn(f"Limited to {most} batches by set_max_steps_per_epoch.", stacklevel=4)
    return most


class Epochs:
    """The batches of one epoch after the other.

    Args:
        steps: batches per epoch; None for whole passes. A pass then goes on in the next epoch.
    """

    def __init__(self, data, steps=None):
        self.data = data
        steps = _limited(steps, data)
        self.steps = data.steps if steps is None else steps
        self._limit = steps
        self._take = None  # of the pass that is under way
        self._at_begin = None  # the state of the generator when the pass began
        self._in_pass = 0  # batches taken of it
        self._skipped = 0  # batches of the next epoch that were taken before a restart
        self.done = self.total = 0
        self.ran_out = False

    def begin(self):
        """Begins the next epoch."""
        self.done, self._skipped = self._skipped, 0

    def restart(self):
        """Begins the next epoch with the first batch of the data, unless they can't begin again."""
        if self.data.restarts:
            self.close()
        self.begin()

    def close(self):
        """Ends the pass that is under way."""
        self._take = None
        self.data.close()

    def state(self):
        """Where the data are, as JSON: for `go_on` with the same data in another process."""
        within = self._take is not None
        return {
            "done": self.done,
            "total": self.total,
            "in_pass": self._in_pass if within else 0,
            "random": self._at_begin if within else self._random_state(),
        }

    def go_on(self, state, done):
        """Goes to where `state` says; the epoch that begins next has had `done` batches.

        Returns: the last batch that was passed over, None if there is none.
        """
        if self.data.random is not None and state["random"] is not None:
            self.data.random.bit_generator.state = state["random"]
        self.total, self._skipped = state["total"], done
        batch, left = None, state["in_pass"]
        if left:
            self._new_pass()
        while left:
            batch = self._take(left)
            if batch is None:
                raise ValueError(
                    f"The data end {left} batches before the place where training was interrupted."
                )
            self._in_pass += batch.steps
            left -= batch.steps
        return batch

    def _random_state(self):
        return None if self.data.random is None else self.data.random.bit_generator.state

    def _new_pass(self):
        self._at_begin, self._in_pass = self._random_state(), 0
        self._take = self.data.one_pass()

    def take(self, most=1):
        """The next batch of the epoch, or up to `most` of them at once; None when it is over.

        `done` counts the batches, `total` those of all epochs; `ran_out` says at the end whether
        there were too few.
        """
        if self._limit is not None:
            most = min(most, self._limit - self.done)
        batch = self._next(most) if most else None
        taken = 0 if batch is None else batch.steps
        self.done += taken
        self.total += taken
        self.ran_out = bool(most) and batch is None and (self._limit is not None or not self.done)
        return batch

    def _next(self, most):
        if self._take is None:
            self._new_pass()
        batch = self._take(most)
        if batch is None and self.done == 0 and self.data.restarts:
            self._new_pass()
            batch = self._take(most)
        if batch is None:
            self._take = None
        else:
            self._in_pass += batch.steps
        return batch
