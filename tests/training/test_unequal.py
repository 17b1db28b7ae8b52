"""Lists of sequences of unequal length: as each sequence alone, or as under a Masking layer."""

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import layers
from seqrnn.training.unequal import UnequalData, find_sequences

LENGTHS = (5, 1, 9, 17, 3, 40, 2, 7)


@pytest.fixture(autouse=True)
def seed():
    keras.utils.set_random_seed(0)


def sequences(features=3, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, features)).astype("float32") for n in LENGTHS]


def chain(*stack, optimizer="sgd", features=3, **options):
    model = keras.Sequential([keras.Input((None, features)), *stack])
    model.compile(optimizer, "mse", **options)
    return model


def alone(model, xs):
    return [model.predict(x[np.newaxis], verbose=0)[0] for x in xs]


def close(a, b):
    np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-6)


STEPWISE = {
    "gru": lambda: [layers.GRU(4, return_sequences=True)],
    "stack": lambda: (
        [layers.SimpleRNN(4, return_sequences=True)] * 1
        + [layers.LSTM(3, return_sequences=True), layers.Dense(2)]
    ),
    "bidirectional": lambda: [layers.Bidirectional(layers.LSTM(3, return_sequences=True))],
    "layer_norm": lambda: [layers.LayerNormalization(), layers.GRU(3, return_sequences=True)],
    "time_distributed": lambda: [layers.TimeDistributed(layers.Dense(2))],
    "masking": lambda: [layers.Masking(-1.0), layers.GRU(3, return_sequences=True)],
    "batch_norm": lambda: [layers.BatchNormalization(), layers.GRU(3, return_sequences=True)],
}


@pytest.mark.parametrize("name", STEPWISE)
def test_predict_gives_each_sequence_in_its_length(name):
    xs = sequences()
    model = chain(*STEPWISE[name]())
    outputs = model.predict(xs, batch_size=3, verbose=0)
    assert isinstance(outputs, list) and [len(o) for o in outputs] == list(LENGTHS)
    for output, expected in zip(outputs, alone(model, xs), strict=True):
        close(output, expected)


@pytest.mark.parametrize(
    "last",
    [
        lambda: layers.LSTM(4),
        lambda: layers.Bidirectional(layers.GRU(4)),
        lambda: layers.SimpleRNN(4, go_backwards=True),
        lambda: layers.GlobalAveragePooling1D(),
    ],
)
def test_predict_one_vector_per_sequence(last):
    xs = sequences()
    model = chain(last())
    close(model.predict(xs, batch_size=3, verbose=0), np.stack(alone(model, xs)))


def test_evaluate_counts_the_steps_that_are_there():
    xs, ys = sequences(), sequences(4, seed=1)
    model = chain(layers.GRU(4, return_sequences=True), metrics=["mae"])
    loss, mae = model.evaluate(xs, ys, batch_size=8, verbose=0)
    for size in (1, 3):
        assert model.evaluate(xs, ys, batch_size=size, verbose=0) == pytest.approx([loss, mae])
    errors = np.concatenate([p - y for p, y in zip(alone(model, xs), ys, strict=True)])
    assert loss == pytest.approx(np.mean(errors**2), rel=1e-5)
    assert mae == pytest.approx(np.mean(np.abs(errors)), rel=1e-5)
    weights = [np.random.default_rng(2).random(n) for n in LENGTHS]
    loss, _ = model.evaluate(xs, ys, sample_weight=weights, batch_size=8, verbose=0)
    squares = np.mean(errors**2, axis=1) * np.concatenate(weights)
    assert loss == pytest.approx(squares.mean(), rel=1e-5)


def padded(arrays):
    return keras.utils.pad_sequences(arrays, padding="post", dtype="float32")


