"""Weights of PyTorch: a `state_dict` put into layers, and taken out of them.

    nn.Linear       Dense                weight (out, in) = kernel^T, bias
    nn.Conv1d       Conv1D               weight (out, in / groups, size) = kernel (size, in, out)
    nn.Embedding    Embedding            weight (tokens, features)
    nn.LayerNorm    LayerNormalization   weight = gamma, bias = beta
    nn.BatchNorm1d  BatchNormalization   likewise; running_mean, running_var
    nn.RNN          SimpleRNN            weight_ih_l0 = kernel^T, weight_hh_l0 = recurrent_kernel^T,
                                         bias_ih_l0 + bias_hh_l0 = bias
    nn.LSTM         LSTM                 likewise; both have the gates in the order i, f, c, o
    nn.GRU          GRU                  gates r, z, n there, z, r, h here; bias (2, 3 units): both

A recurrent module of several layers is a list of layers here, a bidirectional one has a
`Bidirectional` per layer (`_l0`, `_l0_reverse`). A `TimeDistributed` stands for the layer in it, an
RNN of built-in cells for the layers of these cells.

What no state_dict says, and what differs by default, is the caller's to set: epsilon is 1e-5 in
PyTorch's normalisations and 1e-3 here, the momentum of nn.BatchNorm1d is 1 - ours, sequences are
(batch, time, features) there only with batch_first=True, and of nn.Conv1d (batch, channels, time).

The formulas of the gates: the documentation of torch.nn.LSTM and GRU (2.x), and the heads of
`layers/lstm.py` and `layers/gru.py`.
"""

import numpy as np

from seqrnn.errors import did_you_mean


def load_torch_weights(model, state_dict, names=None):
    """Puts the weights of a PyTorch module into a built model or layer.

    Args:
        model: a model, or a single layer, or a list of layers that are one module together.
        state_dict: {name: tensor or array}.
        names: of a model: {name of a module in PyTorch: layer, its name, or a list of them}. By
            default every layer with weights has the name of its module. Of a layer or list of
            layers: the prefix, '' by default.

    ValueError if the state_dict lacks something of the layers named, or holds something that no
    layer takes, or a shape is wrong; the model is unchanged then. TypeError for layers that
    PyTorch has no module for.
    """
    arrays = {name: _array(value) for name, value in state_dict.items()}
    left = {name for name in arrays if not name.endswith("num_batches_tracked")}
    assignments = []
    for entry in _entries(model, names):
        missing = [name for name in entry.names if name not in arrays]
        if missing:
            raise ValueError(
                f"The state_dict has no {missing[0]!r}, which layer {entry.layer.name!r} "
                f"({type(entry.layer).__name__}) needs.{did_you_mean(missing[0], arrays)}"
            )
        left.difference_update(entry.names)
        for name, wanted in zip(entry.names, entry.write(entry.variable.numpy()), strict=True):
            if arrays[name].shape != wanted.shape:
                raise ValueError(
                    f"{name!r} of the state_dict has shape {arrays[name].shape}, which does not "
                    f"fit weight {entry.variable.name!r} of layer {entry.layer.name!r}, of shape "
                    f"{entry.variable.shape}: expected {wanted.shape}."
                )
        value = entry.read(*[arrays[name] for name in entry.names])
        assignments.append((entry.variable, value))
    if left:
        raise ValueError(
            f"No layer takes {sorted(left)[0]!r} of the state_dict ({len(left)} in all); say in "
            "names= which layers the modules are, and leave out of the state_dict what is not "
            "wanted."
        )
    for variable, value in assignments:
        variable.assign(value)


def torch_state_dict(model, names=None):
    """The weights of a built model or layer as arrays by PyTorch's names.

    Arguments and errors: see `load_torch_weights`. For a module:
    `module.load_state_dict({name: torch.from_numpy(a) for name, a in state_dict.items()})`.
    """
    found = {}
    for entry in _entries(model, names):
        values = entry.write(entry.variable.numpy())
        for name, value in zip(entry.names, values, strict=True):
            found[name] = np.ascontiguousarray(value)
        if entry.names[0].endswith("running_var"):
            counter = entry.names[0].removesuffix("running_var") + "num_batches_tracked"
            found[counter] = np.zeros((), np.int64)
    return found


class _Entry:
    """One of our variables, and the names of the tensors that it is made of there.

    read(*tensors) gives the variable's value, write(value) the tensors.
    """

    def __init__(self, layer, variable, names, read, write):
        self.layer = layer
        self.variable = variable
        self.names = names
        self.read = read
        self.write = write


def _array(value):
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value)


# ---- which layers ----


def _entries(model, names):
    from seqrnn.models.model import Model

    if not isinstance(model, Model):
        return _module(model, "" if names is None else names)
    if names is None:
        names = {layer.name: layer for layer in model.layers if layer.weights}
    if not isinstance(names, dict):
        raise TypeError(f"names must be a dict {{name of a module: layer}}, got {names!r}.")
    found = []
    for prefix, layers in names.items():
        layers = layers if isinstance(layers, list | tuple) else [layers]
        layers = [model.get_layer(each) if isinstance(each, str) else each for each in layers]
        found += _module(layers, prefix)
    return found


