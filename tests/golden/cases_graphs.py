"""Functional and subclassed models: training runs with several inputs and outputs, own steps."""

import numpy as np
from golden_builders import integers, model_case, normal, sequential, whole
from golden_fit import FitCase

TWO = {"epochs": 2, "batch_size": 4}
N, V = 11, 5  # samples, of them in validation; the last batch has 3


# ---- models ----


def two_to_two(k, kind="list"):
    """Inputs (4, 3) and (2,), outputs (2,) and (4, 1)."""
    a, b = k.Input((4, 3), name="a"), k.Input((2,), name="b")
    z = k.layers.LSTM(4, return_sequences=True, name="lstm")(a)
    last = k.layers.Concatenate(name="both")([z[:, -1], b])
    o, p = k.layers.Dense(2, name="o")(last), k.layers.Dense(1, name="p")(z)
    if kind == "dict":
        return k.Model({"a": a, "b": b}, {"o": o, "p": p})
    return k.Model([a, b], [o, p])


def shared(k):
    a, b = k.Input((4, 3), name="a"), k.Input((4, 3), name="b")
    gru = k.layers.GRU(3, name="gru")
    joined = k.layers.Subtract(name="minus")([gru(a), gru(b)])
    return k.Model([a, b], k.layers.Dense(2, name="end")(joined))


def one_to_one(*layers):
    def build(k):
        x = inputs = k.Input((4, 3), name="a")
        for layer in layers:
            x = layer(k)(x)
        return k.Model(inputs, x)

    return build


def nested(k):
    inner = one_to_one(
        lambda k: k.layers.GRU(3, return_sequences=True, name="gru"),
        lambda k: k.layers.LayerNormalization(name="norm"),
    )(k)
    inputs = k.Input((4, 3))
    once = k.layers.Dense(3, name="first")(inner(inputs))
    return k.Model(inputs, k.layers.Dense(2, name="end")(k.layers.Add(name="sum")([once, inputs])))


def nested_twice(k):
    inner = k.Sequential([k.Input((4, 3)), k.layers.Dense(3, "tanh", name="d")], name="inner")
    inputs = k.Input((4, 3))
    return k.Model(inputs, k.layers.Dense(1, name="end")(inner(inner(inputs))))


def frozen(k):
    model = one_to_one(
        lambda k: k.layers.GRU(3, return_sequences=True, trainable=False),
        lambda k: k.layers.BatchNormalization(trainable=False),
        lambda k: k.layers.Dense(2),
    )(k)
    return model


def thawed(k):
    model = frozen(k)
    model.trainable = False
    model.trainable = True
    return model


def half_frozen(k):
    model = nested(k)
    model.layers[1].trainable = False
    return model


def own_class(k):
    """A class with `call`, whose layers are attributes, in lists and dicts too."""

    class Own(k.Model):
        def __init__(self):
            super().__init__()
            self.first = k.layers.SimpleRNN(3, return_sequences=True)
            self.more = [k.layers.Dense(3, activation="tanh"), k.layers.Dense(2)]

        def call(self, x):
            x = self.first(x)
            for layer in self.more:
                x = layer(x)
            return x

    model = Own()
    model(np.zeros((1, 4, 3), "float32"))
    return model


def with_added_loss(k):
    class Sparse(k.layers.Layer):
        def call(self, x):
            self.add_loss(0.1 * k.ops.mean(k.ops.abs(x)))
            return x

    return one_to_one(
        lambda k: k.layers.Dense(3, name="in"),
        lambda k: Sparse(),
        lambda k: k.layers.Dense(2, activity_regularizer="l2"),
        lambda k: k.layers.Dense(2, kernel_regularizer="l1"),
    )(k)


def tape_of(k, **options):
    """The tape of seqrnn, or TensorFlow's."""
    if hasattr(k, "GradientTape"):
        return k.GradientTape(**options)
    import tensorflow

    return tensorflow.GradientTape(**options)


def own_train_step(k):
    class Own(k.Model):
        def train_step(self, data):
            x, y = data
            with tape_of(k) as tape:
                y_pred = self(x, training=True)
                loss = self.compute_loss(y=y, y_pred=y_pred)
            gradients = tape.gradient(loss, self.trainable_variables)
            self.optimizer.apply(gradients, self.trainable_variables)
            for metric in self.metrics:
                if metric.name == "loss":
                    metric.update_state(loss)
                else:
                    metric.update_state(y, y_pred)
            return {m.name: m.result() for m in self.metrics[:1]}

    return Own


def own_scaled_gradients(k):
    class Own(k.Model):
        def train_step(self, data):
            x, y = data
            with tape_of(k) as tape:
                loss = k.ops.mean((y - self(x, training=True)) ** 2)
            gradients = tape.gradient(loss, self.trainable_variables)
            gradients = [0.5 * k.ops.tanh(g) for g in gradients]
            variables = self.trainable_variables
            self.optimizer.apply_gradients(zip(gradients, variables, strict=True))
            return {"loss": loss, "size": k.ops.sum(k.ops.abs(gradients[0]))}

    return Own


