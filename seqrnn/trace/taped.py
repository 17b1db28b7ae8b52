"""Arrays that a `GradientTape` follows."""

from __future__ import annotations

import numpy as np

from seqrnn.trace import nest, operators
from seqrnn.trace.array import Array
from seqrnn.trace.frame import state
from seqrnn.trace.operators import Operators


def _followed() -> bool:
    """Whether what is done to these arrays are ops: while a tape records, and while what it has
    recorded is traced again."""
    if state.tapes:
        return True
    return state.frame is not None and bool(state.frame.root.stand_ins)


class Taped(Array):
    """An array that came out of a recorded call. Behaves as an ndarray once no tape records."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        op = operators.find(ufunc.__name__) if _followed() and method == "__call__" else None
        if op is not None and not kwargs:
            return op(*inputs)
        plain = [x.view(np.ndarray) if isinstance(x, Taped) else x for x in inputs]
        if "out" in kwargs:
            _refuse_lost(kwargs["out"], f"np.{ufunc.__name__} with out=", inputs)
            kwargs["out"] = tuple(
                x.view(np.ndarray) if isinstance(x, Taped) else x for x in kwargs["out"]
            )
        result = getattr(ufunc, method)(*plain, **kwargs)
        how = "" if method == "__call__" else f".{method}"
        how += f" with {', '.join(kwargs)}" if kwargs else ""
        _refuse_lost(result, f"np.{ufunc.__name__}{how}", inputs)
        return result.view(Array) if isinstance(result, np.ndarray) else result

    def __array_function__(self, func, types, args, kwargs):
        if _followed() and operators.find(func.__name__) is not None:
            return Operators.__array_function__(self, func, types, args, kwargs)
        result = super().__array_function__(func, types, args, kwargs)
        _refuse_lost(result, f"np.{func.__name__}", nest.flatten((args, kwargs)))
        return result


def _refuse_lost(result, what: str, inputs):
    """TypeError if floats came of arrays that a recording tape follows, for their gradient would
    lack this part without a word."""
    if not any(np.result_type(x).kind == "f" for x in nest.flatten(result) if _is_data(x)):
        return
    if any(tape.knows(inputs) for tape in state.tapes):
        raise TypeError(
            f"{what} is not followed by the GradientTape. Use the functions of keras.ops; for what "
            "shall have no gradient, give it x.numpy()."
        )


def _is_data(x) -> bool:
    return isinstance(x, (np.ndarray, np.generic))


def _op_while_recording(name):
    taped, plain = getattr(Operators, name), getattr(np.ndarray, name)
    if isinstance(taped, property):
        return property(lambda self: (taped.fget if _followed() else plain.__get__)(self))

    def method(self, *args, **kwargs):
        return (taped if _followed() else plain)(self, *args, **kwargs)

    return method


def _function_while_recording(name):
    plain = getattr(np.ndarray, name)

    def method(self, *args, **kwargs):
        return (operators.find(name) if _followed() else plain)(self, *args, **kwargs)

    return method


for _name in (
    *("T", "astype", "reshape", "transpose", "swapaxes", "squeeze", "flatten", "ravel", "repeat"),
    *("take", "dot", "clip", "round", "sum", "mean", "max", "min", "prod", "std", "var", "cumsum"),
    "copy",
    "__getitem__",
):
    setattr(Taped, _name, _op_while_recording(_name))
for _name in ("cumprod", "diagonal", "trace"):
    setattr(Taped, _name, _function_while_recording(_name))
for _name in ("add", "sub", "mul", "truediv", "pow", "matmul"):
    # `loss += x` makes a new array: changing the old one would go unnoticed.
    setattr(Taped, f"__i{_name}__", getattr(Operators, f"__{_name}__"))
