"""Layers that pool, move, cut, join and squash: one line per layer and option."""

import re

import numpy as np
from golden_builders import fixed, layer_case, normal
from golden_case import Built, StepCase
from golden_kinds import FactCase, RefusalCase

# The shape of the input, a word for its mask or -, and the layer.
SINGLE = """
2,6,3    -     MaxPooling1D()
2,7,3    -     MaxPooling1D(3, 2)
2,7,3    -     MaxPooling1D(2, 3)
2,7,3    -     MaxPooling1D((3,), (1,), "same")
2,7,3    -     MaxPooling1D(3, 2, "same")
2,7,3    -     MaxPooling1D(9, 2, "same")
2,3,7    -     MaxPooling1D(3, 2, data_format="channels_first")
2,3,7    -     MaxPooling1D(2, 2, "same", "channels_first")
2,6,3    -     AveragePooling1D(2)
2,7,3    -     AveragePooling1D(3, 2)
2,7,3    -     AveragePooling1D(2, 3)
2,7,3    -     AveragePooling1D((3,), (1,), "same")
2,7,3    -     AveragePooling1D(3, 2, "same")
2,7,3    -     AveragePooling1D(9, 2, "same")
2,3,7    -     AveragePooling1D(3, 2, data_format="channels_first")
2,3,7    -     AveragePooling1D(2, 2, "same", "channels_first")
2,7,3    -     AdaptiveMaxPooling1D(3)
2,7,3    -     AdaptiveMaxPooling1D((7,))
2,3,7    -     AdaptiveMaxPooling1D(5, data_format="channels_first")
2,7,3    -     AdaptiveAveragePooling1D(3)
2,4,3    -     AdaptiveAveragePooling1D(6)
2,3,7    -     AdaptiveAveragePooling1D(1, data_format="channels_first")
2,6,3    -     GlobalMaxPooling1D()
2,6,3    -     GlobalMaxPooling1D(keepdims=True)
2,3,6    -     GlobalMaxPooling1D("channels_first")
2,3,6    -     GlobalMaxPooling1D("channels_first", keepdims=True)
2,6,3    -     GlobalAveragePooling1D()
2,6,3    -     GlobalAveragePooling1D(keepdims=True)
3,6,3    right GlobalAveragePooling1D()
3,6,3    gaps  GlobalAveragePooling1D(keepdims=True)
2,3,6    -     GlobalAveragePooling1D("channels_first")
2,3,6    -     GlobalAveragePooling1D("channels_first", keepdims=True)
2,3,4    -     Flatten()
2,3,4    -     Flatten("channels_first")
2,3,4,2  -     Flatten("channels_first")
2,5      -     Flatten()
2,6,4    -     Reshape((3, 8))
2,6,4    -     Reshape((-1, 2))
2,6,4    -     Reshape((2, -1, 3))
2,6,4    -     Reshape((24,))
2,6,4    -     Permute((2, 1))
2,3,4,2  -     Permute((3, 1, 2))
2,5      -     RepeatVector(3)
2,5      -     RepeatVector(1)
2,4,3    -     UpSampling1D()
2,4,3    -     UpSampling1D(3)
2,4,3    -     ZeroPadding1D()
2,4,3    -     ZeroPadding1D((0, 2))
2,4,3    -     ZeroPadding1D(3)
2,3,4    -     ZeroPadding1D((2, 1), data_format="channels_first")
2,6,3    -     Cropping1D()
2,6,3    -     Cropping1D((0, 2))
2,6,3    -     Cropping1D(2)
2,6,3    -     Identity()
2,6,3    -     Masking()
2,6,3    right Masking(0.5)
2,4,3    -     ReLU()
2,4,3    -     ReLU(0.5)
2,4,3    -     ReLU(negative_slope=0.2)
2,4,3    -     ReLU(0.8, 0.1, 0.3)
2,4,3    -     LeakyReLU()
2,4,3    -     LeakyReLU(0.05)
2,4,3    -     ELU()
2,4,3    -     ELU(0.4)
2,4,3    -     PReLU()
2,4,3    -     PReLU("ones", shared_axes=[1])
2,4,3    -     PReLU(alpha_regularizer="l2", alpha_constraint="non_neg")
2,4,3    -     Softmax()
2,4,3    -     Softmax(1)
2,4,3    -     Softmax((1, 2))
2,4,3    -     Dropout(0.4)
2,4,3    -     SpatialDropout1D(0.4)
2,4,3    -     GaussianNoise(0.4)
2,4,3    -     GaussianDropout(0.4)
2,4,3    -     AlphaDropout(0.4)
2,4,3    -     ActivityRegularization()
2,4,3    -     ActivityRegularization(l2=0.1)
2,4,3    -     ActivityRegularization(0.05, 0.02)
2,4,3    -     Lambda(lambda x: x * x + 1.0)
2,4,3    -     Lambda(lambda x, by: x * by, arguments={"by": 3.0})
2,4,3    -     Lambda(lambda x: x[:, -1])
2,4,3    -     Normalization(mean=0.5, variance=4.0)
2,4,3    -     Normalization(mean=[0.5, 1.0, -1.0], variance=[4.0, 1.0, 0.25])
2,4,3    -     Normalization(mean=[0.5, 1.0, -1.0], variance=[4.0, 1.0, 0.25], invert=True)
2,4,3    -     Normalization(axis=None, mean=0.5, variance=4.0)
2,4,3    -     TimeDistributed(layers.Softmax())
2,4,3    -     Activation("tanh", activity_regularizer="l2")
"""

