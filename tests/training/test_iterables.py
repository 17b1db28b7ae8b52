"""Data that make their batches themselves: the same training as with the arrays they are cut of."""

import threading
import time

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(22, 5, 2)).astype("float32")
Y = X.sum(-1, keepdims=True)


def new_model():
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [keras.Input((None, 2)), layers.GRU(3, return_sequences=True), layers.Dense(1)]
    )
    model.compile("adam", "mse", metrics=["mae"])
    return model


def batch(i):
    return X[4 * i : 4 * i + 4], Y[4 * i : 4 * i + 4]


class Batches(keras.utils.PyDataset):
    def __len__(self):
        return 6

    def __getitem__(self, i):
        time.sleep(0.002 * (i % 3))  # workers finish out of order
        return batch(i)


class Endless(keras.utils.PyDataset):
    @property
    def num_batches(self):
        return None

    def __getitem__(self, i):
        return batch(i % 6)


class Tensor:
    """As a tensor of torch or TensorFlow: converts to an array."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


class Loader:
    """As torch's DataLoader: lists of tensors, a length, no indices."""

    def __len__(self):
        return 6

    def __iter__(self):
        return ([Tensor(a) for a in batch(i)] for i in range(6))


class Dataset:
    """As tf.data: a length that can't be had."""

    def __len__(self):
        raise TypeError("the length is unknown")

    def __iter__(self):
        return (tuple(map(Tensor, batch(i))) for i in range(6))


class Indexed:
    """No PyDataset, but the same methods."""

    def __len__(self):
        return 6

    def __getitem__(self, i):
        return batch(i)


def endless():
    while True:
        yield from map(batch, range(6))


SOURCES = {
    "dataset": Batches,
    "threads": lambda: Batches(workers=3, max_queue_size=4),
    "processes": lambda: Batches(workers=2, use_multiprocessing=True),
    "one_process": lambda: Batches(use_multiprocessing=True),
    "endless_dataset": Endless,
    "endless_threads": lambda: Endless(workers=2),
    "loader": Loader,
    "tf_data": Dataset,
    "indexed": Indexed,
    "list_of_batches": lambda: dict(enumerate(map(batch, range(6)))).values(),
    "generator": endless,
}


