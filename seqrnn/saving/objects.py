"""Objects as plain data and back: what a saved model's JSON is made of, as in Keras 3.

An object becomes {"module", "class_name", "config", "registered_name"}, a function
{"module": "builtins", "class_name": "function", "config": its name}; numbers, strings, None, lists
and dicts stay as they are; tuples become lists. A layer or model adds "build_config", a compiled
model "compile_config". Our classes are written by the name that Keras has for them, so either side
reads what the other wrote.

No code is ever imported or run (and only that of the lambda of a `Lambda` stored, for Keras, see
`lambdas`): a class or function is found again by its name, in this
order: `custom_object_scope`, what was registered by `register_keras_serializable`, the
`custom_objects` argument, seqrnn's own modules.
"""

import contextlib
import importlib
import threading

import numpy as np

from seqrnn.errors import BadConfigError, UnknownObjectError, did_you_mean
from seqrnn.saving.lambdas import LambdaConfig, is_code

# Only these modules are searched for what is named in a file, functions in the last ones only.
_CLASSES = ("layers", "models", "optimizers", "optimizers.schedules", "random")
_FUNCTIONS = (
    "initializers",
    "regularizers",
    "constraints",
    "activations",
    "losses",
    "metrics",
    "ops",
)
_PACKAGE = __name__.partition(".")[0]
# A class whose instances are named after it, but which Keras exports, and finds, by another name.
_EXPORTED_AS = {"GroupedQueryAttention": "GroupQueryAttention"}
_registered: dict[str, object] = {}
_names: dict[object, str] = {}
_scopes = threading.local()
_recording = threading.local()


def register_keras_serializable(package="Custom", name=None):
    """Decorator: makes a class or function known to `load_model` as `package>name`."""

    def decorate(thing):
        if isinstance(thing, type) and not hasattr(thing, "get_config"):
            raise ValueError(f"Cannot register {thing.__name__}: it has no get_config() method.")
        registered = f"{package}>{name or thing.__name__}"
        _registered[registered] = thing
        _names[thing] = registered
        return thing

    return decorate


def get_registered_name(thing):
    """`package>name` of a registered class or function, else its own name."""
    return _names.get(thing, thing.__name__)


def get_registered_object(name, custom_objects=None):
    """The class or function that goes by `name` in scopes, registry and custom_objects, or None."""
    sources = [*reversed(_scope_stack()), _registered, custom_objects or {}]
    return next((source[name] for source in sources if name in source), None)


def get_custom_objects():
    """The dict of everything registered; it may be changed."""
    return _registered


@contextlib.contextmanager
def custom_object_scope(objects):
    """Within the `with` block (of this thread), names in `objects` are found first."""
    stack = _scope_stack()
    stack.append(dict(objects))
    try:
        yield
    finally:
        stack.pop()


CustomObjectScope = custom_object_scope


def _scope_stack():
    if not hasattr(_scopes, "stack"):
        _scopes.stack = []
    return _scopes.stack


@contextlib.contextmanager
def recorded_objects():
    """Gives a dict that fills with the user's classes and functions serialized in the block."""
    before = getattr(_recording, "found", None)
    _recording.found = {}
    try:
        yield _recording.found
    finally:
        _recording.found = before


def _record(thing):
    found = getattr(_recording, "found", None)
    if found is not None:
        found[get_registered_name(thing)] = thing


def serialize_keras_object(obj):
    """`obj` as JSON data. Raises TypeError for what can't be described by a name and a config."""
    if obj is None or isinstance(obj, bool | int | float | str | LambdaConfig):
        return obj
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, list | tuple):
        return [serialize_keras_object(item) for item in obj]
    if isinstance(obj, dict):
        return {_key(key): serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, np.ndarray):
        return _special("numpy", value=obj.tolist(), dtype=str(obj.dtype))
    if isinstance(obj, slice):
        parts = {name: getattr(obj, name) for name in ("start", "stop", "step")}
        return _special("slice", **serialize_keras_object(parts))
    if obj is Ellipsis:
        return _special("ellipsis")
    if isinstance(obj, np.dtype):
        return obj.name
    if hasattr(obj, "get_config") and not isinstance(obj, type):
        return _serialize_instance(obj)
    if callable(obj) and hasattr(obj, "__name__"):
        return _serialize_named(obj)
    raise TypeError(
        f"Cannot save {obj!r} of type {type(obj).__name__}: expected numbers, strings, lists, "
        "dicts, named functions, or objects that have get_config()."
    )


def _special(kind, **config):
    return {"class_name": f"__{kind}__", "config": config}


def _key(key):
    if not isinstance(key, str):
        raise TypeError(f"Cannot save a dict with the key {key!r}: keys must be strings.")
    return key


def _serialize_instance(obj):
    cls = type(obj)
    module, name = public_name(cls)
    own = cls.__module__.startswith(_PACKAGE + ".")
    if not own:
        _record(cls)
    node = {
        "module": module,
        "class_name": name,
        "config": serialize_keras_object(obj.get_config()),
        "registered_name": None if own else get_registered_name(cls),
    }
    for key in ("build_config", "compile_config"):
        method = getattr(obj, f"get_{key}", None)
        config = method() if method is not None else None
        if config is not None:
            node[key] = serialize_keras_object(config)
    return node


def _serialize_named(thing):
    if thing.__name__ == "<lambda>":
        raise TypeError(
            "Cannot save a lambda: it has no name by which it could be found again. "
            "Define it with `def` at the top of a module, or put it into a Lambda layer."
        )
    _record(thing)
    kind = "class" if isinstance(thing, type) else "function"
    return {
        "module": "builtins",
        "class_name": kind,
        "config": get_registered_name(thing),
        "registered_name": kind,
    }


