"""Layers around a layer."""

from __future__ import annotations

from seqrnn import ops
from seqrnn.layers.arguments import call_spec
from seqrnn.layers.base import Layer
from seqrnn.layers.input_spec import InputSpec


class Wrapper(Layer):
    """Base of layers that hold another one, as `layer`."""

    def __init__(self, layer, **kwargs):
        super().__init__(**kwargs)
        if not isinstance(layer, Layer):
            raise ValueError(f"{type(self).__name__}: expected a Layer, got {layer!r}.")
        self.layer = layer

    def get_config(self):
        from seqrnn import saving

        return {**super().get_config(), "layer": saving.serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        from seqrnn import saving

        config = dict(config)
        layer = saving.deserialize_keras_object(config.pop("layer"), custom_objects)
        return cls(layer, **config)


class TimeDistributed(Wrapper):
    """The layer applied to every step: (batch, time, ...) -> (batch, time, ...).

    All steps go through the layer at once, as one batch of batch * time samples, so a
    BatchNormalization inside takes its statistics over all of them.
    """

    supports_masking = True

    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)
        self.input_spec = InputSpec(
            min_ndim=3,
            hint="(batch, time, features) are needed: set return_sequences=True on the recurrent "
            "layer before",
        )

    def build(self, input_shape):
        if not self.layer.built:
            self.layer.build((None, *input_shape[2:]))

    def call(self, inputs, mask=None):
        batch, time = inputs.shape[:2]
        options = {}
        if mask is not None and (mask.ndim < 2 or tuple(mask.shape[:2]) != (batch, time)):
            raise ValueError(
                f"the mask must begin with the axes (batch, time) of the input, {(batch, time)}, "
                f"got a mask of shape {tuple(mask.shape)}."
            )
        inner = self._inner_mask(inputs, mask)
        if inner is not None and call_spec(type(self.layer).call).mask:
            options["mask"] = inner
        y = self.layer(ops.reshape(inputs, (batch * time, *inputs.shape[2:])), **options)
        if not hasattr(y, "shape"):
            raise ValueError(
                f"the layer {self.layer.name!r} ({type(self.layer).__name__}) must give one tensor "
                f"for each step, got a {type(y).__name__} of {len(y)}; an RNN does without "
                "return_state."
            )
        return ops.reshape(y, (batch, time, *y.shape[1:]))

    def _inner_mask(self, inputs, mask):
        """The mask of the steps' samples, if it has the axes that the layer can make use of."""
        if mask is None or mask.ndim != inputs.ndim - 1:
            return None
        return ops.reshape(mask, (mask.shape[0] * mask.shape[1], *mask.shape[2:]))

    def compute_mask(self, inputs, mask=None):
        """Of the steps; a step of many parts is missing if all of them are."""
        if mask is None or mask.ndim <= 2:
            return mask
        inner = self._inner_mask(inputs, mask)
        if inner is not None:
            kept = self.layer.compute_mask(None, inner)
            if kept is not None:
                return ops.reshape(kept, (*mask.shape[:2], *kept.shape[1:]))
        return ops.any(mask, axis=tuple(range(2, mask.ndim)))
