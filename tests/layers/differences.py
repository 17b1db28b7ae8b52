"""Gradients of layers against central differences, in float64."""

import numpy as np

from seqrnn import ops, trace

STEP = 1e-5


def check_gradients(layer, x, tolerance=1e-6, training=False):
    """Gradients of sum(layer(x) * fixed numbers) by x and by all trainable weights."""
    layer(x)  # builds it
    x = trace.Variable(np.asarray(x, np.float64))
    variables = [x, *layer.trainable_weights]

    def loss():
        y = layer(x.value, training=training)
        factors = np.random.default_rng(1).normal(size=y.shape)
        return (ops.sum(y * factors),)

    traced = trace.trace(loss, (), trainable=variables)
    _, gradients = traced.gradients(())
    for variable, gradient in zip(variables, gradients, strict=True):
        assert variable.dtype == "float64"
        flat = variable.storage.reshape(-1)
        numeric = np.empty(flat.size)
        for i in range(flat.size):
            kept = flat[i]
            values = []
            for step in (STEP, -STEP):
                flat[i] = kept + step
                values.append(float(traced.run(())[0]))
            flat[i] = kept
            numeric[i] = (values[0] - values[1]) / (2 * STEP)
        scale = max(1.0, np.abs(numeric).max(initial=0))
        error = np.abs(gradient.reshape(-1) - numeric).max(initial=0) / scale
        assert error <= tolerance, (variable.path, error)
