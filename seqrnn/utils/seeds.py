"""One seed for everything random."""

import random

import numpy as np


def set_random_seed(seed):
    """Seeds Python's and NumPy's global generators, and so all of seqrnn.

    Layers and initializers without a seed of their own draw one from Python's generator when they
    are made; `fit` draws the order of the samples from NumPy's.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
        raise ValueError(f"set_random_seed: expected a whole number, got {seed!r}.")
    random.seed(int(seed))
    np.random.seed(int(seed) % 2**32)
