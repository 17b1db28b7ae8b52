"""Steps that users write: train_step, test_step, predict_step, compute_loss, compute_metrics."""

import warnings

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers, ops


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


rng = np.random.default_rng(1)
X = rng.normal(size=(20, 5, 2)).astype("float32")
Y = X.sum(-1, keepdims=True)
W = rng.uniform(0.5, 1.5, size=20).astype("float32")
unpack = keras.utils.unpack_x_y_sample_weight


def network(cls=keras.Model, **options):
    inputs = keras.Input((None, 2))
    x = layers.GRU(4, return_sequences=True)(inputs)
    x = layers.BatchNormalization()(x)
    return cls(inputs, layers.Dense(1)(x), **options)


class Taped(keras.Model):
    """The train_step of the guide, with the tape."""

    def train_step(self, data):
        x, y, sample_weight = unpack(data)
        with keras.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred, sample_weight=sample_weight)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss, sample_weight=float(x.shape[0]))
            else:
                metric.update_state(y, y_pred)
        return {metric.name: metric.result() for metric in self.metrics}


class AsInKeras2(keras.Model):
    """With `compiled_loss` and `compiled_metrics`, or with one of them."""

    def loss_of(self, y, y_pred, sample_weight):
        return self.compiled_loss(y, y_pred, sample_weight, regularization_losses=self.losses)

    def train_step(self, data):
        x, y, sample_weight = unpack(data)
        with keras.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.loss_of(y, y_pred, sample_weight)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        self.compiled_metrics.update_state(y, y_pred, sample_weight)
        return {metric.name: metric.result() for metric in self.metrics}

    def test_step(self, data):
        x, y, sample_weight = unpack(data)
        y_pred = self(x, training=False)
        self.loss_of(y, y_pred, sample_weight)
        self.compiled_metrics.update_state(y, y_pred, sample_weight)
        return {metric.name: metric.result() for metric in self.metrics}


class HalfAsInKeras2(AsInKeras2):
    def loss_of(self, y, y_pred, sample_weight):
        return self.compute_loss(y=y, y_pred=y_pred, sample_weight=sample_weight)


class OwnTest(keras.Model):
    def test_step(self, data):
        x, y, sample_weight = unpack(data)
        y_pred = self(x, training=False)
        loss = self.compute_loss(x, y, y_pred, sample_weight, training=False)
        self.metrics[0].update_state(loss, sample_weight=float(x.shape[0]))
        return self.compute_metrics(x, y, y_pred, sample_weight)


class Supered(keras.Model):
    """Every method there is, handed on."""

    def train_step(self, data):
        return dict(super().train_step(data))

    def test_step(self, data):
        return super().test_step(data)

    def predict_step(self, data):
        return super().predict_step(data)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
        return super().compute_loss(x, y, y_pred, sample_weight)

    def compute_metrics(self, x, y, y_pred, sample_weight=None):
        return super().compute_metrics(x, y, y_pred, sample_weight)


class Looking(Taped):
    """Needs values, so that it can't be traced."""

    def train_step(self, data):
        logs = super().train_step(data)
        assert float(logs["loss"]) > 0
        return logs


def trained(cls, run_eagerly=False, optimizer="adam", **fit):
    keras.utils.set_random_seed(3)
    model = network(cls)
    model.compile(optimizer, "mse", metrics=["mae"], run_eagerly=run_eagerly)
    options = {"epochs": 2, "batch_size": 8, "verbose": 0, "validation_data": (X[:6], Y[:6])}
    history = model.fit(X, Y, **{**options, **fit})
    return model, history.history


@pytest.mark.parametrize("eager", [False, True])
@pytest.mark.parametrize("cls", [Taped, AsInKeras2, HalfAsInKeras2, OwnTest, Supered, keras.Model])
def test_written_steps_do_what_fit_does(cls, eager):
    model, history = trained(cls, eager)
    reference, expected = trained(keras.Model)
    assert list(history) == list(expected)
    for name in expected:
        np.testing.assert_allclose(history[name], expected[name], rtol=2e-5)
    for a, b in zip(model.get_weights(), reference.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=2e-6)
    np.testing.assert_allclose(
        model.predict(X, verbose=0), reference.predict(X, verbose=0), rtol=1e-4, atol=1e-5
    )
    np.testing.assert_allclose(
        model.evaluate(X, Y, verbose=0), reference.evaluate(X, Y, verbose=0), rtol=1e-4
    )
    assert model.optimizer.iterations.numpy() == 6


def test_sample_weights_reach_the_step():
    for weights in ({"sample_weight": W}, {"class_weight": None}):
        _, history = trained(Taped, **weights)
        assert history["loss"] == pytest.approx(trained(keras.Model, **weights)[1]["loss"], 1e-4)


def test_a_traced_step_is_python_once_per_shape():
    calls = []

    class Counting(Taped):
        def train_step(self, data):
            calls.append(type(unpack(data)[0]).__name__)
            return super().train_step(data)

    trained(Counting)  # batches of 8 and of 4
    assert calls == ["Tensor", "Tensor"]


