"""Dense, Activation, Flatten, Embedding, Dropout at rest, TimeDistributed, a layer of one's own."""

from golden_builders import integers, layer_case, model_case, normal, sequential
from golden_case import CONSTRAINED
from golden_classes import scaled_mixture

ACTIVATIONS = [
    "linear",
    "tanh",
    "sigmoid",
    "relu",
    "softmax",
    "elu",
    "selu",
    "softplus",
    "softsign",
    "hard_sigmoid",
    "exponential",
    "gelu",
    "silu",
    "swish",
    "leaky_relu",
    "mish",
    "log_softmax",
    "relu6",
    "log_sigmoid",
]

# Activations with arguments, as functions of a tensor.
ACTIVATION_CALLS = {
    "relu_slope": lambda k: lambda x: k.activations.relu(x, negative_slope=0.1),
    "relu_capped": lambda k: lambda x: k.activations.relu(x, max_value=0.8),
    "relu_threshold": lambda k: lambda x: k.activations.relu(x, threshold=0.4),
    "elu_alpha": lambda k: lambda x: k.activations.elu(x, alpha=0.5),
    "leaky_relu_slope": lambda k: lambda x: k.activations.leaky_relu(x, negative_slope=0.3),
    "gelu_tanh": lambda k: lambda x: k.activations.gelu(x, approximate=True),
    "softmax_over_time": lambda k: lambda x: k.activations.softmax(x, axis=1),
}

X3 = (3, 4, 5)


def _dense(name, x=X3, mask=None, **arguments):
    return layer_case(f"dense_{name}", lambda k: k.layers.Dense(3, **arguments), x, mask)


DENSE = [
    _dense("3d"),
    _dense("2d", x=(4, 5)),
    _dense("one_row", x=(1, 5)),
    _dense("one_feature", x=(4, 1)),
    _dense("no_bias", use_bias=False),
    _dense("masked", mask="gaps"),
    layer_case("dense_one_unit", lambda k: k.layers.Dense(1), X3),
    layer_case("dense_wide", lambda k: k.layers.Dense(33, activation="relu"), (9, 17)),
    *[_dense(f"activation_{name}", activation=name) for name in ACTIVATIONS],
]


def _activation(name, activation):
    return layer_case(f"activation_{name}", lambda k: k.layers.Activation(activation(k)), X3)


ACTIVATION = [
    *[_activation(name, lambda k, name=name: name) for name in ACTIVATIONS],
    *[_activation(name, function) for name, function in ACTIVATION_CALLS.items()],
    layer_case("activation_masked", lambda k: k.layers.Activation("tanh"), X3, mask="left"),
]

SHAPES = [
    layer_case("flatten_3d", lambda k: k.layers.Flatten(), (2, 3, 4)),
    layer_case("flatten_4d", lambda k: k.layers.Flatten(), (2, 3, 2, 2)),
    layer_case("dropout_zero", lambda k: k.layers.Dropout(0.0), X3),
    layer_case("dropout_inference", lambda k: k.layers.Dropout(0.4), X3, snapshots=()),
]

