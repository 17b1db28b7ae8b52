"""LayerNormalization, BatchNormalization and their kin: axes, gains, masks, moving statistics."""

from dataclasses import replace

import numpy as np
from golden_builders import layer_case, model_case, normal, sequential
from golden_case import CallCase
from golden_kinds import ConfigCase, FactCase, RefusalCase

X3 = (4, 5, 3)


def _layer_norm(name, x=X3, mask=None, **arguments):
    return layer_case(
        f"layer_norm_{name}", lambda k: k.layers.LayerNormalization(**arguments), x, mask
    )


LAYER_NORM = [
    _layer_norm("plain"),
    _layer_norm("2d", x=(4, 7)),
    _layer_norm("4d", x=(2, 3, 2, 4)),
    _layer_norm("axis_time", axis=1),
    _layer_norm("axis_both", axis=[1, 2]),
    _layer_norm("axis_both_negative", axis=[-2, -1]),
    _layer_norm("axis_outer_of_4d", x=(2, 3, 2, 4), axis=[1, 3]),
    _layer_norm("no_center", center=False),
    _layer_norm("no_scale", scale=False),
    _layer_norm("bare", center=False, scale=False),
    _layer_norm("epsilon", epsilon=0.1),
    _layer_norm("one_feature", x=(4, 5, 1)),
    _layer_norm("wide", x=(5, 37)),
    _layer_norm("masked", mask="gaps"),
]


def _batch_norm(name, x=X3, mask=None, trainable=True, **arguments):
    def layer(k):
        made = k.layers.BatchNormalization(**arguments)
        made.trainable = trainable
        return made

    return layer_case(f"batch_norm_{name}", layer, x, mask, training_output=True)


BATCH_NORM = [
    _batch_norm("plain"),
    _batch_norm("2d", x=(6, 4)),
    _batch_norm("4d", x=(3, 2, 3, 4)),
    _batch_norm("axis_time", axis=1),
    _batch_norm("momentum", momentum=0.5),
    _batch_norm("epsilon", epsilon=0.1),
    _batch_norm("no_center", center=False),
    _batch_norm("no_scale", scale=False),
    _batch_norm("bare", center=False, scale=False),
    _batch_norm("frozen", trainable=False),
    _batch_norm("masked_right", mask="right"),
    _batch_norm("masked_gaps", mask="gaps"),
    _batch_norm("masked_empty_row", mask="empty_row"),
    _batch_norm("one_row", x=(1, 6, 3)),
]


def _kin(kind, name, x=X3, mask=None, options=None, **arguments):
    return layer_case(
        f"{kind}_{name}",
        lambda k: getattr(k.layers, kind)(**arguments),
        x,
        mask,
        **(options or {}),
    )


KIN = [
    _kin("GroupNormalization", "two", x=(3, 5, 6), groups=2),
    _kin("GroupNormalization", "one", x=(3, 5, 6), groups=1),
    _kin("GroupNormalization", "instance", x=(3, 5, 6), groups=-1),
    _kin("GroupNormalization", "2d", x=(4, 6), groups=3),
    _kin("GroupNormalization", "4d", x=(2, 3, 2, 4), groups=2),
    _kin("GroupNormalization", "axis_time", x=(3, 4, 5), groups=2, axis=1),
    _kin("GroupNormalization", "axis_negative", x=(3, 4, 5), groups=2, axis=-2),
    _kin("GroupNormalization", "epsilon", x=(3, 5, 6), groups=2, epsilon=0.1),
    _kin("GroupNormalization", "no_center", x=(3, 5, 6), groups=2, center=False),
    _kin("GroupNormalization", "no_scale", x=(3, 5, 6), groups=2, scale=False),
    _kin("GroupNormalization", "bare", x=(3, 5, 6), groups=2, scale=False, center=False),
    _kin("GroupNormalization", "masked", x=(3, 5, 6), mask="gaps", groups=2),
    _kin("GroupNormalization", "regularized", x=(3, 5, 6), groups=2, gamma_regularizer="l2"),
    _kin("UnitNormalization", "plain"),
    _kin("UnitNormalization", "2d", x=(4, 6)),
    _kin("UnitNormalization", "axis_time", axis=1),
    _kin("UnitNormalization", "axis_both", axis=[1, 2]),
    _kin("UnitNormalization", "masked", mask="gaps"),
    _kin("RMSNormalization", "plain"),
    _kin("RMSNormalization", "2d", x=(4, 7)),
    _kin("RMSNormalization", "4d", x=(2, 3, 2, 4)),
    _kin("RMSNormalization", "epsilon", epsilon=0.1),
    _kin("RMSNormalization", "list", axis=[-1]),
    _kin("RMSNormalization", "axis_both", axis=[1, 2]),
    _kin("AlphaDropout", "at_rest", rate=0.0),
]

