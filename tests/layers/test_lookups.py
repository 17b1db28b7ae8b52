"""Lookups and encodings in models and files; texts before models. Values: tests/golden."""

import copy

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers

IDS = np.array([[7, 3, 9], [3, 3, 4]] * 4)
Y = np.arange(8, dtype="float32")[:, None]


def model_of(lookup):
    model = keras.Sequential(
        [
            keras.Input((3,), dtype="int64"),
            lookup,
            layers.Embedding(lookup.vocabulary_size(), 4),
            layers.LSTM(3),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse")
    return model


def adapted(**options):
    lookup = layers.IntegerLookup(**options)
    lookup.adapt(IDS)
    return lookup


def test_a_lookup_in_a_model_is_a_lookup_before_it():
    keras.utils.set_random_seed(1)
    lookup = adapted()
    inside = model_of(lookup)
    outside = keras.Sequential([keras.Input((3,), dtype="int64"), *inside.layers[1:]])
    expected = outside.predict(lookup(IDS), verbose=0)
    np.testing.assert_array_equal(inside.predict(IDS, verbose=0), expected)
    weights = inside.get_weights()
    first = inside.fit(IDS, Y, epochs=2, batch_size=3, shuffle=False, verbose=0).history["loss"]
    inside.set_weights(weights)
    outside.compile("adam", "mse")
    second = outside.fit(lookup(IDS), Y, epochs=2, batch_size=3, shuffle=False, verbose=0)
    assert first == second.history["loss"]


def test_many_tokens():
    rng = np.random.default_rng(0)
    known = rng.permutation(np.unique(rng.integers(-(10**12), 10**12, 5000)))
    lookup = layers.IntegerLookup(vocabulary=known)
    places = {token: i + 1 for i, token in enumerate(known.tolist())}
    asked = np.concatenate([known[::7], rng.integers(-(10**12), 10**12, 100), [0]])
    assert lookup(asked).tolist() == [places.get(x, 0) for x in asked.tolist()]


@pytest.mark.parametrize("size", range(1, 10))
def test_every_size_of_vocabulary(size):
    known = [2 * i for i in range(size)]
    lookup = layers.IntegerLookup(vocabulary=known)
    asked = np.arange(-1, 2 * size + 1)
    expected = [known.index(x) + 1 if x in known else 0 for x in asked]
    assert lookup(asked).tolist() == expected
    largest = np.iinfo(np.int64).max
    assert lookup(np.array([largest, -largest])).tolist() == [0, 0]


@pytest.mark.parametrize("ending", [".keras", ".srn"])
@pytest.mark.parametrize("options", [{}, {"mask_token": 3, "num_oov_indices": 2}])
def test_a_learned_vocabulary_is_saved(tmp_path, ending, options):
    model = model_of(adapted(**options))
    model.save(tmp_path / f"model{ending}")
    again = keras.models.load_model(tmp_path / f"model{ending}")
    assert again.layers[0].get_vocabulary() == model.layers[0].get_vocabulary()
    asked = np.array([[7, 1, 2], [9, 3, 4]])
    np.testing.assert_array_equal(again.predict(asked, verbose=0), model.predict(asked, verbose=0))


def test_learned_weights_are_saved(tmp_path):
    lookup = adapted(output_mode="tf_idf")
    model = keras.Sequential([keras.Input((3,), dtype="int64"), lookup, layers.Dense(1)])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.predict(IDS, verbose=0), model.predict(IDS, verbose=0))


def test_adapting_again_reaches_models():
    lookup = adapted()
    model = keras.Sequential([keras.Input((3,), dtype="int64"), lookup])
    before = model.predict(IDS, verbose=0)
    lookup.adapt(np.array([9, 9, 9, 4, 4]))
    assert model.predict(IDS, verbose=0).tolist() == lookup(IDS).tolist() != before.tolist()
    assert lookup.get_vocabulary() == [-1, 9, 4]


def test_batches_of_an_iterable():
    batches = [np.array(["a", "b"]), np.array(["b"]), np.array(["c"] * 5)]
    lookup = layers.StringLookup()
    lookup.adapt(iter(batches), steps=2)
    assert lookup.get_vocabulary() == ["[UNK]", "b", "a"]
    lookup.adapt(iter(batches))
    assert lookup.get_vocabulary() == ["[UNK]", "c", "b", "a"]
    bins = layers.Discretization(num_bins=2)
    bins.adapt(iter([np.arange(10.0), np.arange(10.0, 20.0)]))
    assert 8 < bins.bin_boundaries[0] < 11


def test_bins_and_vectors_in_a_model():
    model = keras.Sequential(
        [
            keras.Input((3,)),
            layers.Discretization([0.0, 1.0]),
            layers.CategoryEncoding(3, output_mode="count"),
            layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    x = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    kernel, bias = model.get_weights()
    counts = np.stack([(np.digitize(x, [0, 1]) == i).sum(1) for i in range(3)], 1)
    np.testing.assert_allclose(model.predict(x, verbose=0), counts @ kernel + bias, rtol=1e-5)
    assert np.isfinite(model.fit(x, Y, verbose=0).history["loss"][0])


# ---- texts ----

TEXTS = ["one two two", "three", "two one"]


def test_texts_of_every_kind():
    vectorize = layers.TextVectorization()
    vectorize.adapt(TEXTS)
    expected = vectorize(np.array(TEXTS)).tolist()
    assert expected == [[3, 2, 2], [4, 0, 0], [2, 3, 0]]
    for texts in (TEXTS, tuple(TEXTS), np.array(TEXTS, object), [t.encode() for t in TEXTS]):
        assert vectorize(texts).tolist() == expected
    assert vectorize("two one").tolist() == [2, 3]
    assert vectorize(np.array([["two"], ["one"]])).tolist() == [[2], [3]]


def test_functions_of_ones_own():
    def standardize(texts):
        assert texts.dtype.kind == "U"
        return np.char.replace(texts, "x", " ")

    def split(texts):
        return [text.split(" ")[::-1] for text in texts]

    vectorize = layers.TextVectorization(standardize=standardize, split=split)
    vectorize.set_vocabulary(["a", "b"])
    assert vectorize(["axb", "b"]).tolist() == [[3, 2], [3, 0]]


def test_copies_and_configs():
    vectorize = layers.TextVectorization(output_mode="tf_idf", ngrams=(1, 2), max_tokens=6)
    vectorize.adapt(TEXTS)
    expected = vectorize(TEXTS)
    again = layers.TextVectorization.from_config(vectorize.get_config())
    np.testing.assert_array_equal(again(TEXTS), expected)
    np.testing.assert_array_equal(copy.deepcopy(vectorize)(TEXTS), expected)
    assert again.get_vocabulary() == vectorize.get_vocabulary()


def test_strings_in_a_model_say_what_to_do():
    vectorize = layers.TextVectorization(vocabulary=["a"])
    with pytest.raises(ValueError, match=r"x = text_vectorization.*\(texts\)"):
        keras.Sequential([keras.Input((1,)), vectorize])
    with pytest.raises(ValueError, match="strings are no part of a model"):
        keras.Input((1,), dtype="string")
    model = keras.Sequential([keras.Input((1,)), layers.Dense(1)])
    with pytest.raises(TypeError, match="TextVectorization"):
        model.predict(np.array([["a"], ["b"]]))
    with pytest.raises(TypeError, match=r"in layer 'text_vectorization.*expected strings"):
        vectorize([1, 2])
    with pytest.raises(ValueError, match="adapt"):
        layers.TextVectorization()(["a"])
