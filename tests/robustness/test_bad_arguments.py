"""Bad arguments: the error says what came, what was expected, what to do; nothing has changed."""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers

X = np.random.default_rng(0).normal(size=(8, 5, 3)).astype("float32")
Y = X[..., :1]


def compiled(*chain, **options):
    model = keras.Sequential([layers.Input((5, 3)), *(chain or [layers.Dense(1)])])
    model.compile(loss="mse", optimizer="sgd", **options)
    return model


@pytest.mark.parametrize("axis", [None, 1.5, True, "a", {}, [None], np.array([1, 2])])
def test_layer_normalization_takes_whole_axes_only(axis):
    with pytest.raises(ValueError, match="LayerNormalization: axis must be a whole number"):
        layers.LayerNormalization(axis=axis)


@pytest.mark.parametrize("value", [None, 3, 2.5, "abc", b"x", {}, [1.5], [True]])
def test_reshape_and_permute_take_lists_of_whole_numbers(value):
    with pytest.raises(ValueError, match="Reshape: target_shape"):
        layers.Reshape(value)
    with pytest.raises(ValueError, match="Permute: dims"):
        layers.Permute(value)


@pytest.mark.parametrize("value", ["False", "no", None, 2, 1.0, [True], np.array([True])])
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda **k: layers.GRU(3, **k), "return_sequences"),
        (lambda **k: layers.LSTM(3, **k), "go_backwards"),
        (lambda **k: layers.RNN(layers.GRUCell(3), **k), "return_state"),
        (lambda **k: layers.GRU(3, **k), "reset_after"),
        (lambda **k: layers.LSTMCell(3, **k), "unit_forget_bias"),
        (lambda **k: layers.Dense(3, **k), "use_bias"),
        (lambda **k: layers.Conv1D(3, 2, **k), "use_bias"),
        (lambda **k: layers.Embedding(3, 2, **k), "mask_zero"),
        (layers.BatchNormalization, "center"),
        (layers.LayerNormalization, "scale"),
        (layers.GlobalMaxPooling1D, "keepdims"),
        (layers.Dropout, "trainable"),
    ],
)
def test_flags_are_true_or_false(make, name, value):
    rate = {"rate": 0.5} if make is layers.Dropout else {}
    with pytest.raises(TypeError, match=f": {name} must be True or False, got "):
        make(**rate, **{name: value})
    for right in (True, False, 1, 0, np.True_, np.int64(1)):
        layer = make(**rate, **{name: right})
        assert getattr(layer, name) is bool(right)


def test_trainable_set_later_is_true_or_false():
    layer = layers.Dense(1)
    with pytest.raises(TypeError, match=r"Dense: trainable must be True or False, got 'no'"):
        layer.trainable = "no"
    assert layer.trainable


def test_layer_called_on_none_or_on_several_inputs():
    with pytest.raises(ValueError, match=r"in layer 'g' \(GRU\).*got None"):
        layers.GRU(4, name="g")(None)
    with pytest.raises(ValueError, match="expected one input, got 2; join them by Concatenate"):
        layers.Dense(4)([X, X])


def test_typo_in_a_call_is_answered_with_the_near_name():
    with pytest.raises(TypeError, match=r"in layer 'g' \(GRU\).*Did you mean 'training'\?"):
        layers.GRU(4, name="g")(X, trainin=True)


@pytest.mark.parametrize("training", ["yes", [1], float("nan")])
def test_training_is_a_bool(training):
    with pytest.raises(TypeError, match="training must be True, False or None"):
        layers.Dropout(0.5)(X, training=training)


@pytest.mark.parametrize("mask", ["abc", [[True] * 5] * 8, True])
def test_mask_that_is_no_array(mask):
    with pytest.raises(ValueError, match=r"the mask must be an array of bools \(batch, time\)"):
        layers.GRU(4)(X, mask=mask)


@pytest.mark.parametrize("state", ["abc", 3, [None]])
def test_initial_state_that_is_no_array(state):
    with pytest.raises(ValueError, match="initial_state must be a tensor or an array"):
        layers.GRU(4)(X, initial_state=state)


def test_recurrent_layer_after_one_without_sequences_in_a_functional_model():
    first = layers.GRU(4, name="one")(layers.Input((5, 3)))
    with pytest.raises(ValueError, match="Set return_sequences=True on 'one'"):
        layers.GRU(4)(first)


@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_typos_of_keywords(method):
    with pytest.raises(TypeError, match="Did you mean 'batch_size'"):
        getattr(compiled(), method)(X, batchsize=3)


