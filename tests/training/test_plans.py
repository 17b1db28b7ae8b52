"""Which plan a step takes: what has to match what it was traced with, and what it keeps."""

import pickle

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


ONES = np.ones((4, 3), "float32")


# ---- dicts in another order ----


class Difference(keras.Model):
    """a - b, of a dict."""

    def call(self, inputs):
        return inputs["a"] - inputs["b"]


class WrittenDifference(Difference):
    def train_step(self, data):
        return super().train_step(data)

    def test_step(self, data):
        return super().test_step(data)

    def predict_step(self, data):
        return super().predict_step(data)


@pytest.mark.parametrize("kind", [Difference, WrittenDifference])
def test_inputs_go_by_name_in_any_order(kind):
    one = {"a": ONES * 3, "b": ONES}
    other = {"b": ONES, "a": ONES * 3}
    model = kind()
    model.compile(keras.optimizers.SGD(0.0), "mse")
    for x in (one, other, one):
        assert (model.predict(x, verbose=0) == 2.0).all()
        assert (model.predict_on_batch(x) == 2.0).all()
        assert model.evaluate(x, ONES * 5, verbose=0) == 9.0
        assert model.train_on_batch(x, ONES * 5) == 9.0
        assert model.test_on_batch(x, ONES * 5) == 9.0
    logs = model.fit(one, ONES * 5, validation_data=(other, ONES * 5), verbose=0).history
    assert (logs["loss"], logs["val_loss"]) == ([9.0], [9.0])


def two_outputs(**options):
    x = layers.Input((3,))
    names = ("p", "q")
    model = keras.Model(x, {name: layers.Identity(name=name)(x) for name in names})
    model.compile(keras.optimizers.SGD(0.0), {"p": "mse", "q": "mse"}, **options)
    return model


def test_targets_and_weights_go_by_name_in_any_order():
    p, q = ONES * 3, ONES  # losses 4 and 0
    w, v = np.full(4, 2.0), np.full(4, 0.5)
    model = two_outputs()
    for y in ({"p": p, "q": q}, {"q": q, "p": p}, [p, q]):
        assert model.evaluate(ONES, y, verbose=0) == [4.0, 4.0, 0.0]
        assert model.train_on_batch(ONES, y) == [4.0, 4.0, 0.0]
        logs = model.fit(ONES, y, verbose=0).history
        assert (logs["p_loss"], logs["q_loss"]) == ([4.0], [0.0])
        for weight in ({"p": w, "q": v}, {"q": v, "p": w}, [w, v]):
            assert model.evaluate(ONES, y, sample_weight=weight, verbose=0) == [8.0, 8.0, 0.0]


# ---- one metric, several models ----


def far_off(metrics, by=0.0):
    """A model that predicts `by`."""
    model = keras.Sequential([layers.Input((3,)), layers.Lambda(lambda x: x * 0.0 + by)])
    model.compile(keras.optimizers.SGD(0.0), "mse", metrics=metrics)
    return model


def test_a_metric_object_serves_two_models_in_turn():
    metric = keras.metrics.MeanAbsoluteError(name="mae")
    one, other = far_off([metric], 1.0), far_off([metric], 4.0)
    for _ in range(2):
        assert one.evaluate(ONES, ONES * 3, verbose=0) == [4.0, 2.0]
        assert other.evaluate(ONES, ONES * 5, verbose=0) == [1.0, 1.0]
        assert float(metric.result()) == 1.0
        assert one.fit(ONES, ONES * 3, verbose=0).history["mae"] == [2.0]
        assert other.train_on_batch(ONES, ONES * 5) == [1.0, 1.0]


def test_a_metric_object_serves_the_same_model_compiled_anew():
    metric = keras.metrics.MeanAbsoluteError(name="mae")
    model = far_off([metric])
    model.evaluate(ONES, ONES, verbose=0)
    model.compile("sgd", "mae", metrics=[metric, "mse"])
    assert model.evaluate(ONES, ONES * 2, verbose=0) == [2.0, 2.0, 4.0]


# ---- random numbers in inference ----


