"""Keras 2's texts to numbers, on texts that can be counted by hand."""

import hashlib
import math

import numpy as np
import pytest

import seqrnn as keras
from seqrnn.preprocessing import text

TEXTS = ["The cat sat on the mat.", "The dog sat!", "A cat, a dog; a CAT"]
# the 3, cat 3, a 3, sat 2, dog 2, on 1, mat 1; equally frequent words in the order they came in
NUMBERS = {"the": 1, "cat": 2, "a": 3, "sat": 4, "dog": 5, "on": 6, "mat": 7}
SEQUENCES = [[1, 2, 4, 6, 1, 7], [1, 5, 4], [3, 2, 3, 5, 3, 2]]


def fitted(**options):
    tokenizer = text.Tokenizer(**options)
    tokenizer.fit_on_texts(TEXTS)
    return tokenizer


def test_words():
    words = text.text_to_word_sequence
    assert words("One, two;  THREE\tfour\n") == ["one", "two", "three", "four"]
    assert words("One, two", lower=False) == ["One", "two"]
    assert words("one-two it's", filters="") == ["one-two", "it's"]
    assert words("one/two,three", filters="/", split=",") == ["one", "two", "three"]
    assert words("a!b c", filters="!", split="::") == ["a", "b c"]


def test_numbers():
    tokenizer = fitted()
    assert tokenizer.word_index == NUMBERS
    assert tokenizer.index_word == {i: word for word, i in NUMBERS.items()}
    counts = {"the": 3, "cat": 3, "sat": 2, "on": 1, "mat": 1, "dog": 2, "a": 3}
    assert list(tokenizer.word_counts.items()) == list(counts.items())
    assert tokenizer.document_count == 3
    assert tokenizer.word_docs == counts | {"the": 2, "cat": 2, "a": 1}
    assert tokenizer.index_docs == {1: 2, 2: 2, 3: 1, 4: 2, 5: 2, 6: 1, 7: 1}
    assert tokenizer.texts_to_sequences(TEXTS) == SEQUENCES
    assert tokenizer.texts_to_sequences(["the bird sat"]) == [[1, 4]]
    assert tokenizer.sequences_to_texts([[3, 2, 9, 4], []]) == ["a cat sat", ""]


def test_num_words_keeps_the_frequent_ones():
    tokenizer = fitted(num_words=4)
    assert tokenizer.word_index == NUMBERS  # all are numbered
    assert tokenizer.texts_to_sequences(TEXTS) == [[1, 2, 1], [1], [3, 2, 3, 3, 2]]
    assert tokenizer.sequences_to_texts([[1, 7, 2]]) == ["the cat"]
    assert tokenizer.texts_to_matrix(TEXTS).shape == (3, 4)


def test_oov_token():
    tokenizer = fitted(oov_token="<oov>", num_words=4)
    assert tokenizer.word_index["<oov>"] == 1 and tokenizer.word_index["the"] == 2
    assert tokenizer.texts_to_sequences(["the bird sat"]) == [[2, 1, 1]]
    assert tokenizer.sequences_to_texts([[2, 99, 5]]) == ["the <oov> <oov>"]


def test_characters_and_lists_of_words():
    tokenizer = text.Tokenizer(char_level=True)
    tokenizer.fit_on_texts(["Abba", "b"])
    assert tokenizer.word_index == {"b": 1, "a": 2}
    assert tokenizer.texts_to_sequences(["ab", ["B", "x"]]) == [[2, 1], [1]]
    tokenizer = text.Tokenizer(lower=False)
    tokenizer.fit_on_texts([["New York", "is"], ["New York"]])
    assert tokenizer.word_index == {"New York": 1, "is": 2}


def test_analyzer():
    tokenizer = text.Tokenizer(analyzer=lambda line: line.split("|"))
    tokenizer.fit_on_texts(["a|b", "b"])
    assert tokenizer.texts_to_sequences(["b|a"]) == [[1, 2]]


def test_a_second_fit_counts_on():
    tokenizer = text.Tokenizer()
    tokenizer.fit_on_texts(["one two"])
    tokenizer.fit_on_texts(["two", "two"])
    assert tokenizer.word_index == {"two": 1, "one": 2} and tokenizer.document_count == 3
    assert tokenizer.index_docs == {1: 3, 2: 1}


