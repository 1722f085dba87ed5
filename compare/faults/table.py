"""Tables of faults: of things of the reference what is right, and row by row how it goes wrong."""

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


def faults(*lines: str | tuple[str, ...] | Right | Row, prefix: str = "") -> tuple[Fault, ...]:
    """The faults of a table.

    Args:
        lines: the owner, a class or function that is changed; what is right of it; the ways to get
            that wrong; what else is right, and so on, until the next owner. Of several owners in
            one place, each has all rows.
        prefix: what stands before the name of each row, if that is not the owner.
    """
    parts: list[tuple[tuple[str, ...], list[tuple[str, Row]]]] = []
    remedy = ""
    for line in lines:
        if isinstance(line, Row):
            parts[-1][1].append((remedy, line))
        elif isinstance(line, Right):
            remedy = line.remedy
        else:
            parts.append(((line,) if isinstance(line, str) else line, []))
    return tuple(
        _fault(owner, row, remedy, prefix or owner)
        for owners, rows in parts
        for owner in owners
        for remedy, row in rows
    )


def _fault(owner: str, row: Row, remedy: str, prefix: str) -> Fault:
    return Fault(
        name=f"{prefix}: {row.name}",
        told=row.description,
        owner=owner,
        changes=row.changes,
        spoils=row.spoils,
        remedy=remedy,
        needs=row.needs,
    )
