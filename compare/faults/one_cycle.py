"""Faults of the one-cycle schedule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from compare.faults.changes import around, instead
from compare.faults.fault import Changes, Fault, Method
from compare.faults.schedules import of_rate


def _phases(function: Callable[[Any], tuple[float, ...]]) -> Changes:
    """OneCycleLR with its phases ending at other counts."""

    def phase(self: Any, count: int) -> tuple[int, float]:
        ends = function(self)
        number = next((i for i, end in enumerate(ends) if count <= end), len(ends) - 1)
        start = ends[number - 1] if number else 0.0
        return number, (count - start) / (ends[number] - start)

    return instead("_phase", phase)


def _one_cycle(function: Callable[[Any, int, dict[str, Any], int], dict[str, Any]]) -> Changes:
    def wrong(right: Method, self: Any, count: int, group: int, last: Any) -> Any:
        return function(self, count, right(self, count, group, last), group)

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

ONE_CYCLE = (
    of_rate("OneCycleLR", "starts from 0", "the first phase begins at 0, not at low",
           _ends(lambda own: 0.0, lambda own: own[-1]), CYCLE),
    of_rate("OneCycleLR", "ends at the first rate", "the last phase ends at low",
           _ends(lambda own: own[0], lambda own: own[0]), CYCLE),
    of_rate("OneCycleLR", "end from the peak", "the last rate is max_lr / final_div_factor",
           _ends(lambda own: own[0], lambda own: own[-1] * own[1] / own[0]), CYCLE),
    of_rate("OneCycleLR", "line for cosine", "cosine and line are taken for each other",
           around("next", _other_anneal), "anneal_strategy: cos or linear"),
    of_rate("OneCycleLR", "phases one count longer", "the first phase ends at f S, not f S − 1",
           _phases(lambda self: (self.ends[0] + 1, *self.ends[1:])),
           "phases end at f S − 1 and S − 1, counts being from 0"),
    of_rate("OneCycleLR", "cycle one count longer", "the last phase ends at S, not S − 1",
           _phases(lambda self: (*self.ends[:-1], self.ends[-1] + 1)),
           "phases end at f S − 1 and S − 1, counts being from 0"),
    Fault("OneCycleLR: momentum with the rate",
          "momentum rises and falls as the rate does, where it should do the opposite",
          "OneCycleLR",
          _one_cycle(lambda self, count, found, group: found | {
              name: self.momenta[group][0] + self.momenta[group][1] - value
              for name, value in found.items() if name == "momentum"}),
          "momentum", "momentum is least where the rate is greatest", "cycle_momentum"),
    Fault("OneCycleLR: momentum not cycled",
          "momentum stays what it is at count 0",
          "OneCycleLR",
          _one_cycle(lambda self, count, found, group: found | {
              name: self.momenta[group][0] for name in found if name == "momentum"}),
          "momentum", "momentum goes from max_momentum to base_momentum and back",
          "cycle_momentum"),
)  # fmt: skip
