"""`keras.backend` of Keras 2: what `from tensorflow.keras import backend as K` gives today."""

import numpy as np
from golden_builders import normal, uniform
from golden_case import CallCase
from golden_kinds import FactCase, RefusalCase

A, B = normal(2, 3), normal(2, 3)


def backend_of(k):
    if k.__name__ == "seqrnn":
        return k.backend
    from keras._tf_keras.keras import backend

    return backend


def row(name, call, *inputs):
    def called(k, *arrays):
        tensors = [k.ops.convert_to_tensor(a) for a in arrays]
        return call(backend_of(k), *tensors)

    return CallCase(name, called, list(inputs))


def _step(K):
    return lambda x, states: (x + states[0], [0.5 * states[0] + x])


def _rnn(K, x, mask=None, **options):
    initial = K.zeros((2, 3)) + 0.25
    last, outputs, states = K.rnn(_step(K), x, [initial], mask=mask, **options)
    return [last, outputs, *states]


def _with_constants(K, x):
    def step(x, states):
        state, scale = states
        return x * scale + state, [state + x]

    last, outputs, states = K.rnn(step, x, [K.zeros((2, 3))], constants=[K.ones((3,)) * 2.0])
    return [last, outputs, *states]


def _mask(K):
    return K.constant(np.array([[1, 1, 0, 1], [0, 1, 1, 0]]), "bool")


def _probabilities(K, x):
    return K.softmax(K.cast(x, "float32"))


def _ctc(K, x):
    labels = K.constant(np.array([[0, 1, 1], [2, 0, 0]]), "int32")
    lengths = [K.constant(np.array(n), "int32") for n in ([[6], [5]], [[3], [1]])]
    return K.ctc_batch_cost(labels, _probabilities(K, x), *lengths)


def _decoded(K, x, **options):
    length = K.constant(np.array([6, 4]), "int32")
    paths, scores = K.ctc_decode(_probabilities(K, x), length, **options)
    return [*[K.cast(path, "int32") for path in paths], scores]


def _top_two(K, x):
    targets = K.constant(np.array([1, 2]), "int32")
    return K.cast(K.in_top_k(K.cast(x, "float32"), targets, 2), "int32")


