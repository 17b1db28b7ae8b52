"""Masks: what each layer passes on, and what reaches losses and metrics.

A row of `LAYERS` gives the layer an input with a mask, and compares the mask that its output
carries (or each of its outputs; None for no mask).
"""

import numpy as np
from golden_builders import fixed, integers, layer_case, normal, sequential, uniform, whole
from golden_case import CallCase
from golden_fit import FitCase
from golden_kinds import FactCase, RefusalCase


def _steps(*missing):
    """(3, 5, 4), all zeros at the steps of each row that are missing."""
    x = np.random.RandomState(5).normal(size=(3, 5, 4)).astype(np.float32)
    for row, steps in enumerate(missing):
        x[row, steps] = 0
    return x


ONE = _steps([3, 4], [0, 1], [1])
OTHER = _steps([2, 3, 4], [0], [])
IDS = np.array([[1, 2, 0], [3, 0, 0]], np.int32)
GIVEN = np.array([[1, 1, 0, 0, 0], [0, 1, 1, 1, 1], [1, 0, 1, 0, 1]], bool)


def masks(outputs):
    """The masks that outputs carry, as 0 and 1."""
    if isinstance(outputs, list | tuple):
        return [masks(output) for output in outputs]
    mask = getattr(outputs, "_keras_mask", None)
    return None if mask is None else np.asarray(mask).astype(int)


def masked(k, x):
    return k.layers.Masking()(x)


def functional(k):
    x = k.Input((5, 4))
    return k.Model(x, k.layers.Dense(2)(x))


def functional_with_masking(k):
    x = k.Input((5, 4))
    return k.Model(x, k.layers.Dense(2)(k.layers.Masking()(x)))


def own(k, **attributes):
    """A layer of a user's, with `call(self, inputs)` unless it is among the attributes."""

    def call(self, inputs):
        return inputs * 2.0

    return type("Own", (k.layers.Layer,), {"call": call} | attributes)()


def _supporting(self, **kwargs):
    super(type(self), self).__init__(**kwargs)
    self.supports_masking = True


def subclassed(k, call):
    def init(self):
        super(type(self), self).__init__()
        self.dense = k.layers.Dense(2)

    return type("Own", (k.Model,), {"__init__": init, "call": call})()


SEQUENCES = {"return_sequences": True}

