"""What to do about shapes that don't fit: the end of an error text.

A Conv1D or pooling layer with window k, stride s and padding 'valid' gives at step t what it has
seen up to step k - 1 + s t of its input. So targets for a model with such layers are a slice of
those for every step, Y[:, k-1::s]; several layers compose.
"""

import numpy as np


def time_slice(layers):
    """(start, step) of the targets that go with the outputs of these layers in a row, or None."""
    start, step = 0, 1
    for layer in layers:
        window = _window(layer)
        if window is None:
            continue
        reach, stride = window
        start, step = start + step * reach, step * stride
    return (start, step) if (start, step) != (0, 1) else None


def _window(layer):
    """(index of the last input step behind output step 0, stride), or None for other layers."""
    size = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    strides = getattr(layer, "strides", None)
    if size is None or strides is None or not hasattr(layer, "padding"):
        return None
    size, stride = _first(size), _first(strides)
    reach = (size - 1) * _first(getattr(layer, "dilation_rate", 1))
    return (reach if layer.padding == "valid" else 0), stride


def _first(value):
    return value[0] if isinstance(value, list | tuple) else value


def explain_mismatch(error, layers):
    """Ends the text of a ShapeMismatch with the slice that repairs the targets, if there is one."""
    target, prediction = error.target, error.prediction
    y, p = error.given
    hint = ""
    if len(target) == len(prediction) and len(target) > 1 and target[1] != prediction[1]:
        found = time_slice(layers)
        if found and len(range(found[0], target[1], found[1])) == prediction[1]:
            hint = (
                f" The model has {prediction[1]} time steps out of {target[1]}: use the targets "
                f"{slice_text(*found)}."
            )
    if not hint and len(y) == len(p) + 1:
        hint = (
            " If the model is to predict at every step, set return_sequences=True on its last "
            "recurrent layer; if at the last one only, use the targets Y[:, -1]."
        )
    every_step = [la for la in layers if getattr(la, "return_sequences", False)]
    if not hint and every_step and len(p) == 3 and y in (p[:1], (p[0], 1), (p[0], p[2])):
        hint = (
            " If the model is to predict at the last step only, set return_sequences=False on "
            f"{every_step[-1].name!r}."
        )
    if not hint and len(p) == 2 and p[1] > 1 and y in (p[:1], (p[0], 1)):
        hint = (
            " The targets are one number per sample: for that the last layer has one unit, "
            "Dense(1). If they are class numbers, use loss='sparse_categorical_crossentropy', or "
            f"keras.utils.to_categorical(y, {p[1]})."
        )
    return with_text(error, hint)


def slice_text(start, step):
    """'Y[:, 3::2]'."""
    return f"Y[:, {start or ''}:{'' if step == 1 else ':' + str(step)}]"


def missing_time(error, before, layer=None, x=None):
    """For a layer that wants 3-D input: what the layer before it, or the data `x`, has to do.

    `before` is None for the first layer of a chain.
    """
    text = str(error)
    if not any(wanted in text for wanted in ("3-D input", "3 axes")):
        return
    if before is None:
        features = getattr(getattr(layer, "input_spec", None), "axes", {}).get(2)
        if features is not None and getattr(x, "shape", ())[1:] == (features,):
            with_text(error, " Add the axis of samples: x[np.newaxis].")
        else:
            with_text(error, " Add the axis of features to the data: X[..., np.newaxis].")
    elif getattr(before, "return_sequences", None) is False and repr(before.name) not in text:
        known = "return_sequences=True" in text
        fix = (
            f"That is {before.name!r}" if known else f"Set return_sequences=True on {before.name!r}"
        )
        with_text(error, f" {fix}.")


def with_text(error, more):
    """The error, with more text at its end."""
    if more and len(error.args) == 1 and more.strip() not in str(error.args[0]):
        error.args = (f"{error.args[0]}{more}",)
    return error


def fitted(name, expected, array):
    """`array` as the input declared as `expected` (None: any) wants it.

    A last axis of size 1 that the array lacks, or has too many, is added or taken away, as in
    Keras. ValueError unless the shape then fits.
    """
    sequences = hasattr(array, "lengths")  # of unequal length, see `unequal`
    found = array if sequences else with_rank(array, expected)
    if _fits(found.shape[1:], expected[1:]) and len(found.shape) == len(expected):
        return found
    hint = ""
    if len(array.shape) == len(expected) - 1:
        if expected[-1] is None:
            hint = " Add the axis of features: X[..., np.newaxis]."
        elif _fits(array.shape, expected[1:]):
            hint = " Add the axis of samples: x[np.newaxis]."
    raise ValueError(
        f"Input {name!r} expects an array of shape {expected}, got {tuple(array.shape)}.{hint}"
    )


def with_rank(x, shape):
    """An array or tensor with as many axes as `shape`, where the last of size 1 is the matter."""
    ndim = len(x.shape)
    if ndim == len(shape) + 1 and x.shape[-1] == 1:
        return x[..., 0]
    if ndim == len(shape) - 1 and ndim and shape[-1] == 1:
        return x[..., np.newaxis]
    return x


def _fits(shape, expected):
    return shape == expected or (
        len(shape) == len(expected)
        and all(e is None or e == n for e, n in zip(expected, shape, strict=True))
    )
