"""Conv1D: paddings x strides x dilations x groups, and short, odd and wide shapes."""

from golden_builders import layer_case
from golden_case import CONSTRAINED

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


CASES = (
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
