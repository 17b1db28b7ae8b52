"""Random functional models: branches, merges, shared layers, attention, several inputs and outputs.

A graph is drawn as plain data, so that a failing example prints as one can read it:

    {"inputs": kinds, "steps": [(kind, sources, name, options)], "outputs": [(source, end)]}

A source is a number, counted modulo the values there are: sequences (batch, time, features), which
all have one length, so that any two can be merged.
"""

import numpy as np
from hypothesis import strategies as st
from random_models import ACTIVATIONS, RATES, RECURRENT, RECURRENT_OPTIONS, SIZES, layer, sized

import seqrnn as keras

TOKENS = 6
SMOOTH = st.sampled_from(["linear", "tanh", "sigmoid", "softplus", "swish"])
MERGES = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"]
INPUTS = st.sampled_from(["series", "tokens", "padded"])
ENDS = ["sequence", "GRU", "Bidirectional", "GlobalAveragePooling1D", "GlobalMaxPooling1D"]


def sequences(recurrent):
    """The drawn recurrent layer, with an output for each step, in the order of the input."""
    name, options = recurrent
    return name, {**options, "return_sequences": True, "go_backwards": False}


def stack(cells):
    return "StackedRNNCells", {"cells": [(f"{name}Cell", options) for name, options in cells]}


CELL_OPTIONS = {k: v for k, v in RECURRENT_OPTIONS.items() if k != "go_backwards"}
CELLS = st.one_of(
    sized("SimpleRNN", "units", **CELL_OPTIONS),
    sized("LSTM", "units", **CELL_OPTIONS),
    sized("GRU", "units", reset_after=st.booleans(), **CELL_OPTIONS),
)
# What a mask passes through: (batch, time, features) -> (batch, time, features').
MASKED_LAYERS = st.one_of(
    RECURRENT.map(sequences),
    st.tuples(RECURRENT.map(sequences), st.sampled_from(["concat", "sum", "ave", "mul"])).map(
        lambda drawn: ("Bidirectional", {"layer": drawn[0], "merge_mode": drawn[1]})
    ),
    st.lists(CELLS, min_size=1, max_size=3).map(stack),
    sized("Dense", "units", activation=ACTIVATIONS),
    sized("Dense", "units").map(lambda dense: ("TimeDistributed", {"layer": dense})),
    layer("LayerNormalization", center=st.booleans()),
    layer("BatchNormalization", scale=st.booleans()),
    layer("Dropout", rate=RATES).map(lambda d: (d[0], {"rate": 0.2, **d[1]})),
    layer("PReLU").map(lambda p: (p[0], {"shared_axes": [1]})),
    layer("LeakyReLU"),
)
# What ends a mask, as in Keras.
UNMASKED_LAYERS = st.one_of(
    layer("RMSNormalization"),
    *[
        st.fixed_dictionaries(
            {**size, "kernel_size": st.integers(1, 3), "padding": st.just("same")},
            optional=options,
        ).map(lambda drawn, name=name: (name, drawn))
        for name, size, options in (
            ("Conv1D", {"filters": SIZES}, {"dilation_rate": st.integers(1, 2)}),
            ("SeparableConv1D", {"filters": SIZES}, {"depth_multiplier": st.integers(1, 2)}),
            ("DepthwiseConv1D", {}, {"depth_multiplier": st.integers(1, 2)}),
            ("Conv1DTranspose", {"filters": SIZES}, {"use_bias": st.booleans()}),
        )
    ],
    st.just(("AveragePooling1D", {"pool_size": 2, "strides": 1, "padding": "same"})),
)
ATTENTION = st.one_of(
    st.fixed_dictionaries(
        {"num_heads": st.integers(1, 2), "key_dim": SIZES},
        optional={"use_bias": st.booleans(), "value_dim": SIZES, "dropout": RATES},
    ).map(lambda options: ("MultiHeadAttention", options)),
    st.just({"head_dim": 2, "num_query_heads": 4, "num_key_value_heads": 2}).map(
        lambda options: ("GroupQueryAttention", options)
    ),
    layer("Attention", use_scale=st.booleans(), score_mode=st.sampled_from(["dot", "concat"])),
    layer("AdditiveAttention", use_scale=st.booleans()),
)
SOURCES = st.integers(0, 20)


def steps(layers):
    pair = st.tuples(SOURCES, SOURCES)
    return st.one_of(
        st.tuples(st.just("layer"), st.tuples(SOURCES), layers).map(flat),
        st.tuples(st.just("merge"), pair, st.sampled_from(MERGES).map(lambda m: (m, {}))).map(flat),
        st.tuples(st.just("attention"), pair, ATTENTION).map(flat),
        st.tuples(st.just("state"), pair, CELLS).map(flat),
        st.tuples(st.just("again"), pair).map(lambda again: (*again, "", {})),
    )


def flat(drawn):
    kind, sources, (name, options) = drawn
    return kind, sources, name, options


