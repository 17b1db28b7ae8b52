"""Connectionist temporal classification: labels against steps, without knowing which belong.

A step says a class or the blank, the class `mask_index`. A sequence of steps spells what is left of
it when neighbours that are equal are put together and the blanks are dropped. (Alex Graves,
Santiago Fernandez, Faustino Gomez, Juergen Schmidhuber, 2006, Connectionist Temporal
Classification: Labelling Unsegmented Sequence Data with Recurrent Neural Networks.)
"""

from __future__ import annotations

import math
from collections import defaultdict

import numpy as np

from seqrnn.ops.control import scan
from seqrnn.ops.core import as_float, as_tensor, eager, op
from seqrnn.ops.elementwise import (
    add,
    greater,
    less,
    logaddexp,
    logical_and,
    maximum,
    multiply,
    negative,
    not_equal,
    where,
)
from seqrnn.ops.indexing import pick, take_along_axis
from seqrnn.ops.linear import matmul
from seqrnn.ops.nn import log_softmax, one_hot
from seqrnn.ops.reduction import argmax, max, sum
from seqrnn.ops.shaping import arange, concatenate, expand_dims, ones_like, reshape, stack, swapaxes
from seqrnn.ops.sorting import argsort

# log(0), without the NaNs of infinity; a sum of a few thousand of them is still a float32.
_NEVER = -1e30


@op
def ctc_loss(target, output, target_length, output_length, mask_index=0):
    """-log of the probability that the steps spell the labels: (B,).

    Args:
        target: class numbers (B, L); those from target_length on don't count.
        output: logits (B, T, classes).
        target_length, output_length: how many labels and steps count, integers (B,); the latter
            may be None, which is all of them.
        mask_index: the class that is the blank.

    The forward variables over labels and blanks, in logarithms. Steps that are too few for their
    labels give 1e30. ValueError for other shapes.
    """
    output, labels = as_float(output), as_tensor(as_tensor(target), "int32")
    if labels.ndim != 2 or not labels.shape[1] or output.ndim != 3 or len(labels) != len(output):
        raise ValueError(
            "ctc_loss: expected labels (batch, labels) and logits (batch, steps, classes), got "
            f"shapes {labels.shape} and {output.shape}."
        )
    spelled = _with_blanks(labels, mask_index)
    hot = one_hot(spelled, output.shape[-1], dtype=output.dtype)
    emitted = matmul(log_softmax(output, axis=-1), swapaxes(hot, 1, 2))
    never = add(multiply(emitted[:, 0, :1], 0.0), _NEVER)
    # A label may follow the one before it without a blank, unless they are equal.
    may_skip = not_equal(spelled[:, 2:], spelled[:, :-2])

    def step(alpha, inputs):
        log_p, counts = inputs if output_length is not None else (inputs, None)
        from_one = concatenate([never, alpha[:, :-1]], axis=1)
        from_two = concatenate([never, never, where(may_skip, alpha[:, :-2], _NEVER)], axis=1)
        new = add(logaddexp(logaddexp(alpha, from_one), from_two), log_p)
        return (new if counts is None else where(counts, new, alpha)), None

    inputs = swapaxes(emitted, 0, 1)
    if output_length is not None:
        inputs = (inputs, expand_dims(swapaxes(_counting(output_length, output), 0, 1), -1))
    start = concatenate([add(never, -_NEVER)] + [never] * (spelled.shape[1] - 1), axis=1)
    alpha, _ = scan(step, start, inputs)
    last = multiply(as_tensor(as_tensor(target_length), "int32"), 2)
    on_label = where(greater(last, 0), pick(alpha, maximum(add(last, -1), 0)), _NEVER)
    return negative(logaddexp(pick(alpha, last), on_label))


def _with_blanks(labels, blank: int):
    """(B, L) -> (B, 2 L + 1): the blank before, between and behind the labels."""
    blanks = multiply(ones_like(labels), blank)
    pairs = reshape(stack([blanks, labels], axis=2), (labels.shape[0], -1))
    return concatenate([pairs, blanks[:, :1]], axis=1)


def _counting(lengths, output):
    """(B, T) bools: which steps are below the length of their sequence."""
    lengths = as_tensor(as_tensor(lengths), "int32")
    return less(arange(output.shape[1], dtype="int32"), expand_dims(lengths, -1))


