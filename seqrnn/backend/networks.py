"""Functions that only Keras 2 has, or that it defines otherwise: `rnn`, CTC, activations, ..."""

from __future__ import annotations

from seqrnn import config, ops
from seqrnn.backend.arguments import behind
from seqrnn.trace import nest


def temporal_padding(x, padding=(1, 1)):
    """Zeros before and after the steps of (batch, time, features)."""
    return ops.pad(x, ((0, 0), tuple(padding), (0, 0)))


def hard_sigmoid(x):
    """0.2 x + 0.5, not below 0 and not above 1; that of Keras 3 is x / 6 + 0.5."""
    return ops.clip(0.2 * x + 0.5, 0.0, 1.0)


def relu(x, alpha=0.0, max_value=None, threshold=0.0):
    """max(x, 0); alpha (x - threshold) below the threshold; not above max_value."""
    result = ops.where(x >= threshold, x, alpha * (x - threshold))
    return result if max_value is None else ops.minimum(result, max_value)


def in_top_k(predictions, targets, k):
    """Whether each target is among the k classes with the largest predictions."""
    return ops.in_top_k(targets, predictions, k)


def batch_normalization(x, mean, var, beta, gamma, axis=-1, epsilon=1e-3):
    """(x - mean) / sqrt(var + epsilon) * gamma + beta along an axis."""
    flat = [t if t is None else ops.reshape(t, (-1,)) for t in (mean, var, beta, gamma)]
    return ops.batch_normalization(x, flat[0], flat[1], axis, *flat[2:], epsilon)


def bias_add(x, bias, data_format=None):
    """x plus a bias (channels,), or one with an axis for each of x but the batch."""
    if len(bias.shape) == 1 and data_format == "channels_first":
        bias = bias[(..., *[None] * (len(x.shape) - 2))]
    return x + bias


def conv1d(x, kernel, strides=1, padding="valid", data_format=None, dilation_rate=1):
    """The convolution of (batch, time, features) with (window, features, filters)."""
    if padding == "causal":
        x = temporal_padding(x, (dilation_rate * (kernel.shape[0] - 1), 0))
        padding = "valid"
    return ops.conv(x, kernel, strides, padding, data_format, dilation_rate)


def sparse_categorical_crossentropy(target, output, from_logits=False, axis=-1, ignore_class=None):
    """-log p of the class, for each element; 0 where it is `ignore_class`."""
    if ignore_class is None:
        return ops.sparse_categorical_crossentropy(target, output, from_logits, axis)
    counts = ops.not_equal(target, ignore_class)
    known = ops.where(counts, target, 0)
    losses = ops.sparse_categorical_crossentropy(known, output, from_logits, axis)
    return ops.where(counts, losses, 0.0)


def ctc_batch_cost(y_true, y_pred, input_length, label_length):
    """The CTC loss (batch, 1) of probabilities (batch, time, classes), the last class the blank.

    input_length, label_length: (batch, 1). (Graves et al., Connectionist Temporal Classification,
    2006.)
    """
    lengths = [ops.reshape(n, (-1,)) for n in (label_length, input_length)]
    logits = ops.log(y_pred + config.epsilon())
    return ops.ctc_loss(y_true, logits, *lengths, mask_index=y_pred.shape[-1] - 1)[:, None]


def ctc_decode(y_pred, input_length, greedy=True, beam_width=100, top_paths=1):
    """What probabilities (batch, time, classes) spell, the last class the blank.

    Returns: ([class numbers (batch, time), -1 behind them, for each path], scores (batch, paths)).
    """
    strategy = "greedy" if greedy else "beam_search"
    logits = ops.log(y_pred + config.epsilon())
    paths, scores = ops.ctc_decode(
        logits, input_length, strategy, beam_width, top_paths, mask_index=None
    )
    return [paths[i] for i in range(paths.shape[0])], scores


def rnn(
    step_function,
    inputs,
    initial_states,
    go_backwards=False,
    mask=None,
    constants=None,
    unroll=False,
    input_length=None,
    time_major=False,
    zero_output_for_mask=False,
    return_all_outputs=True,
):
    """Applies `step_function` to every step of (batch, time, ...).

    Args:
        step_function: function of (x_t, states and constants) to (output, states).
        initial_states: list of tensors.
        mask: (batch, time): where it is False the states stay, and the output is the one before,
            or zeros with `zero_output_for_mask`.
        unroll, input_length: no effect.

    Returns: (last output, outputs (batch, time, ...), states); with `return_all_outputs=False`
    the outputs are the last one alone, as one step.
    """
    if not time_major:
        inputs = nest.map_leaves(_swapped, inputs)
        mask = None if mask is None else _swapped(mask)
    if go_backwards:
        inputs = nest.map_leaves(lambda x: ops.flip(x, 0), inputs)
        mask = None if mask is None else ops.flip(mask, 0)
    constants = list(constants or ())
    states = list(initial_states)
    example = nest.map_leaves(lambda x: x[0], inputs)
    output = ops.zeros_like(step_function(example, states + constants)[0])

    def step(carry, given):
        before, states = carry
        x, counts = given
        output, new = step_function(x, list(states) + constants)
        if counts is not None:
            kept = ops.zeros_like(output) if zero_output_for_mask else before
            output = ops.where(behind(counts, output), output, kept)
            new = [ops.where(behind(counts, n), n, s) for n, s in zip(new, states, strict=True)]
        return (output, list(new)), output

    (last, states), outputs = ops.scan(step, (output, states), (inputs, mask))
    outputs = outputs if return_all_outputs else last[None]
    return last, outputs if time_major else _swapped(outputs), states


def _swapped(x):
    return ops.swapaxes(x, 0, 1)
