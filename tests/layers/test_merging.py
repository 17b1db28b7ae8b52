"""Add, Concatenate, Dot, ...: values, masks, errors."""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers

RNG = np.random.default_rng(0)


def floats(*shape):
    return RNG.normal(size=shape).astype("float32")


A, B, C = (floats(2, 3, 4) for _ in range(3))


@pytest.mark.parametrize(
    ("layer", "function", "expected"),
    [
        (layers.Add, layers.add, A + B + C),
        (layers.Multiply, layers.multiply, A * B * C),
        (layers.Average, layers.average, (A + B + C) / 3),
        (layers.Maximum, layers.maximum, np.maximum(np.maximum(A, B), C)),
        (layers.Minimum, layers.minimum, np.minimum(np.minimum(A, B), C)),
    ],
)
def test_elementwise(layer, function, expected):
    np.testing.assert_allclose(layer()([A, B, C]), expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(function([A, B, C]), expected, rtol=1e-5, atol=1e-6)


def test_subtract():
    np.testing.assert_array_equal(layers.subtract([A, B]), A - B)
    with pytest.raises(ValueError, match="two tensors, got 3"):
        layers.Subtract()([A, B, C])


def test_broadcasting_puts_new_axes_behind_the_batch():
    vector, column = floats(2, 4), floats(2, 3, 1)
    np.testing.assert_array_equal(layers.Add()([A, vector]), A + vector[:, None])
    np.testing.assert_array_equal(layers.Add()([A, column]), A + column)


@pytest.mark.parametrize("axis", [-1, 1, 2])
def test_concatenate(axis):
    other = floats(2, 3, 1) if axis % 3 == 2 else floats(2, 5, 4)
    expected = np.concatenate([A, other], axis)
    np.testing.assert_array_equal(layers.Concatenate(axis)([A, other]), expected)
    np.testing.assert_array_equal(layers.concatenate([A, other], axis=axis), expected)


@pytest.mark.parametrize(
    ("axes", "formula"),
    [
        ((2, 2), "bik,bjk->bij"),
        ((1, 1), "bki,bkj->bij"),
        ((2, 1), "bik,bkj->bij"),
        (-1, "bik,bjk->bij"),
    ],
)
def test_dot(axes, formula):
    x = floats(2, 3, 3)
    y = floats(2, 3, 3)
    expected = np.einsum(formula, x, y)
    np.testing.assert_allclose(layers.Dot(axes)([x, y]), expected, rtol=1e-5, atol=1e-5)


def test_dot_of_vectors_and_cosine():
    x, y = floats(5, 4), floats(5, 4)
    product = (x * y).sum(1, keepdims=True)
    np.testing.assert_allclose(layers.dot([x, y], axes=1), product, rtol=1e-5, atol=1e-6)
    norms = np.linalg.norm(x, axis=1, keepdims=True) * np.linalg.norm(y, axis=1, keepdims=True)
    cosine = layers.dot([x, y], axes=1, normalize=True)
    np.testing.assert_allclose(cosine, product / norms, rtol=1e-5, atol=1e-6)


# ---- masks ----


def masked(mask):
    x = floats(1, len(mask), 2)
    x[0, ~np.array(mask)] = 0
    return layers.Masking()(x)


def test_elementwise_masks():
    a, b = masked([True, False, False]), masked([True, True, False])
    y = layers.Add()([a, b])
    np.testing.assert_array_equal(y._keras_mask, [[True, True, False]])
    assert layers.Add()([a, floats(1, 3, 2)])._keras_mask is None


def test_concatenated_masks():
    a, b = masked([True, False]), masked([True, True, False])
    np.testing.assert_array_equal(
        layers.Concatenate(1)([a, b])._keras_mask, [[True, False, True, True, False]]
    )
    np.testing.assert_array_equal(
        layers.Concatenate(1)([a, floats(1, 2, 2)])._keras_mask, [[True, False, True, True]]
    )
    c = masked([False, True])
    np.testing.assert_array_equal(layers.Concatenate()([a, c])._keras_mask, [[True, True]])


def test_placeholders():
    x, y = keras.Input([None, 3]), keras.Input([None, 3])
    assert layers.add([x, y]).shape == (None, None, 3)
    assert layers.concatenate([x, y]).shape == (None, None, 6)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: layers.Add()(A), "list of 1 tensors or more, got one of shape"),
        (lambda: layers.Concatenate()(()), "1 tensors or more"),
        (lambda: layers.Add()([A, floats(2, 5, 4)]), r"\(2, 3, 4\) and \(2, 5, 4\)"),
        (lambda: layers.Concatenate()([A, floats(2, 5, 4)]), "equal but for axis -1"),
        (lambda: layers.Concatenate()([A, floats(2, 3)]), "equal but for axis"),
        (lambda: layers.Concatenate(0)([A, A]), "along axis 0"),
        (lambda: layers.Concatenate(5)([A, A]), "along axis 5"),
        (lambda: layers.Dot((1, 2))([A, A]), "no dot"),
        (lambda: layers.Dot(1.5), "whole numbers"),
    ],
)
def test_errors(call, text):
    with pytest.raises((ValueError, TypeError), match=text):
        call()
