"""Bad input: what the texts say, and that the model is as it was."""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers


def model_of(*chain, loss="mse", optimizer="adam", **kwargs):
    model = keras.Sequential(list(chain))
    model.compile(loss=loss, optimizer=optimizer, **kwargs)
    return model


def conv_model():
    return model_of(layers.Conv1D(20, 4, strides=2, input_shape=[None, 1]), layers.Dense(10))


def data(n=8, t=50, f=1, out=10):
    return np.zeros((n, t, f), "float32"), np.zeros((n, t, out), "float32")


def unchanged(model, call):
    """Runs `call`, which must fail, and checks that nothing has happened to the model."""
    weights = [w.copy() for w in model.get_weights()]
    iterations = int(model.optimizer.iterations) if model.optimizer else None
    with pytest.raises((ValueError, TypeError)) as caught:
        call()
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    if iterations is not None:
        assert int(model.optimizer.iterations) == iterations
    return str(caught.value)


# ---- compile ----


@pytest.mark.parametrize("call", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_missing_compile(call):
    model = keras.Sequential([layers.Dense(1, input_shape=[2])])
    with pytest.raises(ValueError, match=r"You must call `compile\(\)` before calling " + call):
        getattr(model, call)(np.zeros((2, 2)), np.zeros((2, 1)))


def test_missing_loss():
    model = keras.Sequential([layers.Dense(1, input_shape=[2])])
    model.compile(optimizer="adam", metrics=["mae"])
    with pytest.raises(ValueError, match=r"no loss: pass one to compile"):
        model.fit(np.zeros((2, 2)), np.zeros((2, 1)), verbose=0)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"loss": "msee"}, "Unknown loss 'msee'. Did you mean 'mse'"),
        ({"optimizer": "adamm"}, "Unknown optimizer 'adamm'. Did you mean 'Adam'"),
        ({"metrics": ["acuracy"]}, "Unknown metric 'acuracy'. Did you mean 'accuracy'"),
        ({"metric": ["mae"]}, "unexpected keyword argument 'metric'. Did you mean 'metrics'"),
    ],
)
def test_unknown_strings_leave_the_model_as_it_was(options, text):
    model = model_of(layers.Dense(1, input_shape=[2]))
    optimizer = model.optimizer
    with pytest.raises((ValueError, TypeError), match=text.replace("(", r"\(")):
        model.compile(**{"loss": "mse", **options})
    assert model.optimizer is optimizer and model.compiled


# ---- shapes ----


def test_targets_of_every_step_for_a_strided_convolution():
    x, y = data()
    model = conv_model()
    text = unchanged(model, lambda: model.fit(x, y, verbose=0))
    assert "(8, 50, 10)" in text and "(8, 24, 10)" in text and "Y[:, 3::2]" in text
    model.fit(x, y[:, 3::2], verbose=0)


def test_slice_of_several_layers():
    x, y = data()
    model = model_of(
        layers.Conv1D(4, 3, strides=2, input_shape=[None, 1]),
        layers.Conv1D(4, 2, dilation_rate=3),
        layers.MaxPooling1D(2),
        layers.Dense(10),
    )
    text = unchanged(model, lambda: model.fit(x, y, verbose=0))
    # 2 + 2 * 3 + 2 * 1 = 10; 2 * 1 * 2 = 4
    assert "Y[:, 10::4]" in text
    model.fit(x, y[:, 10::4], verbose=0)


def test_no_slice_where_none_fits():
    x, y = data()
    model = conv_model()
    assert "Y[:" not in unchanged(model, lambda: model.fit(x, y[:, :40], verbose=0))


def test_causal_convolution_with_stride():
    x, y = data()
    model = model_of(
        layers.Conv1D(4, 4, strides=2, padding="causal", input_shape=[None, 1]), layers.Dense(10)
    )
    assert "Y[:, ::2]" in unchanged(model, lambda: model.fit(x, y, verbose=0))


def test_two_axes_too_few():
    model = conv_model()
    text = unchanged(model, lambda: model.predict(np.zeros(8), verbose=0))
    assert "(None, None, 1)" in text and "(8,)" in text