CONFIGS = [
    ConfigCase("group", lambda k: k.layers.GroupNormalization()),
    ConfigCase("group_all", lambda k: k.layers.GroupNormalization(4, 1, 0.1, False, False)),
    ConfigCase("unit", lambda k: k.layers.UnitNormalization()),
    ConfigCase("unit_axes", lambda k: k.layers.UnitNormalization([1, 2])),
    ConfigCase("rms", lambda k: k.layers.RMSNormalization(1, 0.1)),
    ConfigCase("alpha_dropout", lambda k: k.layers.AlphaDropout(0.2, (None, 1, 3), 5)),
]


def _weights(k, layer, x):
    layer(x)
    return [[w.path, list(w.shape), bool(w.trainable)] for w in layer.weights]


Q = [normal(2, 3, 8)]
FACTS = [
    FactCase("group_weights", lambda k, x: _weights(k, k.layers.GroupNormalization(2), x), Q),
    FactCase("rms_weights", lambda k, x: _weights(k, k.layers.RMSNormalization(), x), Q),
]


def _refused(name, call, words, **options):
    return RefusalCase(f"refused_{name}", call, words, inputs=Q, **options)


NO_AXIS = {"raises": ValueError, "differs": "Keras: IndexError of a tuple"}
REFUSED = [
    _refused("groups", lambda k, x: k.layers.GroupNormalization(groups=0), ["groups", "0"]),
    _refused("groups_float", lambda k, x: k.layers.GroupNormalization(groups=2.0), ["groups"]),
    _refused(
        "groups_divide", lambda k, x: k.layers.GroupNormalization(groups=3)(x), ["groups", "3", "8"]
    ),
    _refused(
        "groups_many", lambda k, x: k.layers.GroupNormalization(groups=16)(x), ["groups", "16", "8"]
    ),
    _refused(
        "group_axis",
        lambda k, x: k.layers.GroupNormalization(2, axis=7)(x),
        ["axis", "7"],
        **NO_AXIS,
    ),
    _refused("unit_axis_word", lambda k, x: k.layers.UnitNormalization(axis="a"), ["axis", "a"]),
    _refused(
        "unit_axis",
        lambda k, x: k.layers.UnitNormalization(axis=7)(x),
        ["axis", "7"],
        raises=ValueError,
        differs="Keras leaves it to the backend",
    ),
    _refused(
        "rms_axis", lambda k, x: k.layers.RMSNormalization(axis=7)(x), ["axis", "7"], **NO_AXIS
    ),
    _refused("alpha_rate", lambda k, x: k.layers.AlphaDropout(2.0), ["rate", "2.0"]),
    _refused("alpha_rate_negative", lambda k, x: k.layers.AlphaDropout(-0.1), ["rate", "-0.1"]),
    _refused(
        "alpha_rate_one",
        lambda k, x: k.layers.AlphaDropout(1.0),
        ["rate"],
        raises=ValueError,
        differs="there is no finite scale",
    ),
    _refused(
        "spectral_iterations",
        lambda k, x: k.layers.SpectralNormalization(k.layers.Dense(2), power_iterations=0),
        ["power_iterations", "0"],
    ),
    _refused("spectral_no_layer", lambda k, x: k.layers.SpectralNormalization(3), ["3"]),
    _refused(
        "spectral_no_kernel",
        lambda k, x: k.layers.SpectralNormalization(k.layers.GRU(2))(x),
        ["GRU", "kernel", "embeddings"],
    ),
    _refused("spectral_features", lambda k, x: _other_features(k, x), ["spectral", "8", "7"]),
]


def _other_features(k, x):
    layer = k.layers.SpectralNormalization(k.layers.Dense(2))
    layer(x)
    layer(x[..., :7])


def _spectral(name, inner, x=X3, mask=None, trainable=True, power_iterations=1):
    def layer(k):
        made = k.layers.SpectralNormalization(inner(k), power_iterations=power_iterations)
        made.trainable = trainable
        return made

    return layer_case(f"spectral_{name}", layer, x, mask, training_output=True)


