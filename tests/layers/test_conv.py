"""Conv1D against a plain loop over its definition, and its errors."""

import numpy as np
import pytest
from differences import check_gradients

import seqrnn as keras
from seqrnn import layers

RNG = np.random.default_rng(0)


def plain(x, kernel, bias, stride, padding, dilation, groups):
    """The formula of the module, loop by loop, in float64."""
    batch, time, _ = x.shape
    size, per_group, filters = kernel.shape
    extent = (size - 1) * dilation + 1
    if padding == "valid":
        steps, left = (time - extent) // stride + 1, 0
    else:
        steps = -(-time // stride)
        left = extent - 1
        if padding == "same":
            left = max((steps - 1) * stride + extent - time, 0) // 2
    y = np.tile(bias.astype(np.float64), (batch, steps, 1))
    for t in range(steps):
        for f in range(filters):
            first = (f // (filters // groups)) * per_group
            for k in range(size):
                at = t * stride + k * dilation - left
                if 0 <= at < time:
                    y[:, t, f] += x[:, at, first : first + per_group] @ kernel[k, :, f]
    return y


CASES = [
    # time, channels, filters, size, stride, padding, dilation, groups
    (9, 2, 3, 3, 1, "valid", 1, 1),
    (9, 2, 3, 4, 2, "valid", 1, 1),
    (50, 1, 20, 4, 2, "valid", 1, 1),
    (9, 2, 3, 3, 1, "same", 1, 1),
    (9, 2, 3, 4, 1, "same", 1, 1),
    (8, 2, 3, 4, 2, "same", 1, 1),
    (8, 2, 3, 3, 3, "same", 1, 1),
    (9, 2, 3, 2, 1, "causal", 4, 1),
    (3, 2, 3, 2, 1, "causal", 8, 1),
    (9, 2, 3, 3, 2, "causal", 1, 1),
    (9, 2, 3, 3, 1, "valid", 3, 1),
    (9, 2, 3, 3, 1, "same", 2, 1),
    (9, 4, 6, 3, 1, "valid", 1, 2),
    (9, 4, 4, 3, 2, "same", 1, 4),
    (1, 1, 1, 1, 1, "valid", 1, 1),
    (3, 2, 2, 5, 1, "same", 1, 1),
]


def made(case, **kwargs):
    _, _, filters, size, stride, padding, dilation, groups = case
    return layers.Conv1D(
        filters,
        size,
        stride,
        padding,
        dilation_rate=dilation,
        groups=groups,
        bias_initializer="random_normal",
        **kwargs,
    )


@pytest.mark.parametrize("case", CASES)
def test_values(case):
    time, channels, *_ = case
    x = RNG.normal(size=(3, time, channels)).astype(np.float32)
    layer = made(case, dtype="float64")
    y = layer(x)
    kernel, bias = layer.get_weights()
    expected = plain(x.astype(np.float64), kernel, bias, *case[4:])
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)
    assert layer.compute_output_shape((None, *x.shape[1:])) == (None, *expected.shape[1:])


@pytest.mark.parametrize("case", CASES[1:14:2])
def test_gradients(case):
    x = RNG.normal(size=(2, case[0] if case[0] < 20 else 10, case[1]))
    check_gradients(made(case, activation="tanh", dtype="float64"), x)


def test_causal_sees_no_later_step():
    layer = layers.Conv1D(2, 3, padding="causal", dilation_rate=2)
    x = RNG.normal(size=(1, 12, 1)).astype(np.float32)
    y = np.asarray(layer(x))
    changed = x.copy()
    changed[:, 7:] += 1
    np.testing.assert_array_equal(np.asarray(layer(changed))[:, :7], y[:, :7])


def test_unknown_length():
    x = keras.Input([None, 2])
    assert layers.Conv1D(3, 2, padding="causal")(x).shape == (None, None, 3)
    assert layers.Conv1D(3, 5, 2)(x).shape == (None, None, 3)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: layers.Conv1D(0, 3), "filters must be a positive"),
        (lambda: layers.Conv1D(2, 0), "kernel_size"),
        (lambda: layers.Conv1D(2, (3, 3)), "kernel_size"),
        (lambda: layers.Conv1D(2, 3, padding="casual"), "'causal', got 'casual'"),
        (lambda: layers.Conv1D(2, 3, strides=2, dilation_rate=2), "strides=2 and dilation_rate=2"),
        (lambda: layers.Conv1D(3, 3, groups=2), "filters=3 .* groups=2"),
        (lambda: layers.Conv1D(2, 3, data_format="first"), "data_format .* got 'first'"),
        (lambda: layers.Conv1D(4, 3, groups=2)(np.zeros((1, 5, 3))), "3 channels .* groups=2"),
        (lambda: layers.Conv1D(2, 3)(np.zeros((4, 5))), r"\(batch, time, channels\), got \(4, 5\)"),
        (lambda: layers.Conv1D(2, 6)(np.zeros((1, 5, 1))), "over 6 steps .* input's 5 steps"),
        (lambda: layers.Conv1D(2, 3, dilation_rate=3)(np.zeros((1, 5, 1))), "over 7 steps"),
    ],
)
def test_errors(make, text):
    with pytest.raises(ValueError, match=text):
        make()


