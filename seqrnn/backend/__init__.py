"""`keras.backend` of Keras 2, for losses and layers written as `K.mean(K.square(...))`.

Thin names for `seqrnn.ops`, with the arguments and defaults of Keras 2, which are not always those
of the function that has the name in `seqrnn.ops`: K.argmax, K.concatenate and K.expand_dims take
the last axis, K.cumsum the first. What Keras 2 has and is not here is an error. New code uses
`seqrnn.ops`.
"""

from __future__ import annotations

import contextlib
import functools
import math

from seqrnn import config, ops, random
from seqrnn.backend.arguments import (
    arange,
    argmax,
    argmin,
    clip,
    concatenate,
    constant,
    cumprod,
    cumsum,
    dot,
    dropout,
    equal,
    expand_dims,
    eye,
    foldl,
    foldr,
    greater,
    greater_equal,
    less,
    less_equal,
    map_fn,
    maximum,
    minimum,
    not_equal,
    ones,
    ones_like,
    permute_dimensions,
    pow,
    reshape,
    stop_gradient,
    switch,
    tile,
    zeros,
    zeros_like,
)
from seqrnn.backend.networks import (
    batch_normalization,
    bias_add,
    conv1d,
    ctc_batch_cost,
    ctc_decode,
    hard_sigmoid,
    in_top_k,
    relu,
    rnn,
    sparse_categorical_crossentropy,
    temporal_padding,
)
from seqrnn.errors import public_names
from seqrnn.models import function as keras_function
from seqrnn.ops.core import result_dtype as joint_dtype
from seqrnn.trace import Variable
from seqrnn.utils.graphs import is_keras_tensor

backend = config.backend
clear_session = config.clear_session
epsilon = config.epsilon
floatx = config.floatx
get_uid = config.unique_name
image_data_format = config.image_data_format
set_epsilon = config.set_epsilon
set_floatx = config.set_floatx
set_image_data_format = config.set_image_data_format
standardize_dtype = config.standardize_dtype
int_shape = ops.shape
random_uniform = random.uniform
random_normal = random.normal
truncated_normal = random.truncated_normal
eval = ops.convert_to_numpy

# Functions whose arguments, in their order and with their defaults, are those of Keras 2.
_SAME = """
    abs all any cast categorical_crossentropy cos dtype elu exp log max mean min ndim one_hot prod
    round shape sigmoid sign sin softmax softplus softsign sqrt square squeeze stack std sum tanh
    transpose var
"""
globals().update({name: getattr(ops, name) for name in _SAME.split()})


def variable(value, dtype=None, name=None, constraint=None):
    """A variable with this value."""
    return Variable(value, dtype=dtype, name=name, constraint=constraint)


def moving_average_update(x, value, momentum):
    """Moves a variable towards a value: x momentum + value (1 - momentum); returns it."""
    return update(x, x * momentum + value * (1.0 - momentum))


def random_uniform_variable(shape, low, high, dtype=None, name=None, seed=None):
    """A variable with random numbers from low to high."""
    return variable(random.uniform(shape, low, high, seed=seed), dtype, name)


def random_normal_variable(shape, mean, scale, dtype=None, name=None, seed=None):
    """A variable with random numbers of this mean and standard deviation."""
    return variable(random.normal(shape, mean, scale, seed=seed), dtype, name)


def is_sparse(tensor) -> bool:
    """False: there are no sparse tensors."""
    return False


@contextlib.contextmanager
def name_scope(name):
    """Names of weights come from layers; the scope has no effect."""
    yield


def identity(x, name=None):
    """x."""
    return ops.copy(x)


def cast_to_floatx(x):
    """x in the dtype `floatx()`."""
    return ops.cast(x, config.floatx())


def is_float_dtype(dtype) -> bool:
    """Whether a dtype is a float."""
    return config.is_float(standardize_dtype(dtype))


def is_int_dtype(dtype) -> bool:
    """Whether a dtype is an integer."""
    return standardize_dtype(dtype).startswith("int")


def result_type(*dtypes) -> str:
    """The dtype of what tensors of these dtypes give together; `int` and `float` stand for Python
    numbers, which take the dtype of the others where their kind allows it."""
    if not dtypes:
        return floatx()
    firm = [standardize_dtype(d) for d in dtypes if d not in (int, float)]
    result = functools.reduce(joint_dtype, firm) if firm else None
    if float in dtypes and (result is None or not config.is_float(result)):
        return floatx()
    return "int32" if int in dtypes and result in (None, "bool") else result


