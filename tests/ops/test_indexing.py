"""x[key] against NumPy in all forms, values and gradients."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqrnn import ops, trace

rng = np.random.default_rng(5)
X = rng.normal(size=(4, 5, 6))
i = np.array

KEYS = [
    0,
    -1,
    slice(None),
    slice(1, 3),
    slice(None, None, -1),
    slice(-2, None),
    slice(10, 2),
    slice(3, None, -2),
    slice(-100, 100),
    Ellipsis,
    None,
    (),
    (0, 1),
    (0, 1, 2),
    (Ellipsis, 0),
    (0, Ellipsis, -1),
    (slice(None), None, 2),
    (None, Ellipsis, None),
    (slice(None, None, -1), slice(None, None, 2), slice(4, 0, -3)),
    (Ellipsis, slice(None, 3)),
    (slice(None), 3),
    (slice(None), slice(3, None, 2)),
    (slice(2, 2), 0),
    [2, 0, -1],
    i([[0, 1], [2, 3]]),
    (slice(None), [4, 0]),
    (Ellipsis, i([5, 1, 1])),
    (i([0, 1]), i([4, 2])),
    (slice(None), i([0, 1]), i([4, -2])),
    (i([0, 1]), slice(None), i([4, 2])),
    (i([[0], [1]]), i([4, 2])),
    (i([0, 1]), slice(1, 3), 2),
    (0, slice(None), i([4, 2])),
    (2, i([4, 2])),
    (slice(None), 2, i([4, 2])),
    (slice(None, None, -1), i([4, 2]), slice(None, None, 2)),
    (i([1]), None, slice(None), i([2])),
    (None, i([1, 3]), Ellipsis, 0),
    i([True, False, True, True]),
    (slice(None), i([True, False, True, False, False])),
    (Ellipsis, rng.random(6) < 0.5),
    rng.random((4, 5)) < 0.5,
    (0, rng.random((5, 6)) < 0.5),
    i(2),
    np.int64(-3),
]


def getitem(x, key):
    """x[key] by way of a trace: on arrays it would be NumPy's."""
    return trace.trace(lambda t: t[key], (trace.Spec(x.shape, x.dtype),)).run((x,))


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_as_numpy(key):
    np.testing.assert_array_equal(getitem(X, key), X[key])


@pytest.mark.parametrize("key", KEYS, ids=repr)
def test_gradient(key):
    """sum(w * x[key]) has the gradient w, added up where it came from."""
    v = trace.Variable(X)
    weights = np.asarray(rng.normal(size=X[key].shape))
    loss = trace.trace(lambda: ops.sum(v[key] * weights), (), trainable=[v])
    expected = np.zeros_like(X)
    np.add.at(expected, key, weights)
    np.testing.assert_allclose(loss.gradients(())[1][0], expected, rtol=0, atol=1e-12)


def _slices(size):
    bound = st.none() | st.integers(-size - 2, size + 2)
    return st.builds(slice, bound, bound, st.none() | st.integers(-3, 3).filter(bool))


def _parts(size):
    ints = st.integers(-size, size - 1)
    arrays = st.lists(ints, min_size=2, max_size=2).map(np.array)
    return st.one_of(_slices(size), ints, arrays)


@settings(max_examples=150, deadline=None)
@given(
    st.tuples(_parts(4), _parts(5), _parts(6)),
    st.integers(0, 3),
    st.sampled_from([None, "new", "dots"]),
)
def test_random_keys(parts, count, extra):
    key = list(parts[:count])
    if extra == "new":
        key.insert(0, None)
    elif extra == "dots":
        key.append(Ellipsis)
    np.testing.assert_array_equal(getitem(X, tuple(key)), X[tuple(key)])


def test_arrays_outside_of_a_trace():
    mask = X[:, 0, 0] > 0
    np.testing.assert_array_equal(ops.getitem(X, mask), X[mask])
    np.testing.assert_array_equal(trace.Variable(X)[1:, 2], X[1:, 2])


def test_index_tensors():
    index = np.array([3, -1, 0])
    by_tensor = trace.Function(lambda x, k: (x[k], x[:, k], x[k, :, k], x[..., k[0]]))
    got = by_tensor(X, index)
    expected = X[index], X[:, index], X[index, :, index], X[..., index[0]]
    for g, e in zip(got, expected, strict=True):
        np.testing.assert_array_equal(g, e)


@pytest.mark.parametrize(
    ("key", "error", "text"),
    [
        (4, IndexError, "index 4 is out of range for axis 0 of size 4"),
        ((0, -6), IndexError, "axis 1 of size 5"),
        ([0, 4], IndexError, "index 4"),
        ((0, 0, 0, 0), IndexError, r"4 indices.*3 axes.*\(4, 5, 6\)"),
        ((Ellipsis, Ellipsis), IndexError, "one `...`"),
        (1.5, TypeError, "integers"),
        ("a", TypeError, "integers"),
        (True, TypeError, "bool"),
        (np.ones(3, bool), IndexError, r"\(3,\)"),
    ],
)
def test_refused(key, error, text):
    with pytest.raises(error, match=text):
        getitem(X, key)


def test_what_is_unknown_cannot_index():
    with pytest.raises(TypeError, match=r"ops\.where"):
        trace.trace(lambda x: x[x > 0], (trace.Spec((3,)),))
    with pytest.raises(TypeError, match=r"ops\.take"):
        trace.trace(lambda x, n: x[:n], (trace.Spec((3,)), trace.Spec((), "int32")))
    with pytest.raises(TypeError, match="integers"):
        trace.trace(lambda x: x[x], (trace.Spec((3,)),))
    with pytest.raises(TypeError, match=r"in place.*ops\.where"):
        trace.trace(lambda x: x.__setitem__(0, 1.0), (trace.Spec((3,)),))
