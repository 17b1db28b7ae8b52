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


def loss_case(name, loss, target, shape=(B, C), activation="linear", mask=None, **options):
    positions = shape[:-1] if len(shape) > 2 else (shape[0], 1)
    ids = 1 + np.arange(np.prod(positions), dtype=np.int32).reshape(positions)
    if mask:
        ids = ids * mask_pattern(mask, *positions)
    build = _predictions(activation, shape, mask is not None)
    return model_case(name, build, [fixed(ids)], target=target, loss=loss, **options)


def loss_class(class_name, **arguments):
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
        loss_case(f"{name}_{rank}", loss, normal(*shape), shape)
        for rank, shape in [("2d", (B, C)), ("3d", SEQUENCE)]
        for name, loss in [
            ("mse", loss_class("MeanSquaredError")),
            ("mae", loss_class("MeanAbsoluteError")),
            ("huber", loss_class("Huber")),
            ("huber_delta", loss_class("Huber", delta=0.4)),
            ("own_loss", own_loss),
            ("library_function", library_function),
        ]
    ]
    + [
        loss_case(f"string_{name}", lambda k, name=name: name, normal(B, C))
        for name in ("mse", "mae", "huber", "mean_squared_error", "mean_absolute_error", "MSE")
    ]
    + [
        loss_case("target_without_last_axis", loss_class("MeanSquaredError"), normal(B), (B, 1)),
        loss_case("target_with_extra_axis", loss_class("MeanAbsoluteError"), normal(B, 1), (B, 1)),
        loss_case(
            "sequence_target_without_last_axis",
            loss_class("MeanSquaredError"),
            normal(B, T),
            (B, T, 1),
        ),
        loss_case("integer_target", loss_class("MeanSquaredError"), integers(3, B, C)),
    ]
)

CLASSIFICATION = [
    loss_case("bce", loss_class("BinaryCrossentropy"), integers(2, B, 1), (B, 1), "sigmoid"),
    loss_case("bce_many", loss_class("BinaryCrossentropy"), integers(2, B, C), (B, C), "sigmoid"),
    loss_case("bce_soft", loss_class("BinaryCrossentropy"), uniform(0, 1, B, C), (B, C), "sigmoid"),
    loss_case("bce_logits", loss_class("BinaryCrossentropy", from_logits=True), integers(2, B, C)),
    loss_case(
        "bce_smooth",
        loss_class("BinaryCrossentropy", label_smoothing=0.2),
        integers(2, B, C),
        activation="sigmoid",
    ),
    loss_case(
        "bce_logits_smooth",
        loss_class("BinaryCrossentropy", from_logits=True, label_smoothing=0.2),
        integers(2, B, C),
    ),
    loss_case(
        "bce_sequence", loss_class("BinaryCrossentropy"), integers(2, B, T, 1), (B, T, 1), "sigmoid"
    ),
    loss_case(
        "bce_flat_target", loss_class("BinaryCrossentropy"), integers(2, B), (B, 1), "sigmoid"
    ),
    loss_case("cce", loss_class("CategoricalCrossentropy"), one_hot(C, B), activation="softmax"),
    loss_case(
        "cce_soft", loss_class("CategoricalCrossentropy"), probabilities(B, C), activation="softmax"
    ),
    loss_case(
        "cce_not_normalised",
        loss_class("CategoricalCrossentropy"),
        one_hot(C, B),
        activation="sigmoid",
    ),
    loss_case("cce_logits", loss_class("CategoricalCrossentropy", from_logits=True), one_hot(C, B)),
    loss_case(
        "cce_smooth",
        loss_class("CategoricalCrossentropy", label_smoothing=0.1),
        one_hot(C, B),
        activation="softmax",
    ),
    loss_case(
        "cce_logits_smooth",
        loss_class("CategoricalCrossentropy", from_logits=True, label_smoothing=0.1),
        one_hot(C, B),
    ),
    loss_case(
        "cce_sequence", loss_class("CategoricalCrossentropy"), one_hot(C, B, T), SEQUENCE, "softmax"
    ),
    loss_case(
        "scce", loss_class("SparseCategoricalCrossentropy"), integers(C, B), activation="softmax"
    ),
    loss_case(
        "scce_column",
        loss_class("SparseCategoricalCrossentropy"),
        integers(C, B, 1),
        activation="softmax",
    ),
    loss_case(
        "scce_logits", loss_class("SparseCategoricalCrossentropy", from_logits=True), integers(C, B)
    ),
    loss_case(
        "scce_sequence",
        loss_class("SparseCategoricalCrossentropy"),
        integers(C, B, T),
        SEQUENCE,
        "softmax",
    ),
    loss_case(
        "scce_logits_sequence",
        loss_class("SparseCategoricalCrossentropy", from_logits=True),
        integers(C, B, T),
        SEQUENCE,
    ),
    loss_case(
        "scce_ignore_class",
        loss_class("SparseCategoricalCrossentropy", from_logits=True, ignore_class=0),
        integers(C, B, T),
        SEQUENCE,
    ),
    *[
        loss_case(f"string_{name}", lambda k, name=name: name, target, (B, C), activation)
        for name, target, activation in [
            ("binary_crossentropy", integers(2, B, C), "sigmoid"),
            ("categorical_crossentropy", one_hot(C, B), "softmax"),
            ("sparse_categorical_crossentropy", integers(C, B), "softmax"),
        ]
    ],
]