def test_fit_is_that_under_a_masking_layer():
    xs, ys = sequences(), sequences(2, seed=1)
    stack = lambda: [layers.LSTM(4, return_sequences=True), layers.Dense(2)]  # noqa: E731
    mine = chain(*stack(), metrics=["mae"])
    masked = chain(layers.Masking(), *stack(), metrics=["mae"])
    masked.set_weights(mine.get_weights())
    options = {"epochs": 2, "batch_size": 3, "shuffle": False, "verbose": 0}
    got = mine.fit(xs, ys, validation_split=0.3, **options)
    expected = masked.fit(padded(xs), padded(ys), validation_split=0.3, **options)
    for key in ("mae", "val_mae", "val_loss"):  # the loss weighs batches by their steps
        np.testing.assert_allclose(got.history[key], expected.history[key], rtol=1e-5)
    for a, b in zip(mine.get_weights(), masked.get_weights(), strict=True):
        close(a, b)


def test_shuffled_batches_are_of_similar_length_and_complete():
    xs = [np.full((1 + i % 64, 1), i, "float32") for i in range(256)]
    seen = []

    data = UnequalData(find_sequences(xs, [(None, None, 1)]), batch_size=16, shuffle=True)
    data.seed()
    take, steps = data.one_pass(), 0
    while (batch := take()) is not None:
        values, mask = batch.x
        steps += mask.size
        seen += values[:, 0, 0].astype(int).tolist()
    assert sorted(seen) == list(range(256)) and seen != list(range(256))
    assert steps < 1.25 * sum(map(len, xs))


def test_ids_for_an_embedding():
    rows = [np.random.default_rng(n).integers(0, 9, n) for n in LENGTHS]
    for mask_zero in (False, True):
        model = keras.Sequential(
            [keras.Input((None,), dtype="int32"), layers.Embedding(9, 4, mask_zero=mask_zero),
             layers.LSTM(3)]
        )  # fmt: skip
        expected = np.concatenate([model.predict(r[np.newaxis], verbose=0) for r in rows])
        for given in (rows, [r.tolist() for r in rows], np.array(rows, dtype=object)):
            close(model.predict(given, verbose=0), expected)


def test_lists_beside_arrays_and_several_outputs():
    a, b = keras.Input((None, 3), name="a"), keras.Input((2,), name="b")
    h = layers.GRU(4, return_sequences=True)(a)
    last = layers.Concatenate()([layers.LSTM(3)(h), b])
    model = keras.Model([a, b], {"each": layers.Dense(2)(h), "last": layers.Dense(1)(last)})
    model.compile("sgd", "mse")
    xs, rest = sequences(), np.random.default_rng(3).normal(size=(8, 2))
    found = model.predict({"a": xs, "b": rest}, batch_size=3, verbose=0)
    again = model.predict([xs, rest], batch_size=8, verbose=0)
    for i, x in enumerate(xs):
        expected = model.predict([x[np.newaxis], rest[i : i + 1]], verbose=0)
        for name in ("each", "last"):
            close(found[name][i], expected[name][0])
            close(again[name][i], expected[name][0])
    targets = {"each": sequences(2, seed=1), "last": rest[:, :1]}
    history = model.fit([xs, rest], targets, batch_size=4, epochs=2, verbose=0).history
    assert history["loss"][1] < history["loss"][0]


ATTENTION = {
    "multi_head": lambda x: layers.MultiHeadAttention(2, 4)(x, x),
    "causal": lambda x: layers.MultiHeadAttention(2, 4)(x, x, use_causal_mask=True),
    "additive": lambda x: layers.AdditiveAttention()([x, x]),
    "block": lambda x: layers.LayerNormalization()(
        layers.Add()([x, layers.MultiHeadAttention(1, 2)(x, x)])
    ),
    "concatenate": lambda x: layers.Concatenate()([x, layers.GRU(2, return_sequences=True)(x)]),
    "decoder": lambda x: layers.GRU(2, return_sequences=True)(
        layers.RepeatVector(3)(layers.LSTM(2)(x))
    ),
}


