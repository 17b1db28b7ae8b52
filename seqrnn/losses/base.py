"""Loss objects: values per sample and step, weighted and reduced to a scalar.

With values v, weights w (1 where none are given) and n = the number of values:

    'sum_over_batch_size', 'mean'    sum(w v) / n
    'sum'                            sum(w v)
    'mean_with_sample_weight'        sum(w v) / sum(w)
    None, 'none'                     w v

Under a mask the two means are taken over the valid positions: w is multiplied by mask n / sum(mask)
(Keras 3, losses/loss.py). Weights of shape (B,) count for all steps of a sample, (B, T) for each.
"""

from seqrnn import ops
from seqrnn.errors import did_you_mean
from seqrnn.saving.objects import deserialize_keras_object, serialize_keras_object

_EPSILON = 1e-7
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


def mask_weight(mask, values):
    """`mask` as factors 0 and 1 of the rank of `values`; None if its axes are gone from them."""
    if mask is None or tuple(mask.shape) != tuple(values.shape[: len(mask.shape)]):
        return None
    return expand_weight(mask, values, "mask")


def reduce_weighted(values, sample_weight=None, mask=None, reduction="sum_over_batch_size"):
    """The formulas above: a scalar, or values of unchanged shape for reduction None."""
    weight = mask_weight(mask, values)
    if weight is not None and reduction in ("sum_over_batch_size", "mean"):
        weight = weight * (_size(weight) / (ops.sum(weight) + _EPSILON))
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
        return total / (ops.sum(weight * ops.ones_like(values)) + _EPSILON)
    return total / _size(values)


def _size(x):
    size = 1
    for n in x.shape:
        size *= n
    return float(size)


class Loss:
    """Base of losses. A subclass defines `call(y_true, y_pred)` -> values (B, ...).

    Calling the object gives the scalar; `sample_weight` is (B,) or has the shape of the values.
    """

    def __init__(self, name=None, reduction="sum_over_batch_size", dtype=None):
        reduction = {"auto": "sum_over_batch_size", None: "none"}.get(reduction, reduction)
        if reduction not in _REDUCTIONS:
            raise ValueError(
                f"Unknown reduction {reduction!r}.{did_you_mean(reduction, _REDUCTIONS)}"
            )
        self.name = name or type(self).__name__
        self.reduction = reduction
        self.dtype = dtype

    def __call__(self, y_true, y_pred, sample_weight=None):
        mask = getattr(y_pred, "_keras_mask", None)
        y_pred = ops.convert_to_tensor(y_pred, dtype=self.dtype)
        y_true = ops.cast(y_true, y_pred.dtype)
        values = self.call(y_true, y_pred)
        if mask is None:
            mask = getattr(values, "_keras_mask", None)
        if values is None:
            raise TypeError(
                f"loss {self.name!r} must return a value per sample, or a number, got None. A "
                "function without `return` gives it."
            )
        values = ops.convert_to_tensor(values)
        return reduce_weighted(values, sample_weight, mask, self.reduction)

    def call(self, y_true, y_pred):
        raise NotImplementedError(f"{type(self).__name__} has to define call(y_true, y_pred).")

    def get_config(self):
        return {"name": self.name, "reduction": self.reduction}

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class LossFunctionWrapper(Loss):
    """A loss object out of `fn(y_true, y_pred, **kwargs)`, which may return values or a scalar."""

    def __init__(self, fn, reduction="sum_over_batch_size", name=None, dtype=None, **kwargs):
        super().__init__(name or getattr(fn, "__name__", None), reduction, dtype)
        self.fn = fn
        self._fn_kwargs = kwargs

    def call(self, y_true, y_pred):
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
