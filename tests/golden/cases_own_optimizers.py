"""Optimizers written with Keras's classes, and optimizers that apply others: applied by hand."""

import numpy as np
from cases_optimizers import (
    INPUTS,
    OPTIONS,
    SHAPES,
    by_hand,
    gradients_of,
    schedule,
    variables_of,
)
from golden_case import CallCase
from golden_classes import own_adam, own_momentum
from golden_kinds import ConfigCase, FactCase, RefusalCase

OWN = {
    "own_momentum": (own_momentum, {"learning_rate": 0.02}),
    "own_adam": (own_adam, {"learning_rate": 0.05}),
}


def own_rows(name, make, arguments):
    def maker(**options):
        return lambda k: make(k)(**arguments | options)

    def scheduled(k, **options):
        return make(k)(**arguments | {"learning_rate": schedule(k, 0.05)} | options)

    return [
        *(by_hand(f"{name}_{key}", maker(**options)) for key, options in OPTIONS.items()),
        by_hand(f"{name}_excluded", maker(weight_decay=0.1), excluded=["bias", "cu"]),
        by_hand(f"{name}_missing", maker(weight_decay=0.1), missing=True),
        by_hand(f"{name}_schedule", lambda k: scheduled(k, weight_decay=0.1)),
        by_hand(
            f"{name}_schedule_accumulate", lambda k: scheduled(k, gradient_accumulation_steps=2)
        ),
        by_hand(f"{name}_callable", maker(learning_rate=lambda: 0.01), steps=3),
        by_hand(f"{name}_scaled_by_itself", lambda k: loss_scale(k, make(k)(**arguments))),
    ]


def loss_scale(k, inner, **options):
    return k.optimizers.LossScaleOptimizer(inner, **options)


def several(k, **options):
    """Adam but for the bias, and an expression for the cube."""
    inner = {"bias": k.optimizers.SGD(0.1, momentum=0.9), "cu.*": k.optimizers.RMSprop(0.01)}
    return k.optimizers.MultiOptimizer(
        k.optimizers.OptimizerMap(k.optimizers.Adam(0.05), inner), **options
    )


def by_function(k):
    adam, sgd = k.optimizers.Adam(0.05), k.optimizers.SGD(0.1)
    return k.optimizers.MultiOptimizer(lambda v: adam if v.path.startswith("b") else sgd)


def with_overflows(name, make, overflows, steps=12):
    """Gradients times the present scale; in the steps `overflows` one number is not finite."""

    def call(k, *arrays):
        optimizer, variables = make(k), variables_of(k, arrays[:3])
        optimizer.build(variables)
        scales = []
        for step in range(steps):
            scale = optimizer.scale_loss(1.0)
            gradients = [g * k.ops.cast(scale, g.dtype) for g in gradients_of(k, arrays[3:], step)]
            if step in overflows:
                broken = np.array(gradients[1])
                broken[2] = overflows[step]
                gradients[1] = k.ops.convert_to_tensor(broken)
            optimizer.apply(gradients, variables)
            scales.append(float(scale))
        state = [np.array(v) for v in (*variables, *optimizer.variables)]
        return [*state, np.array(scales), np.array(optimizer.iterations)]

    return CallCase(name, call, INPUTS)


WRAPPED = [
    with_overflows("loss_scale", lambda k: loss_scale(k, k.optimizers.Adam(0.05)), {}),
    with_overflows(
        "loss_scale_grows",
        lambda k: loss_scale(k, k.optimizers.Adam(0.05), initial_scale=4.0, dynamic_growth_steps=3),
        {},
    ),
    with_overflows(
        "loss_scale_overflows",
        lambda k: loss_scale(k, k.optimizers.SGD(0.05, momentum=0.9), dynamic_growth_steps=4),
        {2: np.inf, 3: np.nan, 8: -np.inf},
    ),
    with_overflows(
        "loss_scale_of_options",
        lambda k: loss_scale(
            k,
            k.optimizers.AdamW(
                schedule(k, 0.05), use_ema=True, clipnorm=0.5, gradient_accumulation_steps=2
            ),
        ),
        {4: np.inf},
    ),
    with_overflows(
        "loss_scale_of_own",
        lambda k: loss_scale(k, own_adam(k)(0.05), initial_scale=2.0),
        {1: np.nan},
    ),
    by_hand("multi", several),
    by_hand("multi_loss_scale", lambda k: several(k, loss_scale_factor=8.0)),
    by_hand("multi_function", by_function),
    by_hand(
        "multi_own",
        lambda k: k.optimizers.MultiOptimizer(
            k.optimizers.OptimizerMap(own_momentum(k)(0.02), {"kernel": k.optimizers.Muon(0.05)})
        ),
    ),
    by_hand(
        "multi_ema",
        lambda k: k.optimizers.MultiOptimizer(
            k.optimizers.OptimizerMap(
                k.optimizers.SGD(0.1, use_ema=True, ema_overwrite_frequency=4)
            )
        ),
    ),
]


