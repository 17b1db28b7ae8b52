"""How cases make their data and models: draws, masks, and the model around a single layer."""

import numpy as np
from golden_case import Built, StepCase, coarse, draw_weight, random_state


def normal(*shape):
    return lambda rng: coarse(rng.normal(size=shape))


def uniform(low, high, *shape):
    return lambda rng: coarse(rng.uniform(low, high, size=shape))


def integers(stop, *shape):
    return lambda rng: rng.randint(0, stop, size=shape).astype(np.int32)


def one_hot(classes, *shape):
    return lambda rng: np.eye(classes, dtype=np.float32)[rng.randint(0, classes, size=shape)]


def probabilities(*shape):
    """Rows that sum to 1."""

    def draw(rng):
        scores = np.exp(rng.normal(size=shape))
        return (scores / scores.sum(-1, keepdims=True)).astype(np.float32)

    return draw


def fixed(array):
    return lambda rng: array


def mask_pattern(pattern, batch, time):
    """Masks (batch, time), True where a step counts."""
    steps, rows = np.arange(time), np.arange(batch)[:, None]
    if pattern == "right":
        return steps < time - rows % time
    if pattern == "left":
        return steps >= rows % time
    if pattern == "gaps":
        return (steps + rows) % 3 != 1
    if pattern == "ends":  # the first and the last step are masked in the first row
        return ((steps > 0) & (steps < time - 1)) | (rows > 0)
    if pattern == "empty_row":
        return (rows != 1) & (steps < time - rows % 2)
    raise ValueError(f"unknown mask pattern {pattern!r}")


def layer_case(name, layer, x, mask=None, states=(), **options):
    """A case for one layer; `layer(k)` makes it.

    The input, of shape `x`, is a table of embeddings, one row per position: so the gradient by the
    table is the gradient by the input. Masked positions have id 0 under `mask_zero=True`. `states`
    lists the sizes of initial states, each an embedding too; a nested list gives nested states.

    With states the mask is an input of its own: Keras 3 hands the mask of its input on to a layer
    only if that input is the sole tensor among the arguments, and drops it silently otherwise.
    """
    batch = x[0]
    inputs = [fixed(_position_ids(x, mask))]
    inputs += [fixed(np.arange(batch, dtype=np.int32)[:, None]) for _ in _flat(states)]
    if mask and states:
        inputs.append(fixed(mask_pattern(mask, *x[:2])))

    def build(k):
        return _under_embeddings(k, layer(k), x, mask is not None, states)

    return StepCase(name, build, inputs, **options)


def _position_ids(x, mask):
    # A 2-D input has one position per row: the ids are (batch, 1).
    shape = x[:-1] if len(x) > 2 else (x[0], 1)
    ids = 1 + np.arange(np.prod(shape), dtype=np.int32).reshape(shape)
    return ids if mask is None else ids * mask_pattern(mask, *shape)


def _under_embeddings(k, layer, x, masked, states):
    positions = x[1:-1] if len(x) > 2 else (1,)
    ids = k.Input(shape=positions, dtype="int32")
    rows = 1 + int(np.prod(x[:-1]))
    embedding = k.layers.Embedding(rows, x[-1], mask_zero=masked)
    value = embedding(ids) if len(x) > 2 else k.layers.Flatten()(embedding(ids))
    parts, inputs = [embedding], [ids]

    def state(size):
        if not isinstance(size, int):
            return [state(s) for s in size]
        state_ids, table = k.Input(shape=(1,), dtype="int32"), k.layers.Embedding(x[0], size)
        inputs.append(state_ids)
        parts.append(table)
        return k.layers.Flatten()(table(state_ids))

    options = {"initial_state": state(states)} if states else {}
    if masked and states:
        options["mask"] = k.Input(shape=positions, dtype="bool")
        inputs.append(options["mask"])
    tensors = _flat(layer(value, **options))
    pieces = [tuple(t.shape[1:]) for t in tensors]
    flat = [k.layers.Flatten()(t) for t in tensors]
    joined = flat[0] if len(flat) == 1 else k.layers.Concatenate()(flat)
    return Built(k.Model(inputs, joined), [*parts, layer], pieces)


def _flat(nested):
    if not isinstance(nested, (list, tuple)):
        return [nested]
    return [leaf for item in nested for leaf in _flat(item)]


def model_case(name, build, inputs, **options):
    """A case for a whole model; `build(k)` makes it."""
    return StepCase(name, whole(build), inputs, **options)


def whole(build):
    """A builder whose weights are those of the model as such."""

    def built(k):
        model = build(k)
        return Built(model, [model])

    return built


def sequential(*layers):
    """A builder of Sequential models; each layer is given as `k -> layer`."""
    return lambda k: k.Sequential([layer(k) for layer in layers])


def weighted(thing, seed):
    """The built layer or model with weights that depend on the seed alone."""
    rng = random_state(seed)
    thing.set_weights([draw_weight(rng, w, 0.6) for w in thing.weights])
    return thing


def arrays_of(outputs):
    """The arrays in nested outputs, as a flat list."""
    if isinstance(outputs, list | tuple):
        return [leaf for output in outputs for leaf in arrays_of(output)]
    return [np.asarray(outputs)]
