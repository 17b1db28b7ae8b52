"""The specs of shape, slicing and gather; `ops.specs` says what a spec is."""

from __future__ import annotations

import numpy as np
from ops import references as ref
from ops.specs import Case, OpSpec, Refused, bools, integers, normal


def _s(start, stop, step):
    return {"start": start, "stop": stop, "step": step}


SHAPE = [
    OpSpec("copy", [Case((normal(3, 4),)), Case((bools(2),))], lambda x: x),
    OpSpec(
        "reshape",
        [
            Case((normal(3, 4),), {"shape": [2, 6]}),
            Case((normal(3, 4),), {"shape": [-1, 2]}),
            Case((normal(1),), {"shape": []}),
            Case((normal(0, 3),), {"shape": [3, 0]}),
        ],
        lambda x, shape: x.reshape(shape),
        refused=[
            Refused((normal(3, 4),), ValueError, "12", {"shape": [5, 2]}),
            Refused((normal(3, 4),), ValueError, "reshape", {"shape": [-1, -1]}),
        ],
    ),
    OpSpec(
        "transpose",
        [
            Case((normal(3, 4),), {"perm": [1, 0]}),
            Case((normal(2, 3, 4),), {"perm": [1, 0, 2]}),
            Case((normal(2, 3, 4),), {"perm": [2, 0, 1]}),
            Case((integers(0, 9, 2, 3, 4, 5),), {"perm": [3, 1, 0, 2]}),
            Case((normal(3),), {"perm": [0]}),
        ],
        lambda x, perm: x.transpose(perm),
        refused=[
            Refused((normal(3, 4),), ValueError, "transpose", {"perm": [0, 0]}),
            Refused((normal(3, 4),), ValueError, "transpose", {"perm": [0]}),
        ],
    ),
    OpSpec(
        "slice",
        [
            Case((normal(5, 4),), _s([1, 0], [4, 4], [1, 1])),
            Case((normal(5, 4),), _s([0, 1], [5, 4], [2, 2])),
            Case((normal(5, 4),), _s([4, 3], [-1, 0], [-1, -2])),
            Case((normal(2, 5, 3),), _s([0, 2, 0], [2, 3, 3], [1, 1, 1])),
            Case(
                (
                    normal(
                        5,
                    ),
                ),
                _s([2], [2], [1]),
            ),
        ],
        ref.slice_,
        refused=[
            Refused((normal(5),), ValueError, "slice", _s([0], [6], [1])),
            Refused((normal(5),), ValueError, "slice", _s([0], [5], [0])),
            Refused((normal(5),), ValueError, "slice", _s([0, 0], [5, 1], [1, 1])),
        ],
    ),
    OpSpec(
        "unslice",
        [
            Case((normal(3, 4),), {"shape": [5, 4], "start": [1, 0], "step": [1, 1]}),
            Case((normal(3, 2),), {"shape": [5, 4], "start": [0, 3], "step": [2, -2]}),
        ],
        ref.unslice,
        refused=[
            Refused((normal(3),), ValueError, "unslice", {"shape": [4], "start": [2], "step": [1]}),
            Refused((normal(0),), ValueError, "unslice", {"shape": [4], "start": [0], "step": [0]}),
        ],
    ),
    OpSpec(
        "concat",
        [
            Case((normal(2, 3), normal(4, 3)), {"axis": 0}),
            Case((normal(2, 3), normal(2, 1), normal(2, 2)), {"axis": 1}),
            Case((normal(2, 3, 2), normal(2, 0, 2)), {"axis": 1}),
            Case((bools(3),), {"axis": 0}),
        ],
        lambda *xs, axis=0: np.concatenate(xs, axis),
        refused=[
            Refused((normal(2, 3), normal(2, 4)), ValueError, "concat", {"axis": 0}),
            Refused((normal(2), integers(0, 2, 2)), TypeError, "concat", {"axis": 0}),
            Refused((normal(2), normal(2)), ValueError, "axis", {"axis": 1}),
        ],
    ),
    OpSpec(
        "broadcast_to",
        [
            Case((normal(3, 1),), {"shape": [2, 3, 4]}),
            Case((normal(),), {"shape": [3]}),
            Case((normal(4),), {"shape": [3, 4]}),
        ],
        lambda x, shape: np.broadcast_to(x, shape),
        refused=[Refused((normal(3),), ValueError, "broadcast", {"shape": [2]})],
    ),
    OpSpec(
        "pad",
        [
            Case((normal(3, 4),), {"before": [1, 0], "after": [0, 2], "value": 0.5}),
            Case((normal(3),), {"before": [0], "after": [0]}),
            Case((integers(0, 9, 3),), {"before": [2], "after": [1], "value": 7}),
        ],
        lambda x, before, after, value=0: np.pad(
            x, list(zip(before, after, strict=True)), constant_values=value
        ),
        refused=[
            Refused((normal(3),), ValueError, "pad", {"before": [-1], "after": [0]}),
            Refused((normal(3),), ValueError, "pad", {"before": [1, 1], "after": [0, 0]}),
        ],
    ),
    OpSpec(
        "fill",
        [
            Case((), {"shape": [2, 3], "value": 1.5, "dtype": "float64"}),
            Case((), {"shape": [], "value": 3, "dtype": "int32"}),
            Case((), {"shape": [4], "value": 1, "dtype": "bool"}),
        ],
        lambda shape, value, dtype: np.full(shape, value, dtype),
        0,
        [Refused((), ValueError, "fill|shape|negative", {"shape": [-1], "dtype": "float32"})],
    ),
    OpSpec(
        "iota",
        [Case((), {"n": 5, "dtype": "int64"}), Case((), {"n": 3, "dtype": "float64"})],
        lambda n, dtype: np.arange(n, dtype=dtype),
        0,
        [Refused((), ValueError, "iota", {"n": -1, "dtype": "int32"})],
    ),
]

GATHER = [
    OpSpec(
        "take",
        [
            Case((normal(5, 3), integers(0, 5, 2, 4)), {"axis": 0}),
            Case((normal(2, 5, 3), integers(-5, 5, 4, dtype="int64")), {"axis": 1}),
            Case((normal(4, 6), integers(0, 6)), {"axis": 1}),
        ],
        lambda x, indices, axis=0: np.take(x, indices, axis),
        refused=[
            Refused((normal(5), normal(2)), TypeError, "take|int"),
            Refused((normal(5), integers(0, 3, 2)), ValueError, "axis", {"axis": 1}),
        ],
    ),
    OpSpec(
        "take_grad",
        [
            Case((normal(2, 4, 3), integers(0, 5, 2, 4)), {"axis": 0, "n": 5}),
            Case((normal(2, 4, 3), integers(0, 5, 4)), {"axis": 1, "n": 5}),
        ],
        ref.take_grad,
        refused=[
            Refused((normal(2, 3), integers(0, 5, 4)), ValueError, "take_grad", {"axis": 0, "n": 5})
        ],
    ),
    OpSpec(
        "pick",
        [Case((normal(3, 4, 5), integers(0, 5, 3, 4))), Case((normal(6), integers(0, 6)))],
        ref.pick,
        refused=[
            Refused((normal(3, 4), integers(0, 4, 2)), ValueError, "pick"),
            Refused((normal(3, 4), normal(3)), TypeError, "pick|int"),
        ],
    ),
    OpSpec(
        "pick_grad",
        [Case((normal(3, 4), integers(0, 5, 3, 4)), {"n": 5})],
        ref.pick_grad,
        refused=[Refused((normal(3), integers(0, 4, 2)), ValueError, "pick_grad", {"n": 4})],
    ),
]
