"""Facts that JSON can hold, also those in which seqrnn differs from Keras on purpose."""

from golden_builders import normal
from golden_kinds import FactCase


def _fitted(k, x, y):
    model = k.Sequential([k.Input((3,)), k.layers.Dense(2)])
    model.compile(loss="mse", optimizer="sgd", metrics=["mse", "mae"])
    return model.fit(x, y, verbose=0, validation_split=0.5)


CASES = [
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
