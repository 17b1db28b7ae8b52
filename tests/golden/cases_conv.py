"""Conv1D and its kin: paddings x strides x dilations x groups, and short, odd and wide shapes."""

import itertools
from dataclasses import replace

from golden_builders import layer_case, mask_pattern, normal
from golden_case import CONSTRAINED, CallCase
from golden_kinds import ConfigCase, FactCase, RefusalCase

X = (2, 9, 4)
GRID = [
    # strides, dilation, kernel; both above 1 is an error
    (1, 1, 1),
    (1, 1, 2),
    (1, 1, 3),
    (1, 1, 4),
    (2, 1, 1),
    (2, 1, 3),
    (2, 1, 4),
    (3, 1, 2),
    (3, 1, 5),
    (4, 1, 3),
    (1, 2, 2),
    (1, 2, 3),
    (1, 3, 3),
    (1, 4, 2),
]


def _case(name, x=X, options=None, **arguments):
    arguments = {"filters": 3, **arguments}
    return layer_case(
        f"conv1d_{name}", lambda k: k.layers.Conv1D(**arguments), x, **(options or {})
    )


PLAIN = (
    [
        _case(
            f"{padding}_stride{stride}_dilation{dilation}_kernel{kernel}",
            kernel_size=kernel,
            strides=stride,
            dilation_rate=dilation,
            padding=padding,
        )
        for padding in ("valid", "same", "causal")
        for stride, dilation, kernel in GRID
    ]
    + [
        _case(f"groups{groups}_{padding}", filters=4, kernel_size=3, groups=groups, padding=padding)
        for groups in (2, 4)
        for padding in ("valid", "same", "causal")
    ]
    + [
        _case("groups_stride", filters=6, kernel_size=3, groups=2, strides=2),
        _case(
            "groups_dilation", filters=6, kernel_size=3, groups=2, dilation_rate=2, padding="causal"
        ),
        _case("no_bias", kernel_size=3, use_bias=False),
        _case("relu", kernel_size=3, activation="relu", padding="same"),
        _case("tanh", kernel_size=3, activation="tanh", padding="causal"),
        _case("softmax", kernel_size=2, activation="softmax"),
        _case("kernel_of_all_time", kernel_size=9),
        _case("kernel_beyond_time_same", x=(2, 4, 3), kernel_size=7, padding="same"),
        _case("kernel_beyond_time_causal", x=(2, 4, 3), kernel_size=7, padding="causal"),
        _case(
            "dilation_beyond_time_causal",
            x=(2, 4, 3),
            kernel_size=3,
            dilation_rate=5,
            padding="causal",
        ),
        _case("stride_beyond_time_same", x=(2, 4, 3), kernel_size=2, strides=5, padding="same"),
        _case("one_step", x=(3, 1, 2), kernel_size=1),
        _case("one_row", x=(1, 5, 2), kernel_size=2),
        _case("one_feature", x=(3, 6, 1), kernel_size=4, strides=2),
        _case("one_filter", filters=1, kernel_size=3),
        _case("wide", x=(3, 11, 7), filters=19, kernel_size=5, padding="same"),
        _case("even_length_stride2_same", x=(2, 10, 3), kernel_size=4, strides=2, padding="same"),
        _case(
            "even_length_stride2_kernel3_same",
            x=(2, 10, 3),
            kernel_size=3,
            strides=2,
            padding="same",
        ),
        _case("regularized", kernel_size=2, kernel_regularizer="l2", bias_regularizer="l1"),
        _case("constrained", options=CONSTRAINED, kernel_size=2, kernel_constraint="non_neg"),
    ]
)


def _kin(kind, name, x=X, options=None, **arguments):
    return layer_case(
        f"{kind}_{name}", lambda k: getattr(k.layers, kind)(**arguments), x, **(options or {})
    )


FIRST = [
    _case(f"channels_first_{padding}", kernel_size=3, padding=padding, **more)
    for padding, more in (
        ("valid", {"data_format": "channels_first"}),
        ("causal", {"data_format": "channels_first", "dilation_rate": 2}),
        ("same", {"data_format": "channels_first", "strides": 2, "activation": "tanh"}),
    )
]

# strides, dilation, kernel, output_padding
TRANSPOSED_GRID = [
    (1, 1, 1, None),
    (1, 1, 3, None),
    (1, 1, 4, None),
    (2, 1, 1, None),
    (2, 1, 2, None),
    (2, 1, 3, None),
    (2, 1, 3, 0),
    (2, 1, 3, 1),
    (2, 1, 4, 1),
    (3, 1, 2, None),
    (3, 1, 2, 2),
    (3, 1, 5, 1),
    (4, 1, 3, None),
    (1, 2, 3, None),
    (1, 3, 2, None),
    (1, 2, 3, 0),
]

