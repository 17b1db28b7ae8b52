"""Placeholders: shapes with unknown sizes, recorded calls, replay."""

import numpy as np
import pytest

from seqrnn import ops, trace
from seqrnn.trace import KerasTensor

rng = np.random.default_rng(8)


def run(outputs, placeholders, *arrays):
    fn = trace.Function(lambda *xs: trace.replay(outputs, list(zip(placeholders, xs, strict=True))))
    return fn(*arrays)


def test_shapes():
    x = KerasTensor((None, None, 4))
    assert (x + 1).shape == (None, None, 4)
    assert (x @ np.ones((4, 2))).shape == (None, None, 2)
    assert x[:, -1].shape == (None, 4)
    assert x[:, ::2].shape == (None, None, 4)
    assert x[..., :2].shape == (None, None, 2)
    assert x[:, None].shape == (None, 1, None, 4)
    assert ops.sum(x, 1).shape == (None, 4)
    assert ops.mean(x).shape == ()
    assert ops.transpose(x, (1, 0, 2)).shape == (None, None, 4)
    assert ops.concatenate([x, x]).shape == (None, None, 4)
    assert ops.concatenate([x, x], -1).shape == (None, None, 8)
    assert ops.stack([x, x], 1).shape == (None, 2, None, 4)
    assert np.tanh(x).shape == (None, None, 4)
    assert (x > 0).dtype == "bool" and ops.argmax(x, -1).dtype == "int32"
    first, second = ops.split(x, 2, -1)
    assert first.shape == second.shape == (None, None, 2)
    assert second.index == 1 and second.origin is first.origin
    kernel = np.ones((4, 4, 5), "float32")
    assert ops.conv1d(x, kernel, stride=2).shape == (None, None, 5)
    assert ops.conv1d(KerasTensor((None, 50, 4)), kernel, stride=2).shape == (None, 24, 5)
    assert ops.shape(x) == (None, None, 4)


def test_a_kernel_longer_than_the_first_sizes_tried():
    x = KerasTensor((None, None, 1))
    kernel = np.ones((300, 1, 2), "float32")
    assert ops.conv1d(x, kernel).shape == (None, None, 2)
    with pytest.raises(ValueError, match="conv1d"):
        ops.conv1d(x, np.ones((9000, 1, 2), "float32"))


def test_replay():
    x, y = KerasTensor((None, 3), name="x"), KerasTensor((None, 3), "int32")
    a = ops.tanh(x) * 2
    b = a + ops.cast(y, "float32")
    parts = ops.split(b, 3, axis=1)
    outputs = {"a": a, "last": parts[2], "list": [b, parts[0]]}
    xs, ys = rng.normal(size=(4, 3)).astype("float32"), rng.integers(0, 9, (4, 3)).astype("int32")
    got = run(outputs, [x, y], xs, ys)
    expected = np.tanh(xs) * 2
    np.testing.assert_allclose(got["a"], expected, rtol=1e-6)
    np.testing.assert_allclose(got["list"][0], expected + ys, rtol=1e-6)
    np.testing.assert_allclose(got["last"], (expected + ys)[:, 2:], rtol=1e-6)
    names = [call.name for call in trace.calls_of(outputs)]
    assert names == ["tanh", "multiply", "cast", "add", "split"]


def test_each_call_runs_once():
    calls = []

    def noted(t):
        calls.append(t.shape)
        return t * 2.0

    x = KerasTensor((None, 2))
    shared = trace.record(noted, (x,), {})
    calls.clear()
    run([shared, shared + 1, shared * shared], [x], np.ones((3, 2), "float32"))
    assert calls == [(3, 2)]


def test_a_part_of_a_graph():
    x = KerasTensor((None, 2))
    middle = x * 2
    end = middle + 1
    assert [c.name for c in trace.calls_of(end, [middle])] == ["add"]
    got = run(end, [middle], np.full((1, 2), 5.0, "float32"))
    assert got.tolist() == [[6, 6]]


def test_a_long_chain():
    x = KerasTensor((2,))
    y = x
    for _ in range(3000):
        y = y + 1
    assert run(y, [x], np.zeros(2, "float32")).tolist() == [3000, 3000]


def test_an_input_that_is_missing():
    x, other = KerasTensor((None, 2)), KerasTensor((None, 2), name="other")
    with pytest.raises(ValueError, match=r"other.*inputs"):
        run(x + other, [x], np.ones((1, 2)))
    with pytest.raises(ValueError, match="other"):
        run(other, [x], np.ones((1, 2)))


def test_masks_travel():
    x = KerasTensor((None, None), "int32")

    def embed(ids):
        out = ops.one_hot(ids, 3)
        out._keras_mask = ids != 0
        return out

    y = trace.record(embed, (x,), {})
    mask = y._keras_mask
    assert (mask.shape, mask.dtype) == ((None, None), "bool") and (x + 1)._keras_mask is None
    ids = np.array([[1, 0, 2]], "int32")
    assert run([y, mask], [x], ids)[1].tolist() == [[True, False, True]]


def test_errors():
    x = KerasTensor((None, 3))
    with pytest.raises(ValueError, match=r"matmul"):
        x @ np.ones((4, 2))
    with pytest.raises(TypeError, match=r"ops\.where"):
        bool(x > 0)
    with pytest.raises(TypeError, match="placeholder"):
        iter(x)
    with pytest.raises(TypeError, match="placeholder"):
        len(x)
    with pytest.raises(TypeError, match="argument"):
        trace.trace(lambda t: t + x, (trace.Spec((2, 3)),))
    with pytest.raises(TypeError, match="value"):
        ops.convert_to_numpy(x)
    with pytest.raises(ValueError, match="number of outputs"):
        trace.record(lambda t: [t] * t.shape[0], (x,), {})


def test_nothing_is_left_after_a_failed_record():
    with pytest.raises(ValueError, match="mine"):
        trace.record(lambda t: (_ for _ in ()).throw(ValueError("mine")), (KerasTensor((2,)),), {})
    assert trace.current() is None
