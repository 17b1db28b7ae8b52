"""What models say about themselves, and what they refuse."""

import numpy as np
from cases_graphs import frozen, nested, own_class, shared, two_to_two
from golden_kinds import FactCase, RefusalCase

X4 = np.zeros((2, 4), "float32")


def of_dict(k):
    return two_to_two(k, "dict")


def m2(k):
    k.utils.clear_session()
    return two_to_two(k)


def dense_chain(k, **options):
    layers = [k.layers.Dense(2, name="w"), k.layers.Dense(3, name="v")]
    return k.Sequential([k.Input((4,)), *layers], **options)


def _layers_of(model):
    return [layer.name for layer in model.layers]


def _fact(name, call, **options):
    return FactCase(name, call, **options)


def _trained_names(k, **options):
    model = m2(k)
    model.compile("sgd", "mse", **options)
    x = [np.zeros((2, 4, 3), "float32"), np.zeros((2, 2), "float32")]
    y = [np.zeros((2, 2), "float32"), np.zeros((2, 4, 1), "float32")]
    return model, x, y


def _on_batch(k, **options):
    model, x, y = _trained_names(k)
    return model.train_on_batch(x, y, **options)


def _popped(k):
    model = dense_chain(k, name="s")
    model.pop()
    before = model.output_shape
    model.add(k.layers.Dense(7, name="q"))
    return [before, model.output_shape, [v.path for v in model.weights]]


def _frozen_counts(k):
    model = dense_chain(k)
    model.layers[0].trainable = False
    counts = [len(model.trainable_weights), len(model.non_trainable_weights)]
    model.trainable = False
    counts += [len(model.trainable_weights), [la.trainable for la in model.layers]]
    model.trainable = True
    return [*counts, len(model.trainable_weights), [la.trainable for la in model.layers]]


def _cloned(k, **options):
    return k.models.clone_model(m2(k), **options)


def _replaced(k):
    def clone(layer):
        if layer.name == "p":
            return k.layers.Dense(5, name="p")
        return layer.__class__.from_config(layer.get_config())

    return [tuple(t.shape) for t in _cloned(k, clone_function=clone).outputs]


def _steps_seen(k, steps_per_execution):
    seen = []

    class Hooks(k.callbacks.Callback):
        def on_train_batch_begin(self, batch, logs=None):
            seen.append(["begin", batch])

        def on_train_batch_end(self, batch, logs=None):
            seen.append(["end", batch])

    model = dense_chain(k)
    model.compile("sgd", "mse", steps_per_execution=steps_per_execution)
    model.fit(
        *(np.zeros((7, n), "float32") for n in (4, 3)),
        batch_size=1, verbose=0, callbacks=[Hooks()],
    )  # fmt: skip
    return seen


def _own(k, **methods):
    return type("Own", (k.Model,), methods)()


def _thawed_at_once(k):
    model = frozen(k)
    model.trainable = True
    return len(model.trainable_weights)


def _subclass_paths(k):
    k.utils.clear_session()
    return [v.path for v in own_class(k).weights]