# Name: the layer, called on one input with a mask.
LAYERS = {
    "dense": lambda k: k.layers.Dense(2),
    "activation": lambda k: k.layers.Activation("tanh"),
    "identity": lambda k: k.layers.Identity(),
    "masking": lambda k: k.layers.Masking(),
    "dropout": lambda k: k.layers.Dropout(0.5),
    "spatial_dropout": lambda k: k.layers.SpatialDropout1D(0.5),
    "gaussian_noise": lambda k: k.layers.GaussianNoise(0.5),
    "gaussian_dropout": lambda k: k.layers.GaussianDropout(0.5),
    "activity_regularization": lambda k: k.layers.ActivityRegularization(l1=0.1),
    "relu": lambda k: k.layers.ReLU(),
    "leaky_relu": lambda k: k.layers.LeakyReLU(),
    "elu": lambda k: k.layers.ELU(),
    "prelu": lambda k: k.layers.PReLU(),
    "batch_normalization": lambda k: k.layers.BatchNormalization(),
    "layer_normalization": lambda k: k.layers.LayerNormalization(),
    "conv1d": lambda k: k.layers.Conv1D(2, 2),
    "conv1d_causal": lambda k: k.layers.Conv1D(2, 2, padding="causal"),
    "max_pooling": lambda k: k.layers.MaxPooling1D(),
    "average_pooling": lambda k: k.layers.AveragePooling1D(2),
    "global_max_pooling": lambda k: k.layers.GlobalMaxPooling1D(),
    "global_average_pooling": lambda k: k.layers.GlobalAveragePooling1D(),
    "flatten": lambda k: k.layers.Flatten(),
    "reshape": lambda k: k.layers.Reshape((5, 2, 2)),
    "permute": lambda k: k.layers.Permute((2, 1)),
    "up_sampling": lambda k: k.layers.UpSampling1D(),
    "zero_padding": lambda k: k.layers.ZeroPadding1D(),
    "cropping": lambda k: k.layers.Cropping1D(),
    "lambda": lambda k: k.layers.Lambda(lambda x: 2.0 * x),
    "lambda_mask_function": lambda k: k.layers.Lambda(lambda x: 2.0 * x, mask=lambda x, mask: mask),
    "lambda_mask_array": lambda k: k.layers.Lambda(lambda x: 2.0 * x, mask=GIVEN),
    "simple_rnn": lambda k: k.layers.SimpleRNN(2),
    "simple_rnn_sequences": lambda k: k.layers.SimpleRNN(2, **SEQUENCES),
    "lstm": lambda k: k.layers.LSTM(2),
    "lstm_sequences": lambda k: k.layers.LSTM(2, **SEQUENCES),
    "lstm_backwards": lambda k: k.layers.LSTM(2, go_backwards=True, **SEQUENCES),
    "lstm_state": lambda k: k.layers.LSTM(2, return_state=True),
    "gru": lambda k: k.layers.GRU(2),
    "gru_everything": lambda k: k.layers.GRU(2, return_state=True, **SEQUENCES),
    "rnn": lambda k: k.layers.RNN(k.layers.GRUCell(2), **SEQUENCES),
    "rnn_stack": lambda k: k.layers.RNN([k.layers.GRUCell(2), k.layers.LSTMCell(3)], **SEQUENCES),
    "bidirectional": lambda k: k.layers.Bidirectional(k.layers.GRU(2)),
    "bidirectional_sequences": lambda k: k.layers.Bidirectional(k.layers.GRU(2, **SEQUENCES)),
    "bidirectional_both": lambda k: k.layers.Bidirectional(
        k.layers.GRU(2, **SEQUENCES), merge_mode=None
    ),
    "bidirectional_both_last": lambda k: k.layers.Bidirectional(k.layers.GRU(2), merge_mode=None),
    "bidirectional_everything": lambda k: k.layers.Bidirectional(
        k.layers.GRU(2, return_state=True, **SEQUENCES)
    ),
    "bidirectional_sum": lambda k: k.layers.Bidirectional(
        k.layers.LSTM(2, **SEQUENCES), merge_mode="sum"
    ),
    "bidirectional_state": lambda k: k.layers.Bidirectional(k.layers.LSTM(2, return_state=True)),
    "bidirectional_backward_layer": lambda k: k.layers.Bidirectional(
        k.layers.LSTM(2, **SEQUENCES),
        backward_layer=k.layers.GRU(2, go_backwards=True, **SEQUENCES),
    ),
    "stacked_cells_state": lambda k: k.layers.RNN(
        k.layers.StackedRNNCells([k.layers.LSTMCell(2), k.layers.LSTMCell(3)]),
        return_state=True,
        **SEQUENCES,
    ),
    "alpha_dropout": lambda k: k.layers.AlphaDropout(0.5),
    "group_normalization": lambda k: k.layers.GroupNormalization(2),
    "unit_normalization": lambda k: k.layers.UnitNormalization(),
    "rms_normalization": lambda k: k.layers.RMSNormalization(),
    "normalization": lambda k: k.layers.Normalization(mean=1.0, variance=4.0),
    "normalization_weights": lambda k: k.layers.Normalization(),
    "spectral_normalization": lambda k: k.layers.SpectralNormalization(k.layers.Dense(2)),
    "conv1d_transpose": lambda k: k.layers.Conv1DTranspose(2, 2),
    "separable_conv1d": lambda k: k.layers.SeparableConv1D(2, 2),
    "depthwise_conv1d": lambda k: k.layers.DepthwiseConv1D(2),
    "einsum_dense": lambda k: k.layers.EinsumDense("btf,fg->btg", (None, 2)),
    "adaptive_max_pooling": lambda k: k.layers.AdaptiveMaxPooling1D(2),
    "adaptive_average_pooling": lambda k: k.layers.AdaptiveAveragePooling1D(2),
    "time_distributed": lambda k: k.layers.TimeDistributed(k.layers.Dense(2)),
    "time_distributed_model": lambda k: k.layers.TimeDistributed(
        k.Sequential([k.layers.Dense(3), k.layers.Dense(2)])
    ),
    "time_distributed_dropout": lambda k: k.layers.TimeDistributed(k.layers.Dropout(0.5)),
    "sequential": lambda k: k.Sequential([k.layers.Dense(2), k.layers.LSTM(3, **SEQUENCES)]),
    "sequential_conv": lambda k: k.Sequential([k.layers.Conv1D(2, 1)]),
    "functional": functional,
    "functional_with_masking": functional_with_masking,
    "own": own,
    "own_supports_masking": lambda k: own(k, __init__=_supporting),
    "own_compute_mask": lambda k: own(k, compute_mask=lambda self, inputs, mask=None: mask),
    "own_takes_mask": lambda k: own(k, call=lambda self, inputs, mask=None: 2.0 * inputs),
    "subclassed": lambda k: subclassed(k, lambda self, x: self.dense(x)),
    "subclassed_takes_mask": lambda k: subclassed(k, lambda self, x, mask=None: self.dense(x)),
}