class AlwaysDropping(keras.Model):
    def __init__(self):
        super().__init__()
        self.drop = layers.Dropout(0.5, seed=3)

    def call(self, inputs):
        return self.drop(inputs, training=True)


class AlwaysDroppingByHand(AlwaysDropping):
    def train_step(self, data):
        return super().train_step(data)

    def predict_step(self, data):
        return super().predict_step(data)


@pytest.mark.parametrize("kind", [AlwaysDropping, AlwaysDroppingByHand])
def test_each_batch_and_each_predict_draws_anew(kind):
    x = np.ones((4, 50), "float32")
    model = kind()
    first = [model.predict(x, batch_size=2, verbose=0) for _ in range(2)]
    halves = [half for y in first for half in (y[:2], y[2:])]
    assert len({half.tobytes() for half in halves}) == 4
    assert set(np.unique(first)) == {0.0, 2.0}
    again = kind()
    assert (again.predict(x, batch_size=2, verbose=0) == first[0]).all()


@pytest.mark.parametrize("kind", [AlwaysDropping, AlwaysDroppingByHand])
def test_drawing_in_inference_leaves_training_as_it_was(kind):
    x = np.ones((4, 50), "float32")

    def losses(between):
        model = kind()
        model.compile("sgd", "mse")
        found = []
        for _ in range(3):
            found.append(model.train_on_batch(x, x * 0))
            between(model)
        return found

    assert losses(lambda model: model.predict(x, verbose=0)) == losses(lambda model: None)


def test_evaluate_draws_anew_for_each_batch_however_many_run_at_once():
    x = np.random.default_rng(0).normal(size=(640, 7)).astype("float32")
    y = np.zeros_like(x)
    alone, together = AlwaysDropping(), AlwaysDropping()
    for model in (alone, together):
        model.compile("sgd", "mse")
    each = [alone.test_on_batch(x[i : i + 2], y[i : i + 2]) for i in range(0, 640, 2)]
    assert together.evaluate(x, y, batch_size=2, verbose=0) == pytest.approx(
        np.mean(each), rel=1e-6
    )


# ---- targets that no loss looks at ----


@pytest.mark.parametrize(
    ("loss", "targets", "expected"),  # as Keras 3.15.1 on TensorFlow
    [
        (["mse", None], lambda y: y, 1.0),
        (["mse", None], lambda y: [y], 1.0),
        (["mse", None], lambda y: [y, None], 1.0),
        (["mse", None], lambda y: [y, 3 * y], 1.0),
        (["mse", None], lambda y: {"p": y}, 1.0),
        ([None, "mse"], lambda y: y, 1.0),
        ([None, "mse"], lambda y: [None, y], 1.0),
        ([None, "mse"], lambda y: [y, 3 * y], 9.0),
        ([None, "mse"], lambda y: {"p": y, "q": 3 * y}, 9.0),
    ],
)
@pytest.mark.parametrize("written", [False, True])
@pytest.mark.filterwarnings("ignore:There are no gradients for the variables")
def test_outputs_without_a_loss_need_no_targets(loss, targets, expected, written):
    class Written(keras.Model):
        def test_step(self, data):
            return super().test_step(data)

    x = layers.Input((3,))
    outputs = [layers.Dense(1, kernel_initializer="zeros", name=name)(x) for name in "pq"]
    model = (Written if written else keras.Model)(x, outputs)
    model.compile(keras.optimizers.SGD(0.0), loss)
    y = targets(ONES[:, :1])
    assert model.evaluate(ONES, y, verbose=0) == expected
    history = model.fit(ONES, y, validation_split=0.5, verbose=0).history
    assert history == {"loss": [expected], "val_loss": [expected]}


def test_targets_that_a_loss_or_a_metric_needs_are_asked_for():
    x = layers.Input((3,))
    model = keras.Model(x, [layers.Dense(1, name=name)(x) for name in "pq"])
    model.compile("sgd", ["mse", None])
    with pytest.raises(ValueError, match="loss of output 'p' needs targets, got none"):
        model.fit(ONES, [None, ONES[:, :1]], verbose=0)
    model.compile("sgd", ["mse", None], metrics=[None, ["mae"]])
    with pytest.raises(
        ValueError, match="Got 1 arrays of targets for a model with 2 outputs: p, q"
    ):
        model.fit(ONES, ONES[:, :1], verbose=0)


