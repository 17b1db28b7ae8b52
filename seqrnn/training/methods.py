"""The methods that make up a step of training, for users to override: what they are by default.

    class Own(keras.Model):
        def train_step(self, data):
            x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
            with keras.GradientTape() as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(x, y, y_pred, sample_weight)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            return self.compute_metrics(x, y, y_pred, sample_weight)

In `fit` these methods are traced (see `written`): they see tensors, and statements of Python that
have nothing to do with tensors are executed when a new shape of batch comes. With
`compile(run_eagerly=True)` they see arrays, at every batch.
"""

from seqrnn import optimizers
from seqrnn.errors import NotAnOptimizerError
from seqrnn.trace import GradientTape, nest
from seqrnn.training.packing import unpack_x_y_sample_weight
from seqrnn.training.steps import Steps
from seqrnn.training.written import (
    WrittenSteps,
    is_written,
    own_metrics,
    takes_training,
)


class CompiledMetrics:
    """The metrics that a model was compiled with, as one."""

    def __init__(self, model):
        self._model = model

    def update_state(self, y, y_pred, sample_weight=None):
        objective = self._model._compiled_steps("compiled_metrics").objective
        if objective.untracked is not None:
            self._model._track(objective.untracked, y_pred)
        objective.update(*self._model._per_output(y, y_pred, sample_weight))


class StepMethods:
    """Steps, losses and metrics of a model."""

    run_eagerly = False
    jit_compile = "auto"
    steps_per_execution = 1

    @property
    def optimizer(self):
        """The optimizer; another one, an object or a name, may be set between fits and begins anew.

        RuntimeError during a fit; NotAnOptimizerError for None in a compiled model.
        """
        return self._own_optimizer

    @optimizer.setter
    def optimizer(self, optimizer):
        self._one_fit.refuse(self, "a new optimizer")
        optimizer = optimizers.get(optimizer)
        if self.compiled:
            if optimizer is None:
                raise NotAnOptimizerError("A compiled model needs an optimizer, got None.")
            self._compiled_with["optimizer"] = self._steps.optimizer = optimizer
            self._steps = self._steps.renewed()
        self._own_optimizer = optimizer

    def _new_steps(self, objective=None, optimizer=None):
        written = self.run_eagerly or is_written(self, StepMethods)
        if written or (objective is not None and own_metrics(self)):
            return WrittenSteps(self, objective, optimizer, self.run_eagerly)
        return Steps(self, objective, optimizer)

    # ---- steps ----

    def train_step(self, data):
        """One step of training on a batch: `data` is x, (x, y) or (x, y, sample_weight).

        Returns: dict of the loss and the metrics so far, by name.
        """
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        with GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self._loss_of(x, y, y_pred, sample_weight, training=True)
        self._track(loss, y_pred)
        variables = self.trainable_variables
        if variables:
            self.optimizer.apply(tape.gradient(loss, variables), variables)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def test_step(self, data):
        """As `train_step`, in inference mode and without changing weights."""
        x, y, sample_weight = unpack_x_y_sample_weight(data)
        y_pred = self(x, training=False)
        self._track(self._loss_of(x, y, y_pred, sample_weight, training=False), y_pred)
        return self.compute_metrics(x, y, y_pred, sample_weight)

    def predict_step(self, data):
        """The outputs for a batch, in inference mode."""
        return self(unpack_x_y_sample_weight(data)[0], training=False)

    def _loss_of(self, x, y, y_pred, sample_weight, training):
        options = {"training": training} if takes_training(self.compute_loss) else {}
        return self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight, **options)

    def _track(self, loss, y_pred):
        batch = nest.flatten(y_pred)[0].shape[0]
        objective = self._steps.objective
        objective.untracked = None
        objective.loss_tracker.update_state(loss, sample_weight=float(batch))

    # ---- losses and metrics ----

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The total loss of a batch, a scalar: that of `compile`, times `loss_weights`, plus those
        of `add_loss`, activity and weight regularizers.

        ValueError if there is none of them.
        """
        objective = self._compiled_steps("compute_loss").objective
        y, y_pred, weights = self._per_output(y, y_pred, sample_weight)
        total, losses = objective.losses(self, y, y_pred, weights)
        objective.track(losses, float(y_pred[0].shape[0]))
        objective.untracked = total
        return total

    def compiled_loss(self, y, y_pred, sample_weight=None, regularization_losses=None):
        """Keras 2's `compute_loss`, which also updates the mean loss among `metrics`.

        The losses of regularizers are in it: `regularization_losses` says nothing new.
        """
        total = self.compute_loss(None, y, y_pred, sample_weight)
        self._track(total, y_pred)
        return total

    @property
    def compiled_metrics(self):
        """Keras 2's way to update the metrics of `compile`: `.update_state(y, y_pred,
        sample_weight=None)`, and with them the mean of the loss that was computed before."""
        return CompiledMetrics(self)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        """Updates the metrics of `compile`; returns what `get_metrics_result` does."""
        objective = self._compiled_steps("compute_metrics").objective
        objective.update(*self._per_output(y, y_pred, sample_weight))
        return self.get_metrics_result()

    def get_metrics_result(self):
        """The loss and all metrics so far: a dict by name."""
        objective = self._compiled_steps("get_metrics_result").objective
        results = objective.metric_results() if objective.resolved else {}
        known = {id(m) for m in (objective.loss_tracker, *objective.metrics)}
        own = [metric for metric in self.metrics if id(metric) not in known]
        return results | {metric.name: metric.result() for metric in own}

    def _per_output(self, y, y_pred, sample_weight):
        """Targets, predictions and weights as lists with one item per output."""
        predictions = nest.flatten(y_pred)
        targets, weights = self._steps.per_output(y, sample_weight, len(predictions))
        return targets, predictions, weights

    @property
    def metrics(self):
        """The Metric objects: the mean loss, those of `compile` in their order, then those that are
        attributes of the model or of its layers."""
        if not self.compiled:
            return own_metrics(self)
        objective = self._steps.objective
        listed = [objective.loss_tracker, *objective.metrics]
        known = {id(metric) for metric in listed}
        return [*listed, *(m for m in own_metrics(self) if id(m) not in known)]

    @property
    def metrics_names(self):
        """Names of what `evaluate` returns; complete once the model has run."""
        if not self.compiled:
            return []
        return getattr(self._steps.objective, "keys", ["loss"])

    def reset_metrics(self):
        """Sets loss and metrics back to their start."""
        if self.compiled:
            self._steps.objective.reset()
        for metric in self.metrics:
            metric.reset_state()
