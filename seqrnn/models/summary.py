"""The table that `model.summary()` prints.

    ┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━┓
    ┃ Layer (type)                       ┃ Output Shape              ┃        Param # ┃
    ┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━┩
    │ lstm (LSTM)                        │ (None, None, 20)          │          1,760 │
    └────────────────────────────────────┴───────────────────────────┴────────────────┘

In ASCII where stdout has no such characters. The total counts the model's weights; what the
optimizer keeps is a line of its own.
"""

import re
import shutil

from seqrnn.saving.graph_config import class_name_of, names_in
from seqrnn.trace import KerasTensor, Spec, nest, noted_outputs, output_specs
from seqrnn.training.memory import bytes_text
from seqrnn.utils.progress import can_print

# top, below the titles, between rows, bottom: left, fill, joint, right; then the sides
_BOX = ("┏━┳┓", "┡━╇┩", "├─┼┤", "└─┴┘", "┃┃", "││")
_ASCII = ("+-++", "+=++", "+-++", "+-++", "||", "||")
_COLUMNS = ("Layer (type)", "Output Shape", "Param #")


def summary_text(
    model,
    line_length=None,
    positions=None,
    expand_nested=False,
    show_trainable=False,
    layer_range=None,
):
    """The whole text, without a newline at its end. Arguments as `Model.summary`."""
    linear = not _branches(model)
    titles = list(_COLUMNS)
    shares = [0.45, 0.35, 0.20] if linear else [0.30, 0.26, 0.18, 0.26]
    if not linear:
        titles.append("Connected to")
    if show_trainable:
        titles.append("Trainable")
        shares.append(0.12)
    if positions is not None:
        shares = [b - a for a, b in zip([0, *positions], positions, strict=False)]
        if len(shares) != len(titles):
            raise ValueError(f"positions: expected {len(titles)} numbers, got {len(shares)}.")
        shares = [s / max(positions) if max(positions) > 1 else s for s in shares]
    width = line_length or min(
        (88 if linear else 108) + 12 * show_trainable,
        max(shutil.get_terminal_size().columns - 4, 50),
    )
    rows = list(_rows(model, "", linear, show_trainable, expand_nested, _range(model, layer_range)))
    lines = [f'Model: "{model.name}"', *_table(titles, rows, _widths(shares, width))]
    return "\n".join([*lines, *_footer(model)])


def _branches(model):
    """Whether the graph is more than a chain."""
    graph = model._graph
    if graph is None:
        return False
    one_each = all(len(call.inputs()) == 1 for call in graph.calls)
    used = [id(t) for call in graph.calls for t in call.inputs()]
    return not one_each or len(set(used)) < len(used) or len(graph.input_tensors) > 1


def _rows(model, prefix, linear, show_trainable, expand_nested, chosen):
    """One list of cells per layer."""
    for layer, shape, sources in _entries(model, with_inputs=not prefix):
        if chosen is not None and layer.name not in chosen:
            continue
        params = _params(layer)
        kind = getattr(layer, "kind", type(layer).__name__)
        kind = "InputLayer" if isinstance(layer, KerasTensor) else kind
        cells = [f"{prefix}{layer.name} ({kind})", shape, params]
        if not linear:
            cells.append(", ".join(sources) or "-")
        if show_trainable:
            weights = getattr(layer, "weights", ())
            cells.append(("Y" if layer.trainable else "N") if weights else "-")
        yield cells
        if expand_nested and hasattr(layer, "summary"):
            yield from _rows(
                layer, prefix + "  └ " if not prefix else "  " + prefix, linear, show_trainable,
                True, None,
            )  # fmt: skip


def _entries(model, with_inputs):
    """(layer or input, text of the output's shape, names of what feeds it)."""
    graph = model._graph
    if graph is None:
        shapes = shapes_of_layers(model)
        for i, layer in enumerate(model.layers):
            yield layer, _shape_text(shapes[i]), []
        return
    if with_inputs and not hasattr(model, "add"):
        for tensor in graph.input_tensors:
            yield tensor, str(tensor.shape), []
    names, by_layer = names_in(graph), {}
    for call in graph.calls:
        is_layer = hasattr(call.fn, "weights")
        by_layer.setdefault(id(call.fn) if is_layer else id(call), []).append(call)
    for operation in graph.operations:
        calls = by_layer[id(operation)]
        shapes = nest.map_leaves(lambda t: getattr(t, "shape", None), calls[0].outputs)
        sources = [_source(t, by_layer, names) for call in calls for t in call.inputs()]
        fn = calls[0].fn
        layer = fn if hasattr(fn, "weights") else _Operation(calls[0], names)
        yield layer, _shape_text(shapes), sources


def _source(tensor, by_layer, names):
    """'lstm[0][2]': output 2 of the first call of the layer."""
    call = tensor.origin
    if call is None:
        return f"{tensor.name}[0][0]"
    calls = by_layer.get(id(call.fn)) or [call]
    number = next((i for i, each in enumerate(calls) if each is call), 0)
    name = names.get(id(call), call.name)
    return f"{name}[{number}][{tensor.index}]"


