"""The step of an optimizer as ops, for rules written in Python.

In `fit` the step is part of the plan, nodes behind those of the gradient. By hand, `apply` runs a
plan of its own. What may not happen in every step (accumulated gradients, averages that replace the
weights) is computed in all of them and selected by `where`.
"""

from seqrnn import config, ops, trace

_AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")


class TracedStep:
    """Of an optimizer: what users write rules with, and the step around their `update_step`."""

    # ---- for rules of one's own ----

    def add_variable(
        self, shape, initializer="zeros", dtype=None, aggregation="none", layout=None, name=None
    ):
        """A variable of the state.

        Args:
            shape: tuple of ints.
            initializer: name or function of (shape, dtype).
            dtype: default `floatx()`.
            aggregation: one of Keras's words; there is one process, so each means the same.
            layout: None, as there is one process.
            name: default 'variable', 'variable_1', ...
        """
        from seqrnn import initializers

        if aggregation not in _AGGREGATIONS or layout is not None:
            raise ValueError(
                f"{type(self).__name__}.add_variable: there is one process: aggregation must be "
                f"one of {_AGGREGATIONS} and layout None, got {aggregation!r} and {layout!r}."
            )
        with trace.entered(None):
            make = initializers.get(initializer)
            variable = trace.Variable(make, shape, dtype, trainable=False, name=name)
        variable.path = f"{self.name}/{variable.name}"
        self._track(variable)
        return variable

    def add_variable_from_reference(self, reference_variable, name=None, initializer="zeros"):
        """A variable of the state with the shape and dtype of `reference_variable`; `name` follows
        that variable's: 'dense_kernel_momentum'."""
        v = reference_variable
        name = f"{v.path.replace('/', '_')}_{name or 'var'}"
        return self.add_variable(v.shape, initializer, v.dtype, name=name)

    def add_optimizer_variables(self, trainable_variables, name, initializer="zeros"):
        """`add_variable_from_reference` for each of the variables: a list.

        With a list of names, a tuple with a list for each name; `initializer` may be a list too.
        ValueError if the two lists differ in length.
        """
        names = [name] if isinstance(name, str) else list(name)
        several = isinstance(initializer, list | tuple)
        makers = list(initializer) if several else [initializer] * len(names)
        if len(makers) != len(names):
            raise ValueError(
                f"{type(self).__name__}.add_optimizer_variables: expected one initializer for each "
                f"name, got {len(makers)} for {names}."
            )
        rows = [
            [self.add_variable_from_reference(v, n, m) for n, m in zip(names, makers, strict=True)]
            for v in trainable_variables
        ]
        columns = tuple([row[i] for row in rows] for i in range(len(names)))
        return columns[0] if isinstance(name, str) else columns

    def assign(self, variable, value):
        """`variable.assign(value)`."""
        variable.assign(value)

    def assign_add(self, variable, value):
        """`variable.assign_add(value)`."""
        variable.assign_add(value)

    def assign_sub(self, variable, value):
        """`variable.assign_sub(value)`."""
        variable.assign_sub(value)

    def update_step(self, gradient, variable, learning_rate):
        """Changes one variable by its gradient: to be written by a subclass.

        Args:
            gradient: tensor of the variable's shape and dtype.
            variable: the trained variable.
            learning_rate: Variable or tensor of shape ().
        """
        raise NotImplementedError(
            f"{type(self).__name__} has to define update_step(gradient, variable, learning_rate)."
        )

    def _get_variable_index(self, variable):
        """The place of a variable among those the optimizer was built for."""
        return self._places()[id(variable)]

    def _places(self):
        if self._indices is None:
            self._indices = {id(v): i for i, v in enumerate(self._trainable_variables)}
        return self._indices

    # ---- state ----

    _indices = None  # id of a trained variable -> its place
    _plans = None  # of `apply`, by which gradients there are

    def _make_state(self):
        """The variables that every rule may need."""
        self._indices, self._plans = None, None
        if self.use_ema:
            self._averages = self.add_optimizer_variables(self._trainable_variables, "average")
        if self.gradient_accumulation_steps:
            self._sums = self.add_optimizer_variables(
                self._trainable_variables, "gradient_accumulator"
            )

    def __getstate__(self):
        return {**self.__dict__, "_indices": None, "_plans": None}

    # ---- a step ----

    @property
    def steps_alone(self):
        """Whether steps in a plan need nothing from Python in between."""
        return self._schedule is None

    def apply_after_run(self, gradients):
        """In a trace: the step is taken when its run ends, by `apply_at_once` or by the core."""
        update = trace.Update(self, gradients, self._trainable_variables)
        trace.current().root.updates.append(update)

    def apply_at_once(self, gradients):
        """A step by arrays, None for variables that stay as they are."""
        key = (config.version(), *(g is None for g in gradients))
        self._plans = self._plans or {}
        traced = self._plans.get(key)
        if traced is None:
            specs = [
                None if g is None else trace.Spec(v.shape, v.dtype)
                for g, v in zip(gradients, self._trainable_variables, strict=True)
            ]
            traced = self._plans[key] = trace.trace(self._apply_in_trace, (specs,))
        traced.run((gradients,))
        for variable in self._trainable_variables:
            variable.version += 1

    def _apply_in_trace(self, gradients):
        """The whole step as nodes; `gradients` are tensors, or None."""
        self.leave_alone([g is None for g in gradients])
        variables = [
            v for g, v in zip(gradients, self._trainable_variables, strict=True) if g is not None
        ]
        gradients = [g for g in gradients if g is not None]
        if self.loss_scale_factor is not None:
            gradients = [g / self.loss_scale_factor for g in gradients]
        if self.gradient_accumulation_steps:
            self._accumulate(gradients, variables)
        else:
            self._update(gradients, variables)
        if self.use_ema:
            self._average()
        for variable in variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))
        self._iterations.assign_add(1)

    def _accumulate(self, gradients, variables):
        """k - 1 of k steps only add up gradients, the k-th updates by their mean."""
        k = self.gradient_accumulation_steps
        due = ops.equal((self._iterations + 1) % k, 0)
        sums = [self._sums[self._get_variable_index(v)] for v in variables]
        totals = [s + g for s, g in zip(sums, gradients, strict=True)]
        with trace.assigning_if(due):
            self._update([total / k for total in totals], variables)
        for s, total in zip(sums, totals, strict=True):
            s.assign(ops.where(due, ops.zeros_like(total), total))

    def _update(self, gradients, variables):
        """Clip, decay, then the rule, variable by variable."""
        gradients = self._clipped(gradients)
        rate = self.learning_rate
        for variable in variables:
            if decay := self._decay_of(variable):
                variable.assign(variable - variable * ops.cast(rate, variable.dtype) * decay)
        for gradient, variable in zip(gradients, variables, strict=True):
            self.update_step(gradient, variable, rate)

    def _clipped(self, gradients):
        """As in csrc/optim/clip.c."""
        if self.clipvalue:
            return [ops.clip(g, -self.clipvalue, self.clipvalue) for g in gradients]
        squares = [ops.sum(ops.square(g)) for g in gradients]
        if self.clipnorm:
            norms = [ops.sqrt(square) for square in squares]
            pairs = zip(gradients, norms, strict=True)
            return [g * (self.clipnorm / ops.maximum(n, self.clipnorm)) for g, n in pairs]
        if self.global_clipnorm:
            norm = ops.sqrt(sum(ops.cast(square, squares[0].dtype) for square in squares))
            scale = self.global_clipnorm / ops.maximum(norm, self.global_clipnorm)
            scale = scale + (norm - norm)  # NaN when the norm is not finite
            return [g * ops.cast(scale, g.dtype) for g in gradients]
        return gradients

    def _average(self):
        """The moving average of the variables, which it replaces every so many steps."""
        done, every = self.iterations, self.ema_overwrite_frequency
        for variable, average in self._averaged():
            kept = ops.cast(ops.not_equal(done, 0), variable.dtype) * self.ema_momentum
            average.assign(kept * average + (1 - kept) * variable)
            if every:
                due = ops.equal((done + 1) % every, 0)
                variable.assign(ops.where(due, average, variable))
