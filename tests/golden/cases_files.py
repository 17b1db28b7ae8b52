"""Files of real Keras, one row per layer, graph and format."""

import numpy as np
from golden_builders import integers, normal
from golden_classes import (
    gated_unit,
    refining_cell,
    scaled_mixture,
)
from golden_model_files import FORMATS, FileCase, nothing

X = [normal(2, 6, 3)]


def model_of(*layers, first=(6, 3), dtype=None, **options):
    """A function of the module that makes a Sequential."""

    def build(k):
        first_layer = k.layers.Input(first, dtype=dtype, **options)
        return k.Sequential([first_layer, *(make(k) for make in layers)])

    return build


def row(name, make, suffix=".weights.h5", custom=nothing, **options):
    x = [normal(2, *options.get("first", (6, 3)))]
    return FileCase(f"file_{name}", model_of(make, **options), x, suffix, custom=custom)


def calling(name, make, call=lambda layer, x: layer(x), suffix=".keras"):
    """A row for a layer that is not called on one tensor."""

    def build(k):
        x = k.Input((6, 3))
        return k.Model(x, call(make(k), x))

    return FileCase(f"file_{name}", build, X, suffix)


def dense(k):
    return k.layers.Dense(2)


LAYERS = [
    row("dense", lambda k: k.layers.Dense(4, "relu", kernel_regularizer="l2"), ".keras"),
    row("simple_rnn", lambda k: k.layers.SimpleRNN(4)),
    row("lstm", lambda k: k.layers.LSTM(4, return_sequences=True), ".keras"),
    row("gru", lambda k: k.layers.GRU(4), ".keras"),
    row("gru_reset_before", lambda k: k.layers.GRU(4, reset_after=False)),
    row("rnn_of_cells", lambda k: k.layers.RNN([k.layers.LSTMCell(3), k.layers.GRUCell(2)])),
    row("rnn_of_one_cell", lambda k: k.layers.RNN(k.layers.SimpleRNNCell(3)), ".keras"),
    row("conv1d", lambda k: k.layers.Conv1D(4, 3, padding="causal")),
    row("layer_norm", lambda k: k.layers.LayerNormalization(), ".keras"),
    row("batch_norm", lambda k: k.layers.BatchNormalization(), ".keras"),
    row("time_distributed", lambda k: k.layers.TimeDistributed(k.layers.Dense(2)), ".keras"),
    row("spectral", lambda k: k.layers.SpectralNormalization(k.layers.Conv1D(4, 2)), ".keras"),
    row("dropout", lambda k: k.layers.Dropout(0.3, seed=3), ".keras"),
    row("activation", lambda k: k.layers.Activation("tanh"), ".keras"),
    row("reshape", lambda k: k.layers.Reshape((3, 6)), ".keras"),
    row("flatten", lambda k: k.layers.Flatten(), ".keras"),
    row("masking", lambda k: k.layers.Masking(0.0), ".keras"),
    FileCase(
        "file_embedding",
        model_of(lambda k: k.layers.Embedding(9, 4), first=(6,), dtype="int32"),
        [integers(9, 2, 6)],
        ".keras",
    ),
    FileCase(
        "file_nested",
        model_of(dense, lambda k: k.Sequential([k.layers.Input((6, 2)), k.layers.Dense(3)])),
        X,
        ".keras",
    ),
    FileCase("file_two_of_a_kind", model_of(dense, dense, lambda k: k.layers.LSTM(2)), X, ".h5"),
]


def both(layer, x):
    return layer([x, x])


def halves(layer, x):
    return layer([x[:, :4], x[:, 2:]])


def pair(layer, x):
    return layer(x[:, :4], x[:, 2:])


def gru(k, **options):
    return k.layers.GRU(2, return_sequences=True, **options)


def bidirectional(name, suffix=".keras", **options):
    return row(f"bidirectional_{name}", lambda k: k.layers.Bidirectional(gru(k), **options), suffix)


