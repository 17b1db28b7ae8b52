"""What losses refuse, and what they are called."""

import numpy as np
from cases_losses import (
    B,
    C,
    T,
)
from golden_builders import (
    integers,
    normal,
    one_hot,
    probabilities,
)
from golden_kinds import FactCase, RefusalCase


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
        lacking=True,
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


CASES = [*REFUSED, *NAMES]
