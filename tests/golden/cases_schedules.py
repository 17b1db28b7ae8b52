"""Learning rate schedules at chosen steps."""

from golden_kinds import ScheduleCase

STEPS = (0, 1, 5, 9, 10, 11, 25, 100)

CASES = [
    ScheduleCase(
        "exponential", lambda k: k.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5), STEPS
    ),
    ScheduleCase(
        "exponential_staircase",
        lambda k: k.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True),
        STEPS,
    ),
]
