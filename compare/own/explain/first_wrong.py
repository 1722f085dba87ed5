"""Where on the way back from the loss the first gradient is wrong, and where to look therefore."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from compare.results.cause import listed


def where_to_look(
    order: Sequence[str], wrong: Sequence[str], behind: Mapping[str, frozenset[str]]
) -> str:
    """What is right, what is wrong, and what lies between; empty if nothing is wrong.

    Args:
        order: the parameters as their gradients are completed, from the loss on.
        wrong: those whose gradients are wrong.
        behind: for each, those whose gradients are made of the same error, and what becomes of it.
    """
    if not wrong:
        return ""
    right = [name for name in order if name not in wrong]
    first = next(name for name in order if name in wrong)
    if not right:
        if len(order) == 1:
            return ""
        return (
            f"all gradients are wrong, from {first} on, the first on the way back from the loss: "
            f"look at the loss's own gradient, and at what the error passes before {first}"
        )
    before = [name for name in right if first in behind.get(name, ())]
    after = [name for name in right if name in behind.get(first, ())]
    told = f"on the way back from the loss, right: {listed(right)}; first wrong: {first}; "
    if after:
        return told + (
            f"the error that reaches {first} is right, as {listed(after)} "
            f"{_come(after)} of it: look at how {first}'s own gradient is made of it"
        )
    if before:
        return told + f"look at what the error passes between {before[-1]} and {first}"
    return told + f"look at what the error passes before {first}"


def _come(names: Sequence[str]) -> str:
    return "comes" if len(names) == 1 else "come"


def apart(order: Sequence[str], wrong: Sequence[str]) -> str:
    """What is right and what is wrong, where nothing is known of the way back."""
    right = [name for name in order if name not in wrong]
    if not wrong or not right:
        return ""
    return (
        f"right: {listed(right)}; wrong: {listed(list(wrong))}; with torch_loss, it is known in "
        f"which order they arise"
    )