def continued(name, make):
    """Five steps, the state into a new optimizer, five more."""

    def call(k, *arrays):
        variables = variables_of(k, arrays[:3])
        first, second = make(k), make(k)
        for step in range(5):
            first.apply(gradients_of(k, arrays[3:], step), variables)
        second.build(variables)
        store = {}
        first.save_own_variables(store)
        if name.startswith("multi"):  # Keras's load_own_variables is for the whole list as well
            second.set_weights([store[str(i)] for i in range(len(store))])
        else:
            second.load_own_variables(store)
        for step in range(5, 10):
            second.apply(gradients_of(k, arrays[3:], step), variables)
        return [np.array(v) for v in (*variables, *second.variables)]

    return CallCase(f"{name}_continued", call, INPUTS)


CONTINUED = [
    continued("own_momentum", lambda k: own_momentum(k)(0.02)),
    continued("own_adam", lambda k: own_adam(k)(0.05, gradient_accumulation_steps=2)),
    continued("own_adam_ema", lambda k: own_adam(k)(schedule(k, 0.05), use_ema=True)),
    continued("loss_scale", lambda k: loss_scale(k, k.optimizers.Adam(0.05, amsgrad=True))),
    continued("multi", several),
]


def named(k):
    return variables_of(k, [np.ones(shape, np.float32) for shape in SHAPES])


def built(k, make=own_adam):
    optimizer = make(k)(0.05)
    optimizer.build(named(k))
    return optimizer


def stateless(k, *arrays):
    """Values go in and come out; the optimizer stays as it is."""
    optimizer, variables = own_adam(k)(0.05), variables_of(k, arrays[:3])
    optimizer.build(variables)
    state, values = [v.value for v in optimizer.variables], [v.value for v in variables]
    for step in range(3):
        values, state = optimizer.stateless_apply(state, gradients_of(k, arrays[3:], step), values)
    kept = [np.array(v) for v in (*variables, *optimizer.variables)]
    return [*(np.array(v) for v in (*values, *state)), *kept]


def added(k):
    optimizer = built(k)
    variable = optimizer._trainable_variables[0]
    pair = optimizer.add_optimizer_variables([variable], ["a", "b"], ["ones", "zeros"])
    more = [
        optimizer.add_variable((2, 3), name="extra"),
        optimizer.add_variable_from_reference(variable),
        *pair[0],
        *pair[1],
        *optimizer.add_optimizer_variables([variable], "c", "ones"),
    ]
    optimizer.attribute = k.Variable(3.0, name="attribute")
    return [[v.name, list(v.shape), np.array(v).ravel().tolist()] for v in more] + [
        len(optimizer.variables)
    ]


FACTS = [
    FactCase("own_added_variables", added),
    FactCase("own_paths", lambda k: [v.path for v in built(k).variables]),
    FactCase("loss_scale_paths", lambda k: _names(_built_wrapper(k, loss_scale))),
    FactCase("multi_shapes", lambda k: _shapes(_built_wrapper(k, lambda k, _: several(k)))),
    FactCase("multi_optimizers", lambda k: [type(o).__name__ for o in several(k).optimizers]),
    FactCase("map_keys", lambda k: list(several(k)._optimizer_map)),
    FactCase("map_default", lambda k: several(k)._optimizer_map["other"].name[:4]),
    FactCase("map_path", lambda k: several(k)._optimizer_map["cube"].name[:4]),
    FactCase(
        "loss_scale_rate",
        lambda k: round(float(loss_scale(k, k.optimizers.Adam(0.25)).learning_rate), 6),
    ),
    FactCase("loss_scale_drops_factor", lambda k: _dropped(k)),
    FactCase("get_muon", lambda k: type(k.optimizers.get("muon")).__name__),
    FactCase("get_schedule_free", lambda k: type(k.optimizers.get("schedulefreeadamw")).__name__),
]


