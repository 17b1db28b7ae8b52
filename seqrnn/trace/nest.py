"""Nested structures: lists, tuples, named tuples and dicts around leaves.

Everything else is a leaf, None and arrays included. Dicts keep their own order.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

_CONTAINERS = (list, tuple, dict)


def flatten(structure) -> list:
    """The leaves, from left to right."""
    if not isinstance(structure, _CONTAINERS):
        return [structure]
    leaves: list = []
    _collect(structure, leaves)
    return leaves


def _collect(structure, leaves: list) -> None:
    items = structure.values() if isinstance(structure, dict) else structure
    for item in items:
        if isinstance(item, _CONTAINERS):
            _collect(item, leaves)
        else:
            leaves.append(item)


def map_leaves(fn: Callable, structure):
    """The same structure with `fn(leaf)` for every leaf."""
    if isinstance(structure, dict):
        return {key: map_leaves(fn, item) for key, item in structure.items()}
    if isinstance(structure, list):
        return [map_leaves(fn, item) for item in structure]
    if isinstance(structure, tuple):
        items = [map_leaves(fn, item) for item in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)
    return fn(structure)


def pack(structure, leaves):
    """The same structure with the given leaves, from left to right."""
    source: Iterator = iter(leaves)
    return map_leaves(lambda _: next(source), structure)


def key(structure) -> Hashable:
    """Equal for equal structures, whatever their leaves."""
    if not isinstance(structure, _CONTAINERS):
        return None
    items = structure.values() if isinstance(structure, dict) else structure
    keys = [key(item) if isinstance(item, _CONTAINERS) else None for item in items]
    if isinstance(structure, dict):
        return ("dict", *structure, *keys)
    return (type(structure).__name__, *keys)


def leaf_key(leaf) -> Hashable:
    """A key for a leaf that is no array: equal only for leaves with the same effect, so 0.0, -0.0,
    0 and False differ. That of a function, or of what does not hash, does not hash either: what it
    does may change from call to call."""
    if isinstance(leaf, slice):
        return ("slice", *map(leaf_key, (leaf.start, leaf.stop, leaf.step)))
    if callable(leaf) and not isinstance(leaf, type):
        return [leaf]
    number = isinstance(leaf, (float, complex))
    return (type(leaf), repr(leaf) if number and (not leaf or leaf != leaf) else leaf)
