"""Optimizers that apply others: with a loss scale that finds itself, or each to its own variables.

A step comes after the run of the plan that computes the gradients, as Python that calls the inner
optimizers.
"""

import re
from collections.abc import MutableMapping

import numpy as np

from seqrnn import ops
from seqrnn.errors import UnknownArgumentError, did_you_mean
from seqrnn.optimizers.base import Optimizer, check_number
from seqrnn.saving.objects import deserialize_keras_object, serialize_keras_object
from seqrnn.trace import nest

# Options of optimizers, and what they are where they say nothing (in configs of older files).
_OF_THE_INNER = {
    "weight_decay": None,
    "clipnorm": None,
    "global_clipnorm": None,
    "clipvalue": None,
    "use_ema": False,
    "ema_momentum": 0.99,
    "ema_overwrite_frequency": None,
    "loss_scale_factor": None,
    "gradient_accumulation_steps": None,
}


class _Wrapper(Optimizer):
    """What the two share: state and averages are those of the inner optimizers."""

    steps_alone = False
    _apply_in_trace = Optimizer.apply_after_run

    def _inner(self):
        return nest.flatten(self.inner_optimizers())

    @property
    def variables(self):
        """Own variables, then those of the inner optimizers."""
        return self._tracked + [v for inner in self._inner() for v in inner.variables]

    def changing_variables(self):
        own = [v for v in self._tracked if v is not self._rate]
        return own + [v for inner in self._inner() for v in inner.changing_variables()]

    def state_arrays(self):
        return [array for inner in self._inner() for array in inner.state_arrays()]

    def update_step(self, gradient, variable, learning_rate):
        """Not to be had: NotImplementedError."""
        raise NotImplementedError(
            f"{type(self).__name__}.update_step: the inner optimizer updates the variables."
        )

    def load_own_variables(self, store):
        self.set_weights([store[key] for key in sorted(store, key=int)])

    def finalize_variable_values(self, var_list):
        for inner in self._inner():
            inner.finalize_variable_values(var_list)

    @property
    def averages_in_place(self):
        """Whether the variables and their averages have changed places."""
        return any(inner.averages_in_place for inner in self._inner())

    def swap_averages(self):
        for inner in self._inner():
            inner.swap_averages()

    def exclude_from_weight_decay(self, var_list=None, var_names=None):
        """`exclude_from_weight_decay` of the inner optimizers."""
        for inner in self._inner():
            inner.exclude_from_weight_decay(var_list, var_names)