def test_names_of_three_letters_are_near_when_two_are_exchanged():
    with pytest.raises(ValueError, match="Did you mean 'mse'"):
        keras.losses.get("mes")


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"validation_split": "a"}, "validation_split must be a number"),
        ({"shuffle": "abc"}, "shuffle must be True, False or 'batch'"),
        ({"callbacks": [keras.callbacks.EarlyStopping]}, r"Write EarlyStopping\(\.\.\.\)"),
    ],
)
def test_arguments_of_fit(options, text):
    with pytest.raises((TypeError, ValueError), match=text):
        compiled().fit(X, Y, verbose=0, **options)


def test_masked_elements_are_not_ignored():
    masked = np.ma.array(X, mask=X > 1)
    with pytest.raises(ValueError, match=r"x is a masked array.*x\.filled"):
        compiled().fit(masked, Y, verbose=0)
    with pytest.raises(ValueError, match="masked array"):
        layers.Dense(1)(masked)
    compiled().fit(np.ma.array(X), Y, verbose=0)  # nothing masked: fine


def test_an_epoch_without_data_is_not_recorded():
    model = compiled()
    with pytest.warns(UserWarning, match="ran out of data"):
        history = model.fit(iter([(X, Y)]), epochs=3, verbose=0)
    assert len(history.history["loss"]) == 1


def test_evaluate_without_data():
    with pytest.raises(ValueError, match="yields no batches"):
        compiled().evaluate(iter([]), verbose=0)


@pytest.mark.parametrize("kind", [object, complex, str])
def test_set_weights_sets_all_or_none(kind):
    model = compiled(layers.Dense(2), layers.Dense(1))
    before = model.get_weights()
    after = [w + 1 for w in before]
    after[-1] = after[-1].astype(kind)
    with pytest.raises(TypeError, match="weight 3"):
        model.set_weights(after)
    for a, b in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("rate", [-0.1, 1.5, 3, float("nan"), "a", [0.5]])
@pytest.mark.parametrize("name", ["dropout", "recurrent_dropout"])
def test_dropout_of_recurrent_layers_is_a_share(name, rate):
    with pytest.raises(ValueError, match=f"{name} must be a number between 0 and 1"):
        layers.GRU(4, **{name: rate})


@pytest.mark.parametrize("name", ["input_dim", "batch_size", "input_length"])
@pytest.mark.parametrize("size", [-1, 2.5, "a", True])
def test_sizes_of_the_input_are_whole(name, size):
    with pytest.raises(ValueError, match=f"GRU: {name} must hold whole numbers"):
        layers.GRU(4, **{name: size})


# ---- layers and cells that misbehave ----


def test_add_weight_in_call():
    class Grows(layers.Layer):
        def call(self, x):
            return x * self.add_weight(shape=(3,), initializer="ones")

    with pytest.raises(ValueError, match=r"in layer 'g' \(Grows\): add_weight in `call`"):
        compiled(Grows(name="g"))


class Returns(layers.Layer):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def call(self, x):
        return self.function(x)


@pytest.mark.parametrize(
    ("result", "text"),
    [(None, "returns None"), ([1, 2], "returns a list of 2"), (3, "returns int")],
)
def test_layer_in_a_sequential_that_returns_no_tensor(result, text):
    with pytest.raises(ValueError, match=text):
        compiled(Returns(lambda x: result))


def test_none_where_numbers_are_expected():
    model = compiled()
    model.compile(loss=lambda a, b: None)
    with pytest.raises(TypeError, match=r"got None\. A function without `return` gives it"):
        model.fit(X, Y, verbose=0)


def test_layer_without_super_init_in_a_sequential():
    class Forgets(layers.Layer):
        def __init__(self):
            self.k = 3

    with pytest.raises(RuntimeError, match=r"does not call `super\(\)\.__init__"):
        compiled(Forgets())


def test_model_in_itself():
    model = keras.Sequential([layers.Dense(3)])
    with pytest.raises(ValueError, match="can't be a layer of itself"):
        model.add(model)
    outer = keras.Sequential([model])
    with pytest.raises(ValueError, match="can't be a layer of itself"):
        model.add(outer)


class Cell(layers.Layer):
    def __init__(self, function, state_size=3):
        super().__init__()
        self.function, self.state_size = function, state_size

    def call(self, x, states):
        return self.function(x, states)


@pytest.mark.parametrize("size", [-1, None, "a", 2.5, True, [3, None]])
def test_state_size(size):
    with pytest.raises(ValueError, match=r"state_size .*must be a whole number, or a list of them"):
        layers.RNN(Cell(lambda x, h: (x, h), size))(X)


@pytest.mark.parametrize(
    "output", [lambda x: [x, x], lambda x: [], lambda x: keras.ops.sum(x), lambda x: x[:1]]
)
def test_output_of_a_cell(output):
    with pytest.raises(ValueError, match="one tensor with the batch axis first"):
        layers.RNN(Cell(lambda x, h: (output(x), h)))(X)
