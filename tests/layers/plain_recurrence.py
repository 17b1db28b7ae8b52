"""SimpleRNN, LSTM and GRU as plain NumPy loops in float64, with masks, to compare with."""

import numpy as np

ACTIVATIONS = {
    "linear": lambda x: x,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "relu": lambda x: np.maximum(x, 0),
    "hard_sigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
}


def simple_rnn_step(layer, weights, x, states):
    kernel, recurrent, bias = weights
    h = ACTIVATIONS[layer["activation"]](x @ kernel + bias + states[0] @ recurrent)
    return h, [h]


def lstm_step(layer, weights, x, states):
    kernel, recurrent, bias = weights
    act = ACTIVATIONS[layer["activation"]]
    rec = ACTIVATIONS[layer["recurrent_activation"]]
    h, c = states
    i, f, g, o = np.split(x @ kernel + bias + h @ recurrent, 4, axis=-1)
    c = rec(f) * c + rec(i) * act(g)
    h = rec(o) * act(c)
    return h, [h, c]


def gru_step(layer, weights, x, states):
    kernel, recurrent, bias = weights
    act = ACTIVATIONS[layer["activation"]]
    rec = ACTIVATIONS[layer["recurrent_activation"]]
    (h,) = states
    u = h.shape[-1]
    if layer["reset_after"]:
        side = h @ recurrent + bias[1]
        x_z, x_r, x_h = np.split(x @ kernel + bias[0], 3, axis=-1)
        z, r = rec(x_z + side[:, :u]), rec(x_r + side[:, u : 2 * u])
        hh = act(x_h + r * side[:, 2 * u :])
    else:
        x_z, x_r, x_h = np.split(x @ kernel + bias, 3, axis=-1)
        z = rec(x_z + h @ recurrent[:, :u])
        r = rec(x_r + h @ recurrent[:, u : 2 * u])
        hh = act(x_h + (r * h) @ recurrent[:, 2 * u :])
    h = z * h + (1 - z) * hh
    return h, [h]


STEPS = {"SimpleRNN": simple_rnn_step, "LSTM": lstm_step, "GRU": gru_step}


def run(kind, layer, weights, x, states, mask=None, backwards=False, zero_output=False):
    """(outputs in the order of processing (batch, time, units), states).

    layer: the names of the activations, and reset_after. Row by row and step by step.
    """
    outputs = np.zeros((x.shape[0], x.shape[1], states[0].shape[-1]))
    finals = [s.copy() for s in states]
    for row in range(x.shape[0]):
        now = [s[row : row + 1] for s in states]
        y = np.zeros_like(now[0])
        order = range(x.shape[1] - 1, -1, -1) if backwards else range(x.shape[1])
        for place, t in enumerate(order):
            if mask is None or mask[row, t]:
                y, now = STEPS[kind](layer, weights, x[row : row + 1, t], now)
            elif zero_output:
                y = np.zeros_like(y)
            outputs[row, place] = y
        for final, state in zip(finals, now, strict=True):
            final[row] = state
    return outputs, finals
