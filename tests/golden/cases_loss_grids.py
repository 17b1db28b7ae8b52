"""Losses by reduction, weights and masks together; losses as functions; automatic crossentropy."""

from cases_losses import (
    REDUCTIONS,
    SEQUENCE,
    B,
    C,
    T,
    loss_case,
    loss_class,
    loss_values,
    own_loss,
    row_weights,
    step_weights,
)
from golden_builders import (
    integers,
    normal,
    one_hot,
    probabilities,
    uniform,
)
from golden_case import CallCase

# reduction x weights x loss, on arrays.
GRID = [
    (
        "mse",
        loss_class("MeanSquaredError"),
        normal(*SEQUENCE),
        normal(*SEQUENCE),
    ),
    ("huber", loss_class("Huber", delta=0.5), normal(*SEQUENCE), normal(*SEQUENCE)),
    ("cosine", loss_class("CosineSimilarity"), normal(*SEQUENCE), normal(*SEQUENCE)),
    ("bce", loss_class("BinaryCrossentropy"), integers(2, *SEQUENCE), uniform(0, 1, *SEQUENCE)),
    ("cce", loss_class("CategoricalCrossentropy"), one_hot(C, B, T), probabilities(*SEQUENCE)),
    (
        "scce",
        loss_class("SparseCategoricalCrossentropy", from_logits=True),
        integers(C, B, T),
        normal(*SEQUENCE),
    ),
    (
        "scce_ignore",
        loss_class("SparseCategoricalCrossentropy", from_logits=True, ignore_class=1),
        integers(C, B, T),
        normal(*SEQUENCE),
    ),
    (
        "focal",
        loss_class("BinaryFocalCrossentropy"),
        integers(2, *SEQUENCE),
        uniform(0, 1, *SEQUENCE),
    ),
]


def _reduced(loss, reduction):
    def call(k, y, p, *weight):
        made = loss(k)
        made.reduction = reduction
        return made(y, p, *weight)

    return call


GRIDDED = [
    CallCase(f"grid_{name}_{reduction}{suffix}", _reduced(loss, reduction), [y, p, *weight])
    for name, loss, y, p in GRID
    for reduction in [*REDUCTIONS, "none"]
    for suffix, weight in [("", []), ("_step_weights", [step_weights])]
]

MORE_MASKS = [
    loss_case(
        f"mask_{name}_{reduction}{suffix}",
        loss_class(cls, reduction=reduction, **arguments),
        target,
        SEQUENCE,
        mask="gaps",
        **weights,
    )
    for name, cls, arguments, target in [
        ("log_cosh", "LogCosh", {}, normal(*SEQUENCE)),
        ("bce", "BinaryCrossentropy", {"from_logits": True}, integers(2, *SEQUENCE)),
        ("scce", "SparseCategoricalCrossentropy", {"from_logits": True}, integers(C, B, T)),
        (
            "scce_ignore",
            "SparseCategoricalCrossentropy",
            {"from_logits": True, "ignore_class": 1},
            integers(C, B, T),
        ),
    ]
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight")
    for suffix, weights in [("", {}), ("_step_weights", {"sample_weight": step_weights})]
]

# One value per row where the targets lack the last axis: weights per row count for their row.
COLUMNS = [
    loss_case(
        f"column_{name}_row_weights",
        loss_class(cls),
        target,
        (B, 1),
        activation,
        sample_weight=row_weights,
    )
    for name, cls, target, activation in [
        ("mse", "MeanSquaredError", normal(B), "linear"),
        ("mae", "MeanAbsoluteError", normal(B), "linear"),
        ("bce", "BinaryCrossentropy", integers(2, B), "sigmoid"),
    ]
] + [
    loss_case(
        "column_own_loss_row_weights",
        own_loss,
        normal(B),
        (B, 1),
        sample_weight=row_weights,
    ),
    loss_values(
        "column_function",
        lambda k, y, p: k.losses.mean_squared_error(y, p),
        normal(B),
        normal(B, 1),
    ),
    loss_values(
        "column_target",
        lambda k, y, p: k.losses.mean_absolute_error(y, p),
        normal(B, 1),
        normal(B),
    ),
]

FUNCTIONS = [
    loss_values(name, lambda k, y, p, n=name: getattr(k.losses, n)(y, p), y, p)
    for name, y, p in [
        ("mean_absolute_percentage_error", normal(*SEQUENCE), normal(*SEQUENCE)),
        ("mean_squared_logarithmic_error", uniform(0, 2, *SEQUENCE), uniform(0, 2, *SEQUENCE)),
        ("log_cosh", normal(*SEQUENCE), normal(*SEQUENCE)),
        ("kl_divergence", probabilities(*SEQUENCE), probabilities(*SEQUENCE)),
        ("poisson", integers(4, *SEQUENCE), uniform(0.1, 2, *SEQUENCE)),
        ("cosine_similarity", normal(*SEQUENCE), normal(*SEQUENCE)),
        ("hinge", integers(2, *SEQUENCE), normal(*SEQUENCE)),
        ("squared_hinge", integers(2, *SEQUENCE), normal(*SEQUENCE)),
        ("categorical_hinge", one_hot(C, B, T), normal(*SEQUENCE)),
        ("binary_focal_crossentropy", integers(2, *SEQUENCE), uniform(0, 1, *SEQUENCE)),
        ("categorical_focal_crossentropy", one_hot(C, B, T), probabilities(*SEQUENCE)),
        ("dice", integers(2, *SEQUENCE), uniform(0, 1, *SEQUENCE)),
        ("tversky", integers(2, *SEQUENCE), uniform(0, 1, *SEQUENCE)),
    ]
]

CROSSENTROPY = [
    loss_case(f"automatic_{name}", lambda k, word=word: word, target, shape, activation)
    for name, word, target, shape, activation in [
        ("binary", "crossentropy", integers(2, B, 1), (B, 1), "sigmoid"),
        ("sparse", "ce", integers(C, B), (B, C), "softmax"),
        ("sparse_column", "CE", integers(C, B, 1), (B, C), "softmax"),
        ("categorical", "crossentropy", one_hot(C, B), (B, C), "softmax"),
    ]
]


CASES = [*GRIDDED, *MORE_MASKS, *COLUMNS, *FUNCTIONS, *CROSSENTROPY]
