"""A graph over a batch in parts (csrc/compile/batch_split.c) against the same graph whole and
against NumPy: every op with a rule, at each place where the batch can be.

Each test looks into the plan's text for what was split: where nothing is, nothing is proved.
"""

import itertools

import numpy as np
import pytest
from ops.specs import SPECS, bools, integers, normal
from split_plans import B, Batch, close, emitted, steps

T, F = 6, 8
COMBINED = ("max", "min", "prod")  # over the parts; sums are added in pairs
NO_STEP = ("reshape", "stop_gradient")  # other names for the same bytes
rng = np.random.default_rng(11)

LAYOUTS = {  # shape, axis of the batch, what is merged with it in front
    "front": ((B, T, F), 0, 1),
    "time-major": ((T, B, F), 1, 1),
    "last": ((T, F, B), 2, 1),
    "T*B": ((T * B, F), 0, T),
    "B*T": ((B * T, F), 0, 1),
    "T*B*F": ((T * B * F,), 0, T),
    "square": ((B, B), 0, 1),
    "square-last": ((B, B), 1, 1),
}


def check(op, *inputs, where="parts", **attrs):
    """The op in parts, whole, and by NumPy. where: 'parts', 'whole', or 'added': in each part, and
    then one for all parts. Gives the ops (outside, inside) of the gradient's plan."""
    spec = SPECS[op]
    graph, values, outputs, arrays = emitted(op, inputs, attrs)
    parts, whole = graph.compile(outputs, batch=B), graph.compile(outputs)
    outside, inside = steps(parts)
    assert "scan" in outside
    assert "scan" not in steps(whole)[0]
    if op not in NO_STEP:
        assert (op in inside) == (where != "whole"), str(parts)
    if op not in (*NO_STEP, "transpose", *COMBINED):
        assert (op in outside) == (where == "whole"), str(parts)
    if where == "added":
        assert (op if op in COMBINED else "add") in outside
    found = parts.run(arrays, ())
    for a, b in zip(found, whole.run(arrays, ()), strict=True):
        close(a, b)
    if spec.reference is not None:
        plain = spec.reference(*(x.array if isinstance(x, Batch) else x for x in inputs), **attrs)
        plain = plain if isinstance(plain, tuple) else (plain,)
        for a, b in zip(found[:-1], plain, strict=False):
            close(a, np.asarray(b))
    return gradient(spec, graph, values, outputs, arrays) if spec.gradient else None


def gradient(spec, graph, values, outputs, arrays):
    """By the float inputs, in parts and whole: of a weighted sum of the outputs' squares."""
    wrt = range(len(values)) if spec.wrt is None else spec.wrt
    xs = [values[k] for k in wrt if values[k] is not None]
    xs = [v for v in xs if graph.type(v)[0] == "float64"]
    ys = [y for y in outputs[: spec.gradient] if graph.type(y)[0] == "float64"]
    weights = [graph.constant(normal(*graph.type(y)[1])) for y in ys]
    seeds = [graph.emit("mul", pair)[0] for pair in zip(ys, weights, strict=True)]
    dxs = [d for d in graph.gradient(ys, seeds, xs) if d is not None]
    dxs.append(outputs[-1])
    parts, whole = graph.compile(dxs, batch=B), graph.compile(dxs)
    for a, b in zip(parts.run(arrays, ()), whole.run(arrays, ()), strict=True):
        close(a, b)
    return steps(parts)


def values_of(op, shape, k=0):
    """Numbers for input k such as the op's own spec has."""
    given = np.asarray(SPECS[op].cases[0].inputs[k])
    flat = np.resize(given, int(np.prod(shape)))
    return rng.permutation(flat).reshape(shape)


# ---- elementwise ----