def own_compute_loss(k):
    class Own(k.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return k.ops.mean(k.ops.abs(y - y_pred)) + 0.1 * k.ops.mean(y_pred**2)

    return Own


def own_loss_on_top(k):
    class Own(k.Model):
        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            return 2.0 * super().compute_loss(x, y, y_pred, sample_weight)

    return Own


def own_compute_metrics(k):
    class Own(k.Model):
        def compute_metrics(self, x, y, y_pred, sample_weight=None):
            results = super().compute_metrics(x, y, y_pred, sample_weight)
            return {**results, "largest": k.ops.max(k.ops.abs(y - y_pred))}

    return Own


def own_test_step(k):
    class Own(k.Model):
        def test_step(self, data):
            x, y = data
            return {"gap": k.ops.max(y) - k.ops.max(self(x, training=False))}

    return Own


def own_predict_step(k):
    class Own(k.Model):
        def predict_step(self, data):
            return 2.0 * super().predict_step(data)

    return Own


def own_metric_of_sizes(k):
    class Own(k.Model):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.tracker = k.metrics.Mean(name="mean_size")

        def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
            self.tracker.update_state(k.ops.abs(y_pred))  # a mean that does not cancel
            return super().compute_loss(x, y, y_pred, sample_weight)

    return Own


def of_class(cls):
    def build(k):
        inputs = k.Input((4, 3))
        x = k.layers.GRU(3, return_sequences=True)(inputs)
        return cls(k)(inputs, k.layers.Dense(2)(k.layers.BatchNormalization()(x)))

    return build


# ---- training runs ----


def compiled(loss="mse", metrics=None, optimizer=lambda k: k.optimizers.Adam(0.01), **options):
    return lambda k: {"loss": loss, "optimizer": optimizer(k), "metrics": metrics, **options}


def one(steps=4, outputs=2):
    draw = {"x": normal(N, 4, 3), "vx": normal(V, 4, 3)}
    shape = (steps, outputs) if steps else (outputs,)
    return draw | {"y": normal(N, *shape), "vy": normal(V, *shape)}


def run(name, build, data, compile_, fit=TWO, **options):
    return FitCase(name, whole(build), data, compile_, fit, **options)


TWO_DATA = {
    "xa": normal(N, 4, 3),
    "xb": normal(N, 2),
    "yo": normal(N, 2),
    "yp": normal(N, 4, 1),
}


def feed_lists(k, given):
    x, y = [given["xa"], given["xb"]], [given["yo"], given["yp"]]
    head = {"x": [v[:V] for v in x], "y": [v[:V] for v in y]}
    return {
        "fit": {"x": x, "y": y, "validation_data": (head["x"], head["y"])},
        "evaluate": head,
        "predict": {"x": head["x"], "batch_size": 2},
    }


def feed_dicts(k, given):
    x = {"a": given["xa"], "b": given["xb"]}
    y = {"p": given["yp"], "o": given["yo"]}
    return {"fit": {"x": x, "y": y}, "evaluate": {"x": x, "y": y}, "predict": {"x": x}}


def feed_fit(k, given):
    return {"fit": feed_lists(k, given)["fit"]}


def two(name, compile_, feed=feed_lists, build=two_to_two, **options):
    return run(name, build, TWO_DATA, compile_, feed=feed, **options)


def of_dict(k):
    return two_to_two(k, "dict")


SHARED_DATA = {"xa": normal(N, 4, 3), "xb": normal(N, 4, 3), "yo": normal(N, 2)}


def feed_shared(k, given):
    x = [given["xa"], given["xb"]]
    return {"fit": {"x": x, "y": given["yo"]}, "predict": {"x": x}}


BY_NAME = {"o": "mse", "p": "mae"}
FITS = [
    two("two_outputs", compiled()),
    two("two_outputs_losses", compiled(["mse", "mae"])),
    two("two_outputs_weights", compiled(["mse", "mae"], loss_weights=[0.3, 2.0])),
    two("two_outputs_metrics", compiled("mse", [["mae"], ["mse"]])),
    two("two_outputs_weighted", compiled("mse", weighted_metrics=[["mae"], ["mae"]])),
    two("two_outputs_one_loss", compiled(["mse", None])),
    two("two_outputs_hooks", compiled(), feed_fit, hooks=True),
    two("two_outputs_per_execution", compiled(steps_per_execution=2), feed_fit, hooks=True),
    two("dict_outputs", compiled(BY_NAME), feed_dicts, of_dict),
    two("dict_metrics", compiled(BY_NAME, {"o": ["mae"], "p": ["mse"]}), feed_dicts, of_dict),
    two(
        "dict_loss_weights",
        compiled(BY_NAME, loss_weights={"o": 0.5, "p": 2.0}),
        feed_dicts,
        of_dict,
    ),
    run("shared_layer", shared, SHARED_DATA, compiled(), feed=feed_shared),
    run("nested_model", nested, one(), compiled("mse", ["mae"])),
    run("nested_twice", nested_twice, one(outputs=1), compiled("mae")),
    run("half_frozen", half_frozen, one(), compiled()),
    run("frozen_layers", frozen, one(), compiled("mse", ["mae"])),
    run("thawed_model", thawed, one(), compiled("mse", ["mae"])),
    run("own_class", own_class, one(), compiled("mse", ["mae"])),
    run("own_class_eagerly", own_class, one(), compiled("mse", ["mae"], run_eagerly=True)),
    run("added_loss", with_added_loss, one(), compiled()),
    run("added_loss_alone", with_added_loss, one(), compiled(None)),
    run("added_loss_eagerly", with_added_loss, one(), compiled(run_eagerly=True)),
    run("jit_compile", nested, one(), compiled(jit_compile=False)),
    *[
        run(cls.__name__ + "_eagerly" * eager, of_class(cls), one(), compiled(run_eagerly=eager))
        for cls in (
            *(own_train_step, own_scaled_gradients, own_compute_loss, own_loss_on_top),
            *(own_compute_metrics, own_test_step, own_predict_step, own_metric_of_sizes),
        )
        for eager in (False, True)
        if not (cls is own_test_step and eager)
    ],
    *[
        run(f"own_train_step_{name}", of_class(own_train_step), one(), compiled(optimizer=make))
        for name, make in {
            "sgd": lambda k: k.optimizers.SGD(0.1, momentum=0.9),
            "rmsprop": lambda k: k.optimizers.RMSprop(0.01),
            "clipped": lambda k: k.optimizers.SGD(0.1, clipnorm=0.1),
            "decayed": lambda k: k.optimizers.AdamW(0.01, weight_decay=0.1),
            "scheduled": lambda k: k.optimizers.SGD(
                k.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
            ),
        }.items()
    ],
    *[
        run(
            f"history_{name}",
            one_to_one(layer, lambda k: k.layers.Dense(2)),
            one(),
            compiled("mse", ["mae"]),
        )
        for name, layer in {
            "simple_rnn": lambda k: k.layers.SimpleRNN(4, return_sequences=True),
            "gru": lambda k: k.layers.GRU(4, return_sequences=True),
            "gru_before": lambda k: k.layers.GRU(4, return_sequences=True, reset_after=False),
            "lstm": lambda k: k.layers.LSTM(4, return_sequences=True),
            "conv1d": lambda k: k.layers.Conv1D(4, 2, padding="causal", activation="relu"),
            "layer_norm": lambda k: k.layers.LayerNormalization(),
            "batch_norm": lambda k: k.layers.BatchNormalization(),
            "distributed": lambda k: k.layers.TimeDistributed(k.layers.Dense(3, "tanh")),
            "cells": lambda k: k.layers.RNN(
                [k.layers.GRUCell(3), k.layers.LSTMCell(4)], return_sequences=True
            ),
        }.items()
    ],
    *[
        run(
            f"history_{loss}",
            one_to_one(lambda k: k.layers.GRU(4), lambda k: k.layers.Dense(2)),
            one(steps=0),
            compiled(loss),
        )
        for loss in ("mse", "mae", "huber", "log_cosh", "cosine_similarity", "squared_hinge")
    ],
    *[
        run(
            f"history_{name}",
            one_to_one(lambda k: k.layers.LSTM(4), lambda k: k.layers.Dense(2)),
            one(steps=0),
            compiled(optimizer=lambda k, name=name: getattr(k.optimizers, name)(0.01)),
        )
        for name in ("SGD", "Adam", "RMSprop", "AdamW", "Nadam")
    ],
]

STEPS = [
    model_case("two_to_one_nested", nested, [normal(3, 4, 3)]),
    model_case("shared_gru", shared, [normal(3, 4, 3), normal(3, 4, 3)]),
    model_case("nested_shared", nested_twice, [normal(3, 4, 3)]),
    model_case("own_class_step", own_class, [normal(3, 4, 3)]),
    model_case(
        "three_inputs",
        lambda k: _three_inputs(k),
        [normal(3, 4), normal(3, 4), integers(5, 3, 6)],
    ),
    model_case(
        "sequential_of_models",
        sequential(
            lambda k: k.Input((4, 3)),
            lambda k: one_to_one(lambda k: k.layers.GRU(3, return_sequences=True))(k),
            lambda k: k.Sequential([k.layers.Dense(2, "tanh"), k.layers.Dense(3)]),
            lambda k: k.layers.SimpleRNN(2),
        ),
        [normal(3, 4, 3)],
    ),
]


def _three_inputs(k):
    a, b, ids = k.Input((4,)), k.Input((4,)), k.Input((6,), dtype="int32")
    words = k.layers.GRU(4)(k.layers.Embedding(5, 3)(ids))
    product = k.layers.Multiply()([a, words])
    return k.Model([a, b, ids], k.layers.Dense(2)(k.layers.Maximum()([product, b])))


CASES = [*FITS, *STEPS]