@pytest.mark.parametrize("name", SOURCES)
def test_same_as_arrays(name):
    steps = 6 if "endless" in name or name == "generator" else None
    options = {"epochs": 2, "shuffle": False, "verbose": 0}
    arrays, model = new_model(), new_model()
    expected = arrays.fit(X, Y, batch_size=4, validation_data=(X, Y), validation_batch_size=4,
                          **options).history  # fmt: skip
    got = model.fit(
        SOURCES[name](), steps_per_epoch=steps, validation_data=SOURCES[name](),
        validation_steps=steps, **options,
    ).history  # fmt: skip
    assert got == expected
    for a, b in zip(model.get_weights(), arrays.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    predictions = model.predict(SOURCES[name](), steps=steps, verbose=0)
    np.testing.assert_array_equal(predictions, model.predict(X, batch_size=4, verbose=0))


def test_begins_and_ends_of_passes():
    seen = []

    class Notes(Batches):
        def __getitem__(self, i):
            seen.append(i)
            return super().__getitem__(i)

        def on_epoch_begin(self):
            seen.append("begin")

        def on_epoch_end(self):
            seen.append("end")

    new_model().fit(Notes(), epochs=2, shuffle=False, verbose=0)
    assert seen == ["begin", *range(6), "end"] * 2


@pytest.mark.parametrize("processes", [False, True])
def test_workers_see_what_an_epoch_has_changed(processes):
    class Grows(Batches):
        factor = 1

        def __getitem__(self, i):
            return X[:4], self.factor * np.ones((4, 5, 1))

        def on_epoch_end(self):
            self.factor += 1

    model = new_model()
    model.optimizer.learning_rate = 0.0
    data = Grows(workers=2, use_multiprocessing=processes)
    losses = model.fit(data, epochs=2, verbose=0).history["loss"]
    out = model.predict(X[:4], verbose=0)
    assert losses == pytest.approx([np.mean((out - f) ** 2) for f in (1, 2)], rel=1e-5)


def test_batches_are_made_ahead_by_workers_but_not_too_many():
    made, threads = [], set()

    class Notes(Batches):
        def __getitem__(self, i):
            made.append(i)
            threads.add(threading.current_thread().name)
            return batch(i)

    class Look(keras.callbacks.Callback):
        ahead = 0

        def on_train_batch_begin(self, step, logs=None):
            time.sleep(0.01)
            self.ahead = max(self.ahead, len(made) - step - 1)

    look = Look()
    new_model().fit(Notes(workers=2, max_queue_size=3), verbose=0, callbacks=[look])
    assert 1 <= look.ahead <= 3 and threading.current_thread().name not in threads
    left = [t for t in threading.enumerate() if t.name.startswith("seqrnn-data")]
    assert not left


@pytest.mark.parametrize("processes", [False, True])
def test_an_error_in_a_worker_is_that_of_fit(processes):
    class Fails(Batches):
        def __getitem__(self, i):
            if i == 4:
                raise OSError("no such file")
            return batch(i)

    model = new_model()
    with pytest.raises(OSError, match="no such file"):
        model.fit(Fails(workers=2, use_multiprocessing=processes), shuffle=False, verbose=0)
    assert int(model.optimizer.iterations) == 4
    model.fit(X, Y, verbose=0)


def test_a_stopped_fit_leaves_no_workers():
    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, step, logs=None):
            self.model.stop_training = True

    new_model().fit(Endless(workers=2), steps_per_epoch=9, verbose=0, callbacks=[Stop()])
    deadline = time.time() + 5
    while any(t.name.startswith("seqrnn-data") for t in threading.enumerate()):
        assert time.time() < deadline
        time.sleep(0.01)


def test_batches_of_sequences_of_unequal_length():
    rows = [RNG.normal(size=(n, 2)).astype("float32") for n in (3, 1, 4, 2)]
    targets = [row[:, :1] for row in rows]

    class Rows(keras.utils.PyDataset):
        def __len__(self):
            return 2

        def __getitem__(self, i):
            return rows[2 * i : 2 * i + 2], targets[2 * i : 2 * i + 2]

    whole, model = new_model(), new_model()
    options = {"shuffle": False, "verbose": 0}
    assert (
        model.fit(Rows(), **options).history
        == whole.fit(rows, targets, batch_size=2, **options).history
    )
    found = model.predict(Rows(), verbose=0)
    for a, b in zip(found, model.predict(rows, verbose=0), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_what_a_dataset_lacks_is_said():
    class Nothing(keras.utils.PyDataset):
        pass

    with pytest.raises(NotImplementedError, match=r"Nothing has to define __len__.*num_batches"):
        new_model().fit(Nothing(), verbose=0)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_workers_end_when_a_callback_raises(method):
    """Also while somebody keeps the exception, whose traceback holds the frames of the loop."""
    kind = {"fit": "train", "evaluate": "test"}.get(method, method)

    def stop(*_):
        raise RuntimeError("enough")

    callback = keras.callbacks.Callback()
    setattr(callback, f"on_{kind}_batch_end", stop)
    before = threading.active_count()
    with pytest.raises(RuntimeError, match="enough") as kept:
        getattr(new_model(), method)(Batches(workers=2), verbose=0, callbacks=[callback])
    assert threading.active_count() == before
    assert kept.value is not None


def test_a_pass_begins_once_per_epoch():
    class Counts:
        begun = 0

        def __iter__(self):
            self.begun += 1
            return iter([batch(0)] * 3)

    data = Counts()
    new_model().fit(data, epochs=2, verbose=0)
    assert data.begun == 2
