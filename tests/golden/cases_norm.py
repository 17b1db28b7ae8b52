"""LayerNormalization and BatchNormalization: axes, gains, masks, moving statistics."""

from golden_builders import layer_case, model_case, normal, sequential

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

CASES = [*LAYER_NORM, *BATCH_NORM, *MODELS]
