"""From identifiers to objects: what `initializers.get`, `losses.get` and their like share.

An identifier is a name in snake case or the class's own ('l2', 'L2'), a config dict from
`serialize`, an object, a class (made without arguments), a function, or None.
"""

from __future__ import annotations

from seqrnn import config
from seqrnn.errors import did_you_mean


class Configurable:
    """Base of the objects: made again from a dict of its constructor's arguments."""

    def get_config(self) -> dict:
        """The constructor's arguments."""
        return {}

    @classmethod
    def from_config(cls, config):
        """An object made from what `get_config` gave."""
        return cls(**config)

    def __repr__(self):
        arguments = ", ".join(f"{k}={v!r}" for k, v in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


class Lookup:
    """The known objects of one kind.

    Args:
        kind: 'initializer', for error texts.
        known: name -> class or function.
    """

    def __init__(self, kind: str, known: dict):
        self.kind = kind
        self.known = known

    def get(self, identifier, custom_objects=None):
        """The object that `identifier` stands for. ValueError for unknown names (it suggests the
        near one) and for things that cannot be called."""
        found = identifier
        if isinstance(identifier, str):
            found = self._named(identifier, custom_objects)
        elif isinstance(identifier, dict):
            found = self.deserialize(identifier, custom_objects)
        if isinstance(found, type):
            found = found()
        if not callable(found):
            article = "an" if self.kind[0] in "aeiou" else "a"
            raise ValueError(
                f"expected the name of {article} {self.kind}, an object or a function, got "
                f"{identifier!r}."
            )
        return found

    def _named(self, name: str, custom_objects):
        from seqrnn import saving

        found = saving.get_registered_object(name, custom_objects)
        if found is None:
            found = self.known.get(name) or self.known.get(config.snake_case(name))
        if found is None:
            raise ValueError(f"Unknown {self.kind} {name!r}.{did_you_mean(name, self.known)}")
        return found

    def serialize(self, thing):
        """`thing` as data that JSON can hold; `deserialize` is the way back."""
        from seqrnn import saving

        return saving.serialize_keras_object(thing)

    def deserialize(self, config, custom_objects=None):
        """The object that `serialize` described."""
        from seqrnn import saving

        if isinstance(config, str):
            return self.get(config, custom_objects)
        if isinstance(config, dict) and "config" not in config and "class_name" in config:
            config = {**config, "config": {}}
        return saving.deserialize_keras_object(config, custom_objects)
