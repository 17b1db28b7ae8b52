"""Sequential: layers one after the other."""

from seqrnn.errors import NotALayerError
from seqrnn.hints import missing_time
from seqrnn.layers.base import Layer
from seqrnn.layers.context import on_path
from seqrnn.layers.embedding import Embedding
from seqrnn.models.graph import ModelGraph
from seqrnn.models.model import Model, as_input
from seqrnn.saving.graph_config import input_node
from seqrnn.saving.objects import deserialize_keras_object, serialize_keras_object
from seqrnn.trace import KerasTensor, Spec, nest, output_specs, state, training_is
from seqrnn.training.steps import returned


class Sequential(Model):
    """A chain of layers, each with one input and one output.

    Args:
        layers: list of layers. The first may declare the input's shape (`input_shape=[None, 1]`,
            or an `Input` in front); without it the model is built on the first data.
        name: default 'sequential'.
    """

    def __init__(self, layers=None, trainable=True, name=None, **kwargs):
        if isinstance(layers, Layer | KerasTensor):
            raise TypeError("layers must be a list: write Sequential([...]).")
        super().__init__(name=name, trainable=trainable, **kwargs)
        self._chain = []
        self._input = None  # the placeholder of the input, once known
        self._placeholders = []  # the output of each layer, once known
        for layer in layers or ():
            self.add(layer)

    # ---- layers ----

    def add(self, layer, rebuild=True):
        """Appends a layer (or, first of all, an `Input`). On an error nothing has changed."""
        self._one_fit.refuse(self, "add()")
        if isinstance(layer, KerasTensor) or type(layer).__name__ == "InputLayer":
            self._declare(layer)
            return
        if not isinstance(layer, Layer):
            hint = f" Write {layer.__name__}(...)." if isinstance(layer, type) else ""
            raise NotALayerError(f"Sequential.add expects a layer, got {layer!r}.{hint}")
        if any(each is self for each in layer._flatten_layers()):
            raise ValueError(f"The model {self.name!r} can't be a layer of itself.")
        if any(layer.name == other.name for other in self._chain):
            raise ValueError(
                f"A layer named {layer.name!r} is already in the model; names must be unique."
            )
        first = None if self._chain else _declared_input(layer)
        placeholder = first if self._input is None else self._input
        if placeholder is not None:
            before = self._placeholders[-1] if self._chain else placeholder
            output = self._applied(layer, before, self._chain)
            if not isinstance(output, KerasTensor):
                raise ValueError(
                    f"Layer {layer.name!r} returns {_kind_of(output)}; a Sequential needs layers "
                    "with one tensor as output. For several outputs use Model(inputs, outputs)."
                )
            self._input = placeholder
            self._placeholders.append(output)
        self._chain.append(layer)
        self._changed()

    def pop(self, rebuild=True):
        """Removes the last layer and returns it."""
        self._one_fit.refuse(self, "pop()")
        if not self._chain:
            raise IndexError("There are no layers to pop.")
        layer = self._chain.pop()
        if self._placeholders:
            self._placeholders.pop()
        self._changed()
        return layer

    def _declare(self, layer):
        if self._chain or self._input is not None:
            raise ValueError("An Input can only be the first entry of a Sequential.")
        if isinstance(layer, KerasTensor):
            self._input = layer
        else:
            self._input = layer.output
        self._changed()

    def _changed(self):
        """Plans made before are void; the graph is that of the present chain."""
        self._function = None
        self._steps = self._steps.renewed()
        self._graph = None
        if self._placeholders:
            self._graph = ModelGraph(self._input, self._placeholders[-1])
        self.built = self._settled = self._graph is not None

    def _applied(self, layer, x, before):
        """`layer(x)`; an error says so if the layer before should return sequences."""
        try:
            with on_path(self):
                return layer(x)
        except ValueError as error:
            missing_time(error, before[-1] if before else None, layer, x)
            raise

    @property
    def layers(self):
        """The layers, without the input."""
        return list(self._chain)

    @layers.setter
    def layers(self, _):
        raise AttributeError("Sequential.layers can't be set: use add() and pop().")

    def _sublayers(self):
        return list(self._chain)

    # ---- calling ----

    def build(self, input_shape=None):
        """Makes the weights for inputs of this shape, the batch axis first."""
        if self._graph is not None:
            return
        if not self._chain:
            raise ValueError(f"Sequential model {self.name!r} has no layers yet: add() some.")
        if input_shape is None:
            raise ValueError("build() needs the shape of the input, such as (None, None, 1).")
        placeholder, outputs = KerasTensor(input_shape, self.compute_dtype), []
        for i, layer in enumerate(self._chain):
            x = outputs[-1] if outputs else placeholder
            outputs.append(self._applied(layer, x, self._chain[:i]))
        self._input, self._placeholders = placeholder, outputs
        self._changed()

    def __call__(self, *args, **kwargs):
        # Built by the first call, not by build(), which would fix the length of the sequences.
        built, self.built = self.built, True
        try:
            return super().__call__(*args, **kwargs)
        except BaseException:
            self.built = built
            raise

    def compute_output_spec(self, inputs, training=None, mask=None):
        """A placeholder like what the model gives for this one."""
        return super().compute_output_spec(inputs, training=training, mask=mask)

    def call(self, inputs, training=None, mask=None):
        if not self._chain:
            raise ValueError(f"Sequential model {self.name!r} has no layers yet: add() some.")
        x = as_input(inputs, inputs if self._input is None else self._input, mask)
        with training_is(state.training if training is None else training):
            for i, layer in enumerate(self._chain):
                x = returned(self._applied(layer, x, self._chain[:i]), layer)
        return x

    def _match_inputs(self, x):
        if self._graph is None and isinstance(x, list | dict):
            items = nest.flatten(x)
            if len(items) == 1:
                return items[0]
            raise ValueError(
                f"A Sequential model has one input, got {len(items)} arrays. For one array out of "
                "a list of rows use np.stack(x); for several inputs Model(inputs, outputs)."
            )
        return super()._match_inputs(x)

    def _declared_inputs(self):
        if self._graph is not None:
            return super()._declared_inputs()
        known = isinstance(self._built_with, Spec)
        return [(None,) * len(self._built_with.shape) if known else None]

    def names_of_outputs(self, n):
        return [self._chain[-1].name]

    def _shapes_from_input(self):
        """The shape of the input and of each layer's output; without a declared input, batch and
        time are open if all layers can do with that (a stateful one can't)."""
        if self._graph is not None:
            return [p.shape for p in (self._input, *self._placeholders)]
        if not isinstance(self._built_with, Spec):
            return None
        size = self._built_with.shape
        for shape in ((*[None] * (len(size) - 1), *size[-1:]), (None, *size[1:]), size):
            x = KerasTensor(shape, self._built_with.dtype)
            try:
                found = output_specs(self._outputs_of_layers, (x,), {})
            except (ValueError, TypeError, IndexError):
                continue
            return [shape, *(spec.shape for spec in found)]
        return None

    def _outputs_of_layers(self, x):
        outputs = []
        for layer in self._chain:
            x = layer(x)
            outputs.append(x)
        return outputs

    @property
    def input_shape(self):
        """The shape of the input, None for open sizes; AttributeError before the first data."""
        return self._open_shapes()[0]

    @property
    def output_shape(self):
        """The shape of the output, likewise."""
        return self._open_shapes()[-1]

    def _open_shapes(self):
        found = self._shapes_from_input()
        if found is None:
            raise AttributeError(f"The shapes of model {self.name!r} are not known yet.")
        return found

    # ---- config ----

    def get_config(self):
        layers = [serialize_keras_object(layer) for layer in self._chain]
        config = {
            "name": self.name,
            "trainable": self._trainable,
            "dtype": self.compute_dtype,
            "layers": layers,
        }
        placeholder = self._input
        if placeholder is None and (shapes := self._shapes_from_input()) is not None:
            placeholder = KerasTensor(shapes[0], self._built_with.dtype, name="input_layer")
        if placeholder is not None:
            layers.insert(0, input_node(placeholder))
            config["build_input_shape"] = list(placeholder.shape)
        return config

    def get_build_config(self):
        return None  # the config says it

    @classmethod
    def from_config(cls, config, custom_objects=None):
        model = cls(name=config["name"], trainable=config.get("trainable", True))
        for node in config["layers"]:
            model.add(deserialize_keras_object(node, custom_objects))
        if config.get("build_input_shape") and model._chain:
            model.build(config["build_input_shape"])
        return model


def _kind_of(output):
    """What a layer gave instead of a tensor: 'None', 'a tuple of 2', 'int'."""
    if isinstance(output, list | tuple | dict):
        return f"a {type(output).__name__} of {len(output)}"
    return "None" if output is None else type(output).__name__


def _declared_input(layer):
    """A placeholder for the input that the first layer declares, or None."""
    if isinstance(layer, Model):
        tensors = layer.inputs or ()
        return KerasTensor(tensors[0].shape, tensors[0].dtype) if len(tensors) == 1 else None
    shape = layer._batch_input_shape
    if shape is None:
        return None
    return KerasTensor(shape, "int32" if isinstance(layer, Embedding) else layer.compute_dtype)
