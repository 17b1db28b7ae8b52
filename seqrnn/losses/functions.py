"""Loss functions: how far predictions are from targets.

A loss function turns targets and predictions into one value per sample and time step, by reducing
the last axis: (B, ..., C) -> (B, ...). A `Loss` object (base.py) weights and averages these values
to a scalar. Formulas as in Keras 3 (F. Chollet and others, 2015-2026); d = y_pred - y_true, means
are over the last axis, eps = config.epsilon(), 1e-7 unless set:

    mean_squared_error                mean(d^2)
    mean_absolute_error               mean(|d|)
    mean_absolute_percentage_error    100 mean(|d| / max(|y_true|, eps))
    mean_squared_logarithmic_error    mean((log(1 + y_pred) - log(1 + y_true))^2), both >= eps
    huber (Huber 1964)                mean(d^2 / 2 if |d| <= delta else delta |d| - delta^2 / 2)
    log_cosh                          mean(d + softplus(-2 d) - log 2)
    binary_crossentropy               mean(-y_true log p - (1 - y_true) log(1 - p))
    categorical_crossentropy          -sum(y_true log p),  p divided by its sum first
    sparse_categorical_crossentropy   -log p[y_true],      likewise
    kl_divergence                     sum(y_true log(y_true / y_pred))
    poisson                           mean(y_pred - y_true log(y_pred + eps))
    cosine_similarity                 -sum(y_true y_pred / (|y_true| |y_pred|)), norms >= eps
    hinge, squared_hinge              mean(max(1 - y_true y_pred, 0)), its square

Targets are cast to the type of the predictions. Where the ranks differ by a trailing axis of
length 1 it is dropped, or given to targets (B,); any other difference of shapes is an error.
"""

import math

import numpy as np

from seqrnn import ops, trace
from seqrnn.config import epsilon

# ---- shapes ----


def match(y_true, y_pred):
    """Both as tensors of one shape, the targets in the type of the predictions.

    Raises ValueError if the shapes don't agree.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    given = tuple(y_true.shape), tuple(y_pred.shape)
    y_true, y_pred = same_rank(y_true, y_pred)
    check_same_shape(y_true, y_pred, given)
    return y_true, y_pred


def same_rank(a, b):
    """Both with as many axes, where one has an axis of length 1 more at its end.

    (B,) becomes (B, 1), so that every row keeps its value; of longer ones the axis is dropped.
    Other tensors stay as they are.
    """
    if len(a.shape) > len(b.shape):
        return same_rank(b, a)[::-1]
    if len(a.shape) + 1 == len(b.shape) and b.shape[-1] == 1:
        if len(a.shape) == 1:
            return ops.expand_dims(a, -1), b
        return a, ops.squeeze(b, -1)
    return a, b


def check_same_shape(y_true, y_pred, given=None):
    """ShapeMismatch if they differ; `given` are their shapes before axes were dropped."""
    shapes = tuple(y_true.shape), tuple(y_pred.shape)
    if shapes[0] != shapes[1]:
        raise ShapeMismatch(*shapes, given or shapes)


class ShapeMismatch(ValueError):
    """Targets and predictions of different shapes; the trainer adds how to repair it.

    Args:
        target, prediction: the shapes that were compared.
        given: both, before an axis of length 1 was dropped.
    """

    def __init__(self, target, prediction, given):
        self.target, self.prediction = target, prediction
        self.given = given
        super().__init__(
            f"The targets have shape {given[0]}, but the predictions have shape {given[1]}; "
            "expected equal shapes."
        )


# ---- regression ----


def mean_squared_error(y_true, y_pred):
    """mean((y_pred - y_true)^2) over the last axis."""
    y_true, y_pred = match(y_true, y_pred)
    return ops.mean(ops.square(y_pred - y_true), axis=-1)


def mean_absolute_error(y_true, y_pred):
    """mean(|y_pred - y_true|) over the last axis."""
    y_true, y_pred = match(y_true, y_pred)
    return ops.mean(ops.abs(y_pred - y_true), axis=-1)


def mean_absolute_percentage_error(y_true, y_pred):
    """100 mean(|y_pred - y_true| / max(|y_true|, 1e-7)) over the last axis."""
    y_true, y_pred = match(y_true, y_pred)
    return 100.0 * ops.mean(
        ops.abs(y_pred - y_true) / ops.maximum(ops.abs(y_true), epsilon()), axis=-1
    )


def mean_squared_logarithmic_error(y_true, y_pred):
    """mean((log(1 + y_pred) - log(1 + y_true))^2) over the last axis, both at least 1e-7."""
    y_true, y_pred = match(y_true, y_pred)
    difference = ops.log(ops.maximum(y_pred, epsilon()) + 1.0) - ops.log(
        ops.maximum(y_true, epsilon()) + 1.0
    )
    return ops.mean(ops.square(difference), axis=-1)


def huber(y_true, y_pred, delta=1.0):
    """Quadratic up to |d| = delta, then linear; mean over the last axis."""
    y_true, y_pred = match(y_true, y_pred)
    size = ops.abs(y_pred - y_true)
    values = ops.where(size <= delta, 0.5 * ops.square(size), delta * size - 0.5 * delta * delta)
    return ops.mean(values, axis=-1)


def log_cosh(y_true, y_pred):
    """mean(log(cosh(d))) over the last axis, without overflow for large d."""
    y_true, y_pred = match(y_true, y_pred)
    size = ops.abs(y_pred - y_true)
    return ops.mean(size + ops.log1p(ops.exp(-2.0 * size)) - math.log(2.0), axis=-1)


def poisson(y_true, y_pred):
    """mean(y_pred - y_true log(y_pred + 1e-7)) over the last axis."""
    y_true, y_pred = match(y_true, y_pred)
    return ops.mean(y_pred - y_true * ops.log(y_pred + epsilon()), axis=-1)


def kl_divergence(y_true, y_pred):
    """sum(y_true log(y_true / y_pred)) over the last axis, both clipped to [1e-7, 1]."""
    y_true, y_pred = match(y_true, y_pred)
    y_true, y_pred = ops.clip(y_true, epsilon(), 1.0), ops.clip(y_pred, epsilon(), 1.0)
    return ops.sum(y_true * ops.log(y_true / y_pred), axis=-1)


def cosine_similarity(y_true, y_pred, axis=-1):
    """-sum of the product of the unit vectors along `axis`: -1 where they point the same way."""
    y_true, y_pred = match(y_true, y_pred)
    return -ops.sum(_unit(y_true, axis) * _unit(y_pred, axis), axis=axis)


def _unit(x, axis):
    square = ops.sum(ops.square(x), axis=axis, keepdims=True)
    return x * ops.rsqrt(ops.maximum(square, epsilon() ** 2))


def hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)) over the last axis; labels 0 and 1 become -1 and 1."""
    y_true, y_pred = match(y_true, y_pred)
    return ops.mean(_hinge(y_true, y_pred), axis=-1)


