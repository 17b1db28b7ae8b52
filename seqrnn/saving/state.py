"""What a model remembers, as arrays in a tree of names: the weights, and the optimizer's state.

The names are those of Keras 3. Everything that has variables has a place: the model itself '', its
parts below it, by the name of the attribute that holds them ('layers' for the layers of a
functional or sequential model, 'optimizer'). In a list the parts are named after their classes,
numbered per list: 'layers/dense', 'layers/dense_1', 'layers/rnn/cell/cells/lstm_cell'. What is
found twice has the first place; public attributes come before those with an underscore, by
alphabet. So a name does not depend on the names that the user gave to layers.

At each place stands what `save_own_variables` puts into a dict: '0', '1', ..., trainable variables
first.
"""

import functools
import warnings

from seqrnn.config import snake_case
from seqrnn.errors import did_you_mean
from seqrnn.layers.base import Layer
from seqrnn.layers.tracking import Tracked
from seqrnn.trace import nest
from seqrnn.trace.array import checked


@functools.cache
def _inherited(model):
    """Names of attributes that every layer (or model) has."""
    if not model:
        return frozenset(dir(Layer()))
    from seqrnn.models.model import Model

    return frozenset(dir(Model())) - {"layers"}


def _is_optimizer(thing):
    from seqrnn.optimizers.base import Optimizer

    return isinstance(thing, Optimizer)


def _is_part(thing):
    return isinstance(thing, Tracked) or _is_optimizer(thing)


def places(model):
    """[(place, thing)] of all that has variables, from the outside in."""
    found, seen = [], set()
    # By id, and kept: a property gives a new list each time, and ids are those of the living only.
    containers = {}

    def visit(place, thing):
        if _is_part(thing):
            if id(thing) in seen:
                return []
            seen.add(id(thing))
            found.append((place, thing))
            return _inner(place, thing) if _is_optimizer(thing) else _attributes(place, thing)
        if isinstance(thing, list | tuple | dict) and id(thing) not in containers:
            containers[id(thing)] = thing
            return _items(place, thing)
        return []

    todo = [("", model)]
    while todo:
        todo += reversed(visit(*todo.pop()))
    return found


def _inner(place, optimizer):
    """The optimizers that an optimizer applies. Keras writes their state twice: here, and as part
    of the outer one's, which is what is read."""
    return [(f"{place}/{name}", part) for name, part in optimizer.inner_optimizers().items()]


def _attributes(place, thing):
    """The parts of a layer or model, by the names of attributes."""
    from seqrnn.models.model import Model

    model = isinstance(thing, Model)
    names = sorted(set(dir(thing)) - _inherited(model), key=lambda n: (n.startswith("_"), n))
    parts = []
    if model:
        if thing._graph is not None or hasattr(thing, "_chain"):
            names = ["layers", *(name for name in names if name != "layers")]
        if thing.compiled:
            parts.append((f"{place}/optimizer".lstrip("/"), thing.optimizer))
    for name in names:
        if name.startswith("__"):
            continue
        try:
            part = getattr(thing, name)
        except Exception:  # a property of the user's that can't be had now
            continue
        parts.append((f"{place}/{name}".lstrip("/"), part))
    return parts


def _items(place, container):
    """The parts in a list, tuple or dict, named after their classes."""
    from seqrnn.models.model import Model

    counts, parts = {}, []
    for item in container.values() if isinstance(container, dict) else container:
        if _is_part(item):
            name = "functional" if type(item) is Model else snake_case(type(item).__name__)
        elif isinstance(item, list | tuple | dict):
            name = "container"
        else:
            continue
        number = counts[name] = counts.get(name, -1) + 1
        parts.append((f"{place}/{name}_{number}" if number else f"{place}/{name}", item))
    return parts


def collect(model, optimizer=True):
    """{place: (name, {key: array})}, of all parts, those without variables too."""
    state, found = {}, places(model)
    _check_all_have_a_place(model, found)
    for place, thing in found:
        if _is_optimizer(thing) and not optimizer:
            continue
        store = {}
        thing.save_own_variables(store)
        state[place] = (thing.name, store)
    return state


