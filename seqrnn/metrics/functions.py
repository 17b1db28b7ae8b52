"""Metric functions of classification: 1 where the prediction is right, else 0.

accuracy                            y_true == y_pred, of each element
binary_accuracy                     y_true == (y_pred > threshold), of each element
categorical_accuracy                argmax y_true == argmax y_pred
sparse_categorical_accuracy         y_true == argmax y_pred
(sparse_)top_k_categorical_accuracy fewer than k classes score higher than the true one
"""

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
    one_hot = ops.one_hot(ids, y_pred.shape[-1], dtype=y_pred.dtype)
    score = ops.sum(one_hot * y_pred, axis=-1, keepdims=True)
    higher = ops.sum(ops.cast(y_pred > score, _float(y_pred)), axis=-1)
    return ops.cast(higher < float(k), _float(y_pred))


def automatic_accuracy(y_true, y_pred):
    """What 'accuracy' means for targets and predictions of these shapes."""
    accuracies = binary_accuracy, sparse_categorical_accuracy, categorical_accuracy
    return by_shapes(y_true, y_pred, *accuracies)


def _float(x):
    return "float64" if x.dtype == "float64" else "float32"
