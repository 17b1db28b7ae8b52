"""Activations: as functions with their options, and by name in a layer, with gradients."""

import numpy as np
from golden_builders import layer_case, normal
from golden_case import CallCase
from golden_kinds import FactCase, RefusalCase

NAMES = (
    "celu", "elu", "exponential", "gelu", "glu", "hard_shrink", "hard_sigmoid", "hard_silu",
    "hard_swish", "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu",
    "relu6", "selu", "sigmoid", "silu", "soft_shrink", "softmax", "softplus", "softsign",
    "sparse_plus", "sparse_sigmoid", "squareplus", "swish", "tanh", "tanh_shrink",
)  # fmt: skip

OPTIONS = {
    "celu_alpha": ("celu", {"alpha": 0.5}),
    "elu_alpha": ("elu", {"alpha": 0.5}),
    "gelu_approximate": ("gelu", {"approximate": True}),
    "glu_axis": ("glu", {"axis": 1}),
    "hard_shrink_threshold": ("hard_shrink", {"threshold": 1.2}),
    "leaky_relu_slope": ("leaky_relu", {"negative_slope": 0.7}),
    "log_softmax_axis": ("log_softmax", {"axis": 1}),
    "relu_slope": ("relu", {"negative_slope": 0.3}),
    "relu_max": ("relu", {"max_value": 0.8}),
    "relu_max_6": ("relu", {"max_value": 6.0}),
    "relu_threshold": ("relu", {"threshold": 0.4}),
    "relu_slope_max": ("relu", {"negative_slope": 0.3, "max_value": 0.8}),
    "relu_slope_threshold": ("relu", {"negative_slope": 0.3, "threshold": 0.4}),
    "relu_all": ("relu", {"negative_slope": 0.3, "max_value": 0.8, "threshold": 0.4}),
    "soft_shrink_threshold": ("soft_shrink", {"threshold": 1.2}),
    "softmax_axis": ("softmax", {"axis": 0}),
    "squareplus_b": ("squareplus", {"b": 0.5}),
    "threshold": ("threshold", {"threshold": 0.3, "default_value": -2.0}),
}


def function(name, options):
    return lambda k, x: getattr(k.activations, name)(3 * x, **options)


CASES = [
    *(CallCase(f"function_{name}", function(name, {}), [normal(3, 4, 6)]) for name in NAMES),
    *(
        CallCase(f"function_{key}", function(name, options), [normal(3, 4, 6)])
        for key, (name, options) in OPTIONS.items()
    ),
    *(
        CallCase(f"op_{name}", lambda k, x, name=name: getattr(k.ops, name)(3 * x), [normal(3, 4)])
        for name in ("celu", "glu", "hard_shrink", "soft_shrink", "sparse_plus", "sparse_sigmoid",
                     "squareplus", "tanh_shrink")
    ),
    *(
        layer_case(name, lambda k, name=name: k.layers.Dense(6, activation=name), (5, 4))
        for name in NAMES
        if name != "glu"  # its output has another shape, which Dense does not expect
    ),
    *(
        layer_case(f"layer_{name}", lambda k, name=name: k.layers.Activation(name), (3, 4))
        for name in ("squareplus", "hard_shrink")
    ),
    *(
        FactCase(
            f"serialize_{name}",
            lambda k, name=name: k.activations.serialize(k.activations.get(name)),
        )
        for name in (*NAMES, "sparsemax", "threshold")
    ),
    *(
        CallCase(
            f"sparsemax_of_one_{axis}",
            lambda k, x, axis=axis: k.activations.sparsemax(100 * x, axis),
            [normal(3, 4, 6)],
        )
        for axis in (-1, 1)
    ),
    FactCase(
        "sparsemax_sums_to_one",
        lambda k: round(float(k.ops.sum(k.activations.sparsemax(np.array([0.1, 0.2, 0.4])))), 4),
        differs="Keras adds up the running sums of the support, not the support, so that what has "
        "more than one element does not sum to 1",
        here=1.0,
    ),
    FactCase("get_none", lambda k: k.activations.get(None).__name__),
    FactCase("get_function", lambda k: k.activations.get(abs).__name__),
    RefusalCase("refused_name", lambda k: k.activations.get("sigmod"), ["sigmod", "sigmoid"]),
    RefusalCase("refused_number", lambda k: k.activations.get(3), ["activation", "3"]),
    RefusalCase(
        "refused_glu",
        lambda k, x: k.activations.glu(x),
        ["glu", "even", "(2, 3)"],
        raises=ValueError,
        differs="Keras leaves it to the backend",
        inputs=[normal(2, 3)],
    ),
    RefusalCase("refused_threshold", lambda k: k.activations.threshold(1.0), ["threshold"]),
]  # fmt: skip
