"""Activations as layers, for those that have arguments or weights."""

from __future__ import annotations

from seqrnn import activations, ops
from seqrnn.layers.base import Layer
from seqrnn.layers.input_spec import InputSpec
from seqrnn.layers.options import keep_options, options_config, weight


class ReLU(Layer):
    """max(x, 0); see `activations.relu` for the arguments."""

    supports_masking = True

    def __init__(self, max_value=None, negative_slope=0.0, threshold=0.0, **kwargs):
        super().__init__(**kwargs)
        if max_value is not None:
            _not_negative("max_value", max_value)
        _not_negative("negative_slope", negative_slope)
        _not_negative("threshold", threshold)
        self.max_value = max_value
        self.negative_slope = negative_slope
        self.threshold = threshold

    def call(self, inputs):
        return activations.relu(inputs, self.negative_slope, self.max_value, self.threshold)

    def get_config(self):
        return {
            **super().get_config(),
            "max_value": self.max_value,
            "negative_slope": self.negative_slope,
            "threshold": self.threshold,
        }


def _not_negative(name: str, value) -> None:
    if value is None or not value >= 0:
        raise ValueError(f"ReLU: {name} must not be negative, got {value!r}.")


class LeakyReLU(Layer):
    """x, times `negative_slope` (Keras 2: `alpha`) where it is negative."""

    supports_masking = True

    def __init__(self, negative_slope=0.3, **kwargs):
        negative_slope = kwargs.pop("alpha", negative_slope)
        super().__init__(**kwargs)
        self.negative_slope = float(negative_slope)

    def call(self, inputs):
        return activations.leaky_relu(inputs, self.negative_slope)

    def get_config(self):
        return {**super().get_config(), "negative_slope": self.negative_slope}


class ELU(Layer):
    """x, and alpha * (e^x - 1) where it is negative."""

    supports_masking = True

    def __init__(self, alpha=1.0, **kwargs):
        super().__init__(**kwargs)
        self.alpha = float(alpha)

    def call(self, inputs):
        return activations.elu(inputs, self.alpha)

    def get_config(self):
        return {**super().get_config(), "alpha": self.alpha}


class PReLU(Layer):
    """x, times the weight alpha where it is negative.

    alpha has the shape of one sample, 1 along the axes in `shared_axes` (which count the batch).
    """

    supports_masking = True

    def __init__(
        self,
        alpha_initializer="Zeros",
        alpha_regularizer=None,
        alpha_constraint=None,
        shared_axes=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        keep_options(
            self,
            alpha_initializer=alpha_initializer,
            alpha_regularizer=alpha_regularizer,
            alpha_constraint=alpha_constraint,
        )
        axes = [shared_axes] if isinstance(shared_axes, int) else shared_axes
        self.shared_axes = None if axes is None else [int(axis) for axis in axes]

    def build(self, input_shape):
        shape = list(input_shape[1:])
        for axis in self.shared_axes or ():
            shape[axis - 1] = 1
        if None in shape:
            raise ValueError(
                f"PReLU needs to know the sizes {tuple(input_shape)}; name those that vary in "
                "shared_axes, time as axis 1."
            )
        self.alpha = weight(self, "alpha", tuple(shape))
        self.input_spec = InputSpec(ndim=len(input_shape))

    def call(self, inputs):
        return ops.relu(inputs) - self.alpha * ops.relu(-inputs)

    def get_config(self):
        return {
            **super().get_config(),
            **options_config(self),
            "shared_axes": self.shared_axes,
        }


class Softmax(Layer):
    """e^x / sum of e^x along `axis`.

    Args:
        axis: an int, or a list of ints, over which the sum goes.

    Call arguments:
        mask: bool, of as many axes as x, each of x's size or 1; elements where it is false are 0
            and left out of the sum. A mask (batch, time) that comes with a longer x says which
            steps count: it goes on and changes no values. ValueError for any other.
    """

    supports_masking = True

    def __init__(self, axis=-1, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis

    def call(self, inputs, mask=None):
        if mask is None or (mask.ndim < inputs.ndim and mask.shape == inputs.shape[: mask.ndim]):
            return self._softmax(inputs)
        pairs = zip(mask.shape[::-1], inputs.shape[::-1], strict=False)
        if mask.ndim > inputs.ndim or any(m not in (1, n) for m, n in pairs):
            raise ValueError(
                f"the mask must fit the input {tuple(inputs.shape)}, each axis of its size or 1, "
                f"got {tuple(mask.shape)}."
            )
        return ops.where(mask, self._softmax(ops.where(mask, inputs, -1e9)), 0.0)

    def _softmax(self, x):
        if not isinstance(self.axis, (list, tuple)):
            return ops.softmax(x, self.axis)
        return ops.exp(x - ops.logsumexp(x, tuple(self.axis), keepdims=True))

    def get_config(self):
        return {**super().get_config(), "axis": self.axis}
