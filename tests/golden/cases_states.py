"""States: stateful layers over several batches, return_state, encoders that start decoders."""

import numpy as np
from golden_builders import arrays_of, integers, model_case, normal, weighted, whole
from golden_case import CallCase
from golden_fit import FitCase
from golden_kinds import FactCase, RefusalCase

BATCH, FEATURES, UNITS = 3, 2, 4
SEQUENCES = {"return_sequences": True}
EVERYTHING = {"return_sequences": True, "return_state": True}


def simple_rnn(k, **options):
    return k.layers.SimpleRNN(UNITS, **options)


def lstm(k, **options):
    return k.layers.LSTM(UNITS, **options)


def gru(k, **options):
    return k.layers.GRU(UNITS, **options)


def rnn(k, **options):
    return k.layers.RNN(k.layers.GRUCell(UNITS), **options)


def stack(k, **options):
    return k.layers.RNN([k.layers.LSTMCell(UNITS), k.layers.GRUCell(3)], **options)


def bidirectional(k, **options):
    return k.layers.Bidirectional(k.layers.LSTM(UNITS, **options))


LAYERS = {
    "simple_rnn": simple_rnn,
    "lstm": lstm,
    "gru": gru,
    "rnn": rnn,
    "stack": stack,
    "bidirectional": bidirectional,
}


# ---- stateful ----


def _in_a_row(make, reset_after=None, **options):
    """The layer on one batch after the other; reset after some of them."""

    def call(k, *batches):
        layer = make(k, stateful=True, **options)
        layer.build(batches[0].shape)
        weighted(layer, "stateful")
        results = []
        for i, batch in enumerate(batches):
            results += arrays_of(layer(batch))
            if i == reset_after:
                layer.reset_state()
        return results

    return call


def _stateful(name, make, **options):
    batches = [normal(BATCH, time, FEATURES) for time in (5, 5, 3)]
    return CallCase(f"stateful_{name}", _in_a_row(make, **options), batches)


STATEFUL = [
    _stateful(f"{name}{suffix}", make, **options)
    for name, make in LAYERS.items()
    for suffix, options in [
        ("", {}),
        ("_sequences", SEQUENCES),
        ("_reset", {"reset_after": 1}),
    ]
    if (name, suffix) != ("stack", "_reset")  # Keras can't reset nested states
]
STATEFUL += [
    _stateful(f"{name}_{suffix}", make, **options)
    for name, make in LAYERS.items()
    if name != "bidirectional"  # go_backwards is its own; with return_state Keras's fails
    for suffix, options in [("backwards", {"go_backwards": True}), ("everything", EVERYTHING)]
]


def _masked(make):
    def call(k, a, b):
        layer = make(k, stateful=True, return_sequences=True)
        layer.build(a.shape)
        weighted(layer, "stateful")
        mask = np.array([[1, 1, 0, 0], [0, 0, 0, 0], [0, 1, 0, 1]], bool)
        return [np.asarray(layer(a, mask=mask)), np.asarray(layer(b))]

    return call


STATEFUL += [
    CallCase(
        f"stateful_{name}_masked",
        _masked(LAYERS[name]),
        [normal(BATCH, 4, FEATURES), normal(BATCH, 3, FEATURES)],
    )
    for name in ("lstm", "gru", "stack", "bidirectional")
]


def _remembering(make):
    def build(k):
        x = k.Input(batch_shape=(BATCH, 5, FEATURES))
        return k.Model(x, k.layers.Dense(2)(make(k, stateful=True, return_sequences=True)(x)))

    return whole(build)


STATEFUL += [
    FitCase(
        f"fit_stateful_{name}",
        _remembering(make),
        {"x": normal(3 * BATCH, 5, FEATURES), "y": normal(3 * BATCH, 5, 2)},
        lambda k: {"loss": "mse", "optimizer": k.optimizers.SGD(0.1), "metrics": ["mae"]},
        {"batch_size": BATCH, "epochs": 2},
    )
    for name, make in LAYERS.items()
]

# ---- one model hands its states to another ----


def _encoder_decoder(make, wrapped=False):
    """A decoder that starts in the state of the encoder, on other lengths."""

    def build(k):
        source, target = k.Input((5, FEATURES)), k.Input((3, FEATURES))
        _, *states = make(k, return_state=True)(source)
        if wrapped and len(states) == 1:
            states = states[0]  # a tensor instead of a list
        decoded = make(k, return_sequences=True)(target, initial_state=states)
        return k.Model([source, target], k.layers.Dense(2)(decoded))

    return build


