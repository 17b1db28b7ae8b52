"""Files of trained models: every optimizer goes on from its state, and what `compile` was given
comes back."""

from cases_optimizers import RULES
from golden_builders import normal
from golden_classes import own_adam, own_momentum
from golden_model_files import FileCase, nothing

X = [normal(4, 5, 3)]
STEPS = 3


def model_with(**compiled):
    """A builder of one small model; each setting is a function of the module."""

    def build(k):
        layers = [k.layers.GRU(2), k.layers.Dense(2)]
        model = k.Sequential([k.layers.Input((5, 3)), *layers])
        model.compile(**{"loss": "mse"} | {name: make(k) for name, make in compiled.items()})
        return model

    return build


def row(name, suffix=".keras", custom=nothing, **compiled):
    return FileCase(f"file_{name}", model_with(**compiled), X, suffix, STEPS, custom)


def optimizer(rule, **options):
    """A row's setting: the optimizer of a rule, with the arguments that it has in RULES."""
    name, plain = RULES[rule]

    def make(k):
        given = {key: value(k) if callable(value) else value for key, value in options.items()}
        return getattr(k.optimizers, name)(**plain | given)

    return make


def schedule(name, *args, **options):
    return lambda k: getattr(k.optimizers.schedules, name)(*args, **options)


decay = schedule("ExponentialDecay", 0.1, 4, 0.5)
warm_up = schedule("CosineDecay", 0.01, 20, alpha=0.1, warmup_target=0.1, warmup_steps=4)
piecewise = schedule("PiecewiseConstantDecay", [2, 4], [0.1, 0.05, 0.01])

# 3 steps leave something in an accumulator of 2. Keras can't go on from its own '.h5', so that is
# in round_trips.py only.
OPTIONS = {
    "sgd_nesterov": optimizer("sgd_momentum", nesterov=True),
    "rmsprop_all": optimizer("rmsprop", momentum=0.5, centered=True),
    "adam_amsgrad": optimizer("adam", amsgrad=True),
    "adafactor_first_moment": optimizer("adafactor", beta_2_decay=-0.7, relative_step=False),
    "ftrl_options": optimizer("ftrl", l1_regularization_strength=0.01, beta=0.1),
    "lamb_decay": optimizer("lamb", weight_decay=0.01),
    "clipnorm": optimizer("adam", clipnorm=0.1),
    "clipvalue": optimizer("rmsprop", clipvalue=0.05),
    "global_clipnorm": optimizer("sgd_momentum", global_clipnorm=0.2),
    "weight_decay": optimizer("nadam", weight_decay=0.1),
    "ema": optimizer("adam", use_ema=True, ema_momentum=0.8),
    "ema_overwrite": optimizer(
        "sgd_momentum", use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=2
    ),
    "accumulation": optimizer("adam", gradient_accumulation_steps=2),
    "accumulation_ema": optimizer(
        "rmsprop", gradient_accumulation_steps=2, use_ema=True, ema_momentum=0.7
    ),
    "loss_scale_factor": optimizer("adam", loss_scale_factor=128.0),
    "schedule": optimizer("adam", learning_rate=decay),
    "schedule_warm_up": optimizer("sgd_momentum", learning_rate=warm_up),
    "schedule_piecewise": optimizer("adamw", learning_rate=piecewise),
    "schedule_inverse_time": optimizer(
        "nadam", learning_rate=schedule("InverseTimeDecay", 0.1, 2, 0.5, staircase=True)
    ),
    "schedule_polynomial": optimizer(
        "lion", learning_rate=schedule("PolynomialDecay", 0.1, 5, cycle=True)
    ),
    "schedule_restarts": optimizer("adam", learning_rate=schedule("CosineDecayRestarts", 0.1, 3)),
}


def own_optimizers(k):
    """Registers them, so they are found by name."""
    own_adam(k), own_momentum(k)
    return {}


