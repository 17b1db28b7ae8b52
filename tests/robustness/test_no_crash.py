"""What could bring the interpreter down, each in a process of its own."""

import subprocess
import sys
import textwrap

PREAMBLE = """
import numpy as np
import seqrnn as keras
from seqrnn import _core, layers
x, y = np.ones((4, 5, 3), "float32"), np.ones((4, 5, 1), "float32")
model = keras.Sequential([layers.Input((5, 3)), layers.GRU(4, return_sequences=True)])
model.add(layers.Dense(1))
model.compile(loss="mse", optimizer="adam")
model.fit(x, y, verbose=0)
"""


def output(code):
    """What `code` prints; a process that a signal ends fails the test."""
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, (done.returncode, done.stderr[-2000:])
    return done.stdout


def test_optimizer_whose_arrays_were_resized():
    out = output("""
        for which in ("variable", "slot", "read-only"):
            v = np.zeros(1_000_000, "float32")
            optimizer = _core.Optimizer("adam", [v])
            if which == "variable":
                v.resize((1,), refcheck=False)
            elif which == "slot":
                optimizer.slots[0].resize((1,), refcheck=False)
            else:
                v.flags.writeable = False
            try:
                optimizer.step(np.ones(1_000_000), learning_rate=0.1, iteration=0)
            except ValueError as error:
                print("was resized or made read-only" in str(error))
    """)
    assert out == "True\nTrue\nTrue\n"


def test_memory_of_variables_stays():
    out = output("""
        for variable in model.weights:
            owner = variable.storage
            while isinstance(getattr(owner, "base", None), np.ndarray):
                owner = owner.base
            for change in (
                lambda: owner.resize((9999,), refcheck=False),
                lambda: variable.value.resize((9999,), refcheck=False),
                lambda: owner.base.obj.clear(),
            ):
                try:
                    change()
                except (ValueError, BufferError):
                    print("refused", end=" ")
        model.fit(x, y, verbose=0)
        print(model.predict(x, verbose=0).shape)
    """)
    assert out.split(" (")[0].split() == ["refused"] * 15


def test_forked_child_while_another_thread_fits():
    out = output("""
        import os, threading
        other = keras.models.clone_model(model)
        other.compile(loss="mse")
        thread = threading.Thread(target=lambda: other.fit(x, y, epochs=200, verbose=0))
        thread.start()
        for _ in range(3):
            child = os.fork()
            if child == 0:
                model.fit(x, y, verbose=0)
                os._exit(7)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        thread.join()
    """)
    assert out == "7\n7\n7\n"


def test_forked_child_fits_the_model_that_another_thread_was_fitting():
    out = output("""
        import os, threading
        begun = threading.Event()
        class Begun(keras.callbacks.Callback):
            def on_epoch_end(self, epoch, logs=None):
                begun.set()
        thread = threading.Thread(
            target=lambda: model.fit(x, y, epochs=200, verbose=0, callbacks=[Begun()])
        )
        thread.start()
        begun.wait()
        child = os.fork()
        if child == 0:
            model.fit(x, y, verbose=0)
            model.compile("adam", "mse")
            model.fit(x, y, verbose=0)
            os._exit(7)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        thread.join()
    """)
    assert out == "7\n"


def test_two_threads_fit_the_same_model():
    out = output("""
        import threading
        errors = []
        def work():
            try:
                for _ in range(20):
                    model.fit(x, y, verbose=0, batch_size=1)
            except RuntimeError as error:
                errors.append("already being trained" in str(error))
        threads = [threading.Thread(target=work) for _ in range(4)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        print(all(errors), np.isfinite(model.predict(x, verbose=0)).all())
    """)
    assert out == "True True\n"


def test_interrupted_fit_leaves_a_model_that_goes_on():
    out = output("""
        import os, signal, threading
        signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored in a background job
        threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT)).start()
        try:
            model.fit(x, y, epochs=10**9, verbose=0)
        except KeyboardInterrupt:
            model.fit(x, y, verbose=0)
            print(np.isfinite(model.predict(x, verbose=0)).all())
    """)
    assert out == "True\n"


def test_arrays_that_change_between_the_runs_of_one_call():
    out = output("""
        RUNS = 50_000
        graph = _core.Graph()
        a, v = graph.input("a", (4, 3), "float32"), graph.variable("v", (3,), "float32")
        (loss,) = graph.emit("sum", graph.emit("mul", [a, v]))
        gradients = graph.gradient([loss], None, [v])
        plan = graph.compile([loss, v], gradients=gradients, gradient_like=[v])
        class Data:
            reads = 0
            def __array__(self, dtype=None, copy=None):
                self.reads += 1
                if self.reads == 3:
                    change()
                return np.ones((9, 3), "float32")
        for change in (
            lambda: setattr(rows, "shape", (1, 4 * RUNS)),
            lambda: rows.resize((0, 0), refcheck=False),
            lambda: rows.fill(2**40),
            lambda: setattr(totals, "dtype", "int8"),
            lambda: totals.resize((10**7,), refcheck=False),
            lambda: iteration.resize((10**7,), refcheck=False),
            lambda: variable.resize((10**7,), refcheck=False),
        ):
            rows, totals = np.zeros((RUNS, 4), "int64"), np.zeros(3)
            variable = np.ones(3, "float32")
            iteration, optimizer = np.array(0), _core.Optimizer("sgd", [variable])
            try:
                plan.train([Data()], [variable], optimizer, learning_rate=0.0,
                           iteration=iteration, rows=rows, totals=totals)
                print(iteration)
            except (ValueError, TypeError) as error:
                print(error)
    """)
    assert out.splitlines() == [
        *["50000"] * 3,
        "Plan: totals: expected dtype float64, got int8",
        "Plan: totals: expected shape (3,), got (10000000,)",
        "Plan.train: iteration: expected shape (), got (10000000,)",
        "variable 'v': expected shape (3,), got (10000000,)",
    ]
