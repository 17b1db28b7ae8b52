"""seqrnn: sequence models on CPUs, a C core behind the API that Keras users know.

    import seqrnn as keras

    model = keras.Sequential([keras.layers.GRU(20, return_sequences=True), keras.layers.Dense(10)])
    model.compile(loss="mse", optimizer="adam")
    history = model.fit(X, Y, epochs=20)

Submodules are loaded when they are first used, so that importing seqrnn costs little.
"""

import importlib

__version__ = "0.1.0"


def version():
    """The version of seqrnn, `__version__`: not of the Keras that it follows, 3.15.1."""
    return __version__


_SUBMODULES = frozenset(
    ("activations", "backend", "callbacks", "config", "constraints", "datasets", "errors")
    + ("initializers", "layers", "losses", "metrics", "models", "ops", "optimizers")
    + ("preprocessing", "random", "regularizers", "saving", "utils")
    + ("dtype_policies", "mixed_precision", "tree")
)
# name -> (module, name there)
_NAMES = {
    "Sequential": ("models", "Sequential"),
    "Model": ("models", "Model"),
    "Function": ("models.function", "Function"),
    "Input": ("layers", "Input"),
    "InputSpec": ("layers.input_spec", "InputSpec"),
    "DTypePolicy": ("dtype_policies", "DTypePolicy"),
    "FloatDTypePolicy": ("dtype_policies", "FloatDTypePolicy"),
    "device": ("config", "device"),
    "name_scope": ("layers.context", "name_scope"),
    "Layer": ("layers", "Layer"),
    "Variable": ("trace", "Variable"),
    "KerasTensor": ("trace", "KerasTensor"),
    "GradientTape": ("trace", "GradientTape"),
    "value_and_grad": ("trace", "value_and_grad"),
    "Loss": ("losses", "Loss"),
    "Metric": ("metrics", "Metric"),
    "Optimizer": ("optimizers", "Optimizer"),
    "Initializer": ("initializers", "Initializer"),
    "Regularizer": ("regularizers", "Regularizer"),
    "Constraint": ("constraints", "Constraint"),
    "set_num_threads": ("_core", "set_num_threads"),
    "num_threads": ("_core", "num_threads"),
}


def __getattr__(name):
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _NAMES:
        module, attribute = _NAMES[name]
        value = getattr(importlib.import_module(f"{__name__}.{module}"), attribute)
        globals()[name] = value
        return value
    if name == "_core":
        try:
            return importlib.import_module(f"{__name__}._core")
        except ModuleNotFoundError:
            raise ImportError(
                f"The compiled core is not in {__path__[0]}: this is seqrnn's source tree, not "
                "what pip has installed. Start Python in another directory, or run `make dev` here."
            ) from None
    text = f"module {__name__!r} has no attribute {name!r}."
    reasons = importlib.import_module(f"{__name__}.refused").KERAS
    if name in reasons:
        text = f"seqrnn has no {name!r}: {reasons[name]}."
    elif not name.startswith("_"):
        text += importlib.import_module(f"{__name__}.errors").did_you_mean(name, __dir__())
    raise AttributeError(text, name=name)


def __dir__():
    return sorted({*_SUBMODULES, *_NAMES, "__version__", "version"})
