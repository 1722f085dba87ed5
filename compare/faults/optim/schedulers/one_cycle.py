"""Faults of the one-cycle schedule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from compare.faults.changes.methods import around, instead
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults


def _phases(function: Callable[[Any], tuple[float, ...]]) -> Changes:
    """OneCycleLR with its phases ending at other counts."""

    def phase(self: Any, count: int) -> tuple[int, float]:
        ends = function(self)
        number = next((i for i, end in enumerate(ends) if count <= end), len(ends) - 1)
        start = ends[number - 1] if number else 0.0
        return number, (count - start) / (ends[number] - start)

    return instead("_phase", phase)


def _momentum(function: Callable[[float, float, float], float]) -> Changes:
    """Momentum, where it is cycled, as ``function(first end, other end, right momentum)``."""

    def wrong(right: Method, self: Any, count: int, group: int, last: Any) -> Any:
        found = right(self, count, group, last)
        first, second = self.momenta[group][:2]
        cycled = {n: function(first, second, m) for n, m in found.items() if n == "momentum"}
        return found | cycled

    return around("next", wrong)


def _ends(*lrs: Callable[[tuple[float, ...]], float]) -> Changes:
    """OneCycleLR between other rates, each from the right ones."""

    def wrong(right: Method, self: Any, count: int, group: int, last: Any) -> Any:
        own = self.lrs[group]
        phase, part = self._phase(count)
        ends = [own[0], own[1], *own[2:]]
        ends[0] = lrs[0](own)
        ends[-1] = lrs[1](own)
        lr = self.anneal(ends[phase], ends[phase + 1], part)
        return right(self, count, group, last) | {"lr": lr}

    return around("next", wrong)


def _other_anneal(right: Method, self: Any, count: int, group: int, last: Any) -> Any:
    phase, part = self._phase(count)
    start, end = self.lrs[group][phase : phase + 2]
    middle = self.anneal(0.0, 1.0, 0.25)
    line = abs(middle - 0.25) < 1e-9
    lr = end + (start - end) / 2 * (math.cos(math.pi * part) + 1)
    return right(self, count, group, last) | {"lr": lr if line else (end - start) * part + start}


CYCLE = "low = max_lr / div_factor, peak = max_lr, end = low / final_div_factor"

ONE_CYCLE = faults("OneCycleLR", Right(CYCLE),
    Row("starts from 0", "the first phase begins at 0, not at low", "lr",
        _ends(lambda own: 0.0, lambda own: own[-1])),
    Row("ends at the first rate", "the last phase ends at low", "lr",
        _ends(lambda own: own[0], lambda own: own[0])),
    Row("end from the peak", "the last rate is max_lr / final_div_factor", "lr",
        _ends(lambda own: own[0], lambda own: own[-1] * own[1] / own[0])),
    Right("anneal_strategy: cos or linear"),
    Row("line for cosine", "cosine and line are taken for each other", "lr",
        around("next", _other_anneal)),
    Right("phases end at f S − 1 and S − 1, counts being from 0"),
    Row("phases one count longer", "the first phase ends at f S, not f S − 1", "lr",
        _phases(lambda self: (self.ends[0] + 1, *self.ends[1:]))),
    Row("cycle one count longer", "the last phase ends at S, not S − 1", "lr",
        _phases(lambda self: (*self.ends[:-1], self.ends[-1] + 1))),
    Right("momentum is least where the rate is greatest"),
    Row("momentum with the rate",
        "momentum rises and falls as the rate does, where it should do the opposite", "momentum",
        _momentum(lambda high, low, value: high + low - value), needs="cycle_momentum"),
    Right("momentum goes from max_momentum to base_momentum and back"),
    Row("momentum not cycled", "momentum stays what it is at count 0", "momentum",
        _momentum(lambda high, low, value: high), needs="cycle_momentum"),
)  # fmt: skip
