"""Series of unequal lengths (PyTorch 149194: "LSTM slow on PackedSequence", 2025,
https://github.com/pytorch/pytorch/issues/149194).

The report: a packed batch takes 15 times as long forward as a padded one of 100 steps and 110 times
at 2,000; backward 4 and 52 times. Here: LSTM(64) on 16 series of 32 features, lengths spread evenly
over L/2 to L; the figures are the time with the lengths divided by that of full-length series. Ours
has a Masking layer in front; an LSTM that did no more than the work left would need 0.75.
"""

import sys
from functools import partial

from benchmarks.threads.common import main, medians_ms, our_keras

UNITS, FEATURES, BATCH = 64, 32, 16
LENGTHS = (10, 100, 1000, 2000)


def _data(steps):
    import numpy as np

    x = np.random.default_rng(0).standard_normal((BATCH, steps, FEATURES)).astype(np.float32)
    lengths = np.linspace(steps // 2, steps, BATCH).astype(int)[::-1].copy()
    return x, lengths


def _forward(model, x):
    model.predict_on_batch(x)


def _train(model, x, y):
    model.train_on_batch(x, y)


def ours(given):
    import numpy as np

    keras = our_keras(given)

    def model_of(masks):
        layers = [keras.Input((None, FEATURES)), keras.layers.LSTM(UNITS)]
        if masks:
            layers.insert(1, keras.layers.Masking())
        model = keras.models.Sequential(layers)
        model.compile(loss="mse", optimizer="sgd")
        return model

    figures = {}
    for steps in LENGTHS:
        x, lengths = _data(steps)
        inside = np.arange(steps) < lengths[:, np.newaxis]
        cut = x * inside[:, :, np.newaxis].astype(np.float32)
        y = np.zeros((BATCH, UNITS), np.float32)
        models = {masks: (model_of(masks), data) for masks, data in ((False, x), (True, cut))}
        forward = medians_ms({m: partial(_forward, *pair) for m, pair in models.items()})
        training = medians_ms({m: partial(_train, *pair, y) for m, pair in models.items()})
        figures[f"forward, {steps} steps"] = forward[True] / forward[False]
        figures[f"training, {steps} steps"] = training[True] / training[False]
    return figures


def torch(given):
    import torch
    from torch.nn.utils.rnn import pack_padded_sequence

    torch.set_num_threads(given.threads)
    lstm = torch.nn.LSTM(FEATURES, UNITS, batch_first=True)

    def run(inputs, backward):
        with torch.set_grad_enabled(backward):
            last = lstm(inputs)[1][0]
            if backward:
                last.square().mean().backward()

    figures = {}
    for steps in LENGTHS:
        array, lengths = _data(steps)
        padded = torch.from_numpy(array)
        lengths = torch.from_numpy(lengths)
        for what, backward in (("forward", False), ("training", True)):
            inputs = {"full": padded}
            inputs["some"] = pack_padded_sequence(padded, lengths, batch_first=True)
            times = medians_ms({name: partial(run, x, backward) for name, x in inputs.items()})
            figures[f"{what}, {steps} steps"] = times["some"] / times["full"]
    return figures


SUBJECTS = {"seqrnn": ours, "torch": torch}
REPORTED = {
    "forward, 10 steps": "5.3",
    "forward, 100 steps": "15",
    "forward, 1000 steps": "96",
    "forward, 2000 steps": "110",
    "training, 10 steps": "2.8 (backward)",
    "training, 100 steps": "4.0 (backward)",
    "training, 1000 steps": "28 (backward)",
    "training, 2000 steps": "52 (backward)",
}


if __name__ == "__main__":
    main(sys.modules[__name__])