def test_matrices():
    tokenizer, documents = fitted(), [2, 2, 1, 2, 2, 1, 1]
    counts = np.zeros((3, 8))
    for i, sequence in enumerate(SEQUENCES):
        for number in sequence:
            counts[i, number] += 1
    np.testing.assert_array_equal(tokenizer.texts_to_matrix(TEXTS, "count"), counts)
    np.testing.assert_array_equal(tokenizer.texts_to_matrix(TEXTS), counts > 0)
    freq = tokenizer.texts_to_matrix(TEXTS, "freq")
    np.testing.assert_allclose(freq, counts / [[6], [3], [6]], rtol=1e-15)
    tfidf = tokenizer.texts_to_matrix(TEXTS, mode="tfidf")
    for i in range(3):
        for j in range(1, 8):
            n = counts[i, j]
            expected = (1 + math.log(n)) * math.log(1 + 3 / (1 + documents[j - 1])) if n else 0
            assert math.isclose(tfidf[i, j], expected, rel_tol=1e-14)
    assert not tfidf[:, 0].any()


def test_matrix_of_sequences():
    tokenizer = text.Tokenizer(num_words=3)
    tokenizer.fit_on_sequences([[1, 1], [2]])
    tfidf = tokenizer.sequences_to_matrix([[1, 1, 7], []], "tfidf")
    expected = (1 + math.log(2)) * math.log(1 + 2 / (1 + 1))
    np.testing.assert_allclose(tfidf, [[0, expected, 0], [0, 0, 0]], rtol=1e-15)


@pytest.mark.parametrize("options", [{}, {"num_words": 4, "oov_token": "?"}, {"char_level": True}])
def test_json(options):
    tokenizer = fitted(**options)
    again = text.tokenizer_from_json(tokenizer.to_json())
    assert again.get_config() == tokenizer.get_config()
    assert again.texts_to_sequences(TEXTS) == tokenizer.texts_to_sequences(TEXTS)
    np.testing.assert_array_equal(
        again.texts_to_matrix(TEXTS, "tfidf"), tokenizer.texts_to_matrix(TEXTS, "tfidf")
    )
    again.fit_on_texts(["cat dog"])
    assert again.document_count == 4


def test_json_of_keras_2():
    """The layout that Keras 2 writes."""
    given = (
        '{"class_name": "Tokenizer", "config": {"num_words": 5, "filters": "!", "lower": true, '
        '"split": " ", "char_level": false, "oov_token": null, "document_count": 2, '
        r'"word_counts": "{\"b\": 2, \"a\": 1}", "word_docs": "{\"a\": 1, \"b\": 2}", '
        r'"index_docs": "{\"2\": 1, \"1\": 2}", "index_word": "{\"1\": \"b\", \"2\": \"a\"}", '
        r'"word_index": "{\"b\": 1, \"a\": 2}"}}'
    )
    tokenizer = text.tokenizer_from_json(given)
    assert tokenizer.texts_to_sequences(["a b c!"]) == [[2, 1]]
    assert tokenizer.sequences_to_texts([[1, 2]]) == ["b a"]
    assert tokenizer.index_docs[2] == 1


def test_hashing():
    def number(word, n):
        return int.from_bytes(hashlib.md5(word.encode()).digest(), "big") % (n - 1) + 1

    expected = [number("the", 20), number("cat", 20)]
    assert text.hashing_trick("The cat!", 20) == expected
    assert text.hashing_trick("The cat!", 20, "md5") == expected
    assert text.one_hot("The cat!", 20) == expected
    assert text.hashing_trick("abc d", 5, hash_function=len) == [len("abc") % 4 + 1, 2]
    assert text.hashing_trick("a|b", 5, len, analyzer=lambda t: t.split("|")) == [2, 2]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: text.Tokenizer().fit_on_texts("one text"), "list of texts"),
        (lambda: fitted().texts_to_sequences("one text"), "list of texts"),
        (lambda: fitted().texts_to_matrix(TEXTS, "freqs"), "Did you mean 'freq'"),
        (lambda: text.Tokenizer().sequences_to_matrix([[1]]), "fit_on_texts"),
        (lambda: text.Tokenizer(num_words=3).sequences_to_matrix([[1]], "tfidf"), "tfidf"),
        (lambda: text.hashing_trick("a", 3, "sha1"), "sha1"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_missing_names_say_so():
    with pytest.raises(AttributeError, match="Did you mean 'tokenizer_from_json'"):
        keras.preprocessing.text.tokenizer_from_jsn  # noqa: B018
