"""Which quantity is the first that a fault at a site makes wrong.

For a layer this is measured, not declared: what the fault spoils, be it the output or the gradient
at the input, is spoilt at random in its place, and the first quantity that moves is where it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from compare.base.nested import leaves, mapped
from compare.base.quantities import Array, gradient, gradient_at
from compare.diagnosis.planting.distance import first_apart
from compare.diagnosis.planting.places import Site, planted, sites_by_owner
from compare.diagnosis.planting.replay import Replayed, Stage
from compare.faults import Fault
from compare.faults.changes.methods import around
from compare.faults.fault import Changes, Method
from compare.sides.networks.taps import joined


@dataclass(frozen=True)
class Refutation:
    """Numbers that a fault gives, at which it turned out not to explain others.

    Attributes:
        step: at which step.
        quantity: which; None if it is what was raised.
        shown: what the fault gives there.
    """

    step: int
    quantity: str | None
    shown: Replayed


class Spots:
    """Where faults on a stage first show; what was measured once is remembered.

    Args:
        stage: what they are planted on.
        right: what it shows while it is right.

    Attributes:
        refuted: by fault and site, what last showed that it does not explain numbers in question.
    """

    def __init__(self, stage: Stage, right: list[Replayed]) -> None:
        self.stage = stage
        self.right = right
        self.sites = sites_by_owner(stage.parts)
        self.refuted: dict[tuple[str, Site], Refutation] = {}
        self._known: dict[tuple[str, Site, str, bool], set[str]] = {}

    def fits(self, fault: Fault, site: Site, quantity: str, raises: bool = False) -> bool:
        """Whether a quantity is the first that a fault at a site makes wrong.

        Args:
            fault: the fault.
            site: where it is.
            quantity: the first that is wrong.
            raises: whether it was not computed at all, as the fault raised before.
        """
        return any(
            self._fits(replace(fault, spoils=one), site, quantity, raises)
            for one in fault.spoils.split(" or ")
        )

    def below(self, fault: Fault, site: Site, quantity: str, step: int) -> bool:
        """Whether a fault at a site makes something wrong that is computed before a quantity.

        If that is off by less than is allowed there, the fault first shows further down.
        """
        order = list(self.right[step].seen)
        return quantity in order and any(
            spot in order and order.index(spot) < order.index(quantity)
            for spot in self.of(fault, site)
        )

    def of(self, fault: Fault, site: Site) -> set[str]:
        """Where a layer's or a loss's fault first shows, if it is large enough."""
        if site.role not in ("network", "loss"):
            return set()
        if site.path is None:
            alone = [one for one in self.sites[fault.owner] if one.path is not None]
            return {spot for one in alone for spot in self.of(fault, one)}
        found: set[str] = set()
        for spoils in fault.spoils.split(" or "):
            if spoils not in ("loop", "start"):
                found |= self._spots(replace(fault, spoils=spoils), site, raises=False)
        return found

    def _spots(self, fault: Fault, site: Site, raises: bool) -> set[str]:
        key = (fault.owner, site, fault.spoils, raises)
        if key not in self._known:
            self._known[key] = set(self._measured(fault, site, raises))
        return self._known[key]

    def _fits(self, fault: Fault, site: Site, quantity: str, raises: bool) -> bool:
        kind, _, name = fault.spoils.partition(" ")
        if kind in ("loop", "start"):
            return True
        if site.path is None:  # everywhere, though not everywhere it need show
            several = [one for one in self.sites[fault.owner] if one.path is not None]
            return any(self._fits(fault, one, quantity, raises) for one in several)
        if kind == "gradient" and site.role != "loss":
            owned = quantity.startswith(gradient(joined(site.path, name)))
            if owned and not quantity.startswith(gradient_at("")):
                return True  # what layers and directions append to a name included
        if site.role in ("network", "loss"):
            return quantity in self._spots(fault, site, raises)
        if raises:
            return quantity.startswith(_BY_RULE)
        if kind == "state" and quantity.startswith("state "):
            return quantity.endswith(f".{name}")
        if kind == "state" and self._has_state(name):
            return False
        if fault.owner == "RMSprop" and kind == "parameter" and quantity.startswith("state "):
            return quantity.endswith(".momentum_buffer")  # which is of steps
        begins: str | tuple[str, ...] = _RATES if kind in _RATES else kind
        return quantity.startswith("parameter" if kind == "state" else begins)

    def _has_state(self, name: str) -> bool:
        return any(
            quantity.startswith("state ") and quantity.endswith(f".{name}")
            for shown in self.right
            for quantity in shown.seen
        )

    def _measured(self, fault: Fault, site: Site, raises: bool) -> Iterator[str]:
        """The first that moves, for each of the things that a layer takes or gives."""
        part = 0
        while True:
            for sign in (1.0, -1.0, 20.0, -20.0):  # where units further down are off, nothing moves
                spoiler = _Spoiler(fault.spoils, site.role == "loss", raises, part, sign)
                first = self._first(fault, site, spoiler)
                if first is not None:
                    yield first
                    break
            part += 1
            if raises or part >= spoiler.parts:
                return

    def _first(self, fault: Fault, site: Site, spoiler: _Spoiler) -> str | None:
        """The first quantity that moves in any step."""
        changed = Fault("spoiler", "", fault.owner, spoiler.changes, fault.spoils, "")
        shown = self.stage.show(planted(changed, site, self.stage.parts))
        several = zip(self.right, shown, strict=False)
        moved = (first_apart(wrong, right) for right, wrong in several)
        return next((name for name in moved if name is not None), None)


#: How the quantities begin that a schedule makes, and those that an update rule makes.
_RATES = ("lr", "momentum", "learning rate")
_BY_RULE = ("state", "parameter", *_RATES)


class _Spoiler:
    """A method that makes what a fault spoils, with that spoilt at random.

    Args:
        spoils: what is spoilt, see :class:`compare.faults.Fault`.
        is_loss: whether its backward gives nothing but the gradient at the input.
        raises: whether it raises instead.
        part: which is spoilt, of several things that are given.
        sign: whether it is made larger or smaller, and by how much.

    Attributes:
        parts: how many things there were.
    """

    def __init__(self, spoils: str, is_loss: bool, raises: bool, part: int, sign: float) -> None:
        self.kind, _, self.name = spoils.partition(" ")
        self.is_loss = is_loss
        self.raises = raises
        self.part = part
        self.sign = sign
        self.parts = 1

    @property
    def changes(self) -> Changes:
        method = {"output": "forward", "buffer": "buffers"}.get(self.kind, "backward")
        return around(method, self._wrong)

    def _wrong(self, right: Method, *args: Any, **options: Any) -> Any:
        if self.raises:
            raise ArithmeticError("spoilt")
        found = right(*args, **options)
        if self.kind == "buffer":
            return found | self._named(found)
        if self.kind == "gradient":
            return found[0], found[1] | self._named(found[1])
        if self.kind == "dx" and self.is_loss:
            return self._one_of(found)
        return self._one_of(found[0]), found[1]

    def _one_of(self, several: Any) -> Any:
        """One of several arrays spoilt."""
        self.parts = len(leaves(several, ""))
        numbers = iter(range(self.parts))
        return mapped(
            lambda one: _noisy(one, self.sign) if next(numbers) == self.part else one, several
        )

    def _named(self, found: dict[str, Array]) -> dict[str, Array]:
        return {self.name: _noisy(found[self.name], self.sign)} if self.name in found else {}


def _noisy(array: Array, sign: float) -> Array:
    if array.dtype.kind != "f":
        return array + 1
    rng = np.random.default_rng(array.size)
    array = np.where(np.isnan(array), np.zeros_like(array), array)  # what is no number becomes one
    moved = 0.1 * sign * (1 + np.abs(array)) * (1 + rng.random(array.shape))
    return np.asarray(array + moved.astype(array.dtype))
