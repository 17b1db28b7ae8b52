"""SimpleRNN, LSTM and GRU: every option, and every kind of mask."""

from golden_builders import layer_case
from golden_case import CONSTRAINED

SHAPE, UNITS = (3, 5, 3), 4
EVERYTHING = {"return_sequences": True, "return_state": True}

# Name: (class, number of states, fixed arguments).
LAYERS = {
    "simple_rnn": ("SimpleRNN", 1, {}),
    "lstm": ("LSTM", 2, {}),
    "gru": ("GRU", 1, {"reset_after": True}),
    "gru_before": ("GRU", 1, {"reset_after": False}),
}

# One row per option: name, arguments of the layer, arguments of the case.
OPTIONS = [
    ("plain", {}, {}),
    ("sequences", {"return_sequences": True}, {}),
    ("state", {"return_state": True}, {}),
    ("everything", EVERYTHING, {}),
    ("backwards", {"go_backwards": True}, {}),
    ("backwards_everything", {"go_backwards": True, **EVERYTHING}, {}),
    ("no_bias", {"use_bias": False, **EVERYTHING}, {}),
    ("unroll", {"unroll": True, **EVERYTHING}, {}),
    ("linear", {"activation": None, **EVERYTHING}, {}),
    ("relu", {"activation": "relu", **EVERYTHING}, {}),
    ("sigmoid", {"activation": "sigmoid", **EVERYTHING}, {}),
    ("softsign", {"activation": "softsign", **EVERYTHING}, {}),
    ("elu", {"activation": "elu", **EVERYTHING}, {}),
    (
        "regularized",
        {"kernel_regularizer": "l1", "recurrent_regularizer": "l2", "bias_regularizer": "l1"},
        {},
    ),
    (
        "constrained",
        {
            "kernel_constraint": "unit_norm",
            "recurrent_constraint": "unit_norm",
            "bias_constraint": "non_neg",
        },
        CONSTRAINED,
    ),
    (
        "dropout_inference",
        {"dropout": 0.5, "recurrent_dropout": 0.3, **EVERYTHING},
        {"snapshots": ()},
    ),
    ("dropout_zero", {"dropout": 0.0, "recurrent_dropout": 0.0, **EVERYTHING}, {}),
    ("one_step", EVERYTHING, {"x": (3, 1, 3)}),
    ("one_step_backwards", {"go_backwards": True, **EVERYTHING}, {"x": (3, 1, 3)}),
    ("one_row", EVERYTHING, {"x": (1, 5, 3)}),
    ("one_feature", EVERYTHING, {"x": (3, 5, 1)}),
    ("one_of_all", EVERYTHING, {"x": (1, 1, 1)}),
    ("mask_right", EVERYTHING, {"mask": "right"}),
    ("mask_left", EVERYTHING, {"mask": "left"}),
    ("mask_gaps", EVERYTHING, {"mask": "gaps"}),
    ("mask_ends", EVERYTHING, {"mask": "ends"}),
    ("mask_empty_row", EVERYTHING, {"mask": "empty_row"}),
    ("mask_right_last", {}, {"mask": "right"}),
    ("mask_left_last", {}, {"mask": "left"}),
    ("mask_gaps_last", {}, {"mask": "gaps"}),
    ("mask_empty_row_last", {}, {"mask": "empty_row"}),
    ("mask_gaps_backwards", {"go_backwards": True, **EVERYTHING}, {"mask": "gaps"}),
    ("mask_right_backwards", {"go_backwards": True, **EVERYTHING}, {"mask": "right"}),
    ("mask_one_step", EVERYTHING, {"mask": "empty_row", "x": (3, 1, 3)}),
    ("zero_output_gaps", {"zero_output_for_mask": True, **EVERYTHING}, {"mask": "gaps"}),
    ("zero_output_left", {"zero_output_for_mask": True, **EVERYTHING}, {"mask": "left"}),
    ("zero_output_last", {"zero_output_for_mask": True, "return_state": True}, {"mask": "right"}),
    (
        "zero_output_backwards",
        {"zero_output_for_mask": True, "go_backwards": True, **EVERYTHING},
        {"mask": "right"},
    ),
]

# Options that only layers with gates have.
GATE_OPTIONS = [
    ("hard_gates", {"recurrent_activation": "hard_sigmoid", **EVERYTHING}, {}),
    ("tanh_gates", {"recurrent_activation": "tanh", **EVERYTHING}, {}),
    ("linear_gates", {"recurrent_activation": None, **EVERYTHING}, {}),
]

# Options that need initial states.
STATE_OPTIONS = [
    ("initial_state", EVERYTHING, {}),
    ("initial_state_last", {}, {}),
    ("initial_state_backwards", {"go_backwards": True, **EVERYTHING}, {}),
    ("initial_state_mask_right", EVERYTHING, {"mask": "right"}),
    # Masked from the first step on, with a state that is not zero: zeros come out until the first
    # step that counts. That is how the TensorFlow backend does it; JAX emits the initial state.
    ("initial_state_mask_left", EVERYTHING, {"mask": "left"}),
    ("initial_state_empty_row", EVERYTHING, {"mask": "empty_row"}),
]


def _case(kind, option, arguments, case_options, units=UNITS, states=()):
    class_name, _, fixed_arguments = LAYERS[kind]

    def layer(k):
        return getattr(k.layers, class_name)(units, **fixed_arguments, **arguments)

    return layer_case(f"{kind}_{option}", layer, **{"x": SHAPE, "states": states, **case_options})


def _cases_of(kind):
    class_name, n_states, _ = LAYERS[kind]
    rows = OPTIONS + (GATE_OPTIONS if class_name != "SimpleRNN" else [])
    cases = [_case(kind, *row) for row in rows]
    states = (UNITS,) * n_states
    cases += [_case(kind, *row, states=states) for row in STATE_OPTIONS]
    cases += [
        _case(kind, "one_unit", EVERYTHING, {}, units=1),
        _case(kind, "one_unit_one_feature", EVERYTHING, {"x": (3, 5, 1)}, units=1),
        # No size is a multiple of a vector, a tile or a block of rows.
        _case(kind, "odd_sizes", EVERYTHING, {"x": (5, 7, 3)}, units=5),
        _case(
            kind,
            "wide",
            EVERYTHING,
            {"x": (7, 4, 9), "mask": "gaps", "weight_scale": 0.3},
            units=19,
        ),
    ]
    return cases


CASES = [case for kind in LAYERS for case in _cases_of(kind)] + [
    _case("lstm", "unit_forget_bias", {"unit_forget_bias": True, **EVERYTHING}, {}),
    _case("lstm", "no_unit_forget_bias", {"unit_forget_bias": False, **EVERYTHING}, {}),
]
