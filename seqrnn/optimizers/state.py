"""What an optimizer remembers, as variables in the order of Keras's files.

iteration, learning rate (unless scheduled),
with use_ema the average of each trained variable,
with gradient_accumulation_steps the sum of gradients of each trained variable,
then what the rule keeps
"""

from seqrnn.trace.array import checked


class State:
    """Of an optimizer: its variables, and how they are saved and restored."""

    @property
    def variables(self):
        """The state as variables, in the order stated at the top of this module."""
        return list(self._tracked)

    def changing_variables(self):
        """What a step may change besides the trained variables."""
        return [v for v in self.variables if v is not self._rate]

    def state_arrays(self):
        """The memory of what is kept for the trained variables."""
        return [v.storage for v in self.changing_variables() if v is not self._iterations]

    def inner_optimizers(self):
        """{attribute: optimizer, or list of them} that this one applies."""
        return {}

    def set_weights(self, weights):
        """Sets the state from arrays in the order of `variables`; all or, on an error, none.

        ValueError if their number or shapes are not those of `variables`; TypeError for what are no
        real numbers.
        """
        variables = self.variables
        names = [v.name for v in variables] + ["a state"] * (len(weights) - len(variables))
        weights = [checked(w, f"{n!r}") for w, n in zip(weights, names, strict=False)]
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

    # ---- the average of the weights ----

    def _averaged(self):
        """Pairs (trained variable, its average); ValueError unless there are averages."""
        if not self.use_ema:
            raise ValueError(
                f"{type(self).__name__} keeps no average of the weights: use_ema is False."
            )
        return list(zip(self._trainable_variables, self._averages, strict=True))

    @property
    def averages_in_place(self):
        """Whether the variables and their averages have changed places."""
        return self._swapped

    def swap_averages(self):
        """Exchanges the trained variables with their averages; before the next step again."""
        for variable, average in self._averaged():
            value = variable.numpy()
            variable.assign(average)
            average.assign(value)
        self._swapped = not self._swapped

    def finalize_variable_values(self, var_list):
        """At the end of training: with use_ema the variables take their averages as values."""
        if not self.use_ema:
            return
        if self.averages_in_place:
            self.swap_averages()
        wanted = {id(v) for v in var_list}
        for variable, average in self._averaged():
            if id(variable) in wanted:
                variable.assign(average)