def row_weights(rng):
    return np.array([0.5, 2.0, 0.0, 1.0, 1.5], np.float32)


def step_weights(rng):
    return rng.choice(np.array([0.0, 0.5, 1.0, 2.0], np.float32), size=(B, T))


REDUCTIONS = ["sum_over_batch_size", "sum", "mean", "mean_with_sample_weight"]

WEIGHTED = [
    loss_case(
        f"mse_{reduction}{suffix}",
        loss_class("MeanSquaredError", reduction=reduction),
        normal(*shape),
        shape,
        sample_weight=weight,
    )
    for reduction in REDUCTIONS
    for suffix, shape, weight in [
        ("", (B, C), None),
        ("_row_weights", (B, C), row_weights),
        ("_3d", SEQUENCE, None),
        ("_step_weights", SEQUENCE, step_weights),
    ]
] + [
    loss_case("huber_row_weights", loss_class("Huber"), normal(B, C), sample_weight=row_weights),
    loss_case(
        "scce_row_weights",
        loss_class("SparseCategoricalCrossentropy", from_logits=True),
        integers(C, B),
        sample_weight=row_weights,
    ),
    loss_case(
        "scce_step_weights",
        loss_class("SparseCategoricalCrossentropy", from_logits=True),
        integers(C, B, T),
        SEQUENCE,
        sample_weight=step_weights,
    ),
]

MASKED = [
    loss_case(
        f"mse_mask_{mask}", loss_class("MeanSquaredError"), normal(*SEQUENCE), SEQUENCE, mask=mask
    )
    for mask in ("right", "left", "gaps", "empty_row")
] + [
    loss_case(
        "mse_mask_sum",
        loss_class("MeanSquaredError", reduction="sum"),
        normal(*SEQUENCE),
        SEQUENCE,
        mask="gaps",
    ),
    loss_case(
        "mse_mask_step_weights",
        loss_class("MeanSquaredError"),
        normal(*SEQUENCE),
        SEQUENCE,
        mask="gaps",
        sample_weight=step_weights,
    ),
    loss_case(
        "mae_mask_one_feature",
        loss_class("MeanAbsoluteError"),
        normal(B, T, 1),
        (B, T, 1),
        mask="right",
    ),
    loss_case(
        "scce_mask",
        loss_class("SparseCategoricalCrossentropy"),
        integers(C, B, T),
        SEQUENCE,
        "softmax",
        mask="right",
    ),
    loss_case(
        "cce_mask",
        loss_class("CategoricalCrossentropy", from_logits=True),
        one_hot(C, B, T),
        SEQUENCE,
        mask="right",
    ),
    loss_case(
        "bce_mask",
        loss_class("BinaryCrossentropy"),
        integers(2, B, T, 1),
        (B, T, 1),
        "sigmoid",
        mask="gaps",
    ),
]


