"""The graph of a functional model as plain data, as Keras 3 writes it, and back.

    {"layers": [node of a layer or op, with "name" and "inbound_nodes"], "input_layers": ref or
     nested refs, "output_layers": likewise}

An inbound node is one call, {"args", "kwargs"}; a tensor in it is {"class_name":
"__keras_tensor__", "config": {shape, dtype, keras_history: ref}}, and a ref is [name of what made
it, which of its calls, which output]. The calls of a functional model used as a layer are counted
from 1. An op is an object of a class named after it, whose arguments that are tensors stand in the
call, the others in the config; ops that Keras does not have are written as functions of seqrnn.

The graphs of Keras 2 (calls as lists [name, call, output, kwargs]) are read too.
"""

import inspect
import itertools

from seqrnn import activations, config, ops
from seqrnn.layers.base import Layer
from seqrnn.saving.objects import (
    deserialize_keras_object,
    get_registered_object,
    serialize_keras_object,
)
from seqrnn.trace import KerasTensor, nest

# Where Keras keeps the class of an op; its name, if it is not that of the function in CamelCase.
_NUMPY = """
    abs absolute add all any argmax argmin broadcast_to ceil clip concatenate cos cosh cumsum
    diagonal divide divide_no_nan dot equal exp exp2 expand_dims expm1 flip floor floor_divide
    full_like getitem greater greater_equal hstack inner isfinite isinf isnan less less_equal
    log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor matmul max
    maximum mean min minimum mod moveaxis multiply nan_to_num ndim negative not_equal ones_like
    outer pad power prod ravel reciprocal repeat reshape roll round sign sin sinh split sqrt
    square squeeze stack std subtract sum swapaxes take take_along_axis tan tanh tensordot tile
    trace transpose tril triu true_divide trunc var vdot vstack where zeros_like
"""
_NN = """
    binary_crossentropy celu conv elu gelu hard_sigmoid hard_silu hard_tanh leaky_relu
    log_sigmoid log_softmax moments normalize one_hot relu relu6 rms_norm selu sigmoid silu
    softmax softplus softsign
"""
_HOMES = dict.fromkeys(_NUMPY.split(), "numpy") | dict.fromkeys(_NN.split(), "nn")
_HOMES |= dict.fromkeys(("cast", "convert_to_tensor", "stop_gradient", "unstack"), "core")
_HOMES |= {"erf": "math", "logsumexp": "math", "rsqrt": "math", "norm": "linalg"}
_CLASS_NAMES = {"getitem": "GetItem", "abs": "Absolute", "rms_norm": "RMSNorm"}
_ALIASES = {"get_item": "getitem", "absolute": "abs"}
# The parameters that are in the call of Keras's op, not in its config.
_CALL_PARAMETERS = """
    a b condition constant_values fill_value indices inputs kernel key output scale target x x1
    x2 xs
"""


# ---- to data ----


def graph_to_config(graph):
    """JSON data of a `ModelGraph`; TypeError for arguments that can't be saved."""
    names, place = names_in(graph), {}
    for tensor in graph.input_tensors:
        place[id(tensor)] = [tensor.name, 0, 0]
    counts = {}
    for call in graph.calls:
        key = id(call.fn) if isinstance(call.fn, Layer) else id(call)
        index = counts.setdefault(key, 0)
        counts[key] += 1
        for i, tensor in enumerate(nest.flatten(call.outputs)):
            place[id(tensor)] = [names[key], index, i]
    first = {names[id(layer)]: 1 for layer in graph.layers if _is_functional(layer)}
    return {
        "layers": [_node(each, graph, names, place) for each in graph.nodes],
        "input_layers": _refs(graph.inputs, place, {}),
        "output_layers": _refs(graph.outputs, place, first),
    }


