"""Losses against their formulas in NumPy, float64."""

import itertools

import numpy as np
import pytest

import seqrnn as keras
from seqrnn import losses

EPS = 1e-7


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def pairs(rng, shape=(5, 4, 3)):
    return rng.normal(size=shape), rng.normal(size=shape)


REGRESSION = {
    "mean_squared_error": lambda y, p: ((p - y) ** 2).mean(-1),
    "mean_absolute_error": lambda y, p: np.abs(p - y).mean(-1),
    "mean_absolute_percentage_error": lambda y, p: (
        100 * (np.abs(p - y) / np.maximum(np.abs(y), EPS)).mean(-1)
    ),
    "mean_squared_logarithmic_error": lambda y, p: (
        (np.log(np.maximum(p, EPS) + 1) - np.log(np.maximum(y, EPS) + 1)) ** 2
    ).mean(-1),
    "huber": lambda y, p: np.where(
        np.abs(p - y) <= 1, 0.5 * (p - y) ** 2, np.abs(p - y) - 0.5
    ).mean(-1),
    "log_cosh": lambda y, p: np.log(np.cosh(p - y)).mean(-1),
    "kl_divergence": lambda y, p: (
        np.clip(y, EPS, 1) * np.log(np.clip(y, EPS, 1) / np.clip(p, EPS, 1))
    ).sum(-1),
    "cosine_similarity": lambda y, p: (
        -(y * p).sum(-1) / np.linalg.norm(y, axis=-1) / np.linalg.norm(p, axis=-1)
    ),
    "categorical_hinge": lambda y, p: np.maximum(((1 - y) * p).max(-1) - (y * p).sum(-1) + 1, 0),
    "hinge": lambda y, p: np.maximum(1 - y * p, 0).mean(-1),
    "squared_hinge": lambda y, p: (np.maximum(1 - y * p, 0) ** 2).mean(-1),
}


@pytest.mark.parametrize("name", REGRESSION)
def test_regression_losses(name, rng):
    y, p = pairs(rng)
    value = getattr(losses, name)(y, p)
    np.testing.assert_allclose(value, REGRESSION[name](y, p), rtol=1e-12, atol=1e-14)


def test_poisson(rng):
    y, p = rng.uniform(0.1, 3, (4, 2)), rng.uniform(0.1, 3, (4, 2))
    np.testing.assert_allclose(losses.poisson(y, p), (p - y * np.log(p + EPS)).mean(-1), rtol=1e-12)


def test_log_cosh_of_large_errors_is_finite():
    assert losses.log_cosh(np.zeros((1, 1)), np.full((1, 1), 1e4))[0] == pytest.approx(
        1e4 - np.log(2)
    )


