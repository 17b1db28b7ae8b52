"""Optimizers that users write, and those that apply others: in `fit`, in steps of one's own, copied
and saved. Their numbers are compared with Keras by the golden rows `own_optimizers-*`."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers, ops, optimizers

X = np.random.default_rng(0).normal(size=(24, 5, 2)).astype(np.float32)
Y = X.sum(axis=1)


class Momentum(optimizers.Optimizer):
    def __init__(self, learning_rate=0.01, momentum=0.9, **kwargs):
        super().__init__(learning_rate, **kwargs)
        self.momentum = momentum

    def build(self, variables):
        super().build(variables)
        self.momenta = self.add_optimizer_variables(variables, "momentum")

    def update_step(self, gradient, variable, learning_rate):
        m = self.momenta[self._get_variable_index(variable)]
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign(m, self.momentum * m - rate * gradient)
        self.assign_add(variable, m)

    def get_config(self):
        return {**super().get_config(), "momentum": self.momentum}


def sgd(rate=0.05, **options):
    return optimizers.SGD(rate, momentum=0.9, **options)


def network(cls=keras.Sequential, constraint=None, dropout=0.0):
    keras.utils.set_random_seed(3)
    return cls(
        [
            keras.Input((5, 2)),
            layers.GRU(3, dropout=dropout),
            layers.Dense(2, kernel_constraint=constraint),
        ]
    )


def trained(optimizer, epochs=3, **options):
    model = network(**options)
    model.compile(optimizer, "mse")
    history = model.fit(X, Y, epochs=epochs, batch_size=8, shuffle=False, verbose=0)
    return model, history.history["loss"]


def same_weights(model, other, rtol=1e-5):
    for mine, theirs in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=rtol, atol=1e-6)


OPTIONS = {
    "plain": {},
    "clipped": {"clipnorm": 0.1},
    "accumulated": {"gradient_accumulation_steps": 2, "weight_decay": 0.1},
    "averaged": {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 4},
    "scaled": {"loss_scale_factor": 16.0, "global_clipnorm": 0.5},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_an_own_rule_is_as_good_as_the_one_in_the_core(options):
    mine, losses = trained(Momentum(0.05, **options))
    theirs, expected = trained(sgd(**options))
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    same_weights(mine, theirs)


def test_several_steps_are_one_call():
    """Each with dropout of its own, as with a rule in the core."""
    mine, losses = trained(Momentum(0.05), dropout=0.5)
    assert mine.optimizer.steps_alone
    theirs, expected = trained(sgd(), dropout=0.5)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    same_weights(mine, theirs)


def test_constraints_dropout_and_schedules():
    options = {"constraint": keras.constraints.MaxNorm(0.5), "dropout": 0.3}
    rate = optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    mine, losses = trained(Momentum(rate), **options)
    theirs, expected = trained(sgd(rate), **options)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    same_weights(mine, theirs)
    assert np.linalg.norm(mine.layers[-1].kernel, axis=0).max() <= 0.5 + 1e-6


def test_the_step_is_part_of_the_plan():
    model, _ = trained(Momentum(0.05), epochs=1)
    (plan,) = model._steps._plans.values()
    assert plan.updates == []
    assigned = {v.path for v in plan.assigned}
    assert {v.path for v in model.trainable_variables} < assigned
    assert {"momentum/iteration", "momentum/gru_gru_cell_kernel_momentum"} & assigned
    assert int(model.optimizer.iterations) == 3


@pytest.mark.parametrize("make", [lambda: Momentum(0.05), lambda: optimizers.Muon(0.05)])
def test_same_bits_with_any_number_of_threads(make):
    before, results = keras.num_threads(), []
    try:
        for threads in (1, 2, 3):
            keras.set_num_threads(threads)
            results.append(trained(make())[0].get_weights())
    finally:
        keras.set_num_threads(before)
    for weights in zip(*results, strict=True):
        assert all(np.array_equal(w, weights[0]) for w in weights)


def test_learning_rates_that_callbacks_set():
    def halved(epoch, rate):
        return rate / 2

    results = []
    for make in (Momentum, sgd):
        model = network()
        model.compile(make(0.2), "mse")
        scheduler = keras.callbacks.LearningRateScheduler(halved)
        model.fit(X, Y, epochs=3, shuffle=False, verbose=0, callbacks=[scheduler])
        results.append(model)
    same_weights(*results)
    assert float(results[0].optimizer.learning_rate) == pytest.approx(0.025)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Momentum(0.05, use_ema=True, gradient_accumulation_steps=2),
        lambda: optimizers.LossScaleOptimizer(optimizers.Adam(0.05)),
        lambda: optimizers.MultiOptimizer(
            optimizers.OptimizerMap(sgd(), {".*kernel": Momentum(0.05)})
        ),
    ],
    ids=["own", "loss_scale", "multi"],
)
@pytest.mark.parametrize("how", ["pickle", "deepcopy", ".srn", ".keras", ".h5"])
def test_training_goes_on_where_it_was_saved(make, how, tmp_path):
    if how in (".keras", ".h5"):
        pytest.importorskip("h5py")
    keras.saving.register_keras_serializable("tests")(Momentum)
    model, _ = trained(make(), epochs=1)
    if how == "pickle":
        other = pickle.loads(pickle.dumps(model))
    elif how == "deepcopy":
        other = copy.deepcopy(model)
    else:
        model.save(tmp_path / f"model{how}")
        other = keras.models.load_model(tmp_path / f"model{how}")
    for mine, theirs in zip(model.optimizer.variables, other.optimizer.variables, strict=True):
        assert mine is not theirs
        np.testing.assert_allclose(mine.numpy(), theirs.numpy(), rtol=1e-6)
    for each in (model, other):
        each.fit(X, Y, epochs=2, batch_size=8, shuffle=False, verbose=0)
    same_weights(model, other)


def test_a_step_that_is_overridden_is_taken_in_fit_too():
    """Gradients are changed in `apply`, on their way to the core."""

    class Centred(optimizers.SGD):
        def apply(self, grads, trainable_variables=None):
            grads = [
                g - ops.mean(g, axis=0, keepdims=True) if len(g.shape) > 1 else g for g in grads
            ]
            super().apply(grads, trainable_variables)

    model, _ = trained(Centred(0.1))
    plain, _ = trained(optimizers.SGD(0.1))
    start = network()
    moved = [w - v for w, v in zip(model.get_weights(), start.get_weights(), strict=True)]
    assert all(np.abs(m.mean(axis=0)).max() < 1e-6 for m in moved if m.ndim > 1)
    assert not np.allclose(model.get_weights()[0], plain.get_weights()[0], atol=1e-4)


def test_what_a_rule_leaves_out():
    """A variable without a gradient stays; its name is in the warning."""
    used, unused = keras.Variable(np.ones(2), name="used"), keras.Variable(np.ones(2), name="un")
    optimizer = Momentum(0.5)
    with pytest.warns(UserWarning, match="'un'"):
        optimizer.apply([np.ones(2), None], [used, unused])
    assert (used.numpy() == 0.5).all() and (unused.numpy() == 1).all()


class Gan(keras.Model):
    """The critic by its loss, then the generator by what the critic that has learnt makes of it."""

    def __init__(self):
        super().__init__()
        keras.utils.set_random_seed(5)
        self.generator, self.critic = layers.Dense(2), layers.Dense(1)

    def call(self, x):
        return self.critic(self.generator(x))

    def compile(self, first, second):
        super().compile()
        self.first, self.second = first, second

    def train_step(self, x):
        with keras.GradientTape() as tape:
            loss = ops.mean(ops.square(self(x)))
        weights = self.critic.trainable_weights
        self.first.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        with keras.GradientTape() as tape:
            other = -ops.mean(ops.square(self(x)))
        weights = self.generator.trainable_weights
        self.second.apply_gradients(zip(tape.gradient(other, weights), weights, strict=True))
        return {"loss": loss, "other": other}


def fitted_gan(*optimizers_of_it, cls=Gan, **options):
    model = cls()
    model.compile(*optimizers_of_it)
    history = model.fit(X, epochs=2, batch_size=8, shuffle=False, verbose=0, **options).history
    return model, history


def test_own_rules_of_a_gan_are_one_plan():
    """What an own rule has assigned, the rest of the step sees. The core's rules need Python."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        mine, history = fitted_gan(Momentum(0.1), Momentum(0.05))
    with pytest.warns(UserWarning, match=r"used after optimizer\.apply"):
        theirs, expected = fitted_gan(sgd(0.1), sgd(0.05))
    assert history == {key: pytest.approx(values, rel=1e-4) for key, values in expected.items()}
    same_weights(mine, theirs, rtol=1e-4)


