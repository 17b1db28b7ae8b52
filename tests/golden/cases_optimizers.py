"""Optimizers applied by hand: the weights and the whole state after some steps, by every rule and
option; their refusals. What `fit` does with them is in `cases_training` and `cases_fit`."""

import warnings

import numpy as np
from golden_builders import normal
from golden_case import CallCase
from golden_kinds import ConfigCase, FactCase, RefusalCase

STEPS = 20
SHAPES = ((3, 2), (4,), (2, 3, 2))
NAMES = ("kernel", "bias", "cube")
INPUTS = [normal(*shape) for shape in SHAPES] + [normal(STEPS, *shape) for shape in SHAPES]


def variables_of(k, arrays):
    return [
        k.Variable(a, dtype=a.dtype.name, name=name) for a, name in zip(arrays, NAMES, strict=True)
    ]


def gradients_of(k, arrays, step):
    return [k.ops.convert_to_tensor(a[step]) for a in arrays]


def by_hand(name, make, excluded=(), missing=False, steps=STEPS):
    """`make(k)` applied `steps` times: weights, then the optimizer's variables, in its order.

    `excluded` names variables without decay; with `missing` every third step has no gradient of
    the second variable.
    """

    def call(k, *arrays):
        optimizer, variables = make(k), variables_of(k, arrays[:3])
        if excluded:
            optimizer.exclude_from_weight_decay(var_names=list(excluded))
        for step in range(steps):
            gradients = gradients_of(k, arrays[3:], step)
            if missing and step % 3 == 1:
                gradients[1] = None
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                optimizer.apply(gradients, variables)
        return [np.array(v) for v in (*variables, *optimizer.variables)]

    return CallCase(name, call, INPUTS)


# Each with arguments that make steps of ordinary size.
RULES = {
    "sgd": ("SGD", {"learning_rate": 0.05}),
    "sgd_momentum": ("SGD", {"learning_rate": 0.02, "momentum": 0.9}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.02}),
    "adam": ("Adam", {"learning_rate": 0.05}),
    "adamw": ("AdamW", {"learning_rate": 0.05}),
    "nadam": ("Nadam", {"learning_rate": 0.05}),
    "adagrad": ("Adagrad", {"learning_rate": 0.1}),
    "adadelta": ("Adadelta", {"learning_rate": 1.0, "epsilon": 1e-3}),
    "adamax": ("Adamax", {"learning_rate": 0.05}),
    "ftrl": ("Ftrl", {"learning_rate": 0.1}),
    "lion": ("Lion", {"learning_rate": 0.01}),
    "lamb": ("Lamb", {"learning_rate": 0.02}),
    "adafactor": ("Adafactor", {"learning_rate": 0.1}),
    "muon": ("Muon", {"learning_rate": 0.05}),
    "schedule_free": ("ScheduleFreeAdamW", {"learning_rate": 0.05}),
}

# On top of each rule.
OPTIONS = {
    "plain": {},
    "decay": {"weight_decay": 0.1},
    "clipnorm": {"clipnorm": 0.8},
    "clipvalue": {"clipvalue": 0.5},
    "global_clipnorm": {"global_clipnorm": 1.5},
    "ema": {"use_ema": True, "ema_momentum": 0.7},
    "ema_overwrite": {"use_ema": True, "ema_momentum": 0.8, "ema_overwrite_frequency": 3},
    "accumulate": {"gradient_accumulation_steps": 3},
    "accumulate_clip": {
        "gradient_accumulation_steps": 2,
        "global_clipnorm": 0.7,
        "weight_decay": 0.05,
    },
    "accumulate_ema": {
        "gradient_accumulation_steps": 4,
        "use_ema": True,
        "ema_momentum": 0.6,
        "ema_overwrite_frequency": 2,
    },
    "loss_scale": {"loss_scale_factor": 8.0},
}


def schedule(k, start):
    return k.optimizers.schedules.ExponentialDecay(start, 5, 0.5)