def test_hinge_turns_zeros_into_minus_ones(rng):
    y, p = np.array([[0.0, 1.0], [1.0, 0.0]]), rng.normal(size=(2, 2))
    expected = np.maximum(1 - (2 * y - 1) * p, 0).mean(-1)
    np.testing.assert_allclose(losses.hinge(y, p), expected, rtol=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_binary_crossentropy(rng, smoothing):
    y, z = rng.integers(0, 2, (6, 3)).astype(float), rng.normal(size=(6, 3))
    p = 1 / (1 + np.exp(-z))
    t = y * (1 - smoothing) + smoothing / 2
    expected = -(t * np.log(p) + (1 - t) * np.log(1 - p)).mean(-1)
    for value in (
        losses.binary_crossentropy(y, p, label_smoothing=smoothing),
        losses.binary_crossentropy(y, z, from_logits=True, label_smoothing=smoothing),
    ):
        np.testing.assert_allclose(value, expected, rtol=1e-10)


def test_binary_crossentropy_clips_probabilities():
    value = losses.binary_crossentropy(np.array([[1.0]]), np.array([[0.0]]))
    np.testing.assert_allclose(value, -np.log(EPS), rtol=1e-12)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_categorical_crossentropy(rng, smoothing):
    z = rng.normal(size=(5, 2, 4))
    y = np.eye(4)[rng.integers(0, 4, (5, 2))]
    t = y * (1 - smoothing) + smoothing / 4
    expected = -(t * np.log(softmax(z))).sum(-1)
    for value in (
        losses.categorical_crossentropy(y, 3 * softmax(z), label_smoothing=smoothing),
        losses.categorical_crossentropy(y, z, from_logits=True, label_smoothing=smoothing),
    ):
        np.testing.assert_allclose(value, expected, rtol=1e-10)


@pytest.mark.parametrize("shape", [(5, 2), (5, 2, 1)])
def test_sparse_categorical_crossentropy(rng, shape):
    z, ids = rng.normal(size=(5, 2, 4)), rng.integers(0, 4, (5, 2))
    expected = -np.log(np.take_along_axis(softmax(z), ids[..., None], -1))[..., 0]
    labels = ids.reshape(shape)
    np.testing.assert_allclose(
        losses.sparse_categorical_crossentropy(labels, softmax(z)), expected, rtol=1e-10
    )
    np.testing.assert_allclose(
        losses.sparse_categorical_crossentropy(labels, z, from_logits=True), expected, rtol=1e-10
    )


def test_ignored_class_is_left_out_of_the_mean(rng):
    z, ids = rng.normal(size=(6, 3)), np.array([0, 1, 2, -1, 1, -1])
    each = -np.log(softmax(z)[np.arange(6), np.maximum(ids, 0)])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    np.testing.assert_allclose(loss(ids, z), each[ids >= 0].mean(), rtol=1e-6)


# ---- objects, reductions, weights ----


def test_reductions(rng):
    y, p = pairs(rng, (4, 5, 3))
    w = rng.uniform(size=(4, 5))
    values = ((y - p) ** 2).mean(-1)
    expected = {
        "sum_over_batch_size": (w * values).sum() / 20,
        "mean": (w * values).sum() / 20,
        "sum": (w * values).sum(),
        "mean_with_sample_weight": (w * values).sum() / w.sum(),
        None: w * values,
        "none": w * values,
        "auto": (w * values).sum() / 20,
    }
    for reduction, value in expected.items():
        loss = losses.MeanSquaredError(reduction=reduction)
        np.testing.assert_allclose(loss(y, p, sample_weight=w), value, rtol=1e-6)


def test_weight_per_sample_counts_for_all_steps(rng):
    y, p = pairs(rng, (4, 4, 2))
    w = np.array([1.0, 0.0, 2.0, 0.5])
    expected = (((y - p) ** 2).mean(-1) * w[:, None]).sum() / 16
    for weight in (w, w[:, None]):
        value = losses.MeanSquaredError()(y, p, sample_weight=weight)
        np.testing.assert_allclose(value, expected, rtol=1e-12)


def test_weights_that_do_not_fit():
    y = np.zeros((4, 3, 2))
    with pytest.raises(ValueError, match=r"sample_weight of shape \(4, 2\).*\(4, 3\)"):
        losses.MeanSquaredError()(y, y, sample_weight=np.ones((4, 2)))


def masked(p, mask):
    p = keras.ops.add(p, 0.0)
    p._keras_mask = keras.ops.cast(mask, "bool")
    return p


def test_mean_over_valid_steps(rng):
    y, p = pairs(rng, (3, 4, 2))
    mask = rng.integers(0, 2, (3, 4)).astype(bool)
    values = ((y - p) ** 2).mean(-1)
    loss = losses.MeanSquaredError()
    np.testing.assert_allclose(loss(y, masked(p, mask)), values[mask].mean(), rtol=1e-6)
    w = rng.uniform(size=3)
    expected = (values * mask * w[:, None]).sum() / mask.sum()
    np.testing.assert_allclose(loss(y, masked(p, mask), sample_weight=w), expected, rtol=1e-6)


def test_everything_masked_gives_zero(rng):
    y, p = pairs(rng, (3, 4, 2))
    assert losses.MeanSquaredError()(y, masked(p, np.zeros((3, 4), bool))) == 0.0


def test_mask_is_ignored_when_the_loss_removed_its_axis(rng):
    y, p = pairs(rng, (3, 4, 2))

    def last_step(y_true, y_pred):
        return losses.mean_squared_error(y_true[:, -1], y_pred[:, -1])

    loss = losses.LossFunctionWrapper(last_step)
    expected = ((y - p)[:, -1] ** 2).mean()
    np.testing.assert_allclose(loss(y, masked(p, np.ones((3, 4), bool))), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("target", "prediction"), [((6,), (6, 1)), ((6, 1), (6,)), ((6, 1), (6, 1)), ((6,), (6,))]
)
def test_trailing_axes_of_one(rng, target, prediction):
    y, p = rng.normal(size=6), rng.normal(size=6)
    value = losses.MeanSquaredError()(y.reshape(target), p.reshape(prediction))
    np.testing.assert_allclose(value, ((y - p) ** 2).mean(), rtol=1e-12)


@pytest.mark.parametrize("other", [(4, 24, 3), (4, 50, 1), (4, 50), (1, 50, 3)])
def test_other_shapes_are_refused_with_both(other):
    with pytest.raises(ValueError) as caught:
        losses.mse(np.zeros((4, 50, 3)), np.zeros(other))
    assert "(4, 50, 3)" in str(caught.value) and str(other) in str(caught.value)


def test_one_hot_targets_for_a_sparse_loss_are_explained():
    with pytest.raises(ValueError, match="'categorical_crossentropy'"):
        losses.sparse_categorical_crossentropy(np.zeros((2, 3)), np.ones((2, 3)))


def test_integer_targets(rng):
    y, p = rng.integers(0, 5, (4, 2)), rng.normal(size=(4, 2)).astype("float32")
    value = losses.MeanSquaredError()(y, p)
    np.testing.assert_allclose(value, ((y - p) ** 2).mean(), rtol=1e-6)


def test_targets_of_one_axis_keep_a_value_per_row(rng):
    y, p, w = rng.normal(size=6), rng.normal(size=(6, 1)), rng.uniform(size=6)

    def own(y_true, y_pred):
        return keras.ops.mean(keras.ops.square(y_true - y_pred), axis=-1)

    class Own(losses.Loss):
        def call(self, y_true, y_pred):
            return own(y_true, y_pred)

    expected = (w * (y - p[:, 0]) ** 2).sum() / 6
    for loss in (losses.MeanSquaredError(), losses.LossFunctionWrapper(own), Own()):
        np.testing.assert_allclose(loss(y, p, sample_weight=w), expected, rtol=1e-12)


@pytest.mark.parametrize("rank", [2, 3])
def test_weights_and_masks_of_steps_reach_targets_without_last_axis(rng, rank):
    y, p, w = rng.normal(size=(3, 4)), rng.normal(size=(3, 4, 1)), rng.uniform(size=(3, 4))
    mask = rng.integers(0, 2, (3, 4)).astype(bool)
    values = (y - p[..., 0]) ** 2
    loss = losses.MeanSquaredError()
    weight = w.reshape((3, 4, 1)[:rank])
    np.testing.assert_allclose(loss(y, p, sample_weight=weight), (w * values).mean(), rtol=1e-12)
    np.testing.assert_allclose(loss(y, masked(p, mask)), values[mask].mean(), rtol=1e-6)
    both = loss(y, masked(p, mask), sample_weight=weight)
    np.testing.assert_allclose(both, (w * values)[mask].sum() / mask.sum(), rtol=1e-6)


def test_mask_of_predictions_and_ignored_class_both_count(rng):
    z, ids = rng.normal(size=(3, 4, 3)), rng.integers(0, 3, (3, 4))
    mask = rng.integers(0, 2, (3, 4)).astype(bool)
    each = -np.log(np.take_along_axis(softmax(z), ids[..., None], -1))[..., 0]
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)
    expected = each[mask & (ids != 1)].mean()
    np.testing.assert_allclose(loss(ids, masked(z, mask)), expected, rtol=1e-6)


