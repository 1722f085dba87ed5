"""Which of a module's parameters each of the user's stands for, and how it lies there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from compare.base.errors import CannotCompare, UsageError
from compare.base.quantities import Array
from compare.own.user.numbers import without_ones

#: How a name ends whose parameter lies the other way round.
TRANSPOSED = ".T"


@dataclass(frozen=True)
class Link:
    """One parameter on both sides.

    Attributes:
        own: the user's name.
        theirs: the module's.
        transposed: whether one is the transpose of the other.
        shape: the module's.
    """

    own: str
    theirs: str
    transposed: bool
    shape: tuple[int, ...]

    def there(self, value: Array) -> Array:
        """The user's numbers as the module has them."""
        return (value.T if self.transposed else value).reshape(self.shape)

    def back(self, value: Array, shape: tuple[int, ...]) -> Array:
        """The module's numbers as the user has them."""
        if not self.transposed:
            return value.reshape(shape)
        return value.reshape(shape[::-1]).T


def link(
    names: Mapping[str, str] | None,
    own: Mapping[str, tuple[int, ...]],
    theirs: Mapping[str, tuple[int, ...]],
) -> list[Link]:
    """Join the two sides' parameters.

    Args:
        names: the module's name for each of the user's, with ``.T`` at its end if it is the
            transpose; None if the names are the same.
        own: shapes of the user's parameters.
        theirs: shapes of the module's.

    Raises:
        UsageError: a name is unknown, given twice or left out.
        CannotCompare: the shapes do not fit.
    """
    names = {name: name for name in own} if names is None else _required(names)
    _require_known("names has", names, own, "your parameters")
    found = [_link(name, names[name], own[name], theirs) for name in own if name in names]
    _require_whole([link.own for link in found], own, "your parameter")
    _require_whole([link.theirs for link in found], theirs, "the module's parameter")
    return found


def _required(names: Any) -> dict[str, str]:
    """The names, if they are some."""
    if not isinstance(names, Mapping):
        told = f"a {type(names).__name__}"
    else:
        told = ", ".join(
            f"{value!r} for {key!r}" for key, value in names.items() if not isinstance(value, str)
        )
    if told:
        raise UsageError(
            f"names has {told}, but should be a dict from your names to the module's, such "
            f"as {{'W1': '0.weight.T'}}"
        )
    return dict(names)


def _link(
    own: str, named: str, shape: tuple[int, ...], theirs: Mapping[str, tuple[int, ...]]
) -> Link:
    transposed = named not in theirs and named.endswith(TRANSPOSED)
    there = named.removesuffix(TRANSPOSED) if transposed else named
    _require_known(f"names has {own!r} for", [there], theirs, "the module's parameters")
    lying = shape[::-1] if transposed else shape
    if without_ones(lying) != without_ones(theirs[there]):
        turned = without_ones(shape[::-1]) == without_ones(theirs[there])
        hint = f"; if it is the transpose, say so: {there + TRANSPOSED!r}" if turned else ""
        raise CannotCompare(
            f"parameter {own} has shape {shape}, but {named!r} of the module "
            f"has {theirs[there]}{hint}"
        )
    return Link(own, there, transposed, theirs[there])


def _require_known(what: str, names: Iterable[str], known: Iterable[str], whose: str) -> None:
    for name in names:
        if name not in known:
            raise UsageError(
                f"{what} {name!r}, which is not one of {whose}: {', '.join(known)}; names maps "
                f"your names to the module's, such as {{'W1': '0.weight.T'}}"
            )


def _require_whole(linked: list[str], every: Mapping[str, object], whose: str) -> None:
    left = [name for name in every if name not in linked]
    twice = sorted({name for name in linked if linked.count(name) > 1})
    if left:
        raise UsageError(
            f"{whose} {', '.join(left)} stands for nothing on the other side; name it in names, as "
            f"in {{'W1': '0.weight.T'}}"
        )
    if twice:
        raise UsageError(f"{whose} {', '.join(twice)} is named twice in names")