def test_run_eagerly_shows_arrays_at_every_batch():
    seen = []

    class Inner(layers.Layer):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            seen.append(float(x[0, 0, 0]))
            return self.dense(x)

    model = keras.Sequential([Inner()])
    model.compile("sgd", "mse", run_eagerly=True)
    assert model.run_eagerly
    model.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
    assert seen == [pytest.approx(X[i, 0, 0]) for i in (0, 8, 16)]


def test_a_step_that_looks_at_values_runs_as_python_and_says_so():
    with pytest.warns(UserWarning, match=r"Looking\.train_step runs as plain Python.*float\(\)"):
        _, history = trained(Looking)
    assert history["loss"] == pytest.approx(trained(keras.Model)[1]["loss"], rel=1e-4)


class Adversary(keras.Model):
    """Two optimizers, as in a GAN: first the critic by its loss, then the generator by its."""

    def __init__(self):
        super().__init__()
        self.generator, self.critic = layers.Dense(2), layers.Dense(1)
        self.rate = keras.metrics.Mean(name="rate")

    def call(self, x):
        return self.critic(self.generator(x))

    def compile(self, first, second):
        super().compile()
        self.first, self.second = first, second

    def train_step(self, x):
        with keras.GradientTape() as tape:
            loss = ops.mean(self(x) ** 2)
        self.first.apply(tape.gradient(loss, self.critic.trainable_weights),
                         self.critic.trainable_weights)  # fmt: skip
        with keras.GradientTape() as tape:
            other = -ops.mean(self(x) ** 2)
        self.second.apply(tape.gradient(other, self.generator.trainable_weights),
                          self.generator.trainable_weights)  # fmt: skip
        self.rate.update_state(loss)
        return {"rate": self.rate.result(), "other": other}