def _built_wrapper(k, make):
    optimizer = make(k, k.optimizers.Adam(0.1))
    optimizer.build(named(k))
    return optimizer


def _names(optimizer):
    return [v.name for v in optimizer.variables]


def _shapes(optimizer):
    return [list(v.shape) for v in optimizer.variables]


def _dropped(k):
    inner = k.optimizers.Adam(0.1, loss_scale_factor=4.0)
    loss_scale(k, inner)
    return inner.loss_scale_factor


CONFIGS = [
    ConfigCase("own_momentum_config", lambda k: own_momentum(k)(0.5, momentum=0.25)),
    ConfigCase("own_adam_config", lambda k: own_adam(k)(0.5, weight_decay=0.1, clipnorm=2.0)),
    ConfigCase("loss_scale_config", lambda k: loss_scale(k, k.optimizers.Adam(0.5), name="mine")),
    ConfigCase(
        "loss_scale_options_config",
        lambda k: loss_scale(k, k.optimizers.SGD(0.5), initial_scale=8.0, dynamic_growth_steps=3),
    ),
    ConfigCase("multi_config", lambda k: named_inside(k)),
]


def named_inside(k):
    o = k.optimizers
    inner = {"b.*": o.SGD(0.5, name="second")}
    return o.MultiOptimizer(o.OptimizerMap(o.Adam(0.5, name="first"), inner), 4.0, name="mine")


def forgetful(k):
    class Forgetful(k.optimizers.Optimizer):
        def __init__(self):
            self.rate = 0.1

    return Forgetful()


def without_a_rule(k):
    optimizer = k.optimizers.Optimizer(0.1)
    optimizer.apply([np.ones(shape, np.float32) for shape in SHAPES], named(k))


def adam_of_ones_own(k):
    class Own(k.optimizers.Adam):
        def update_step(self, gradient, variable, learning_rate):
            self.assign_sub(variable, gradient)

    return Own()


def inside(name, **options):
    return lambda k: loss_scale(k, k.optimizers.Adam(), **options)


