"""Rules whose arithmetic is in csrc/optim: the Python side of `_core.Optimizer`.

The core keeps the state of a rule (moments, velocities) in flat arrays, over all variables side by
side; the variables here are pieces of them. In a plan the step is taken at the end of the run, by
the same call of the core.
"""

import numpy as np

from seqrnn import _core, trace
from seqrnn.optimizers.base import Optimizer
from seqrnn.trace import Slot


class CoreRule(Optimizer):
    """Base of rules in the core. The other arguments: see `Optimizer`."""

    kind = None  # the core's word for the rule
    # Names of the rule's slots in the order of the core. In a group they alternate per variable:
    # (("m", "v"), ("h",)) is m v m v ... h h ...
    slot_groups = ()

    def __init__(self, learning_rate, **kwargs):
        super().__init__(learning_rate, **kwargs)
        if type(self).update_step is not CoreRule.update_step:
            raise self._no_step_of_ones_own()
        self._slots = []
        self._constraints = None  # a plan that applies them; False: there are none

    def core_config(self):
        """Hyperparameters of the rule, by the core's names."""
        raise NotImplementedError

    def update_step(self, gradient, variable, learning_rate):
        """Not to be had: NotImplementedError."""
        raise self._no_step_of_ones_own()

    def _no_step_of_ones_own(self):
        return NotImplementedError(
            f"{type(self).__name__}.update_step: the rule {self.kind!r} is computed in the C core, "
            "so it can't be called or replaced. To change gradients, override apply(grads, "
            "trainable_variables); for a rule of your own derive from keras.optimizers.Optimizer."
        )

    # ---- state ----

    @property
    def variables(self):
        return self._tracked + self._slots

    def state_arrays(self):
        return list(self.core.slots) if self.built else []

    def _make_state(self):
        variables = self._trainable_variables
        dtypes = {v.dtype for v in variables}
        if len(dtypes) > 1:
            raise ValueError(f"All trained variables need one dtype, got {sorted(dtypes)}.")
        self.core = _core.Optimizer(
            self.kind,
            [v.storage for v in variables],
            learning_rate=self.current_rate(),
            weight_decay=self.weight_decay or 0.0,
            clipnorm=self.clipnorm or 0.0,
            clipvalue=self.clipvalue or 0.0,
            global_clipnorm=self.global_clipnorm or 0.0,
            use_ema=self.use_ema,
            ema_momentum=self.ema_momentum,
            ema_overwrite_frequency=self.ema_overwrite_frequency,
            loss_scale_factor=self.loss_scale_factor,
            accumulation_steps=self.gradient_accumulation_steps,
            undecayed=[self._is_undecayed(v) for v in variables],
            **self.core_config(),
        )
        self._make_slots()

    def _make_slots(self):
        """`Slot`s for the arrays of the core."""
        ends = np.cumsum([v.storage.size for v in self._trainable_variables])[:-1]
        flat = [np.split(slot, ends) for slot in self.core.slots]
        rule = len(flat) - self.use_ema - bool(self.gradient_accumulation_steps)
        extra = iter(flat[rule:])
        self._averages = self._of_all({"average": next(extra)}) if self.use_ema else []
        sums = []
        if self.gradient_accumulation_steps:
            sums = self._of_all({"gradient_accumulator": next(extra)})
        self._slots = [*self._averages, *sums, *self._rule_slots(flat[:rule])]

    def _rule_slots(self, pieces):
        """`Slot`s of the rule; `pieces` are its flat arrays, split by variable."""
        slots, number = [], 0
        for group in self.slot_groups:
            if number + len(group) <= len(pieces):
                slots += self._of_all(dict(zip(group, pieces[number:], strict=False)))
                number += len(group)
        return slots

    def _of_all(self, group):
        """For each variable one `Slot` per name in the group."""
        return [
            self._slot(pieces[i].reshape(variable.shape), variable, name)
            for i, variable in enumerate(self._trainable_variables)
            for name, pieces in group.items()
        ]

    def _slot(self, storage, variable, name):
        return Slot(storage, f"{variable.path.replace('/', '_')}_{name}", self.name)

    def __getstate__(self):
        state = {"state": [v.numpy() for v in self.variables]} if self.built else {}
        fields = {**super().__getstate__(), "core": None, "_slots": [], "_averages": []}
        return {**fields, "_idle": (), "_constraints": None, **state}

    def __setstate__(self, fields):
        state = fields.pop("state", None)
        self.__dict__.update(fields)
        if state is not None:
            self._make_state()
            self.set_weights(state)

    # ---- a step ----

    @property
    def steps_alone(self):
        return self._schedule is None and self._constraints is False

    def leave_alone(self, idle):
        before = self._idle
        super().leave_alone(idle)
        if self._idle != before:
            self.core.idle = self._idle or [False] * len(self._trainable_variables)

    _apply_in_trace = Optimizer.apply_after_run

    def apply_at_once(self, gradients):
        variables = self._trainable_variables
        flat = [
            np.zeros(v.storage.size) if g is None else np.ravel(g)
            for g, v in zip(gradients, variables, strict=True)
        ]
        flat = np.concatenate(flat).astype(variables[0].dtype)
        self.leave_alone([g is None for g in gradients])
        count = self._iterations.storage
        self.core.step(flat, learning_rate=self.current_rate(), iteration=int(count))
        count += 1
        self.finish_step()
        for variable in variables:
            variable.version += 1

    def finish_step(self):
        """Applies the constraints of the variables."""
        if self._constraints is None:
            self._constraints = self._trace_constraints()
        if self._constraints:
            self._constraints.run(())

    def _trace_constraints(self):
        constrained = [v for v in self._trainable_variables if v.constraint is not None]

        def constrain():
            for variable in constrained:
                variable.assign(variable.constraint(variable))

        return trace.trace(constrain, ()) if constrained else False