def public_name(cls):
    """(module, class name) under which Keras knows a class of ours; of a user's class its own."""
    if not cls.__module__.startswith(_PACKAGE + "."):
        return (None if cls.__module__ == "__main__" else cls.__module__), cls.__name__
    for name in (*_CLASSES, *_FUNCTIONS):
        if getattr(importlib.import_module(f"{_PACKAGE}.{name}"), cls.__name__, None) is cls:
            if name != "models":
                return f"keras.{name}", _EXPORTED_AS.get(cls.__name__, cls.__name__)
            functional = cls.__name__ == "Model"
            return (
                ("keras.src.models.functional", "Functional")
                if functional
                else (
                    "keras",
                    cls.__name__,
                )
            )
    return cls.__module__, cls.__name__


def deserialize_keras_object(config, custom_objects=None, safe_mode=True):
    """The inverse of `serialize_keras_object`; it reads Keras's data too.

    Args:
        custom_objects: {name: class or function} for what is not part of seqrnn.
        safe_mode: accepted; code in the data is never run, even if this is False.

    Raises UnknownObjectError, a ValueError and TypeError, for a class or function that nobody
    knows, naming `custom_objects`; BadConfigError, which is both too, for configs that its class
    refuses; ValueError for data that hold code.
    """
    if isinstance(config, list):
        return [deserialize_keras_object(item, custom_objects) for item in config]
    if not isinstance(config, dict):
        return config
    kind = config.get("class_name")
    if isinstance(kind, str) and kind.startswith("__"):
        _refuse_code(config)
        return _plain(config)
    if kind is None or "config" not in config:
        return {k: deserialize_keras_object(v, custom_objects) for k, v in config.items()}
    inner = {} if config["config"] is None else config["config"]
    if kind in ("function", "class") and isinstance(inner, str):
        return find_object(inner, config.get("registered_name"), None, custom_objects)
    cls = find_object(kind, config.get("registered_name"), config.get("module"), custom_objects)
    if not hasattr(cls, "from_config"):
        raise ValueError(f"{kind!r} stands in the place of a class, but has no from_config().")
    with custom_object_scope(custom_objects or {}):
        found = _from_config(cls, _plain(inner))
        _build(found, config.get("build_config"))
        if config.get("compile_config") and hasattr(found, "compile_from_config"):
            found.compile_from_config(config["compile_config"])
    return found


def _from_config(cls, config):
    for key, value in config.items():
        if isinstance(value, dict) and key not in getattr(cls, "_takes_code", ()):
            _refuse_code(value)
    try:
        return cls.from_config(config)
    except (BadConfigError, UnknownObjectError):  # of something inside
        raise
    except (TypeError, ValueError) as error:
        hint = ""
        if isinstance(error, TypeError) and not cls.__module__.startswith(_PACKAGE + "."):
            hint = ". The get_config() of the class must give the arguments of its __init__()"
        raise BadConfigError(
            f"No {cls.__name__} can be made from its config: {error}{hint}"
        ) from error


def _build(thing, config):
    """Builds what says itself how; other layers are built when the model is put together."""
    from seqrnn.layers.base import Layer

    method = getattr(type(thing), "build_from_config", None)
    if config and method not in (None, Layer.build_from_config):
        thing.build_from_config(config)


def _plain(config):
    """Arrays and slices restored; descriptions of objects are left to `from_config`, code too."""
    if isinstance(config, list):
        return [_plain(item) for item in config]
    if not isinstance(config, dict):
        return config
    kind, inner = config.get("class_name"), config.get("config")
    if kind == "__tuple__":  # of Keras 2
        return tuple(_plain(item) for item in config["items"])
    if kind in ("__numpy__", "__tensor__"):
        return np.array(inner["value"], dtype=inner["dtype"])
    if kind == "__slice__":
        return slice(*[_plain(inner[name]) for name in ("start", "stop", "step")])
    if kind == "__ellipsis__":
        return Ellipsis
    if kind == "__lambda__":
        return config
    return {key: _plain(value) for key, value in config.items()}


def _refuse_code(config):
    if is_code(config):
        raise BadConfigError(
            "A lambda is stored in the file as code, and seqrnn never runs code from a file, "
            "whatever safe_mode says. Save the model with a named function instead, and pass "
            "that in custom_objects, or read its weights only: model.load_weights(path)."
        )


def find_object(name, registered_name=None, module=None, custom_objects=None):
    """A class or function by name. Raises UnknownObjectError if nobody knows it."""
    for key in (registered_name, name):
        found = key and get_registered_object(key, custom_objects)
        if found:
            return found
    found = _own_object(name, module)
    if found is not None:
        return found
    known = [n for source in (*_scope_stack(), custom_objects or {}) for n in source]
    raise UnknownObjectError(
        f"Unknown class or function {name!r}.{did_you_mean(name, known)} If it is your own, "
        f"load with custom_objects={{{name!r}: {name}}}, or decorate it with "
        "@register_keras_serializable()."
    )


def _own_object(name, module):
    """Of seqrnn's own, from the module that a file names, or else from any; None if none has it."""
    if name.startswith("_"):
        return None
    home = (module or "").partition(".")[2]
    name = "Model" if name == "Functional" else name
    modules = (*_CLASSES, *_FUNCTIONS)
    for path in [home] if home in modules else modules:
        found = getattr(importlib.import_module(f"{_PACKAGE}.{path}"), name, None)
        if isinstance(found, type) or (callable(found) and path in _FUNCTIONS):
            return found
    return None
