"""The function of a `Lambda` layer when it is a lambda, which has no name to be found again by.

Files hold it as Keras writes it, {"class_name": "__lambda__", "config": {"code", "defaults",
"closure"}}, where `code` is Python's own bytecode, marshalled, in base64. Keras runs that when it
is told `safe_mode=False`; seqrnn writes it for Keras and never runs it. Reading asks for the
function: `custom_objects={name of the layer: function}`. A config that has not left the process
carries the function itself.
"""

import base64
import warnings

from seqrnn.errors import BadConfigError


class LambdaConfig(dict):
    """The data of a lambda; `function` is the lambda."""

    function = None


def is_lambda(thing):
    """Whether a function is a lambda."""
    return getattr(thing, "__name__", "") == "<lambda>" and hasattr(thing, "__code__")


def lambda_to_config(function):
    """The data of a lambda. TypeError if it closes over what is no data."""
    import marshal

    from seqrnn.saving.objects import serialize_keras_object

    closure = function.__closure__ and [cell.cell_contents for cell in function.__closure__]
    data = LambdaConfig(
        class_name="__lambda__",
        config={
            "code": base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii"),
            "defaults": serialize_keras_object(function.__defaults__),
            "closure": serialize_keras_object(closure),
        },
    )
    data.function = function
    return data


def is_code(data):
    """Whether `data` hold code: of Keras 3, or of Keras 2 ([code, defaults, closure])."""
    if isinstance(data, dict):
        return data.get("class_name") == "__lambda__"
    return isinstance(data, list) and len(data) == 3 and isinstance(data[0], str)


def function_for_code(data, key):
    """The function in the place of code: its own if it is known, else that which
    `custom_objects` has for `key`. BadConfigError without."""
    from seqrnn.saving.objects import get_registered_object

    function = getattr(data, "function", None) or get_registered_object(key)
    if function is None:
        raise BadConfigError(
            f"layer {key!r} is a Lambda whose function was a lambda. The file holds it as code, "
            "and seqrnn never runs code from a file, whatever safe_mode says. Say what it was: "
            f"custom_objects={{{key!r}: lambda x: ...}}. Or make the model by your own program, "
            "and read the weights only: model.load_weights(path)."
        )
    return function


def warn_of_lambdas(model):
    """Warns of the layers whose functions a reader of the file has to give."""
    from seqrnn.layers.core import Lambda

    layers = model._flatten_layers()
    keys = [la.name for la in layers if isinstance(la, Lambda) and is_lambda(la.function)]
    if keys:
        given = ", ".join(f"{key!r}: lambda x: ..." for key in keys)
        warnings.warn(
            "The model has functions without a name, lambdas. They are written as code, which "
            f"seqrnn does not run: load_model will need custom_objects={{{given}}}.",
            stacklevel=4,
        )
