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


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_floats_of_numpy_share_a_plan_and_take_the_dtype_of_a_tensor(kind):
    traces = []

    @keras.ops.core.op
    def scaled(x, factor):
        traces.append(1)
        return x * factor

    for value in (0.5, 2.0, -0.0):
        result = scaled(X, kind(value))
        assert result.dtype == np.float32
        np.testing.assert_array_equal(result, X * np.float32(value))
        np.testing.assert_array_equal(np.signbit(result), np.signbit(X * np.float32(value)))
    assert len(traces) == 1
    assert scaled(X.astype("float64"), np.float64(0.1))[0, 0] == np.float64(0.1)
    assert ops.stack([X[0, 0], np.float64(1)]).dtype == np.float64


def test_floats_of_numpy_share_a_plan_under_a_tape():
    x = keras.Variable([3.0])
    traces = []

    def f(factor):
        traces.append(1)
        return ops.sum(x * factor)

    step = keras.value_and_grad(f, [x])
    for factor in (2.0, 5.0):
        with keras.GradientTape() as tape:
            y = ops.multiply(x, np.float32(factor))
        assert tape.gradient(y, x) == factor
        value, (gradient,) = step(np.float64(factor))
        assert (value, gradient, value.dtype) == (3 * factor, factor, np.float32)
    assert len(traces) == 1


# ---- arrays as arguments that are no data ----

A = np.arange(6, dtype="float32").reshape(2, 3)


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (lambda: ops.slice(A, np.array([0, 1]), np.array([2, 1])), A[:, 1:2]),
        (lambda: ops.slice_update(A, np.array([1, 1]), [[9.0]]), [[0, 1, 2], [3, 9, 5]]),
        (lambda: ops.repeat(A, np.array(2), np.int64(1)), np.repeat(A, 2, 1)),
        (lambda: ops.repeat(A, np.array([2, 0]), axis=np.array(0)), np.repeat(A, [2, 0], 0)),
        (lambda: ops.tile(A, np.array([1, 2])), np.tile(A, [1, 2])),
        (lambda: ops.reshape(A, np.array([3, 2])), A.reshape(3, 2)),
        (lambda: ops.reshape(A, newshape=(np.array(3), -1)), A.reshape(3, 2)),
        (lambda: ops.pad(A, np.array([[0, 1], [1, 0]])), np.pad(A, [[0, 1], [1, 0]])),
        (
            lambda: ops.pad(A, 1, constant_values=np.array(7.0)),
            np.pad(A, 1, constant_values=7.0),
        ),
        (lambda: ops.split(A, np.array([1]), 1)[1], A[:, 1:]),
        (lambda: ops.quantile(A, np.array([0.0, 1.0])), [0, 5]),
        (lambda: ops.percentile(A, np.array(100)), 5),
        (lambda: ops.fori_loop(np.array(0), np.array(3), lambda i, v: v + i, 0), 3),
        (lambda: ops.arange(np.array(3)), [0, 1, 2]),
        (lambda: ops.transpose(A, np.array([1, 0])), A.T),
        (lambda: ops.full(np.array([2]), 3.0), [3, 3]),
        (lambda: ops.one_hot(np.array([1]), np.array(2)), [[0, 1]]),
        (lambda: ops.sum(A, axis=np.array([0, 1])), 15),
        (lambda: ops.round(A / 8, np.float64(1)), np.round(A / 8, 1)),
        (lambda: ops.roll(A, 1, axis=(0, 1)), np.roll(A, 1, (0, 1))),
        (lambda: ops.roll(A, np.array([1, 2]), axis=1), np.roll(A, [1, 2], 1)),
        (lambda: ops.diagonal(A, np.int64(1)), np.diagonal(A, 1)),
        (lambda: ops.kaiser(3, np.float64(2.0)), np.kaiser(3, 2.0)),
        (lambda: ops.leaky_relu(-A, np.float32(0.5)), -A / 2),
        (lambda: ops.top_k(A, np.array(1))[0], [[2], [5]]),
        (lambda: ops.full_like(A, np.float64(2)), np.full((2, 3), 2.0)),
        (lambda: ops.eye(np.array(2)), np.eye(2)),
        (lambda: ops.hanning(np.array(3)), np.hanning(3)),
        (lambda: ops.expand_dims(A, np.array([0, 1])).shape, (1, 1, 2, 3)),
        (
            lambda: ops.zeros(keras.Variable([2, 1], dtype="int32", trainable=False)),
            np.zeros((2, 1)),
        ),
    ],
)
def test_arrays_as_arguments_that_are_no_data(call, expected):
    np.testing.assert_allclose(call(), expected, rtol=1e-6)


def test_arrays_as_arguments_of_a_function_being_traced_and_of_placeholders():
    def f(x):
        return ops.sum(ops.transpose(x, np.array([1, 0])), axis=np.array([1]))

    np.testing.assert_array_equal(keras.ops.map(f, A[None])[0], A.sum(0))
    placeholder = keras.Input((2, 3))
    model = keras.Model(placeholder, ops.transpose(placeholder, np.array([0, 2, 1])))
    np.testing.assert_array_equal(model.predict(A[None], verbose=0)[0], A.T)


# ---- buffers that the caller writes to ----


def test_convert_to_tensor_copies():
    buffer = np.zeros(3, "float32")
    tensor = ops.convert_to_tensor(buffer)
    buffer[:] = 1
    assert tensor.tolist() == [0, 0, 0]
    assert ops.convert_to_tensor(tensor) is tensor


def test_the_tape_keeps_the_data_as_they_were():
    dense = keras.layers.Dense(1, use_bias=False, kernel_initializer="ones")
    buffer = np.ones((1, 2), "float32")
    with keras.GradientTape() as tape:
        loss = ops.sum(dense(buffer))
        buffer[:] = 100
    np.testing.assert_array_equal(tape.gradient(loss, dense.trainable_variables)[0], [[1], [1]])
