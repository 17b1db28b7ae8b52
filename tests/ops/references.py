"""What the ops compute, written plainly in NumPy: the truth that the specs compare with."""

import math

import numpy as np

erf = np.vectorize(math.erf, otypes=[np.float64])


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


ACTIVATIONS = {
    "linear": lambda x: x,
    "tanh": np.tanh,
    "sigmoid": sigmoid,
    "relu": lambda x: np.maximum(x, 0.0),
    "hard_sigmoid": lambda x: np.clip(x / 6.0 + 0.5, 0.0, 1.0),
    "softsign": lambda x: x / (1.0 + np.abs(x)),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0.0))),
    "exponential": np.exp,
    "softplus": lambda x: np.log1p(np.exp(x)),
    "selu": lambda x: (
        1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0.0)))
    ),
    "relu6": lambda x: np.clip(x, 0.0, 6.0),
    "leaky_relu": lambda x: np.where(x > 0, x, 0.2 * x),
}


def axes_of(axes):
    return tuple(axes) if axes else None


def slice_(x, start, stop, step):
    key = tuple(
        slice(b, None if s < 0 and e < 0 else e, s)
        for b, e, s in zip(start, stop, step, strict=True)
    )
    return x[key]


def unslice(dy, shape, start, step):
    y = np.zeros(shape, dy.dtype)
    for at in np.ndindex(dy.shape):
        y[tuple(b + i * s for b, i, s in zip(start, at, step, strict=True))] = dy[at]
    return y


def take_grad(dy, indices, axis, n):
    rest = dy.shape[axis + indices.ndim :]
    x = np.zeros((*dy.shape[:axis], n, *rest), dy.dtype)
    for at in np.ndindex(indices.shape):
        before = (slice(None),) * axis
        x[(*before, indices[at])] += dy[(*before, *at)]
    return x


def pick(x, indices):
    return np.take_along_axis(x, indices[..., None], -1)[..., 0]


def pick_grad(dy, indices, n):
    return dy[..., None] * (indices[..., None] == np.arange(n))


def cumsum(x, axis=-1, reverse=False):
    return np.flip(np.cumsum(np.flip(x, axis), axis), axis) if reverse else np.cumsum(x, axis)


def matmul(a, b, bias=0, transpose_a=False, transpose_b=False):
    a = np.swapaxes(a, -1, -2) if transpose_a else a
    b = np.swapaxes(b, -1, -2) if transpose_b else b
    return a @ b + bias


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def layer_norm(x, gamma=None, beta=None, epsilon=1e-3):
    mean = x.mean(-1)
    rstd = 1.0 / np.sqrt(((x - mean[..., None]) ** 2).mean(-1) + epsilon)
    y = (x - mean[..., None]) * rstd[..., None]
    y = y if gamma is None else y * gamma
    return (y if beta is None else y + beta), mean, rstd


def layer_norm_grad(dy, x, mean, rstd, gamma=None):
    xhat = (x - mean[..., None]) * rstd[..., None]
    g = dy if gamma is None else dy * gamma
    projected = g - g.mean(-1, keepdims=True) - xhat * (g * xhat).mean(-1, keepdims=True)
    return rstd[..., None] * projected, dy * xhat


def conv1d(x, w, bias=0, stride=1, dilation=1, pad_left=0, pad_right=0, groups=1):
    x = np.pad(x, ((0, 0), (pad_left, pad_right), (0, 0)))
    size, per_group, filters = w.shape
    steps = (x.shape[1] - (size - 1) * dilation - 1) // stride + 1
    y = np.zeros((x.shape[0], steps, filters), np.result_type(x, w))
    each = filters // groups
    for t in range(steps):
        for g in range(groups):
            inputs = x[:, t * stride : t * stride + (size - 1) * dilation + 1 : dilation]
            inputs = inputs[:, :, g * per_group : (g + 1) * per_group]
            kernel = w[:, :, g * each : (g + 1) * each]
            y[:, t, g * each : (g + 1) * each] = np.einsum("bkc,kcf->bf", inputs, kernel)
    return y + bias


