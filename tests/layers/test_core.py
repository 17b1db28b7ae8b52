"""Dense, Activation, Masking, Lambda, inputs, reshaping, dropout, embedding."""

import numpy as np
import pytest
from differences import check_gradients

import seqrnn as keras
from seqrnn import layers
from seqrnn.errors import UnknownArgumentError

RNG = np.random.default_rng(0)


def floats(*shape, dtype="float32"):
    return RNG.normal(size=shape).astype(dtype)


# ---- Dense ----


@pytest.mark.parametrize("shape", [(4, 3), (2, 5, 3), (2, 2, 5, 3), (1, 1)])
def test_dense_is_a_product(shape):
    layer = layers.Dense(6, "tanh", bias_initializer="random_normal")
    x = floats(*shape)
    y = layer(x)
    kernel, bias = layer.get_weights()
    assert kernel.shape == (shape[-1], 6) and y.dtype == np.float32
    np.testing.assert_allclose(y, np.tanh(x @ kernel + bias), rtol=1e-5, atol=1e-6)


def test_dense_gradients():
    check_gradients(layers.Dense(3, "gelu", dtype="float64"), floats(2, 4, 3))
    check_gradients(layers.Dense(3, "softmax", use_bias=False, dtype="float64"), floats(5, 2))


def test_dense_options_reach_the_weights():
    layer = layers.Dense(
        2,
        kernel_initializer=np.eye(2),
        bias_initializer=keras.initializers.Constant(3.0),
        kernel_regularizer="l2",
        bias_constraint="non_neg",
    )
    layer.build((None, 2))
    np.testing.assert_array_equal(layer.kernel.numpy(), np.eye(2))
    np.testing.assert_array_equal(layer.bias.numpy(), [3, 3])
    assert isinstance(layer.kernel.regularizer, keras.regularizers.L2)
    assert isinstance(layer.bias.constraint, keras.constraints.NonNeg)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: layers.Dense(0), "Dense: units must be a positive whole number, got 0"),
        (lambda: layers.Dense(2.5), "got 2.5"),
        (lambda: layers.Dense(True), "got True"),
        (lambda: layers.Dense("3"), "got '3'"),
        (lambda: layers.Dense(2, "tanhh"), "Did you mean 'tanh'"),
        (lambda: layers.Dense(2, kernel_initializer="glorot"), "Unknown initializer 'glorot'"),
        (lambda: layers.Dense(2, kernel_regularizer="l3"), "Unknown regularizer 'l3'"),
        (lambda: layers.Dense(2, kernel_constraint="maxnorm"), "Did you mean 'max_norm'"),
        (lambda: layers.Dense(2, kernel_initializer=[1]), "expected the name of an initializer"),
        (lambda: layers.Dense(2)(np.zeros(3)), r"in layer '.*' \(Dense\): .*2 axes"),
        (lambda: layers.Dense(2)(keras.Input([None])), "last axis of the input must be known"),
        (lambda: layers.Dropout(1.5), "between 0 and 1, got 1.5"),
        (lambda: layers.Dropout(-0.1), "got -0.1"),
        (lambda: layers.Dropout(0.5, (1, 1))(np.zeros((2, 2, 2)), training=True), "noise_shape"),
        (lambda: layers.Embedding(0, 2), "input_dim"),
        (lambda: layers.Embedding(3, 2, weights=np.zeros((2, 3))), r"\(3, 2\), got \(2, 3\)"),
        (lambda: layers.Reshape((4, -1))(np.zeros((2, 5))), "5 elements"),
        (lambda: layers.Reshape((-1, -1)), "once"),
        (lambda: layers.Permute((1, 3)), "order the numbers"),
        (lambda: layers.RepeatVector(2)(np.zeros((2, 3, 4))), "2-D"),
        (lambda: layers.Cropping1D(3)(np.zeros((2, 6, 1))), "leaves nothing of 6 steps"),
        (lambda: layers.ZeroPadding1D((1, 2, 3)), "one or two"),
        (lambda: layers.Flatten("sideways"), "channels_first"),
        (lambda: layers.Lambda(3), "function"),
        (lambda: layers.ReLU(max_value=-1), "negative"),
        (lambda: layers.PReLU()(keras.Input([None, 3])), "shared_axes"),
        (lambda: keras.Input(), "either shape="),
        (lambda: keras.Input([2.5]), "whole numbers"),
        (lambda: layers.TimeDistributed(3), "expected a Layer"),
    ],
)
def test_errors_say_what_came(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_unknown_arguments_suggest_the_near_one():
    with pytest.raises(UnknownArgumentError, match="Did you mean 'activation'"):
        layers.Dense(2, activaton="tanh")
    with pytest.raises(UnknownArgumentError, match="Did you mean 'rate'"):
        layers.Dropout(0.5, rat=0.1)


# ---- small layers against NumPy ----

X = floats(3, 6, 4)


def pairwise(x, k):
    return x.reshape(x.shape[0], -1, k, x.shape[2])


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        (layers.Activation("tanh"), np.tanh(X)),
        (layers.Activation(None), X),
        (layers.Activation(lambda t: t * 2), X * 2),
        (layers.Identity(), X),
        (layers.Flatten(), X.reshape(3, 24)),
        (layers.Reshape((8, 3)), X.reshape(3, 8, 3)),
        (layers.Reshape((2, -1, 4)), X.reshape(3, 2, 3, 4)),
        (layers.Reshape([24]), X.reshape(3, 24)),
        (layers.Permute((2, 1)), X.transpose(0, 2, 1)),
        (layers.UpSampling1D(3), np.repeat(X, 3, axis=1)),
        (layers.ZeroPadding1D(2), np.pad(X, ((0, 0), (2, 2), (0, 0)))),
        (layers.ZeroPadding1D((0, 3)), np.pad(X, ((0, 0), (0, 3), (0, 0)))),
        (layers.Cropping1D((1, 2)), X[:, 1:-2]),
        (layers.ReLU(), np.maximum(X, 0)),
        (layers.ReLU(0.5, 0.1, 0.2), np.where(X >= 0.2, np.minimum(X, 0.5), 0.1 * (X - 0.2))),
        (layers.ReLU(threshold=0.3), np.where(X > 0.3, X, 0)),
        (layers.LeakyReLU(), np.where(X > 0, X, 0.3 * X)),
        (layers.LeakyReLU(alpha=0.1), np.where(X > 0, X, 0.1 * X)),
        (layers.ELU(2.0), np.where(X > 0, X, 2 * np.expm1(X))),
        (layers.PReLU(np.float32(0.2), shared_axes=[1, 2]), np.where(X > 0, X, 0.2 * X)),
        (layers.Softmax(axis=1), np.exp(X) / np.exp(X).sum(1, keepdims=True)),
        (layers.Lambda(lambda t, n: t[:, :n], arguments={"n": 2}), X[:, :2]),
        (layers.Dropout(0.5), X),
        (layers.GaussianNoise(0.5), X),
        (layers.GaussianDropout(0.5), X),
        (layers.SpatialDropout1D(0.5), X),
        (layers.MaxPooling1D(), pairwise(X, 2).max(2)),
        (layers.AveragePooling1D(3), pairwise(X, 3).mean(2)),
        (layers.GlobalMaxPooling1D(), X.max(1)),
        (layers.GlobalAveragePooling1D(keepdims=True), X.mean(1, keepdims=True)),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, layers.Layer) else "",
)
def test_values(layer, expected):
    y = layer(X)
    assert y.shape == expected.shape
    np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-6)
    assert layer.compute_output_shape((3, 6, 4)) == expected.shape


