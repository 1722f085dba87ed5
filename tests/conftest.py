"""What all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import sklearn.datasets  # noqa: F401 - on import it adds warnings filters: now, not in a test
import sympy  # noqa: F401 - so does this, which PyTorch imports at its first backward pass
from hypothesis import settings

from compare.referee.opinion import Finding, Opinion
from tests.support.global_state import changes, restore, snapshot

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("repeatable")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads its options
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Run on all cores, unless -n says otherwise, a debugger is wanted, or xdist is not there."""
    options = config.option
    asked = getattr(options, "numprocesses", 0) is not None  # 0 is also without xdist
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    if not (asked or options.usepdb or options.collectonly or hasattr(config, "workerinput")):
        options.numprocesses = cores or 1


@pytest.fixture
def verdict_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves out what comes after a verdict: why, and which side is wrong.

    For tests of many verdicts that look at nothing else: it takes far longer than the verdict.
    """
    for module in ("compare.training.session", "compare.own.explain.explain_verdict"):
        monkeypatch.setattr(f"{module}.attempt", lambda *_: (None, ""))
    unclear = Opinion(Finding.UNCLEAR)
    monkeypatch.setattr("compare.training.session.judge", lambda *_: unclear)


@pytest.fixture(autouse=True)
def _global_state_is_left_as_found() -> Iterator[None]:
    before = snapshot()
    yield
    changed = changes(before)
    restore(before)
    assert not changed, f"the test changed {', '.join(changed)}"
