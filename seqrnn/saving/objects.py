"""Objects as plain data and back: what a saved model's JSON is made of.

An object becomes {"module", "class_name", "config", "registered_name"}, a function
{"module": "builtins", "class_name": "function", "config": its name}; numbers, strings, None, lists
and dicts stay as they are. No code is ever stored: a class or function is found again by its name,
in this order: `custom_object_scope`, what was registered by `register_keras_serializable`, the
`custom_objects` argument, seqrnn's own modules.
"""

import contextlib
import importlib
import threading

import numpy as np

from seqrnn.errors import did_you_mean

# Only these modules are searched for a class or function that is named in a file.
_MODULES = (
    "layers",
    "models",
    "initializers",
    "regularizers",
    "constraints",
    "activations",
    "losses",
    "metrics",
    "optimizers",
    "optimizers.schedules",
    "ops",
)
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
    if obj is None or isinstance(obj, bool | int | float | str):
        return obj
    if isinstance(obj, np.generic):
        return obj.item()
    if isinstance(obj, list | tuple):
        items = [serialize_keras_object(item) for item in obj]
        return items if isinstance(obj, list) else {"class_name": "__tuple__", "items": items}
    if isinstance(obj, dict):
        return {_key(key): serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, np.ndarray):
        return {"class_name": "__array__", "dtype": str(obj.dtype), "items": obj.tolist()}
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


def _key(key):
    if not isinstance(key, str):
        raise TypeError(f"Cannot save a dict with the key {key!r}: keys must be strings.")
    return key


def _serialize_instance(obj):
    cls = type(obj)
    module = _public_module(cls)
    if module is None:
        _record(cls)
    return {
        "module": module,
        "class_name": cls.__name__,
        "config": serialize_keras_object(obj.get_config()),
        "registered_name": get_registered_name(cls),
    }


def _serialize_named(thing):
    if thing.__name__ == "<lambda>":
        raise TypeError(
            "Cannot save a lambda: it has no name by which it could be found again. "
            "Define it with `def` at the top of a module."
        )
    _record(thing)
    kind = "class" if isinstance(thing, type) else "function"
    return {
        "module": "builtins",
        "class_name": kind,
        "config": thing.__name__,
        "registered_name": get_registered_name(thing),
    }


def _public_module(cls):
    """'seqrnn.layers' for the package's own classes, None for a user's."""
    package = __name__.partition(".")[0]
    if not cls.__module__.startswith(package + "."):
        return None
    for name in _MODULES:
        if getattr(importlib.import_module(f"{package}.{name}"), cls.__name__, None) is cls:
            return f"{package}.{name}"
    return None


def deserialize_keras_object(config, custom_objects=None):
    """The inverse of `serialize_keras_object`.

    Raises ValueError for a class or function that nobody knows, naming `custom_objects`.
    """
    if isinstance(config, list):
        return [deserialize_keras_object(item, custom_objects) for item in config]
    if not isinstance(config, dict):
        return config
    kind = config.get("class_name")
    if kind == "__tuple__":
        return tuple(deserialize_keras_object(item, custom_objects) for item in config["items"])
    if kind == "__array__":
        return _plain(config)
    if kind is None or "config" not in config:
        return {k: deserialize_keras_object(v, custom_objects) for k, v in config.items()}
    if kind in ("function", "class") and isinstance(config["config"], str):
        return find_object(config["config"], config.get("registered_name"), None, custom_objects)
    cls = find_object(kind, config.get("registered_name"), config.get("module"), custom_objects)
    with custom_object_scope(custom_objects or {}):
        return cls.from_config(_plain(config["config"]))


def _plain(config):
    """Tuples and arrays restored; descriptions of objects are left to `from_config`."""
    if isinstance(config, list):
        return [_plain(item) for item in config]
    if not isinstance(config, dict):
        return config
    if config.get("class_name") == "__tuple__":
        return tuple(_plain(item) for item in config["items"])
    if config.get("class_name") == "__array__":
        return np.array(config["items"], dtype=config["dtype"])
    return {key: _plain(value) for key, value in config.items()}


def find_object(name, registered_name=None, module=None, custom_objects=None):
    """A class or function by name. Raises ValueError if nobody knows it."""
    for key in (registered_name, name):
        found = key and get_registered_object(key, custom_objects)
        if found:
            return found
    package = __name__.partition(".")[0]
    own = [f"{package}.{m}" for m in _MODULES]
    for path in [module] if module in own else own:
        found = getattr(importlib.import_module(path), name, None)
        if callable(found):
            return found
    known = [n for source in (*_scope_stack(), custom_objects or {}) for n in source]
    raise ValueError(
        f"Unknown class or function {name!r}.{did_you_mean(name, known)} If it is your own, "
        f"load with custom_objects={{{name!r}: {name}}}, or decorate it with "
        "@register_keras_serializable()."
    )