def test_repeat_vector():
    x = floats(2, 3)
    np.testing.assert_array_equal(layers.RepeatVector(4)(x), np.repeat(x[:, None], 4, axis=1))


@pytest.mark.parametrize(
    "layer",
    [
        layers.PReLU("uniform", shared_axes=[1], dtype="float64"),
        layers.Permute((2, 1), dtype="float64"),
        layers.UpSampling1D(2, dtype="float64"),
        layers.Cropping1D((1, 2), dtype="float64"),
        layers.ZeroPadding1D((1, 2), dtype="float64"),
        layers.Softmax(axis=1, dtype="float64"),
        layers.MaxPooling1D(3, 2, "same", dtype="float64"),
        layers.AveragePooling1D(3, 2, "same", dtype="float64"),
        layers.GlobalMaxPooling1D(dtype="float64"),
    ],
    ids=lambda layer: layer.name,
)
def test_gradients(layer):
    check_gradients(layer, X)


@pytest.mark.parametrize("time", range(1, 9))
@pytest.mark.parametrize(("size", "stride"), [(1, 1), (2, 1), (2, 2), (3, 2), (4, 3), (3, 5)])
def test_pooling_windows(time, size, stride):
    """'same' by its definition: window i begins at i * stride - left; outside does not count."""
    x = floats(2, time, 3)
    count = -(-time // stride)
    left = max((count - 1) * stride + size - time, 0) // 2
    windows = [x[:, max(i * stride - left, 0) : i * stride - left + size] for i in range(count)]
    biggest = layers.MaxPooling1D(size, stride, "same")(x)
    mean = layers.AveragePooling1D(size, stride, "same")(x)
    np.testing.assert_array_equal(biggest, np.stack([w.max(1) for w in windows], 1))
    expected = np.stack([w.mean(1) for w in windows], 1)
    np.testing.assert_allclose(mean, expected, rtol=1e-5, atol=1e-6)
    if size <= time:
        whole = [x[:, i : i + size] for i in range(0, time - size + 1, stride)]
        biggest = layers.MaxPooling1D(size, stride)(x)
        np.testing.assert_array_equal(biggest, np.stack([w.max(1) for w in whole], 1))
    else:
        with pytest.raises(ValueError, match=f"windows of {size} steps .* {time} steps"):
            layers.MaxPooling1D(size, stride)(x)


@pytest.mark.parametrize(("size", "stride"), [(9, 2), (10**12, None), (10**12, 3), (17, 1)])
def test_windows_longer_than_the_sequence(size, stride):
    x = np.random.default_rng(0).normal(size=(2, 7, 3))
    count = -(-7 // (stride or size))
    front = ((count - 1) * (stride or size) + size - 7) // 2
    begin = [i * (stride or size) - front for i in range(count)]
    rows = [x[:, max(b, 0) : min(b + size, 7)] for b in begin]
    biggest = layers.MaxPooling1D(size, stride, "same", dtype="float64")(x)
    mean = layers.AveragePooling1D(size, stride, "same", dtype="float64")(x)
    np.testing.assert_allclose(biggest, np.stack([r.max(1) for r in rows], 1))
    np.testing.assert_allclose(mean, np.stack([r.mean(1) for r in rows], 1))


# ---- dropout ----


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_zeros_and_scales(rate):
    x = np.ones((200, 500), np.float32)
    y = np.asarray(layers.Dropout(rate, seed=3)(x, training=True))
    kept = y != 0
    assert abs(kept.mean() - (1 - rate)) < 4 * np.sqrt(rate * (1 - rate) / x.size)
    np.testing.assert_allclose(y[kept], 1 / (1 - rate), rtol=1e-6)


def test_dropout_at_its_limits():
    x = floats(5, 5)
    np.testing.assert_array_equal(layers.Dropout(0)(x, training=True), x)
    np.testing.assert_array_equal(layers.Dropout(1.0)(x, training=True), np.zeros((5, 5)))
    np.testing.assert_array_equal(layers.Dropout(0.5)(x, training=False), x)


def test_dropout_draws_anew_and_a_seed_repeats_it():
    x = np.ones((10, 100), np.float32)
    first, second = layers.Dropout(0.5, seed=7), layers.Dropout(0.5, seed=7)
    a, b = np.asarray(first(x, training=True)), np.asarray(first(x, training=True))
    assert (a != b).any()
    np.testing.assert_array_equal(a, second(x, training=True))
    np.testing.assert_array_equal(b, second(x, training=True))
    assert (np.asarray(layers.Dropout(0.5)(x, training=True)) != a).any()


def test_noise_shape_is_broadcast():
    x = np.ones((20, 30, 4), np.float32)
    y = np.asarray(layers.Dropout(0.5, noise_shape=(None, 1, None))(x, training=True))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))
    y = np.asarray(layers.SpatialDropout1D(0.5)(x, training=True))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1], y.shape))


