"""Tables of faults: of a thing of the reference what is right, and row by row how it goes wrong."""

from __future__ import annotations

from dataclasses import dataclass

from compare.faults.fault import Changes, Fault


@dataclass(frozen=True)
class Right:
    """The head of the rows that follow: what to write instead of any of them."""

    remedy: str


@dataclass(frozen=True)
class Row:
    """One way to get something wrong.

    Attributes:
        name: what it is called, without its owner.
        description: what the code does, in a sentence.
        spoils: what is wrong before all else, see :class:`compare.faults.Fault`.
        changes: the wrong method for each right one.
        needs: the condition without which nothing shows.
    """

    name: str
    description: str
    spoils: str
    changes: Changes
    needs: str = ""


def faults(
    owner: str | tuple[str, ...], *lines: Right | Row, prefix: str = ""
) -> tuple[Fault, ...]:
    """The faults of a table.

    Args:
        owner: the class or function that is changed; of several, each has all rows.
        lines: what is right, the ways to get that wrong, what else is right, and so on.
        prefix: what stands before the name of each row, if that is not the owner.
    """
    owners = (owner,) if isinstance(owner, str) else owner
    return tuple(fault for each in owners for fault in _of_one(each, lines, prefix or each))


def _of_one(owner: str, lines: tuple[Right | Row, ...], prefix: str) -> list[Fault]:
    remedy, found = "", []
    for line in lines:
        if isinstance(line, Right):
            remedy = line.remedy
            continue
        found.append(
            Fault(
                name=f"{prefix}: {line.name}",
                told=line.description,
                owner=owner,
                changes=line.changes,
                spoils=line.spoils,
                remedy=remedy,
                needs=line.needs,
            )
        )
    return found