def test_lists():
    """Python numbers and lists, as arrays."""
    assert float(losses.MeanSquaredError()([[0.0, 1.0]], [[0.2, 0.8]])) == pytest.approx(0.04)
    loss = losses.MeanAbsoluteError()
    found = loss([[0, 1], [0, 0]], [[1, 1], [1, 0]], sample_weight=[0.7, 0.3])
    assert float(found) == pytest.approx(0.25)
    wrapped = losses.LossFunctionWrapper(lambda y, p: keras.ops.abs(y - p))
    assert float(wrapped([0, 1], [2, 1])) == 1.0


def test_short_vectors_keep_their_direction():
    """Norms below epsilon() are taken for it: |x| of 1e-8 for 1e-7."""
    lengths = np.array([1e-3, 1e-7, 1e-8])
    y = lengths[:, None] * np.array([[1.0, 0.0]])
    units = np.minimum(lengths / 1e-7, 1.0)
    np.testing.assert_allclose(losses.cosine_similarity(y, y), -(units**2), rtol=1e-6)
    keras.config.set_epsilon(1e-3)
    try:
        found = losses.cosine_similarity(y[:1] / 10, y[:1] / 10)
    finally:
        keras.config.set_epsilon(1e-7)
    np.testing.assert_allclose(found, [-0.01], rtol=1e-6)


