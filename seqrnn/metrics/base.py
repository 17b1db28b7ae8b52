"""Metric objects: a state that batches add to, and a result.

The library's own metrics are *sums*: each batch adds a short vector of statistics, computed in C
with the loss, to totals kept in float64; `result()` is a formula of the totals. So an epoch's value
is exact over all samples, whatever the sizes of the batches.

A metric of your own subclasses `Metric` with `add_weight`, `update_state` and `result`, or one of
the metrics here; it may keep other metrics as attributes. While a training step is traced,
`update_state` sees symbolic tensors.

Under a mask of the predictions, the library's metrics count the valid positions only.
"""

import math

import numpy as np

from seqrnn import ops, trace
from seqrnn.config import policy_dtype, snake_case
from seqrnn.losses.base import check_steps, expand_weight, joint_weight, mask_weight, with_axes
from seqrnn.losses.functions import match
from seqrnn.saving.objects import deserialize_keras_object, serialize_keras_object

_AGGREGATIONS = (None, "none", "sum", "mean", "only_first_replica")


def _known(choices):
    return f" Known: {', '.join(map(repr, choices))}."


def check_choice(metric, argument, value, choices):
    """ValueError unless `value` is one of `choices`."""
    if value not in choices:
        raise ValueError(f"{type(metric).__name__}: unknown {argument}={value!r}.{_known(choices)}")


class Metric:
    """Base of metrics: `update_state(...)`, `result()`, `reset_state()`.

    Calling the object updates the state and returns the result.
    """

    def __init__(self, dtype=None, name=None):
        self.name = name or snake_case(type(self).__name__)
        self._dtype = policy_dtype(dtype)
        self._variables = []

    @property
    def dtype(self):
        """The name of the dtype, 'float32' or 'float64'."""
        return self._dtype

    def add_weight(self, shape=(), initializer=None, dtype=None, name=None):
        """A state variable; `add_weight("total")` and `add_weight(name="total")` are the same."""
        if isinstance(shape, str):
            shape, name = (), shape
        return self.add_variable(shape, initializer, dtype, name=name)

    def add_variable(self, shape, initializer=None, dtype=None, aggregation="sum", name=None):
        """As `add_weight`. There is one process, so each `aggregation` of Keras's gives the same;
        ValueError for others."""
        from seqrnn import initializers

        if aggregation not in _AGGREGATIONS:
            raise ValueError(
                f"add_variable: unknown aggregation {aggregation!r}.{_known(_AGGREGATIONS)}"
            )
        self._check_constructed()
        make = initializers.get(initializer or "zeros")
        shape = (shape,) if isinstance(shape, int) else tuple(shape)
        variable = trace.Variable(
            np.asarray(make(shape, policy_dtype(dtype or self.dtype))),
            name=name or "variable",
            trainable=False,
        )
        self._variables.append(variable)
        return variable

    def _check_constructed(self):
        if "_variables" not in vars(self):
            raise RuntimeError(
                f"{type(self).__name__}.__init__ has to call super().__init__() before it adds "
                "variables or is used."
            )

    def _parts(self):
        """The metrics among the attributes, in lists and dicts too."""
        held = [value for name, value in vars(self).items() if name != "_variables"]
        return [leaf for leaf in trace.nest.flatten(held) if isinstance(leaf, Metric)]

    @property
    def variables(self):
        """The state variables, own ones first, then those of metrics among the attributes."""
        return self._variables + [v for part in self._parts() for v in part.variables]

    def update_state(self, *args, **kwargs):
        """Takes a batch into account: (y_true, y_pred, sample_weight=None)."""
        raise NotImplementedError(f"{type(self).__name__} has to define update_state().")

    def result(self):
        """The value so far, a scalar."""
        raise NotImplementedError(f"{type(self).__name__} has to define result().")

    def reset_state(self):
        """Back to the start: all variables 0."""
        for variable in self._variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))
        for part in self._parts():
            part.reset_state()

    def reset_states(self):
        """As `reset_state` (Keras 2)."""
        self.reset_state()

    # ---- without a state of one's own ----

    def stateless_update_state(self, metric_variables, *args, **kwargs):
        """The values of `variables` that `update_state(*args, **kwargs)` makes of these values.

        The metric stays as it is. Some metrics have no variables before their first batch: start
        from an empty list. ValueError for a wrong number of values; TypeError in a trace.
        """
        before = self._check_values(metric_variables)
        with trace.substituted(before, metric_variables):
            self.update_state(*args, **kwargs)
            values = self._values()
        if len(values) > len(before):
            self.reset_state()  # it had no variables until now, and has to be as new
        return values

    def stateless_result(self, metric_variables):
        """The result that belongs to these values of `variables`."""
        with trace.substituted(self._check_values(metric_variables), metric_variables):
            return self.result()

    def stateless_reset_state(self):
        """The values of `variables` at the start."""
        variables = self.variables
        with trace.substituted(variables, [v.numpy() for v in variables]):
            self.reset_state()
            return self._values()

    def _values(self):
        return [v.numpy().view(trace.Array) for v in self.variables]

    def _check_values(self, values):
        variables = self.variables
        if len(values) != len(variables):
            raise ValueError(
                f"{type(self).__name__}: metric_variables must have one value for each of the "
                f"{len(variables)} variables of the metric, got {len(values)}."
            )
        return variables

    def __call__(self, *args, **kwargs):
        self._check_constructed()
        self.update_state(*args, **kwargs)
        return self.result()

    def get_config(self):
        return {"name": self.name, "dtype": self.dtype}

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def __repr__(self):
        return f"<{type(self).__name__} name={self.name}>"