def _node(operation, graph, names, place):
    """The description of a placeholder, a layer with its calls, or the call of an op."""
    if isinstance(operation, KerasTensor):
        return {**input_node(operation), "name": operation.name, "inbound_nodes": []}
    if not isinstance(operation, Layer):
        node = _op_node(operation, place)
        node["name"] = node["config"]["name"] = names[id(operation)]
        return node
    node = serialize_keras_object(operation)
    node["name"] = names[id(operation)]
    node["inbound_nodes"] = [
        {"args": _encode(call.args, place), "kwargs": _encode(call.kwargs, place)}
        for call in graph.calls
        if call.fn is operation
    ]
    return node


def input_node(tensor):
    """The description of the InputLayer that a placeholder stands for."""
    return {
        "module": "keras.layers",
        "class_name": "InputLayer",
        "config": {
            "batch_shape": list(tensor.shape),
            "dtype": tensor.dtype,
            "sparse": False,
            "ragged": False,
            "name": tensor.name,
            "optional": False,
        },
        "registered_name": None,
    }


def _is_functional(layer):
    """Whether Keras counts the outputs of `layer` from 1."""
    from seqrnn.models.model import Model
    from seqrnn.models.sequential import Sequential

    graph = isinstance(layer, Model) and layer._graph is not None
    return graph and not isinstance(layer, Sequential)


def class_name_of(call):
    """The name of Keras's class for the op that a call is of: 'Add', 'GetItem'."""
    name = _op_name(call.fn)
    return _CLASS_NAMES.get(name) or "".join(map(str.capitalize, name.split("_")))


def names_in(graph):
    """id(layer, or call of an op) -> a name, unique in the graph."""
    names = {id(layer): layer.name for layer in graph.layers}
    taken = {*names.values(), *(t.name for t in graph.input_tensors)}
    for call in graph.calls:
        if isinstance(call.fn, Layer):
            continue
        base = config.snake_case(class_name_of(call))
        candidates = itertools.chain([base], (f"{base}_{i}" for i in itertools.count(1)))
        names[id(call)] = next(name for name in candidates if name not in taken)
        taken.add(names[id(call)])
    return names


def _op_name(fn):
    return getattr(fn, "__name__", type(fn).__name__).lstrip("_")


def _is_ours(fn, name):
    home = getattr(fn, "__module__", "")
    if home.startswith(ops.__name__):
        return hasattr(ops, name)
    return home == activations.__name__ and getattr(activations, name, None) is fn


def _op_node(call, place):
    name = _op_name(call.fn)
    if not _is_ours(call.fn, name):
        raise TypeError(
            f"Cannot save a model with a call of {name!r} in it: only layers and functions of "
            "keras.ops and keras.activations can be found again. Put it into a layer of your own."
        )
    bound = inspect.signature(call.fn).bind(*call.args, **call.kwargs)
    inside = {k for k, v in bound.arguments.items() if k in _CALL_PARAMETERS.split()}
    outside = {k: v for k, v in bound.arguments.items() if k not in inside}
    if name in _HOMES and not any(isinstance(v, KerasTensor) for v in nest.flatten(outside)):
        class_name = class_name_of(call)
        args, kwargs = [v for k, v in bound.arguments.items() if k in inside], {}
        module = f"keras.src.ops.{_HOMES[name]}"
    else:
        class_name, args, kwargs, outside = name, call.args, call.kwargs, {}
        module = "seqrnn.ops"
    return {
        "module": module,
        "class_name": class_name,
        "config": {k: serialize_keras_object(v) for k, v in outside.items()},
        "registered_name": class_name,
        "inbound_nodes": [{"args": _encode(args, place), "kwargs": _encode(kwargs, place)}],
    }