def conv1d_dx(dy, w, stride=1, dilation=1, pad_left=0, pad_right=0, groups=1, length=None):
    """Each dy spreads over the steps of x that it would have been made of."""
    size, per_group, filters = w.shape
    whole = pad_left + length + pad_right
    dx = np.zeros((dy.shape[0], whole, per_group * groups), np.result_type(dy, w))
    each = filters // groups
    for t in range(dy.shape[1]):
        for k in range(size):
            for g in range(groups):
                spread = dy[:, t, g * each : (g + 1) * each] @ w[k, :, g * each : (g + 1) * each].T
                dx[:, t * stride + k * dilation, g * per_group : (g + 1) * per_group] += spread
    return dx[:, pad_left : pad_left + length]


# ---- recurrence: time-major; a masked step keeps the states and repeats the output ----


def _walk(step, xz, states, mask, reverse, zero_output):
    """Runs `step(xz_t, states) -> states` over time; the output is the first state."""
    times, batch = xz.shape[:2]
    y = np.zeros((times, batch, states[0].shape[1]), xz.dtype)
    last = np.zeros_like(y[0])
    for t in reversed(range(times)) if reverse else range(times):
        new = step(xz[t], states)
        valid = np.ones((batch, 1), bool) if mask is None else mask[t][:, None]
        masked = np.zeros_like(last) if zero_output else last
        last = np.where(valid, new[0], masked)
        y[t] = last
        states = [np.where(valid, n, s) for n, s in zip(new, states, strict=True)]
    return (y, *states)


def _gates(h, R, rmask, n):
    """h R per gate, each gate with its own dropout factors if there are several."""
    factors = np.ones((n, 1, 1)) if rmask is None else np.broadcast_to(rmask, (n, *h.shape))
    return [(h * m) @ r for m, r in zip(factors, np.split(R, n, axis=1), strict=True)]


def rnn(xz, R, h0, mask=None, rmask=None, activation="tanh", reverse=False, zero_output=False):
    act = ACTIVATIONS[activation]
    return _walk(
        lambda z, s: [act(z + _gates(s[0], R, rmask, 1)[0])], xz, [h0], mask, reverse, zero_output
    )


def lstm(
    xz,
    R,
    h0,
    c0,
    mask=None,
    rmask=None,
    activation="tanh",
    recurrent_activation="sigmoid",
    reverse=False,
    zero_output=False,
):
    act, rec = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]

    def step(z, states):
        h, c = states
        zi, zf, zc, zo = (
            a + b for a, b in zip(np.split(z, 4, 1), _gates(h, R, rmask, 4), strict=True)
        )
        c = rec(zf) * c + rec(zi) * act(zc)
        return [rec(zo) * act(c), c]

    return _walk(step, xz, [h0, c0], mask, reverse, zero_output)


def gru(
    xz,
    R,
    rb,
    h0,
    mask=None,
    rmask=None,
    activation="tanh",
    recurrent_activation="sigmoid",
    reset_after=True,
    reverse=False,
    zero_output=False,
):
    act, rec = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
    bias = np.zeros(R.shape[1]) if rb is None else rb
    factors = None if rmask is None else np.broadcast_to(rmask, (3, *h0.shape))

    def step(x, states):
        (h,) = states
        xz_, xr, xh = np.split(x, 3, 1)
        bz, br, bh = np.split(bias, 3)
        hz, hr, hh = _gates(h, R, rmask, 3)
        z, r = rec(xz_ + hz + bz), rec(xr + hr + br)
        if reset_after:
            candidate = act(xh + r * (hh + bh))
        else:
            masked = h if factors is None else h * factors[2]
            candidate = act(xh + (r * masked) @ np.split(R, 3, 1)[2])
        return [z * h + (1.0 - z) * candidate]

    return _walk(step, xz, [h0], mask, reverse, zero_output)
