"""The plans of a compiled model: one step of training, testing or predicting, per shapes.

Training runs forward, losses, metrics, gradients and the optimizer in one call of the core. What it
returns to Python is the loss and the vector of sums described in `objective`.
"""

import contextlib
import threading
import warnings

import numpy as np

from seqrnn import config, trace
from seqrnn.errors import UnknownOutputError, did_you_mean
from seqrnn.hints import explain_mismatch
from seqrnn.layers.context import name_layer
from seqrnn.layers.tracking import clock
from seqrnn.losses.functions import ShapeMismatch
from seqrnn.trace import Array, Spec, nest
from seqrnn.training.unequal import cut_outputs, is_padded, padded_inputs, with_masks

_PLANS = 64  # kept per model; data of many lengths makes more
_INFERENCE = 2**63  # the first step of inference, which draws other random numbers than training
_making_turns = threading.Lock()


class Steps:
    """Runs single steps of `model`; `objective` and `optimizer` are None before compile."""

    def __init__(self, model, objective=None, optimizer=None):
        self.model = model
        self.objective = objective
        self.optimizer = optimizer
        self._plans = {}
        self._ahead = None  # (clock, keys of plans) of a fit whose callbacks have still to begin
        self._trained = None  # the variables that the optimizer changes
        self.underway = None  # where the fit is
        self._turns = None  # a lock, made by the first evaluation that needs it

    def __getstate__(self):
        own = {"_plans": {}, "_ahead": None, "_trained": None, "underway": None, "_turns": None}
        return {**self.__dict__, **own}

    @contextlib.contextmanager
    def evaluation(self):
        """What tests the batches of a pass: has `test` and `results`.

        Passes in several threads, beside a fit too, have sums of their own; where metrics keep
        more than sums they take turns.
        """
        if self._is_separable():
            yield Evaluation(self)
            return
        with _making_turns:
            self._turns = turns = self._turns or threading.RLock()
        with turns:
            self.reset()
            yield self

    def _is_separable(self):
        return self.objective.is_separable()

    def renewed(self):
        """The same without plans, after the model has changed."""
        return Steps(self.model, self.objective, self.optimizer)

    # ---- steps ----

    def reset(self):
        """Loss and metrics back to their start."""
        self.objective.reset()

    def results(self):
        """Loss and metrics so far, floats by name."""
        return self.objective.results()

    def train(self, batch):
        """Steps of the optimizer, as many as the batch has; adds to the objective's totals.

        More than one only while not `one_by_one`.
        """
        traced = self.plan("train", batch)
        model, count = self.model, self.optimizer._iterations.storage
        made, step = int(count), self.next_step("train", batch.steps)
        try:
            outputs = run_and_update(traced, batch.arrays, step, batch.rows, self.objective.totals)
        except BaseException:  # it may come after some of the steps
            model.random_step = step + int(count) - made
            raise
        self._update_eager(batch, outputs)

    def one_by_one(self):
        """Whether Python has something to do in each step of training: a learning rate to compute,
        constraints to apply, metrics that can't be traced."""
        plain = self._trained and self.optimizer.steps_alone
        return not plain or self.looks_at_batches()

    def looks_at_batches(self):
        """Whether Python has something to do with each batch: metrics that can't be traced."""
        return bool(self.objective.needs_predictions)

    def test(self, batch, totals=None):
        """Forward, losses and metrics; adds to the objective's totals, or to those given."""
        traced = self.plan("test", batch)
        step = self.next_step("test", batch.steps)
        totals = self.objective.totals if totals is None else totals
        self._update_eager(batch, traced.run(batch.arrays, step, batch.rows, totals))

    def predict(self, batch):
        """The model's outputs, nested arrays; `Cut` for sequences of unequal length."""
        if is_padded(batch.x):
            traced = self.plan("predict_padded", batch)
            outputs, masks = traced.run((batch.x,), self.next_step("predict"))
            return cut_outputs(outputs, masks, batch.x)
        traced = self.plan("predict", batch)
        return traced.run((batch.x,), self.next_step("predict", batch.steps), batch.rows)

    def next_step(self, mode, runs=1):
        """The number of the first of the next `runs` steps, of which random numbers are a function.

        Inference has a count of its own, so that training draws the same with and without it.
        """
        model = self.model
        if mode == "train":
            model.random_step += runs
            return model.random_step - runs
        model.inference_step += runs
        return _INFERENCE + model.inference_step - runs

    def _update_eager(self, batch, outputs):
        objective = self.objective
        if not objective.needs_predictions:
            return
        predictions, masks = outputs[2:]
        for prediction, mask in zip(predictions, masks, strict=True):
            prediction._keras_mask = mask
        _, y, weight = batch.cut()
        targets, weights = self.per_output(y, weight, len(predictions))
        targets = [t if t is None else np.asarray(t).view(Array) for t in targets]
        with padded_inputs(batch.x):
            objective.update_eager(targets, predictions, weights)

    # ---- plans ----

    def plan(self, mode, batch):
        """The plan of 'train', 'test' or 'predict' for arrays of this structure and these shapes;
        traced if new."""
        leaves = nest.flatten(batch.arrays)
        shapes = [None if a is None else (batch.shape_of(a), a.dtype.char) for a in leaves]
        # With the structure: names in a dict are matched while tracing, arrays then go by place.
        key = (mode, config.version(), nest.key(batch.arrays), *shapes)
        traced = self._plans.pop(key, None)
        if traced is None:
            specs = nest.map_leaves(lambda a: self._spec(batch, a), batch.arrays)
            traced = self.new_plan(mode, specs)
            while len(self._plans) >= _PLANS:
                self._plans.pop(next(iter(self._plans)), None)
            if self._ahead is not None:
                self._ahead[1].append(key)
        self._plans[key] = traced  # the most recent one is last
        return traced

    def trace_ahead(self):
        """From here on plans are made before callbacks begin, who may set attributes of layers."""
        self._ahead = (clock.now, [])

    def trace_anew_if_changed(self):
        """Callbacks have begun: forgets the plans made since `trace_ahead`, if they are outdated.

        Later on plans are kept whatever happens to attributes, as in Keras.
        """
        if self._ahead is None:
            return
        (since, keys), self._ahead = self._ahead, None
        if self.model._has_changed(since):
            for key in keys:
                self._plans.pop(key, None)

    def new_plan(self, mode, specs):
        """A plan for these specs (x, y, weight), not kept."""
        options = {"batch": nest.flatten(specs)[0].shape[0], "title": self._title(mode)}
        if mode == "predict":
            return trace.trace(self._outputs, specs[:1], training=False, **options)
        if mode == "predict_padded":
            return trace.trace(self._outputs_and_masks, specs[:1], training=False, **options)
        if mode == "test":
            return self._explained(self._step, specs, training=False, **options)
        if self._trained is None:
            self.model.build_from(with_masks(specs[0]))
            trained = self.model.trainable_variables
            if trained:
                self.optimizer.build_for(trained)
            self._trained = trained
        return self._explained(self._train_step, specs, training=True, **options)

    def _title(self, mode):
        return f"{mode} of {self.model.name}"

    def _explained(self, step, specs, **options):
        eager = self.objective.needs_predictions
        try:
            traced = trace.trace(step, specs, **options)
        except ShapeMismatch as error:
            explain_mismatch(error, self.model.layers)
            raise
        if self.objective.needs_predictions != eager:
            self._plans.clear()  # those made before return other sums
        return traced

    def _spec(self, batch, array):
        """Floats are computed in the model's dtype, others in their own."""
        if array is None:
            return None
        floats = array.dtype.kind == "f"
        dtype = self.model.compute_dtype if floats else config.standardize_dtype(array.dtype)
        return Spec(batch.shape_of(array), dtype)

    def _step(self, x, y, weight):
        """What is traced: (loss, vector of sums[, predictions, their masks])."""
        predictions = nest.flatten(self._outputs(x))
        targets, weights = self.per_output(y, weight, len(predictions))
        with padded_inputs(x):
            total, vector = self.objective.statistics(self.model, targets, predictions, weights)
        if not self.objective.needs_predictions:
            return total, vector
        return total, vector, predictions, [p._keras_mask for p in predictions]

    def _train_step(self, x, y, weight):
        """`_step`, then the optimizer's."""
        loss, *rest = self._step(x, y, weight)
        if self._trained:
            scaled = self.optimizer.scale_loss(loss)
            gradients = trace.gradient_nodes(scaled, self._trained)
            self.optimizer.apply_gradients(zip(gradients, self._trained, strict=True))
        return loss, *rest

    def _outputs(self, x):
        with padded_inputs(x):
            return returned(self.model(with_masks(x)), self.model)

    def _outputs_and_masks(self, x):
        outputs = self._outputs(x)
        return outputs, [leaf._keras_mask for leaf in nest.flatten(outputs)]

    def per_output(self, y, weight, n):
        """(targets, weights) as lists with one item for each of `n` outputs; resolves the
        objective. Targets may be left out where nothing looks at them."""
        names = self.model.names_of_outputs(n)
        self.objective.resolve(names)
        if y is not None and not isinstance(y, dict):
            y = self.objective.placed(y if isinstance(y, list | tuple) else [y])
        return spread(y, names, "targets"), spread(weight, names, "sample_weight", share=True)

    def warn_if_changed(self):
        """Warns when layers were frozen or unfrozen after compile."""
        if self._trained is None:
            return
        now = [id(v) for v in self.model.trainable_variables]
        if now != [id(v) for v in self._trained]:
            warnings.warn(
                "The trainable weights have changed since compile(): training goes on with the old "
                "ones. Call compile() again for the change to take effect.",
                stacklevel=4,
            )


