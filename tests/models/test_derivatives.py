"""Jacobians and functions with a gradient of their own."""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers, ops

rng = np.random.default_rng(8)
X = rng.normal(size=(4, 3)).astype("float32")
W = rng.normal(size=(3, 2)).astype("float32")


def jacobian_of_formula():
    """d tanh(x W)[b, u] / d x[b, f] = (1 - y^2)[b, u] W[f, u], zero between samples."""
    slopes = 1 - np.tanh(X @ W) ** 2
    return np.einsum("bu,fu->buf", slopes, W)


def traced(fn):
    """The same inside of a function that is traced."""
    results = keras.value_and_grad(lambda x: (ops.sum(x), fn(x)), has_aux=True)
    return lambda x: results(x)[0][1]


@pytest.mark.parametrize("run", [lambda fn: fn, traced])
def test_jacobian(run):
    def fn(x):
        with keras.GradientTape(persistent=True) as tape:
            tape.watch(x)
            y = ops.tanh(x @ W)
        return tape.jacobian(y, x), tape.batch_jacobian(y, x)

    whole, each = run(fn)(ops.convert_to_tensor(X))
    expected = jacobian_of_formula()
    assert whole.shape == (4, 2, 4, 3) and each.shape == (4, 2, 3)
    np.testing.assert_allclose(each, expected, rtol=1e-5, atol=1e-6)
    for a in range(4):
        for b in range(4):
            part = expected[a] if a == b else np.zeros((2, 3))
            np.testing.assert_allclose(whole[a, :, b], part, rtol=1e-5, atol=1e-6)


def test_jacobian_of_a_recurrent_layer_by_its_weights():
    layer = layers.GRU(2)
    x = rng.normal(size=(2, 4, 3)).astype("float32")
    layer(x)
    with keras.GradientTape(persistent=True) as tape:
        y = layer(x)
    found = tape.jacobian(y, layer.trainable_weights)
    for b, u in np.ndindex(2, 2):
        with keras.GradientTape() as one:
            element = layer(x)[b, u]
        gradients = one.gradient(element, layer.trainable_weights)
        for jacobian, gradient in zip(found, gradients, strict=True):
            np.testing.assert_allclose(jacobian[b, u], gradient, rtol=1e-5, atol=1e-7)


def test_jacobian_by_what_the_target_does_not_depend_on():
    a, b = keras.Variable([1.0, 2.0]), keras.Variable(np.ones((2, 3), "float32"))
    with keras.GradientTape(persistent=True) as tape:
        y = a * a
    found = tape.jacobian(y, {"a": a, "b": b})
    np.testing.assert_allclose(found["a"], np.diag([2.0, 4.0]))
    assert found["b"] is None
    found = tape.jacobian(y, [b], unconnected_gradients="zero")
    np.testing.assert_array_equal(found[0], np.zeros((2, 2, 3)))
    found = tape.batch_jacobian(y, b, unconnected_gradients="zero")
    np.testing.assert_array_equal(found, np.zeros((2, 3)))


def test_jacobian_refused():
    a, x = keras.Variable(np.ones((2, 3), "float32")), ops.convert_to_tensor(X)
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = a * 2.0
    with pytest.raises(ValueError, match=r"batch in front.*\(2, 3\) and \(4, 3\)"):
        tape.batch_jacobian(y, x)
    with keras.GradientTape() as tape:
        y = a * 2.0
    tape.jacobian(y, a)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.jacobian(y, a)
    with pytest.raises(ValueError, match="unconnected_gradients must be"):
        keras.GradientTape().jacobian(y, a, "nil")
    with pytest.raises(ValueError, match="was not computed by layers and ops inside"):
        keras.GradientTape().jacobian(a.value, a)


# ---- functions with a gradient of their own ----


@ops.custom_gradient
def scaled_back(x, factor):
    """x; its gradient is `factor` times too large, and factor's is 7."""

    def grad(*args, upstream=None):
        if upstream is None:
            (upstream,) = args
        return upstream * factor, 7.0 * ops.ones_like(factor)

    return x, grad


