"""Attention by several heads (Vaswani et al., 2017, Attention is all you need).

    q, k, v = projections of query, key, value to so many heads;  for each head
    weights[b, t, s] = softmax over s of (q[b, t] . k[b, s]) / sqrt(key_dim)
    o[b, t] = sum over s of weights[b, t, s] v[b, s];  y = a projection of all heads' o

`GroupedQueryAttention` (Ainslie et al., 2023, GQA: Training generalized multi-query transformer
models): several heads of queries share one head of keys and values.

A pair (query t, key s) counts if every mask there is says so: those of query, value and key, the
`attention_mask`, the causal one, the sliding window. A query without any key gets, as in Keras, the
mean of all values; where the weights are asked for, dropped, or over other axes than time, zeros.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from seqrnn import initializers, ops
from seqrnn.layers.arguments import flag
from seqrnn.layers.attention import causal_mask
from seqrnn.layers.base import Layer
from seqrnn.layers.dropout import Dropout
from seqrnn.layers.einsum_dense import EinsumDense
from seqrnn.layers.options import (
    keep_options,
    options_config,
    positive_int,
    rate_between_0_and_1,
    whole_numbers,
)
from seqrnn.trace import Tensor

_MASKED = -1e9  # the score of a pair that does not count


class _HeadAttention(Layer):
    """What the two layers share: projections, masks and the product of the heads."""

    supports_masking = True

    def _keep(self, dropout, use_bias, use_gate, sliding_window, flash_attention, seed, options):
        name = type(self).__name__
        if flash_attention:
            raise ValueError(
                f"{name}: there is no flash attention on CPUs; leave flash_attention out."
            )
        self._rate = rate_between_0_and_1(dropout, f"{name}: dropout")
        self._use_bias = flag(use_bias, self, "use_bias")
        self.use_gate = flag(use_gate, self, "use_gate")
        self.sliding_window = sliding_window
        if sliding_window is not None:
            self.sliding_window = positive_int(sliding_window, f"{name}: sliding_window")
        self.seed = seed
        # Keras hands it on to the projections, and keeps none of its own.
        self._activity, self.activity_regularizer = self.activity_regularizer, None
        keep_options(self, **options)

    @property
    def dropout(self) -> float:
        """The rate at which weights are dropped in training."""
        return self._rate

    @property
    def use_bias(self) -> bool:
        """Whether the projections have biases."""
        return self._use_bias

    # ---- projections ----

    def _projection(self, name, rank, bound, sizes, input_shape, activation=None):
        """A built EinsumDense: the last `bound` axes of `rank` become axes of these `sizes`."""
        letters = "abcdefghijklmnopqrstuvwxyz"
        free, lost = letters[: rank - bound], letters[rank - bound : rank]
        made = letters[rank : rank + len(sizes)]
        options = {key: _fresh(getattr(self, key)) for key in self._weight_options}
        dense = EinsumDense(
            f"{free}{lost},{lost}{made}->{free}{made}",
            (*[None] * (rank - bound - 1), *sizes),
            activation=activation,
            bias_axes=made if self._use_bias else None,
            activity_regularizer=self._activity,
            dtype=self.dtype,
            name=name,
            trainable=self._trainable,
            **options,
        )
        dense.build(input_shape)
        return dense

    def _build_projections(self, shapes, query_heads, heads, key_dim, value_dim, output_shape):
        """Makes the weights, in the order of Keras: query, key, gate, value, output."""
        query, value, key = shapes
        for what, shape in (("query", query), ("value", value), ("key", key)):
            if len(shape) < 3 or shape[-1] is None:
                raise ValueError(
                    f"{what} must have axes (batch, steps, features), the last of known size, got "
                    f"shape {tuple(shape)}"
                )
        if tuple(value[1:-1]) != tuple(key[1:-1]):
            raise ValueError(
                f"value and key must be equal but for their last axes, got value {tuple(value)} "
                f"and key {tuple(key)}"
            )
        rank = len(query)
        self._query_dense = self._projection("query", rank, 1, (query_heads, key_dim), query)
        self._key_dense = self._projection("key", len(key), 1, (heads, key_dim), key)
        if self.use_gate:
            gates = (query_heads, value_dim)
            self._gate_dense = self._projection("gate", rank, 1, gates, query, "sigmoid")
        self._value_dense = self._projection("value", len(value), 1, (heads, value_dim), value)
        self._dropout_layer = Dropout(self._rate, dtype=self.dtype, seed=self.seed)
        joined = (*query[:-1], query_heads, value_dim)
        self._output_dense = self._projection("attention_output", rank + 1, 2, output_shape, joined)

    # ---- the call ----

    def call(
        self,
        query,
        value,
        key=None,
        query_mask=None,
        value_mask=None,
        key_mask=None,
        attention_mask=None,
        return_attention_scores=False,
        training=None,
        use_causal_mask=False,
    ):
        key = value if key is None else key
        if use_causal_mask or self.sliding_window is not None:
            self._check_one_axis()
        mask = self._mask_of_pairs(
            query, value, (query_mask, value_mask, key_mask, attention_mask), use_causal_mask
        )
        query, value, key = map(_unmasked, (query, value, key))
        gate = self._gate_dense(query) if self.use_gate else None
        y, weights = self._compute_attention(
            self._query_dense(query),
            self._key_dense(key),
            self._value_dense(value),
            mask,
            training,
            return_attention_scores,
        )
        y = self._output_dense(y if gate is None else y * gate)
        return (y, weights) if return_attention_scores else y

    def _axes(self) -> tuple:
        """The axes that are attended over, without the batch."""
        return (1,)

    def _check_one_axis(self):
        if len(self._axes()) != 1:
            raise ValueError(
                "use_causal_mask and sliding_window need one axis that is attended over, got "
                f"attention_axes={self._axes()}; give an attention_mask instead"
            )

    def _mask_of_pairs(self, query, value, masks, causal):
        """What all masks say of each pair, (..., queries, keys); None if there are none."""
        query_mask, value_mask, key_mask, attention_mask = (
            None if m is None else ops.cast(m, "bool") for m in masks
        )
        parts = [None if query_mask is None else ops.expand_dims(query_mask, -1)]
        parts += [None if m is None else ops.expand_dims(m, -2) for m in (value_mask, key_mask)]
        axis = self._axes()[0]
        queries, keys = query.shape[axis], value.shape[axis]
        if causal:
            parts.append(causal_mask(queries, keys))
        if self.sliding_window is not None:
            distance = np.abs(np.arange(queries)[:, None] - np.arange(keys))
            parts.append(ops.convert_to_tensor(distance[None] < self.sliding_window))
        parts = [part for part in (*parts, attention_mask) if part is not None]
        return functools.reduce(ops.logical_and, parts) if parts else None

    def _compute_attention(
        self,
        query,
        key,
        value,
        attention_mask=None,
        training=None,
        return_attention_scores=False,
    ):
        """(output, weights) of the projected tensors (batch, ..., heads, size); may be overridden.

        The output has the axes of the query; weights are (batch, ..., heads, queries, keys).
        """
        axes, rank = self._axes(), query.ndim
        shared = [a for a in range(rank - 1) if a not in axes]  # batch, other axes, heads
        order = (*shared, *axes, rank - 1)
        lead = tuple(query.shape[a] for a in shared)
        t, s = (tuple(x.shape[a] for a in axes) for x in (query, key))
        groups = query.shape[-2] // key.shape[-2]

        def heads(x, steps, rows):
            """(..., heads of the keys, rows, size), heads of queries that share one in its rows."""
            x = ops.transpose(x, order)
            return ops.reshape(x, (*lead[:-1], key.shape[-2], rows * math.prod(steps), x.shape[-1]))

        q = heads(query * (1.0 / math.sqrt(query.shape[-1])), t, groups)
        scores = ops.matmul(q, ops.swapaxes(heads(key, s, 1), -2, -1))
        scores = ops.reshape(scores, (*lead, math.prod(t), math.prod(s)))
        mask = self._fitting(attention_mask, lead, t, s)
        if mask is not None:
            scores = ops.where(mask, scores, _MASKED)
        weights = ops.softmax(scores)
        if mask is not None and (return_attention_scores or self._rate > 0 or rank != 4):
            weights = ops.where(mask, weights, 0.0)
        kept = self._dropout_layer(weights, training=training) if self._rate > 0 else weights
        kept = ops.reshape(kept, (*q.shape[:-1], math.prod(s)))
        y = ops.reshape(ops.matmul(kept, heads(value, s, 1)), (*lead, *t, value.shape[-1]))
        back = [order.index(a) for a in range(rank)]
        return ops.transpose(y, back), ops.reshape(weights, (*lead, *t, *s))

    def _fitting(self, mask, lead, t, s):
        """The mask with axes for the heads, as scores are: (..., queries, keys)."""
        if mask is None:
            return None
        count, wanted = len(t), (*lead, *t, *s)
        shape = mask.shape
        while len(shape) < len(wanted):
            at = max(len(shape) - 2 * count, 0)
            shape = (*shape[:at], 1, *shape[at:])
        fits = zip(shape, wanted, strict=True) if len(shape) == len(wanted) else [(0, 1)]
        if any(size not in (1, most) for size, most in fits):
            raise ValueError(
                f"the mask of shape {mask.shape} does not fit scores of shape {wanted}, "
                "(batch, heads, queries, keys)"
            )
        mask = ops.reshape(mask, shape)
        if count > 1:
            mask = ops.broadcast_to(mask, (*shape[: len(lead)], *t, *s))
        sizes = mask.shape[len(lead) :]
        return ops.reshape(
            mask, (*shape[: len(lead)], math.prod(sizes[:count]), math.prod(sizes[count:]))
        )

    def get_config(self):
        from seqrnn import regularizers

        return {
            **super().get_config(),
            "dropout": self._rate,
            "use_bias": self._use_bias,
            "use_gate": self.use_gate,
            "sliding_window": self.sliding_window,
            "activity_regularizer": regularizers.serialize(self._activity),
            **options_config(self),
            "seed": self.seed,
        }


def _fresh(option):
    """A random initializer with a seed of its own, so that no two weights begin alike."""
    if isinstance(option, initializers.RandomInitializer):
        return type(option).from_config(option.get_config())
    return option


def _unmasked(x):
    """The same tensor without its mask, which has been taken care of."""
    return Tensor(x.frame, x.id, x.op)


class MultiHeadAttention(_HeadAttention):
    """Attention by several heads: query (batch, queries, n), value, key -> (batch, queries, n).

    Args:
        num_heads: heads.
        key_dim: size of each head's queries and keys.
        value_dim: size of each head's values; None: key_dim.
        dropout: rate at which weights are dropped in training.
        use_bias: whether the projections have biases.
        output_shape: sizes that take the place of the query's last axis; None: that axis.
        attention_axes: axes that are attended over; None: all but batch and features.
        sliding_window: a query sees the keys at a distance below it; None: all.
        flash_attention: refused.
        use_gate: whether the heads' outputs are multiplied by a sigmoid of the query's projection
            (Qiu et al., 2025, Gated attention for large language models).
        seed: of the dropout.

    Call arguments:
        query: (batch, ..., n); value: (batch, ..., m); key: as the value; None: the value.
        query_mask, value_mask, key_mask: (batch, steps), by default those that travel with the
            tensors.
        attention_mask: (batch, queries, keys) or (batch, heads, queries, keys), true where a pair
            counts.
        return_attention_scores: returns (output, weights (batch, heads, queries, keys)).
        use_causal_mask: query t sees the keys 0 .. t only.

    Weights: query, key, gate, value, each kernel (n, heads, size) and bias (heads, size);
    attention_output, kernel (heads, value_dim, n) and bias (n,).
    Raises ValueError for sizes that are no positive whole numbers and for shapes that do not fit.
    """

    def __init__(
        self,
        num_heads,
        key_dim,
        value_dim=None,
        dropout=0.0,
        use_bias=True,
        output_shape=None,
        attention_axes=None,
        sliding_window=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        options = {
            "kernel_initializer": kernel_initializer,
            "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer,
            "bias_regularizer": bias_regularizer,
            "kernel_constraint": kernel_constraint,
            "bias_constraint": bias_constraint,
        }
        self._keep(dropout, use_bias, use_gate, sliding_window, flash_attention, seed, options)
        self.num_heads = positive_int(num_heads, "MultiHeadAttention: num_heads")
        self.key_dim = positive_int(key_dim, "MultiHeadAttention: key_dim")
        self.value_dim = self.key_dim
        if value_dim is not None:
            self.value_dim = positive_int(value_dim, "MultiHeadAttention: value_dim")
        self._output_sizes = _sizes(output_shape, "output_shape")
        self.attention_axes = _sizes(attention_axes, "attention_axes")

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        rank = len(query_shape)
        axes = self.attention_axes
        axes = tuple(range(1, rank - 1)) if axes is None else tuple(a % rank for a in axes)
        if not axes or not all(0 < a < rank - 1 for a in axes):
            raise ValueError(
                f"attention_axes={self.attention_axes} must lie between batch and features of a "
                f"query of shape {tuple(query_shape)}"
            )
        if len(value_shape) != rank:
            raise ValueError(
                f"query and value must have as many axes, got query {tuple(query_shape)} and value "
                f"{tuple(value_shape)}"
            )
        self.attention_axes = axes
        self._build_projections(
            (query_shape, value_shape, key_shape),
            self.num_heads,
            self.num_heads,
            self.key_dim,
            self.value_dim,
            self._output_sizes or (query_shape[-1],),
        )

    def _axes(self):
        return self.attention_axes

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        """The query's shape, `output_shape` in place of its last axis."""
        return (*query_shape[:-1], *(self._output_sizes or (query_shape[-1],)))

    @property
    def query_dense(self):
        """The projection of the query, an EinsumDense."""
        return self._query_dense

    @property
    def key_dense(self):
        """The projection of the key."""
        return self._key_dense

    @property
    def value_dense(self):
        """The projection of the value."""
        return self._value_dense

    @property
    def output_dense(self):
        """The projection of what the heads give."""
        return self._output_dense

    def get_config(self):
        return {
            **super().get_config(),
            "num_heads": self.num_heads,
            "key_dim": self.key_dim,
            "value_dim": self.value_dim,
            "output_shape": self._output_sizes,
            "attention_axes": self.attention_axes,
        }