MERGES = ["Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate"]


def _layer(name, make):
    return FactCase(f"layer_{name}", lambda k, x: masks(make(k)(masked(k, x))), [fixed(ONE)])


def _fact(name, call, *arrays, **options):
    return FactCase(name, call, [fixed(array) for array in arrays], **options)


def _merge(name):
    def both(k, a, b):
        return masks(getattr(k.layers, name)()([masked(k, a), masked(k, b)]))

    def one(k, a, b):
        return masks(getattr(k.layers, name)()([masked(k, a), b]))

    whole_mask = {
        "differs": "a mask that is true everywhere is none: layers behind it need not look at it",
        "here": None,
    }
    return [
        _fact(f"merge_{name.lower()}", both, ONE, OTHER),
        _fact(f"merge_{name.lower()}_one", one, ONE, OTHER, **whole_mask)
        if name == "Concatenate"
        else _fact(f"merge_{name.lower()}_one", one, ONE, OTHER),
    ]


def _read(k, x, **options):
    """What a GRU gives at the last step, for weights that are all 1."""
    layer = k.layers.GRU(1, kernel_initializer="ones", recurrent_initializer="ones")
    return np.asarray(layer(masked(k, x), **options)).round(5)


OTHERS = [
    _fact("embedding", lambda k, x: masks(k.layers.Embedding(5, 2)(x)), IDS),
    _fact(
        "embedding_mask_zero", lambda k, x: masks(k.layers.Embedding(5, 2, mask_zero=True)(x)), IDS
    ),
    _fact(
        "repeat_vector",
        lambda k, x: masks(k.layers.RepeatVector(3)(k.layers.LSTM(2)(masked(k, x)))),
        ONE,
    ),
    _fact(
        "concatenate_time",
        lambda k, a, b: masks(k.layers.Concatenate(axis=1)([masked(k, a), masked(k, b)])),
        ONE,
        OTHER,
    ),
    _fact(
        "concatenate_time_one",
        lambda k, a, b: masks(k.layers.Concatenate(axis=1)([a, masked(k, b)])),
        ONE,
        OTHER,
    ),
    _fact(
        "dot", lambda k, a, b: masks(k.layers.Dot(axes=2)([masked(k, a), masked(k, b)])), ONE, OTHER
    ),
    _fact("operator", lambda k, x: masks(2.0 * masked(k, x)), ONE),
    _fact("op", lambda k, x: masks(k.ops.tanh(masked(k, x))), ONE),
    _fact("masking_value", lambda k, x: masks(k.layers.Masking(mask_value=2.0)(x + 2.0)), ONE),
    _fact(
        "given_to_rnn", lambda k, x, m: masks(k.layers.LSTM(2, **SEQUENCES)(x, mask=m)), ONE, GIVEN
    ),
    _fact(
        "given_instead",
        lambda k, x, m: masks(k.layers.LSTM(2, **SEQUENCES)(masked(k, x), mask=m)),
        ONE,
        GIVEN,
    ),
    _fact(
        "given_to_time_distributed",
        lambda k, x, m: masks(k.layers.TimeDistributed(k.layers.Dense(2))(x, mask=m)),
        ONE,
        GIVEN,
    ),
    _fact(
        "given_to_bidirectional",
        lambda k, x, m: masks(k.layers.Bidirectional(k.layers.LSTM(2, **SEQUENCES))(x, mask=m)),
        ONE,
        GIVEN,
    ),
    # Keras looks for the input's mask only if the input is the one tensor among the arguments.
    _fact(
        "with_initial_state",
        lambda k, x, s: bool(
            (_read(k, x, initial_state=s) == _read(k, x, initial_state=s, mask=GIVEN)).all()
        ),
        np.where(GIVEN[..., None], ONE + 1.0, 0.0).astype(np.float32),
        np.zeros((3, 1), np.float32),
        differs="the mask of the input counts with an initial_state too, as in Keras 2",
        here=True,
    ),
]