def update(x, new_x):
    """Gives a variable a value; returns the variable."""
    x.assign(new_x)
    return x


def update_add(x, increment):
    """Adds to a variable; returns it."""
    return update(x, x + increment)


def update_sub(x, decrement):
    """Subtracts from a variable; returns it."""
    return update(x, x - decrement)


def random_bernoulli(shape, p=0.0, dtype=None, seed=None):
    """1 with probability p, else 0."""
    return ops.cast(random.uniform(shape, seed=seed) < p, standardize_dtype(dtype))


def gather(reference, indices):
    """The slices along the first axis at these places."""
    return ops.take(reference, indices, 0)


def is_tensor(x) -> bool:
    """Whether x is a tensor."""
    return ops.is_tensor(x)


def flatten(x):
    """x with one axis."""
    return ops.reshape(x, (-1,))


def batch_flatten(x):
    """x with all axes but the first in one."""
    known = None not in x.shape[1:]
    return ops.reshape(x, (-1, math.prod(x.shape[1:])) if known else (x.shape[0], -1))


def batch_dot(x, y, axes=None):
    """Sums over one axis of x and one of y, for each element of the batch.

    axes: one for both or a pair; default the last of x and the last but one of y (the last, if y
    has two axes). Two vectors per element give (batch, 1).
    """
    if axes is None:
        axes = (x.ndim - 1, y.ndim - 1 if y.ndim == 2 else y.ndim - 2)
    of_x, of_y = (axes, axes) if isinstance(axes, int) else axes
    names_x = "abcdefg"[: x.ndim]
    names_y = list("a" + "hijklmn"[: y.ndim - 1])
    names_y[of_y] = summed = names_x[of_x]
    names = "".join(dict.fromkeys([*names_x, *names_y])).replace(summed, "")
    result = ops.einsum(f"{names_x},{''.join(names_y)}->{names}", x, y)
    return result[:, None] if result.ndim == 1 else result


def count_params(x) -> int:
    """The number of elements."""
    return ops.size(x)


def get_value(x):
    """The value of a variable or array, a plain ndarray."""
    return ops.convert_to_numpy(x)


def set_value(x, value) -> None:
    """Gives a variable a value."""
    x.assign(value)


def batch_get_value(xs) -> list:
    """The values of variables."""
    return [get_value(x) for x in xs]


def batch_set_value(pairs) -> None:
    """Gives variables values: pairs (variable, value)."""
    for x, value in pairs:
        x.assign(value)


def l2_normalize(x, axis=None):
    """x divided by its Euclidean norm along an axis."""
    return ops.normalize(x, axis, 2)


def repeat(x, n):
    """(batch, features) to (batch, n, features)."""
    return ops.repeat(x[:, None], n, 1)


def repeat_elements(x, rep, axis):
    """Each element repeated along an axis."""
    return ops.repeat(x, rep, axis)


def reverse(x, axes):
    """The elements in the opposite order along axes."""
    return ops.flip(x, axes)


def binary_crossentropy(target, output, from_logits=False):
    """-(t log p + (1 - t) log(1 - p)) of each element."""
    return ops.binary_crossentropy(target, output, from_logits)


def function(inputs, outputs):
    """A function from placeholders to what was made of them: `keras.Function`."""
    return keras_function.Function(inputs, outputs)


def learning_phase() -> int:
    """0: whether layers train is said by the argument `training` of their call."""
    return 0


_INSTEAD = {
    "gradients": "use `with keras.GradientTape() as tape:` and tape.gradient(loss, variables)",
    "get_session": "there are no sessions: call the model, or ops, on arrays",
    "set_session": "there are no sessions: leave it out",
    "set_learning_phase": "pass training=True or False to the call",
}
_missing, __dir__ = public_names(__name__)


def __getattr__(name: str):
    if name in _INSTEAD:
        raise AttributeError(f"module {__name__!r} has no {name!r}: {_INSTEAD[name]}.", name=name)
    if name in ops.__all__:
        raise AttributeError(
            f"module {__name__!r} has no attribute {name!r}, as in Keras 2; seqrnn.ops has it.",
            name=name,
        )
    return _missing(name)
