"""What `compile` was given: losses and metrics, resolved for the outputs of the model.

While a step is traced, `statistics` makes the total loss and one vector of sums:

    [loss B, B,  (loss of output i) B, ... if there are several,  statistics of each metric ...]

B is the number of samples (see `_observations`). Over an epoch these vectors are added up in
float64, so every value is exact per sample. The order
of names is loss, losses of outputs, metrics and weighted metrics in the order of `compile`.
"""

import threading
import warnings

import numpy as np

from seqrnn import losses, metrics, ops
from seqrnn.errors import UnknownOutputError, did_you_mean
from seqrnn.losses.base import Loss, LossFunctionWrapper
from seqrnn.losses.functions import sparse_categorical_crossentropy
from seqrnn.metrics.base import Mean, SumMetric
from seqrnn.trace import current, nest, state
from seqrnn.trace.operators import NoValueError

_binding = threading.RLock()  # held while metrics look at sums: now at these, now at those

# What tracing raises on a function that needs values: such a metric is called on arrays instead.
UNTRACEABLE = (TypeError, AttributeError, NotImplementedError)


def _loss_object(identifier):
    loss = losses.get(identifier)
    if loss is None or isinstance(loss, Loss):
        return loss
    return LossFunctionWrapper(loss)


class LossTracker(Mean):
    """The mean of the loss over samples: `sample_weight` is the number of them, 1 if not given."""

    def statistics(self, values, sample_weight=None):
        values = ops.convert_to_tensor(values)
        count = 1.0 if sample_weight is None else sample_weight
        return [ops.sum(values) * count, ops.zeros_like(ops.sum(values)) + count]


