"""Tokens to numbers and back: `StringLookup` on arrays, `IntegerLookup` in models too."""

from __future__ import annotations

import numpy as np

from seqrnn import config, ops
from seqrnn.errors import not_supported
from seqrnn.layers.context import name_layer
from seqrnn.layers.encoding import encode
from seqrnn.layers.vocabulary import VocabularyLayer
from seqrnn.trace import KerasTensor, Tensor, current, nest
from seqrnn.trace.array import as_array
from seqrnn.utils.fingerprints import buckets, salt_of

_KERAS_ONLY = ("vocabulary_size", "has_input_vocabulary", "oov_method")  # in Keras's configs


class StringLookup(VocabularyLayer):
    """Strings as numbers by a vocabulary; with `invert` numbers as strings.

    It works on arrays and lists of strings, before a model and not in it:

        lookup = StringLookup()
        lookup.adapt(words)
        model.fit(lookup(words), y)

    The arguments are those of `VocabularyLayer`, and:
        encoding: of strings that are bytes.
        salt: with num_oov_indices above 1 unknown strings are hashed to these, as by `Hashing`.

    Call: array of strings (...) -> int64 (...), or vectors int64 (float for 'tf_idf').
    """

    def __init__(
        self,
        max_tokens=None,
        num_oov_indices=1,
        mask_token=None,
        oov_token="[UNK]",
        vocabulary=None,
        idf_weights=None,
        invert=False,
        output_mode="int",
        pad_to_max_tokens=False,
        sparse=False,
        encoding="utf-8",
        name=None,
        salt=None,
        **kwargs,
    ):
        kwargs = {key: value for key, value in kwargs.items() if key not in _KERAS_ONLY}
        self.encoding = encoding
        self.salt = salt_of(salt, "StringLookup")
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert,
            output_mode, pad_to_max_tokens, sparse, name, **kwargs,
        )  # fmt: skip

    def _tokens(self, values):
        array = strings(values, self.encoding)
        tokens = np.empty(array.size, object)
        tokens[:] = array.ravel().tolist()
        return tokens

    def _rows(self, batch):
        array = strings(batch, self.encoding)
        return array.reshape(len(array), -1).tolist() if array.ndim else [[array.item()]]

    def __call__(self, inputs):
        return on_data(self, self.call, inputs)

    def call(self, inputs):
        self._ready()
        if self.invert:
            return self._strings_of(np.asarray(inputs))
        array = strings(inputs, self.encoding)
        numbers = np.reshape(self.numbers_of(array.ravel().tolist()), array.shape)
        if self.output_mode == "int":
            return as_array(numbers)
        if self.output_mode == "one_hot":
            if numbers.ndim > 1 and numbers.shape[-1] == 1:
                numbers = numbers[..., 0]
            hot = numbers[..., np.newaxis] == np.arange(self._depth())
            return as_array(hot.astype(np.int64))
        if numbers.ndim > 2:
            raise ValueError(f"expected strings (batch, n) for vectors, got shape {numbers.shape}")
        vectors = self.vectors_of(numbers if numbers.ndim > 1 else numbers.reshape(1, -1))
        return vectors if numbers.ndim > 1 else vectors[0]

    def numbers_of(self, tokens) -> np.ndarray:
        """The numbers of a list of tokens, int64 (n,); -1 where a vector is to leave them out.

        ValueError for unknown tokens if there is no number for them.
        """
        table = {token: i for i, token in enumerate(self._known, start=self._first_token)}
        if self.mask_token is not None:
            table[self.mask_token] = 0 if self.output_mode == "int" else -1
        unknown = list(dict.fromkeys(token for token in tokens if token not in table))
        if unknown and not self.num_oov_indices:
            raise ValueError(
                f"{unknown[:10]} are not in the vocabulary; with num_oov_indices=1 unknown strings "
                "have a number"
            )
        if unknown:
            numbers = self._first_oov + buckets(unknown, self.num_oov_indices, self.salt)
            table.update(zip(unknown, numbers.tolist(), strict=True))
        return np.array([table[token] for token in tokens], np.int64)

    def vectors_of(self, rows):
        """One vector for each list of numbers: 'multi_hot', 'count' or 'tf_idf'."""
        lengths = [len(row) for row in rows]
        flat = np.concatenate([np.asarray(row, np.int64) for row in rows])
        at = np.repeat(np.arange(len(rows)), lengths)[flat >= 0]
        counts = np.zeros((len(rows), self._depth()), np.int64)
        np.add.at(counts, (at, flat[flat >= 0]), 1)
        if self.output_mode == "multi_hot":
            return as_array((counts > 0).astype(np.int64))
        if self.output_mode == "tf_idf":
            return as_array(counts.astype(self._idf.dtype) * self._idf)
        return as_array(counts)

    def _strings_of(self, numbers):
        tokens = np.array([*self.get_vocabulary(), self.oov_token], object)
        known = (numbers >= 0) & (numbers < len(tokens) - 1)
        return tokens[np.where(known, numbers, len(tokens) - 1)]

    def get_config(self):
        return {**super().get_config(), "encoding": self.encoding, "salt": self.salt}


