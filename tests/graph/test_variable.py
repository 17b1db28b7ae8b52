"""Variables: storage, assignment, behaviour outside of a trace."""

import copy
import pickle

import numpy as np
import pytest

from seqrnn import config, ops, trace
from seqrnn.trace import Variable


def test_value_and_storage():
    v = Variable([[1.0, 2.0], [3.0, 4.0]], name="w")
    assert (v.shape, v.dtype, v.name, v.ndim, v.size) == ((2, 2), "float32", "w", 2, 4)
    assert v.storage.flags.c_contiguous and v.storage.ctypes.data % 64 == 0
    assert v.value.flags.writeable is False
    taken = v.numpy()
    taken[:] = 0
    assert v.numpy().tolist() == [[1, 2], [3, 4]]
    assert repr(v) == "<Variable path=w shape=(2, 2) dtype=float32>"


@pytest.mark.parametrize(
    ("value", "dtype", "expected"),
    [
        (1.5, None, "float32"),
        (3, None, "int64"),
        (np.ones(2), None, "float64"),
        (np.ones(2), "float32", "float32"),
        (np.ones(2, ">f8"), None, "float64"),
        (True, None, "bool"),
        (np.ones(2, "float16"), None, "float32"),
    ],
)
def test_dtype(value, dtype, expected):
    assert Variable(value, dtype=dtype).dtype == expected


def test_from_an_initializer():
    v = Variable(lambda shape, dtype: np.full(shape, 3, dtype), shape=(2, 3), dtype="float64")
    assert v.numpy().tolist() == [[3, 3, 3]] * 2 and v.dtype == "float64"
    assert Variable(lambda shape, dtype: np.zeros(shape), shape=4).shape == (4,)
    with pytest.raises(ValueError, match="shape"):
        Variable(lambda shape, dtype: np.zeros(shape))
    with pytest.raises(ValueError, match="None"):
        Variable(lambda shape, dtype: np.zeros(shape), shape=(None, 2))


def test_assign():
    v = Variable(np.zeros(3, "float32"))
    storage = v.storage
    v.assign([1, 2, 3])
    v.assign_add(np.ones(3))
    v.assign_sub([0.5, 0.5, 0.5])
    v.assign(v * 2)
    v.assign(Variable(v.numpy()))
    assert v.numpy().tolist() == [3, 5, 7]
    assert v.storage is storage
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        v.assign([1, 2])
    with pytest.raises(TypeError, match="numbers"):
        v.assign(["a", "b", "c"])
    assert v.numpy().tolist() == [3, 5, 7]


def test_outside_of_a_trace_it_has_a_value():
    v = Variable(2.5)
    assert float(v) == 2.5 and int(v) == 2 and bool(v) and np.asarray(v) == 2.5
    assert (v + 1 == 3.5) and isinstance(v + 1, trace.Array)
    w = Variable([1.0, 2.0, 3.0])
    assert len(w) == 3 and [float(x) for x in w] == [1, 2, 3]
    assert w[-1] == 3 and (w * w).tolist() == [1, 4, 9]
    assert np.tanh(w).dtype == "float32" and np.sum(w) == 6


def test_inside_it_has_none():
    v = Variable(2.5)
    for use in (float, int, bool, np.asarray):
        with pytest.raises(TypeError, match="traced"):
            trace.trace(lambda use=use: use(v), ())
    assert trace.trace(lambda: (v.value * 2, ops.convert_to_tensor(v)), ()).run(()) == (5, 2.5)


def test_copies_are_apart():
    v = Variable([1.0, 2.0], name="w", trainable=False)
    for other in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        other.assign([5.0, 6.0])
        assert v.numpy().tolist() == [1, 2]
        assert (other.name, other.trainable, other.storage.ctypes.data % 64) == ("w", False, 0)


def test_floatx():
    config.set_floatx("float64")
    try:
        assert Variable(1.5).dtype == "float64"
        assert ops.zeros((2,)).dtype == "float64"
        assert ops.sqrt(np.int32(4)).dtype == "float64"
    finally:
        config.set_floatx("float32")
    with pytest.raises(ValueError, match="float16"):
        config.set_floatx("float16")