class GroupedQueryAttention(_HeadAttention):
    """Attention whose heads of queries share heads of keys and values: (batch, queries, n) -> same.

    Args:
        head_dim: size of each head.
        num_query_heads: heads of queries, a multiple of num_key_value_heads.
        num_key_value_heads: heads of keys and values.

    The others, and the call's, are those of `MultiHeadAttention`. Weights: query, key, gate, value,
    attention_output, as there.
    """

    def __init__(
        self,
        head_dim,
        num_query_heads,
        num_key_value_heads,
        dropout=0.0,
        use_bias=True,
        sliding_window=None,
        flash_attention=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        use_gate=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        options = {
            "kernel_initializer": kernel_initializer,
            "bias_initializer": bias_initializer,
            "kernel_regularizer": kernel_regularizer,
            "bias_regularizer": bias_regularizer,
            "kernel_constraint": kernel_constraint,
            "bias_constraint": bias_constraint,
        }
        self._keep(dropout, use_bias, use_gate, sliding_window, flash_attention, seed, options)
        name = "GroupedQueryAttention"
        self.head_dim = positive_int(head_dim, f"{name}: head_dim")
        self.num_query_heads = positive_int(num_query_heads, f"{name}: num_query_heads")
        self.num_key_value_heads = positive_int(num_key_value_heads, f"{name}: num_key_value_heads")
        if self.num_query_heads % self.num_key_value_heads:
            raise ValueError(
                f"{name}: num_query_heads={num_query_heads} must be a multiple of "
                f"num_key_value_heads={num_key_value_heads}."
            )

    def build(self, query_shape, value_shape, key_shape=None):
        key_shape = value_shape if key_shape is None else key_shape
        for what, shape in (("query", query_shape), ("value", value_shape), ("key", key_shape)):
            if len(shape) != 3:
                raise ValueError(
                    f"{what} must be 3-D (batch, steps, features), got shape {tuple(shape)}"
                )
        self._build_projections(
            (query_shape, value_shape, key_shape),
            self.num_query_heads,
            self.num_key_value_heads,
            self.head_dim,
            self.head_dim,
            (query_shape[-1],),
        )

    def compute_output_shape(self, query_shape, value_shape, key_shape=None):
        """The query's shape."""
        return tuple(query_shape)

    def get_config(self):
        return {
            **super().get_config(),
            "head_dim": self.head_dim,
            "num_query_heads": self.num_query_heads,
            "num_key_value_heads": self.num_key_value_heads,
        }


def _sizes(value, what):
    """An int, a list or a tuple of ints as a tuple; None stays."""
    if value is None:
        return None
    sizes = whole_numbers([value] if isinstance(value, (int, np.integer)) else value)
    if not sizes:
        raise ValueError(
            f"MultiHeadAttention: {what} must be a whole number or a list of them, got {value!r}."
        )
    return sizes