CASES = [
    row("concatenate", lambda K, a, b: K.concatenate([a, b]), A, B),
    row("concatenate_0", lambda K, a, b: K.concatenate([a, b], axis=0), A, B),
    row("argmax", lambda K, a: K.argmax(a), A),
    row("argmax_0", lambda K, a: K.argmax(a, axis=0), A),
    row("argmin", lambda K, a: K.argmin(a), A),
    row("cumsum", lambda K, a: K.cumsum(a), A),
    row("cumsum_1", lambda K, a: K.cumsum(a, axis=1), A),
    row("cumprod", lambda K, a: K.cumprod(a), A),
    row("expand_dims", lambda K, a: K.expand_dims(a), A),
    row("expand_dims_1", lambda K, a: K.expand_dims(a, 1), A),
    row("hard_sigmoid", lambda K, a: K.hard_sigmoid(a * 3.0), A),
    row("relu", lambda K, a: K.relu(a), A),
    row("relu_alpha", lambda K, a: K.relu(a, alpha=0.1), A),
    row("relu_max", lambda K, a: K.relu(a, max_value=0.5), A),
    row("relu_all", lambda K, a: K.relu(a, alpha=0.2, max_value=0.75, threshold=0.25), A),
    row("in_top_k", _top_two, A),
    row("batch_normalization", lambda K, x, *v: K.batch_normalization(x, *v),
        normal(4, 3), normal(3), uniform(0.5, 2, 3), normal(3), normal(3)),
    row("bias_add", lambda K, x, b: K.bias_add(x, b), normal(2, 4, 3), normal(3)),
    row("bias_add_channels_first", lambda K, x, b: K.bias_add(x, b, "channels_first"),
        normal(2, 3, 4), normal(3)),
    row("foldl", lambda K, x: K.foldl(lambda acc, v: 0.5 * acc + v, x), normal(4, 3)),
    row("foldl_initializer", lambda K, x: K.foldl(
        lambda acc, v: 0.5 * acc + v, x, initializer=K.ones((3,))), normal(4, 3)),
    row("foldr", lambda K, x: K.foldr(lambda acc, v: 0.5 * acc + v, x), normal(4, 3)),
    row("map_fn", lambda K, x: K.map_fn(lambda v: v * 2.0, x), normal(4, 3)),
    row("clip", lambda K, a: K.clip(a, min_value=-0.5, max_value=0.5), A),
    row("dot", lambda K, x, y: K.dot(x, y), normal(2, 4, 3), normal(3, 5)),
    row("tile", lambda K, a: K.tile(a, n=[1, 2]), A),
    row("reshape", lambda K, a: K.reshape(a, shape=(3, 2)), A),
    row("repeat", lambda K, a: K.repeat(a, 3), A),
    row("batch_flatten", lambda K, x: K.batch_flatten(x), normal(2, 3, 4)),
    row("permute", lambda K, x: K.permute_dimensions(x, (0, 2, 1)), normal(2, 3, 4)),
    row("switch", lambda K, a, b: K.switch(K.greater(a, b), a, b), A, B),
    row("switch_axes", lambda K, c, x, y: K.switch(K.greater(c, 0.0), x, y),
        normal(3, 2), normal(3, 2, 4), normal(3, 2, 4)),
    row("switch_last", lambda K, c, x, y: K.switch(K.greater(c, 0.0), x, y),
        normal(3), normal(2, 3), normal(2, 3)),
    row("switch_called", lambda K, x: K.switch(K.greater(x, 0.0), lambda: x, lambda: 2.0 * x), A),
    row("arange", lambda K: K.arange(2, 9, 3)),
    row("constant_shape", lambda K: K.constant(2.5, shape=(2, 3))),
    row("eye", lambda K: K.eye(3)),
    row("one_hot", lambda K: K.one_hot(K.constant(np.array([1, 0]), "int32"), 3)),
    row("conv1d", lambda K, x, w: K.conv1d(x, w, strides=2), normal(2, 7, 3), normal(3, 3, 2)),
    row("conv1d_same", lambda K, x, w: K.conv1d(x, w, padding="same", dilation_rate=2),
        normal(2, 7, 3), normal(3, 3, 2)),
    row("conv1d_causal", lambda K, x, w: K.conv1d(x, w, padding="causal", dilation_rate=2),
        normal(2, 7, 3), normal(3, 3, 2)),
    row("sparse_ignore", lambda K, p: K.sparse_categorical_crossentropy(
        K.constant(np.array([1, 2]), "int32"), p, from_logits=True, ignore_class=2), A),
    row("rnn", _rnn, normal(2, 4, 3)),
    row("rnn_backwards", lambda K, x: _rnn(K, x, go_backwards=True), normal(2, 4, 3)),
    row("rnn_mask", lambda K, x: _rnn(K, x, _mask(K)), normal(2, 4, 3)),
    row("rnn_mask_zero", lambda K, x: _rnn(K, x, _mask(K), zero_output_for_mask=True),
        normal(2, 4, 3)),
    row("rnn_last", lambda K, x: _rnn(K, x, return_all_outputs=False), normal(2, 4, 3)),
    row("rnn_time_major", lambda K, x: _rnn(K, x, time_major=True), normal(4, 2, 3)),
    row("rnn_constants", _with_constants, normal(2, 4, 3)),
    row("ctc_batch_cost", _ctc, normal(2, 6, 4)),
    row("ctc_decode", _decoded, normal(2, 6, 4)),
    FactCase("attention", lambda k: _attention(k)),
]  # fmt: skip


def _attention(k):
    """The attention layer of many notebooks: a context out of weighted steps."""
    K = backend_of(k)

    class Attention(k.layers.Layer):
        def build(self, input_shape):
            self.w = self.add_weight(shape=(input_shape[-1],), initializer="ones")

        def call(self, x):
            e = K.tanh(K.sum(x * self.w, axis=-1))
            a = K.exp(e) / K.cast(K.sum(K.exp(e), axis=1, keepdims=True) + K.epsilon(), K.floatx())
            return K.sum(x * K.expand_dims(a), axis=1)

    x = np.arange(12, dtype="float32").reshape(2, 3, 2) / 8
    return np.round(np.asarray(Attention()(x)), 4).tolist()


REFUSED = [
    RefusalCase("no_such", lambda k: backend_of(k).no_such_name, ["no_such_name"]),
    RefusalCase("of_ops_only", lambda k: backend_of(k).logsumexp, ["logsumexp", "seqrnn.ops"]),
]

CASES += REFUSED
