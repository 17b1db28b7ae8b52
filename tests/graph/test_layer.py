"""Layer: building, names, tracking, masks, training, losses, config, errors."""

import copy
import pickle

import numpy as np
import pytest

from seqrnn import config, ops
from seqrnn.errors import UnknownArgumentError
from seqrnn.layers.base import Layer
from seqrnn.layers.input_spec import InputSpec
from seqrnn.trace import KerasTensor, Variable

rng = np.random.default_rng(9)
X = rng.normal(size=(4, 3)).astype("float32")


def drawn(shape, dtype=None):
    return np.arange(np.prod(shape), dtype=dtype).reshape(shape) / 10


@pytest.fixture(autouse=True)
def fresh_names():
    config.clear_session()


class Affine(Layer):
    """x W + b."""

    supports_masking = True

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.input_spec = InputSpec(axes={-1: input_shape[-1]})
        self.kernel = self.add_weight((input_shape[-1], self.units), drawn, name="kernel")
        self.bias = self.add_weight("bias", (self.units,), initializer=drawn)

    def call(self, inputs):
        return inputs @ self.kernel + self.bias


class Net(Layer):
    """Sublayers as attributes, in lists and dicts; one list grows later."""

    def __init__(self, units=2, **kwargs):
        super().__init__(**kwargs)
        self.first = Affine(units)
        self.others = [Affine(3)]
        self.named = {"a": Affine(2), "b": (Affine(1),)}
        self.scale = Variable(np.float32(2), name="scale")

    def call(self, inputs, training=False):
        x = self.first(inputs)
        for layer in self.others:
            x = layer(x)
        return self.named["b"][0](self.named["a"](x)) * self.scale


def expected(layer, x):
    return x @ layer.kernel.numpy() + layer.bias.numpy()


# ---- calling and building ----


def test_a_call_builds():
    layer = Affine(2)
    assert not layer.built and layer.weights == []
    np.testing.assert_allclose(layer(X), expected(layer, X), rtol=1e-6)
    assert layer.built and [w.path for w in layer.weights] == ["affine/kernel", "affine/bias"]
    assert layer.count_params() == 8
    np.testing.assert_allclose(layer(X[:2]), expected(layer, X[:2]), rtol=1e-6)
    assert layer([[1.0, 2.0, 3.0]]).shape == (1, 2)
    assert layer(inputs=X).shape == (4, 2)


def test_build_is_called_once_with_the_batch_unknown():
    shapes = []

    class Noted(Layer):
        def build(self, input_shape):
            shapes.append(input_shape)

        def call(self, x):
            return x

    layer = Noted()
    layer(np.ones((2, 5, 3)))
    layer(np.ones((4, 6, 3)))
    Noted()(KerasTensor((None, None, 3)))
    Noted()(KerasTensor((8, None, 3)))
    Noted()([np.ones((2, 1)), np.ones((2, 4))])
    assert shapes[:3] == [(None, 5, 3), (None, None, 3), (8, None, 3)]
    assert shapes[3:] == [[(None, 1), (None, 4)]]


def test_build_by_hand():
    net = Net()
    net.build((None, 3))
    assert net.built and len(net.weights) == 9
    layer = Affine(2)
    layer.build((None, 3))
    assert layer.built and layer.compute_output_shape((7, None, 3)) == (7, None, 2)


def test_build_runs_outside_of_the_trace():
    class Table(Layer):
        def build(self, input_shape):
            self.table = ops.arange(input_shape[-1]) * 2  # an array, not a tensor of the trace
            self.start = float(self.table[1])

        def call(self, x):
            return x + self.table + self.start

    np.testing.assert_array_equal(Table()(np.zeros((1, 3))), [[2, 4, 6]])


