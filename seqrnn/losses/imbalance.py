"""Losses for classes of unequal size, and for labels that are partly wrong.

eps = config.epsilon(); p are probabilities, y labels 0 and 1 or one-hot:

    binary_focal_crossentropy       mean((1 - p_t)^gamma bce),  p_t = y p + (1 - y) (1 - p)
    categorical_focal_crossentropy  -sum(alpha (1 - p)^gamma y log p),  p divided by its sum first
        (T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollar 2017, Focal Loss for Dense Object
        Detection)
    dice      1 - 2 sum(y p) / (sum y + sum p + eps)
        (F. Milletari, N. Navab, S.-A. Ahmadi 2016, V-Net)
    tversky   1 - sum(y p) / (sum(y p) + alpha sum(y (1 - p)) + beta sum(p (1 - y)) + eps)
        (S. Salehi, D. Erdogmus, A. Gholipour 2017, Tversky loss function for image segmentation;
        alpha goes with the missed labels, as in Keras)
    categorical_generalized_cross_entropy   (1 - p[y]^q) / q
        (Z. Zhang, M. Sabuncu 2018, Generalized Cross Entropy Loss for Training Deep Neural
        Networks with Noisy Labels)
"""

from seqrnn import ops
from seqrnn.config import epsilon
from seqrnn.losses.functions import (
    binary_crossentropy,
    check_labels,
    class_ids,
    match,
    one_hot_pair,
    smoothed,
)


def binary_focal_crossentropy(
    y_true,
    y_pred,
    apply_class_balancing=False,
    alpha=0.25,
    gamma=2.0,
    from_logits=False,
    label_smoothing=0.0,
    axis=-1,
):
    """Crossentropy of labels 0 and 1, times (1 - p_t)^gamma: sure and right ones count less.

    (B, ..., C) -> (B, ...), the mean over `axis`. p_t is the probability given to the label.
    `apply_class_balancing`: also times alpha for label 1 and 1 - alpha for 0. `from_logits`:
    y_pred is before the sigmoid. `label_smoothing` s: y becomes y (1 - s) + s / 2.
    """
    y_true, y_pred = match(y_true, y_pred)
    y_true = smoothed(y_true, label_smoothing)
    p = ops.sigmoid(y_pred) if from_logits else y_pred
    crossentropy = binary_crossentropy(
        ops.expand_dims(y_true, -1), ops.expand_dims(p, -1)
    )  # of each element
    right = y_true * p + (1.0 - y_true) * (1.0 - p)
    values = ops.power(1.0 - right, gamma) * crossentropy
    if apply_class_balancing:
        values = values * (y_true * alpha + (1.0 - y_true) * (1.0 - alpha))
    return ops.mean(values, axis=axis)


def categorical_focal_crossentropy(
    y_true, y_pred, alpha=0.25, gamma=2.0, from_logits=False, label_smoothing=0.0, axis=-1
):
    """Crossentropy of one-hot labels, times alpha (1 - p)^gamma: sure and right ones count less.

    The sum over `axis`. `alpha` is a number or one per class. `from_logits`: y_pred is before the
    softmax. `label_smoothing` s: y becomes y (1 - s) + s / C.
    """
    y_true, y_pred = one_hot_pair(y_true, y_pred, axis, "categorical_focal_crossentropy")
    y_true = smoothed(y_true, label_smoothing, axis)
    p = ops.softmax(y_pred, axis=axis) if from_logits else y_pred
    p = ops.clip(p / ops.sum(p, axis=axis, keepdims=True), epsilon(), 1.0 - epsilon())
    focus = ops.power(1.0 - p, gamma) * ops.convert_to_tensor(alpha, dtype=p.dtype)
    return -ops.sum(focus * y_true * ops.log(p), axis=axis)


def dice(y_true, y_pred, axis=None):
    """1 - 2 sum(y p) / (sum y + sum p): 0 where targets and predictions cover each other.

    Sums are over `axis`; None: over everything, which gives a scalar.
    """
    y_true, y_pred = match(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    return 1.0 - 2.0 * both / (ops.sum(y_true, axis=axis) + ops.sum(y_pred, axis=axis) + epsilon())


def tversky(y_true, y_pred, alpha=0.5, beta=0.5, axis=None):
    """`dice` with weights: alpha for labels that are missed, beta for predictions without one.

    alpha = beta = 0.5 is `dice`. Sums are over `axis`; None: over everything, which gives a scalar.
    """
    y_true, y_pred = match(y_true, y_pred)
    both = ops.sum(y_true * y_pred, axis=axis)
    missed = ops.sum(y_true * (1.0 - y_pred), axis=axis)
    extra = ops.sum(y_pred * (1.0 - y_true), axis=axis)
    return 1.0 - both / (both + alpha * missed + beta * extra + epsilon())


def categorical_generalized_cross_entropy(y_true, y_pred, q):
    """(1 - p^q) / q for the probability p of the class in y_true: (B, ...) ids, (B, ..., C).

    Between the crossentropy (q near 0) and the absolute error (q = 1), so wrong labels weigh less.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    ids = class_ids(y_true, y_pred)
    check_labels(ids, y_pred.shape[-1], "categorical_generalized_cross_entropy")
    return (1.0 - ops.power(ops.pick(y_pred, ids), q)) / q
