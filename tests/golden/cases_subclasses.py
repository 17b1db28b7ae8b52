"""Models and layers as users write them: how `call`, `build` and steps are written, tapes, what is
forgotten."""

import numpy as np
from cases_graphs import compiled, of_class, one, run, tape_of
from golden_builders import normal
from golden_kinds import FactCase, RefusalCase

X = np.zeros((2, 4, 3), "float32")


def built(model, x=X):
    model(x)
    return model


# ---- ways to write a model, all (4, 3) -> (4, 2) ----


def with_training_and_mask(k):
    class Own(k.Model):
        def __init__(self):
            super().__init__()
            self.rnn = k.layers.GRU(3, return_sequences=True)
            self.norm = k.layers.BatchNormalization()
            self.drop = k.layers.Dropout(0.0)
            self.out = k.layers.Dense(2)

        def call(self, inputs, training=None, mask=None):
            x = self.rnn(inputs, mask=mask, training=training)
            x = self.norm(x, training=training)
            return self.out(self.drop(x, training=training))

    return built(Own())


def with_dicts_and_lists(k):
    class Own(k.Model):
        def __init__(self):
            super().__init__()
            self.heads = {"b": k.layers.Dense(2, name="hb"), "a": k.layers.Dense(2, name="ha")}
            self.blocks = [
                [k.layers.Dense(3, name=f"in{i}"), k.layers.Dense(3, "tanh", name=f"out{i}")]
                for i in range(2)
            ]

        def call(self, x):
            for inner, outer in self.blocks:
                x = x + outer(inner(x))
            return self.heads["a"](x) - self.heads["b"](x)

    return built(Own())


def with_own_build(k):
    class Own(k.Model):
        def build(self, input_shape):
            self.scale = self.add_weight(shape=(input_shape[-1],), name="scale")
            self.dense = k.layers.Dense(2, name="dense")
            self.dense.build(input_shape)
            self.built = True

        def call(self, x):
            return self.dense(x * self.scale)

    return built(Own())


def with_own_weight(k):
    class Own(k.Model):
        def __init__(self):
            super().__init__()
            self.dense = k.layers.Dense(2, name="dense")
            self.shift = self.add_weight(shape=(2,), initializer="zeros", name="shift")
            self.fixed = self.add_weight(shape=(), trainable=False, name="fixed")

        def call(self, x):
            return self.dense(x) * self.fixed + self.shift

    return built(Own())


def with_model_in_layer(k):
    class Wrapped(k.layers.Layer):
        def __init__(self):
            super().__init__(name="wrapped")
            self.inner = k.Sequential(
                [k.layers.Dense(3, "relu", name="d"), k.layers.Dense(3, name="e")], name="inner"
            )

        def call(self, x):
            return x + self.inner(x)

    class Own(k.Model):
        def __init__(self):
            super().__init__()
            self.first, self.last = Wrapped(), k.layers.Dense(2, name="last")

        def call(self, x):
            return self.last(self.first(x))

    return built(Own())


def with_layers_made_late(k):
    class Own(k.Model):
        def __init__(self, units):
            self.units = units
            super().__init__()
            self.stack = []
            for i in range(2):
                self.stack.append(k.layers.Dense(units, "tanh", name=f"s{i}"))
            self.last = k.layers.Dense(2, name="last")

        def call(self, inputs):
            for layer in self.stack:
                inputs = layer(inputs)
            return self.last(inputs)

    return built(Own(3))


def with_functional_init(k):
    class Own(k.Model):
        def __init__(self, units):
            x = k.Input((4, 3))
            y = k.layers.LSTM(units, return_sequences=True, name="lstm")(x)
            super().__init__(inputs=x, outputs=k.layers.Dense(2, name="end")(y))

    return Own(3)


WAYS = {
    way.__name__: way
    for way in (
        *(with_training_and_mask, with_dicts_and_lists, with_own_build, with_own_weight),
        *(with_model_in_layer, with_layers_made_late, with_functional_init),
    )
}


def structure(k, way):
    model = way(k)
    return [
        [layer.name for layer in model.layers],
        [tuple(v.shape) for v in model.weights],
        [v.name for v in model.trainable_weights],
        [v.name for v in model.non_trainable_weights],
        model.count_params(),
    ]


# ---- steps in Keras 2's way ----


def step_of_keras_2(k, both=True):
    class Own(k.Model):
        def train_step(self, data):
            x, y = data
            with tape_of(k) as tape:
                y_pred = self(x, training=True)
                if both:
                    loss = self.compiled_loss(y, y_pred, regularization_losses=self.losses)
                else:
                    loss = self.compute_loss(y=y, y_pred=y_pred)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
            self.compiled_metrics.update_state(y, y_pred)
            # Not m.result() of all: Keras 3 gives the mean of the predictions as the loss.
            return {"error": k.ops.mean(k.ops.square(y - y_pred))}

    return Own


def half_of_keras_2(k):
    return step_of_keras_2(k, both=False)