def _of_dense(k):
    return k.layers.Dense(4)


SPECTRAL = [
    _spectral("dense", _of_dense),
    _spectral("2d", _of_dense, x=(4, 6)),
    _spectral("iterations", _of_dense, power_iterations=4),
    _spectral("conv1d", lambda k: k.layers.Conv1D(4, 2, padding="causal")),
    _spectral("conv1d_no_bias", lambda k: k.layers.Conv1D(3, 2, use_bias=False)),
    _spectral("depthwise", lambda k: k.layers.DepthwiseConv1D(2)),
    _spectral("einsum", lambda k: k.layers.EinsumDense("abc,cd->abd", (5, 2))),
    _spectral("regularized", lambda k: k.layers.Dense(4, kernel_regularizer="l2")),
    _spectral("constrained", lambda k: k.layers.Dense(4, "tanh", kernel_constraint="non_neg")),
    _spectral("frozen", _of_dense, trainable=False),
    _spectral("masked", _of_dense, mask="gaps"),
    model_case(
        "spectral_over_steps",
        sequential(
            lambda k: k.Input(shape=(5, 3)),
            lambda k: k.layers.SpectralNormalization(k.layers.Conv1D(4, 2, activation="tanh")),
            lambda k: k.layers.GRU(3),
            lambda k: k.layers.SpectralNormalization(k.layers.Dense(2), power_iterations=2),
        ),
        [normal(6, 5, 3)],
        target=normal(6, 2),
        loss=lambda k: "mse",
        optimizer=lambda k: k.optimizers.Adam(0.01, epsilon=1e-3),
        snapshots=(1, 2, 5),
        gradients=False,
    ),
]


def _empty_kernel(k, x):
    layer = k.layers.SpectralNormalization(k.layers.Dense(3, kernel_initializer="zeros"))
    y = layer(x, training=True)
    return [y, layer.layer.kernel]


def _masks(k):
    layer = k.layers.SpectralNormalization(k.layers.Dense(2))
    return [layer.supports_masking, list(layer.compute_output_shape((None, 5, 3)))]


SPECTRAL += [
    CallCase("spectral_empty_kernel", _empty_kernel, Q),
    FactCase(
        "spectral_weights",
        lambda k, x: _weights(k, k.layers.SpectralNormalization(k.layers.Dense(2)), x),
        Q,
    ),
    FactCase("spectral_masks_and_shapes", _masks),
    FactCase(
        "spectral_ids",
        lambda k: str(
            k.ops.convert_to_numpy(
                k.layers.SpectralNormalization(k.layers.Embedding(4, 2))(np.array([[1, 2]]))
            ).dtype
        ),
        differs="Keras rounds the embeddings to the dtype of the ids",
        here="float32",
    ),
    ConfigCase(
        "config_spectral",
        lambda k: k.layers.SpectralNormalization(k.layers.Dense(2, name="inner"), 3, name="mine"),
    ),
]

MODELS = [
    model_case(
        "batch_norm_between_recurrent_layers",
        sequential(
            lambda k: k.Input(shape=(5, 2)),
            lambda k: k.layers.SimpleRNN(4, return_sequences=True),
            lambda k: k.layers.BatchNormalization(),
            lambda k: k.layers.SimpleRNN(3),
            lambda k: k.layers.BatchNormalization(momentum=0.9),
            lambda k: k.layers.Dense(2),
        ),
        [normal(12, 5, 2)],
        training_output=True,
    ),
    model_case(
        "batch_norm_moving_over_steps",
        sequential(
            lambda k: k.Input(shape=(4,)),
            lambda k: k.layers.Dense(3),
            lambda k: k.layers.BatchNormalization(momentum=0.8),
        ),
        [normal(6, 4)],
        target=normal(6, 3),
        loss=lambda k: "mse",
        optimizer=lambda k: k.optimizers.SGD(0.01),
        snapshots=(1, 2, 5),
        gradients=False,
    ),
]

CASES = [
    *LAYER_NORM,
    *BATCH_NORM,
    *MODELS,
    *KIN,
    *SPECTRAL,
    *[replace(case, name=f"config_{case.name}") for case in CONFIGS],
    *FACTS,
    *REFUSED,
]