def test_two_dimensional_input_where_the_features_are_open():
    model = keras.Sequential([keras.Input((None, None)), layers.GlobalAveragePooling1D()])
    with pytest.raises(ValueError, match=r"X\[\.\.\., np\.newaxis\]") as caught:
        model.predict(np.zeros((8, 50)), verbose=0)
    assert "(None, None, None)" in str(caught.value) and "(8, 50)" in str(caught.value)


def test_one_sample_of_one_feature():
    model = model_of(layers.LSTM(2, input_shape=[12, 1]))
    text = unchanged(model, lambda: model.predict(np.zeros((12, 1)), verbose=0))
    assert text.endswith("got (12, 1). Add the axis of samples: x[np.newaxis].")


def test_single_sample_without_batch_axis():
    model = model_of(layers.Dense(1, input_shape=[5, 2]))
    text = unchanged(model, lambda: model.predict(np.zeros((5, 2)), verbose=0))
    assert "(None, 5, 2)" in text and "x[np.newaxis]" in text


def test_wrong_number_of_features():
    model = conv_model()
    x, y = data(f=3)
    text = unchanged(model, lambda: model.fit(x, y[:, 3::2], verbose=0))
    assert "(None, None, 1)" in text and "(8, 50, 3)" in text


def test_undeclared_model_checks_features_too():
    x, y = data(f=2)
    model = model_of(layers.Dense(10))
    model.fit(x, y, verbose=0)
    text = unchanged(model, lambda: model.predict(np.zeros((8, 50, 3)), verbose=0))
    assert "dense" in text


def test_cardinality():
    x, y = data()
    model = conv_model()
    text = unchanged(model, lambda: model.fit(x, y[:5, 3::2], verbose=0))
    assert "Data cardinality is ambiguous" in text and "x: 8" in text and "y: 5" in text
    text = unchanged(model, lambda: model.fit(x, y[:, 3::2], sample_weight=np.ones(7), verbose=0))
    assert "sample_weight: 7" in text


def test_sample_weight_that_does_not_fit():
    x, y = data()
    model = conv_model()
    text = unchanged(
        model, lambda: model.fit(x, y[:, 3::2], sample_weight=np.ones((8, 50)), verbose=0)
    )
    assert "sample_weight" in text and "(8, 50)" in text and "(8, 24)" in text


def test_validation_data_is_checked_before_training():
    x, y = data()
    model = conv_model()
    text = unchanged(model, lambda: model.fit(x, y[:, 3::2], validation_data=(x, y), verbose=0))
    assert "Y[:, 3::2]" in text


# ---- kinds of arrays ----


def test_ragged_and_object_arrays():
    model = conv_model()
    _, y = data()
    ragged = [[1.0, 2.0], [3.0]]
    for x in (ragged, np.array(ragged, dtype=object)):
        text = unchanged(model, lambda x=x: model.fit(x, y, verbose=0))
        assert text.startswith("x: ") and "pad_sequences" in text
    text = unchanged(model, lambda: model.fit(np.zeros((8, 50, 1)), y.astype(object), verbose=0))
    assert text.startswith("y: ") and "object" in text


def test_strings_and_complex_numbers():
    model = conv_model()
    for x in (np.array(["a", "b"]), np.zeros((2, 5, 1), complex)):
        assert "expected an array of numbers" in unchanged(
            model, lambda x=x: model.predict(x, verbose=0)
        )


def test_empty_arrays():
    model = conv_model()
    for call in (
        lambda: model.fit(np.zeros((0, 50, 1)), np.zeros((0, 24, 10)), verbose=0),
        lambda: model.predict(np.zeros((0, 50, 1)), verbose=0),
        lambda: model.evaluate([], [], verbose=0),
    ):
        assert "at least one sample" in unchanged(model, call)


def test_nothing():
    model = conv_model()
    assert "got None" in unchanged(model, lambda: model.fit(verbose=0))
    assert "needs targets" in unchanged(model, lambda: model.fit(data()[0], verbose=0))


def test_list_of_rows_means_several_inputs():
    model = conv_model()
    rows = [np.zeros((50, 1)) for _ in range(8)]
    assert "np.stack" in unchanged(model, lambda: model.predict(rows, verbose=0))


