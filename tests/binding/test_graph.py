"""_core.Graph: what it accepts, what it refuses, and that it stays usable after an error."""

import contextlib
import gc
import sys

import numpy as np
import pytest

from seqrnn import _core


@pytest.fixture
def graph():
    return _core.Graph()


def test_values_are_numbered_and_typed(graph):
    x = graph.input("x", (2, 3), "float32")
    w = graph.variable("w", [3], dtype="float64")
    c = graph.constant(np.arange(4, dtype=np.int64))
    assert (x, w, c) == (0, 1, 2)
    assert graph.type(x) == ("float32", (2, 3))
    assert graph.type(np.int64(w)) == ("float64", (3,))
    assert graph.type(c) == ("int64", (4,))


def test_emit_returns_a_tuple(graph):
    x = graph.input("x", (2, 3), "float32")
    (y,) = graph.emit("tanh", [x])
    assert graph.type(y) == ("float32", (2, 3))
    (z,) = graph.emit("cast", (y,), dtype="float64")
    assert graph.type(z) == ("float64", (2, 3))
    assert "tanh" in str(graph)


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3)[:, ::-1],
        np.arange(6.0).reshape(2, 3).T,
        np.arange(6, dtype=">f8").reshape(2, 3),
        np.arange(6, dtype=">i4"),
        np.array(1.5, np.float32),
        np.zeros((0, 3)),
        np.array([True, False]),
        np.frombuffer(b"\0" + np.arange(3.0).tobytes(), np.uint8)[1:].view(np.float64),
        [[1.0, 2.0], [3.0, 4.0]],
        7,
    ],
    ids=lambda a: f"{getattr(a, 'dtype', type(a).__name__)}{getattr(a, 'shape', '')}",
)
def test_constants_of_any_layout(graph, array):
    c = graph.constant(array)
    plan = graph.compile([c])
    (out,) = plan.run((), ())
    np.testing.assert_array_equal(out, array)
    assert out.shape == np.shape(array)


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda g: g.input("x", (2, -3), "float32"), ValueError, "-3"),
        (lambda g: g.input("x", (1,) * 9, "float32"), ValueError, "9 axes, expected 8"),
        (lambda g: g.input("x", (2**40, 2**40), "float32"), ValueError, "too large"),
        (lambda g: g.input("x", (2**63,), "float32"), ValueError, "64 bits"),
        (lambda g: g.input("x", (None, 1), "float32"), TypeError, "integer, got NoneType"),
        (lambda g: g.input("x", (1.0,), "float32"), TypeError, "integer, got float"),
        (lambda g: g.input("x", 5, "float32"), TypeError, "sequence, got int"),
        (lambda g: g.input("x", (5,), "float16"), TypeError, "float16"),
        (lambda g: g.input("x", (5,), np.float32), TypeError, "float32"),
        (lambda g: g.input("x", (5,), "\ud800"), TypeError, "expected 'float32'"),
        (lambda g: g.input(3, (5,), "float32"), TypeError, "str, got int"),
        (lambda g: g.input("x", (5,)), TypeError, "misses the argument 'dtype'"),
        (lambda g: g.input("x", (5,), dtyp="int32"), TypeError, "'dtyp'"),
        (lambda g: g.input("x", (5,), "int32", shape=()), TypeError, "'shape' twice"),
        (lambda g: g.input("x", (5,), "int32", 1), TypeError, "3 positional"),
        (lambda g: g.emit("tanhh", [0]), ValueError, "tanhh"),
        (lambda g: g.emit("input", [0]), ValueError, "Graph.input"),
        (lambda g: g.emit("scan", [0]), ValueError, "Graph.scan"),
        (lambda g: g.emit("tanh", [7]), IndexError, "7 is no value of this graph"),
        (lambda g: g.emit("tanh", [-1]), IndexError, "-1"),
        (lambda g: g.emit("tanh", [2**40]), IndexError, str(2**40)),
        (lambda g: g.emit("tanh", [2**80]), ValueError, "64 bits"),
        (lambda g: g.emit("tanh", [None]), TypeError, "NoneType"),
        (lambda g: g.emit("tanh", 0), TypeError, "sequence"),
        (lambda g: g.emit("tanh", []), ValueError, "tanh"),
        (lambda g: g.emit("tanh", [0, 0]), ValueError, "tanh"),
        (lambda g: g.emit("tanh", [0], axis=1), TypeError, "no attribute 'axis'"),
        (lambda g: g.emit("cast", [0]), TypeError, "'dtype' .* is required"),
        (lambda g: g.emit("cast", [0], dtype=3), TypeError, "got 3"),
        (lambda g: g.emit("tanh"), TypeError, "positional"),
        (lambda g: g.constant(np.array([object()])), TypeError, "Python objects"),
        (lambda g: g.constant(np.zeros(2, "complex64")), TypeError, "complex64"),
        (lambda g: g.constant(np.zeros(2, "float16")), TypeError, "float16"),
        (lambda g: g.constant("text"), TypeError, "<U4"),
        (lambda g: g.constant(np.zeros((1,) * 9)), ValueError, "9 axes"),
        (lambda g: g.constant([[1], [1, 2]]), ValueError, "inhomogeneous"),
        (lambda g: g.type(9), IndexError, "9"),
        (lambda g: g.type("x"), TypeError, "integer, got str"),
        (lambda g: g.gradient([9], None, [0]), IndexError, "ys"),
        (lambda g: g.gradient([0], [0, 0], [0]), ValueError, "2 seeds for 1 ys"),
        (lambda g: g.gradient([0], None, [None]), TypeError, "NoneType"),
        (lambda g: g.gradient([0], None, [0]), ValueError, "expected a scalar"),
        (lambda g: g.compile([9]), IndexError, "outputs"),
        (lambda g: g.compile([0], [0]), ValueError, "gradient_like"),
        (lambda g: g.compile([0], [None], [9]), IndexError, "gradient_like"),
        (lambda g: g.compile([0], assigns=[(0, 0)]), IndexError, "no variable 0 of 0"),
        (lambda g: g.compile([0], assigns=[0]), TypeError, "pairs"),
        (lambda g: g.scan(g, 3, 0, 1, [0], [0]), ValueError, "its own body"),
        (lambda g: g.scan(0, 3, 0, 1, [0], [0]), TypeError, "Graph, got int"),
        (lambda g: g.scan(_core.Graph(), 3, 0, 1, [0], [0]), IndexError, "outputs"),
        (lambda g: g.scan(_core.Graph(), 3, 2**40, 1, [0], []), ValueError, "32 bits"),
        (lambda g: setattr(g, "scope", 3), TypeError, "str, got int"),
        (lambda g: setattr(g, "other", 3), AttributeError, "other"),
        (lambda g: _core.Graph(1), TypeError, "no arguments"),
        (lambda g: _core.Graph(a=1), TypeError, "no arguments"),
        (lambda g: _core.Plan(), TypeError, "Plan"),
        (lambda g: _core.set_num_threads(0), ValueError, "got 0"),
        (lambda g: _core.set_num_threads("2"), TypeError, "integer"),
    ],
)
def test_refused_and_usable_afterwards(graph, call, error, text):
    x = graph.input("x", (2, 3), "float32")
    with pytest.raises(error, match=text):
        call(graph)
    (y,) = graph.emit("neg", [x])
    (out,) = graph.compile([y]).run([np.ones((2, 3))], ())
    np.testing.assert_array_equal(out, -np.ones((2, 3), np.float32))


