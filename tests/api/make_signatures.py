"""Write signatures.json: the public names of real Keras and the arguments of each.

    peers/bin/python tests/api/make_signatures.py

Needs keras==3.15.1 with a backend, in an environment of its own. Names only, no text of Keras's.
An entry is null for a property, a constant or a module, else a list of [name, kind, default]; the
kind is '' for an ordinary argument, 'k' for keyword only, '*' and '**'; the default is its repr or
null where there is none.
"""

import importlib
import inspect
import json
import pathlib
import types

HERE = pathlib.Path(__file__).parent
MODULES = [
    "keras",
    "keras.activations",
    "keras.applications",
    "keras.backend",
    "keras.callbacks",
    "keras.config",
    "keras.constraints",
    "keras.datasets",
    "keras.distribution",
    "keras.dtype_policies",
    "keras.export",
    "keras.initializers",
    "keras.layers",
    "keras.losses",
    "keras.metrics",
    "keras.mixed_precision",
    "keras.models",
    "keras.ops",
    "keras.ops.image",
    "keras.ops.linalg",
    "keras.optimizers",
    "keras.optimizers.schedules",
    "keras.preprocessing",
    "keras.preprocessing.image",
    "keras.preprocessing.sequence",
    "keras.quantizers",
    "keras.random",
    "keras.regularizers",
    "keras.saving",
    "keras.tree",
    "keras.utils",
    "keras.visualization",
    "keras.wrappers",
]
# Their methods are what users call or override.
WITH_METHODS = [
    "keras.Model",
    "keras.Sequential",
    "keras.Layer",
    "keras.Loss",
    "keras.Metric",
    "keras.Optimizer",
    "keras.Variable",
    "keras.callbacks.Callback",
    "keras.random.SeedGenerator",
    "keras.optimizers.schedules.LearningRateSchedule",
    "keras.initializers.Initializer",
    "keras.regularizers.Regularizer",
    "keras.constraints.Constraint",
    "keras.utils.PyDataset",
    "keras.layers.RNN",
    "keras.layers.Bidirectional",
    "keras.layers.Normalization",
]
KINDS = {
    inspect.Parameter.KEYWORD_ONLY: "k",
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}


def arguments(thing):
    """[name, kind, default] of each argument but self; null if there is no signature."""
    if not callable(thing):
        return None
    try:
        signature = inspect.signature(thing)
    except (ValueError, TypeError):
        return None
    found = []
    for parameter in signature.parameters.values():
        default = None if parameter.default is parameter.empty else repr(parameter.default)
        found.append([parameter.name, KINDS.get(parameter.kind, ""), default])
    return found


def names_of(module):
    return {
        name: None if isinstance(value, types.ModuleType) else arguments(value)
        for name, value in sorted(vars(module).items())
        if not name.startswith("_")
    }


def methods_of(cls):
    """Of the class and its bases within Keras; properties have no arguments."""
    found = {}
    for name in sorted(dir(cls)):
        home = next((c for c in cls.__mro__ if name in vars(c)), object)
        if name.startswith("_") or not home.__module__.startswith("keras."):
            continue
        found[name] = arguments(getattr(cls, name))
        if found[name] and found[name][0][0] == "self":
            found[name] = found[name][1:]
    return found


def own_methods(cls):
    """Without those that a base class in WITH_METHODS lists too."""
    bases = [c for path in WITH_METHODS if issubclass(cls, c := find(path)) and c is not cls]
    known = {name: value for base in bases for name, value in methods_of(base).items()}
    return {n: v for n, v in methods_of(cls).items() if n not in known or known[n] != v}


def find(path):
    module, name = path.rsplit(".", 1)
    return getattr(importlib.import_module(module), name)


def main():
    import keras

    listed = {name: names_of(importlib.import_module(name)) for name in MODULES}
    listed |= {path: own_methods(find(path)) for path in WITH_METHODS}
    lines = []
    for module, names in listed.items():
        rows = ",\n".join(f"  {json.dumps(name)}: {json.dumps(v)}" for name, v in names.items())
        lines.append(f" {json.dumps(module)}: {{\n{rows}\n }}")
    text = f'{{\n "version": {json.dumps(keras.__version__)},\n' + ",\n".join(lines) + "\n}\n"
    (HERE / "signatures.json").write_text(text)
    print(sum(map(len, listed.values())), "names")


if __name__ == "__main__":
    main()
