"""Bidirectional around every recurrent layer: merges, masks, states, both layers given."""

from golden_builders import arrays_of, layer_case, model_case, normal, sequential, weighted
from golden_case import CONSTRAINED, CallCase
from golden_classes import registered_layer_norm_cell

SHAPE, UNITS = (3, 5, 3), 4
SEQUENCES = {"return_sequences": True}
EVERYTHING = {"return_sequences": True, "return_state": True}


def lstm(k, **arguments):
    return k.layers.LSTM(UNITS, **arguments)


def gru(k, **arguments):
    return k.layers.GRU(UNITS, **arguments)


def gru_before(k, **arguments):
    return k.layers.GRU(UNITS, reset_after=False, **arguments)


def simple_rnn(k, **arguments):
    return k.layers.SimpleRNN(UNITS, **arguments)


def rnn(k, **arguments):
    return k.layers.RNN(k.layers.LSTMCell(UNITS), **arguments)


def stack(k, **arguments):
    return k.layers.RNN([k.layers.LSTMCell(4), k.layers.GRUCell(3)], **arguments)


def custom(k, **arguments):
    return k.layers.RNN(registered_layer_norm_cell(k)(UNITS), **arguments)


# Name: (function that makes the layer, sizes of the initial states of one direction).
LAYERS = {
    "simple_rnn": (simple_rnn, [4]),
    "lstm": (lstm, [4, 4]),
    "gru": (gru, [4]),
    "gru_before": (gru_before, [4]),
    "rnn": (rnn, [4, 4]),
    "stack": (stack, [[4, 4], 3]),
    "custom": (custom, [4]),
}

# One row per option: name, arguments of the layer, of Bidirectional, of the case.
OPTIONS = [
    ("plain", {}, {}, {}),
    ("sequences", SEQUENCES, {}, {}),
    ("state", {"return_state": True}, {}, {}),
    ("everything", EVERYTHING, {}, {}),
    ("sum", {}, {"merge_mode": "sum"}, {}),
    ("mul", SEQUENCES, {"merge_mode": "mul"}, {}),
    ("ave", SEQUENCES, {"merge_mode": "ave"}, {}),
    ("both", {}, {"merge_mode": None}, {}),
    ("both_everything", EVERYTHING, {"merge_mode": None}, {}),
    ("mask_right", SEQUENCES, {}, {"mask": "right"}),
    ("mask_left", EVERYTHING, {}, {"mask": "left"}),
    ("mask_gaps", EVERYTHING, {}, {"mask": "gaps"}),
    ("mask_ends", EVERYTHING, {"merge_mode": "sum"}, {"mask": "ends"}),
    ("mask_empty_row", EVERYTHING, {"merge_mode": None}, {"mask": "empty_row"}),
    ("mask_right_last", {}, {}, {"mask": "right"}),
    ("mask_gaps_last", {"return_state": True}, {}, {"mask": "gaps"}),
    # Bidirectional takes zero_output_for_mask from return_sequences, whatever the layer says.
    ("zero_output_last", {"zero_output_for_mask": True}, {}, {"mask": "right"}),
    ("one_step", EVERYTHING, {}, {"x": (3, 1, 3)}),
    ("one_row", SEQUENCES, {}, {"x": (1, 5, 3)}),
]

# Options that cells don't have, or that need no test around every layer.
LAYER_OPTIONS = [
    ("no_bias", {"use_bias": False, **SEQUENCES}, {}, {}),
    ("relu", {"activation": "relu", **SEQUENCES}, {}, {}),
    ("unroll", {"unroll": True, **SEQUENCES}, {}, {}),
    ("regularized", {"kernel_regularizer": "l2", "bias_regularizer": "l1"}, {}, {}),
    ("constrained", {"recurrent_constraint": "unit_norm"}, {}, CONSTRAINED),
    ("dropout_inference", {"dropout": 0.5, "recurrent_dropout": 0.3}, {}, {"snapshots": ()}),
    ("odd_sizes", EVERYTHING, {}, {"x": (5, 7, 3)}),
]

STATE_OPTIONS = [
    ("initial_state", EVERYTHING, {}, {}),
    ("initial_state_last", {}, {"merge_mode": "mul"}, {}),
    ("initial_state_mask", EVERYTHING, {}, {"mask": "gaps"}),
]


def _case(name, make, option, arguments, wrapping, case_options, states=()):
    def layer(k):
        return k.layers.Bidirectional(make(k, **arguments), **wrapping)

    options = {"x": SHAPE, "states": states, **case_options}
    return layer_case(f"{name}_{option}", layer, **options)


def _cases_of(name):
    make, states = LAYERS[name]
    rows = OPTIONS + (LAYER_OPTIONS if name in ("simple_rnn", "lstm", "gru") else [])
    cases = [_case(name, make, *row) for row in rows]
    return cases + [_case(name, make, *row, states=[*states, *states]) for row in STATE_OPTIONS]


def _given(name, backward, x=SHAPE, merge_mode="concat", **arguments):
    """Cases with a backward layer of its own."""

    def layer(k):
        return k.layers.Bidirectional(
            k.layers.LSTM(UNITS, **arguments),
            merge_mode=merge_mode,
            backward_layer=backward(k, go_backwards=True, **arguments),
        )

    return layer_case(f"given_{name}", layer, x)


def _given_eagerly(name, backward, **arguments):
    """In a functional model Keras takes the shapes of the forward layer for those of both."""

    def call(k, x):
        layer = k.layers.Bidirectional(
            k.layers.LSTM(UNITS, **arguments),
            backward_layer=backward(k, go_backwards=True, **arguments),
        )
        layer.build(x.shape)
        return arrays_of(weighted(layer, name)(x))

    return CallCase(f"given_{name}", call, [normal(*SHAPE)])


GIVEN = [
    _given_eagerly("gru_states", gru, **EVERYTHING),
    _given_eagerly("narrow", lambda k, **a: k.layers.LSTM(2, **a), **SEQUENCES),
    _given("same", lstm),
    _given("gru", gru, **SEQUENCES),
    _given("other_activation", lambda k, **a: lstm(k, activation="relu", **a), merge_mode="sum"),
    _given("custom", custom, merge_mode="ave", **SEQUENCES),
]

WITHIN = [
    layer_case(
        "in_time_distributed",
        lambda k: k.layers.TimeDistributed(k.layers.Bidirectional(k.layers.LSTM(3))),
        (2, 3, 4, 2),
    ),
    layer_case(
        "sequences_in_time_distributed",
        lambda k: k.layers.TimeDistributed(k.layers.Bidirectional(gru(k, **SEQUENCES))),
        (2, 3, 4, 2),
    ),
    model_case(
        "two_layers",
        sequential(
            lambda k: k.Input(shape=(5, 3)),
            lambda k: k.layers.Masking(),
            lambda k: k.layers.Bidirectional(gru(k, **SEQUENCES)),
            lambda k: k.layers.TimeDistributed(k.layers.Dense(3, activation="tanh")),
            lambda k: k.layers.Bidirectional(lstm(k), merge_mode="sum"),
            lambda k: k.layers.Dense(2),
        ),
        [normal(*SHAPE)],
    ),
]

CASES = [case for name in LAYERS for case in _cases_of(name)] + GIVEN + WITHIN
