"""SpectralNormalization (Miyato et al., 2018, Spectral normalization for generative adversarial
networks): a layer whose kernel is kept at a largest singular value of about 1.

In training, before the layer, with the kernel W as a matrix (..., last axis):

    repeated:  v = u W' / |u W'|,  u = v W / |v W|;   sigma = v W u';   W := W / sigma

The division is no part of the gradient, which is that by the divided W.
"""

from __future__ import annotations

from seqrnn import initializers, ops
from seqrnn.layers.arguments import InputSpec
from seqrnn.layers.options import positive_int
from seqrnn.layers.wrappers import Wrapper


class SpectralNormalization(Wrapper):
    """The layer, its kernel divided by its spectral norm in training; see the head of the module.

    Weights: vector_u, (1, last axis of the kernel), not trained; those of the layer.

    Args:
        layer: one with a `kernel` or `embeddings`.
        power_iterations: how often u and v are improved in each call.

    Raises ValueError for a layer without such a weight, and for iterations below 1.
    """

    def __init__(self, layer, power_iterations=1, **kwargs):
        super().__init__(layer, **kwargs)
        self.power_iterations = positive_int(
            power_iterations, "SpectralNormalization: power_iterations"
        )

    def build(self, input_shape):
        if not self.layer.built:
            self.layer.build(input_shape)
        self._which = next((n for n in ("kernel", "embeddings") if hasattr(self.layer, n)), None)
        if self._which is None:
            raise ValueError(
                f"{type(self.layer).__name__} has neither `kernel` nor `embeddings` to normalise"
            )
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, getattr(self.layer, self._which).shape[-1]),
            initializer=initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
        )
        self.input_spec = InputSpec(min_ndim=1, axes={-1: input_shape[-1]})

    def call(self, inputs, training=False):
        if not training:
            return self.layer(inputs)
        kernel = getattr(self.layer, self._which)
        divided = self._divided(kernel)
        try:
            # Its value is the divided kernel, its gradient passes to the variable as it is.
            setattr(self.layer, self._which, kernel + ops.stop_gradient(divided - kernel))
            return self.layer(inputs)
        finally:
            setattr(self.layer, self._which, kernel)

    def _divided(self, kernel):
        """The kernel divided by its spectral norm; it and u are what the variables become."""
        w = ops.stop_gradient(ops.reshape(kernel, (-1, kernel.shape[-1])))
        u = self.vector_u.value
        for _ in range(self.power_iterations):
            v = ops.normalize(ops.matmul(u, ops.transpose(w)), axis=-1)
            u = ops.normalize(ops.matmul(v, w), axis=-1)
        sigma = ops.matmul(ops.matmul(v, w), ops.transpose(u))
        some = ops.any(ops.not_equal(w, 0.0))
        divided = ops.reshape(ops.where(some, w / ops.where(some, sigma, 1.0), w), kernel.shape)
        self.vector_u.assign(ops.where(some, u, self.vector_u.value))
        kernel.assign(divided)
        return divided

    def get_config(self):
        return {**super().get_config(), "power_iterations": self.power_iterations}