def test_two_optimizers():
    model = Adversary()
    model(X)
    generator, critic = (layer.kernel.numpy() for layer in (model.generator, model.critic))
    model.compile(keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.1))
    with pytest.warns(UserWarning, match=r"used after optimizer\.apply"):
        history = model.fit(X, batch_size=20, verbose=0).history
    flat = X.reshape(-1, 2).astype(float)
    hidden = flat @ generator
    assert history["rate"] == [pytest.approx(((hidden @ critic) ** 2).mean(), rel=1e-4)]
    n, error = len(flat), hidden @ critic
    critic = critic - 0.1 * 2 / n * hidden.T @ error
    bias = -0.1 * 2 / n * error.sum()
    error = hidden @ critic + bias
    assert history["other"] == [pytest.approx(-(error**2).mean(), rel=1e-4)]
    generator = generator + 0.1 * 2 / n * flat.T @ (error @ critic.T)
    np.testing.assert_allclose(model.critic.kernel, critic, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(model.generator.kernel, generator, rtol=1e-4, atol=1e-6)


def test_compute_loss_and_metrics_of_ones_own():
    """A loss without `compile(loss=)`, and metrics that are attributes, as in a VAE."""

    class Own(keras.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.tracker = keras.metrics.Mean(name="half")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None):
            loss = ops.mean((y_pred - y) ** 2) / 2
            self.tracker.update_state(loss)
            return loss

        @property
        def metrics(self):
            return [self.tracker]

    keras.utils.set_random_seed(3)
    model = network(Own)
    model.compile("adam")
    history = model.fit(X, Y, epochs=2, batch_size=10, shuffle=False, verbose=0).history
    assert list(history) == ["loss", "half"]
    keras.utils.set_random_seed(3)
    reference = network()
    reference.compile("adam", loss=lambda y, p: ops.mean((y - p) ** 2) / 2)
    expected = reference.fit(X, Y, epochs=2, batch_size=10, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["half"], expected["loss"], rtol=1e-5)


def test_metrics_of_layers():
    class Measured(layers.Layer):
        def __init__(self):
            super().__init__()
            self.size = keras.metrics.Mean(name="size")

        def call(self, x):
            self.size.update_state(ops.abs(x))
            return x

    model = keras.Sequential([keras.Input((5, 2)), Measured(), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert [m.name for m in model.metrics] == ["loss", "size"]
    history = model.fit(X, Y, epochs=2, verbose=0).history
    np.testing.assert_allclose(history["size"], [np.abs(X).mean()] * 2, rtol=1e-5)


def test_compute_metrics_adds_to_the_logs():
    class More(keras.Model):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            results["largest"] = ops.max(ops.abs(y - y_pred))
            return results

    model = network(More)
    model.compile("sgd", "mse", metrics=["mae"])
    logs = model.evaluate(X, Y, batch_size=20, return_dict=True, verbose=0)
    error = np.abs(model.predict(X, verbose=0) - Y)
    assert list(logs) == ["loss", "mae", "largest"]
    assert logs["largest"] == pytest.approx(error.max(), rel=1e-5)
    assert logs["mae"] == pytest.approx(error.mean(), rel=1e-5)


def test_predict_step_without_compile():
    class Twice(keras.Model):
        def predict_step(self, data):
            return 2.0 * super().predict_step(data)

    model = network(Twice)
    np.testing.assert_allclose(model.predict(X, verbose=0), 2 * model(X).numpy(), rtol=1e-5)
    np.testing.assert_allclose(model.predict_on_batch(X), 2 * model(X).numpy(), rtol=1e-5)


def test_train_on_batch_runs_the_step():
    model = network(Taped)
    model.compile("sgd", "mse", metrics=["mae"])
    before = model.predict(X, verbose=0)
    logs = model.train_on_batch(X, Y, return_dict=True)
    assert list(logs) == ["loss", "mae"]
    assert not np.array_equal(before, model.predict(X, verbose=0))


def test_several_outputs():
    def build(cls):
        keras.utils.set_random_seed(1)
        inputs = keras.Input((5, 2))
        a = layers.Dense(1, name="a")(inputs)
        b = layers.Dense(1, name="b")(inputs)
        model = cls(inputs, [a, b])
        model.compile("sgd", "mse", loss_weights=[1.0, 0.5], metrics=[["mae"], ["mse"]])
        return model.fit(X, [Y, 2 * Y], epochs=2, batch_size=8, verbose=0).history

    history, expected = build(Supered), build(keras.Model)
    assert list(history) == list(expected)
    for name in expected:
        np.testing.assert_allclose(history[name], expected[name], rtol=1e-4)


def test_frozen_layers_stay():
    model = network(Taped)
    model.layers[1].trainable = False
    model.compile("adam", "mse")
    before = model.layers[1].get_weights()
    model.fit(X, Y, verbose=0)
    for a, b in zip(before, model.layers[1].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_dropout_under_a_written_step_is_reproducible():
    def run():
        keras.utils.set_random_seed(5)
        inputs = keras.Input((5, 2))
        model = Taped(inputs, layers.Dense(1)(layers.Dropout(0.5)(inputs)))
        model.compile("sgd", "mse")
        return model.fit(X, Y, epochs=2, batch_size=8, verbose=0).history["loss"]

    assert run() == run()


def test_what_a_step_must_return():
    class Silent(keras.Model):
        def train_step(self, data):
            return 3.0

    model = network(Silent)
    model.compile("sgd", "mse")
    with pytest.raises(TypeError, match=r"Silent\.train_step must return a dict"):
        model.fit(X, Y, verbose=0)
    with pytest.raises(ValueError, match="tuple of 4"):
        unpack((1, 2, 3, 4))


@pytest.mark.parametrize("result", [None, 5.0, [1.0], {"loss": "a"}, {"loss": None}])
def test_a_step_that_returns_no_logs_changes_nothing(result):
    class Silent(keras.Model):
        def train_step(self, data):
            super().train_step(data)
            return result

    model = network(Silent)
    model.compile("sgd", "mse")
    before = model.get_weights()
    with pytest.raises(TypeError, match=r"Silent\.train_step must return"):
        model.fit(X, Y, verbose=0)
    assert int(model.optimizer.iterations) == 0
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


class Adversarial(keras.Model):
    """Two nets with an optimizer each, as in Keras's examples: no `call`, its own compile."""

    def __init__(self):
        super().__init__()
        self.judge = keras.Sequential([layers.Dense(4, "relu"), layers.Dense(1)])
        self.maker = keras.Sequential([layers.Dense(4, "relu"), layers.Dense(2)])
        self.judged = keras.metrics.Mean(name="judged")
        self.made = keras.metrics.Mean(name="made")

    def compile(self, judge_optimizer, maker_optimizer):
        super().compile()
        self.optimizers = judge_optimizer, maker_optimizer
        self.error = keras.losses.BinaryCrossentropy(from_logits=True)

    def _step(self, net, optimizer, loss):
        with keras.GradientTape() as tape:
            value = loss()
        variables = net.trainable_weights
        optimizer.apply_gradients(zip(tape.gradient(value, variables), variables, strict=True))
        return value

    def train_step(self, real):
        n = ops.shape(real)[0]
        made = self.maker(keras.random.normal((n, 3), seed=1))
        labels = ops.concatenate([ops.ones((n, 1)), ops.zeros((n, 1))], 0)
        both = ops.concatenate([made, real], 0)
        judge, maker = self.optimizers
        loss = self._step(self.judge, judge, lambda: self.error(labels, self.judge(both)))
        self.judged.update_state(loss)
        noise = keras.random.normal((n, 3), seed=2)
        loss = self._step(
            self.maker,
            maker,
            lambda: self.error(ops.zeros((n, 1)), self.judge(self.maker(noise))),
        )
        self.made.update_state(loss)
        return {"judged": self.judged.result(), "made": self.made.result()}


def test_a_model_without_call():
    model = Adversarial()
    model.compile(keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.01))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        history = model.fit(X[:, 0], batch_size=10, epochs=2, verbose=0).history
    assert list(history) == ["judged", "made"] and len(history["made"]) == 2
    assert len(model.judge.weights) == len(model.maker.weights) == 4
    np.testing.assert_array_less(0.0, np.abs(model.judge.layers[0].get_weights()[1]).max())
    with pytest.raises(NotImplementedError, match="Adversarial has no method `call"):
        model(X[:, 0])