@pytest.mark.parametrize("name", ATTENTION)
def test_functional_models(name):
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, ATTENTION[name](inputs))
    xs = sequences()
    outputs = model.predict(xs, batch_size=3, verbose=0)
    assert isinstance(outputs, np.ndarray) == (name == "decoder")
    for output, expected in zip(outputs, alone(model, xs), strict=True):
        close(output, expected)


def test_equal_lengths_and_a_single_sequence():
    model = chain(layers.GRU(2, return_sequences=True))
    xs = [x[:1] for x in sequences()]
    assert [o.shape for o in model.predict(xs, verbose=0)] == [(1, 2)] * 8
    assert model.predict(xs[:1], verbose=0)[0].shape == (1, 2)


def test_a_train_step_of_the_users():
    class Own(keras.Sequential):
        def train_step(self, data):
            x, y = data
            with keras.GradientTape() as tape:
                loss = self.compute_loss(x, y, self(x, training=True))
            variables = self.trainable_variables
            self.optimizer.apply(tape.gradient(loss, variables), variables)
            return {"loss": loss}

    xs, ys = sequences(), sequences(2, seed=1)
    stack = lambda: [keras.Input((None, 3)), layers.GRU(2, return_sequences=True)]  # noqa: E731
    own, plain = Own(stack()), keras.Sequential(stack())
    plain.set_weights(own.get_weights())
    for model in (own, plain):
        model.compile("sgd", "mse")
        model.fit(xs, ys, batch_size=8, shuffle=False, verbose=0)
    for a, b in zip(own.get_weights(), plain.get_weights(), strict=True):
        close(a, b)
    own.compile("sgd", "mse", run_eagerly=True)
    with pytest.raises(ValueError, match=r"unequal length.*runs as Python"):
        own.fit(xs, ys, verbose=0)


@pytest.mark.parametrize(
    ("layer", "name"),
    [
        (lambda: layers.Conv1D(2, 3, padding="same"), "Conv1D"),
        (lambda: layers.MaxPooling1D(2), "MaxPooling1D"),
        (lambda: layers.GlobalMaxPooling1D(), "GlobalMaxPooling1D"),
        (lambda: layers.GroupNormalization(1), "GroupNormalization"),
        (lambda: layers.UnitNormalization(axis=1), "UnitNormalization"),
        (lambda: layers.Lambda(lambda x: x[:, -1]), "Lambda"),
        (lambda: layers.GRU(2, go_backwards=True, return_sequences=True), "GRU"),
    ],
)
def test_layers_without_masks_are_refused_by_name(layer, name):
    model = keras.Sequential([keras.Input((None, 3)), layer(), layers.Dense(1)])
    with pytest.raises(ValueError, match=f"{name}.*unequal length"):
        model.predict(sequences(), verbose=0)
    model.predict(np.zeros((2, 6, 3)), verbose=0)  # the model stays usable


def over_steps(v):
    return v - keras.ops.mean(v, axis=1, keepdims=True)


class AddsLoss(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True

    def call(self, x):
        self.add_loss(keras.ops.mean(x**2))
        return x


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        (lambda: layers.Activation(lambda x: keras.ops.softmax(x, axis=1)), "Activation .*mask"),
        (lambda: layers.Dense(3, activation=over_steps), "Dense .*mask"),
        (lambda: layers.Dense(3, activity_regularizer="l2"), "activity_regularizer .*padding"),
        (lambda: AddsLoss(), "add_loss.*padding"),
    ],
)
def test_what_would_see_the_padding_is_refused(layer, words):
    model = chain(layer(), layers.GRU(2, return_sequences=True))
    with pytest.raises(ValueError, match=f"{words}"):
        model.evaluate(sequences(), sequences(2, 1), verbose=0)
    model.evaluate(np.zeros((2, 6, 3)), np.zeros((2, 6, 2)), verbose=0)
    model = chain(layers.GRU(3), layer(), layers.Dense(1)) if "Act" not in words else None
    if model is not None:  # no steps, no padding
        ys = np.zeros((len(LENGTHS), 1))
        found = [model.evaluate(sequences(), ys, n, verbose=0) for n in (1, 8)]
        assert "add_loss" in words or found[0] == pytest.approx(found[1], rel=1e-5)


