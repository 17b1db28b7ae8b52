"""Embedding: a table of vectors, looked up by whole numbers."""

from __future__ import annotations

import numpy as np

from seqrnn import initializers, ops
from seqrnn.errors import not_supported
from seqrnn.layers.arguments import flag
from seqrnn.layers.base import Layer
from seqrnn.layers.options import keep_options, options_config, positive_int, weight
from seqrnn.trace import check_range


class Embedding(Layer):
    """embeddings[id] for each id: (batch, ...) -> (batch, ..., output_dim).

    Weight: embeddings (input_dim, output_dim).

    Args:
        input_dim: ids are whole numbers in 0 .. input_dim - 1; others in an input array raise
            ValueError, and computed ones are clipped.
        output_dim: size of the vector for each id.
        mask_zero: whether id 0 stands for a missing step.
        weights: the table, or a list with it.
    """

    supports_masking = True

    def __init__(
        self,
        input_dim,
        output_dim,
        embeddings_initializer="uniform",
        embeddings_regularizer=None,
        embeddings_constraint=None,
        mask_zero=False,
        weights=None,
        lora_rank=None,
        lora_alpha=None,
        quantization_config=None,
        **kwargs,
    ):
        not_supported(
            "Embedding",
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            quantization_config=quantization_config,
        )
        length = kwargs.pop("input_length", None)  # Keras 2
        if length is not None and not {"input_shape", "batch_input_shape"} & set(kwargs):
            kwargs["input_shape"] = (length,)
        super().__init__(**kwargs)
        self._recipe = None  # it may hold the table, and `get_config` does without
        self.input_dim = positive_int(input_dim, "Embedding: input_dim")
        self.output_dim = positive_int(output_dim, "Embedding: output_dim")
        self.mask_zero = flag(mask_zero, self, "mask_zero")
        if weights is not None:
            embeddings_initializer = np.asarray(
                weights[0] if isinstance(weights, (list, tuple)) else weights
            )
            expected = (self.input_dim, self.output_dim)
            if embeddings_initializer.shape != expected:
                raise ValueError(
                    f"Embedding: weights must have shape {expected}, got "
                    f"{embeddings_initializer.shape}."
                )
        keep_options(
            self,
            embeddings_initializer=embeddings_initializer,
            embeddings_regularizer=embeddings_regularizer,
            embeddings_constraint=embeddings_constraint,
        )

    def build(self, input_shape=None):
        self.embeddings = weight(self, "embeddings", (self.input_dim, self.output_dim))
        if self._is_given():
            self.embeddings_initializer = initializers.get("uniform")  # lets go of the table

    def call(self, inputs):
        check_range(inputs, self.input_dim, f"Embedding {self.name!r}")
        if not inputs.dtype.startswith("int"):
            inputs = ops.cast(inputs, "int32")
        return ops.take(self.embeddings, inputs, axis=0)

    def _is_given(self) -> bool:
        """Whether the table comes from an array."""
        return isinstance(getattr(self.embeddings_initializer, "value", None), np.ndarray)

    def compute_mask(self, inputs, mask=None):
        return ops.not_equal(inputs, 0) if self.mask_zero else None

    def get_config(self):
        config = {
            **super().get_config(),
            "input_dim": self.input_dim,
            "output_dim": self.output_dim,
            **options_config(self),
            "mask_zero": self.mask_zero,
        }
        if self._is_given():
            config["embeddings_initializer"] = "uniform"  # the table is saved as a weight
        return config
