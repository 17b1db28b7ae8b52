"""Elementwise ops where they are special: values at zeros of both signs, ones, infinities, NaN, and
derivatives at zeros, kinks and the ends of the domain. Compared as text of three digits."""

import numpy as np
from golden_kinds import FactCase

INFINITE = np.array([0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -2.5, np.inf, -np.inf, np.nan], "float32")
FINITE = np.array([0.0, 1.0, -1.0, 0.5, -0.5, 3.0, -3.0, 6.0, 0.25, 2.0], "float32")
SPECIAL = np.array([0.0, -0.0, 1.0, -2.0, np.inf, -np.inf, np.nan], "float32")
LEFT, RIGHT = (t.ravel() for t in np.meshgrid(SPECIAL, SPECIAL))
FIRST, SECOND = (t.ravel() for t in np.meshgrid(FINITE[:4], FINITE[:4]))

# ---- values: of each element of INFINITE, of each pair of SPECIAL ----

OF_ONE = """
abs negative sign square sqrt rsqrt reciprocal exp exp2 expm1 log log1p log2 log10 sin cos tan
sinh cosh tanh arcsin arccos arctan arcsinh arccosh arctanh sinc cbrt erf floor ceil round trunc
isnan isfinite isinf isposinf isneginf nan_to_num signbit logical_not deg2rad rad2deg relu relu6
leaky_relu elu celu selu sigmoid log_sigmoid hard_sigmoid hard_silu hard_tanh silu softplus
softsign mish gelu tanh_shrink soft_shrink hard_shrink sparse_plus sparse_sigmoid squareplus
"""
OF_TWO = """
add subtract multiply divide divide_no_nan floor_divide mod power maximum minimum fmax fmin fmod
arctan2 hypot logaddexp logaddexp2 equal not_equal less less_equal greater greater_equal
logical_and logical_or logical_xor heaviside isclose
"""

VALUES_DIFFER = {
    "floor_divide": "by infinity and of infinity, as NumPy",
    "hypot": "infinite where a side is, be the other NaN, as NumPy and JAX",
    "heaviside": "NaN of NaN, as NumPy and JAX",
    "isclose": "nothing finite is close to infinity, as in NumPy and JAX",
}

# ---- derivatives: at FINITE; by both, at pairs of its first four ----

SLOPES_OF_ONE = [
    name
    for name in OF_ONE.split()
    if not name.startswith("is") and name not in ("signbit", "logical_not")
]
SLOPES_OF_TWO = """
add subtract multiply divide divide_no_nan power maximum minimum fmax fmin fmod mod arctan2 hypot
logaddexp logaddexp2
"""

HALVES = "each of two equal ones has half of the gradient, as with JAX"
SLOPES_DIFFER = {
    "sinc": "0 at 0, as with JAX",
    "cbrt": "infinite at 0, as with JAX",
    "celu": "1 at 0, as with JAX: TensorFlow counts both sides",
    "power": "x^0 is flat at 0, too",
    "hypot": "a / hypot(a, b) on the diagonal, too, as with JAX",
    **dict.fromkeys(("maximum", "minimum", "fmax", "fmin", "logaddexp", "logaddexp2"), HALVES),
}


def shown(values) -> str:
    """Three digits of each, five decimals, zeros without a sign: Keras's backends differ there."""
    return " ".join(f"{v + 0.0:.3g}" for v in np.round(np.ravel(np.asarray(values, float)), 5))


def slopes(k, fn, points):
    """The derivatives of fn by each argument, element by element."""
    if k.__name__ == "keras":
        import tensorflow as tf

        variables = [tf.Variable(p) for p in points]
        with tf.GradientTape() as tape:
            y = k.ops.sum(fn(*(v.value() for v in variables)))
        found = tape.gradient(y, variables)
    else:
        variables = [k.Variable(p) for p in points]
        with k.GradientTape() as tape:
            y = k.ops.sum(fn(*variables))
        found = tape.gradient(y, variables)
    zeros = [np.zeros(len(p)) for p in points]
    return [shown(z if g is None else g) for g, z in zip(found, zeros, strict=True)]


def _function(k, name):
    return getattr(k.ops, name, None) or getattr(k.activations, name)


def _row(kind, name, measure, differs):
    reason, here = differs.get(name, ""), HERE.get(f"{kind} {name}")
    return FactCase(f"{kind} {name}", measure, differs=reason, here=here)


def _values(name, *points):
    return _row("value", name, lambda k: shown(_function(k, name)(*points)), VALUES_DIFFER)


def _slopes(name, *points):
    return _row("slope", name, lambda k: slopes(k, _function(k, name), points), SLOPES_DIFFER)


def _here():
    """What seqrnn gives where it differs: NumPy's values, the formulas of the derivatives."""
    a, b, x = FIRST.astype("float64"), SECOND.astype("float64"), FINITE.astype("float64")
    larger = (a > b) + 0.5 * (a == b)
    cosine = np.cos(np.pi * x) - np.sinc(x)
    length = np.where((a == 0) & (b == 0), 1.0, np.hypot(a, b))
    power = np.where(b == 0, 0.0, b * a ** np.where(b == 0, 1.0, b - 1))
    exponent = a**b * np.log(np.where(a > 0, a, 1.0))
    found = {f"value {name}": getattr(np, name)(LEFT, RIGHT) for name in VALUES_DIFFER}
    found |= {
        "slope sinc": [np.where(x == 0, 0.0, cosine / np.where(x == 0, 1.0, x))],
        "slope cbrt": [1 / (3 * np.cbrt(x) ** 2)],
        "slope celu": [np.where(x < 0, np.exp(x), 1.0)],
        "slope power": [power, exponent],
        "slope hypot": [a / length, b / length],
        "slope logaddexp": [1 / (1 + np.exp(b - a)), 1 / (1 + np.exp(a - b))],
        "slope logaddexp2": [1 / (1 + 2 ** (b - a)), 1 / (1 + 2 ** (a - b))],
        **{key: [larger, 1 - larger] for key in ("slope maximum", "slope fmax")},
        **{key: [1 - larger, larger] for key in ("slope minimum", "slope fmin")},
    }
    return {k: [shown(t) for t in v] if isinstance(v, list) else shown(v) for k, v in found.items()}


with np.errstate(all="ignore"):
    HERE = _here()

CASES = [
    *(_values(name, INFINITE) for name in OF_ONE.split()),
    *(_values(name, LEFT, RIGHT) for name in OF_TWO.split()),
    *(_slopes(name, FINITE) for name in SLOPES_OF_ONE),
    *(_slopes(name, FIRST, SECOND) for name in SLOPES_OF_TWO.split()),
]