def rule_rows(name, kind, arguments):
    def maker(**options):
        return lambda k: getattr(k.optimizers, kind)(**arguments | options)

    def scheduled(k, **options):
        rate = schedule(k, arguments["learning_rate"])
        return getattr(k.optimizers, kind)(**arguments | {"learning_rate": rate} | options)

    rows = [by_hand(f"{name}_{key}", maker(**options)) for key, options in OPTIONS.items()]
    return [
        *rows,
        by_hand(f"{name}_excluded", maker(weight_decay=0.1), excluded=["bias", "cu"]),
        by_hand(f"{name}_missing", maker(weight_decay=0.1), missing=True),
        by_hand(f"{name}_schedule", lambda k: scheduled(k, weight_decay=0.1)),
        # The schedule is asked with the raw count of steps.
        by_hand(
            f"{name}_schedule_accumulate", lambda k: scheduled(k, gradient_accumulation_steps=2)
        ),
        by_hand(f"{name}_callable", maker(learning_rate=lambda: 0.01), steps=3),
    ]


# Arguments of single rules.
OWN = {
    "sgd_nesterov": ("SGD", {"learning_rate": 0.02, "momentum": 0.9, "nesterov": True}),
    "sgd_nesterov_alone": ("SGD", {"learning_rate": 0.02, "nesterov": True}),
    "rmsprop_rho": ("RMSprop", {"learning_rate": 0.02, "rho": 0.5, "epsilon": 1e-2}),
    "rmsprop_momentum": ("RMSprop", {"learning_rate": 0.02, "momentum": 0.8}),
    "rmsprop_centered": ("RMSprop", {"centered": True, "epsilon": 1e-2, "learning_rate": 0.02}),
    "rmsprop_all": (
        "RMSprop",
        {"centered": True, "momentum": 0.5, "epsilon": 1e-2, "learning_rate": 0.02},
    ),
    "adam_betas": ("Adam", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.7, "epsilon": 1e-2}),
    "adam_amsgrad": ("Adam", {"learning_rate": 0.05, "beta_2": 0.7, "amsgrad": True}),
    "adam_default": ("Adam", {}),
    "adamw_amsgrad": ("AdamW", {"learning_rate": 0.1, "weight_decay": 0.2, "amsgrad": True}),
    "adamw_default": ("AdamW", {}),
    "adamw_no_decay": ("AdamW", {"learning_rate": 0.1, "weight_decay": 0.0}),
    "nadam_betas": ("Nadam", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.7}),
    "nadam_default": ("Nadam", {}),
    "adagrad_start": ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 2.0}),
    "adagrad_epsilon": ("Adagrad", {"learning_rate": 0.1, "epsilon": 0.3}),
    "adagrad_default": ("Adagrad", {}),
    "adadelta_rho": ("Adadelta", {"learning_rate": 0.5, "rho": 0.5, "epsilon": 1e-2}),
    "adadelta_default": ("Adadelta", {}),
    "adamax_betas": ("Adamax", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.7}),
    "adamax_epsilon": ("Adamax", {"learning_rate": 0.05, "epsilon": 0.1}),
    "adamax_default": ("Adamax", {}),
    "lion_betas": ("Lion", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.7}),
    "lion_default": ("Lion", {}),
    "lamb_betas": ("Lamb", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.7, "epsilon": 0.01}),
    "lamb_default": ("Lamb", {}),
    "ftrl_l1": ("Ftrl", {"learning_rate": 0.1, "l1_regularization_strength": 0.5}),
    "ftrl_l2": ("Ftrl", {"learning_rate": 0.1, "l2_regularization_strength": 0.5}),
    "ftrl_shrinkage": ("Ftrl", {"learning_rate": 0.1, "l2_shrinkage_regularization_strength": 0.2}),
    "ftrl_beta": ("Ftrl", {"learning_rate": 0.1, "beta": 0.7}),
    "ftrl_power": ("Ftrl", {"learning_rate": 0.1, "learning_rate_power": -0.7}),
    "ftrl_power_0": ("Ftrl", {"learning_rate": 0.1, "learning_rate_power": 0.0}),
    "ftrl_all": (
        "Ftrl",
        {
            "learning_rate": 0.2,
            "learning_rate_power": -0.3,
            "initial_accumulator_value": 0.5,
            "l1_regularization_strength": 0.1,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.3,
            "beta": 0.4,
        },
    ),
    "ftrl_default": ("Ftrl", {}),
    "adafactor_default": ("Adafactor", {}),
    "adafactor_large_rate": ("Adafactor", {"learning_rate": 2.0}),
    "adafactor_clip": ("Adafactor", {"learning_rate": 0.1, "clip_threshold": 0.3}),
    "adafactor_epsilons": (
        "Adafactor",
        {"learning_rate": 0.1, "epsilon_1": 0.1, "epsilon_2": 2.0, "beta_2_decay": -0.4},
    ),
    "adafactor_not_relative": ("Adafactor", {"learning_rate": 0.1, "relative_step": False}),
    "muon_default": ("Muon", {}),
    "muon_plain_momentum": ("Muon", {"learning_rate": 0.05, "nesterov": False, "momentum": 0.5}),
    "muon_no_rms": ("Muon", {"learning_rate": 0.05, "rms_rate": None}),
    "muon_rms": ("Muon", {"learning_rate": 0.05, "rms_rate": 1.0, "ns_steps": 2}),
    "muon_no_steps": ("Muon", {"learning_rate": 0.05, "ns_steps": 0}),
    "muon_coefficients": (
        "Muon",
        {"learning_rate": 0.05, "muon_a": 1.875, "muon_b": -1.25, "muon_c": 0.375},
    ),
    "muon_adam": (
        "Muon",
        {
            "learning_rate": 0.05,
            "adam_beta_1": 0.5,
            "adam_beta_2": 0.7,
            "epsilon": 1e-2,
            "adam_lr_ratio": 0.5,
        },
    ),
    "muon_decays": (
        "Muon",
        {
            "learning_rate": 0.1,
            "adam_beta_2": 0.9,  # Keras rounds 1 - 0.999^t to float32
            "weight_decay": 0.1,
            "adam_weight_decay": 0.3,
        },
    ),
    "muon_no_adam_decay": ("Muon", {"learning_rate": 0.1, "adam_weight_decay": None}),
    "muon_excluded_layers": ("Muon", {"learning_rate": 0.05, "exclude_layers": ["ker.*"]}),
    "schedule_free_default": ("ScheduleFreeAdamW", {}),
    "schedule_free_betas": (
        "ScheduleFreeAdamW",
        {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.7, "epsilon": 1e-2},
    ),
    "schedule_free_warmup": ("ScheduleFreeAdamW", {"learning_rate": 0.05, "warmup_steps": 7}),
}