UNARY = [
    op
    for op, spec in SPECS.items()
    if spec.cases and len(spec.cases[0].inputs) == 1 and not spec.cases[0].attrs
    if op
    not in ("sum", "max", "min", "prod", "layer_norm", "softmax", "log_softmax", "copy", "argsort")
]
OF_TWO = [
    op
    for op, spec in SPECS.items()
    if spec.cases and len(spec.cases[0].inputs) == 2 and not spec.cases[0].attrs
    if op not in ("matmul", "take", "take_grad", "pick", "pick_grad", "conv1d")
]


def test_the_elementwise_ops_are_found():
    assert len(UNARY) == 33
    assert len(OF_TWO) == 19


@pytest.mark.parametrize("layout", LAYOUTS)
def test_argsort(layout):
    """Along the last axis: whole where that is the batch's."""
    shape, at, before = LAYOUTS[layout]
    where = "whole" if at == len(shape) - 1 else "parts"
    check("argsort", Batch(normal(*shape), at, before), where=where)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("op", UNARY)
def test_unary(op, layout):
    shape, at, before = LAYOUTS[layout]
    check(op, Batch(values_of(op, shape), at, before))


@pytest.mark.parametrize("dtype", ["float32", "int32", "bool"])
def test_cast(dtype):
    check("cast", Batch(normal(T, B, F) * 4, 1), dtype=dtype)


PAIRS = {  # (shape, axis of the batch or None: no batch, merged in front) of each input
    "same": (((B, T, F), 0, 1), ((B, T, F), 0, 1)),
    "row": (((B, T, F), 0, 1), ((F,), None, 1)),
    "number": (((), None, 1), ((T, B, F), 1, 1)),
    "broadcast": (((B, T, F), 0, 1), ((B, 1, 1), 0, 1)),
    "fewer axes": (((T, B, F), 1, 1), ((B, F), 0, 1)),
    "fewer axes, first": (((B, 1), 0, 1), ((T, B, F), 1, 1)),
    "outer": (((B, 1, F), 0, 1), ((T, 1), None, 1)),
    "repeated": (((1, T, F), None, 1), ((B, 1, 1), 0, 1)),
    "whole along the batch": (((B, F), 0, 1), ((B, F), None, 1)),
    "merged": (((T * B, F), 0, T), ((F,), None, 1)),
    "merged in two ways": (((T * B, F), 0, T), ((T * B, F), 0, 1)),
    "square and row": (((B, B), 0, 1), ((B,), None, 1)),
    "square and the batch": (((B, B), 0, 1), ((B,), 0, 1)),
    "square and square": (((B, B), 0, 1), ((B, B), 1, 1)),
    "all pairs": (((B, 1, F), 0, 1), ((1, B, F), 1, 1)),
}


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("op", OF_TWO)
def test_of_two(op, pair):
    shapes = PAIRS[pair]
    if op.endswith("_grad"):  # one shape
        shapes = (shapes[0], (shapes[0][0], *shapes[1][1:]))
        if shapes[0][1] is None or (shapes[1][1] or 0) >= len(shapes[0][0]):
            return
        shapes = (shapes[0], (*shapes[0][:1], None, 1)) if pair != "same" else shapes
    inputs = []
    for k, (shape, at, before) in enumerate(shapes):
        array = values_of(op, shape, k)
        inputs.append(array if at is None else Batch(array, at, before))
    check(op, *inputs)


@pytest.mark.parametrize("alone", range(3))
def test_where(alone):
    """Only one of three has the batch."""
    shapes = [(T, 1)] * 3
    shapes[alone] = (B, T, F)
    inputs = [bools(*shapes[0]), normal(*shapes[1]), normal(*shapes[2])]
    inputs[alone] = Batch(inputs[alone])
    check("where", *inputs)


# ---- reductions, and along an axis ----


@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("op", ["sum", "max", "min", "prod"])
def test_reduction(op, layout, keepdims):
    shape, at, before = LAYOUTS[layout]
    x = Batch(values_of(op, shape), at, before)
    for n in range(len(shape) + 1):
        for axes in itertools.combinations(range(len(shape)), n):
            over = at in axes or not axes
            signs = [a - len(shape) if n == 2 else a for a in axes]
            check(op, x, where="added" if over else "parts", axes=signs, keepdims=keepdims)