def test_gaussian_noise_moments():
    x = np.full((300, 300), 2, np.float32)
    noisy = np.asarray(layers.GaussianNoise(0.5, seed=1)(x, training=True))
    assert abs(noisy.mean() - 2) < 0.01 and abs(noisy.std() - 0.5) < 0.01
    noisy = np.asarray(layers.GaussianDropout(0.2, seed=1)(x, training=True))
    assert abs(noisy.mean() - 2) < 0.02 and abs(noisy.std() - 2 * 0.5) < 0.02


# ---- embedding ----


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", "float32"])
def test_embedding_looks_up(dtype):
    layer = layers.Embedding(7, 3)
    ids = RNG.integers(0, 7, (4, 5)).astype(dtype)
    y = layer(ids)
    np.testing.assert_array_equal(y, layer.get_weights()[0][ids.astype(int)])
    assert np.abs(layer.get_weights()[0]).max() <= 0.05


def test_embedding_refuses_ids_out_of_range():
    layer = layers.Embedding(7, 3)
    for ids in ([[7]], [[-1]]):
        with pytest.raises(ValueError, match=r"ids must lie in 0 .. 6, got (7|-1)"):
            layer(np.array(ids))
    np.testing.assert_array_equal(layer(np.array([[6]]))[0, 0], layer.get_weights()[0][6])


