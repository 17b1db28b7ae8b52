"""What the built-in cells share: weights, dropout, and the two ways to run.

A cell is a layer that does one step: `call(x_t, states) -> (output, states)`. The built-in ones
also know how to do a whole sequence in one op of the core, `whole`; both give the same numbers.

Dropout (Gal, Ghahramani, 2016, A Theoretically Grounded Application of Dropout in Recurrent Neural
Networks): one mask on the input and one on the state per call of the layer, the same at all steps
and for all gates (the paper's tied weights; Keras 3.0 to 3.3). With `implementation=1` both are
drawn for each gate apart (untied weights; later versions of Keras where recurrent_dropout is used),
which makes several narrow products out of each wide one.
"""

from __future__ import annotations

from seqrnn import activations, ops
from seqrnn.layers.arguments import flag
from seqrnn.layers.base import Layer
from seqrnn.layers.cell_protocol import as_list, batch_size_of, zeros_of
from seqrnn.layers.options import (
    keep_options,
    last_size,
    options_config,
    positive_int,
    rate_between_0_and_1,
    weight,
)
from seqrnn.ops.nn import ACTIVATIONS
from seqrnn.random import SeedGenerator, dropout_mask
from seqrnn.trace import current


def word_of(activation) -> str | None:
    """The core's name of an activation; None if the fused ops don't know it."""
    name = getattr(activation, "__name__", "")
    known = (getattr(activations, name, None), getattr(ops, name, None)) if name else ()
    return name if name in ACTIVATIONS and activation in known else None


def product(x, masks, kernel):
    """x @ kernel, with x times a mask before.

    masks: None, (1, batch, n) for all of the kernel, or (gates, batch, n): one per block of it.
    """
    if masks is None:
        return ops.matmul(x, kernel)
    if masks.shape[0] == 1:
        return ops.matmul(x * masks[0], kernel)
    width = kernel.shape[-1] // masks.shape[0]
    blocks = [
        ops.matmul(x * masks[g], kernel[:, g * width : (g + 1) * width])
        for g in range(masks.shape[0])
    ]
    return ops.concatenate(blocks, axis=-1)


def implementation_of(kwargs: dict) -> int:
    """Takes the argument `implementation` out of `kwargs`."""
    implementation = kwargs.pop("implementation", 2)
    if implementation not in (1, 2):
        raise ValueError(
            f"implementation must be 1 (dropout masks for each gate) or 2, got {implementation!r}"
        )
    return int(implementation)


class RecurrentCell(Layer):
    """Base of SimpleRNNCell, LSTMCell and GRUCell.

    Subclasses set `gates`, and define `call` for one step and `whole` for all.
    """

    gates = 1
    implementation = 2
    _plain = ("units", "use_bias", "dropout", "recurrent_dropout", "seed")  # of the config
    _activations: tuple = ("activation",)

    def _keep(self, units, use_bias, dropout, recurrent_dropout, seed, words: dict, options: dict):
        """Checks and keeps the arguments of the constructor."""
        self.units = positive_int(units, f"{type(self).__name__}: units")
        self.use_bias = flag(use_bias, self, "use_bias")
        name = type(self).__name__
        self.dropout = rate_between_0_and_1(dropout or 0.0, f"{name}: dropout")
        self.recurrent_dropout = rate_between_0_and_1(
            recurrent_dropout or 0.0, f"{name}: recurrent_dropout"
        )
        self.seed = seed
        self.seed_generator = SeedGenerator(seed)
        for name, value in words.items():
            setattr(self, name, activations.get(value))
        keep_options(self, **options)
        self.state_size = self.output_size = self.units
        self._masks = {}

    # ---- weights ----

    def build(self, input_shape):
        width = self.gates * self.units
        self.kernel = weight(self, "kernel", (last_size(input_shape), width))
        self.recurrent_kernel = self.add_weight(
            name="recurrent_kernel",
            shape=(self.units, width),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
        )
        self.bias = self._bias() if self.use_bias else None

    def _bias(self):
        return weight(self, "bias", (self.gates * self.units,))

    def get_initial_state(self, batch_size=None, inputs=None, dtype=None):
        """Zeros (batch_size, units), one per state, as a list. `inputs` may be given instead."""
        batch_size = batch_size_of(batch_size, inputs)
        return as_list(zeros_of(self.state_size, batch_size, dtype or self.compute_dtype))

    # ---- dropout ----

    def reset_dropout_mask(self):
        """Forgets the masks, so that the next step draws new ones."""
        self._masks = {}

    reset_recurrent_dropout_mask = reset_dropout_mask

    def _active(self, rate: float) -> bool:
        return 0.0 < rate < 1.0  # as Keras: 1 does nothing

    def _mask(self, name: str, rate: float, training, x):
        """A mask (1 or gates, batch, n) for x (..., batch, n): one per trace, until it is reset."""
        if not training or not self._active(rate):
            return None
        mask = self._masks.get(name)
        shape = (self.gates if self.implementation == 1 else 1, *x.shape[-2:])
        if mask is None or mask.frame is not current().root or mask.shape != shape:
            with ops.outside_scan():
                mask = dropout_mask(shape, rate, self.seed_generator, x.dtype)
            self._masks[name] = mask
        return mask

    def _input_mask(self, x, training):
        return self._mask("input", self.dropout, training, x)

    def _state_mask(self, h, training):
        return self._mask("state", self.recurrent_dropout, training, h)

    def _project(self, x, training, bias):
        """x @ kernel + bias for one step (batch, n) or all of them (time, batch, n)."""
        z = product(x, self._input_mask(x, training), self.kernel)
        return z if bias is None else z + bias

    # ---- whole sequences ----

    @property
    def fused(self) -> bool:
        """Whether `whole` does what `call` does: known activations, `call` not overridden."""
        own = next(cls for cls in type(self).__mro__ if "whole" in cls.__dict__)
        return type(self).call is own.call and all(
            word_of(getattr(self, name)) for name in self._activations
        )

    def _words(self) -> dict:
        return {name: word_of(getattr(self, name)) for name in self._activations}

    def whole(self, x, states, mask=None, training=False, reverse=False, zero_output=False):
        """All steps in one op of the core.

        x: (time, batch, features). states: list of (batch, units). mask: (time, batch) bool or
        None. Returns (y, states): y (time, batch, units), each output at its own time.
        """
        raise NotImplementedError

    # ---- config ----

    def get_config(self):
        plain = {name: getattr(self, name) for name in self._plain}
        words = {name: activations.serialize(getattr(self, name)) for name in self._activations}
        if self.implementation != RecurrentCell.implementation:
            plain["implementation"] = self.implementation
        return {**super().get_config(), **plain, **words, **options_config(self)}

    def __getstate__(self):
        return {**super().__getstate__(), "_masks": {}}