FACTS = [
    _fact("layers", lambda k: _layers_of(dense_chain(k))),
    _fact("layers_of_nested", lambda k: [la.name for la in nested(k).layers[2:]]),
    _fact("layers_of_shared", lambda k: _layers_of(shared(k))),
    _fact("types_of_layers", lambda k: [type(la).__name__ for la in shared(k).layers]),
    _fact("layer_by_index", lambda k: [shared(k).get_layer(index=i).name for i in (0, 2, -1)]),
    _fact("layer_by_name", lambda k: shared(k).get_layer("minus").name),
    _fact("layer_input", lambda k: tuple(shared(k).get_layer("end").input.shape)),
    _fact("layer_output", lambda k: tuple(shared(k).get_layer("end").output.shape)),
    _fact("layer_inputs", lambda k: [tuple(t.shape) for t in shared(k).get_layer("minus").input]),
    _fact("shared_layer_input", lambda k: shared(k).get_layer("gru").input.name),
    _fact("input_names", lambda k: [t.name for t in m2(k).inputs]),
    _fact("output_names", lambda k: m2(k).output_names),
    _fact("input_shape", lambda k: m2(k).input_shape),
    _fact("output_shape", lambda k: m2(k).output_shape),
    _fact("output_shape_single", lambda k: nested(k).output_shape),
    _fact("output_shape_sequential", lambda k: dense_chain(k).output_shape),
    _fact("input_is_a_list", lambda k: type(m2(k).input).__name__),
    _fact("input_of_one", lambda k: tuple(nested(k).input.shape)),
    _fact("inputs_of_one", lambda k: len(nested(k).inputs)),
    _fact("count_params", lambda k: m2(k).count_params()),
    _fact("weight_shapes", lambda k: [tuple(v.shape) for v in shared(k).weights]),
    _fact("weight_names", lambda k: [v.name for v in shared(k).weights]),
    _fact("weight_paths", lambda k: [v.path for v in shared(k).weights]),
    _fact("paths_sequential", lambda k: [v.path for v in dense_chain(k, name="s").weights]),
    _fact("paths_subclass", _subclass_paths),
    _fact("pop_and_add", _popped),
    _fact("frozen_counts", _frozen_counts),
    _fact("trainable_of_model", lambda k: [frozen(k).trainable, len(frozen(k).trainable_weights)]),
    _fact("compiled_before", lambda k: dense_chain(k).compiled),
    _fact(
        "thawed_at_once",
        lambda k: _thawed_at_once(k),
        differs="`model.trainable = True` reaches every layer, also if the model was trainable",
        here=7,
    ),
    _fact("built_sequential", lambda k: k.Sequential([k.layers.Dense(2)]).built),
    _fact("built_with_input", lambda k: dense_chain(k).built),
    _fact("on_batch_list", lambda k: [float(v) for v in _on_batch(k)]),
    _fact("on_batch_dict", lambda k: list(_on_batch(k, return_dict=True).values())),
    _fact("clone_layers", lambda k: _layers_of(k.models.clone_model(shared(k)))),
    _fact("clone_compiled", lambda k: _cloned(k).compiled),
    _fact("clone_name", lambda k: k.models.clone_model(dense_chain(k, name="s")).name),
    _fact("clone_function", _replaced),
    _fact("steps_seen_1", lambda k: _steps_seen(k, 1)),
    _fact("steps_seen_2", lambda k: _steps_seen(k, 2)),
    _fact("steps_seen_3", lambda k: _steps_seen(k, 3)),
    _fact("steps_seen_9", lambda k: _steps_seen(k, 9)),
    _fact(
        "unpacked",
        lambda k: [
            k.utils.unpack_x_y_sample_weight(d) for d in (1, (1,), (1, 2), (1, 2, 3), [1, 2])
        ],
    ),
    _fact(
        "packed",
        lambda k: [
            k.utils.pack_x_y_sample_weight(*d)
            for d in ((1,), ([1],), (1, 2), (1, 2, 3), (1, None, 3))
        ],
    ),
    _fact("metrics_before", lambda k: [m.name for m in dense_chain(k).metrics]),
    _fact("is_layer", lambda k: isinstance(dense_chain(k), k.layers.Layer)),
    _fact("model_name", lambda k: m2(k).name),
    _fact("sequential_name", lambda k: dense_chain(k).name),
    _fact("subclass_name", lambda k: own_class(k).name),
    _fact(
        "optimizer_by_name",
        lambda k: type(_compiled(k, dense_chain(k)).optimizer).__name__,
    ),
    _fact(
        "frozen_after_compile",
        lambda k: len(_frozen_after_compile(k)),
    ),
]


def _compiled(k, model):
    model.compile("adam", "mse")
    return model


def _frozen_after_compile(k):
    model = _compiled(k, dense_chain(k))
    model.layers[0].trainable = False
    return model.trainable_weights


def _fit(k, model, rows=4, loss="mse", **options):
    model.compile("sgd", loss, **options)
    return model.fit(np.zeros((rows, 4), "float32"), np.zeros((rows, 3), "float32"), verbose=0)


def _refused(name, call, *words, **options):
    return RefusalCase(name, call, words, **options)


def _two_fit(k, loss="mse", **options):
    model, x, y = _trained_names(k)
    model.compile("sgd", loss, **options)
    return model.fit(x, y, verbose=0)


def _calls_itself(k):
    layer = type("Snake", (k.layers.Layer,), {"call": lambda self, x: self(x)})(name="snake")
    return layer(np.zeros((2, 2), "float32"))


