"""Whole runs of `fit`: History, then `evaluate`, `predict` and the weights."""

from golden_builders import integers, normal, one_hot, sequential, uniform, whole
from golden_fit import FitCase

C = 4


def last_time_step_mse(k):
    """The metric of the seed."""

    def last_time_step_mse(y_true, y_pred):
        return k.metrics.mean_squared_error(y_true[:, -1], y_pred[:, -1])

    return last_time_step_mse


def one_value(k):
    """A metric that gives one number per batch: the epoch's value is the mean over batches."""

    def largest_error(y_true, y_pred):
        return k.ops.max(k.ops.abs(y_true - y_pred))

    return largest_error


forecaster = whole(
    sequential(
        lambda k: k.Input(shape=(None, 1)),
        lambda k: k.layers.GRU(4, return_sequences=True),
        lambda k: k.layers.TimeDistributed(k.layers.Dense(3)),
    )
)

masked_forecaster = whole(
    sequential(
        lambda k: k.Input(shape=(6,), dtype="int32"),
        lambda k: k.layers.Embedding(5, 3, mask_zero=True),
        lambda k: k.layers.LSTM(3, return_sequences=True),
        lambda k: k.layers.Dense(2),
    )
)

normalised = whole(
    sequential(
        lambda k: k.Input(shape=(5, 2)),
        lambda k: k.layers.SimpleRNN(4, return_sequences=True),
        lambda k: k.layers.BatchNormalization(momentum=0.8),
        lambda k: k.layers.LSTM(3, kernel_regularizer="l2"),
        lambda k: k.layers.Dense(1),
    )
)


def classifier(classes, activation):
    return whole(
        sequential(
            lambda k: k.Input(shape=(3,)),
            lambda k: k.layers.Dense(5, activation="relu"),
            lambda k: k.layers.Dense(classes, activation=activation),
        )
    )


def tagger(k):
    return sequential(
        lambda k: k.Input(shape=(4, 3)),
        lambda k: k.layers.LSTM(3, return_sequences=True),
        lambda k: k.layers.Dense(C, activation="softmax"),
    )(k)


def _data(x, y, rows=11, validation=5):
    """`x` and `y` make a draw from a number of rows; 11 rows leave a last batch of 3."""
    return {"x": x(rows), "y": y(rows), "vx": x(validation), "vy": y(validation)}


def _compile(loss, *metrics, optimizer=lambda k: k.optimizers.Adam(0.01), **options):
    return lambda k: {
        "loss": loss,
        "optimizer": optimizer(k),
        "metrics": [m if isinstance(m, str) else m(k) for m in metrics],
        **options,
    }


TWO_EPOCHS = {"epochs": 2, "batch_size": 4}

