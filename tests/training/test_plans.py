"""Which plan a step takes: what has to match what it was traced with, and what it keeps."""

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
