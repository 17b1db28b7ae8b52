"""Data sets that make a batch when it is asked for, and chains of them."""

import itertools

import numpy as np

from seqrnn.trace import nest
from seqrnn.trace.array import as_array


class PyDataset:
    """Base of data sets that make a batch when it is asked for.

    A subclass defines `__getitem__(i)` -> x, (x, y) or (x, y, weight) and `__len__`, the number of
    batches, or a property `num_batches`, None for data without end; `on_epoch_begin` and
    `on_epoch_end` if it likes. The order of the batches is the same for any number of workers.

    Args:
        workers: how many threads (or processes) make batches ahead, if more than 1.
        use_multiprocessing: processes instead of threads; they are made anew for each epoch.
        max_queue_size: how many batches are made ahead at most.
    """

    workers = 1  # also of a subclass that does not call this class's __init__
    use_multiprocessing = False
    max_queue_size = 10

    def __init__(self, workers=1, use_multiprocessing=False, max_queue_size=10):
        self.workers = workers
        self.use_multiprocessing = use_multiprocessing
        self.max_queue_size = max_queue_size

    def __getitem__(self, index):
        raise NotImplementedError(f"{type(self).__name__} has to define __getitem__(index).")

    def __len__(self):
        raise NotImplementedError(
            f"{type(self).__name__} has to define __len__(), or a property num_batches."
        )

    @property
    def num_batches(self):
        """How many batches there are, `len()`; None for data without end."""
        return len(self)

    def __iter__(self):
        n = self.num_batches
        return map(self.__getitem__, itertools.count() if n is None else range(n))

    def on_epoch_begin(self):
        """Called before each pass over the data."""

    def on_epoch_end(self):
        """Called after each pass over the data."""


Sequence = PyDataset


class Batches(PyDataset):
    """A data set whose batches can be chosen and changed, as those of `tf.data` are.

    Every method gives another data set and leaves this one as it is; nothing is read before it is
    asked for. What has no such method here is done on arrays, or in a PyDataset of one's own.
    """

    def take(self, count):
        """The first `count` batches; -1 for all."""
        n = len(self)
        return Chosen(self, range(n if count < 0 else min(count, n)))

    def skip(self, count):
        """All batches but the first `count`; -1 for none."""
        n = len(self)
        return Chosen(self, range(n if count < 0 else min(count, n), n))

    def shuffle(self, buffer_size=None, seed=None, reshuffle_each_iteration=True):
        """The batches in another order, a new one for each pass; of all, whatever the buffer."""
        return Shuffled(self, seed, reshuffle_each_iteration)

    def repeat(self, count=None):
        """The batches `count` times."""
        if count is None or count < 0:
            raise ValueError("repeat: give a number, or leave it out and say fit(epochs=...).")
        return Chosen(self, list(range(len(self))) * count)

    def map(self, function, num_parallel_calls=None, deterministic=None):
        """These batches with `function` applied to each: `map(lambda x, y: (x[:, :-1], y))`."""
        return Mapped(self, function)

    def batch(self, batch_size, drop_remainder=False, num_parallel_calls=None):
        """`batch_size` of the elements in one, along a new first axis."""
        return Stacked(self, batch_size, drop_remainder)

    def unbatch(self):
        """The rows of the batches one by one. They are made now."""
        rows = []
        for batch in self:
            n = len(nest.flatten(batch)[0])
            rows += [nest.map_leaves(lambda a, i=i: as_array(a[i]), batch) for i in range(n)]
        return Listed(rows)

    def prefetch(self, buffer_size=None):
        """The same; a PyDataset of one's own may have `workers`."""
        return self

    def cache(self, filename=""):
        """The same: the data are in memory."""
        return self

    def as_numpy_iterator(self):
        """The batches as plain arrays, one after the other."""
        return (nest.map_leaves(np.asarray, batch) for batch in self)

    def cardinality(self):
        """How many batches there are."""
        return len(self)


class Chosen(Batches):
    """The batches of another data set with these numbers."""

    def __init__(self, data, numbers):
        super().__init__()
        self._data, self._numbers = data, numbers
        self.on_epoch_begin, self.on_epoch_end = data.on_epoch_begin, data.on_epoch_end

    def __len__(self):
        return len(self._numbers)

    def __getitem__(self, index):
        return self._data[self._numbers[index]]


class Shuffled(Chosen):
    """The batches of another data set in an order that is drawn at the begin of each pass."""

    def __init__(self, data, seed, again):
        super().__init__(data, None)
        self._random, self._again = np.random.default_rng(seed), again
        self.on_epoch_begin = self._begin

    def __len__(self):
        return len(self._data)

    def __iter__(self):
        self._begin()
        return super().__iter__()

    def __getitem__(self, index):
        if self._numbers is None:
            self._draw()
        return super().__getitem__(index)

    def _begin(self):
        self._data.on_epoch_begin()
        if self._again or self._numbers is None:
            self._draw()

    def _draw(self):
        self._numbers = self._random.permutation(len(self._data))


class Mapped(Chosen):
    """The batches of another data set with a function applied to each."""

    def __init__(self, data, function):
        super().__init__(data, range(len(data)))
        self._function = function

    def __getitem__(self, index):
        batch = super().__getitem__(index)
        return self._function(*batch) if isinstance(batch, tuple) else self._function(batch)


class Stacked(Chosen):
    """Elements of another data set, several in one."""

    def __init__(self, data, size, whole):
        super().__init__(data, range(0, len(data) - (size - 1 if whole else 0), size))
        self._size = size

    def __getitem__(self, index):
        begin = self._numbers[index]
        end = min(begin + self._size, len(self._data))
        items = [self._data[i] for i in range(begin, end)]
        leaves = zip(*map(nest.flatten, items), strict=True)
        return nest.pack(items[0], [as_array(np.stack(each)) for each in leaves])


class Listed(Batches):
    """Elements that are there."""

    def __init__(self, items):
        super().__init__()
        self._items = items

    def __len__(self):
        return len(self._items)

    def __getitem__(self, index):
        return self._items[index]
