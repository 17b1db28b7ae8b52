"""The kind of golden case that is a file: models, weights and JSON that real Keras wrote."""

import io
import json
import pathlib
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from golden_builders import arrays_of
from golden_case import Case, draw_weight, inputs_of, random_state
from golden_kinds import as_text, normalised

FILES = pathlib.Path(__file__).parent / "files"


def nothing(k):
    """No classes of the user's."""
    return {}


# How a format is called in the name of a row.
FORMATS = {"keras": ".keras", "weights": ".weights.h5", "h5": ".h5", "json": ".json"}


@dataclass(frozen=True)
class FileCase(Case):
    """A model file: Keras's is read here, and a file written here is laid out as Keras's.

    `build(k)` makes the model, compiled if its optimizer is to be saved; `suffix` chooses the
    format. make_goldens.py writes files/<name><suffix>, which belongs to the case. For
    '.weights.h5' the weights are read into a new model of `build`; '.json' is what `to_json` gives,
    and what is compared is the whole of it, `normalised`.

    With `steps` the model is trained for so many steps before it is saved, and what is read is
    evaluated, and trained on for as many: then weights and the state of the optimizer are compared,
    of the model read from Keras's file and of the one read from the file written here.
    """

    name: str
    build: Callable
    inputs: Sequence[Callable]
    suffix: str = ".keras"
    steps: int = 0
    custom: Callable = nothing  # custom_objects of the module
    floatx = "float32"

    def prepare(self, k):
        rng = random_state(self.name)
        given = {f"x{i}": draw(rng) for i, draw in enumerate(self.inputs)}
        model = self._new(k)
        outputs = model.predict(inputs_of(given), verbose=0)
        model.set_weights([draw_weight(rng, w, 0.6) for w in model.weights])
        if self.steps:
            given["y"] = np.abs(rng.normal(size=outputs.shape)).astype(np.float32)
            self._train(model, given)
        FILES.mkdir(exist_ok=True)
        self._write(model, FILES / f"{self.name}{self.suffix}")
        return given

    def _new(self, k):
        k.utils.clear_session()
        return self.build(k)

    def _train(self, model, given):
        for _ in range(self.steps):
            model.train_on_batch(inputs_of(given), given["y"])

    def _write(self, model, path):
        if self.suffix == ".weights.h5":
            model.save_weights(path)
        elif self.suffix == ".json":
            path.write_text(model.to_json())
        else:
            model.save(path)

    def _read(self, k, path, x):
        if self.suffix == ".json":
            model = k.models.model_from_json(path.read_text(), custom_objects=self.custom(k))
            rng = random_state(self.name)
            model.set_weights([draw_weight(rng, w, 0.6) for w in model.weights])
            return model
        if self.suffix != ".weights.h5":
            return k.models.load_model(path, custom_objects=self.custom(k))
        model = self._new(k)
        model.predict(x, verbose=0)
        if self.steps:
            model.optimizer.build(model.trainable_variables)
        model.load_weights(path)
        return model

    def measure(self, k, given):
        x = inputs_of(given)
        model = self._read(k, FILES / f"{self.name}{self.suffix}", x)
        results = {"predict": _predictions(model, x)}
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / f"again{self.suffix}"
            self._write(model, path)
            results["layout"] = as_text(layout(path))
            again = self._read(k, path, x)
        results["predict_again"] = _predictions(again, x)
        if self.steps:
            results |= self._trained("on", model, given) | self._trained("again_on", again, given)
        return results

    def _trained(self, name, model, given):
        logs = model.evaluate(inputs_of(given), given["y"], verbose=0, return_dict=True)
        self._train(model, given)
        state = [np.ravel(v).astype(np.float32) for v in model.optimizer.variables]
        return {
            f"logs_{name}": np.array([logs[key] for key in sorted(logs)]),
            f"keys_{name}": as_text(sorted(logs)),
            f"weights_{name}": np.concatenate([np.ravel(w) for w in model.get_weights()]),
            f"state_{name}": np.concatenate(state),
        }


def _predictions(model, x):
    """What the model predicts; several outputs end to end."""
    outputs = model.predict(x, verbose=0)
    if isinstance(outputs, dict):
        outputs = [outputs[key] for key in sorted(outputs)]
    found = arrays_of(outputs)
    return found[0] if len(found) == 1 else np.concatenate([array.ravel() for array in found])


def layout(path):
    """Names, shapes and dtypes of all arrays in a file of Keras's; names of all attributes.

    In '.h5' arrays are told by their order in `weight_names`, so they are listed in that order, by
    the last parts of their names. Groups of parts that have no weights (Keras keeps a softmax in an
    attribute) need not be there. Of JSON all of it, but for settings of `compile` that are none.
    """
    if path.suffix == ".json":
        return normalised(json.loads(path.read_text()))
    import h5py

    source, members = path, []
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            members = sorted(archive.namelist())
            source = io.BytesIO(archive.read("model.weights.h5"))
    found = {"members": members, "arrays": {}, "attributes": {}}

    def visit(name, node):
        if isinstance(node, h5py.Dataset):
            if name.rpartition("/")[0].endswith("vars"):
                found["arrays"][name] = [list(node.shape), str(node.dtype)]
        elif "weight_names" in node.attrs:
            keys = [k if isinstance(k, str) else k.decode() for k in node.attrs["weight_names"]]
            found["arrays"][name] = [
                [key.rpartition("/")[2], list(node[key].shape), str(node[key].dtype)]
                for key in keys
            ]
        if len(node.attrs) and (len(node) or not name.endswith("vars")):
            found["attributes"][name] = sorted(node.attrs)

    with h5py.File(source) as file:
        visit("/", file)
        file.visititems(visit)
    return found
