"""What a step is given as `data`: x, (x, y) or (x, y, sample_weight)."""


def pack_x_y_sample_weight(x, y=None, sample_weight=None):
    """(x, y, sample_weight) as `data` for a step, without what is None at the end. Without y it is
    x, in a tuple if it is a list or tuple itself; the weights are dropped then."""
    if y is None:
        return (x,) if isinstance(x, list | tuple) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def unpack_x_y_sample_weight(data):
    """(x, y, sample_weight) of what a step is given as `data`. ValueError for more than three."""
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            "Data must be `x`, `(x,)`, `(x, y)` or `(x, y, sample_weight)`, got a tuple of "
            f"{len(data)}."
        )
    return (*data, None, None)[:3]
