"""The specs of normalisation, convolution and recurrence; `ops.specs` says what a spec is."""

import itertools

import numpy as np
from ops import references as ref
from ops.specs import Case, OpSpec, Refused, bools, integers, normal


def _norm_stats(x, epsilon=1e-3):
    return ref.layer_norm(x, epsilon=epsilon)[1:]


_x = normal(4, 7)

NORMALISATION = [
    OpSpec(
        "layer_norm",
        [
            Case((normal(4, 7), normal(7), normal(7)), {"epsilon": 1e-3}),
            Case((normal(2, 3, 20), normal(20), None), {"epsilon": 1e-5}),
            Case((normal(5, 6), None, normal(6)), {"epsilon": 1e-3}),
            Case((normal(5, 33), None, None), {"epsilon": 1e-3}),
        ],
        ref.layer_norm,
        refused=[
            Refused((normal(4, 7), normal(6), None), ValueError, "layer_norm"),
            Refused((integers(0, 3, 4, 7), None, None), TypeError, "layer_norm"),
        ],
    ),
    OpSpec(
        "layer_norm_grad",
        [
            Case((normal(4, 7), _x, *_norm_stats(_x), normal(7))),
            Case((normal(4, 7), _x, *_norm_stats(_x), None)),
        ],
        ref.layer_norm_grad,
        0,
        [Refused((normal(4, 6), _x, *_norm_stats(_x), None), ValueError, "layer_norm_grad")],
    ),
]

_PAIRS = [  # (stride, dilation, pad_left, pad_right)
    (1, 1, 0, 0),
    (2, 1, 0, 0),
    (1, 1, 1, 2),
    (1, 3, 0, 0),
    (1, 2, 4, 0),
    (3, 1, 2, 1),
    (2, 2, 1, 0),
]


def _conv_cases():
    for stride, dilation, left, right in _PAIRS:
        attrs = {"stride": stride, "dilation": dilation, "pad_left": left, "pad_right": right}
        yield Case((normal(2, 11, 3), normal(3, 3, 4)), attrs)
    yield Case((normal(3, 8, 1), normal(2, 1, 5)), {})
    yield Case((normal(1, 4, 2), normal(4, 2, 1)), {})
    yield Case((normal(2, 9, 4), normal(3, 2, 6)), {"groups": 2, "stride": 2, "pad_left": 1})
    yield Case((normal(2, 9, 3), normal(2, 1, 3)), {"groups": 3, "dilation": 2})
    yield Case((normal(2, 9, 4), normal(2, 2, 6), normal(6)), {"groups": 2, "pad_left": 1})
    yield Case((normal(1, 14, 6), normal(2, 6, 5), normal(5)), {"dilation": 4, "pad_left": 4})


def _transposed_cases():
    for stride, dilation, left, right in _PAIRS:
        attrs = {"stride": stride, "dilation": dilation, "pad_left": left, "pad_right": right}
        attrs["length"] = 4 * stride + 2 * dilation + 1 - left - right
        yield Case((normal(2, 5, 4), normal(3, 3, 4)), attrs)
    more = {"stride": 3, "length": 15}  # steps behind that nothing reaches
    yield Case((normal(2, 5, 4), normal(1, 3, 4)), more)
    yield Case((normal(2, 5, 6), normal(3, 2, 6)), {"groups": 2, "stride": 2, "length": 11})
    yield Case((normal(2, 5, 3), normal(2, 1, 3)), {"groups": 3, "length": 6})


CONVOLUTION = [
    OpSpec(
        "conv1d",
        list(_conv_cases()),
        ref.conv1d,
        refused=[
            Refused((normal(2, 3, 1), normal(5, 1, 4)), ValueError, "conv1d.*5|kernel.*5"),
            Refused((normal(2, 9, 3), normal(2, 2, 4)), ValueError, "conv1d"),
            Refused((normal(9, 3), normal(2, 3, 4)), ValueError, "conv1d"),
            Refused((normal(2, 9, 3), normal(2, 3, 4)), ValueError, "stride", {"stride": 0}),
            Refused((integers(0, 2, 2, 9, 3), integers(0, 2, 2, 3, 4)), TypeError, "conv1d"),
            Refused((normal(2, 9, 3), normal(2, 3, 4), normal(3)), ValueError, r"bias.*\(4,\)"),
        ],
    ),
    OpSpec(
        "conv1d_dx",
        [*_transposed_cases()],
        ref.conv1d_dx,
        refused=[
            Refused((normal(2, 5, 4), normal(3, 2, 3)), ValueError, "filters", {"length": 7}),
            Refused((normal(2, 5, 4), normal(3, 2, 4)), ValueError, "time steps", {"length": 9}),
        ],
    ),
    OpSpec("conv1d_dw", [], None, 0, elsewhere="the gradient of conv1d"),
]


def _dropout(gates, batch, units):
    return np.where(bools(gates, batch, units), 0.0, 1.6)


