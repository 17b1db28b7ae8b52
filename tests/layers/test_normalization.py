"""Normalisation layers against NumPy: statistics, masks, moving averages, gradients."""

import numpy as np
import pytest
from differences import check_gradients

import seqrnn as keras
from seqrnn import layers

RNG = np.random.default_rng(0)


def floats(*shape):
    return RNG.normal(2, 3, size=shape).astype("float32")


def normalised(x, axes, epsilon=1e-3):
    x = np.asarray(x, np.float64)
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    return (x - mean) / np.sqrt(variance + epsilon)


# ---- LayerNormalization ----


@pytest.mark.parametrize("axis", [-1, 1, 2, [1], [1, 2], [-1, -2], (2, 1)])
def test_layer_norm(axis):
    x = floats(3, 5, 4)
    layer = layers.LayerNormalization(
        axis, gamma_initializer="random_normal", beta_initializer="random_normal"
    )
    y = layer(x)
    axes = tuple(sorted(a % 3 for a in (axis if isinstance(axis, (list, tuple)) else [axis])))
    gamma, beta = layer.get_weights()
    assert gamma.shape == tuple(x.shape[a] for a in axes)
    wide = [size if a in axes else 1 for a, size in enumerate(x.shape)]
    expected = normalised(x, axes) * gamma.reshape(wide) + beta.reshape(wide)
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5)


def test_layer_norm_of_numbers_far_from_zero():
    """A one-pass variance, E[x²] - E[x]², would lose all digits here."""
    x = (10000 + RNG.normal(size=(4, 64))).astype(np.float32)
    y = layers.LayerNormalization()(x)
    np.testing.assert_allclose(y, normalised(x, -1), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("axis", [-1, 1, [1, 2]])
def test_layer_norm_gradients(axis):
    layer = layers.LayerNormalization(axis, gamma_initializer="uniform", dtype="float64")
    check_gradients(layer, floats(2, 4, 3))


def test_layer_norm_without_weights():
    layer = layers.LayerNormalization(center=False, scale=False)
    x = floats(3, 4)
    np.testing.assert_allclose(layer(x), normalised(x, -1), rtol=1e-5, atol=1e-5)
    assert layer.weights == []


# ---- BatchNormalization ----


@pytest.mark.parametrize(("shape", "axis"), [((6, 4), -1), ((3, 5, 4), -1), ((3, 5, 4), 1)])
def test_batch_norm_training_and_inference(shape, axis):
    x = floats(*shape)
    layer = layers.BatchNormalization(axis, momentum=0.9)
    y = layer(x, training=True)
    axes = tuple(a for a in range(len(shape)) if a != axis % len(shape))
    np.testing.assert_allclose(y, normalised(x, axes), rtol=1e-4, atol=1e-5)
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    np.testing.assert_allclose(mean, 0.1 * x.mean(axes), rtol=1e-5)
    np.testing.assert_allclose(variance, 0.9 + 0.1 * x.var(axes), rtol=1e-5)
    wide = [size if a not in axes else 1 for a, size in enumerate(shape)]
    expected = (x - mean.reshape(wide)) / np.sqrt(variance.reshape(wide) + 1e-3)
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), mean)


def test_batch_norm_with_a_mask():
    x = floats(3, 5, 2)
    mask = np.array([[1, 1, 0, 1, 1], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0]], bool)
    layer = layers.BatchNormalization(momentum=0.0)
    y = layer(x, training=True, mask=mask)
    valid = x[mask].astype(np.float64)
    np.testing.assert_allclose(layer.moving_mean.numpy(), valid.mean(0), rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance.numpy(), valid.var(0), rtol=1e-5)
    expected = (x - valid.mean(0)) / np.sqrt(valid.var(0) + 1e-3)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)


def test_batch_norm_mask_of_many_parts():
    """Without the mask the same as with a mask of ones, whatever axes the mask leaves open."""
    x = floats(3, 5, 2, 4)
    plain, masked = (layers.BatchNormalization(momentum=0.0) for _ in range(2))
    y = plain(x, training=True)
    np.testing.assert_allclose(
        masked(x, training=True, mask=np.ones((3, 5), bool)), y, rtol=1e-5, atol=1e-6
    )
    np.testing.assert_allclose(
        masked.moving_variance.numpy(), plain.moving_variance.numpy(), rtol=1e-5
    )


def test_batch_norm_all_masked_stays_finite():
    layer = layers.BatchNormalization()
    y = layer(floats(2, 3, 2), training=True, mask=np.zeros((2, 3), bool))
    assert np.isfinite(y).all()
    assert np.isfinite(layer.moving_variance.numpy()).all()


def test_batch_norm_gradients():
    layer = layers.BatchNormalization(gamma_initializer="uniform", dtype="float64")
    check_gradients(layer, floats(4, 3, 2), training=True)
    check_gradients(layer, floats(4, 3, 2), training=False)


def test_batch_norm_not_trainable_infers():
    layer = layers.BatchNormalization()
    x = floats(4, 3)
    layer(x)
    layer.trainable = False
    y = layer(x, training=True)
    np.testing.assert_allclose(y, x / np.sqrt(1.001), rtol=1e-5)
    np.testing.assert_array_equal(layer.moving_mean.numpy(), [0, 0, 0])
    layer.trainable = True
    layer(x, training=True)
    assert (layer.moving_mean.numpy() != 0).all()


