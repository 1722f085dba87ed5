"""An audit that is interrupted: all of its processes end at once, with one line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from compare.audit.workers import shared
from compare.base.errors import CannotCompare
from tests.support.checks import ROOT

#: Goes on far longer than any test waits, but interrupts itself, or all of its group as Ctrl-C
#: does, so many seconds after it began to start processes; tells of those that are left.
ENDLESS = """
import multiprocessing, os, signal, sys, threading, time
from compare.audit.workers import shared
kill = os.killpg if sys.argv[2] == "group" else os.kill
threading.Timer(float(sys.argv[1]), kill, (os.getpid(), signal.SIGINT)).start()
try:
    for _ in shared(time.sleep, [300.0] * 6, 2):
        pass
except KeyboardInterrupt:
    print("left:", multiprocessing.active_children())
"""

#: Interrupts the processes that share the work, and them alone, all of the time.
DEAF = """
import contextlib, os, signal, threading, time
from multiprocessing.process import _children
from compare.audit.workers import shared
def disturb():
    while True:
        for child in list(_children):
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.pid, signal.SIGINT)
        time.sleep(0.002)
threading.Thread(target=disturb, daemon=True).start()
print(sorted(shared(abs, [-1, 2], 2)))
"""


def run(program: str, *arguments: str) -> tuple[int, str, str]:
    """Exit code and outputs of a program that leads a group of processes of its own."""
    ended = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=ROOT,
        text=True,
        capture_output=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )
    return ended.returncode, ended.stdout, ended.stderr


def interrupted(after: float, group: bool) -> tuple[int, str, str]:
    """Exit code and outputs of an audit that is interrupted, alone or as Ctrl-C does it."""
    process = subprocess.Popen(
        [sys.executable, "cli.py", "audit"],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        time.sleep(after)
        (os.killpg if group else os.kill)(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=20)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, out, err


@pytest.mark.parametrize(("after", "group"), [(1.0, True), (4.0, True), (4.0, False)])
def test_interrupted_audit(after: float, group: bool) -> None:
    assert interrupted(after, group) == (130, "", "Interrupted.\n")


@pytest.mark.parametrize("whom", ["group", "alone"])
@pytest.mark.parametrize("after", ["0.02", "0.6", "6"])
def test_no_process_is_left_and_none_says_a_word(after: str, whom: str) -> None:
    assert run(ENDLESS, after, whom) == (0, "left: []\n", "")


def test_who_shares_the_work_does_not_hear_an_interruption() -> None:
    assert run(DEAF) == (0, "[(-1, 1), (2, 2)]\n", "")


def test_a_process_that_is_killed_is_told_of() -> None:
    with pytest.raises(CannotCompare, match=r"was killed.*by --case"):
        list(shared(os._exit, [1, 1], 2))


def test_signals_are_heard_again_afterwards() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, set()), signal.getsignal(signal.SIGINT)
    assert sorted(shared(abs, [-1, 2], 2)) == [(-1, 1), (2, 2)]
    assert before == (
        signal.pthread_sigmask(signal.SIG_BLOCK, set()),
        signal.getsignal(signal.SIGINT),
    )
