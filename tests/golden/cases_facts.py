"""Facts that JSON can hold, also those in which seqrnn differs from Keras on purpose."""

from golden_builders import integers, normal, uniform
from golden_case import CallCase
from golden_kinds import FactCase


def _fitted(k, x, y):
    model = k.Sequential([k.Input((3,)), k.layers.Dense(2)])
    model.compile(loss="mse", optimizer="sgd", metrics=["mse", "mae"])
    return model.fit(x, y, verbose=0, validation_split=0.5)


OPS = [
    CallCase(
        "average_rows",
        lambda k, x, w: k.ops.average(x, 0, w),
        [normal(3, 4), uniform(0.5, 2, 3)],
    ),
    CallCase(
        "average_all", lambda k, x, w: k.ops.average(x, weights=w), [normal(3, 4), normal(3, 4)]
    ),
    CallCase(
        "take_along_no_axis",
        lambda k, x, i: k.ops.take_along_axis(x, i),
        [normal(3, 4), integers(12, 5)],
    ),
    CallCase("min_initial", lambda k, x: k.ops.min(x, axis=1, initial=-0.5), [normal(3, 4)]),
    CallCase("identity", lambda k: k.ops.identity(3)),
    CallCase("arange_step", lambda k: k.ops.arange(1, 7, 2)),
    CallCase("cumsum_dtype", lambda k, x: k.ops.cumsum(x, 0, "int32"), [integers(9, 3, 4)]),
    CallCase(
        "pad_value",
        lambda k, x: k.ops.pad(x, ((1, 1), (0, 2)), constant_values=2.0),
        [normal(2, 2)],
    ),
]

CASES = [
    *OPS,
    FactCase(
        "output_shape",
        lambda k: k.Sequential([k.Input((None, 3)), k.layers.GRU(2)]).output_shape,
    ),
    FactCase(
        "history_order",
        lambda k, x, y: list(_fitted(k, x, y).history),
        [normal(6, 3), normal(6, 2)],
        differs="loss, then metrics in the order of `compile`, as in Keras 2 and the books",
        here=["loss", "mse", "mae", "val_loss", "val_mse", "val_mae"],
    ),
]
