"""Optimizers, regularizers and constraints: what weights become after one step and after many."""

from golden_builders import integers, layer_case, model_case, normal, sequential, uniform
from golden_case import CONSTRAINED, CallCase
from golden_classes import own_adam, own_momentum
from golden_kinds import RefusalCase


def mse(k):
    return "mse"


OPTIMIZERS = {
    "sgd": lambda k: k.optimizers.SGD(0.1),
    "sgd_momentum": lambda k: k.optimizers.SGD(0.05, momentum=0.9),
    "sgd_nesterov": lambda k: k.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    "sgd_clipnorm": lambda k: k.optimizers.SGD(0.1, clipnorm=0.3),
    "sgd_clipvalue": lambda k: k.optimizers.SGD(0.1, clipvalue=0.05),
    "sgd_global_clipnorm": lambda k: k.optimizers.SGD(0.1, global_clipnorm=0.3),
    "sgd_clipnorm_idle": lambda k: k.optimizers.SGD(0.1, clipnorm=100.0),
    "rmsprop": lambda k: k.optimizers.RMSprop(0.02),
    "rmsprop_rho": lambda k: k.optimizers.RMSprop(0.02, rho=0.7, epsilon=1e-3),
    "rmsprop_momentum": lambda k: k.optimizers.RMSprop(0.01, momentum=0.8),
    "rmsprop_centered": lambda k: k.optimizers.RMSprop(0.01, centered=True, epsilon=1e-3),
    "adam": lambda k: k.optimizers.Adam(0.01),
    "adam_betas": lambda k: k.optimizers.Adam(0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
    "adam_amsgrad": lambda k: k.optimizers.Adam(0.1, beta_2=0.8, amsgrad=True),
    "adam_clipnorm": lambda k: k.optimizers.Adam(0.01, clipnorm=0.1, epsilon=1e-2),
    "adam_clipvalue": lambda k: k.optimizers.Adam(0.01, clipvalue=0.01, epsilon=1e-2),
    "adam_global_clipnorm": lambda k: k.optimizers.Adam(0.01, global_clipnorm=0.1, epsilon=1e-2),
    "nadam": lambda k: k.optimizers.Nadam(0.01),
    "nadam_betas": lambda k: k.optimizers.Nadam(0.05, beta_1=0.8, beta_2=0.95, epsilon=1e-3),
    "adamw": lambda k: k.optimizers.AdamW(0.01, weight_decay=0.1),
    "adagrad": lambda k: k.optimizers.Adagrad(0.1),
    "adadelta": lambda k: k.optimizers.Adadelta(1.0, epsilon=1e-3),
    "adamax": lambda k: k.optimizers.Adamax(0.02),
    "ftrl": lambda k: k.optimizers.Ftrl(0.1, l2_regularization_strength=0.1),
    "lion": lambda k: k.optimizers.Lion(0.01),
    "lamb": lambda k: k.optimizers.Lamb(0.02),
    "adafactor": lambda k: k.optimizers.Adafactor(0.1),
    "ema": lambda k: k.optimizers.SGD(
        0.1, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=3
    ),
    "accumulated": lambda k: k.optimizers.Adam(
        0.02, gradient_accumulation_steps=3, epsilon=1e-3, global_clipnorm=1.0
    ),
    "scaled_loss": lambda k: k.optimizers.Adam(0.02, loss_scale_factor=16.0, epsilon=1e-3),
    "scheduled": lambda k: k.optimizers.SGD(
        k.optimizers.schedules.CosineDecay(0.1, 15, alpha=0.1), momentum=0.5
    ),
    "muon": lambda k: k.optimizers.Muon(0.02),
    "schedule_free": lambda k: k.optimizers.ScheduleFreeAdamW(0.02),
    "own_momentum": lambda k: own_momentum(k)(0.05),
    # In float32, 1 - 0.999^t as this class has it would lose four digits, in Keras too.
    "own_adam": lambda k: own_adam(k)(0.02, beta_2=0.9),
    "own_scheduled": lambda k: own_momentum(k)(
        k.optimizers.schedules.CosineDecay(0.1, 15, alpha=0.1), momentum=0.5
    ),
    "own_ema": lambda k: own_momentum(k)(
        0.1, momentum=0.5, use_ema=True, ema_momentum=0.7, ema_overwrite_frequency=3
    ),
    "own_accumulated": lambda k: own_adam(k)(
        0.02, beta_2=0.9, gradient_accumulation_steps=3, global_clipnorm=1.0, weight_decay=0.1
    ),
    "own_scaled_loss": lambda k: own_momentum(k)(0.02, loss_scale_factor=16.0, clipnorm=0.5),
    "loss_scale": lambda k: k.optimizers.LossScaleOptimizer(
        k.optimizers.Adam(0.02, epsilon=1e-3), dynamic_growth_steps=4
    ),
    "loss_scale_of_own": lambda k: k.optimizers.LossScaleOptimizer(own_momentum(k)(0.05)),
    "multi": lambda k: k.optimizers.MultiOptimizer(
        k.optimizers.OptimizerMap(
            k.optimizers.SGD(0.05), {".*kernel": own_momentum(k)(0.05, momentum=0.5)}
        )
    ),
    "default_sgd": lambda k: "sgd",
    "default_rmsprop": lambda k: "rmsprop",
    "default_adam": lambda k: "adam",
    "default_nadam": lambda k: "nadam",
    "default_class": lambda k: k.optimizers.Adam(),
    "capital_string": lambda k: "Adam",
}

dense_net = sequential(
    lambda k: k.Input(shape=(3,)),
    lambda k: k.layers.Dense(4, activation="tanh"),
    lambda k: k.layers.Dense(2),
)

recurrent_net = sequential(
    lambda k: k.Input(shape=(5, 2)), lambda k: k.layers.LSTM(3), lambda k: k.layers.Dense(2)
)

embedded_net = sequential(
    lambda k: k.Input(shape=(5,), dtype="int32"),
    lambda k: k.layers.Embedding(6, 3),
    lambda k: k.layers.GRU(3),
    lambda k: k.layers.Dense(2),
)


def _optimizer(name, optimizer, net, x):
    return model_case(
        f"optimizer_{name}",
        net,
        [x],
        # Far above the first predictions, so that gradients keep their signs: near zero, Adam makes
        # a large step of whatever rounding has left.
        target=uniform(2, 3, 12, 2),
        loss=mse,
        optimizer=optimizer,
        snapshots=(1, 2, 20),
        gradients=False,
    )


OPTIMIZER_CASES = [
    _optimizer(name, optimizer, dense_net, normal(12, 3)) for name, optimizer in OPTIMIZERS.items()
] + [
    _optimizer(f"{net_name}_{name}", OPTIMIZERS[name], net, x)
    for net_name, net, x in [
        ("lstm", recurrent_net, normal(12, 5, 2)),
        # Rows that no batch uses decay with momentum all the same.
        ("embedding", embedded_net, integers(4, 12, 5)),
    ]
    for name in ("sgd_momentum", "adam", "adam_global_clipnorm", "nadam", "own_adam", "muon")
]


def own_penalty(k):
    return lambda w: 0.1 * k.ops.sum(k.ops.sqrt(1.0 + k.ops.square(w)))


REGULARIZERS = {
    "l1": lambda k: k.regularizers.L1(0.1),
    "l2": lambda k: k.regularizers.L2(0.1),
    "l1l2": lambda k: k.regularizers.L1L2(l1=0.1, l2=0.2),
    "default_l1": lambda k: k.regularizers.L1(),
    "default_l2": lambda k: k.regularizers.L2(),
    "string_l1": lambda k: "l1",
    "string_l2": lambda k: "l2",
    "own": own_penalty,
}


def own_constraint(k):
    return lambda w: k.ops.clip(w, -0.2, 0.2)


CONSTRAINTS = {
    "max_norm": lambda k: k.constraints.MaxNorm(0.7),
    "max_norm_rows": lambda k: k.constraints.MaxNorm(0.7, axis=1),
    "max_norm_matrix": lambda k: k.constraints.MaxNorm(0.7, axis=[0, 1]),
    "non_neg": lambda k: k.constraints.NonNeg(),
    "unit_norm": lambda k: k.constraints.UnitNorm(),
    "unit_norm_rows": lambda k: k.constraints.UnitNorm(axis=1),
    "min_max_norm": lambda k: k.constraints.MinMaxNorm(0.5, 0.9),
    "min_max_norm_rate": lambda k: k.constraints.MinMaxNorm(0.5, 0.9, rate=0.5),
    "string_max_norm": lambda k: "max_norm",
    "string_non_neg": lambda k: "non_neg",
    "string_unit_norm": lambda k: "unit_norm",
    "own": own_constraint,
}

REGULARIZER_CASES = [
    layer_case(
        f"regularizer_{name}",
        lambda k, r=regularizer: k.layers.Dense(3, kernel_regularizer=r(k)),
        (4, 5),
    )
    for name, regularizer in REGULARIZERS.items()
] + [
    layer_case(
        "regularizer_bias",
        lambda k: k.layers.Dense(3, bias_regularizer=k.regularizers.L2(0.3)),
        (4, 5),
    ),
    # By the batch: the penalty is a sum over the output, divided by the number of rows.
    layer_case(
        "regularizer_activity",
        lambda k: k.layers.Dense(3, activity_regularizer=k.regularizers.L2(0.3)),
        (4, 5),
    ),
    layer_case(
        "regularizer_norm",
        lambda k: k.layers.LayerNormalization(
            gamma_regularizer=k.regularizers.L1(0.2), beta_regularizer=k.regularizers.L2(0.2)
        ),
        (4, 5),
    ),
    layer_case(
        "regularizer_batch_norm",
        lambda k: k.layers.BatchNormalization(
            gamma_regularizer=k.regularizers.L1(0.2), beta_regularizer="l2"
        ),
        (4, 5),
    ),
]

CONSTRAINT_CASES = [
    layer_case(
        f"constraint_{name}",
        lambda k, c=constraint: k.layers.Dense(3, kernel_constraint=c(k)),
        (4, 5),
        **CONSTRAINED,
    )
    for name, constraint in CONSTRAINTS.items()
] + [
    layer_case(
        "constraint_bias",
        lambda k: k.layers.Dense(3, bias_constraint="non_neg"),
        (4, 5),
        **CONSTRAINED,
    ),
    layer_case(
        "constraint_conv",
        lambda k: k.layers.Conv1D(3, 2, kernel_constraint=k.constraints.MaxNorm(0.5, axis=[0, 1])),
        (2, 4, 3),
        **CONSTRAINED,
    ),
    layer_case(
        "constraint_batch_norm",
        lambda k: k.layers.BatchNormalization(
            gamma_constraint="unit_norm", beta_constraint="non_neg"
        ),
        (4, 5),
        **CONSTRAINED,
    ),
]

# As functions of a weight.
REGULARIZER_CALLS = {
    "l1": ((3, 4), lambda k: k.regularizers.L1(0.3)),
    "l2": ((3, 4), lambda k: k.regularizers.L2(0.3)),
    "l1_none": ((3, 4), lambda k: k.regularizers.L1(None)),
    "l2_none": ((3, 4), lambda k: k.regularizers.L2(None)),
    "l1l2": ((2, 3, 4), lambda k: k.regularizers.L1L2(0.3, 0.2)),
    "l1l2_l1": ((3, 4), lambda k: k.regularizers.L1L2(l1=0.3)),
    "l1l2_zero": ((3, 4), lambda k: k.regularizers.L1L2()),
    "l1l2_lowercase": ((3, 4), lambda k: k.regularizers.l1_l2(0.3, 0.2)),
    "name_l1l2": ((3, 4), lambda k: k.regularizers.get("L1L2")),
    "orthogonal_rows": ((3, 4), lambda k: k.regularizers.OrthogonalRegularizer(0.3)),
    "orthogonal_columns": ((3, 4), lambda k: k.regularizers.OrthogonalRegularizer(0.3, "columns")),
    "orthogonal_name": ((3, 4), lambda k: k.regularizers.get("orthogonal_regularizer")),
}
CONSTRAINT_CALLS = {
    **{name: ((3, 4), constraint) for name, constraint in CONSTRAINTS.items() if name[0] != "s"},
    "max_norm_cube": ((2, 3, 4), lambda k: k.constraints.MaxNorm(1.0, axis=[0, 1])),
    "max_norm_default": ((6, 4), lambda k: k.constraints.MaxNorm()),
    "unit_norm_last": ((2, 3, 4), lambda k: k.constraints.UnitNorm(axis=-1)),
    "min_max_default": ((3, 4), lambda k: k.constraints.MinMaxNorm()),
    "min_max_axis": ((2, 3, 4), lambda k: k.constraints.MinMaxNorm(0.5, 0.9, axis=[0, 2])),
    "name_min_max": ((3, 4), lambda k: k.constraints.get("min_max_norm")),
    "name_MaxNorm": ((6, 4), lambda k: k.constraints.get("MaxNorm")),
}


def called(kind, calls):
    return [
        CallCase(
            f"call_{kind}_{name}",
            lambda k, w, make=make: make(k)(k.ops.convert_to_tensor(w)),
            [normal(*shape)],
        )
        for name, (shape, make) in calls.items()
    ]


REFUSAL_CASES = [
    RefusalCase("refused_regularizer", lambda k: k.regularizers.get("l3"), ["l3"]),
    RefusalCase("refused_regularizer_3", lambda k: k.regularizers.get(3), ["regularizer", "3"]),
    RefusalCase("refused_l1", lambda k: k.regularizers.L1(-1.0), ["l1", "-1"]),
    RefusalCase("refused_l2", lambda k: k.regularizers.L2("a"), ["l2", "'a'"]),
    RefusalCase("refused_l2_nan", lambda k: k.regularizers.L2(float("nan")), ["l2", "nan"]),
    RefusalCase("refused_l1l2", lambda k: k.regularizers.L1L2(0.1, -0.1), ["l2", "-0.1"]),
    RefusalCase(
        "refused_mode", lambda k: k.regularizers.OrthogonalRegularizer(mode="x"), ["rows", "'x'"]
    ),
    RefusalCase(
        "refused_rank",
        lambda k, w: k.regularizers.OrthogonalRegularizer()(k.ops.convert_to_tensor(w)),
        ["matrix", "(3,)"],
        inputs=[normal(3)],
    ),
    RefusalCase("refused_constraint", lambda k: k.constraints.get("normed"), ["normed"]),
    RefusalCase("refused_constraint_3", lambda k: k.constraints.get(3), ["constraint", "3"]),
]

CASES = [
    *OPTIMIZER_CASES,
    *REGULARIZER_CASES,
    *CONSTRAINT_CASES,
    *called("regularizer", REGULARIZER_CALLS),
    *called("constraint", CONSTRAINT_CALLS),
    *REFUSAL_CASES,
]
