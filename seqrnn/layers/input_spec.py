"""What inputs a layer accepts: `InputSpec`."""

from __future__ import annotations

from seqrnn import config
from seqrnn.trace import nest


class InputSpec:
    """What a layer demands of an input; checked before every call.

    Args:
        ndim: the exact number of axes.
        max_ndim, min_ndim: bounds of it.
        axes: {axis: size} that are demanded.
        shape: the whole shape, None where any size fits.
        dtype: what it is cast to before; None: any.
        allow_last_axis_squeeze: whether a last axis of size 1 may be missing or be too many.
        name: the key of this input in a dict of them, if all of a layer's have names.
        optional: whether None may be given instead.
        hint: what to do if the number of axes is wrong, the end of the error text.
        layout: how to call the axes in the error text, '(batch, time, features)'.
    """

    def __init__(
        self,
        dtype=None,
        shape=None,
        ndim=None,
        max_ndim=None,
        min_ndim=None,
        axes=None,
        allow_last_axis_squeeze=False,
        name=None,
        optional=False,
        *,
        hint="",
        layout="",
    ):
        self.dtype = None if dtype is None else config.standardize_dtype(dtype)
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = _axes(axes)
        most = self.ndim if self.ndim is not None else max_ndim
        if self.axes and most is not None and max(self.axes) >= most:
            raise ValueError(
                f"InputSpec: axes has the axis {max(self.axes)}; the last of {most} is {most - 1}."
            )
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional
        self.hint = hint
        self.layout = layout

    def get_config(self) -> dict:
        """What `from_config` needs."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config):
        """A spec made from what `get_config` gave."""
        return cls(**config)

    def __repr__(self):
        given = [(n, v) for n, v in self.get_config().items() if v]
        return f"InputSpec({', '.join(f'{name}={value!r}' for name, value in given)})"

    def check(self, shape: tuple, dtype: str | None = None) -> None:
        """ValueError if an input of this shape and dtype does not fit."""
        rank = len(shape)
        got = f"got {_text(shape)}"
        if None not in (self.dtype, dtype) and dtype != self.dtype:
            raise ValueError(f"expected input of dtype {self.dtype}, got {dtype}.")
        if self.ndim is not None and rank != self.ndim and not self.allow_last_axis_squeeze:
            raise ValueError(
                f"expected {self.ndim}-D input{self._axes_text()}, {got}{self._hint()}"
            )
        if self.min_ndim is not None and rank < self.min_ndim:
            raise ValueError(
                f"expected input with {self.min_ndim} axes or more, {got}{self._hint()}"
            )
        if self.max_ndim is not None and rank > self.max_ndim:
            raise ValueError(
                f"expected input with {self.max_ndim} axes at most, {got}{self._hint()}"
            )
        for axis, size in self.axes.items():
            if not -rank <= axis < rank:
                raise ValueError(f"expected input with an axis {axis}, {got}.")
            self._check_size(axis, size, shape, got)
        if self.shape is not None:
            self._check_shape(shape, got)

    def _check_shape(self, shape, got):
        wanted = self.shape
        if self.allow_last_axis_squeeze:
            wanted, shape = (s[:-1] if s[-1:] == (1,) else s for s in (wanted, shape))
            if len(wanted) != len(shape):
                raise ValueError(f"expected input of shape {_text(self.shape)}, {got}.")
        for axis, size in enumerate(wanted):
            self._check_size(axis, size, shape, got)

    @staticmethod
    def _check_size(axis, size, shape, got):
        if size is not None and shape[axis] not in (size, None):
            raise ValueError(
                f"expected {size} elements along axis {axis}, as in the input the layer was "
                f"built for, {got}."
            )

    def _axes_text(self) -> str:
        return f" {self.layout}" if self.layout else ""

    def _hint(self) -> str:
        return f"; {self.hint}." if self.hint else "."


def _axes(axes) -> dict:
    try:
        return {int(axis): size for axis, size in (axes or {}).items()}
    except (AttributeError, TypeError, ValueError):
        raise TypeError(f"InputSpec: axes must be a dict {{axis: size}}, got {axes!r}.") from None


def by_name(specs: list, inputs):
    """The inputs in the order of the specs: those of a dict by the names of the specs, if they all
    have one. ValueError for a name that is missing."""
    names = [getattr(spec, "name", None) for spec in specs]
    if not isinstance(inputs, dict) or not all(names):
        return nest.flatten(inputs)
    for name in names:
        if name not in inputs:
            raise ValueError(f"expected a dict with the keys {names}, got {list(inputs)}.")
    return [inputs[name] for name in names]


def _text(shape) -> str:
    return "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