class Objective:
    """Losses and metrics of a compiled model. Unknown names raise ValueError here."""

    def __init__(self, loss, loss_weights, unweighted, weighted):
        self._loss = nest.map_leaves(_loss_object, loss)
        self._loss_weights = loss_weights
        self._unweighted = nest.map_leaves(_metric_object, unweighted)
        self._weighted = nest.map_leaves(_metric_object, weighted)
        self._entries = None  # [(key, metric, output, takes weights)]
        self._eager = set()  # keys of metrics that can't be traced
        self.loss_tracker = LossTracker("loss")
        self.untracked = None  # the loss of a step by hand that the tracker has not seen
        self._own_trackers = []  # of the losses of several outputs, in steps that users write
        self.totals = np.zeros(0)
        self._sizes = None
        self._summed = []  # the metrics that have a part of the totals

    def __getstate__(self):
        # A copy's metrics get their part of its totals.
        return {**self.__dict__, "_sizes": None, "_summed": [], "untracked": None}

    # ---- outputs ----

    def resolve(self, names):
        """Assigns losses and metrics to the outputs of these names, once."""
        if self._entries is not None:
            return
        self._names = names
        several = len(names) > 1
        self._losses = _per_output(self._loss, names, "loss")
        weights = _per_output(self._loss_weights, names, "loss_weights")
        self._factors = [1.0 if w is None else float(w) for w in weights]
        self._with_loss = [i for i, loss in enumerate(self._losses) if loss is not None]
        keys = ["loss"]
        self._own_losses = self._with_loss if len(self._with_loss) > 1 else []
        keys += [f"{names[i]}_loss" for i in self._own_losses]
        self._own_trackers = [LossTracker(key) for key in keys[1:]]
        entries = []
        for structure, takes_weights in ((self._unweighted, False), (self._weighted, True)):
            for i, found in enumerate(_metrics_per_output(structure, names)):
                for metric in found:
                    output = f"{names[i]}_" if several else ""
                    name = f"{output}{metric.name}"
                    if takes_weights and name in keys:  # as Keras: there is one without weights
                        name = f"{output}weighted_{metric.name}"
                    keys.append(_unused(name, keys))
                    entries.append((keys[-1], metric, i, takes_weights))
        self.keys = keys
        self._entries = entries

    @property
    def metrics(self):
        if self._entries is not None:
            return [metric for _, metric, _, _ in self._entries]
        return [m for m in nest.flatten([self._unweighted, self._weighted]) if m is not None]

    def target_like(self, i, shape, dtype):
        """Shape and dtype that targets of output `i` usually have, whose own are given; None if
        nothing looks at them."""
        if not self._looks_at(i):
            return None
        if getattr(self._losses[i], "fn", None) is sparse_categorical_crossentropy:
            return shape[:-1], "int32"
        return shape, dtype

    def _looks_at(self, i):
        """Whether a loss or a metric has use for the targets of output `i`."""
        return self._losses[i] is not None or any(i == output for _, _, output, _ in self._entries)

    def placed(self, targets):
        """A list of targets with None for the outputs that have no use for any, if it is one of
        all others."""
        wanted = [self._looks_at(i) for i in range(len(self._names))]
        if len(targets) != sum(wanted):
            return targets
        given = iter(targets)
        return [next(given) if each else None for each in wanted]

    @property
    def resolved(self):
        """Whether the outputs are known, and with them `keys`."""
        return self._entries is not None

    @property
    def needs_predictions(self):
        """How many metrics have to be called on arrays after each step."""
        return len(self._eager)

    # ---- tracing ----

    def statistics(self, model, targets, predictions, weights):
        """The total loss and the vector, while a step is traced; lists have one item per output."""
        total, data_losses = self.losses(model, targets, predictions, weights)
        batch = _observations(predictions)
        parts = [[total * batch, ops.zeros_like(total) + batch]]
        parts += [[data_losses[i] * batch] for i in self._own_losses]
        summed = []
        for key, metric, i, takes_weights in self._entries:
            weight = weights[i] if takes_weights else None
            summed += self._traced_metric(key, metric, targets[i], predictions[i], weight)
        parts += [statistics for _, statistics in summed]
        self._bind([metric for metric, _ in summed], [_length(part) for part in parts])
        vector = [ops.reshape(ops.cast(x, total.dtype), (-1,)) for part in parts for x in part]
        return total, ops.concatenate(vector, axis=0)

    def losses(self, model, targets, predictions, weights):
        """(total loss, losses of the outputs, None where there is none)."""
        data_losses = []
        for i, loss in enumerate(self._losses):
            if loss is not None and targets[i] is None:
                raise ValueError(f"The loss of output {self._names[i]!r} needs targets, got none.")
            value = None if loss is None else _scalar(loss(targets[i], predictions[i], weights[i]))
            data_losses.append(value)
        terms = [
            loss if self._factors[i] == 1.0 else loss * self._factors[i]
            for i, loss in enumerate(data_losses)
            if loss is not None
        ] + [_scalar(term) for term in model.losses]
        if not terms:
            raise ValueError(
                "The model has no loss: pass one to compile(), such as compile(loss='mse'), or "
                "call add_loss() in a layer."
            )
        total = terms[0]
        for term in terms[1:]:
            total = total + ops.cast(term, total.dtype)
        return total, data_losses

    def _traced_metric(self, key, metric, target, prediction, weight):
        """[(metric, its statistics)], of metrics that this one keeps too; [] if it has variables
        only or can't be traced."""
        if key in self._eager:
            return []
        root = current().root
        assigned, before = dict(root.assigned), len(root.statistics)
        try:
            _update(metric, target, prediction, weight)
        except Exception as error:
            if not needs_values(error):
                raise
            root.assigned.clear()
            root.assigned.update(assigned)
            del root.statistics[before:]
            self._eager.add(key)
            warnings.warn(
                f"The metric {metric.name!r} can't be traced, so it is called on the arrays of "
                f"each batch, which is slower: {error}",
                stacklevel=2,
            )
            return []
        found = root.statistics[before:]
        del root.statistics[before:]
        if len({id(m) for m, _ in found}) < len(found):
            raise ValueError(f"Metric {metric.name!r}: update_state() updates the sums twice.")
        return found

    def _bind(self, summed, sizes):
        """Gives every metric its part of the totals, when the first step is traced."""
        if sizes == self._sizes:
            return
        self._sizes = sizes
        self.totals = np.zeros(sum(sizes))
        self._summed = [self.loss_tracker, *summed]
        self._bind_parts(self.totals)

    def _bind_parts(self, totals):
        if self._sizes is None:
            return
        parts = np.split(totals, np.cumsum(self._sizes)[:-1])
        others = parts[1 + len(self._own_losses) :]
        for metric, part in zip(self._summed, [parts[0], *others], strict=True):
            metric.bind(part)

    # ---- in steps that users write ----

    def track(self, data_losses, batch):
        """Takes the losses of several outputs into account."""
        for tracker, i in zip(self._own_trackers, self._own_losses, strict=True):
            tracker.update_state(data_losses[i], sample_weight=batch)

    def update(self, targets, predictions, weights):
        """Updates the metrics, in a trace or on arrays."""
        for _, metric, i, takes_weights in self._entries:
            weight = weights[i] if takes_weights else None
            _update(metric, targets[i], predictions[i], weight)

    def metric_results(self):
        """What each metric gives, by name in the order of `keys`."""
        metrics = [self.loss_tracker, *self._own_trackers, *(m for _, m, _, _ in self._entries)]
        return {key: metric.result() for key, metric in zip(self.keys, metrics, strict=True)}

    # ---- running ----

    def update_eager(self, targets, predictions, weights):
        """Calls the metrics that can't be traced on the arrays of a batch."""
        for key, metric, i, takes_weights in self._entries:
            if key in self._eager:
                _update(metric, targets[i], predictions[i], weights[i] if takes_weights else None)

    def reset(self):
        """Loss and metrics back to their start. Another model may have used the same objects."""
        with _binding:
            self._bind_parts(self.totals)
            self.totals[:] = 0.0
            for metric in (self.loss_tracker, *self._own_trackers, *self.metrics):
                metric.reset_state()

    def is_separable(self):
        """Whether all that passes over data leave behind is in `totals`, so that several may go on
        at once, each with its own: known once a step is traced."""
        return self._sizes is not None and not any(
            key in self._eager or not _keeps_sums_only(metric) for key, metric, *_ in self._entries
        )

    def results(self, totals=None):
        """The values so far, floats by name in the order of `keys`; by these totals if given.
        The metrics keep the totals that were looked at last."""
        if self._sizes is None:
            return {}
        totals = self.totals if totals is None else totals
        count = totals[1] or 1.0
        values = [float(totals[0] / count)]
        values += [float(totals[2 + i] / count) for i in range(len(self._own_losses))]
        with _binding:
            self._bind_parts(totals)
            values += [_result(metric) for _, metric, _, _ in self._entries]
        return dict(zip(self.keys, values, strict=True))


