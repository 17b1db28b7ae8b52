"""The update rules, by gradient g, rate lr and step number t = 1, 2, ... (arithmetic: csrc/optim).

SGD       v = momentum v - lr g;  w += v   (nesterov: w += momentum v - lr g)
RMSprop   s = rho s + (1 - rho) g^2;  w -= lr g / sqrt(s + epsilon)   (T. Tieleman, G. Hinton 2012)
Adam      m += (1 - b1)(g - m);  v += (1 - b2)(g^2 - v);
          w -= lr sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + epsilon)   (D. Kingma, J. Ba 2014)
AdamW     Adam with decoupled weight decay   (I. Loshchilov, F. Hutter 2017)
Nadam     Adam with Nesterov momentum   (T. Dozat 2015)
"""

import numpy as np

from seqrnn.optimizers.base import Optimizer, check_number


class SGD(Optimizer):
    """Gradient descent, with momentum if asked for. The other arguments: see `Optimizer`."""

    kind = "sgd"
    slot_groups = ((0,),)

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


class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient."""

    kind = "rmsprop"
    slot_groups = ((0,), (1,), (2,))

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

    def core_config(self):
        return {
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }

    def get_config(self):
        return {**super().get_config(), **self.core_config()}


class _Moments(Optimizer):
    """What Adam, AdamW and Nadam share."""

    slot_groups = ((0, 1), (2,))

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

    def _scalars(self):
        return [] if self.core is None else [np.asarray(self.core.u_product)]

    def _set_scalars(self, arrays):
        for array in arrays:
            self.core.u_product = float(array)