def adapted(k):
    layer = k.layers.Normalization()
    layer.adapt(np.arange(90.0).reshape(5, 6, 3) ** 1.5)
    return layer


ATTENTION = [
    calling("attention", lambda k: k.layers.Attention(use_scale=True), both),
    calling("attention_concat", lambda k: k.layers.Attention(score_mode="concat"), halves),
    calling("additive_attention", lambda k: k.layers.AdditiveAttention(), halves),
    calling("multi_head", lambda k: k.layers.MultiHeadAttention(2, 3), pair),
    calling("multi_head_weights", lambda k: k.layers.MultiHeadAttention(2, 3), pair, ".weights.h5"),
    calling(
        "multi_head_h5",
        lambda k: k.layers.MultiHeadAttention(2, 3),
        lambda layer, x: layer(x, x),
        ".h5",
    ),
    calling(
        "multi_head_options",
        lambda k: k.layers.MultiHeadAttention(
            2, 3, value_dim=2, output_shape=4, use_bias=False, dropout=0.1
        ),
        pair,
    ),
    calling("multi_head_gate", lambda k: k.layers.MultiHeadAttention(2, 3, use_gate=True), pair),
    calling(
        "grouped_query_gate",
        lambda k: k.layers.GroupQueryAttention(3, 4, 2, use_gate=True, use_bias=False),
        pair,
    ),
    calling("grouped_query", lambda k: k.layers.GroupQueryAttention(3, 4, 2), pair),
    calling("einsum_dense", lambda k: k.layers.EinsumDense("btf,fg->btg", (6, 4), bias_axes="g")),
]

RECURRENT = [
    *[bidirectional(str(mode), merge_mode=mode) for mode in ("concat", "sum", "mul", "ave")],
    calling(
        "bidirectional_None",
        lambda k: k.layers.Bidirectional(gru(k), merge_mode=None),
        lambda layer, x: layer(x)[0] - layer(x)[1],
    ),
    bidirectional("weights", ".weights.h5"),
    bidirectional("h5", ".h5"),
    row(
        "bidirectional_backward_layer",
        lambda k: k.layers.Bidirectional(
            k.layers.LSTM(3), backward_layer=k.layers.SimpleRNN(2, go_backwards=True)
        ),
        ".keras",
    ),
    row(
        "bidirectional_of_cell",
        lambda k: k.layers.Bidirectional(k.layers.RNN(k.layers.LSTMCell(3))),
        ".keras",
    ),
    FileCase(
        "file_bidirectional_stateful",
        model_of(
            lambda k: k.layers.Bidirectional(gru(k, stateful=True)),
            first=None,
            batch_shape=(2, 6, 3),
        ),
        X,
    ),
    FileCase(
        "file_lstm_stateful",
        model_of(lambda k: k.layers.LSTM(2, stateful=True), first=None, batch_shape=(2, 6, 3)),
        X,
    ),
    *[
        row(
            f"stacked_cells_{end}",
            lambda k: k.layers.RNN(
                k.layers.StackedRNNCells([k.layers.SimpleRNNCell(3), k.layers.GRUCell(2)]),
                return_sequences=True,
            ),
            FORMATS[end],
        )
        for end in ("keras", "h5")
    ],
    row(
        "lstm_options",
        lambda k: k.layers.LSTM(
            3,
            activation="relu",
            recurrent_activation="hard_sigmoid",
            use_bias=False,
            kernel_regularizer=k.regularizers.L1L2(0.1, 0.2),
            recurrent_constraint="max_norm",
            dropout=0.2,
            go_backwards=True,
        ),
        ".keras",
    ),
    row("time_distributed_h5", lambda k: k.layers.TimeDistributed(k.layers.Dense(2)), ".h5"),
    *[
        FileCase(
            f"file_conv_lstm1d_{end}",
            model_of(
                lambda k: k.layers.ConvLSTM1D(3, 2, padding="same", return_sequences=True),
                first=(4, 5, 2),
            ),
            [normal(2, 4, 5, 2)],
            FORMATS[end],
        )
        for end in ("keras", "h5")
    ],
]

