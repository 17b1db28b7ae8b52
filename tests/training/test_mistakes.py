"""What beginners get wrong: the error or warning says what to do instead."""

import warnings

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers

X = np.ones((4, 2), "float32")


def model_of(units=1, loss="mse", **options):
    model = keras.Sequential([layers.Dense(units, input_shape=[2], **options)])
    model.compile("sgd", loss)
    return model


def batches():
    yield X, X[:, :1]


OLD_NAMES = [
    (lambda: layers.Dense(output_dim=3), "Dense", "output_dim", "units"),
    (lambda: layers.Conv1D(nb_filter=3, filter_length=2), "Conv1D", "n|f", "filters|kernel_size"),
    (lambda: layers.Dense(3, W_regularizer="l2"), "Dense", "W_regularizer", "kernel_regularizer"),
    (lambda: layers.Dense(3, init="zeros"), "Dense", "init", "kernel_initializer"),
    (lambda: layers.GRU(3, inner_activation="tanh"), "GRU", "", "recurrent_activation"),
    (lambda: layers.LSTM(3, dropout_U=0.1), "LSTM", "dropout_U", "recurrent_dropout"),
    (lambda: layers.Dropout(p=0.5), "Dropout", "p", "rate"),
    (lambda: keras.callbacks.ModelCheckpoint("x", period=2), "ModelCheckpoint", "", "save_freq"),
]


@pytest.mark.parametrize(("call", "cls", "old", "new"), OLD_NAMES)
def test_names_of_keras_1(call, cls, old, new):
    with pytest.raises(TypeError, match=rf"{cls}\(\).*({old}).*Did you mean '({new})'"):
        call()


def test_a_users_own_argument_may_have_an_old_name():
    class Own(layers.Dense):
        def __init__(self, init, **kwargs):
            super().__init__(init + 1, **kwargs)

    assert Own(init=2).units == 3
    assert layers.Embedding(input_dim=3, output_dim=2).output_dim == 2


def test_layers_of_keras_1():
    with pytest.raises(AttributeError, match="Did you mean 'Concatenate'"):
        layers.Merge  # noqa: B018


DATA = [
    (lambda m: m.fit(batches), "x: expected data, got the function .*Call it: x()"),
    (lambda m: m.fit([(X, X[:, :1])] * 3), "list of 3 tuples.*generator or a keras.utils.PyData"),
    (lambda m: m.fit(X, np.array(list("abab"))), "names, y = np.unique(y, return_inverse=True)"),
    (lambda m: m.fit(X.astype(str), X[:, :1]), "TextVectorization"),
]


@pytest.mark.parametrize(("call", "words"), DATA)
def test_data(call, words):
    for ch in "()":
        words = words.replace(ch, f"\\{ch}")
    with pytest.raises(TypeError, match=words):
        call(model_of())


def test_strings_where_numbers_belong():
    with pytest.raises(ValueError, match=r"class numbers, got an array of dtype <U1.*np.unique"):
        keras.utils.to_categorical(["a", "b"])
    with pytest.raises(ValueError, match="sequence 1 holds strings"):
        keras.utils.pad_sequences([[1], ["a"]])
    words = keras.utils.pad_sequences([["a"], ["b", "c"]], dtype=object, value="", padding="post")
    assert words.tolist() == [["a", ""], ["b", "c"]]


@pytest.mark.parametrize("loss", ["binary_crossentropy", "mse"])
@pytest.mark.parametrize("shape", [(4,), (4, 1)])
def test_one_number_per_sample_for_several_units(loss, shape):
    with pytest.raises(ValueError, match=r"Dense\(1\).*sparse_cat.*to_categorical\(y, 3\)"):
        model_of(3, loss).fit(X, np.ones(shape), verbose=0)


@pytest.mark.parametrize("layer", [layers.LSTM, layers.GRU, layers.SimpleRNN])
def test_a_comma_forgotten(layer):
    with pytest.raises(ValueError, match=r"input_shape=3 is a number.*\(3,\).*\(None, 3\)"):
        layer(2, input_shape=(3))
    assert layers.Dense(2, input_shape=3)._batch_input_shape == (None, 3)


def test_softmax_over_one_unit():
    with pytest.warns(UserWarning, match="Dense 'head': a softmax over one unit is always 1"):
        layers.Dense(1, activation="softmax", name="head")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        layers.Dense(1, activation="sigmoid")
        layers.Dense(2, activation="softmax")


def test_a_loss_that_is_not_a_number():
    x = X.copy()
    x[1, 1] = np.nan
    model = model_of()
    with pytest.warns(UserWarning) as caught:
        model.fit(x, X[:, :1], epochs=3, verbose=0)
    texts = [str(w.message) for w in caught]
    assert len(texts) == 1 and "The loss of epoch 1 is NaN" in texts[0] and "np.isnan" in texts[0]


def test_a_model_whose_class_needs_arguments(tmp_path):
    class Forecaster(keras.Model):
        def __init__(self, cell):
            super().__init__()
            self.inner = layers.RNN(cell)

        def call(self, x):
            return self.inner(x)

    model = Forecaster(layers.GRUCell(2))
    model(np.zeros((2, 3, 1), "float32"))
    model.save(tmp_path / "model.srn")
    with pytest.raises(ValueError, match=r"get_config\(\) of the class must give"):
        keras.models.load_model(tmp_path / "model.srn", custom_objects={"Forecaster": Forecaster})
