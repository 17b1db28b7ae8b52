"""Numbers that stand in Keras's own tests or in the book, and that need no golden file.

All recurrent ones have constant weights: kernel .01, recurrent kernel .02, bias .03 (the bias of an
LSTM's forget gate is 1 by `unit_forget_bias`); the input counts 0, 1, 2, ...
"""

import numpy as np
import pytest
from golden_classes import layer_norm_cell
from golden_module import k

TOLERANCE = 2e-6

# Last output of each sample; all units are equal.
LAST_OUTPUTS = [
    # layer, units, input shape, arguments, value per sample
    ("SimpleRNN", 4, (2, 3, 4), {}, [0.405432, 0.73605347]),
    ("SimpleRNN", 4, (2, 3, 4), {"go_backwards": True}, [0.11144729, 0.5528889]),
    ("SimpleRNN", 2, (2, 3, 4), {}, [0.39687276, 0.7237238]),
    ("SimpleRNN", 2, (2, 3, 4), {"go_backwards": True}, [0.10004295, 0.53391594]),
    ("LSTM", 3, (3, 6, 4), {}, [0.6288687, 0.86899155, 0.9460773]),
    ("LSTM", 3, (3, 6, 4), {"go_backwards": True}, [0.35622165, 0.74789524, 0.8872726]),
    ("LSTM", 3, (3, 6, 4), {"unroll": True}, [0.6288687, 0.86899155, 0.9460773]),
    ("LSTM", 3, (3, 6, 4), {"unit_forget_bias": False}, [0.57019705, 0.8661914, 0.9459622]),
    ("LSTM", 3, (3, 6, 4), {"use_bias": False}, [0.54986924, 0.86226785, 0.9443936]),
    ("GRU", 3, (3, 6, 4), {}, [0.5217289, 0.6371659, 0.39384964]),
    ("GRU", 3, (3, 6, 4), {"go_backwards": True}, [0.24406259, 0.611516, 0.3928808]),
    ("GRU", 3, (3, 6, 4), {"reset_after": False}, [0.51447755, 0.6426879, 0.40208298]),
    ("GRU", 3, (3, 6, 4), {"use_bias": False}, [0.49988455, 0.64701194, 0.4103359]),
]

# Sequences of outputs under a mask, per sample.
MASKED_OUTPUTS = [
    (
        "LSTM",
        [[1, 1, 1, 0], [1, 1, 0, 0]],
        [
            [0.01588910, 0.05552048, 0.11755939, 0.11755939],
            [0.14185596, 0.28556206, 0.28556206, 0.28556206],
        ],
    ),
    (
        "GRU",
        [[1, 1, 0, 1], [1, 0, 0, 1]],
        [
            [0.03606692, 0.09497581, 0.09497581, 0.19393763],
            [0.16051409, 0.16051409, 0.16051409, 0.30818558],
        ],
    ),
]

# The network of 20 units, 20 units and 10 outputs that the book trains on series of one feature.
BOOK_NETS = {
    "lstm": (lambda: k.layers.LSTM(20, return_sequences=True), 1760 + 3280 + 210),
    "gru": (lambda: k.layers.GRU(20, return_sequences=True), 1380 + 2520 + 210),
    "simple_rnn": (lambda: k.layers.SimpleRNN(20, return_sequences=True), 440 + 820 + 210),
}


def constant_layer(class_name, units, **arguments):
    return getattr(k.layers, class_name)(
        units,
        kernel_initializer=k.initializers.Constant(0.01),
        recurrent_initializer=k.initializers.Constant(0.02),
        bias_initializer=k.initializers.Constant(0.03),
        **arguments,
    )


def counting(*shape):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape)


