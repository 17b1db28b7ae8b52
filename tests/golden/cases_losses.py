"""Losses: value, gradient by the prediction, reductions, sample weights, masks, values per row."""

import numpy as np
from golden_builders import (
    fixed,
    integers,
    mask_pattern,
    model_case,
    normal,
    one_hot,
    probabilities,
    uniform,
)
from golden_case import CallCase

B, T, C = 5, 4, 3


def _predictions(activation, shape, masked):
    """A model whose output is `activation` of a table: gradients reach the prediction directly."""

    def build(k):
        positions = shape[1:-1] or (1,)
        ids = k.Input(shape=positions, dtype="int32")
        rows = 1 + int(np.prod(shape[:-1]))
        value = k.layers.Embedding(rows, shape[-1], mask_zero=masked)(ids)
        if len(shape) == 2:
            value = k.layers.Flatten()(value)
        return k.Model(ids, k.layers.Activation(activation)(value))

    return build


def _case(name, loss, target, shape=(B, C), activation="linear", mask=None, **options):
    positions = shape[:-1] if len(shape) > 2 else (shape[0], 1)
    ids = 1 + np.arange(np.prod(positions), dtype=np.int32).reshape(positions)
    if mask:
        ids = ids * mask_pattern(mask, *positions)
    build = _predictions(activation, shape, mask is not None)
    return model_case(name, build, [fixed(ids)], target=target, loss=loss, **options)


def _of(class_name, **arguments):
    return lambda k: getattr(k.losses, class_name)(**arguments)


def own_loss(k):
    """A loss that a user wrote, one value per row."""

    def pinball(y_true, y_pred):
        error = y_true - y_pred
        return k.ops.mean(k.ops.maximum(0.7 * error, -0.3 * error), axis=-1)

    return pinball


def library_function(k):
    return k.losses.mean_squared_error


SEQUENCE = (B, T, C)

REGRESSION = (
    [
        _case(f"{name}_{rank}", loss, normal(*shape), shape)
        for rank, shape in [("2d", (B, C)), ("3d", SEQUENCE)]
        for name, loss in [
            ("mse", _of("MeanSquaredError")),
            ("mae", _of("MeanAbsoluteError")),
            ("huber", _of("Huber")),
            ("huber_delta", _of("Huber", delta=0.4)),
            ("own_loss", own_loss),
            ("library_function", library_function),
        ]
    ]
    + [
        _case(f"string_{name}", lambda k, name=name: name, normal(B, C))
        for name in ("mse", "mae", "huber", "mean_squared_error", "mean_absolute_error", "MSE")
    ]
    + [
        _case("target_without_last_axis", _of("MeanSquaredError"), normal(B), (B, 1)),
        _case("target_with_extra_axis", _of("MeanAbsoluteError"), normal(B, 1), (B, 1)),
        _case(
            "sequence_target_without_last_axis", _of("MeanSquaredError"), normal(B, T), (B, T, 1)
        ),
        _case("integer_target", _of("MeanSquaredError"), integers(3, B, C)),
    ]
)

CLASSIFICATION = [
    _case("bce", _of("BinaryCrossentropy"), integers(2, B, 1), (B, 1), "sigmoid"),
    _case("bce_many", _of("BinaryCrossentropy"), integers(2, B, C), (B, C), "sigmoid"),
    _case("bce_soft", _of("BinaryCrossentropy"), uniform(0, 1, B, C), (B, C), "sigmoid"),
    _case("bce_logits", _of("BinaryCrossentropy", from_logits=True), integers(2, B, C)),
    _case(
        "bce_smooth",
        _of("BinaryCrossentropy", label_smoothing=0.2),
        integers(2, B, C),
        activation="sigmoid",
    ),
    _case(
        "bce_logits_smooth",
        _of("BinaryCrossentropy", from_logits=True, label_smoothing=0.2),
        integers(2, B, C),
    ),
    _case("bce_sequence", _of("BinaryCrossentropy"), integers(2, B, T, 1), (B, T, 1), "sigmoid"),
    _case("bce_flat_target", _of("BinaryCrossentropy"), integers(2, B), (B, 1), "sigmoid"),
    _case("cce", _of("CategoricalCrossentropy"), one_hot(C, B), activation="softmax"),
    _case("cce_soft", _of("CategoricalCrossentropy"), probabilities(B, C), activation="softmax"),
    _case(
        "cce_not_normalised", _of("CategoricalCrossentropy"), one_hot(C, B), activation="sigmoid"
    ),
    _case("cce_logits", _of("CategoricalCrossentropy", from_logits=True), one_hot(C, B)),
    _case(
        "cce_smooth",
        _of("CategoricalCrossentropy", label_smoothing=0.1),
        one_hot(C, B),
        activation="softmax",
    ),
    _case(
        "cce_logits_smooth",
        _of("CategoricalCrossentropy", from_logits=True, label_smoothing=0.1),
        one_hot(C, B),
    ),
    _case("cce_sequence", _of("CategoricalCrossentropy"), one_hot(C, B, T), SEQUENCE, "softmax"),
    _case("scce", _of("SparseCategoricalCrossentropy"), integers(C, B), activation="softmax"),
    _case(
        "scce_column", _of("SparseCategoricalCrossentropy"), integers(C, B, 1), activation="softmax"
    ),
    _case("scce_logits", _of("SparseCategoricalCrossentropy", from_logits=True), integers(C, B)),
    _case(
        "scce_sequence",
        _of("SparseCategoricalCrossentropy"),
        integers(C, B, T),
        SEQUENCE,
        "softmax",
    ),
    _case(
        "scce_logits_sequence",
        _of("SparseCategoricalCrossentropy", from_logits=True),
        integers(C, B, T),
        SEQUENCE,
    ),
    _case(
        "scce_ignore_class",
        _of("SparseCategoricalCrossentropy", from_logits=True, ignore_class=0),
        integers(C, B, T),
        SEQUENCE,
    ),
    *[
        _case(f"string_{name}", lambda k, name=name: name, target, (B, C), activation)
        for name, target, activation in [
            ("binary_crossentropy", integers(2, B, C), "sigmoid"),
            ("categorical_crossentropy", one_hot(C, B), "softmax"),
            ("sparse_categorical_crossentropy", integers(C, B), "softmax"),
        ]
    ],
]