def test_batch_norm_weights():
    layer = layers.BatchNormalization(scale=False)
    layer.build((None, None, 3))
    assert [w.name for w in layer.weights] == ["beta", "moving_mean", "moving_variance"]
    assert [w.name for w in layer.trainable_weights] == ["beta"]


# ---- Normalization ----


def test_normalization_adapts():
    x = floats(50, 4, 3)
    layer = layers.Normalization()
    layer.adapt(x)
    expected = (x - x.mean((0, 1))) / x.std((0, 1))
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-5)
    assert layer.mean.shape == (1, 1, 3)
    back = layers.Normalization(mean=x.mean((0, 1)), variance=x.var((0, 1)), invert=True)
    np.testing.assert_allclose(back(layer(x)), x, rtol=1e-4, atol=1e-5)
    layer.adapt(x + 1)
    np.testing.assert_allclose(layer(x + 1), expected, rtol=1e-4, atol=1e-4)


def test_a_compiled_model_sees_new_statistics():
    x = floats(50, 3)
    model = keras.Sequential([layers.Normalization()])
    np.testing.assert_allclose(model.predict(x, verbose=0), x, rtol=1e-6)
    model.layers[0].adapt(x)
    expected = (x - x.mean(0)) / x.std(0)
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)


def test_normalization_adapts_to_batches():
    x = floats(10, 4, 3)
    whole = layers.Normalization()
    whole.adapt(x)
    for batches in ([x[:3], x[3:]], iter([(x[:7], None), (x[7:], None)])):
        layer = layers.Normalization()
        layer.adapt(batches)
        np.testing.assert_allclose(layer(x), whole(x), rtol=1e-5, atol=1e-6)
    with pytest.raises(ValueError, match=r"shape \(2, 4, 5\).*built for \(3,\)"):
        whole.adapt(floats(2, 4, 5))


def test_normalization_axis_none_and_constant_columns():
    x = np.ones((5, 2), np.float32)
    layer = layers.Normalization(axis=None)
    layer.adapt(x)
    np.testing.assert_array_equal(layer(x), np.zeros((5, 2)))


def test_groups_against_numpy():
    x = floats(3, 5, 6)
    y = np.asarray(layers.GroupNormalization(2)(x))
    for first in (0, 3):
        group = x[:, :, first : first + 3]
        np.testing.assert_allclose(
            y[:, :, first : first + 3], normalised(group, (1, 2)), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.GroupNormalization(2, dtype="float64"),
        lambda: layers.GroupNormalization(-1, axis=1, dtype="float64"),
        lambda: layers.UnitNormalization([1, 2], dtype="float64"),
        lambda: layers.RMSNormalization(1, dtype="float64"),
    ],
)
def test_gradients_of_its_kin(make):
    check_gradients(make(), RNG.normal(size=(2, 3, 4)))


def test_rms_over_time():
    x = floats(2, 5, 3)
    layer = layers.RMSNormalization(1)
    layer.build(x.shape)
    scale = RNG.normal(size=5)
    layer.set_weights([scale])
    expected = x / np.sqrt((x**2).mean(1, keepdims=True) + 1e-6) * scale[:, None]
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5)


def test_rms_over_axes_in_any_order():
    x = floats(2, 5, 3)
    layer = layers.RMSNormalization([1, -1])
    layer.build(x.shape)
    scale = RNG.normal(size=(5, 3))
    layer.set_weights([scale])
    expected = x / np.sqrt((x**2).mean((1, 2), keepdims=True) + 1e-6) * scale
    np.testing.assert_allclose(layer(x), expected, rtol=1e-5)


def test_unit_of_zeros_is_zeros():
    np.testing.assert_array_equal(layers.UnitNormalization()(np.zeros((2, 3))), np.zeros((2, 3)))


def test_unit_of_zeros_trains():
    """y = 1e12 x below a length of 1e-12, so the gradient there is 1e12 (Keras: the same)."""
    x = np.zeros((1, 2), "float32")
    with keras.GradientTape() as tape:
        variable = keras.Variable(x)
        y = keras.ops.sum(layers.UnitNormalization()(variable))
    np.testing.assert_allclose(tape.gradient(y, variable), np.full((1, 2), 1e12), rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: layers.BatchNormalization(axis=3)(floats(2, 3)), "no axis 3"),
        (lambda: layers.BatchNormalization(axis="x"), "whole number"),
        (lambda: layers.BatchNormalization(renorm=True), "renorm"),
        (lambda: layers.BatchNormalization(axis=1)(keras.Input([None, 2])), "must be known"),
        (lambda: layers.LayerNormalization(axis=[0, 5])(floats(2, 3)), "does not fit"),
        (lambda: layers.LayerNormalization(axis=1)(keras.Input([None, 2])), "must be known"),
        (lambda: layers.Normalization(mean=1.0), "both mean and variance"),
        (lambda: layers.Normalization(mean=[1.0], variance=1.0), "the same shape"),
        (lambda: layers.Normalization(mean=[[1.0]], variance=[[1.0]]), "no more than 1 axes"),
        (lambda: layers.Normalization(mean=1.0, variance=2.0).adapt(floats(2, 3)), "were given"),
        (lambda: layers.Normalization(axis=1)(keras.Input([None, 2])), "must be known"),
        (lambda: layers.Normalization(axis=2)(floats(2, 3)), "no axis 2"),
        (lambda: layers.Normalization().adapt(np.zeros((0, 3))), "empty"),
    ],
)
def test_errors(make, text):
    with pytest.raises(ValueError, match=text):
        make()
