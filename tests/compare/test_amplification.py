"""A difference that training itself makes of rounding is no fault, and hides none."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import reference
from benchmarks.calibrate import Tally, one
from compare import Report, Verdict, compare
from compare.cases.registry import find
from compare.sides.feed import Feed
from compare.sides.pair import build
from compare.training import amplification
from compare.training.free_run import FreeRun
from compare.training.session import Session
from reference import Linear

#: A network of the calibration whose tanh layers are saturated: rounding decides in which epoch its
#: loss jumps, and the perturbed copies jump in another one than the two sides.
JUMPS = 8267


def reports(seed: int, monkeypatch: pytest.MonkeyPatch) -> Report:
    """The report on a network of the calibration."""
    found: list[Report] = []
    give = Session.report

    def report(self: Session) -> Report:
        found.append(give(self))
        return found[-1]

    monkeypatch.setattr(Session, "report", report)
    one(seed, None, Tally())
    return found[0]


def test_a_jump_that_rounding_times_ends_what_the_free_run_decides(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    report = reports(JUMPS, monkeypatch)
    assert report.verdict is Verdict.AGREE
    assert report.horizon is not None


def test_without_the_rule_it_would_be_a_false_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FreeRun, "_amplified", lambda *given: False)
    report = reports(JUMPS, monkeypatch)
    assert {failure.check for failure in report.failures} == {"free run"}


def own_loop(monkeypatch: pytest.MonkeyPatch, counted: Callable[[], bool]) -> None:
    step = reference.Model.step

    def wrong(self: reference.Model, x: Any, target: Any) -> float:
        loss = step(self, x, target)
        if counted():
            self.params = {name: p * 1.001 for name, p in self.params.items()}
        return loss

    monkeypatch.setattr(reference.Model, "step", wrong)


def own_backward(monkeypatch: pytest.MonkeyPatch, counted: Callable[[], bool]) -> None:
    right = Linear.backward

    def wrong(self: Linear, params: Any, cache: Any, dy: Any) -> Any:
        dx, grads = right(self, params, cache, dy)
        grows = 1.001 if counted() else 1.0
        return dx, {name: g * grows for name, g in grads.items()}

    monkeypatch.setattr(Linear, "backward", wrong)


def their_step(monkeypatch: pytest.MonkeyPatch, counted: Callable[[], bool]) -> None:
    right = torch.optim.SGD.step

    def wrong(self: torch.optim.SGD, closure: Any = None) -> Any:
        found = right(self, closure)
        if counted():
            with torch.no_grad():
                for group in self.param_groups:
                    for p in group["params"]:
                        p.mul_(1.001)
        return found

    monkeypatch.setattr(torch.optim.SGD, "step", wrong)


@pytest.mark.parametrize("plant", [own_loop, own_backward, their_step])
@pytest.mark.parametrize("late", [1, 30, 100])
def test_a_fault_that_lockstep_does_not_see_is_found_whenever_it_begins(
    plant: Any, late: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {"made": 0}

    def counted() -> bool:
        calls["made"] += 1
        return calls["made"] > late

    plant(monkeypatch, counted)
    report = compare("xor", epochs=150, lockstep_every=150)
    assert any(failure.check == "free run" for failure in report.failures), report
    assert report.horizon is None


def test_both_starts_have_to_lead_to_where_the_sides_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two trainings of the reference alone from starts apart: explained, unless one is changed."""
    case = find("xor")
    pair, feed = build(case), Feed(case)
    before = amplification.place(pair, 0)
    assert before is not None
    moved = {name: p * 1.01 for name, p in before.params.items()}
    ours = amplification._train(pair, feed, before.params, before.progress, range(3))
    theirs = amplification._train(pair, feed, moved, before.progress, range(3))
    apart = amplification.Place(
        0, before.params, before.progress, type(before.theirs)(moved, before.theirs.state)
    )
    assert amplification.explains(pair, feed, apart, 3, ours, theirs)
    assert not amplification.explains(pair, feed, before, 3, ours, theirs)
    for side in (ours, theirs):
        for name in side:
            changed = {n: np.array(v) for n, v in side.items()}
            changed[name] = changed[name] + 2 * np.max(np.abs(theirs[name] - ours[name]))
            both = (changed, theirs) if side is ours else (ours, changed)
            assert not amplification.explains(pair, feed, apart, 3, *both)
