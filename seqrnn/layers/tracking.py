"""What a layer consists of: its own weights, and the layers among its attributes.

Nothing is registered when an attribute is set. The attributes are looked through when somebody
asks, in the order in which they were set, into lists, tuples and dicts: so a layer appended to a
list later is found too. Only the time is noted, for attributes are constants of a traced `call`.
"""

from __future__ import annotations

import contextlib
import itertools

from seqrnn.trace import Variable, current

_CONTAINERS = (list, tuple, dict)


class _Clock:
    """Counts the attributes that were set, of all layers, after their first call."""

    now = 0


clock = _Clock()


class Tracked:
    """Base of `Layer`: finds variables and sublayers."""

    _not_in_call = frozenset({"built", "trainable"})  # attributes that are noted otherwise, or not
    _changed_at = 0  # when an attribute was last set

    def __setattr__(self, name, value):
        if name[0] == "_" or name in self._not_in_call:
            super().__setattr__(name, value)
            return
        before = self.__dict__.get(name, clock)
        super().__setattr__(name, value)
        if self.__dict__.get("_settled") and current() is None and not _same(before, value):
            clock.now += 1
            self.__dict__["_changed_at"] = clock.now

    def _has_changed(self, since: int) -> bool:
        """Whether an attribute of this layer or one below has been set after `clock.now` was
        `since`. What happens inside of lists and dicts is not noticed."""
        return clock.now > since and any(
            layer._changed_at > since for layer in self._flatten_layers()
        )

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


def _same(before, value) -> bool:
    """Whether a new value of an attribute is the old one."""
    plain = isinstance(value, (bool, int, float, str)) and type(before) is type(value)
    return before is value or (plain and before == value)


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