# The shapes of the inputs, and the layer.
JOINED = """
2,4,3 2,4,3         Add()
2,4,3 2,4,3 2,4,3   Add()
2,4,3 2,1,3         Add()
2,4,3 2,4,3         Subtract()
2,4,3 2,4,3 2,4,3   Multiply()
2,4,3 2,4,1         Multiply()
2,4,3 2,4,3 2,4,3   Average()
2,4,3 2,4,3         Maximum()
2,4,3 2,4,3         Minimum()
2,4,3 2,4,2         Concatenate()
2,4,3 2,2,3 2,1,3   Concatenate(axis=1)
2,4,3 2,4,3         Concatenate(-1)
2,4,3 2,4,3         Dot(axes=(1, 1))
2,4,3 2,5,3         Dot(axes=2)
2,4,3 2,5,3         Dot(axes=-1, normalize=True)
2,4,3 2,5,4         Dot(axes=(1, 2))
2,5 2,5             Dot(axes=1)
2,5 2,5             Dot(axes=1, normalize=True)
"""


def _name(text):
    return re.sub(r"\W+", "_", text.replace("-", "minus ")).strip("_")


def _layer(text):
    return lambda k: eval(f"layers.{text}", {"layers": k.layers})


def _shape(text):
    return tuple(map(int, text.split(",")))


def _single(line):
    shape, mask, text = line.split(maxsplit=2)
    name = _name(text if mask == "-" else f"{text} {mask}")
    if name in ("Flatten_channels_first", "Flatten"):
        name += f"_{len(_shape(shape))}d"
    random = re.match("(.*Dropout|GaussianNoise)", text)  # no stream can be matched: at rest only
    options = {"snapshots": ()} if random else {}
    return layer_case(name, _layer(text), _shape(shape), None if mask == "-" else mask, **options)


def _joined(line):
    shapes, text = re.match(r"([\d, ]+?) +([A-Z].*)", line).groups()
    shapes = [_shape(s) for s in shapes.split()]
    make = _layer(text)

    def build(k):
        inputs = [k.Input((), dtype="int32") for _ in shapes]
        tables = [k.layers.Embedding(s[0], int(np.prod(s[1:]))) for s in shapes]
        pairs = zip(tables, inputs, shapes, strict=True)
        values = [k.layers.Reshape(s[1:])(table(ids)) for table, ids, s in pairs]
        layer = make(k)
        y = layer(values)
        return Built(k.Model(inputs, k.layers.Flatten()(y)), [*tables, layer], [tuple(y.shape[1:])])

    rows = [fixed(np.arange(s[0], dtype=np.int32)) for s in shapes]
    sizes = "_".join("x".join(map(str, s[1:])) for s in shapes)
    return StepCase(f"{_name(text)}_{sizes}", build, rows)