def test_embedding_checks_inside_a_model():
    model = keras.Sequential([layers.Embedding(7, 3), layers.Flatten(), layers.Dense(1)])
    model.predict(np.array([[1, 2]]), verbose=0)
    with pytest.raises(ValueError, match=r"0 \.\. 6, got 9"):
        model.predict(np.array([[1, 9]]), verbose=0)


def test_embedding_mask_and_table():
    table = floats(5, 2)
    layer = layers.Embedding(5, 2, weights=[table], mask_zero=True, input_length=3)
    y = layer(np.array([[1, 0, 4]]))
    np.testing.assert_array_equal(y[0], table[[1, 0, 4]])
    np.testing.assert_array_equal(y._keras_mask, [[True, False, True]])
    assert layers.Embedding(5, 2)(np.array([[1, 0]]))._keras_mask is None


def test_embedding_gradient_adds_up_repeated_ids():
    layer = layers.Embedding(4, 2)
    model = keras.Sequential([layer])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    ids = np.array([[1, 1, 3]])
    model.build((None, 3))
    before = layer.get_weights()[0]
    model.train_on_batch(ids, np.zeros((1, 3, 2)))
    expected = before.copy()
    for i in (1, 1, 3):
        expected[i] -= 2 * before[i] / 6
    np.testing.assert_allclose(layer.get_weights()[0], expected, rtol=1e-5, atol=1e-7)


# ---- masks ----


def test_masking_marks_and_clears():
    x = floats(2, 4, 3)
    x[0, 1] = -1
    x[1, 2:] = -1
    x[1, 0, 0] = -1
    y = layers.Masking(-1.0)(x)
    mask = [[True, False, True, True], [True, True, False, False]]
    np.testing.assert_array_equal(y._keras_mask, mask)
    np.testing.assert_array_equal(y, np.where(np.array(mask)[..., None], x, 0))


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dense(2),
        layers.Activation("relu"),
        layers.Dropout(0.5),
        layers.LayerNormalization(),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.TimeDistributed(layers.Dense(2)),
    ],
    ids=lambda layer: layer.name,
)
def test_masks_travel(layer):
    x = floats(2, 4, 3)
    x[:, 2:] = 0
    y = layer(layers.Masking()(x))
    np.testing.assert_array_equal(y._keras_mask, [[True, True, False, False]] * 2)


