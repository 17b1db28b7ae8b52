"""Texts to numbers: standardised, split into words, and looked up in a vocabulary."""

from __future__ import annotations

import re
import string

import numpy as np

from seqrnn.errors import did_you_mean
from seqrnn.layers.base import Layer
from seqrnn.layers.encoding import batches_of
from seqrnn.layers.lookup import StringLookup, on_data, strings
from seqrnn.layers.options import whole_numbers
from seqrnn.trace.array import as_array

_STANDARDS = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_SPLITS = ("whitespace", "character")
_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
_WORD = re.compile(r"[^ \t\n\r\f\v]+")


class TextVectorization(Layer):
    """Texts as numbers of their words, or as one vector each.

    It works on arrays and lists of texts, before a model and not in it:

        vectorize = TextVectorization(max_tokens=10000, output_sequence_length=200)
        vectorize.adapt(texts)
        model.fit(vectorize(texts), y)

    0 is for padding, 1 for unknown words, then come the words, the most frequent first.

    Args:
        max_tokens: the most numbers there may be.
        standardize: 'lower_and_strip_punctuation', 'lower', 'strip_punctuation' (of ASCII, as in
            Keras), None, or a function from an array of texts to one.
        split: 'whitespace', 'character', None (each text is one word), or a function from an array
            of texts to a list of lists of words.
        ngrams: n for all runs of 1 to n words, a tuple for runs of these lengths.
        output_mode: 'int', 'multi_hot', 'count' or 'tf_idf', see `VocabularyLayer`.
        output_sequence_length: for 'int': the length that texts are cut and filled up to; default
            that of the longest.
        pad_to_max_tokens, vocabulary, idf_weights: see `VocabularyLayer`.
        sparse, ragged: not supported.
        encoding: of texts that are bytes.

    Call: texts (B,) or (B, 1) -> int64 (B, length), or vectors (B, number of tokens): int64, float
        for 'tf_idf'.
    """

    def __init__(
        self,
        max_tokens=None,
        standardize="lower_and_strip_punctuation",
        split="whitespace",
        ngrams=None,
        output_mode="int",
        output_sequence_length=None,
        pad_to_max_tokens=False,
        vocabulary=None,
        idf_weights=None,
        sparse=False,
        ragged=False,
        encoding="utf-8",
        name=None,
        vocabulary_size=None,  # of Keras's configs
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        self._standardize = _choice("standardize", standardize, _STANDARDS)
        self._split = _choice("split", split, _SPLITS)
        if ragged:
            raise ValueError("TextVectorization: ragged is not supported, leave it out; got True.")
        self._ngrams = ngrams
        widths = (ngrams,) if isinstance(ngrams, int) else ngrams
        if ngrams is not None and whole_numbers(widths) is None:
            raise ValueError(
                "TextVectorization: ngrams must be a whole number or a tuple of them, got "
                f"{ngrams!r}."
            )
        self._lookup = StringLookup(
            max_tokens=max_tokens, mask_token="", vocabulary=vocabulary, idf_weights=idf_weights,
            output_mode=output_mode, pad_to_max_tokens=pad_to_max_tokens, sparse=sparse,
            encoding=encoding, name=self.name,
        )  # fmt: skip
        length, numbers = output_sequence_length, self._lookup.output_mode == "int"
        if length is not None and not (numbers and isinstance(length, int)):
            raise ValueError(
                "TextVectorization: output_sequence_length must be a whole number, with "
                f"output_mode 'int'; got {length!r} and output_mode {output_mode!r}."
            )
        self._length = length
        self.built = True

    def adapt(self, data, batch_size=None, steps=None) -> None:
        """Learns the vocabulary of texts: an array or list, or an iterable of batches of them, of
        which `steps` are looked at. `batch_size` changes nothing, as in Keras."""
        self._lookup.reset_counts()
        for batch in batches_of(data, steps):
            self._lookup.count_rows(self._words(batch))
        self._lookup.learn()

    def get_vocabulary(self, include_special_tokens=True) -> list:
        """The words in the order of their numbers, see `StringLookup`."""
        return self._lookup.get_vocabulary(include_special_tokens)

    def set_vocabulary(self, vocabulary, idf_weights=None) -> None:
        """Sets the words, see `StringLookup`."""
        self._lookup.set_vocabulary(vocabulary, idf_weights)

    def vocabulary_size(self) -> int:
        """How many numbers there are."""
        return self._lookup.vocabulary_size()

    def __call__(self, inputs):
        return on_data(self, self.call, inputs)

    def call(self, inputs):
        lookup = self._lookup
        lookup._ready()
        rows = self._words(inputs)
        flat = lookup.numbers_of([word for row in rows for word in row])
        rows = np.split(flat, np.cumsum([len(row) for row in rows])[:-1])
        if lookup.output_mode != "int":
            found = lookup.vectors_of(rows)
            return found[0] if np.ndim(inputs) == 0 else found
        if self._split is None and self._ngrams is None and self._length is None:
            return as_array(flat.reshape(np.shape(inputs)))  # a number for each text
        found = self._filled_up(rows)
        return found[0] if np.ndim(inputs) == 0 else found

    def _filled_up(self, rows):
        """Lists of numbers as an array, with 0 after the end."""
        length = max(map(len, rows)) if self._length is None else self._length
        numbers = np.zeros((len(rows), length), np.int64)
        for target, row in zip(numbers, rows, strict=True):
            target[: len(row)] = row[:length]
        return as_array(numbers)

    def _words(self, texts):
        """A list of words for each text."""
        texts = np.atleast_1d(strings(texts, self._lookup.encoding))
        if self._split is not None and texts.ndim > 1:
            if texts.shape[-1] != 1 or texts.ndim > 2:
                raise ValueError(
                    f"expected texts (batch,) or (batch, 1), got an array of shape {texts.shape}"
                )
            texts = texts[:, 0]
        rows = self._split_up(self._standardized(texts))
        return rows if self._ngrams is None else [self._runs(row) for row in rows]

    def _standardized(self, texts):
        how = self._standardize
        if callable(how):
            return strings(how(np.asarray(texts, str)), self._lookup.encoding)
        if how is None:
            return texts

        def plain(text):
            text = text.translate(_LOWER) if "lower" in how else text
            return text.translate(_NO_PUNCTUATION) if "strip" in how else text

        return np.vectorize(plain, otypes=[object])(texts)

    def _split_up(self, texts):
        if self._split is None:
            return texts.reshape(len(texts), -1).tolist()
        if callable(self._split):
            return [list(map(str, row)) for row in self._split(np.asarray(texts, str))]
        return [_WORD.findall(t) if self._split == "whitespace" else list(t) for t in texts]

    def _runs(self, words):
        """The runs of words of each width, joined by spaces."""
        widths = self._ngrams
        if isinstance(widths, int):
            widths = range(1, widths + 1)
        return [
            " ".join(words[i : i + width])
            for width in widths
            for i in range(len(words) - width + 1)
        ]

    def get_config(self):
        lookup = self._lookup.get_config()
        shared = ("max_tokens", "output_mode", "pad_to_max_tokens", "vocabulary", "idf_weights",
                  "encoding", "sparse")  # fmt: skip
        return {
            **super().get_config(),
            "standardize": self._standardize,
            "split": self._split,
            "ngrams": self._ngrams,
            "output_sequence_length": self._length,
            "ragged": False,
            "vocabulary_size": self.vocabulary_size(),
            **{name: lookup[name] for name in shared},
        }

    @classmethod
    def from_config(cls, config):
        """The layer; a tuple of widths comes as a list from JSON."""
        ngrams = config.get("ngrams")
        return cls(**{**config, "ngrams": tuple(ngrams) if isinstance(ngrams, list) else ngrams})


def _choice(name, value, known):
    if value is None or callable(value) or value in known:
        return value
    raise ValueError(
        f"TextVectorization: {name} must be one of {known}, None or a function, got {value!r}."
        f"{did_you_mean(value, known)}"
    )
