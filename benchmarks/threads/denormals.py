"""Tiny values (oneDNN 561: "Low performance of LSTM training forward and backward with some input
values and weights", 2019, https://github.com/uxlfoundation/oneDNN/issues/561).

The report: an LSTM with all weights -0.1 takes 27 ms forward and 60 backward with inputs of 0.1,
and 500 and 1,600 with inputs of -0.1, where values fade into denormal numbers: 18 and 27 times as
long. Here: one training step of LSTM(128) on 32 x 200 x 32, the loss at the last step, with these
weights and with tiny inputs; figures are times over that of ordinary values.
"""

import sys

from benchmarks.threads.common import main, medians_ms, our_keras

SHAPE, UNITS = (32, 200, 32), 128


def _inputs():
    import numpy as np

    rng = np.random.default_rng(0)
    tiny = (rng.standard_normal(SHAPE) * 1e-39).astype(np.float32)
    return {
        "inputs -0.1, weights -0.1": (np.full(SHAPE, -0.1, np.float32), -0.1),
        "inputs of 1e-39": (tiny, None),
        "inputs and weights of 1e-39": (tiny, 1e-39),
    }, (rng.standard_normal(SHAPE).astype(np.float32), None)


def ours(given):
    import numpy as np

    keras = our_keras(given)
    y = np.zeros((SHAPE[0], UNITS), np.float32)

    def step(x, weight):
        model = keras.models.Sequential([keras.Input((None, SHAPE[2])), keras.layers.LSTM(UNITS)])
        # No step at all, so that the weights stay as tiny as they are.
        model.compile(loss="mse", optimizer=keras.optimizers.SGD(0.0))
        if weight is not None:
            model.set_weights([np.full(w.shape, weight, np.float32) for w in model.get_weights()])
        return lambda: model.train_on_batch(x, y)

    figures = _ratios(step)
    # The caller's floating point mode: a denormal number must still be one.
    figures["denormals outside"] = "kept" if float(np.float32(1e-39) * np.float32(1)) else "lost"
    return figures


def torch(given):
    import torch

    torch.set_num_threads(given.threads)

    def step(x, weight):
        lstm = torch.nn.LSTM(SHAPE[2], UNITS, batch_first=True)
        if weight is not None:
            with torch.no_grad():
                for parameter in lstm.parameters():
                    parameter.fill_(weight)
        x = torch.from_numpy(x)
        return lambda: lstm(x)[1][0].square().mean().backward()

    return _ratios(step)


def _ratios(step):
    """`step` makes a function that runs one training step."""
    cases, ordinary = _inputs()
    steps = {name: step(*case) for name, case in cases.items()}
    times = medians_ms({"ordinary": step(*ordinary)} | steps, seconds=2)
    base = times.pop("ordinary")
    return {"ordinary, ms": base} | {name: time / base for name, time in times.items()}


SUBJECTS = {"seqrnn": ours, "torch": torch}
REPORTED = {"inputs -0.1, weights -0.1": "18 forward, 27 backward (oneDNN)"}
LIMITS = {
    "inputs -0.1, weights -0.1": 1.05,
    "inputs of 1e-39": 1.05,
    "inputs and weights of 1e-39": 1.05,
    "denormals outside": "kept",
}


if __name__ == "__main__":
    main(sys.modules[__name__])