def _embedded_encoder_decoder(k):
    source, target = k.Input((5,), dtype="int32"), k.Input((4,), dtype="int32")
    embedding = k.layers.Embedding(6, 3)
    _, h, c = k.layers.LSTM(UNITS, return_state=True)(embedding(source))
    decoder = k.layers.LSTM(UNITS, return_sequences=True, return_state=True)
    decoded, *_ = decoder(embedding(target), initial_state=[h, c])
    return k.Model([source, target], k.layers.Dense(6, activation="softmax")(decoded))


def _bidirectional_encoder(k):
    """The states of both directions side by side start a decoder that is twice as wide."""
    source, target = k.Input((5, FEATURES)), k.Input((3, FEATURES))
    encoder = k.layers.Bidirectional(k.layers.LSTM(UNITS, return_state=True))
    _, h, c, h_back, c_back = encoder(source)
    states = [k.layers.Concatenate()([h, h_back]), k.layers.Concatenate()([c, c_back])]
    decoded = k.layers.LSTM(2 * UNITS, return_sequences=True)(target, initial_state=states)
    return k.Model([source, target], k.layers.Dense(2)(decoded))


def _bidirectional_decoder(k):
    source, target = k.Input((5, FEATURES)), k.Input((3, FEATURES))
    _, *states = k.layers.Bidirectional(k.layers.GRU(UNITS, return_state=True))(source)
    decoder = k.layers.Bidirectional(k.layers.GRU(UNITS, return_sequences=True))
    return k.Model([source, target], k.layers.Dense(2)(decoder(target, initial_state=states)))


def _learned_start(k):
    """A state that a Dense layer makes of features that do not change with time."""
    series, still = k.Input((5, FEATURES)), k.Input((3,))
    state = k.layers.Dense(UNITS, activation="tanh")(still)
    return k.Model([series, still], k.layers.GRU(UNITS)(series, initial_state=state))


PAIR = [normal(BATCH, 5, FEATURES), normal(BATCH, 3, FEATURES)]
CHAINS = [
    model_case(f"encoder_decoder_{name}", _encoder_decoder(LAYERS[name]), PAIR)
    for name in ("simple_rnn", "lstm", "gru", "rnn", "stack")
]
CHAINS += [
    model_case(f"encoder_decoder_{name}_tensor", _encoder_decoder(LAYERS[name], True), PAIR)
    for name in ("simple_rnn", "gru")
]
CHAINS += [
    model_case(
        "encoder_decoder_embedded",
        _embedded_encoder_decoder,
        [integers(6, BATCH, 5), integers(6, BATCH, 4)],
    ),
    model_case("bidirectional_encoder", _bidirectional_encoder, PAIR),
    model_case("bidirectional_decoder", _bidirectional_decoder, PAIR),
    model_case("learned_start", _learned_start, [normal(BATCH, 5, FEATURES), normal(BATCH, 3)]),
]

# ---- names, shapes, counts ----


def _shapes(outputs):
    if isinstance(outputs, list | tuple):
        return [_shapes(output) for output in outputs]
    return list(outputs.shape)


def _states_of(make):
    """Shapes of the outputs and states in a functional model, for an unknown length."""

    def call(k):
        x = k.Input((None, FEATURES))
        return [
            _shapes(make(k, **options)(x)) for options in ({}, {"return_state": True}, EVERYTHING)
        ]

    return call


def _names_of_bidirectional(k):
    named = k.layers.Bidirectional(k.layers.GRU(2, name="reader"), name="both")
    plain = k.layers.Bidirectional(k.layers.LSTM(2))
    given = k.layers.Bidirectional(
        k.layers.LSTM(2, name="forward_a"),
        backward_layer=k.layers.LSTM(2, name="b", go_backwards=True),
    )
    return [[b.name, b.forward_layer.name, b.backward_layer.name] for b in (named, plain, given)]


def _weights_of_bidirectional(k):
    layer = k.layers.Bidirectional(k.layers.GRU(2, name="reader"), name="both")
    layer.build((None, 5, 3))
    return [[w.path, list(w.shape)] for w in layer.weights]


