"""_core.Plan: arrays in and out, errors that change nothing, threads, and memory."""

import gc
import sys

import numpy as np
import pytest

from seqrnn import _core

ROWS, COLUMNS = 4, 3


def scaled(dtype="float32"):
    """y = x * w, w := w + 1, gradient of sum(y) by w."""
    graph = _core.Graph()
    x = graph.input("x", (ROWS, COLUMNS), dtype)
    w = graph.variable("w", (COLUMNS,), dtype)
    (y,) = graph.emit("mul", [x, w])
    (total,) = graph.emit("sum", [y])
    (more,) = graph.emit("add", [w, graph.constant(np.ones(COLUMNS, dtype))])
    gradients = graph.gradient([total], None, [w])
    return graph.compile([y, total], gradients, [w], [(0, more)])


@pytest.fixture
def plan():
    return scaled()


def data(dtype="float32"):
    return np.arange(ROWS * COLUMNS, dtype=dtype).reshape(ROWS, COLUMNS)


def weights(dtype="float32"):
    return np.array([1, 2, 3], dtype)


def steps(n):
    """The count of steps that training counts up."""
    return np.array(n, np.int64)


def test_outputs_are_fresh_arrays(plan):
    x = data()
    first = plan.run([x], [weights()])
    second = plan.run((x + 1,), (weights(),))
    np.testing.assert_array_equal(first[0], x * [1, 2, 3])
    np.testing.assert_array_equal(second[0], (x + 1) * [1, 2, 3])
    assert first[0].dtype == np.float32 and first[1].shape == ()
    assert first[0].flags.c_contiguous and first[0].flags.owndata and first[0].flags.writeable
    assert type(first) is tuple and type(first[0]) is np.ndarray


def test_assigns_happen_after_the_run(plan):
    w = weights()
    y, _ = plan.run([data()], [w])
    np.testing.assert_array_equal(y, data() * [1, 2, 3])
    np.testing.assert_array_equal(w, [2, 3, 4])


def test_the_gradient_is_the_last_array(plan):
    assert plan.gradient_offsets == (0, 3)
    y, total, gradient = plan.run([data()], [weights()], gradients=True)
    np.testing.assert_array_equal(gradient, data().sum(axis=0))
    assert total == y.sum()


@pytest.mark.parametrize(
    "convert",
    [
        lambda a: a,
        lambda a: a.tolist(),
        lambda a: a.astype(np.float64),
        lambda a: a.astype(np.float16),
        lambda a: a.astype(np.int8),
        lambda a: a.astype(np.uint64),
        lambda a: a.astype(">f4"),
        lambda a: a.astype(">f8"),
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: a[::-1, ::-1].copy()[::-1, ::-1],
        lambda a: np.frombuffer(b"\0" + a.tobytes(), np.uint8)[1:].view(a.dtype).reshape(a.shape),
        lambda a: a.view(type("Mine", (np.ndarray,), {})),
        lambda a: np.ma.masked_array(a, a > 100),
        memoryview,
    ],
)
def test_inputs_of_any_layout(plan, convert):
    y, _ = plan.run([convert(data())], [weights()])
    np.testing.assert_array_equal(y, data() * [1, 2, 3])


@pytest.mark.parametrize(
    ("x", "error", "text"),
    [
        (np.zeros((4, 4)), ValueError, r"input 'x': expected shape \(4, 3\), got \(4, 4\)"),
        (np.zeros((3, 4)), ValueError, r"got \(3, 4\)"),
        (np.zeros(12), ValueError, r"got \(12,\)"),
        (np.zeros((1, 3)), ValueError, "expected shape"),
        (np.zeros((4, 3, 1)), ValueError, "expected shape"),
        (3.0, ValueError, r"got \(\)"),
        (np.zeros((4, 3), complex), TypeError, "complex128"),
        (np.zeros((4, 3), object), TypeError, "object"),
        (np.zeros((4, 3), "datetime64[s]"), TypeError, "datetime64"),
        (np.full((4, 3), "a"), TypeError, "<U1"),
        (None, ValueError, "expected shape"),
        ([[1, 2, 3], [4]], ValueError, "inhomogeneous"),
    ],
)
def test_inputs_refused(plan, x, error, text):
    w = weights()
    with pytest.raises(error, match=text):
        plan.run([x], [w])
    np.testing.assert_array_equal(w, [1, 2, 3])
    np.testing.assert_array_equal(plan.run([data()], [w])[0], data() * [1, 2, 3])


def test_floats_never_become_integers_or_bools():
    for dtype in ("int32", "int64", "bool"):
        graph = _core.Graph()
        plan = graph.compile([graph.input("ids", (2,), dtype)])
        with pytest.raises(TypeError, match=f"input 'ids': expected {dtype}, got float64"):
            plan.run([np.zeros(2)], ())
    graph = _core.Graph()
    plan = graph.compile([graph.input("ids", (2,), "int32")])
    np.testing.assert_array_equal(plan.run([np.array([3, 4], np.int64)], ())[0], [3, 4])