def loss_values(name, call, *inputs):
    return CallCase(f"values_{name}", call, inputs)


# Losses called on arrays: as functions, and as objects without reduction.
CALLS = (
    [
        loss_values(
            name,
            lambda k, y, p, name=name: getattr(k.losses, name)(y, p),
            normal(*SEQUENCE),
            normal(*SEQUENCE),
        )
        for name in ("mean_squared_error", "mean_absolute_error", "huber")
    ]
    + [
        loss_values(
            f"unreduced_{class_name}",
            lambda k, y, p, c=class_name: getattr(k.losses, c)(reduction=None)(y, p),
            normal(*SEQUENCE),
            normal(*SEQUENCE),
        )
        for class_name in ("MeanSquaredError", "MeanAbsoluteError", "Huber")
    ]
    + [
        loss_values(
            "object_with_weights",
            lambda k, y, p, w: k.losses.MeanSquaredError()(y, p, sample_weight=w),
            normal(B, C),
            normal(B, C),
            row_weights,
        ),
        loss_values(
            "metric_name",
            lambda k, y, p: k.metrics.mean_squared_error(y, p),
            normal(B, T),
            normal(B, T),
        ),
        loss_values(
            "binary_crossentropy",
            lambda k, y, p: k.losses.binary_crossentropy(y, p),
            uniform(0, 1, B, C),
            uniform(0, 1, B, C),
        ),
        # Certain and wrong, where probabilities are clipped. Not at 1 - 1e-7, which float32 lacks.
        loss_values(
            "binary_crossentropy_clipped",
            lambda k, y, p: k.losses.binary_crossentropy(y, p),
            fixed(np.array([[1.0], [0.5]], np.float32)),
            fixed(np.array([[0.0], [0.0]], np.float32)),
        ),
        loss_values(
            "categorical_crossentropy",
            lambda k, y, p: k.losses.categorical_crossentropy(y, p),
            one_hot(C, B, T),
            probabilities(B, T, C),
        ),
        loss_values(
            "sparse_categorical_crossentropy",
            lambda k, y, p: k.losses.sparse_categorical_crossentropy(y, p),
            integers(C, B, T),
            probabilities(B, T, C),
        ),
        loss_values(
            "sparse_categorical_crossentropy_logits",
            lambda k, y, p: k.losses.sparse_categorical_crossentropy(y, p, from_logits=True),
            integers(C, B, T),
            normal(B, T, C),
        ),
    ]
)


def signs(*shape):
    return lambda rng: 2.0 * integers(2, *shape)(rng).astype(np.float32) - 1.0


