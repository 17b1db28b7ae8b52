"""Sequences of unequal length, padded by `fit`: their mask must reach every layer that mixes steps.

Keras lets a mask end at a layer that doesn't support masking, with a warning, and lets Masking and
Embedding replace it. Where it says which steps are padding that would give wrong numbers, so here
a layer either takes the mask on or is refused by name.
"""

import contextlib

from seqrnn.trace import Array, Tensor, nest, operators, state


def _is_stepwise(leaf):
    """Whether a tensor has a time axis still, (batch, time, ...)."""
    return isinstance(leaf, Tensor | Array) and len(leaf.shape) > 2


@contextlib.contextmanager
def inside():
    """Around the layers in a wrapper that hands them the mask itself: they are not checked."""
    before, state.padded = state.padded, False
    try:
        yield
    finally:
        state.padded = before


def _refuse(layer):
    raise ValueError(
        f"{type(layer).__name__} can't take sequences of unequal length: it has no use for the "
        "mask that says which steps are padding. Layers that can: recurrent ones, Bidirectional, "
        "TimeDistributed, Dense, Embedding, Masking, activations, normalization, dropout, "
        "attention, GlobalAveragePooling1D. For any other group the sequences by length and pass "
        "an array for each length, np.stack(rows); a layer of yours that treats each step by "
        "itself may set self.supports_masking = True."
    )


def check(layer, outputs):
    """ValueError for a layer that does not support masking, unless it is made of layers that do and
    none of its outputs has lost the mask of the steps of the input."""
    if len(layer._flatten_layers()) == 1:
        _refuse(layer)
    leaves = nest.flatten(outputs)
    for leaf, own in zip(leaves, _has_own_steps(layer, len(leaves)), strict=True):
        if _is_stepwise(leaf) and leaf._keras_mask is None and not own:
            raise ValueError(
                f"an output of shape {tuple(leaf.shape)} has lost the mask of sequences of unequal "
                "length: functions such as ops.add don't pass it on, layers do. Use layers, or "
                "group the sequences by length and pass arrays."
            )


def check_losses(layer, mask, terms):
    """ValueError if a layer that was given padded steps has added these terms to the loss."""
    if terms and any(m is not None for m in nest.flatten(mask)):
        raise ValueError(
            "add_loss() can't be used where sequences of unequal length pass: the padding would "
            "count. For a term of weights alone use a regularizer."
        )


def check_activity(leaf):
    """ValueError for an output with steps, some of them padding, whose activity is a loss."""
    if _is_stepwise(leaf):
        raise ValueError(
            "activity_regularizer can't be used on steps of sequences of unequal length: the "
            "padding would count. Group the sequences by length and pass arrays."
        )


def _is_foreign(function):
    """Whether it is neither an activation of the library nor one of its layers."""
    module = getattr(function, "__module__", None) or ""
    return callable(function) and not module.startswith("seqrnn.")


def _has_own_steps(layer, n):
    """For each output whether it has steps of its own, as a decoder's: a functional model declares
    how many, and its inputs have another number of them."""
    graph = getattr(layer, "_graph", None)
    if graph is None:
        return [False] * n
    given = {None, *(t.shape[1] for t in graph.input_tensors if len(t.shape) > 1)}
    return [len(t.shape) > 2 and t.shape[1] not in given for t in graph.output_tensors]


def _mixes_steps(layer, ndim):
    """Whether a layer that passes masks on computes over axis 1 without looking at them, or may,
    by a function that it was given."""
    if not hasattr(layer, "cell") and _is_foreign(getattr(layer, "activation", None)):
        return type(layer).__module__.startswith("seqrnn.")
    name = type(layer).__name__
    if name not in ("LayerNormalization", "UnitNormalization", "Softmax"):
        return name == "GroupNormalization"
    axes = layer.axis if isinstance(layer.axis, list | tuple) else [layer.axis]
    return any(axis % ndim == 1 for axis in axes)


def kept(layer, inputs, mask, takes_mask, outputs, computed):
    """The masks of the outputs, without the padding: a step counts if the layer and the input say
    so. ValueError if the layer has changed the number of steps, or mixes them without a mask."""
    if getattr(layer, "go_backwards", False) and getattr(layer, "return_sequences", False):
        raise ValueError(
            "go_backwards=True with return_sequences=True puts the padding of sequences of unequal "
            "length in front; reverse the sequences yourself, x[::-1], or use Bidirectional."
        )
    leaves, given = nest.flatten(outputs), [m for m in nest.flatten(mask) if m is not None]
    computed = [*computed, *[None] * (len(leaves) - len(computed))]
    if not given:
        return computed
    blind = not (takes_mask and layer.supports_masking) and any(
        map(_is_stepwise, nest.flatten(inputs))
    )
    result = []
    for leaf, out in zip(leaves, computed, strict=False):
        if not _is_stepwise(leaf):
            if blind:
                _refuse(layer)
            result.append(out)
        elif tuple(leaf.shape[:2]) != tuple(given[0].shape) or _mixes_steps(layer, leaf.ndim):
            _refuse(layer)
        elif out is None:
            if type(layer).__name__ != "Embedding":
                _refuse(layer)
            result.append(given[0])
        elif any(out is m for m in given) or len(given) > 1:
            result.append(out)
        else:
            result.append(operators.ops.logical_and(out, given[0]))
    return result
