"""Loss objects: values per sample and step, weighted and reduced to a scalar.

With values v, weights w (1 where none are given) and n = the number of values:

    'sum_over_batch_size', 'mean'    sum(w v) / n
    'sum'                            sum(w v)
    'mean_with_sample_weight'        sum(w v) / sum(w)
    None, 'none'                     w v

Under a mask the two means are taken over the valid positions: w is multiplied by mask n / sum(mask)
(Keras 3, losses/loss.py). Weights of shape (B,) count for all steps of a sample, (B, T) for each.
Targets (B,) are taken for (B, 1) if the predictions are (B, 1), and (B, T) for (B, T, 1) if there
is a mask or a weight for each step.
"""

import math

from seqrnn import config, ops, trace
from seqrnn.errors import did_you_mean
from seqrnn.losses.functions import same_rank
from seqrnn.saving.objects import deserialize_keras_object, serialize_keras_object

_REDUCTIONS = ("sum_over_batch_size", "mean", "sum", "mean_with_sample_weight", "none")


def expand_weight(weight, values, what="sample_weight"):
    """`weight` with the rank of `values`: (B,) -> (B, 1), (B, T, 1) -> (B, T).

    Raises ValueError if it does not broadcast.
    """
    weight = ops.cast(ops.convert_to_tensor(weight), values.dtype)
    rank = len(values.shape)
    while len(weight.shape) > max(rank, 1) and weight.shape[-1] == 1:
        weight = ops.squeeze(weight, -1)
    if rank and len(weight.shape) < rank:
        weight = ops.reshape(weight, tuple(weight.shape) + (1,) * (rank - len(weight.shape)))
    fits = len(weight.shape) == rank and all(
        w in (1, v) for w, v in zip(weight.shape, values.shape, strict=True)
    )
    if rank and not fits:
        raise ValueError(
            f"{what} of shape {tuple(weight.shape)} doesn't fit values of shape "
            f"{tuple(values.shape)}: expected one weight per sample, {tuple(values.shape[:1])}, "
            f"or one per value, {tuple(values.shape)}."
        )
    return weight


def mask_weight(values, *masked):
    """The masks of these tensors as factors 0 and 1 of the rank of `values`; None without any.

    A mask whose axes are gone from the values no longer counts.
    """
    weight = None
    for mask in [getattr(x, "_keras_mask", None) for x in masked]:
        if mask is not None and tuple(mask.shape) == tuple(values.shape[: len(mask.shape)]):
            factor = expand_weight(mask, values, "mask")
            weight = factor if weight is None else weight * factor
    return weight


def check_steps(name, values, y_pred):
    """ValueError for values that are not one per step, of predictions for sequences of unequal
    length: the padding would count."""
    mask = getattr(y_pred, "_keras_mask", None)
    if not trace.state.padded or mask is None:
        return
    if tuple(values.shape[:2]) != tuple(mask.shape[:2]):
        raise ValueError(
            f"{name} gives values of shape {tuple(values.shape)} for predictions of shape "
            f"{tuple(y_pred.shape)}. For sequences of unequal length it must give one for each "
            "step, (batch, time): ops.mean(..., axis=-1). Else the padding would count."
        )


def joint_weight(values, sample_weight, *masked):
    """`sample_weight` times the masks of these tensors, in the rank of `values`; None without any.

    ValueError if it does not fit: for a scalar, unless it is one number.
    """
    weight = mask_weight(values, *masked)
    if sample_weight is None:
        return weight
    sample_weight = expand_weight(sample_weight, values)
    if not values.shape:
        sample_weight = _single(sample_weight)
    return sample_weight if weight is None else weight * sample_weight


def _single(weight):
    if math.prod(weight.shape) != 1:
        raise ValueError(
            f"sample_weight of shape {tuple(weight.shape)} for a value that is a single number: "
            "expected one number, or a function that gives a value for each sample."
        )
    return ops.reshape(weight, ())