class Evaluation:
    """One pass over data, with its own sums of losses and metrics."""

    def __init__(self, steps):
        self._steps = steps
        self._totals = np.zeros_like(steps.objective.totals)

    def test(self, batch):
        """As `Steps.test`."""
        self._steps.test(batch, self._totals)

    def results(self):
        """Loss and metrics so far, floats by name."""
        return self._steps.objective.results(self._totals)


def run_and_update(traced, arrays, step, rows=None, totals=None):
    """Runs a plan of training, and takes the steps of optimizers that come after it.

    With one optimizer whose rule is in the core all is one call of the core.
    """
    if not traced.updates:
        return traced.run(arrays, step, rows, totals)
    optimizer, idle = traced.updates[0]
    if len(traced.updates) == 1 and optimizer.core is not None:
        optimizer.leave_alone(idle)
        rate, count = optimizer.current_rate(), optimizer._iterations.storage
        outputs = traced.train(arrays, optimizer.core, rate, count, step, rows, totals)
        optimizer.finish_step()
        return outputs
    outputs, gradients = traced.gradients(arrays, step, rows, totals)
    for optimizer, idle in traced.updates:
        own, gradients = gradients[: len(idle)], gradients[len(idle) :]
        given = zip(own, idle, strict=True)
        optimizer.apply_at_once([None if missing else g for g, missing in given])
    return outputs


def returned(outputs, layer):
    """`outputs` of a layer or model, TypeError if there are none."""
    if outputs is None:
        error = TypeError("call() must return a tensor, or several, got None.")
        raise name_layer(error, layer)
    return outputs


def spread(structure, names, what, share=False):
    """One item per output: lists go by place, dicts by name, a single one is shared or alone."""
    if isinstance(structure, dict):
        for name in structure:
            if name not in names:
                near = did_you_mean(name, names)
                raise UnknownOutputError(f"{what}: unknown output {name!r}.{near}")
        return [structure.get(name) for name in names]
    items = list(structure) if isinstance(structure, list | tuple) else [structure]
    if len(items) == 1 and (share or structure is None):
        items *= len(names)
    if len(items) != len(names):
        hint = " One array out of a list of rows: np.stack(y)." if len(names) == 1 else ""
        raise ValueError(
            f"Got {len(items)} arrays of {what} for a model with {len(names)} "
            f"output{'s' * (len(names) != 1)}: {', '.join(names)}.{hint}"
        )
    return items
