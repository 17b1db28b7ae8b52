"""RNN over cells: the built-in ones, stacks of them, and cells that a user wrote."""

from golden_builders import layer_case
from golden_classes import layer_norm_cell, pair_cell, refining_cell

SHAPE, UNITS = (3, 5, 3), 4
EVERYTHING = {"return_sequences": True, "return_state": True}


def simple(k):
    return k.layers.SimpleRNNCell(UNITS)


def relu_without_bias(k):
    return k.layers.SimpleRNNCell(UNITS, activation="relu", use_bias=False)


def lstm(k):
    return k.layers.LSTMCell(UNITS)


def hard_lstm(k):
    return k.layers.LSTMCell(
        UNITS, activation="softsign", recurrent_activation="hard_sigmoid", use_bias=False
    )


def gru(k):
    return k.layers.GRUCell(UNITS)


def gru_before(k):
    return k.layers.GRUCell(UNITS, reset_after=False)


def layer_norm(k):
    return layer_norm_cell(k)(UNITS)


def two_layer_norms(k):
    return k.layers.StackedRNNCells([layer_norm(k), layer_norm(k)])


def pair(k):
    return pair_cell(k)(UNITS)


def refining(k):
    return refining_cell(k)(UNITS, 3)


def mixed_stack(k):
    return k.layers.StackedRNNCells(
        [k.layers.LSTMCell(4), k.layers.GRUCell(3), k.layers.SimpleRNNCell(2)]
    )


def mixed_list(k):
    """RNN makes a stack of a list."""
    return [k.layers.GRUCell(3), k.layers.LSTMCell(4)]


def stack_of_one(k):
    return k.layers.StackedRNNCells([k.layers.LSTMCell(UNITS)])


def stack_of_one_gru(k):
    return [k.layers.GRUCell(UNITS)]


def custom_stack(k):
    return [layer_norm(k), k.layers.LSTMCell(3)]


def pair_stack(k):
    """The output of the first cell is not its state, and its states don't start at 0."""
    return [pair(k), k.layers.GRUCell(3)]


def nested_stack(k):
    inner = k.layers.StackedRNNCells([k.layers.LSTMCell(4), k.layers.GRUCell(3)])
    return k.layers.StackedRNNCells([inner, k.layers.SimpleRNNCell(2)])


def dropping_stack(k):
    return [
        k.layers.LSTMCell(4, dropout=0.5, recurrent_dropout=0.2),
        k.layers.GRUCell(3, dropout=0.3),
    ]


# Name: (cell, sizes of its states as `initial_state` nests them).
CELLS = {
    "simple": (simple, [4]),
    "relu_without_bias": (relu_without_bias, [4]),
    "lstm": (lstm, [4, 4]),
    "hard_lstm": (hard_lstm, [4, 4]),
    "gru": (gru, [4]),
    "gru_before": (gru_before, [4]),
    "layer_norm": (layer_norm, [4]),
    "pair": (pair, [4, 5]),
    "refining": (refining, [4]),
    "mixed_stack": (mixed_stack, [[4, 4], 3, 2]),
    "custom_stack": (custom_stack, [4, [3, 3]]),
    "pair_stack": (pair_stack, [[4, 5], 3]),
}

OPTIONS = [
    ("plain", {}, {}),
    ("everything", EVERYTHING, {}),
    ("backwards", {"go_backwards": True, **EVERYTHING}, {}),
    ("mask_right", EVERYTHING, {"mask": "right"}),
    ("mask_left", EVERYTHING, {"mask": "left"}),
    ("mask_gaps", EVERYTHING, {"mask": "gaps"}),
    ("mask_empty_row", {}, {"mask": "empty_row"}),
    ("zero_output", {"zero_output_for_mask": True, **EVERYTHING}, {"mask": "gaps"}),
    ("mask_backwards", {"go_backwards": True, **EVERYTHING}, {"mask": "gaps"}),
    ("one_step", EVERYTHING, {"x": (3, 1, 3)}),
    ("one_row", EVERYTHING, {"x": (1, 5, 3)}),
]


def _case(name, cell, option, arguments, case_options, states=()):
    def layer(k):
        return k.layers.RNN(cell(k), **arguments)

    options = {"x": SHAPE, "states": states, **case_options}
    return layer_case(f"{name}_{option}", layer, **options)


CASES = (
    [_case(name, cell, *option) for name, (cell, _) in CELLS.items() for option in OPTIONS]
    + [
        _case(name, cell, option, EVERYTHING, {"mask": mask}, states=states)
        for name, (cell, states) in CELLS.items()
        for option, mask in [("initial_state", None), ("initial_state_mask_left", "left")]
    ]
    + [
        _case("mixed_list", mixed_list, "plain", {}, {}),
        _case("mixed_list", mixed_list, "everything", EVERYTHING, {"mask": "right"}),
        _case("stack_of_one", stack_of_one, "everything", EVERYTHING, {}),
        _case("stack_of_one", stack_of_one, "plain", {}, {}),
        _case("stack_of_one_gru", stack_of_one_gru, "everything", EVERYTHING, {}),
        _case("nested_stack", nested_stack, "plain", {}, {}),
        _case("nested_stack", nested_stack, "backwards", {"go_backwards": True}, {}),
        _case(
            "nested_stack", nested_stack, "mask_gaps", {"return_sequences": True}, {"mask": "gaps"}
        ),
        _case("dropping_stack", dropping_stack, "inference", EVERYTHING, {"snapshots": ()}),
        _case("two_layer_norms", two_layer_norms, "everything", EVERYTHING, {}),
    ]
)
