"""Going on with a text, for the networks that foretell characters."""

from __future__ import annotations

import numpy as np

from compare.base.errors import UsageError
from compare.base.quantities import Array
from compare.cases.case import Case
from compare.cases.text import alphabet, zen
from compare.sides.side import Side

#: The length of the pieces of text that the networks were taught, and the most that a GPT takes.
CONTEXT = 32

#: How many characters are added.
ADDED = 40


def is_text(case: Case) -> bool:
    """Whether the case's network goes on with a text."""
    return case.data == "characters"


def parse(text: str) -> Array:
    """The characters as numbers, ``(1, T)``.

    Raises:
        UsageError: there is none, or one that the text which was taught does not have.
    """
    places = {character: place for place, character in enumerate(alphabet(zen()))}
    if not text:
        raise UsageError("the text is empty, but should have at least one character")
    unknown = [character for character in text if character not in places]
    if unknown:
        raise UsageError(
            f"the text has {unknown[0]!r}, but the network knows only the characters "
            f"of the Zen of Python: {''.join(places).strip()}"
        )
    return np.array([[places[character] for character in text]], np.int64)


def go_on(side: Side, tokens: Array) -> str:
    """The text, and after it, one by one, the character that the network holds most likely."""
    characters = alphabet(zen())
    for _ in range(ADDED):
        logits = side.predict(tokens[:, -CONTEXT:])  # (1, V, T)
        tokens = np.append(tokens, logits[:, :, -1].argmax(axis=1)[:, None], axis=1)
    return repr("".join(characters[token] for token in tokens[0]))