def test_masked_mean():
    x = floats(3, 4, 2)
    x[0, 1] = x[1, 2:] = x[2] = 0
    y = layers.GlobalAveragePooling1D()(layers.Masking()(x))
    np.testing.assert_allclose(y[0], x[0, [0, 2, 3]].mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(y[1], x[1, :2].mean(0), rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(y[2], [0, 0])
    assert y._keras_mask is None


# ---- inputs ----


def test_input_placeholders():
    x = keras.Input([None, 1], name="series")
    assert x.shape == (None, None, 1) and x.dtype == "float32" and x.name == "series"
    assert keras.Input(batch_shape=(4, 2), dtype="int32").shape == (4, 2)
    assert keras.Input((3,), batch_size=5).shape == (5, 3)
    assert layers.InputLayer(input_shape=[None, 1]).batch_shape == (None, None, 1)
    assert layers.InputLayer(batch_input_shape=(2, 1)).batch_shape == (2, 1)


def test_input_layer_casts():
    y = layers.InputLayer([3])(np.arange(3).reshape(1, 3))
    assert y.dtype == np.float32


# ---- configs ----


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dense(3, "relu", kernel_regularizer=keras.regularizers.L2(0.5), name="d"),
        layers.Activation("softmax"),
        layers.Embedding(5, 2, mask_zero=True),
        layers.Conv1D(4, 3, padding="causal", dilation_rate=2, activation="gelu"),
        layers.BatchNormalization(momentum=0.5, gamma_constraint="non_neg"),
        layers.LayerNormalization(axis=[1, 2], scale=False),
        layers.Dropout(0.25, noise_shape=(None, 1, None), seed=4),
        layers.SpatialDropout1D(0.25, seed=4),
        layers.ActivityRegularization(0.5, 0.25),
        layers.Reshape((2, -1)),
        layers.Permute((2, 1)),
        layers.ZeroPadding1D((1, 2)),
        layers.Concatenate(axis=1),
        layers.Dot(axes=(1, 2), normalize=True),
        layers.MaxPooling1D(3, padding="same"),
        layers.TimeDistributed(layers.Dense(2, "tanh")),
        layers.PReLU(shared_axes=[1]),
        layers.Masking(3.0),
        layers.InputLayer([None, 3], dtype="int32"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_config_round_trip(layer):
    config = layer.get_config()
    again = type(layer).from_config(config)
    assert again.get_config() == config
    assert again.name == layer.name


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(0).normal(size=(400, 500)).astype(np.float32)
    y = np.asarray(layers.AlphaDropout(0.3, seed=1)(x, training=True))
    assert abs(y.mean()) < 0.01
    assert abs(y.std() - 1) < 0.01
    values, counts = np.unique(y, return_counts=True)
    assert abs(counts.max() / y.size - 0.3) < 0.01  # those dropped have one value
    low, a = -1.7580993408473766, (0.7 * (1 + 0.3 * 1.7580993408473766**2)) ** -0.5
    np.testing.assert_allclose(values[counts.argmax()], a * low * (1 - 0.3), rtol=1e-4)
    np.testing.assert_array_equal(layers.AlphaDropout(0.3)(x), x)
    rows = np.asarray(layers.AlphaDropout(0.5, (None, 1), 2)(x, training=True))
    dropped = (rows == rows.min(1, keepdims=True)).mean(1) == 1
    assert 0.4 < dropped.mean() < 0.6  # whole rows


@pytest.mark.parametrize("weights", [None, 3, {"kernel": np.zeros((3, 2))}])
def test_set_weights_takes_a_list(weights):
    layer = layers.Dense(2)
    layer.build((None, 3))
    with pytest.raises(TypeError, match=r"layer 'dense.*set_weights takes a list, got"):
        layer.set_weights(weights)