# Every other loss: (name, class, arguments, targets, shape, activation of the predictions).
OTHERS = [
    ("mape", "MeanAbsolutePercentageError", {}, normal, "linear"),
    ("msle", "MeanSquaredLogarithmicError", {}, lambda *s: uniform(0, 3, *s), "softplus"),
    ("log_cosh", "LogCosh", {}, normal, "linear"),
    ("kld", "KLDivergence", {}, probabilities, "softmax"),
    ("poisson", "Poisson", {}, lambda *s: integers(5, *s), "softplus"),
    ("cosine", "CosineSimilarity", {}, normal, "linear"),
    ("cosine_axis", "CosineSimilarity", {"axis": 1}, normal, "linear"),
    ("hinge", "Hinge", {}, signs, "linear"),
    ("hinge_zeros", "Hinge", {}, lambda *s: integers(2, *s), "linear"),
    ("squared_hinge", "SquaredHinge", {}, signs, "linear"),
    ("squared_hinge_zeros", "SquaredHinge", {}, lambda *s: integers(2, *s), "linear"),
    ("categorical_hinge", "CategoricalHinge", {}, lambda *s: one_hot(s[-1], *s[:-1]), "linear"),
    ("focal", "BinaryFocalCrossentropy", {}, lambda *s: integers(2, *s), "sigmoid"),
    (
        "focal_balanced",
        "BinaryFocalCrossentropy",
        {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5},
        lambda *s: integers(2, *s),
        "sigmoid",
    ),
    (
        "focal_logits",
        "BinaryFocalCrossentropy",
        {"from_logits": True, "label_smoothing": 0.2},
        lambda *s: integers(2, *s),
        "linear",
    ),
    (
        "categorical_focal",
        "CategoricalFocalCrossentropy",
        {},
        lambda *s: one_hot(s[-1], *s[:-1]),
        "softmax",
    ),
    (
        "categorical_focal_classes",
        "CategoricalFocalCrossentropy",
        {"alpha": [0.2, 0.5, 0.3], "gamma": 3.0, "label_smoothing": 0.1},
        lambda *s: one_hot(s[-1], *s[:-1]),
        "sigmoid",
    ),
    (
        "categorical_focal_logits",
        "CategoricalFocalCrossentropy",
        {"from_logits": True},
        lambda *s: one_hot(s[-1], *s[:-1]),
        "linear",
    ),
    (
        "generalized",
        "CategoricalGeneralizedCrossEntropy",
        {"q": 0.7},
        lambda *s: integers(s[-1], *s[:-1]),
        "softmax",
    ),
    ("dice", "Dice", {}, lambda *s: integers(2, *s), "sigmoid"),
    ("dice_axis", "Dice", {"axis": 1}, lambda *s: integers(2, *s), "sigmoid"),
    ("tversky", "Tversky", {}, lambda *s: integers(2, *s), "sigmoid"),
    (
        "tversky_weights",
        "Tversky",
        {"alpha": 0.3, "beta": 0.8, "axis": [-1]},
        lambda *s: integers(2, *s),
        "sigmoid",
    ),
]

REST = [
    loss_case(
        f"{name}_{len(shape)}d", loss_class(cls, **arguments), target(*shape), shape, activation
    )
    for name, cls, arguments, target, activation in OTHERS
    for shape in [(B, C), SEQUENCE]
]


def _labels(rng):
    """Labels of unequal length, with equal neighbours, padded with the blank 0."""
    return np.array([[1, 2, 2], [3, 0, 0], [1, 1, 0], [0, 0, 0], [4, 3, 4]], np.int32)


def _unit_rows(*shape):
    def draw(rng):
        rows = rng.normal(size=shape)
        return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)

    return draw


PAIRS = (
    [
        loss_case("ctc", loss_class("CTC"), _labels, (B, 7, 5)),
        loss_case("ctc_sum", loss_class("CTC", reduction="sum"), _labels, (B, 7, 5)),
        loss_case("ctc_weights", loss_class("CTC"), _labels, (B, 7, 5), sample_weight=row_weights),
        loss_values("ctc", lambda k, y, p: k.losses.ctc(y, p), _labels, normal(B, 9, 5)),
    ]
    + [
        loss_values(
            f"circle_{name}",
            lambda k, y, p, a=arguments: k.losses.circle(y, p, **a),
            integers(3, 8, 1),
            _unit_rows(8, 4),
        )
        for name, arguments in [
            ("default", {}),
            ("soft", {"gamma": 5, "margin": 0.2}),
            ("diagonal", {"gamma": 8, "remove_diagonal": False}),
        ]
    ]
    + [
        loss_values(
            "circle_references",
            lambda k, y, p, r, e: k.losses.circle(y, p, r, e, remove_diagonal=False, gamma=10),
            integers(3, 6),
            _unit_rows(6, 4),
            integers(3, 9),
            _unit_rows(9, 4),
        ),
        loss_case(
            "circle", loss_class("Circle", gamma=6.0), lambda rng: np.array([0, 1, 0, 1, 2]), (B, C)
        ),
    ]
)

CASES = [*REGRESSION, *CLASSIFICATION, *WEIGHTED, *MASKED, *CALLS, *REST, *PAIRS]
