"""The graph of a functional model: inputs, the recorded calls in order, outputs.

As plain data: layers once each, then the calls; a tensor is [call, output], inputs are call -1.
"""

from seqrnn import ops, trace
from seqrnn.layers.base import Layer
from seqrnn.saving.objects import deserialize_keras_object, serialize_keras_object
from seqrnn.trace import KerasTensor, nest


class ModelGraph:
    """Checked inputs and outputs. Raises ValueError if the outputs don't come from the inputs."""

    def __init__(self, inputs, outputs):
        for what, tensors in (("inputs", inputs), ("outputs", outputs)):
            leaves = nest.flatten(tensors)
            if not leaves or not all(isinstance(t, KerasTensor) for t in leaves):
                wrong = next((t for t in leaves if not isinstance(t, KerasTensor)), tensors)
                raise ValueError(
                    f"Model {what} must be tensors made by keras.Input() and by calling layers on "
                    f"them, got {wrong!r}."
                )
        self.inputs, self.outputs = _single(inputs), _single(outputs)
        self.input_tensors = nest.flatten(inputs)
        self.output_tensors = nest.flatten(outputs)
        self.calls = trace.calls_of(outputs, inputs)
        made = {id(t) for t in self.input_tensors}
        for call in self.calls:
            self._check_connected(call.inputs(), made)
            made |= {id(t) for t in nest.flatten(call.outputs)}
        self._check_connected(self.output_tensors, made)
        self.layers = _distinct(call.fn for call in self.calls if isinstance(call.fn, Layer))
        self._check_names()

    def _check_connected(self, tensors, made):
        for tensor in tensors:
            if id(tensor) not in made:
                raise ValueError(
                    f"Graph disconnected: {tensor!r} is needed for the outputs, but is neither "
                    f"among the inputs nor made from them. Inputs: {self.input_tensors}."
                )

    def _check_names(self):
        names = [layer.name for layer in self.layers]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(
                f"Two layers have the name {twice!r}; names must be unique in a model."
            )

    def run(self, tensors):
        """The outputs, in their structure, for one tensor per input."""
        feeds = list(zip(self.input_tensors, tensors, strict=True))
        return trace.replay(self.outputs, feeds)

    def output_names(self):
        """Keys of a dict of outputs, else the names of the layers that made them, made unique."""
        if isinstance(self.outputs, dict):
            return list(self.outputs)
        names = []
        for tensor in self.output_tensors:
            base = tensor.origin.name if tensor.origin else tensor.name
            same = sum(name == base or name.startswith(f"{base}_") for name in names)
            names.append(f"{base}_{same}" if same else base)
        return names

    # ---- plain data ----

    def to_config(self):
        """JSON data; TypeError for arguments that can't be saved."""
        place = {id(t): [-1, i] for i, t in enumerate(self.input_tensors)}
        for i, call in enumerate(self.calls):
            place |= {id(t): [i, j] for j, t in enumerate(nest.flatten(call.outputs))}
        return {
            "layers": [serialize_keras_object(layer) for layer in self.layers],
            "inputs": [
                {"shape": list(t.shape), "dtype": t.dtype, "name": t.name}
                for t in self.input_tensors
            ],
            "calls": [
                {
                    **self._callee(call),
                    "args": _encode(call.args, place),
                    "kwargs": _encode(call.kwargs, place),
                }
                for call in self.calls
            ],
            "input_structure": _encode(self.inputs, place),
            "output_structure": _encode(self.outputs, place),
        }

    def _callee(self, call):
        if isinstance(call.fn, Layer):
            return {"layer": next(i for i, la in enumerate(self.layers) if la is call.fn)}
        if getattr(call.fn, "__module__", "").startswith(ops.__name__):
            return {"op": call.fn.__name__.lstrip("_")}
        return {"function": serialize_keras_object(call.fn)}

    @classmethod
    def from_config(cls, config, custom_objects=None):
        """The graph with new layers and tensors."""
        layers = [deserialize_keras_object(node, custom_objects) for node in config["layers"]]
        made = {
            (-1, i): KerasTensor(tuple(node["shape"]), node["dtype"], name=node["name"])
            for i, node in enumerate(config["inputs"])
        }
        for i, node in enumerate(config["calls"]):
            if "layer" in node:
                fn = layers[node["layer"]]
            elif "op" in node:
                fn = getattr(ops, node["op"])
            else:
                fn = deserialize_keras_object(node["function"], custom_objects)
            args = _decode(node["args"], made, custom_objects)
            kwargs = _decode(node["kwargs"], made, custom_objects)
            outputs = nest.flatten(fn(*args, **kwargs))
            made |= {(i, j): tensor for j, tensor in enumerate(outputs)}
        return cls(
            _decode(config["input_structure"], made, None),
            _decode(config["output_structure"], made, None),
        )


def _single(structure):
    """[x] counts as x."""
    one = isinstance(structure, list | tuple) and len(structure) == 1
    return structure[0] if one else structure


def _distinct(things):
    found = []
    for thing in things:
        if not any(thing is other for other in found):
            found.append(thing)
    return found


def _encode(value, place):
    if isinstance(value, KerasTensor):
        if id(value) not in place:
            raise TypeError(
                f"Cannot save a model with the derived tensor {value!r} as an argument."
            )
        return {"tensor": place[id(value)]}
    if isinstance(value, slice):
        return {"slice": [_encode(v, place) for v in (value.start, value.stop, value.step)]}
    if value is Ellipsis:
        return {"ellipsis": True}
    if isinstance(value, list | tuple):
        return {type(value).__name__: [_encode(item, place) for item in value]}
    if isinstance(value, dict):
        return {"dict": {key: _encode(item, place) for key, item in value.items()}}
    return {"value": serialize_keras_object(value)}


def _decode(node, made, custom_objects):
    ((kind, value),) = node.items()
    if kind == "tensor":
        return made[tuple(value)]
    if kind == "slice":
        return slice(*[_decode(v, made, custom_objects) for v in value])
    if kind == "ellipsis":
        return Ellipsis
    if kind in ("list", "tuple"):
        items = [_decode(item, made, custom_objects) for item in value]
        return items if kind == "list" else tuple(items)
    if kind == "dict":
        return {key: _decode(item, made, custom_objects) for key, item in value.items()}
    return deserialize_keras_object(value, custom_objects)
