"""Whole models: those of the seed and of the book's chapter 15, small, plus graphs of all kinds."""

from golden_builders import integers, layer_case, model_case, normal, sequential
from golden_classes import gated_unit, layer_norm_cell, loop_layer, refining_cell


def mse(k):
    return "mse"


def forecast_head(k):
    return k.layers.TimeDistributed(k.layers.Dense(3))


def series(k):
    """Series of a length that isn't known when the model is made, as in the seed."""
    return k.Input(shape=(None, 1))


def series_of_8(k):
    return k.Input(shape=(8, 1))


def _seed(name, *layers, first=series, steps=8):
    """A model of the seed: every step forecasts three values."""
    return model_case(
        f"seed_{name}",
        sequential(first, *layers),
        [normal(4, 8, 1)],
        target=normal(4, steps, 3),
        loss=mse,
        training_output=True,
    )


SEED = [
    _seed(
        "simple_rnn",
        lambda k: k.layers.SimpleRNN(5, return_sequences=True),
        lambda k: k.layers.SimpleRNN(5, return_sequences=True),
        forecast_head,
    ),
    _seed(
        "batch_norm",
        lambda k: k.layers.SimpleRNN(5, return_sequences=True),
        lambda k: k.layers.BatchNormalization(),
        lambda k: k.layers.SimpleRNN(5, return_sequences=True),
        lambda k: k.layers.BatchNormalization(),
        forecast_head,
    ),
    _seed(
        "layer_norm_cell",
        lambda k: k.layers.RNN(layer_norm_cell(k)(5), return_sequences=True),
        lambda k: k.layers.RNN(layer_norm_cell(k)(5), return_sequences=True),
        forecast_head,
    ),
    _seed(
        "lstm",
        lambda k: k.layers.LSTM(5, return_sequences=True),
        lambda k: k.layers.LSTM(5, return_sequences=True),
        forecast_head,
    ),
    _seed(
        "gru",
        lambda k: k.layers.GRU(5, return_sequences=True),
        lambda k: k.layers.GRU(5, return_sequences=True),
        forecast_head,
    ),
    _seed(
        "conv_gru",
        lambda k: k.layers.Conv1D(filters=5, kernel_size=4, strides=2, padding="valid"),
        lambda k: k.layers.GRU(5, return_sequences=True),
        lambda k: k.layers.GRU(5, return_sequences=True),
        forecast_head,
        steps=3,
    ),
    _seed(
        "dilated_convolutions",
        *[
            lambda k, rate=rate: k.layers.Conv1D(
                filters=8, kernel_size=2, padding="causal", activation="relu", dilation_rate=rate
            )
            for rate in (1, 2, 4) * 2
        ],
        lambda k: k.layers.Conv1D(filters=3, kernel_size=1),
    ),
    _seed(
        "own_loop",
        lambda k: loop_layer(k)(k.layers.SimpleRNNCell(5)),
        forecast_head,
        first=series_of_8,
    ),
]


def wavenet(k):
    """Chapter 15's WaveNet: gated residual blocks with skip connections."""
    inputs = k.Input(shape=(8, 2))
    z = k.layers.Conv1D(4, kernel_size=2, padding="causal")(inputs)
    skips = []
    for rate in (1, 2, 4):
        gated = k.layers.Conv1D(8, kernel_size=2, padding="causal", dilation_rate=rate)(z)
        gated = gated_unit(k)()(gated)
        skip = k.layers.Conv1D(4, kernel_size=1)(gated)
        skips.append(skip)
        z = k.layers.Add()([z, skip])
    z = k.activations.relu(k.layers.Add()(skips))
    z = k.layers.Conv1D(4, kernel_size=1, activation="relu")(z)
    return k.Model(inputs=[inputs], outputs=[k.layers.Conv1D(3, kernel_size=1)(z)])


def wide_and_deep(k):
    """Two inputs, Concatenate over features, a path that goes around the recurrent layer."""
    sequence, static = k.Input(shape=(5, 2)), k.Input(shape=(3,))
    deep = k.layers.Dense(4, activation="tanh")(k.layers.LSTM(4)(sequence))
    joined = k.layers.Concatenate()([deep, static, k.layers.Flatten()(sequence)])
    return k.Model(inputs=[sequence, static], outputs=k.layers.Dense(2)(joined))