@pytest.mark.parametrize("op", ["max", "min"])
def test_any_and_all(op):
    check(op, Batch(bools(B, T, F)), where="added", axes=[0])
    check(op, Batch(integers(-9, 9, B, T, F)), where="added")


@pytest.mark.parametrize("layout", [k for k, v in LAYOUTS.items() if len(v[0]) == 3])
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -3])
@pytest.mark.parametrize("op", ["argmax", "argmin", "cumsum"])
def test_along_an_axis(op, axis, layout):
    shape, at, before = LAYOUTS[layout]
    where = "whole" if axis % 3 == at else "parts"
    check(op, Batch(values_of("max", shape), at, before), where=where, axis=axis)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("op", ["softmax", "log_softmax", "layer_norm"])
def test_over_the_last_axis(op, layout):
    shape, at, before = LAYOUTS[layout]
    x = Batch(normal(*shape), at, before)
    where = "whole" if at == len(shape) - 1 else "parts"
    check(op, x, where=where)
    if op == "layer_norm":
        found = check(op, x, normal(shape[-1]), normal(shape[-1]), where=where)
        assert ("layer_norm_grad" in found[1]) == (where == "parts")


# ---- products ----

K, N = 5, 7
PRODUCTS = {  # a, b, attributes, where
    "rows": (Batch(normal(B, K)), normal(K, N), "", "parts"),
    "rows of sequences": (Batch(normal(B, T, K)), normal(K, N), "", "parts"),
    "time-major": (Batch(normal(T, B, K), 1), normal(K, N), "", "parts"),
    "T*B": (Batch(normal(T * B, K), 0, T), normal(K, N), "", "parts"),
    "B*T": (Batch(normal(B * T, K)), normal(N, K), "b", "parts"),
    "a turned": (Batch(normal(K, B), 1), normal(K, N), "a", "parts"),
    "both turned": (Batch(normal(T, K, B), 2), normal(N, K), "ab", "parts"),
    "columns": (normal(K, N), Batch(normal(N, B), 1), "", "parts"),
    "columns, turned": (normal(T, K, N), Batch(normal(B, N)), "b", "parts"),
    "columns, a turned": (normal(N, K), Batch(normal(T, N, B), 2), "a", "parts"),
    "attention": (Batch(normal(B, T, K)), Batch(normal(B, T, K)), "b", "parts"),
    "attention, back": (Batch(normal(B, T, T)), Batch(normal(B, T, K)), "a", "parts"),
    "heads": (Batch(normal(B, 2, T, K)), Batch(normal(B, 2, K, N)), "", "parts"),
    "heads, b shared": (Batch(normal(B, 2, T, K)), normal(2, K, N), "", "parts"),
    "heads, a shared": (normal(2, T, K), Batch(normal(B, 2, K, N)), "", "parts"),
    "b of length 1": (Batch(normal(B, T, K)), normal(1, K, N), "", "parts"),
    "a of length 1": (normal(1, T, K), Batch(normal(B, K, N)), "", "parts"),
    "a within b's": (Batch(normal(B, T, K)), normal(2, 1, K, N), "", "parts"),
    "b within a's": (normal(2, 1, T, K), Batch(normal(B, K, N)), "", "parts"),
    "second leading axis": (Batch(normal(3, B, T, K), 1), Batch(normal(B, K, N)), "", "parts"),
    "sum over samples": (Batch(normal(B, K)), Batch(normal(B, N)), "a", "added"),
    "sum over T*B": (Batch(normal(T * B, K), 0, T), Batch(normal(T * B, N), 0, T), "a", "added"),
    "sum over B, b whole": (Batch(normal(K, B), 1), normal(B, N), "", "added"),
    "sum over B, a whole": (normal(K, B), Batch(normal(B, N)), "", "added"),
    "sum in each step": (Batch(normal(T, B, K), 1), Batch(normal(T, B, N), 1), "a", "whole"),
    "pairs of samples": (Batch(normal(B, K)), Batch(normal(B, K)), "b", "parts"),
    "pairs in each step": (Batch(normal(T, B, K), 1), Batch(normal(T, B, K), 1), "b", "parts"),
    "weights like a batch": (Batch(normal(B, B)), normal(B, B), "", "parts"),
    "a square, turned": (Batch(normal(B, B)), normal(B, B), "a", "added"),
    "its own square": (Batch(normal(B, B)), Batch(normal(B, B), 1), "", "parts"),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_product(name):
    a, b, turned, where = PRODUCTS[name]
    check("matmul", a, b, where=where, transpose_a="a" in turned, transpose_b="b" in turned)


@pytest.mark.parametrize("name", [k for k, p in PRODUCTS.items() if p[3] == "parts"])
def test_product_and_bias(name):
    a, b, turned, _ = PRODUCTS[name]
    n = np.shape(b.array if isinstance(b, Batch) else b)[-2 if "b" in turned else -1]
    columns = not isinstance(a, Batch) and isinstance(b, Batch) and n == B
    where = "whole" if columns else "parts"
    attrs = {"transpose_a": "a" in turned, "transpose_b": "b" in turned}
    if isinstance(a, Batch) or columns:
        check("matmul", a, b, normal(n), where=where, **attrs)
        if n == B:
            check("matmul", a, b, Batch(normal(n)), where=where, **attrs)


def test_a_sum_larger_than_its_factors_is_made_at_once():
    check("matmul", Batch(normal(B, 90)), Batch(normal(B, 80)), where="whole", transpose_a=True)


# ---- moving elements ----

MOVES = [
    ("copy", Batch(normal(T, B, F), 1), {}, "parts"),
    ("transpose", Batch(normal(B, T, F)), {"perm": [1, 0, 2]}, "parts"),
    ("transpose", Batch(normal(T, B, F), 1), {"perm": [2, 0, 1]}, "parts"),
    ("transpose", Batch(normal(T * B, F), 0, T), {"perm": [1, 0]}, "parts"),
    ("slice", Batch(normal(B, T, F)), {"start": [0, 1, 7], "stop": [B, 5, -1]}, "parts"),
    ("slice", Batch(normal(T, B, F), 1), {"start": [2, 0, 1], "stop": [3, B, 8]}, "parts"),
    ("slice", Batch(normal(T * B, F), 0, T), {"start": [0, 0], "stop": [T * B, 4]}, "parts"),
    ("slice", Batch(normal(B, F)), {"start": [0, 0], "stop": [B - 1, F - 1]}, "whole"),
    ("slice", Batch(normal(B, F)), {"start": [1, 1], "stop": [B, F]}, "whole"),
    ("slice", Batch(normal(B, F)), {"start": [B - 1, 0], "stop": [-1, F]}, "whole"),
    ("slice", Batch(normal(B, F)), {"start": [0, 0], "stop": [B, F], "step": [2, 1]}, "whole"),
    ("slice", Batch(normal(B, B)), {"start": [0, 3], "stop": [B, 9]}, "parts"),
    ("unslice", Batch(normal(B, T, F)), {"shape": [B, 9, F], "start": [0, 2, 0]}, "parts"),
    ("unslice", Batch(normal(T, B, F), 1), {"shape": [20, B, F], "start": [14, 0, 0]}, "parts"),
    ("unslice", Batch(normal(B, F)), {"shape": [2 * B, F], "start": [0, 0]}, "whole"),
    ("pad", Batch(normal(B, T, F)), {"before": [0, 2, 0], "after": [0, 0, 1]}, "parts"),
    ("pad", Batch(normal(B * T, F)), {"before": [0, 1], "after": [0, 1], "value": 0.5}, "parts"),
    ("pad", Batch(normal(B, F)), {"before": [1, 0], "after": [0, 0]}, "whole"),
    ("broadcast_to", Batch(normal(B, 1)), {"shape": [T, B, F]}, "parts"),
    ("broadcast_to", Batch(normal(T * B, 1), 0, T), {"shape": [T * B, F]}, "parts"),
    ("broadcast_to", Batch(normal(B)), {"shape": [B, B]}, "parts"),
    ("reshape", Batch(normal(B, T, F)), {"shape": [B, -1]}, "parts"),
    ("reshape", Batch(normal(B, T, F)), {"shape": [-1, F]}, "parts"),
    ("reshape", Batch(normal(B, T, F)), {"shape": [-1]}, "parts"),
    ("reshape", Batch(normal(T, B, F), 1), {"shape": [T * B, F]}, "parts"),
    ("reshape", Batch(normal(T, B, F), 1), {"shape": [2, 3 * B, F]}, "parts"),
    ("reshape", Batch(normal(T, B, F), 1), {"shape": [1, T * B * F, 1]}, "parts"),
    ("reshape", Batch(normal(T * B, F), 0, T), {"shape": [T, B, 2, 4]}, "parts"),
    ("reshape", Batch(normal(T * B, F), 0, T), {"shape": [2, 3, B, F]}, "parts"),
    ("reshape", Batch(normal(B * T, F)), {"shape": [B, 2, 3, F]}, "parts"),
    ("reshape", Batch(normal(B * T, F)), {"shape": [2 * B, 3, F]}, "parts"),
    ("reshape", Batch(normal(T, F, B), 2), {"shape": [T * F, 1, B]}, "parts"),
    ("reshape", Batch(normal(T, F, B), 2), {"shape": [T * F * 2, 16]}, "whole"),
    ("reshape", Batch(normal(B, B)), {"shape": [B // 2, 2 * B]}, "whole"),
]


@pytest.mark.parametrize(("op", "x", "attrs", "where"), MOVES)
def test_moved(op, x, attrs, where):
    attrs = dict(attrs)
    if op in ("slice", "unslice"):
        ends = attrs.get("stop", attrs["start"])
        attrs.setdefault("step", [-1 if end < 0 else 1 for end in ends])
    check(op, x, where=where, **attrs)


def test_what_follows_a_reshape():
    for op, x, attrs, where in MOVES:
        if op == "reshape":
            graph, _, (y, large), arrays = emitted(op, [x], attrs)
            kept = [*graph.emit("exp", [y]), large]
            plan = graph.compile(kept, batch=B)
            assert ("exp" in steps(plan)[1]) == (where == "parts"), attrs
            close(plan.run(arrays, ())[0], np.exp(x.array).reshape(graph.type(y)[1]))


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("place", range(3))
def test_concat(place, axis):
    """One input has the batch in another place or none at all."""
    one, other = Batch(normal(T, B, F), 1), [Batch(normal(T, B, F), 1)]
    other.append(normal(T, B, F))
    xs = [one, *other]
    xs = [*xs[place:], *xs[:place]]
    check("concat", *xs, where="whole" if axis == 1 else "parts", axis=axis)


@pytest.mark.parametrize(
    ("x", "ids", "axis", "where"),
    [
        (normal(9, 3), Batch(integers(0, 9, B, T)), 0, "parts"),
        (normal(9, 3), Batch(integers(0, 9, T * B), 0, T), 0, "parts"),
        (normal(4, 9, 3), Batch(integers(-9, 9, T, B), 1), 1, "parts"),
        (Batch(normal(B, 9, 3)), integers(0, 9, 4), 1, "parts"),
        (Batch(normal(9, B, 3), 1), integers(0, 9, 4, 2), 0, "parts"),
        (Batch(normal(9, B, 3), 1), Batch(integers(0, 9, B)), 0, "parts"),
        (Batch(normal(B, 9)), integers(0, B, 4), 0, "whole"),
        (Batch(normal(B, 9)), Batch(integers(0, B, B)), 0, "whole"),
        (normal(B, 3), Batch(integers(0, B, B)), 0, "parts"),
    ],
)
def test_take(x, ids, axis, where):
    check("take", x, ids, where=where, axis=axis)


@pytest.mark.parametrize(
    ("dy", "ids", "axis", "n", "where"),
    [
        (Batch(normal(B, T, 3)), Batch(integers(0, 5, B, T)), 0, 5, "added"),
        (Batch(normal(T * B, 3), 0, T), Batch(integers(0, 5, T * B), 0, T), 0, 5, "added"),
        (Batch(normal(4, T, B), 2), Batch(integers(0, 5, T, B), 1), 1, 5, "added"),
        (normal(B, T, 3), Batch(integers(0, 5, B, T)), 0, 5, "added"),
        (Batch(normal(B, T, 3)), integers(0, 5, T), 1, 5, "whole"),
    ],
)
def test_take_grad(dy, ids, axis, n, where):
    check("take_grad", dy, ids, where=where, axis=axis, n=n)


@pytest.mark.parametrize(
    ("x", "ids"),
    [
        (Batch(normal(B, T, 5)), Batch(integers(0, 5, B, T))),
        (Batch(normal(T, B, 5), 1), integers(0, 5, T, B)),
        (normal(T, B, 5), Batch(integers(0, 5, T, B), 1)),
        (Batch(normal(T * B, 5), 0, T), Batch(integers(0, 5, T * B), 0, T)),
    ],
)
def test_pick(x, ids):
    outside, inside = check("pick", x, ids)
    assert "pick_grad" in inside
    assert "pick_grad" not in outside
    array = x.array if isinstance(x, Batch) else x
    dy = Batch(array[..., 0], x.at, x.before) if isinstance(x, Batch) else array[..., 0]
    check("pick_grad", dy, ids, n=5)


def test_pick_with_the_batch_last():
    check("pick", Batch(normal(T, B), 1), integers(0, B, T), where="whole")


# ---- ops with the batch in a fixed place ----

PLACES = {
    "conv1d": (0, None, None),
    "rnn": (1, None, 0, 1, 1),
    "lstm": (1, None, 0, 0, 1, 1),
    "gru": (1, None, None, 0, 1, 1),
}
FIXED = [
    pytest.param(op, number, id=f"{op}-{number}")
    for op in PLACES
    for number in range(len(SPECS[op].cases))
]


def widened(x, at):
    """The array with B samples along an axis, no two of them alike."""
    x = np.moveaxis(np.asarray(x), at, 0)
    x = np.resize(x, (B, *x.shape[1:]))
    if x.dtype.kind == "f":
        x = x * rng.uniform(0.5, 1.0, size=(B, *[1] * (x.ndim - 1)))
    else:
        x = rng.permutation(x)
    return Batch(np.moveaxis(x, 0, at), at)


@pytest.mark.parametrize(("op", "number"), FIXED)
def test_fixed_place(op, number):
    case = SPECS[op].cases[number]
    places = PLACES[op][: len(case.inputs)]
    inputs = [
        x if at is None or x is None else widened(x, at)
        for x, at in zip(case.inputs, places, strict=True)
    ]
    outside, inside = check(op, *inputs, **case.attrs)
    if op == "conv1d":
        assert "conv1d_dx" in inside or inside.count("conv1d") == 2  # the one or the other way back
        assert "conv1d_dw" in inside
        assert not any(name.startswith("conv") for name in outside)
    else:
        assert inside.count(f"{op}_grad") == 1
        assert f"{op}_grad" not in outside


@pytest.mark.parametrize("op", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("alone", ["xz", "h0", "mask", "rmask"])
def test_only_one_input_of_a_layer_has_the_batch(op, alone):
    case = SPECS[op].cases[9]  # a mask and dropout
    places = PLACES[op]
    which = {"xz": 0, "h0": 3 if op == "gru" else 2, "mask": -2, "rmask": -1}[alone]
    inputs = []
    for k, (x, at) in enumerate(zip(case.inputs, places, strict=True)):
        x = x if at is None else widened(x, at)
        inputs.append(x.array if at is not None and k != which % len(places) else x)
    check(op, *inputs, **case.attrs)