def test_class_numbers_out_of_range():
    model = model_of(
        layers.Dense(3, activation="softmax", input_shape=[2]),
        loss="sparse_categorical_crossentropy",
    )
    for wrong in (3, -1):
        y = np.array([0, 1, wrong])
        text = unchanged(model, lambda y=y: model.fit(np.zeros((3, 2)), y, verbose=0))
        assert "0 .. 2" in text and f"got {wrong}" in text
        with pytest.raises(ValueError, match=f"got {wrong}"):
            keras.losses.sparse_categorical_crossentropy(y, np.ones((3, 3)))


def test_embedding_ids_out_of_range():
    model = model_of(layers.Embedding(5, 2, input_shape=[None]), layers.Dense(1))
    text = unchanged(model, lambda: model.predict(np.array([[0, 5]]), verbose=0))
    assert "0 .. 4" in text and "got 5" in text


# ---- numbers ----


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"epochs": -1}, "epochs must not be negative"),
        ({"epochs": 1.5}, "epochs must be a whole number"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"batch_size": 2.5}, "batch_size must be a whole number"),
        ({"steps_per_epoch": 0}, "steps_per_epoch must be at least 1"),
        ({"verbose": 3}, "verbose must be 0, 1, 2 or 'auto'"),
        ({"validation_freq": 0}, "validation_freq must be at least 1"),
        ({"callbacks": ["early"]}, "Expected callbacks to be Callback objects"),
        ({"validation_data": (1, 2, 3, 4)}, "validation_data must be"),
    ],
)
def test_arguments_of_fit(options, text):
    x, y = data()
    model = conv_model()
    assert text in unchanged(model, lambda: model.fit(x, y[:, 3::2], **{"verbose": 0, **options}))


def test_targets_beside_an_iterable():
    model = conv_model()
    text = unchanged(model, lambda: model.fit(iter([]), np.zeros(3), verbose=0))
    assert "it yields (x, y)" in text


def test_iterable_of_wrong_tuples():
    model = conv_model()
    text = unchanged(model, lambda: model.fit(iter([(1, 2, 3, 4)]), verbose=0))
    assert "(x, y, sample_weight)" in text


def test_loss_that_needs_values_is_an_error():
    def branching(y_true, y_pred):
        if keras.ops.mean(y_pred) > 0:
            return y_pred
        return y_true

    x, y = data()
    model = model_of(layers.Dense(10, input_shape=[None, 1]), loss=branching)
    assert "ops.where" in unchanged(model, lambda: model.fit(x, y, verbose=0))


def test_what_is_gone_says_what_to_use():
    with pytest.raises(AttributeError, match="argmax"):
        keras.Sequential().predict_classes  # noqa: B018
    with pytest.raises(AttributeError, match=r"model\.fit takes generators"):
        keras.Sequential().fit_generator  # noqa: B018


# ---- recurrent layers ----


def test_recurrent_layer_after_one_without_sequences():
    x, y = data()
    text = "in layer 'two' (GRU): expected 3-D input (batch, time, features), got {}"
    with pytest.raises(ValueError) as caught:
        keras.Sequential(
            [layers.GRU(4, input_shape=[None, 1], name="one"), layers.GRU(3, name="two")]
        )
    assert str(caught.value).startswith(text.format("(None, 4)"))
    assert str(caught.value).endswith("Set return_sequences=True on 'one'.")
    model = model_of(layers.GRU(4, name="one"), layers.GRU(3, name="two"))
    got = unchanged(model, lambda: model.fit(x, y, verbose=0))
    assert got.startswith(text.format("(8, 4)"))
    assert got.endswith("Set return_sequences=True on 'one'.")
    assert not model.built and model.weights == []


def test_time_distributed_after_a_layer_without_sequences():
    with pytest.raises(ValueError, match=r"return_sequences=True.*'one'"):
        keras.Sequential(
            [
                layers.LSTM(4, input_shape=[None, 1], name="one"),
                layers.TimeDistributed(layers.Dense(3)),
            ]
        )