class Later:
    """What `metric.result()` gives in a step that is traced: its result after the step."""

    def __init__(self, metric):
        self.result = metric.result

    def __repr__(self):
        return "<the result of a metric after the step>"


class SumMetric(Metric):
    """A metric whose state is a vector of sums.

    A subclass defines `statistics(...)`, the vector of one batch as a list of scalars and
    1-D tensors, and `value(totals)`, a float or an array made from the summed vectors.
    """

    def __init__(self, dtype=None, name=None):
        super().__init__(dtype, name)
        self.totals = None  # float64; None before the first batch

    # Names of the sums if each is a variable; otherwise they are one, 'totals'.
    names = ()

    @property
    def variables(self):
        """The sums, float64, then other variables; none before their number is known."""
        totals = self.totals
        if totals is None:
            return super().variables
        pieces = zip(self.names, totals.reshape(-1, 1), strict=False)
        sums = [trace.Slot(piece.reshape(()), name, self.name) for name, piece in pieces]
        return (sums or [trace.Slot(totals, "totals", self.name)]) + super().variables

    def statistics(self, *args, **kwargs):
        raise NotImplementedError

    def value(self, totals):
        raise NotImplementedError

    def update_state(self, *args, **kwargs):
        statistics = self.statistics(*args, **kwargs)
        if (frame := trace.current()) is not None:
            frame.root.statistics.append((self, statistics))
        else:
            self.add(statistics)

    def add(self, statistics):
        """Adds the statistics of a batch to the totals."""
        row = np.concatenate([np.ravel(np.asarray(s, np.float64)) for s in statistics])
        self.bind(np.zeros(len(row)) if self.totals is None else self.totals)
        self.totals += row

    def bind(self, totals):
        """Keeps the sums in the float64 array `totals` from now on."""
        self.totals = totals

    def result(self):
        if trace.current() is not None:
            return Later(self)
        value = 0.0 if self.totals is None else self.value(self.totals)
        return np.asarray(value, np.float64).view(trace.Array)

    def reset_state(self):
        if trace.current() is not None:
            raise TypeError(f"metric {self.name!r}: reset_state() inside a step that is traced.")
        super().reset_state()
        if self.totals is not None:
            self.totals[:] = 0.0


def divide(a, b):
    """a / b, and 0 where b is 0."""
    return np.divide(a, b, out=np.zeros_like(np.asarray(a, float)), where=np.asarray(b) != 0)


