"""Muon (K. Jordan and others, 2024, Muon: An optimizer for hidden layers in neural networks), with
the scale of J. Liu and others (2025, Muon is Scalable for LLM Training), as Keras writes it.

For a matrix w with gradient g, rate lr, momentum q:

    m = q m + g;   d = g + q m with nesterov, else m
    w = w - lr rms_rate sqrt(max(rows, columns)) N(d)

N(d) has the directions of d, all of about one length: d = U S V' becomes nearly U V', by `ns_steps`
of the iteration of Newton and Schulz X = a X + (b X X' + c (X X')^2) X, from d / |d|. All other
variables (vectors, cubes, embeddings, `exclude_layers`) take a step of Adam.
"""

import re

from seqrnn import ops
from seqrnn.optimizers.base import Optimizer, check_number


class Muon(Optimizer):
    """Momentum whose steps have all their singular values near 1. The other arguments: see
    `Optimizer`.

    Args:
        adam_beta_1, adam_beta_2, epsilon: of the variables that Adam updates.
        adam_weight_decay: their weight decay; None for none.
        exclude_layers: expressions; Adam updates variables whose path contains one.
        exclude_embeddings: whether Adam updates variables with 'embedding' in their path.
        muon_a, muon_b, muon_c: coefficients of the iteration.
        adam_lr_ratio: Adam's learning rate over the learning rate.
        momentum: what stays of the momentum in each step.
        ns_steps: number of iterations.
        nesterov: whether a step looks ahead.
        rms_rate: root mean square of an update, so that rates that suit Adam do; None for steps
            that are not scaled.
    """

    def __init__(
        self,
        learning_rate=0.001,
        adam_beta_1=0.9,
        adam_beta_2=0.999,
        adam_weight_decay=0.004,
        epsilon=1e-7,
        weight_decay=0.004,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name=None,
        exclude_layers=None,
        exclude_embeddings=True,
        muon_a=3.4445,
        muon_b=-4.7750,
        muon_c=2.0315,
        adam_lr_ratio=1,
        momentum=0.95,
        ns_steps=5,
        nesterov=True,
        rms_rate=0.2,
        **kwargs,
    ):
        super().__init__(
            learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema,
            ema_momentum, ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps,
            name, **kwargs,
        )  # fmt: skip
        for name, value in (
            ("adam_beta_1", adam_beta_1),
            ("adam_beta_2", adam_beta_2),
            ("momentum", momentum),
        ):
            check_number("Muon", name, value, 0.0, 1.0)
        for name, value in (
            ("adam_weight_decay", adam_weight_decay or 0.0),
            ("epsilon", epsilon),
            ("adam_lr_ratio", adam_lr_ratio),
            ("ns_steps", ns_steps),
            ("rms_rate", rms_rate or 0.0),
        ):
            check_number("Muon", name, value, 0.0)
        if isinstance(exclude_layers, str):
            raise TypeError(
                "Muon: exclude_layers must be a list of expressions, got the string "
                f"{exclude_layers!r}."
            )
        self.adam_beta_1, self.adam_beta_2, self.epsilon = adam_beta_1, adam_beta_2, epsilon
        self.adam_weight_decay, self.adam_lr_ratio = adam_weight_decay, adam_lr_ratio
        self.exclude_layers, self.exclude_embeddings = exclude_layers or [], exclude_embeddings
        self.muon_a, self.muon_b, self.muon_c = muon_a, muon_b, muon_c
        self.momentum, self.nesterov = momentum, nesterov
        self.ns_steps, self.rms_rate = ns_steps, rms_rate

    def _is_for_adam(self, variable):
        path = variable.path
        return (
            len(variable.shape) != 2
            or (self.exclude_embeddings and "embedding" in path.lower())
            or any(re.search(expression, path) for expression in self.exclude_layers)
        )

    def _decay_of(self, variable):
        if self._is_undecayed(variable):
            return 0.0
        of_adam = self._is_for_adam(variable)
        return (self.adam_weight_decay if of_adam else self.weight_decay) or 0.0

    def _make_state(self):
        super()._make_state()
        self._momenta, self._velocities = [], []
        for variable in self._trainable_variables:
            add = self.add_variable_from_reference
            self._momenta.append(add(variable, "momentum"))
            adam = self._is_for_adam(variable)
            self._velocities.append(add(variable, "velocity") if adam else None)

    def update_step(self, gradient, variable, learning_rate):
        place = self._get_variable_index(variable)
        rate = ops.cast(learning_rate, variable.dtype)
        step = self._muon if self._velocities[place] is None else self._adam
        variable.assign_sub(step(gradient, place, rate))

    def _adam(self, gradient, place, rate):
        m, v = self._momenta[place], self._velocities[place]
        t = ops.cast(self.iterations + 1, "float64")  # 1 - 0.999 has no digits to lose
        m.assign_add((gradient - m) * (1 - self.adam_beta_1))
        v.assign_add((ops.square(gradient) - v) * (1 - self.adam_beta_2))
        correction = ops.sqrt(1 - self.adam_beta_2**t) / (1 - self.adam_beta_1**t)
        rate = rate * self.adam_lr_ratio * ops.cast(correction, m.dtype)
        return rate * m / (ops.sqrt(v) + self.epsilon)

    def _muon(self, gradient, place, rate):
        m = self._momenta[place]
        m.assign(self.momentum * m + gradient)
        direction = gradient + self.momentum * m if self.nesterov else m.value
        scale = 1.0 if self.rms_rate is None else max(m.shape) ** 0.5 * self.rms_rate
        return rate * scale * self._of_one_length(direction)

    def _of_one_length(self, x):
        """N(x): about U V' of x = U S V'."""
        high = x.shape[0] > x.shape[1]
        x = ops.transpose(x) if high else x  # so that X X' is the smaller product
        x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)
        for _ in range(self.ns_steps):
            product = x @ ops.transpose(x)
            x = self.muon_a * x + (self.muon_b * product + self.muon_c * product @ product) @ x
        return ops.transpose(x) if high else x

    def get_config(self):
        return {
            **super().get_config(),
            "adam_beta_1": self.adam_beta_1,
            "adam_beta_2": self.adam_beta_2,
            "epsilon": self.epsilon,
            "exclude_layers": self.exclude_layers,
            "muon_a": self.muon_a,
            "muon_b": self.muon_b,
            "muon_c": self.muon_c,
            "adam_lr_ratio": self.adam_lr_ratio,
            "momentum": self.momentum,
            "ns_steps": self.ns_steps,
            "nesterov": self.nesterov,
            "exclude_embeddings": self.exclude_embeddings,
            "adam_weight_decay": self.adam_weight_decay,
            "rms_rate": self.rms_rate,
        }
