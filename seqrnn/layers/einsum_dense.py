"""EinsumDense: a dense layer whose product is written in Einstein's notation.

    y = activation(einsum(equation, x, kernel) + bias)

'...a,ab->...b' is `Dense`; 'abc,cde->abde' maps the features to several heads at once.
"""

from __future__ import annotations

import re
from typing import ClassVar

from seqrnn import activations, initializers, ops
from seqrnn.layers.arguments import whole_sizes
from seqrnn.layers.base import Layer
from seqrnn.layers.input_spec import InputSpec
from seqrnn.layers.options import keep_options, options_config, weight

_EQUATION = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


class EinsumDense(Layer):
    """The product of the input and a kernel, by the names of their axes.

    Weights: kernel, its axes as in the equation; bias, if asked for: the axes of the output from
    the first of `bias_axes` on, 1 along the others.

    Args:
        equation: 'input,kernel->output', one letter per axis; '...', in front or behind, in input
            and output alike, stands for further axes.
        output_shape: sizes of the output without the batch and what '...' stands for; None where
            the size is the input's.
        activation: name or function; None means linear.
        bias_axes: letters of the axes along which the bias varies; None: no bias.

    Raises ValueError for an equation of another form, and for shapes that do not fit it.
    """

    _unsupported: ClassVar[dict] = {
        "lora_rank": None,
        "lora_alpha": None,
        "quantization_config": None,
    }

    def __init__(
        self,
        equation,
        output_shape,
        activation=None,
        bias_axes=None,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        bias_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.equation = equation
        match = (
            _EQUATION.fullmatch(equation.replace(" ", "")) if isinstance(equation, str) else None
        )
        if match is None:
            raise ValueError(
                "EinsumDense: equation must look like '...a,ab->...b', one letter per axis, got "
                f"{equation!r}."
            )
        front, self._input, behind, self._kernel, out_front, self._output, out_behind = (
            match.groups()
        )
        if (front, behind) != (out_front, out_behind) or (front and behind):
            raise ValueError(
                "EinsumDense: '...' must stand in front or behind, in the input and the output "
                f"alike, got {equation!r}."
            )
        self._dots = "front" if front else "behind" if behind else ""
        self.partial_output_shape = whole_sizes(output_shape, "EinsumDense: output_shape")
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes
        self._check_letters()
        keep_options(
            self,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
        )

    def _check_letters(self):
        for letter in self._output:
            if letter not in self._input + self._kernel:
                raise ValueError(
                    f"EinsumDense: the axis {letter!r} of the output of {self.equation!r} is in "
                    "neither the input nor the kernel."
                )
        for letter in self._kernel:
            if letter not in self._input + self._output:
                raise ValueError(
                    f"EinsumDense: the axis {letter!r} of the kernel of {self.equation!r} is in "
                    "neither the input nor the output, so that its size is not known."
                )
        for letter in self.bias_axes or "":
            if letter not in self._output:
                raise ValueError(
                    f"EinsumDense: bias_axes={self.bias_axes!r} names {letter!r}, which is no axis "
                    f"of the output of {self.equation!r}."
                )

    def _sizes(self, shape) -> tuple[dict, dict, tuple]:
        """Sizes of the input's and the output's letters, and those of '...'."""
        dots = len(shape) - len(self._input)
        if dots < 0 or (dots and not self._dots):
            raise ValueError(
                f"the equation {self.equation!r} needs an input of {len(self._input)} axes"
                f"{' or more' if self._dots else ''}, got shape {tuple(shape)}"
            )
        at = dots if self._dots == "front" else 0
        inside = dict(zip(self._input, shape[at : at + len(self._input)], strict=True))
        rest = tuple(shape[:at] if at else shape[len(self._input) :])
        first = () if at else (shape[0],)
        given = (*first, *self.partial_output_shape)
        if len(given) != len(self._output):
            raise ValueError(
                f"output_shape={self.partial_output_shape} must have "
                f"{len(self._output) - len(first)} sizes for the equation {self.equation!r}"
            )
        outside = dict(zip(self._output, given, strict=True))
        for letter, size in inside.items():
            if outside.get(letter) not in (None, size) and size is not None:
                raise ValueError(
                    f"the axis {letter!r} has {size} elements in the input, {outside[letter]} in "
                    f"output_shape={self.partial_output_shape}"
                )
        return inside, outside, rest

    def build(self, input_shape):
        inside, outside, rest = self._sizes(input_shape)
        shape = tuple(
            outside[letter] if letter in outside else inside[letter] for letter in self._kernel
        )
        if None in shape:
            raise ValueError(
                f"the sizes of the kernel {self._kernel!r} must be known, got {shape} from the "
                f"input {tuple(input_shape)} and output_shape={self.partial_output_shape}"
            )
        self.kernel = self.add_weight(
            name="kernel",
            shape=shape,
            initializer=self._of_fans(),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.bias_axes:
            self.bias = weight(self, "bias", self._bias_shape(outside, rest))
        self.input_spec = InputSpec(ndim=len(input_shape))

    def _bias_shape(self, outside: dict, rest: tuple) -> tuple:
        first = min(map(self._output.index, self.bias_axes))
        own = [outside[c] if c in self.bias_axes else 1 for c in self._output[first:]]
        if None in own:
            raise ValueError(
                f"the sizes of bias_axes={self.bias_axes!r} must stand in "
                f"output_shape={self.partial_output_shape}"
            )
        return (*own, *(1,) * len(rest)) if self._dots == "behind" else tuple(own)

    def _of_fans(self):
        """The kernel's initializer; one that goes by fans takes them from the equation."""
        initializer = self.kernel_initializer
        if not isinstance(initializer, initializers.VarianceScaling):
            return initializer
        config = initializer.get_config()
        if config["input_axes"] is not None:
            return initializer
        out = [i for i, letter in enumerate(self._kernel) if letter in self._output]
        config |= {
            "seed": initializer.seed,
            "input_axes": [i for i in range(len(self._kernel)) if i not in out],
            "output_axes": out,
        }
        return type(initializer).from_config(config)

    def call(self, inputs):
        y = ops.einsum(self.equation, inputs, self.kernel)
        if self.bias is not None:
            y = y + self.bias
        return self.activation(y)

    def compute_output_shape(self, input_shape):
        """The sizes of the output's axes, None where neither side knows one."""
        inside, outside, rest = self._sizes(input_shape)
        own = [inside.get(c) if size is None else size for c, size in outside.items()]
        return (*rest, *own) if self._dots == "front" else (*own, *rest)

    def get_config(self):
        return {
            **super().get_config(),
            "equation": self.equation,
            "output_shape": self.partial_output_shape,
            "activation": activations.serialize(self.activation),
            "bias_axes": self.bias_axes,
            **options_config(self),
        }
