"""How well the notebook's models learn: validation losses next to those that have to be reached.

    python benchmarks/accuracy.py
    python benchmarks/accuracy.py --models lstm gru --seeds 1

Each model is trained for 20 epochs on 7,000 series of `seqrnn.datasets.time_series()` with
optimizer='adam' and batches of 32, once per seed; 2,000 other series validate. The loss is the mean
squared error over all steps (of Conv1D + GRU: over every second one, from step 3 on).

Columns: the median over the seeds, the lowest and highest, the limit, what the book printed for one
run (A. Geron, "Hands-On Machine Learning", 2nd edition, chapter 15; its simple RNN had another
learning rate), the median of the last step's error, the seconds of one training. Ends with status 1
when a median is above its limit.
"""

import argparse
import os
import sys
import time

import numpy as np

import seqrnn as keras
from seqrnn import layers

EPOCHS = 20
N_TRAIN, N_VALID = 7000, 2000
EVERY_STEP, STRIDED = slice(None), slice(3, None, 2)  # the targets of a model


class LNSimpleRNNCell(layers.Layer):
    """A simple RNN with layer normalization before the activation."""

    def __init__(self, units, activation="tanh", **kwargs):
        super().__init__(**kwargs)
        self.state_size = units
        self.output_size = units
        self.simple_rnn_cell = layers.SimpleRNNCell(units, activation=None)
        self.layer_norm = layers.LayerNormalization()
        self.activation = keras.activations.get(activation)

    def call(self, inputs, states):
        outputs, _ = self.simple_rnn_cell(inputs, states)
        outputs = self.activation(self.layer_norm(outputs))
        return outputs, [outputs]


def dense():
    return layers.TimeDistributed(layers.Dense(10))


def simple_rnn():
    return [layers.SimpleRNN(20, return_sequences=True) for _ in range(2)] + [dense()]


def batch_normalization():
    first, second, last = simple_rnn()
    return [first, layers.BatchNormalization(), second, layers.BatchNormalization(), last]


def layer_normalization():
    return [layers.RNN(LNSimpleRNNCell(20), return_sequences=True) for _ in range(2)] + [dense()]


def lstm():
    return [layers.LSTM(20, return_sequences=True) for _ in range(2)] + [dense()]


def gru():
    return [layers.GRU(20, return_sequences=True) for _ in range(2)] + [dense()]


def conv_gru():
    return [layers.Conv1D(20, kernel_size=4, strides=2, padding="valid"), *gru()]


def dilated():
    rates = (1, 2, 4, 8) * 2
    causal = {"kernel_size": 2, "padding": "causal", "activation": "relu"}
    return [
        *(layers.Conv1D(20, dilation_rate=rate, **causal) for rate in rates),
        layers.Conv1D(10, kernel_size=1),
    ]


# name: what it is, layers, targets, limit of the validation loss, the book's
MODELS = {
    "simple": ("SimpleRNN x 2", simple_rnn, EVERY_STEP, None, None),
    "bn": ("with BatchNormalization", batch_normalization, EVERY_STEP, None, 0.0288),
    "ln": ("RNN(LNSimpleRNNCell) x 2", layer_normalization, EVERY_STEP, 0.030, 0.0250),
    "lstm": ("LSTM x 2", lstm, EVERY_STEP, 0.026, 0.0238),
    "gru": ("GRU x 2", gru, EVERY_STEP, 0.026, 0.0238),
    "conv": ("Conv1D + GRU x 2", conv_gru, STRIDED, 0.021, 0.0184),
    "dilated": ("dilated causal Conv1D x 8", dilated, EVERY_STEP, None, 0.0188),
}


def last_time_step_mse(Y_true, Y_pred):
    return keras.metrics.mean_squared_error(Y_true[:, -1], Y_pred[:, -1])


def train(make_layers, steps, seed, epochs):
    """Validation loss, the same of the last step, seconds."""
    X, Y = keras.datasets.time_series(N_TRAIN + N_VALID)
    Y = Y[:, steps]
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([layers.Input((None, 1)), *make_layers()])
    model.compile(loss="mse", optimizer="adam", metrics=[last_time_step_mse])
    begin = time.perf_counter()
    history = model.fit(
        X[:N_TRAIN],
        Y[:N_TRAIN],
        epochs=epochs,
        batch_size=32,
        verbose=0,
        validation_data=(X[N_TRAIN:], Y[N_TRAIN:]),
    ).history
    seconds = time.perf_counter() - begin
    return history["val_loss"][-1], history["val_last_time_step_mse"][-1], seconds


def row(name, seeds, epochs):
    """Trains one model; whether it is within its limit."""
    title, make_layers, steps, limit, book = MODELS[name]
    runs = [train(make_layers, steps, seed, epochs) for seed in seeds]
    losses, last, seconds = np.array(runs).T
    verdict = "" if limit is None else "ok" if np.median(losses) <= limit else "ABOVE"
    limit_text, book_text = (f"{x:.4f}" if x else "" for x in (limit, book))
    print(
        f"{title:26} {np.median(losses):7.4f} {losses.min():7.4f} {losses.max():7.4f}"
        f" {limit_text:>7} {book_text:>7} {np.median(last):8.4f} {np.median(seconds):6.1f}"
        f"  {verdict}",
        flush=True,
    )
    return verdict != "ABOVE"


def main():
    parser = argparse.ArgumentParser(description="Validation losses of the notebook's models.")
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    args = parser.parse_args()
    print(
        f"seqrnn {keras.__version__}, {keras.num_threads()} threads, {os.cpu_count()} CPUs;"
        f" {args.epochs} epochs, seeds {args.seeds}\n"
    )
    print(
        f"{'validation loss':26} {'median':>7} {'lowest':>7} {'highest':>7} {'limit':>7}"
        f" {'book':>7} {'last step':>8} {'s':>6}"
    )
    within = [row(name, args.seeds, args.epochs) for name in args.models]
    sys.exit(not all(within))


if __name__ == "__main__":
    main()