@st.composite
def graphs(draw, layers=MASKED_LAYERS | UNMASKED_LAYERS, inputs=INPUTS, outputs=2, ends=ENDS):
    """A graph as data."""
    return {
        "inputs": draw(st.lists(inputs, min_size=1, max_size=2)),
        "steps": draw(st.lists(steps(layers), min_size=1, max_size=5)),
        "outputs": draw(
            st.lists(st.tuples(SOURCES, st.sampled_from(ends)), min_size=1, max_size=outputs)
        ),
    }


# ---- from data to models ----


def made(name, options):
    """The layer of a name and options; layers in the options are such pairs too."""
    options = dict(options)
    if name == "StackedRNNCells":
        cells = [made(*cell) for cell in options["cells"]]
        return keras.layers.RNN(cells, return_sequences=True)
    if "layer" in options:
        options["layer"] = made(*options["layer"])
    return getattr(keras.layers, name)(**options)


class Building:
    """A functional model that grows step by step."""

    def __init__(self, graph, time, features):
        self.inputs, self.values, self.calls = [], [], []
        for kind in graph["inputs"]:
            self._input(kind, time, features)
        for step in graph["steps"]:
            self._step(*step)
        self.outputs = [self._output(*output) for output in graph["outputs"]]

    def _input(self, kind, time, features):
        if kind == "tokens":
            x = keras.Input((time,), dtype="int32")
            value = keras.layers.Embedding(TOKENS, features, mask_zero=True)(x)
        else:
            x = keras.Input((time, features))
            value = keras.layers.Masking()(x) if kind == "padded" else x
        self.inputs.append(x)
        self.values.append(value)

    def _value(self, source):
        return self.values[source % len(self.values)]

    def _step(self, kind, sources, name, options):
        first, other = self._value(sources[0]), self._value(sources[-1])
        if kind == "layer":
            new = self._call(made(name, options), first)
        elif kind == "merge":
            if first.shape[-1] != other.shape[-1]:
                name = "Concatenate"
            new = getattr(keras.layers, name)()([first, other])
        elif kind == "attention":
            new = self._attention(made(name, options), first, other)
        elif kind == "state":
            new = self._state(name, options, first, other)
        else:
            new = self._again(first, sources[1])
        self.values.append(new)

    def _call(self, layer, value):
        new = layer(value)
        self.calls.append((layer, value.shape[-1]))
        return new

    def _attention(self, layer, query, value):
        if "Head" in type(layer).__name__ or "Quer" in type(layer).__name__:
            return layer(query, value)
        if query.shape[-1] != value.shape[-1]:
            value = keras.layers.Dense(query.shape[-1])(value)
        return layer([query, value])

    def _state(self, name, options, encoded, decoded):
        """The states that one layer ends with are those that another begins with."""
        encoder = getattr(keras.layers, name)(**options, return_state=True)
        decoder = getattr(keras.layers, name)(**options, return_sequences=True)
        return decoder(decoded, initial_state=encoder(encoded)[1:])

    def _again(self, value, number):
        """A layer that was called before, called again, if the sizes fit."""
        fitting = [layer for layer, features in self.calls if features == value.shape[-1]]
        return fitting[number % len(fitting)](value) if fitting else value

    def _output(self, source, end):
        value = self._value(source)
        if end == "Bidirectional":
            value = keras.layers.Bidirectional(keras.layers.LSTM(2))(value)
        elif end == "GRU":
            value = keras.layers.GRU(3)(value)
        elif end != "sequence":
            value = getattr(keras.layers, end)()(value)
        return keras.layers.Dense(2)(value)


def build(graph, time, features):
    """The functional model of a graph; a list of outputs only if there are several."""
    building = Building(graph, time, features)
    outputs = building.outputs
    return keras.Model(building.inputs, outputs if len(outputs) > 1 else outputs[0])


def data_for(model, graph, batch, seed=0, lengths=None):
    """(inputs, targets), lists of arrays; padded steps are zeros, no row is all padding."""
    random = np.random.RandomState(seed)
    dtype, time = keras.config.floatx(), model.inputs[0].shape[1]
    if lengths is None:
        lengths = random.randint(1, time + 1, size=batch)
    counts = np.arange(time) < np.asarray(lengths)[:, None]
    inputs = []
    for kind, x in zip(graph["inputs"], model.inputs, strict=True):
        if kind == "tokens":
            inputs.append(random.randint(1, TOKENS, size=(batch, time)) * counts)
        else:
            values = random.normal(size=(batch, *x.shape[1:])).astype(dtype)
            inputs.append(values * counts[..., None] if kind == "padded" else values)
    targets = [random.normal(size=(batch, *y.shape[1:])).astype(dtype) for y in model.outputs]
    return inputs, targets


def listed(outputs):
    """Outputs as a list of arrays."""
    return [np.asarray(y) for y in (outputs if isinstance(outputs, list) else [outputs])]