ATTENTION = {
    "attention": lambda k: k.layers.Attention(),
    "attention_concat": lambda k: k.layers.Attention(score_mode="concat"),
    "additive_attention": lambda k: k.layers.AdditiveAttention(),
}
HEADS = {
    "multi_head": lambda k: k.layers.MultiHeadAttention(2, 3),
    "grouped_query": lambda k: k.layers.GroupQueryAttention(2, 2, 1),
}


def _attention(name, make):
    """With a mask of both, of the query, of the value."""

    def call(k, a, b):
        pairs = ((masked(k, a), masked(k, b)), (masked(k, a), b), (a, masked(k, b)))
        layers = [make(k) for _ in pairs]
        apart = name in HEADS
        return [
            masks(layer(*pair) if apart else layer(list(pair)))
            for layer, pair in zip(layers, pairs, strict=True)
        ]

    return _fact(name, call, ONE, OTHER)


ATTENDED = [_attention(name, make) for name, make in {**ATTENTION, **HEADS}.items()]

REFUSED = [
    RefusalCase(
        "time_distributed_length",
        lambda k: k.layers.TimeDistributed(k.layers.Dense(2))(ONE, mask=GIVEN[:, :4]),
        ["mask", "(3, 4)", "(3, 5)"],
    ),
    RefusalCase(
        "time_distributed_rank",
        lambda k: k.layers.TimeDistributed(k.layers.Dense(2))(ONE, mask=GIVEN[:, 0]),
        ["mask", "(3,)"],
    ),
    RefusalCase(
        "rnn_length",
        lambda k: k.layers.GRU(2)(ONE, mask=GIVEN[:, :4]),
        ["mask", "(3, 4)", "(3, 5)"],
        raises=ValueError,
        differs="Keras's class is the backend's",
    ),
]

# ---- losses and metrics ----


def _embedded(*layers):
    return whole(
        sequential(
            lambda k: k.Input(shape=(6,), dtype="int32"),
            lambda k: k.layers.Embedding(4, 3, mask_zero=True),
            *layers,
        )
    )


def _two_inputs(k):
    a, b = k.Input((5, 4)), k.Input((5, 4))
    joined = k.layers.Add()([k.layers.Masking()(a), k.layers.Masking()(b)])
    return k.Model([a, b], k.layers.Dense(2)(joined))


def _two_outputs(k):
    x = k.Input((6,), dtype="int32")
    embedded = k.layers.Embedding(4, 3, mask_zero=True)(x)
    steps = k.layers.SimpleRNN(3, return_sequences=True)(embedded)
    return k.Model(x, [k.layers.Dense(2, name="tags")(steps), k.layers.GRU(2, name="last")(steps)])


def _compile(loss="mse", **options):
    return lambda k: {"loss": loss, "optimizer": k.optimizers.SGD(0.1), **options}


SCORES = {"metrics": ["mae", "mse"], "weighted_metrics": ["mae"]}
GRU = lambda k: k.layers.GRU(3, return_sequences=True)  # noqa: E731
DENSE = lambda k: k.layers.Dense(2)  # noqa: E731
TAGS = {"x": integers(4, 8, 6), "y": normal(8, 6, 2)}
WEIGHTED = {**TAGS, "sample_weight": uniform(0.2, 2.0, 8, 6)}
ONCE = {"batch_size": 8}


def _fit(name, build, data, compile_options, feed=None, **options):
    return FitCase(f"fit_{name}", build, data, compile_options, {**ONCE, **options}, feed=feed)


def _several(given, stem):
    arrays = [given[name] for name in sorted(given) if name.rstrip("0123456789") == stem]
    return arrays[0] if len(arrays) == 1 else arrays