def _shape_text(shape):
    """'(None, 3)', '[(None, 3), (None, 4)]' for several, '?' if it is not known."""
    if shape is None:
        return "?"
    if isinstance(shape, dict):
        return "{" + ", ".join(f"{k}: {_shape_text(s)}" for k, s in shape.items()) + "}"
    if any(isinstance(s, tuple | list | dict) for s in shape):
        return "[" + ", ".join(map(_shape_text, shape)) + "]"
    return str(tuple(shape))


def shapes_of_layers(model):
    """The output shape of each layer of a model without a graph, None where it is not known.

    Found by tracing its `call` for the shape of the first data. Batch and time are open (None) if
    the model can do with that; a stateful one wants its batch size.
    """
    layers, specs = model.layers, model._built_with
    known = [leaf for leaf in nest.flatten(specs) if isinstance(leaf, Spec)]
    if not known:
        return [None] * len(layers)

    def outputs(x):
        with noted_outputs() as found:
            model(x)
        return [found.get(id(layer)) for layer in layers]

    for open_axes in (-1, 1, 0):
        x = nest.map_leaves(lambda s, n=open_axes: _open(s, n), specs)
        try:
            found = output_specs(outputs, (x,), {})
        except (ValueError, TypeError, IndexError):
            continue
        return [nest.map_leaves(lambda s: getattr(s, "shape", None), each) for each in found]
    return [None] * len(layers)


def _open(spec, axes):
    """A placeholder with sizes None up to the axis `axes`; other leaves as they are."""
    if not isinstance(spec, Spec) or not spec.shape:
        return spec
    rest = spec.shape[axes:] if axes >= 0 or len(spec.shape) > 1 else ()
    return KerasTensor((None,) * (len(spec.shape) - len(rest)) + rest, spec.dtype)


class _Operation:
    """An op in the graph, shown like a layer without weights."""

    built = True
    weights = ()
    trainable = False

    def __init__(self, call, names):
        self.name = names[id(call)]
        self.kind = class_name_of(call)

    def count_params(self):
        return 0


def _params(layer):
    if isinstance(layer, KerasTensor):
        return "0"
    if not layer.built and not layer.weights:
        return "0 (unbuilt)"
    return f"{sum(v.storage.size for v in layer.weights):,}"


def _range(model, layer_range):
    """Names of the layers between two names or patterns, or None for all."""
    if layer_range is None:
        return None
    names = [layer.name for layer in model.layers]
    found = [
        next((i for i, name in enumerate(names) if re.fullmatch(pattern, name)), None)
        for pattern in layer_range
    ]
    if len(found) != 2 or None in found:
        raise ValueError(f"layer_range {layer_range!r} names no two of the layers {names}.")
    return set(names[min(found) : max(found) + 1])


def _widths(shares, width):
    inner = width - 3 * len(shares) - 1
    total = sum(shares)
    widths = [max(int(inner * share / total), 9) for share in shares]
    widths[-1] = max(inner - sum(widths[:-1]), 9)
    return widths


def _table(titles, rows, widths):
    top, below, between, bottom, head_sides, sides = _BOX if can_print("".join(_BOX)) else _ASCII
    lines = [_rule(top, widths), *_cells(titles, widths, head_sides), _rule(below, widths)]
    for i, row in enumerate(rows):
        if i:
            lines.append(_rule(between, widths))
        lines += _cells(row, widths, sides)
    return [*lines, _rule(bottom, widths)]


def _rule(kind, widths):
    left, fill, joint, right = kind
    return left + joint.join(fill * (w + 2) for w in widths) + right


def _cells(row, widths, sides):
    """A row as lines, long texts wrapped; the number of parameters is right-aligned."""
    wrapped = [_wrap(text, w) for text, w in zip(row, widths, strict=True)]
    for k in range(max(map(len, wrapped))):
        parts = [cell[k] if k < len(cell) else "" for cell in wrapped]
        texts = [
            part.rjust(w) if i == 2 else part.ljust(w)
            for i, (part, w) in enumerate(zip(parts, widths, strict=True))
        ]
        yield f"{sides[0]} " + f" {sides[1]} ".join(texts) + f" {sides[0]}"


def _wrap(text, width):
    """Pieces of at most `width`, cut at a space where there is one."""
    pieces = []
    while len(text) > width:
        cut = text.rfind(" ", 1, width + 1)
        cut = width if cut <= 0 or not text[:cut].strip() else cut
        pieces.append(text[:cut].rstrip())
        text = text[cut:].lstrip()
    return [*pieces, text]


def _footer(model):
    trainable = {id(v): v for v in model.trainable_variables}
    total = {id(v): v for v in model.weights}
    frozen = [v for key, v in total.items() if key not in trainable]
    lines = [
        f" Total params: {_size(total.values())}",
        f" Trainable params: {_size(trainable.values())}",
        f" Non-trainable params: {_size(frozen)}",
    ]
    optimizer = model.optimizer
    if optimizer is not None and optimizer.built:
        slots = optimizer.state_arrays()
        kept = _numbers(sum(s.size for s in slots), sum(s.nbytes for s in slots))
        lines.append(f" Optimizer params: {kept}")
    return lines


def _size(variables):
    variables = list(variables)
    return _numbers(
        sum(v.storage.size for v in variables), sum(v.storage.nbytes for v in variables)
    )


def _numbers(count, size):
    """'5,250 (20.51 KB)'."""
    return f"{count:,} ({bytes_text(size)})"