def _module(layers, prefix):
    """The entries of one module of PyTorch."""
    layers = [_inner(each) for each in (layers if isinstance(layers, list | tuple) else [layers])]
    unbuilt = next((each for each in layers if not each.weights), None)
    if unbuilt is not None:
        raise ValueError(f"Layer {unbuilt.name!r} has no weights yet: call it on data first.")
    prefix = f"{prefix}." if prefix else ""
    found, depth = [], 0
    for layer in layers:
        if _cells(layer) is None:
            if len(layers) > 1:
                raise TypeError(
                    f"Layer {layer.name!r} ({type(layer).__name__}) is no recurrent layer, so it "
                    "is not part of a module of several layers."
                )
            return _plain_module(layer, prefix)
        for cells in _cells(layer):
            for cell, suffix in zip(cells, (f"_l{depth}", f"_l{depth}_reverse"), strict=False):
                found += _cell_entries(layer, cell, prefix, suffix)
            depth += 1
    return found


def _inner(layer):
    from seqrnn.layers import TimeDistributed

    return layer.layer if isinstance(layer, TimeDistributed) else layer


def _cells(layer):
    """[(cell,) or (cell forward, cell backward)] of a recurrent layer, per layer of PyTorch's; None
    for others."""
    directions = [getattr(layer, f"{name}_layer", None) for name in ("forward", "backward")]
    if None not in directions:
        forward, backward = map(_cells, directions)
        return [(*a, *b) for a, b in zip(forward, backward, strict=True)]
    cell = getattr(layer, "cell", None)
    if cell is None:
        return None
    return [(each,) for each in getattr(cell, "cells", None) or [cell]]


# ---- which weights ----


def _same(value):
    return value


def _one(value):
    return (value,)


def _plain_module(layer, prefix):
    from seqrnn import layers

    turned = (np.transpose, lambda value: (value.T,))
    kept = (_same, _one)
    tables = {
        layers.Dense: {"kernel": ("weight", turned), "bias": ("bias", kept)},
        layers.Conv1D: {"kernel": ("weight", turned), "bias": ("bias", kept)},
        layers.Embedding: {"embeddings": ("weight", kept)},
        layers.LayerNormalization: {"gamma": ("weight", kept), "beta": ("bias", kept)},
        layers.BatchNormalization: {
            "gamma": ("weight", kept),
            "beta": ("bias", kept),
            "moving_mean": ("running_mean", kept),
            "moving_variance": ("running_var", kept),
        },
    }
    table = next((t for kind, t in tables.items() if type(layer) is kind), None)
    if table is None:
        raise TypeError(f"Layer {layer.name!r}: PyTorch has no module for {type(layer).__name__}.")
    found = []
    for variable in layer.weights:
        name, (read, write) = table[variable.name]
        found.append(_Entry(layer, variable, (prefix + name,), read, write))
    return found


def _cell_entries(layer, cell, prefix, suffix):
    from seqrnn import layers

    blocks = {layers.SimpleRNNCell: (0,), layers.LSTMCell: (0, 1, 2, 3), layers.GRUCell: (1, 0, 2)}
    order = next((b for kind, b in blocks.items() if type(cell) is kind), None)
    if order is None:
        raise TypeError(f"Layer {layer.name!r}: PyTorch has no module for {type(cell).__name__}.")
    _check_functions(layer, cell)

    def arranged(value):
        """Gates, along the last axis, from either order to the other."""
        parts = np.split(value, len(order), axis=-1)
        return np.concatenate([parts[i] for i in order], axis=-1)

    def turned_in(value):
        return arranged(value.T)

    def turned_out(value):
        return (arranged(value).T,)

    tensors = {name: f"{prefix}{name}{suffix}" for name in ("weight_ih", "weight_hh")}
    biases = tuple(f"{prefix}{name}{suffix}" for name in ("bias_ih", "bias_hh"))
    found = [
        _Entry(layer, cell.kernel, (tensors["weight_ih"],), turned_in, turned_out),
        _Entry(layer, cell.recurrent_kernel, (tensors["weight_hh"],), turned_in, turned_out),
    ]
    if not cell.use_bias:
        return found
    if type(cell) is layers.GRUCell:
        entry = _Entry(
            layer,
            cell.bias,
            biases,
            lambda a, b: arranged(np.stack([a, b])),
            lambda value: tuple(arranged(value)),
        )
    else:
        entry = _Entry(
            layer, cell.bias, biases, lambda a, b: a + b, lambda v: (v, np.zeros_like(v))
        )
    return [*found, entry]


def _check_functions(layer, cell):
    """ValueError if the cell computes what no module of PyTorch does."""
    from seqrnn import activations

    kind = type(cell).__name__
    allowed = ("tanh", "relu") if kind == "SimpleRNNCell" else ("tanh",)
    if cell.activation not in [activations.get(name) for name in allowed]:
        raise ValueError(
            f"Layer {layer.name!r}: in PyTorch the activation of {kind} is {' or '.join(allowed)}."
        )
    if getattr(cell, "recurrent_activation", None) not in (None, activations.get("sigmoid")):
        raise ValueError(f"Layer {layer.name!r}: PyTorch's recurrent activation is sigmoid.")
    if not getattr(cell, "reset_after", True):
        raise ValueError(f"Layer {layer.name!r}: nn.GRU is a GRU with reset_after=True.")
