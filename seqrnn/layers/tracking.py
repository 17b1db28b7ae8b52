"""What a layer consists of: its own weights, and the layers among its attributes.

Nothing is registered when an attribute is set. The attributes are looked through when somebody
asks, in the order in which they were set, into lists, tuples and dicts: so a layer appended to a
list later is found too.
"""

from __future__ import annotations

import contextlib
import itertools

from seqrnn.trace import Variable

_CONTAINERS = (list, tuple, dict)


class Tracked:
    """Base of `Layer`: finds variables and sublayers."""

    def _found(self, kind: type) -> list:
        """The distinct objects of class `kind` among the attributes, containers included."""
        found: dict[int, object] = {}
        todo = [iter([value for name, value in self.__dict__.items() if name != "_own_weights"])]
        while todo:
            for value in todo[-1]:
                if isinstance(value, kind):
                    found.setdefault(id(value), value)
                elif isinstance(value, _CONTAINERS) and value:
                    if len(todo) > 16:
                        break  # a container that holds itself
                    todo.append(iter(value.values() if isinstance(value, dict) else value))
                    break
            else:
                todo.pop()
        return list(found.values())

    def _sublayers(self) -> list:
        """The layers among the attributes, in the order of the attributes."""
        return [layer for layer in self._found(Tracked) if layer is not self]

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list:
        """This layer and all below it, each once, from the outside in."""
        if not recursive:
            return [self] * include_self + self._sublayers()
        seen = {id(self)}
        result = [self]
        todo = [iter(self._sublayers())]
        while todo:
            layer = next(todo[-1], None)
            if layer is None:
                todo.pop()
            elif id(layer) not in seen:
                seen.add(id(layer))
                result.append(layer)
                todo.append(iter(layer._sublayers()))
        return result if include_self else result[1:]

    def _own_variables(self) -> list[Variable]:
        """Those made by `add_weight`, then those set as attributes; trainable ones first."""
        own = {id(v): v for v in itertools.chain(self._own_weights, self._found(Variable))}
        return sorted(own.values(), key=lambda v: not v.declared_trainable)

    @property
    def weights(self) -> list[Variable]:
        """All variables of this layer and the layers below: own ones first, each once."""
        found: dict[int, Variable] = {}
        for layer in self._flatten_layers():
            for variable in layer._own_variables():
                found.setdefault(id(variable), variable)
        return list(found.values())

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v in self.weights if v.trainable]

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training leaves alone."""
        return [v for v in self.weights if not v.trainable]

    variables = weights
    trainable_variables = trainable_weights
    non_trainable_variables = non_trainable_weights


@contextlib.contextmanager
def undone_on_error(layer: Tracked):
    """Takes back what happened to the attributes of `layer` and the layers below, if this fails.

    So a layer whose first call fails, after it made some weights, is as it was before.
    """
    before = [(each, dict(each.__dict__)) for each in layer._flatten_layers()]
    try:
        yield
    except BaseException:
        for each, attributes in before:
            each.__dict__.clear()
            each.__dict__.update(attributes)
        raise
