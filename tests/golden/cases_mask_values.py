"""Values under masks: what comes out of each layer of `cases_masks`, not only its mask."""

from cases_masks import LAYERS, MERGES, ONE, OTHER, _steps, masked
from golden_builders import arrays_of, fixed, weighted
from golden_case import CallCase

THIRD = _steps([0], [1, 2], [3])
MARKED = {"one": [True, False, False], "two": [True, True, False], "all": [True, True, True]}
# Keras's Normalization computes with what it had before `set_weights`, until it is adapted.
KEPT_APART = ("normalization_weights",)


def shifted(k, x):
    """A tensor with the mask of x that is not 0 at its missing steps."""
    return k.layers.Activation(lambda x: x + 0.5)(masked(k, x))


def _layer(name, make):
    """The outputs for weights that depend on the name alone."""

    def call(k, x):
        layer = make(k)
        layer(shifted(k, x))
        if getattr(layer, "weights", None):
            weighted(layer, name)
        return arrays_of(layer(shifted(k, x)))

    return CallCase(name, call, [fixed(ONE)])


def _merge(name, which, marked, **options):
    def call(k, *arrays):
        parts = [shifted(k, x) if m else x for x, m in zip(arrays, marked, strict=True)]
        layer = getattr(k.layers, name)(**options)
        return layer(parts[:2] if name in ("Subtract", "Dot") else parts)

    arrays = [fixed(x) for x in (ONE, OTHER, THIRD)]
    return CallCase(f"{name.lower()}_{which}", call, arrays)


def _broadcast(name):
    """One of the inputs has one feature, the other is missing at other steps."""

    def call(k, a, b):
        return getattr(k.layers, name)()([shifted(k, a), shifted(k, b[..., :1])])

    return CallCase(f"{name.lower()}_broadcast", call, [fixed(ONE), fixed(OTHER)])


def _vector(name):
    """Inputs of unlike rank: that of fewer axes has no mask."""

    def call(k, a, b):
        return getattr(k.layers, name)()([shifted(k, a), b[:, 0]])

    return CallCase(f"{name.lower()}_vector", call, [fixed(ONE), fixed(OTHER)])


ELEMENTWISE = [name for name in MERGES if name != "Concatenate"]
CASES = [
    *[_layer(name, make) for name, make in LAYERS.items() if name not in KEPT_APART],
    *[_merge(name, which, marked) for name in MERGES for which, marked in MARKED.items()],
    _merge("Dot", "all", MARKED["all"], axes=2),
    *[_broadcast(name) for name in ELEMENTWISE],
    *[_vector(name) for name in ELEMENTWISE],
]
