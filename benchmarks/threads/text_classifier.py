"""Training an LSTM on texts (PyTorch 94457: "LSTM on CPU is significantly slower on PyTorch
compared to other frameworks", 2023, https://github.com/pytorch/pytorch/issues/94457).

The report trains on IMDB, 98 batches of 256 reviews: 126 s per epoch on PyTorch (235 s the first),
40 s on Keras. It leaves the sizes open; here: 10,000 words, 200 per text, Embedding(32), LSTM(100),
Dense(1, sigmoid), binary cross-entropy, Adam. Random texts: only the time counts.
"""

import sys
import time

from benchmarks.threads.common import main, our_keras

WORDS, LENGTH, WIDTH, UNITS, BATCH = 10_000, 200, 32, 100, 256


def texts(batches):
    import numpy as np

    rng = np.random.default_rng(0)
    rows = batches * BATCH
    x = rng.integers(1, WORDS, (rows, LENGTH)).astype(np.int32)
    return x, rng.integers(0, 2, (rows, 1)).astype(np.float32)


def through_fit(keras, batches):
    layers = keras.layers
    model = keras.models.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(WORDS, WIDTH),
            layers.LSTM(UNITS),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy", optimizer="adam", metrics=["accuracy"])
    x, y = texts(batches)
    times = []
    for _ in range(3):
        began = time.perf_counter()
        model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
        times.append(time.perf_counter() - began)
    return _figures(times, batches)


def _figures(times, batches):
    return {
        "ms per step": min(times[1:]) / batches * 1e3,
        "first epoch : others": times[0] / min(times[1:]),
    }


def ours(given):
    return through_fit(our_keras(given), given.batches)


def keras(given):
    import keras

    return through_fit(keras, given.batches)


def torch(given):
    import torch
    from torch import nn

    torch.set_num_threads(given.threads)

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed = nn.Embedding(WORDS, WIDTH)
            self.lstm = nn.LSTM(WIDTH, UNITS, batch_first=True)
            self.dense = nn.Linear(UNITS, 1)

        def forward(self, x):
            return self.dense(self.lstm(self.embed(x))[0][:, -1])

    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), fused=True)
    x, y = (torch.from_numpy(a) for a in texts(given.batches))
    times = []
    for _ in range(3):
        began = time.perf_counter()
        for rows in torch.randperm(len(x)).split(BATCH):
            optimizer.zero_grad()
            nn.functional.binary_cross_entropy_with_logits(model(x[rows]), y[rows]).backward()
            optimizer.step()
        times.append(time.perf_counter() - began)
    return _figures(times, given.batches)


SUBJECTS = {"seqrnn": ours, "torch": torch, "keras-tensorflow": keras, "keras-jax": keras}
REPORTED = {
    "ms per step": "1,286 PyTorch, 406 Keras, their sizes",
    "first epoch : others": "1.9 PyTorch",
}
OPTIONS = [("batches", 10, "steps per epoch of the text classifier (10)")]


if __name__ == "__main__":
    main(sys.modules[__name__])