def test_epsilon_in_denominators_and_logarithms():
    y, p, eps = np.array([[1e-7, 1e-7]]), np.array([[1e-7, 3e-7]]), 1e-7
    both, missed, extra = (y * p).sum(), (y * (1 - p)).sum(), (p * (1 - y)).sum()
    share = 2 * both / (y.sum() + p.sum() + eps)
    np.testing.assert_allclose(1 - losses.dice(y, p), share, rtol=1e-6)
    share = both / (both + 0.3 * missed + 0.6 * extra + eps)
    np.testing.assert_allclose(1 - losses.tversky(y, p, 0.3, 0.6), share, rtol=1e-6)
    y, p = np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])
    focal = losses.categorical_focal_crossentropy(y, p, alpha=0.25, gamma=2.0)
    np.testing.assert_allclose(focal, [-0.25 * (1 - eps) ** 2 * np.log(eps)], rtol=1e-12)
    focal = losses.binary_focal_crossentropy(y, p)
    np.testing.assert_allclose(focal, [-np.log(eps)], rtol=1e-9)


def test_dtype():
    y, p = np.array([[1], [3]]), np.array([[2], [5]])
    assert losses.MeanSquaredError().dtype == "float32"
    value = losses.MeanSquaredError()(y, p)  # integers
    assert value.dtype == np.float32 and value == 2.5
    value = losses.MeanSquaredError(dtype="float64")(y, p.astype("float32"))
    assert value.dtype == np.float64 and value == 2.5
    with pytest.raises(ValueError, match="mixed_float16"):
        losses.MeanSquaredError(dtype="mixed_float16")


# ---- pairs ----


def spelled(path):
    """A path of classes without its repetitions and blanks."""
    return [c for i, c in enumerate(path) if c and (i == 0 or path[i - 1] != c)]


@pytest.mark.parametrize("labels", [[1, 2], [1, 1], [2, 0], [0, 0]])
def test_ctc_sums_over_all_paths(rng, labels):
    z = rng.normal(size=(1, 4, 3))
    p = softmax(z)[0]
    wanted = [c for c in labels if c]
    total = sum(
        np.prod([p[t, c] for t, c in enumerate(path)])
        for path in itertools.product(range(3), repeat=4)
        if spelled(path) == wanted
    )
    np.testing.assert_allclose(losses.ctc(np.array([labels]), z), [-np.log(total)], rtol=1e-10)


def test_ctc_of_too_few_steps_is_huge_and_finite(rng):
    value = losses.ctc(np.array([[1, 1, 1]]), rng.normal(size=(1, 4, 3)).astype("float32"))
    assert 1e29 < value[0] < 1e31


