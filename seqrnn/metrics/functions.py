"""Metric functions of classification: 1 where the prediction is right, else 0.

accuracy                            y_true == y_pred, mean over the last axis
binary_accuracy                     y_true == (y_pred > threshold), mean over the last axis
categorical_accuracy                argmax y_true == argmax y_pred
sparse_categorical_accuracy         y_true == argmax y_pred
(sparse_)top_k_categorical_accuracy fewer than k classes score higher than the true one
"""

from seqrnn import losses, ops
from seqrnn.losses.functions import check_same_shape, class_ids, match


def accuracy(y_true, y_pred):
    """Share of equal elements along the last axis."""
    y_true, y_pred = match(y_true, y_pred)
    return ops.mean(ops.cast(ops.equal(y_true, y_pred), _float(y_pred)), axis=-1)


def binary_accuracy(y_true, y_pred, threshold=0.5):
    """Share of labels 0 and 1 that equal y_pred > threshold, along the last axis."""
    y_true, y_pred = match(y_true, y_pred)
    predicted = ops.cast(y_pred > threshold, y_pred.dtype)
    return ops.mean(ops.cast(ops.equal(y_true, predicted), _float(y_pred)), axis=-1)


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


def sparse_top_k_categorical_accuracy(y_true, y_pred, k=5):
    """1 where the class number y_true is among the k largest of y_pred, else 0."""
    y_pred = ops.convert_to_tensor(y_pred)
    return _in_top_k(class_ids(y_true, y_pred), y_pred, k)


def _in_top_k(ids, y_pred, k):
    one_hot = ops.one_hot(ids, y_pred.shape[-1], dtype=y_pred.dtype)
    score = ops.sum(one_hot * y_pred, axis=-1, keepdims=True)
    higher = ops.sum(ops.cast(y_pred > score, _float(y_pred)), axis=-1)
    return ops.cast(higher < float(k), _float(y_pred))


def automatic_accuracy(y_true, y_pred):
    """What 'accuracy' means for targets and predictions of these shapes."""
    return _by_shapes(
        y_true, y_pred, binary_accuracy, sparse_categorical_accuracy, categorical_accuracy
    )


def automatic_crossentropy(y_true, y_pred):
    """What 'crossentropy' means for targets and predictions of these shapes."""
    return _by_shapes(
        y_true,
        y_pred,
        losses.binary_crossentropy,
        losses.sparse_categorical_crossentropy,
        losses.categorical_crossentropy,
    )


def _by_shapes(y_true, y_pred, binary, sparse, categorical):
    target, prediction = y_true.shape, y_pred.shape
    if prediction[-1] == 1:
        return binary(y_true, y_pred)
    if len(target) < len(prediction) or target[-1] == 1:
        return sparse(y_true, y_pred)
    return categorical(y_true, y_pred)


def _float(x):
    return "float64" if x.dtype == "float64" else "float32"