@pytest.mark.parametrize("op", _core.op_table())
def test_absent_inputs_are_taken_or_refused(graph, op):
    """None for each input in turn: no op reads what is not there."""
    facts = _core.op_table()[op]
    samples = {"int": 1, "ints": [1], "dtype": "float32", "float": 0.5}
    attrs = {name: samples.get(kind) for name, kind, required in facts["attrs"] if required}
    fewest, most = facts["arity"]
    x = graph.input("x", (2, 2), "float32")
    for n in range(fewest, max(fewest + 1, most) + 1):
        for absent in range(n):
            inputs = [None if i == absent else x for i in range(n)]
            with contextlib.suppress(ValueError, TypeError, IndexError):
                graph.emit(op, inputs, **attrs)


def test_scope_is_printed_and_read_back(graph):
    x = graph.input("x", (2,), "float32")
    assert graph.scope is None
    graph.scope = "gru_1"
    assert graph.scope == "gru_1"
    graph.emit("tanh", [x])
    graph.scope = None
    assert graph.scope is None
    assert "gru_1" in str(graph)


def test_a_list_that_changes_while_it_is_read(graph):
    x = graph.input("x", (2,), "float32")
    inputs = []

    class Sly:
        def __index__(self):
            inputs.clear()
            return x

    inputs.extend([Sly(), Sly()])
    (y,) = graph.emit("add", inputs)
    assert graph.type(y) == ("float32", (2,))


