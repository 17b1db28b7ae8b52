"""Data that make their batches themselves: generators, data sets, data loaders.

A source with `num_batches`, or with `__getitem__` and `__len__`, is indexed (`utils.PyDataset`);
anything else is iterated over, once per pass if it can begin again.
Batches are x, (x, y) or (x, y, weight) of whatever converts to arrays (torch, tf.data).
"""

import collections
import contextlib
import itertools
import multiprocessing
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np

from seqrnn.training.data import is_array
from seqrnn.training.unequal import array_data


def is_iterable_data(x):
    """Whether `x` yields batches itself: a generator, a PyDataset, a data loader."""
    if x is None or isinstance(x, list | tuple | dict | str | np.ndarray) or is_array(x):
        return False
    return hasattr(x, "__iter__") or hasattr(x, "__next__") or hasattr(x, "__getitem__")


def split_batch(batch):
    """(x,), (x, y), (x, y, weight) or x as (x, y, weight)."""
    if not isinstance(batch, tuple | list):
        return batch, None, None
    if not 1 <= len(batch) <= 3:
        raise ValueError(
            f"Data must yield x, (x, y) or (x, y, sample_weight), got a tuple of {len(batch)}."
        )
    return (*batch, None, None)[:3]


def _length(source):
    """The number of batches, None if it is unknown or there is no end."""
    if hasattr(source, "num_batches"):
        return source.num_batches
    try:
        return len(source)
    except TypeError:  # no __len__, or one that says so (tf.data, torch)
        return None


class IterableData:
    """Batches out of an iterable, see `data`; for an indexed one in a new order if `shuffle`.

    Args:
        declared: shapes of the model's inputs, see `unequal.find_sequences`.
    """

    size = None

    def __init__(self, source, class_weight=None, shuffle=False, match_inputs=None, declared=None):
        self._source = source
        self._options = {"class_weight": class_weight, "match_inputs": match_inputs}
        self._declared = declared
        indexed = hasattr(source, "__getitem__") and hasattr(source, "__len__")
        self._indexed = indexed or hasattr(source, "num_batches")
        self.steps = _length(source)
        self._shuffle = shuffle and self._indexed and self.steps is not None
        self.random = None
        self._pass = None
        self.restarts = self._indexed or not hasattr(source, "__next__")
        if self.steps == 0:
            raise ValueError("The data yields no batches: its length is 0.")

    def seed(self):
        if self._shuffle:
            self.random = np.random.default_rng(np.random.randint(2**32, dtype=np.uint32))

    def one_pass(self):
        self.close()
        batches = self._pass = self._batches()
        return lambda most=1: next(batches, None)

    def close(self):
        """Ends the pass that is under way, and its workers."""
        if self._pass is not None:
            self._pass.close()
            self._pass = None

    def _batches(self):
        if not self._indexed:
            yield from map(self._batch, self._source)
            return
        source = self._source
        order = itertools.count() if self.steps is None else range(self.steps)
        if self.random:
            order = map(int, self.random.permutation(self.steps))
        if hasattr(source, "on_epoch_begin"):
            source.on_epoch_begin()
        workers, processes = getattr(source, "workers", 1), _uses_processes(source)
        if workers > 1 or (processes and workers > 0):
            ahead = max(getattr(source, "max_queue_size", 10), 1)
            with contextlib.closing(_made_ahead(source, order, workers, processes, ahead)) as items:
                yield from map(self._batch, items)
        else:
            yield from (self._batch(source[index]) for index in order)
        if hasattr(source, "on_epoch_end"):
            source.on_epoch_end()

    def _batch(self, batch):
        data = array_data(*split_batch(batch), self._declared, **self._options)
        return data.whole()


# ---- workers ----


def _uses_processes(source):
    return bool(getattr(source, "use_multiprocessing", False))


_shared = {}  # in a worker process: the data set


def _share(source):
    _shared["source"] = source


def _item(index):
    return _shared["source"][index]


def _made_ahead(source, order, workers, processes, ahead):
    """The items in their order, up to `ahead` of them made before they are asked for.

    By threads, or by processes that are forked anew for each pass, so that they see what
    `on_epoch_end` has changed; where there is no fork, the data set is pickled.
    """
    if processes:
        methods = multiprocessing.get_all_start_methods()
        context = multiprocessing.get_context("fork" if "fork" in methods else None)
        pool = ProcessPoolExecutor(workers, context, initializer=_share, initargs=(source,))
        make = _item
    else:
        pool, make = ThreadPoolExecutor(workers, "seqrnn-data"), source.__getitem__
    waiting = collections.deque()
    try:
        for index in order:
            waiting.append(pool.submit(make, index))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
