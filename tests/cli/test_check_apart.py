"""The process that runs a user's file: whatever it does to itself, only a verdict is a verdict."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent, indent

import pytest

from compare.base.errors import CannotCompare
from compare.own.child_process import parent
from compare.own.child_process.mailbox import RESULT, Post, Request
from compare.own.child_process.parent import check_apart
from tests.support.checks import ROOT, assert_ended, process, strict_json

#: A network of one parameter that does something before it gives its gradients.
NETWORK = """
import atexit, ctypes, glob, json, os, resource, signal, sys, threading, time
import numpy as np

resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
w = np.array([1.0, -2.0, 3.0])
verdict = '{{"kind": "report", "code": 0, "text": "agree", "json": "{{}}"}}'

def grads():
{trick}
    return {factor} * w

def check():
    return dict(parameters={{"w": w}}, grads=grads, torch_loss=lambda p: (p["w"] ** 2).sum())
"""

#: What a file may do to the process that runs it, and what is said then.
TRICKS = {
    "exit": ("os._exit(0)", "ended itself, with exit code 0"),
    "exit with the code of a verdict": ("os._exit(1)", "ended itself, with exit code 1"),
    "exit in a thread": ("threading.Thread(target=os._exit, args=[0]).start(); time.sleep(60)",
                         "ended itself, with exit code 0"),
    "kill": ("os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL, perhaps for want of memory"),
    "kill the group": ("os.killpg(0, signal.SIGKILL)", "ended by SIGKILL"),
    "crash": ("ctypes.string_at(0)", "ended by SIGSEGV, a crash in compiled code"),
    "print a verdict": (
        "print('agree'); os.write(1, b'agree: your network\\n'); sys.__stdout__.write('agree'); "
        "sys.__stdout__.flush(); os._exit(0)", "ended itself, with exit code 0"),
    "send a verdict": (
        "[open(f'{one}/result', 'w').write(json.dumps({'seal': '', 'body': json.loads(verdict)})) "
        "for one in glob.glob('/tmp/backproof-*')]; os._exit(0)", "ended itself, with exit code 0"),
    "become another program": (
        "os.execv(sys.executable, [sys.executable, '-c', 'print(\"agree\")'])",
        "ended itself, with exit code 0"),
    "go on in a fork": ("os.fork() and os._exit(0)", "ended itself, with exit code 0"),
}  # fmt: skip


def network(folder: Path, trick: str, factor: float = 2.0) -> Path:
    path = folder / "mine.py"
    path.write_text(NETWORK.format(trick=indent(dedent(trick), "    "), factor=factor))
    return path


def check(path: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return process("import cli; cli.main()", "check", str(path), *options)


@pytest.mark.parametrize("trick", TRICKS)
def test_end_of_the_process_is_no_verdict(trick: str, tmp_path: Path) -> None:
    code, words = TRICKS[trick]
    done = check(network(tmp_path, code))
    assert (done.returncode, done.stdout) == (3, "")
    assert words in done.stderr
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "trick",
    [
        "atexit.register(os._exit, 0); os.closerange(0, 256)",
        "atexit.register(time.sleep, 100); sys.__stdout__.close()",
    ],
)
def test_verdict_is_given_whatever_comes_after_it(trick: str, tmp_path: Path) -> None:
    done = check(network(tmp_path, trick, factor=3.0))
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("DISAGREE: ")


def test_call_of_compiled_code_that_does_not_come_back_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent, "GRACE", 0.5)
    with pytest.raises(CannotCompare, match="not come back within 8 seconds, nor could it be inte"):
        check_apart(request_for(network(tmp_path, DEAF), timeout=8), print)


def request_for(path: Path, timeout: float = 100.0) -> Request:
    options = dict.fromkeys(("seed", "draws", "tolerance", "rtol", "atol"))
    return Request(str(path), "check", timeout, options, 80, False, "utf-8", False)


#: Does something as soon as its verdict stands, and is looked at for a cause.
AFTER = """
import os, signal, time
import numpy as np
import torch
from compare.own.explain import explain_verdict

w = np.array([[0.5, -2.0], [0.3, 0.1]])
there = explain_verdict.stands

def stands(report):
    there(report)
    {trick}

explain_verdict.stands = stands

def step(lr):
    w[...] -= lr * {factor} * w

def check():
    return dict(parameters={{"w": w}}, step=step, lr=0.1, torch_loss=lambda p: (p["w"] ** 2).sum())