@pytest.mark.parametrize("diagonal", [True, False])
def test_circle_against_loops(rng, diagonal):
    ids, x = rng.integers(0, 3, 7), rng.normal(size=(7, 4))
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    g, m = 6.0, 0.3
    expected = np.zeros(7)
    for i in range(7):
        d = np.maximum(1 - x @ x[i], 0)
        pairs = [(j, ids[j] == ids[i]) for j in range(7)]
        same = [
            np.exp(-g * (m + d[j]) * (m - d[j]))
            for j, s in pairs
            if s and not (diagonal and j == i)
        ]
        other = [np.exp(g * max(1 + m - d[j], 0) * (1 - m - d[j])) for j, s in pairs if not s]
        expected[i] = np.log1p(sum(same) * sum(other))
    value = losses.circle(ids, x, gamma=g, margin=m, remove_diagonal=diagonal)
    np.testing.assert_allclose(value, expected, rtol=1e-9, atol=1e-12)
    mean = losses.Circle(gamma=g, margin=m, remove_diagonal=diagonal)(ids, x)
    np.testing.assert_allclose(mean, expected[expected > 0].mean(), rtol=1e-6)


@pytest.mark.parametrize("loss", ["ctc", losses.Circle(gamma=2.0), "dice"])
def test_losses_over_pairs_are_the_same_for_any_number_of_threads(rng, loss):
    x = rng.normal(size=(150, 6, 3)).astype("float32")
    if loss == "ctc":
        y = rng.integers(1, 4, (150, 2))
    elif loss == "dice":
        y = rng.integers(0, 2, (150, 6, 4))
    else:
        y = rng.integers(0, 3, 150)
    histories = []
    threads = keras.num_threads()
    try:
        for number in (1, 2):
            keras.set_num_threads(number)
            keras.utils.set_random_seed(5)
            model = keras.Sequential(
                [keras.layers.GRU(4, return_sequences=not isinstance(loss, losses.Circle))]
            )
            model.compile("adam", loss)
            histories.append(model.fit(x, y, batch_size=64, epochs=2, verbose=0).history["loss"])
    finally:
        keras.set_num_threads(threads)
    assert histories[0] == histories[1] and np.isfinite(histories[0]).all()


# ---- names ----


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("mse", losses.mean_squared_error),
        ("MSE", losses.mean_squared_error),
        ("mean_squared_error", losses.mean_squared_error),
        ("mae", losses.mean_absolute_error),
        ("mape", losses.mean_absolute_percentage_error),
        ("msle", losses.mean_squared_logarithmic_error),
        ("bce", losses.binary_crossentropy),
        ("kld", losses.kl_divergence),
        ("huber", losses.huber),
        ("sparse_categorical_crossentropy", losses.sparse_categorical_crossentropy),
    ],
)
def test_get_by_name(name, function):
    assert losses.get(name) is function


def test_get_other_things():
    assert losses.get(None) is None
    assert isinstance(losses.get("MeanSquaredError"), losses.MeanSquaredError)
    assert losses.get(losses.mse) is losses.mean_squared_error
    loss = losses.Huber(delta=2.0)
    assert losses.get(loss) is loss
    copy = losses.get(losses.serialize(loss))
    assert copy.get_config() == loss.get_config()


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'mean_squared_error'"):
        losses.get("mean_squarred_error")
    with pytest.raises(ValueError, match=r"Unknown reduction 'summ'.*'sum'"):
        losses.MeanSquaredError(reduction="summ")


@pytest.mark.parametrize("name", losses.CLASSES)
def test_unknown_arguments_name_the_class(name):
    with pytest.raises(TypeError, match=rf"{name}.*'logits'"):
        losses.CLASSES[name](logits=True)


@pytest.mark.parametrize("name", losses.CLASSES)
def test_classes_round_trip_their_config(name):
    loss = losses.CLASSES[name]()
    assert type(loss).from_config(loss.get_config()).get_config() == loss.get_config()


def test_metrics_and_losses_share_the_functions():
    assert keras.metrics.mean_squared_error is keras.losses.mean_squared_error
    assert keras.losses.MSE is keras.losses.mse is keras.losses.mean_squared_error


def test_a_loss_without_call():
    with pytest.raises(NotImplementedError, match="call"):
        losses.Loss()(np.zeros(3), np.zeros(3))
