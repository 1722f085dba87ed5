"""A time limit is kept whatever runs within it, and the process's timer is shared with others."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
import pytest

from compare import CannotCompare, crosscheck
from compare.own.isolation.timeout import time_limit

W = {"w": np.array([0.5, -0.3, 0.2])}


@pytest.fixture(autouse=True)
def own_timer() -> Iterator[None]:
    """The timer unused before, whoever runs the tests, and theirs again afterwards."""
    handler, left = signal.getsignal(signal.SIGALRM), signal.setitimer(signal.ITIMER_REAL, 0)
    yield
    signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, *left)


def wait(seconds: float) -> None:
    """Computes for so long, but for ever if nothing stops it within some seconds more."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


def test_limit_within_a_limit_leaves_the_outer_one_running() -> None:
    with pytest.raises(CannotCompare, match=r"within 0\.3 seconds"), time_limit(0.3):  # noqa: PT012
        crosscheck(
            W, grads=lambda: {"w": 2 * W["w"]}, torch_loss=lambda p: (p["w"] ** 2).sum(), timeout=60
        )
        wait(5)


def test_limit_within_a_shorter_limit_is_ended_by_that() -> None:
    told = pytest.raises(CannotCompare, match=r"within 0\.2 seconds")
    with told, time_limit(0.2), time_limit(60):
        wait(5)


def test_shorter_limit_within_a_limit_ends_alone() -> None:
    with time_limit(60):
        with pytest.raises(CannotCompare, match=r"within 0\.1 seconds"), time_limit(0.1):
            wait(5)
        assert 50 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_limit_is_kept_though_an_alarm_is_swallowed() -> None:
    with pytest.raises(CannotCompare, match=r"within 0\.1 seconds"), time_limit(0.1):  # noqa: PT012
        with suppress(BaseException):
            wait(5)
        wait(5)


def test_smallest_limit_is_told_in_a_line() -> None:
    for _ in range(50):
        with pytest.raises(CannotCompare, match="within 1e-09 seconds"), time_limit(1e-9):
            wait(5)


def test_timer_of_somebody_else_goes_on() -> None:
    rung: list[float] = []
    start = time.monotonic()
    signal.signal(signal.SIGALRM, lambda number, frame: rung.append(time.monotonic() - start))
    signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    with time_limit(60):
        wait(0.35)
    assert len(rung) in (2, 3)  # within the block, late on a busy machine
    left, every = signal.getitimer(signal.ITIMER_REAL)
    assert 0 < left <= 0.1
    assert every == pytest.approx(0.1)
    wait(0.25)
    assert len(rung) > 3


def test_timer_of_somebody_else_does_not_end_the_limit() -> None:
    rung: list[int] = []
    signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    with pytest.raises(CannotCompare, match=r"within 0\.3 seconds"), time_limit(0.3):
        wait(5)
    assert rung


def test_alarm_that_ends_the_process_still_does() -> None:
    code = (
        "import signal, time\n"
        "from compare.own.isolation.timeout import time_limit\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.2)\n"
        "with time_limit(60): time.sleep(20)"
    )
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == -signal.SIGALRM