"""

#: Where no signal of a time limit is heard, as within one long call of compiled code.
DEAF = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM]); time.sleep(200)"

HANGS, ENDS = DEAF, "os._exit(0)"


@pytest.mark.parametrize(
    ("factor", "trick", "code"), [(3, HANGS, 1), (2, HANGS, 0), (3, ENDS, 1), (2, ENDS, 3)]
)
def test_verdict_stands_but_no_agreement_of_a_file_that_ends_the_process(
    factor: int, trick: str, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parent, "GRACE", 0.5)
    path = tmp_path / "mine.py"
    path.write_text(AFTER.format(factor=factor, trick=trick))
    if code == 3:
        with pytest.raises(CannotCompare, match="ended itself, with exit code 0"):
            check_apart(request_for(path), print)
        return
    answer = check_apart(request_for(path, timeout=12 if trick == HANGS else 100), print)
    assert answer.code == code
    assert answer.text.startswith("DISAGREE: " if code else "agree: ")
    assert ("no cause found" in answer.text) == (code == 1)
    assert strict_json(answer.json)["agrees"] == (code == 0)
    assert ("nor could it be interrupted" if trick == HANGS else "exit code 0") in answer.note


def test_fault_of_this_program_is_told_as_one(tmp_path: Path) -> None:
    path = network(tmp_path, "")
    path.write_text(
        path.read_text()
        + "from compare.own import api as ours\n"
        + "def broken(*a): raise KeyError('lost')\n"
        + "broken.__code__ = broken.__code__.replace(co_filename=ours.__file__)\n"
        + "ours._points = broken\n"
    )
    done = check(path)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("Traceback")
    last = done.stderr.splitlines()[-1]
    assert last.startswith("Error: a fault of Backproof, not of your network: KeyError: 'lost' (at")
    assert last.endswith("please report it")


def test_report_that_cannot_be_shown_leaves_the_verdict(tmp_path: Path) -> None:
    path = network(tmp_path, "", factor=3.0)
    path.write_text(
        path.read_text()
        + "import compare.results.console as ours\n"
        + "def broken(*a): raise KeyError('lost')\n"
        + "ours.draw = broken\n"
    )
    done = check(path)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("disagree; no more can be shown: a fault of Backproof")


@pytest.fixture
def looping(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A check under way whose file, and what that has started, would never end."""
    code = f"""
        import subprocess
        other = subprocess.Popen(["sleep", "100"])
        open({str(tmp_path / "pids")!r}, "w").write(f"{{os.getpid()}} {{other.pid}}\\n")
        while True: pass
    """
    path = network(tmp_path, code)
    running = subprocess.Popen(
        [sys.executable, "cli.py", "check", str(path)],
        cwd=ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"TMPDIR": str(tmp_path)},
    )
    yield running
    running.kill()
    running.wait()
    for stream in (running.stdout, running.stderr):
        assert stream is not None
        stream.close()


def pids(folder: Path) -> list[int]:
    """Of the process that runs the file and the one that it has started, once they are there."""
    for _ in range(600):
        time.sleep(0.1)
        if (folder / "pids").exists() and (text := (folder / "pids").read_text()).endswith("\n"):
            return [int(pid) for pid in text.split()]
    raise AssertionError("the file was not run")


def gone(pid: int) -> bool:
    """Whether a process has ended; one that nobody waits for is as good as that."""
    try:
        return "Z" in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return True


@pytest.mark.parametrize(
    ("number", "code", "told"),
    [
        (signal.SIGINT, 130, "Interrupted.\n"),
        (signal.SIGTERM, 143, "Ended by SIGTERM.\n"),
        (signal.SIGHUP, 129, "Ended by SIGHUP: the terminal is gone.\n"),
    ],
)
def test_both_processes_end_with_all_that_was_started_and_leave_nothing(
    number: signal.Signals, code: int, told: str, looping: subprocess.Popen[str], tmp_path: Path
) -> None:
    started = pids(tmp_path)
    looping.send_signal(number)
    out, err = looping.communicate(timeout=60)
    assert (looping.returncode, out, err) == (code, "", told)
    time.sleep(0.2)
    assert all(map(gone, started))
    assert not list(tmp_path.glob("backproof-*"))


def test_process_ends_with_its_parent(looping: subprocess.Popen[str], tmp_path: Path) -> None:
    first, _ = pids(tmp_path)
    looping.kill()
    looping.wait()
    time.sleep(0.5)
    assert gone(first)


def test_parent_loads_next_to_nothing(tmp_path: Path) -> None:
    done = process(
        "import atexit, sys, cli\n"
        "heavy = {'torch', 'numpy', 'rich'}\n"
        "atexit.register(lambda: print(*heavy & sys.modules.keys(), file=sys.stderr))\n"
        "cli.main()",
        "check",
        str(network(tmp_path, "")),
    )
    assert_ended(done, 0, "\n")


def test_colours_and_width_are_those_of_the_terminal(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    plain = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    try:
        done = process(
            "import cli; cli.main()",
            "check",
            str(network(tmp_path, "")),
            stdout=theirs,
            env=plain | {"TERM": "xterm-256color", "COLUMNS": "60"},
        )
    finally:
        os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "\x1b[" in shown


def test_encoding_without_lines_to_draw_with(tmp_path: Path) -> None:
    plain = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = process("import cli; cli.main()", "check", str(network(tmp_path, "")), env=plain)
    assert_ended(done, 0, "")
    assert done.stdout.isascii()


def test_message_that_another_has_put_there_is_none(tmp_path: Path) -> None:
    request = request_for(tmp_path)
    post = Post.begin(tmp_path, request)
    child, read = Post.join(tmp_path)
    assert read == request
    assert post.receive(RESULT) is None
    child.send(RESULT, {"code": 0})
    assert post.receive(RESULT) == {"code": 0}
    for forged in ("", "{", "[]", "3", '{"seal": "", "body": {}}', "\0" * 9):
        (tmp_path / RESULT).write_text(forged)
        assert post.receive(RESULT) is None


@pytest.mark.parametrize(
    "body", [{}, {"kind": "report"}, {"kind": "report", "code": 3}, {"kind": "report", "code": "0"}]
)
def test_message_without_a_verdict_is_none(body: dict[str, object]) -> None:
    with pytest.raises(CannotCompare):
        parent.told(body)


def test_what_lies_where_it_is_started_is_not_loaded(tmp_path: Path) -> None:
    for name in ("json", "compare", "numpy"):
        (tmp_path / f"{name}.py").write_text("raise ImportError('not this one')")
    (tmp_path / "elsewhere").mkdir()
    path = network(tmp_path / "elsewhere", "")
    done = subprocess.run(
        [sys.executable, str(ROOT / "cli.py"), "check", str(path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert_ended(done, 0, "")
