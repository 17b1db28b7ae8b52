"""Learning rate schedules at chosen steps, and their refusals."""

from golden_kinds import RefusalCase, ScheduleCase

STEPS = (0, 1, 5, 9, 10, 11, 20, 21, 25, 29, 30, 31, 69, 70, 71, 100, 1000)

SCHEDULES = {
    "exponential": ("ExponentialDecay", (0.1, 10, 0.5), {}),
    "exponential_staircase": ("ExponentialDecay", (0.1, 10, 0.5), {"staircase": True}),
    "exponential_growth": ("ExponentialDecay", (0.1, 100, 1.5), {"name": "growth"}),
    "inverse": ("InverseTimeDecay", (0.1, 10, 0.5), {}),
    "inverse_staircase": ("InverseTimeDecay", (0.1, 10, 0.5), {"staircase": True}),
    "polynomial": ("PolynomialDecay", (0.1, 25), {}),
    "polynomial_power": ("PolynomialDecay", (0.1, 25, 0.02), {"power": 2.5}),
    "polynomial_cycle": ("PolynomialDecay", (0.1, 10, 0.02), {"cycle": True}),
    "polynomial_root_cycle": ("PolynomialDecay", (0.1, 25, 0.02, 0.5, True), {}),
    "piecewise": ("PiecewiseConstantDecay", ([10, 30], [1.0, 0.5, 0.1]), {}),
    "piecewise_single": ("PiecewiseConstantDecay", ([20], [0.25, 0.125]), {}),
    "cosine": ("CosineDecay", (0.1, 25), {}),
    "cosine_alpha": ("CosineDecay", (0.1, 25), {"alpha": 0.2}),
    "cosine_warmup": ("CosineDecay", (0.0, 25), {"warmup_target": 0.1, "warmup_steps": 10}),
    "cosine_warmup_alpha": (
        "CosineDecay", (0.02, 25), {"warmup_target": 0.1, "warmup_steps": 5, "alpha": 0.1},
    ),
    "cosine_down_first": ("CosineDecay", (0.2, 25), {"warmup_target": 0.1, "warmup_steps": 10}),
    "restarts": ("CosineDecayRestarts", (0.1, 9), {}),
    "restarts_equal": ("CosineDecayRestarts", (0.1, 9), {"t_mul": 1.0}),
    "restarts_mul": ("CosineDecayRestarts", (0.1, 9), {"t_mul": 1.5, "m_mul": 0.7}),
    "restarts_alpha": ("CosineDecayRestarts", (0.1, 9), {"m_mul": 0.5, "alpha": 0.3}),
}  # fmt: skip


def made(kind, arguments, options):
    return lambda k: getattr(k.optimizers.schedules, kind)(*arguments, **options)


def refused(name, kind, arguments, words):
    return RefusalCase(f"refused_{name}", made(kind, arguments, {}), [kind, *words])


CASES = [
    *(ScheduleCase(name, made(*row), STEPS) for name, row in SCHEDULES.items()),
    refused("exponential", "ExponentialDecay", (0.1, 0, 0.5), ["decay_steps", "0"]),
    refused("inverse", "InverseTimeDecay", (0.1, -1, 0.5), ["decay_steps", "-1"]),
    refused("polynomial", "PolynomialDecay", (0.1, -3), ["decay_steps", "-3"]),
    refused("cosine", "CosineDecay", (0.1, 0), ["decay_steps", "0"]),
    refused("restarts", "CosineDecayRestarts", (0.1, 0), ["first_decay_steps", "0"]),
    refused("piecewise", "PiecewiseConstantDecay", ([1, 2], [0.5]), ["boundaries", "1", "2"]),
    RefusalCase(
        "refused_base",
        lambda k: k.optimizers.schedules.LearningRateSchedule()(0),
        ["LearningRateSchedule", "__call__"],
    ),
]