def test_gradient_of_a_sum(graph):
    x = graph.input("x", (2, 3), "float64")
    u = graph.input("u", (2, 3), "float64")
    (squares,) = graph.emit("square", [x])
    (y,) = graph.emit("sum", [squares])
    dx, du = graph.gradient([y], None, [x, u])
    assert du is None
    values = np.arange(6.0).reshape(2, 3)
    total, by_x = graph.compile([y, dx]).run([values, values], ())
    assert total == 55
    np.testing.assert_array_equal(by_x, 2 * values)


@pytest.mark.parametrize("op", ["tanh_grad", "sigmoid_grad", "relu_grad"])
def test_gradient_ops_of_a_fixed_and_a_changing_operand_stay_in_the_loop(graph, op):
    """They need equal shapes, which a value and a sequence outside the loop have not."""
    rng = np.random.default_rng(0)
    dy, y, w = rng.normal(size=(5, 2, 3)), rng.uniform(size=(2, 3)), rng.normal(size=(3, 4))
    body = _core.Graph()
    inputs = [
        body.input(name, a.shape, "float64") for name, a in zip("dyw", (dy[0], y, w), strict=True)
    ]
    (slope,) = body.emit(op, [inputs[1], inputs[0]])
    (product,) = body.emit("matmul", [slope, inputs[2]])
    outer = [
        graph.input(name, a.shape, "float64") for name, a in zip("dyw", (dy, y, w), strict=True)
    ]
    (all_steps,) = graph.scan(body, 5, 0, 1, outer, [product])
    (found,) = graph.compile([all_steps]).run([dy, y, w], [])
    slopes = {"tanh_grad": 1 - y * y, "sigmoid_grad": y * (1 - y), "relu_grad": 1.0}
    np.testing.assert_allclose(found, (dy * slopes[op]) @ w, rtol=1e-12)


def test_graph_is_usable_after_compiling(graph):
    x = graph.input("x", (2,), "float32")
    first = graph.compile([x])
    (y,) = graph.emit("neg", [x])
    second = graph.compile([y])
    del graph
    gc.collect()
    np.testing.assert_array_equal(first.run([[1, 2]], ())[0], [1, 2])
    np.testing.assert_array_equal(second.run([[1, 2]], ())[0], [-1, -2])


def test_op_table_has_all_facts():
    table = _core.op_table()
    assert table["scan"]["n_out"] == -1
    for name, row in table.items():
        assert row["doc"], name
        assert row["differentiable"] in ("rule", "zero", "none")
        assert row["parallel"] in ("rows", "whole")
        for attr, kind, required in row["attrs"]:
            assert kind in ("int", "float", "bool", "ints", "word", "dtype", "body")
            assert isinstance(required, bool)
            assert (kind == "word") == (attr in row["words"])


def test_threads_and_isa():
    before = _core.num_threads()
    _core.set_num_threads(1)
    assert _core.num_threads() == 1
    _core.set_num_threads(10**6)
    assert _core.num_threads() == 64
    _core.set_num_threads(before)
    assert _core.isa() in ("ref", "base", "avx2", "avx512")


def test_types_are_closed():
    for cls in (_core.Graph, _core.Plan, _core.Optimizer):
        assert cls.__module__ == "seqrnn._core"
        with pytest.raises(TypeError):
            type("Sub", (cls,), {})
        with pytest.raises(TypeError):
            cls.attribute = 1


def test_no_references_leak(graph):
    array = np.arange(6.0)
    name, shape = "a name of its own", (2, 3)
    before = [sys.getrefcount(x) for x in (array, name, shape, None)]
    for _ in range(1000):
        graph = _core.Graph()
        x = graph.input(name, shape, "float32")
        graph.constant(array)
        graph.emit("tanh", [x])
        for bad in (lambda g: g.emit("tanh", [None]), lambda g: g.emit("cast", [0], dtype=name)):
            with pytest.raises(TypeError):
                bad(graph)
    after = [sys.getrefcount(x) for x in (array, name, shape, None)]
    assert after[:3] == before[:3]
    assert after[3] - before[3] < 100
