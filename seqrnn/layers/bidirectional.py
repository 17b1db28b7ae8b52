"""Bidirectional: a recurrent layer that reads the sequence both ways.

    output_t = merge(forward_t, backward_t)

forward_t has seen steps 0 .. t, backward_t steps T-1 .. t. Without return_sequences the last output
of each is merged: forward's at T-1, backward's at 0. Schuster, Paliwal (1997), Bidirectional
Recurrent Neural Networks.
"""

from __future__ import annotations

from seqrnn import ops
from seqrnn.layers import padding
from seqrnn.layers.arguments import call_spec
from seqrnn.layers.base import Layer
from seqrnn.layers.rnn import check_static_batch
from seqrnn.saving.objects import custom_object_scope, recorded_objects

_MERGES = {
    "concat": lambda a, b: ops.concatenate([a, b], axis=-1),
    "sum": lambda a, b: a + b,
    "ave": lambda a, b: (a + b) * 0.5,
    "mul": lambda a, b: a * b,
}
_ALIKE = ("stateful", "return_sequences", "return_state")  # of both directions


class Bidirectional(Layer):
    """A recurrent layer in both directions of time: (batch, time, features) -> (batch, 2 units).

    Both directions are new layers made from the config of `layer`, whose weights, if it has any,
    are not used. They are the attributes `forward_layer` and `backward_layer`. With
    return_sequences, steps that a mask leaves out give zeros.

    Args:
        layer: LSTM, GRU, SimpleRNN, RNN, or a layer with their attributes `go_backwards`,
            `return_sequences`, `return_state` and `stateful`, and with a config.
        merge_mode: what becomes of the two outputs: 'concat' (2 units; forward first), 'sum',
            'mul', 'ave', or None, which gives both, (forward, backward).
        weights: first values of the weights, those of the forward layer before the others.
        backward_layer: the layer for the way back, used as it is: it goes backwards and is like
            `layer` in `stateful`, `return_sequences` and `return_state`.

    Call arguments:
        sequences: (batch, time, features).
        initial_state: a list of the forward layer's states, then as many for the backward layer.
        mask: (batch, time), true where a step counts.
        training: for dropout.

    Returns the output (batch, 2 units), with return_sequences (batch, time, 2 units), in the order
    of time; `units` wide if it is not 'concat'. With return_state (output, *states), the forward
    layer's states first; with merge_mode=None the output is two.

    Raises ValueError for an unknown merge_mode, for directions that do not fit together, and for
    an odd number of initial states; TypeError for layers that are not recurrent.
    """

    supports_masking = True
    _sequence_input = True  # what `input_dim=` and `input_length=` mean

    def __init__(self, layer, merge_mode="concat", weights=None, backward_layer=None, **kwargs):
        super().__init__(**kwargs)
        _check_recurrent("layer", layer)
        self._batch_input_shape = self._batch_input_shape or layer._batch_input_shape
        if merge_mode is not None and merge_mode not in _MERGES:
            words = ", ".join(map(repr, _MERGES))
            raise ValueError(
                f"Bidirectional: merge_mode must be {words} or None, got {merge_mode!r}."
            )
        name = layer.name.removeprefix("forward_")
        self.forward_layer = _rebuilt(layer, name=f"forward_{name}")
        if backward_layer is None:
            name = layer.name.removeprefix("backward_")
            backward_layer = _rebuilt(layer, name=f"backward_{name}", go_backwards=True)
        else:
            _check_recurrent("backward_layer", backward_layer)
        self.backward_layer = backward_layer
        self.merge_mode = merge_mode
        self.return_sequences = layer.return_sequences
        self.return_state = layer.return_state
        self.stateful = layer.stateful
        self._check_directions()
        for each in (self.forward_layer, self.backward_layer):
            if hasattr(each, "zero_output_for_mask"):
                each.zero_output_for_mask = self.return_sequences
        self._first_weights = weights
        self.input_spec = layer.input_spec if not layer.built else self.forward_layer.input_spec
        if not self._trainable:
            self.trainable = False  # both directions too

    def _check_directions(self):
        forward, backward = self.forward_layer, self.backward_layer
        if forward.go_backwards == backward.go_backwards:
            raise ValueError(
                "Bidirectional: one layer must go forwards and one backwards, but both have "
                f"go_backwards={forward.go_backwards}. `layer` is given without go_backwards, "
                "`backward_layer` (if it is given) with go_backwards=True."
            )
        for name in _ALIKE:
            a, b = getattr(forward, name), getattr(backward, name)
            if a != b:
                raise ValueError(
                    f"Bidirectional: both directions must have the same {name}, but it is {a} in "
                    f"the forward layer and {b} in the backward layer {backward.name!r}."
                )

    # ---- building ----

    def build(self, input_shape):
        for each in (self.forward_layer, self.backward_layer):
            if not each.built:
                each.build(input_shape)
        if self._first_weights is not None:
            self.set_weights(self._first_weights)

    # ---- states ----

    @property
    def states(self):
        """The kept states of a stateful layer, forward then backward; None before the first
        call."""
        forward, backward = self.forward_layer.states, self.backward_layer.states
        return None if forward is None or backward is None else (*forward, *backward)

    def reset_state(self):
        """Sets the kept states to zeros. AttributeError if the layer is not stateful."""
        if not self.stateful:
            raise AttributeError(
                f"Bidirectional {self.name!r} has no states to reset: the layer inside must be "
                "stateful=True."
            )
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    reset_states = reset_state

    # ---- the call ----

    def _record(self, args, kwargs):
        check_static_batch(self, args)
        return super()._record(args, kwargs)

    def call(self, sequences, initial_state=None, mask=None, training=None):
        first = self._halves(initial_state)
        forward = self._one_way(self.forward_layer, sequences, first[0], mask, training)
        backward = self._one_way(self.backward_layer, sequences, first[1], mask, training)
        states = ()
        if self.return_state:
            forward, *states = forward
            backward, *more = backward
            states += more
        if self.return_sequences:
            backward = ops.flip(backward, axis=1)
        output = self._merged(forward, backward)
        if not self.return_state:
            return output
        return (*output, *states) if self.merge_mode is None else (output, *states)

    def _halves(self, states):
        if states is None:
            return None, None
        if not isinstance(states, (list, tuple)) or len(states) % 2:
            got = len(states) if isinstance(states, (list, tuple)) else type(states).__name__
            raise ValueError(
                "initial_state must be a list with the states of the forward layer and as many "
                f"for the backward layer, got {got}."
            )
        half = len(states) // 2
        return list(states[:half]), list(states[half:])

    def _one_way(self, layer, sequences, state, mask, training):
        spec = call_spec(type(layer).call)
        options = {}
        if state is not None:
            options["initial_state"] = state
        if spec.mask:
            options["mask"] = mask
        if spec.training:
            options["training"] = training
        with padding.inside():
            return layer(sequences, **options)

    def _merged(self, forward, backward):
        if self.merge_mode is None:
            return forward, backward
        if self.merge_mode != "concat" and forward.shape != backward.shape:
            raise ValueError(
                f"merge_mode={self.merge_mode!r} needs outputs of one shape, got {forward.shape} "
                f"of the forward layer and {backward.shape} of the backward layer; 'concat' and "
                "None do not."
            )
        return _MERGES[self.merge_mode](forward, backward)

    def compute_mask(self, inputs, mask=None):
        mask = mask[0] if isinstance(mask, (list, tuple)) else mask
        mask = mask if self.return_sequences else None
        return (mask, mask) if self.merge_mode is None else mask

    # ---- config ----

    def get_config(self):
        from seqrnn import saving

        return {
            **super().get_config(),
            "merge_mode": self.merge_mode,
            "layer": saving.serialize_keras_object(self.forward_layer),
            "backward_layer": saving.serialize_keras_object(self.backward_layer),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        from seqrnn import saving

        config = dict(config)
        for name in ("layer", "backward_layer"):
            config[name] = saving.deserialize_keras_object(config.get(name), custom_objects)
        return cls(**config)


def _check_recurrent(what: str, layer) -> None:
    if not isinstance(layer, Layer):
        hint = f" Write {layer.__name__}(...)." if isinstance(layer, type) else ""
        raise ValueError(f"Bidirectional: {what} must be a Layer, got {layer!r}.{hint}")
    missing = [name for name in ("go_backwards", *_ALIKE) if not hasattr(layer, name)]
    if missing:
        raise TypeError(
            f"Bidirectional: {what} must be recurrent, as LSTM, GRU, SimpleRNN and RNN are, but "
            f"{type(layer).__name__} has no {', '.join(missing)}."
        )


def _rebuilt(layer, **changes):
    """A new layer from the config of `layer`. Classes and functions of the user's in it are found
    whether they are registered or not."""
    with recorded_objects() as objects:
        config = layer.get_config()
    with custom_object_scope(objects):
        return type(layer).from_config({**config, **changes})
