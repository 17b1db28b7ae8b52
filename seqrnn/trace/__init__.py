"""Tracing: from Python functions on symbolic values to plans of the core.

Reading order: `operators` (what symbolic values can do), `frame` (graphs being traced), `variable`,
`derivatives`, `traced` (functions to plans), `placeholder` (the functional API), `tape` and
`functions` (gradients by hand).
"""

from seqrnn.trace import nest
from seqrnn.trace.array import Array
from seqrnn.trace.derivatives import OwnGradient, gradient_nodes
from seqrnn.trace.frame import (
    Frame,
    Tensor,
    Update,
    assigning_if,
    current,
    eagerly,
    emit,
    emit1,
    entered,
    noted_outputs,
    outside_scan,
    state,
    training_is,
)
from seqrnn.trace.functions import value_and_grad
from seqrnn.trace.placeholder import Call, KerasTensor, calls_of, output_specs, record, replay
from seqrnn.trace.tape import GradientTape
from seqrnn.trace.traced import Function, Spec, Traced, check_range, trace
from seqrnn.trace.variable import Slot, Variable, substituted

import seqrnn.ops  # isort: skip  # last: sets itself as the home of the operators
