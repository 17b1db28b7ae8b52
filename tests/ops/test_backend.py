"""The names of Keras 2's backend, the settings, and the suggestions of error texts."""

import numpy as np
import pytest

from seqrnn import backend as K
from seqrnn import config
from seqrnn.errors import did_you_mean

rng = np.random.default_rng(3)
X = rng.normal(size=(4, 3))


def test_aliases():
    np.testing.assert_allclose(K.mean(K.square(X), axis=-1), (X**2).mean(-1))
    np.testing.assert_array_equal(K.permute_dimensions(X, (1, 0)), X.T)
    np.testing.assert_array_equal(K.reverse(X, 1), X[:, ::-1])
    np.testing.assert_array_equal(K.repeat(X, 2), np.stack([X, X], 1))
    np.testing.assert_array_equal(K.repeat_elements(X, 2, 1), np.repeat(X, 2, 1))
    np.testing.assert_array_equal(K.batch_flatten(X[:, :, None]), X)
    np.testing.assert_array_equal(K.concatenate([X, X], -1), np.concatenate([X, X], -1))
    np.testing.assert_array_equal(K.gather(X, [2, 0]), X[[2, 0]])
    np.testing.assert_array_equal(K.switch(X > 0, X, 0), np.where(X > 0, X, 0))
    normed = K.l2_normalize(X, 1)
    np.testing.assert_allclose((normed**2).sum(1), 1)
    assert K.int_shape(X) == (4, 3) and K.count_params(X) == 12 and K.ndim(X) == 2
    assert K.flatten(X).shape == (12,) and K.floatx() == "float32" and K.backend() == "seqrnn"
    v = K.variable(X, name="v")
    K.set_value(v, X * 2)
    np.testing.assert_array_equal(K.get_value(v), X * 2)
    with pytest.raises(AttributeError, match="no_such"):
        K.no_such  # noqa: B018


def test_more_aliases():
    assert K.identity(X) is not None and K.eval(K.identity(X)).tolist() == X.tolist()
    assert K.cast_to_floatx(X).dtype == "float32"
    v = K.variable(np.ones(3))
    K.update_add(v, 2.0)
    K.update_sub(v, 0.5)
    np.testing.assert_array_equal(K.get_value(v), 2.5)
    padded = K.temporal_padding(np.ones((1, 2, 3)), (2, 1))
    np.testing.assert_array_equal(padded[0, :, 0], [0, 0, 1, 1, 0])
    drawn = K.random_bernoulli((4000,), 0.3, seed=1)
    assert set(np.unique(drawn)) == {0.0, 1.0} and abs(drawn.mean() - 0.3) < 0.04
    np.testing.assert_array_equal(K.map_fn(lambda x: x * 2, X), X * 2)
    assert K.image_data_format() == "channels_last"
    with pytest.raises(ValueError, match="channels_first"):
        K.set_image_data_format("channels_first")


RESULT_TYPES = [  # as Keras 3.15.1
    (("int32", "float32"), "float32"),
    (("int64", "float32"), "float32"),
    (("bool", "int32"), "int32"),
    (("float32", "float64"), "float64"),
    (("int32", float), "float32"),
    (("float64", int), "float64"),
    (("bool", int), "int32"),
    ((int, float), "float32"),
    ((), "float32"),
]


@pytest.mark.parametrize(("dtypes", "expected"), RESULT_TYPES)
def test_result_type(dtypes, expected):
    assert K.result_type(*dtypes) == expected
    assert K.is_float_dtype(expected) == expected.startswith("float")
    assert K.is_int_dtype(expected) == expected.startswith("int")


def test_batch_dot():
    a, b = rng.normal(size=(4, 2, 3)), rng.normal(size=(4, 3, 5))
    np.testing.assert_allclose(K.batch_dot(a, b), a @ b)
    np.testing.assert_allclose(K.batch_dot(a, a, axes=2), a @ a.transpose(0, 2, 1))
    np.testing.assert_allclose(K.batch_dot(a, b, axes=(2, 1)), a @ b)
    np.testing.assert_allclose(K.batch_dot(X, X, axes=1), (X * X).sum(1, keepdims=True))
    np.testing.assert_allclose(K.batch_dot(a, X), (a @ X[..., None])[..., 0])


def test_suggestions():
    words = ["tanh", "sigmoid", "relu"]
    assert did_you_mean("tahn", words) == " Did you mean 'tanh'?"
    assert did_you_mean("ReLU", words) == " Did you mean 'relu'?"
    assert did_you_mean("zzz", words) == " Known: 'relu', 'sigmoid', 'tanh'."
    assert did_you_mean("tanh", []) == ""
    assert did_you_mean(3, words).startswith(" Known")


def test_standard_dtypes():
    cases = {
        None: "float32",
        "float16": "float32",
        "uint8": "int32",
        "uint32": "int64",
        float: "float32",
        int: "int32",
        bool: "bool",
        np.float64: "float64",
        np.dtype(">i8"): "int64",
    }
    assert {given: config.standardize_dtype(given) for given in cases} == cases
    for wrong in ("complex64", "str", object):
        with pytest.raises(ValueError, match="dtype"):
            config.standardize_dtype(wrong)


def test_epsilon():
    before = config.epsilon()
    config.set_epsilon(1e-3)
    try:
        assert K.epsilon() == 1e-3
        assert K.binary_crossentropy(np.float32(1), np.float32(0)) == pytest.approx(-np.log(1e-3))
    finally:
        config.set_epsilon(before)
