"""What is refused: Keras's own errors, and what Keras has and seqrnn does not."""

from golden_kinds import RefusalCase

CASES = [
    RefusalCase("dense_units", lambda k: k.layers.Dense(-3), ["Dense", "units", "-3"]),
    RefusalCase(
        "gru_2d",
        lambda k: k.Sequential([k.Input((4,)), k.layers.GRU(3, name="reader")]),
        ["reader", "3", "(None, 4)"],
    ),
    RefusalCase("unknown_loss", lambda k: k.losses.get("mee"), ["mee"]),
]