EMBEDDING = [
    # Few rows and many positions: rows occur often, and the gradient adds up.
    model_case(
        "embedding_repeated_ids",
        sequential(
            lambda k: k.Input(shape=(6,), dtype="int32"), lambda k: k.layers.Embedding(4, 3)
        ),
        [integers(4, 5, 6)],
    ),
    model_case(
        "embedding_unmasked_downstream",
        sequential(
            lambda k: k.Input(shape=(6,), dtype="int32"),
            lambda k: k.layers.Embedding(4, 3, mask_zero=True),
            lambda k: k.layers.Flatten(),
            lambda k: k.layers.Dense(2),
        ),
        [integers(4, 5, 6)],
    ),
    model_case(
        "embedding_masks_lstm",
        sequential(
            lambda k: k.Input(shape=(6,), dtype="int32"),
            lambda k: k.layers.Embedding(4, 3, mask_zero=True),
            lambda k: k.layers.LSTM(4),
        ),
        [integers(4, 5, 6)],
    ),
    model_case(
        "embedding_masks_stack",
        sequential(
            lambda k: k.Input(shape=(6,), dtype="int32"),
            lambda k: k.layers.Embedding(4, 3, mask_zero=True),
            lambda k: k.layers.GRU(4, return_sequences=True),
            lambda k: k.layers.LayerNormalization(),
            lambda k: k.layers.LSTM(3),
        ),
        [integers(4, 5, 6)],
    ),
    model_case(
        "embedding_regularized",
        sequential(
            lambda k: k.Input(shape=(6,), dtype="int32"),
            lambda k: k.layers.Embedding(
                4, 3, embeddings_regularizer="l2", embeddings_constraint="unit_norm"
            ),
        ),
        [integers(4, 5, 6)],
        **CONSTRAINED,
    ),
    model_case(
        "embedding_of_floats",
        sequential(lambda k: k.Input(shape=(6,)), lambda k: k.layers.Embedding(4, 3)),
        [lambda rng: rng.randint(0, 4, size=(5, 6)).astype("float32")],
    ),
]


def _model(k):
    x = k.Input((4, 2))
    return k.Model(x, k.layers.Dense(2)(k.layers.GRU(3)(x)))


def _distributed(name, inner, x=X3, **options):
    return layer_case(
        f"time_distributed_{name}", lambda k: k.layers.TimeDistributed(inner(k)), x, **options
    )


TIME_DISTRIBUTED = [
    _distributed("dense", lambda k: k.layers.Dense(2, activation="tanh")),
    _distributed("dense_masked", lambda k: k.layers.Dense(2), mask="gaps"),
    _distributed("layer_norm", lambda k: k.layers.LayerNormalization()),
    _distributed("flatten", lambda k: k.layers.Flatten(), x=(2, 3, 4, 2)),
    _distributed("conv1d", lambda k: k.layers.Conv1D(3, 2, padding="same"), x=(2, 3, 5, 2)),
    _distributed("lstm", lambda k: k.layers.LSTM(3), x=(2, 3, 4, 2)),
    _distributed(
        "lstm_sequences", lambda k: k.layers.LSTM(3, return_sequences=True), x=(2, 3, 4, 2)
    ),
    _distributed("gru_backwards", lambda k: k.layers.GRU(3, go_backwards=True), x=(2, 3, 4, 2)),
    _distributed("global_pooling", lambda k: k.layers.GlobalMaxPooling1D(), x=(2, 3, 4, 2)),
    _distributed("reshape", lambda k: k.layers.Reshape((2, 4)), x=(2, 3, 4, 2)),
    _distributed("activation", lambda k: k.layers.Activation("softmax"), mask="left"),
    _distributed("repeat_vector", lambda k: k.layers.RepeatVector(2)),
    _distributed("lambda", lambda k: k.layers.Lambda(lambda x: 2.0 * x)),
    _distributed(
        "sequential",
        lambda k: k.Sequential(
            [
                k.Input((4, 2)),
                k.layers.Conv1D(3, 2),
                k.layers.GlobalMaxPooling1D(),
                k.layers.Dense(2),
            ]
        ),
        x=(2, 3, 4, 2),
    ),
    _distributed("functional", _model, x=(2, 3, 4, 2)),
    _distributed("regularized", lambda k: k.layers.Dense(2, kernel_regularizer="l2")),
    _distributed("one_step", lambda k: k.layers.Dense(2), x=(3, 1, 5)),
    _distributed("twice", lambda k: k.layers.TimeDistributed(k.layers.Dense(2)), x=(2, 3, 4, 2)),
]

OWN = [
    layer_case("own_layer", lambda k: scaled_mixture(k)(3), (4, 5), training_output=True),
    model_case(
        "own_layer_on_sequences",
        sequential(
            lambda k: k.Input(shape=(4, 5)),
            lambda k: scaled_mixture(k)(3),
            lambda k: k.layers.Dense(2),
        ),
        [normal(*X3)],
    ),
]

CASES = [*DENSE, *ACTIVATION, *SHAPES, *EMBEDDING, *TIME_DISTRIBUTED, *OWN]
