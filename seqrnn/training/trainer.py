"""Training: compile, fit, evaluate, predict.

One step is one plan: forward, loss, metrics, gradients, then the optimizer, all in C. Plans are
kept per shapes, so an epoch needs two (the last batch is shorter). The loop below only cuts batches
out of arrays, runs the plan, and adds one short vector of sums to the totals.
"""

import warnings
from collections import OrderedDict

import numpy as np

from seqrnn import optimizers, trace
from seqrnn.callbacks import CallbackList, History
from seqrnn.trace import nest
from seqrnn.training import hints
from seqrnn.training.data import (
    ArrayData,
    Epochs,
    IterableData,
    as_arrays,
    check_cardinality,
    is_iterable_data,
    weights_of_classes,
)
from seqrnn.training.objective import Objective
from seqrnn.utils.progress import Progbar, write

_PLANS = 64  # kept per model; a generator of many lengths makes more