class Twice(Gan):
    """Two steps on the same variables, then `assign` by hand; the gradient is by the new values."""

    def train_step(self, x):
        for _ in range(2):
            with keras.GradientTape() as tape:
                loss = ops.mean(ops.square(self(x) - 1))
            weights = self.trainable_weights
            self.first.apply(tape.gradient(loss, weights), weights)
        with keras.GradientTape() as tape:
            other = ops.sum(ops.square(self.critic.kernel) * self.critic.kernel)
        kernel = self.critic.kernel
        kernel.assign_sub(0.1 * tape.gradient(other, kernel))
        return {"loss": loss, "other": other}


def test_gradients_by_variables_that_have_changed():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced, history = fitted_gan(Momentum(0.1), None, cls=Twice)
    model = Twice()
    keras.Model.compile(model, run_eagerly=True)
    model.first = Momentum(0.1)
    eager = model.fit(X, epochs=2, batch_size=8, shuffle=False, verbose=0).history
    assert history == {key: pytest.approx(values, rel=1e-4) for key, values in eager.items()}
    same_weights(traced, model, rtol=1e-4)


class TwoTapes(Gan):
    """Both losses first, then both steps, as in TensorFlow's tutorial."""

    def train_step(self, x):
        with keras.GradientTape() as first, keras.GradientTape() as second:
            loss = ops.mean(ops.square(self(x)))
            other = -loss
        critic, generator = self.critic.trainable_weights, self.generator.trainable_weights
        self.first.apply(first.gradient(loss, critic), critic)
        self.second.apply(second.gradient(other, generator), generator)
        return {"loss": loss, "other": other}


