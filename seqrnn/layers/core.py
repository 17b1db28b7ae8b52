"""Layers that stand for inputs, and the plain ones: Dense, Activation, Masking, Lambda."""

from __future__ import annotations

import warnings

from seqrnn import activations, config, ops
from seqrnn.errors import not_supported
from seqrnn.layers.arguments import flag, whole_sizes
from seqrnn.layers.base import Layer
from seqrnn.layers.input_spec import InputSpec
from seqrnn.layers.options import (
    keep_options,
    last_size,
    options_config,
    positive_int,
    weight,
)
from seqrnn.trace import KerasTensor


class InputLayer(Layer):
    """What `Input` makes; the first layer of a `Sequential` that declares its input.

    Args: see `Input`; `input_shape` and `batch_input_shape` are Keras 2's names.

    Attributes:
        batch_shape: tuple with the batch axis, None where a size is unknown.
    """

    supports_masking = True

    def __init__(
        self,
        shape=None,
        batch_size=None,
        dtype=None,
        sparse=None,
        ragged=None,
        batch_shape=None,
        input_tensor=None,
        optional=False,
        name=None,
        **kwargs,
    ):
        if sparse or ragged:
            raise ValueError("Input: there are no sparse or ragged tensors; pad the sequences.")
        shape = kwargs.pop("input_shape", None) if shape is None else shape
        batch_shape = kwargs.pop("batch_input_shape", None) if batch_shape is None else batch_shape
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
        if (shape is None) == (batch_shape is None):
            raise ValueError("Input: give either shape=, without the batch axis, or batch_shape=.")
        if batch_shape is None:
            batch_shape = (batch_size, *whole_sizes(shape, "Input: shape"))
        super().__init__(dtype=dtype or config.floatx(), name=name, **kwargs)
        self.batch_shape = whole_sizes(batch_shape, "Input: batch_shape")
        self._batch_input_shape = self.batch_shape
        self.optional = optional
        self._placeholder = input_tensor
        if input_tensor is None:
            self._placeholder = KerasTensor(self.batch_shape, self.dtype, self.name)
        if self._placeholder.origin is None:
            self._placeholder.input_layer = self
        self.built = True

    @property
    def output(self):
        """The placeholder."""
        return self._placeholder

    input = output

    def call(self, inputs):
        return ops.cast(inputs, self.dtype)

    def get_config(self):
        return {
            "batch_shape": self.batch_shape,
            "dtype": self.dtype,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": self.optional,
        }


def Input(
    shape=None,
    batch_size=None,
    dtype=None,
    sparse=None,
    ragged=None,
    batch_shape=None,
    name=None,
    tensor=None,
    optional=False,
):
    """A placeholder for an input of a functional model.

    Args:
        shape: without the batch axis, None where a size is unknown: `Input([None, 1])`.
        batch_size: of the batch axis, if it is known.
        dtype: of the values, which arrays are cast to; default `floatx()`.
        batch_shape: the shape with the batch axis, instead of shape and batch_size.
        name: 'input_layer', 'input_layer_1', ... by default.
    """
    return InputLayer(
        shape, batch_size, dtype, sparse, ragged, batch_shape, tensor, optional, name
    ).output


class Dense(Layer):
    """activation(x @ kernel + bias), on the last axis.

    (..., features) -> (..., units). Weights: kernel (features, units), bias (units,).

    Args:
        units: size of the last axis of the output.
        activation: name or function; None means linear.
        use_bias: whether there is a bias.
        *_initializer, *_regularizer, *_constraint: of the weights; names, objects or functions.
    """

    supports_masking = True

    def __init__(
        self,
        units,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        activity_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        lora_rank=None,
        lora_alpha=None,
        quantization_config=None,
        **kwargs,
    ):
        not_supported(
            "Dense",
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            quantization_config=quantization_config,
        )
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_int(units, "Dense: units")
        self.activation = activations.get(activation)
        if self.units == 1 and self.activation is activations.softmax:
            warnings.warn(
                f"Dense {self.name!r}: a softmax over one unit is always 1. For two classes use "
                "Dense(1, activation='sigmoid') and binary_crossentropy, or Dense(2) and softmax.",
                stacklevel=2,
            )
        self.use_bias = flag(use_bias, self, "use_bias")
        keep_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape):
        features = last_size(input_shape)
        self.kernel = weight(self, "kernel", (features, self.units))
        self.bias = weight(self, "bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})

    def call(self, inputs):
        x = ops.matmul(inputs, self.kernel)
        if self.bias is not None:
            x = x + self.bias
        return self.activation(x)

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "activation": activations.serialize(self.activation),
            "use_bias": self.use_bias,
            **options_config(self),
        }


