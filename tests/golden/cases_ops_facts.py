"""Shapes, dtypes and other facts of `ops` and `random`, and what `ops` refuses or lacks."""

import numpy as np
from cases_ops import DTYPES, described, words
from golden_kinds import FactCase, RefusalCase

# Streams differ from backend to backend; shapes and dtypes do not. Integers where there are any.
RANDOM = """
uniform((2, 3), seed=1)
normal((2, 3), 1.0, 2.0, seed=1)
truncated_normal((2, 3), seed=1)
gamma((2, 3), 2.0, seed=1)
beta((2, 3), 2.0, 3.0, seed=1)
binomial((2, 3), 5.0, 0.5, seed=1)
randint((2, 3), 0, 5, dtype, seed=1)
categorical(np.zeros((2, 3), "float32"), 4, dtype, seed=1)
dropout(np.ones((2, 3), "float32"), 0.5, seed=1)
shuffle(np.zeros((2, 3), "float32"), axis=1, seed=1)
""".strip().splitlines()


def _kind(k, x):
    return [k.backend.standardize_dtype(x.dtype), k.ops.shape(x)]


FACTS = [
    FactCase("shape", lambda k: k.ops.shape(np.zeros((2, 3)))),
    FactCase("shape_of_placeholder", lambda k: k.ops.shape(k.KerasTensor((None, 3)))),
    *(
        FactCase(
            f"result_type_{a}",
            lambda k, a=a: {
                str(b): k.backend.result_type(a, b) for b in (*DTYPES, int, float, bool)
            },
        )
        for a in DTYPES
    ),
    *(
        FactCase(
            f"random_{call.split('(')[0]}_{dtype}",
            lambda k, call=call, dtype=dtype: _kind(
                k, eval(f"k.random.{call}", {"k": k, "np": np, "dtype": dtype})
            ),
        )
        for call in RANDOM
        for dtype in ("int32", "int64")
        if "dtype" in call or dtype == "int32"
    ),
    FactCase("python_numbers", lambda k: [described(k, k.ops.array(v)) for v in (1, 1.5, True)]),
    FactCase("python_lists", lambda k: [described(k, k.ops.array(v)) for v in ([1], [1.5, 2])]),
    FactCase(
        "sparsemax_sums_to_1",
        lambda k: round(float(k.ops.sum(k.ops.sparsemax(np.array([0.5, 0.4, -0.1, 0.1])))), 4),
        differs="Keras's threshold is not that of the paper; the sum is less than 1",
        here=1.0,
    ),
    FactCase(
        "vstack_of_vectors",
        lambda k: k.ops.shape(k.ops.vstack([np.zeros(3), np.ones(3)])),
        differs="vectors become rows, as in NumPy; the TensorFlow backend puts them in line",
        here=[2, 3],
    ),
    FactCase("unique", lambda k: described(k, k.ops.unique(np.array([3, 1, 3])))),
    FactCase("nonzero", lambda k: described(k, k.ops.nonzero(np.array([3, 0, 3])))),
]

ABSENT = """
angle bitwise_and bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift
bitwise_xor cdist cholesky cholesky_inverse depth_to_space det eig eigh erfc erfinv
fft fft2 fold gcd i0 ifft2 imag inv irfft istft jvp lcm left_shift logdet lstsq lu_factor
matrix_rank nextafter pinv polar qr rearrange rfft right_shift slogdet solve solve_triangular
space_to_depth stft svd unfold vectorize view view_as_complex view_as_real image
"""


REFUSED = [
    *(
        RefusalCase(f"no_{n}", lambda k, n=n: getattr(k.ops, n), [n], raises=AttributeError)
        for n in words(ABSENT)
    ),
    RefusalCase("expand_dims_axis", lambda k: k.ops.expand_dims(np.zeros((2, 3)), 7), ["7"]),
    RefusalCase(
        "searchsorted_rank",
        lambda k: k.ops.searchsorted(np.zeros((2, 3)), np.zeros(3)),
        ["searchsorted", "(2, 3)"],
    ),
    RefusalCase(
        "scatter_update_reduction",
        lambda k: k.ops.scatter_update(np.zeros(3), [[0]], np.ones(1), reduction="mean"),
        ["scatter_update", "mean"],
    ),
    RefusalCase(
        "scatter_update_max",
        lambda k: k.ops.scatter_update(np.zeros(3), [[0]], np.ones(1), reduction="max"),
        ["scatter_update", "'max'"],
        raises=ValueError,
        lacking=True,
    ),
    RefusalCase(
        "unique_size",
        lambda k: k.ops.unique(np.array([1, 2]), size=3),
        ["unique", "size"],
        raises=ValueError,
        lacking=True,
    ),
    RefusalCase(
        "glu_odd", lambda k: k.ops.glu(np.zeros((2, 3), "float32")), ["glu", "(2, 3)", "axis"]
    ),
]


CASES = [*FACTS, *REFUSED]