TRANSPOSED = [
    _kin(
        "Conv1DTranspose",
        f"{padding}_stride{stride}_dilation{dilation}_kernel{kernel}_more{more}",
        x=(2, 5, 4),
        filters=3,
        kernel_size=kernel,
        strides=stride,
        dilation_rate=dilation,
        output_padding=more,
        padding=padding,
    )
    for padding, (stride, dilation, kernel, more) in itertools.product(
        ("valid", "same"), TRANSPOSED_GRID
    )
] + [
    _kin("Conv1DTranspose", name, x=x, **{"filters": 3, "kernel_size": 3, **arguments})
    for name, x, arguments in (
        ("no_bias", X, {"use_bias": False}),
        ("tanh", X, {"activation": "tanh", "strides": 2}),
        ("one_step", (3, 1, 2), {"strides": 2}),
        ("channels_first", X, {"data_format": "channels_first", "strides": 2}),
        ("wide", (3, 7, 11), {"filters": 17, "strides": 2, "padding": "same"}),
        ("regularized", X, {"kernel_regularizer": "l2", "bias_regularizer": "l1"}),
    )
]

DEPTHWISE_GRID = [
    # strides, dilation, kernel, multiplier
    (1, 1, 1, 1),
    (1, 1, 3, 1),
    (1, 1, 4, 2),
    (2, 1, 3, 1),
    (2, 1, 3, 3),
    (3, 1, 2, 1),
    (1, 2, 3, 1),
    (1, 3, 2, 2),
    (2, 2, 3, 1),
]

BY_CHANNEL = (
    [
        _kin(
            kind,
            f"{padding}_stride{stride}_dilation{dilation}_kernel{kernel}_times{times}",
            kernel_size=kernel,
            strides=stride,
            dilation_rate=dilation,
            padding=padding,
            depth_multiplier=times,
            **more,
        )
        for kind, more in (("DepthwiseConv1D", {}), ("SeparableConv1D", {"filters": 5}))
        for padding in ("valid", "same")
        for stride, dilation, kernel, times in DEPTHWISE_GRID
    ]
    + [
        _kin("DepthwiseConv1D", name, **{"kernel_size": 3, **arguments})
        for name, arguments in (
            ("no_bias", {"use_bias": False}),
            ("relu", {"activation": "relu"}),
            ("channels_first", {"data_format": "channels_first", "depth_multiplier": 2}),
            ("regularized", {"depthwise_regularizer": "l2", "bias_regularizer": "l1"}),
            (
                "constrained",
                {"depthwise_constraint": "non_neg", "options": CONSTRAINED},
            ),
        )
    ]
    + [
        _kin("SeparableConv1D", name, **{"kernel_size": 3, "filters": 5, **arguments})
        for name, arguments in (
            ("no_bias", {"use_bias": False}),
            ("tanh", {"activation": "tanh"}),
            ("channels_first", {"data_format": "channels_first", "depth_multiplier": 2}),
            ("regularized", {"depthwise_regularizer": "l2", "pointwise_regularizer": "l1"}),
            ("constrained", {"pointwise_constraint": "non_neg", "options": CONSTRAINED}),
        )
    ]
)

# strides, dilation, kernel, padding
CONV_LSTM_GRID = [
    (1, 1, 1, "valid"),
    (1, 1, 3, "valid"),
    (1, 1, 3, "same"),
    (1, 1, 2, "same"),
    (2, 1, 3, "valid"),
    (2, 1, 3, "same"),
    (1, 2, 2, "valid"),
    (1, 2, 3, "same"),
]


SPACE = (2, 4, 6, 3)  # batch, time, places, channels


def _conv_lstm(name, x=SPACE, **arguments):
    return _kin("ConvLSTM1D", name, x=x, **{"filters": 2, "kernel_size": 3, **arguments})