class Activation(Layer):
    """activation(x)."""

    supports_masking = True

    def __init__(self, activation, **kwargs):
        super().__init__(**kwargs)
        self.activation = activations.get(activation)

    def call(self, inputs):
        return self.activation(inputs)

    def get_config(self):
        return {**super().get_config(), "activation": activations.serialize(self.activation)}


class Identity(Layer):
    """x."""

    supports_masking = True

    def call(self, inputs):
        return inputs


class Masking(Layer):
    """Marks as missing the steps whose features all equal `mask_value`, and sets them to 0.

    (batch, time, features) -> the same, with a mask (batch, time).
    """

    supports_masking = True

    def __init__(self, mask_value=0.0, **kwargs):
        super().__init__(**kwargs)
        self.mask_value = float(mask_value)

    def compute_mask(self, inputs, mask=None):
        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs):
        present = ops.any(ops.not_equal(inputs, self.mask_value), axis=-1, keepdims=True)
        return ops.where(present, inputs, 0.0)

    def get_config(self):
        return {**super().get_config(), "mask_value": self.mask_value}


class Lambda(Layer):
    """function(x, **arguments).

    Args:
        function: of tensors. It must not have weights of its own: write a Layer for that.
        output_shape: accepted, not needed: the shape is found by tracing.
        mask: the mask of the output, or a function (inputs, mask) -> mask.
        arguments: dict of further arguments.
    """

    _takes_code = ("function", "mask")

    def __init__(self, function, output_shape=None, mask=None, arguments=None, **kwargs):
        super().__init__(**kwargs)
        if not callable(function):
            raise ValueError(f"Lambda: expected a function, got {function!r}.")
        self.function = function
        self.arguments = dict(arguments or {})
        self.mask = mask
        self.supports_masking = mask is not None

    def call(self, inputs, mask=None, training=None):
        given = {"mask": mask, "training": training}
        code = getattr(self.function, "__code__", None)
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount] if code else ()
        wanted = {name: value for name, value in given.items() if name in names}
        return self.function(inputs, **{**wanted, **self.arguments})

    def compute_mask(self, inputs, mask=None):
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def get_config(self):
        return {
            **super().get_config(),
            "function": _function_to_config(self.function),
            "mask": _function_to_config(self.mask),
            "arguments": self.arguments,
        }

    @classmethod
    def from_config(cls, config):
        from seqrnn.saving import lambdas, objects

        # Keras 2 says where a function is from; Keras 3 may keep the output's shape, as code too.
        left_out = ("function_type", "module", "output_shape", "output_shape_type")
        config = {key: value for key, value in config.items() if key not in left_out}
        for name in cls._takes_code:
            data = config.get(name)
            if lambdas.is_code(data):
                key = config.get("name", "lambda") + {"function": "", "mask": ".mask"}[name]
                config[name] = lambdas.function_for_code(data, key)
            elif isinstance(data, str):  # of Keras 2
                config[name] = objects.find_object(data)
            else:
                config[name] = objects.deserialize_keras_object(data)
        return cls(**config)


def _function_to_config(function):
    from seqrnn.saving import lambdas, objects

    if lambdas.is_lambda(function):
        return lambdas.lambda_to_config(function)
    return objects.serialize_keras_object(function)
