"""Made-up time series with known structure."""

import numpy as np


def time_series(n_series=10000, n_steps=50, horizon=10, seed=42):
    """Sums of two sine waves and noise, with the next values as the target at every step.

    The generator of chapter 15 of A. Geron, "Hands-On Machine Learning" (2nd edition). Each series
    has its own frequencies f1, f2 and offsets o1, o2, all uniform in [0, 1), and for `time` running
    from 0 to 1 over its n_steps + horizon values

        value = 0.5 sin((time - o1) (10 f1 + 10))
              + 0.2 sin((time - o2) (20 f2 + 20))
              + 0.1 noise,            noise uniform in [-0.5, 0.5)

    Args:
        n_series: how many series.
        n_steps: how many values of each are input.
        horizon: how many of the following values are to be forecast at every step.
        seed: an int; a `numpy.random.RandomState`; or None for NumPy's global one. The random
            numbers are drawn in the order of the book, so `seed=42` gives the series that the book
            gets after `np.random.seed(42)`.

    Returns:
        X, Y: float32 arrays of shape (n_series, n_steps, 1) and (n_series, n_steps, horizon), where
        `Y[i, t, k]` is the value of series i at step t + 1 + k. A model that forecasts only
        after the last step has `Y[:, -1]` as its target.

    Example:
        >>> X, Y = seqrnn.datasets.time_series()
        >>> X_train, X_valid, X_test = X[:7000], X[7000:9000], X[9000:]
    """
    for name, number in (("n_series", n_series), ("n_steps", n_steps), ("horizon", horizon)):
        if number < 1:
            raise ValueError(f"time_series: {name} must be at least 1, got {number}")
    if seed is None:
        random = np.random
    elif isinstance(seed, np.random.RandomState):
        random = seed
    else:
        random = np.random.RandomState(seed)

    freq1, freq2, offset1, offset2 = random.rand(4, n_series, 1)
    time = np.linspace(0, 1, n_steps + horizon)
    series = 0.5 * np.sin((time - offset1) * (freq1 * 10 + 10))
    series += 0.2 * np.sin((time - offset2) * (freq2 * 20 + 20))
    series += 0.1 * (random.rand(n_series, n_steps + horizon) - 0.5)
    series = series.astype(np.float32)

    following = np.lib.stride_tricks.sliding_window_view(series[:, 1:], horizon, axis=1)
    return series[:, :n_steps, np.newaxis].copy(), following.copy()