def _encode(value, place):
    if isinstance(value, KerasTensor):
        if id(value) not in place:
            raise TypeError(
                f"Cannot save a model with the derived tensor {value!r} as an argument."
            )
        history = {"shape": list(value.shape), "dtype": value.dtype}
        history["keras_history"] = place[id(value)]
        return {"class_name": "__keras_tensor__", "config": history}
    if isinstance(value, slice):
        parts = {k: _encode(getattr(value, k), place) for k in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": parts}
    if isinstance(value, list | tuple):
        return [_encode(item, place) for item in value]
    if isinstance(value, dict):
        return {key: _encode(item, place) for key, item in value.items()}
    return serialize_keras_object(value)


def _refs(structure, place, first):
    """Refs of tensors; calls of what is in `first` are counted from there."""
    if isinstance(structure, dict):
        return {key: _refs(item, place, first) for key, item in structure.items()}
    if isinstance(structure, list | tuple):
        return [_refs(item, place, first) for item in structure]
    name, call, output = place[id(structure)]
    return [name, call + first.get(name, 0), output]


# ---- from data ----


def graph_from_config(data, custom_objects=None):
    """(inputs, outputs): placeholders of a new graph with new layers.

    Raises ValueError if the data describe no graph.
    """
    return _Reader(data, custom_objects).tensors()


class _Reader:
    """Makes the layers, then calls them in an order in which their inputs exist."""

    def __init__(self, data, custom_objects):
        self.data = data
        self.custom_objects = custom_objects
        self.made = {}  # name -> outputs of its calls, flattened
        self.first = {}  # name -> the number of its first call

    def tensors(self):
        waiting, functional = [], {}
        for node in self.data["layers"]:
            name = node.get("name") or node["config"]["name"]
            if node["class_name"] == "InputLayer":
                self.made[name] = [[_placeholder(node["config"])]]
                continue
            fn = self._function(node)
            self.made[name] = []
            functional.update({name: 1} if node["class_name"] in ("Functional", "Model") else {})
            waiting += [(name, fn, call) for call in node["inbound_nodes"]]
        if all(isinstance(call, list) for _, _, call in waiting):
            self._count_from(waiting)
        while waiting:
            left = [entry for entry in waiting if not self._called(*entry)]
            if len(left) == len(waiting):
                names = ", ".join(sorted({repr(name) for name, _, _ in left}))
                raise ValueError(f"The graph has a loop, or lacks inputs of {names}.")
            waiting = left
        self.first = self.first or functional
        return self._structure(self.data["input_layers"]), self._structure(
            self.data["output_layers"]
        )

    def _function(self, node):
        """The layer, or the function of tensors, that a node describes."""
        module, name = node.get("module") or "", node["class_name"]
        bare = not module and self._is_bare_op(node)
        if bare or module == "seqrnn.ops" or module.startswith("keras.src.ops."):
            return _op(name, {k: v for k, v in node["config"].items() if k != "name"})
        layer = deserialize_keras_object(node, self.custom_objects)
        if not isinstance(layer, Layer):
            raise ValueError(f"{name!r} stands in the place of a layer, but is none.")
        return layer

    def _is_bare_op(self, node):
        """Whether a node without a module is one of an op, as in a legacy file: not one of a
        user's layer, whose config may lack what configs of layers have."""
        names = (node.get("registered_name"), node["class_name"])
        found = [get_registered_object(name, self.custom_objects) for name in names if name]
        return "trainable" not in node["config"] and not any(found) and _function_of(names[1])

    def _count_from(self, calls):
        """Keras 2 counts the calls of models from 1, of some only; every call is used somewhere."""
        highest = {}
        outputs = [self.data["input_layers"], self.data["output_layers"]]
        for name, index in _all_refs([outputs, *(call for _, _, call in calls)]):
            highest[name] = max(highest.get(name, 0), index)
        for name in self.made:
            n = len(self.made[name]) + sum(name == each for each, _, _ in calls)
            self.first[name] = max(0, highest.get(name, 0) - n + 1)

    def _called(self, name, fn, call):
        """Makes a call if its inputs exist."""
        try:
            args, kwargs = self._arguments(call)
        except _Missing:
            return False
        if isinstance(fn, Layer):
            kwargs = {key: value for key, value in kwargs.items() if value is not None}
        self.made[name].append(nest.flatten(fn(*args, **kwargs)))
        return True

    def _arguments(self, call):
        if isinstance(call, dict):
            return self._decode(call["args"]), self._decode(call["kwargs"])
        entries = [call] if isinstance(call[0], str) else call  # of Keras 2
        kwargs = {}
        for entry in entries:
            kwargs |= entry[3] if len(entry) > 3 else {}
        found = [self._tensor(entry) for entry in entries]
        return [found[0] if len(found) == 1 else found], self._refs_in(kwargs)

    def _decode(self, value):
        if isinstance(value, list):
            return [self._decode(item) for item in value]
        if not isinstance(value, dict):
            return value
        kind = value.get("class_name")
        if kind == "__keras_tensor__":
            return self._tensor(value["config"]["keras_history"])
        if kind == "__slice__":
            parts = value["config"]
            return slice(*[self._decode(parts[k]) for k in ("start", "stop", "step")])
        if isinstance(kind, str):
            return deserialize_keras_object(value, self.custom_objects)
        return {key: self._decode(item) for key, item in value.items()}

    def _refs_in(self, value):
        """Arguments of Keras 2, where a ref stands for a tensor."""
        if _is_ref(value):
            return self._tensor(value)
        if isinstance(value, list):
            return [self._refs_in(item) for item in value]
        if isinstance(value, dict):
            return {key: self._refs_in(item) for key, item in value.items()}
        return value

    def _tensor(self, ref):
        name, call, output = ref[:3]
        if name not in self.made:
            raise ValueError(f"The graph uses {name!r}, which is not among its layers.")
        calls, index = self.made[name], call - self.first.get(name, 0)
        if not 0 <= index < len(calls):
            raise _Missing
        if not 0 <= output < len(calls[index]):
            raise ValueError(f"{name!r} has no output {output}.")
        return calls[index][output]

    def _structure(self, refs):
        try:
            return self._refs_in(refs)
        except _Missing:
            raise ValueError(f"The graph lacks one of {refs}.") from None


class _Missing(Exception):
    """A tensor that has not been made yet."""


def _is_ref(value):
    return (
        isinstance(value, list)
        and 3 <= len(value) <= 4
        and isinstance(value[0], str)
        and all(isinstance(v, int) and not isinstance(v, bool) for v in value[1:3])
    )


def _all_refs(value):
    """(name, which call) of every ref in nested data."""
    todo = [value]
    while todo:
        item = todo.pop()
        if _is_ref(item):
            yield item[0], item[1]
            todo += item[3:]
        elif isinstance(item, list):
            todo += item
        elif isinstance(item, dict):
            todo += item.values()


def _placeholder(data):
    shape = data.get("batch_shape") or data.get("batch_input_shape")
    if data.get("sparse") or data.get("ragged"):
        raise ValueError("There are no sparse or ragged inputs; pad the sequences.")
    return KerasTensor(tuple(shape), data.get("dtype"), name=data.get("name"))


def _function_of(class_name):
    """The function that goes by the name of Keras's op class `class_name`, or None."""
    name = class_name if class_name in _HOMES else config.snake_case(class_name)
    name = _ALIASES.get(name, name)
    if name == "getitem":
        return _item
    fn = getattr(ops, name) if name in ops.__all__ else vars(activations).get(name)
    return fn if callable(fn) and not name.startswith("_") else None


def _item(x, key):
    return x[tuple(key) if isinstance(key, list) else key]


def _op(class_name, options):
    """The function of tensors that stands for an object of Keras's op class `class_name`."""
    fn = _function_of(class_name)
    if fn is None:
        raise ValueError(f"The graph uses the op {class_name!r}, which seqrnn does not have.")
    accepted = inspect.signature(fn).parameters
    unknown = {k: v for k, v in options.items() if k not in accepted and v not in (None, False)}
    if unknown:
        raise ValueError(f"The op {class_name!r} of seqrnn does not take {sorted(unknown)}.")
    options = {k: v for k, v in options.items() if k in accepted}
    return lambda *args, **kwargs: fn(*args, **kwargs, **options)
