"""The update rules, by gradient g, rate lr and step number t = 1, 2, ... (arithmetic: csrc/optim).

SGD       v = momentum v - lr g;  w += v   (nesterov: w += momentum v - lr g)
RMSprop   s = rho s + (1 - rho) g^2;  w -= lr g / sqrt(s + epsilon)   (T. Tieleman, G. Hinton 2012)
Adam      m += (1 - b1)(g - m);  v += (1 - b2)(g^2 - v);
          w -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon)   (D. Kingma, J. Ba 2014)
AdamW     Adam with decoupled weight decay   (I. Loshchilov, F. Hutter 2017)
Nadam     Adam with Nesterov momentum   (T. Dozat 2015)
Adamax    u = max(b2 u, |g|);  w -= lr / (1 - b1^t) m / (u + epsilon)   (D. Kingma, J. Ba 2014)
Lion      w -= lr sign(b1 m + (1 - b1) g);  m = b2 m + (1 - b2) g   (X. Chen and others 2023)
ScheduleFreeAdamW  Adam's steps by z, the weights between z and its mean   (A. Defazio and others
          2024, The Road Less Scheduled)
Lamb      Adam, the step of each variable scaled to its norm   (Y. You and others 2020)
Adagrad   s += g^2;  w -= lr g / sqrt(s + epsilon)   (J. Duchi, E. Hazan, Y. Singer 2011)
Adadelta  steps by the ratio of their own mean square to that of g   (M. Zeiler 2012)
Adafactor second moments as products of row and column means   (N. Shazeer, M. Stern 2018)
Ftrl      follow the regularized leader, proximal   (H. McMahan and others 2013)
"""

import math

import numpy as np

from seqrnn.optimizers.base import check_number
from seqrnn.optimizers.core_rule import CoreRule
from seqrnn.trace import Slot


class SGD(CoreRule):
    """Gradient descent, with momentum if asked for. The other arguments: see `Optimizer`."""

    kind = "sgd"
    slot_groups = (("momentum",),)

    def __init__(
        self, learning_rate=0.01, momentum=0.0, nesterov=False, weight_decay=None, **kwargs
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        check_number("SGD", "momentum", momentum, 0.0, 1.0)
        self.momentum, self.nesterov = momentum, nesterov

    def core_config(self):
        return {"momentum": self.momentum, "nesterov": self.nesterov}

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}


