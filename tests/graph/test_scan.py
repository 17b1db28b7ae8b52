"""ops.scan against plain Python loops: values, gradients, nesting, what steps may use."""

import numpy as np
import pytest

from seqrnn import ops, random, trace
from seqrnn.trace import Function, Variable

rng = np.random.default_rng(6)


def unrolled(f, init, xs, length=None, reverse=False):
    """What scan means, as a loop that is traced step by step."""
    leaves = trace.nest.flatten(xs)
    count = leaves[0].shape[0] if leaves else length
    ys = [None] * count
    carry = init
    for t in reversed(range(count)) if reverse else range(count):
        carry, ys[t] = f(carry, trace.nest.map_leaves(lambda x, t=t: x[t], xs))
    return carry, ops.stack(ys)


def both(f, init, xs, variables=(), **options):
    """(outputs, gradients) of scan and of the loop, for a loss over all outputs."""
    results = []
    for loop in (ops.scan, unrolled):

        def loss(init, xs, loop=loop):
            carry, ys = loop(f, init, xs, **options)
            flat = [*trace.nest.flatten(carry), ys]
            total = sum(ops.sum(ops.sin(t) * (i + 1.0)) for i, t in enumerate(flat))
            return total, flat

        spec = trace.nest.map_leaves(trace.Spec.like, (init, xs))
        traced = trace.trace(loss, spec, trainable=list(variables))
        results.append(traced.gradients((init, xs)))
    return results


