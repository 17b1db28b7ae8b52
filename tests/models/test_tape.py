"""GradientTape and value_and_grad: against finite differences, formulas, and a step of fit."""

import copy
import gc
import pickle
import weakref

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers, ops


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


X = np.random.default_rng(0).normal(size=(8, 5, 3)).astype("float32")
Y = np.random.default_rng(1).normal(size=(8, 1)).astype("float32")
mse = keras.losses.MeanSquaredError()


def recurrent(*more):
    return keras.Sequential(
        [
            layers.GRU(4, return_sequences=True, input_shape=[None, 3]),
            *more,
            layers.LSTM(3),
            layers.Dense(1),
        ]
    )


def gradient_of_fit(model, x, y):
    """Weights before less weights after a step of SGD at rate 1."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.compile(loss="mse", optimizer=keras.optimizers.SGD(1.0))
    before = [v.numpy() for v in copy.trainable_variables]
    copy.train_on_batch(x, y)
    pairs = zip(before, copy.trainable_variables, strict=True)
    return [b - v.numpy() for b, v in pairs]


def assert_all_close(found, expected, **tolerance):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, **{"rtol": 1e-4, "atol": 1e-5, **tolerance})


def test_the_gradient_of_a_model_is_that_of_fit():
    model = recurrent(layers.BatchNormalization())
    expected = gradient_of_fit(model, X, Y)
    with keras.GradientTape() as tape:
        loss = mse(Y, model(X, training=True))
    assert_all_close(tape.gradient(loss, model.trainable_variables), expected)
    step = keras.value_and_grad(lambda x, y: mse(y, model(x, training=True)), model)
    value, gradients = step(X, Y)
    assert float(value) == pytest.approx(float(loss), rel=1e-5)
    assert_all_close(gradients, expected)


def test_a_loop_of_ones_own_is_the_same_as_fit():
    models = [recurrent(), recurrent()]
    models[1].set_weights(models[0].get_weights())
    models[0].compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
    models[0].fit(X, Y, epochs=3, batch_size=4, shuffle=False, verbose=0)
    model, optimizer = models[1], keras.optimizers.Adam(0.01)
    for _ in range(3):
        for rows in (slice(0, 4), slice(4, 8)):
            with keras.GradientTape() as tape:
                loss = mse(Y[rows], model(X[rows], training=True))
            gradients = tape.gradient(loss, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    assert_all_close(model.get_weights(), models[0].get_weights())


def test_values_are_there_inside_the_block():
    model = recurrent()
    with keras.GradientTape() as tape:
        prediction = model(X)
        loss = ops.mean((Y - prediction) ** 2)
        assert float(loss) == pytest.approx(float(np.mean((Y - model.predict(X, verbose=0)) ** 2)))
        if loss > 0:
            loss = loss * 2.0
    by_two = tape.gradient(loss, model.trainable_variables)
    expected = gradient_of_fit(model, X, Y)
    assert_all_close(by_two, [2 * g for g in expected])


def test_batches_of_one_shape_share_a_plan():
    model = recurrent()
    for i in range(3):
        with keras.GradientTape() as tape:
            loss = mse(Y + i, model(X + i, training=True))
        tape.gradient(loss, model.trainable_variables)
    (function,) = model.weights[-1].gradients.values()
    assert len(function._plans) == 1


def gradients_of_head(base):
    """A model on top of `base`, trained with a tape and dropped: weak references to it, and to
    the data."""
    head = keras.Sequential([*base, layers.Dense(1)])
    x = ops.convert_to_tensor(X.copy())
    with keras.GradientTape() as tape:
        loss = mse(Y, head(x, training=True)[:, -1])
    assert all(g is not None for g in tape.gradient(loss, head.trainable_variables))
    return weakref.ref(head), weakref.ref(head.weights[-1]), weakref.ref(x)


@pytest.mark.parametrize("shared", [False, True])
def test_tapes_let_go_of_models_and_data(shared):
    base = [layers.Dense(2)] if shared else []
    gone = [ref for _ in range(3) for ref in gradients_of_head(base)]
    gc.collect()
    assert [ref() for ref in gone] == [None] * 9


def test_tapes_let_go_of_variables():
    def by_hand():
        v = keras.Variable(X)
        with keras.GradientTape() as tape:
            loss = ops.sum(v * v)
        tape.gradient(loss, v)
        return weakref.ref(v)

    gone = by_hand()
    gc.collect()
    assert gone() is None


def test_copies_of_a_model_have_gradients_of_their_own():
    model = recurrent()
    for copied in (model, copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        with keras.GradientTape() as tape:
            loss = mse(Y, copied(X))
        found = tape.gradient(loss, copied.trainable_variables)
        assert_all_close(found, gradient_of_fit(copied, X, Y))


NUMPY_AND_OPS = {
    "operators": (lambda z: (2.0 * z - 1.0) ** 2 / (z * z + 3.0) - -z, None),
    "slices": (lambda z: z[1:, ::-1] * z[:-1, :], None),
    "methods": (lambda z: z.reshape(3, 2).sum(axis=0) * z.T.mean(), None),
    "numpy": (lambda z: np.tanh(z) + np.maximum(z, 0.3) * np.exp(z), None),
    "in place": (lambda z: _grown(z), None),
    "array in front": (lambda z: np.arange(6.0).reshape(2, 3) * z, None),
    "stack": (lambda z: ops.stack([z, z * z]), None),
}


def _grown(z):
    total = z * 1.0
    total += z * z
    total *= z
    return total


@pytest.mark.parametrize("name", NUMPY_AND_OPS)
def test_operators_methods_and_numpy_on_arrays(name):
    fn = NUMPY_AND_OPS[name][0]
    value = np.array([[0.2, -0.4, 0.7], [1.1, 0.5, -0.9]])
    weight = np.cos(np.arange(fn(value).size)).reshape(fn(value).shape)
    z = ops.convert_to_tensor(value)
    with keras.GradientTape() as tape:
        tape.watch(z)
        result = fn(z)
    np.testing.assert_allclose(result, fn(value), rtol=1e-12)
    found = tape.gradient(result, z, output_gradients=weight)
    for place in np.ndindex(value.shape):
        step = np.zeros_like(value)
        step[place] = 1e-6
        slope = ((fn(value + step) - fn(value - step)) * weight).sum() / 2e-6
        assert found[place] == pytest.approx(slope, rel=1e-6, abs=1e-8)


def test_second_derivative():
    z = ops.convert_to_tensor(np.arange(3.0))
    with keras.GradientTape() as outer:
        outer.watch(z)
        with keras.GradientTape() as inner:
            inner.watch(z)
            cube = z * z * z
        first = inner.gradient(cube, z)
    np.testing.assert_allclose(first, 3 * np.arange(3.0) ** 2)
    np.testing.assert_allclose(outer.gradient(first, z), 6 * np.arange(3.0))


PENALISED = {
    **{
        name: lambda name=name: [layers.Dense(4, name), layers.Flatten()]
        for name in ("tanh", "sigmoid", "relu", "elu", "gelu", "swish", "softmax")
    },
    "leaky_relu": lambda: [layers.Dense(4), layers.LeakyReLU(), layers.Flatten()],
    "conv": lambda: [layers.Conv1D(4, 2, activation="tanh"), layers.GlobalAveragePooling1D()],
    "norm": lambda: [layers.BatchNormalization(), layers.Dense(2, "tanh"), layers.Flatten()],
}


@pytest.fixture
def in_float64():
    keras.config.set_floatx("float64")
    yield
    keras.config.set_floatx("float32")


@pytest.mark.usefixtures("in_float64")
@pytest.mark.parametrize("name", PENALISED)
def test_gradient_penalty(name):
    """The slope of mean((|d critic / d x| - 1)^2) along a direction of all weights."""
    critic = keras.Sequential([keras.Input((5, 3)), *PENALISED[name](), layers.Dense(1)])
    x = ops.convert_to_tensor(X.astype("float64"))

    def penalty():
        with keras.GradientTape() as tape:
            tape.watch(x)
            score = critic(x, training=True)
        slopes = tape.gradient(score, x)
        return ops.mean((ops.sqrt(ops.sum(slopes**2, axis=(1, 2))) - 1.0) ** 2)

    variables = critic.trainable_variables
    with keras.GradientTape() as outer:
        value = penalty()
    found = outer.gradient(value, variables, unconnected_gradients="zero")
    start = [v.numpy() for v in variables]
    along = [np.random.default_rng(4).normal(size=v.shape) for v in variables]

    def at(step):
        for v, begin, direction in zip(variables, start, along, strict=True):
            v.assign(begin + step * direction)
        return float(penalty())

    slope = (at(1e-6) - at(-1e-6)) / 2e-6
    total = sum((g * d).sum() for g, d in zip(found, along, strict=True))
    assert total == pytest.approx(slope, rel=1e-6)


def test_second_derivatives_of_recurrent_layers_are_refused():
    x = ops.convert_to_tensor(X)
    lstm = layers.LSTM(2)
    with keras.GradientTape() as outer:
        with keras.GradientTape() as inner:
            inner.watch(x)
            y = lstm(x)
        slopes = inner.gradient(y, x)
    with pytest.raises(ValueError, match=r"lstm_grad.*second derivatives are not supported"):
        outer.gradient(slopes, lstm.trainable_variables)


def test_dropout_has_one_mask_for_value_and_gradient_and_another_per_call():
    dropout = layers.Dropout(0.5)
    w = keras.Variable(np.ones((4, 6), "float32"))
    with keras.GradientTape(persistent=True) as tape:
        a = dropout(ops.multiply(w, 1.0), training=True)
        b = dropout(ops.multiply(w, 1.0), training=True)
        total = ops.sum(a) + ops.sum(b)
    np.testing.assert_array_equal(tape.gradient(a, w), a)
    np.testing.assert_array_equal(tape.gradient(b, w), b)
    np.testing.assert_array_equal(tape.gradient(total, w), a + b)
    assert not np.array_equal(a, b)


def test_states_are_those_before_the_call():
    layer = layers.SimpleRNN(2, stateful=True, batch_input_shape=(8, 5, 3))
    layer(X)
    state = layer.states[0].numpy()
    with keras.GradientTape() as tape:
        loss = ops.sum(layer(X))
    found = tape.gradient(loss, layer.trainable_variables)
    plain = layers.SimpleRNN(2)
    plain(X)
    plain.set_weights(layer.get_weights()[:3])
    with keras.GradientTape() as tape:
        other = ops.sum(plain(X, initial_state=ops.convert_to_tensor(state)))
    assert float(loss) == pytest.approx(float(other), rel=1e-5)
    assert_all_close(found, tape.gradient(other, plain.trainable_variables))


def test_moving_statistics_move_once():
    layer = layers.BatchNormalization(momentum=0.5)
    with keras.GradientTape() as tape:
        loss = ops.sum(layer(X, training=True) ** 3)
    tape.gradient(loss, layer.trainable_variables)
    np.testing.assert_allclose(layer.moving_mean, 0.5 * X.mean((0, 1)), rtol=1e-4, atol=1e-6)


def test_losses_of_layers_are_followed():
    layer = layers.Dense(2, kernel_regularizer=keras.regularizers.L2(0.5), use_bias=False)
    layer(X)
    with keras.GradientTape() as tape:
        layer(X)
        loss = sum(layer.losses)
    np.testing.assert_allclose(tape.gradient(loss, layer.kernel), layer.kernel, rtol=1e-6)


def test_two_tapes_at_once():
    """As in a GAN: two losses over shared values, each with its own variables."""
    a, b = keras.Variable(2.0), keras.Variable(3.0)
    with keras.GradientTape() as first, keras.GradientTape() as second:
        product = a * b
        one, two = product * a, product * b
    assert float(first.gradient(one, a)) == pytest.approx(12.0)
    assert float(second.gradient(two, b)) == pytest.approx(12.0)


def test_structures_and_unconnected_sources():
    a, b = keras.Variable(2.0), keras.Variable([1.0, 1.0])
    with keras.GradientTape(persistent=True) as tape:
        square = a * a
    found = tape.gradient(square, {"a": a, "b": [b]})
    assert float(found["a"]) == 4.0 and found["b"] == [None]
    found = tape.gradient(square, [a, b], unconnected_gradients="zero")
    np.testing.assert_array_equal(found[1], [0.0, 0.0])


def test_only_watched_variables():
    a, b = keras.Variable(2.0), keras.Variable(3.0)
    with keras.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(b)
        product = a * b
    assert tape.gradient(product, [a, b]) == [None, 2.0]


def test_nothing_is_recorded_while_stopped():
    a = keras.Variable(2.0)
    with keras.GradientTape() as tape:
        with tape.stop_recording():
            factor = a * a
        product = a * factor
    assert float(tape.gradient(product, a)) == 4.0


def test_errors():
    a = keras.Variable(2.0)
    with keras.GradientTape() as tape:
        square = a * a
    outside = a * a
    with pytest.raises(ValueError, match="was not computed by layers and ops inside the tape"):
        tape.gradient(outside, a)
    tape.reset()
    with keras.GradientTape() as tape:
        square = a * a
    tape.gradient(square, a)
    with pytest.raises(RuntimeError, match="persistent=True"):
        tape.gradient(square, a)
    with keras.GradientTape() as tape:
        square = a * a
    a.assign(3.0)
    with pytest.raises(RuntimeError, match="has changed since it was used"):
        tape.gradient(square, a)
    with pytest.raises(TypeError, match=r"can't follow a ndarray.*convert_to_tensor"):
        tape.watch(np.zeros(3))
    with pytest.raises(ValueError, match="unconnected_gradients must be"):
        tape.gradient(square, a, unconnected_gradients="nil")


def test_value_and_grad_by_arguments_and_with_more_results():
    fn = keras.value_and_grad(lambda p: ops.sum(p["w"] * p["w"]) + 0.0 * ops.sum(p["b"]))
    value, gradient = fn({"w": np.arange(3.0), "b": np.ones(2)})
    assert float(value) == 5.0
    np.testing.assert_array_equal(gradient["w"], [0.0, 2.0, 4.0])
    np.testing.assert_array_equal(gradient["b"], [0.0, 0.0])
    w = keras.Variable([1.0, 2.0])
    fn = keras.value_and_grad(lambda x: (ops.sum(w * x), w * x), [w], has_aux=True)
    (value, product), (gradient,) = fn(np.array([3.0, 4.0], "float32"))
    assert float(value) == 11.0
    np.testing.assert_array_equal(product, [3.0, 8.0])
    np.testing.assert_array_equal(gradient, [3.0, 4.0])
    with pytest.raises(ValueError, match="must return a scalar"):
        keras.value_and_grad(lambda x: w * x, [w])(np.ones(2, "float32"))


def test_value_and_grad_sees_frozen_layers():
    model = keras.Sequential([layers.Dense(2, input_shape=[3]), layers.Dense(1)])
    step = keras.value_and_grad(lambda x: ops.mean(model(x)), model)
    assert len(step(X[:, 0])[1]) == 4
    model.layers[0].trainable = False
    assert len(step(X[:, 0])[1]) == 2


def closing_over(x):
    """Functions of x that give it to ops only by closing over it, and their gradients by x."""
    layer = layers.Lambda(lambda v: v * x)
    a = np.arange(6, dtype="float32").reshape(3, 2)
    return {
        "fori_loop": (lambda: ops.fori_loop(0, 3, lambda i, v: v * x, x), 4 * x**3),
        "scan": (lambda: ops.scan(lambda c, _: (c * x, c), x, length=3)[0], 4 * x**3),
        "map": (lambda: ops.map(lambda v: v * x, a) * x, 2 * x * a.sum(0)),
        "vectorized_map": (lambda: ops.vectorized_map(lambda v: x * v, a), a.sum(0)),
        "cond": (lambda: ops.cond(x.sum() > 0, lambda: (x * x).sum(), lambda: x.sum()), 2 * x),
        "switch": (lambda: ops.switch(x[0] > 0, [lambda: x, lambda: np.exp(x)]), np.exp(x)),
        "Lambda": (lambda: layer(x) * x, 3 * x**2),
        "list": (lambda: ops.map(lambda v: ops.stack([v, x[0]]), a[:, 0]), [3.0, 0.0]),
        "derived": (lambda: (lambda y: ops.map(lambda v: v * y, a))(x * x), 2 * x * a.sum(0)),
    }


@pytest.mark.parametrize("name", closing_over(np.ones(2, "float32")))
def test_arrays_that_functions_close_over_are_followed(name):
    x = ops.convert_to_tensor(np.array([1.0, 2.0], "float32"))
    function, expected = closing_over(x)[name]
    expected = np.array(expected)
    function()  # plans made before know nothing of the tape
    for _ in range(2):
        with keras.GradientTape() as tape:
            tape.watch(x)
            y = function()
        np.testing.assert_allclose(tape.gradient(y, x), expected, rtol=1e-5)


def test_second_derivative_through_a_closure():
    x = ops.convert_to_tensor(np.array([1.0, 2.0], "float32"))
    with keras.GradientTape() as outer:
        outer.watch(x)
        with keras.GradientTape() as inner:
            inner.watch(x)
            y = ops.fori_loop(0, 2, lambda i, v: v * x, x)
        first = inner.gradient(y, x)
    np.testing.assert_allclose(outer.gradient(first, x), 6 * x.numpy(), rtol=1e-5)


LOST = {
    "add.reduce": lambda x: np.add.reduce(x),
    "multiply.outer": lambda x: np.multiply.outer(x, np.ones(2, "float32")),
    "out=": lambda x: np.multiply(x, 2, out=np.zeros(4, "float32")),
    "dtype=": lambda x: np.multiply(x, 2, dtype="float64"),
    "divmod": lambda x: divmod(x, 2.0),
    "spacing": lambda x: np.spacing(x),
    "np.interp": lambda x: np.interp(x, [0.0, 9.0], [0.0, 1.0]),
}


@pytest.mark.parametrize("name", LOST)
def test_what_numpy_alone_would_make_a_constant_is_refused(name):
    x = ops.convert_to_tensor(np.arange(1.0, 5.0, dtype="float32"))
    LOST[name](x)
    with keras.GradientTape() as tape:
        tape.watch(x)
        LOST[name](x.numpy())
        with pytest.raises(TypeError, match=r"not followed .* x\.numpy\(\)"):
            LOST[name](x)
        assert np.isfinite(x).all()
        assert repr(x)
        assert float(x[0]) == 1.0


@pytest.mark.parametrize(
    "method", [lambda x: x.copy(), lambda x: x.diagonal(), lambda x: x.trace(),
               lambda x: x.cumprod(axis=1)]
)  # fmt: skip
def test_methods_of_arrays_are_followed(method):
    x = ops.convert_to_tensor(np.array([[1.0, 2.0], [3.0, 4.0]], "float32"))
    with keras.GradientTape() as tape:
        tape.watch(x)
        y = ops.sum(method(x) * ops.sum(x))

    def value(a):
        return float((method(a) * a.sum()).sum())

    expected = np.zeros((2, 2))
    for place in np.ndindex(2, 2):
        step = np.zeros((2, 2))
        step[place] = 1e-5
        expected[place] = (value(x.astype(float) + step) - value(x.astype(float) - step)) / 2e-5
    np.testing.assert_allclose(tape.gradient(y, x), expected, rtol=1e-4)


def test_wrong_targets_and_sources():
    v = keras.Variable([1.0, 2.0])
    with keras.GradientTape(persistent=True) as tape:
        y = v * 3.0
        whole = ops.cast(y, "int32")
    for seeds in (np.ones((3, 1)), np.ones(3), np.ones((1, 2))):
        with pytest.raises(
            ValueError, match=r"output_gradients of shape .* target of shape \(2,\)"
        ):
            tape.gradient(y, v, output_gradients=seeds)
    np.testing.assert_array_equal(
        tape.gradient(y, v, output_gradients=np.array([1.0, 2.0])), [3.0, 6.0]
    )
    for source in (None, 3, "a"):
        with pytest.raises(TypeError, match=f"variable or an array, got {source!r}"):
            tape.gradient(y, [v, source])
    with pytest.raises(ValueError, match="no target, only None"):
        tape.gradient(None, v)
    with pytest.raises(TypeError, match="must be an array, got 'a'"):
        tape.gradient("a", v)
    with pytest.raises(ValueError, match=r"must be a float, got .*int32"):
        tape.gradient(whole, v)
    np.testing.assert_array_equal(tape.gradient(v, v), [1.0, 1.0])
