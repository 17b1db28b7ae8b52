"""Texts to numbers as in Keras 2: words numbered by how often they occur.

Keras 3 has none of this; its way is `layers.TextVectorization`.
"""

import collections
import hashlib
import json

import numpy as np

from seqrnn.errors import did_you_mean, public_names

_PUNCTUATION = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_MODES = ("binary", "count", "freq", "tfidf")


def text_to_word_sequence(input_text, filters=_PUNCTUATION, lower=True, split=" "):
    """The words of a text, as a list.

    Args:
        input_text: the text.
        filters: characters that separate words as `split` does.
        lower: whether the text is put into lower case first.
        split: what separates words.
    """
    text = input_text.lower() if lower else input_text
    text = text.translate(str.maketrans(dict.fromkeys(filters, split)))
    return [word for word in text.split(split) if word]


def hashing_trick(
    text, n, hash_function=None, filters=_PUNCTUATION, lower=True, split=" ", analyzer=None
):
    """The words of a text as numbers from 1 to n - 1: hash(word) mod (n - 1) + 1. Words may share
    a number.

    Args:
        n: one more than the largest number.
        hash_function: 'md5', the default (Keras 2 takes Python's `hash`, which gives other numbers
            in every process), or a function of a word that gives an int.
        filters, lower, split: see `text_to_word_sequence`.
        analyzer: function of a text that gives its words, in the place of all these.
    """
    if hash_function in (None, "md5"):
        hash_function = _md5
    if not callable(hash_function):
        raise ValueError(
            f"hashing_trick: hash_function must be 'md5' or a function, got {hash_function!r}."
        )
    words = analyzer(text) if analyzer else text_to_word_sequence(text, filters, lower, split)
    return [hash_function(word) % (n - 1) + 1 for word in words]


def one_hot(input_text, n, filters=_PUNCTUATION, lower=True, split=" ", analyzer=None):
    """The words of a text as numbers from 1 to n - 1; `hashing_trick` under another name."""
    return hashing_trick(input_text, n, None, filters, lower, split, analyzer)


def _md5(word):
    return int(hashlib.md5(word.encode(), usedforsecurity=False).hexdigest(), 16)


