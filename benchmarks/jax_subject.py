"""JAX by hand: cells around `lax.scan`, Adam and the metric, all in one jitted train step.

The projection of the inputs is hoisted out of the scan, as the fastest hand-written models do.
Weights are initialised simply; only the time counts here.
"""

import functools
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from benchmarks.cases import GATES, Conv, Recurrent


def lstm_step(p, state, x_t):
    h, c = state
    i, f, g, o = jnp.split(x_t + h @ p["recurrent"], 4, axis=-1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    h = jax.nn.sigmoid(o) * jnp.tanh(c)
    return (h, c), h


def gru_step(p, state, x_t):
    (h,) = state
    x_z, x_r, x_h = jnp.split(x_t, 3, axis=-1)
    h_z, h_r, h_h = jnp.split(h @ p["recurrent"] + p["recurrent_bias"], 3, axis=-1)
    z = jax.nn.sigmoid(x_z + h_z)
    h = z * h + (1 - z) * jnp.tanh(x_h + jax.nn.sigmoid(x_r + h_r) * h_h)
    return (h,), h


def simple_rnn_step(p, state, x_t):
    h = jnp.tanh(x_t + state[0] @ p["recurrent"])
    return (h,), h


def layer_norm_step(p, state, x_t):
    a = x_t + state[0] @ p["recurrent"]
    mean = a.mean(-1, keepdims=True)
    scale = lax.rsqrt(jnp.square(a - mean).mean(-1, keepdims=True) + 1e-3)
    h = jnp.tanh((a - mean) * scale * p["gamma"] + p["beta"])
    return (h,), h


STEPS = {
    "lstm": lstm_step,
    "gru": gru_step,
    "simple_rnn": simple_rnn_step,
    "layer_norm": layer_norm_step,
}


def recurrent(spec, p, x):
    projected = (x @ p["kernel"] + p["bias"]).swapaxes(0, 1)
    zeros = jnp.zeros((x.shape[0], spec.units), x.dtype)
    state = (zeros, zeros) if spec.cell == "lstm" else (zeros,)
    outputs = lax.scan(functools.partial(STEPS[spec.cell], p), state, projected)[1]
    return outputs.swapaxes(0, 1)


def convolution(spec, p, x):
    pad = (spec.kernel - 1) * spec.dilation if spec.causal else 0
    y = lax.conv_general_dilated(
        x, p["kernel"], (spec.stride,), [(pad, 0)], rhs_dilation=(spec.dilation,),
        dimension_numbers=("NWC", "WIO", "NWC"),
    )  # fmt: skip
    y = y + p["bias"]
    return jax.nn.relu(y) if spec.relu else y


def forward(specs, params, x):
    for spec, p in zip(specs, params, strict=True):
        if isinstance(spec, Recurrent):
            x = recurrent(spec, p, x)
        elif isinstance(spec, Conv):
            x = convolution(spec, p, x)
        else:
            x = x @ p["kernel"] + p["bias"]
    return x


def parameters(case, seed=1):
    rng = np.random.default_rng(seed)
    features, params = case.features, []

    def normal(*shape):
        return jnp.asarray(rng.normal(0, np.prod(shape[:-1]) ** -0.5, shape), jnp.float32)

    for spec in case.layers:
        if isinstance(spec, Conv):
            width = spec.filters
            p = {"kernel": normal(spec.kernel, features, width)}
        elif isinstance(spec, Recurrent):
            width = GATES[spec.cell] * spec.units
            p = {"kernel": normal(features, width), "recurrent": normal(spec.units, width)}
            if spec.cell == "gru":
                p["recurrent_bias"] = jnp.zeros(width)
            if spec.cell == "layer_norm":
                p.update(gamma=jnp.ones(width), beta=jnp.zeros(width))
        else:
            width = spec.units
            p = {"kernel": normal(features, width)}
        features = getattr(spec, "units", width)
        params.append({**p, "bias": jnp.zeros(width)})
    return params


def train_step(specs, params, adam, sums, x, y):
    """Adam (Kingma and Ba, 2015) with Keras's defaults; sums of loss and metric go along."""

    def loss_of(params):
        found = forward(specs, params, x)
        return jnp.square(found - y).mean(), jnp.square(found[:, -1] - y[:, -1]).mean()

    (loss, last), grads = jax.value_and_grad(loss_of, has_aux=True)(params)
    step, m, v = adam
    step += 1
    rate = 0.001 * jnp.sqrt(1 - 0.999**step) / (1 - 0.9**step)
    m = jax.tree.map(lambda m, g: m + 0.1 * (g - m), m, grads)
    v = jax.tree.map(lambda v, g: v + 0.001 * (g * g - v), v, grads)
    params = jax.tree.map(lambda p, m, v: p - rate * m / (jnp.sqrt(v) + 1e-7), params, m, v)
    return params, (step, m, v), (sums[0] + loss * len(x), sums[1] + last * len(x))


class Subject:
    def __init__(self, name, threads):
        self.versions = {"jax": jax.__version__}

    def build(self, case):
        self.params = parameters(case)
        zeros = jax.tree.map(jnp.zeros_like, self.params)
        self.adam = (jnp.zeros(()), zeros, jax.tree.map(jnp.zeros_like, zeros))
        self.train = jax.jit(functools.partial(train_step, case.layers), donate_argnums=(0, 1, 2))
        self.apply = jax.jit(functools.partial(forward, case.layers))

    def epochs(self, x, y, batch, count):
        rng, spent = np.random.default_rng(7), []
        for _ in range(count):
            wall, cpu = time.perf_counter(), time.process_time()
            sums = (jnp.zeros(()), jnp.zeros(()))
            order = rng.permutation(len(x))
            for first in range(0, len(x), batch):
                rows = order[first : first + batch]
                self.params, self.adam, sums = self.train(
                    self.params, self.adam, sums, x[rows], y[rows]
                )
            jax.block_until_ready(sums)
            spent.append((time.perf_counter() - wall, time.process_time() - cpu))
        return spent

    def predict(self, x):
        return np.asarray(self.apply(self.params, x))