def _check_all_have_a_place(model, found):
    """RuntimeError if a weight stands nowhere: a file without it would be found out too late."""
    own = [thing for _, thing in found if not _is_optimizer(thing)]
    placed = {id(v) for thing in own for v in thing._own_variables()}
    for weight in model.weights:
        if id(weight) not in placed:
            raise RuntimeError(
                f"The weight {weight.path!r} is part of {model.name!r}, but no attribute of a "
                "layer leads to it, so that it cannot be saved. Keep the layer it belongs to as an "
                "attribute, or in a list that is one."
            )


def restore(model, stores, filename, skip_mismatch=False):
    """Sets the weights and, if there is one, the optimizer from {place: {key: array}}.

    Everything is checked before anything is set. ValueError if the file lacks something of the
    model, or the model something of the file; with `skip_mismatch` it stays as it is, with a
    warning. The state of an optimizer that does not fit is left out, with a warning, as in Keras.
    """
    check = _Check(filename, skip_mismatch)
    left = {place for place, store in stores.items() if len(store)}
    apply, layer, inner = [], model, set()
    for place, thing in places(model):
        store = stores.get(place, {})
        left.discard(place)
        if id(thing) in inner:
            continue
        if _is_optimizer(thing):
            inner |= {id(part) for part in nest.flatten(thing.inner_optimizers())}
            apply.append(functools.partial(_restore_optimizer, model, thing, store, filename))
        elif type(thing).load_own_variables is not Layer.load_own_variables:
            apply.append(functools.partial(thing.load_own_variables, store))
        else:
            layer = _outer(model, layer, thing)
            apply += check.pairs(thing, layer, place, store)
    left = sorted(p for p in left if p != "optimizer" and "seed_generator" not in p.split("/"))
    if left:
        known = [place for place, _ in places(model)]
        check.mismatch(
            f"{filename!r} has weights for {left[0]!r}, which the model does not have."
            + did_you_mean(left[0], known)
        )
    for each in apply:
        each()


def _outer(model, layer, thing):
    """The layer of the model that `thing` belongs to, for error texts: it, or the one before."""
    return thing if any(thing is each for each in [model, *model.layers]) else layer


class _Check:
    """Compares variables with what a file has for them."""

    def __init__(self, filename, skip):
        self.filename = filename
        self.skip = skip

    def mismatch(self, text):
        if not self.skip:
            raise ValueError(f"Cannot load weights: {text} The model is unchanged.")
        warnings.warn(f"Skipped: {text}", stacklevel=6)

    def pairs(self, thing, layer, place, store):
        """Functions that set the variables of `thing`."""
        variables = thing._own_variables()
        if len(variables) != len(store):
            names = ", ".join(repr(v.name) for v in variables)
            where = "" if thing is layer else f" (its part {place!r})"
            self.mismatch(
                f"layer {layer.name!r}{where} has {len(variables)} weights ({names}), but "
                f"{self.filename!r} holds {len(store)} weights for it, at {place!r}."
                + ("" if thing.built else " It is not built yet: call the model on data first.")
            )
            return []
        found = []
        for i, variable in enumerate(variables):
            if str(i) not in store:
                self.mismatch(f"{self.filename!r} lacks weight {i} of {place!r}.")
                continue
            array = store[str(i)]
            if tuple(array.shape) == variable.shape:
                array = checked(array, f"weight {variable.name!r} in {self.filename!r}")
                found.append(functools.partial(variable.assign, array))
                continue
            self.mismatch(
                f"weight {variable.name!r} of layer {layer.name!r} has shape {variable.shape}, "
                f"but {self.filename!r} has shape {tuple(array.shape)} for it."
            )
        return found


def _restore_optimizer(model, optimizer, store, filename):
    if not len(store):
        return
    known = optimizer is model.optimizer  # the variables that others are for are not known here
    if known and not optimizer.built and len(store) > len(optimizer.variables):
        optimizer.build_for(model.trainable_variables)
    try:
        optimizer.load_own_variables({key: store[key] for key in store})
    except (ValueError, TypeError) as error:
        warnings.warn(
            f"The state of the optimizer in {filename!r} is left out, it starts anew: {error}",
            stacklevel=5,
        )
