"""Attention: each query takes a mean of the values, weighted by how well their keys fit it.

    weights[b, t, s] = softmax over s of score(query[b, t], key[b, s])
    y[b, t] = sum over s of weights[b, t, s] value[b, s]

`Attention` (Luong, Pham, Manning, 2015, Effective approaches to attention-based neural machine
translation): score = q . k, with `use_scale` times a weight. `AdditiveAttention` (Bahdanau, Cho,
Bengio, 2015, Neural machine translation by jointly learning to align and translate):
score = sum of scale tanh(q + k).

A key that the mask of the value leaves out has weight 0; where all are left out, all count alike.
Queries that their mask leaves out give zeros.
"""

from __future__ import annotations

import numpy as np

from seqrnn import ops, random
from seqrnn.layers.arguments import flag
from seqrnn.layers.base import Layer
from seqrnn.layers.options import one_of, rate_between_0_and_1

_MASKED = 1e9  # what is taken from the score of a key that is left out


class Attention(Layer):
    """Dot-product attention: [query, value] or [query, value, key] -> (batch, queries, features).

    Args:
        use_scale: whether the scores are multiplied by a weight, 1 at first.
        score_mode: 'dot': q . k; 'concat': a weight times the sum of tanh(scale (q + k)).
        dropout: rate at which weights are dropped in training.
        seed: of the dropout; None for one picked now.

    Call arguments:
        inputs: list of query (batch, queries, n), value (batch, keys, features) and, if it is not
            the value, key (batch, keys, n).
        mask: list [query mask (batch, queries), value mask (batch, keys)], None for no mask.
        return_attention_scores: returns (output, weights (batch, queries, keys)).
        use_causal_mask: query t sees the keys 0 .. t only.

    Weights: scale (), concat_score_weight (), as the arguments ask for.
    Raises ValueError for inputs or masks that are no list of two or three, and for shapes that do
    not fit together.
    """

    def __init__(self, use_scale=False, score_mode="dot", dropout=0.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        name = type(self).__name__
        self.use_scale = flag(use_scale, self, "use_scale")
        self.score_mode = one_of(score_mode, ("dot", "concat"), f"{name}: score_mode")
        self.dropout = rate_between_0_and_1(dropout, f"{name}: dropout")
        self.seed = seed
        self.seed_generator = random.SeedGenerator(seed)

    def build(self, input_shape):
        self._check_list(input_shape)
        self.scale = self.add_weight(name="scale", initializer="ones") if self.use_scale else None
        self.concat_score_weight = None
        if self.score_mode == "concat":
            self.concat_score_weight = self.add_weight(
                name="concat_score_weight", initializer="ones"
            )

    def call(
        self,
        inputs,
        mask=None,
        training=False,
        return_attention_scores=False,
        use_causal_mask=False,
    ):
        query, value, key = self._checked(inputs, mask)
        query_mask, value_mask = mask[:2] if mask else (None, None)
        scores = self._scores(query, key)
        seen = None if value_mask is None else ops.expand_dims(value_mask, -2)
        if use_causal_mask:
            causal = causal_mask(*scores.shape[-2:])
            seen = causal if seen is None else ops.logical_and(seen, causal)
        if seen is not None:
            scores = ops.where(seen, scores, scores - _MASKED)
        weights = ops.softmax(scores)
        if training and self.dropout > 0:
            weights = random.dropout(weights, self.dropout, seed=self.seed_generator)
        y = ops.matmul(weights, value)
        if query_mask is not None:
            y = ops.where(ops.expand_dims(query_mask, -1), y, 0.0)
        return (y, weights) if return_attention_scores else y

    def _scores(self, query, key):
        if self.score_mode == "dot":
            scores = ops.matmul(query, ops.swapaxes(key, -2, -1))
            return scores if self.scale is None else scores * self.scale
        pairs = _pairs(query, key)
        pairs = pairs if self.scale is None else pairs * self.scale
        return ops.sum(ops.tanh(pairs), -1) * self.concat_score_weight

    def _checked(self, inputs, mask):
        """Query, value and key, after checks of their number and shapes."""
        self._check_list(inputs)
        if mask is not None and (not isinstance(mask, (list, tuple)) or len(mask) not in (2, 3)):
            raise ValueError(
                f"mask must be a list [query mask, value mask], got {_describe(mask)}."
            )
        query, value, key = *inputs, *inputs[1:][: 3 - len(inputs)]
        shapes = ", ".join(
            f"{what} {tuple(x.shape)}"
            for what, x in (("query", query), ("value", value), ("key", key))
        )
        if not query.ndim == value.ndim == key.ndim or query.ndim < 3:
            raise ValueError(f"expected tensors (batch, steps, features), got {shapes}.")
        if query.shape[-1] != key.shape[-1] or value.shape[-2] != key.shape[-2]:
            raise ValueError(
                f"query and key must have as many features, value and key as many steps, got "
                f"{shapes}."
            )
        return query, value, key

    def _check_list(self, inputs):
        """ValueError unless these are two or three tensors, or shapes."""
        several = isinstance(inputs, (list, tuple)) and all(
            isinstance(each, (list, tuple)) or hasattr(each, "shape") for each in inputs
        )
        if not several or len(inputs) not in (2, 3):
            raise ValueError(
                f"expected a list of inputs, [query, value] or [query, value, key], got "
                f"{_describe(inputs)}."
            )

    def compute_mask(self, inputs, mask=None):
        """The mask of the query."""
        return mask[0] if mask else None

    def compute_output_shape(self, input_shape):
        """(batch, queries, features of the value)."""
        self._check_list(input_shape)
        return (*input_shape[0][:-1], input_shape[1][-1])

    def get_config(self):
        return {
            **super().get_config(),
            "use_scale": self.use_scale,
            "score_mode": self.score_mode,
            "dropout": self.dropout,
            "seed": self.seed,
        }


class AdditiveAttention(Attention):
    """Attention with the score sum of scale tanh(query + key); else as `Attention`.

    Args:
        use_scale: whether there is the weight `scale`, (features,); else it counts as 1.
        dropout, seed: see `Attention`.

    Query and key need as many features as each other.
    """

    def __init__(self, use_scale=True, dropout=0.0, **kwargs):
        if "score_mode" in kwargs:
            raise TypeError("AdditiveAttention() got an unexpected keyword argument 'score_mode'")
        super().__init__(use_scale=use_scale, dropout=dropout, **kwargs)

    def build(self, input_shape):
        self._check_list(input_shape)
        self.scale = None
        if self.use_scale:
            features = input_shape[0][-1]
            if features is None:
                raise ValueError(f"the last axis of the query must be known, got {input_shape[0]}.")
            self.scale = self.add_weight(name="scale", shape=(features,))

    def _scores(self, query, key):
        squashed = ops.tanh(_pairs(query, key))
        return ops.sum(squashed if self.scale is None else squashed * self.scale, -1)

    def get_config(self):
        config = super().get_config()
        del config["score_mode"]
        return config


def _pairs(query, key):
    """(batch, queries, keys, features): the sum of each query and each key."""
    return ops.expand_dims(query, -2) + ops.expand_dims(key, -3)


def causal_mask(queries: int, keys: int):
    """(1, queries, keys): true where a key is not after the query."""
    return ops.convert_to_tensor(np.tril(np.ones((1, queries, keys), bool)))


def _describe(value) -> str:
    shape = getattr(value, "shape", None)
    if shape is not None:
        return f"one tensor of shape {tuple(shape)}"
    if isinstance(value, (list, tuple)) and not all(
        isinstance(v, (int, type(None))) for v in value
    ):
        return f"a list of {len(value)}"
    if isinstance(value, (list, tuple)):
        return f"one tensor of shape {tuple(value)}"
    return repr(value)
