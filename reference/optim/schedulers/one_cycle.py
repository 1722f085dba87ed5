"""One cycle: the rate rises and falls once, and momentum does the opposite."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from reference.optim.checks import require
from reference.optim.groups import Options
from reference.optim.optimizer import Optimizer
from reference.optim.schedulers.scheduler import Position, Scheduler, per_group


class OneCycleLR(Scheduler):
    r"""The rate rises to its peak, then falls far below its start; momentum falls and rises.

    Two phases, or three, each ending at the count e (S is ``total_steps``, f is ``pct_start``)::

        two      e = f S − 1: low → peak          e = S − 1: peak → end
        three    e = f S − 1: low → peak          e = 2 f S − 2: peak → low     e = S − 1: low → end

        low = max_lr / div_factor,   peak = max_lr,   end = low / final_div_factor

    While the rate rises momentum goes from ``max_momentum`` to ``base_momentum``, while it falls
    from the peak back again, and then stays. Within a phase, at the fraction x of its way::

        cos       b + (a − b)(1 + cos πx)/2
        linear    a + (b − a) x

    A high rate in the middle keeps the network from settling in narrow minima, low momentum
    keeps the high rate from diverging, and the last phase settles.

    Args:
        optimizer: whose groups it changes. Its own learning rates and momenta are of no effect.
        max_lr: the peak, or one for each group.
        total_steps: S.
        epochs: with ``steps_per_epoch``, in place of ``total_steps``.
        steps_per_epoch: see ``epochs``.
        pct_start: f, the part of the steps in which the rate rises.
        anneal_strategy: ``cos`` or ``linear``.
        cycle_momentum: whether to change ``momentum``, or the first of ``betas``, as well.
        base_momentum: its least, or one for each group.
        max_momentum: its greatest, or one for each group.
        div_factor: the peak in units of the first rate.
        final_div_factor: the first rate in units of the last.
        three_phase: whether to come down to the first rate before falling further.

    Source:
        Smith and Topin, Super-Convergence, arXiv 1708.07120;
        https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
    ) -> None:
        super().__init__(optimizer)
        fits = anneal_strategy in ("cos", "linear")
        require(self.name, "anneal_strategy", anneal_strategy, fits, "'cos' or 'linear'")
        require(self.name, "pct_start", pct_start, 0 <= pct_start <= 1, "between 0 and 1")
        self.pct_start = pct_start
        self.total_steps = self._total(total_steps, epochs, steps_per_epoch)
        self.anneal = _along_cosine if anneal_strategy == "cos" else _along_line
        self.ends = _ends(self.total_steps, pct_start, three_phase)
        self.momentum = self._momentum_option() if cycle_momentum else None
        count = len(self.groups)
        self.lrs = []
        for peak in per_group(self.name, "max_lr", max_lr, count):
            low = peak / div_factor
            end = low / final_div_factor
            self.lrs.append((low, peak, low, end) if three_phase else (low, peak, end))
        self.momenta = []
        for most, least in zip(
            per_group(self.name, "max_momentum", max_momentum, count),
            per_group(self.name, "base_momentum", base_momentum, count),
            strict=True,
        ):
            self.momenta.append((most, least, most, most) if three_phase else (most, least, most))

    def first(self, group: int) -> Options:
        return self.next(0, group, {})

    def next(self, count: int, group: int, last: Mapping[str, Any]) -> Options:
        phase, fraction = self._phase(count)
        lrs, momenta = self.lrs[group], self.momenta[group]
        decided = {"lr": self.anneal(lrs[phase], lrs[phase + 1], fraction)}
        momentum = self.anneal(momenta[phase], momenta[phase + 1], fraction)
        if self.momentum == "betas":
            betas = self.groups[group].options["betas"]
            return decided | {"betas": (momentum, *betas[1:])}
        return decided if self.momentum is None else decided | {self.momentum: momentum}

    def step(self, position: Position) -> Position:
        """The position one step later.

        Raises:
            ValueError: the cycle is over.
        """
        count, need = position.count + 1, f"at most total_steps ({self.total_steps})"
        require(self.name, "the count", count, count <= self.total_steps, need)
        return super().step(position)

    def _phase(self, count: int) -> tuple[int, float]:
        """Which phase a count is in, and how far it has come."""
        last = len(self.ends) - 1
        phase = next((i for i, end in enumerate(self.ends) if count <= end), last)
        start, end = self.ends[phase - 1] if phase > 0 else 0.0, self.ends[phase]
        need = "such that the phases end at different counts, and the first not at 0"
        require(self.name, "pct_start", self.pct_start, start != end, need)
        return phase, (count - start) / (end - start)

    def _total(self, total: int | None, epochs: int | None, per_epoch: int | None) -> int:
        if total is None:
            both = epochs is not None and per_epoch is not None
            got, need = (epochs, per_epoch), "both given, or total_steps"
            require(self.name, "epochs and steps_per_epoch", got, both, need)
            total = (epochs or 0) * (per_epoch or 0)
        fits = isinstance(total, int) and total > 0 and (epochs or 1) > 0
        require(self.name, "the number of steps", total, fits, "a whole number of at least 1")
        return total

    def _momentum_option(self) -> str:
        options = self.groups[0].options
        found = next((name for name in ("betas", "momentum") if name in options), None)
        need = "one with momentum or betas, unless cycle_momentum is False"
        require(self.name, "optimizer", sorted(options), found is not None, need)
        return found or ""


def _ends(total: int, part: float, three_phase: bool) -> list[float]:
    """The count at which each phase ends."""
    if three_phase:
        return [part * total - 1, 2 * part * total - 2, total - 1]
    return [part * total - 1, total - 1]


def _along_cosine(start: float, end: float, fraction: float) -> float:
    return end + (start - end) / 2.0 * (math.cos(math.pi * fraction) + 1)


def _along_line(start: float, end: float, fraction: float) -> float:
    return (end - start) * fraction + start
