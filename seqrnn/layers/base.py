"""Layer: the base class, with the protocol of Keras 3.

A subclass has `build(input_shape)`, which makes weights by `add_weight`, and `call(inputs)`. What
calling a layer does depends on what it is called with: placeholders record the call; tensors, in a
function being traced, run `call` there; arrays run a plan that was traced from `call`.
"""

from __future__ import annotations

import importlib
import math
from typing import ClassVar

import numpy as np

from seqrnn import config, refused
from seqrnn.errors import RENAMED, NotInitialisedError
from seqrnn.layers.arguments import (
    Recipe,
    call_spec,
    check_aggregation,
    checked_init,
    declared_input_shape,
    flag,
    refuse_renamed,
    refuse_unknown,
)
from seqrnn.layers.context import applied, built_in_context, path_of
from seqrnn.layers.input_spec import InputSpec
from seqrnn.layers.symbolic import Symbolic
from seqrnn.layers.tracking import clock
from seqrnn.trace import (
    Array,
    Function,
    KerasTensor,
    Tensor,
    Variable,
    current,
    nest,
    state,
    training_is,
)
from seqrnn.trace.array import checked, frame_to_array

_WEIGHT_ARGUMENTS = ("shape", "initializer", "dtype")


class Layer(Symbolic):
    """A piece of a model: weights, and a function of tensors that uses them.

    Args:
        activity_regularizer: function of the output; its value / batch size is added to the loss.
        trainable: whether training changes the weights.
        dtype: what it computes in: 'float32' or 'float64'; default `floatx()`.
        autocast: whether float inputs are cast to `dtype`.
        name: default the class in snake case, numbered.
        input_shape, batch_input_shape, input_dim, batch_size, input_length: of the input, if this
            is the first layer of a `Sequential`.

    Other keywords raise `UnknownArgumentError`, which suggests the nearest.
    """

    supports_masking = False
    input_spec: InputSpec | list | None = None
    _unsupported: ClassVar[dict] = {}  # arguments of Keras, and what stands for: as without it

    def __new__(cls, *args, **kwargs):
        if RENAMED.keys() & kwargs.keys():  # before Python asks for `units`, of which is no word
            refuse_renamed(cls, kwargs)
        layer = super().__new__(cls)
        layer._own_weights = []
        layer._recipe = Recipe(args, kwargs)
        return layer

    def __init__(
        self,
        *,
        activity_regularizer=None,
        trainable=True,
        dtype=None,
        autocast=True,
        name=None,
        **kwargs,
    ):
        self._batch_input_shape = declared_input_shape(type(self), kwargs)
        refuse_unknown(type(self), kwargs)
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(
                f"{type(self).__name__}: name must be a string without '/', got {name!r}."
            )
        self.name = name or config.unique_name(config.snake_case(type(self).__name__))
        self.autocast = autocast
        self.built = False
        self._dtype = config.policy_dtype(dtype)
        self._trainable = flag(trainable, self, "trainable")
        self._settled = False  # whether a call has succeeded, so that nothing is left to build
        self._function = None
        self._looked_at = 0  # when attributes were last compared with those of the plans
        self._eager_losses = []
        self._recorded = ()  # calls on placeholders, see Symbolic
        self.activity_regularizer = _resolved("regularizers", activity_regularizer)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = built_in_context(cls.__dict__["build"])
        if "__init__" in cls.__dict__ and not cls.__module__.startswith("seqrnn."):
            cls.__init__ = checked_init(cls, cls.__dict__["__init__"])

    def __getattr__(self, name):
        if "built" not in self.__dict__:
            raise NotInitialisedError(type(self))
        if name in refused.LAYER:
            raise AttributeError(f"{type(self).__name__} has no {name!r}: {refused.LAYER[name]}.")
        if isinstance(found := getattr(type(self), name, None), property):
            return found.fget(self)  # raised AttributeError: it does so again, with its own text
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # ---- to be overridden ----

    def build(self, input_shape):
        """Makes the weights. `input_shape`: tuple with None for the batch, or a list of them.

        The default makes the weights of the sublayers, by tracing `call` once, if it can.
        """
        if not self.built:
            self.built = True
            if call_spec(type(self).call).required == 1 and self._sublayers():
                self.compute_output_shape(input_shape)

    build = built_in_context(build)

    def call(self, *args, **kwargs):
        """The function of the layer: tensors to tensors.

        It is traced: attributes that are no variables are constants of the plan. Calls on arrays
        notice when one is set (not what happens inside lists and dicts); `fit`, `evaluate` and
        `predict` keep what they found first, until `compile`.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has no method `call(self, inputs)`. Define what it computes."
        )

    def compute_mask(self, inputs, previous_mask):
        """The mask of the output; by default the input's, if the layer supports masking."""
        return previous_mask if self.supports_masking else None

    # ---- weights ----

    def add_weight(
        self,
        *args,
        shape=None,
        initializer=None,
        dtype=None,
        trainable=True,
        autocast=True,
        regularizer=None,
        constraint=None,
        aggregation=None,
        name=None,
    ) -> Variable:
        """Makes a variable of this layer.

        Args:
            shape: ints, () for a number. In front may stand `shape, initializer, dtype`, or, as in
                Keras 2, `name, shape, dtype, initializer`.
            initializer: name, function of (shape, dtype), or array; default glorot_uniform for
                floats, zeros for others.
            dtype: default the layer's.
            regularizer, constraint: name, function or None.
            autocast, aggregation: of Keras, for mixed precision and several devices; no effect.
        """
        if args:
            keras2 = isinstance(args[0], str)
            order = ("name", "shape", "dtype", "initializer") if keras2 else _WEIGHT_ARGUMENTS
            given = dict(zip(order, args, strict=False))
            name, shape = given.get("name", name), given.get("shape", shape)
            dtype, initializer = given.get("dtype", dtype), given.get("initializer", initializer)
        check_aggregation(aggregation)
        if current() is not None:
            raise ValueError(
                "add_weight in `call` would make a new weight at every trace: make the weights in "
                "`build(self, input_shape)` or in `__init__`."
            )
        dtype = config.standardize_dtype(dtype or self.variable_dtype)
        if initializer is None:
            initializer = "glorot_uniform" if config.is_float(dtype) else "zeros"
        if not isinstance(initializer, (np.ndarray, Variable, int, float)):
            initializer = _resolved("initializers", initializer)
        shape = () if shape is None else shape
        config.spend_on_weight(math.prod(nest.flatten(shape)), name)
        variable = Variable(
            initializer,
            shape=shape,
            dtype=dtype,
            trainable=trainable,
            name=name or config.unique_name("variable"),
            regularizer=_resolved("regularizers", regularizer),
            constraint=_resolved("constraints", constraint),
        )
        variable.path = f"{path_of(self)}/{variable.name}"
        variable.trainable = bool(trainable) and self._trainable
        self._own_weights = [*self._own_weights, variable]
        return variable

    def add_variable(
        self, shape, initializer, dtype=None, trainable=True, autocast=True, regularizer=None,
        constraint=None, name=None,
    ):  # fmt: skip
        """`add_weight` by another name, with shape and initializer first."""
        return self.add_weight(
            shape=shape, initializer=initializer, dtype=dtype, trainable=trainable,
            regularizer=regularizer, constraint=constraint, name=name,
        )  # fmt: skip

    @property
    def trainable(self) -> bool:
        """Whether training changes the weights; setting it reaches all layers below."""
        return self._trainable

    @trainable.setter
    def trainable(self, value):
        value = flag(value, self, "trainable")
        for layer in self._flatten_layers():
            if layer._trainable != value:
                layer._trainable = value
                config.toggle_trainable(layer)
            for variable in layer._own_variables():
                variable.trainable = value and variable.declared_trainable

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes, none if the layer is not trainable."""
        return [v for v in self.weights if v.trainable] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [v for v in self.weights if not (v.trainable and self._trainable)]

    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights

    def get_weights(self) -> list[np.ndarray]:
        """Copies of the weights, in the order of `weights`."""
        return [v.numpy() for v in self.weights]

    def set_weights(self, weights) -> None:
        """Sets the weights from arrays in the order of `weights`; all or, on an error, none."""
        variables = self.weights
        if isinstance(weights, dict) or not hasattr(weights, "__iter__"):
            raise TypeError(f"layer {self.name!r}: set_weights takes a list, got {weights!r}.")
        weights = [checked(w, f"layer {self.name!r}: weight {i}") for i, w in enumerate(weights)]
        if len(weights) != len(variables):
            raise ValueError(
                f"layer {self.name!r} has {len(variables)} weights, got {len(weights)} arrays."
                + ("" if self.built else " It is not built yet: call it once, or `build` it.")
            )
        for variable, array in zip(variables, weights, strict=True):
            if variable.shape != array.shape:
                raise ValueError(
                    f"layer {self.name!r}: the weight {variable.path!r} has shape "
                    f"{variable.shape}, got an array of shape {array.shape}."
                )
        for variable, array in zip(variables, weights, strict=True):
            variable.assign(array)

    def save_own_variables(self, store) -> None:
        """Puts the layer's own weights, without those of its parts, into the dict `store`: '0',
        '1', ..., trainable ones first. Override it, and `load_own_variables`, to save other arrays.
        """
        for i, variable in enumerate(self._own_variables()):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store) -> None:
        """Sets the layer's own weights from what `save_own_variables` gave."""
        variables = self._own_variables()
        if len(store) != len(variables):
            raise ValueError(
                f"layer {self.name!r} has {len(variables)} weights of its own, got {len(store)}."
            )
        for i, variable in enumerate(variables):
            variable.assign(store[str(i)])

    def count_params(self) -> int:
        """The number of elements of all weights. ValueError if the layer is not built."""
        if not self.built and not self.weights:
            raise ValueError(
                f"layer {self.name!r} has no weights yet: call it once, or `build(input_shape)`."
            )
        return sum(v.storage.size for v in self.weights)

    # ---- losses ----

    def add_loss(self, loss) -> None:
        """Adds a scalar tensor, or a list of them, to what training minimises."""
        frame = current()
        for term in nest.flatten(loss):
            if frame is None and state.eager:
                self._eager_losses = [*self._eager_losses, term]
                continue
            if frame is None:
                raise ValueError(f"add_loss on {self.name!r} only works while the layer is called.")
            if isinstance(term, Tensor) and term.frame is not frame.root:
                raise ValueError(
                    f"add_loss on {self.name!r} inside a recurrent step: return the term as an "
                    "output or a state of the step, and add its sum outside."
                )
            frame.root.losses.append((self, term))

    @property
    def losses(self) -> list:
        """Terms of the loss: those of `add_loss` and activity, then those of the regularizers.

        In a function being traced these are tensors of the calls so far; otherwise the values of
        the last call on arrays.
        """
        from seqrnn import ops

        layers = self._flatten_layers()
        if current() is not None:
            own = {id(layer) for layer in layers}
            terms = [t for layer, t in current().root.losses if id(layer) in own]
        else:
            terms = [t for layer in layers for t in layer._eager_losses]
        terms += [v.regularizer(v) for v in self.trainable_weights if v.regularizer is not None]
        return [ops.sum(t) if getattr(t, "shape", ()) else t for t in terms]

    def add_metric(self, *args, **kwargs):
        """Not there: NotImplementedError says what to do instead."""
        raise NotImplementedError(
            f"There is no add_metric ({self.name!r}). Pass metrics to compile(), or keep a Metric "
            "as an attribute and call its update_state() in `call`."
        )

    # ---- dtype ----

    @property
    def dtype(self) -> str:
        """The dtype of the weights and the computation."""
        return self._dtype

    compute_dtype = variable_dtype = dtype

    @property
    def dtype_policy(self):
        """The dtype, as the `DTypePolicy` that it amounts to."""
        from seqrnn.dtype_policies import DTypePolicy

        return DTypePolicy(self._dtype)

    @property
    def input_dtype(self) -> str:
        """The dtype that float inputs are cast to."""
        return self._dtype

    @property
    def path(self) -> str:
        """The names of the models and layers around, and its own: 'sequential/gru'."""
        return path_of(self)

    # ---- config ----

    def get_config(self) -> dict:
        """What `from_config` needs to make a layer like this one.

        A class without its own `get_config` gets it from its constructor's arguments, if they are
        all plain: numbers, strings, None, and lists and dicts of them.
        """
        config_ = {"name": self.name, "trainable": self._trainable, "dtype": self._dtype}
        if self.activity_regularizer is not None:
            from seqrnn import regularizers

            config_["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if type(self).get_config is Layer.get_config:
            return {**config_, **self._recipe.config(self)}
        return config_

    @classmethod
    def from_config(cls, config):
        """A layer made from what `get_config` gave."""
        return cls(**config)

    def get_build_config(self) -> dict | None:
        """What `build_from_config` needs to make the weights again, beside the constructor's
        arguments; None if the first call makes them, as by default. Override both together.
        """
        return None

    def build_from_config(self, config) -> None:
        """Makes the weights: `build` for the shape, or shapes by name, in `config`."""
        if self.built:
            return
        if "input_shape" in config:
            self.build(config["input_shape"])
        elif "shapes_dict" in config:
            self.build(**config["shapes_dict"])

    # ---- calling ----

    def __call__(self, *args, **kwargs):
        if not args:
            args, kwargs = self._first_argument(kwargs)
        if current() is not None:
            return applied(self, args, kwargs)
        leaves = nest.flatten((args, kwargs))
        if any(isinstance(leaf, KerasTensor) for leaf in leaves):
            return self._record(args, kwargs)
        if any(hasattr(leaf, "to_numpy") for leaf in leaves):
            args = nest.map_leaves(_unframed, args)
        return self._run(args, kwargs)

    def _first_argument(self, kwargs):
        """Moves the first argument, or Keras 2's name of it, from the keywords to the front."""
        for name in (call_spec(type(self).call).first, "inputs"):
            if name in kwargs:
                kwargs = dict(kwargs)
                return (kwargs.pop(name),), kwargs
        return (), kwargs

    def _run(self, args, kwargs):
        """Called on arrays: runs a plan, kept per shapes."""
        if state.eager and self._is_written():
            self._eager_losses = []
            return applied(self, args, kwargs)
        if self._function is None or self._has_changed(self._looked_at):
            steps = 0 if self._function is None else self._function.step
            self._function = Function(self._traced_body)
            self._function.step = steps  # so that random numbers go on
        if args and all(isinstance(x, (bool, int, float)) for x in nest.flatten(args[0])):
            args = (np.asarray(args[0]), *args[1:])  # nested lists of numbers
        masks = [getattr(leaf, "_keras_mask", None) for leaf in nest.flatten((args, kwargs))]
        outputs, out_masks, self._eager_losses = self._function(args, kwargs, masks, state.training)
        self._looked_at = clock.now  # what `build` sets belongs to the call
        for leaf, mask in zip(nest.flatten(outputs), out_masks, strict=True):
            if mask is not None and isinstance(leaf, Array):
                leaf._keras_mask = mask
        return outputs

    def _is_written(self):
        """Whether the `call` is a user's, so that `run_eagerly` runs it as Python."""
        return not type(self).call.__module__.startswith("seqrnn.")

    def _traced_body(self, args, kwargs, masks, training):
        for leaf, mask in zip(nest.flatten((args, kwargs)), masks, strict=True):
            if mask is not None and isinstance(leaf, Tensor):
                leaf._keras_mask = mask
        with training_is(training):
            outputs = applied(self, args, kwargs)
        out_masks = [getattr(leaf, "_keras_mask", None) for leaf in nest.flatten(outputs)]
        own = {id(layer) for layer in self._flatten_layers()}
        losses = [t for layer, t in current().losses if id(layer) in own]
        return outputs, out_masks, losses

    def __getstate__(self):
        return {**self.__dict__, "_function": None, "_changed_at": 0}

    def __repr__(self):
        return f"<{type(self).__name__} name={self.__dict__.get('name')} built={self.built}>"


def _resolved(module: str, identifier):
    """What `seqrnn.<module>.get(identifier)` gives; functions and None as they are."""
    if identifier is None or (callable(identifier) and not isinstance(identifier, type)):
        return identifier
    return importlib.import_module(f"seqrnn.{module}").get(identifier)


def _unframed(leaf):
    return frame_to_array(leaf) if hasattr(leaf, "to_numpy") else leaf
