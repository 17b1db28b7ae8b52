"""Nested structures of Python: lists, tuples, named tuples and dicts around leaves.

Everything else is a leaf, None and arrays included. Unlike in data for models, the items of a dict
come in the order of its keys, sorted, as in Keras (and in `jax.tree`).
"""

from __future__ import annotations

from seqrnn.errors import public_names


class _MapToNone:
    """What the function of `traverse` returns to put None in the place."""

    __module__ = "seqrnn.tree"

    def __repr__(self):
        return "MAP_TO_NONE"


MAP_TO_NONE = _MapToNone()


def is_nested(structure) -> bool:
    """Whether this is a list, tuple or dict."""
    return isinstance(structure, (list, tuple, dict))


def _items(structure):
    """Pairs (index or key, part)."""
    if isinstance(structure, dict):
        try:
            return [(key, structure[key]) for key in sorted(structure)]
        except TypeError:  # keys of different kinds
            return list(structure.items())
    return list(enumerate(structure))


def _rebuilt(structure, parts):
    """A structure like this with other parts, given in the order of `_items`."""
    if isinstance(structure, dict):
        by_key = dict(zip([key for key, _ in _items(structure)], parts, strict=True))
        made = structure.copy()  # of its class: an OrderedDict, a defaultdict, ...
        made.update(by_key)
        return made
    if isinstance(structure, tuple):
        return type(structure)(*parts) if hasattr(structure, "_fields") else tuple(parts)
    return list(parts)


def flatten_with_path(structure) -> list:
    """Pairs (path, leaf), where a path is a tuple of indices and keys; () of a leaf itself."""
    if not is_nested(structure):
        return [((), structure)]
    return [
        ((key, *path), leaf)
        for key, part in _items(structure)
        for path, leaf in flatten_with_path(part)
    ]


def flatten(structure) -> list:
    """The leaves."""
    return [leaf for _, leaf in flatten_with_path(structure)]


def pack_sequence_as(structure, flat_sequence):
    """A structure like this with other leaves. ValueError if they are too few or too many."""
    leaves = list(flat_sequence)
    wanted = len(flatten(structure))
    if len(leaves) != wanted:
        raise ValueError(f"pack_sequence_as: expected {wanted} leaves, got {len(leaves)}.")
    source = iter(leaves)

    def packed(part):
        if not is_nested(part):
            return next(source)
        return _rebuilt(part, [packed(inner) for _, inner in _items(part)])

    return packed(structure)


def map_structure(func, *structures, none_is_leaf=True):
    """The structure of func(leaf, leaf of the second structure, ...).

    Args:
        none_is_leaf: False leaves None as it is.

    TypeError if func can't be called, ValueError without structures or if they differ.
    """
    if not callable(func):
        raise TypeError(f"map_structure: func must be callable, got {func!r}.")
    if not structures:
        raise ValueError("map_structure: got no structure.")
    for other in structures[1:]:
        assert_same_structure(structures[0], other)
    columns = zip(*map(flatten, structures), strict=True)
    if none_is_leaf:
        return pack_sequence_as(structures[0], [func(*leaves) for leaves in columns])
    return pack_sequence_as(structures[0], [_kept_none(func, leaves) for leaves in columns])


def _kept_none(func, leaves):
    if leaves[0] is not None:
        return func(*leaves)
    if any(leaf is not None for leaf in leaves):
        raise ValueError(f"map_structure: expected None in all structures, got {leaves}.")
    return None


def map_structure_up_to(shallow_structure, func, *structures):
    """As `map_structure`, with the leaves of the first structure: deeper parts of the others go to
    func as they are."""
    if not structures:
        raise ValueError("map_structure_up_to: got no structure.")
    columns = zip(*(_cut(shallow_structure, s) for s in structures), strict=True)
    return pack_sequence_as(shallow_structure, [func(*parts) for parts in columns])


def _cut(shallow, structure) -> list:
    """The parts of `structure` where `shallow` has leaves."""
    if not is_nested(shallow):
        return [structure]
    _check_alike(shallow, structure)
    pairs = zip(_items(shallow), _items(structure), strict=True)
    return [part for (_, a), (_, b) in pairs for part in _cut(a, b)]


def assert_same_structure(a, b, check_types=None) -> None:
    """ValueError unless both are nested alike: the same classes of containers, lengths, keys.

    check_types: ignored by Keras 3 and here: classes always count.
    """
    nested = is_nested(a)
    if nested != is_nested(b):
        leaf, other = (b, a) if nested else (a, b)
        raise ValueError(f"The structures differ: {leaf!r} in the place of {other!r}.")
    if nested:
        _check_alike(a, b)
        for (_, x), (_, y) in zip(_items(a), _items(b), strict=True):
            assert_same_structure(x, y)


def _check_alike(a, b):
    alike = type(a) is type(b) or (isinstance(a, dict) and isinstance(b, dict))
    if not alike:
        raise ValueError(f"The structures differ: expected a {type(a).__name__}, got {b!r}.")
    if isinstance(a, dict) and set(a) != set(b):
        raise ValueError(f"The structures differ: expected the keys {list(a)}, got {list(b)}.")
    if len(a) != len(b):
        raise ValueError(f"The structures differ: expected {len(a)} items, got {len(b)}: {b!r}.")


def assert_same_paths(a, b) -> None:
    """ValueError unless both have leaves at the same places, whatever the classes of containers."""
    paths = [[path for path, _ in flatten_with_path(each)] for each in (a, b)]
    if paths[0] != paths[1]:
        only = sorted(set(paths[0]) ^ set(paths[1]), key=str)
        raise ValueError(f"The structures have leaves at different places: {only}.")


def traverse(func, structure, top_down=True):
    """Visits all parts: where func(part) is not None it takes the place of the part.

    MAP_TO_NONE puts None there. With `top_down` parts of what was replaced are not visited; else
    func sees containers after their parts.
    """
    if not callable(func):
        raise TypeError(f"traverse: func must be callable, got {func!r}.")
    if top_down and (found := func(structure)) is not None:
        return _or_none(found)
    if is_nested(structure):
        parts = [traverse(func, part, top_down) for _, part in _items(structure)]
        structure = _rebuilt(structure, parts)
    if not top_down and (found := func(structure)) is not None:
        return _or_none(found)
    return structure


def _or_none(found):
    return None if found is MAP_TO_NONE else found


def lists_to_tuples(structure):
    """The same with tuples instead of lists."""
    if not is_nested(structure):
        return structure
    parts = [lists_to_tuples(part) for _, part in _items(structure)]
    return tuple(parts) if isinstance(structure, list) else _rebuilt(structure, parts)


def map_shape_structure(func, structure):
    """func(shape) for every shape, a tuple or list of ints and None, in a structure of them."""
    if isinstance(structure, (list, tuple)) and all(
        size is None or isinstance(size, int) for size in structure
    ):
        return func(tuple(structure))
    if not is_nested(structure):
        raise ValueError(f"map_shape_structure: expected a structure of shapes, got {structure!r}.")
    return _rebuilt(structure, [map_shape_structure(func, part) for _, part in _items(structure)])


__getattr__, __dir__ = public_names(__name__)
