"""How far the diagnosis is to be trusted: nothing named where nothing is wrong, pairs named.

``python -m benchmarks.diagnosis`` takes 1,000 random networks without a fault, on which no fault
may be named, and plants two random faults in each of 300, of which both should be named in at least
half; every pair must be detected. It exits with 1 otherwise.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.sample_networks import Sample, draw
from compare.audit.exhibits import TrainingExhibit
from compare.diagnosis.diagnose import diagnose
from compare.diagnosis.planting.distance import distances
from compare.diagnosis.planting.places import Site, planted, sites_by_owner
from compare.diagnosis.planting.replay import Replayed
from compare.diagnosis.planting.search_faults import Evidence, Search
from compare.faults import FAULTS, Fault
from compare.measure.tolerances import make
from compare.sides.feed import Feed
from compare.sides.pair import build

NETWORKS = 1000
PAIRS = 300

#: Where two faults are planted.
ROLES = ("network", "loss", "optimizer")

Placed = tuple[Fault, Site]


@dataclass(frozen=True)
class Pair:
    """Two faults in one network.

    Attributes:
        names: of the faults.
        detected: whether the comparison with PyTorch failed.
        named: whether an explanation has both.
    """

    names: tuple[str, str]
    detected: bool
    named: bool


def exhibit(sample: Sample) -> TrainingExhibit | None:
    """A random network beside PyTorch; None if it overflows."""
    with np.errstate(all="ignore"):
        sides = build(sample.case, sample.weights)
        feed = Feed(sample.case, sample.dataset)
        made = TrainingExhibit("random", sample.case.dtype, sides, feed, make(None))
    seen = (value for one in made.expected for value in one.values())
    return made if all(np.isfinite(value).all() for value in seen) else None


def named_on_right(seed: int) -> list[str]:
    """What the diagnosis names on a random network without a fault: it should be nothing.

    PyTorch's numbers are explained as well as the reference's: they differ by rounding.
    """
    made = exhibit(draw(seed))
    if made is None:
        return []
    with np.errstate(all="ignore"):
        held = list(made.compare_steps(made.parts))
        steps = [
            replace(one, given=made.stage.moments[number])
            for one, number in zip(held, made.stage.looked, strict=True)
        ]
        return [cause.name for cause in diagnose(made.stage.side, steps, made.tolerance.multiple)]


def pair(seed: int) -> Pair | None:
    """Two random faults that each show in a random network; None if there are none."""
    made = exhibit(draw(seed))
    if made is None:
        return None
    rng = np.random.default_rng((seed, 1))
    with np.errstate(all="ignore"):
        first = _one(made, rng, None)
        second = None if first is None else _one(made, rng, first)
        if first is None or second is None:
            return None
        parts = planted(*second, planted(*first, made.parts))
        found = made.judge(parts)
        names = first[0].name, second[0].name
        if found.failure is None:
            return Pair(names, detected=False, named=False)
        explained = Search(made, found.evidence).found()
    return Pair(names, True, any(set(one.names) == set(names) for one in explained))


def _one(made: TrainingExhibit, rng: np.random.Generator, beside: Placed | None) -> Placed | None:
    """A random fault that shows, also beside another one."""
    parts = made.parts if beside is None else planted(*beside, made.parts)
    right = list(made.show(parts))
    allowed = made.judge(made.parts).evidence.allowed
    several = list(_places(made))
    for number in rng.permutation(len(several)):
        fault, site = several[number]
        if beside is not None and (fault.owner, site) == (beside[0].owner, beside[1]):
            continue
        wrong = list(made.show(planted(fault, site, parts)))
        if _apart(wrong, right, Evidence(right, allowed)):
            return fault, site
    return None


def _places(made: TrainingExhibit) -> Iterator[Placed]:
    places = sites_by_owner(made.parts)
    for fault in FAULTS.values():
        if fault.spoils != "start":
            several = places.get(fault.owner, [])
            yield from ((fault, site) for site in several if site.role in ROLES)


def _apart(wrong: list[Replayed], right: list[Replayed], evidence: Evidence) -> bool:
    return any(
        one.raised == other.raised == ""
        and any(not size <= 2 for size in distances(one, other, limits).values())
        for one, other, limits in zip(wrong, right, evidence.allowed, strict=True)
    )


def main(networks: int = NETWORKS, pairs: int = PAIRS) -> int:
    """Measure both, and tell."""
    named = {seed: found for seed in range(networks) if (found := named_on_right(seed))}
    print(f"{networks} random networks without a fault: something named on {len(named)}")
    for seed, found in named.items():
        print(f"  network {seed}: {', '.join(found)}")
    tried = [one for one in map(pair, range(pairs)) if one is not None]
    detected, both = (sum(getattr(one, what) for one in tried) for what in ("detected", "named"))
    print(f"{len(tried)} pairs of faults: {detected} detected, both named in {both}")
    return int(bool(named) or detected < len(tried) or 2 * both < len(tried))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
