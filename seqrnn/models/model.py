"""Model: layers as one thing that can be trained, asked and saved.

There are three ways to make one: `Sequential([...])`; `Model(inputs, outputs)` from tensors that
layers were called on; a subclass with a method `call`.
"""

import json

from seqrnn import config, ops, refused
from seqrnn.errors import did_you_mean
from seqrnn.hints import fitted, with_rank
from seqrnn.layers.base import Layer
from seqrnn.layers.core import InputLayer
from seqrnn.models.graph import ModelGraph
from seqrnn.models.summary import summary_text
from seqrnn.saving import model_io
from seqrnn.saving.graph_config import graph_from_config, graph_to_config
from seqrnn.saving.objects import (
    deserialize_keras_object,
    serialize_keras_object,
)
from seqrnn.trace import KerasTensor, Spec, nest
from seqrnn.training.guard import OneFit
from seqrnn.training.trainer import Trainer


class Model(Trainer, Layer):
    """Layers as one.

    Args:
        inputs: tensors made by `Input`: one, or a list or dict of them.
        outputs: tensors made from them by layers and ops.
        name: default 'functional', or the class in snake_case.

    A subclass without inputs and outputs defines `call(self, inputs)` instead.
    """

    _not_in_call = Trainer._not_in_call | Layer._not_in_call

    def __init__(self, inputs=None, outputs=None, name=None, trainable=True, **kwargs):
        functional = inputs is not None or outputs is not None
        if functional and type(self) is Model:
            name = name or config.unique_name("functional")
        super().__init__(name=name, trainable=trainable, **kwargs)
        self._graph = None
        self._one_fit = OneFit()
        self._own_optimizer = None
        self.loss = None
        self.history = None
        self.stop_training = False
        self._built_with = None  # specs of the first input, if it was not declared
        self.random_step = 0  # counts training steps; random numbers are a function of it
        self.inference_step = 0  # likewise of evaluate and predict
        if functional:
            if inputs is None or outputs is None:
                raise ValueError("Model(inputs, outputs) needs both.")
            self._graph = ModelGraph(inputs, outputs)
            self.built = self._settled = True
        self._steps = self._new_steps()

    def __getattr__(self, name):
        if name in refused.MODEL:
            raise AttributeError(f"Model has no {name!r}: {refused.MODEL[name]}.")
        return super().__getattr__(name)

    # ---- structure ----

    @property
    def layers(self):
        """The layers: of the graph, deepest first, those of the inputs too, else those in
        attributes."""
        if self._graph is None:
            return self._sublayers()
        nodes = [_input_layer(n) if isinstance(n, KerasTensor) else n for n in self._graph.nodes]
        return [node for node in nodes if isinstance(node, Layer)]

    def _sublayers(self):
        own = super()._sublayers()
        if self._graph is None:
            return own
        known = {id(layer) for layer in self._graph.layers}
        return [*self._graph.layers, *[layer for layer in own if id(layer) not in known]]

    def get_layer(self, name=None, index=None):
        """A layer by name or by index. ValueError if there is none such."""
        if (name is None) == (index is None):
            raise ValueError(
                "get_layer needs either the name of a layer or its index, got "
                f"name={name!r} and index={index!r}."
            )
        layers = self.layers
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"There is no layer {index}: the model has {len(layers)} layers.")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        raise ValueError(
            f"There is no layer named {name!r}.{did_you_mean(name, [la.name for la in layers])}"
        )

    @property
    def inputs(self):
        """The input tensors, None for a subclass."""
        return list(self._graph.input_tensors) if self._graph else None

    @property
    def outputs(self):
        """The output tensors, None for a subclass."""
        return list(self._graph.output_tensors) if self._graph else None

    @property
    def input(self):
        """The input tensors in their structure, a single one by itself."""
        return super().input if self._graph is None else self._graph.inputs

    @property
    def output(self):
        """The output tensors in their structure, a single one by itself."""
        return super().output if self._graph is None else self._graph.outputs

    @property
    def input_shape(self):
        return nest.map_leaves(lambda t: t.shape, self.input)

    @property
    def output_shape(self):
        return nest.map_leaves(lambda t: t.shape, self.output)

    @property
    def input_names(self):
        return [tensor.name for tensor in self.inputs or ()]

    @property
    def output_names(self):
        return self.names_of_outputs(len(self.outputs or ()) or 1)

    def names_of_outputs(self, n):
        """Names of `n` outputs, for losses and metrics."""
        if self._graph is not None:
            return self._graph.output_names()
        return ["output"] if n == 1 else [f"output_{i + 1}" for i in range(n)]

    # ---- calling ----

    def __call__(self, *args, **kwargs):
        outputs = super().__call__(*args, **kwargs)
        if self._built_with is None and args:
            self._built_with = nest.map_leaves(_spec_of, args[0])
        return outputs

    def _has_call(self):
        """Whether it can be called: a model may have steps of training that call its parts only."""
        return self._graph is not None or type(self).call is not Model.call

    def call(self, inputs, mask=None):
        if self._graph is None:
            raise NotImplementedError(
                f"{type(self).__name__} has no method `call(self, inputs)`. Define what it "
                "computes."
            )
        placeholders = self._graph.input_tensors
        tensors = self._by_input(inputs, "a call")
        masks = [None] * len(tensors) if mask is None else nest.flatten(mask)
        pairs = zip(tensors, placeholders, masks, strict=True)
        return self._graph.run([as_input(x, p, m) for x, p, m in pairs])

    def _is_written(self):
        return any(
            not type(layer).call.__module__.startswith("seqrnn.")
            for layer in self._flatten_layers()
        )

    def _by_input(self, x, what):
        """One item per input of the graph, from a single one, a list, or a dict by name."""
        placeholders = self._graph.input_tensors
        if isinstance(x, dict):
            keys = self._graph.inputs if isinstance(self._graph.inputs, dict) else self.input_names
            missing = [key for key in keys if key not in x]
            if missing:
                raise ValueError(
                    f"Input {missing[0]!r} is missing in {what}; got {', '.join(map(repr, x))}."
                )
            return [x[key] for key in keys]
        items = nest.flatten(x)
        if len(items) != len(placeholders):
            raise ValueError(
                f"Model {self.name!r} has {len(placeholders)} "
                f"input{'s' * (len(placeholders) != 1)}, got {len(items)} arrays."
                + (
                    " One array out of a list of rows: np.stack(x)."
                    if len(placeholders) == 1
                    else ""
                )
            )
        return items

    def _match_inputs(self, x):
        """Arrays as the model wants them. ValueError if their number or shapes don't fit."""
        if self._graph is None:
            return x
        items = self._by_input(x, "the data")
        pairs = zip(self._graph.input_tensors, items, strict=True)
        items = [fitted(tensor.name, tensor.shape, array) for tensor, array in pairs]
        return items[0] if len(items) == 1 else items

    def _declared_inputs(self):
        """The shapes of the inputs; None if not even their number is known."""
        return None if self._graph is None else [t.shape for t in self._graph.input_tensors]

    def build_from(self, specs):
        """Makes the weights, if there are none yet, for inputs of these specs."""
        if self._settled:
            return
        tensors = nest.map_leaves(lambda s: KerasTensor(s.shape, s.dtype), specs)
        self(tensors)

    # ---- state ----

    def reset_states(self):
        """Resets the states of stateful layers, also in models inside."""
        for layer in self._flatten_layers(include_self=False):
            reset = getattr(layer, "reset_state", None) or getattr(layer, "reset_states", None)
            if reset is not None and getattr(layer, "stateful", False):
                reset()

    reset_state = reset_states

    def summary(
        self,
        line_length=None,
        positions=None,
        print_fn=None,
        expand_nested=False,
        show_trainable=False,
        layer_range=None,
    ):
        """Prints a table of the layers, their output shapes and numbers of parameters."""
        text = summary_text(
            self, line_length, positions, expand_nested, show_trainable, layer_range
        )
        (print if print_fn is None else print_fn)(text)

    # ---- config and files ----

    def get_config(self):
        """What `from_config` needs: of a functional model the graph, else the arguments."""
        if self._graph is None or type(self).__init__ is not Model.__init__:
            return super().get_config()
        own = {"name": self.name, "trainable": self._trainable}
        return own | graph_to_config(self._graph)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """A new model of the architecture that `get_config` described."""
        if "input_layers" not in config:
            return cls(**config)
        inputs, outputs = graph_from_config(config, custom_objects)
        return cls(inputs, outputs, name=config["name"], trainable=config.get("trainable", True))

    def get_build_config(self):
        """The shapes (and dtypes) that the model was built with, if they were not declared.

        Dtypes only if they are not all `floatx()`: Keras expects the shapes alone.
        """
        if self._graph is not None or self._built_with is None:
            return None
        shapes = {"input_shape": nest.map_leaves(lambda s: list(s.shape), self._built_with)}
        if all(spec.dtype == config.floatx() for spec in nest.flatten(self._built_with)):
            return shapes
        return {**shapes, "dtype": nest.map_leaves(lambda s: s.dtype, self._built_with)}

    def build_from_config(self, config):
        """Makes the weights as `get_build_config` said."""
        if config.get("input_shape") is not None:
            self.build_from(_specs(config["input_shape"], config.get("dtype")))

    def to_json(self, **kwargs):
        """The architecture as JSON text, for `model_from_json`."""
        return json.dumps(serialize_keras_object(self), **kwargs)

    def save(self, filepath, overwrite=True, **kwargs):
        """Writes architecture, weights, compile settings and optimizer state to one file.

        The ending chooses the format: '.keras' or '.h5' Keras's, any other seqrnn's own. Options:
        see `saving.save_model`.
        """
        model_io.save_model(self, filepath, overwrite, **kwargs)

    def save_weights(self, filepath, overwrite=True, **kwargs):
        """Writes the weights to a file: '.weights.h5' or '.h5' as Keras, any other seqrnn's own."""
        model_io.save_weights(self, filepath, overwrite, **kwargs)

    def load_weights(self, filepath, skip_mismatch=False, **kwargs):
        """Reads weights from a file of `save_weights` or `save`, or of Keras's; all, or on an
        error none. Options: see `saving.load_weights`.
        """
        model_io.load_weights(self, filepath, skip_mismatch, **kwargs)