CONVOLUTIONS = [
    row("conv1d_groups", lambda k: k.layers.Conv1D(6, 2, groups=3, dilation_rate=2), ".keras"),
    row("separable_conv1d", lambda k: k.layers.SeparableConv1D(4, 2, depth_multiplier=2), ".keras"),
    row("separable_conv1d_h5", lambda k: k.layers.SeparableConv1D(4, 2), ".h5"),
    row("depthwise_conv1d", lambda k: k.layers.DepthwiseConv1D(2, depth_multiplier=2), ".keras"),
    row("depthwise_conv1d_h5", lambda k: k.layers.DepthwiseConv1D(2, use_bias=False), ".h5"),
    row("conv1d_transpose", lambda k: k.layers.Conv1DTranspose(4, 3, strides=2), ".keras"),
    row("conv1d_transpose_h5", lambda k: k.layers.Conv1DTranspose(4, 3, padding="same"), ".h5"),
]

NORMALIZATIONS = [
    row("layer_norm_axes", lambda k: k.layers.LayerNormalization(axis=[1, 2], center=False)),
    row("layer_norm_h5", lambda k: k.layers.LayerNormalization(), ".h5"),
    row("batch_norm_plain", lambda k: k.layers.BatchNormalization(scale=False), ".keras"),
    row("batch_norm_weights", lambda k: k.layers.BatchNormalization()),
    row("group_norm", lambda k: k.layers.GroupNormalization(3), ".keras"),
    row("rms_norm", lambda k: k.layers.RMSNormalization(), ".keras"),
    row("unit_norm", lambda k: k.layers.UnitNormalization(axis=1), ".keras"),
    *[row(f"normalization_{end}", adapted, FORMATS[end]) for end in ("keras", "weights", "h5")],
    row(
        "normalization_given",
        lambda k: k.layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 4.0, 9.0]),
        ".keras",
    ),
    row(
        "normalization_invert",
        lambda k: k.layers.Normalization(mean=1.0, variance=4.0, invert=True),
        ".keras",
    ),
]

PLAIN = {
    "prelu": lambda k: k.layers.PReLU(shared_axes=[1]),
    "relu": lambda k: k.layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2),
    "leaky_relu": lambda k: k.layers.LeakyReLU(0.1),
    "elu": lambda k: k.layers.ELU(0.5),
    "softmax": lambda k: k.layers.Softmax(axis=1),
    "max_pooling": lambda k: k.layers.MaxPooling1D(2, 1, "same"),
    "average_pooling": lambda k: k.layers.AveragePooling1D(3, padding="same"),
    "global_max_pooling": lambda k: k.layers.GlobalMaxPooling1D(keepdims=True),
    "global_average_pooling": lambda k: k.layers.GlobalAveragePooling1D(),
    "zero_padding": lambda k: k.layers.ZeroPadding1D((1, 2)),
    "cropping": lambda k: k.layers.Cropping1D((2, 1)),
    "up_sampling": lambda k: k.layers.UpSampling1D(3),
    "permute": lambda k: k.layers.Permute((2, 1)),
    "spatial_dropout": lambda k: k.layers.SpatialDropout1D(0.3, seed=1),
    "gaussian_noise": lambda k: k.layers.GaussianNoise(0.3),
    "gaussian_dropout": lambda k: k.layers.GaussianDropout(0.3),
    "alpha_dropout": lambda k: k.layers.AlphaDropout(0.3),
    "activity_regularization": lambda k: k.layers.ActivityRegularization(0.1, 0.2),
    "identity": lambda k: k.layers.Identity(),
    "time_distributed_conv": lambda k: k.layers.TimeDistributed(
        k.Sequential([k.layers.Reshape((3, 1)), k.layers.Conv1D(2, 2), k.layers.Flatten()])
    ),
}
OTHERS = [
    *[row(name, make, ".keras") for name, make in PLAIN.items()],
    row("prelu_weights", lambda k: k.layers.PReLU()),
    row("prelu_h5", lambda k: k.layers.PReLU(), ".h5"),
    row("repeat_vector", lambda k: k.layers.RepeatVector(2), ".keras", first=(3,)),
    FileCase(
        "file_embedding_masked",
        model_of(
            lambda k: k.layers.Embedding(9, 4, mask_zero=True, embeddings_constraint="unit_norm"),
            lambda k: k.layers.LSTM(3),
            first=(None,),
            dtype="int32",
        ),
        [integers(9, 2, 6)],
    ),
    *[
        calling(name.lower(), lambda k, name=name: getattr(k.layers, name)(), halves)
        for name in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate")
    ],
    calling("dot", lambda k: k.layers.Dot(axes=2, normalize=True), halves),
]