CASES = [
    FitCase(
        "fit_seed",
        forecaster,
        _data(lambda n: normal(n, 6, 1), lambda n: normal(n, 6, 3)),
        _compile("mse", last_time_step_mse),
        TWO_EPOCHS,
    ),
    FitCase(
        "fit_sgd",
        forecaster,
        _data(lambda n: normal(n, 6, 1), lambda n: normal(n, 6, 3)),
        _compile("mae", "mse", "mae", optimizer=lambda k: k.optimizers.SGD(0.05, momentum=0.9)),
        {"epochs": 3, "batch_size": 4, "validation_freq": 2},
    ),
    FitCase(
        "fit_default_batch",
        forecaster,
        {"x": normal(35, 4, 1), "y": normal(35, 4, 3)},
        _compile("mse", one_value),
        {"epochs": 2},
    ),
    FitCase(
        "fit_batch_beyond_data",
        forecaster,
        {"x": normal(5, 4, 1), "y": normal(5, 4, 3)},
        _compile("mse"),
        {"epochs": 2, "batch_size": 64},
    ),
    FitCase(
        "fit_validation_split",
        forecaster,
        {"x": normal(13, 4, 1), "y": normal(13, 4, 3)},
        _compile("mse", "mae"),
        {"epochs": 2, "batch_size": 4, "validation_split": 0.3},
    ),
    FitCase(
        "fit_batch_norm",
        normalised,
        _data(lambda n: normal(n, 5, 2), lambda n: normal(n, 1)),
        _compile("mse", "mae"),
        TWO_EPOCHS,
    ),
    FitCase(
        "fit_masked",
        masked_forecaster,
        _data(lambda n: integers(5, n, 6), lambda n: normal(n, 6, 2)),
        _compile(
            "mse",
            "mae",
            lambda k: k.metrics.MeanSquaredError(name="error"),
            optimizer=lambda k: k.optimizers.SGD(0.05, momentum=0.9),
        ),
        TWO_EPOCHS,
    ),
    FitCase(
        "fit_binary",
        classifier(1, "sigmoid"),
        _data(lambda n: normal(n, 3), lambda n: integers(2, n, 1)),
        _compile("binary_crossentropy", "accuracy"),
        TWO_EPOCHS,
    ),
    FitCase(
        "fit_categorical",
        classifier(C, "softmax"),
        _data(lambda n: normal(n, 3), lambda n: one_hot(C, n)),
        _compile("categorical_crossentropy", "accuracy"),
        TWO_EPOCHS,
    ),
    FitCase(
        "fit_sparse",
        classifier(C, "softmax"),
        _data(lambda n: normal(n, 3), lambda n: integers(C, n)),
        _compile("sparse_categorical_crossentropy", "acc", "sparse_categorical_accuracy"),
        TWO_EPOCHS,
    ),
    FitCase(
        "fit_tagger",
        whole(tagger),
        _data(lambda n: normal(n, 4, 3), lambda n: integers(C, n, 4)),
        _compile("sparse_categorical_crossentropy", "accuracy"),
        TWO_EPOCHS,
    ),
    FitCase(
        "fit_weighted",
        classifier(2, "linear"),
        _data(lambda n: normal(n, 3), lambda n: normal(n, 2))
        | {"sample_weight": uniform(0, 2, 11)},
        _compile("mse", "mae", weighted_metrics=["mse"]),
        TWO_EPOCHS,
    ),
    FitCase(
        "fit_class_weight",
        classifier(C, "softmax"),
        {"x": normal(11, 3), "y": integers(C, 11)},
        _compile("sparse_categorical_crossentropy"),
        {**TWO_EPOCHS, "class_weight": {0: 0.5, 2: 3.0}},
    ),
    FitCase(
        "fit_initial_epoch",
        classifier(2, "linear"),
        {"x": normal(8, 3), "y": normal(8, 2)},
        _compile("mse"),
        {"epochs": 4, "initial_epoch": 2, "batch_size": 4},
    ),
    FitCase(
        "fit_hooks",
        classifier(2, "linear"),
        _data(lambda n: normal(n, 3), lambda n: normal(n, 2)),
        _compile("mse", "mae"),
        TWO_EPOCHS,
        hooks=True,
    ),
]


def _optimized(name, optimizer, callbacks=None):
    return FitCase(
        f"fit_{name}",
        classifier(2, "linear"),
        _data(lambda n: normal(n, 3), lambda n: normal(n, 2)),
        _compile("mse", optimizer=optimizer),
        {"epochs": 3, "batch_size": 4},
        callbacks=callbacks,
    )


def _averaging(k, **options):
    return k.optimizers.SGD(0.1, use_ema=True, ema_momentum=0.6, **options)


CASES += [
    # The averages are the weights in the end.
    _optimized("ema", _averaging),
    _optimized("ema_overwrite", lambda k: _averaging(k, ema_overwrite_frequency=2)),
    _optimized("ema_adam", lambda k: k.optimizers.Adam(0.05, use_ema=True, epsilon=1e-3)),
    _optimized("swap_ema", _averaging, lambda k: [k.callbacks.SwapEMAWeights()]),
    _optimized(
        "swap_ema_on_epoch", _averaging, lambda k: [k.callbacks.SwapEMAWeights(swap_on_epoch=True)]
    ),
    _optimized(
        "accumulated", lambda k: k.optimizers.SGD(0.1, gradient_accumulation_steps=2, clipnorm=0.5)
    ),
    _optimized("accumulated_ema", lambda k: _averaging(k, gradient_accumulation_steps=2)),
    _optimized("scaled_loss", lambda k: k.optimizers.SGD(0.1, loss_scale_factor=8.0)),
    _optimized(
        "scheduled",
        lambda k: k.optimizers.SGD(
            k.optimizers.schedules.PiecewiseConstantDecay([2, 5], [0.1, 0.05, 0.01])
        ),
    ),
    # Betas that TensorFlow's cast by way of float32 leaves as they are.
    _optimized(
        "decayed_betas",
        lambda k: k.optimizers.AdamW(
            0.05, weight_decay=0.5, epsilon=1e-3, beta_1=0.75, beta_2=0.875
        ),
    ),
]