def _attributes_of_bidirectional(k):
    layer = k.layers.Bidirectional(k.layers.GRU(2, **EVERYTHING), merge_mode="ave")
    names = ("merge_mode", "return_sequences", "return_state", "stateful", "supports_masking")
    return {name: getattr(layer, name) for name in names} | {
        f"{way}_{name}": getattr(getattr(layer, f"{way}_layer"), name)
        for way in ("forward", "backward")
        for name in ("go_backwards", "zero_output_for_mask", "return_sequences")
    }


def _keyword(k, x):
    layer = k.layers.LSTM(2)
    return bool(np.array_equal(layer(sequences=x), layer(x)))


def _structure_of_stack(k):
    """Shapes of what a stack of a GRUCell and an LSTMCell gives for an array, nested as it is."""
    layer = k.layers.RNN([k.layers.GRUCell(3), k.layers.LSTMCell(2)], return_state=True)

    def shapes(value):
        nested = isinstance(value, list | tuple)
        return [shapes(each) for each in value] if nested else list(value.shape)

    return shapes(layer(np.ones((2, 4, 3), np.float32)))


FACTS = [
    *[FactCase(f"shapes_{name}", _states_of(make)) for name, make in LAYERS.items()],
    FactCase(
        "structure_of_stack",
        _structure_of_stack,
        differs="Keras gives lists of one for arrays, bare states for placeholders; here both bare",
        here=[[2, 2], [2, 3], [[2, 2], [2, 2]]],
    ),
    FactCase("bidirectional_names", _names_of_bidirectional),
    FactCase("bidirectional_weights", _weights_of_bidirectional),
    FactCase("bidirectional_attributes", _attributes_of_bidirectional),
    FactCase("sequences_keyword", _keyword, [normal(2, 3, 2)]),
    *[
        FactCase(f"state_size_{name}", lambda k, make=make: make(k).state_size)
        for name, make in LAYERS.items()
        if name != "bidirectional"
    ],
]

X = np.zeros((2, 5, 3), np.float32)


def _cell(k, **attributes):
    """A cell with a `call`, and whatever else is given."""
    attributes["call"] = lambda self, inputs, states: (inputs, states)
    return type("Cell", (k.layers.Layer,), attributes)()


def _other_batch(make):
    def call(k):
        layer = make(k, stateful=True)
        layer(X)
        layer(np.concatenate([X, X]))

    return call


BACKENDS = {"raises": ValueError, "differs": "Keras's class is that of its backend's failure"}

