"""Layers as data and back: `keras.layers.serialize`, `keras.layers.deserialize`."""

from seqrnn.layers.base import Layer


def serialize(layer) -> dict:
    """A layer as data that JSON can hold, see `seqrnn.saving.serialize_keras_object`."""
    from seqrnn import saving

    return saving.serialize_keras_object(layer)


def deserialize(config, custom_objects=None) -> Layer:
    """The layer that `serialize` described.

    Raises ValueError for what describes no layer; for other errors see
    `seqrnn.saving.deserialize_keras_object`.
    """
    from seqrnn import saving

    found = saving.deserialize_keras_object(config, custom_objects)
    if not isinstance(found, Layer):
        raise ValueError(
            f"keras.layers.deserialize() needs what keras.layers.serialize() gave for a layer, got "
            f"{config!r}."
        )
    return found
