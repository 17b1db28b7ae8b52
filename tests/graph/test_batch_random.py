"""Random graphs over a batch in parts against the same graph whole, with their gradients, and the
same bits from one thread and from several.

Nodes are drawn as in tests/binding/test_random_graphs.py, from attributes that fit more often.
"""

import random

import numpy as np
import pytest
from split_plans import B, close, steps

from seqrnn import _core

TABLE = _core.op_table()
OPS = sorted(set(TABLE) - {"input", "variable", "constant", "scan"})
DRAWING = {"random_uniform", "random_normal", "dropout_mask"}
# A last bit of their input may change them altogether.
SENSITIVE = {"floor", "ceil", "round", "sign", "mod", "cast", "argmax", "argmin", "sin", "cos"}
LARGEST = 60_000  # elements of a value
SIZES = (1, 2, 3, 4, B, B // 2, 2 * B)


def random_shape(rnd, batch=True):
    rest = [rnd.choice(SIZES) for _ in range(rnd.choice((0, 1, 1, 2)))]
    return (B, *rest) if batch else tuple(rest)


def permuted(rnd, n):
    axes = list(range(n))
    rnd.shuffle(axes)
    return axes


def regrouped(rnd, shape):
    """Another shape of the same elements: axes merged and split."""
    dims = list(shape)
    for _ in range(rnd.randint(1, 2)):
        at = rnd.randrange(len(dims)) if dims else 0
        if len(dims) > 1 and rnd.random() < 0.6:
            at = min(at, len(dims) - 2)
            dims[at : at + 2] = [dims[at] * dims[at + 1]]
        elif dims:
            factors = [f for f in (1, 2, 3, 4, B) if dims[at] % f == 0]
            f = rnd.choice(factors)
            dims[at : at + 1] = rnd.choice(([f, dims[at] // f], [dims[at] // f, f]))
    return dims


def of_shape(rnd, name, shape):
    """Attributes that fit an input of this shape, for the ops where random ones hardly do."""
    axis = rnd.randrange(len(shape)) if shape else 0
    if name == "transpose":
        return {"perm": permuted(rnd, len(shape))}
    if name == "reshape":
        return {"shape": regrouped(rnd, shape)}
    if name in ("slice", "unslice", "pad"):
        one = [0] * len(shape)
        if shape:
            one[axis] = int(shape[axis] > 1)
        if name == "slice":
            return {"start": one, "stop": list(shape), "step": [1] * len(shape)}
        if name == "pad":
            return {"before": one, "after": one[::-1], "value": 0.5}
        larger = [d + 2 * o for d, o in zip(shape, one, strict=True)]
        return {"shape": larger, "start": one, "step": [1] * len(shape)}
    if name == "broadcast_to":
        dims = [rnd.choice((2, B)) if d == 1 else d for d in shape]
        return {"shape": [*([rnd.choice((2, B))] if rnd.random() < 0.5 else []), *dims]}
    if name in ("sum", "max", "min", "prod"):
        axes = [a for a in range(len(shape)) if rnd.random() < 0.4]
        return {"axes": axes, "keepdims": rnd.random() < 0.5}
    if name in ("fill", *DRAWING):
        attrs = {"shape": random_shape(rnd, rnd.random() < 0.8), "dtype": "float64"}
        attrs |= {"rate": 0.3} if name == "dropout_mask" else {}
        return attrs | ({"value": 0.5} if name == "fill" else {"seed": rnd.randrange(99)})
    row = TABLE[name]
    drawn = {
        "int": lambda: rnd.choice((0, 1, 1, 2, -1, 3)),
        "float": lambda: 0.5,
        "bool": lambda: rnd.random() < 0.5,
        "ints": lambda: [rnd.choice((0, 1, B)) for _ in shape],
        "dtype": lambda: rnd.choice(("float64", "int32", "bool")),
    }
    return {
        attr: rnd.choice(row["words"][attr]) if kind == "word" else drawn[kind]()
        for attr, kind, required in row["attrs"]
        if required or rnd.random() < 0.5
    }


def random_node(rnd, graph, values, ops):
    """Tries to append one node; returns its outputs, none if it was refused."""
    name = rnd.choice(ops)
    fewest, most = TABLE[name]["arity"]
    count = rnd.randint(fewest, most if most >= 0 else 3)
    recent = values[-6:]
    inputs = [rnd.choice(recent if rnd.random() < 0.6 else values) for _ in range(count)]
    if TABLE[name]["optional_inputs"]:
        inputs = [v if i < 2 or rnd.random() < 0.7 else None for i, v in enumerate(inputs)]
    shape = graph.type(inputs[0])[1] if inputs and inputs[0] is not None else ()
    try:
        return graph.emit(name, inputs, **of_shape(rnd, name, shape))
    except (ValueError, TypeError, IndexError) as error:
        assert str(error)
        return ()


def random_graph(seed, drawing=False):
    """(graph, values, gradients, arrays): samples in front of every input but one."""
    rnd, numbers = random.Random(seed), np.random.default_rng(seed)
    ops = [op for op in OPS if op not in SENSITIVE and (drawing or op not in DRAWING)]
    graph = _core.Graph()
    values, arrays = [], []
    for k in range(rnd.randint(2, 4)):
        shape = random_shape(rnd, batch=k != 1)
        values.append(graph.input("x", shape, "float64"))
        arrays.append(numbers.normal(size=shape))
    xs = list(values)
    ids = numbers.integers(0, 3, random_shape(rnd)).astype("int32")
    values.append(graph.input("ids", ids.shape, "int32"))
    arrays.append(ids)
    values += graph.emit("less", [values[0], values[0]])
    for _ in range(120):
        outputs = random_node(rnd, graph, values, ops)
        if any(np.prod(graph.type(v)[1], dtype=float) > LARGEST for v in outputs):
            break
        values += outputs
    floats = [v for v in values if graph.type(v)[0] == "float64"]
    read = [v for v in floats if rnd.random() < 0.7]
    sums = [graph.emit("sum", [v])[0] for v in read]
    gradients = []
    try:
        gradients = [d for d in graph.gradient(sums, None, xs) if d is not None] if sums else []
    except ValueError as error:  # an op among them has no gradient
        assert str(error)
    values = [v for v in values if rnd.random() < 0.5]
    large = graph.input("large", (B, 512), "float64")
    arrays.append(numbers.normal(size=(B, 512)))
    return graph, [*values, *gradients, *graph.emit("square", [large])], arrays


def check(seed, drawing=False):
    """Gives how many nodes of the plan are in regions."""
    graph, values, arrays = random_graph(seed, drawing)
    parts = graph.compile(values, batch=B)
    before = _core.num_threads()
    runs = []
    try:
        for threads in (1, 3):
            _core.set_num_threads(threads)
            runs.append(parts.run(arrays, (), seed=7))
    finally:
        _core.set_num_threads(before)
    assert [a.tobytes() for a in runs[0]] == [a.tobytes() for a in runs[1]]
    if not drawing:
        for a, b in zip(runs[0], graph.compile(values).run(arrays, (), seed=7), strict=True):
            agree(a, b)
    return len(steps(parts)[1])


def agree(a, b):
    """Sums are in another order, and what is near a jump may be on the other side of it."""
    if a.dtype.kind == "f":
        finite = np.isfinite(b)
        np.testing.assert_array_equal(np.isnan(a), np.isnan(b))
        close(np.where(finite, a, 0), np.where(finite, b, 0), 1e-9)
    else:
        close(a, b)


@pytest.mark.parametrize("seed", range(150))
def test_random_graph(seed):
    check(seed)


@pytest.mark.parametrize("seed", range(1000, 1050))
def test_random_graph_with_random_numbers(seed):
    check(seed, drawing=True)


def test_the_graphs_are_split():
    assert sum(check(seed) > 3 for seed in range(40)) > 20