class IntegerLookup(VocabularyLayer):
    """Whole numbers as their places in a vocabulary; with `invert` the way back.

    It works on arrays and in models. Unknown numbers get the number floor_mod(x, num_oov_indices)
    of those for unknown ones; with none, they are an error on arrays, and -1 in a model.

    The arguments are those of `VocabularyLayer`; oov_method 'farmhash' and salt are not supported.

    Call: (...) -> int64 (...), or vectors int64 (float for 'tf_idf').
    """

    def __init__(
        self,
        max_tokens=None,
        num_oov_indices=1,
        mask_token=None,
        oov_token=-1,
        vocabulary=None,
        vocabulary_dtype="int64",
        idf_weights=None,
        invert=False,
        output_mode="int",
        sparse=False,
        pad_to_max_tokens=False,
        oov_method="floormod",
        salt=None,
        name=None,
        **kwargs,
    ):
        kwargs = {key: value for key, value in kwargs.items() if key not in _KERAS_ONLY}
        not_supported("IntegerLookup", salt=salt)
        if oov_method != "floormod":
            raise ValueError(
                f"IntegerLookup: oov_method must be 'floormod'; {oov_method!r} is not supported."
            )
        if vocabulary_dtype != "int64":
            raise ValueError(
                f"IntegerLookup: vocabulary_dtype must be 'int64', got {vocabulary_dtype!r}."
            )
        super().__init__(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert,
            output_mode, pad_to_max_tokens, sparse, name, **kwargs,
        )  # fmt: skip

    def _tokens(self, values):
        return np.asarray(values, np.int64).ravel()

    def _rows(self, batch):
        array = np.asarray(batch, np.int64)
        return array.reshape(len(array), -1).tolist() if array.ndim else [[array.item()]]

    def __call__(self, inputs):
        data = not any(isinstance(leaf, Tensor | KerasTensor) for leaf in nest.flatten(inputs))
        if data and not self.num_oov_indices and not self.invert and self._known is not None:
            unknown = np.setdiff1d(inputs, [*self._known, *self._masks()])
            if unknown.size:
                raise ValueError(
                    f"in layer {self.name!r} (IntegerLookup): {unknown[:10]} are not in the "
                    "vocabulary; with num_oov_indices=1 unknown numbers have a number"
                )
        return super().__call__(inputs)

    def _masks(self):
        return [] if self.mask_token is None else [self.mask_token]

    def call(self, inputs):
        self._ready()
        x = ops.cast(inputs, "int64")
        if self.invert:
            return self._tokens_of(x)
        numbers = self._numbers_of(x)
        if self.output_mode != "tf_idf":
            return encode(numbers, self.output_mode, self._depth(), "int64")
        counts = encode(numbers, "count", self._depth(), config.floatx())
        return counts * self._idf

    def _numbers_of(self, x):
        """By halving: `below` grows to how many of the sorted tokens are less than x."""
        order = np.argsort(self._known)
        size = 1 << len(order).bit_length()  # above the number of tokens
        order = np.pad(order, (0, size - len(order)), mode="edge")
        tokens, places = self._known[order], order + self._first_token
        below, step = ops.zeros_like(x), size // 2
        while step:
            further = ops.less(ops.take(tokens, below + (step - 1)), x)
            below = ops.where(further, below + step, below)
            step //= 2
        found = ops.equal(ops.take(tokens, below), x)
        numbers = ops.where(found, ops.take(places, below), self._unknown(x))
        if self.mask_token is None:
            return numbers
        masked = 0 if self.output_mode == "int" else -1
        return ops.where(ops.equal(x, self.mask_token), masked, numbers)

    def _unknown(self, x):
        n = self.num_oov_indices
        if n > 1:
            return self._first_oov + ops.mod(x, n)
        return ops.full_like(x, self._first_oov if n else -1)

    def _tokens_of(self, x):
        tokens = np.array([*self.get_vocabulary(), self.oov_token], np.int64)
        known = ops.logical_and(ops.greater_equal(x, 0), ops.less(x, len(tokens) - 1))
        return ops.take(tokens, ops.where(known, x, len(tokens) - 1))

    def get_config(self):
        return {
            **super().get_config(),
            "vocabulary_dtype": "int64",
        }


def strings(values, encoding="utf-8") -> np.ndarray:
    """An array of str, from nested lists, arrays of str, bytes or objects, or pandas.

    TypeError for anything else.
    """
    if hasattr(values, "to_numpy"):
        values = values.to_numpy()
    array = np.asarray(values)
    if not array.size:
        return array.astype(str)
    if array.dtype.kind == "S":
        return np.char.decode(array, encoding)
    if array.dtype.kind == "O":
        array = np.vectorize(
            lambda v: v.decode(encoding) if isinstance(v, bytes) else v, otypes=[object]
        )(array)
        if all(isinstance(v, str) for v in array.ravel()):
            return array
    if array.dtype.kind not in "UT":
        raise TypeError(f"expected strings, got an array of dtype {array.dtype}")
    return array


def on_data(layer, function, inputs):
    """`function(inputs)` of a layer that works on strings, which no model has."""
    leaves = nest.flatten(inputs) if isinstance(inputs, list | tuple | dict) else [inputs]
    if current() is not None or any(isinstance(x, KerasTensor | Tensor) for x in leaves):
        raise ValueError(
            f"in layer {layer.name!r} ({type(layer).__name__}): strings are no part of a model. "
            f"Apply the layer to the data before: x = {layer.name}(texts), then model.fit(x, y)."
        )
    try:
        return function(inputs)
    except (TypeError, ValueError) as error:
        raise name_layer(error, layer) from error.__cause__