REFUSALS = [
    RefusalCase("refused_own_without_super", forgetful, ["Forgetful", "super().__init__()"]),
    RefusalCase("refused_no_update_step", without_a_rule, ["Optimizer", "update_step"]),
    RefusalCase(
        "refused_update_step_of_adam",
        adam_of_ones_own,
        ["Own.update_step", "adam", "core", "apply", "keras.optimizers.Optimizer"],
        raises=NotImplementedError,
    ),
    RefusalCase(
        "refused_initializers",
        lambda k: built(k).add_optimizer_variables([], ["a", "b"], ["zeros"]),
        ["one initializer", "1", "a", "b"],
    ),
    RefusalCase(
        "refused_stateless_not_built",
        lambda k: own_adam(k)().stateless_apply([], [], []),
        ["stateless_apply", "build"],
    ),
    RefusalCase(
        "refused_stateless_variables",
        lambda k: built(k).stateless_apply([], [], [np.ones(s, np.float32) for s in SHAPES]),
        ["optimizer_variables", "9", "0"],
    ),
    RefusalCase(
        "refused_stateless_trained",
        lambda k: built(k).stateless_apply([v.value for v in built(k).variables], [], []),
        ["trainable_variables", "3", "0"],
    ),
    *(
        RefusalCase(f"refused_loss_scale_{key}", inside(key, **{key: value}), [key, "inner"])
        for key, value in {
            "clipnorm": 1.0,
            "weight_decay": 0.1,
            "use_ema": True,
            "loss_scale_factor": 2.0,
            "gradient_accumulation_steps": 2,
        }.items()
    ),
    RefusalCase("refused_loss_scale_unknown", inside("foo", foo=1), ["foo"]),
    RefusalCase(
        "refused_loss_scale_fixed", inside("dynamic", dynamic=False), ["dynamic", "factor"]
    ),
    RefusalCase(
        "refused_loss_scale_of_a_name",
        lambda k: loss_scale(k, "adam"),
        ["inner_optimizer", "adam"],
        raises=TypeError,
        differs="Keras says that a string has no loss_scale_factor",
    ),
    RefusalCase(
        "refused_name_of_loss_scale",
        lambda k: k.optimizers.get("lossscaleoptimizer"),
        ["LossScaleOptimizer", "inner"],
        raises=ValueError,
        differs="Keras misses a key of the config",
    ),
    RefusalCase(
        "refused_name_of_multi",
        lambda k: k.optimizers.get("multioptimizer"),
        ["MultiOptimizer", "inner"],
        raises=ValueError,
        differs="Keras misses a key of the config",
    ),
    RefusalCase(
        "refused_multi_of_a_number",
        lambda k: k.optimizers.MultiOptimizer(3),
        ["OptimizerMap", "3"],
        raises=TypeError,
    ),
    RefusalCase("refused_multi_rate", lambda k: several(k).learning_rate, ["learning_rate"]),
    RefusalCase(
        "refused_set_multi_rate",
        lambda k: setattr(several(k), "learning_rate", 0.5),
        ["learning_rate", "optimizers"],
    ),
    RefusalCase(
        "refused_map_default",
        lambda k: k.optimizers.OptimizerMap("adam"),
        ["default_optimizer", "adam"],
    ),
    RefusalCase(
        "refused_map_list",
        lambda k: k.optimizers.OptimizerMap(k.optimizers.Adam(), [1]),
        ["optimizer_map", "[1]"],
    ),
    RefusalCase(
        "refused_map_key",
        lambda k: k.optimizers.OptimizerMap(k.optimizers.Adam()).__setitem__(3, k.optimizers.SGD()),
        ["key", "3"],
    ),
    RefusalCase(
        "refused_map_again",
        lambda k: several(k)._optimizer_map.__setitem__("bias", k.optimizers.SGD()),
        ["bias"],
    ),
    RefusalCase(
        "refused_map_value", lambda k: several(k)._optimizer_map.__setitem__("x", 3), ["x", "3"]
    ),
    RefusalCase(
        "refused_map_of_wrapper",
        lambda k: several(k)._optimizer_map.__setitem__("x", loss_scale(k, k.optimizers.SGD())),
        ["x", "LossScaleOptimizer"],
    ),
    RefusalCase(
        "refused_map_two_matches",
        lambda k: k.optimizers.OptimizerMap(
            k.optimizers.Adam(), {"a.*": k.optimizers.SGD(), ".*b": k.optimizers.SGD()}
        )["ab"],
        ["ab"],
    ),
    RefusalCase(
        "refused_multi_function",
        lambda k: k.optimizers.MultiOptimizer(lambda v: None).build(named(k)),
        ["kernel"],
    ),
    RefusalCase("refused_multi_not_built", lambda k: several(k).apply([np.ones(2)]), ["variables"]),
    RefusalCase(
        "refused_muon_string",
        lambda k: k.optimizers.Muon(exclude_layers="head"),
        ["exclude_layers", "head"],
        raises=TypeError,
    ),
    RefusalCase(
        "refused_muon_momentum",
        lambda k: k.optimizers.Muon(momentum=2.0),
        ["Muon", "momentum", "2"],
        raises=ValueError,
    ),
    RefusalCase(
        "refused_schedule_free_beta",
        lambda k: k.optimizers.ScheduleFreeAdamW(beta_1=0.0),
        ["ScheduleFreeAdamW", "beta_1", "0"],
        raises=ValueError,
        differs="Keras divides by it",
    ),
]

CASES = [
    *(row for name, (make, arguments) in OWN.items() for row in own_rows(name, make, arguments)),
    *WRAPPED,
    *CONTINUED,
    CallCase("own_stateless", stateless, INPUTS),
    *FACTS,
    *CONFIGS,
    *REFUSALS,
]
