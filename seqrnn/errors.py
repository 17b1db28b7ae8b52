"""Errors of the Python side, and the suggestion they end with."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UnknownArgumentError(TypeError, ValueError):
    """A constructor got a keyword that it does not have.

    Python raises TypeError for this and Keras 3 ValueError, so this is both.
    """


def did_you_mean(word: object, words: Iterable[str]) -> str:
    """The end of an error text: " Did you mean 'tanh'?", or all the words when none is near.

    Starts with a space, so that it can follow a full sentence; empty when `words` is empty.
    """
    words = sorted(set(words))
    if not words:
        return ""
    text = str(word)
    lowered = {w.lower(): w for w in words}
    near = difflib.get_close_matches(text.lower(), list(lowered), n=1, cutoff=0.65)
    if near:
        return f" Did you mean {lowered[near[0]]!r}?"
    return " Known: " + ", ".join(repr(w) for w in words) + "."