class Tokenizer:
    """Numbers the words of texts by how often they occur: 1 the most frequent. 0 stands for none.

    Args:
        num_words: only words with numbers below this are kept; None for all. The vectors of
            `texts_to_matrix` are so long.
        filters, lower, split: see `text_to_word_sequence`.
        char_level: whether characters are numbered in the place of words.
        oov_token: what stands for unknown words, with the number 1; None: they are left out.
        analyzer: function of a text that gives its words, in the place of filters and split.

    Attributes:
        word_index, index_word: the numbers of the words, and back.
        word_counts: how often each word occurred, in the order in which they came.
        word_docs, index_docs: in how many texts each word occurred, by word and by number.
        document_count: how many texts there were.

    A text may be given as a list of its words, too.
    """

    def __init__(
        self,
        num_words=None,
        filters=_PUNCTUATION,
        lower=True,
        split=" ",
        char_level=False,
        oov_token=None,
        analyzer=None,
    ):
        self.num_words = num_words
        self.filters = filters
        self.lower = lower
        self.split = split
        self.char_level = char_level
        self.oov_token = oov_token
        self.analyzer = analyzer
        self.word_counts = collections.Counter()
        self.word_docs = collections.Counter()
        self.index_docs = collections.Counter()
        self.word_index, self.index_word = {}, {}
        self.document_count = 0

    def fit_on_texts(self, texts):
        """Counts the words of texts, besides those counted before, and numbers them anew."""
        if isinstance(texts, str):
            raise ValueError("fit_on_texts: expected a list of texts, got a single one.")
        for text in texts:
            words = self._words(text)
            self.document_count += 1
            self.word_counts.update(words)
            self.word_docs.update(set(words))
        known = [] if self.oov_token is None else [self.oov_token]
        known += [word for word, _ in self.word_counts.most_common()]
        self.word_index = {word: i for i, word in enumerate(known, start=1)}
        self.index_word = {i: word for word, i in self.word_index.items()}
        for word, count in self.word_docs.items():
            self.index_docs[self.word_index[word]] = count

    def fit_on_sequences(self, sequences):
        """Counts in how many sequences each number occurs, for the mode 'tfidf'."""
        self.document_count += len(sequences)
        for sequence in sequences:
            self.index_docs.update(set(sequence))

    def texts_to_sequences(self, texts):
        """Lists of the numbers of the words of each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts):
        """As `texts_to_sequences`, one text after the other."""
        if isinstance(texts, str):
            raise ValueError("texts_to_sequences: expected a list of texts, got a single one.")
        for text in texts:
            numbers = (self.word_index.get(word) for word in self._words(text))
            yield self._kept(numbers)

    def sequences_to_texts(self, sequences):
        """The texts of lists of numbers, with a space between words."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences):
        """As `sequences_to_texts`, one sequence after the other."""
        for sequence in sequences:
            known = (int(i) if i in self.index_word else None for i in sequence)
            yield " ".join(self.index_word[i] for i in self._kept(known))

    def texts_to_matrix(self, texts, mode="binary"):
        """One vector per text, see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences, mode="binary"):
        """One vector per sequence: float64 (len(sequences), num_words), or as many columns as there
        are words and one more.

        With n how often a word occurs in the sequence, a column holds, by `mode`:

            'binary'    1 if n > 0
            'count'     n
            'freq'      n / length of the sequence
            'tfidf'     (1 + log n) log(1 + D / (1 + d))     for n > 0

        where d of the D documents have the word (C. D. Manning, P. Raghavan, H. Schuetze,
        "Introduction to Information Retrieval", 2008, chapter 6, smoothed).

        Raises ValueError for other modes, and before any text was counted if it is needed.
        """
        if mode not in _MODES:
            raise ValueError(f"Tokenizer: unknown mode {mode!r}.{did_you_mean(mode, _MODES)}")
        if not self.num_words and not self.word_index:
            raise ValueError("Tokenizer: give num_words, or call fit_on_texts first.")
        if mode == "tfidf" and not self.document_count:
            raise ValueError("Tokenizer: 'tfidf' needs fit_on_texts or fit_on_sequences first.")
        width = self.num_words or len(self.word_index) + 1
        counts = np.zeros((len(sequences), width))
        for row, sequence in zip(counts, sequences, strict=True):
            numbers = np.asarray(sequence, dtype=np.int64)
            row += np.bincount(numbers[numbers < width], minlength=width)
        if mode == "binary":
            return (counts > 0).astype(float)
        if mode == "freq":
            lengths = [max(len(sequence), 1) for sequence in sequences]
            return counts / np.reshape(lengths, (-1, 1))
        if mode == "tfidf":
            documents = np.array([self.index_docs[i] for i in range(width)])
            rarity = np.log(1 + self.document_count / (1 + documents))
            return np.where(counts > 0, 1 + np.log(np.maximum(counts, 1)), 0) * rarity
        return counts

    def _words(self, text):
        whole = isinstance(text, list)
        if whole or self.char_level:
            if self.lower:
                text = [word.lower() for word in text] if whole else text.lower()
            return list(text)
        if self.analyzer is not None:
            return list(self.analyzer(text))
        return text_to_word_sequence(text, self.filters, self.lower, self.split)

    def _kept(self, numbers):
        """The numbers of kept words; the others, None among them, as that of `oov_token`."""
        unknown = self.word_index.get(self.oov_token)
        limit = self.num_words or len(self.word_index) + 1
        found = (i if i is not None and i < limit else unknown for i in numbers)
        return [i for i in found if i is not None]

    def get_config(self):
        """The arguments and what was counted, as data that JSON can hold; dicts as JSON texts, as
        in Keras 2. An analyzer is not in it."""
        counted = (self.word_counts, self.word_docs, self.index_docs, self.index_word)
        names = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
        return {
            "num_words": self.num_words,
            "filters": self.filters,
            "lower": self.lower,
            "split": self.split,
            "char_level": self.char_level,
            "oov_token": self.oov_token,
            "document_count": self.document_count,
            **{n: json.dumps(c) for n, c in zip(names, (*counted, self.word_index), strict=True)},
        }

    def to_json(self, **kwargs):
        """JSON for `tokenizer_from_json`; `kwargs` go to `json.dumps`."""
        return json.dumps({"class_name": "Tokenizer", "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string):
    """The Tokenizer that `to_json` described, here or in Keras 2."""
    config = dict(json.loads(json_string)["config"])
    counted = {
        name: json.loads(config.pop(name))
        for name in ("word_counts", "word_docs", "index_docs", "index_word", "word_index")
    }
    count = config.pop("document_count")
    tokenizer = Tokenizer(**config)
    tokenizer.document_count = count
    tokenizer.word_counts.update(counted["word_counts"])
    tokenizer.word_docs.update(counted["word_docs"])
    tokenizer.index_docs.update({int(i): n for i, n in counted["index_docs"].items()})
    tokenizer.index_word = {int(i): word for i, word in counted["index_word"].items()}
    tokenizer.word_index = counted["word_index"]
    return tokenizer


__getattr__, __dir__ = public_names(__name__)