def twice(x):
    return 2.0 * x


def swish_like(x):
    return x / (1.0 + x * x)


def model_class(k):
    """A model by subclassing: layers in attributes, in a list, one nested model."""

    class Forecaster(k.Model):
        def __init__(self, units, **kwargs):
            super().__init__(**kwargs)
            self.units = units
            self.memory = k.layers.GRU(units, return_sequences=True)
            self.steps = [k.layers.Dense(units), k.layers.Dense(units)]
            self.inner = k.Sequential([k.layers.LayerNormalization(), k.layers.Dense(2)])

        def call(self, x):
            x = self.memory(x)
            for step in self.steps:
                x = x + step(x)
            return self.inner(x)

        def get_config(self):
            return {**super().get_config(), "units": self.units}

    return {"Forecaster": Forecaster}


def one_class(make):
    """`custom` of a row: the class that `make(k)` gives."""

    def custom(k):
        cls = make(k)
        return {cls.__name__: cls}

    return custom


def registered_gate(k):
    """Known by its package and name: no custom_objects are needed."""
    return k.saving.register_keras_serializable("golden")(gated_unit(k))


def registered(k):
    registered_gate(k)
    return {}


OWN = [
    row(
        "own_cell",
        lambda k: k.layers.RNN(refining_cell(k)(3, 2)),
        ".keras",
        custom=one_class(refining_cell),
    ),
    row("registered", lambda k: registered_gate(k)(), ".keras", custom=registered, first=(6, 4)),
    row("own_gate", lambda k: gated_unit(k)(), ".keras", one_class(gated_unit), first=(6, 4)),
    row(
        "own_dict_of_layers",
        lambda k: scaled_mixture(k)(2),
        ".keras",
        custom=one_class(scaled_mixture),
    ),
    row("own_dict_of_layers_weights", lambda k: scaled_mixture(k)(2)),
    row(
        "own_activation",
        lambda k: k.layers.Dense(3, activation=swish_like),
        ".keras",
        custom=lambda k: {"swish_like": swish_like},
    ),
    row("own_lambda", lambda k: k.layers.Lambda(twice), ".keras", lambda k: {"twice": twice}),
    FileCase("file_own_model", lambda k: model_class(k)["Forecaster"](3), X, custom=model_class),
    FileCase("file_own_model_weights", lambda k: model_class(k)["Forecaster"](3), X, ".weights.h5"),
]


def branches(k):
    """Layers that Keras orders by depth, not by their calls."""
    x = k.Input((6, 3), name="series")
    shared = k.layers.Dense(3, activation="tanh")
    deep = k.layers.Dense(3)(k.layers.Dense(4)(x))
    short = shared(x)
    both = k.layers.Concatenate()([shared(deep), k.layers.Add()([short, deep])])
    return k.Model(x, [k.layers.GRU(2)(both), k.layers.Dense(1)(short)])