def continued(name, kind, arguments):
    """Five steps, the state into a new optimizer, five more."""

    def call(k, *arrays):
        variables = variables_of(k, arrays[:3])
        first, second = (getattr(k.optimizers, kind)(**arguments) for _ in range(2))
        for step in range(5):
            first.apply(gradients_of(k, arrays[3:], step), variables)
        second.build(variables)
        store = {}
        first.save_own_variables(store)
        second.load_own_variables(store)
        for step in range(5, 10):
            second.apply(gradients_of(k, arrays[3:], step), variables)
        return [np.array(v) for v in (*variables, *second.variables)]

    return CallCase(f"{name}_continued", call, INPUTS)


HAND_CASES = [row for name, rule in RULES.items() for row in rule_rows(name, *rule)]
OWN_CASES = [
    by_hand(name, lambda k, kind=kind, own=own: getattr(k.optimizers, kind)(**own))
    for name, (kind, own) in OWN.items()
]
CONTINUED_CASES = [continued(name, *rule) for name, rule in RULES.items()]


def shapes_of_state(kind, **arguments):
    def call(k):
        optimizer = getattr(k.optimizers, kind)(**arguments)
        variables = variables_of(k, [np.ones(shape, np.float32) for shape in SHAPES])
        optimizer.build(variables)
        return [list(v.shape) for v in optimizer.variables]

    return call


