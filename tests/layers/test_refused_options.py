"""Options without effect are refused by name, and errors inside of layers say what to do."""

import pickle

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers

X = np.ones((2, 4, 3), "float32")


class AnyCall(layers.MultiHeadAttention):
    def call(self, *args, **kwargs):
        return super().call(*args, **kwargs)


def weight_of(aggregation):
    layer = layers.Dense(2)
    return layer.add_weight(shape=(1,), aggregation=aggregation)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: layers.BatchNormalization(synchronized=True), ["synchronized"]),
        (lambda: layers.BatchNormalization(renorm=True), ["renorm"]),
        (lambda: layers.BatchNormalization(renorm_momentum=0.5), ["renorm_momentum", "0.5"]),
        (lambda: layers.BatchNormalization(renorm_clipping={}), ["renorm_clipping"]),
        (lambda: layers.LayerNormalization(rms_scaling=True), ["rms_scaling"]),
        (lambda: layers.Conv1D(2, 2, lora_rank=2), ["lora_rank"]),
        (lambda: layers.GRU(2, time_major=True), ["time_major"]),
        (lambda: layers.Dense(2, renorm=False), ["Dense", "renorm"]),
        (lambda: layers.Dense(2, time_major=False), ["Dense", "time_major"]),
        (lambda: layers.Dense(2, sliding_window=None), ["Dense", "sliding_window"]),
        (lambda: layers.Dense(2, dtype="float16"), ["float16"]),
        (lambda: layers.GaussianNoise(2.0), ["GaussianNoise", "stddev", "2.0"]),
        (lambda: weight_of("bogus"), ["aggregation", "bogus"]),
        (
            lambda: layers.TimeDistributed(layers.LSTM(2, return_state=True))(X[:, :, None]),
            ["time_distributed", "LSTM", "one tensor", "return_state"],
        ),
        (lambda: AnyCall(2, 2)(X, X), ["AnyCall", "query_shape", "value", "call"]),
    ],
)
def test_refused(call, words):
    with pytest.raises((ValueError, TypeError)) as info:
        call()
    for word in words:
        assert word in str(info.value)


def test_defaults_of_what_is_not_supported_are_fine():
    layers.BatchNormalization(renorm=False, renorm_momentum=0.99, synchronized=False)
    layers.LayerNormalization(rms_scaling=False)
    layers.LSTM(2, time_major=False)
    layers.Conv1D(2, 2, lora_rank=None)
    layers.EinsumDense("ab,bc->ac", 3, lora_rank=None, quantization_config=None)
    assert weight_of("mean").shape == (1,)


def test_max_pooling_of_whole_numbers():
    x = -np.arange(1, 6, dtype="int32")[None, :, None]
    y = layers.MaxPooling1D(2, padding="same", dtype="float32")(x)
    np.testing.assert_array_equal(np.asarray(y)[0, :, 0], [-1, -3, -5])


def test_embedding_lets_go_of_the_table_that_it_was_given():
    table = np.random.default_rng(0).normal(size=(5000, 20)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), layers.Embedding(5000, 20, weights=[table])])
    np.testing.assert_array_equal(model.layers[-1].get_weights()[0], table)
    assert len(pickle.dumps(model.layers[-1])) < 1.5 * table.nbytes