def squared_hinge(y_true, y_pred):
    """mean(max(1 - y_true y_pred, 0)^2) over the last axis; labels 0 and 1 become -1 and 1."""
    y_true, y_pred = match(y_true, y_pred)
    return ops.mean(ops.square(_hinge(y_true, y_pred)), axis=-1)


def _hinge(y_true, y_pred):
    binary = ops.all(ops.logical_or(ops.equal(y_true, 0.0), ops.equal(y_true, 1.0)))
    signs = ops.where(binary, 2.0 * y_true - 1.0, y_true)
    return ops.maximum(1.0 - signs * y_pred, 0.0)


# ---- classification ----


def binary_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """mean(-y log p - (1 - y) log(1 - p)) over `axis`, p clipped to [1e-7, 1 - 1e-7].

    `from_logits`: y_pred is before the sigmoid. `label_smoothing` s: y becomes y (1 - s) + s / 2.
    """
    y_true, y_pred = match(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing)
    if from_logits:
        values = ops.maximum(y_pred, 0.0) - y_pred * y_true + ops.log1p(ops.exp(-ops.abs(y_pred)))
    else:
        p = ops.clip(y_pred, epsilon(), 1.0 - epsilon())
        values = -(y_true * ops.log(p) + (1.0 - y_true) * ops.log(1.0 - p))
    return ops.mean(values, axis=axis)


def categorical_crossentropy(y_true, y_pred, from_logits=False, label_smoothing=0.0, axis=-1):
    """-sum(y_true log p) over `axis`; y_true is one-hot or a distribution.

    `from_logits`: y_pred is before the softmax. `label_smoothing` s: y becomes y (1 - s) + s / C.
    """
    y_true, y_pred = one_hot_pair(y_true, y_pred, axis, "categorical_crossentropy")
    y_true = smoothed(y_true, label_smoothing, axis)
    return -ops.sum(y_true * _log_probability(y_pred, from_logits, axis), axis=axis)


def one_hot_pair(y_true, y_pred, axis, name):
    """Both as tensors, the targets in the type of the predictions. ShapeMismatch if they differ,
    with a hint for class numbers; ValueError for an `axis` that is no int."""
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise ValueError(f"{name}: `axis` must be an int, got {axis!r}.")
    y_pred = ops.convert_to_tensor(y_pred)
    y_true = ops.cast(ops.convert_to_tensor(y_true), y_pred.dtype)
    try:
        check_same_shape(y_true, y_pred)
    except ShapeMismatch as error:
        if tuple(y_true.shape) in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1)):
            error.args = (
                f"{error} Class numbers go with 'sparse_categorical_crossentropy', or make them "
                "one-hot: keras.utils.to_categorical(y).",
            )
        raise
    return y_true, y_pred