REFUSED = [
    RefusalCase("rnn_of_a_number", lambda k: k.layers.RNN(3), ["cell", "call"]),
    RefusalCase("cell_without_state_size", lambda k: k.layers.RNN(_cell(k)), ["state_size"]),
    RefusalCase(
        "cell_with_state_size_none",
        lambda k: k.layers.RNN(_cell(k, state_size=None)),
        ["state_size"],
    ),
    RefusalCase(
        "cell_with_state_size_text",
        lambda k: k.layers.RNN(_cell(k, state_size="wide")),
        ["state_size", "wide"],
    ),
    RefusalCase(
        "stack_of_numbers", lambda k: k.layers.StackedRNNCells([3]), ["cell", "call", "int"]
    ),
    RefusalCase(
        "stack_without_state_size",
        lambda k: k.layers.StackedRNNCells([_cell(k)]),
        ["state_size"],
    ),
    RefusalCase(
        "stack_of_none", lambda k: k.layers.StackedRNNCells([]), ["list of cells"], ValueError
    ),
    RefusalCase(
        "rnn_of_a_layer",
        lambda k: k.layers.RNN(k.layers.LSTM(3)),
        ["LSTM", "one step"],
        TypeError,
    ),
    *[
        RefusalCase(
            f"units_{name}_{units}",
            lambda k, n=name, u=units: getattr(k.layers, n)(u),
            ["units", str(units)],
        )
        for name in ("SimpleRNN", "LSTM", "GRU", "SimpleRNNCell", "LSTMCell", "GRUCell")
        for units in (0, -1)
    ],
    *[
        RefusalCase(
            f"stateful_{name}_without_batch_size",
            lambda k, make=make: make(k, stateful=True)(k.Input((5, 3))),
            ["stateful", "batch", "(None, 5, 3)"],
        )
        for name, make in LAYERS.items()
    ],
    *[
        RefusalCase(
            f"stateful_{name}_other_batch", _other_batch(make), ["stateful", "batch", "2", "4"]
        )
        for name, make in LAYERS.items()
    ],
    RefusalCase(
        "too_few_states",
        lambda k: lstm(k)(X, initial_state=[np.zeros((2, UNITS), np.float32)]),
        ["LSTMCell", "2 states", "got 1"],
        **BACKENDS,
    ),
    RefusalCase(
        "state_of_another_size",
        lambda k: gru(k)(X, initial_state=np.zeros((2, 3), np.float32)),
        ["initial_state", "(2, 4)", "(2, 3)"],
        **BACKENDS,
    ),
    RefusalCase(
        "states_among_the_inputs",
        lambda k: gru(k)([X, np.zeros((2, UNITS), np.float32)]),
        ["one input", "2", "initial_state"],
    ),
    RefusalCase("no_steps", lambda k: gru(k)(X[:, :0]), ["time step"], **BACKENDS),
    RefusalCase(
        "features_changed",
        lambda k: (lambda g: (g(X), g(X[..., :2])))(gru(k)),
        ["3", "(2, 5, 2)"],
        **BACKENDS,
    ),
    RefusalCase("two_axes", lambda k: gru(k)(X[0]), ["3-D", "(5, 3)"]),
    RefusalCase("constants", lambda k: gru(k)(X, constants=X), ["constants"]),
    RefusalCase("time_major", lambda k: gru(k, time_major=True), ["time_major"]),
    RefusalCase("unknown_activation", lambda k: gru(k, activation="tanhh"), ["tanhh"]),
    RefusalCase("bidirectional_of_a_number", lambda k: k.layers.Bidirectional(3), ["Layer", "3"]),
    RefusalCase(
        "bidirectional_of_a_class", lambda k: k.layers.Bidirectional(k.layers.LSTM), ["LSTM(...)"]
    ),
    RefusalCase(
        "bidirectional_of_dense",
        lambda k: k.layers.Bidirectional(k.layers.Dense(3)),
        ["Dense", "go_backwards"],
    ),
    RefusalCase(
        "bidirectional_merge_mode",
        lambda k: k.layers.Bidirectional(gru(k), merge_mode="max"),
        ["merge_mode", "max", "concat"],
    ),
    RefusalCase(
        "bidirectional_of_backwards",
        lambda k: bidirectional(k, go_backwards=True),
        ["go_backwards", "True"],
    ),
    RefusalCase(
        "backward_layer_is_forward",
        lambda k: k.layers.Bidirectional(gru(k), backward_layer=gru(k)),
        ["go_backwards", "False", "backward_layer"],
    ),
    RefusalCase(
        "backward_layer_is_a_number",
        lambda k: k.layers.Bidirectional(gru(k), backward_layer=3),
        ["backward_layer", "3"],
    ),
    *[
        RefusalCase(
            f"backward_layer_{name}",
            lambda k, name=name: k.layers.Bidirectional(
                gru(k), backward_layer=gru(k, go_backwards=True, **{name: True})
            ),
            [name, "True", "False"],
        )
        for name in ("return_sequences", "return_state", "stateful")
    ],
    RefusalCase("bidirectional_two_axes", lambda k: bidirectional(k)(X[0]), ["3-D", "(5, 3)"]),
    RefusalCase("bidirectional_reset", lambda k: bidirectional(k).reset_state(), ["stateful"]),
    RefusalCase(
        "bidirectional_states",
        lambda k: bidirectional(k)(X, initial_state=[np.zeros((2, UNITS), np.float32)] * 3),
        ["initial_state", "forward", "backward", "3"],
        **BACKENDS,
    ),
    RefusalCase(
        "bidirectional_sum_of_unequal",
        lambda k: k.layers.Bidirectional(
            gru(k), "sum", backward_layer=k.layers.GRU(3, go_backwards=True)
        )(X),
        ["sum", "(2, 4)", "(2, 3)"],
        **BACKENDS,
    ),
    RefusalCase(
        "time_distributed_of_a_number", lambda k: k.layers.TimeDistributed(3), ["Layer", "3"]
    ),
    RefusalCase(
        "time_distributed_two_axes",
        lambda k: k.layers.TimeDistributed(k.layers.Dense(3))(X[0]),
        ["3", "(5, 3)", "return_sequences"],
    ),
]

CASES = [*STATEFUL, *CHAINS, *FACTS, *REFUSED]
