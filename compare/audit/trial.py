"""One fault planted in one exhibit: is it detected, located and named?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from compare.audit.exhibits import Exhibit, Judgement
from compare.base.errors import BackproofError, CannotCompare
from compare.base.quantities import Observation
from compare.diagnosis.planting.distance import distances, first_apart
from compare.diagnosis.planting.first_effect import Spots
from compare.diagnosis.planting.places import Parts, Site, planted, sites
from compare.diagnosis.planting.search_faults import Search
from compare.faults import FAULTS, Fault

#: A fault counts as named if it is one of at most so many.
NAMES = 3


@dataclass(frozen=True)
class Trial:
    """What came of a fault planted in an exhibit that can show it.

    Attributes:
        fault: its name.
        exhibit: name of the case or the entry.
        label: of the variant, in words.
        dtype: of all arithmetic.
        site: where it was planted.
        check: which check detected it; empty if none did.
        epoch: at which step, counted from 1.
        quantity: the first that failed.
        located: whether that is where the fault is.
        names: of the faults that the diagnosis gives; a pair's are joined by a plus sign.
        error: why there was no comparison, if there was none.
    """

    fault: str
    exhibit: str
    label: str
    dtype: str
    site: str
    check: str = ""
    epoch: int = 0
    quantity: str = ""
    located: bool = False
    names: tuple[str, ...] = ()
    error: str = ""

    @property
    def detected(self) -> bool:
        return bool(self.check)

    @property
    def named(self) -> bool:
        """Whether the fault is one of at most three."""
        return self.fault in self.names and len(self.names) <= NAMES

    @property
    def passed(self) -> bool:
        return self.detected and self.located and self.named

    def __str__(self) -> str:
        where = f"{self.exhibit}({self.label})" if self.label else self.exhibit
        what = f"{self.fault!r} at {self.site} of {where} in {self.dtype}"
        if not self.detected:
            return f"{what} was not detected" + (f": {self.error}" if self.error else "")
        if not self.located:
            return f"{what} was located at {self.quantity!r}, step {self.epoch}, where it is not"
        names = ", ".join(self.names) or "nothing"
        return f"{what}, first at {self.quantity}, was named as {names}"


def trials(
    exhibit: Exhibit, faults: Iterable[Fault] | None = None, known: Iterable[Fault] | None = None
) -> Iterator[Trial]:
    """Plant faults in an exhibit, each at every place where it fits and shows.

    Args:
        exhibit: what to plant them in.
        faults: which; None for the whole catalogue.
        known: those that the diagnosis tries; None for the whole catalogue.
    """
    chosen = FAULTS.values() if faults is None else faults
    fitting = [(fault, sites(fault, exhibit.parts)) for fault in chosen]
    if not any(found for _, found in fitting):
        return
    with np.errstate(all="ignore"):
        judged = _Judged(exhibit)
        for fault, found in fitting:
            for site in found:
                wrong = planted(fault, site, exhibit.parts)
                if not judged.shows(wrong):
                    continue
                trial = judged.trial(fault, site, wrong, known)
                if trial is not None:
                    yield trial


class _Judged:
    """An exhibit with what it shows while it is right."""

    def __init__(self, exhibit: Exhibit) -> None:
        self.exhibit = exhibit
        self.right = list(exhibit.show(exhibit.parts))
        self.spots = Spots(exhibit, self.right)
        found = exhibit.judge(exhibit.parts)
        if found.failure is not None:
            raise CannotCompare(f"{exhibit.name} disagrees without any fault: {found.failure}")
        gaps = [*found.gaps, *[{}] * (len(self.right) - len(found.gaps))]
        self.allowed = [
            {name: limit + gap[name] for name, limit in allowed.items()}
            for allowed, gap in zip(found.evidence.allowed, gaps, strict=True)
        ]

    def shows(self, parts: Parts, allowed: Sequence[Observation] | None = None) -> bool:
        """Whether any quantity is off by more than is allowed, in one and the same arithmetic."""
        wrong = list(self.exhibit.show(parts))
        if len(wrong) < len(self.right):
            return True
        several = zip(wrong, self.right, allowed or self.allowed, strict=True)
        return any(
            one.raised != right.raised
            or any(not size <= 1 for size in distances(one, right, limits).values())
            for one, right, limits in several
        )

    def trial(
        self, fault: Fault, site: Site, parts: Parts, known: Iterable[Fault] | None
    ) -> Trial | None:
        """Compare and diagnose a fault that shows; None if its own rounding error hides it."""
        exhibit = self.exhibit
        about = fault.name, exhibit.name, exhibit.label, exhibit.dtype, str(site)
        try:
            found = exhibit.judge(parts)
        except BackproofError as error:
            return Trial(*about, error=str(error))
        failure, evidence = found.failure, found.evidence
        if failure is None:
            limits = _larger(self.allowed, evidence.allowed)
            return Trial(*about) if self.shows(parts, limits) else None
        missing = failure.quantity not in evidence.shown[failure.epoch - 1].seen
        explained = Search(exhibit, evidence, known, self.spots).found()
        names = ("+".join(sorted(one.names)) for one in explained)
        return Trial(
            *about,
            failure.check,
            failure.epoch,
            failure.quantity,
            self.spots.fits(fault, site, failure.quantity, missing)
            or self._first_beyond(fault, site, parts, found),
            tuple(dict.fromkeys(names)),
        )

    def _first_beyond(self, fault: Fault, site: Site, parts: Parts, found: Judgement) -> bool:
        """Whether what a fault spoils is off by too little, and this is the first that is not.

        How much is too little the comparison of the wrong numbers says, or that of the right ones.
        """
        if found.failure is None:
            return False
        step, quantity = found.failure.epoch - 1, found.failure.quantity
        if not self.spots.below(fault, site, quantity, step):
            return False
        wrong, right = list(self.exhibit.show(parts))[step], self.right[step]
        every = self.allowed[step], found.evidence.allowed[step]
        return any(first_apart(wrong, right, limits) == quantity for limits in every)


def _larger(one: Sequence[Observation], other: Sequence[Observation]) -> list[Observation]:
    return [
        {name: np.maximum(limit, b.get(name, 0.0)) for name, limit in a.items()}
        for a, b in zip(one, other, strict=True)
    ]