def ctc_decode(
    inputs,
    sequence_lengths,
    strategy="greedy",
    beam_width=100,
    top_paths=1,
    merge_repeated=True,
    mask_index=0,
):
    """What the steps spell: class numbers (paths, B, T), -1 behind them, and scores (B, paths).

    Args:
        inputs: logits or their logarithms (B, T, classes).
        sequence_lengths: how many steps count, integers (B,).
        strategy: 'greedy': the largest class of each step; the score is minus the sum of what is
            largest. 'beam_search', for arrays only: the `top_paths` labels that are most probable,
            over all ways to spell them, among `beam_width` beginnings; the score is the logarithm
            of the probability (Hannun and others, 2014, First-Pass Large Vocabulary Continuous
            Speech Recognition using Bi-Directional Recurrent DNNs).
        merge_repeated: of 'greedy': whether equal neighbours are one.
        mask_index: the class that is the blank; None for the last.
    """
    if strategy == "greedy":
        return _greedy(inputs, sequence_lengths, merge_repeated, mask_index)
    if strategy != "beam_search":
        raise ValueError(
            f"ctc_decode: strategy must be 'greedy' or 'beam_search', got {strategy!r}."
        )
    return _beam_search(inputs, sequence_lengths, beam_width, top_paths, mask_index)


@op
def _greedy(inputs, sequence_lengths, merge_repeated, mask_index):
    inputs = as_float(inputs)
    steps, blank = inputs.shape[1], inputs.shape[2] - 1 if mask_index is None else mask_index
    counts = _counting(sequence_lengths, inputs)
    best = where(counts, argmax(inputs, -1), blank)
    said = not_equal(best, blank)
    if merge_repeated:
        first = ones_like(said[:, :1])
        said = logical_and(said, concatenate([first, not_equal(best[:, 1:], best[:, :-1])], 1))
    order = argsort(where(said, arange(steps, dtype="int32"), steps), axis=-1)
    labels = take_along_axis(where(said, best, -1), order, axis=1)
    return expand_dims(labels, 0), expand_dims(
        negative(sum(where(counts, max(inputs, -1), 0.0), 1)), -1
    )


@eager("how many beginnings are kept depends on values", "strategy='greedy'")
def _beam_search(inputs, sequence_lengths, beam_width, top_paths, mask_index):
    inputs = np.asarray(inputs)
    inputs = inputs if inputs.dtype.kind == "f" else inputs.astype("float32")
    blank = inputs.shape[2] - 1 if mask_index is None else mask_index
    log_p = inputs - np.logaddexp.reduce(inputs, axis=2, keepdims=True)
    paths = np.full((top_paths, *inputs.shape[:2]), -1, "int32")
    scores = np.full((inputs.shape[0], top_paths), -math.inf, inputs.dtype)
    for row, length in enumerate(np.asarray(sequence_lengths)):
        found = _most_probable(log_p[row, :length].tolist(), blank, beam_width)
        for place, (labels, score) in enumerate(found[:top_paths]):
            paths[place, row, : len(labels)] = labels
            scores[row, place] = score
    return paths, scores


def _most_probable(steps: list, blank: int, width: int) -> list:
    """[(labels, logarithm of their probability)], the most probable first."""
    beams = {(): (0.0, -math.inf)}  # labels -> log p of ending with the blank, and with a label
    for log_p in steps:
        grown = defaultdict(lambda: (-math.inf, -math.inf))
        for labels, (on_blank, on_label) in beams.items():
            either = np.logaddexp(on_blank, on_label)
            for symbol, p in enumerate(log_p):
                if symbol == blank:
                    ended, other = grown[labels]
                    grown[labels] = np.logaddexp(ended, either + p), other
                    continue
                repeats = bool(labels) and labels[-1] == symbol
                if repeats:  # the same label, said for longer
                    ended, other = grown[labels]
                    grown[labels] = ended, np.logaddexp(other, on_label + p)
                ended, other = grown[(*labels, symbol)]
                before = on_blank if repeats else either
                grown[(*labels, symbol)] = ended, np.logaddexp(other, before + p)
        best = sorted(grown.items(), key=lambda item: -np.logaddexp(*item[1]))
        beams = dict(best[:width])
    return [(labels, np.logaddexp(*ends)) for labels, ends in beams.items()]