def with_axes(y_true, y_pred, sample_weight=None):
    """The targets as a tensor, with the last axis of length 1 of the predictions, where each step
    must keep its value: (B,) for (B, 1); under a mask or weights (B, T) for (B, T, 1) too."""
    y_true, shape = ops.convert_to_tensor(y_true), ops.shape(y_pred)
    rank = len(y_true.shape)
    stepwise = getattr(y_pred, "_keras_mask", None) is not None or (
        sample_weight is not None and len(ops.shape(sample_weight)) > 1
    )
    if rank + 1 == len(shape) and shape[-1] == 1 and (rank == 1 or stepwise):
        return ops.expand_dims(y_true, -1)
    return y_true


def reduce_weighted(values, sample_weight=None, weight=None, reduction="sum_over_batch_size"):
    """The formulas above: a scalar, or values of unchanged shape for reduction None; `weight` is
    what `mask_weight` gives."""
    if weight is not None and reduction in ("sum_over_batch_size", "mean"):
        weight = weight * (math.prod(weight.shape) / (ops.sum(weight) + config.epsilon()))
    if sample_weight is not None:
        sample_weight = expand_weight(sample_weight, values)
        weight = sample_weight if weight is None else weight * sample_weight
    if weight is not None:
        values = values * weight
    if reduction in (None, "none"):
        return values
    total = ops.sum(values)
    if reduction == "sum":
        return total
    if reduction == "mean_with_sample_weight" and weight is not None:
        return total / (ops.sum(weight * ops.ones_like(values)) + config.epsilon())
    return total / float(math.prod(values.shape))


class Loss:
    """Base of losses. A subclass defines `call(y_true, y_pred)` -> values (B, ...).

    Calling the object gives the scalar; `sample_weight` is (B,) or has the shape of the values.

    Args:
        reduction: 'sum_over_batch_size', 'mean', 'sum', 'mean_with_sample_weight', or 'none' or
            None for the weighted values as they are.
        dtype: in which it is computed, 'float32' or 'float64'; default that of the predictions.

    ValueError for an unknown reduction or dtype.
    """

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        reduction = {"auto": "sum_over_batch_size", None: "none"}.get(reduction, reduction)
        if reduction not in _REDUCTIONS:
            raise ValueError(
                f"Unknown reduction {reduction!r}.{did_you_mean(reduction, _REDUCTIONS)}"
            )
        self.name = name or config.snake_case(type(self).__name__)
        self.reduction = reduction
        self._dtype = None if dtype is None else config.policy_dtype(dtype)

    @property
    def dtype(self):
        """The name of the dtype that was given, or `floatx()`."""
        return self._dtype or config.floatx()

    def __call__(self, y_true, y_pred, sample_weight=None):
        given = y_pred
        y_pred = ops.convert_to_tensor(y_pred, dtype=self._dtype)
        if not config.is_float(y_pred.dtype):
            y_pred = ops.cast(y_pred, self.dtype)
        y_true = ops.cast(y_true, y_pred.dtype)
        values = self.call(with_axes(y_true, given, sample_weight), y_pred)
        if values is None:
            raise TypeError(
                f"loss {self.name!r} must return a value per sample, or a number, got None. A "
                "function without `return` gives it."
            )
        check_steps(f"loss {self.name!r}", ops.convert_to_tensor(values), given)
        weight = mask_weight(ops.convert_to_tensor(values), given, values)
        return reduce_weighted(ops.convert_to_tensor(values), sample_weight, weight, self.reduction)

    def call(self, y_true, y_pred):
        raise NotImplementedError(f"{type(self).__name__} has to define call(y_true, y_pred).")

    def get_config(self):
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _matches_shapes(fn):
    """Whether `fn` is one of the library's, which compare the shapes as they are given."""
    return (getattr(fn, "__module__", None) or "").startswith("seqrnn.")


class LossFunctionWrapper(Loss):
    """A loss object out of `fn(y_true, y_pred, **kwargs)`, which may return values or a scalar."""

    def __init__(self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **kwargs):
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true, y_pred):
        if not _matches_shapes(self.fn):
            y_true, y_pred = same_rank(y_true, y_pred)
        return self.fn(y_true, y_pred, **self._fn_kwargs)

    def get_config(self):
        config = {**super().get_config(), **self._fn_kwargs}
        if type(self) is LossFunctionWrapper:
            config["fn"] = serialize_keras_object(self.fn)
        return config

    @classmethod
    def from_config(cls, config):
        if "fn" in config:
            config = {**config, "fn": deserialize_keras_object(config["fn"])}
        return cls(**config)
