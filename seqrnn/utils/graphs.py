"""What leads to a placeholder of the functional API."""

from seqrnn.trace import KerasTensor, calls_of, nest


def is_keras_tensor(x) -> bool:
    """Whether x is a placeholder of the functional API."""
    return isinstance(x, KerasTensor)


def get_source_inputs(tensor) -> list:
    """The placeholders made by `Input` that these (nested) placeholders come from."""
    found = {}
    tensors = [*nest.flatten(tensor), *(t for call in calls_of(tensor) for t in call.inputs())]
    for each in tensors:
        if isinstance(each, KerasTensor) and each.origin is None:
            found[id(each)] = each
    return list(found.values())
