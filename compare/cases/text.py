"""A text that every Python carries, as numbers."""

from __future__ import annotations

import codecs
import contextlib
import io
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def zen() -> str:
    """The Zen of Python by Tim Peters, 856 characters, the same in every version."""
    with contextlib.redirect_stdout(io.StringIO()):  # it prints itself when first imported
        import this
    return codecs.decode(this.s, "rot13")


def alphabet(text: str) -> list[str]:
    """The characters of a text, each once, in order."""
    return sorted(set(text))


def numbered(text: str) -> Array:
    """Each character as its place in the alphabet of the text, ``(len(text),)``."""
    places = {character: place for place, character in enumerate(alphabet(text))}
    return np.array([places[character] for character in text], np.int64)


def windows(tokens: Array, length: int, stride: int) -> tuple[Array, Array]:
    """Pieces of a text, and what comes after each of their characters.

    Characters after the last whole piece are left out.

    Args:
        tokens: the text, ``(characters,)``.
        length: of each piece, T.
        stride: from the beginning of one piece to that of the next.

    Returns:
        Inputs and targets, both ``(N, T)``; the targets are one character further on.
    """
    starts = np.arange(0, len(tokens) - length, stride)
    places = starts[:, None] + np.arange(length)
    return tokens[places], tokens[places + 1]