def smoothed(y_true, label_smoothing, axis=None):
    """y (1 - s) + s / C for C classes along `axis`; None: for the two classes 0 and 1."""
    if not label_smoothing:
        return y_true
    classes = 2 if axis is None else y_true.shape[axis]
    return y_true * (1.0 - label_smoothing) + label_smoothing / classes


def sparse_categorical_crossentropy(y_true, y_pred, from_logits=False, ignore_class=None, axis=-1):
    """-log p of the class in y_true, which holds integers: (B, ...) against (B, ..., C).

    `ignore_class`: a label whose positions count as 0 (and are left out by a `Loss` object).
    """
    y_pred = ops.convert_to_tensor(y_pred)
    if isinstance(axis, bool) or axis not in (-1, len(y_pred.shape) - 1):
        raise ValueError(
            "sparse_categorical_crossentropy: expected the classes on the last axis, axis=-1, got "
            f"axis={axis}. Move it there first: ops.moveaxis(y_pred, {axis}, -1)."
        )
    y_true = class_ids(y_true, y_pred)
    if ignore_class is None:
        check_labels(y_true, y_pred.shape[-1], "sparse_categorical_crossentropy")
    ids = y_true
    if ignore_class is not None:
        valid = ops.not_equal(y_true, ignore_class)
        ids = ops.where(valid, y_true, ops.zeros_like(y_true))
    values = -ops.pick(_log_probability(y_pred, from_logits, -1), ids)
    if ignore_class is None:
        return values
    values = ops.where(valid, values, ops.zeros_like(values))
    values._keras_mask = valid
    return values


def check_labels(ids, classes, who):
    """ValueError for labels outside of [0, classes): now for arrays, else before each run."""
    if isinstance(ids, trace.Tensor):
        trace.check_range(ids, classes, who)
    elif isinstance(ids, np.ndarray) and not ((ids >= 0) & (ids < classes)).all():
        wrong = ids[(ids < 0) | (ids >= classes)][0]
        raise ValueError(f"Class numbers must lie in 0 .. {classes - 1}, got {wrong}.")


def class_ids(y_true, y_pred):
    """Integer labels of shape y_pred.shape[:-1]; (..., 1) is squeezed. ValueError otherwise."""
    y_true = ops.convert_to_tensor(y_true)
    if len(y_true.shape) == len(y_pred.shape) and y_true.shape[-1] == 1:
        y_true = ops.squeeze(y_true, -1)
    if tuple(y_true.shape) != tuple(y_pred.shape[:-1]):
        hint = ""
        if tuple(y_true.shape) == tuple(y_pred.shape):
            hint = " One-hot targets go with 'categorical_crossentropy', or take y.argmax(-1)."
        shapes = tuple(y_true.shape), tuple(y_pred.shape)
        error = ShapeMismatch(*shapes, shapes)
        error.args = (
            f"Class numbers of shape {tuple(y_true.shape)} don't fit predictions of shape "
            f"{tuple(y_pred.shape)}: expected {tuple(y_pred.shape[:-1])}, one integer for each "
            f"row of class probabilities.{hint}",
        )
        raise error
    return ops.cast(y_true, "int32")


def _log_probability(y_pred, from_logits, axis):
    if from_logits:
        return ops.log_softmax(y_pred, axis=axis)
    p = y_pred / ops.sum(y_pred, axis=axis, keepdims=True)
    return ops.log(ops.clip(p, epsilon(), 1.0 - epsilon()))


def categorical_hinge(y_true, y_pred):
    """max(1 + largest wrong score - right score, 0) for one-hot y_true."""
    y_true, y_pred = match(y_true, y_pred)
    right = ops.sum(y_true * y_pred, axis=-1)
    wrong = ops.max((1.0 - y_true) * y_pred, axis=-1)
    return ops.maximum(wrong - right + 1.0, 0.0)


def automatic_crossentropy(y_true, y_pred):
    """What 'crossentropy' means for targets and predictions of these shapes."""
    crossentropies = binary_crossentropy, sparse_categorical_crossentropy, categorical_crossentropy
    return by_shapes(y_true, y_pred, *crossentropies)


def by_shapes(y_true, y_pred, binary, sparse, categorical):
    """The function for a single prediction, for class numbers, or for one-hot targets."""
    target, prediction = y_true.shape, y_pred.shape
    if prediction[-1] == 1:
        return binary(y_true, y_pred)
    if len(target) < len(prediction) or target[-1] == 1:
        return sparse(y_true, y_pred)
    return categorical(y_true, y_pred)
