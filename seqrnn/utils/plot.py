"""Pictures of models: the graph as DOT text, drawn by Graphviz's program `dot` if it is there."""

import os
import shutil
import subprocess

from seqrnn.trace import KerasTensor, nest

_FORMATS = ("png", "svg", "pdf", "jpg", "jpeg")


class Dot:
    """A picture as DOT text: `to_string()`, `write(path)`."""

    def __init__(self, text):
        self._text = text

    def to_string(self):
        return self._text

    __str__ = to_string

    def write(self, path):
        """The text itself for a path that ends in .dot or .gv, else the picture that the program
        `dot` makes of it. ImportError if that is not installed; ValueError for unknown endings."""
        suffix = os.path.splitext(os.fspath(path))[1][1:].lower()
        if suffix in ("dot", "gv"):
            with open(path, "w", encoding="utf-8") as file:
                file.write(self._text)
            return
        if suffix not in _FORMATS:
            raise ValueError(
                f"plot_model: {os.fspath(path)!r} must end in .dot, .{', .'.join(_FORMATS)}."
            )
        if shutil.which("dot") is None:
            raise ImportError(
                f"plot_model needs Graphviz's program `dot` for .{suffix} files (apt install "
                "graphviz). A file that ends in .dot needs nothing."
            )
        command = ["dot", f"-T{suffix}", "-o", os.fspath(path)]
        subprocess.run(command, input=self._text.encode(), check=True)


def plot_model(
    model,
    to_file="model.png",
    show_shapes=False,
    show_dtype=False,
    show_layer_names=False,
    rankdir="TB",
    expand_nested=False,
    dpi=200,
    show_layer_activations=False,
    show_trainable=False,
    splines="ortho",
    **kwargs,
):
    """Draws the layers of a model and what feeds them, into a file; returns the `Dot`.

    Args:
        to_file: ends in .dot for the text, or .png, .svg, .pdf, .jpg, which needs Graphviz.
        show_shapes, show_dtype, show_layer_names, show_layer_activations, show_trainable: what
            stands in the box of a layer.
        rankdir: 'TB' from top to bottom, 'LR' from left to right.
        expand_nested: draws models inside as boxes around their layers.
        dpi: dots per inch.
        splines: how edges run: 'ortho', 'curved', 'polyline', 'spline', 'line'.

    ValueError for a model that has not been built, ImportError without Graphviz.
    """
    if kwargs:
        raise ValueError(f"plot_model() got an unexpected keyword argument {next(iter(kwargs))!r}.")
    dot = model_to_dot(
        model, show_shapes, show_dtype, show_layer_names, rankdir, expand_nested, dpi, False,
        show_layer_activations, show_trainable, splines,
    )  # fmt: skip
    if to_file is not None:
        dot.write(to_file)
    return dot


def model_to_dot(
    model,
    show_shapes=False,
    show_dtype=False,
    show_layer_names=True,
    rankdir="TB",
    expand_nested=False,
    dpi=200,
    subgraph=False,
    show_layer_activations=False,
    show_trainable=False,
    splines="ortho",
    **kwargs,
):
    """As `plot_model`, but only returns the `Dot`; `subgraph` for a piece of a larger picture."""
    if kwargs:
        name = next(iter(kwargs))
        raise ValueError(f"model_to_dot() got an unexpected keyword argument {name!r}.")
    if not model.built:
        raise ValueError(
            f"Model {model.name!r} has not been built: call it on data, or build(input_shape)."
        )
    show = {
        "names": show_layer_names,
        "shapes": show_shapes,
        "dtype": show_dtype,
        "activations": show_layer_activations,
        "trainable": show_trainable,
    }
    head = "subgraph cluster_model {" if subgraph else f"digraph {_quoted(model.name)} {{"
    lines = [
        head,
        f"  graph [rankdir={_quoted(rankdir)}, dpi={int(dpi)}, splines={_quoted(splines)}];",
        "  node [shape=box, fontname=Helvetica];",
        *("  " + line for line in _Drawing(show, expand_nested).lines(model)),
        "}",
    ]
    return Dot("\n".join(lines) + "\n")


class _Drawing:
    """Nodes and edges of a model as lines of DOT."""

    def __init__(self, show, expand_nested):
        self._show = show
        self._expand = expand_nested
        self._count = 0
        self._ends = {}  # id(layer, input or call) -> (first node, last node)

    def lines(self, model):
        graph = model._graph
        if graph is None:
            return self._chain(model)
        lines = []
        if not hasattr(model, "add"):
            for tensor in graph.input_tensors:
                lines += self._node(id(tensor), tensor, tensor)
        for call in graph.calls:
            key = id(call.fn) if hasattr(call.fn, "weights") else id(call)
            if key not in self._ends:
                lines += self._layer(key, call.fn, call)
            for tensor in call.inputs():
                before = _key_of(tensor)
                if before in self._ends:
                    lines.append(f"{self._ends[before][1]} -> {self._ends[key][0]};")
        return lines

    def _chain(self, model):
        """A model of a class of one's own: its layers, without the edges that nobody knows."""
        lines = []
        for layer in model.layers:
            lines += self._layer(id(layer), layer, None)
        return lines

    def _layer(self, key, layer, call):
        if self._expand and hasattr(layer, "summary"):
            return self._cluster(key, layer)
        return self._node(key, layer, call)

    def _cluster(self, key, model):
        first = self._count + 1
        lines = self.lines(model)
        if self._count < first:
            return self._node(key, model, None)
        self._ends[key] = (f"n{first}", f"n{self._count}")
        label = _quoted(model.name)
        body = ["  " + line for line in lines]
        return [f"subgraph cluster_{first} {{", f"  label={label};", *body, "}"]

    def _node(self, key, layer, call):
        self._count += 1
        name = f"n{self._count}"
        self._ends[key] = (name, name)
        return [f"{name} [label={_quoted(self._label(layer, call))}];"]

    def _label(self, layer, call):
        is_input = isinstance(layer, KerasTensor)
        kind = "InputLayer" if is_input else type(layer).__name__
        name = getattr(layer, "name", None) or getattr(layer, "__name__", kind)
        if not is_input and not hasattr(layer, "weights"):
            kind = name
        lines = [f"{name} ({kind})" if self._show["names"] and name != kind else kind]
        if self._show["activations"] and (found := _activation(layer)):
            lines.append(f"activation: {found}")
        outputs = nest.flatten(call if is_input else getattr(call, "outputs", ()))
        tensors = [t for t in outputs if isinstance(t, KerasTensor)]
        if self._show["shapes"] and tensors:
            lines.append("output: " + ", ".join(str(t.shape) for t in tensors))
        if self._show["dtype"] and tensors:
            lines.append("dtype: " + ", ".join(t.dtype for t in tensors))
        if self._show["trainable"] and getattr(layer, "weights", None):
            lines.append("trainable" if layer.trainable else "not trainable")
        return "\n".join(lines)


def _key_of(tensor):
    """The key of what a tensor came from."""
    call = tensor.origin
    if call is None:
        return id(tensor)
    return id(call.fn) if hasattr(call.fn, "weights") else id(call)


def _activation(layer):
    activation = getattr(layer, "activation", None)
    return getattr(activation, "__name__", None) or getattr(activation, "name", None)


def _quoted(text):
    text = str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{text}"'