def _mask(times, batch, pattern):
    steps, rows = np.arange(times)[:, None], np.arange(batch)
    if pattern == "gaps":
        return (steps + rows) % 3 != 1
    if pattern == "left":
        return steps >= rows % times
    return np.broadcast_to(rows % 2 == 0, (times, batch)).copy()  # whole rows masked


def _sequences(gates, states, biased=False):
    """Cases of the layers: (T, B, U), mask, dropout, attributes."""
    sizes = [(4, 3, 5), (1, 2, 3), (5, 1, 1), (3, 19, 4)]
    options = [
        ((4, 3, 5), "gaps", None, {}),
        ((4, 3, 5), "gaps", None, {"reverse": True, "zero_output": True}),
        ((4, 3, 5), "left", 1, {"reverse": True}),
        ((4, 3, 5), "rows", 1, {"zero_output": True}),
        ((4, 3, 5), None, gates, {}),
        ((4, 3, 5), "gaps", gates, {"reverse": True}),
    ]
    rows = [(size, None, None, {}) for size in sizes] + options
    for (times, batch, units), pattern, dropout, attrs in rows:
        mask = None if pattern is None else _mask(times, batch, pattern)
        rmask = None if dropout is None else _dropout(dropout, batch, units)
        yield _sequence(gates, states, (times, batch, units), mask, rmask, attrs, biased)


def _sequence(gates, states, size, mask=None, rmask=None, attrs=None, biased=False, scale=1.0):
    times, batch, units = size
    bias = (normal(gates * units) * 0.3,) if biased else ()
    return Case(
        (
            normal(times, batch, gates * units) * scale,
            normal(units, gates * units) * 0.5 * scale,
            *bias,
            *(normal(batch, units) * scale for _ in range(states)),
            mask,
            rmask,
        ),
        attrs or {},
    )


def _activations(gates, states, biased=False, recurrent=True):
    """Every activation in both places; small numbers, for some of them grow without bound."""
    places = ("activation", "recurrent_activation") if recurrent else ("activation",)
    for word, place in itertools.product(ref.ACTIVATIONS, places):
        attrs = {place: word}
        yield _sequence(gates, states, (3, 2, 4), attrs=attrs, biased=biased, scale=0.3)


def _gru_before():
    """reset_after=False: no recurrent bias, the reset gate acts on the state."""
    for dropout, reverse in itertools.product((None, 1, 3), (False, True)):
        rmask = None if dropout is None else _dropout(dropout, 3, 5)
        attrs = {"reset_after": False, "reverse": reverse}
        case = _sequence(3, 1, (4, 3, 5), _mask(4, 3, "gaps"), rmask, attrs)
        xz, R, *rest = case.inputs
        yield Case((xz, R, None, *rest), attrs)


RECURRENCE = [
    OpSpec(
        "rnn",
        [*_sequences(1, 1), *_activations(1, 1, recurrent=False)],
        ref.rnn,
        2,
        [
            Refused((normal(4, 3, 5), normal(5, 4), normal(3, 5)), ValueError, "rnn"),
            Refused((normal(4, 3, 5), normal(5, 5), normal(2, 5)), ValueError, "rnn.*state"),
            Refused((normal(0, 3, 5), normal(5, 5), normal(3, 5)), ValueError, "rnn"),
            Refused((normal(4, 3, 5), normal(5, 5), normal(3, 5), bools(4, 2)), ValueError, "mask"),
            Refused(
                (normal(2, 3, 5), normal(5, 5), normal(3, 5)),
                ValueError,
                "activation",
                {"activation": "tahn"},
            ),
        ],
        wrt=(0, 1, 2),
    ),
    OpSpec(
        "lstm",
        [*_sequences(4, 2), *_activations(4, 2)],
        ref.lstm,
        3,
        [
            Refused(
                (normal(4, 3, 18), normal(5, 20), normal(3, 5), normal(3, 5)), ValueError, "lstm"
            ),
            Refused(
                (normal(4, 3, 20), normal(5, 20), normal(3, 5), normal(3, 4)), ValueError, "lstm"
            ),
        ],
        wrt=(0, 1, 2, 3),
    ),
    OpSpec(
        "gru",
        [*_sequences(3, 1, biased=True), *_activations(3, 1, biased=True), *_gru_before()],
        ref.gru,
        2,
        [
            Refused((normal(4, 3, 15), normal(5, 15), normal(14), normal(3, 5)), ValueError, "gru"),
        ],
        wrt=(0, 1, 2, 3),
    ),
    OpSpec("rnn_grad", [], None, 0, elsewhere="the gradient of rnn"),
    OpSpec("lstm_grad", [], None, 0, elsewhere="the gradient of lstm"),
    OpSpec("gru_grad", [], None, 0, elsewhere="the gradient of gru"),
    OpSpec("scan", [], None, 0, elsewhere="tests/graph/test_scan.py"),
]
