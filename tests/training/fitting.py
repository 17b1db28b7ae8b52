"""A small model and the data that it is fitted to."""

import numpy as np

import seqrnn as keras
from seqrnn import layers


def data(n=20, t=5, f=2):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(n, t, f)).astype("float32")
    return x, x.sum(-1, keepdims=True)


def linear(loss="mse", optimizer="sgd", units=1, **kwargs):
    model = keras.Sequential([layers.Dense(units, input_shape=[None, 2])])
    model.compile(loss=loss, optimizer=optimizer, **kwargs)
    return model
