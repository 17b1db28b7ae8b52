"""Lists of sequences of unequal length: found in the data, padded and masked, cut batches of.

A list of arrays (T_i, ...) stands for one input with a time axis. Each batch is padded with zeros
at the end, to the length of its longest sequence or somewhat more (see `padded_length`), and a mask
(batch, time) travels with it, so that no layer, loss or metric sees the padding: what comes out is
what each sequence gives alone. A layer that mixes steps and takes no mask is refused by name.

The loss of a batch is, as under `Masking`, the mean over the steps that are there, that
of an epoch over all steps of all batches; so are metrics. `evaluate` gives the same for any size.
With targets per sequence all is as for arrays. The batches of `predict`, `evaluate` and a shuffled
`fit` are made of sequences of similar length: sorted whole, for `fit` within random pools of `POOL`
batches.
"""

import contextlib
from typing import NamedTuple

import numpy as np

from seqrnn.trace import nest, state
from seqrnn.training.data import ArrayData, Batch, as_array, as_arrays, samples_of

POOL = 16


class Sequences:
    """A list of arrays (T_i, ...) with one dtype and the same axes behind the first.

    Args:
        arrays: the list. ValueError for different features.
        what: what to call it in errors.
        steps: the length that the model declares; None if it is open.
    """

    def __init__(self, arrays, what, steps=None):
        self.arrays = arrays
        self.lengths = np.array([len(a) for a in arrays])
        for i, array in enumerate(arrays):
            if array.shape[1:] != arrays[0].shape[1:]:
                raise ValueError(
                    f"{what}[{i}]: expected a sequence of shape (steps, "
                    f"{', '.join(map(str, arrays[0].shape[1:]))}) as {what}[0], got {array.shape}."
                )
        self.dtype = np.result_type(*{a.dtype for a in arrays})
        self.steps = steps

    def __len__(self):
        return len(self.arrays)

    @property
    def shape(self):
        """Of all of them, padded."""
        steps = max(self.lengths.max(), self.steps or 0)
        return (len(self), int(steps), *self.arrays[0].shape[1:])

    def at(self, rows):
        """Those sequences."""
        part = Sequences.__new__(Sequences)
        part.arrays = [self.arrays[i] for i in rows]
        part.lengths, part.dtype, part.steps = self.lengths[rows], self.dtype, self.steps
        return part

    def padded(self, steps):
        """(N, steps, ...), zeros at the end."""
        padded = np.zeros((len(self), steps, *self.arrays[0].shape[1:]), self.dtype)
        for row, array in zip(padded, self.arrays, strict=True):
            row[: len(array)] = array
        return padded


class Masked(NamedTuple):
    """A padded input and which of its steps are there: (N, T, ...) and bool (N, T)."""

    values: object
    mask: object


class Cut:
    """Outputs with a time axis, each sequence's in its own length: a list of arrays."""

    def __init__(self, rows):
        self.rows = rows