def penalised(k):
    """A gradient penalty: a tape in a tape."""

    class Own(k.Model):
        def train_step(self, data):
            x, y = data
            x = k.ops.convert_to_tensor(x)
            with tape_of(k) as outer:
                with tape_of(k) as inner:
                    inner.watch(x)
                    y_pred = self(x, training=True)
                slopes = inner.gradient(y_pred, x)
                size = k.ops.sqrt(k.ops.sum(k.ops.square(slopes), axis=(1, 2)) + 1e-6)
                penalty = k.ops.mean(k.ops.square(size - 1.0))
                loss = self.compute_loss(y=y, y_pred=y_pred) + penalty
            gradients = outer.gradient(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"loss": loss, "penalty": penalty}

    x = k.Input((4, 3))
    hidden = k.layers.Conv1D(4, 2, padding="same", activation="tanh")(x)
    hidden = k.layers.LeakyReLU()(k.layers.Dense(3, "sigmoid")(hidden))
    return Own(x, k.layers.Dense(2)(hidden))


def super_fit(k):
    class Own(k.Model):
        def fit(self, *args, **kwargs):
            return super().fit(*args, **kwargs)

        def compile(self, optimizer, loss, metrics=None):
            super().compile(loss=loss, metrics=metrics)
            self.optimizer = optimizer

    x = k.Input((4, 3))
    return Own(x, k.layers.Dense(2)(k.layers.Dense(3, "tanh")(x)))


RUNS = [
    *[run(name, way, one(), compiled("mse", ["mae"])) for name, way in WAYS.items()],
    run("compiled_loss", of_class(step_of_keras_2), one(), compiled("mse", ["mae"])),
    run("compiled_metrics", of_class(half_of_keras_2), one(), compiled("mse", ["mae"])),
    run("gradient_penalty", penalised, one(), compiled()),
    run("super_fit", super_fit, one(), compiled()),
]

# ---- what is forgotten ----


def forgets(k, base, use=None):
    class Forgets(getattr(k, base)):
        def __init__(self):
            if use is not None:
                use(self)

        def call(self, x):
            return x

    return Forgets()(np.zeros((2, 3), "float32"))


USES = {
    "call": None,
    "add_weight": lambda self: self.add_weight(shape=(2,)),
    "get_config": lambda self: self.get_config(),
}
ONLY_HERE = {
    "compile": lambda self: self.compile("sgd", "mse"),
    "fit": lambda self: self.fit(X, X),
    "summary": lambda self: self.summary(),
    "save": lambda self: self.save("never.keras"),
    "repr": repr,
    "trainable": lambda self: self.trainable,
}
WORDS = ["Forgets", "super().__init__()"]
BARE = "Keras's AttributeError names an attribute of its own"
REFUSED = [
    RefusalCase(f"forgotten_{base}_{name}", lambda k, b=base, u=use: forgets(k, b, u), WORDS)
    for base in ("Layer", "Model", "Sequential")
    for name, use in USES.items()
] + [
    RefusalCase(
        f"forgotten_{base}_{name}",
        lambda k, b=base, u=use: forgets(k, b, u),
        WORDS,
        raises=RuntimeError,
        differs=BARE,
    )
    for base, uses in (("Layer", ("repr", "trainable")), ("Model", ONLY_HERE))
    for name, use in ((name, ONLY_HERE[name]) for name in uses)
]

# ---- tapes ----


def derived(k, fn, x):
    x = k.ops.convert_to_tensor(x)
    with tape_of(k, persistent=True) as tape:
        tape.watch(x)
        y = fn(x)
    return tape, x, y


def rounded(k, value):
    return np.round(np.asarray(k.ops.convert_to_numpy(value), "float64"), 3).tolist()


def jacobian(k, x):
    tape, x, y = derived(k, lambda x: k.ops.tanh(x[:, :2] * x[:, 1:]), x)
    return [rounded(k, tape.jacobian(y, x)), rounded(k, tape.batch_jacobian(y, x))]


def weighted_gradient(k, x):
    tape, x, y = derived(k, lambda x: x**2, x)
    return rounded(k, tape.gradient(y, x, output_gradients=k.ops.ones_like(y) * 3.0))


def unconnected(k, x):
    tape, x, y = derived(k, lambda x: x**2, x)
    other = k.ops.ones((2,))
    zero = tape.gradient(y, [other], unconnected_gradients="zero")
    return [tape.gradient(y, {"x": x, "o": other})["o"] is None, rounded(k, zero[0])]


def own_gradient(k, x):
    @k.ops.custom_gradient
    def softly(x):
        e = k.ops.exp(x)

        def grad(*args, upstream=None):
            if upstream is None:
                (upstream,) = args
            return 3.0 * upstream * (1 - 1 / (1 + e))

        return k.ops.log(1 + e), grad

    tape, x, y = derived(k, lambda x: k.ops.sum(softly(x * 2.0) ** 2), x)
    return rounded(k, tape.gradient(y, x))


TAPES = [
    FactCase(fn.__name__, fn, [normal(2, 3)])
    for fn in (jacobian, weighted_gradient, unconnected, own_gradient)
]

FACTS = [
    FactCase(f"structure_{name}", lambda k, w=way: structure(k, w)) for name, way in WAYS.items()
]

CASES = [*RUNS, *REFUSED, *TAPES, *FACTS]