CONV_LSTM = [
    _conv_lstm(
        f"{padding}_stride{stride}_dilation{dilation}_kernel{kernel}",
        kernel_size=kernel,
        strides=stride,
        dilation_rate=dilation,
        padding=padding,
    )
    for stride, dilation, kernel, padding in CONV_LSTM_GRID
] + [
    _conv_lstm("sequences", return_sequences=True),
    _conv_lstm("state", return_state=True),
    _conv_lstm("sequences_state", return_sequences=True, return_state=True, padding="same"),
    _conv_lstm("backwards", go_backwards=True),
    _conv_lstm("backwards_sequences", go_backwards=True, return_sequences=True),
    _conv_lstm("no_bias", use_bias=False),
    _conv_lstm("activations", activation="relu", recurrent_activation="hard_sigmoid"),
    _conv_lstm("no_forget_bias", unit_forget_bias=False),
    _conv_lstm("one_step", x=(2, 1, 5, 3)),
    _conv_lstm("one_channel", x=(3, 3, 5, 1), filters=1),
    _conv_lstm("regularized", kernel_regularizer="l2", recurrent_regularizer="l1"),
]


def _constant_lstm(name, call, *shapes, **arguments):
    """`call(layer, *arrays)` of a layer whose weights are constants."""

    def made(k, *arrays):
        weights = {
            f"{which}_initializer": k.initializers.Constant(value)
            for which, value in (("kernel", 0.2), ("recurrent", -0.3), ("bias", 0.1))
        }
        outputs = call(k.layers.ConvLSTM1D(2, 3, **weights, **arguments), *arrays)
        return list(outputs) if isinstance(outputs, (list, tuple)) else outputs

    return CallCase(f"ConvLSTM1D_{name}", made, [normal(*shape) for shape in shapes])


STATES = [(2, 4, 2), (2, 4, 2)]
CONV_LSTM += [
    _constant_lstm(
        "initial_state",
        lambda layer, x, h, c: layer(x, initial_state=[h, c]),
        SPACE,
        *STATES,
        return_state=True,
    ),
    _constant_lstm(
        "stateful", lambda layer, x, y: [layer(x), layer(y)], SPACE, SPACE, stateful=True
    ),
    _constant_lstm(
        "reset",
        lambda layer, x: [layer(x), layer.reset_state() or layer(x)],
        SPACE,
        stateful=True,
    ),
]


# A family of its own: the JAX backend cannot broadcast the mask of a ConvLSTM1D.
MASKED = [
    _constant_lstm(
        f"mask_{pattern}{suffix}",
        lambda layer, x, p=pattern: layer(x, mask=mask_pattern(p, *SPACE[:2])),
        SPACE,
        **arguments,
    )
    for pattern in ("right", "left", "gaps", "empty_row")
    for suffix, arguments in (
        ("", {"return_state": True}),
        ("_sequences", {"return_sequences": True}),
        ("_zeros", {"return_sequences": True, "zero_output_for_mask": True}),
    )
]

CONFIGS = [
    ConfigCase("conv1d", lambda k: k.layers.Conv1D(3, 2)),
    ConfigCase("transpose", lambda k: k.layers.Conv1DTranspose(3, 2)),
    ConfigCase(
        "transpose_all",
        lambda k: k.layers.Conv1DTranspose(
            3, 2, 2, "same", 1, "channels_first", activation="relu", use_bias=False, name="up"
        ),
    ),
    ConfigCase("depthwise", lambda k: k.layers.DepthwiseConv1D(2, 3, "same", 4)),
    ConfigCase("depthwise_all", lambda k: k.layers.DepthwiseConv1D(2, depthwise_regularizer="l2")),
    ConfigCase("separable", lambda k: k.layers.SeparableConv1D(5, 2, 3, "same")),
    ConfigCase(
        "separable_all", lambda k: k.layers.SeparableConv1D(5, 2, pointwise_constraint="non_neg")
    ),
    ConfigCase("conv_lstm", lambda k: k.layers.ConvLSTM1D(2, 3)),
    ConfigCase(
        "conv_lstm_all",
        lambda k: k.layers.ConvLSTM1D(
            2,
            3,
            2,
            "same",
            activation="relu",
            recurrent_activation="tanh",
            use_bias=False,
            kernel_regularizer="l2",
            dropout=0.1,
            recurrent_dropout=0.2,
            seed=3,
            return_sequences=True,
            return_state=True,
            go_backwards=True,
            stateful=True,
            unit_forget_bias=False,
        ),
    ),
]


def _weights(kind, *args, **kwargs):
    def call(k, x):
        layer = getattr(k.layers, kind)(*args, **kwargs)
        layer(x)
        return [[w.path, list(w.shape)] for w in layer.weights]

    return call


def _shape(kind, *args, x=(None, 9, 4), **kwargs):
    return lambda k: getattr(k.layers, kind)(*args, **kwargs).compute_output_shape(x)