def _observations(predictions):
    """What the loss of a batch weighs in that of the epoch: its samples, or, of sequences of
    unequal length with a target for each step, the steps that are there."""
    mask = predictions[0]._keras_mask
    if len(predictions) == 1 and mask is not None and state.padded:
        return ops.sum(ops.cast(mask, predictions[0].dtype))
    return float(predictions[0].shape[0])


def needs_values(error):
    """Whether this was raised because a tensor has no values, maybe by way of another error."""
    if isinstance(error, UNTRACEABLE):
        return True
    while error is not None and not isinstance(error, NoValueError):
        error = error.__cause__ or error.__context__
    return error is not None


def _update(metric, target, prediction, weight):
    if weight is None:
        metric.update_state(target, prediction)
    else:
        metric.update_state(target, prediction, sample_weight=weight)


def _keeps_sums_only(metric):
    return isinstance(metric, SumMetric) and not metric._variables and not metric._parts()


def _result(metric):
    value = np.asarray(metric.result(), np.float64)
    return float(value) if value.ndim == 0 else value.tolist()


def _scalar(x):
    x = ops.convert_to_tensor(x)
    return ops.reshape(x, ()) if x.shape in ((), (1,)) else ops.sum(x)


def _length(part):
    return sum(int(np.prod(x.shape)) for x in part)


def _metric_object(identifier):
    return None if identifier is None else metrics.metric_object(identifier)


def _unused(name, taken):
    candidate, number = name, 0
    while candidate in taken:
        number += 1
        candidate = f"{name}_{number}"
    return candidate


def _per_output(structure, names, what):
    """One item per output: a single one goes to all, lists go by place, dicts by name."""
    if isinstance(structure, dict):
        _check_names(structure, names, what)
        return [structure.get(name) for name in names]
    if isinstance(structure, list | tuple):
        if len(structure) != len(names):
            raise UnknownOutputError(
                f"{what} has {len(structure)} entries, but the model has {len(names)} "
                f"output{'s' * (len(names) != 1)}: {', '.join(names)}."
            )
        return list(structure)
    return [structure] * len(names)


def _metrics_per_output(structure, names):
    """A list of metrics per output."""
    if isinstance(structure, dict):
        _check_names(structure, names, "metrics")
        found = [structure.get(name) for name in names]
    elif len(names) == 1:
        found = [structure]
    elif structure is None:
        found = [None] * len(names)
    elif isinstance(structure, list | tuple) and len(structure) == len(names):
        found = structure
    else:
        raise ValueError(
            f"metrics must be a list with one entry per output or a dict by output name, for the "
            f"outputs {', '.join(names)}."
        )
    return [[m for m in nest.flatten(item) if m is not None] for item in found]


def _check_names(structure, names, what):
    for name in structure:
        if name not in names:
            raise UnknownOutputError(
                f"{what} names the unknown output {name!r}.{did_you_mean(name, names)}"
            )