def padded_length(longest):
    """The length that sequences up to `longest` are padded to: at most an eighth more, so that
    there are eight plans for each doubling of the length, not one for each length."""
    unit = 1 << max(int(longest - 1).bit_length() - 4, 0)
    return -(-int(longest) // unit) * unit


# ---- what the user gave ----


def find_sequences(x, shapes):
    """`x` with `Sequences` in place of lists of arrays of unequal length, if there are any.

    Args:
        shapes: of the inputs that the model declares, None for one that is not known; None if not
            even their number is.
    """
    if isinstance(x, dict):
        several = shapes is not None and len(shapes) > 1
        known = [None] * len(x) if several or shapes is None else shapes * len(x)
        return {
            name: find_sequences(item, [shape])
            for (name, item), shape in zip(x.items(), known, strict=True)
        }
    if not isinstance(x, list | tuple) and not _holds_arrays(x):
        return x
    if shapes is None or len(shapes) == 1:
        found = _sequences(x, (shapes or [None])[0])
        if found is not None:
            return found
    if shapes is None:
        shapes = [None] * len(x)
    if len(shapes) != len(x):
        return x
    items = [
        _sequences(item, shape, f"x[{i}]")
        for i, (item, shape) in enumerate(zip(x, shapes, strict=True))
    ]
    if all(item is None for item in items):
        return x
    return [a if b is None else b for a, b in zip(x, items, strict=True)]


def _holds_arrays(x):
    return isinstance(x, np.ndarray) and x.dtype == object and x.ndim == 1 and len(x) > 0


def _sequences(x, shape, what="x"):
    """`x` as Sequences; None if it isn't a list of them.

    It is one if the arrays have one axis less than the input, or, where that is not known, lengths
    that differ; not if all have the length that the model declares. Sequences without features
    must be whole numbers, ids for an Embedding.
    """
    if not (isinstance(x, list | tuple) or _holds_arrays(x)) or not len(x):
        return None
    arrays = _numeric(x)
    if arrays is None or len({a.ndim for a in arrays}) > 1:
        return None
    empty = next((i for i, a in enumerate(arrays) if not len(a)), None)
    ndim, lengths = arrays[0].ndim, {len(a) for a in arrays}
    if len(lengths) == 1 and (shape is None or not isinstance(x[0], np.ndarray)):
        return None
    if shape is not None and tuple(lengths) == tuple(shape[1:2]):
        return None  # rows of an array, to be stacked
    if (shape is not None and len(shape) != ndim + 1) or (
        ndim == 1 and arrays[0].dtype.kind == "f"
    ):
        return None
    if empty is not None:
        raise ValueError(f"{what}[{empty}]: the sequence has no steps.")
    return Sequences([as_array(a, f"{what}[{i}]") for i, a in enumerate(arrays)], what,
                     None if shape is None else shape[1])  # fmt: skip


def _numeric(x):
    """The items as arrays with an axis at least; None if they are something else."""
    try:
        arrays = [np.asarray(item) for item in x]
    except (ValueError, TypeError):
        return None
    fine = all(a.ndim and a.dtype.kind in "biuf" for a in arrays)
    return arrays if fine else None


def _per_step(value, what, lengths):
    """Targets or weights: a list with one array per sequence, of its length, as Sequences."""
    if isinstance(value, dict):
        return {name: _per_step(v, f"{what}[{name!r}]", lengths) for name, v in value.items()}
    if not (isinstance(value, list | tuple) or _holds_arrays(value)):
        return as_arrays(value, what)
    arrays = _numeric(value) if len(value) == len(lengths) else None
    sizes = [len(a) for a in arrays or ()]
    if any(np.array_equal(sizes, each) for each in lengths.T):
        return Sequences([as_array(a, f"{what}[{i}]") for i, a in enumerate(arrays)], what)
    if arrays is not None and len(set(sizes)) > 1:
        i = next(i for i, each in enumerate(lengths) if sizes[i] not in each)
        raise ValueError(
            f"{what}[{i}] has {sizes[i]} steps, but x[{i}] has {lengths[i][0]}: a list of arrays "
            "of unequal length must have the lengths of the sequences."
        )
    if all(isinstance(v, list | tuple | dict | None) for v in value) and arrays is None:
        return [_per_step(v, f"{what}[{i}]", lengths) for i, v in enumerate(value)]
    return as_arrays(value, what)


# ---- batches ----


def array_data(x, y, sample_weight, declared, **options):
    """`UnequalData` if lists of sequences are among the inputs, else `ArrayData`.

    Args:
        declared: shapes of the model's inputs, see `find_sequences`.
    """
    x = find_sequences(x, declared)
    unequal = any(isinstance(leaf, Sequences) for leaf in nest.flatten(x))
    return (UnequalData if unequal else ArrayData)(x, y, sample_weight, **options)


class UnequalData(ArrayData):
    """Batches out of lists of sequences, and arrays beside them: as of `ArrayData`.

    Args: see ArrayData; `x` holds Sequences.
    """

    def __init__(self, x, y=None, sample_weight=None, **options):
        leaves = [leaf for leaf in nest.flatten(x) if isinstance(leaf, Sequences)]
        if len(samples_of(leaves)) > 1:
            raise ValueError(
                "Data cardinality is ambiguous: the lists of sequences have "
                f"{', '.join(str(len(leaf)) for leaf in leaves)} sequences."
            )
        self.lengths = np.stack([leaf.lengths for leaf in leaves], 1)  # (sequences, lists)
        y = _per_step(y, "y", self.lengths)
        sample_weight = _per_step(sample_weight, "sample_weight", self.lengths)
        self._sorted = False
        super().__init__(x, y, sample_weight, **options)

    def sort(self):
        """Passes go by length from now on; `restored` undoes it."""
        self._sorted = True

    def restored(self, outputs):
        """Outputs of a sorted pass in the order of the data: arrays, or lists of arrays."""
        back = np.argsort(self._order()) if self._sorted else np.arange(self.size)

        def restore(leaf):
            return [leaf.rows[i] for i in back] if isinstance(leaf, Cut) else leaf[back]

        return nest.map_leaves(restore, outputs)

    def _order(self):
        longest = self.lengths.max(1)
        if self._sorted:
            return np.argsort(longest, kind="stable")
        order = super()._order()
        if self.shuffle is not True:
            return order
        pool = POOL * self.batch_size
        pools = [order[at : at + pool] for at in range(0, self.size, pool)]
        order = np.concatenate([p[np.argsort(longest[p], kind="stable")] for p in pools])
        whole = self.size // self.batch_size * self.batch_size
        batches = order[:whole].reshape(-1, self.batch_size)
        return np.concatenate([self.random.permutation(batches).ravel(), order[whole:]])

    def one_pass(self):
        take = super().one_pass()
        return lambda most=1: take()

    def _batch(self, rows=None):
        rows = np.arange(self.size) if rows is None else rows.ravel()
        return padded_batch(*self._at((self.x, self.y, self.weight), rows))

    @staticmethod
    def _at(structure, rows):
        def at(leaf):
            if leaf is None:
                return None
            return leaf.at(rows) if isinstance(leaf, Sequences) else leaf[rows]

        return nest.map_leaves(at, structure)

    def settle(self, dtype):
        """Nothing to do: batches are copies anyway."""

    def split(self, share):
        at = self.split_at(share)
        parts = [
            self._at((self.x, self.y, self.weight), rows)
            for rows in (np.arange(at), np.arange(at, self.size))
        ]
        train, held_back = [
            UnequalData(*part, batch_size=self.batch_size, shuffle=shuffle)
            for part, shuffle in zip(parts, (self.shuffle, False), strict=True)
        ]
        if self._by_class:
            held_back.weight = None
        return train, held_back


def padded_batch(x, y=None, weight=None):
    """A Batch of these, Sequences padded; those of x are `Masked`."""
    longest = [
        leaf.shape[1] for leaf in nest.flatten((x, y, weight)) if isinstance(leaf, Sequences)
    ]
    declared = {leaf.steps for leaf in nest.flatten(x) if isinstance(leaf, Sequences)} - {None}
    steps = max(longest) if declared else padded_length(max(longest))

    def pad(leaf):
        return leaf.padded(steps) if isinstance(leaf, Sequences) else leaf

    def mask(leaf):
        if not isinstance(leaf, Sequences):
            return leaf
        return Masked(leaf.padded(steps), np.arange(steps) < leaf.lengths[:, np.newaxis])

    return Batch(nest.map_leaves(mask, x), *nest.map_leaves(pad, (y, weight)))


# ---- in a step ----


def is_padded(x):
    """Whether these inputs of a batch hold `Masked`."""
    if isinstance(x, dict):
        return any(map(is_padded, x.values()))
    return isinstance(x, Masked) or (isinstance(x, list | tuple) and any(map(is_padded, x)))


@contextlib.contextmanager
def padded_inputs(x):
    """If `x` is padded: layers inside must pass masks on, and metrics count steps."""
    before = state.padded
    state.padded = before or is_padded(x)
    try:
        yield
    finally:
        state.padded = before


def with_masks(x):
    """The inputs, where the mask of each travels with it."""
    if isinstance(x, Masked):
        if hasattr(x.values, "_keras_mask"):
            x.values._keras_mask = x.mask
        return x.values
    if isinstance(x, dict):
        return {name: with_masks(item) for name, item in x.items()}
    return [with_masks(item) for item in x] if isinstance(x, list | tuple) else x


def cut_outputs(outputs, masks, x):
    """The outputs of a padded batch: those with a mask as `Cut`, without the padding."""
    leaves = [leaf.mask for leaf in _masked(x)]
    lengths = {tuple(mask.sum(1)) for mask in leaves}

    def cut(output, mask):
        if mask is None:
            return output
        steps = next(iter(lengths)) if len(lengths) == 1 else _last_steps(np.asarray(mask))
        return Cut([np.array(row[:n]) for row, n in zip(output, steps, strict=True)])

    parts = [cut(*pair) for pair in zip(nest.flatten(outputs), masks, strict=True)]
    return nest.pack(outputs, parts)


def _last_steps(mask):
    return mask.shape[1] - mask[:, ::-1].argmax(1)


def _masked(x):
    if isinstance(x, Masked):
        return [x]
    items = x.values() if isinstance(x, dict) else x if isinstance(x, list | tuple) else ()
    return [leaf for item in items for leaf in _masked(item)]
