"""Losses over pairs: labels against steps (`ctc`), rows of a batch among themselves (`circle`)."""

from seqrnn import ops
from seqrnn.losses.functions import check_labels

# log(0), without the NaNs of infinity; a sum of a few thousand of them is still a float32.
_NEVER = -1e30


def ctc(y_true, y_pred):
    """-log of the probability that the steps spell the labels: (B, L), (B, T, C) -> (B,).

    y_true holds class numbers, then zeros: class 0 is the blank between labels and the padding.
    y_pred holds logits, all T of which count. A step repeats the label before it or is blank, or
    goes on to the next one; equal neighbours need a blank between them. Sequences of T steps that
    are too short for their labels have a loss of 1e30.

    See `ops.ctc_loss`.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    labels = ops.convert_to_tensor(y_true)
    _check_ctc(labels.shape, y_pred.shape)
    labels = ops.cast(labels, "int32")
    check_labels(labels, y_pred.shape[-1], "ctc")
    lengths = ops.sum(ops.cast(ops.not_equal(labels, 0), "int32"), axis=1)
    return ops.ctc_loss(labels, y_pred, lengths, None)


def _check_ctc(target, prediction):
    if len(target) != 2 or target[1] == 0:
        raise ValueError(
            "ctc: the targets must be class numbers of shape (batch, labels), padded with 0, got "
            f"shape {tuple(target)}."
        )
    if len(prediction) != 3 or prediction[0] != target[0]:
        raise ValueError(
            f"ctc: the predictions must be logits of shape ({target[0]}, steps, classes), got "
            f"shape {tuple(prediction)}."
        )


def circle(
    y_true,
    y_pred,
    ref_labels=None,
    ref_embeddings=None,
    remove_diagonal=True,
    gamma=80,
    margin=0.4,
):
    """How far embeddings of one class lie apart, and those of two classes near each other.

    Class numbers (B,) or (B, 1) and unit vectors (B, F) -> (B,). Each row is compared with all
    others, or with `ref_embeddings` (R, F) of the classes `ref_labels` (R,). `gamma` scales,
    `margin` is the distance at which pairs no longer count; `remove_diagonal`: a row is no pair of
    itself. Rows without a pair of both kinds give 0 and are left out by a `Loss` object.

    softplus(logsumexp(-gamma w_p (margin - d)) + logsumexp(gamma w_n (1 - margin - d))), where
    d = max(1 - cosine, 0), w_p = max(margin + d, 0) over pairs of one class, and
    w_n = max(1 + margin - d, 0) over the others. Yifan Sun and others 2020, Circle Loss: A Unified
    Perspective of Pair Similarity Optimization.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    labels = ops.reshape(ops.cast(ops.convert_to_tensor(y_true), "int32"), (-1, 1))
    _check_circle(labels.shape[0], y_pred.shape)
    others = y_pred if ref_embeddings is None else ops.convert_to_tensor(ref_embeddings)
    if ref_labels is None:
        of_others = labels
    else:
        of_others = ops.cast(ops.convert_to_tensor(ref_labels), "int32")
    distance = ops.maximum(1.0 - ops.matmul(y_pred, ops.transpose(others)), 0.0)
    same = ops.equal(labels, ops.reshape(of_others, (1, -1)))
    other = ops.logical_not(same)
    if remove_diagonal:
        itself = ops.eye(*distance.shape, dtype="bool")
        same = ops.logical_and(same, ops.logical_not(itself))
    near = -gamma * ops.maximum(margin + distance, 0.0) * (margin - distance)
    far = gamma * ops.maximum(1.0 + margin - distance, 0.0) * (1.0 - margin - distance)
    values = ops.softplus(
        ops.logsumexp(ops.where(same, near, _NEVER), axis=1)
        + ops.logsumexp(ops.where(other, far, _NEVER), axis=1)
    )
    values._keras_mask = ops.greater(values, 0.0)
    return values


def _check_circle(rows, prediction):
    if len(prediction) != 2 or prediction[0] != rows:
        raise ValueError(
            f"circle: expected embeddings of shape ({rows}, features), one per label, got shape "
            f"{tuple(prediction)}."
        )
