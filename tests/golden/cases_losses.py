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
from golden_kinds import FactCase, RefusalCase

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
    _case(f"{name}_{len(shape)}d", _of(cls, **arguments), target(*shape), shape, activation)
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
        _case("ctc", _of("CTC"), _labels, (B, 7, 5)),
        _case("ctc_sum", _of("CTC", reduction="sum"), _labels, (B, 7, 5)),
        _case("ctc_weights", _of("CTC"), _labels, (B, 7, 5), sample_weight=_row_weights),
        _values("ctc", lambda k, y, p: k.losses.ctc(y, p), _labels, normal(B, 9, 5)),
    ]
    + [
        _values(
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
        _values(
            "circle_references",
            lambda k, y, p, r, e: k.losses.circle(y, p, r, e, remove_diagonal=False, gamma=10),
            integers(3, 6),
            _unit_rows(6, 4),
            integers(3, 9),
            _unit_rows(9, 4),
        ),
        _case("circle", _of("Circle", gamma=6.0), lambda rng: np.array([0, 1, 0, 1, 2]), (B, C)),
    ]
)

# reduction x weights x loss, on arrays.
GRID = [
    (
        "mse",
        _of("MeanSquaredError"),
        normal(*SEQUENCE),
        normal(*SEQUENCE),
    ),
    ("huber", _of("Huber", delta=0.5), normal(*SEQUENCE), normal(*SEQUENCE)),
    ("cosine", _of("CosineSimilarity"), normal(*SEQUENCE), normal(*SEQUENCE)),
    ("bce", _of("BinaryCrossentropy"), integers(2, *SEQUENCE), uniform(0, 1, *SEQUENCE)),
    ("cce", _of("CategoricalCrossentropy"), one_hot(C, B, T), probabilities(*SEQUENCE)),
    (
        "scce",
        _of("SparseCategoricalCrossentropy", from_logits=True),
        integers(C, B, T),
        normal(*SEQUENCE),
    ),
    (
        "scce_ignore",
        _of("SparseCategoricalCrossentropy", from_logits=True, ignore_class=1),
        integers(C, B, T),
        normal(*SEQUENCE),
    ),
    ("focal", _of("BinaryFocalCrossentropy"), integers(2, *SEQUENCE), uniform(0, 1, *SEQUENCE)),
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
    for suffix, weight in [("", []), ("_step_weights", [_step_weights])]
]

