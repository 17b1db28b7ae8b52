"""Optimizers: hyperparameters, learning rate, the count of steps, and how gradients are taken in.

A step is, in this order: unscale, accumulate, clip, decay (w -= lr weight_decay w), update,
average, constrain, count. Who computes it:

    Optimizer     this class: `update_step` of a subclass, written with ops and traced (traced_step)
    CoreRule      the arithmetic is in csrc/optim (core_rule)
    wrappers      other optimizers (wrappers)
"""

import functools
import re
import warnings

import numpy as np

from seqrnn import ops, trace
from seqrnn.config import snake_case
from seqrnn.errors import UnknownArgumentError, did_you_mean
from seqrnn.optimizers.schedules import LearningRateSchedule
from seqrnn.optimizers.state import State
from seqrnn.optimizers.traced_step import TracedStep
from seqrnn.saving.objects import deserialize_keras_object, serialize_keras_object


@functools.cache
def _fixed(kind):
    """Arguments of the library's class in `kind`, which state and plans depend on once built."""
    own = next(c for c in kind.__mro__ if c.__module__.startswith("seqrnn."))
    return frozenset(own.get_config_names()) - {"learning_rate", "name"}


class Optimizer(TracedStep, State):
    """Base of optimizers, and of those that users write: a subclass has an `update_step`, mostly a
    `build` that adds variables, and a `get_config`.

        class Momentum(keras.optimizers.Optimizer):
            def __init__(self, learning_rate=0.01, momentum=0.9, **kwargs):
                super().__init__(learning_rate, **kwargs)
                self.momentum = momentum

            def build(self, variables):
                super().build(variables)
                self.momenta = self.add_optimizer_variables(variables, "momentum")

            def update_step(self, gradient, variable, learning_rate):
                m = self.momenta[self._get_variable_index(variable)]
                self.assign(m, self.momentum * m - learning_rate * gradient)
                self.assign_add(variable, m)

            def get_config(self):
                return {**super().get_config(), "momentum": self.momentum}

    `update_step` is traced, so what is a plain number when it is called stays; what is to change
    from step to step belongs in a variable. Variables that are attributes belong to the state.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments.
        weight_decay: decoupled decay per step, relative to the learning rate; None for none.
        clipnorm: largest norm of the gradient of each variable.
        clipvalue: largest absolute value of each element of a gradient.
        global_clipnorm: largest norm of all gradients together. At most one of the three.
        use_ema: whether to keep an exponential moving average of the weights, which they are
            replaced by at the end of `fit`.
        ema_momentum: what part of the average stays in each step.
        ema_overwrite_frequency: the weights are replaced by their average every so many steps too.
        loss_scale_factor: `fit` multiplies the loss by it, and gradients are divided by it.
        gradient_accumulation_steps: k >= 2: of k steps, k - 1 only add up gradients, and the k-th
            makes one update by their mean. `iterations` counts the updates.
        name: default the class name in snake_case.
        lr: as `learning_rate` (Keras 2).

    Raises ValueError for values out of range.
    """

    core = None  # the `_core.Optimizer`, once a `CoreRule` is built

    def __init__(
        self,
        learning_rate,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        use_ema=False,
        ema_momentum=0.99,
        ema_overwrite_frequency=None,
        loss_scale_factor=None,
        gradient_accumulation_steps=None,
        name=None,
        **kwargs,
    ):
        self._tracked = []  # the variables of the state, in order
        learning_rate = kwargs.pop("lr", learning_rate)
        self._refuse(kwargs)
        self.name = name or snake_case(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.use_ema, self.ema_momentum = bool(use_ema), ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.loss_scale_factor = loss_scale_factor
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self._check()
        self.built = False
        self._iterations = trace.Variable(np.zeros((), np.int64), name="iteration", trainable=False)
        self._schedule = None
        self._rate = None
        # Of the present run, while `_schedule` gives it; no part of the state, so not tracked.
        vars(self)["_scheduled"] = trace.Variable(
            np.zeros((), np.float64), name="scheduled", trainable=False
        )
        self._set_rate(learning_rate)
        for variable in self._tracked:
            variable.path = f"{self.name}/{variable.name}"
        self._trainable_variables = []
        self._undecayed = ((), None)  # variables, pattern of names
        self._idle = ()  # which variables have no gradient; () for none
        self._warned = []  # paths of the variables that a warning named last
        self._averages = []  # of the variables, with use_ema
        self._swapped = False  # whether the variables and their averages have changed places

    def __setattr__(self, name, value):
        if name != "_tracked" and "_tracked" not in vars(self):
            raise RuntimeError(
                f"{type(self).__name__}.__init__ has to call super().__init__() before it sets "
                f"attributes such as {name!r}."
            )
        if vars(self).get("built") and name in _fixed(type(self)):
            self._refuse_change(name, value)
        if isinstance(value, trace.Variable):
            self._track(value)
        super().__setattr__(name, value)

    def _refuse_change(self, name, value):
        if value != vars(self).get(name, value):
            kind = type(self).__name__
            raise AttributeError(
                f"{kind}: {name} is fixed once the optimizer is built, at the first step of "
                f"training. Make a new optimizer, {kind}.from_config({{**optimizer.get_config(), "
                f"{name!r}: {value!r}}}), and compile with it."
            )

    def _track(self, variable):
        if all(variable is not known for known in self._tracked):
            self._tracked.append(variable)

    def _check(self):
        owner = type(self).__name__
        clips = ("clipnorm", "clipvalue", "global_clipnorm")
        given = {key: getattr(self, key) for key in clips if getattr(self, key) is not None}
        if len(given) > 1:
            raise ValueError(
                f"Only one of clipnorm, clipvalue and global_clipnorm can be set, got {given}."
            )
        for key, value in {**given, "weight_decay": self.weight_decay or 0.0}.items():
            check_number(owner, key, value, 0.0)
        check_number(owner, "ema_momentum", self.ema_momentum, 0.0, 1.0)
        if self.loss_scale_factor is not None:
            check_number(owner, "loss_scale_factor", self.loss_scale_factor, 1e-38)
        for key, least in (("ema_overwrite_frequency", 1), ("gradient_accumulation_steps", 2)):
            value = getattr(self, key)
            if value is not None and (not isinstance(value, int | np.integer) or value < least):
                raise ValueError(f"{owner}: {key} must be an int >= {least}, got {value!r}.")

    def _refuse(self, kwargs):
        accepted = {"jit_compile": None, "decay": 0.0}
        if kwargs.get("decay"):
            raise ValueError(
                f"{type(self).__name__}: decay is not supported, as in Keras 3. Give "
                "learning_rate=InverseTimeDecay(learning_rate, 1, decay) instead."
            )
        for key in accepted:
            kwargs.pop(key, None)
        if kwargs:
            name = next(iter(kwargs))
            known = [*self.get_config_names(), *accepted, "lr"]
            raise UnknownArgumentError(
                f"{type(self).__name__}() got an unexpected keyword argument {name!r}."
                f"{did_you_mean(name, known)}"
            )

    @classmethod
    def get_config_names(cls):
        """Names of the constructor's arguments."""
        names = set()
        for base in cls.__mro__[: cls.__mro__.index(Optimizer) + 1]:
            code = base.__init__.__code__
            names |= set(code.co_varnames[1 : code.co_argcount])
        return sorted(names)

    # ---- learning rate ----

    def _set_rate(self, value):
        if isinstance(value, dict):
            value = deserialize_keras_object(value)
        if isinstance(value, LearningRateSchedule) or callable(value):
            self._tracked = [v for v in self._tracked if v is not self._rate]
            self._schedule, self._rate = value, None
            return
        check_number(type(self).__name__, "learning_rate", value, 0.0)
        if self._rate is None:
            self._rate = trace.Variable(
                np.zeros((), np.float64), name="learning_rate", trainable=False
            )
        self._schedule = None
        self._rate.assign(float(value))

    @property
    def learning_rate(self):
        """The rate of the next step: a Variable, or the schedule's present value."""
        if self._schedule is None:
            return self._rate
        frame = trace.current()
        if frame is None:
            return self.current_rate()
        frame.root.before_run(self._store_rate)
        return self._scheduled.value

    def _store_rate(self):
        self._scheduled.assign(self.current_rate())

    @learning_rate.setter
    def learning_rate(self, value):
        if self._schedule is not None and not callable(value):
            raise TypeError(
                "This optimizer was made with a learning rate schedule, so its learning rate can't "
                "be set. Make the optimizer with a number instead."
            )
        self._set_rate(value)

    lr = learning_rate

    def current_rate(self):
        """The rate of the next step as a float."""
        if self._schedule is None:
            return float(self._rate.storage)
        if isinstance(self._schedule, LearningRateSchedule):
            return float(self._schedule(int(self._iterations.storage)))
        return float(self._schedule())

    @property
    def iterations(self):
        """The number of updates made: a Variable, or an array when gradients are accumulated."""
        steps = self.gradient_accumulation_steps
        return self._iterations // steps if steps else self._iterations

    # ---- state ----

    def build(self, variables):
        """Makes the state for these variables. ValueError if built for others before."""
        variables = list(variables)
        if self.built:
            if [id(v) for v in variables] != [id(v) for v in self._trainable_variables]:
                raise ValueError(
                    f"This {type(self).__name__} optimizer already belongs to other variables (of "
                    "another model, or before layers were frozen or unfrozen). Pass a new "
                    "optimizer to compile()."
                )
            return
        self._trainable_variables = variables
        self._make_state()
        self.built = True

    def build_for(self, variables):
        """`build`, also of a subclass, which may not expect to be called again, or in a trace."""
        if self.built:
            Optimizer.build(self, variables)
            return
        with trace.entered(None):
            self.build(list(variables))
        if not self.built:
            raise RuntimeError(f"{type(self).__name__}.build() has to call super().build().")

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Has variables not decay: those in `var_list`, and those whose name holds (as a regular
        expression) one of `var_names`. Has to be called before `build`, else ValueError."""
        if self.built:
            raise ValueError(
                "exclude_from_weight_decay() has to be called before the optimizer is built, which "
                "is at the first step of training."
            )
        pattern = re.compile("|".join(var_names)) if var_names else None
        self._undecayed = (tuple(var_list or ()), pattern)

    def _is_undecayed(self, variable):
        variables, pattern = self._undecayed
        listed = any(variable is each for each in variables)
        return listed or bool(pattern and pattern.search(variable.name))

    def _decay_of(self, variable):
        """The weight decay of a variable."""
        return 0.0 if self._is_undecayed(variable) else self.weight_decay or 0.0

    # ---- by hand ----

    def scale_loss(self, loss):
        """The loss that gradients are to be taken of: times `loss_scale_factor`."""
        return loss if self.loss_scale_factor is None else loss * self.loss_scale_factor

    def apply_gradients(self, grads_and_vars):
        """One step for pairs (gradient, variable). Returns the count of steps."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])
        return self._iterations

    def apply(self, grads, trainable_variables=None):
        """One step by a list of gradients, as arrays; variables whose gradient is None stay as
        they are.

        Args:
            grads: one per variable.
            trainable_variables: needed the first time; later any of those the optimizer was built
                for, the others stay as they are.

        Raises ValueError for unknown variables, for wrong numbers or shapes, and when all
        gradients are None.
        """
        grads = list(grads)
        if not grads:
            return
        given = self._trainable_variables
        if trainable_variables is not None:
            given = list(trainable_variables)
        without = [v for g, v in zip(grads, given, strict=False) if g is None]
        if trainable_variables is not None:
            grads = self._in_order(grads, given)
        if not self.built:
            raise ValueError(
                f"{type(self).__name__}.apply() needs the variables the first time: "
                "apply(grads, variables), or build(variables) before."
            )
        variables = self._trainable_variables
        if len(grads) != len(variables):
            raise ValueError(f"Got {len(grads)} gradients for {len(variables)} variables.")
        if all(g is None for g in grads):
            raise ValueError("No gradients were given for any variable.")
        self.warn_of_no_gradients(without)
        grads = [
            None if g is None else self._fitting(g, v)
            for g, v in zip(grads, variables, strict=True)
        ]
        if trace.current() is not None:
            self._apply_in_trace(grads)
        else:
            self.apply_at_once(grads)

    def _fitting(self, gradient, variable):
        """The gradient as array or tensor, if it has the variable's shape."""
        if trace.current() is not None:
            gradient = ops.convert_to_tensor(gradient, variable.dtype)
        else:
            gradient = np.asarray(gradient)
        if gradient.shape != variable.shape:
            raise ValueError(
                f"The gradient of {variable.path!r} has shape {gradient.shape}, expected "
                f"{variable.shape}."
            )
        return gradient

    def _in_order(self, grads, variables):
        """One gradient for each variable that the optimizer was built for."""
        if len(grads) != len(variables):
            raise ValueError(f"Got {len(grads)} gradients for {len(variables)} variables.")
        if not self.built:
            self.build_for(variables)
        given = {id(v): g for g, v in zip(grads, variables, strict=True)}
        known = {id(v) for v in self._trainable_variables}
        for variable in variables:
            if id(variable) not in known:
                raise ValueError(
                    f"Unknown variable {variable.path!r}: this {type(self).__name__} was built for "
                    "others. Make a new optimizer for it."
                )
        return [given.get(id(v)) for v in self._trainable_variables]

    def leave_alone(self, idle):
        """Which of the variables have no gradient in the steps to come, a bool for each."""
        self._idle = tuple(idle) if any(idle) else ()

    def warn_of_no_gradients(self, variables):
        """Says which variables the loss does not depend on, once for each set of them."""
        names = [v.path for v in variables]
        if names and names != self._warned:
            warnings.warn(
                f"There are no gradients for the variables {names}: the loss does not depend on "
                "them. They stay as they are.",
                stacklevel=4,
            )
        self._warned = names

    def stateless_apply(self, optimizer_variables, grads, trainable_variables):
        """What a step makes of these values; the optimizer and the variables stay as they are.

        Args:
            optimizer_variables: values for `variables`.
            grads: one gradient per trained variable.
            trainable_variables: values for the trained variables.

        Returns: (list of the trained variables' new values, list of those of `variables`).

        Raises ValueError before `build` and for wrong numbers of values; TypeError in a trace.
        """
        name = type(self).__name__
        if not self.built:
            raise ValueError(
                f"{name}.stateless_apply: the optimizer is not built yet; call "
                "build(trainable_variables) first."
            )
        given = (trainable_variables, optimizer_variables)
        own = (self._trainable_variables, self.variables)
        for what, values, variables in zip(
            ("trainable_variables", "optimizer_variables"), given, own, strict=True
        ):
            if len(values) != len(variables):
                raise ValueError(
                    f"{name}.stateless_apply: {what} must have one value for each of the "
                    f"{len(variables)} variables, got {len(values)}."
                )
        with trace.substituted([*own[0], *own[1]], [*given[0], *given[1]]):
            self.apply(grads)
            return tuple([v.numpy().view(trace.Array) for v in variables] for variables in own)

    # ---- config ----

    def get_config(self):
        rate = self._schedule if self._schedule is not None else float(self._rate.storage)
        return {
            "name": self.name,
            "learning_rate": serialize_keras_object(rate),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "clipvalue": self.clipvalue,
            "global_clipnorm": self.global_clipnorm,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "loss_scale_factor": self.loss_scale_factor,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        if isinstance(config.get("learning_rate"), dict):
            rate = deserialize_keras_object(config["learning_rate"], custom_objects)
            config["learning_rate"] = rate
        return cls(**config)

    def __repr__(self):
        return f"<{type(self).__name__} learning_rate={self.current_rate():g}>"


def check_number(owner, name, value, low, high=float("inf")):
    """ValueError unless low <= value <= high; TypeError unless it is a number."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{owner}: {name} must be a number, got {value!r}.") from None
    if not low <= number <= high:
        limits = f"at least {low:g}" if high == float("inf") else f"between {low:g} and {high:g}"
        raise ValueError(f"{owner}: {name} must be {limits}, got {value!r}.")
