"""The cases as data: models, shapes, and what has to be reached.

A model is a tuple of layers that every implementation can build. Training minimises the mean
squared error of all steps with Adam, and reports the error of the last step as a metric.
"""

from dataclasses import dataclass

GATES = {"simple_rnn": 1, "layer_norm": 1, "lstm": 4, "lstm_in_python": 4, "gru": 3}


@dataclass(frozen=True)
class Recurrent:
    """A recurrent layer that returns all steps. `cell`: a key of GATES; 'layer_norm' is the cell
    LNSimpleRNNCell and 'lstm_in_python' an LSTM, both written in Python."""

    cell: str
    units: int
    dropout: float = 0.0
    recurrent_dropout: float = 0.0


@dataclass(frozen=True)
class Conv:
    """A one-dimensional convolution; `causal` pads on the left."""

    filters: int
    kernel: int
    stride: int = 1
    dilation: int = 1
    causal: bool = False
    relu: bool = False


@dataclass(frozen=True)
class Dense:
    """A dense layer applied to every step."""

    units: int


@dataclass(frozen=True)
class Case:
    """One model on one shape of data.

    needs: (peer, how many times as fast as it) pairs; 'best of three' is the fastest of PyTorch,
    JAX by hand and Keras on JAX, 'best' the fastest of all peers.
    share: of the machine's speed in matrix products, at least.
    peers: None for all of them, else their names.
    samples: rows of an epoch, unless they take too long.
    """

    name: str
    title: str
    layers: tuple
    batch: int = 32
    steps: int = 50
    features: int = 1
    samples: int = 7000
    needs: tuple = ()
    share: float | None = None
    peers: tuple | None = None

    @property
    def target_steps(self):
        """A slice: the steps of the input that have a target."""
        conv = self.layers[0]
        if isinstance(conv, Conv) and not conv.causal:
            return slice(conv.kernel - 1, None, conv.stride)
        return slice(None)

    def flop(self):
        """Floating point operations of the matrix products of one training step: forward, gradient
        by the weights, gradient by the input where there is somebody to receive it."""
        total, steps, features = 0, self.steps, self.features
        for place, layer in enumerate(self.layers):
            if isinstance(layer, Recurrent):
                width = GATES[layer.cell] * layer.units
                forward_x, forward_h, features = features * width, layer.units * width, layer.units
            elif isinstance(layer, Conv):
                steps = steps if layer.causal else (steps - layer.kernel) // layer.stride + 1
                forward_x, forward_h = layer.kernel * features * layer.filters, 0
                features = layer.filters
            else:
                forward_x, forward_h, features = features * layer.units, 0, layer.units
            ways = 2 if place == 0 else 3
            total += 2 * self.batch * steps * (ways * forward_x + 3 * forward_h)
        return total


def _twice(cell, units, **dropout):
    return (Recurrent(cell, units, **dropout), Recurrent(cell, units, **dropout), Dense(10))


_DILATED = tuple(Conv(20, 2, dilation=rate, causal=True, relu=True) for rate in (1, 2, 4, 8) * 2)
_LARGE = {"steps": 100, "features": 32, "samples": 3200}

_MAIN = (("keras-tensorflow", 40), ("best of three", 8))
_CELL = (("keras-tensorflow", 30), ("best of three", 6))
_REST = (("keras-tensorflow", 25), ("best of three", 5))

CASES = (
    Case("lstm", "LSTM(20) x2", _twice("lstm", 20), needs=_MAIN),
    Case("gru", "GRU(20) x2", _twice("gru", 20), needs=_MAIN),
    Case(
        "conv_gru", "Conv1D/2 + GRU(20) x2",
        (Conv(20, 4, stride=2), *_twice("gru", 20)), needs=_MAIN,
    ),
    Case("ln", "RNN(LNSimpleRNNCell(20)) x2", _twice("layer_norm", 20), needs=_CELL),
    Case(
        "lstm_dropout", "LSTM(20) x2, dropout .2",
        _twice("lstm", 20, dropout=0.2, recurrent_dropout=0.2), needs=_REST,
        peers=("keras-tensorflow", "keras-jax", "keras-torch"),
    ),
    Case("simple_rnn", "SimpleRNN(20) x2", _twice("simple_rnn", 20), needs=_REST),
    Case("conv", "8 causal dilated Conv1D(20)", (*_DILATED, Conv(10, 1)), needs=_REST),
    Case(
        "lstm128", "LSTM(128) x2, 32 x 100, 32 features",
        _twice("lstm", 128), **_LARGE, needs=(("best", 1.6),), share=0.75,
    ),
    Case(
        "lstm512", "LSTM(512), 64 x 100, 128 features",
        (Recurrent("lstm", 512), Dense(10)),
        batch=64, steps=100, features=128, samples=1280, needs=(("best", 1.2),),
    ),
    Case(
        "ln128", "RNN(LNSimpleRNNCell(128)) x2, 32 x 100",
        _twice("layer_norm", 128), **_LARGE, needs=(("best", 2),),
    ),
    Case(
        "gru2000", "GRU(64) x2, 16 x 2,000", _twice("gru", 64),
        batch=16, steps=2000, samples=320,
        needs=(("jax", 4), ("torch", 50), ("keras-tensorflow", 50)),
    ),
    Case(  # Keras on TensorFlow takes 100 s and 9.4 GB for the first step, and nobody waits for it.
        "lstm2000", "LSTM(20) x2, 32 x 2,000", _twice("lstm", 20), steps=2000, samples=640,
        peers=("torch", "jax"),
    ),
    # Our own against each other.
    Case("lstm_cell", "LSTM(20) x2 as a Python cell", _twice("lstm_in_python", 20), peers=()),
    Case("gru128", "GRU(128) x2, 32 x 100, 32 features", _twice("gru", 128), **_LARGE, peers=()),
)  # fmt: skip

BY_NAME = {case.name: case for case in CASES}
PEERS = ("keras-tensorflow", "keras-jax", "keras-torch", "torch", "jax")
BEST_OF_THREE = ("torch", "jax", "keras-jax")
