"""Faults of the schedule that waits for a plateau."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from compare.faults.changes import around, options
from compare.faults.fault import Changes, Method
from compare.faults.schedules import never, of_rate


def _patience(more: int) -> Changes:
    def wrong(right: Method, self: Any, position: Any, metric: float) -> Any:
        self.patience += more
        try:
            return right(self, position, metric)
        finally:
            self.patience -= more

    return around("step", wrong)


def _against_last(right: Method, self: Any, position: Any, metric: float) -> Any:
    return replace(right(self, position, metric), best=metric)


def _first_best(right: Method, self: Any, position: Any, metric: float) -> Any:
    after = right(self, position, metric)
    return replace(after, best=position.best) if position.count else after


def _bad_kept(right: Method, self: Any, position: Any, metric: float) -> Any:
    after = right(self, position, metric)
    return (
        replace(after, bad=max(after.bad, position.bad))
        if not self._is_better(metric, position.best) or after.changes != position.changes
        else replace(after, bad=position.bad)
    )


def _other_mode(right: Method, self: Any, metric: float, best: float) -> bool:
    return bool(metric > best) if self.mode == "min" else bool(metric < best)


PLATEAU = (never("ReduceLROnPlateau"),
 *(
    of_rate("ReduceLROnPlateau", what, does, changes, remedy, needs)
    for what, does, changes, remedy, needs in (
        ("patience off by one", "the rate falls at count patience, not at the next one",
         _patience(-1), "lower the rate when bad > patience", "a plateau"),
        ("patience one too long", "one count more is forgiven",
         _patience(1), "lower the rate when bad > patience", "a plateau"),
        ("cooldown ignored", "counts after a fall are held against the metric",
         options("step", cooldown=0), "no count is bad during the cooldown", "cooldown > 0"),
        ("lowest rate ignored", "the rate falls below min_lr",
         around("_lowered", lambda right, self, group, lr: {"lr": lr * self.factor}),
         "max(lr · factor, min_lr)", "a rate that reaches min_lr, or one that cannot fall more"),
        ("compared with the last", "the metric is compared with the one before, not the best",
         around("step", _against_last), "best ← the better of best and metric", ""),
        ("best never improved", "the metric is always compared with the first one",
         around("step", _first_best), "best ← the better of best and metric", ""),
        ("bad counts not reset", "an improvement does not forgive the counts before it",
         around("step", _bad_kept), "bad ← 0 at an improvement", "an improvement after bad counts"),
        ("mode reversed", "what is good is taken for bad",
         around("_is_better", _other_mode), "min: lower is better, max: higher is", ""),
        ("lowered by the factor's square", "a fall is by factor²",
         around("_lowered", lambda right, self, group, lr: {
             "lr": max(lr * self.factor**2, self.min_lrs[group])}),
         "lr ← lr · factor", ""),
    )
))  # fmt: skip
