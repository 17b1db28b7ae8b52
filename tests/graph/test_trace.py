"""trace, Traced and Function: structures, gradients, assignments, caches, failures."""

import gc
import os
import subprocess
import sys
import threading
import weakref

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import config, ops, trace
from seqrnn.trace import Function, Spec, Variable

rng = np.random.default_rng(4)


def test_structures_go_in_and_come_out():
    specs = ({"a": Spec((2,)), "b": [Spec((3,)), None]}, 7)

    def fn(x, seven):
        assert seven == 7 and x["b"][1] is None
        return {"sum": x["a"].sum(), "rest": (x["b"][0] * seven, None, "text", 2.5)}

    traced = trace.trace(fn, specs)
    got = traced.run(({"a": np.ones(2), "b": [np.arange(3.0), None]}, 7))
    assert got["sum"] == 2 and got["rest"][1:3] == (None, "text") and got["rest"][3] == 2.5
    np.testing.assert_array_equal(got["rest"][0], [0, 7, 14])
    assert isinstance(got["sum"], trace.Array)
    assert type(got["rest"][0].numpy()) is np.ndarray


def test_inputs_are_checked():
    traced = trace.trace(lambda a, b: a + b, (Spec((2,)), Spec((2,))))
    with pytest.raises(ValueError, match="2 inputs"):
        traced.run((np.ones(2),))
    with pytest.raises(ValueError, match=r"\(3,\)"):
        traced.run((np.ones(2), np.ones(3)))


def test_gradient_of_variables():
    w, b, unused = Variable(rng.normal(size=(3, 2))), Variable(np.zeros(2)), Variable(np.ones(4))
    x, y = rng.normal(size=(5, 3)), rng.normal(size=(5, 2))

    def loss(x, y):
        error = x @ w + b - y
        return ops.mean(error * error), error

    traced = trace.trace(loss, (Spec.like(x), Spec.like(y)), trainable=[b, unused, w])
    (value, error), (db, dunused, dw) = traced.gradients((x, y))
    expected = x @ w.numpy() - y
    np.testing.assert_allclose(error, expected, rtol=1e-13)
    np.testing.assert_allclose(value, (expected**2).mean(), rtol=1e-13)
    np.testing.assert_allclose(dw, 2 * x.T @ expected / expected.size, rtol=1e-12)
    np.testing.assert_allclose(db, 2 * expected.sum(0) / expected.size, rtol=1e-12)
    np.testing.assert_array_equal(dunused, 0)


@pytest.mark.parametrize("bad", [lambda: ops.ones((2,)), lambda: ops.ones((), "int32"), lambda: 3])
def test_the_loss_must_be_one_float(bad):
    with pytest.raises(ValueError, match="one element"):
        trace.trace(bad, (), trainable=[Variable(1.0)])


def test_assignments_happen_when_the_run_ends():
    count, other = Variable(1.0, name="count"), Variable(np.zeros(2, "float32"))

    def fn(x):
        before = count * 1.0
        count.assign(count + x)
        count.assign_add(1.0)
        other.assign([1.0, 2.0])
        return before, count * 1.0

    traced = trace.trace(fn, (Spec(()),))
    assert count.numpy() == 1.0  # tracing changes nothing
    assert [float(v) for v in traced.run((np.float32(10),))] == [1.0, 12.0]
    assert count.numpy() == 12.0
    np.testing.assert_array_equal(other.numpy(), [1, 2])
    assert float(traced.run((np.float32(10),))[0]) == 12.0


def test_assigning_a_wrong_shape_or_inside_a_scan():
    v = Variable(np.zeros(2))
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        trace.trace(lambda: v.assign(ops.ones((3,))), ())

    def step(carry, _):
        v.assign(v + carry)
        return carry, None

    with pytest.raises(ValueError, match="state of the recurrence"):
        trace.trace(lambda: ops.scan(step, 0.0, length=2), ())
    np.testing.assert_array_equal(v.numpy(), 0)


def test_a_failure_leaves_nothing_behind():
    def fail():
        ops.ones((2,))
        raise RuntimeError("mine")

    def fail_in_scan():
        def step(carry, x):
            raise RuntimeError("mine")

        ops.scan(step, 0.0, length=3)

    for fn in (fail, fail_in_scan):
        with pytest.raises(RuntimeError, match="mine"):
            trace.trace(fn, ())
        assert trace.current() is None
    assert ops.add(1, 2) == 3


def test_a_long_loop():
    def fn(x):
        total = 0.0
        for t in range(x.shape[1]):
            total = ops.tanh(total + x[:, t])
        return total

    x = rng.normal(size=(2, 4000))
    expected = np.zeros(2)
    for t in range(4000):
        expected = np.tanh(expected + x[:, t])
    got = trace.trace(fn, (Spec((2, 4000), "float64"),)).run((x,))  # no recursion as deep as this
    np.testing.assert_allclose(got, expected, rtol=1e-10)


def test_gradient_through_a_long_loop():
    v = Variable(np.float64(0.5))

    def fn():
        total = v * 1.0
        for _ in range(3000):
            total = total * 0.999 + v
        return total

    total, (gradient,) = trace.trace(fn, (), trainable=[v]).gradients(())
    expected = 0.999**3000 + (1 - 0.999**3000) / 0.001
    np.testing.assert_allclose(gradient, expected, rtol=1e-10)
    np.testing.assert_allclose(total, 0.5 * expected, rtol=1e-10)


