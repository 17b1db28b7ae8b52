"""Facts that JSON can hold, also those in which seqrnn differs from Keras on purpose."""

from golden_builders import integers, normal, uniform
from golden_case import CallCase
from golden_kinds import FactCase


def _fitted(k, x, y):
    model = k.Sequential([k.Input((3,)), k.layers.Dense(2)])
    model.compile(loss="mse", optimizer="sgd", metrics=["mse", "mae"])
    return model.fit(x, y, verbose=0, validation_split=0.5)


def _scaled(k):
    class Scaled(k.layers.Layer):
        scale = 1.0

        def call(self, x):
            return x * self.scale

    return Scaled()


def _difference(k):
    class Difference(k.Model):
        def call(self, inputs):
            return inputs["a"] - inputs["b"]

    model = Difference()
    model.compile(k.optimizers.SGD(0.0), "mse")
    return model


def _two_outputs(k, loss):
    x = k.Input((3,))
    model = k.Model(x, [k.layers.Dense(1, kernel_initializer="zeros", name=n)(x) for n in "pq"])
    model.compile(k.optimizers.SGD(0.0), loss)
    return model


def _ones(k, value=1.0):
    return k.ops.convert_to_numpy(k.ops.full((4, 3), value))


def _dict_orders(k):
    """What a dict gives in one order, and then in the other."""
    model, a, b = _difference(k), _ones(k, 3.0), _ones(k)
    orders = [{"a": a, "b": b}, {"b": b, "a": a}]
    predicted = [float(model.predict(x, verbose=0)[0, 0]) for x in orders]
    return predicted, [float(model.evaluate(x, 5 * b, verbose=0)) for x in orders]


def _targets_left_out(k):
    x, y = _ones(k), _ones(k)[:, :1]
    first, second = _two_outputs(k, ["mse", None]), _two_outputs(k, [None, "mse"])
    found = [float(first.evaluate(x, t, verbose=0)) for t in (y, [y], [y, None], [y, 3 * y])]
    return found, [float(second.evaluate(x, t, verbose=0)) for t in (y, [None, y], [y, 3 * y])]


def _metric_of_two_models(k):
    """The second evaluation of each: Keras resets a metric only in models that have run before."""
    metric, found = k.metrics.MeanAbsoluteError(name="mae"), []
    models = [
        k.Sequential([k.Input((3,)), k.layers.Lambda(lambda x, f=f: x * f)]) for f in (1.0, 4.0)
    ]
    for model in models:
        model.compile(k.optimizers.SGD(0.0), "mse", metrics=[metric])
    for model, target in zip(models * 2, (3.0, 5.0) * 2, strict=True):
        found.append([float(v) for v in model.evaluate(_ones(k), _ones(k, target), verbose=0)])
    return found[2:]


def _attribute_set_between_calls(k):
    layer, found = _scaled(k), []
    model = k.Sequential([k.Input((3,)), layer])
    for layer.scale in (1.0, 5.0):
        found.append([float(each(_ones(k))[0, 0]) for each in (layer, model)])
    return found


def _attribute_set_by_callback(k, hook):
    layer = _scaled(k)
    model = k.Sequential([k.Input((3,)), layer])
    model.compile(k.optimizers.SGD(0.0), "mse")
    callback = k.callbacks.Callback()
    setattr(callback, hook, lambda *_: setattr(layer, "scale", 3.0))
    x = _ones(k)
    return model.fit(x, 0 * x, epochs=2, callbacks=[callback], verbose=0).history


def _dropout_in_predict(k):
    x = k.Input((50,))
    model = k.Model(x, k.layers.Dropout(0.5, seed=1)(x, training=True))
    found = model.predict(k.ops.convert_to_numpy(k.ops.ones((4, 50))), verbose=0)
    return sorted(set(found.ravel().tolist()))


OPS = [
    CallCase(
        "average_rows",
        lambda k, x, w: k.ops.average(x, 0, w),
        [normal(3, 4), uniform(0.5, 2, 3)],
    ),
    CallCase(
        "average_all", lambda k, x, w: k.ops.average(x, weights=w), [normal(3, 4), normal(3, 4)]
    ),
    CallCase(
        "take_along_no_axis",
        lambda k, x, i: k.ops.take_along_axis(x, i),
        [normal(3, 4), integers(12, 5)],
    ),
    CallCase("min_initial", lambda k, x: k.ops.min(x, axis=1, initial=-0.5), [normal(3, 4)]),
    CallCase("identity", lambda k: k.ops.identity(3)),
    CallCase("arange_step", lambda k: k.ops.arange(1, 7, 2)),
    CallCase("cumsum_dtype", lambda k, x: k.ops.cumsum(x, 0, "int32"), [integers(9, 3, 4)]),
    CallCase(
        "pad_value",
        lambda k, x: k.ops.pad(x, ((1, 1), (0, 2)), constant_values=2.0),
        [normal(2, 2)],
    ),
]

CASES = [
    *OPS,
    FactCase(
        "output_shape",
        lambda k: k.Sequential([k.Input((None, 3)), k.layers.GRU(2)]).output_shape,
    ),
    FactCase(
        "history_order",
        lambda k, x, y: list(_fitted(k, x, y).history),
        [normal(6, 3), normal(6, 2)],
        differs="loss, then metrics in the order of `compile`, as in Keras 2 and the books",
        here=["loss", "mse", "mae", "val_loss", "val_mse", "val_mae"],
    ),
    FactCase("dict_orders", _dict_orders),
    FactCase("targets_left_out", _targets_left_out),
    FactCase("metric_of_two_models", _metric_of_two_models),
    FactCase("attribute_set_between_calls", _attribute_set_between_calls),
    *(
        FactCase(f"attribute_set_{hook}", lambda k, h=hook: _attribute_set_by_callback(k, h))
        for hook in ("on_train_begin", "on_epoch_begin")
    ),
    FactCase(
        "training_true_in_predict",
        _dropout_in_predict,
        differs="training=True in a functional graph holds in predict too, as in Keras 2: so "
        "Dropout gives samples",
        here=[0.0, 2.0],
    ),
]
