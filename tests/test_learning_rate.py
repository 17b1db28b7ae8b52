"""Learning rates and schedules, as optimizers and fit use them."""

import math

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import optimizers
from seqrnn.optimizers import schedules


def test_learning_rate_can_be_read_and_set():
    optimizer = optimizers.Adam(learning_rate=0.01)
    assert float(optimizer.learning_rate) == 0.01 == float(optimizer.lr)
    optimizer.learning_rate = 0.5
    assert float(optimizer.lr.numpy()) == 0.5
    optimizer.lr = 1
    assert float(optimizer.learning_rate) == 1.0
    optimizer.learning_rate.assign(0.25)
    assert optimizer.current_rate() == 0.25
    assert float(optimizers.Adam(lr=0.125).learning_rate) == 0.125


def test_learning_rate_takes_effect():
    optimizer, v = optimizers.SGD(1), [keras.Variable(np.zeros(1))]
    optimizer.apply([np.ones(1)], v)
    optimizer.learning_rate = 0.5
    optimizer.apply([np.ones(1)])
    np.testing.assert_array_equal(v[0].numpy(), [-1.5])


def test_schedule_is_asked_with_the_steps_made():
    steps = []

    class Recording(schedules.LearningRateSchedule):
        def __call__(self, step):
            steps.append(step)
            return 2.0 ** -(step + 1)

    optimizer, v = optimizers.SGD(Recording()), [keras.Variable(np.zeros(1))]
    steps.clear()
    optimizer.build(v)
    steps.clear()
    for _ in range(3):
        optimizer.apply([np.ones(1)])
    assert steps == [0, 1, 2]
    np.testing.assert_array_equal(v[0].numpy(), [-0.875])
    with pytest.raises(TypeError, match="schedule"):
        optimizer.learning_rate = 0.1


@pytest.mark.parametrize(
    ("schedule", "formula"),
    [
        (schedules.ExponentialDecay(0.1, 10, 0.5), lambda s: 0.1 * 0.5 ** (s / 10)),
        (
            schedules.ExponentialDecay(0.1, 10, 0.5, staircase=True),
            lambda s: 0.1 * 0.5 ** (s // 10),
        ),
        (schedules.InverseTimeDecay(0.1, 10, 0.5), lambda s: 0.1 / (1 + 0.5 * s / 10)),
        (
            schedules.PolynomialDecay(0.1, 20, 0.01, power=2),
            lambda s: 0.09 * (1 - min(s, 20) / 20) ** 2 + 0.01,
        ),
        (
            schedules.PolynomialDecay(0.1, 20, 0.01, cycle=True),
            lambda s: 0.09 * (1 - s / (20 * max(1, math.ceil(s / 20)))) + 0.01,
        ),
        (
            schedules.PiecewiseConstantDecay([10, 20], [3.0, 2.0, 1.0]),
            lambda s: 3.0 if s <= 10 else 2.0 if s <= 20 else 1.0,
        ),
        (
            schedules.CosineDecay(0.1, 20, alpha=0.2),
            lambda s: 0.1 * (0.8 * 0.5 * (1 + math.cos(math.pi * min(s, 20) / 20)) + 0.2),
        ),
        (
            schedules.CosineDecay(0.0, 20, warmup_target=0.1, warmup_steps=5),
            lambda s: 0.02 * s if s < 5 else 0.05 * (1 + math.cos(math.pi * min(s - 5, 20) / 20)),
        ),
    ],
    ids=lambda x: type(x).__name__,
)
def test_schedules(schedule, formula):
    for step in (0, 1, 4, 5, 9, 10, 11, 20, 21, 25, 40, 55):
        assert schedule(step) == pytest.approx(formula(step), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("t_mul", [0.5, 0.9, 1.0, 1.3, 2.0])
def test_cosine_restarts_begin_where_the_periods_do(t_mul):
    """Against adding up the periods one after the other; exact where these are sums of twos."""
    first = 0.0 if t_mul in (0.5, 1.0, 2.0) else 0.01
    schedule = schedules.CosineDecayRestarts(0.1, 16, t_mul=t_mul, m_mul=0.9, alpha=0.1)
    start, period, scale = 0.0, 16.0, 1.0
    for _ in range(12):
        for share in (first, 0.25, 0.75):
            cosine = 0.5 * scale * (1 + np.cos(np.pi * share))
            expected = 0.1 * (0.9 * cosine + 0.1)
            assert schedule(start + share * period) == pytest.approx(expected, rel=1e-6)
        start, period, scale = start + period, period * t_mul, scale * 0.9


def test_cosine_restarts_that_become_shorter_come_to_an_end():
    schedule = schedules.CosineDecayRestarts(0.1, 10, t_mul=0.5, alpha=0.2)
    for step in (20, 25, 10**9):  # 10 + 5 + 2.5 + ... = 20
        assert schedule(step) == pytest.approx(0.02)
    assert np.isfinite([schedule(step) for step in range(30)]).all()
    for wrong in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="CosineDecayRestarts: t_mul must be above 0"):
            schedules.CosineDecayRestarts(0.1, 10, t_mul=wrong)
    equal = schedules.CosineDecayRestarts(0.1, 3, t_mul=1.0)
    assert equal(3 * 10**12) == pytest.approx(0.1)


def test_cosine_restarts():
    schedule = schedules.CosineDecayRestarts(1.0, 10, t_mul=2.0, m_mul=0.5)
    assert schedule(0) == 1.0
    assert schedule(5) == pytest.approx(0.5)
    assert schedule(10) == 0.5
    assert schedule(20) == pytest.approx(0.25)
    assert schedule(30) == 0.25
