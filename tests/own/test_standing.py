"""A verdict that stands is given, whatever the code under test does while it is explained."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import numpy as np
import pytest
import torch

from compare import CannotCompare, CrossReport, crosscheck
from compare.own.explain import explain_verdict as explained
from compare.own.explain.explain_verdict import told_at_once
from compare.own.isolation.timeout import time_limit
from compare.own.oracle.rounding_noise import Noise
from compare.own.user.calls import Calls
from compare.process import guarded

#: Whether the verdict stands, where no memory of the network's state reaches.
STANDS: ContextVar[str] = ContextVar("stands", default="")

X = np.random.default_rng(0).standard_normal((5, 3))


class Turncoat:
    """A network that does something else once its verdict stands."""

    def __init__(self, factor: float, trick: Callable[[], Any] = lambda: None) -> None:
        self.W = np.random.default_rng(1).standard_normal((3, 2))
        self.factor, self.trick = factor, trick

    def turn(self) -> None:
        if STANDS.get():
            self.trick()

    def step(self, lr: float) -> None:
        self.turn()
        self.W -= lr * self.factor * X.T @ np.tanh(X @ self.W) * 1.0

    def loss(self, p: dict[str, torch.Tensor]) -> torch.Tensor:
        self.turn()
        return torch.log(torch.cosh(torch.tensor(X) @ p["W"])).sum()

    def check(self, **options: Any) -> CrossReport:
        token = STANDS.set("")
        with told_at_once(lambda report: STANDS.set(STANDS.get() + report.verdict.name)):
            found = crosscheck((self, "W"), step=self.step, lr=0.1, torch_loss=self.loss, **options)
        assert STANDS.get() == found.verdict.name
        STANDS.reset(token)
        return found


def fail() -> None:
    raise ValueError("not again")


def wait(seconds: float = 120.0) -> None:
    time.sleep(seconds)


@pytest.fixture(scope="module", autouse=True)
def loaded() -> None:
    """What PyTorch loads on first use is not for a time limit to wait for."""
    Turncoat(1.0).check()


TRICKS: dict[str, Callable[[], Any]] = {
    "raises": fail,
    "exits": lambda: sys.exit(0),
    "is exhausted": lambda: next(iter(())),
    "recurses": lambda: TRICKS["recurses"](),
}


@pytest.mark.parametrize("factor", [1.0, 2.0])
@pytest.mark.parametrize("trick", TRICKS)
def test_code_that_raises_while_a_verdict_is_explained(trick: str, factor: float) -> None:
    plain, turned = Turncoat(factor).check(), Turncoat(factor, TRICKS[trick]).check()
    assert turned.verdict is plain.verdict
    assert turned.failures == plain.failures
    assert turned.sections == plain.sections
    assert "raise" in str(turned)
    assert "raise" not in str(plain)


@pytest.mark.parametrize("factor", [1.0, 2.0])
def test_code_that_does_not_come_back_while_a_verdict_is_explained(factor: float) -> None:
    start = time.monotonic()
    report = Turncoat(factor, wait).check(timeout=5.0)
    assert time.monotonic() - start < 60
    assert report.agrees == (factor == 1)
    assert any("in the time there was" in remark for remark in report.remarks)


def test_limit_around_the_comparison_rings_while_it_is_explained() -> None:
    with time_limit(5.0):
        report = Turncoat(2.0, wait).check(timeout=60)
    assert not report.agrees
    assert any(r.startswith("no cause found in the time there was") for r in report.remarks)


@pytest.mark.parametrize("limit", [0.2, 0.0])
def test_time_is_limited_without_a_limit(limit: float, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Turncoat(2.0, wait)
    monkeypatch.setattr(guarded, "EXPLANATION", limit)
    start = time.monotonic()
    assert not network.check().agrees
    assert time.monotonic() - start < 60


def test_time_is_limited_in_a_thread_by_the_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guarded, "EXPLANATION", 0.2)
    found: list[CrossReport] = []
    network = Turncoat(2.0, lambda: wait(0.05))
    thread = threading.Thread(target=lambda: found.append(network.check()))
    thread.start()
    thread.join(100)
    assert not found[0].agrees
    assert any("no cause found in the time there was" in remark for remark in found[0].remarks)


@pytest.mark.parametrize(
    ("part", "told"),
    [
        ("causes_of", "could not look for a cause"),
        ("judge", "could not find out which side is wrong"),
    ],
)
def test_fault_of_an_explanation_stands_beside_the_verdict(
    part: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object) -> None:
        raise KeyError("lost")

    broken.__code__ = broken.__code__.replace(co_filename=str(explained.__file__))
    monkeypatch.setattr(explained, part, broken)
    report = Turncoat(2.0).check()
    assert not report.agrees
    remark = next(r for r in report.remarks if r.startswith(told))
    assert "a fault of Backproof, not of your network: KeyError: 'lost' (at " in remark
    assert remark.endswith("please report it")


def test_fault_of_what_watches_the_network_is_not_called_the_networks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise KeyError("lost")

    broken.__code__ = broken.__code__.replace(co_filename=str(explained.__file__))
    monkeypatch.setattr(Noise, "__torch_dispatch__", broken)
    with pytest.raises(KeyError, match="lost"):
        Turncoat(1.0).check()


def test_function_that_cannot_be_called_is_the_users() -> None:
    no_argument: Any = lambda: torch.ones(())  # noqa: E731
    with pytest.raises(CannotCompare, match="torch_loss raised TypeError"):
        crosscheck({"w": X}, grads=lambda: 2 * X, torch_loss=no_argument)


def wrong_at(place: str, trick: Callable[[], Any]) -> Callable[[], CrossReport]:
    """A network whose gradient is wrong, and that does something at other weights or rates."""
    w = np.array([0.5, -0.3, 0.2])
    own = w.copy()

    def step(lr: float) -> None:
        if (lr < 0.05) if place == "rate" else not np.array_equal(w, own):
            trick()
        w[...] -= lr * 3 * w

    return lambda: crosscheck(
        {"w": w}, step=step, lr=0.1, torch_loss=lambda p: (p["w"] ** 2).sum(), timeout=5
    )


@pytest.mark.parametrize("place", ["rate", "weights"])
@pytest.mark.parametrize("trick", [fail, wait])
def test_disagreement_stands_whatever_comes_after_it(place: str, trick: Callable[[], Any]) -> None:
    report = wrong_at(place, trick)()
    assert not report.agrees
    assert any(remark.startswith("not compared at ") for remark in report.remarks)


def test_agreement_does_not_stand_before_all_is_compared() -> None:
    w = np.array([0.5, -0.3, 0.2])
    own = w.copy()

    def grads() -> Any:
        if not np.array_equal(w, own):
            wait()
        return 2 * w

    with pytest.raises(CannotCompare, match="grads has not come back within 5 seconds"):
        crosscheck({"w": w}, grads=grads, torch_loss=lambda p: (p["w"] ** 2).sum(), timeout=5)


def test_comparison_that_takes_long_tells_how_far_it_came() -> None:
    w = np.arange(1.0, 31.0)

    def loss() -> float:
        wait(0.005)
        return float(np.sum(np.real(w) ** 2))  # no complex step

    with pytest.raises(CannotCompare) as caught:
        crosscheck({"w": w}, grads=lambda: 2 * w, loss=loss, timeout=2)
    told = str(caught.value)
    assert told.startswith("the comparison was not done within 2 seconds: loss has come back ")
    for words in ("timeout", "complex numbers"):
        assert words in told
    assert "loop without end" not in told


def test_calls_that_came_back_are_counted() -> None:
    calls, seen = Calls(), list[tuple[int, int]]()
    calls.add("loss", 0.5)
    note = calls.part_of("loss", "your weights", lambda *done: seen.append(done))
    for done in (1, 2):
        for _ in range(4):
            calls.add("loss", 0.1)
        note(done, 30)
    told = calls.told("loss", 0.2)
    assert "loss has come back 9 times, after 0.14 seconds each" in told
    assert "at your weights 2 of 30 entries are done, which take about 120 calls" in told
    assert seen == [(1, 30), (2, 30)]
    assert calls.told("grads", 0.2) == ""


@pytest.mark.parametrize(("running", "lost"), [(0.1, False), (1.9, False), (2.1, True)])
def test_call_that_takes_far_longer_than_all_before_may_not_come_back(
    running: float, lost: bool
) -> None:
    calls = Calls()
    for seconds in (0.1, 0.01):
        calls.add("loss", seconds)
    assert (calls.told("loss", running) == "") == lost
