"""Attention layers: what has no golden value. Dropout, masks on their way, plans, gradients."""

import numpy as np
import pytest
from differences import check_gradients

import seqrnn as keras
from seqrnn import layers

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 6, 8)).astype(np.float32)


def plain_heads(x, weights, heads):
    """Self-attention without masks, head by head, in float64."""
    wq, bq, wk, bk, wv, bv, wo, bo = (w.astype(np.float64) for w in weights)
    y = np.tile(bo, (*x.shape[:2], 1))
    for b in range(x.shape[0]):
        for h in range(heads):
            q, k, v = (x[b] @ w[:, h] + bias[h] for w, bias in ((wq, bq), (wk, bk), (wv, bv)))
            scores = q @ k.T / np.sqrt(q.shape[-1])
            scores = np.exp(scores - scores.max(-1, keepdims=True))
            y[b] += scores / scores.sum(-1, keepdims=True) @ v @ wo[h]
    return y


def test_heads_against_a_plain_loop():
    layer = layers.MultiHeadAttention(2, 3, value_dim=5)
    layer(X, X)
    layer.set_weights([RNG.normal(size=w.shape) for w in layer.weights])
    expected = plain_heads(X, layer.get_weights(), 2)
    np.testing.assert_allclose(layer(X, X), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Attention(use_scale=True, dtype="float64"),
        layers.Attention(score_mode="concat", dtype="float64"),
        layers.AdditiveAttention(dtype="float64"),
    ],
    ids=lambda layer: f"{layer.name}",
)
def test_gradients(layer):
    class Joined(layers.Layer):
        def __init__(self):
            super().__init__(dtype="float64")
            self.inner = layer

        def call(self, x):
            return self.inner([x, x[:, ::2]], use_causal_mask=True)

    check_gradients(Joined(), RNG.normal(size=(2, 4, 3)))


def test_no_two_projections_begin_alike():
    layer = layers.MultiHeadAttention(2, 4)
    layer(X, X)
    query, key = layer.query_dense.kernel.numpy(), layer.key_dense.kernel.numpy()
    assert np.abs(query - key).max() > 0.01


def test_fans_of_the_projections():
    layer = layers.MultiHeadAttention(4, 100)
    layer.build((None, 6, 200), (None, 6, 200))
    limit = np.sqrt(6 / (200 + 400))
    for dense in (layer.query_dense, layer.value_dense):
        assert 0.98 * limit < np.abs(dense.kernel.numpy()).max() <= limit
    assert np.abs(layer.output_dense.kernel.numpy()).max() <= np.sqrt(6 / (400 + 200))


@pytest.mark.parametrize("make", [layers.Attention, layers.AdditiveAttention])
def test_dropout_of_weights(make):
    layer = make(dropout=0.5, seed=1)
    weights = np.asarray(layer([X, X], training=True, return_attention_scores=True)[1])
    whole = np.asarray(layer([X, X], return_attention_scores=True)[1])
    dropped = weights == 0
    assert 0.3 < dropped.mean() < 0.7
    np.testing.assert_allclose(weights[~dropped], 2 * whole[~dropped], rtol=1e-5)


def test_dropout_of_heads():
    layer = layers.MultiHeadAttention(2, 4, dropout=0.5, seed=1)
    rest, again = layer(X, X), layer(X, X)
    np.testing.assert_array_equal(rest, again)
    first, second = layer(X, X, training=True), layer(X, X, training=True)
    assert np.abs(np.asarray(first) - np.asarray(rest)).max() > 0.01
    assert np.abs(np.asarray(first) - np.asarray(second)).max() > 0.01


def test_masks_travel_and_take_effect():
    ids = np.array([[1, 2, 3, 0, 0], [4, 5, 0, 0, 0]])
    inputs = keras.Input((None,), dtype="int32")
    x = layers.Embedding(9, 8, mask_zero=True)(inputs)
    y = layers.MultiHeadAttention(2, 4)(x, x)
    y = layers.Add()([x, y])
    model = keras.Model(inputs, layers.GlobalAveragePooling1D()(y))
    for row, length in zip(ids, (3, 2), strict=True):
        alone = model.predict(row[None, :length], verbose=0)
        np.testing.assert_allclose(model.predict(row[None], verbose=0), alone, rtol=1e-5, atol=1e-6)


def test_masks_of_arrays_given_by_keyword():
    class Masking(layers.Layer):
        def compute_mask(self, inputs, mask=None):
            return inputs[..., 0] > 0

        def call(self, inputs):
            return inputs

    layer = layers.MultiHeadAttention(2, 4)
    masked = Masking()(X)
    np.testing.assert_array_equal(
        layer(X, value=masked), layer(X, X, value_mask=np.asarray(X[..., 0] > 0))
    )
    assert np.abs(np.asarray(layer(X, value=masked)) - np.asarray(layer(X, X))).max() > 1e-3


def test_trains_and_is_the_same_for_any_threads():
    y = X.mean(1, keepdims=True).repeat(6, 1)

    def trained(threads):
        before = keras.num_threads()
        keras.set_num_threads(threads)
        try:
            keras.utils.set_random_seed(3)
            inputs = keras.Input((6, 8))
            heads = layers.MultiHeadAttention(2, 4, dropout=0.1)
            outputs = layers.LayerNormalization()(heads(inputs, inputs, use_causal_mask=True))
            model = keras.Model(inputs, layers.Dense(8)(outputs))
            model.compile("adam", "mse")
            losses = model.fit(X, y, epochs=30, batch_size=4, verbose=0).history["loss"]
            return losses, model.get_weights()
        finally:
            keras.set_num_threads(before)

    losses, weights = trained(1)
    assert losses[-1] < 0.7 * losses[0]
    again, others = trained(2)
    assert again == losses
    for a, b in zip(weights, others, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: layers.MultiHeadAttention(2, 4, attention_axes=2)(X, X), "attention_axes"),
        (lambda: layers.MultiHeadAttention(2, 4)(X, X[None]), "as many axes"),
        (
            lambda: layers.MultiHeadAttention(2, 4)(X, X, attention_mask=np.ones((4, 5, 6), bool)),
            r"mask of shape \(4, 5, 6\).*\(4, 2, 6, 6\)",
        ),
        (
            lambda: layers.MultiHeadAttention(2, 4)(X[None], X[None], use_causal_mask=True),
            "attention_mask instead",
        ),
        (lambda: layers.GroupQueryAttention(4, 2, 1)(X[None], X[None]), "3-D"),
        (lambda: layers.MultiHeadAttention(2, 4, flash_attention=True), "flash_attention"),
        (lambda: layers.EinsumDense("...a,ab->b", 3), "in the input and the output"),
        (lambda: layers.EinsumDense("ab,bc->ac", 3)(X), r"2 axes, got shape \(None, 6, 8\)"),
    ],
)
def test_errors(call, text):
    with pytest.raises(ValueError, match=text):
        call()