@pytest.mark.parametrize(
    ("w", "error", "text"),
    [
        ([1, 2, 3], TypeError, "variable 'w': expected an array, got list"),
        (np.zeros(3), TypeError, "float32, got float64"),
        (np.zeros(3, ">f4"), TypeError, ">f4"),
        (np.zeros(4, np.float32), ValueError, r"expected shape \(3,\), got \(4,\)"),
        (np.zeros((1, 3), np.float32), ValueError, "expected shape"),
        (np.zeros(6, np.float32)[::2], ValueError, "C-contiguous"),
        (np.broadcast_to(np.float32(0), 3), ValueError, "C-contiguous"),
        (np.frombuffer(bytes(12), np.float32), ValueError, "writeable"),
    ],
)
def test_variables_refused(plan, w, error, text):
    with pytest.raises(error, match=text):
        plan.run([data()], [w])


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda p: p.run(), TypeError, "misses the argument 'inputs'"),
        (lambda p: p.run([data()]), TypeError, "'variables'"),
        (lambda p: p.run([], [weights()]), ValueError, "takes 1 inputs, got 0"),
        (lambda p: p.run([data()], []), ValueError, "takes 1 variables, got 0"),
        (lambda p: p.run(None, [weights()]), TypeError, "inputs: expected a sequence"),
        (lambda p: p.run([data()], [weights()], 1), TypeError, "2 positional"),
        (lambda p: p.run([data()], [weights()], seed="a"), TypeError, "int"),
        (lambda p: p.run([data()], [weights()], gradients=1), TypeError, "True or False"),
        (lambda p: p.run([data()], [weights()], sed=1), TypeError, "'sed'"),
        (lambda p: p.train([data()], [weights()], 3, learning_rate=1, iteration=steps(0)),
         TypeError, "Optimizer, got int"),
    ],
)  # fmt: skip
def test_calls_refused(plan, call, error, text):
    with pytest.raises(error, match=text):
        call(plan)


def test_seed_and_step_take_any_int(plan):
    for number in (0, -1, 2**64, 2**100, np.int64(5)):
        plan.run([data()], [weights()], seed=number, step=number)


def test_an_input_that_is_not_used_is_still_checked():
    graph = _core.Graph()
    graph.input("unused", (2,), "float32")
    x = graph.input("x", (2,), "float32")
    plan = graph.compile([x])
    np.testing.assert_array_equal(plan.run([[0, 0], [1, 2]], ())[0], [1, 2])
    with pytest.raises(ValueError, match="input 'unused'"):
        plan.run([[0, 0, 0], [1, 2]], ())


def test_zero_sized_arrays():
    graph = _core.Graph()
    x = graph.input("x", (0, 3), "float32")
    (y,) = graph.emit("neg", [x])
    assert graph.compile([y]).run([np.zeros((0, 3))], ())[0].shape == (0, 3)


def test_no_outputs_at_all():
    assert _core.Graph().compile([]).run((), ()) == ()


def test_texts(plan):
    assert "mul" in str(plan)
    assert plan.workspace_bytes > 0


# ---- several runs in one call ----


def noisy():
    """y = (x w)^2 noise, its sum as output 1, the gradient of that by w; noise is of the step."""
    graph = _core.Graph()
    x = graph.input("x", (ROWS, COLUMNS), "float32")
    w = graph.variable("w", (COLUMNS,), "float32")
    (noise,) = graph.emit("random_normal", [], shape=(ROWS, COLUMNS), dtype="float32", seed=7)
    (product,) = graph.emit("mul", [x, w])
    (square,) = graph.emit("mul", [product, product])
    (y,) = graph.emit("mul", [square, noise])
    (total,) = graph.emit("sum", [y])
    return graph.compile([y, total], graph.gradient([total], None, [w]), [w])


def samples(n=50):
    return np.random.default_rng(0).normal(size=(n, COLUMNS)).astype(np.float32)


def some_rows(runs=6):
    return np.random.default_rng(1).integers(0, 50, (runs, ROWS))


@pytest.mark.parametrize(
    "convert",
    [
        lambda a: a,
        lambda a: a.astype(np.float64),
        lambda a: a.astype(">f4"),
        np.asfortranarray,
        lambda a: np.repeat(a, 2, axis=0)[::2],
        lambda a: np.repeat(a, 2, axis=1)[:, ::2],
        lambda a: a[::-1].copy()[::-1],
        lambda a: a.tolist(),
    ],
)
def test_rows_are_gathered_for_each_run(convert):
    plan, x, rows = noisy(), samples(), some_rows()
    w, totals = weights(), np.ones(())
    y, total = plan.run([convert(x)], [w], rows=rows, totals=totals, step=3)
    each = [plan.run([x[r]], [w], step=3 + i) for i, r in enumerate(rows)]
    np.testing.assert_array_equal(y, each[-1][0])
    assert total == each[-1][1]
    assert totals == sum((float(t) for _, t in each), start=1.0)