def test_order_of_weights():
    net = Net()
    net(X)
    names = [w.path for w in net.weights]
    assert names[0] == "scale"
    layers = ["affine", "affine_1", "affine_2", "affine_3"]
    assert names[1:] == [f"net/{a}/{w}" for a in layers for w in ("kernel", "bias")]
    net.others.append(Affine(3))
    net(X[:2])
    assert len(net.weights) == 11
    names = [layer.name for layer in net._flatten_layers()]
    assert names == ["net", *layers[:2], "affine_4", *layers[2:]]


def test_a_shared_layer_counts_once():
    net = Net()
    net.again = [net.first, net.first]
    net(X)
    assert len(net.weights) == 9


def test_get_and_set_weights():
    a, b = Net(), Net()
    a(X), b(X)
    a.scale.assign(5.0)
    b.set_weights(a.get_weights())
    np.testing.assert_array_equal(a(X), b(X))
    before = b.get_weights()
    with pytest.raises(ValueError, match="9 weights, got 8"):
        b.set_weights(before[1:])
    wrong = [np.zeros_like(w) for w in before[:-1]] + [np.zeros(7)]
    with pytest.raises(ValueError, match=r"affine_7/bias.*\(1,\).*\(7,\)"):
        b.set_weights(wrong)
    for left, right in zip(before, b.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_trainable():
    net = Net()
    net.first.trainable = False
    net(X)
    assert len(net.trainable_weights) == 7 and len(net.non_trainable_weights) == 2
    net.trainable = False
    assert net.trainable_weights == [] and not net.others[0].trainable
    net.trainable = True
    assert len(net.trainable_variables) == 9
    layer = Affine(2, trainable=False)
    layer(X)
    assert layer.trainable_weights == []


def test_a_failed_first_call_leaves_nothing():
    net = Net()
    net.others.append(Mode(name="last"))
    net.others[-1].call = lambda x, training: ops.reshape(x, (5, 7))
    with pytest.raises(ValueError, match="'last'"):
        net(X)
    assert net.weights == [net.scale] and not net.built and not net.first.built

    class Fails(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Affine(2)

        def build(self, input_shape):
            self.extra = Affine(3)
            self.w = self.add_weight((2,), drawn)
            if input_shape[-1] == 7:
                raise RuntimeError("no seven")

        def call(self, x):
            return self.inner(x) + self.w

    layer = Fails()
    with pytest.raises(RuntimeError, match="no seven"):
        layer(np.ones((2, 7)))
    assert layer.weights == [] and not hasattr(layer, "extra") and not layer.built
    with pytest.raises(RuntimeError, match="no seven"):
        layer(KerasTensor((None, 7)))
    assert layer(X).shape == (4, 2) and len(layer.weights) == 3


# ---- placeholders and other layers ----


def test_on_placeholders():
    net = Net(input_shape=[None, 3])
    y = net(KerasTensor((None, None, 3)))
    assert (y.shape, y.dtype) == ((None, None, 1), "float32")
    assert y.origin.fn is net and len(net.weights) == 9
    assert net.compute_output_shape((None, 7, 3)) == (None, 7, 1)


def test_a_layer_in_a_scan_makes_its_weights_once():
    class Unrolled(Layer):
        def __init__(self):
            super().__init__()
            self.cell = Affine(3)
            self.calls = 0

        def call(self, xs):
            def step(h, x):
                self.calls += 1
                h = ops.tanh(self.cell(ops.concatenate([h, x], -1)))
                return h, h

            return ops.scan(step, ops.zeros((xs.shape[1], 3)), xs)[1]

    layer = Unrolled()
    out = layer(np.ones((6, 2, 1), "float32"))
    assert out.shape == (6, 2, 3) and len(layer.weights) == 2 and layer.calls == 1
    h = np.zeros((2, 3))
    for t in range(6):
        h = np.tanh(expected(layer.cell, np.concatenate([h, np.ones((2, 1))], -1)))
        np.testing.assert_allclose(out[t], h, rtol=1e-5)


# ---- training and masks ----


class Mode(Layer):
    def call(self, x, training=False):
        return x * (1.0 if training else 0.0)


def test_training_comes_from_the_call_around():
    class Around(Layer):
        def __init__(self, given=None):
            super().__init__()
            self.mode = Mode()
            self.given = given

        def call(self, x):
            return self.mode(x, training=self.given) if self.given is not None else self.mode(x)

    x = np.ones(2)
    assert Mode()(x)[0] == 0 and Mode()(x, training=True)[0] == 1
    assert Around()(x)[0] == 0 and Around()(x, training=True)[0] == 1
    assert Around(given=False)(x, training=True)[0] == 0
    layer = Around()
    assert [layer(x, training=t)[0] for t in (True, False, True)] == [1, 0, 1]


class Embed(Layer):
    def call(self, ids):
        return ops.one_hot(ids, 3)

    def compute_mask(self, ids, previous_mask):
        return ids != 0


class UsesMask(Layer):
    supports_masking = True

    def call(self, x, mask=None):
        return x if mask is None else ops.where(mask[..., None], x, -1.0)


def test_masks_travel():
    ids = np.array([[1, 0, 2]])
    embedded = Embed()(ids)
    assert embedded._keras_mask.tolist() == [[True, False, True]]
    x = Affine(3)(embedded)
    assert x._keras_mask.tolist() == [[True, False, True]]
    out = UsesMask()(x)
    assert (out[0, 1] == -1).all() and (out[0, 0] != -1).any()
    given = UsesMask()(np.ones((1, 3, 2)), mask=np.array([[1, 1, 0]]))
    assert given[0, :, 0].tolist() == [1, 1, -1] and given._keras_mask.tolist() == [
        [True, True, False]
    ]
    assert UsesMask()(np.ones((1, 3, 2)))._keras_mask is None


def test_masks_travel_on_placeholders():
    y = UsesMask()(Affine(3)(Embed()(KerasTensor((None, None), "int32"))))
    assert y._keras_mask.shape == (None, None)


def test_a_layer_that_knows_no_masks_warns():
    with pytest.warns(UserWarning, match="'mode'.*does not support masking"):
        out = Mode()(Embed()(np.array([[1, 0]])))
    assert out._keras_mask is None


# ---- losses ----


def test_losses():
    class Adds(Affine):
        def call(self, x):
            self.add_loss(ops.sum(x))
            return super().call(x)

    class Outer(Layer):
        def __init__(self):
            super().__init__()
            self.inner = Adds(2, activity_regularizer=lambda y: ops.sum(ops.square(y)))

        def call(self, x):
            return self.inner(x)

        def build(self, input_shape):
            self.w = self.add_weight((2,), drawn, regularizer=lambda w: 3.0 * ops.sum(w))

    layer = Outer()
    y = layer(X)
    got = [float(term) for term in layer.losses]
    np.testing.assert_allclose(got, [X.sum(), (y**2).sum() / 4, 0.3], rtol=1e-5)
    with pytest.raises(ValueError, match="while the layer is called"):
        layer.add_loss(1.0)


# ---- arguments, names, config ----


def test_unknown_arguments():
    with pytest.raises(UnknownArgumentError) as info:
        Affine(2, trainible=False)
    assert str(info.value) == (
        "Affine() got an unexpected keyword argument 'trainible'. Did you mean 'trainable'?"
    )
    assert isinstance(info.value, TypeError) and isinstance(info.value, ValueError)
    with pytest.raises(UnknownArgumentError, match=r"Known: .*'units'"):
        Affine(2, zzz=1)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, None),
        ({"input_shape": [None, 1]}, (None, None, 1)),
        ({"input_shape": 3}, (None, 3)),
        ({"input_shape": (5,), "batch_size": 2}, (2, 5)),
        ({"batch_input_shape": (4, None, 1)}, (4, None, 1)),
        ({"input_dim": 3}, (None, 3)),
        ({"input_dim": 3, "input_length": 9}, (None, 9, 3)),
    ],
)
def test_declared_input(options, expected):
    assert Mode(**options)._batch_input_shape == expected


