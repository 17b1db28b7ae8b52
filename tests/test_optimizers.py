"""Optimizers against their formulas in NumPy, float64; schedules; configuration."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import optimizers
from seqrnn.optimizers import schedules

SHAPES = [(3, 2), (4,), ()]
STEPS = 7


def gradients():
    rng = np.random.default_rng(3)
    return [[rng.normal(size=shape) for shape in SHAPES] for _ in range(STEPS)]


def start():
    rng = np.random.default_rng(4)
    return [rng.normal(size=shape) for shape in SHAPES]


def run(optimizer, steps=STEPS):
    variables = [keras.Variable(w, dtype="float64") for w in start()]
    for grads in gradients()[:steps]:
        optimizer.apply(grads, variables)
    return [v.numpy() for v in variables]


def expected(rule, clip=lambda grads: grads, decay=0.0, lr=0.1):
    """What `rule(state, w, g, t) -> w` makes of each variable."""
    weights = start()
    states = [{} for _ in weights]
    for t, grads in enumerate(gradients(), 1):
        grads = clip(grads)
        weights = [w - w * decay * lr for w in weights]
        weights = [rule(s, w, g, t) for s, w, g in zip(states, weights, grads, strict=True)]
    return weights


def check(optimizer, weights):
    for got, want in zip(run(optimizer), weights, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-13)


def sgd(momentum=0.0, nesterov=False, lr=0.1):
    def rule(s, w, g, t):
        s["v"] = momentum * s.get("v", 0) - lr * g
        return w + (momentum * s["v"] - lr * g if nesterov else s["v"])

    return rule


def rmsprop(rho=0.9, momentum=0.0, centered=False, lr=0.1, eps=1e-7):
    def rule(s, w, g, t):
        s["v"] = rho * s.get("v", 0) + (1 - rho) * g * g
        denominator = s["v"] + eps
        if centered:
            s["a"] = rho * s.get("a", 0) + (1 - rho) * g
            denominator = denominator - s["a"] ** 2
        step = lr * g / np.sqrt(denominator)
        if momentum:
            s["m"] = step = momentum * s.get("m", 0) + step
        return w - step

    return rule


def adam(b1=0.9, b2=0.999, eps=1e-7, lr=0.1, amsgrad=False):
    def rule(s, w, g, t):
        s["m"] = s.get("m", 0) + (g - s.get("m", 0)) * (1 - b1)
        s["v"] = s.get("v", 0) + (g * g - s.get("v", 0)) * (1 - b2)
        s["h"] = np.maximum(s.get("h", 0), s["v"])
        alpha = lr * np.sqrt(1 - b2**t) / (1 - b1**t)
        return w - alpha * s["m"] / (np.sqrt(s["h"] if amsgrad else s["v"]) + eps)

    return rule


def nadam(b1=0.9, b2=0.999, eps=1e-7, lr=0.1):
    def rule(s, w, g, t):
        u = b1 * (1 - 0.5 * 0.96**t)
        following = b1 * (1 - 0.5 * 0.96 ** (t + 1))
        s["u"] = s.get("u", 1.0) * u
        s["m"] = b1 * s.get("m", 0) + (1 - b1) * g
        s["v"] = b2 * s.get("v", 0) + (1 - b2) * g * g
        m = following * s["m"] / (1 - s["u"] * following) + (1 - u) * g / (1 - s["u"])
        return w - lr * m / (np.sqrt(s["v"] / (1 - b2**t)) + eps)

    return rule


@pytest.mark.parametrize(
    ("optimizer", "rule"),
    [
        (optimizers.SGD(0.1), sgd()),
        (optimizers.SGD(0.1, momentum=0.9), sgd(0.9)),
        (optimizers.SGD(0.1, momentum=0.9, nesterov=True), sgd(0.9, True)),
        (optimizers.RMSprop(0.1), rmsprop()),
        (optimizers.RMSprop(0.1, rho=0.7, momentum=0.5), rmsprop(0.7, 0.5)),
        (optimizers.RMSprop(0.1, centered=True), rmsprop(centered=True)),
        (optimizers.Adam(0.1), adam()),
        (optimizers.Adam(0.1, 0.8, 0.9, 1e-3), adam(0.8, 0.9, 1e-3)),
        (optimizers.Adam(0.1, amsgrad=True), adam(amsgrad=True)),
        (optimizers.Nadam(0.1), nadam()),
    ],
    ids=lambda x: getattr(x, "name", None),
)
def test_formulas(optimizer, rule):
    check(optimizer, expected(rule))


def schedule_free(b1=0.9, b2=0.999, eps=1e-8, warmup=0, lr=0.1):
    """With the mean x of the z kept, which the optimizer recovers from the weights."""

    def rule(s, w, g, t):
        z, x = s.get("z", w), s.get("x", w)
        s["v"] = s.get("v", 0) + (g * g - s.get("v", 0)) * (1 - b2)
        rate = lr * min(t / warmup, 1.0) if warmup else lr
        s["z"] = z - rate * g / (np.sqrt(s["v"] / (1 - b2**t)) + eps)
        s["x"] = (1 - 1 / t) * x + s["z"] / t
        return (1 - b1) * s["z"] + b1 * s["x"]

    return rule


@pytest.mark.parametrize("options", [{}, {"warmup": 4, "b1": 0.5, "b2": 0.9}])
def test_schedule_free(options):
    names = {"warmup": "warmup_steps", "b1": "beta_1", "b2": "beta_2"}
    arguments = {names[key]: value for key, value in options.items()}
    check(optimizers.ScheduleFreeAdamW(0.1, **arguments), expected(schedule_free(**options)))


def test_muon_makes_all_singular_values_alike():
    """Without momentum and scale, and with the exact iteration, a step is lr U V'."""
    optimizer = optimizers.Muon(
        0.5, momentum=0.0, nesterov=False, rms_rate=None, weight_decay=0.0, ns_steps=40,
        muon_a=1.5, muon_b=-0.5, muon_c=0.0,
    )  # fmt: skip
    for shape in ((5, 3), (3, 5)):
        gradient = np.random.default_rng(0).normal(size=shape)
        u, _, v = np.linalg.svd(gradient, full_matrices=False)
        variable = keras.Variable(np.ones(shape), dtype="float64", name="w")
        type(optimizer).from_config(optimizer.get_config()).apply([gradient], [variable])
        np.testing.assert_allclose(variable, 1 - 0.5 * u @ v, rtol=1e-9, atol=1e-12)


