"""Ops called on arrays: what a kept plan may depend on, and what arguments may be."""

import gc
import weakref

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import ops

X = np.ones((2, 3), "float32")


# ---- functions as arguments: what they do may change ----


def test_function_given_to_map_is_called_anew():
    factor = [2.0]

    def f(row):
        return row * factor[0]

    assert ops.map(f, X)[0, 0] == 2.0
    factor[0] = 5.0
    assert ops.map(f, X)[0, 0] == 5.0


def test_function_given_to_fori_loop_is_called_anew():
    step = {"size": 1.0}

    def body(_, value):
        return value + step["size"]

    assert ops.fori_loop(0, 3, body, np.float32(0)) == 3.0
    step["size"] = 2.0
    assert ops.fori_loop(0, 3, body, np.float32(0)) == 6.0


def test_function_given_to_map_is_called_anew_under_a_tape():
    factor = [2.0]

    def f(row):
        return row * factor[0]

    x = keras.Variable(X)

    def slope():
        with keras.GradientTape() as tape:
            y = ops.sum(ops.map(f, x))
        return tape.gradient(y, x)[0, 0]

    assert slope() == 2.0
    factor[0] = 5.0
    assert slope() == 5.0


def test_functions_given_to_ops_are_not_kept():
    def once():
        array = np.ones(10, "float32").view(keras.trace.Array)
        ops.cond(True, lambda: ops.add(array, 1.0), lambda: ops.zeros(10))
        return weakref.ref(array)

    seen = once()
    gc.collect()
    assert seen() is None


# ---- numbers ----


@pytest.mark.parametrize("order", [(0.0, -0.0), (-0.0, 0.0)])
def test_minus_zero_is_another_number_than_zero(order):
    for zero in order:
        assert ops.divide(1.0, zero) == np.copysign(np.inf, zero)


def test_minus_zero_is_another_number_under_a_tape():
    x = keras.Variable([1.0])

    def slope(zero):
        with keras.GradientTape() as tape:
            y = ops.sum(ops.divide(x, zero))
        return tape.gradient(y, x)[0]

    assert [slope(0.0), slope(-0.0)] == [np.inf, -np.inf]
