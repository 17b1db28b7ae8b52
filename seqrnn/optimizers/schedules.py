"""Learning rates as functions of the step s = 0, 1, ... (Keras 3, learning_rate_schedule.py).

ExponentialDecay       r d^(s/D)                         (staircase: floor of s/D)
InverseTimeDecay       r / (1 + d s/D)                   (likewise)
PolynomialDecay        (r - end) (1 - min(s, D)/D)^power + end
PiecewiseConstantDecay values[i] while s <= boundaries[i]
CosineDecay            r ((1 - alpha) (1 + cos(pi min(s, D)/D)) / 2 + alpha), after a linear warm-up
CosineDecayRestarts    the same again and again over growing periods   (I. Loshchilov, F. Hutter
                       2017, SGDR: Stochastic Gradient Descent with Warm Restarts)
"""

import math


class LearningRateSchedule:
    """Base: a subclass defines `__call__(step)` -> the rate, and `get_config` to be saved."""

    def __call__(self, step):
        raise NotImplementedError(f"{type(self).__name__} has to define __call__(step).")

    def get_config(self):
        """The constructor's arguments, which the schedules here keep under their own names."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class _Decay(LearningRateSchedule):
    def __init__(self, initial_learning_rate, decay_steps, decay_rate, staircase=False, name=None):
        _above_zero(self, "decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.decay_rate = decay_rate
        self.staircase = staircase
        self.name = name or type(self).__name__

    def _periods(self, step):
        periods = step / self.decay_steps
        return math.floor(periods) if self.staircase else periods


class ExponentialDecay(_Decay):
    """initial_learning_rate * decay_rate ** (step / decay_steps)."""

    def __call__(self, step):
        return self.initial_learning_rate * self.decay_rate ** self._periods(step)


class InverseTimeDecay(_Decay):
    """initial_learning_rate / (1 + decay_rate * step / decay_steps)."""

    def __call__(self, step):
        return self.initial_learning_rate / (1.0 + self.decay_rate * self._periods(step))


class PolynomialDecay(LearningRateSchedule):
    """From the initial rate to `end_learning_rate` in `decay_steps`, again and again if `cycle`."""

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        end_learning_rate=0.0001,
        power=1.0,
        cycle=False,
        name="PolynomialDecay",
    ):
        _above_zero(self, "decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.end_learning_rate = end_learning_rate
        self.power = power
        self.cycle = cycle
        self.name = name

    def __call__(self, step):
        period = self.decay_steps
        if self.cycle:
            period *= max(1, math.ceil(step / period))
        left = 1.0 - min(step, period) / period
        span = self.initial_learning_rate - self.end_learning_rate
        return span * left**self.power + self.end_learning_rate


class PiecewiseConstantDecay(LearningRateSchedule):
    """values[0] up to and including step boundaries[0], values[1] up to boundaries[1], ..."""

    def __init__(self, boundaries, values, name="PiecewiseConstant"):
        if len(values) != len(boundaries) + 1:
            raise ValueError(
                f"PiecewiseConstantDecay: expected one value more than boundaries, got "
                f"{len(values)} values and {len(boundaries)} boundaries."
            )
        self.boundaries = list(boundaries)
        self.values = list(values)
        self.name = name

    def __call__(self, step):
        passed = sum(step > boundary for boundary in self.boundaries)
        return self.values[passed]


class CosineDecay(LearningRateSchedule):
    """Half a cosine down to alpha times the rate, after `warmup_steps` up to `warmup_target`."""

    def __init__(
        self,
        initial_learning_rate,
        decay_steps,
        alpha=0.0,
        name="CosineDecay",
        warmup_target=None,
        warmup_steps=0,
    ):
        _above_zero(self, "decay_steps", decay_steps)
        self.initial_learning_rate = initial_learning_rate
        self.decay_steps = decay_steps
        self.alpha = alpha
        self.name = name
        self.warmup_target = warmup_target
        self.warmup_steps = warmup_steps

    def __call__(self, step):
        if self.warmup_target is None:
            return self._decayed(self.initial_learning_rate, step)
        if step < self.warmup_steps:
            span = self.warmup_target - self.initial_learning_rate
            return self.initial_learning_rate + span * step / self.warmup_steps
        return self._decayed(self.warmup_target, step - self.warmup_steps)

    def _decayed(self, rate, step):
        share = min(step, self.decay_steps) / self.decay_steps
        cosine = 0.5 * (1.0 + math.cos(math.pi * share))
        return rate * ((1.0 - self.alpha) * cosine + self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decay that restarts: each period is t_mul times longer, each start m_mul times.

    ValueError unless `first_decay_steps` and `t_mul` are above 0. Periods that become shorter come
    to an end; from there on the rate is `alpha` times the initial one.
    """

    def __init__(
        self,
        initial_learning_rate,
        first_decay_steps,
        t_mul=2.0,
        m_mul=1.0,
        alpha=0.0,
        name="SGDRDecay",
    ):
        _above_zero(self, "first_decay_steps", first_decay_steps)
        _above_zero(self, "t_mul", t_mul)
        self.initial_learning_rate = initial_learning_rate
        self.first_decay_steps = first_decay_steps
        self.t_mul = t_mul
        self.m_mul = m_mul
        self.alpha = alpha
        self.name = name

    def __call__(self, step):
        number, share = self._place(step / self.first_decay_steps)
        cosine = 0.5 * self.m_mul**number * (1.0 + math.cos(math.pi * share))
        return self.initial_learning_rate * ((1.0 - self.alpha) * cosine + self.alpha)

    def _place(self, time):
        """(Restarts until `time`, in units of the first period; share of the present period gone).

        Before period i lie 1 + t_mul + ... + t_mul^(i - 1) = (1 - t_mul^i) / (1 - t_mul). Periods
        that become shorter add up to 1 / (1 - t_mul), and what comes after that is their end.
        """
        t_mul = self.t_mul
        if t_mul == 1.0:
            return math.floor(time), time % 1.0
        left = 1.0 - time * (1.0 - t_mul)
        if left <= 0.0:
            return 0, 1.0
        # Rounding may give the period before, at the very moment of a restart.
        number = math.floor(math.log(left) / math.log(t_mul) + 1e-9)
        begin, length = (1.0 - t_mul**number) / (1.0 - t_mul), t_mul**number
        return number, min(max((time - begin) / length, 0.0), 1.0)


def _above_zero(schedule, name, value):
    if not value > 0:
        raise ValueError(f"{type(schedule).__name__}: {name} must be above 0, got {value!r}.")


def serialize(schedule):
    """A schedule as plain data."""
    from seqrnn.saving.objects import serialize_keras_object

    return serialize_keras_object(schedule)


def deserialize(config, custom_objects=None):
    """The inverse of `serialize`."""
    from seqrnn.saving.objects import deserialize_keras_object

    return deserialize_keras_object(config, custom_objects)