def test_declared_input_refused():
    with pytest.raises(ValueError, match="input_shape"):
        Mode(input_shape=(1.5,))


def test_names():
    assert [Affine(1).name for _ in range(3)] == ["affine", "affine_1", "affine_2"]
    config.clear_session()
    assert Affine(1).name == "affine" and Affine(1, name="mine").name == "mine"
    with pytest.raises(ValueError, match="a/b"):
        Affine(1, name="a/b")
    cases = {
        "SimpleRNN": "simple_rnn",
        "LSTM": "lstm",
        "GRUCell": "gru_cell",
        "Conv1D": "conv1d",
        "Conv1DTranspose": "conv1d_transpose",
        "GlobalAveragePooling1D": "global_average_pooling1d",
        "TimeDistributed": "time_distributed",
        "LNSimpleRNNCell": "ln_simple_rnn_cell",
        "StackedRNNCells": "stacked_rnn_cells",
        "_Private": "private",
    }
    assert {name: config.snake_case(name) for name in cases} == cases


def test_config():
    layer = Affine(2, name="a", trainable=False, dtype="float64")
    made = Affine.from_config(layer.get_config())
    assert layer.get_config() == {"name": "a", "trainable": False, "dtype": "float64", "units": 2}
    assert made.get_config() == layer.get_config()

    class NotPlain(Layer):
        def __init__(self, fn, **kwargs):
            super().__init__(**kwargs)

    with pytest.raises(NotImplementedError, match=r"get_config.*'fn'"):
        NotPlain(print).get_config()


