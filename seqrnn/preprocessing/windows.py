"""Windows of a series as in Keras 2."""

import json

import numpy as np

from seqrnn.utils.batches import PyDataset


class TimeseriesGenerator(PyDataset):
    """Batches (x, y) of windows of a series, each with the target that comes right after it.

    For the rows r = start_index + length, ... in steps of `stride` up to `end_index`,

        x = data[r - length : r : sampling_rate],   y = targets[r].

    `utils.timeseries_dataset_from_array` is Keras 3's way; there the target has the index of the
    window's begin.

    Args:
        data: array (T, ...), or a list.
        targets: array (T, ...).
        length: how far back a window goes.
        sampling_rate: every so many values are taken.
        stride: from a window to the next.
        start_index, end_index: the first and the last row of `data` that are used; default all.
        shuffle: whether each batch takes rows at random, with replacement, from NumPy's generator.
        reverse: whether the windows run backwards.
        batch_size: windows per batch; the last one may have fewer.

    Raises ValueError for series of unequal length, and if a window does not fit.
    """

    def __init__(
        self,
        data,
        targets,
        length,
        sampling_rate=1,
        stride=1,
        start_index=0,
        end_index=None,
        shuffle=False,
        reverse=False,
        batch_size=128,
    ):
        super().__init__()
        if len(data) != len(targets):
            raise ValueError(
                "TimeseriesGenerator: data and targets must have one length, got "
                f"{len(data)} and {len(targets)}."
            )
        self.data, self.targets = data, targets
        self.length = length
        self.sampling_rate = sampling_rate
        self.stride = stride
        self.start_index = start_index + length
        self.end_index = len(data) - 1 if end_index is None else end_index
        self.shuffle = shuffle
        self.reverse = reverse
        self.batch_size = batch_size
        if self.start_index > self.end_index:
            raise ValueError(
                f"TimeseriesGenerator: no window of length {length} fits between row {start_index} "
                f"and row {self.end_index}, which is its target."
            )

    def __len__(self):
        step = self.batch_size * self.stride
        return (self.end_index - self.start_index + step) // step

    def __getitem__(self, index):
        if self.shuffle:
            rows = np.random.randint(self.start_index, self.end_index + 1, size=self.batch_size)
        else:
            first = self.start_index + self.batch_size * self.stride * index
            last = min(first + self.batch_size * self.stride, self.end_index + 1)
            rows = np.arange(first, last, self.stride)
        before = np.arange(-self.length, 0, self.sampling_rate)
        if self.reverse:
            before = before[::-1]
        samples = np.asarray(self.data)[rows[:, np.newaxis] + before]
        return samples, np.asarray(self.targets)[rows]

    def get_config(self):
        """The attributes; data and targets as JSON texts, as in Keras 2."""
        names = ("length", "sampling_rate", "stride", "start_index", "end_index", "shuffle",
                 "reverse", "batch_size")  # fmt: skip
        data, targets = (json.dumps(np.asarray(a).tolist()) for a in (self.data, self.targets))
        return {"data": data, "targets": targets} | {name: getattr(self, name) for name in names}

    def to_json(self, **kwargs):
        """The config as JSON; `kwargs` go to `json.dumps`."""
        config = {"class_name": type(self).__name__, "config": self.get_config()}
        return json.dumps(config, **kwargs)
