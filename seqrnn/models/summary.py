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

from seqrnn.trace import KerasTensor, nest
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
        kind = type(layer).__name__ if not isinstance(layer, KerasTensor) else "InputLayer"
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
        shapes = model.shapes() if hasattr(model, "shapes") else None
        for i, layer in enumerate(model.layers):
            yield layer, str(shapes[i]) if shapes else "?", []
        return
    if with_inputs and not hasattr(model, "add"):
        for tensor in graph.input_tensors:
            yield tensor, str(tensor.shape), []
    seen = set()
    for call in graph.calls:
        shapes = [str(t.shape) for t in nest.flatten(call.outputs) if isinstance(t, KerasTensor)]
        if id(call.fn) in seen:
            continue
        seen.add(id(call.fn))
        sources = [t.origin.name if t.origin else t.name for t in call.inputs()]
        layer = call.fn if hasattr(call.fn, "weights") else _Operation(call)
        yield layer, ", ".join(shapes), sources


class _Operation:
    """An op in the graph, shown like a layer without weights."""

    built = True
    weights = ()
    trainable = False

    def __init__(self, call):
        self.name = call.name

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
        slots = optimizer.core.slots
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