FACTS = [
    FactCase("transpose_weights", _weights("Conv1DTranspose", 3, 2), [normal(2, 5, 4)]),
    FactCase("depthwise_weights", _weights("DepthwiseConv1D", 2), [normal(2, 5, 4)]),
    FactCase("separable_weights", _weights("SeparableConv1D", 3, 2), [normal(2, 5, 4)]),
    FactCase("conv_lstm_weights", _weights("ConvLSTM1D", 3, 2), [normal(2, 5, 4, 3)]),
    FactCase("transpose_shape", _shape("Conv1DTranspose", 3, 2, 2)),
    FactCase("depthwise_shape", _shape("DepthwiseConv1D", 2, depth_multiplier=3)),
    FactCase("separable_shape", _shape("SeparableConv1D", 3, 2, 2, "same")),
    FactCase(
        "conv_lstm_symbolic_shape",
        lambda k: k.layers.ConvLSTM1D(3, 2, return_sequences=True)(k.Input((None, 6, 4))).shape,
    ),
]


def _refused(name, call, words, **options):
    return RefusalCase(f"refused_{name}", call, words, inputs=[normal(2, 5, 4)], **options)


REFUSED = [
    _refused(
        f"{kind}_{name}",
        lambda k, x, a=(kind, arguments): getattr(k.layers, a[0])(**a[1])(x),
        [kind, *words],
    )
    for kind, given in (
        ("Conv1DTranspose", {"filters": 2, "kernel_size": 3}),
        ("DepthwiseConv1D", {"kernel_size": 3}),
        ("SeparableConv1D", {"filters": 2, "kernel_size": 3}),
    )
    for name, arguments, words in (
        ("kernel_size", {**given, "kernel_size": 0}, ["kernel_size", "0"]),
        ("strides", {**given, "strides": 0}, ["strides", "0"]),
        ("padding", {**given, "padding": "causal"}, ["padding", "causal"]),
        ("data_format", {**given, "data_format": "first"}, ["data_format", "first"]),
    )
] + [
    _refused("transpose_filters", lambda k, x: k.layers.Conv1DTranspose(0, 3), ["filters", "0"]),
    _refused(
        "transpose_both",
        lambda k, x: k.layers.Conv1DTranspose(2, 3, strides=2, dilation_rate=2),
        ["strides", "dilation_rate"],
    ),
    _refused(
        "transpose_output_padding",
        lambda k, x: k.layers.Conv1DTranspose(2, 3, strides=2, output_padding=2),
        ["output_padding", "2"],
    ),
    _refused(
        "depthwise_multiplier",
        lambda k, x: k.layers.DepthwiseConv1D(3, depth_multiplier=0),
        ["depth_multiplier", "0"],
    ),
    _refused("depthwise_long", lambda k, x: k.layers.DepthwiseConv1D(9)(x), ["9", "5"]),
    _refused("separable_filters", lambda k, x: k.layers.SeparableConv1D(0, 3), ["filters", "0"]),
    _refused("conv_lstm_3d", lambda k, x: k.layers.ConvLSTM1D(2, 3)(x), ["4", "(2, 5, 4)"]),
    _refused(
        "conv_lstm_both",
        lambda k, x: k.layers.ConvLSTM1D(2, 3, strides=2, dilation_rate=2),
        ["strides", "dilation_rate"],
    ),
    _refused(
        "conv_lstm_padding", lambda k, x: k.layers.ConvLSTM1D(2, 3, padding="causal"), ["padding"]
    ),
    _refused(
        "conv_lstm_channels_first",
        lambda k, x: k.layers.ConvLSTM1D(2, 3, data_format="channels_first"),
        ["data_format", "channels_first", "Permute"],
        raises=ValueError,
        lacking=True,
    ),
    _refused(
        "conv_lstm_filters",
        lambda k, x: k.layers.ConvLSTM1D(0, 3),
        ["filters", "0"],
        raises=ValueError,
    ),
    _refused(
        "conv_lstm_places",
        lambda k, x: k.layers.ConvLSTM1D(2, 3)(k.Input((3, None, 8))),
        ["places", "None"],
    ),
]

CASES = [
    *PLAIN,
    *FIRST,
    *TRANSPOSED,
    *BY_CHANNEL,
    *CONV_LSTM,
    *[replace(case, name=f"config_{case.name}") for case in CONFIGS],
    *FACTS,
    *REFUSED,
]