@pytest.mark.parametrize(
    "make", [sgd, Momentum, lambda rate: optimizers.LossScaleOptimizer(sgd(rate))]
)
def test_two_optimizers_after_one_run(make):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model, history = fitted_gan(make(0.1), make(0.05), cls=TwoTapes)
    if make is not sgd and make is not Momentum:  # its train_step does not scale the loss
        assert int(model.first.iterations) == 6
        return
    x, step = X.astype(float).reshape(3, 8 * 5, 2), 0
    start = TwoTapes()
    start(X)
    w, b, c, d = (v.numpy().astype(float) for v in start.trainable_weights)
    velocity, losses = [np.zeros_like(a) for a in (w, b, c, d)], []
    for step in range(6):
        hidden = x[step % 3] @ w + b
        error = hidden @ c + d
        losses.append((error**2).mean())
        by_error = 2 * error / len(error)
        gradients = [
            -x[step % 3].T @ (by_error @ c.T), -(by_error @ c.T).sum(0),
            hidden.T @ by_error, by_error.sum(0),
        ]  # fmt: skip
        for v, g, rate in zip(velocity, gradients, (0.05, 0.05, 0.1, 0.1), strict=True):
            v *= 0.9
            v -= rate * g
        w, b, c, d = (a + v for a, v in zip((w, b, c, d), velocity, strict=True))
    assert history["loss"][-1] == pytest.approx(losses[-1], rel=1e-4)
    for mine, expected in zip(model.get_weights(), (w, b, c, d), strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-4, atol=1e-5)


def test_overflow_in_fit_leaves_the_step_out():
    """A batch with an infinite target: the weights stay, the scale is halved."""
    model = network()
    optimizer = optimizers.LossScaleOptimizer(optimizers.Adam(0.1), initial_scale=8.0)
    model.compile(optimizer, "mse")
    before = model.get_weights()
    model.train_on_batch(X, np.full_like(Y, np.inf))
    assert all(map(np.array_equal, before, model.get_weights()))
    assert float(optimizer.dynamic_scale) == 4.0 and int(optimizer.iterations) == 0
    model.train_on_batch(X, Y)
    assert float(optimizer.dynamic_scale) == 4.0 and int(optimizer.iterations) == 1


def test_each_variable_has_its_optimizer():
    first, second = optimizers.SGD(0.0), optimizers.SGD(0.1)
    inside = optimizers.OptimizerMap(first, {".*dense.*": second})
    model, _ = trained(optimizers.MultiOptimizer(inside))
    start = network().get_weights()
    moved = [not np.array_equal(*pair) for pair in zip(start, model.get_weights(), strict=True)]
    assert moved == ["dense" in v.path for v in model.weights]
    assert [int(o.iterations) for o in model.optimizer.optimizers] == [9, 9]


def test_memory_and_summary_know_the_state(capsys):
    model, _ = trained(Momentum(0.05), epochs=1)
    size = sum(v.storage.size for v in model.trainable_variables)
    assert model.memory(8).optimizer == 4 * size
    model.summary()
    assert f"Optimizer params: {size:,}" in capsys.readouterr().out


def test_build_has_to_call_super():
    class Forgetful(Momentum):
        def build(self, variables):
            pass

    with pytest.raises(RuntimeError, match=r"Forgetful\.build\(\) has to call super"):
        trained(Forgetful())


def test_other_variables_are_refused():
    model, _ = trained(Momentum(0.05), epochs=1)
    other = network()
    other.compile(model.optimizer, "mse")
    with pytest.raises(ValueError, match="belongs to other variables"):
        other.fit(X, Y, verbose=0)


def test_no_stateless_steps_in_a_trace():
    class Own(keras.Sequential):
        def train_step(self, data):
            values = [v.value for v in self.trainable_variables]
            self.optimizer.stateless_apply(self.optimizer.variables, values, values)
            return {}

    model = network(Own)
    model.compile(sgd(), "mse")
    model.optimizer.build(model.trainable_variables)
    with pytest.warns(UserWarning, match="runs as plain Python"):
        model.fit(X, Y, verbose=0)