def test_another_number_of_channels_is_refused():
    layer = layers.Conv1D(2, 3)
    layer(np.zeros((1, 5, 2)))
    with pytest.raises(ValueError, match="expected 2 elements along axis -1"):
        layer(np.zeros((1, 5, 3)))


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (3, 1), (1, 2)])
def test_transposed_is_the_adjoint(padding, stride, dilation):
    """conv(x) . y = x . transposed(y), with one kernel."""
    options = {"strides": stride, "dilation_rate": dilation, "use_bias": False}
    conv = layers.Conv1D(3, 3, padding=padding, **options)
    x = RNG.normal(size=(2, 4 * stride + 2 * dilation + (stride == 1), 2)).astype(np.float32)
    if padding == "same":
        x = x[:, : x.shape[1] // stride * stride]
    y = np.asarray(conv(x))
    other = RNG.normal(size=y.shape).astype(np.float32)
    back = layers.Conv1DTranspose(2, 3, padding=padding, **options)
    back.build(other.shape)
    back.set_weights(conv.get_weights())
    spread = np.asarray(back(other))
    shared = min(spread.shape[1], x.shape[1])
    assert not spread[:, shared:].any()
    np.testing.assert_allclose(
        (y * other).sum(), (x[:, :shared] * spread[:, :shared]).sum(), rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: layers.Conv1DTranspose(3, 3, 2, "same", dtype="float64"),
        lambda: layers.Conv1DTranspose(3, 4, 3, output_padding=1, dtype="float64"),
        lambda: layers.DepthwiseConv1D(3, 2, "same", 2, dtype="float64"),
        lambda: layers.SeparableConv1D(4, 3, activation="tanh", dtype="float64"),
    ],
)
def test_gradients_of_its_kin(make):
    check_gradients(make(), RNG.normal(size=(2, 6, 2)))


def test_conv_lstm_drops_the_same_at_all_steps():
    x = np.ones((1, 3, 40, 1), np.float32)
    options = {"kernel_initializer": "ones", "padding": "same", "return_sequences": True, "seed": 2}
    layer = layers.ConvLSTM1D(1, 1, dropout=0.5, recurrent_initializer="zeros", **options)
    y = np.asarray(layer(x, training=True))[0, :, :, 0]
    # A place has one of 16 combinations of masks; were they drawn anew, hardly two places of the
    # 40 would go the same way.
    assert 4 <= len(np.unique(y.round(5), axis=1).T) <= 16
    assert len(np.unique(np.asarray(layer(x))[0, 1, :, 0].round(5))) == 1


def test_conv_lstm_recurrent_dropout_acts_in_training_only():
    x = RNG.normal(size=(2, 4, 6, 3)).astype(np.float32)
    layer = layers.ConvLSTM1D(2, 3, recurrent_dropout=0.5, seed=3)
    rest = np.asarray(layer(x))
    np.testing.assert_array_equal(rest, layer(x))
    assert np.abs(np.asarray(layer(x, training=True)) - rest).max() > 1e-3


def test_conv_lstm_of_many_steps_trains():
    x = RNG.normal(size=(8, 5, 6, 2)).astype(np.float32)
    model = keras.Sequential(
        [keras.Input((None, 6, 2)), layers.ConvLSTM1D(3, 3), layers.Flatten(), layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(0.02), "mse")
    losses = model.fit(x, x[:, -1].sum((1, 2)), epochs=40, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
