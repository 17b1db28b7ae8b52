"""Broadcasting of traced and symbolic tensors against NumPy, with shapes and dtypes at random."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from seqrnn import ops, trace

FUNCTIONS = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "maximum": np.maximum,
    "less": np.less,
    "equal": np.equal,
    "floor_divide": np.floor_divide,
    "mod": np.mod,
}
DTYPES = ("int32", "int64", "float32", "float64")
SHAPES = hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=4, max_side=4)


@st.composite
def pairs(draw):
    """Two arrays of small whole numbers, the second without 0, whose shapes fit."""
    arrays = []
    for shape, zero in zip(draw(SHAPES).input_shapes, (True, False), strict=True):
        values = st.integers(-5, 5) if zero else st.integers(1, 4)
        array = draw(hnp.arrays(np.int64, shape, elements=values))
        arrays.append(array.astype(draw(st.sampled_from(DTYPES))))
    return arrays


@settings(max_examples=100, deadline=None)
@given(pairs(), st.sampled_from(sorted(FUNCTIONS)))
def test_two_operands(arrays, name):
    a, b = arrays
    fn, expected = getattr(ops, name), FUNCTIONS[name](a, b)
    traced = trace.trace(fn, tuple(trace.Spec(x.shape, x.dtype) for x in arrays)).run((a, b))
    np.testing.assert_array_equal(traced, expected)
    symbolic = fn(trace.KerasTensor(a.shape, a.dtype), trace.KerasTensor(b.shape, b.dtype))
    assert (symbolic.shape, symbolic.dtype) == (expected.shape, str(traced.dtype))


@settings(max_examples=60, deadline=None)
@given(pairs(), st.booleans())
def test_gradient_has_the_shape_of_the_operand(arrays, left):
    """d sum(w (a + b)) / da is w summed over the axes along which a was repeated."""
    a, b = (x.astype("float64") for x in (arrays if left else arrays[::-1]))
    weights = np.arange(1.0, 1.0 + np.add(a, b).size).reshape(np.add(a, b).shape)
    v = trace.Variable(a, dtype="float64")
    traced = trace.trace(lambda: ops.sum((v + b) * weights), (), trainable=[v])
    expected = weights.sum(tuple(range(weights.ndim - a.ndim)))
    repeated = tuple(i for i, n in enumerate(a.shape) if n == 1)
    np.testing.assert_allclose(traced.gradients(())[1][0], expected.sum(repeated, keepdims=True))


@settings(max_examples=60, deadline=None)
@given(
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=4, max_side=4), elements=st.floats(-9, 9)),
    st.data(),
)
def test_reductions(x, data):
    axes = data.draw(st.lists(st.integers(-x.ndim, x.ndim - 1), max_size=x.ndim))
    axes = tuple({a % x.ndim: a for a in axes}.values()) or None
    keepdims = data.draw(st.booleans())
    for name in ("sum", "max", "mean"):
        got = getattr(ops, name)(x, axes, keepdims)
        expected = getattr(np, name)(x, axis=axes, keepdims=keepdims)
        assert got.shape == np.shape(expected)
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
        symbolic = getattr(ops, name)(trace.KerasTensor(x.shape, "float64"), axes, keepdims)
        assert symbolic.shape == got.shape
