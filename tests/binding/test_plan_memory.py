"""Plans in many threads, and the memory they keep."""

import gc
import os
import sys
import threading

import numpy as np
import pytest

from seqrnn import _core


def heavy():
    """A plan that takes a while: so runs overlap when the GIL is dropped."""
    graph = _core.Graph()
    x = y = graph.input("x", (200, 200), "float32")
    for _ in range(50):
        (y,) = graph.emit("tanh", [y])
        (y,) = graph.emit("add", [y, x])
    return graph.compile([y])


def test_one_plan_in_many_threads():
    plan = heavy()
    inputs = [np.full((200, 200), i / 10, np.float32) for i in range(8)]
    expected = [plan.run([x], ())[0] for x in inputs]
    wrong = []

    def work(i):
        for _ in range(10):
            if not np.array_equal(plan.run([inputs[i]], ())[0], expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_plan_that_has_run_takes_the_present_number_of_threads():
    def threads():
        return len(os.listdir("/proc/self/task"))

    graph = _core.Graph()
    x = graph.input("x", (1 << 20,), "float32")
    plan, before = graph.compile(graph.emit("tanh", [x])), _core.num_threads()
    zeros = np.zeros(1 << 20, "float32")
    try:
        _core.set_num_threads(1)
        plan.run((zeros,), ())
        more = threads() + 1
        _core.set_num_threads(more)
        plan.run((zeros,), ())
        assert threads() >= more
    finally:
        _core.set_num_threads(before)


def test_the_variables_live_while_the_plan_runs():
    """The list is changed from another thread while the plan works on its arrays."""
    graph = _core.Graph()
    y = w = graph.variable("w", (1000,), "float32")
    for _ in range(20):
        (y,) = graph.emit("add", [y, w])
    plan = graph.compile([y])
    stop = threading.Event()
    variables = [np.ones(1000, np.float32)]

    def replace():
        while not stop.is_set():
            variables[0] = np.ones(1000, np.float32)

    thread = threading.Thread(target=replace)
    thread.start()
    outputs = [plan.run((), variables)[0] for _ in range(2000)]
    stop.set()
    thread.join()
    np.testing.assert_array_equal(outputs, np.full((2000, 1000), 21))


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_memory_does_not_grow():
    """1,000 plans with workspaces of 400 kB: a leak of any of them would show."""
    x = np.ones((100, 100), np.float32)

    def make_and_run():
        graph = _core.Graph()
        y = graph.input("x", (100, 100), "float32")
        for op in ("tanh", "exp", "sin"):
            (y,) = graph.emit(op, [y])
        graph.compile([y]).run([x], ())
        _core.Optimizer("adam", [x.copy()])

    for _ in range(50):
        make_and_run()
    gc.collect()
    before = resident()
    for _ in range(1000):
        make_and_run()
    gc.collect()
    assert resident() - before < 20e6


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_plans_together_keep_no_more_than_a_bound():
    """40 plans that need 32 MB each: without the bound of 128 MB they keep 1.3 GB."""
    plans = []
    before = resident()
    for n in range(40):
        g = _core.Graph()
        x = g.input("x", (4_000_000 + n,), "float32")
        (y,) = g.emit("add", [x, x])
        (total,) = g.emit("sum", [y], axes=[0])
        plans.append(g.compile([total]))
        assert plans[-1].run((np.ones(4_000_000 + n, "float32"),), ())[0] == 8_000_000 + 2 * n
    assert resident() - before < 400e6  # with what the allocator keeps back
    _core.release_memory()
    assert resident() - before < 50e6
    assert plans[0].run((np.ones(4_000_000, "float32"),), ())[0] == 8_000_000