def concatenated_time(k):
    inputs = k.Input(shape=(4, 3))
    halves = [k.layers.Dense(2, activation=a)(inputs) for a in ("tanh", "sigmoid")]
    return k.Model(inputs, k.layers.GRU(3)(k.layers.Concatenate(axis=1)(halves)))


def encoder_decoder(k):
    """The states of one LSTM begin another."""
    source, target = k.Input(shape=(5, 2)), k.Input(shape=(4, 3))
    _, h, c = k.layers.LSTM(4, return_state=True)(source)
    decoded = k.layers.LSTM(4, return_sequences=True)(target, initial_state=[h, c])
    return k.Model([source, target], k.layers.Dense(2)(decoded))


def shared_layer(k):
    """One layer called twice: its gradient adds up."""
    left, right = k.Input(shape=(4, 2)), k.Input(shape=(4, 2))
    shared = k.layers.GRU(3)
    return k.Model([left, right], k.layers.Dense(2)(k.layers.Add()([shared(left), shared(right)])))


def nested(k):
    inner = k.Sequential(
        [
            k.Input(shape=(5, 2)),
            k.layers.LSTM(3, return_sequences=True),
            k.layers.Dense(2, activation="tanh"),
        ]
    )
    return k.Sequential([k.Input(shape=(5, 2)), inner, k.layers.GRU(3)])


def operators(k):
    """Operators, slices and ops on symbolic tensors."""
    inputs = k.Input(shape=(6, 4))
    gate = k.ops.sigmoid(inputs[:, ::2, :2]) * 2.0 - 0.5
    mixed = gate * inputs[:, 1::2, 2:] + k.ops.tanh(-inputs[:, :3, ::-2]) / 3.0
    return k.Model(inputs, k.layers.Dense(2)(mixed))


def residual_gru(k):
    inputs = k.Input(shape=(5, 3))
    z = k.layers.LayerNormalization()(k.layers.GRU(3, return_sequences=True)(inputs))
    z = k.layers.Add()([inputs, z])
    return k.Model(inputs, k.layers.GRU(2, reset_after=False)(z))


GRAPHS = [
    model_case("wavenet", wavenet, [normal(3, 8, 2)], target=normal(3, 8, 3), loss=mse),
    model_case("wide_and_deep", wide_and_deep, [normal(4, 5, 2), normal(4, 3)]),
    model_case("concatenated_time", concatenated_time, [normal(3, 4, 3)]),
    model_case("encoder_decoder", encoder_decoder, [normal(3, 5, 2), normal(3, 4, 3)]),
    model_case("shared_layer", shared_layer, [normal(3, 4, 2), normal(3, 4, 2)]),
    model_case("nested", nested, [normal(3, 5, 2)]),
    model_case("operators", operators, [normal(3, 6, 4)]),
    model_case("residual_gru", residual_gru, [normal(3, 5, 3)]),
    model_case(
        "flat_regression",
        sequential(
            lambda k: k.Input(shape=(6, 1)),
            lambda k: k.layers.Flatten(),
            lambda k: k.layers.Dense(3),
        ),
        [normal(5, 6, 1)],
        target=normal(5, 3),
        loss=mse,
    ),
    model_case(
        "custom_cell_under_mask",
        sequential(
            lambda k: k.Input(shape=(6,), dtype="int32"),
            lambda k: k.layers.Embedding(5, 3, mask_zero=True),
            lambda k: k.layers.RNN(layer_norm_cell(k)(4), return_sequences=True),
            lambda k: k.layers.RNN(refining_cell(k)(3, 2)),
        ),
        [integers(5, 4, 6)],
    ),
    model_case(
        "three_directions",
        sequential(
            lambda k: k.Input(shape=(6, 2)),
            lambda k: k.layers.LSTM(3, return_sequences=True, go_backwards=True),
            lambda k: k.layers.GRU(3, return_sequences=True),
            lambda k: k.layers.SimpleRNN(2, go_backwards=True),
        ),
        [normal(3, 6, 2)],
    ),
    layer_case(
        "sequential_as_layer",
        lambda k: k.Sequential([k.layers.LSTM(3, return_sequences=True), k.layers.Dense(2)]),
        (3, 4, 2),
    ),
]

CASES = [*SEED, *GRAPHS]
