"""Metric functions of classification: 1 where the prediction is right, else 0.

accuracy                            y_true == y_pred, of each element
binary_accuracy                     y_true == (y_pred > threshold), of each element
categorical_accuracy                argmax y_true == argmax y_pred
sparse_categorical_accuracy         y_true == argmax y_pred
(sparse_)top_k_categorical_accuracy fewer than k classes score higher than the true one, which has
                                    a score above -inf
"""

import numpy as np

from seqrnn import ops
from seqrnn.losses.functions import by_shapes, check_same_shape, class_ids, match


def accuracy(y_true, y_pred):
    """1 where both are equal, else 0; of the shape of y_pred."""
    y_true, y_pred = match(y_true, y_pred)
    return ops.cast(ops.equal(y_true, y_pred), _float(y_pred))


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """1 where the label 0 or 1 equals y_pred > threshold, else 0; of the shape of y_pred."""
    y_true, y_pred = match(y_true, y_pred)
    predicted = ops.cast(y_pred > threshold, y_pred.dtype)
    return ops.cast(ops.equal(y_true, predicted), _float(y_pred))


def categorical_accuracy(y_true, y_pred):
    """1 where the largest class of one-hot y_true (..., C) is that of y_pred, else 0."""
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    check_same_shape(y_true, y_pred)
    hit = ops.equal(ops.argmax(y_true, axis=-1), ops.argmax(y_pred, axis=-1))
    return ops.cast(hit, _float(y_pred))


def sparse_categorical_accuracy(y_true, y_pred):
    """1 where the class number y_true (...) is the largest of y_pred (..., C), else 0."""
    y_pred = ops.convert_to_tensor(y_pred)
    ids = class_ids(y_true, y_pred)
    hit = ops.equal(ids, ops.cast(ops.argmax(y_pred, axis=-1), "int32"))
    return ops.cast(hit, _float(y_pred))


def top_k_categorical_accuracy(y_true, y_pred, k=5):
    """1 where the class of one-hot y_true is among the k largest of y_pred, else 0."""
    y_true, y_pred = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    check_same_shape(y_true, y_pred)
    return _in_top_k(ops.argmax(y_true, axis=-1), y_pred, k)


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5, from_sorted_ids=False):
    """1 where the class number y_true is among the k largest of y_pred, else 0.

    `from_sorted_ids`: y_pred (..., n) holds class numbers, the likeliest first.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    ids = class_ids(y_true, y_pred)
    if not from_sorted_ids:
        return _in_top_k(ids, y_pred, k)
    found = ops.any(ops.equal(ops.expand_dims(ids, -1), y_pred[..., :k]), axis=-1)
    return ops.cast(found, _float(y_pred))


def _in_top_k(ids, y_pred, k):
    """A class without a score (NaN, or -inf, as logits are masked) and numbers that are no class
    are not found."""
    known = ops.logical_and(ops.greater_equal(ids, 0), ops.less(ids, y_pred.shape[-1]))
    score = ops.pick(y_pred, ops.where(known, ids, 0))
    higher = ops.sum(ops.cast(y_pred > ops.expand_dims(score, -1), "int32"), axis=-1)
    found = ops.logical_and(ops.logical_and(known, score > -np.inf), higher < k)
    return ops.cast(found, _float(y_pred))


def automatic_accuracy(y_true, y_pred):
    """What 'accuracy' means for targets and predictions of these shapes."""
    accuracies = binary_accuracy, sparse_categorical_accuracy, categorical_accuracy
    return by_shapes(y_true, y_pred, *accuracies)


def _float(x):
    return "float64" if x.dtype == "float64" else "float32"
