"""Optimizers: the Python side of an update rule whose arithmetic is in csrc/optim.

An optimizer owns its hyperparameters, the learning rate and the count of steps; `build(variables)`
makes the `_core.Optimizer` that holds the slots (moments, velocities). One step is: unscale,
accumulate, clip, decay (w -= lr weight_decay w), update, average, as csrc/optim/optim.h says, and
count; then the constraints of the variables.
"""

import re
import warnings

import numpy as np

from seqrnn import _core, ops, trace
from seqrnn.config import snake_case
from seqrnn.errors import UnknownArgumentError, did_you_mean
from seqrnn.optimizers.schedules import LearningRateSchedule
from seqrnn.optimizers.state import State
from seqrnn.saving.objects import deserialize_keras_object, serialize_keras_object


class Optimizer(State):
    """Base of optimizers.

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

    kind = None  # the core's word for the rule

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
        if self.kind is None:
            raise NotImplementedError(
                f"{type(self).__name__}: update rules of one's own are not supported in seqrnn, as "
                "rules are in the C core. Subclass one that is there, or write a train_step that "
                "assigns the weights itself."
            )
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
        self._iterations = trace.Variable(np.zeros((), np.int64), name="iteration", trainable=False)
        self._schedule = None
        self._rate = None
        self._set_rate(learning_rate)
        for variable in (self._iterations, self._rate):
            if variable is not None:
                variable.path = f"{self.name}/{variable.name}"
        self._variables = None  # trained; None before build
        self._undecayed = (frozenset(), None)  # ids of variables, pattern of names
        self._idle = ()  # which variables have no gradient; () for none
        self._slots = None
        self._swapped = False  # whether the variables and their averages have changed places
        self.core = None

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
        return self._rate if self._schedule is None else self.current_rate()

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
        if not steps:
            return self._iterations
        return np.asarray(self._iterations.storage // steps).view(trace.Array)

    # ---- state ----

    @property
    def built(self):
        return self.core is not None

    def core_config(self):
        """Hyperparameters of the rule, by the core's names."""
        raise NotImplementedError

    def build(self, variables):
        """Makes the slots for these variables. ValueError if built for others before."""
        variables = list(variables)
        if self.core is not None:
            if [id(v) for v in variables] != [id(v) for v in self._variables]:
                raise ValueError(
                    f"This {type(self).__name__} optimizer already belongs to other variables (of "
                    "another model, or before layers were frozen or unfrozen). Pass a new "
                    "optimizer to compile()."
                )
            return
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
        self._variables = variables
        self._slots = self._make_slots()

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """Has variables not decay: those in `var_list`, and those whose name holds (as a regular
        expression) one of `var_names`. Has to be called before `build`, else ValueError."""
        if self.built:
            raise ValueError(
                "exclude_from_weight_decay() has to be called before the optimizer is built, which "
                "is at the first step of training."
            )
        pattern = re.compile("|".join(var_names)) if var_names else None
        self._undecayed = (frozenset(id(v) for v in var_list or ()), pattern)

    def _is_undecayed(self, variable):
        ids, pattern = self._undecayed
        return id(variable) in ids or bool(pattern and pattern.search(variable.name))

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
        if trainable_variables is not None:
            grads = self._in_order(grads, list(trainable_variables))
        if self.core is None:
            raise ValueError("apply() needs the variables the first time.")
        if len(grads) != len(self._variables):
            raise ValueError(f"Got {len(grads)} gradients for {len(self._variables)} variables.")
        if all(g is None for g in grads):
            raise ValueError("No gradients were given for any variable.")
        if trace.current() is not None:
            self._apply_at_the_end(grads)
            return
        flat = []
        for gradient, variable in zip(grads, self._variables, strict=True):
            array = np.zeros(variable.shape) if gradient is None else np.asarray(gradient)
            if array.shape != variable.shape:
                raise ValueError(
                    f"The gradient of {variable.path!r} has shape {array.shape}, expected "
                    f"{variable.shape}."
                )
            flat.append(np.ravel(array))
        flat = np.concatenate(flat).astype(self._variables[0].dtype)
        self.leave_alone([g is None for g in grads])
        self.core.step(
            flat, learning_rate=self.current_rate(), iteration=int(self._iterations.storage)
        )
        self.count_step()
        for variable in self._variables:
            variable.version += 1
        self.constrain()

    def _in_order(self, grads, variables):
        """One gradient for each variable that the optimizer was built for."""
        if len(grads) != len(variables):
            raise ValueError(f"Got {len(grads)} gradients for {len(variables)} variables.")
        if self.core is None:
            with trace.entered(None):
                self.build(variables)
        given = {id(v): g for g, v in zip(grads, variables, strict=True)}
        known = {id(v) for v in self._variables}
        for variable in variables:
            if id(variable) not in known:
                raise ValueError(
                    f"Unknown variable {variable.path!r}: this {type(self).__name__} was built for "
                    "others. Make a new optimizer for it."
                )
        return [given.get(id(v)) for v in self._variables]

    def leave_alone(self, idle):
        """Which of the variables have no gradient in the steps to come, a bool for each."""
        idle = tuple(idle) if any(idle) else ()
        if idle == self._idle:
            return
        self.core.idle = idle or [False] * len(self._variables)
        self._idle = idle
        names = [v.path for v, left in zip(self._variables, idle, strict=False) if left]
        if names:
            warnings.warn(
                f"There are no gradients for the variables {names}: the loss does not depend on "
                "them. They stay as they are.",
                stacklevel=4,
            )

    def _apply_at_the_end(self, grads):
        """In a function being traced: the step is taken when its run ends."""
        root = trace.current().root
        if root.update is not None:
            raise TypeError("optimizer.apply is called twice in one step.")
        for gradient, variable in zip(grads, self._variables, strict=True):
            if gradient is not None and tuple(gradient.shape) != variable.shape:
                raise ValueError(
                    f"The gradient of {variable.path!r} has shape {tuple(gradient.shape)}, "
                    f"expected {variable.shape}."
                )
        convert = ops.convert_to_tensor
        grads = [
            None if g is None else convert(g, v.dtype)
            for g, v in zip(grads, self._variables, strict=True)
        ]
        root.update = trace.Update(self, grads, self._variables)

    def constrain(self):
        """Applies the constraints of the variables."""
        for variable in self._variables:
            if variable.constraint is not None:
                variable.assign(variable.constraint(variable))

    def count_step(self):
        """A step has been made."""
        self._iterations.storage[...] += 1

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
