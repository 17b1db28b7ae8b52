"""Random numbers: their distributions, and what makes them the same or different."""

import itertools
import random as python_random

import numpy as np
import pytest

from seqrnn import _core, random, trace


def emitted(op, step=0, seed=3, shape=(200, 100), **attrs):
    graph = _core.Graph()
    out = graph.emit(op, [], shape=shape, seed=seed, **attrs)
    return graph.compile(out).run((), (), step=step)[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_uniform(dtype):
    x = emitted("random_uniform", dtype=dtype)
    assert x.dtype == dtype and x.min() >= 0 and x.max() < 1
    n = x.size
    assert abs(x.mean() - 0.5) < 5 / np.sqrt(12 * n)
    counts = np.histogram(x, 20, (0, 1))[0]
    assert ((counts - n / 20) ** 2 / (n / 20)).sum() < 50  # chi square, 19 degrees: 1 in 10,000


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_normal(dtype):
    x = emitted("random_normal", dtype=dtype)
    n = x.size
    assert abs(x.mean()) < 5 / np.sqrt(n) and abs(x.var() - 1) < 5 * np.sqrt(2 / n)
    assert abs((x**3).mean()) < 5 * np.sqrt(15 / n)
    assert abs((np.abs(x) < 1).mean() - 0.6827) < 0.02


def test_dropout_mask():
    x = emitted("dropout_mask", rate=0.3, dtype="float32")
    assert np.unique(x).tolist() == [0.0, np.float32(1 / 0.7)]
    assert abs((x == 0).mean() - 0.3) < 5 * np.sqrt(0.21 / x.size)
    assert (emitted("dropout_mask", rate=1.0, dtype="float32") == 0).all()
    assert (emitted("dropout_mask", rate=0.0, dtype="float32") == 1).all()


@pytest.mark.parametrize("op", ["random_uniform", "random_normal"])
def test_seed_and_step(op):
    first = emitted(op)
    np.testing.assert_array_equal(first, emitted(op))
    for other in (emitted(op, step=1), emitted(op, seed=4)):
        assert (first != other).mean() > 0.99
        assert abs(np.corrcoef(first.ravel(), other.ravel())[0, 1]) < 0.04
    shorter = emitted(op, shape=(100, 100))
    np.testing.assert_array_equal(shorter, first[:100])


def test_two_nodes_are_never_merged():
    draw = trace.trace(lambda: (random.uniform((9,)), random.uniform((9,))), ())
    a, b = draw.run(())
    assert (a != b).any()


def test_a_step_of_a_scan_draws_anew():
    from seqrnn import ops

    def step(carry, _):
        return carry, random.uniform((3,), seed=1)

    ys = ops.scan(step, np.zeros(()), length=4)[1]
    assert len(np.unique(ys)) == 12


def test_eager_seeds():
    np.testing.assert_array_equal(random.normal((5,), seed=1), random.normal((5,), seed=1))
    assert (random.normal((5,), seed=1) != random.normal((5,), seed=2)).any()
    assert (random.normal((5,)) != random.normal((5,))).any()
    a, b = (random.SeedGenerator(9) for _ in range(2))
    for _ in range(3):
        np.testing.assert_array_equal(random.normal((5,), seed=a), random.normal((5,), seed=b))
    assert (random.normal((5,), seed=a) != random.normal((5,), seed=a)).any()


def test_python_seed_fixes_what_has_no_seed():
    python_random.seed(4)
    first = random.normal((5,)), random.SeedGenerator().initial_seed
    python_random.seed(4)
    np.testing.assert_array_equal(first[0], random.normal((5,)))
    assert first[1] == random.SeedGenerator().initial_seed


def test_traced_streams_do_not_depend_on_earlier_traces():
    generator = random.SeedGenerator(5)

    def draw():
        return random.uniform((4,), seed=generator), random.uniform((4,), seed=generator)

    first, again = (trace.trace(draw, ()).run((), step=7) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert (first[0] != first[1]).any()
    assert (np.asarray(first) != np.asarray(trace.trace(draw, ()).run((), step=8))).any()


def test_derived_distributions():
    x = random.truncated_normal((20_000,), 1.0, 2.0, seed=1)
    assert np.abs(x - 1).max() <= 4 and abs(x.std() - 2 * 0.8796) < 0.03
    n = random.randint((3000,), 2, 5, seed=1)
    assert n.dtype == "int32" and set(n.tolist()) == {2, 3, 4}
    assert (np.abs(np.bincount(n)[2:] - 1000) < 130).all()
    drawn = random.categorical(np.log(np.array([[0.7, 0.3, 1e-12]], "float32")), 4000, seed=3)
    assert abs((drawn == 0).mean() - 0.7) < 0.04 and (drawn < 2).all()
    x = random.uniform((50,), -3.0, -1.0, seed=1)
    assert (x >= -3).all() and (x < -1).all()
    mask = random.dropout(np.ones((400, 2), "float32"), 0.5, noise_shape=(None, 1), seed=3)
    np.testing.assert_array_equal(mask[:, 0], mask[:, 1])
    assert set(np.unique(mask)) == {0.0, 2.0}
    assert sorted(random.shuffle(np.arange(9), seed=1).tolist()) == list(range(9))


@pytest.mark.parametrize("alpha", [0.3, 1.0, 4.5, 60.0])
def test_gamma(alpha):
    n = 20_000
    x = random.gamma((n,), alpha, dtype="float64", seed=2)
    assert x.dtype == "float64" and x.min() >= 0
    assert abs(x.mean() - alpha) < 5 * np.sqrt(alpha / n)
    assert abs(x.var() / alpha - 1) < 5 * np.sqrt((2 + 6 / alpha) / n)
    if alpha == 1.0:  # exponential: the distribution function is known
        edges = -np.log(1 - np.arange(20) / 20)
        counts = np.histogram(x, np.append(edges, np.inf))[0]
        assert ((counts - n / 20) ** 2 / (n / 20)).sum() < 50
    np.testing.assert_array_equal(x, random.gamma((n,), alpha, dtype="float64", seed=2))


def test_beta_and_binomial():
    n = 20_000
    x = random.beta((n,), 2.0, 3.0, seed=1)
    assert x.min() >= 0 and x.max() <= 1 and abs(x.mean() - 0.4) < 5 * np.sqrt(0.04 / n)
    assert abs(x.var() - 0.04) < 0.003
    counts = np.array([0, 1, 40])
    k = random.binomial((n, 3), counts, [0.5, 0.2, 0.3], seed=4)
    assert k.dtype == "float32" and (k[:, 0] == 0).all() and k.max() <= 40
    np.testing.assert_allclose(k.mean(0), [0, 0.2, 12.0], atol=0.12)
    np.testing.assert_allclose(k.var(0), [0, 0.16, 8.4], atol=0.5)
    with pytest.raises(ValueError, match="counts"):
        random.binomial((2,), 1.5, 0.5)


def test_shuffle_in_a_trace_is_drawn_anew():
    x = np.arange(20).reshape(10, 2)
    for seed in (3, random.SeedGenerator(3), None):
        draw = trace.trace(lambda x, seed=seed: random.shuffle(x, 0, seed), (trace.Spec(*_of(x)),))
        a, b, again = draw.run((x,), step=1), draw.run((x,), step=2), draw.run((x,), step=1)
        assert (a != b).any()
        np.testing.assert_array_equal(a, again)
        for found in (a, b):  # the rows stay together
            np.testing.assert_array_equal(found[np.argsort(found[:, 0])], x)


def _of(x):
    return x.shape, x.dtype.name


def test_shuffles_are_all_as_likely():
    series = random.SeedGenerator(1)
    n = 3000
    seen = [tuple(random.shuffle([0, 1, 2], seed=series)) for _ in range(n)]
    counts = np.array([seen.count(order) for order in itertools.permutations(range(3))])
    assert ((counts - n / 6) ** 2 / (n / 6)).sum() < 26  # chi square, 5 degrees: 1 in 10,000


def test_lists():
    assert random.dropout([1.0, 2.0], 0.0).tolist() == [1.0, 2.0]
    assert random.categorical([[0.0, -100.0]], 3).tolist() == [[0, 0, 0]]
    assert sorted(random.shuffle([3, 1, 2], seed=1).tolist()) == [1, 2, 3]


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (lambda: random.dropout(np.ones(3), 2.0), "rate.*0.*1.*2.0"),
        (lambda: random.dropout(np.ones(3), -1.0), "rate.*0.*1.*-1.0"),
        (lambda: random.dropout_mask((3,), float("nan")), "rate.*nan"),
        (lambda: random.gamma((3,), -1.0), "gamma: alpha.*above 0.*-1.0"),
        (lambda: random.gamma((2,), [1.0, 0.0]), "gamma: alpha.*above 0"),
        (lambda: random.beta((3,), 0.0, 1.0), "beta: alpha.*above 0.*0.0"),
        (lambda: random.beta((3,), 1.0, -2), "beta: beta.*above 0.*-2"),
        (lambda: random.binomial((3,), 5, 2.0), "binomial: probabilities.*2.0"),
        (lambda: random.randint((3,), 5, 0), "randint: minval.*below maxval, 0.*5"),
        (lambda: random.randint((3,), 0, 5, dtype="float32"), "randint.*dtype.*float32"),
        (lambda: random.uniform((3,), 0, 5, dtype="int32"), "dtype.*int32"),
        (lambda: random.categorical([1.0, 2.0], 3), r"categorical: logits.*\(2,\)"),
        (lambda: random.uniform((3,), seed=1.7), "seed.*1.7"),
        (lambda: random.uniform((3,), seed="a"), "seed.*'a'"),
        (lambda: random.SeedGenerator("a"), "SeedGenerator.*'a'"),
        (lambda: random.SeedGenerator(3, foo=1), "SeedGenerator.*foo"),
    ],
)
def test_wrong_arguments_are_named(draw, words):
    with pytest.raises(ValueError, match=words):
        draw()


def test_gamma_in_a_trace_is_drawn_anew():
    draw = trace.trace(lambda: random.gamma((50,), 2.0, seed=3), ())
    a, b, again = draw.run((), step=1), draw.run((), step=2), draw.run((), step=1)
    assert (a != b).any()
    np.testing.assert_array_equal(a, again)


def test_seed_must_be_whole():
    with pytest.raises(ValueError, match="-1"):
        random.SeedGenerator(-1)
    with pytest.raises(ValueError, match=r"1\.5"):
        random.SeedGenerator(1.5)