EVERYTHING = {
    "weight_decay": 0.1,
    "global_clipnorm": 1.0,
    "use_ema": True,
    "ema_momentum": 0.5,
    "ema_overwrite_frequency": 2,
    "loss_scale_factor": 4.0,
    "gradient_accumulation_steps": 2,
}


@pytest.mark.parametrize("options", [{}, EVERYTHING], ids=["plain", "everything"])
@pytest.mark.parametrize("name", optimizers.CLASSES)
def test_both_dtypes_agree(name, options):
    """float32 is compared with Keras by the golden rows `optimizers-*`."""
    results = []
    for dtype in ("float32", "float64"):
        optimizer = optimizers.CLASSES[name](0.05, **options)
        variables = [keras.Variable(w, dtype=dtype) for w in start()]
        for grads in gradients():
            optimizer.apply(grads, variables)
        state = [np.array(v) for v in (*variables, *optimizer.variables)]
        assert all(v.dtype == dtype for v in variables)
        results.append(state)
    for narrow, wide in zip(*results, strict=True):
        np.testing.assert_allclose(narrow, wide, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", optimizers.CLASSES)
def test_state_survives_pickle(name):
    optimizer = optimizers.CLASSES[name](0.05, **EVERYTHING)
    variables = [keras.Variable(w) for w in start()]
    for grads in gradients()[:3]:
        optimizer.apply(grads, variables)
    copy = pickle.loads(pickle.dumps(optimizer))
    for kept, original in zip(copy.variables, optimizer.variables, strict=True):
        assert kept.name == original.name
        np.testing.assert_array_equal(kept.numpy(), original.numpy())


def test_names_and_places_of_the_state():
    optimizer = optimizers.Adam(use_ema=True)
    optimizer.build([keras.Variable(np.ones(2), name="kernel")])
    paths = [v.path for v in optimizer.variables]
    assert paths == [
        "adam/iteration",
        "adam/learning_rate",
        "adam/kernel_average",
        "adam/kernel_momentum",
        "adam/kernel_velocity",
    ]
    optimizer.variables[3].assign(np.ones(2))
    np.testing.assert_array_equal(optimizer.core.slots[0], [1, 1])


def test_average_replaces_the_weights_after_fit():
    x, y = np.random.default_rng(0).normal(size=(2, 8, 3))
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    model.compile(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5), "mse")
    other.compile(optimizers.SGD(0.1), "mse")
    model.fit(x, y, epochs=3, batch_size=8, shuffle=False, verbose=0)
    average = None
    for _ in range(3):
        other.fit(x, y, batch_size=8, shuffle=False, verbose=0)
        now = other.get_weights()[0]
        average = now if average is None else 0.5 * average + 0.5 * now
    np.testing.assert_allclose(model.get_weights()[0], average, rtol=1e-6)
    model.optimizer.variables[2].assign(np.zeros((3, 3)))
    model.optimizer.swap_averages()
    np.testing.assert_array_equal(model.get_weights()[0], np.zeros((3, 3)))
    with pytest.raises(ValueError, match="use_ema is False"):
        other.optimizer.swap_averages()


