"""SpectralNormalization (T. Miyato and others, 2018, Spectral Normalization for Generative
Adversarial Networks), as Keras writes it.

In each step of training the kernel W, as a matrix (rows, n) with the output axis last, is divided
by an estimate of its largest singular value, by `power_iterations` of the power method on a vector
u (1, n) that is kept from step to step:

    v = u W' / |u W'|;   u = v W / |v W|;   sigma = v W u';   W = W / sigma

W itself changes, before the layer computes with it, so gradients are by the divided W. A kernel of
zeros stays. In inference mode nothing changes.
"""

from __future__ import annotations

from seqrnn import initializers, ops
from seqrnn.layers.input_spec import InputSpec
from seqrnn.layers.wrappers import Wrapper


class SpectralNormalization(Wrapper):
    """Keeps the largest singular value of a layer's kernel near 1.

    Args:
        layer: a layer with a `kernel` (Dense, Conv1D, EinsumDense, ...) or `embeddings`.
        power_iterations: per step, 1 or more.

    Raises ValueError for power_iterations below 1, and when the layer has no kernel.
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(layer, **kwargs)
        if power_iterations <= 0:
            raise ValueError(
                f"SpectralNormalization: power_iterations must be 1 or more, got "
                f"{power_iterations!r}."
            )
        self.power_iterations = power_iterations

    def build(self, input_shape):
        if not self.layer.built:
            self.layer.build(input_shape)
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})
        kernel = getattr(self.layer, "kernel", getattr(self.layer, "embeddings", None))
        if kernel is None:
            raise ValueError(
                f"SpectralNormalization: {type(self.layer).__name__} has neither a kernel nor "
                "embeddings to normalize."
            )
        self.kernel = kernel
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, kernel.shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            dtype=kernel.dtype,
        )

    def call(self, inputs, training=False):
        if training:
            self._normalize()
        return self.layer(inputs)

    def compute_output_shape(self, input_shape):
        return self.layer.compute_output_shape(input_shape)

    def _normalize(self):
        kernel, u = self.kernel.value, self.vector_u.value
        matrix = ops.reshape(kernel, (-1, kernel.shape[-1]))
        for _ in range(self.power_iterations):
            v = ops.normalize(u @ ops.transpose(matrix), axis=None)
            u = ops.normalize(v @ matrix, axis=None)
        sigma = ops.reshape(v @ matrix @ ops.transpose(u), ())
        empty = ops.all(ops.equal(kernel, 0))
        self.vector_u.assign(ops.where(empty, self.vector_u, u))
        self.kernel.assign(ops.where(empty, kernel, kernel / sigma))

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}
