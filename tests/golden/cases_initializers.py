"""Initializers: their distributions."""

from golden_kinds import InitializerCase

CASES = [
    InitializerCase("glorot_uniform", lambda k: k.initializers.GlorotUniform()),
    InitializerCase("he_normal", lambda k: k.initializers.HeNormal()),
    InitializerCase("orthogonal", lambda k: k.initializers.Orthogonal()),
    InitializerCase(
        "conv_lecun_uniform", lambda k: k.initializers.LecunUniform(), shape=(10, 100, 300)
    ),
]