def test_steps_of_training_in_one_call_are_those_of_many():
    plan, x, rows = noisy(), samples(), some_rows()
    w, other = weights(), weights()
    made, totals = steps(4), np.zeros(())
    optimizer, others = _core.Optimizer("adam", [w]), _core.Optimizer("adam", [other])
    plan.train(
        [x], [w], optimizer, learning_rate=0.1, iteration=made, rows=rows, totals=totals, step=9
    )
    each = [
        plan.train([x[r]], [other], others, learning_rate=0.1, iteration=steps(4 + i), step=9 + i)
        for i, r in enumerate(rows)
    ]
    np.testing.assert_array_equal(w, other)
    np.testing.assert_array_equal(optimizer.slots[1], others.slots[1])
    assert made == 10 and totals == sum(float(t) for _, t in each)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"rows": np.array([[0, 1, 2, 50]])}, IndexError, "input 'x': there is no row 50"),
        ({"rows": np.array([[0, 1, 2, -1]])}, IndexError, "no row -1, the array has 50"),
        ({"rows": np.array([[0, 1, 2]])}, ValueError, "3 to a run do not fill input 'x'"),
        ({"rows": np.zeros((0, 4), int)}, TypeError, "rows: expected"),
        ({"rows": np.arange(4)}, TypeError, "rows: expected"),
        ({"rows": np.zeros((1, 4), np.int32)}, TypeError, "rows: expected"),
        ({"rows": np.zeros((4, 1), int).T[:, ::-1]}, TypeError, "rows: expected"),
        ({"rows": np.zeros((1, 4), object)}, TypeError, "rows: expected"),
        ({"rows": [[0, 1, 2, 3]]}, TypeError, "rows: expected"),
        ({"totals": 3.0}, TypeError, "totals: expected an array"),
        ({"totals": np.zeros((), "f")}, TypeError, "totals: expected dtype float64"),
        ({"totals": np.zeros(2)}, ValueError, "totals: expected shape"),
    ],
)
def test_rows_and_totals_refused(plan, options, error, text):
    w, x = weights(), samples()
    with pytest.raises(error, match=text):
        plan.run([x if "rows" in options else x[:ROWS]], [w], **options)
    np.testing.assert_array_equal(w, [1, 2, 3])


def test_rows_of_an_array_of_another_shape(plan):
    with pytest.raises(ValueError, match=r"expected shape \(4, 3\), got \(50, 2\)"):
        plan.run([samples()[:, :2]], [weights()], rows=some_rows())
    with pytest.raises(ValueError, match="expected shape"):
        plan.run([np.zeros(50, np.float32)], [weights()], rows=some_rows())


def test_totals_need_an_output_1():
    graph = _core.Graph()
    plan = graph.compile([graph.input("x", (2,), "float32")])
    with pytest.raises(ValueError, match="no output 1"):
        plan.run([np.zeros(2)], (), totals=np.zeros(2))


# ---- training ----


def test_train_steps_after_the_assigns(plan):
    w = weights()
    optimizer = _core.Optimizer("sgd", [w])
    made = steps(0)
    _, total = plan.train([data()], [w], optimizer, learning_rate=0.5, iteration=made)
    assert made == 1
    assert total == (data() * [1, 2, 3]).sum()
    np.testing.assert_array_equal(w, np.array([2, 3, 4]) - 0.5 * data().sum(axis=0))


@pytest.mark.parametrize(
    ("iteration", "error", "text"),
    [
        (0, TypeError, "expected an array, got int"),
        (np.array(0, np.int32), TypeError, "expected dtype int64, got int32"),
        (np.array([0]), ValueError, "expected shape"),
        (np.array(-1), ValueError, "steps made so far"),
        (np.array(2**63 - 1), ValueError, "steps made so far"),
    ],
)
def test_train_refuses_iterations(plan, iteration, error, text):
    w = weights()
    optimizer = _core.Optimizer("sgd", [w])
    with pytest.raises(error, match=f"iteration: .*{text}"):
        plan.train([data()], [w], optimizer, learning_rate=1, iteration=iteration)
    np.testing.assert_array_equal(w, [1, 2, 3])


