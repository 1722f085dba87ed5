"""Faults of the schedule that waits for a plateau."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from compare.faults.changes.methods import around, options
from compare.faults.fault import Changes, Method
from compare.faults.optim.schedulers.rates import NEVER
from compare.faults.table import Right, Row, faults


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
    better = self._is_better(metric, position.best) and after.changes == position.changes
    return replace(after, bad=position.bad if better else max(after.bad, position.bad))


def _other_mode(right: Method, self: Any, metric: float, best: float) -> bool:
    return bool(metric > best) if self.mode == "min" else bool(metric < best)


def _lowered_twice(right: Method, self: Any, group: int, lr: float) -> Any:
    return {"lr": max(lr * self.factor**2, self.min_lrs[group])}


PLATEAU = faults("ReduceLROnPlateau", *NEVER,
    Right("lower the rate when bad > patience"),
    Row("patience off by one", "the rate falls at count patience, not at the next one", "lr",
        _patience(-1), needs="a plateau"),
    Row("patience one too long", "one count more is forgiven", "lr",
        _patience(1), needs="a plateau"),
    Right("no count is bad during the cooldown"),
    Row("cooldown ignored", "counts after a fall are taken for ones without improvement", "lr",
        options("step", cooldown=0), needs="cooldown > 0"),
    Right("max(lr · factor, min_lr)"),
    Row("lowest rate ignored", "the rate falls below min_lr", "lr",
        around("_lowered", lambda right, self, group, lr: {"lr": lr * self.factor}),
        needs="a rate that reaches min_lr, or one that cannot fall more"),
    Right("best ← the better of best and metric"),
    Row("compared with the last", "the metric is compared with the one before, not the best", "lr",
        around("step", _against_last)),
    Row("best never improved", "the metric is always compared with the first one", "lr",
        around("step", _first_best)),
    Right("bad ← 0 at an improvement"),
    Row("bad counts not reset", "an improvement does not forgive the counts before it", "lr",
        around("step", _bad_kept), needs="an improvement after bad counts"),
    Right("min: lower is better, max: higher is"),
    Row("mode reversed", "what is good is taken for bad", "lr", around("_is_better", _other_mode)),
    Right("lr ← lr · factor"),
    Row("lowered by the factor's square", "a fall is by factor²", "lr",
        around("_lowered", _lowered_twice)),
)  # fmt: skip