MORE_MASKS = [
    _case(
        f"mask_{name}_{reduction}{suffix}",
        _of(cls, reduction=reduction, **arguments),
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
    for suffix, weights in [("", {}), ("_step_weights", {"sample_weight": _step_weights})]
]

# One value per row where the targets lack the last axis: weights per row count for their row.
COLUMNS = [
    _case(
        f"column_{name}_row_weights",
        _of(cls),
        target,
        (B, 1),
        activation,
        sample_weight=_row_weights,
    )
    for name, cls, target, activation in [
        ("mse", "MeanSquaredError", normal(B), "linear"),
        ("mae", "MeanAbsoluteError", normal(B), "linear"),
        ("bce", "BinaryCrossentropy", integers(2, B), "sigmoid"),
    ]
] + [
    _case(
        "column_own_loss_row_weights",
        own_loss,
        normal(B),
        (B, 1),
        sample_weight=_row_weights,
    ),
    _values(
        "column_function",
        lambda k, y, p: k.losses.mean_squared_error(y, p),
        normal(B),
        normal(B, 1),
    ),
    _values(
        "column_target",
        lambda k, y, p: k.losses.mean_absolute_error(y, p),
        normal(B, 1),
        normal(B),
    ),
]

FUNCTIONS = [
    _values(name, lambda k, y, p, n=name: getattr(k.losses, n)(y, p), y, p)
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
    _case(f"automatic_{name}", lambda k, word=word: word, target, shape, activation)
    for name, word, target, shape, activation in [
        ("binary", "crossentropy", integers(2, B, 1), (B, 1), "sigmoid"),
        ("sparse", "ce", integers(C, B), (B, C), "softmax"),
        ("sparse_column", "CE", integers(C, B, 1), (B, C), "softmax"),
        ("categorical", "crossentropy", one_hot(C, B), (B, C), "softmax"),
    ]
]


def _refused(name, call, words, *inputs, **options):
    return RefusalCase(f"refused_{name}", call, words, inputs=inputs, **options)


REFUSED = [
    _refused(
        "reduction", lambda k: k.losses.MeanSquaredError(reduction="summ"), ["reduction", "summ"]
    ),
    _refused("name", lambda k: k.losses.get("mean_squarred_error"), ["mean_squarred_error"]),
    _refused("kind", lambda k: k.losses.get(3), ["loss", "3"]),
    _refused(
        "axis",
        lambda k, y, p: k.losses.categorical_crossentropy(y, p, axis=True),
        ["axis", "True"],
        one_hot(C, B),
        probabilities(B, C),
    ),
    _refused(
        "focal_axis",
        lambda k, y, p: k.losses.categorical_focal_crossentropy(y, p, axis=True),
        ["axis", "True"],
        one_hot(C, B),
        probabilities(B, C),
    ),
    _refused(
        "q", lambda k: k.losses.CategoricalGeneralizedCrossEntropy(q=1.5), ["q", "1.5", "0", "1"]
    ),
    _refused(
        "ctc_targets",
        lambda k, y, p: k.losses.ctc(y, p),
        ["target", "(5, 4, 2)"],
        integers(3, B, T, 2),
        normal(B, T, C),
    ),
    _refused(
        "ctc_predictions",
        lambda k, y, p: k.losses.ctc(y, p),
        ["logits", "(5, 3)"],
        integers(3, B, T),
        normal(B, C),
    ),
    _refused(
        "sizes",
        lambda k, y, p: k.losses.mean_squared_error(y, p),
        ["(5, 3)", "(5, 2)"],
        normal(B, 3),
        normal(B, 2),
        raises=ValueError,
        differs="Keras's error is the backend's",
    ),
    _refused(
        "broadcast",
        lambda k, y, p: k.losses.MeanSquaredError()(y, p),
        ["(5, 1)", "(5, 3)"],
        normal(B, 1),
        normal(B, 3),
        raises=ValueError,
    ),
    _refused(
        "ids_for_one_hot",
        lambda k, y, p: k.losses.CategoricalCrossentropy()(y, p),
        ["(5,)", "(5, 3)", "sparse_categorical_crossentropy"],
        integers(C, B),
        probabilities(B, C),
    ),
    _refused(
        "one_hot_for_ids",
        lambda k, y, p: k.losses.SparseCategoricalCrossentropy()(y, p),
        ["(5, 3)", "categorical_crossentropy"],
        one_hot(C, B),
        probabilities(B, C),
    ),
    _refused(
        "label",
        lambda k, p: k.losses.SparseCategoricalCrossentropy()(np.array([0, 1, 2, 3, 0]), p),
        ["3", "2"],
        probabilities(B, C),
        raises=ValueError,
    ),
    _refused(
        "weights",
        lambda k, y, w: k.losses.MeanSquaredError()(y, y, sample_weight=w),
        ["sample_weight", "(4,)", "(5,)"],
        normal(B, C),
        normal(4),
        raises=ValueError,
        differs="Keras's error is the backend's",
    ),
    _refused("no_call", lambda k: k.losses.Loss()(np.zeros((2, 1)), np.zeros((2, 1))), ["call"]),
    _refused(
        "policy",
        lambda k: k.losses.MeanSquaredError(dtype="mixed_float16"),
        ["mixed_float16", "float32"],
        raises=ValueError,
    ),
    _refused(
        "sparse_axis",
        lambda k, y, p: k.losses.SparseCategoricalCrossentropy(axis=1)(y, p),
        ["axis=1", "moveaxis"],
        integers(C, B, T),
        normal(B, C, T),
        raises=ValueError,
        differs="Keras's error is the backend's",
    ),
]

WORDS = (
    *("mse", "mae", "mape", "msle", "bce", "kld", "huber", "log_cosh", "poisson", "hinge", "dice"),
    *("tversky", "ctc", "circle", "binary_focal_crossentropy", "categorical_focal_crossentropy"),
    *("categorical_hinge", "squared_hinge", "cosine_similarity", "kl_divergence"),
)

NAMES = [
    FactCase(f"name_{cls}", lambda k, c=cls: [getattr(k.losses, c)().name, k.losses.get(c).name])
    for cls in (
        "MeanSquaredError",
        "Huber",
        "LogCosh",
        "KLDivergence",
        "CTC",
        "Dice",
        "Tversky",
        "Circle",
        "BinaryFocalCrossentropy",
    )
] + [
    FactCase(
        f"get_{name}",
        lambda k, n=name: k.losses.get(n).__name__,
    )
    for name in (*WORDS, *(word.upper() for word in WORDS if word in WORDS[:6]))
]

CASES = [
    *REGRESSION,
    *CLASSIFICATION,
    *WEIGHTED,
    *MASKED,
    *CALLS,
    *REST,
    *PAIRS,
    *GRIDDED,
    *MORE_MASKS,
    *COLUMNS,
    *FUNCTIONS,
    *CROSSENTROPY,
    *REFUSED,
    *NAMES,
]