def with_ops(k):
    x = k.Input((6, 3))
    y = k.ops.sum(x, axis=1, keepdims=True) * 0.5 - x[..., :1]
    return k.Model(x, k.layers.Dense(2)(k.ops.concatenate([k.ops.tanh(y), x], axis=-1)))


def dense_pair(k):
    a, b = k.Input((4,), name="a"), k.Input((3,), name="b")
    return k.Model({"a": a, "b": b}, k.layers.Dense(2)(k.layers.Concatenate()([a, b])))


def nested(k):
    """A functional model with two inputs, called twice in another, beside a Sequential."""
    a, b = k.Input((6, 2)), k.Input((6, 2))
    inner = k.Model([a, b], gru(k)(k.layers.Subtract()([a, b])), name="inner")
    x = k.Input((6, 3))
    left, right = k.layers.Dense(2)(x), k.layers.Conv1D(2, 3, padding="causal")(x)
    head = k.Sequential([k.layers.Input((6, 2)), k.layers.Dense(2, "relu"), k.layers.LSTM(2)])
    return k.Model(x, head(inner([left, inner([right, left])])))


def outer(k):
    """A functional model, called twice, whose second call is the output."""
    a = k.Input((6, 3))
    inner = k.Model(a, k.layers.Dense(3, "tanh")(a), name="inner")
    x = k.Input((6, 3))
    return k.Model(x, inner(inner(x)))


def several(k):
    """Two inputs with names, two outputs, a dict."""
    long, short = k.Input((6, 3), name="long"), k.Input((3,), name="short")
    state = k.layers.Dense(2)(short)
    steps = k.layers.GRU(2, return_sequences=True)(long, initial_state=state)
    outputs = {"steps": k.layers.Dense(1)(steps), "all": k.layers.Flatten()(steps)}
    return k.Model([long, short], outputs)


def masked(k):
    ids = k.Input((6,), dtype="int32")
    steps = k.layers.Embedding(5, 3, mask_zero=True)(ids)
    steps = k.layers.Add()([k.layers.MultiHeadAttention(1, 2)(steps, steps), steps])
    return k.Model(ids, k.layers.Bidirectional(k.layers.LSTM(2))(steps))


def states(k):
    """An encoder's states begin the decoder."""
    x = k.Input((6, 3))
    _, h, c = k.layers.LSTM(2, return_state=True)(x)
    return k.Model(x, k.layers.LSTM(2, return_sequences=True)(x[:, 1:], initial_state=[h, c]))


MODELS = {
    "branches": (branches, X),
    "nested": (nested, X),
    "outer": (outer, X),
    "several": (several, [normal(2, 6, 3), normal(2, 3)]),
    "masked": (masked, [integers(5, 2, 6)]),
    "states": (states, X),
    "cells": (model_of(lambda k: k.layers.RNN([k.layers.LSTMCell(3), k.layers.GRUCell(2)])), X),
}
# Keras does not read its own '.h5' of a graph with ops (a mask is one) or with a dict.
UNREADABLE = [("states", "h5"), ("several", "h5"), ("masked", "h5")]
GRAPHS = [
    FileCase("file_ops", with_ops, X, ".keras"),
    *[
        FileCase(f"file_graph_{name}_{end}", make, inputs, suffix)
        for name, (make, inputs) in MODELS.items()
        for end, suffix in FORMATS.items()
        if (name, end) not in UNREADABLE
    ],
]

LEGACY = [
    row("h5", lambda k: k.layers.LSTM(3), ".h5"),
    row("h5_batch_norm", lambda k: k.layers.BatchNormalization(), ".h5"),
]

CASES = [
    *LAYERS,
    *ATTENTION,
    *RECURRENT,
    *CONVOLUTIONS,
    *NORMALIZATIONS,
    *OTHERS,
    *OWN,
    *GRAPHS,
    *LEGACY,
]