def _feed(k, given):
    """x or x0, x1, ...; y likewise."""
    data = {"x": _several(given, "x"), "y": _several(given, "y")}
    return {"fit": data, "evaluate": data, "predict": {"x": data["x"]}}


FITS = [
    _fit("loss", _embedded(GRU, DENSE), TAGS, _compile()),
    _fit("metrics", _embedded(GRU, DENSE), TAGS, _compile(**SCORES)),
    _fit("sample_weight", _embedded(GRU, DENSE), WEIGHTED, _compile(**SCORES)),
    _fit("batches", _embedded(GRU, DENSE), TAGS, _compile(**SCORES), batch_size=3, epochs=2),
    _fit("masked_output", _embedded(), {**TAGS, "y": normal(8, 6, 3)}, _compile(**SCORES)),
    _fit(
        "classes",
        _embedded(GRU, lambda k: k.layers.Dense(5, activation="softmax")),
        {**TAGS, "y": integers(5, 8, 6)},
        _compile("sparse_categorical_crossentropy", metrics=["accuracy"]),
    ),
    _fit(
        "bidirectional",
        _embedded(lambda k: k.layers.Bidirectional(GRU(k)), DENSE),
        TAGS,
        _compile(**SCORES),
    ),
    _fit(
        "time_distributed",
        _embedded(GRU, lambda k: k.layers.TimeDistributed(DENSE(k))),
        TAGS,
        _compile(**SCORES),
    ),
    _fit(
        "layers_between",
        _embedded(
            GRU,
            lambda k: k.layers.Dropout(0.0),
            lambda k: k.layers.LayerNormalization(),
            lambda k: k.layers.Activation("tanh"),
            DENSE,
        ),
        TAGS,
        _compile(**SCORES),
    ),
    _fit(
        "batch_normalization",
        _embedded(GRU, lambda k: k.layers.BatchNormalization(), DENSE),
        TAGS,
        _compile(**SCORES),
    ),
    # The mask ends at the convolution: all steps count.
    _fit(
        "ends_at_conv1d",
        _embedded(GRU, lambda k: k.layers.Conv1D(2, 1)),
        TAGS,
        _compile(**SCORES),
    ),
    _fit(
        "two_inputs",
        whole(_two_inputs),
        {"x0": fixed(ONE), "x1": fixed(OTHER), "y": normal(3, 5, 2)},
        _compile(**SCORES),
        _feed,
    ),
    _fit(
        "two_outputs",
        whole(_two_outputs),
        {"x": integers(4, 8, 6), "y0": normal(8, 6, 2), "y1": normal(8, 2)},
        _compile(["mse", "mse"], metrics=[["mae"], ["mae"]]),
        _feed,
    ),
    _fit("nested_model", _embedded(sequential(GRU, DENSE)), TAGS, _compile(**SCORES)),
]


def _softmax(name, shape, mask, axis=-1):
    return CallCase(
        f"softmax_{name}",
        lambda k, x: k.layers.Softmax(axis=axis)(x, mask=mask),
        [normal(*shape)],
    )


SOFTMAX = [
    _softmax("elements", (3, 5), GIVEN),
    _softmax("steps", (3, 5, 4), GIVEN[..., None], axis=1),
    _softmax("broadcast", (2, 3, 5), GIVEN[None]),
    _softmax("empty_row", (3, 5), GIVEN & [[True], [False], [True]]),
    _softmax("two_axes", (2, 3, 5), None, axis=[1, 2]),
    RefusalCase(
        "softmax_length",
        lambda k: k.layers.Softmax()(ONE, mask=GIVEN[:, :4, None]),
        ["mask", "(3, 4, 1)", "(3, 5, 4)"],
    ),
]

POOLED = [
    layer_case(
        f"global_average_{pattern}",
        lambda k: k.layers.GlobalAveragePooling1D(),
        (3, 5, 4),
        mask=pattern,
    )
    for pattern in ("right", "left", "gaps")
]

CASES = [
    *[_layer(name, make) for name, make in LAYERS.items()],
    *[case for name in MERGES for case in _merge(name)],
    *OTHERS,
    *ATTENDED,
    *REFUSED,
    *FITS,
    *POOLED,
    *SOFTMAX,
]