STATE_CASES = [
    FactCase(f"{name}_state", shapes_of_state(kind, **arguments))
    for name, (kind, arguments) in {**RULES, **OWN}.items()
] + [
    FactCase(
        f"{name}_state_of_everything",
        shapes_of_state(kind, **arguments, use_ema=True, gradient_accumulation_steps=2),
    )
    for name, (kind, arguments) in RULES.items()
]

CONFIG_CASES = (
    [
        ConfigCase(
            f"{name}_config", lambda k, kind=kind, own=own: getattr(k.optimizers, kind)(**own)
        )
        for name, (kind, own) in OWN.items()
    ]
    + [
        ConfigCase(
            f"config_{key}",
            lambda k, own=own: k.optimizers.Adam(0.5, name="mine", **own),
        )
        for key, own in OPTIONS.items()
    ]
    + [
        ConfigCase("config_schedule", lambda k: k.optimizers.Adam(schedule(k, 0.1))),
    ]
)


def adam(**arguments):
    return lambda k: k.optimizers.Adam(**arguments)


def built(k):
    optimizer = k.optimizers.Adam()
    optimizer.build([k.Variable(np.ones(2, np.float32))])
    return optimizer


FACT_CASES = [
    *(
        FactCase(f"get_{name}", lambda k, name=name: type(k.optimizers.get(name)).__name__)
        for name in ("adam", "ADAM", "RMSprop", "rmsprop", "SGD", "Nadam", "AdamW", "adagrad",
                     "adadelta", "adamax", "Ftrl", "lion", "adafactor", "Muon", "schedulefreeadamw")
    ),
    FactCase("get_none", lambda k: k.optimizers.get(None)),
    FactCase(
        "get_config",
        lambda k: k.optimizers.get(
            {"class_name": "ADAM", "config": {"learning_rate": 0.5}}
        ).get_config()["learning_rate"],
    ),
    FactCase(
        "get_lamb",
        lambda k: _error_name(lambda: k.optimizers.get("lamb")),
        differs="Keras has Lamb but forgot its name",
        here="",
    ),
    FactCase(
        "get_class",
        lambda k: _error_name(lambda: k.optimizers.get(k.optimizers.Adam)),
        differs="classes serve as in Keras 2",
        here="",
    ),
    FactCase(
        "int_rate",
        lambda k: _error_name(lambda: k.optimizers.SGD(1)),
        differs="whole numbers serve as learning rates",
        here="",
    ),
    FactCase(
        "exclude_after_build",
        lambda k: _error_name(lambda: built(k).exclude_from_weight_decay(var_names=["bias"])),
        differs="Keras says that it has to be called before build, and does not check",
        here="ValueError",
    ),
    FactCase("iterations", lambda k: [_count(k, steps) for steps in (None, 2, 3)]),
    FactCase("apply_gradients_returns", lambda k: int(_applied(k))),
    FactCase("set_rate", lambda k: _set_rate(k)),
    FactCase("apply_nothing", lambda k: k.optimizers.Adam().apply([])),
]  # fmt: skip


def _error_name(call):
    try:
        call()
    except Exception as error:
        return type(error).__name__
    return ""


def _count(k, accumulated):
    optimizer = k.optimizers.SGD(0.5, gradient_accumulation_steps=accumulated)
    variable = k.Variable(np.ones(2, np.float32))
    for _ in range(7):
        optimizer.apply([k.ops.ones(2)], [variable])
    return int(optimizer.iterations)


def _applied(k):
    variable = k.Variable(np.ones(2, np.float32))
    return k.optimizers.SGD(0.5).apply_gradients([(k.ops.ones(2), variable)])


def _set_rate(k):
    optimizer = k.optimizers.SGD(0.5)
    optimizer.learning_rate = 0.25
    return float(optimizer.learning_rate)