@pytest.mark.parametrize("on_epoch", [False, True])
def test_averages_are_in_place_for_testing(on_epoch):
    x, y = np.random.default_rng(0).normal(size=(2, 8, 3))
    optimizer = optimizers.SGD(0.1, use_ema=True, ema_momentum=0.5)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    model.compile(optimizer, "mse")
    seen = []

    class Looks(keras.callbacks.Callback):
        def look(self, *args):
            seen.append(model.get_weights()[0].copy())

        on_test_begin = on_epoch_end = on_epoch_begin = look

    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=on_epoch)
    model.fit(x, y, epochs=2, batch_size=8, validation_data=(x, y), shuffle=False, verbose=0,
              callbacks=[swap, Looks()])  # fmt: skip
    start, first, end, second_start, average, _ = seen
    raw = second_start  # after one step average and weights are the same
    np.testing.assert_array_equal(first, raw)
    np.testing.assert_array_equal(end, raw)
    assert (start != raw).all()
    assert (average != raw).all()
    np.testing.assert_allclose(model.get_weights()[0], average, rtol=1e-6)
    model.evaluate(x, y, verbose=0, callbacks=[swap])
    np.testing.assert_allclose(model.get_weights()[0], average, rtol=1e-6)
    model.compile("adam", "mse")
    with pytest.raises(ValueError, match="use_ema is False"):
        model.evaluate(x, y, verbose=0, callbacks=[keras.callbacks.SwapEMAWeights()])


def test_loss_scale_changes_nothing_in_fit():
    x, y = np.random.default_rng(0).normal(size=(2, 8, 3))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3)])
    other = keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    model.compile(optimizers.SGD(0.1, loss_scale_factor=1024.0), "mse")
    other.compile(optimizers.SGD(0.1), "mse")
    losses = [m.fit(x, y, epochs=3, shuffle=False, verbose=0).history for m in (model, other)]
    assert losses[0] == losses[1]
    np.testing.assert_array_equal(model.get_weights()[0], other.get_weights()[0])


def test_fit_leaves_unused_variables_alone():
    inputs = keras.Input((3,))
    used, unused = keras.layers.Dense(2), keras.layers.Dense(2)
    model = keras.Model(inputs, [used(inputs), unused(inputs)])
    model.compile(optimizers.SGD(0.1, weight_decay=0.5), ["mse", None])
    before = unused.get_weights()[0]
    x = np.ones((4, 3))
    with pytest.warns(UserWarning, match="no gradients for the variables"):
        model.fit(x, [np.ones((4, 2)), np.ones((4, 2))], verbose=0)
    np.testing.assert_array_equal(unused.get_weights()[0], before)
    assert (used.get_weights()[0] != before).all()


