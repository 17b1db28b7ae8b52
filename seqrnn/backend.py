"""`keras.backend` of Keras 2, for losses and layers written as `K.mean(K.square(...))`.

Thin names for `seqrnn.ops`: its functions under their own names, and here those that Keras 2 calls
otherwise. New code uses `seqrnn.ops`.
"""

from __future__ import annotations

import functools

from seqrnn import config, ops, random
from seqrnn.ops.core import result_dtype as joint_dtype
from seqrnn.trace import KerasTensor, Variable

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
concatenate = ops.concatenate
pow = ops.power
permute_dimensions = ops.transpose
switch = ops.where
constant = ops.convert_to_tensor
variable = Variable
int_shape = ops.shape
random_uniform = random.uniform
random_normal = random.normal
truncated_normal = random.truncated_normal


map_fn = ops.map
eval = ops.convert_to_numpy
dropout = random.dropout


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


def temporal_padding(x, padding=(1, 1)):
    """Zeros before and after the steps of (batch, time, features)."""
    return ops.pad(x, ((0, 0), tuple(padding), (0, 0)))


def random_bernoulli(shape, p=0.0, dtype=None, seed=None):
    """1 with probability p, else 0."""
    return ops.cast(random.uniform(shape, seed=seed) < p, standardize_dtype(dtype))


def gather(reference, indices):
    """The slices along the first axis at these places."""
    return ops.take(reference, indices, 0)


def __getattr__(name: str):
    if name in ops.__all__:
        return getattr(ops, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def is_keras_tensor(x) -> bool:
    """Whether x is a placeholder of the functional API."""
    return isinstance(x, KerasTensor)


def is_tensor(x) -> bool:
    """Whether x is a tensor."""
    return ops.is_tensor(x)


def flatten(x):
    """x with one axis."""
    return ops.reshape(x, (-1,))


def batch_flatten(x):
    """x with all axes but the first in one."""
    return ops.reshape(x, (x.shape[0], -1))


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


def learning_phase() -> int:
    """0: whether layers train is said by the argument `training` of their call."""
    return 0
