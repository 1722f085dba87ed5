"""How far what was shown is from something else that was shown, in units of what is allowed."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from compare.base.quantities import Array
from compare.diagnosis.planting.replay import Replayed

#: Where nothing is known of the rounding error: so many roundings of the largest entry.
ROUNDINGS = 4096


def distances(
    one: Replayed, other: Replayed, allowed: Mapping[str, Array] | None = None
) -> dict[str, float]:
    """For each quantity of both, the largest difference over what is allowed.

    Infinite for what cannot be compared, and for what only one of the two has.

    Args:
        one: what was shown.
        other: what it is compared with; in its order the answer is.
        allowed: the largest allowed difference by quantity, entry for entry.
    """
    return dict(each_distance(one, other, allowed))


def each_distance(
    one: Replayed, other: Replayed, allowed: Mapping[str, Array] | None = None
) -> Iterator[tuple[str, float]]:
    """The same, one after the other, for those who may not need them all."""
    allowed = allowed or {}
    for name in dict.fromkeys([*other.seen, *one.seen]):
        if name not in one.seen or name not in other.seen:
            yield name, math.inf
        else:
            yield name, _distance(one.seen[name], other.seen[name], allowed.get(name))


def first_apart(
    one: Replayed, other: Replayed, allowed: Mapping[str, Array] | None = None
) -> str | None:
    """The first quantity that differs by more than is allowed; None if all agree.

    As in a comparison, what only one has, or in another shape, comes before all numbers.
    """
    found = distances(one, other, allowed)
    beyond = [name for name, size in found.items() if not size <= 1]
    return next((name for name in beyond if not _comparable(one, other, name)), None) or next(
        iter(beyond), None
    )


def _comparable(one: Replayed, other: Replayed, name: str) -> bool:
    if name not in one.seen or name not in other.seen:
        return False
    a, b = one.seen[name], other.seen[name]
    return np.shape(a) == np.shape(b) and a.dtype == b.dtype


def _distance(one: Array, other: Array, allowed: Array | None) -> float:
    if np.shape(one) != np.shape(other) or one.dtype != other.dtype:
        return math.inf
    if not np.size(one):
        return 0.0
    if allowed is None or np.shape(allowed) not in ((), np.shape(other)):
        allowed = np.asarray(_roundings(other))
    same = one == other
    if same.all():
        return 0.0
    with np.errstate(all="ignore"):
        same |= np.isnan(one) & np.isnan(other)
        gap = np.abs(np.asarray(one, np.float64) - np.asarray(other, np.float64))
        ratio = np.where(same, 0.0, gap / allowed)
    return float(np.max(np.where(np.isnan(ratio), np.inf, ratio)))


def _roundings(array: Array) -> float:
    """What is allowed where nothing better is known."""
    if array.dtype.kind != "f":
        return 0.5
    info = np.finfo(array.dtype)
    finite = np.abs(array)[np.isfinite(array)]
    return ROUNDINGS * float(info.eps) * float(finite.max(initial=0)) + float(info.smallest_normal)