class LossScaleOptimizer(_Wrapper):
    """Applies another optimizer to gradients of the loss times a scale, which they are divided by.

    After a step with a gradient that is not finite, which is left out, the scale is halved; after
    `dynamic_growth_steps` without one it is doubled (P. Micikevicius and others, 2018, Mixed
    Precision Training). In float32, losses seldom need it.

    Args:
        inner_optimizer: the optimizer. A `loss_scale_factor` of its own is dropped.
        initial_scale: the scale at the start.
        dynamic_growth_steps: steps until the scale grows.
        name: default 'loss_scale_optimizer'.

    Raises TypeError unless `inner_optimizer` is an optimizer; ValueError for options of optimizers,
    which belong to the inner one.
    """

    def __init__(
        self, inner_optimizer, initial_scale=2.0**15, dynamic_growth_steps=2000, name=None, **kwargs
    ):
        self._refuse_options(kwargs)
        super().__init__(0.0, name=name)
        if not isinstance(inner_optimizer, Optimizer) or isinstance(inner_optimizer, _Wrapper):
            raise TypeError(
                "LossScaleOptimizer: inner_optimizer must be an optimizer such as Adam(), got "
                f"{inner_optimizer!r}."
            )
        check_number("LossScaleOptimizer", "initial_scale", initial_scale, 1e-38)
        check_number("LossScaleOptimizer", "dynamic_growth_steps", dynamic_growth_steps, 1)
        self.inner_optimizer = inner_optimizer
        self.inner_optimizer.loss_scale_factor = None
        self.initial_scale, self.dynamic_growth_steps = initial_scale, dynamic_growth_steps

    def _refuse_options(self, kwargs):
        if not kwargs.pop("dynamic", True):
            raise ValueError(
                "LossScaleOptimizer: dynamic=False is not supported; give the inner optimizer a "
                "loss_scale_factor instead."
            )
        for name, value in kwargs.items():
            if name not in _OF_THE_INNER:
                known = ["inner_optimizer", "initial_scale", "dynamic_growth_steps", "name"]
                raise UnknownArgumentError(
                    f"LossScaleOptimizer() got an unexpected keyword argument {name!r}."
                    f"{did_you_mean(name, known)}"
                )
            if value != _OF_THE_INNER[name]:
                raise ValueError(
                    f"LossScaleOptimizer: {name}={value!r} belongs to inner_optimizer."
                )

    def inner_optimizers(self):
        return {"inner_optimizer": self.inner_optimizer}

    @property
    def learning_rate(self):
        """The inner optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value):
        self.inner_optimizer.learning_rate = value

    lr = learning_rate

    def current_rate(self):
        return self.inner_optimizer.current_rate()

    @property
    def iterations(self):
        """The inner optimizer's: steps left out don't count."""
        return self.inner_optimizer.iterations

    def _make_state(self):
        self.step_counter = self.add_variable((), dtype="int64", name="step_counter")
        self.dynamic_scale = self.add_variable((), dtype="float32", name="dynamic_scale")
        self.dynamic_scale.assign(self.initial_scale)
        self.inner_optimizer.build_for(self._trainable_variables)

    def scale_loss(self, loss):
        """The loss that gradients are to be taken of: times the present scale."""
        if not self.built:
            return loss * self.initial_scale
        return loss * ops.cast(self.dynamic_scale, ops.convert_to_tensor(loss).dtype)

    def apply_at_once(self, gradients):
        scale, steps = float(self.dynamic_scale), int(self.step_counter)
        if not all(np.isfinite(g).all() for g in gradients if g is not None):
            self.step_counter.assign(0)
            self.dynamic_scale.assign(scale / 2)
            return
        unscaled = [None if g is None else g / np.asarray(scale, g.dtype) for g in gradients]
        self.inner_optimizer.apply(unscaled, self._trainable_variables)
        grows = steps == self.dynamic_growth_steps - 1
        self.step_counter.assign(0 if grows else steps + 1)
        self.dynamic_scale.assign(scale * 2 if grows else scale)

    def get_config(self):
        return {
            "name": self.name,
            "inner_optimizer": serialize_keras_object(self.inner_optimizer),
            "initial_scale": self.initial_scale,
            "dynamic_growth_steps": self.dynamic_growth_steps,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        inner = deserialize_keras_object(config.pop("inner_optimizer"), custom_objects)
        return cls(inner, **config)


class OptimizerMap(MutableMapping):
    """Which optimizer updates a variable, by its path: a dict whose keys are paths or regular
    expressions of whole paths, with an optimizer for all other variables.

    Args:
        default_optimizer: for variables that no key matches.
        optimizer_map: dict of optimizers by key.

    Raises TypeError for what is no optimizer or dict; ValueError when two expressions match one
    path, and when a key is set twice.
    """

    def __init__(self, default_optimizer, optimizer_map=None):
        _check_inner(default_optimizer, "OptimizerMap: default_optimizer", TypeError)
        if optimizer_map is not None and not isinstance(optimizer_map, dict):
            raise TypeError(f"OptimizerMap: optimizer_map must be a dict, got {optimizer_map!r}.")
        self._default_optimizer = default_optimizer
        self._optimizer_map = dict(optimizer_map or {})

    @property
    def default_optimizer(self):
        return self._default_optimizer

    def __call__(self, variable):
        """The optimizer of a variable."""
        return self[variable.path]

    def __getitem__(self, key):
        if key in self._optimizer_map:
            return self._optimizer_map[key]
        found = [pattern for pattern in self._optimizer_map if re.fullmatch(pattern, key)]
        if len(found) > 1:
            raise ValueError(f"OptimizerMap: {key!r} matches several keys: {found}.")
        return self._optimizer_map[found[0]] if found else self._default_optimizer

    def __setitem__(self, key, optimizer):
        if not isinstance(key, str):
            raise ValueError(f"OptimizerMap: keys are strings, got {key!r}.")
        if key in self._optimizer_map:
            raise ValueError(f"OptimizerMap: there is an optimizer for {key!r} already.")
        _check_inner(optimizer, f"OptimizerMap: the optimizer for {key!r}", ValueError)
        self._optimizer_map[key] = optimizer

    def __delitem__(self, key):
        del self._optimizer_map[key]

    def __len__(self):
        return len(self._optimizer_map)

    def __iter__(self):
        return iter(self._optimizer_map)

    def get_config(self):
        return {
            "default_optimizer": serialize_keras_object(self._default_optimizer),
            "optimizer_map": serialize_keras_object(self._optimizer_map),
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        parts = {k: deserialize_keras_object(v, custom_objects) for k, v in config.items()}
        return cls(**parts)


def _check_inner(optimizer, what, error):
    if not isinstance(optimizer, Optimizer) or isinstance(optimizer, _Wrapper):
        raise error(f"{what} must be an optimizer that wraps no other, got {optimizer!r}.")


class MultiOptimizer(_Wrapper):
    """Several optimizers, each for its own variables.

    Args:
        optimizer_map: an `OptimizerMap`, or a function of a variable that returns its optimizer.
        loss_scale_factor: takes the place of those of the optimizers.
        name: default 'multi_optimizer'.

    Attributes:
        optimizers: list of the optimizers, each once.

    It has no `learning_rate` (AttributeError): each optimizer has its own.
    """

    def __init__(self, optimizer_map, loss_scale_factor=None, name=None):
        if not callable(optimizer_map):
            raise TypeError(
                "MultiOptimizer: expected an OptimizerMap or a function of a variable, got "
                f"{optimizer_map!r}."
            )
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        self._optimizer_map = optimizer_map
        self._optimizers = []
        self._shares = []  # of each optimizer: the places of its variables
        if isinstance(optimizer_map, OptimizerMap):
            for optimizer in [*optimizer_map.values(), optimizer_map.default_optimizer]:
                self._place_of(optimizer)

    def _place_of(self, optimizer):
        """The place of an optimizer in the list, at the end if it is new."""
        for place, known in enumerate(self._optimizers):
            if known is optimizer:
                return place
        optimizer.loss_scale_factor = self.loss_scale_factor
        self._optimizers.append(optimizer)
        self._shares.append([])
        return len(self._optimizers) - 1

    def inner_optimizers(self):
        return {"optimizers": self._optimizers}

    @property
    def optimizers(self):
        return self._optimizers

    @property
    def learning_rate(self):
        """AttributeError: each of `optimizers` has its own."""
        raise AttributeError(
            "MultiOptimizer has no learning_rate; each of its `optimizers` has its own."
        )

    @learning_rate.setter
    def learning_rate(self, value):
        raise AttributeError(
            "MultiOptimizer has no learning_rate to set; set those of its `optimizers`."
        )

    lr = learning_rate

    def current_rate(self):
        return self.learning_rate

    def _make_state(self):
        for place, variable in enumerate(self._trainable_variables):
            optimizer = self._optimizer_map(variable)
            _check_inner(optimizer, f"MultiOptimizer: what updates {variable.path!r}", ValueError)
            self._shares[self._place_of(optimizer)].append(place)
        for optimizer, share in zip(self._optimizers, self._shares, strict=True):
            if share:
                optimizer.build_for([self._trainable_variables[i] for i in share])

    def apply_at_once(self, gradients):
        for optimizer, share in zip(self._optimizers, self._shares, strict=True):
            if share:
                optimizer.apply([gradients[i] for i in share], optimizer._trainable_variables)
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list):
        for optimizer in self._optimizers:
            if optimizer.built:
                optimizer.finalize_variable_values(var_list)

    def get_config(self):
        return {
            "optimizer_map": serialize_keras_object(self._optimizer_map),
            "loss_scale_factor": self.loss_scale_factor,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config, custom_objects=None):
        config = dict(config)
        config["optimizer_map"] = deserialize_keras_object(config["optimizer_map"], custom_objects)
        return cls(**config)

    def __repr__(self):
        return f"<MultiOptimizer of {self._optimizers}>"