class RMSprop(CoreRule):
    """Steps divided by a running root mean square of the gradient."""

    kind = "rmsprop"

    def __init__(
        self,
        learning_rate=0.001,
        rho=0.9,
        momentum=0.0,
        epsilon=1e-7,
        centered=False,
        weight_decay=None,
        **kwargs,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        check_number("RMSprop", "rho", rho, 0.0, 1.0)
        check_number("RMSprop", "momentum", momentum, 0.0, 1.0)
        check_number("RMSprop", "epsilon", epsilon, 0.0)
        self.rho, self.momentum, self.epsilon, self.centered = rho, momentum, epsilon, centered

    @property
    def slot_groups(self):
        names = ("velocity", *("momentum",) * (self.momentum > 0))
        return tuple((name,) for name in (*names, *("average_gradient",) * bool(self.centered)))

    def core_config(self):
        return {
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }

    def get_config(self):
        return {**super().get_config(), **self.core_config()}


class _Moments(CoreRule):
    """What Adam, AdamW and Nadam share."""

    slot_groups = (("momentum", "velocity"), ("velocity_hat",))

    def _set_moments(self, beta_1, beta_2, epsilon):
        owner = type(self).__name__
        check_number(owner, "beta_1", beta_1, 0.0, 1.0)
        check_number(owner, "beta_2", beta_2, 0.0, 1.0)
        check_number(owner, "epsilon", epsilon, 0.0)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def core_config(self):
        return {"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}

    def get_config(self):
        return {**super().get_config(), **self.core_config()}


class Adam(_Moments):
    """Adaptive moments; `amsgrad` keeps the largest second moment (S. Reddi and others 2018)."""

    kind = "adam"

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        weight_decay=None,
        **kwargs,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self._set_moments(beta_1, beta_2, epsilon)
        self.amsgrad = amsgrad

    def core_config(self):
        return {**super().core_config(), "amsgrad": self.amsgrad}


class AdamW(Adam):
    """Adam with decoupled weight decay, 0.004 unless given."""

    def __init__(
        self,
        learning_rate=0.001,
        weight_decay=0.004,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        amsgrad=False,
        **kwargs,
    ):
        if weight_decay is None:
            raise ValueError("AdamW: weight_decay must be a number, got None. Adam has none.")
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs
        )


class Nadam(_Moments):
    """Adam with Nesterov momentum."""

    kind = "nadam"

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        weight_decay=None,
        **kwargs,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self._set_moments(beta_1, beta_2, epsilon)

    def _rule_slots(self, pieces):
        return [*super()._rule_slots(pieces), Slot(self.core.u_product, "u_product", self.name)]


class Adamax(_Moments):
    """Adam by the largest gradient, decaying, instead of the root of the mean square."""

    kind = "adamax"
    slot_groups = (("momentum", "norm"),)

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        weight_decay=None,
        **kwargs,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self._set_moments(beta_1, beta_2, epsilon)


class Lamb(_Moments):
    """Adam with steps in proportion to the norm of each variable, for large batches."""

    kind = "lamb"
    slot_groups = (("momentum", "velocity"),)

    def __init__(
        self,
        learning_rate=0.001,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-7,
        weight_decay=None,
        **kwargs,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self._set_moments(beta_1, beta_2, epsilon)


class ScheduleFreeAdamW(_Moments):
    """Adam's step sizes on a sequence of its own, `momentum`, whose mean the weights stay near: as
    good as with a schedule, without knowing in advance how long training takes.

    Args:
        beta_1: above 0; how near the weights are to the mean.
        warmup_steps: over which the learning rate grows.
    """

    kind = "schedule_free"
    slot_groups = (("momentum", "velocity"),)

    def __init__(
        self,
        learning_rate=0.0025,
        beta_1=0.9,
        beta_2=0.999,
        epsilon=1e-8,
        warmup_steps=0,
        weight_decay=None,
        **kwargs,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self._set_moments(beta_1, beta_2, epsilon)
        if beta_1 == 0:
            raise ValueError("ScheduleFreeAdamW: beta_1 must be above 0, as it is divided by.")
        check_number("ScheduleFreeAdamW", "warmup_steps", warmup_steps, 0)
        self.warmup_steps = warmup_steps

    def core_config(self):
        return {**super().core_config(), "warmup_steps": int(self.warmup_steps)}

    def get_config(self):
        return {**super().get_config(), "warmup_steps": self.warmup_steps}

    def _rule_slots(self, pieces):
        for piece, variable in zip(pieces[0], self._trainable_variables, strict=True):
            piece[:] = variable.storage.ravel()
        return super()._rule_slots(pieces)


class Lion(CoreRule):
    """Steps of one size, lr, in the direction of a momentum's sign."""

    kind = "lion"
    slot_groups = (("momentum",),)

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.99, weight_decay=None, **kwargs):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        check_number("Lion", "beta_1", beta_1, 0.0, 1.0)
        check_number("Lion", "beta_2", beta_2, 0.0, 1.0)
        if beta_1 == 0:
            raise ValueError("Lion: beta_1 must be above 0, else steps look at no momentum, got 0.")
        self.beta_1, self.beta_2 = beta_1, beta_2

    def core_config(self):
        return {"beta_1": self.beta_1, "beta_2": self.beta_2}

    def get_config(self):
        return {**super().get_config(), **self.core_config()}


class Adagrad(CoreRule):
    """Steps divided by the root of the sum of all squared gradients so far, which starts at
    `initial_accumulator_value`."""

    kind = "adagrad"
    slot_groups = (("accumulator",),)

    def __init__(
        self,
        learning_rate=0.001,
        initial_accumulator_value=0.1,
        epsilon=1e-7,
        weight_decay=None,
        **kwargs,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        check_number("Adagrad", "initial_accumulator_value", initial_accumulator_value, 0.0)
        check_number("Adagrad", "epsilon", epsilon, 0.0)
        self.initial_accumulator_value, self.epsilon = initial_accumulator_value, epsilon

    def core_config(self):
        return {"initial_accumulator": self.initial_accumulator_value, "epsilon": self.epsilon}

    def get_config(self):
        return {
            **super().get_config(),
            "initial_accumulator_value": self.initial_accumulator_value,
            "epsilon": self.epsilon,
        }


class Adadelta(CoreRule):
    """Steps that have the size of the steps before, by running mean squares of both."""

    kind = "adadelta"
    slot_groups = (("accumulated_grad", "accumulated_delta_var"),)

    def __init__(self, learning_rate=0.001, rho=0.95, epsilon=1e-7, weight_decay=None, **kwargs):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        check_number("Adadelta", "rho", rho, 0.0, 1.0)
        check_number("Adadelta", "epsilon", epsilon, 0.0)
        self.rho, self.epsilon = rho, epsilon

    def core_config(self):
        return {"rho": self.rho, "epsilon": self.epsilon}

    def get_config(self):
        return {**super().get_config(), **self.core_config()}


class Ftrl(CoreRule):
    """Follow the regularized leader: sparse weights by l1. The weights are a function of what the
    optimizer has summed up, so that the first step forgets their initial values, as in Keras.

    Args:
        learning_rate_power: at most 0; -0.5 is the root of the sum of squares.
        initial_accumulator_value: where that sum starts.
        l1_regularization_strength, l2_regularization_strength: of the weights.
        l2_shrinkage_regularization_strength: l2 that acts on the gradient.
        beta: added to the root of the sum of squares.
    """

    kind = "ftrl"
    slot_groups = (("accumulator", "linear"),)

    def __init__(
        self,
        learning_rate=0.001,
        learning_rate_power=-0.5,
        initial_accumulator_value=0.1,
        l1_regularization_strength=0.0,
        l2_regularization_strength=0.0,
        l2_shrinkage_regularization_strength=0.0,
        beta=0.0,
        weight_decay=None,
        **kwargs,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        self._own = {
            "learning_rate_power": learning_rate_power,
            "initial_accumulator_value": initial_accumulator_value,
            "l1_regularization_strength": l1_regularization_strength,
            "l2_regularization_strength": l2_regularization_strength,
            "l2_shrinkage_regularization_strength": l2_shrinkage_regularization_strength,
            "beta": beta,
        }
        for name, value in self._own.items():
            limits = (-math.inf, 0.0) if name == "learning_rate_power" else (0.0, math.inf)
            check_number("Ftrl", name, value, *limits)
            setattr(self, name, value)

    def core_config(self):
        return {
            "learning_rate_power": self.learning_rate_power,
            "initial_accumulator": self.initial_accumulator_value,
            "l1": self.l1_regularization_strength,
            "l2": self.l2_regularization_strength,
            "l2_shrinkage": self.l2_shrinkage_regularization_strength,
            "beta": self.beta,
        }

    def get_config(self):
        return {**super().get_config(), **self._own}


class Adafactor(CoreRule):
    """Adam's second moment from the mean squares of rows and columns, no first moment; steps in
    proportion to the size of the weights.

    Args:
        beta_2_decay: the second moment forgets with the factor 1 - t^beta_2_decay.
        epsilon_1: added to squared gradients.
        epsilon_2: least size of weights that counts.
        clip_threshold: largest root mean square of an update.
        relative_step: as in Keras it has no effect: the rate is at most 1 / sqrt(t) in any case.
    """

    kind = "adafactor"

    def __init__(
        self,
        learning_rate=0.001,
        beta_2_decay=-0.8,
        epsilon_1=1e-30,
        epsilon_2=1e-3,
        clip_threshold=1.0,
        relative_step=True,
        weight_decay=None,
        **kwargs,
    ):
        super().__init__(learning_rate, weight_decay=weight_decay, **kwargs)
        check_number("Adafactor", "beta_2_decay", beta_2_decay, -math.inf, 0.0)
        check_number("Adafactor", "epsilon_1", epsilon_1, 0.0)
        check_number("Adafactor", "epsilon_2", epsilon_2, 0.0)
        check_number("Adafactor", "clip_threshold", clip_threshold, 0.0)
        self.beta_2_decay, self.epsilon_1, self.epsilon_2 = beta_2_decay, epsilon_1, epsilon_2
        self.clip_threshold, self.relative_step = clip_threshold, relative_step

    def core_config(self):
        return {
            "beta_2_decay": self.beta_2_decay,
            "epsilon": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
        }

    def get_config(self):
        return {
            **super().get_config(),
            "beta_2_decay": self.beta_2_decay,
            "epsilon_1": self.epsilon_1,
            "epsilon_2": self.epsilon_2,
            "clip_threshold": self.clip_threshold,
            "relative_step": self.relative_step,
        }

    def _rule_slots(self, pieces):
        """Per variable: means of rows and of columns, single zeros (integers, as in Keras) with
        fewer than two axes, and the second moment."""
        velocities, rows, columns = pieces
        slots = []
        for i, variable in enumerate(self._trainable_variables):
            shape = variable.shape
            matrix = len(shape) >= 2
            for name, piece, own in (
                ("row_mean", rows[i], shape[:-1]),
                ("column_mean", columns[i], (*shape[:-2], *shape[-1:])),
            ):
                storage = piece[: math.prod(own)].reshape(own) if matrix else np.zeros((), np.int32)
                slots.append(self._slot(storage, variable, name))
            slots.append(self._slot(velocities[i].reshape(shape), variable, "velocity"))
        return slots
