"""One series at a time (oneDNN 837: "LSTM enhancement for batch size 1", 2020,
https://github.com/uxlfoundation/oneDNN/issues/837).

The report: speech models run bidirectional LSTMs of 32 units on single series of 15 to 63 steps,
and oneDNN is slow at that. Here the same layers; microseconds of a forward call from NumPy to
NumPy.
"""

import sys
from functools import partial

from benchmarks.threads.common import main, median_ms, our_keras

UNITS = 32
SHAPES = ((63, 24), (31, 48), (15, 96))


def _data(steps, features):
    import numpy as np

    return np.random.default_rng(0).standard_normal((1, steps, features)).astype(np.float32)


def _model(keras, features):
    layers = keras.layers
    x = keras.Input((None, features))
    there = layers.LSTM(UNITS, return_sequences=True)(x)
    back = layers.LSTM(UNITS, return_sequences=True, go_backwards=True)(x)
    return keras.Model(x, layers.concatenate([there, back]))


def through_predict(keras):
    figures = {}
    for steps, features in SHAPES:
        model, x = _model(keras, features), _data(steps, features)
        figures[f"{steps} steps of {features}, us"] = 1e3 * median_ms(
            lambda m=model, x=x: m.predict(x, verbose=0)
        )
    return figures


def ours(given):
    return through_predict(our_keras(given))


def keras(given):
    import keras

    return through_predict(keras)


def _torch_call(torch, lstm, x):
    with torch.inference_mode():
        return lstm(torch.from_numpy(x))[0].numpy()


def torch(given):
    import torch

    torch.set_num_threads(given.threads)
    figures = {}
    for steps, features in SHAPES:
        lstm = torch.nn.LSTM(features, UNITS, batch_first=True, bidirectional=True).eval()
        figures[f"{steps} steps of {features}, us"] = 1e3 * median_ms(
            partial(_torch_call, torch, lstm, _data(steps, features))
        )
    return figures


SUBJECTS = {"seqrnn": ours, "torch": torch, "keras-jax": keras, "keras-tensorflow": keras}


if __name__ == "__main__":
    main(sys.modules[__name__])