def agree(results):
    (a, da), (b, db) = results
    for x, y in zip(trace.nest.flatten(a), trace.nest.flatten(b), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-11, atol=1e-12)
    for x, y in zip(da, db, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize(("times", "batch", "units"), [(6, 3, 4), (1, 2, 3), (5, 1, 1)])
def test_a_recurrent_cell(times, batch, units, reverse):
    W, U, b = (Variable(rng.normal(size=s) * 0.6) for s in ((2, units), (units, units), (units,)))

    def step(h, x):
        h = ops.tanh(x @ W + h @ U + b)
        return h, h * 2.0

    h0, xs = rng.normal(size=(batch, units)), rng.normal(size=(times, batch, 2))
    agree(both(step, h0, xs, (W, U, b), reverse=reverse))


def test_several_states_and_sequences():
    W = Variable(rng.normal(size=(3, 3)) * 0.5)

    def step(carry, x):
        h, (c, n) = carry
        c = c * 0.9 + x["a"] @ W
        h = ops.tanh(c) * ops.sigmoid(x["b"][0]) + h * 0.1
        return (h, [c, n + 1.0]), ops.concatenate([h, c], -1)

    init = rng.normal(size=(2, 3)), [rng.normal(size=(2, 3)), np.float64(0)]
    xs = {"a": rng.normal(size=(4, 2, 3)), "b": [rng.normal(size=(4, 2, 3))]}
    agree(both(step, init, xs, (W,)))
    _, ys = ops.scan(step, init, xs)
    assert ys.shape == (4, 2, 6)


def test_values_from_outside():
    v = Variable(rng.normal(size=(3,)))
    constant = rng.normal(size=(3,))

    def fn(x, xs):
        outer = ops.exp(x) * v

        def step(h, x_t):
            return h * 0.5 + x_t * outer + ops.square(x) + constant, h + v

        return ops.scan(step, ops.zeros_like(x), xs)

    x, xs = rng.normal(size=(3,)), rng.normal(size=(4, 3))
    carry, ys = Function(fn)(x, xs)
    h = np.zeros(3)
    for t in range(4):
        np.testing.assert_allclose(ys[t], h + v.numpy(), rtol=1e-12)
        h = h * 0.5 + xs[t] * np.exp(x) * v.numpy() + x**2 + constant
    np.testing.assert_allclose(carry, h, rtol=1e-12)


def test_gradient_by_what_is_outside():
    v, w = Variable(rng.normal(size=(3,))), Variable(rng.normal(size=(3, 3)))

    def step(h, x):
        return ops.tanh(h @ w + x * ops.exp(v)), h

    agree(both(step, rng.normal(size=(2, 3)), rng.normal(size=(5, 2, 3)), (v, w)))


def test_scan_in_scan():
    w = Variable(rng.normal(size=(3, 3)) * 0.4)

    def step(h, x):
        def inner(g, x_i):
            return ops.tanh(g @ w + x_i * h), g

        g, gs = ops.scan(inner, h, x)
        return g, ops.sum(gs, 0)

    def unrolled_step(h, x):
        def inner(g, x_i):
            return ops.tanh(g @ w + x_i * h), g

        g, gs = unrolled(inner, h, x)
        return g, ops.sum(gs, 0)

    h0, xs = rng.normal(size=(2, 3)), rng.normal(size=(3, 4, 2, 3))
    results = []
    for loop, body in ((ops.scan, step), (unrolled, unrolled_step)):

        def loss(h, x, loop=loop, body=body):
            carry, ys = loop(body, h, x)
            return ops.sum(ops.sin(carry)) + ops.sum(ops.cos(ys)), [carry, ys]

        specs = trace.Spec.like(h0), trace.Spec.like(xs)
        results.append(trace.trace(loss, specs, trainable=[w]).gradients((h0, xs)))
    agree(results)


def test_the_step_is_traced_once():
    calls = []

    def step(carry, x):
        calls.append(x.shape)
        return carry + x, None

    for times in (5, 500):
        calls.clear()
        carry, ys = ops.scan(step, np.zeros(2), np.ones((times, 2)))
        assert calls == [(2,)] and ys is None and carry.tolist() == [times, times]


def test_without_sequences():
    carry, ys = ops.scan(lambda c, x: (c * 2, c), np.float64(1), length=5)
    assert carry == 32 and ys.tolist() == [1, 2, 4, 8, 16]
    assert ops.fori_loop(2, 6, lambda i, v: v + i, np.int32(0)) == 2 + 3 + 4 + 5
    assert ops.fori_loop(3, 3, lambda i, v: v + i, np.int32(7)) == 7
    assert ops.map(lambda x: x * x, np.arange(4.0)).tolist() == [0, 1, 4, 9]


def test_a_state_that_passes_through():
    def step(carry, x):
        a, b = carry
        return (b, a), x

    (a, b), ys = ops.scan(step, (np.zeros(2), np.ones(2)), np.arange(3.0))
    assert a.tolist() == [1, 1] and b.tolist() == [0, 0] and ys.tolist() == [0, 1, 2]


def test_what_does_not_depend_on_the_step_is_outside():
    v = Variable(rng.normal(size=(3, 3)))
    nodes = {}

    def fn(xs):
        def step(h, x):
            kernel = ops.transpose(v) * 2.0
            nodes["kernel"] = kernel.frame
            nodes["own"] = (h @ kernel).frame
            return h @ kernel + x, None

        return ops.scan(step, ops.zeros((1, 3), "float64"), xs)[0]

    Function(fn)(rng.normal(size=(4, 1, 3)))
    assert nodes["kernel"].depth == 0 and nodes["own"].depth == 1


def test_dropout_masks_inside_and_outside():
    def masks(outside):
        def step(c, x):
            if outside:
                with ops.outside_scan():
                    mask = random.dropout_mask((50,), 0.5, 1)
            else:
                mask = random.dropout_mask((50,), 0.5, 1)
            return c, x * mask

        return ops.scan(step, np.float32(0), np.ones((3, 1), "float32"))[1]

    same, fresh = masks(True), masks(False)
    assert (same == same[0]).all()
    assert (fresh[0] != fresh[1]).any()


@pytest.mark.parametrize(
    ("f", "init", "xs", "text"),
    [
        (lambda c, x: (c[:1], x), np.zeros(2), np.ones((3, 2)), r"state 0.*\(2,\).*\(1,\)"),
        (lambda c, x: ([c], x), np.zeros(2), np.ones((3, 2)), "structure"),
        (lambda c, x: (c > 0, x), np.zeros(2), np.ones((3, 2)), "float64.*bool"),
        (lambda c, x: (c, x), np.zeros(2), {"a": np.ones(3), "b": np.ones(4)}, r"\[3, 4\]"),
        (lambda c, x: (c, x), np.zeros(2), None, "length"),
        (lambda c, x: (c, x), np.zeros(2), np.float64(1), "first axis"),
        (lambda c, x: (c, x), np.zeros(2), np.ones((0, 2)), "0 time steps"),
    ],
)
def test_refused(f, init, xs, text):
    with pytest.raises(ValueError, match=text):
        ops.scan(f, init, xs)
    assert trace.current() is None


def test_the_step_must_return_a_pair():
    with pytest.raises(TypeError, match="carry, output"):
        ops.scan(lambda c, x: c, 0.0, np.ones(3))


def test_a_tensor_of_a_step_used_after_the_scan():
    kept = []

    def fn(xs):
        ops.scan(lambda c, x: (kept.append(x) or c + x, None), 0.0, xs)
        return kept[0] + 1

    with pytest.raises(ValueError, match="already been traced"):
        Function(fn)(np.ones(3))


def test_cond():
    fn = Function(lambda x: ops.cond(ops.sum(x) > 0, lambda: x * 2, lambda: -x))
    assert fn(np.ones(2)).tolist() == [2, 2] and fn(-np.ones(2)).tolist() == [1, 1]
    assert ops.cond(True, lambda: 1, lambda: 2) == 1