def assert_close(value, reference):
    np.testing.assert_allclose(np.asarray(value), reference, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize(("class_name", "units", "shape", "arguments", "values"), LAST_OUTPUTS)
def test_last_output(class_name, units, shape, arguments, values):
    output = constant_layer(class_name, units, **arguments)(counting(*shape))
    assert_close(output, np.tile(np.array(values)[:, None], (1, units)))


@pytest.mark.parametrize(("class_name", "mask", "values"), MASKED_OUTPUTS)
def test_masked_sequence(class_name, mask, values):
    layer = constant_layer(class_name, 2, return_sequences=True)
    output = layer(counting(2, 4, 3), mask=np.array(mask, dtype=bool))
    assert_close(output, np.tile(np.array(values)[:, :, None], (1, 1, 2)))


def test_initial_state_of_lstm():
    state = counting(2, 2)
    output = constant_layer("LSTM", 2)(counting(2, 4, 3), initial_state=[state, state])
    assert_close(output, [[0.20574439, 0.3558822], [0.64930826, 0.66276]])


def test_initial_state_of_gru():
    output = constant_layer("GRU", 2)(counting(2, 4, 3), initial_state=counting(2, 2))
    assert_close(output, [[0.23774096, 0.33508456], [0.83659905, 1.0227708]])


def test_layer_normalization():
    layer = k.layers.LayerNormalization(beta_initializer="ones")
    output = np.asarray(layer(counting(1, 5)))
    np.testing.assert_allclose(output, [[-0.41386, 0.29307, 1, 1.70693, 2.41386]], atol=1e-5)


def test_layer_norm_cell_of_the_seed():
    rows, columns = np.mgrid[0:2, 0:3]
    kernel = 0.01 * (3 * rows + columns + 1)
    rows, columns = np.mgrid[0:3, 0:3]
    recurrent = 0.1 * ((3 * rows + columns) % 4 - 1.5)
    bias = np.array([0.05, -0.05, 0.1])
    x = np.array([[[0.1, 0.2], [0.3, -0.4], [-0.5, 0.6], [0.7, 0.8]]], np.float32)
    layer = k.layers.RNN(layer_norm_cell(k)(3), return_sequences=True)
    layer(x)
    layer.set_weights([kernel, recurrent, bias, np.ones(3), np.zeros(3)])
    output = np.asarray(layer(x))
    assert_close(output[0, 0], [0.191, -0.827172, 0.75554])
    assert_close(output[0, 3], [-0.845067, 0.068679, 0.824225])


def test_adam_with_amsgrad():
    """The table of Keras's adam_test.py, whose values are rounded to four digits."""
    model = k.Sequential([k.Input(shape=(1,)), k.layers.Dense(10, use_bias=False)])
    model.set_weights([np.ones((1, 10))])
    model.compile(
        loss=lambda y_true, y_pred: k.ops.sum(y_true * y_pred),
        optimizer=k.optimizers.Adam(amsgrad=True),
    )
    ones = np.ones((1, 1), np.float32)
    gradients = [np.full((1, 10), 0.01)] + 4 * [np.arange(0.1, 1.1, 0.1)[None]]
    for gradient, golden in zip(gradients, [0.999, 0.9982, 0.9974, 0.9965, 0.9955], strict=True):
        model.train_on_batch(ones, gradient.astype(np.float32))
        np.testing.assert_allclose(model.get_weights()[0], golden, rtol=5e-4, atol=5e-4)


@pytest.mark.parametrize("name", BOOK_NETS)
def test_parameter_count(name):
    layer, count = BOOK_NETS[name]
    head = k.layers.TimeDistributed(k.layers.Dense(10))
    model = k.Sequential([k.Input(shape=(None, 1)), layer(), layer(), head])
    assert model.count_params() == count


def test_parameter_count_of_conv_gru():
    model = k.Sequential(
        [
            k.Input(shape=(None, 1)),
            k.layers.Conv1D(filters=20, kernel_size=4, strides=2, padding="valid"),
            k.layers.GRU(20, return_sequences=True),
            k.layers.GRU(20, return_sequences=True),
            k.layers.TimeDistributed(k.layers.Dense(10)),
        ]
    )
    assert model.count_params() == 100 + 2520 + 2520 + 210
