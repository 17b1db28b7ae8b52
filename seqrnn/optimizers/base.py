"""Optimizers: the Python side of an update rule whose arithmetic is in csrc/optim.

An optimizer owns its hyperparameters, the learning rate and the count of steps; `build(variables)`
makes the `_core.Optimizer` that holds the slots (moments, velocities). One step is: clip, decay
(w -= lr weight_decay w), update, count; then the constraints of the variables.
"""

import numpy as np

from seqrnn import _core, ops, trace
from seqrnn.config import snake_case
from seqrnn.errors import UnknownArgumentError, did_you_mean
from seqrnn.optimizers.schedules import LearningRateSchedule
from seqrnn.saving.objects import deserialize_keras_object, serialize_keras_object

_LATER = ("use_ema", "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps")


class Optimizer:
    """Base of optimizers.

    Args:
        learning_rate: a number, a `LearningRateSchedule`, or a function without arguments.
        weight_decay: decoupled decay per step, relative to the learning rate; None for none.
        clipnorm: largest norm of the gradient of each variable.
        clipvalue: largest absolute value of each element of a gradient.
        global_clipnorm: largest norm of all gradients together. At most one of the three.
        name: default the class name in snake_case.
        lr: as `learning_rate` (Keras 2).
    """

    kind = None  # the core's word for the rule
    # Slots in the order of Keras's files: in a group they alternate per variable (m, v, m, v, ...).
    slot_groups = ()

    def __init__(
        self,
        learning_rate,
        weight_decay=None,
        clipnorm=None,
        clipvalue=None,
        global_clipnorm=None,
        name=None,
        **kwargs,
    ):
        learning_rate = kwargs.pop("lr", learning_rate)
        self._refuse(kwargs)
        clips = {"clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm}
        given = {key: value for key, value in clips.items() if value is not None}
        if len(given) > 1:
            raise ValueError(
                f"Only one of clipnorm, clipvalue and global_clipnorm can be set, got {given}."
            )
        for key, value in {**given, "weight_decay": weight_decay or 0.0}.items():
            check_number(type(self).__name__, key, value, 0.0)
        self.name = name or snake_case(type(self).__name__)
        self.weight_decay = weight_decay
        self.clipnorm, self.clipvalue, self.global_clipnorm = clipnorm, clipvalue, global_clipnorm
        self.iterations = trace.Variable(np.zeros((), np.int64), name="iteration", trainable=False)
        self._schedule = None
        self._rate = None
        self._set_rate(learning_rate)
        self._variables = None  # trained; None before build
        self.core = None

    def _refuse(self, kwargs):
        defaults = {"ema_momentum": 0.99, "jit_compile": None, "decay": 0.0}
        for key in list(kwargs):
            if key in _LATER and kwargs[key] not in (None, False):
                raise ValueError(f"{type(self).__name__}: {key} is not available in seqrnn yet.")
            if key in _LATER or key in defaults:
                kwargs.pop(key)
        if kwargs:
            name = next(iter(kwargs))
            known = [*self.get_config_names(), *_LATER, *defaults, "lr"]
            raise UnknownArgumentError(
                f"{type(self).__name__}() got an unexpected keyword argument {name!r}."
                f"{did_you_mean(name, known)}"
            )

    @classmethod
    def get_config_names(cls):
        """Names of the constructor's arguments."""
        names = set()
        for base in cls.__mro__[:-1]:
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
            return float(self._schedule(int(self.iterations.storage)))
        return float(self._schedule())

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
            **self.core_config(),
        )
        self._variables = variables

    @property
    def variables(self):
        """Copies of the state as arrays, in the order of Keras: iteration, learning rate (unless
        scheduled), then the slots, one array per trained variable and slot (see `slot_groups`)."""
        own = [self.iterations] + ([self._rate] if self._schedule is None else [])
        arrays = [variable.numpy() for variable in own]
        arrays += [view.copy() for view in self._slot_views()]
        return arrays + self._scalars()

    def _slot_views(self):
        """The slots as views of the core's arrays, in the order and shapes of `variables`."""
        if self.core is None:
            return []
        ends = np.cumsum([v.storage.size for v in self._variables])[:-1]
        pieces = [np.split(slot, ends) for slot in self.core.slots]
        return [
            pieces[slot][i].reshape(variable.shape)
            for group in self._groups()
            for i, variable in enumerate(self._variables)
            for slot in group
        ]

    def _groups(self):
        """Those of `slot_groups` that this optimizer, with its arguments, has."""
        n = len(self.core.slots)
        return [group for group in self.slot_groups if max(group) < n]

    def _scalars(self):
        """What comes after the slots."""
        return []

    def _set_scalars(self, arrays):
        """Restores `_scalars`."""

    def set_weights(self, weights):
        """Sets the state from arrays in the order of `variables`; all or, on an error, none.

        ValueError if their number or shapes are not those of `variables`.
        """
        weights = [np.asarray(w) for w in weights]
        expected = [array.shape for array in self.variables]
        if [w.shape for w in weights] != expected:
            raise ValueError(
                f"The state of {type(self).__name__} has {len(expected)} arrays of the shapes "
                f"{expected}, got {len(weights)} of {[w.shape for w in weights]}."
                + ("" if self.built else " It is not built yet: build(model.trainable_variables).")
            )
        own = 1 + (self._schedule is None)
        self.iterations.assign(weights[0].astype(np.int64))
        if self._schedule is None:
            self._rate.assign(weights[1].astype(np.float64))
        views = self._slot_views()
        for view, array in zip(views, weights[own:], strict=False):
            view[...] = array
        self._set_scalars(weights[own + len(views) :])

    def save_own_variables(self, store):
        """Puts the state into a dict: '0', '1', ... in the order of `variables`."""
        for i, array in enumerate(self.variables):
            store[str(i)] = array

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
        state = {} if self.core is None else {"state": self.variables}
        return {**self.__dict__, "core": None, **state}

    def __setstate__(self, fields):
        state = fields.pop("state", None)
        self.__dict__.update(fields)
        if state is not None:
            self.build(self._variables)
            self.set_weights(state)

    # ---- by hand ----

    def apply_gradients(self, grads_and_vars):
        """One step for pairs (gradient, variable)."""
        pairs = list(grads_and_vars)
        self.apply([g for g, _ in pairs], [v for _, v in pairs])

    def apply(self, grads, trainable_variables=None):
        """One step by a list of gradients, as arrays; None counts as zero."""
        if trainable_variables is not None:
            with trace.entered(None):
                self.build(trainable_variables)
        if self.core is None:
            raise ValueError("apply() needs the variables the first time.")
        grads = list(grads)
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
        self.core.step(
            flat, learning_rate=self.current_rate(), iteration=int(self.iterations.storage)
        )
        self.count_step()
        for variable in self._variables:
            variable.version += 1
        self.constrain()

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
        self.iterations.storage[...] += 1

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
