"""TimeDistributed: each step by itself, masks, errors."""

import numpy as np
import pytest
from differences import check_gradients

import seqrnn as keras
from seqrnn import layers

RNG = np.random.default_rng(0)


def floats(*shape):
    return RNG.normal(size=shape).astype("float32")


class Own(layers.Layer):
    """A layer as users write them, with a weight that `call` finds built."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(input_shape[-1],))

    def call(self, inputs):
        return inputs * self.scale


@pytest.mark.parametrize(
    ("inner", "shape"),
    [
        (Own, (2, 5, 4)),
        (lambda: layers.Dense(3, "tanh"), (2, 5, 4)),
        (lambda: layers.Conv1D(3, 2), (2, 5, 6, 4)),
        (lambda: layers.Flatten(), (2, 5, 3, 2)),
        (lambda: layers.LayerNormalization(), (2, 5, 4)),
        (lambda: keras.Sequential([layers.Dense(3), layers.Dense(2)]), (2, 5, 4)),
    ],
)
def test_each_step_by_itself(inner, shape):
    layer = layers.TimeDistributed(inner())
    x = floats(*shape)
    y = np.asarray(layer(x))
    steps = [np.asarray(layer.layer(x[:, t])) for t in range(shape[1])]
    np.testing.assert_allclose(y, np.stack(steps, axis=1), rtol=1e-5, atol=1e-6)
    assert len(layer.weights) == len(layer.layer.weights)


def test_gradients():
    layer = layers.TimeDistributed(layers.Dense(3, "tanh", dtype="float64"), dtype="float64")
    check_gradients(layer, floats(2, 4, 3))


def test_batch_norm_inside_sees_all_steps_at_once():
    layer = layers.TimeDistributed(layers.BatchNormalization(momentum=0.0))
    x = floats(4, 5, 3)
    layer(x, training=True)
    np.testing.assert_allclose(
        layer.layer.moving_mean.numpy(), x.mean((0, 1)), rtol=1e-4, atol=1e-6
    )


def test_batch_norm_inside_gets_the_mask():
    x = floats(2, 3, 2)
    x[0, 1:] = 0
    layer = layers.TimeDistributed(layers.BatchNormalization(momentum=0.0))
    y = layer(layers.Masking()(x), training=True)
    valid = np.concatenate([x[0, :1], x[1]])
    np.testing.assert_allclose(layer.layer.moving_mean.numpy(), valid.mean(0), rtol=1e-4, atol=1e-6)
    np.testing.assert_array_equal(y._keras_mask, [[True, False, False], [True] * 3])


def test_recurrent_layer_inside_gets_its_part_of_the_mask():
    """Documents of sentences of words: each sentence is read with its own mask."""
    ids = np.array([[[1, 2, 0], [3, 0, 0]], [[4, 5, 6], [0, 0, 0]]])
    embedding = layers.Embedding(7, 3, mask_zero=True)
    reader = layers.TimeDistributed(layers.GRU(4))
    y = reader(embedding(ids))
    for i, j in np.ndindex(2, 2):
        np.testing.assert_allclose(
            y[i, j], reader.layer(embedding(ids[i, j][None]))[0], rtol=1e-5, atol=1e-6
        )
    np.testing.assert_array_equal(y._keras_mask, [[True, True], [True, False]])


def test_placeholder_and_config():
    layer = layers.TimeDistributed(layers.Dense(3, name="inner"))
    assert layer(keras.Input([None, 2])).shape == (None, None, 3)
    again = layers.TimeDistributed.from_config(layer.get_config())
    assert again.layer.name == "inner" and again.layer.units == 3


def test_too_few_axes():
    with pytest.raises(ValueError, match=r"3 axes or more, got \(2, 4\); .*return_sequences=True"):
        layers.TimeDistributed(layers.Dense(3))(floats(2, 4))
