"""Optimizers, regularizers and constraints: what weights become after one step and after many."""

from golden_builders import integers, layer_case, model_case, normal, sequential, uniform
from golden_case import CONSTRAINED


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
    for name in ("sgd_momentum", "adam", "adam_global_clipnorm", "nadam")
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

CASES = [*OPTIMIZER_CASES, *REGULARIZER_CASES, *CONSTRAINT_CASES]
