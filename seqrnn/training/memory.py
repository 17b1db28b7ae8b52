"""How much memory a model needs: `Model.memory`.

A plan knows the size of the workspace of its runs, so the plans of a step of training and of
predicting are compiled for the shapes asked for, on a copy of the model.
"""

import copy
import random

import numpy as np

from seqrnn import config
from seqrnn.hints import with_text
from seqrnn.trace import Spec, nest


class Memory:
    """Bytes that a model needs; see `Model.memory`."""

    def __init__(self, title, weights, optimizer, training, predicting):
        self._title = title
        self.weights = weights
        self.optimizer = optimizer
        self.training = training
        self.predicting = predicting

    @property
    def total(self):
        """Weights, optimizer and the larger of the two workspaces."""
        return self.weights + self.optimizer + max(self.training or 0, self.predicting)

    def __repr__(self):
        rows = [
            ("weights", self.weights),
            ("optimizer", self.optimizer),
            ("workspace of a training step", self.training),
            ("workspace of predict", self.predicting),
            ("total", self.total),
        ]
        lines = [
            f"    {name:<30}{'not compiled' if size is None else bytes_text(size):>12}"
            for name, size in rows
        ]
        return "\n".join([self._title, *lines])


def bytes_text(size):
    """'20.51 KB'."""
    units = ["B", "KB", "MB", "GB", "TB"]
    while size >= 1024 and len(units) > 1:
        size /= 1024
        units.pop(0)
    return f"{size:.2f} {units[0]}"


def memory_of(model, batch, steps):
    """The `Memory` of a model, which stays as it is."""
    x = _sized(model, _input_specs(model, steps), batch, steps)
    drawn = random.getstate()  # tracing draws the seeds of random ops that have none
    try:
        training, predicting, optimizer = _workspaces(copy.deepcopy(model), x)
    finally:
        random.setstate(drawn)
    length = "" if steps is None else f" with {steps} time steps"
    title = f"Memory of {model.name!r} for batches of {batch}{length}:"
    weights = sum(v.storage.nbytes for v in {id(v): v for v in model.weights}.values())
    return Memory(title, weights, optimizer, training, predicting)


def _workspaces(model, x):
    """Bytes of (workspace of training, workspace of predicting, slots of the optimizer)."""
    steps, objective = model._steps, model._steps.objective
    predict = steps.new_plan("predict", (x, None, None))
    if objective is None:
        return None, predict.plan.workspace_bytes, 0
    objective.resolve(model.names_of_outputs(len(predict.outputs)))
    like = [objective.target_like(i, *output) for i, output in enumerate(predict.outputs)]
    y = [None if found is None else Spec(*found) for found in like]
    try:
        train = steps.new_plan("train", (x, y, None))
    except (ValueError, TypeError, IndexError) as error:
        supposed = " (memory() supposes that targets have the shape of the outputs.)"
        raise with_text(error, supposed) from error.__cause__
    kept = sum(array.nbytes for array in model.optimizer.state_arrays())
    return train.plan.workspace_bytes, predict.plan.workspace_bytes, kept


def _input_specs(model, steps):
    """Specs of the inputs, None for open sizes; ValueError if they are not known."""
    if model.inputs is not None:
        specs = [Spec(t.shape, t.dtype) for t in model.inputs]
        return specs[0] if len(specs) == 1 else specs
    if model._built_with is None:
        raise ValueError(
            f"The inputs of model {model.name!r} are not known yet. Declare them (input_shape=... "
            "in the first layer, or an Input), or call the model on a batch first."
        )

    def opened(spec):
        """The data that the model was first called on fix neither batch nor length."""
        timed = len(spec.shape) > 2 or not config.is_float(spec.dtype)
        length = steps if timed and steps is not None else spec.shape[1:2]
        return Spec((None, *np.ravel(length), *spec.shape[2:]), spec.dtype)

    return nest.map_leaves(opened, model._built_with)


def _sized(model, specs, batch, steps):
    """The specs with these sizes in the places that are open. ValueError if they don't fit."""

    def sized(spec):
        fixed, *others = spec.shape
        if fixed not in (None, batch):
            raise ValueError(f"The model takes batches of {fixed}, but got batch={batch}.")
        if others[:1] == [None]:
            others[0] = steps
        if None in others:
            raise ValueError(
                f"The input of shape {spec.shape} is open: say how long sequences are, "
                "model.memory(batch, steps)."
            )
        return Spec((batch, *others), spec.dtype)

    x = nest.map_leaves(sized, specs)
    if steps is not None and all(spec.shape[1:2] != (steps,) for spec in nest.flatten(x)):
        shapes = ", ".join(str(spec.shape) for spec in nest.flatten(specs))
        raise ValueError(f"No input of model {model.name!r} can have {steps} time steps: {shapes}.")
    return x
