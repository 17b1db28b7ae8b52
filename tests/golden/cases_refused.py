"""What is refused: Keras's own errors, and what Keras has and seqrnn does not."""

from golden_kinds import RefusalCase

CASES = [
    RefusalCase("dense_units", lambda k: k.layers.Dense(-3), ["Dense", "units", "-3"]),
    RefusalCase(
        "gru_2d",
        lambda k: k.Sequential([k.Input((4,)), k.layers.GRU(3, name="reader")]),
        ["reader", "3", "(None, 4)"],
    ),
    RefusalCase(
        "pad_value_of_reflect",
        lambda k: k.ops.pad(k.ops.zeros((3,)), 1, mode="reflect", constant_values=2.0),
        ["constant_values", "reflect"],
    ),
    RefusalCase(
        "dense_lora",
        lambda k: k.layers.Dense(3, lora_rank=4),
        ["Dense", "lora_rank"],
        raises=ValueError,
    ),
    RefusalCase(
        "typo",
        lambda k: k.layers.GRU(3, return_sequence=True),
        ["GRU", "return_sequence'", "return_sequences"],
    ),
    RefusalCase("unknown_loss", lambda k: k.losses.get("mee"), ["mee"]),
]
