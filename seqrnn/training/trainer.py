"""Training: compile, fit, evaluate, predict.

The loops here only cut batches out of the data, run one plan per batch (see `steps`), and now and
then look at the totals.
"""

import inspect
import warnings
from contextlib import closing

from seqrnn import optimizers
from seqrnn.callbacks import CallbackList, History
from seqrnn.errors import NotAnOptimizerError
from seqrnn.saving.objects import deserialize_keras_object, serialize_keras_object
from seqrnn.trace import nest
from seqrnn.training.arguments import (
    check_class_weight,
    check_compile_flags,
    check_count,
    check_fit_arguments,
    limited_epochs,
    metrics_and_loss_weights,
    refuse_unknown,
    usual_batch_size,
    verbosity,
    warn_of_nan,
)
from seqrnn.training.data import ArrayData, Epochs
from seqrnn.training.hooks import BatchHooks, WeightsBack
from seqrnn.training.iterables import IterableData, is_iterable_data
from seqrnn.training.memory import memory_of
from seqrnn.training.methods import StepMethods
from seqrnn.training.objective import Objective
from seqrnn.training.pace import Pace
from seqrnn.training.results import as_list, joined, returned, validates
from seqrnn.training.resume import Underway
from seqrnn.training.unequal import UnequalData, array_data
from seqrnn.utils.progress import Progbar, write