def test_nothing_is_kept_alive():
    frames = []

    def traced_with(v):
        def fn(x):
            frames.append(weakref.ref(trace.current()))
            return x * v

        return trace.trace(fn, (Spec((2,)),))

    variables = [Variable(np.ones(2))]
    plans = [traced_with(variables[0])]
    gc.collect()
    assert frames[0]() is None
    variable = weakref.ref(variables.pop())
    assert variable() is not None  # the plan needs it
    plans.clear()
    gc.collect()
    assert variable() is None


# ---- Function ----


def counting(**options):
    calls = []

    def fn(x, *args, **kwargs):
        calls.append(x.shape)
        return x * 2.0

    return Function(fn, **options), calls


def test_a_function_traces_once_per_shape_and_dtype():
    fn, calls = counting()
    for _ in range(3):
        fn(np.ones(2))
        fn(np.ones(3))
        fn(np.ones(3, "float32"))
    assert len(calls) == 3
    fn(np.ones(2), 1)
    fn(np.ones(2), True)
    fn(np.ones(2), 1.0)
    fn(np.ones(2), flag=None)
    assert len(calls) == 7
    fn(np.ones(2), [1, 2])
    fn(np.ones(2), (1, 2))
    fn(np.ones(2), [1, 2])
    assert len(calls) == 9


def test_a_function_forgets_the_oldest():
    fn, calls = counting(size=2)
    for n in (1, 2, 1, 3, 1, 2):
        fn(np.ones(n))
    assert [shape[0] for shape in calls] == [1, 2, 3, 2]


def test_settings_make_functions_trace_again():
    fn, calls = counting()
    fn(np.ones(2))
    config.invalidate()
    fn(np.ones(2))
    assert len(calls) == 2


def test_settings_that_come_back_find_the_old_plan():
    fn, calls = counting()
    for value in (1e-7, 1e-3, 1e-7, 1e-3):
        config.set_epsilon(value)
        fn(np.ones(2))
    config.set_epsilon(1e-7)
    assert len(calls) == 2


def test_freezing_and_thawing_trace_twice_and_count():
    """Loops that alternate, as in Hands-On Machine Learning's GANs, must not trace every time."""
    fn, calls = counting()
    layer = keras.layers.BatchNormalization()
    layer.build((None, 3))
    for frozen in (False, True) * 3:
        layer.trainable = not frozen
        assert [v.trainable for v in layer.weights] == [not frozen] * 2 + [False] * 2
        fn(np.ones(2))
    assert len(calls) == 2
    layer.gamma.trainable = True
    fn(np.ones(2))
    assert len(calls) == 3


def test_variables_are_read_at_each_run():
    v = Variable(np.ones(2))
    fn = Function(lambda x: x * v)
    assert fn(2.0).tolist() == [2, 2]
    v.assign([3.0, 4.0])
    assert fn(2.0).tolist() == [6, 8]
    same = Function(lambda x: x + 0.0)
    assert same(v).tolist() == [3, 4]
    v.assign([0.0, 1.0])
    assert same(v).tolist() == [0, 1]


def test_unhashable_arguments():
    fn = Function(lambda x, s: x * len(s))
    assert fn(2.0, {1, 2}) == 4


def test_threads_trace_apart():
    barrier = threading.Barrier(4)
    results = {}

    def work(n):
        def fn(x):
            barrier.wait()
            return x * n

        results[n] = Function(fn)(np.ones(2))

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {n: r.tolist() for n, r in results.items()} == {n: [n, n] for n in range(4)}


def test_ranges_of_ids_are_checked():
    def fn(ids):
        trace.check_range(ops.reshape(ops.cast(ids, "int64"), (-1,)), 5, "in layer 'embedding'")
        trace.check_range(ids + 1, 1, "computed ids are not checked")
        return ids * 2

    traced = trace.trace(fn, (Spec((2, 2), "int32"),))
    traced.run((np.array([[0, 4], [1, 2]]),))
    for wrong in (5, -1):
        with pytest.raises(ValueError, match=rf"embedding.*0 \.\. 4, got {wrong}"):
            traced.run((np.array([[0, 1], [2, wrong]]),))


def test_dump(monkeypatch, capsys):
    monkeypatch.setenv("SEQRNN_DUMP", "graph,plan")
    trace.trace(lambda x: ops.tanh(x), (Spec((2,)),))
    text = capsys.readouterr().err
    assert text.count("tanh") == 2 and "plan:" in text


X83 = "Spec((8, 3), 'float32')"


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("m.fit(x, x, verbose=0)", f"train of net: {X83}, {X83}"),
        ("m.predict(x, verbose=0)", f"predict of net: {X83}"),
        ("m.layers[0](x)", f"call of head: {X83}"),
        ("keras.ops.tanh(x)", f"tanh: {X83}"),
    ],
)
def test_times_say_of_what(code, title):
    program = f"""
import numpy as np, seqrnn as keras
x = np.ones((8, 3), "float32")
m = keras.Sequential([keras.Input((3,)), keras.layers.Dense(3, name="head")], name="net")
m.compile("sgd", "mse")
{code}
"""
    out = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"SEQRNN_DUMP": "time"},
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    lines = out.stderr.splitlines()
    assert f"== {title}" in lines and "us" in lines[lines.index(f"== {title}") + 1]
