"""One `OpSpec` per word of csrc/graph/op_list.h: sample inputs, a plain NumPy reference, and
inputs that must be refused. `test_specs.py` runs all of them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from ops import references as ref

_rng = np.random.default_rng(7)


def normal(*shape):
    return _rng.normal(size=shape)


def positive(*shape):
    return _rng.uniform(0.2, 3.0, size=shape)


def within(*shape):
    """Numbers well inside of -1 .. 1."""
    return _rng.uniform(-0.9, 0.9, size=shape)


def integers(low, high, *shape, dtype="int32"):
    return _rng.integers(low, high, size=shape).astype(dtype)


def bools(*shape):
    return _rng.random(size=shape) < 0.5


def distinct(*shape):
    """Numbers of which no two are near each other, so that a small step changes no order."""
    count = int(np.prod(shape))
    return (_rng.permutation(count) - count / 2 + 0.25).reshape(shape) / 3.0


@dataclass
class Case:
    """Inputs (None: an absent optional one) and attributes."""

    inputs: tuple
    attrs: dict = field(default_factory=dict)


@dataclass
class Refused:
    """A case that must raise `error` with a text that `match` is found in."""

    inputs: tuple
    error: type
    match: str
    attrs: dict = field(default_factory=dict)


@dataclass
class OpSpec:
    """What is known about an op.

    reference: function of the inputs and attributes; gives an array, or a tuple of the first
        outputs. None: the op is tested `elsewhere`.
    gradient: how many of the first outputs the gradient can be asked of; 0 for none.
    """

    op: str
    cases: list[Case]
    reference: Callable | None
    gradient: int = 1
    refused: list[Refused] = field(default_factory=list)
    elsewhere: str = ""
    wrt: tuple[int, ...] | None = None  # inputs with a gradient; default all floats


def _unary(op, reference, values=normal, gradient=1, refused_dtype="int32"):
    cases = [Case((values(3, 5),)), Case((values(),)), Case((values(0, 2),)), Case((values(67),))]
    refused = [Refused((np.ones(3, refused_dtype),), TypeError, op)] if refused_dtype else []
    return OpSpec(op, cases, reference, gradient, refused)


def _binary(op, reference, values=normal, gradient=1, refused=()):
    pairs = [
        ((3, 5), (3, 5)),
        ((3, 5), ()),
        ((), (4,)),
        ((3, 1, 2), (5, 1)),
        ((2, 3), (3,)),
        ((2, 3), (2, 1)),
        ((0, 3), (1, 3)),
        ((37,), (37,)),
    ]
    cases = [Case((values(*a), values(*b))) for a, b in pairs]
    wrong = [
        Refused((normal(2, 3), normal(4)), ValueError, r"\(2, 3\).*\(4,\)"),
        Refused(
            (normal(2), np.ones(2, np.float32)), TypeError, "float64.*float32|float32.*float64"
        ),
    ]
    return OpSpec(op, cases, reference, gradient, wrong + list(refused))


def _of_output(op, reference):
    """The gradient of an op, from its output y and dy, which have one shape."""
    cases = [Case((normal(*shape), normal(*shape))) for shape in ((3, 5), (), (37,))]
    wrong = [Refused((normal(3), normal(1)), ValueError, op)]
    return OpSpec(op, cases, reference, refused=wrong)


def _reduction(op, reference, values=normal, gradient=1, extra=()):
    attrs = [
        {},
        {"axes": [0]},
        {"axes": [-1], "keepdims": True},
        {"axes": [0, 2]},
        {"axes": [1]},
        {"keepdims": True},
    ]
    cases = [Case((values(3, 4, 5),), a) for a in attrs]
    cases += [Case((values(),)), Case((values(70),)), Case((values(2, 300),), {"axes": [1]})]
    wrong = [Refused((normal(2, 3),), ValueError, "axis|axes", {"axes": [2]})]
    return OpSpec(
        op,
        cases + list(extra),
        lambda x, axes=(), keepdims=False: reference(x, ref.axes_of(axes), keepdims=keepdims),
        gradient,
        wrong,
    )


_compare = {"values": lambda *s: integers(-2, 3, *s).astype(float), "gradient": 0}
_ints = [Case((integers(-4, 5, 3, 4), integers(1, 5, 4)))]

LEAVES = [
    OpSpec(op, [], None, 0, elsewhere="tests/binding/test_graph.py")
    for op in ("input", "variable", "constant")
]

ELEMENTWISE = [
    _unary("neg", np.negative, refused_dtype="bool"),
    _unary("abs", np.abs, distinct, refused_dtype="bool"),
    _unary("sign", np.sign, gradient=0, refused_dtype="bool"),
    _unary("square", np.square, refused_dtype="bool"),
    _unary("sqrt", np.sqrt, positive),
    _unary("rsqrt", lambda x: 1 / np.sqrt(x), positive),
    _unary("reciprocal", np.reciprocal, positive),
    _unary("exp", np.exp),
    _unary("expm1", np.expm1),
    _unary("log", np.log, positive),
    _unary("log1p", np.log1p, positive),
    _unary("sin", np.sin),
    _unary("cos", np.cos),
    _unary("asin", np.arcsin, within),
    _unary("acos", np.arccos, within),
    _unary("atan", np.arctan),
    _unary("sinh", np.sinh),
    _unary("cosh", np.cosh),
    _unary("tanh", np.tanh),
    _unary("asinh", np.arcsinh),
    _unary("acosh", np.arccosh, lambda *s: positive(*s) + 1),
    _unary("atanh", np.arctanh, within),
    _unary("cbrt", np.cbrt, distinct),
    _unary("sigmoid", ref.sigmoid),
    _unary("relu", lambda x: np.maximum(x, 0), distinct, refused_dtype="bool"),
    _unary("erf", ref.erf),
    _unary("floor", np.floor, distinct, gradient=0),
    _unary("ceil", np.ceil, distinct, gradient=0),
    _unary("round", np.round, lambda *s: integers(-9, 9, *s) / 2, gradient=0),
    _unary("isnan", np.isnan, lambda *s: np.where(bools(*s), np.nan, normal(*s)), gradient=0),
    _unary("isfinite", np.isfinite, lambda *s: np.where(bools(*s), np.inf, 1.0), gradient=0),
    _unary("logical_not", np.logical_not, bools, gradient=0),
    OpSpec(
        "cast",
        [
            Case((normal(3, 4) * 5,), {"dtype": "int32"}),
            Case((normal(3, 4),), {"dtype": "float32"}),
            Case((integers(-2, 2, 7),), {"dtype": "bool"}),
            Case((bools(5),), {"dtype": "float64"}),
            Case((integers(-5, 5, 4, dtype="int64"),), {"dtype": "int32"}),
        ],
        lambda x, dtype: x.astype(dtype),
        refused=[Refused((normal(2),), TypeError, "float16", {"dtype": "float16"})],
    ),
    OpSpec("stop_gradient", [Case((normal(2, 3),))], lambda x: x, 0),
    _of_output("tanh_grad", lambda y, dy: dy * (1 - y * y)),
    _of_output("sigmoid_grad", lambda y, dy: dy * y * (1 - y)),
    _of_output("relu_grad", lambda y, dy: np.where(y > 0, dy, 0.0)),
    _binary("add", np.add, refused=[Refused((bools(2), bools(2)), TypeError, "bool")]),
    _binary("sub", np.subtract),
    _binary("mul", np.multiply),
    _binary("div", np.divide, positive, refused=[Refused(_ints[0].inputs, TypeError, "div")]),
    _binary("pow", np.power, positive),
    _binary("maximum", np.maximum, distinct),
    _binary("minimum", np.minimum, distinct),
    _binary("mod", np.mod, positive),
    _binary("atan2", np.arctan2, distinct),
    _binary("hypot", np.hypot, distinct),
    _binary("equal", np.equal, **_compare),
    _binary("not_equal", np.not_equal, **_compare),
    _binary("less", np.less, **_compare),
    _binary("less_equal", np.less_equal, **_compare),
    OpSpec(
        "logical_and",
        [Case((bools(3, 5), bools(5))), Case((bools(), bools(4)))],
        np.logical_and,
        0,
        [Refused((normal(2), normal(2)), TypeError, "bool")],
    ),
    OpSpec(
        "logical_or",
        [Case((bools(3, 5), bools(5))), Case((bools(), bools(4)))],
        np.logical_or,
        0,
        [Refused((normal(2), normal(2)), TypeError, "bool")],
    ),
    OpSpec(
        "where",
        [
            Case((bools(3, 4), normal(3, 4), normal(3, 4))),
            Case((bools(3, 1), normal(4), normal(3, 4))),
            Case((bools(2, 3), normal(), normal(3))),
            Case((bools(4), integers(0, 9, 4), integers(0, 9, 4))),
        ],
        np.where,
        refused=[
            Refused((normal(3), normal(3), normal(3)), TypeError, "bool"),
            Refused((bools(3), normal(3), integers(0, 2, 3)), TypeError, "float64"),
            Refused((bools(3), normal(3), normal(2)), ValueError, r"\(3,\)"),
        ],
    ),
]
for _spec in ELEMENTWISE:  # integers, where there are such
    if _spec.op in ("add", "sub", "mul", "maximum", "minimum", "mod"):
        _spec.cases.extend(_ints)
    if _spec.op in ("neg", "abs", "sign", "square", "relu"):
        _spec.cases.append(Case((integers(-5, 5, 3, 4),)))

REDUCTIONS = [
    _reduction("sum", np.sum, extra=[Case((integers(0, 9, 3, 4),), {"axes": [1]})]),
    _reduction("max", np.max, distinct, extra=[Case((bools(3, 4),), {"axes": [1]})]),
    _reduction("min", np.min, distinct, extra=[Case((bools(3, 4),), {"axes": [1]})]),
    _reduction("prod", np.prod, lambda *s: positive(*s) ** 0.1),
    OpSpec(
        "argmax",
        [Case((distinct(3, 4, 5),), {"axis": a}) for a in (0, 1, -1)],
        lambda x, axis=-1: np.argmax(x, axis),
        0,
        [Refused((normal(2),), ValueError, "axis", {"axis": 1})],
    ),
    OpSpec(
        "argmin",
        [Case((distinct(3, 4, 5),), {"axis": a}) for a in (0, 1, -1)],
        lambda x, axis=-1: np.argmin(x, axis),
        0,
        [Refused((normal(2),), ValueError, "axis", {"axis": 1})],
    ),
    OpSpec(
        "argsort",
        [
            *(Case((distinct(3, n),)) for n in (1, 2, 7, 64)),
            Case((integers(0, 3, 4, 33),)),
            Case((integers(0, 3, 4, 33, dtype="int64"),)),
            Case((bools(2, 9),)),
            Case((np.array([[3.0, np.nan, 1.0, np.nan, 2.0, -np.inf, np.inf]]),)),
            Case((integers(0, 3, 4, 33),), {"descending": True}),
            Case((np.array([3.0, np.nan, 1.0]),), {"descending": True}),
            Case((np.zeros((2, 0)),)),
        ],
        lambda x, descending=False: np.argsort(-x if descending else x, -1, kind="stable"),
        0,
        [Refused((np.zeros(()),), ValueError, "no axis")],
    ),
    OpSpec(
        "cumsum",
        [
            Case((normal(3, 4, 5),), {"axis": a, "reverse": r})
            for a in (0, 1, -1)
            for r in (False, True)
        ],
        ref.cumsum,
        refused=[Refused((normal(2),), ValueError, "axis", {"axis": 1})],
    ),
    _unary("softmax", ref.softmax, lambda *s: normal(*(s or (4,)))),
    _unary("log_softmax", lambda x: np.log(ref.softmax(x)), lambda *s: normal(*(s or (4,)))),
]

RANDOM = [
    OpSpec(op, [], None, 0, elsewhere="tests/ops/test_random.py")
    for op in ("random_uniform", "random_normal", "dropout_mask")
]

MATMUL = [
    OpSpec(
        "matmul",
        [
            Case((normal(3, 4), normal(4, 5))),
            Case((normal(4, 3), normal(4, 5)), {"transpose_a": True}),
            Case((normal(3, 4), normal(5, 4)), {"transpose_b": True}),
            Case((normal(4, 3), normal(5, 4)), {"transpose_a": True, "transpose_b": True}),
            Case((normal(2, 3, 4), normal(4, 5))),
            Case((normal(2, 3, 4), normal(2, 4, 5))),
            Case((normal(2, 1, 3, 4), normal(6, 4, 5))),
            Case((normal(2, 3, 4), normal(2, 5, 4)), {"transpose_b": True}),
            Case((normal(1, 1), normal(1, 1))),
            Case((normal(0, 4), normal(4, 5))),
            Case((normal(70, 33), normal(33, 80))),
            Case((normal(2, 3, 4), normal(4, 5), normal(5))),
            Case(
                (normal(4, 3), normal(5, 4), normal(5)), {"transpose_a": True, "transpose_b": True}
            ),
            Case((normal(2, 3, 4), normal(2, 4, 5), normal(5))),
            Case((normal(5, 133), normal(133, 7), normal(7))),
        ],
        ref.matmul,
        refused=[
            Refused((normal(32, 20), normal(10, 5)), ValueError, r"\(32, 20\).*\(10, 5\)"),
            Refused((normal(3), normal(3, 2)), ValueError, "matmul"),
            Refused((np.ones((2, 2), "int32"),) * 2, TypeError, "matmul"),
            Refused((normal(2, 3, 4), normal(3, 4, 5)), ValueError, "matmul"),
            Refused((normal(3, 4), normal(4, 5), normal(4)), ValueError, r"bias.*\(5,\).*\(4"),
            Refused((normal(3, 4), normal(4, 5), normal(1, 5)), ValueError, "bias"),
        ],
    )
]


def _all() -> dict[str, OpSpec]:
    from ops.specs_layers import CONVOLUTION, NORMALISATION, RECURRENCE
    from ops.specs_shape import GATHER, SHAPE

    families = (
        LEAVES,
        ELEMENTWISE,
        REDUCTIONS,
        RANDOM,
        MATMUL,
        SHAPE,
        GATHER,
        NORMALISATION,
        CONVOLUTION,
        RECURRENCE,
    )
    specs = [spec for family in families for spec in family]
    assert len({spec.op for spec in specs}) == len(specs), "an op has two specs"
    return {spec.op: spec for spec in specs}


SPECS = _all()
