"""Write the golden files from real Keras: `python tests/golden/make_goldens.py [family ...]`.

`--new` first: keep the rows that the files have, by name, and make only the others.

Needs keras==3.15.1, TensorFlow and JAX, in an environment of its own; seqrnn never needs them.
Numbers are computed in float64 and stored as float32, so that the golden numbers carry no rounding
of their own; inputs, weights and targets are float32 numbers to begin with. Cases whose results are
facts run in float32, as users do.
"""

import importlib.metadata
import os
import pathlib
import platform
import subprocess
import sys
import warnings

import golden_file
import numpy as np
from cases import FAMILIES

HERE = pathlib.Path(__file__).parent

# TensorFlow, because its rule for masked steps is the one that seqrnn follows, and because JAX
# loses the mask of a prediction before the metrics of `fit` see it. But TensorFlow
# - has no gradient of grouped convolutions on CPUs, and no top-k metric in float64;
# - looks behind probabilities for the logits of the softmax or sigmoid, whatever the loss is;
# - squares the gradient of an embedding before adding up the rows that occur twice.
BACKENDS = dict.fromkeys(FAMILIES, "tensorflow") | dict.fromkeys(
    ("activations", "callbacks", "conv", "data", "losses", "metrics", "shapes", "training"), "jax"
)
# Thousands of steps by hand: an hour on the others, which compile each of them.
BACKENDS["optimizers"] = BACKENDS["own_optimizers"] = "numpy"


def make_all(families, keep):
    """One process per family: a process of Keras has one backend."""
    for family in families:
        settings = {"KERAS_BACKEND": BACKENDS[family], "JAX_ENABLE_X64": "1"}
        command = [sys.executable, __file__, "--one", family, *(["--new"] if keep else [])]
        subprocess.run(command, env=os.environ | settings, check=True)


def make_one(family, keep):
    keras = keras_on(BACKENDS[family])
    cases = FAMILIES[family]
    names = [case.name for case in cases]
    assert len(set(names)) == len(names), f"{family}: two cases have one name"
    path = HERE / f"{family}.npz"
    kept = golden_file.load(path)[0] if keep and path.exists() else {}
    goldens = {case.name: kept.get(case.name) or golden(keras, case) for case in cases}
    golden_file.save(path, goldens, versions(BACKENDS[family]))
    print(f"{family}: {len(cases)} cases")


def keras_on(backend):
    import keras

    assert keras.backend.backend() == backend
    warnings.filterwarnings("ignore")
    if backend == "tensorflow":
        import tensorflow as tf

        tf.config.run_functions_eagerly(True)  # tracing would take longer than running
    return keras


def versions(backend):
    own = {"tensorflow": ["tensorflow-cpu"], "jax": ["jax"], "numpy": []}[backend]
    packages = ("keras", "numpy", *own)
    found = {package: importlib.metadata.version(package) for package in packages}
    return found | {"backend": backend, "python": platform.python_version()}


def golden(keras, case):
    """The arrays of a case: what it is given under their own names, results as `=name`."""
    keras.config.set_floatx(case.floatx)
    given = case.prepare(keras)
    results = case.measure(keras, in_float64(given) if case.floatx == "float64" else given)
    for name, value in results.items():
        finite = isinstance(value, str) or np.isfinite(value).all()
        assert finite, f"{case.name}: {name} is not finite"
    gradients = [value for name, value in results.items() if name.startswith("grad")]
    dead = sum(not np.any(gradient) for gradient in gradients)
    # Of models: a layer alone may have none, as one that normalises a single feature.
    assert len(gradients) < 4 or 2 * dead <= len(gradients), (
        f"{case.name}: most gradients are 0, draw other weights"
    )
    keras.backend.clear_session(free_memory=False)  # collecting garbage takes half a second
    return given | {f"={name}": value for name, value in results.items()}


def in_float64(given):
    """Feed float64, or Keras would go on in float32."""

    def wide(value):
        is_float32 = isinstance(value, np.ndarray) and value.dtype == np.float32
        return value.astype(np.float64) if is_float32 else value

    return {name: wide(value) for name, value in given.items()}


if __name__ == "__main__":
    arguments = [a for a in sys.argv[1:] if a != "--new"]
    keep = "--new" in sys.argv
    if arguments[:1] == ["--one"]:
        make_one(arguments[1], keep)
    else:
        make_all(arguments or FAMILIES, keep)