def _specs(shapes, dtypes):
    """The specs of shapes, lists of sizes, in nested lists and dicts."""
    if isinstance(shapes, dict):
        dtypes = dtypes or {}
        return {name: _specs(shape, dtypes.get(name)) for name, shape in shapes.items()}
    if shapes and isinstance(shapes[0], list | dict):
        dtypes = dtypes or [None] * len(shapes)
        return [_specs(*pair) for pair in zip(shapes, dtypes, strict=True)]
    return Spec(shapes, dtypes)


def _input_layer(tensor):
    """The InputLayer of an input of the graph."""
    if tensor.input_layer is None:
        InputLayer(input_tensor=tensor, name=tensor.name)
    return tensor.input_layer


def _spec_of(leaf):
    return Spec(leaf.shape, leaf.dtype) if hasattr(leaf, "shape") else leaf


def as_input(x, placeholder, mask=None):
    """A tensor in the dtype and rank that its input was declared with, carrying its mask."""
    mask = getattr(x, "_keras_mask", None) if mask is None else mask
    x = with_rank(ops.cast(x, placeholder.dtype), placeholder.shape)
    if mask is not None:
        x._keras_mask = mask
    return x


def model_from_json(text, custom_objects=None):
    """A model, with new weights, from what `to_json` gave. ValueError for other texts."""
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"model_from_json() needs what model.to_json() gave, got {text[:80]!r}: {error}."
        ) from error
    return deserialize_keras_object(config, custom_objects)
