"""Random sequence models, small ones, as hypothesis strategies.

A model is drawn as a list of (name, options), so that a failing example prints as one can read it
and `build` makes it again.
"""

import numpy as np
from hypothesis import strategies as st

import seqrnn as keras

SIZES = st.integers(1, 5)
ACTIVATIONS = st.sampled_from(["linear", "tanh", "relu", "sigmoid", "softplus", "elu"])
RATES = st.sampled_from([0.0, 0.0, 0.3])
REGULARIZERS = st.sampled_from([None, None, "l1", "l2"])


def layer(name, **options):
    return st.tuples(st.just(name), st.fixed_dictionaries({}, optional=options))


def sized(name, size, **options):
    return st.tuples(st.just(name), st.fixed_dictionaries({size: SIZES}, optional=options))


RECURRENT_OPTIONS = {
    "activation": ACTIVATIONS,
    "use_bias": st.booleans(),
    "dropout": RATES,
    "recurrent_dropout": RATES,
    "go_backwards": st.booleans(),
    "kernel_regularizer": REGULARIZERS,
    "recurrent_initializer": st.sampled_from(["orthogonal", "glorot_uniform"]),
}
RECURRENT = st.one_of(
    sized("SimpleRNN", "units", **RECURRENT_OPTIONS),
    sized("LSTM", "units", unit_forget_bias=st.booleans(), **RECURRENT_OPTIONS),
    sized("GRU", "units", reset_after=st.booleans(), **RECURRENT_OPTIONS),
)
# (batch, time, features) -> (batch, time', features')
SEQUENCE_LAYERS = st.one_of(
    RECURRENT.map(lambda r: (r[0], {**r[1], "return_sequences": True})),
    sized("Dense", "units", activation=ACTIVATIONS, kernel_regularizer=REGULARIZERS),
    sized(
        "Conv1D",
        "filters",
        kernel_size=st.integers(1, 4),
        strides=st.integers(1, 2),
        padding=st.sampled_from(["valid", "same", "causal"]),
        activation=ACTIVATIONS,
    ).map(lambda c: (c[0], {"kernel_size": 2, **c[1]})),
    layer("Activation", activation=ACTIVATIONS).map(
        lambda a: (a[0], {"activation": "tanh", **a[1]})
    ),
    layer("Dropout", rate=RATES).map(lambda d: (d[0], {"rate": 0.5, **d[1]})),
    layer("LayerNormalization", center=st.booleans(), scale=st.booleans()),
    layer("BatchNormalization", momentum=st.floats(0.5, 0.99), scale=st.booleans()),
    layer("MaxPooling1D", pool_size=st.integers(1, 3), padding=st.sampled_from(["valid", "same"])),
    layer("UpSampling1D", size=st.integers(1, 2)),
    layer("ZeroPadding1D", padding=st.integers(0, 2)),
    layer("Masking"),
    layer("SpatialDropout1D", rate=RATES).map(lambda d: (d[0], {"rate": 0.2, **d[1]})),
    layer("LeakyReLU"),
)
# (batch, time, features) -> (batch, features')
LAST_LAYERS = st.one_of(
    RECURRENT,
    st.sampled_from([("GlobalMaxPooling1D", {}), ("GlobalAveragePooling1D", {}), ("Flatten", {})]),
)


@st.composite
def models(draw):
    """A list of (name, options): layers on sequences, perhaps one that ends them, a Dense."""
    layers = draw(st.lists(SEQUENCE_LAYERS, max_size=4))
    if draw(st.booleans()):
        layers.append(draw(LAST_LAYERS))
    return [*layers, ("Dense", {"units": draw(SIZES)})]


def build(layers, shape):
    """The Sequential model of these layers for inputs (batch, *shape)."""
    made = [getattr(keras.layers, name)(**options) for name, options in layers]
    return keras.Sequential([keras.Input(shape), *made])


SHAPES = st.tuples(st.integers(1, 7), st.integers(1, 4))  # time, features
BATCHES = st.integers(1, 6)
OPTIMIZERS = st.sampled_from(["SGD", "Adam", "RMSprop", "Nadam", "AdamW"])
LOSSES = st.sampled_from(["mse", "mae", "huber", "log_cosh"])


def optimizer_of(name):
    """Clipped: a linear recurrence would explode within two steps, as it should."""
    return getattr(keras.optimizers, name)(clipnorm=1.0)


# ---- every loss, with what its predictions and targets must look like ----


def _any(random, shape):
    return random.normal(size=shape)


def _counts(random, shape):
    return random.poisson(2.0, size=shape).astype(float)


def _positive(random, shape):
    return random.uniform(0.2, 2.0, size=shape)


def _truths(random, shape):
    return random.randint(0, 2, size=shape).astype(float)


def _signs(random, shape):
    return 2.0 * _truths(random, shape) - 1.0


def _shares(random, shape):
    return random.dirichlet(np.ones(shape[-1]), size=shape[:-1])


def _one_hot(random, shape):
    return np.eye(shape[-1])[random.randint(0, shape[-1], size=shape[:-1])]


def _classes(random, shape):
    return random.randint(0, shape[-1], size=shape[:-1])


# Name: (activation of the last layer, targets of its shape).
EVERY_LOSS = {
    "mse": ("linear", _any),
    "mae": ("linear", _any),
    "huber": ("linear", _any),
    "log_cosh": ("linear", _any),
    "cosine_similarity": ("linear", _any),
    "mape": ("linear", _positive),
    "msle": ("softplus", _positive),
    "poisson": ("softplus", _counts),
    "hinge": ("linear", _signs),
    "squared_hinge": ("linear", _signs),
    "categorical_hinge": ("linear", _one_hot),
    "binary_crossentropy": ("sigmoid", _truths),
    "binary_focal_crossentropy": ("sigmoid", _truths),
    "dice": ("sigmoid", _truths),
    "tversky": ("sigmoid", _truths),
    "kl_divergence": ("softmax", _shares),
    "categorical_crossentropy": ("softmax", _one_hot),
    "categorical_focal_crossentropy": ("softmax", _one_hot),
    "sparse_categorical_crossentropy": ("softmax", _classes),
}

# Every rule, and options on top of any.
RULES = st.sampled_from(
    [
        "SGD",
        "RMSprop",
        "Adam",
        "AdamW",
        "Nadam",
        "Adagrad",
        "Adadelta",
        "Adamax",
        "Ftrl",
        "Lion",
        "Lamb",
        "Adafactor",
        "Muon",
        "ScheduleFreeAdamW",
    ]
)
RULE_OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "clipnorm": st.just(0.5),
        "weight_decay": st.just(0.01),
        "use_ema": st.just(True),
        "gradient_accumulation_steps": st.just(2),
        "loss_scale_factor": st.just(64.0),
    },
)
