"""Which fault of the catalogue, or which two of them, reproduce the numbers of a disagreement.

Each fault is planted in what is right, at each place where it fits, and the same steps are made
again. One that gives all the numbers in question to within their tolerance explains them. Only
those are tried that can make the first wrong quantity wrong and leave alone what comes before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from compare.base.quantities import Observation
from compare.diagnosis.planting.distance import distances, each_distance, first_apart
from compare.diagnosis.planting.first_effect import Refutation, Spots
from compare.diagnosis.planting.places import Parts, Site, planted
from compare.diagnosis.planting.replay import Replayed, Stage
from compare.faults import FAULTS, Fault

#: A fault and its place.
Placed: TypeAlias = tuple[Fault, Site]

#: So many pairs are tried at most.
PAIRS = 400


@dataclass(frozen=True)
class Evidence:
    """The numbers in question.

    Attributes:
        shown: what was shown of each step.
        allowed: of each step, the largest allowed difference by quantity, entry for entry.
    """

    shown: Sequence[Replayed]
    allowed: Sequence[Observation]


@dataclass(frozen=True)
class Explanation:
    """Faults that reproduce the numbers.

    Attributes:
        faults: one fault or two, each with its place.
        match: the largest difference that remains, over what is allowed.
        quantities: how many were reproduced, each time counted.
        steps: of how many steps.
        tensors: the parameters that something wrong was shown of.
    """

    faults: tuple[tuple[Fault, Site], ...]
    match: float
    quantities: int
    steps: int
    tensors: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Of the faults."""
        return tuple(fault.name for fault, _ in self.faults)


class Search:
    """The search for what explains the numbers of a disagreement.

    Args:
        stage: what is right, and the steps it makes.
        evidence: what something else showed of the same steps.
        faults: those to try; None for the whole catalogue.
        spots: where faults on the stage show first, if that has been measured before.
    """

    def __init__(
        self,
        stage: Stage,
        evidence: Evidence,
        faults: Iterable[Fault] | None = None,
        spots: Spots | None = None,
    ) -> None:
        self.stage = stage
        self.evidence = evidence
        self.faults = list(FAULTS.values() if faults is None else faults)
        with np.errstate(all="ignore"):
            self.spots = spots or Spots(stage, list(stage.show(stage.parts)))
        self.right = self.spots.right
        self.tried = 0

    @property
    def first(self) -> tuple[int, str] | None:
        """The step and the quantity at which the numbers in question leave the right ones."""
        return self._leave(self.right)

    def found(self) -> list[Explanation]:
        """Single faults that explain the numbers, or pairs where there are none."""
        with np.errstate(all="ignore"):
            singles = list(self._singles(self._candidates(self.first)))
            singles += self._singles(self._smaller(self.first))
            return singles or list(self._pairs())

    def _singles(self, candidates: Iterable[Placed]) -> Iterator[Explanation]:
        for fault, site in candidates:
            if self._refuted(fault, site):
                continue
            match, refuted = self._match(planted(fault, site, self.stage.parts))
            if refuted is not None:
                self.spots.refuted[fault.name, site] = refuted
            elif match <= 1:
                yield self._explained(((fault, site),), match)

    def _pairs(self) -> Iterator[Explanation]:
        """For each fault that explains the first wrong quantity, one that explains the rest."""
        first = self.first
        for fault, site in self._candidates(first):
            parts = planted(fault, site, self.stage.parts)
            second = self._leave(list(self.stage.show(parts)))
            if first is None or second is None or not self._later(second, first):
                continue
            for other, place in self._candidates(second):
                if (other, place) == (fault, site) or self.tried >= PAIRS:
                    continue
                self.tried += 1
                match, _ = self._match(planted(other, place, parts))
                if match <= 1:
                    yield self._explained(((fault, site), (other, place)), match)

    def _candidates(self, spot: tuple[int, str] | None) -> Iterator[Placed]:
        """The faults that make a quantity wrong and leave alone what comes before it."""
        if spot is None:
            return
        step, quantity = spot
        raises = quantity not in self.evidence.shown[step].seen
        for fault in self.faults:
            for site in self.spots.sites.get(fault.owner, ()):
                if self.spots.fits(fault, site, quantity, raises):
                    yield fault, site

    def _smaller(self, spot: tuple[int, str] | None) -> Iterator[Placed]:
        """The faults that make something wrong before a quantity, where it may be too little."""
        if spot is None or spot[1] not in self.evidence.shown[spot[0]].seen:
            return
        for fault in self.faults:
            for site in self.spots.sites.get(fault.owner, ()):
                if not self.spots.fits(fault, site, spot[1]) and self.spots.below(
                    fault, site, spot[1], spot[0]
                ):
                    yield fault, site

    def _leave(self, shown: Sequence[Replayed]) -> tuple[int, str] | None:
        """Where the numbers in question leave what is shown."""
        several = zip(self.evidence.shown, shown, self.evidence.allowed, strict=False)
        for step, (actual, right, allowed) in enumerate(several):
            name = first_apart(actual, right, allowed)
            if name is not None:
                return step, name
        return None

    def _later(self, one: tuple[int, str], other: tuple[int, str]) -> bool:
        order = list(self.right[other[0]].seen)
        places = [(s, order.index(n) if n in order else len(order)) for s, n in (one, other)]
        return places[0] > places[1]

    def _match(self, parts: Parts) -> tuple[float, Refutation | None]:
        """The largest difference from the numbers in question, over what is allowed.

        With it, if that is too much, the first numbers that show it.
        """
        match = 0.0
        candidates = self.stage.show(parts)
        several = zip(self.evidence.shown, self.evidence.allowed, strict=True)
        for step, (actual, allowed) in enumerate(several):
            candidate = next(candidates, Replayed())
            if candidate.raised != actual.raised:
                return math.inf, Refutation(step, None, Replayed({}, candidate.raised))
            for name, size in each_distance(candidate, actual, allowed):
                match = max(match, size)
                if match > 1:
                    seen = {name: candidate.seen[name]} if name in candidate.seen else {}
                    return match, Refutation(step, name, Replayed(seen, candidate.raised))
        return match, None

    def _refuted(self, fault: Fault, site: Site) -> bool:
        """Whether what refuted a fault as an explanation of other numbers does so of these."""
        last = self.spots.refuted.get((fault.name, site))
        if last is None:
            return False
        actual = self.evidence.shown[last.step]
        if last.quantity is None:
            return actual.raised != last.shown.raised
        seen = {n: v for n, v in actual.seen.items() if n == last.quantity}
        several = each_distance(last.shown, Replayed(seen), self.evidence.allowed[last.step])
        return any(not size <= 1 for _, size in several)

    def _explained(self, faults: tuple[tuple[Fault, Site], ...], match: float) -> Explanation:
        count = sum(len(shown.seen) for shown in self.evidence.shown)
        return Explanation(faults, match, count, len(self.evidence.shown), self._wrong())

    def _wrong(self) -> tuple[str, ...]:
        """The parameters whose gradients, state or values after the step are wrong."""
        found: dict[str, None] = {}
        several = zip(self.evidence.shown, self.right, self.evidence.allowed, strict=False)
        for actual, right, allowed in several:
            for name, size in distances(actual, right, allowed).items():
                kind, _, parameter = name.partition(" ")
                if not size <= 1 and kind in ("gradient", "parameter") and " " not in parameter:
                    found[parameter] = None
        return tuple(found)