REFUSAL_CASES = [
    RefusalCase("refused_unknown_argument", adam(foo=1), ["Adam", "foo"]),
    RefusalCase("refused_unknown_name", lambda k: k.optimizers.get("adamm"), ["adamm", "Adam"]),
    RefusalCase("refused_no_optimizer", lambda k: k.optimizers.get(3), ["3"]),
    RefusalCase("refused_two_clips", adam(clipnorm=1.0, clipvalue=2.0), ["clipnorm", "clipvalue"]),
    RefusalCase(
        "refused_three_clips", adam(clipnorm=1.0, clipvalue=2.0, global_clipnorm=3.0), ["only one"]
    ),
    RefusalCase(
        "refused_accumulate_1", adam(gradient_accumulation_steps=1), ["accumulation", "2", "1"]
    ),
    RefusalCase(
        "refused_ema_momentum", adam(use_ema=True, ema_momentum=2.0), ["ema_momentum", "2"]
    ),
    RefusalCase(
        "refused_ema_frequency",
        adam(use_ema=True, ema_overwrite_frequency=-3),
        ["ema_overwrite_frequency", "-3"],
    ),
    RefusalCase(
        "refused_sgd_momentum", lambda k: k.optimizers.SGD(momentum=2.0), ["momentum", "2"]
    ),
    RefusalCase(
        "refused_word_as_rate",
        adam(learning_rate="fast"),
        ["learning_rate", "fast"],
        raises=TypeError,
        differs="a wrong type is a TypeError",
    ),
    RefusalCase(
        "refused_lion_beta", lambda k: k.optimizers.Lion(beta_1=0.0), ["Lion", "beta_1", "0"]
    ),
    RefusalCase(
        "refused_ftrl_power", lambda k: k.optimizers.Ftrl(learning_rate_power=1.0), ["power", "1"]
    ),
    RefusalCase(
        "refused_ftrl_l1",
        lambda k: k.optimizers.Ftrl(l1_regularization_strength=-1.0),
        ["l1_regularization_strength", "-1"],
    ),
    RefusalCase(
        "refused_ftrl_start",
        lambda k: k.optimizers.Ftrl(initial_accumulator_value=-1.0),
        ["initial_accumulator_value", "-1"],
    ),
    RefusalCase(
        "refused_not_built", lambda k: k.optimizers.Adam().apply([np.ones(2)]), ["variables"]
    ),
    RefusalCase(
        "refused_weights_not_built", lambda k: k.optimizers.Adam().set_weights([]), ["build"]
    ),
    RefusalCase(
        "refused_number_of_gradients", lambda k: built(k).apply([np.ones(2)] * 3), ["3", "1"]
    ),
    RefusalCase("refused_no_gradients", lambda k: built(k).apply([None]), ["gradients"]),
    RefusalCase(
        "refused_unknown_variable",
        lambda k: built(k).apply([np.ones(2)], [k.Variable(np.ones(2, np.float32), name="other")]),
        ["other", "new optimizer"],
    ),
    RefusalCase(
        "refused_shape_of_gradient",
        lambda k: built(k).apply([np.ones(3, np.float32)]),
        ["(3,)", "(2,)"],
        raises=ValueError,
        differs="Keras leaves it to the backend",
    ),
    RefusalCase(
        "refused_scheduled_rate",
        lambda k: setattr(k.optimizers.Adam(schedule(k, 0.1)), "learning_rate", 0.5),
        ["schedule"],
    ),
    RefusalCase(
        "refused_adamw_none",
        lambda k: k.optimizers.AdamW(weight_decay=None),
        ["AdamW", "weight_decay", "Adam"],
    ),
    RefusalCase("refused_decay", adam(decay=0.1), ["decay", "InverseTimeDecay"], raises=ValueError),
    RefusalCase(
        "refused_negative_rate", adam(learning_rate=-0.1), ["learning_rate"], raises=ValueError
    ),
    RefusalCase(
        "refused_negative_clip", adam(clipnorm=-1.0), ["clipnorm", "-1"], raises=ValueError
    ),
    RefusalCase("refused_beta", adam(beta_1=2.0), ["beta_1", "2"], raises=ValueError),
    RefusalCase(
        "refused_rho", lambda k: k.optimizers.RMSprop(rho=2.0), ["rho", "2"], raises=ValueError
    ),
]

CASES = [
    *HAND_CASES,
    *OWN_CASES,
    *CONTINUED_CASES,
    *STATE_CASES,
    *CONFIG_CASES,
    *FACT_CASES,
    *REFUSAL_CASES,
]
