"""What an optimizer remembers, as variables in the order of Keras's files.

    iteration, learning rate (unless scheduled),
    with use_ema the average of each trained variable,
    with gradient_accumulation_steps the sum of gradients of each trained variable,
    then the slots of the rule, see `slot_groups`

The slots are flat arrays of the core; the variables here are pieces of them.
"""

import numpy as np

from seqrnn import trace


class Slot(trace.Variable):
    """A piece of the core's state. Reading and assigning it reads and changes the optimizer.

    Args:
        storage: view of the piece.
        name: of the trained variable and of the slot, 'dense_kernel_momentum'.
        owner: name of the optimizer.
    """

    def __init__(self, storage, name, owner):
        self.name, self.path = name, f"{owner}/{name}"
        self.trainable = self.declared_trainable = False
        self.regularizer = self.constraint = None
        self.dtype, self.shape = storage.dtype.name, storage.shape
        self.version = 0
        self.storage = storage


class State:
    """Of an optimizer: its variables, and how they are saved and restored."""

    # Names of the rule's slots in the order of the core. In a group they alternate per variable:
    # (("m", "v"), ("h",)) is m v m v ... h h ...
    slot_groups = ()

    @property
    def variables(self):
        """The state as variables, in the order stated at the top of this module."""
        own = [self._iterations] + ([self._rate] if self._schedule is None else [])
        return own + (self._slots if self.built else [])

    def _make_slots(self):
        """`Slot`s for the arrays of the core."""
        ends = np.cumsum([v.storage.size for v in self._variables])[:-1]
        flat = [np.split(slot, ends) for slot in self.core.slots]
        rule = len(flat) - self.use_ema - bool(self.gradient_accumulation_steps)
        slots, extra = [], iter(flat[rule:])
        for name, wanted in (
            ("average", self.use_ema),
            ("gradient_accumulator", self.gradient_accumulation_steps),
        ):
            if wanted:
                slots += self._of_all({name: next(extra)})
        return slots + self._rule_slots(flat[:rule])

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
            for i, variable in enumerate(self._variables)
            for name, pieces in group.items()
        ]

    def _slot(self, storage, variable, name):
        return Slot(storage, f"{variable.path.replace('/', '_')}_{name}", self.name)

    def set_weights(self, weights):
        """Sets the state from arrays in the order of `variables`; all or, on an error, none.

        ValueError if their number or shapes are not those of `variables`.
        """
        weights = [np.asarray(w) for w in weights]
        variables = self.variables
        expected = [v.shape for v in variables]
        if [w.shape for w in weights] != expected:
            raise ValueError(
                f"The state of {type(self).__name__} has {len(expected)} arrays of the shapes "
                f"{expected}, got {len(weights)} of {[w.shape for w in weights]}."
                + ("" if self.built else " It is not built yet: build(model.trainable_variables).")
            )
        for variable, array in zip(variables, weights, strict=True):
            variable.assign(array.astype(variable.dtype))

    def save_own_variables(self, store):
        """Puts the state into a dict: '0', '1', ... in the order of `variables`."""
        for i, variable in enumerate(self.variables):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store):
        """Sets the state from what `save_own_variables` gave. ValueError if it does not fit.

        What was saved before the first step has no slots; those here stay as they are then.
        """
        weights = [store[key] for key in sorted(store, key=int)]
        own = 1 + (self._schedule is None)
        if len(weights) == own:
            weights += self.variables[own:]
        self.set_weights(weights)

    def __getstate__(self):
        state = {"state": [v.numpy() for v in self.variables]} if self.built else {}
        return {**self.__dict__, "core": None, "_slots": None, "_idle": (), **state}

    def __setstate__(self, fields):
        state = fields.pop("state", None)
        self.__dict__.update(fields)
        if state is not None:
            self.build(self._variables)
            self.set_weights(state)

    # ---- the average of the weights ----

    def _averages(self):
        """Pairs (trained variable, its average); ValueError unless there are averages."""
        if not self.use_ema:
            raise ValueError(
                f"{type(self).__name__} keeps no average of the weights: use_ema is False."
            )
        return list(zip(self._variables, self._slots, strict=False)) if self.built else []

    def swap_averages(self):
        """Exchanges the trained variables with their averages; before the next step again."""
        self._swapped = not self._swapped
        for variable, average in self._averages():
            value = variable.numpy()
            variable.assign(average)
            average.assign(value)

    def finalize_variable_values(self, var_list):
        """At the end of training: with use_ema the variables take their averages as values."""
        if not self.use_ema:
            return
        if self._swapped:
            self.swap_averages()
        wanted = {id(v) for v in var_list}
        for variable, average in self._averages():
            if id(variable) in wanted:
                variable.assign(average)