def test_dtype():
    layer = Affine(2, dtype="float64")
    assert layer(X).dtype == "float64" and layer.kernel.dtype == "float64"
    layer = Affine(2)
    assert layer(X.astype("float64")).dtype == "float32"
    assert layer(np.ones((2, 3), "int32")).dtype == "float32"
    with pytest.raises(ValueError, match="mixed"):
        Affine(2, dtype="mixed_float16")
    with pytest.raises(ValueError, match="float32"):
        Affine(2, dtype="flaot32")


def test_copies():
    layer = Net()
    layer(X)
    twin = copy.deepcopy(layer)
    twin.first.kernel.assign(np.zeros((3, 2)))
    assert (layer.first.kernel.numpy() != 0).any() and (twin(X) != layer(X)).any()
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(layer))(X), layer(X))


# ---- errors ----


def test_errors_name_the_innermost_layer():
    net = Net(name="net")
    net(X)
    for call in (lambda: net(np.ones((2, 5))), lambda: net(KerasTensor((None, 5)))):
        with pytest.raises(ValueError, match=r"^in layer 'affine' \(Affine\): expected 3 elements"):
            call()


def test_input_spec():
    class Sequences(Affine):
        input_spec = InputSpec(ndim=3, layout="(batch, time, features)", hint="add an axis")

        def build(self, input_shape):
            pass

    with pytest.raises(ValueError, match=r"'sequences' .*3-D input \(batch, time, features\)"):
        Sequences(1)(KerasTensor((None, 20)))
    with pytest.raises(ValueError, match=r"got \(4, 3\); add an axis"):
        Sequences(1)(X)
    for spec, shape in [
        (InputSpec(min_ndim=2), (3,)),
        (InputSpec(max_ndim=2), (3, 1, 1)),
        (InputSpec(shape=(None, 4)), (2, 5)),
        (InputSpec(axes={2: 1}), (2, 5)),
    ]:
        with pytest.raises(ValueError, match="expected"):
            spec.check(shape)
    InputSpec(shape=(None, 4), axes={0: 2}).check((2, 4))


def test_no_call():
    with pytest.raises(NotImplementedError, match="call"):
        Layer()(X)