def test_two_dimensional_data_to_a_recurrent_layer():
    x, y = data()
    model = model_of(layers.GRU(4))
    text = unchanged(model, lambda: model.fit(x[..., 0], y, verbose=0))
    assert "(8, 50)" in text and "X[..., np.newaxis]" in text


def test_last_output_against_targets_of_every_step():
    x, y = data()
    model = model_of(layers.SimpleRNN(10, input_shape=[None, 1]))
    text = unchanged(model, lambda: model.fit(x, y, verbose=0))
    assert "return_sequences=True" in text and "Y[:, -1]" in text


# ---- what a newcomer gets wrong ----


def test_class_weight_that_is_no_dict():
    x, y = data()
    model = conv_model()
    text = unchanged(model, lambda: model.fit(x, y[:, 3::2], class_weight="balanced", verbose=0))
    assert text == "class_weight must be a dict {class: weight}, got 'balanced'."


def test_layers_not_in_a_list():
    with pytest.raises(TypeError, match=r"layers must be a list.*Sequential\(\[\.\.\.\]\)"):
        keras.Sequential(layers.Dense(3), layers.Dense(1))
    with pytest.raises(TypeError, match="layers must be a list"):
        keras.Sequential(layers.Dense(3))


def test_layer_as_a_cell():
    with pytest.raises(TypeError, match=r"LSTM is a layer over all steps.*RNN\(LSTMCell"):
        layers.RNN(layers.LSTM(3))


def test_layer_without_return():
    class Forgetful(layers.Layer):
        def call(self, x):
            x + 1

    class Model(keras.Model):
        def call(self, x):
            x + 1

    text = "in layer 'it' ({}): call() must return a tensor, or several, got None."
    x = np.ones((4, 2), "float32")
    for use, name in (
        (lambda: keras.Sequential([Forgetful(name="it")]).predict(x, verbose=0), "Forgetful"),
        (lambda: model_of(Forgetful(name="it"), layers.Dense(1)).fit(x, x, verbose=0), "Forgetful"),
        (lambda: Model(name="it").predict(x, verbose=0), "Model"),
    ):
        with pytest.raises(TypeError) as caught:
            use()
        assert str(caught.value) == text.format(name)


def test_loss_without_return():
    model = model_of(layers.Dense(1, input_shape=[2]), loss=lambda y_true, y_pred: None)
    text = unchanged(model, lambda: model.fit(np.ones((4, 2)), np.ones((4, 1)), verbose=0))
    assert text.startswith("loss '<lambda>' must return")


def test_single_sample_to_a_recurrent_layer():
    model = model_of(layers.GRU(3), layers.Dense(1))
    model.fit(np.zeros((4, 5, 2)), np.zeros((4, 1)), verbose=0)
    text = unchanged(model, lambda: model.predict(np.zeros((5, 2)), verbose=0))
    assert "x[np.newaxis]" in text and "X[..., np.newaxis]" not in text


def test_class_numbers_for_one_hot_loss():
    model = model_of(
        layers.Dense(3, activation="softmax", input_shape=[2]), loss="categorical_crossentropy"
    )
    for shape in ((4,), (4, 1)):
        text = unchanged(
            model, lambda s=shape: model.fit(np.zeros((4, 2)), np.zeros(s, int), verbose=0)
        )
        assert "sparse_categorical_crossentropy" in text and "to_categorical" in text


def test_one_hot_for_the_loss_of_class_numbers():
    model = model_of(
        layers.Dense(3, activation="softmax", input_shape=[2]),
        loss="sparse_categorical_crossentropy",
    )
    text = unchanged(model, lambda: model.fit(np.zeros((4, 2)), np.eye(4, 3), verbose=0))
    assert "'categorical_crossentropy'" in text and "argmax" in text


def test_class_numbers_that_are_no_whole_numbers():
    model = model_of(
        layers.Dense(3, activation="softmax", input_shape=[2]),
        loss="sparse_categorical_crossentropy",
    )
    x = np.zeros((4, 2))
    text = unchanged(model, lambda: model.fit(x, np.array([0, 0.5, 1, 2]), verbose=0))
    assert "0.5" in text and "whole" in text
    model.fit(x, np.array([0.0, 1, 2, 2]), verbose=0)


