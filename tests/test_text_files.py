"""Texts of a directory through a TextVectorization into a fit."""

import pathlib

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers


@pytest.fixture
def folder(tmp_path):
    for name, text in (("good", "a fine film"), ("bad", "a dull thing")):
        (tmp_path / name).mkdir()
        for i in range(6):
            (tmp_path / name / f"{i}.txt").write_text(f"{text} {i}")
    return tmp_path


def test_from_files_to_fit(folder):
    keras.utils.set_random_seed(0)
    train, valid = keras.utils.text_dataset_from_directory(
        folder, batch_size=4, validation_split=0.25, subset="both", seed=1, verbose=False
    )
    vectorize = layers.TextVectorization(output_sequence_length=4)
    vectorize.adapt(texts for texts, _ in train)
    numbers, known = (data.map(lambda x, y: (vectorize(x), y)) for data in (train, valid))
    model = keras.Sequential(
        [
            keras.Input((4,), dtype="int64"),
            layers.Embedding(vectorize.vocabulary_size(), 3, mask_zero=True),
            layers.GRU(3),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["accuracy"])
    history = model.fit(numbers, validation_data=known, epochs=25, verbose=0).history
    assert history["val_accuracy"][-1] == 1.0
    assert len(model.predict(known, verbose=0)) == 3


def test_a_new_order_after_each_pass(folder):
    data = keras.utils.text_dataset_from_directory(folder, seed=3, verbose=False)
    (before, labels), *_ = data
    data.on_epoch_end()
    (after, labels_after), *_ = data
    assert sorted(before) == sorted(after) and list(before) != list(after)
    kind = dict(zip(before, labels.tolist(), strict=True))
    assert labels_after.tolist() == [kind[text] for text in after]
    again = keras.utils.text_dataset_from_directory(folder, seed=3, verbose=False)
    again.on_epoch_end()
    assert list(again[0][0]) == list(after)


def test_what_is_read(folder, capsys):
    path = pathlib.Path(folder) / "good" / "0.txt"
    path.write_bytes("äb\xff".encode("latin1") + b"cd")
    data = keras.utils.text_dataset_from_directory(
        folder, shuffle=False, class_names=["good"], max_length=4
    )
    assert data[0][0][0] == "\ufffdb\ufffdc" and data[0][1].tolist() == [0] * 6
    assert capsys.readouterr().out == "Found 6 files belonging to 1 classes.\n"
    with pytest.raises(IndexError, match="1 batches"):
        data[1]
    np.testing.assert_array_equal(data.labels, np.zeros(6))
