"""Vocabularies: which number each token has, learned from data or given.

What the layers `StringLookup`, `IntegerLookup` and `TextVectorization` share. The numbers, in
order: 0 for the mask token (if there is one, and output_mode is 'int'), `num_oov_indices` for
unknown tokens, then the tokens, the most frequent first.
"""

from __future__ import annotations

import collections
import os

import numpy as np

from seqrnn import config
from seqrnn.layers.base import Layer
from seqrnn.layers.encoding import batches_of, output_mode_of, refuse_sparse

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")


class VocabularyLayer(Layer):
    """Base of the lookups. A subclass says what its tokens are: `_tokens(array)`, `_rows(batch)`.

    Args:
        max_tokens: the most numbers there may be, those of mask and unknown tokens included.
        num_oov_indices: how many numbers there are for unknown tokens; 0: they are an error.
        mask_token: the token for padding; None for none.
        oov_token: what stands for unknown tokens where numbers become tokens.
        vocabulary: list or array of tokens, or the name of a file with one in each line.
        idf_weights: a weight for each token of `vocabulary`, for 'tf_idf'.
        invert: whether numbers become tokens.
        output_mode: 'int', or vectors: see `encoding.encode`; 'tf_idf' is 'count' times a weight
            log(1 + documents / (1 + documents with the token)).
        pad_to_max_tokens: whether vectors have max_tokens elements.
        sparse: not supported.
    """

    def __init__(
        self,
        max_tokens,
        num_oov_indices,
        mask_token,
        oov_token,
        vocabulary,
        idf_weights,
        invert,
        output_mode,
        pad_to_max_tokens,
        sparse,
        name=None,
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        kind = type(self).__name__
        refuse_sparse(self, sparse)
        self.output_mode = output_mode_of(self, output_mode, MODES)
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"{kind}: max_tokens must be greater than 1, got {max_tokens}.")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"{kind}: pad_to_max_tokens needs max_tokens.")
        if num_oov_indices < 0:
            raise ValueError(f"{kind}: num_oov_indices must be 0 or more, got {num_oov_indices}.")
        if invert and self.output_mode != "int":
            raise ValueError(
                f"{kind}: invert needs output_mode 'int', got output_mode={output_mode!r}."
            )
        if idf_weights is not None and self.output_mode != "tf_idf":
            raise ValueError(
                f"{kind}: idf_weights need output_mode 'tf_idf', got output_mode={output_mode!r}."
            )
        self.max_tokens = max_tokens
        self.num_oov_indices = num_oov_indices
        self.mask_token = mask_token
        self.oov_token = oov_token
        self.invert = invert
        self.pad_to_max_tokens = pad_to_max_tokens
        self.built = True
        self._known = None  # the tokens, without mask and oov
        self._idf = None  # a weight for each number
        self._given = False  # whether the vocabulary was given, not learned
        self.reset_counts()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)

    # ---- numbers ----

    @property
    def _first_oov(self):
        return 1 if self.mask_token is not None and self.output_mode == "int" else 0

    @property
    def _first_token(self):
        return self._first_oov + self.num_oov_indices

    def vocabulary_size(self) -> int:
        """How many numbers there are, those of mask and unknown tokens included."""
        return self._first_token + (0 if self._known is None else len(self._known))

    def _depth(self):
        return self.max_tokens if self.pad_to_max_tokens else self.vocabulary_size()

    def get_vocabulary(self, include_special_tokens=True) -> list:
        """The tokens in the order of their numbers; with `include_special_tokens` the mask and oov
        tokens in front."""
        tokens = [] if self._known is None else self._known.tolist()
        return (self._special() if include_special_tokens else []) + tokens

    def _special(self):
        return [self.mask_token] * self._first_oov + [self.oov_token] * self.num_oov_indices

    def _ready(self):
        """ValueError unless there is a vocabulary."""
        if self._known is None:
            raise ValueError("there is no vocabulary: call `adapt(data)` first, or give it")

    # ---- given ----

    def set_vocabulary(self, vocabulary, idf_weights=None) -> None:
        """Sets the tokens: a list or array, with mask and oov tokens in front or without, or the
        name of a file; and for 'tf_idf' their weights.

        Raises ValueError for tokens that occur twice, a mask token among them, too many tokens, and
        weights that don't fit.
        """
        tf_idf = self.output_mode == "tf_idf"
        if tf_idf != (idf_weights is not None):
            raise ValueError(
                f"layer {self.name!r}: idf_weights go with output_mode 'tf_idf', which needs them; "
                f"got output_mode={self.output_mode!r} and idf_weights={idf_weights!r}."
            )
        if isinstance(vocabulary, str | os.PathLike):
            vocabulary = self._from_file(vocabulary)
        given = self._tokens(vocabulary)
        if not given.size:
            raise ValueError(f"layer {self.name!r}: the vocabulary is empty.")
        special = self._special()
        complete = bool(special) and given[: len(special)].tolist() == special
        tokens = given[len(special) :] if complete else given
        self._check_tokens(tokens.tolist())
        if tf_idf:
            self._idf = self._given_weights(idf_weights, len(given), complete)
        self._known, self._given = tokens, True
        config.invalidate()  # plans hold the old ones as constants

    def _from_file(self, path):
        if not os.path.exists(path):
            raise ValueError(f"layer {self.name!r}: there is no vocabulary file {str(path)!r}.")
        with open(path, encoding="utf-8") as file:
            return file.read().splitlines()

    def _check_tokens(self, tokens):
        twice = [token for token, n in collections.Counter(tokens).items() if n > 1]
        if twice:
            raise ValueError(
                f"layer {self.name!r}: the vocabulary has repeated tokens: {twice[:10]}."
            )
        reserved = [self.mask_token] + [self.oov_token] * self.invert
        for token in reserved:
            if token is not None and token in tokens:
                raise ValueError(
                    f"layer {self.name!r}: the vocabulary has the reserved token {token!r} at "
                    f"place {tokens.index(token)}. Leave such tokens out, or begin with all of "
                    f"them: {self._special()}."
                )
        if self.max_tokens is not None and self._first_token + len(tokens) > self.max_tokens:
            raise ValueError(
                f"layer {self.name!r}: the vocabulary has {self._first_token + len(tokens)} "
                f"tokens with mask and oov, more than max_tokens={self.max_tokens}."
            )

    def _given_weights(self, weights, n, complete):
        weights = np.asarray(weights, config.floatx())
        if weights.shape != (n,):
            raise ValueError(
                f"layer {self.name!r}: idf_weights must be one weight for each of the {n} tokens, "
                f"got shape {weights.shape}."
            )
        return self._widened(weights, 0 if complete else self._first_token)

    def _widened(self, weights, in_front):
        """The weights with their mean for `in_front` special tokens, and 0 up to max_tokens."""
        weights = np.concatenate([np.full(in_front, weights.mean(), weights.dtype), weights])
        behind = self.max_tokens - len(weights) if self.pad_to_max_tokens else 0
        return np.pad(weights, (0, behind))

    # ---- learned ----

    def adapt(self, data, steps=None) -> None:
        """Learns the vocabulary: the tokens of the data, the most frequent first, of equally
        frequent ones the larger first.

        Args:
            data: array or list of tokens, or an iterable of batches of them.
            steps: of an iterable, the most batches that are looked at.
        """
        self.reset_counts()
        for batch in batches_of(data, steps):
            self.count_rows(self._rows(batch))
        self.learn()

    def reset_counts(self):
        """Forgets what was counted."""
        self._counts = collections.Counter()  # of tokens
        self._documents = collections.Counter()  # with the token
        self._n_documents = 0

    def count_rows(self, rows):
        """Counts the tokens of documents, which are lists of tokens."""
        if self._given:
            raise ValueError(
                f"layer {self.name!r} has a vocabulary that was given, so it can't be adapted."
            )
        self._n_documents += len(rows)
        for row in rows:
            self._counts.update(row)
            if self.output_mode == "tf_idf":
                self._documents.update(set(row))

    def learn(self):
        """Makes a vocabulary of what was counted."""
        for token in (self.mask_token, self.oov_token):
            self._counts.pop(token, None)
        if not self._counts:
            raise ValueError(f"layer {self.name!r}: adapt() got no data.")
        order = sorted(self._counts.items(), key=lambda item: (item[1], item[0]), reverse=True)
        if self.max_tokens is not None:
            order = order[: self.max_tokens - self._first_token]
        tokens = [token for token, _ in order]
        if self.output_mode == "tf_idf":
            found = np.array([self._documents[token] for token in tokens])
            weights = np.log(1 + self._n_documents / (1 + found)).astype(config.floatx())
            self._idf = self._widened(weights, self._first_token)
        self._known = self._tokens(tokens)
        self.reset_counts()
        config.invalidate()

    # ---- files ----

    def save_own_variables(self, store):
        """Puts the weights of 'tf_idf' into the dict, as Keras."""
        if self._idf is not None:
            store["idf_weights"] = self._idf

    def load_own_variables(self, store):
        """Takes the weights of 'tf_idf' from what `save_own_variables` gave."""
        if "idf_weights" in store:
            self._idf = np.asarray(store["idf_weights"], config.floatx())

    def get_config(self):
        """The arguments; a vocabulary that was learned is in it as if it had been given."""
        weights = None if self._idf is None else self._idf[: self.vocabulary_size()].tolist()
        special = weights is not None
        return {
            **super().get_config(),
            "invert": self.invert,
            "max_tokens": self.max_tokens,
            "num_oov_indices": self.num_oov_indices,
            "oov_token": self.oov_token,
            "mask_token": self.mask_token,
            "output_mode": self.output_mode,
            "sparse": False,
            "pad_to_max_tokens": self.pad_to_max_tokens,
            "idf_weights": weights,
            "vocabulary": None if self._known is None else self.get_vocabulary(special),
            "vocabulary_size": None if self._known is None else self.vocabulary_size(),
            "oov_method": "floormod",
            "salt": None,
        }