def test_train_refuses_an_optimizer_of_other_variables(plan):
    w = weights()
    for others in ([np.zeros(4, np.float32)], [w, w], [], [np.zeros(3)]):
        optimizer = _core.Optimizer("sgd", others)
        with pytest.raises(ValueError, match="the optimizer was made for"):
            plan.train([data()], [w], optimizer, learning_rate=1, iteration=steps(0))
    np.testing.assert_array_equal(w, [1, 2, 3])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_optimizer_step_leaves_the_gradient_alone(dtype):
    a, b = np.ones((2, 2), dtype), np.ones(3, dtype)
    optimizer = _core.Optimizer("sgd", [a, b], clipvalue=1.0)
    gradient = np.arange(7, dtype=dtype)
    optimizer.step(gradient, learning_rate=1, iteration=0)
    np.testing.assert_array_equal(gradient, np.arange(7))


def test_slots_are_writeable_and_zero():
    optimizer = _core.Optimizer("adam", [np.ones((2, 2), np.float32), np.ones(3, np.float32)])
    assert len(optimizer.slots) == 2
    for slot in optimizer.slots:
        np.testing.assert_array_equal(slot, np.zeros(7, np.float32))
        slot[:] = 1
    np.testing.assert_array_equal(optimizer.slots[0], np.ones(7))
    assert optimizer.u_product == 1.0
    optimizer.u_product[...] = 0.5
    assert optimizer.u_product == 0.5


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda w: _core.Optimizer("adamm", [w]), ValueError, "'adamm'"),
        (lambda w: _core.Optimizer(3, [w]), ValueError, "got 3"),
        (lambda w: _core.Optimizer("adam"), TypeError, "2 arguments"),
        (lambda w: _core.Optimizer("adam", w[0]), TypeError, "sequence"),
        (lambda w: _core.Optimizer("adam", [1.0]), TypeError, "variable 0: expected an array"),
        (lambda w: _core.Optimizer("adam", [w, w.astype(float)]), TypeError, "float64"),
        (lambda w: _core.Optimizer("adam", [w.astype(int)]), TypeError, "int64"),
        (lambda w: _core.Optimizer("adam", [w[::2]]), ValueError, "C-contiguous"),
        (lambda w: _core.Optimizer("adam", [w], bet=1), TypeError, "'bet'"),
        (lambda w: _core.Optimizer("adam", [w], use_ema=1), TypeError, "True or False"),
        (lambda w: _core.Optimizer("adam", [w], accumulation_steps=-1), ValueError, "got -1"),
        (lambda w: _core.Optimizer("adam", [w], accumulation_steps=1.5), TypeError, "int"),
        (lambda w: _core.Optimizer("adam", [w], undecayed=[]), ValueError, "0 flags for 1"),
        (lambda w: _core.Optimizer("adam", [w], undecayed=[1]), TypeError, "True or False"),
        (lambda w: setattr(_core.Optimizer("adam", [w]), "idle", [True] * 2), ValueError,
         "2 flags for 1"),
        (lambda w: _core.Optimizer("adam", [w], beta_1="x"), TypeError, "number"),
        (lambda w: _core.Optimizer("adam", [w], amsgrad=2), TypeError, "True or False"),
        (lambda w: _core.Optimizer("adam", [w], clipnorm=1, clipvalue=1), ValueError, "exclude"),
        (lambda w: _core.Optimizer("adam", [w]).step(w), TypeError, "'learning_rate'"),
        (lambda w: _core.Optimizer("adam", [w]).step(w, learning_rate=1, iteration=-1),
         ValueError, "got -1"),
        (lambda w: _core.Optimizer("adam", [w]).step(w[:2], learning_rate=1, iteration=0),
         ValueError, r"gradient: expected shape \(3,\)"),
    ],
)  # fmt: skip
def test_optimizer_refuses(call, error, text):
    with pytest.raises(error, match=text):
        call(np.ones(3, np.float32))


def test_no_references_leak(plan):
    x, w = data(), weights()
    inputs, variables = (x,), (w,)
    optimizer = _core.Optimizer("adam", variables)
    made, rows, totals = steps(0), np.arange(8).reshape(2, 4), np.zeros(())
    watched = (x, w, inputs, variables, optimizer, made, rows, totals)
    before = [sys.getrefcount(o) for o in watched]
    for _ in range(200):
        plan.run(inputs, variables)
        plan.run([x], [w], gradients=True)
        plan.train(inputs, variables, optimizer, learning_rate=0.0, iteration=made)
        plan.run((np.tile(x, (2, 1)),), variables, rows=rows, totals=totals)
        optimizer.step(np.zeros(3), learning_rate=0.0, iteration=0)
        for bad in ((inputs, (x,)), ((w,), variables), ((object(),), variables)):
            with pytest.raises((ValueError, TypeError)):
                plan.run(*bad)
    del bad
    gc.collect()
    assert [sys.getrefcount(o) for o in watched] == before