REFUSED = [
    _refused("layer_of_no_name", lambda k: shared(k).get_layer("ends"), "ends", "end"),
    _refused("layer_of_no_index", lambda k: shared(k).get_layer(index=77), "77", "5"),
    _refused("layer_of_nothing", lambda k: shared(k).get_layer(), "name", "index"),
    _refused("layer_of_both", lambda k: shared(k).get_layer("end", 1), "end", "1"),
    _refused("input_of_uncalled", lambda k: k.layers.Dense(1, name="q").input, "q", "input"),
    _refused("output_of_uncalled", lambda k: k.layers.Dense(1, name="q").output, "q", "output"),
    _refused("two_of_a_name", lambda k: _same_names(k), "twin"),
    _refused("disconnected", lambda k: _disconnected(k), "input"),
    _refused("inputs_no_placeholder", lambda k: k.Model(np.zeros(3), shared(k).output), "inputs"),
    _refused("fit_uncompiled", lambda k: dense_chain(k).fit(X4), "compile()"),
    _refused("evaluate_uncompiled", lambda k: dense_chain(k).evaluate(X4), "compile()"),
    _refused("batch_uncompiled", lambda k: dense_chain(k).train_on_batch(X4), "compile()"),
    _refused("no_loss", lambda k: _fit(k, dense_chain(k), loss=None), "loss", "compile("),
    _refused("loss_of_no_output", lambda k: _dict_fit(k, {"ou": "mse", "p": "mae"}), "ou"),
    _refused("metric_of_no_output", lambda k: _dict_fit(k, "mse", metrics={"ou": ["mae"]}), "ou"),
    _refused("losses_too_many", lambda k: _two_fit(k, ["mse"] * 3), "3", "2"),
    _refused("metrics_too_few", lambda k: _two_fit(k, metrics=[["mae"]]), "metrics", "o, p"),
    _refused("input_missing", lambda k: _dict_predict(k, "a"), "b", "missing"),
    _refused("add_no_layer", lambda k: dense_chain(k).add("x"), "layer", "x"),
    _refused("add_same_name", lambda k: dense_chain(k).add(k.layers.Dense(1, name="v")), "v"),
    _refused("pop_of_empty", lambda k: k.Sequential().pop(), "pop"),
    _refused("set_layers", lambda k: setattr(dense_chain(k), "layers", []), "layers", "add()"),
    _refused("fit_of_empty", lambda k: _fit(k, k.Sequential()), "layers", "add"),
    _refused("summary_range", lambda k: dense_chain(k).summary(layer_range=["w"]), "layer_range"),
    _refused("summary_names", lambda k: dense_chain(k).summary(layer_range=["zz", "w"]), "zz"),
    _refused("add_metric", lambda k: dense_chain(k).add_metric(1.0), "compile("),
    _refused("calls_itself", _calls_itself, "snake", "Snake"),
    _refused("unpack_four", lambda k: k.utils.unpack_x_y_sample_weight((1, 2, 3, 4)), "(x, y"),
    _refused("plot_unbuilt", lambda k: k.utils.plot_model(k.Sequential([])), "built"),
    _refused("clone_inputs", lambda k: _cloned(k, input_tensors=[k.Input((4,))]), "input_tensors"),
    _refused("clone_arrays", lambda k: _cloned(k, input_tensors=[X4, X4]), "input_tensors"),
    _refused("weights_too_few", lambda k: dense_chain(k).set_weights([np.zeros((4, 2))]), "1", "4"),
    _refused("weights_wrong", lambda k: dense_chain(k).set_weights([np.zeros(2)] * 4), "(4, 2)"),
    _refused(
        "own_step_without_dict",
        lambda k: _fit(k, _number_step(k)),
        "train_step",
        "dict",
        raises=TypeError,
        differs="Keras's AttributeError is that of a number without `items`",
    ),
    _refused(
        "wrong_number_of_inputs",
        lambda k: m2(k).predict(np.zeros((2, 4, 3), "float32"), verbose=0),
        "2 inputs",
        "1",
        raises=ValueError,
        differs="Keras's TypeError is of TensorFlow, which cuts the array into its rows",
    ),
    _refused(
        "steps_per_execution_0",
        lambda k: dense_chain(k).compile("sgd", "mse", steps_per_execution=0),
        "steps_per_execution",
        raises=ValueError,
        differs="Keras takes it and runs nothing",
    ),
]


def _same_names(k):
    x = k.Input((2,))
    return k.Model(x, k.layers.Dense(2, name="twin")(k.layers.Dense(2, name="twin")(x)))


def _disconnected(k):
    a, b = k.Input((2,)), k.Input((2,))
    return k.Model(a, k.layers.Dense(2)(b))


def _number_step(k):
    cls = type("Own", (k.Model,), {"train_step": lambda self, data: 3.0})
    x = k.Input((4,))
    return cls(x, k.layers.Dense(3)(x))


def _dict_fit(k, loss, **options):
    model = of_dict(k)
    model.compile("sgd", loss, **options)
    x = {"a": np.zeros((2, 4, 3), "float32"), "b": np.zeros((2, 2), "float32")}
    y = {"o": np.zeros((2, 2), "float32"), "p": np.zeros((2, 4, 1), "float32")}
    return model.fit(x, y, verbose=0)


def _dict_predict(k, name):
    return of_dict(k).predict({name: np.zeros((2, 4, 3), "float32")}, verbose=0)


CASES = [*FACTS, *REFUSED]