# Keras's own errors: a name, the layer called on zeros of these shapes, words of the message.
ERRORS = """
pool_size        2,6,3           MaxPooling1D(0)                        MaxPooling1D pool_size 0
pool_sizes       2,6,3           AveragePooling1D((2, 3))               AveragePooling1D pool_size
pool_strides     2,6,3           MaxPooling1D(2, -1)                    MaxPooling1D strides -1
pool_padding     2,6,3           MaxPooling1D(2, padding="full")        MaxPooling1D padding full
pool_layout      2,6,3           AveragePooling1D(2, data_format="a")   data_format channels_first
pool_rank        2,6             MaxPooling1D(2)                        max_pooling1d (2,_6)
global_rank      2,6             GlobalMaxPooling1D()                   global_max_pooling1d (2,_6)
global_layout    2,6,3           GlobalAveragePooling1D("last")         data_format channels_first
adaptive_sizes   2,6,3           AdaptiveMaxPooling1D((2, 3))           output_size (2,_3)
flatten_layout   2,6,3           Flatten("sideways")                    data_format sideways
reshape_size     2,6,3           Reshape((4, 4))                        reshape 18 (4,_4)
permute_axes     2,6,3           Permute((1, 3))                        Permute (1,_3)
permute_zero     2,6,3           Permute((0, 1))                        Permute (0,_1)
permute_rank     2,6,3           Permute((1, 2, 3))                     permute (2,_6,_3)
repeat_word      2,6             RepeatVector("2")                      RepeatVector 2
repeat_rank      2,6,3           RepeatVector(2)                        repeat_vector (2,_6,_3)
upsampling_rank  2,6             UpSampling1D()                         up_sampling1d (2,_6)
padding_three    2,6,3           ZeroPadding1D((1, 2, 3))               ZeroPadding1D (1,_2,_3)
cropping_three   2,6,3           Cropping1D((1, 2, 3))                  Cropping1D (1,_2,_3)
cropping_all     2,6,3           Cropping1D(3)                          cropping 6
relu_slope       2,6             ReLU(negative_slope=-1.0)              negative_slope -1.0
relu_threshold   2,6             ReLU(threshold=-1.0)                   threshold -1.0
relu_max         2,6             ReLU(max_value=-1.0)                   max_value -1.0
noise_negative   2,6             GaussianNoise(-0.1)                    GaussianNoise stddev -0.1
dropout_rate     2,6             SpatialDropout1D(1.5)                  SpatialDropout1D 1.5
activity_l1      2,6             ActivityRegularization(-1.0)           -1.0
add_shapes       2,4,3;2,5,3     Add()                                  add (2,_4,_3) (2,_5,_3)
add_one          2,4,3           Add()                                  add
subtract_three   2,4;2,4;2,4     Subtract()                             subtract 3
concatenate_ends 2,4,3;2,5,3     Concatenate()                          concatenate (2,_4,_3)
dot_axes         2,4,3;2,5,3     Dot(axes=(1, 1))                       dot 4 5
dot_three        2,4;2,4;2,4     Dot(axes=1)                            dot
dot_no_axes      2,4;2,4         Dot(axes=1.5)                          axes 1.5
"""


def _error(line):
    name, shapes, text, words = re.match(r"(\S+) +(\S+) +(\w+\(.*?\)) {2,}(.+)", line).groups()
    inputs = [np.zeros(_shape(s), "float32") for s in shapes.split(";")]

    def call(k):
        return _layer(text)(k)(inputs[0] if len(inputs) == 1 else inputs)

    return RefusalCase(
        name, call, [w.replace("_", " ") if w[0] == "(" else w for w in words.split()]
    )


def _adapted(k, data, **options):
    layer = k.layers.Normalization(**options)
    layer.adapt(data)
    return layer


DATA = normal(6, 4, 3)(np.random.RandomState(5))
FACTS = [
    FactCase(
        f"normalization_adapt_{name}",
        lambda k, options=options: np.asarray(_adapted(k, DATA, **options)(DATA)).round(5).tolist(),
    )
    for name, options in {
        "last": {},
        "none": {"axis": None},
        "time": {"axis": 1},
        "both": {"axis": (1, 2)},
        "invert": {"invert": True},
    }.items()
]

CASES = [
    *map(_single, SINGLE.strip().splitlines()),
    *map(_joined, JOINED.strip().splitlines()),
    *map(_error, ERRORS.strip().splitlines()),
    *FACTS,
]