def test_targets_of_several_steps_for_one():
    model = model_of(layers.GRU(3, input_shape=[None, 1]), layers.Dense(1))
    x = np.zeros((4, 5, 1))
    text = unchanged(model, lambda: model.fit(x, x, verbose=0))
    assert "targets have shape (4, 5, 1)" in text and "predictions have shape (4, 1)" in text
    assert "return_sequences=True" in text


def test_validation_data_without_targets():
    x, y = data()
    model = conv_model()
    text = unchanged(model, lambda: model.fit(x, y[:, 3::2], validation_data=x, verbose=0))
    assert "validation_data must be (x, y)" in text


def test_misspelt_argument_of_a_callback():
    with pytest.raises(TypeError, match=r"'patiense'\. Did you mean 'patience'"):
        keras.callbacks.EarlyStopping(patiense=3)
    with pytest.raises(TypeError, match=r"'path'\. Did you mean 'filepath'"):
        keras.callbacks.ModelCheckpoint(path="x")


def test_unknown_names_suggest_the_nearest():
    for module, wrong, near in (
        (keras, "Sequntial", "Sequential"),
        (keras.layers, "Lstm", "LSTM"),
        (keras.ops, "matmull", "matmul"),
        (keras.callbacks, "EarlyStoping", "EarlyStopping"),
        (keras.optimizers, "adam", "Adam"),
        (keras.losses, "MeanSquareError", "MeanSquaredError"),
        (keras.metrics, "Recal", "Recall"),
        (keras.utils, "to_categorial", "to_categorical"),
        (keras.models, "load_modell", "load_model"),
        (keras.datasets, "timeseries", "time_series"),
    ):
        with pytest.raises(AttributeError, match=f"{wrong!r}.*Did you mean {near!r}"):
            getattr(module, wrong)
    with pytest.raises(AttributeError, match=r"no attribute 'Conv2D'.*has not all of Keras"):
        keras.layers.Conv2D  # noqa: B018
    assert not hasattr(keras.layers, "__wrapped__")
    names = dir(keras.callbacks)
    assert "EarlyStopping" in names and "did_you_mean" not in names and "csv" not in names


@pytest.mark.parametrize("metrics", [["mae"], "mae", [keras.metrics.MeanAbsoluteError(name="mae")]])
def test_metrics_in_the_place_of_keras_2(metrics):
    model = keras.Sequential([layers.Dense(1, kernel_initializer="ones", input_shape=[2])])
    model.compile("sgd", "mse", metrics, [0.5])
    result = model.evaluate(np.ones((4, 2)), np.zeros((4, 1)), verbose=0, return_dict=True)
    assert result == {"loss": 2.0, "mae": 2.0}


def test_metrics_twice():
    with pytest.raises(TypeError, match=r"loss_weights must be numbers, got .'mae'"):
        keras.Sequential([layers.Dense(1)]).compile("sgd", "mse", ["mae"], ["mse"])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda m: m.fit(np.ones((4, 2)), workers=4), "Keras 2: leave it out; a PyDataset"),
        (lambda m: m.fit(np.ones((4, 2)), nb_epoch=4), "Keras 2: it is called epochs"),
        (lambda m: m.compile("sgd", "mse", sample_weight_mode="temporal"), "(samples, steps)"),
    ],
)
def test_arguments_of_keras_2(call, words):
    with pytest.raises(TypeError) as caught:
        call(model_of(layers.Dense(1, input_shape=[2])))
    assert words in str(caught.value)


def test_sizes_that_are_not_known_are_printed_as_none():
    with pytest.raises(ValueError) as caught:
        layers.Add()([keras.Input((3, 2)), keras.Input((4, 2))])
    assert "(None, 3, 2) and (None, 4, 2)" in str(caught.value)


def test_optimizers_legacy():
    assert keras.optimizers.legacy.Adam is keras.optimizers.Adam
    assert isinstance(keras.optimizers.legacy.SGD(0.1), keras.optimizers.legacy.Optimizer)
