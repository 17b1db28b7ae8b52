"""Random ops on random inputs with random attributes: refused with a clear error or run, never a
crash; and what runs gives the same bits on one thread and on three.

Most calls are refused, so each graph tries many. Under the sanitizers this is a search for
unchecked arguments.
"""

import random

import numpy as np
import pytest

from seqrnn import _core

TABLE = _core.op_table()
OPS = sorted(set(TABLE) - {"input", "variable", "constant", "scan"})
DTYPES = ("float32", "float64", "int32", "int64", "bool")
LARGEST = 20_000  # elements of a value


def random_shape(rnd):
    return tuple(
        rnd.choice((0, 1, 1, 2, 3, 3, 4, 5)) for _ in range(rnd.choice((0, 1, 2, 2, 3, 4)))
    )


def random_attr(rnd, kind, words):
    odd = (5, -2, -7, 2**31, 2**62, -(2**63))
    if kind == "int":
        return rnd.choice((0, 1, 2, 3, -1, *odd))
    if kind == "float":
        return rnd.choice((0.0, 0.5, 1.0, -1.0, 1e300, float("nan"), float("inf")))
    if kind == "bool":
        return rnd.random() < 0.5
    if kind == "ints":
        pool = (0, 1, 2, 3, -1) if rnd.random() < 0.8 else (0, 1, 2, *odd)
        return [rnd.choice(pool) for _ in range(rnd.choice((0, 1, 2, 3, 4, 9)))]
    return rnd.choice(words if kind == "word" else DTYPES)


def random_node(rnd, graph, values):
    """Tries to append one node; returns its outputs, none if it was refused."""
    name = rnd.choice(OPS)
    row = TABLE[name]
    fewest, most = row["arity"]
    count = rnd.randint(fewest, most if most >= 0 else 3)
    inputs = [rnd.choice(values) for _ in range(count)]
    if row["optional_inputs"]:
        inputs = [v if i < 2 or rnd.random() < 0.7 else None for i, v in enumerate(inputs)]
    attrs = {
        attr: random_attr(rnd, kind, row["words"].get(attr))
        for attr, kind, required in row["attrs"]
        if required or rnd.random() < 0.5
    }
    try:
        return graph.emit(name, inputs, **attrs)
    except (ValueError, TypeError) as error:
        assert str(error)
        return ()


def random_input(rnd, numbers, shape, dtype):
    array = numbers.normal(size=shape) * 3
    return (array > 0) if dtype == "bool" else np.asarray(array).astype(dtype)


@pytest.mark.parametrize("seed", range(150))
def test_random_graph(seed):
    rnd, numbers = random.Random(seed), np.random.default_rng(seed)
    graph = _core.Graph()
    shape, dtype = random_shape(rnd), rnd.choice(DTYPES[:2])
    values, arrays = [], []
    for _ in range(rnd.randint(1, 5)):
        own_shape = shape if rnd.random() < 0.6 else random_shape(rnd)
        own_dtype = dtype if rnd.random() < 0.8 else rnd.choice(DTYPES)
        values.append(graph.input("x", own_shape, own_dtype))
        arrays.append(random_input(rnd, numbers, own_shape, own_dtype))
    n_inputs = len(values)
    for _ in range(20):
        outputs = random_node(rnd, graph, values)
        if any(np.prod(graph.type(v)[1], dtype=float) > LARGEST for v in outputs):
            break
        values += outputs
    floats = [v for v in values if graph.type(v)[0] == dtype]
    sums = [graph.emit("sum", [v])[0] for v in floats]
    xs = [v for v in floats if v < n_inputs]
    try:
        gradients = graph.gradient(sums, None, xs) if xs else []
    except ValueError as error:  # an op among them has no gradient
        gradients = []
        assert str(error)
    plan = graph.compile(values + [v for v in gradients if v is not None])
    before = _core.num_threads()
    try:
        runs = []
        for threads in (1, 3):
            _core.set_num_threads(threads)
            runs.append([a.tobytes() for a in plan.run(arrays, (), seed=seed)])
    finally:
        _core.set_num_threads(before)
    assert runs[0] == runs[1]