class Mean(SumMetric):
    """The weighted mean of values: sum over samples of the mean of a sample, by their number."""

    names = ("total", "count")

    def __init__(self, name="mean", dtype=None):
        super().__init__(dtype, name)
        self.bind(np.zeros(2))

    def statistics(self, values, sample_weight=None):
        given, values = values, ops.convert_to_tensor(values)
        return mean_statistics(values, sample_weight, mask_weight(values, given))

    def value(self, totals):
        return divide(totals[0], totals[1])

    @property
    def total(self):
        """The sum so far, a float."""
        return float(self.totals[0])

    @property
    def count(self):
        """The number of samples so far, or the sum of their weights; a float."""
        return float(self.totals[1])


def flat_pair(y_true, y_pred, sample_weight=None):
    """Targets, predictions and weights of one shape, for metrics of single elements.

    The weights are sample weights times the mask of the predictions, None without both.
    """
    given = y_pred
    y_true, y_pred = match(with_axes(y_true, y_pred, sample_weight), y_pred)
    weight = joint_weight(y_pred, sample_weight, given)
    return y_true, y_pred, None if weight is None else weight * ops.ones_like(y_pred)


def mean_statistics(values, sample_weight=None, mask=None):
    """[sum of the per-sample means, number of samples], both weighted.

    A scalar, which has no samples, counts as one observation, or as many as its weight. Under the
    mask of sequences of unequal length (`training.unequal`) the steps are what is counted, not the
    samples.
    """
    values = ops.cast(values, "float64" if values.dtype == "float64" else "float32")
    if not values.shape:
        weight = joint_weight(values, sample_weight)
        weight = ops.ones_like(values) if weight is None else weight
        return [values * weight, weight]
    samples, inner = values.shape[0], math.prod(values.shape[1:])
    if mask is not None and trace.state.padded and len(values.shape) > 1:
        inner //= values.shape[1]
    if sample_weight is not None:
        sample_weight = expand_weight(sample_weight, values)
        mask = sample_weight if mask is None else sample_weight * mask
    if mask is None:
        total = ops.sum(values)
        count = ops.zeros_like(total) + float(samples)
        return [total / float(inner), count]
    weight = mask * ops.ones_like(values)
    return [ops.sum(values * weight) / float(inner), ops.sum(weight) / float(inner)]


class Sum(SumMetric):
    """The weighted sum of all values."""

    names = ("total",)

    def __init__(self, name="sum", dtype=None):
        super().__init__(dtype, name)
        self.bind(np.zeros(1))

    def statistics(self, values, sample_weight=None):
        given, values = values, ops.convert_to_tensor(values)
        weight = joint_weight(values, sample_weight, given)
        return [ops.sum(values if weight is None else values * weight)]

    def value(self, totals):
        return totals[0]

    @property
    def total(self):
        """The sum so far, a float."""
        return float(self.totals[0])


class MeanMetricWrapper(Mean):
    """The mean of `fn(y_true, y_pred, **kwargs)`, which returns values (B, ...) or a scalar.

    The mask of the predictions applies, unless the function has removed the axes it covers.
    """

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name, dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def values(self, y_true, y_pred):
        return self._fn(y_true, y_pred, **self._fn_kwargs)

    def statistics(self, y_true, y_pred, sample_weight=None):
        y_true = with_axes(y_true, y_pred, sample_weight)
        found = self.values(y_true, ops.convert_to_tensor(y_pred))
        values = ops.convert_to_tensor(found)
        check_steps(f"metric {self.name!r}", values, y_pred)
        return mean_statistics(values, sample_weight, mask_weight(values, y_pred, found))

    def get_config(self):
        config = {**super().get_config(), **self._fn_kwargs}
        if type(self) is MeanMetricWrapper:
            config["fn"] = serialize_keras_object(self._fn)
        return config

    @classmethod
    def from_config(cls, config):
        if "fn" in config:
            config = {**config, "fn": deserialize_keras_object(config["fn"])}
        return cls(**config)
