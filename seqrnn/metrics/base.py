"""Metric objects: a state that batches add to, and a result.

The library's own metrics are *sums*: each batch adds a short vector of statistics, computed in C
with the loss, to totals kept in float64; `result()` is a formula of the totals. So an epoch's value
is exact over all samples, whatever the sizes of the batches.

A metric of your own subclasses `Metric` with `add_weight`, `update_state` and `result`, or one of
the metrics here. While a training step is traced, `update_state` sees symbolic tensors.
"""

import numpy as np

from seqrnn import ops, trace
from seqrnn.config import snake_case
from seqrnn.losses.base import expand_weight, mask_weight
from seqrnn.saving.objects import deserialize_keras_object, serialize_keras_object


class Metric:
    """Base of metrics: `update_state(...)`, `result()`, `reset_state()`.

    Calling the object updates the state and returns the result.
    """

    def __init__(self, dtype=None, name=None):
        self.name = name or snake_case(type(self).__name__)
        self.dtype = dtype or "float32"
        self._variables = []

    def add_weight(self, shape=(), initializer=None, dtype=None, name=None):
        """A state variable; `add_weight("total")` and `add_weight(name="total")` are the same."""
        if isinstance(shape, str):
            shape, name = (), shape
        from seqrnn import initializers

        make = initializers.get(initializer or "zeros")
        dtype = dtype or self.dtype
        variable = trace.Variable(
            np.asarray(make(tuple(shape), dtype)), name=name or "variable", trainable=False
        )
        self._variables.append(variable)
        return variable

    def add_variable(self, shape, initializer=None, dtype=None, name=None):
        """As `add_weight`."""
        return self.add_weight(shape, initializer, dtype, name)

    @property
    def variables(self):
        return list(self._variables)

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

    def reset_states(self):
        """As `reset_state` (Keras 2)."""
        self.reset_state()

    def __call__(self, *args, **kwargs):
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
        self.sink = None  # a list while a training step is traced: takes the statistics

    def statistics(self, *args, **kwargs):
        raise NotImplementedError

    def value(self, totals):
        raise NotImplementedError

    def update_state(self, *args, **kwargs):
        statistics = self.statistics(*args, **kwargs)
        if self.sink is not None:
            self.sink.append(statistics)
        elif (frame := trace.current()) is not None:
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

    def __init__(self, name="mean", dtype=None):
        super().__init__(dtype, name)

    def statistics(self, values, sample_weight=None):
        mask = getattr(values, "_keras_mask", None)
        values = ops.convert_to_tensor(values)
        return mean_statistics(values, sample_weight, mask_weight(mask, values))

    def value(self, totals):
        return divide(totals[0], totals[1])


def mean_statistics(values, sample_weight=None, mask=None):
    """[sum of the per-sample means, number of samples], both weighted.

    A scalar, which has no samples, counts as one observation.
    """
    values = ops.cast(values, "float64" if values.dtype == "float64" else "float32")
    if not values.shape:
        return [values, ops.ones_like(values)]
    samples = values.shape[0]
    inner = 1
    for n in values.shape[1:]:
        inner *= n
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

    def __init__(self, name="sum", dtype=None):
        super().__init__(dtype, name)

    def statistics(self, values, sample_weight=None):
        values = ops.convert_to_tensor(values)
        if sample_weight is not None:
            values = values * expand_weight(sample_weight, values)
        return [ops.sum(values)]

    def value(self, totals):
        return totals[0]


class MeanMetricWrapper(Mean):
    """The mean of `fn(y_true, y_pred, **kwargs)`, which returns values (B, ...) or a scalar.

    The mask of the predictions applies, unless the function has removed the axes it covers.
    """

    def __init__(self, fn, name=None, dtype=None, **kwargs):
        super().__init__(name or fn.__name__, dtype)
        self._fn = fn
        self._fn_kwargs = kwargs

    def values(self, y_true, y_pred):
        return self._fn(y_true, y_pred, **self._fn_kwargs)

    def statistics(self, y_true, y_pred, sample_weight=None):
        values = self.values(y_true, y_pred)
        mask = getattr(y_pred, "_keras_mask", None)
        if mask is None:
            mask = getattr(values, "_keras_mask", None)
        values = ops.convert_to_tensor(values)
        return mean_statistics(values, sample_weight, mask_weight(mask, values))

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