def test_the_gradient_is_what_the_function_says():
    x, factor = keras.Variable([1.0, 2.0]), keras.Variable(3.0)
    with keras.GradientTape() as tape:
        y = scaled_back(x * x, factor)
        total = ops.sum(y * y)
    np.testing.assert_allclose(y, [1.0, 4.0])
    by_x, by_factor = tape.gradient(total, [x, factor])
    np.testing.assert_allclose(by_x, 3 * np.array([4.0, 32.0]))  # 3 d x^4
    assert float(by_factor) == 7.0


def test_one_after_the_other_and_side_by_side():
    x, two = keras.Variable(1.5), ops.convert_to_tensor(2.0)
    with keras.GradientTape(persistent=True) as tape:
        inner = scaled_back(x * 1.0, two)
        outer = scaled_back(inner * inner, two)
        beside = outer + inner + x
    assert float(tape.gradient(outer, x)) == pytest.approx(2 * 2 * 2 * 1.5)
    assert float(tape.gradient(beside, x)) == pytest.approx(12.0 + 2.0 + 1.0)


def test_second_derivatives_go_through_the_gradient():
    @ops.custom_gradient
    def cubed(x):
        return x * x * x, lambda upstream: upstream * 3.0 * x * x

    x = keras.Variable(2.0)
    with keras.GradientTape() as outer:
        with keras.GradientTape() as inner:
            y = cubed(x)
        first = inner.gradient(y, x)
    assert float(first) == 12.0 and float(outer.gradient(first, x)) == 12.0


class Clipped(keras.layers.Layer):
    """x, with its gradient clipped: what no formula of x can say."""

    def call(self, x):
        @ops.custom_gradient
        def clipped(x):
            return x, lambda upstream: ops.clip(upstream, -1e-3, 1e-3)

        return clipped(x)


ROUNDED = {"rtol": 0, "atol": 2e-7}  # the last bits of weights about 1, in float32


def test_in_a_model_that_trains():
    """The gradient by the bias is the sum over the batch of what was clipped."""
    y = rng.normal(size=(4, 2)).astype("float32")
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2), Clipped()])
    model.compile(keras.optimizers.SGD(1.0), "mse")
    before = model.get_weights()
    error = X @ before[0] - y
    model.fit(X, y, verbose=0)
    clipped = np.clip(2 * error / error.size, -1e-3, 1e-3)
    np.testing.assert_allclose(before[1] - model.get_weights()[1], clipped.sum(0), **ROUNDED)
    np.testing.assert_allclose(before[0] - model.get_weights()[0], X.T @ clipped, **ROUNDED)


def test_several_outputs_and_arguments_without_gradient():
    @ops.custom_gradient
    def parts(x, ids, scale=2.0):
        def grad(a, b):
            return 10.0 * a + b, None

        return (scale * x, ops.take(x, ids)), grad

    x = keras.Variable([1.0, 2.0])
    with keras.GradientTape(persistent=True) as tape:
        a, b = parts(x, np.array([1, 0]), scale=5.0)
        only_a, both = ops.sum(a), ops.sum(a) + 3.0 * ops.sum(b)
    np.testing.assert_allclose(a, [5.0, 10.0])
    np.testing.assert_allclose(b, [2.0, 1.0])
    np.testing.assert_allclose(tape.gradient(only_a, x), [10.0, 10.0])
    np.testing.assert_allclose(tape.gradient(both, x), [13.0, 13.0])


def test_refused():
    weight = keras.Variable(2.0, name="factor")
    x = keras.Variable([1.0, 2.0])

    def with_gradient(given):
        @ops.custom_gradient
        def f(x):
            return x, lambda upstream: given(upstream)

        with keras.GradientTape() as tape:
            y = f(x)
        return tape.gradient(y, x)

    with pytest.raises(ValueError, match="each of 1 arguments, got 2"):
        with_gradient(lambda upstream: (upstream, upstream))
    with pytest.raises(ValueError, match=r"shapes of the arguments; got \(\) for argument 0"):
        with_gradient(ops.sum)
    with pytest.raises(ValueError, match=r"uses the variable 'factor'.*an argument"):
        ops.custom_gradient(lambda x: (x * weight, lambda upstream: upstream))(x)
    step = ops.custom_gradient(lambda x: (x, lambda upstream: upstream))
    with pytest.raises(ValueError, match="inside a recurrent step or a scan"):
        ops.scan(lambda carry, x: (step(carry + x), None), 0.0, X[:, 0])