# Of optimizers, and of one's own.
WRAPPED = {
    "loss_scale": lambda k: k.optimizers.LossScaleOptimizer(k.optimizers.Adam(0.05)),
    "multi": lambda k: k.optimizers.MultiOptimizer(
        k.optimizers.OptimizerMap(
            k.optimizers.Adam(0.05), {".*kernel": k.optimizers.SGD(0.1, momentum=0.5)}
        )
    ),
    "own": lambda k: own_adam(k)(0.05),
    "own_options": lambda k: own_momentum(k)(0.05, use_ema=True, gradient_accumulation_steps=2),
}
# Keras steps otherwise on TensorFlow than on its other backends: there the momentum kept from
# before the step is the one after it. So this file is read, and training does not go on.
SCHEDULE_FREE = "schedule_free"


def schedule_free(k):
    model = model_with(optimizer=lambda k: k.optimizers.ScheduleFreeAdamW(use_ema=True))(k)
    model.optimizer.build(model.trainable_variables)
    return model


OPTIMIZERS = [
    FileCase("file_optimizer_schedule_free", schedule_free, X),
    *[
        row(f"optimizer_{name}", custom=own_optimizers, optimizer=make)
        for name, make in WRAPPED.items()
    ],
    *[
        row(f"optimizer_weights_{name}", ".weights.h5", optimizer=make)
        for name, make in WRAPPED.items()
    ],
    *[
        row(f"optimizer_{rule}", optimizer=optimizer(rule))
        for rule in RULES
        if rule != SCHEDULE_FREE
    ],
    *[row(f"optimizer_{name}", optimizer=make) for name, make in OPTIONS.items()],
    *[
        row(f"optimizer_weights_{rule}", ".weights.h5", optimizer=optimizer(rule))
        for rule in ("adam", "nadam", "rmsprop", "ftrl", "adafactor")
    ],
]


def trend(y_true, y_pred):
    return (y_true[:, -1] - y_pred[:, -1]) ** 2


def own_loss(k):
    class Quartic(k.losses.Loss):
        def __init__(self, scale=1.0, name="quartic", **kwargs):
            super().__init__(name=name, **kwargs)
            self.scale = scale

        def call(self, y_true, y_pred):
            return k.ops.mean((y_true - y_pred) ** 4, axis=-1) * self.scale

        def get_config(self):
            return {**super().get_config(), "scale": self.scale}

    return Quartic


def own_metric(k):
    class Largest(k.metrics.Metric):
        def __init__(self, name="largest", **kwargs):
            super().__init__(name=name, **kwargs)
            self.value = self.add_weight(name="value", initializer="zeros")

        def update_state(self, y_true, y_pred, sample_weight=None):
            error = k.ops.max(k.ops.abs(y_true - y_pred))
            self.value.assign(k.ops.maximum(self.value, error))

        def result(self):
            return k.ops.convert_to_tensor(self.value)

    return Largest


SGD = {"optimizer": lambda k: k.optimizers.SGD(0.1)}
COMPILED = [
    row("compiled_names", loss=lambda k: "mae", metrics=lambda k: ["mse", "mape"], **SGD),
    row(
        "compiled_instances",
        loss=lambda k: k.losses.Huber(delta=0.3, reduction="sum"),
        metrics=lambda k: [
            k.metrics.RootMeanSquaredError(name="root"),
            k.metrics.CosineSimilarity(axis=0),
        ],
        weighted_metrics=lambda k: [k.metrics.MeanAbsoluteError()],
        **SGD,
    ),
    row(
        "compiled_classes",
        loss=lambda k: k.losses.BinaryCrossentropy(from_logits=True, label_smoothing=0.1),
        metrics=lambda k: ["accuracy", k.metrics.TopKCategoricalAccuracy(k=1)],
        **SGD,
    ),
    row(
        "compiled_functions",
        loss=lambda k: trend,
        metrics=lambda k: [trend, "mae"],
        custom=lambda k: {"trend": trend},
        **SGD,
    ),
    row(
        "compiled_own_classes",
        loss=lambda k: own_loss(k)(0.5),
        metrics=lambda k: [own_metric(k)()],
        custom=lambda k: {"Quartic": own_loss(k), "Largest": own_metric(k)},
        **SGD,
    ),
    row("compiled_loss_weights", loss=lambda k: ["mse"], loss_weights=lambda k: [0.3], **SGD),
    row("compiled_defaults", optimizer=lambda k: "rmsprop"),
]

CASES = [*OPTIMIZERS, *COMPILED]
