"""Graphs over a batch for the tests of the split: where the batch is in an array, and what of a
plan was in fact computed in parts."""

import re

import numpy as np

from seqrnn import _core, layers, ops

B = 32


class Batch:
    """An array with samples along axis `at`, whose length is before * size * after."""

    def __init__(self, array, at=0, before=1, size=B):
        self.array, self.at, self.before, self.size = np.asarray(array), at, before, size

    def feed(self, graph):
        """(value in the graph, array to feed): the samples come in front, and are moved."""
        shape, at = self.array.shape, self.at
        split = (*shape[:at], self.before, self.size, -1, *shape[at + 1 :])
        fed = np.moveaxis(self.array.reshape(split), at + 1, 0)
        v = graph.input("x", fed.shape, fed.dtype.name)
        if fed.shape != (*shape, 1):
            perm = [*range(1, at + 2), 0, *range(at + 2, fed.ndim)]
            (v,) = graph.emit("transpose", [v], perm=perm)
            (v,) = graph.emit("reshape", [v], shape=shape)
        return v, np.ascontiguousarray(fed)


def steps(plan):
    """(ops outside of any scan but scans, ops inside)."""
    outside, inside = [], []
    for line in str(plan).splitlines():
        found = re.match(r"( *\d+) (\w+)", line)
        if found:
            depth = max(len(found[1]) - 4, 0) // 4
            (inside if depth else outside).append(found[2])
    return outside, inside


def emitted(op, inputs, attrs):
    """(graph, values, outputs, arrays to feed). The last output is large, so that a split is worth
    it."""
    graph = _core.Graph()
    values, arrays = [], []
    for x in inputs:
        if isinstance(x, Batch):
            v, fed = x.feed(graph)
            values.append(v)
            arrays.append(fed)
        else:
            values.append(None if x is None else graph.constant(np.asarray(x)))
    large = np.ones((B, 512))
    y = graph.emit("square", [graph.input("large", large.shape, "float64")])
    outputs = graph.emit(op, values, **attrs)
    return graph, values, [*outputs, *y], [*arrays, large]


def close(got, expected, tolerance=1e-12):
    """Within `tolerance` of the largest value; integers, bools, NaN and infinities the same."""
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    if got.dtype.kind != "f":
        np.testing.assert_array_equal(got, expected)
        return
    finite = np.abs(expected[np.isfinite(expected)])
    largest = max(1.0, finite.max()) if finite.size else 1.0
    np.testing.assert_allclose(got, expected, rtol=0, atol=tolerance * largest)


class LNCell(layers.Layer):
    """The seed's cell."""

    def __init__(self, units, dropout=0.0, **kwargs):
        super().__init__(**kwargs)
        self.state_size = self.output_size = units
        self.inner = layers.SimpleRNNCell(units, activation=None)
        self.norm = layers.LayerNormalization()
        self.dropout = layers.Dropout(dropout, seed=4)

    def call(self, inputs, states, training=None):
        y, _ = self.inner(inputs, states)
        y = self.dropout(ops.tanh(self.norm(y)), training=training)
        return y, [y]
