"""Steps that the user has written: `train_step`, `test_step`, `predict_step` and their parts.

A model that overrides one of them, keeps metrics of its own, or is compiled with
`run_eagerly=True`, is trained by calling these methods instead of the fixed step in `steps`.

They are traced like any function, so that a step is still one run of a plan: a `GradientTape` in
`train_step` gives nodes of the graph, and `optimizer.apply` becomes the end of the run, or nodes
too. A step that can't be traced, because it looks at values or uses weights after an optimizer of
the core has changed them, runs as plain Python, whose parts are plans; so does every step under
`run_eagerly=True`.
"""

import inspect
import warnings

import numpy as np

from seqrnn import config, trace
from seqrnn.metrics.base import Later, Metric
from seqrnn.trace import Array, current, nest
from seqrnn.training.objective import needs_values
from seqrnn.training.packing import pack_x_y_sample_weight
from seqrnn.training.steps import Steps, run_and_update
from seqrnn.training.unequal import is_padded, padded_inputs, with_masks

_PARTS = ("compute_loss", "compute_metrics", "get_metrics_result", "reset_metrics", "metrics")
_METHODS = {"train": "train_step", "test": "test_step", "predict": "predict_step"}


def own_metrics(model):
    """The Metric objects among the attributes of a model and the layers in it, without those that
    `compile` was given."""
    found = {}
    for layer in model._flatten_layers():
        given = vars(layer).get("_compiled_with", {})
        compiled = nest.flatten([given.get("metrics"), given.get("weighted_metrics")])
        ids = {id(metric) for metric in compiled}
        found |= {id(m): m for m in layer._found(Metric) if id(m) not in ids}
    return list(found.values())


def is_written(model, base):
    """Whether the class of `model` has steps or parts of steps that `base` has not."""
    names = (*_METHODS.values(), *_PARTS)
    return any(getattr(type(model), name) is not getattr(base, name) for name in names)


class WrittenSteps(Steps):
    """Runs the methods of the model, one batch at a time.

    Args:
        eagerly: whether as plain Python.
    """

    def __init__(self, model, objective=None, optimizer=None, eagerly=False):
        super().__init__(model, objective, optimizer)
        self.eagerly = eagerly
        self._untraceable = set()  # modes whose method runs as Python
        self._logs = {}

    def renewed(self):
        return WrittenSteps(self.model, self.objective, self.optimizer, self.eagerly)

    def _is_separable(self):
        return False

    def one_by_one(self):
        return True

    looks_at_batches = one_by_one

    def reset(self):
        self._logs = {}
        self.model.reset_metrics()

    def results(self):
        return self._logs

    def train(self, batch):
        self._logs = self._as_logs("train", self._run("train", batch))

    def test(self, batch):
        self._logs = self._as_logs("test", self._run("test", batch))

    def predict(self, batch):
        if is_padded(batch.x):
            self._refuse_padded("predict")
            return super().predict(batch)
        return nest.map_leaves(np.asarray, self._run("predict", batch))

    def _refuse_padded(self, mode):
        """ValueError where sequences of unequal length can't be: in steps that run as Python, and
        in a `predict_step` of the user's."""
        own = mode == "predict" and not type(self.model).predict_step.__module__.startswith(
            "seqrnn."
        )
        if self.eagerly or mode in self._untraceable or own:
            raise ValueError(
                f"{type(self.model).__name__}: sequences of unequal length can't go through "
                + ("a predict_step of your own" if own else f"a {mode} step that runs as Python")
                + ". Pad them and use a Masking layer, or group them by length."
            )

    def _run(self, mode, batch):
        model = self.model
        if self.objective is not None:
            self.objective.untracked = None
        traced = self.plan(mode, batch)
        if traced is None and is_padded(batch.x):
            self._refuse_padded(mode)
        step = self.next_step(mode)
        try:
            return self._run_step(mode, batch, traced, step)
        except BaseException:
            model.random_step -= mode == "train"
            raise

    def _run_step(self, mode, batch, traced, step):
        if traced is None:
            arrays = [self._in_model_dtype(part) for part in batch.cut()]
            with trace.eagerly(self.eagerly):
                return getattr(self.model, _METHODS[mode])(pack_x_y_sample_weight(*arrays))
        result, rows = run_and_update(traced, batch.arrays, step, batch.rows)
        for metric, row in zip(traced.metrics, rows, strict=True):
            metric.add(row)
        return nest.map_leaves(lambda x: x.result() if isinstance(x, Later) else x, result)

    def _in_model_dtype(self, part):
        """Arrays as a plan would take them."""

        def converted(a):
            floats = a.dtype.kind == "f"
            dtype = self.model.compute_dtype if floats else config.standardize_dtype(a.dtype)
            return a.astype(dtype, copy=False).view(Array)

        return nest.map_leaves(lambda a: None if a is None else converted(a), part)

    def _check_logs(self, mode, result):
        """TypeError unless the result is a dict of what can be numbers."""
        name = f"{type(self.model).__name__}.{_METHODS[mode]}"
        if not isinstance(result, dict):
            raise TypeError(
                f"{name} must return a dict of numbers by name, such as {{'loss': loss}}, got "
                f"{result!r}."
            )
        for key, value in result.items():
            if value is None or isinstance(value, str):
                raise TypeError(f"{name} must return numbers, got {value!r} for {key!r}.")

    def _as_logs(self, mode, result):
        self._check_logs(mode, result)
        return {name: _number(value) for name, value in result.items()}

    # ---- plans ----

    def plan(self, mode, batch):
        """As of `Steps`; None if the method has to run as Python."""
        if self.eagerly:
            return None
        if mode != "predict":
            self._build(batch)
        if mode in self._untraceable:
            return None
        return super().plan(mode, batch)

    def _build(self, batch):
        if not self.model._settled and self.model._has_call():
            specs = nest.map_leaves(lambda a: self._spec(batch, a), batch.arrays)
            self.model.build_from(with_masks(specs[0]))

    def new_plan(self, mode, specs):
        if mode == "predict_padded":
            return super().new_plan(mode, specs)
        specs = (*specs, *[None] * (3 - len(specs)))
        size = nest.flatten(specs)[0].shape[0]
        method, metrics, returned = getattr(self.model, _METHODS[mode]), [], []

        def step(x, y, weight):
            with padded_inputs(x):
                result = method(pack_x_y_sample_weight(with_masks(x), y, weight))
            returned[:] = [result]
            metrics[:] = [metric for metric, _ in current().statistics]
            return result, [statistics for _, statistics in current().statistics]

        try:
            traced = trace.trace(step, specs, batch=size, title=self._title(mode))
        except Exception as error:
            if not needs_values(error):
                raise
            self._untraceable.add(mode)
            warnings.warn(
                f"{type(self.model).__name__}.{_METHODS[mode]} runs as plain Python, not as one "
                f"plan, which is slower: {error}",
                stacklevel=6,
            )
            return None
        if mode != "predict":
            self._check_logs(mode, returned[0])  # before a run changes anything
        traced.metrics = metrics
        return traced

    def warn_if_changed(self):
        """Nothing to warn of: the methods look at the model anew."""


def takes_training(compute_loss):
    """Whether an overriding `compute_loss` has the argument `training`."""
    parameters = inspect.signature(compute_loss).parameters.values()
    return any(p.name == "training" or p.kind is p.VAR_KEYWORD for p in parameters)


def _number(value):
    value = np.asarray(value, np.float64)
    return float(value) if value.size == 1 else value.tolist()
