"""Initializers: their distributions, what is exact about them, their refusals."""

import numpy as np
from golden_case import CallCase
from golden_kinds import FactCase, InitializerCase, RefusalCase

DISTRIBUTIONS = {
    "glorot_uniform": ("GlorotUniform", {}),
    "glorot_normal": ("GlorotNormal", {}),
    "he_uniform": ("HeUniform", {}),
    "he_normal": ("HeNormal", {}),
    "lecun_uniform": ("LecunUniform", {}),
    "lecun_normal": ("LecunNormal", {}),
    "random_normal": ("RandomNormal", {}),
    "random_normal_moved": ("RandomNormal", {"mean": 1.0, "stddev": 2.0}),
    "random_uniform": ("RandomUniform", {}),
    "random_uniform_limits": ("RandomUniform", {"minval": -1.0, "maxval": 3.0}),
    "truncated_normal": ("TruncatedNormal", {}),
    "truncated_normal_moved": ("TruncatedNormal", {"mean": -1.0, "stddev": 0.5}),
    "orthogonal": ("Orthogonal", {}),
    "orthogonal_gain": ("Orthogonal", {"gain": 3.0}),
    "axes": ("HeNormal", {"input_axes": [1], "output_axes": [0]}),
    **{
        f"scaling_{mode}_{distribution}": (
            "VarianceScaling",
            {"scale": 2.5, "mode": mode, "distribution": distribution},
        )
        for mode in ("fan_in", "fan_out", "fan_avg")
        for distribution in ("uniform", "truncated_normal", "untruncated_normal", "normal")
    },
}


def made(kind, options):
    return lambda k: getattr(k.initializers, kind)(**options)


NAMES = (
    "zeros", "zero", "ones", "one", "identity", "random_normal", "normal",
    "truncated_normal", "random_uniform", "uniform", "variance_scaling", "orthogonal",
    "glorot_uniform", "glorot_normal", "he_uniform", "he_normal", "lecun_uniform", "lecun_normal",
    "GlorotUniform", "OrthogonalInitializer", "IdentityInitializer",
)  # fmt: skip

EXACT = {
    "zeros": (lambda k: k.initializers.Zeros(), (2, 3)),
    "ones": (lambda k: k.initializers.Ones(), (2, 3)),
    "constant": (lambda k: k.initializers.Constant(1.5), (2, 3)),
    "constant_row": (lambda k: k.initializers.Constant([1.0, 2.0, 3.0]), (2, 3)),
    "identity": (lambda k: k.initializers.Identity(), (3, 3)),
    "identity_wide": (lambda k: k.initializers.Identity(2.0), (2, 4)),
    "array": (lambda k: k.initializers.get(np.array([1.0, 2.0])), (2,)),
    "function": (lambda k: k.initializers.get(lambda shape, dtype=None: k.ops.ones(shape)), (2,)),
}


def same(first, second):
    return bool((np.asarray(first) == np.asarray(second)).all())


def seeded(seed):
    def call(k):
        make = k.initializers.RandomNormal
        first = make(seed=seed)
        return [same(first((4,)), first((4,))), same(first((4,)), make(seed=seed)((4,)))]

    return call


def generator(k):
    first = k.initializers.RandomNormal(seed=k.random.SeedGenerator(3))
    other = k.initializers.RandomNormal(seed=k.random.SeedGenerator(3))
    one, two = first((4,)), first((4,))
    return [same(one, two), same(one, other((4,))), same(two, other((4,)))]


def gram(k):
    """Orthonormal rows or columns, whichever are fewer, of a conv kernel as a matrix too."""
    found = []
    for shape in ((3, 5), (5, 3), (2, 3, 4), (4, 2, 3)):
        q = np.asarray(k.initializers.Orthogonal(seed=1)(shape)).reshape(-1, shape[-1])
        found.append(q @ q.T if q.shape[0] < q.shape[1] else q.T @ q)
    return found


CASES = [
    *(
        InitializerCase(name, made(kind, options))
        for name, (kind, options) in DISTRIBUTIONS.items()
    ),
    InitializerCase(
        "conv_lecun_uniform", lambda k: k.initializers.LecunUniform(), shape=(10, 100, 300)
    ),
    InitializerCase("conv_he_normal", lambda k: k.initializers.HeNormal(), shape=(10, 100, 300)),
    InitializerCase("vector", lambda k: k.initializers.GlorotUniform(), shape=(250000,)),
    *(
        FactCase(f"get_{name}", lambda k, name=name: type(k.initializers.get(name)).__name__)
        for name in NAMES
    ),
    FactCase("get_none", lambda k: k.initializers.get(None)),
    FactCase("get_class", lambda k: type(k.initializers.get(k.initializers.Ones)).__name__),
    *(
        CallCase(f"exact_{name}", lambda k, make=make, shape=shape: make(k)(shape))
        for name, (make, shape) in EXACT.items()
    ),
    CallCase("orthonormal", gram),
    FactCase("seeded_twice", seeded(5)),
    FactCase("unseeded_twice", seeded(None)),
    FactCase("seed_generator", generator),
    RefusalCase("refused_name", lambda k: k.initializers.get("zeross"), ["zeross", "zeros"]),
    RefusalCase("refused_list", lambda k: k.initializers.get([1]), ["initializer", "[1]"]),
    RefusalCase(
        "refused_shape",
        lambda k: k.initializers.get(np.ones(3))((2,)),
        ["(2,)", "(3,)"],
    ),
    RefusalCase("refused_seed", lambda k: k.initializers.RandomNormal(seed="a"), ["seed", "'a'"]),
    RefusalCase(
        "refused_mode", lambda k: k.initializers.VarianceScaling(mode="x"), ["fan_in", "'x'"]
    ),
    RefusalCase(
        "refused_scale", lambda k: k.initializers.VarianceScaling(scale=0.0), ["scale", "0"]
    ),
    RefusalCase(
        "refused_distribution",
        lambda k: k.initializers.VarianceScaling(distribution="x"),
        ["uniform", "'x'"],
    ),
    RefusalCase("refused_orthogonal", lambda k: k.initializers.Orthogonal()((3,)), ["(3,)", "2"]),
    RefusalCase("refused_identity", lambda k: k.initializers.Identity()((3,)), ["(3,)", "2"]),
    RefusalCase(
        "refused_stft",
        lambda k: k.initializers.get("stft"),
        ["stft"],
        raises=ValueError,
        lacking=True,
    ),
    RefusalCase(
        "refused_stddev",
        lambda k: k.initializers.RandomNormal(stddev=-1.0),
        ["stddev", "-1"],
        raises=ValueError,
    ),
    RefusalCase(
        "refused_limits",
        lambda k: k.initializers.RandomUniform(2.0, 1.0),
        ["minval", "maxval"],
        raises=ValueError,
    ),
]