def test_excluded_variables_do_not_decay():
    variables = [keras.Variable(np.ones(2), name=name) for name in ("kernel", "bias", "gain")]
    optimizer = optimizers.SGD(0.5, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(variables[2:], ["bi"])
    optimizer.apply([np.zeros(2)] * 3, variables)
    assert [v.numpy()[0] for v in variables] == [0.75, 1, 1]
    with pytest.raises(ValueError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


def test_weight_decay():
    check(optimizers.AdamW(0.1, weight_decay=0.05), expected(adam(), decay=0.05))
    check(optimizers.SGD(0.1, weight_decay=0.05), expected(sgd(), decay=0.05))
    assert optimizers.AdamW().weight_decay == 0.004


def by_norm(grads, limit=0.8):
    return [g * limit / max(np.linalg.norm(g), limit) for g in grads]


def by_global_norm(grads, limit=0.8):
    norm = np.sqrt(sum((g * g).sum() for g in grads))
    return [g * limit * min(1 / norm, 1 / limit) for g in grads]


def by_value(grads, limit=0.8):
    return [np.clip(g, -limit, limit) for g in grads]


@pytest.mark.parametrize(
    ("name", "clip"),
    [("clipnorm", by_norm), ("clipvalue", by_value), ("global_clipnorm", by_global_norm)],
)
def test_clipping(name, clip):
    check(optimizers.SGD(0.1, momentum=0.9, **{name: 0.8}), expected(sgd(0.9), clip))
    check(optimizers.Adam(0.1, **{name: 0.8}), expected(adam(), clip))


def test_variables_without_gradient_stay():
    optimizer = optimizers.SGD(0.5, momentum=0.5)
    optimizer.weight_decay = 0.5
    v = [keras.Variable(np.ones(2)), keras.Variable(np.ones(2))]
    with pytest.warns(UserWarning, match=r"no gradients for the variables \['variable"):
        optimizer.apply_gradients([(None, v[0]), (np.ones(2), v[1])])
    np.testing.assert_array_equal(v[0].numpy(), [1, 1])
    np.testing.assert_array_equal(v[1].numpy(), [0.25, 0.25])
    optimizer.apply([np.ones(2)], v[:1])
    np.testing.assert_array_equal(v[0].numpy(), [0.25, 0.25])
    np.testing.assert_array_equal(v[1].numpy(), [0.25, 0.25])
    assert int(optimizer.iterations) == 2
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply([None, None])


def test_constraints_hold_after_a_step_by_hand():
    v = keras.Variable(np.ones(2), constraint=keras.constraints.NonNeg())
    optimizers.SGD(1.0).apply([np.array([0.5, 3.0])], [v])
    np.testing.assert_array_equal(v.numpy(), [0.5, 0.0])


def test_wrong_gradients_are_refused():
    optimizer, v = optimizers.SGD(0.5), [keras.Variable(np.ones(2))]
    with pytest.raises(ValueError, match=r"shape \(3,\), expected \(2,\)"):
        optimizer.apply([np.ones(3)], v)
    with pytest.raises(ValueError, match="2 gradients for 1"):
        optimizer.apply([np.ones(2), np.ones(2)], v)
    np.testing.assert_array_equal(v[0].numpy(), [1, 1])


def test_other_variables_are_refused():
    optimizer = optimizers.Adam()
    optimizer.build([keras.Variable(np.ones(2))])
    with pytest.raises(ValueError, match="new optimizer"):
        optimizer.build([keras.Variable(np.ones(2))])


def test_state_is_set_as_a_whole_or_not_at_all():
    variable = keras.Variable(np.ones(2, "float32"))
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    optimizer.apply([np.ones(2)], [variable])
    before = [v.numpy() for v in optimizer.variables]
    for last, error in ((np.array(["a", "b"]), TypeError), (np.array([1j, 2]), TypeError)):
        with pytest.raises(error, match=r"momentum.*numbers"):
            optimizer.set_weights([*(array + 1 for array in before[:-1]), last])
        for variable, array in zip(optimizer.variables, before, strict=True):
            np.testing.assert_array_equal(variable, array)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_exclude_the_same_variables_from_decay(copied):
    kept, decayed = (keras.Variable(np.ones(1, "float32")) for _ in range(2))
    optimizer = keras.optimizers.SGD(1.0, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_list=[kept])
    for built in (False, True):
        if built:
            optimizer.build([kept, decayed])
        again, variables = copied((optimizer, [kept, decayed]))
        again.apply([np.zeros(1), np.zeros(1)], variables)
        assert [float(v.numpy()[0]) for v in variables] == [1.0, 0.5]


def test_steps_for_some_of_the_variables_do_not_warn():
    v, w = (keras.Variable(np.zeros((), "float32"), name=name) for name in "vw")
    for optimizer in (keras.optimizers.SGD(0.1), MomentumInPython(0.1)):
        optimizer.build_for([v, w])
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for variable in (v, w, v):
                optimizer.apply([np.ones(())], [variable])
        with pytest.warns(UserWarning, match=r"no gradients for the variables.*'v'"):
            optimizer.apply([None, np.ones(())], [v, w])
        assert (float(v.numpy()), float(w.numpy())) == (pytest.approx(-0.2), pytest.approx(-0.2))
        v.assign(0.0)
        w.assign(0.0)


class MomentumInPython(keras.optimizers.Optimizer):
    def update_step(self, gradient, variable, learning_rate):
        variable.assign(variable - gradient * keras.ops.cast(learning_rate, variable.dtype))


@pytest.mark.parametrize(
    ("optimizer", "name", "value"),
    [
        (lambda: keras.optimizers.SGD(0.1, momentum=0.9), "momentum", 0.0),
        (lambda: keras.optimizers.SGD(0.1), "weight_decay", 0.5),
        (lambda: keras.optimizers.Adam(), "beta_1", 0.5),
        (lambda: keras.optimizers.RMSprop(), "epsilon", 1e-3),
        (lambda: keras.optimizers.Lion(), "clipnorm", 1.0),
        (lambda: MomentumInPython(0.1), "use_ema", True),
    ],
)
def test_what_is_fixed_when_built_can_not_be_set(optimizer, name, value):
    made = optimizer()
    setattr(made, name, value)
    setattr(made, name, getattr(optimizer(), name))
    made.build_for([keras.Variable(np.ones(2, "float32"))])
    setattr(made, name, getattr(made, name))  # nothing changes
    with pytest.raises(AttributeError, match=f"{name}.*built.*new optimizer"):
        setattr(made, name, value)
    made.learning_rate = 0.5


def test_state_goes_on_where_it_was_saved():
    for make in (lambda: optimizers.Adam(0.1), lambda: optimizers.Nadam(0.1)):
        whole = run(make())
        first, second = make(), make()
        variables = [keras.Variable(w, dtype="float64") for w in start()]
        for grads in gradients()[:3]:
            first.apply(grads, variables)
        second.build(variables)
        second.set_weights(first.variables)
        for grads in gradients()[3:]:
            second.apply(grads)
        for got, want in zip(variables, whole, strict=True):
            np.testing.assert_array_equal(got.numpy(), want)


# ---- arguments and configuration ----


@pytest.mark.parametrize("name", ["adam", "Adam", "ADAM", "sgd", "rmsprop", "nadam", "adamw"])
def test_get_by_name_in_any_case(name):
    assert type(optimizers.get(name)).__name__.lower() == name.lower()


def test_unknown_names():
    with pytest.raises(ValueError, match=r"'adamm'.*Did you mean 'Adam'"):
        optimizers.get("adamm")
    with pytest.raises(ValueError, match="SGD"):
        optimizers.get("descent")
    with pytest.raises(ValueError, match=r"pass LossScaleOptimizer\(\.\.\.\)"):
        optimizers.get("LossScaleOptimizer")


def test_bad_arguments():
    with pytest.raises(ValueError, match="Only one of"):
        optimizers.SGD(clipnorm=1.0, clipvalue=1.0)
    with pytest.raises(ValueError, match="learning_rate must be at least 0"):
        optimizers.SGD(-0.1)
    with pytest.raises(TypeError, match="learning_rate must be a number"):
        optimizers.SGD("fast")
    with pytest.raises(ValueError, match="beta_1"):
        optimizers.Adam(beta_1=1.5)
    with pytest.raises(ValueError, match="ema_momentum"):
        optimizers.Adam(use_ema=True, ema_momentum=1.5)
    with pytest.raises(ValueError, match="ema_overwrite_frequency must be an int >= 1"):
        optimizers.Adam(use_ema=True, ema_overwrite_frequency=0)
    with pytest.raises(ValueError, match="gradient_accumulation_steps must be an int >= 2"):
        optimizers.Adam(gradient_accumulation_steps=1)


@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.SGD(0.1, momentum=0.9, nesterov=True, clipnorm=1.0),
        optimizers.RMSprop(centered=True),
        optimizers.Adam(schedules.ExponentialDecay(0.1, 10, 0.5), amsgrad=True, name="mine"),
        optimizers.AdamW(weight_decay=0.1),
        optimizers.Nadam(0.002),
    ],
)
def test_config_round_trip(optimizer):
    copy = optimizers.deserialize(optimizers.serialize(optimizer))
    assert type(copy) is type(optimizer)
    assert copy.get_config() == optimizer.get_config()


def test_adafactor_where_a_row_and_a_column_have_no_gradient():
    """Their second moment, 1e-30 times 1e-30, is 0 in float32; Keras's weights become NaN."""
    variable = keras.Variable(np.ones((2, 2), "float32"))
    optimizers.Adafactor(0.01).apply([np.array([[0, 0], [1e-3, 0]], "float32")], [variable])
    value = variable.numpy()
    assert value[1, 0] < 1 and (value[0] == 1).all() and value[1, 1] == 1
