"""Texts in files of a directory, as batches."""

import os

import numpy as np

from seqrnn.errors import did_you_mean
from seqrnn.utils.batches import Batches
from seqrnn.utils.data import to_categorical
from seqrnn.utils.progress import say

_MODES = ("int", "categorical", "binary", None)
_SUBSETS = ("training", "validation", "both", None)


def text_dataset_from_directory(
    directory,
    labels="inferred",
    label_mode="int",
    class_names=None,
    batch_size=32,
    max_length=None,
    shuffle=True,
    seed=None,
    validation_split=None,
    subset=None,
    follow_links=False,
    format="tf",
    verbose=True,
):
    """The .txt files below a directory, as batches (texts, labels).

    Args:
        directory: with a directory of files for each class.
        labels: 'inferred' from the directories; a list of a whole number for each file, in
            the order of their paths; None for texts alone.
        label_mode: 'int': int32 (B,); 'binary': float32 (B, 1); 'categorical': float32
            (B, classes); None for texts alone.
        class_names: the directories, in the order of the numbers of the classes; default sorted.
        batch_size: texts in a batch; None: single texts.
        max_length: bytes that are read of each file; None for all.
        shuffle: whether the files get a new order, at the begin (that of Keras, for one seed) and
            after each pass of a `fit`.
        seed: of the order; default a random one.
        validation_split: share of the files, at the end, that is for validation.
        subset: 'training', 'validation', or 'both' for a list of the two.
        follow_links: whether links to directories are followed.
        format: 'tf', though what is returned is no tf.data.Dataset.
        verbose: whether the number of files is printed.

    Returns: a `TextFiles`.

    Raises ValueError for arguments that don't fit each other, and if there are no files.
    """
    if format != "tf":
        raise ValueError(f"text_dataset_from_directory: format {format!r} is not supported.")
    _check(labels, label_mode, class_names, validation_split, subset, shuffle and seed is None)
    if labels is None or label_mode is None:
        labels = label_mode = None
    seed = np.random.randint(10**6) if seed is None else seed
    paths, labels, class_names = _found(directory, labels, class_names, follow_links)
    if label_mode == "binary" and len(class_names) != 2:
        raise ValueError(f"label_mode 'binary' needs 2 classes, got {class_names}.")
    if verbose:
        classes = f" belonging to {len(class_names)} classes" if class_names else ""
        say(f"Found {len(paths)} files{classes}.")
    order = np.arange(len(paths))
    if shuffle:
        np.random.RandomState(seed).shuffle(order)
    parts = _parts(order, validation_split, subset)
    if not all(len(part) for _, part in parts):
        raise ValueError(f"No .txt files for {subset or 'the data'} found in {directory!r}.")
    made = []
    for name, part in parts:
        if name and verbose:
            say(f"Using {len(part)} files for {name}.")
        made.append(
            TextFiles(
                [paths[i] for i in part],
                None if labels is None else labels[part],
                label_mode,
                class_names,
                batch_size,
                max_length,
                np.random.default_rng(seed) if shuffle and name != "validation" else None,
            )
        )
    return made if subset == "both" else made[0]


def _check(labels, label_mode, class_names, split, subset, unseeded):
    if labels not in ("inferred", None) and not isinstance(labels, list | tuple):
        raise ValueError(f"labels must be 'inferred', None or a list of numbers, got {labels!r}.")
    if class_names is not None and labels != "inferred":
        raise ValueError(
            f"class_names needs labels='inferred', got labels={labels!r} and "
            f"class_names={class_names!r}."
        )
    if label_mode not in _MODES:
        known = [mode for mode in _MODES if mode]
        raise ValueError(f"unknown label_mode {label_mode!r}.{did_you_mean(label_mode, known)}")
    if subset not in _SUBSETS:
        known = [name for name in _SUBSETS if name]
        raise ValueError(f"unknown subset {subset!r}.{did_you_mean(subset, known)}")
    if bool(split) != bool(subset):
        raise ValueError(f"validation_split and subset go together, got {split!r} and {subset!r}.")
    if split and not 0 < split < 1:
        raise ValueError(f"validation_split must be between 0 and 1, got {split!r}.")
    if split and unseeded:
        raise ValueError(
            "validation_split with shuffle needs a seed, so that training and validation don't "
            "share files."
        )


def _found(directory, labels, class_names, follow_links):
    """Paths, labels as an array or None, names of the classes."""
    if labels != "inferred":
        paths = _texts_below(directory, follow_links)
        if labels is None:
            return paths, None, None
        if len(labels) != len(paths):
            raise ValueError(
                f"{len(labels)} labels were given for the {len(paths)} files in {directory!r}."
            )
        return paths, np.array(labels, np.int32), [str(label) for label in sorted(set(labels))]
    there = sorted(
        entry.name for entry in os.scandir(directory) if entry.is_dir() and entry.name[0] != "."
    )
    names = there if class_names is None else list(class_names)
    if not set(names) <= set(there):
        raise ValueError(f"class_names={names} are not all directories in {directory!r}: {there}.")
    below = [_texts_below(os.path.join(directory, name), follow_links) for name in names]
    numbers = np.repeat(np.arange(len(names), dtype=np.int32), [len(paths) for paths in below])
    return [path for paths in below for path in paths], numbers, names


def _texts_below(directory, follow_links):
    """In the order of the directories' paths, then of the names."""
    walked = sorted(os.walk(directory, followlinks=follow_links))
    return [
        os.path.join(root, name)
        for root, _, files in walked
        for name in sorted(files)
        if name.lower().endswith(".txt")
    ]


def _parts(order, split, subset):
    """[(name, which of the files)]."""
    if not split:
        return [(None, order)]
    n = len(order) - int(split * len(order))
    parts = {"training": order[:n], "validation": order[n:]}
    return [(name, part) for name, part in parts.items() if subset in (name, "both")]


class TextFiles(Batches):
    """Batches (texts, labels), or texts, of files that are read when they are asked for; texts are
    an array of str objects. `class_names` are the names of the classes."""

    def __init__(self, paths, labels, label_mode, class_names, batch_size, max_length, random):
        super().__init__()
        self.file_paths = paths
        self.labels = labels
        self.class_names = class_names
        self._mode = label_mode
        self._batch_size = batch_size
        self._max_length = max_length
        self._random = random
        self._order = np.arange(len(paths))

    def __len__(self):
        return -(-len(self.file_paths) // (self._batch_size or 1))

    def __getitem__(self, index):
        if index >= len(self):
            raise IndexError(f"there are {len(self)} batches, no {index}")
        size = self._batch_size or 1
        rows = self._order[index * size : (index + 1) * size]
        texts = np.empty(len(rows), object)
        texts[:] = [self._read(self.file_paths[i]) for i in rows]
        batch = (texts,) if self.labels is None else (texts, self._labels(self.labels[rows]))
        if self._batch_size is None:
            batch = tuple(each[0] for each in batch)
        return batch if len(batch) > 1 else batch[0]

    def _read(self, path):
        with open(path, "rb") as file:
            return file.read(-1 if self._max_length is None else self._max_length).decode(
                "utf-8", errors="replace"
            )

    def _labels(self, numbers):
        if self._mode == "binary":
            return numbers.astype(np.float32)[:, np.newaxis]
        if self._mode == "categorical":
            return to_categorical(numbers, len(self.class_names)).astype(np.float32)
        return numbers

    def on_epoch_end(self):
        """A new order of the texts, if they are shuffled."""
        if self._random is not None:
            self._order = self._random.permutation(len(self.file_paths))