def _row_weights(rng):
    return np.array([0.5, 2.0, 0.0, 1.0, 1.5], np.float32)


def _step_weights(rng):
    return rng.choice(np.array([0.0, 0.5, 1.0, 2.0], np.float32), size=(B, T))


REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight"]

WEIGHTED = [
    _case(
        f"mse_{reduction}{suffix}",
        _of("MeanSquaredError", reduction=reduction),
        normal(*shape),
        shape,
        sample_weight=weight,
    )
    for reduction in REDUCTIONS
    for suffix, shape, weight in [
        ("", (B, C), None),
        ("_row_weights", (B, C), _row_weights),
        ("_3d", SEQUENCE, None),
        ("_step_weights", SEQUENCE, _step_weights),
    ]
] + [
    _case("huber_row_weights", _of("Huber"), normal(B, C), sample_weight=_row_weights),
    _case(
        "scce_row_weights",
        _of("SparseCategoricalCrossentropy", from_logits=True),
        integers(C, B),
        sample_weight=_row_weights,
    ),
    _case(
        "scce_step_weights",
        _of("SparseCategoricalCrossentropy", from_logits=True),
        integers(C, B, T),
        SEQUENCE,
        sample_weight=_step_weights,
    ),
]

MASKED = [
    _case(f"mse_mask_{mask}", _of("MeanSquaredError"), normal(*SEQUENCE), SEQUENCE, mask=mask)
    for mask in ("right", "left", "gaps", "empty_row")
] + [
    _case(
        "mse_mask_sum",
        _of("MeanSquaredError", reduction="sum"),
        normal(*SEQUENCE),
        SEQUENCE,
        mask="gaps",
    ),
    _case(
        "mse_mask_step_weights",
        _of("MeanSquaredError"),
        normal(*SEQUENCE),
        SEQUENCE,
        mask="gaps",
        sample_weight=_step_weights,
    ),
    _case(
        "mae_mask_one_feature", _of("MeanAbsoluteError"), normal(B, T, 1), (B, T, 1), mask="right"
    ),
    _case(
        "scce_mask",
        _of("SparseCategoricalCrossentropy"),
        integers(C, B, T),
        SEQUENCE,
        "softmax",
        mask="right",
    ),
    _case(
        "cce_mask",
        _of("CategoricalCrossentropy", from_logits=True),
        one_hot(C, B, T),
        SEQUENCE,
        mask="right",
    ),
    _case(
        "bce_mask",
        _of("BinaryCrossentropy"),
        integers(2, B, T, 1),
        (B, T, 1),
        "sigmoid",
        mask="gaps",
    ),
]


def _values(name, call, *inputs):
    return CallCase(f"values_{name}", call, inputs)


# Losses called on arrays: as functions, and as objects without reduction.
CALLS = (
    [
        _values(
            name,
            lambda k, y, p, name=name: getattr(k.losses, name)(y, p),
            normal(*SEQUENCE),
            normal(*SEQUENCE),
        )
        for name in ("mean_squared_error", "mean_absolute_error", "huber")
    ]
    + [
        _values(
            f"unreduced_{class_name}",
            lambda k, y, p, c=class_name: getattr(k.losses, c)(reduction=None)(y, p),
            normal(*SEQUENCE),
            normal(*SEQUENCE),
        )
        for class_name in ("MeanSquaredError", "MeanAbsoluteError", "Huber")
    ]
    + [
        _values(
            "object_with_weights",
            lambda k, y, p, w: k.losses.MeanSquaredError()(y, p, sample_weight=w),
            normal(B, C),
            normal(B, C),
            _row_weights,
        ),
        _values(
            "metric_name",
            lambda k, y, p: k.metrics.mean_squared_error(y, p),
            normal(B, T),
            normal(B, T),
        ),
        _values(
            "binary_crossentropy",
            lambda k, y, p: k.losses.binary_crossentropy(y, p),
            uniform(0, 1, B, C),
            uniform(0, 1, B, C),
        ),
        # Certain and wrong, where probabilities are clipped. Not at 1 - 1e-7, which float32 lacks.
        _values(
            "binary_crossentropy_clipped",
            lambda k, y, p: k.losses.binary_crossentropy(y, p),
            fixed(np.array([[1.0], [0.5]], np.float32)),
            fixed(np.array([[0.0], [0.0]], np.float32)),
        ),
        _values(
            "categorical_crossentropy",
            lambda k, y, p: k.losses.categorical_crossentropy(y, p),
            one_hot(C, B, T),
            probabilities(B, T, C),
        ),
        _values(
            "sparse_categorical_crossentropy",
            lambda k, y, p: k.losses.sparse_categorical_crossentropy(y, p),
            integers(C, B, T),
            probabilities(B, T, C),
        ),
        _values(
            "sparse_categorical_crossentropy_logits",
            lambda k, y, p: k.losses.sparse_categorical_crossentropy(y, p, from_logits=True),
            integers(C, B, T),
            normal(B, T, C),
        ),
    ]
)

CASES = [*REGRESSION, *CLASSIFICATION, *WEIGHTED, *MASKED, *CALLS]