REDUCED = {
    "mean": lambda a, b: keras.ops.mean(keras.ops.square(a - b)),
    "over steps and features": lambda a, b: keras.ops.mean(keras.ops.square(a - b), (1, 2)),
    "over steps": lambda a, b: keras.ops.sum(keras.ops.square(a - b), 1),
}


@pytest.mark.parametrize("name", REDUCED)
def test_losses_and_metrics_without_a_value_per_step_are_refused(name):
    xs, ys = sequences(), sequences(2, 1)
    with_loss, with_metric = chain(layers.GRU(2, return_sequences=True)), chain(
        layers.GRU(2, return_sequences=True), metrics=[REDUCED[name]]
    )  # fmt: skip
    with_loss.compile("sgd", REDUCED[name])
    for model, what in ((with_loss, "loss"), (with_metric, "metric")):
        with pytest.raises(ValueError, match=f"{what} .*unequal length.*each step"):
            model.evaluate(xs, ys, verbose=0)
        model.evaluate(np.zeros((2, 6, 3)), np.zeros((2, 6, 2)), verbose=0)


@pytest.mark.filterwarnings("ignore:The metric '(error|<lambda>)' can't be traced")
def test_metrics_in_numpy_see_no_padding():
    def error(a, b):
        return np.mean(np.abs(np.asarray(a) - np.asarray(b)), -1)

    xs, ys = sequences(), sequences(2, 1)
    model = chain(layers.GRU(2, return_sequences=True), metrics=[error, "mae"])
    for size in (1, 3, 8):
        logs = model.evaluate(xs, ys, size, verbose=0, return_dict=True)
        assert logs["error"] == pytest.approx(logs["mae"], rel=1e-5)
    wrong = chain(
        layers.GRU(2, return_sequences=True), metrics=[lambda a, b: float(error(a, b).mean())]
    )
    with pytest.raises(ValueError, match=r"metric .*unequal length.*each step"):
        wrong.evaluate(xs, ys, verbose=0)


def test_a_lost_mask_is_refused():
    inputs = keras.Input((None, 3))
    model = keras.Model(inputs, layers.GRU(2, return_sequences=True)(inputs) + 1.0)
    with pytest.raises(ValueError, match="has lost the mask"):
        model.predict(sequences(), verbose=0)


def test_wrong_data():
    model = chain(layers.GRU(2, return_sequences=True))
    xs, ys = sequences(), sequences(2)
    ys[2] = ys[2][:-1]
    with pytest.raises(ValueError, match=r"y\[2\] has 8 steps, but x\[2\] has 9"):
        model.fit(xs, ys, verbose=0)
    with pytest.raises(ValueError, match="cardinality"):
        model.fit(xs, np.zeros((7, 2)), verbose=0)
    with pytest.raises(ValueError, match=r"x\[1\]: expected a sequence of shape \(steps, 3\)"):
        model.predict([xs[0], np.zeros((4, 2)), xs[2]], verbose=0)
    with pytest.raises(ValueError, match=r"x\[1\]: the sequence has no steps"):
        model.predict([xs[0], np.zeros((0, 3))], verbose=0)
    fixed = keras.Sequential([keras.Input((20, 3)), layers.GRU(2)])
    with pytest.raises(ValueError, match=r"expects an array of shape \(None, 20, 3\)"):
        fixed.predict(xs, verbose=0)
    short = [x for x in xs if len(x) <= 20]
    assert fixed.predict(short, verbose=0).shape == (7, 2)
