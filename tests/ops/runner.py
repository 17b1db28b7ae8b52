"""Runs one op by itself: the outputs of a case, and its gradient against differences.

As a program it writes what all specs give into a file, for the comparison of the kernels:
`python runner.py out.npz`.
"""

import sys

import numpy as np

from seqrnn import _core


def is_float(x):
    return x is not None and x.dtype.kind == "f"


def typed(inputs, dtype):
    """The inputs with their floats in another dtype."""
    return [x.astype(dtype) if is_float(x) else x for x in map(array, inputs)]


def array(x):
    return None if x is None else np.asarray(x)


def emitted(op, inputs, attrs):
    """A graph with the op as its last node: (graph, its input values, its outputs)."""
    graph = _core.Graph()
    values = [None if x is None else graph.input("x", x.shape, x.dtype.name) for x in inputs]
    return graph, values, graph.emit(op, values, **attrs)


def outputs(op, inputs, attrs):
    """The outputs of the op, as arrays."""
    inputs = [array(x) for x in inputs]
    graph, _, out = emitted(op, inputs, attrs)
    return graph.compile(out).run([x for x in inputs if x is not None], ())


def gradient(op, inputs, attrs, n_out, wrt, weights):
    """By Graph.gradient: that of sum(weights * output) by the inputs in `wrt`."""
    graph, values, out = emitted(op, inputs, attrs)
    seeds = [graph.constant(w) for w in weights]
    xs = [values[i] for i in wrt]
    dxs = graph.gradient(out[:n_out], seeds, xs)
    found = graph.compile([d for d in dxs if d is not None]).run(
        [x for x in inputs if x is not None], ()
    )
    source = iter(found)
    return [
        np.zeros_like(inputs[i]) if d is None else next(source)
        for i, d in zip(wrt, dxs, strict=True)
    ]


def differences(op, inputs, attrs, n_out, wrt, weights, step=1e-5):
    """The same by central differences."""
    graph, _, out = emitted(op, inputs, attrs)
    plan = graph.compile(out[:n_out])
    inputs = [None if x is None else x.copy() for x in inputs]

    def value():
        results = plan.run([x for x in inputs if x is not None], ())
        return sum(float(np.sum(w * y)) for w, y in zip(weights, results, strict=True))

    found = []
    for i in wrt:
        dx = np.zeros_like(inputs[i])
        for at in np.ndindex(dx.shape):
            middle = inputs[i][at]
            inputs[i][at] = middle + step
            above = value()
            inputs[i][at] = middle - step
            below = value()
            inputs[i][at] = middle
            dx[at] = (above - below) / (2 * step)
        found.append(dx)
    return found


def main(path):
    from ops.specs import SPECS

    results = {"isa": np.array(_core.isa())}
    for op, spec in SPECS.items():
        for number, case in enumerate(spec.cases):
            for dtype in ("float32", "float64"):
                for index, y in enumerate(outputs(op, typed(case.inputs, dtype), case.attrs)):
                    results[f"{op}/{number}/{dtype}/{index}"] = y
    np.savez(path, **results)


if __name__ == "__main__":
    main(sys.argv[1])