class Trainer(StepMethods):
    """The part of a model that trains it."""

    # Attributes that training sets all the time, and that no `call` depends on.
    _not_in_call = frozenset(
        {"optimizer", "loss", "history", "stop_training", "random_step", "inference_step"}
        | {"run_eagerly", "jit_compile", "steps_per_execution"}
    )

    # ---- compile ----

    def compile(
        self,
        optimizer="rmsprop",
        loss=None,
        loss_weights=None,
        metrics=None,
        weighted_metrics=None,
        run_eagerly=False,
        steps_per_execution=1,
        jit_compile="auto",
        auto_scale_loss=True,
        **kwargs,
    ):
        """Says how the model is trained.

        Args:
            optimizer: string or Optimizer.
            loss: string, function(y_true, y_pred), Loss; a list or dict of them for several
                outputs.
            loss_weights: factors of the losses of several outputs.
            metrics: list of strings, functions and Metric objects; they ignore sample weights.
            weighted_metrics: likewise, with sample weights.
            run_eagerly: True runs steps and users' `call`s as Python on arrays, at every batch: to
                look into them. Slow.
            steps_per_execution: the batch hooks of callbacks are called once per so many batches.
            jit_compile: 'auto', True or False: no effect, everything is compiled anyway.
            auto_scale_loss: no effect, as there is no mixed precision.

        Raises ValueError for unknown strings, with the nearest one.
        """
        self._one_fit.refuse(self, "compile()")
        refuse_unknown(Trainer.compile, kwargs)
        check_compile_flags(run_eagerly, jit_compile)
        steps_per_execution = check_count(steps_per_execution, "steps_per_execution") or 1
        optimizer = optimizers.get(optimizer)
        if optimizer is None:
            raise NotAnOptimizerError("compile() needs an optimizer, such as 'adam', got None.")
        metrics, loss_weights = metrics_and_loss_weights(metrics, loss_weights)
        objective = Objective(loss, loss_weights, metrics, weighted_metrics)
        self._own_optimizer = optimizer
        self.loss = loss
        self._compiled_with = {
            "optimizer": optimizer,
            "loss": loss,
            "loss_weights": loss_weights,
            "metrics": metrics,
            "weighted_metrics": weighted_metrics,
            "run_eagerly": bool(run_eagerly),
            "steps_per_execution": steps_per_execution,
            "jit_compile": jit_compile,
        }
        self.run_eagerly, self.jit_compile = bool(run_eagerly), jit_compile
        self.steps_per_execution = steps_per_execution
        self._steps = self._new_steps(objective, optimizer)
        self.stop_training = False

    def get_compile_config(self):
        """What `compile` was given, as JSON data; None before, or if it can't be described."""
        if not self.compiled:
            return None
        try:
            return serialize_keras_object(self._compiled_with)
        except TypeError as error:
            warnings.warn(
                f"The model is saved without its compile() settings and optimizer state: {error}",
                stacklevel=5,
            )
            return None

    def compile_from_config(self, config):
        """Compiles as `get_compile_config` said; the optimizer gets its variables."""
        known = inspect.signature(Trainer.compile).parameters
        config = deserialize_keras_object(config)
        config["optimizer"] = config.get("optimizer") or "rmsprop"
        self.compile(**{key: value for key, value in config.items() if key in known})
        if self.trainable_variables:
            self.optimizer.build(self.trainable_variables)

    @property
    def compiled(self):
        """Whether `compile` has been called."""
        return self._steps.objective is not None

    def _compiled_steps(self, what):
        if not self.compiled:
            raise ValueError(
                f"You must call `compile()` before calling {what}(), for example "
                "model.compile(loss='mse', optimizer='adam')."
            )
        return self._steps

    # ---- fit ----

    def fit(
        self,
        x=None,
        y=None,
        batch_size=None,
        epochs=1,
        verbose="auto",
        callbacks=None,
        validation_split=0.0,
        validation_data=None,
        shuffle=True,
        class_weight=None,
        sample_weight=None,
        initial_epoch=0,
        steps_per_epoch=None,
        validation_steps=None,
        validation_batch_size=None,
        validation_freq=1,
        **unknown,
    ):
        """Trains for `epochs` passes over the data.

        Args:
            x: array (N, ...), or list or dict of arrays for several inputs, or an iterable of
                (x, y[, sample_weight]) batches.
                A list of arrays (T_i, ...) for an input with a time axis holds sequences of
                unequal length: they are padded and masked inside (see `training.unequal`); y and
                sample_weight may then be lists of arrays of these lengths.
            y: targets, (N, ...), in the shape of the model's output; class numbers (N,) for
                sparse_categorical_crossentropy.
            batch_size: samples per step; unless given what the model's inputs declare, or 32.
            epochs: number of the last epoch.
            verbose: 0 silent, 1 a bar, 2 a line per epoch, 'auto' for 1.
            callbacks: list of Callback.
            validation_split: share of the samples, at the end, kept for validation.
            validation_data: (x, y[, sample_weight]) or an iterable of batches.
            shuffle: True for a new order of samples per epoch, 'batch' within each batch.
            class_weight: {class: weight}.
            sample_weight: (N,), or (N, T) for sequences.
            initial_epoch: number of the first epoch, when training goes on.
            steps_per_epoch: batches per epoch, for data without end.
            validation_steps, validation_batch_size: likewise of validation_data.
            validation_freq: validate every so many epochs, or after the epochs listed (from 1).

        Returns: a `History`; `.history` has a list of floats for loss, each metric, and val_*.

        Raises ValueError before `compile`, and for shapes that don't fit the model or each other;
        TypeError for data that are no numbers.
        """
        refuse_unknown(Trainer.fit, unknown)
        steps = self._compiled_steps("fit")
        verbose = verbosity(verbose)
        check_fit_arguments(epochs, initial_epoch, validation_split, validation_freq, shuffle)
        epochs = limited_epochs(epochs)
        data = self._data(x, y, sample_weight, batch_size, steps_per_epoch, shuffle, class_weight)
        if validation_split and validation_data is None:
            if not isinstance(data, ArrayData):
                raise ValueError("validation_split needs arrays, not an iterable of batches.")
            data, validation_data = data.split(validation_split)
        training = Epochs(data, check_count(steps_per_epoch, "steps_per_epoch"))
        validation = None
        if validation_data is not None:
            size = validation_batch_size or batch_size
            validation = self._validation(validation_data, size, validation_steps)
        history = History()
        listeners = CallbackList(
            callbacks, [history], self, verbose=verbose, epochs=epochs, steps=training.steps
        )
        with (
            self._one_fit.held(self),
            WeightsBack(self),
            closing(training),
            closing(validation or training),
        ):
            self._prepare(steps, data, validation)
            data.seed()
            self.history = history
            self.stop_training = False
            steps.underway = Underway(training, initial_epoch)
            self._train(epochs, training, validation, validation_freq, listeners, verbose)
        return history

    def _train(self, epochs, training, validation, validation_freq, listeners, verbose):
        listeners.call("on_train_begin", {})
        logs = {}
        for epoch in range(self._steps.underway.epoch, epochs):
            if epochs > 1 and verbose:
                write(f"Epoch {epoch + 1}/{epochs}\n")
            due = validation if validates(validation_freq, epoch) else None
            logs = self._epoch(epoch, training, due, listeners, verbose) or logs
            if self.stop_training:
                break
        if epochs and self.optimizer.built:
            self.optimizer.finalize_variable_values(self.trainable_variables)
        listeners.call("on_train_end", logs)

    def _epoch(self, epoch, training, validation, listeners, verbose):
        """One epoch; returns its logs."""
        steps, bar = self._steps, Progbar(training.steps, verbose=verbose)
        underway = steps.underway
        underway.epoch = epoch
        hooks = BatchHooks(listeners, "train", self.steps_per_execution)
        pace = Pace(lambda: hooks.heard or bar.due() or steps.one_by_one())
        steps.reset()
        listeners.call("on_epoch_begin", epoch, {})
        steps.trace_anew_if_changed()
        training.begin()
        underway.go_on_counting(steps)
        while (batch := training.take(pace.steps())) is not None:
            hooks.begin(training.done - batch.steps)
            steps.train(batch)
            hooks.end(training.done, steps.results)
            if bar.due():
                bar.update(training.done, steps.results().items(), finalize=False)
            if self.stop_training:
                break
        done = training.done
        hooks.over(done, steps.results)
        if training.ran_out:
            self._ran_out(training, done)
        if not done and self.stop_training:
            return {}
        logs = steps.results()
        warn_of_nan(epoch, logs, underway)
        if validation is not None and done:
            with steps.evaluation() as evaluation:
                found = self._evaluate(evaluation, validation, listeners, Progbar(None, verbose=0))
            logs.update({f"val_{name}": value for name, value in found.items()})
        underway.epoch = epoch + 1
        told = dict(logs)  # callbacks add to it what is no result of the epoch
        listeners.call("on_epoch_end", epoch, told)
        bar.target = done if training.steps is None else bar.target
        bar.update(done, told.items(), finalize=True)
        return logs

    def _ran_out(self, epochs, done):
        if not epochs.total:
            raise ValueError("The data to train on yield no batches.")
        warnings.warn(
            f"Your input ran out of data after {done} batches; the epoch ends here. The data "
            "should yield steps_per_epoch batches per epoch"
            + ("." if epochs.data.restarts else ", and this generator can't start again."),
            stacklevel=4,
        )
        if not epochs.data.restarts:
            self.stop_training = True

    def _prepare(self, steps, data, validation):
        """Traces the plans, so that shapes that don't fit fail before the first step."""
        steps.warn_if_changed()
        steps.trace_ahead()
        if isinstance(data, ArrayData):
            data.settle(self.compute_dtype)
            steps.plan("train", data.first())
        if validation is not None and isinstance(validation.data, ArrayData):
            validation.data.settle(self.compute_dtype)
            steps.plan("test", validation.data.first())

    # ---- evaluate ----

    def evaluate(
        self,
        x=None,
        y=None,
        batch_size=None,
        verbose="auto",
        sample_weight=None,
        steps=None,
        callbacks=None,
        return_dict=False,
        **unknown,
    ):
        """Loss and metrics on the data, in inference mode.

        Returns: the loss if there are no metrics, else a list in the order of `metrics_names`;
        with `return_dict` a dict.
        """
        refuse_unknown(Trainer.evaluate, unknown)
        plans = self._compiled_steps("evaluate")
        data = self._data(x, y, sample_weight, batch_size, steps)
        epochs = Epochs(data, check_count(steps, "steps"))
        listeners = CallbackList(callbacks, (), self, steps=epochs.steps)
        if isinstance(data, ArrayData):
            plans.plan("test", data.first())
        if isinstance(data, UnequalData) and steps is None:
            data.sort()
        bar = Progbar(epochs.steps, verbose=verbosity(verbose))
        with WeightsBack(self), closing(epochs), self._steps.evaluation() as evaluation:
            return returned(self._evaluate(evaluation, epochs, listeners, bar), return_dict)

    def _evaluate(self, evaluation, epochs, listeners, bar):
        hooks = BatchHooks(listeners, "test", self.steps_per_execution)
        pace = Pace(lambda: hooks.heard or bar.due() or self._steps.looks_at_batches())
        listeners.call("on_test_begin", {})
        epochs.restart()
        while (batch := epochs.take(pace.steps())) is not None:
            hooks.begin(epochs.done - batch.steps)
            evaluation.test(batch)
            hooks.end(epochs.done, evaluation.results)
            if bar.due():
                bar.update(epochs.done, evaluation.results().items(), finalize=False)
        done = epochs.done
        hooks.over(done, evaluation.results)
        if not done:
            raise ValueError("The data to evaluate on yields no batches.")
        logs = evaluation.results()
        listeners.call("on_test_end", logs)
        bar.target = bar.target or done
        bar.update(done, logs.items(), finalize=True)
        return logs

    # ---- predict ----

    def predict(self, x, batch_size=None, verbose="auto", steps=None, callbacks=None, **unknown):
        """The outputs for all samples, in inference mode: an array, or nested ones, in order.

        For a list of sequences of unequal length, outputs with a time axis are lists of arrays.
        """
        refuse_unknown(Trainer.predict, unknown)
        data = self._data(x, None, None, batch_size, steps)
        epochs = Epochs(data, check_count(steps, "steps"))
        bar = Progbar(epochs.steps, verbose=verbosity(verbose))
        listeners = CallbackList(callbacks, (), self, steps=epochs.steps)
        unequal = isinstance(data, UnequalData)
        hooks = BatchHooks(listeners, "predict", self.steps_per_execution)
        if unequal and steps is None and not hooks.heard:
            data.sort()
        with WeightsBack(self), closing(epochs):
            outputs = self._predict(epochs, listeners, hooks, bar)
        if unequal and steps is None:
            return data.restored(outputs)
        return nest.map_leaves(as_list, outputs)

    def _predict(self, epochs, listeners, hooks, bar):
        parts = []

        def outputs():
            since = (len(parts) - 1) // self.steps_per_execution * self.steps_per_execution
            return {"outputs": nest.map_leaves(as_list, joined(parts[since:]))}

        listeners.call("on_predict_begin", {})
        epochs.begin()
        while (batch := epochs.take()) is not None:
            hooks.begin(len(parts))
            parts.append(self._steps.predict(batch))
            hooks.end(len(parts), outputs)
            if bar.due():
                bar.update(len(parts), finalize=False)
        hooks.over(len(parts), outputs)
        listeners.call("on_predict_end", {})
        bar.target = bar.target or len(parts)
        bar.update(len(parts), finalize=True)
        if not parts:
            raise ValueError("predict() got no data: the iterable yields no batches.")
        return joined(parts)

    # ---- single batches ----

    def train_on_batch(self, x, y=None, sample_weight=None, class_weight=None, return_dict=False):
        """One step on one batch. Returns the batch's loss and metrics, as `evaluate`."""
        steps = self._compiled_steps("train_on_batch")
        batch = self._one_batch(x, y, sample_weight, class_weight)
        steps.plan("train", batch)
        steps.reset()
        steps.train(batch)
        return returned(steps.results(), return_dict)

    def test_on_batch(self, x, y=None, sample_weight=None, return_dict=False):
        """Loss and metrics of one batch."""
        steps = self._compiled_steps("test_on_batch")
        batch = self._one_batch(x, y, sample_weight)
        steps.plan("test", batch)
        steps.reset()
        steps.test(batch)
        return returned(steps.results(), return_dict)

    def predict_on_batch(self, x):
        """The outputs for one batch."""
        return nest.map_leaves(as_list, joined([self._steps.predict(self._one_batch(x))]))

    # ---- memory ----

    def memory(self, batch=32, steps=None):
        """What training and predicting take for batches of `batch` samples with `steps` time steps.

        The plans are compiled, but nothing is run, and the model stays as it is. Targets are
        supposed to have the shape of the outputs (class numbers for
        sparse_categorical_crossentropy), without sample weights.

        Args:
            batch: samples per batch.
            steps: the length of the sequences; None where the model's inputs fix it, or have none.

        Returns: a `Memory` with these numbers of bytes as attributes, printed as a table:
            weights: the model's weights.
            optimizer: what the optimizer keeps for each of them; 0 before `compile`.
            training: the workspace of a training step: activations, gradients, inputs; None before
                `compile`.
            predicting: the workspace of `predict`.
            total: weights, optimizer and the larger workspace. The data and Python are not in it.

        Raises ValueError if the sizes don't fit the inputs, or nothing is known about the inputs.
        """
        return memory_of(self, check_count(batch, "batch") or 32, check_count(steps, "steps"))

    # ---- data ----

    def _data(self, x, y, sample_weight, batch_size, steps=None, shuffle=False, class_weight=None):
        check_count(batch_size, "batch_size")
        check_class_weight(class_weight)
        if x is None:
            raise ValueError("x: expected an array or an iterable of batches, got None.")
        declared = self._declared_inputs()
        if is_iterable_data(x):
            if y is not None or sample_weight is not None:
                raise ValueError(
                    "With x an iterable of batches, targets and weights must come from it too: it "
                    "yields (x, y) or (x, y, sample_weight)."
                )
            return IterableData(x, class_weight, shuffle, self._match_inputs, declared)
        data = array_data(
            x, y, sample_weight, declared, shuffle=shuffle,
            class_weight=class_weight, match_inputs=self._match_inputs,
        )  # fmt: skip
        if batch_size is None and steps:
            batch_size = -(-data.size // steps)
        data.set_batch_size(batch_size or usual_batch_size(declared))
        return data

    def _validation(self, given, batch_size, steps):
        if isinstance(given, ArrayData):  # what validation_split left
            given.set_batch_size(batch_size or usual_batch_size(self._declared_inputs()))
            return Epochs(given, check_count(steps, "validation_steps"))
        if isinstance(given, list | tuple):
            if len(given) not in (2, 3):
                raise ValueError(
                    "validation_data must be (x, y) or (x, y, sample_weight), got "
                    f"{len(given)} items."
                )
            x, y, weight = (*given, None)[:3]
        elif is_iterable_data(given):
            x, y, weight = given, None, None
        else:
            raise ValueError(
                "validation_data must be (x, y) or (x, y, sample_weight), or an iterable of "
                f"batches, got {type(given).__name__}."
            )
        data = self._data(x, y, weight, batch_size)
        return Epochs(data, check_count(steps, "validation_steps"))

    def _one_batch(self, x, y=None, sample_weight=None, class_weight=None):
        return self._data(x, y, sample_weight, None, class_weight=class_weight).whole()