# ---- attributes of layers, which are constants of a plan ----


class Scaled(layers.Layer):
    k = 1.0

    def call(self, inputs):
        return inputs * self.k


def first(array):
    return float(np.ravel(array)[0])


def test_a_layer_called_on_arrays_sees_its_attributes_as_they_are():
    layer = Scaled()
    found = []
    for k in (1.0, 5.0, 5.0, 2.0):
        layer.k = k
        found.append(first(layer(ONES)))
    assert found == [1.0, 5.0, 5.0, 2.0]
    activation = layers.Activation("relu")
    assert first(activation(-ONES)) == 0.0
    activation.activation = keras.activations.linear
    assert first(activation(-ONES)) == -1.0


@pytest.mark.parametrize("wrap", [lambda x: keras.Sequential([x]), lambda x: Around([x])])
def test_so_does_what_is_around_the_layer(wrap):
    layer = Scaled()
    outer = wrap(layer)
    assert first(outer(ONES)) == 1.0
    layer.k = 5.0
    other = Scaled()
    assert (first(other(ONES)), first(outer(ONES))) == (1.0, 5.0)
    layer.k = 6.0
    with keras.GradientTape() as tape:
        x = keras.ops.convert_to_tensor(ONES)
        tape.watch(x)
        y = outer(x)
    assert first(tape.gradient(y, x)) == 6.0
    assert first(pickle.loads(pickle.dumps(layer))(ONES)) == 6.0


class Around(layers.Layer):
    def __init__(self, parts):
        super().__init__()
        self.parts = parts

    def call(self, inputs):
        for part in self.parts:
            inputs = part(inputs)
        return inputs


def test_random_numbers_go_on_after_a_change():
    layer = layers.Dropout(0.5, seed=1)
    x = np.ones((4, 50), "float32")
    found = []
    for note in "abc":
        layer.note = note
        found.append(layer(x, training=True).tobytes())
    assert len(set(found)) == 3


def test_a_layer_is_traced_once_while_nothing_changes():
    traces = []

    class Notes(Scaled):
        def call(self, inputs):
            traces.append(self.k)
            self.seen = inputs.shape  # while it is traced
            return super().call(inputs)

    layer, other = Notes(), Scaled()
    for k in (2.0, 2.0, 4.0):
        layer.k = float(str(k))  # another object each time
        other.k = k + 1.0
        layer.trainable = True
        for _ in range(2):
            other(layer(ONES))
    assert traces == [2.0, 4.0]


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin"])
def test_fit_sees_what_callbacks_set_before_the_first_step(hook):
    """As Keras 3.15.1: the first step is traced after these hooks, and then kept."""
    layer = Scaled()
    model = keras.Sequential([layers.Input((3,)), layer])
    model.compile(keras.optimizers.SGD(0.0), "mse")

    def to(k):
        callback = keras.callbacks.Callback()
        setattr(callback, hook, lambda *_: setattr(layer, "k", k))
        return [callback]

    assert model.fit(ONES, 0 * ONES, epochs=2, callbacks=to(3.0), verbose=0).history == {
        "loss": [9.0, 9.0]
    }
    assert model.fit(ONES, 0 * ONES, callbacks=to(7.0), verbose=0).history == {"loss": [9.0]}
    assert model.evaluate(ONES, 0 * ONES, verbose=0) == 49.0


def test_fit_traces_once_where_callbacks_set_nothing():
    traces = []

    class Notes(Scaled):
        def call(self, inputs):
            traces.append(inputs.shape)
            return super().call(inputs)

    model = keras.Sequential([layers.Input((3,)), Notes()])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    traces.clear()
    model.fit(ONES, ONES, epochs=2, verbose=0, callbacks=[keras.callbacks.Callback()])
    assert traces == [(4, 3)]
