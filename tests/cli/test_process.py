"""The command line as a process: what it loads, signals, pipes, closed streams, terminals."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.checks import ROOT, assert_ended, assert_not_loaded, process

HEAVY = ("torch", "numpy", "rich", "matplotlib", "sklearn")

#: Interrupts the process when the module ``sys.argv[1]`` is imported.
AT_IMPORT = """
import os, signal, sys
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == wanted:
            os.kill(os.getpid(), signal.SIGINT)
wanted = sys.argv.pop(1)
sys.meta_path.insert(0, Finder())
import cli
cli.main()
"""

#: Interrupts the process at the third epoch.
AT_EPOCH = """
import os, signal, sys
import cli
from compare.sides.feed import Feed
right = Feed.epoch
def epoch(self, number):
    if number == 3:
        os.kill(os.getpid(), signal.SIGINT)
    return right(self, number)
Feed.epoch = epoch
cli.main()
"""

#: Has a standard output that is full.
FULL = """
import io, sys
class Full(io.TextIOWrapper):
    def write(self, text):
        raise OSError(28, "No space left on device")
    def flush(self):
        pass
sys.stdout = Full(open("/dev/null", "wb"))
import cli
cli.main()
"""


@pytest.mark.parametrize("arguments", [["--help"], ["compare", "--help"], ["--version"], ["cases"]])
def test_what_computes_nothing_loads_nothing(arguments: list[str]) -> None:
    assert_not_loaded(HEAVY, *arguments)


@pytest.mark.parametrize("arguments", [["train", "--epochs", "3"], ["predict", "0", "1"]])
def test_the_reference_alone_needs_no_torch(arguments: list[str]) -> None:
    assert_not_loaded(("torch",), *arguments)


@pytest.mark.parametrize("arguments", [["compare", "--lr", "0"], ["train", "--epochs", "0"]])
def test_what_is_refused_is_refused_before_torch_is_loaded(arguments: list[str]) -> None:
    done = process(
        "import atexit, sys, cli\n"
        "atexit.register(lambda: print('torch' in sys.modules))\n"
        "cli.main()",
        *arguments,
    )
    assert (done.returncode, done.stdout) == (2, "False\n")


@pytest.mark.parametrize("module", ["typer", "pydantic", "numpy", "torch", "torch.optim"])
def test_interrupted_while_loading(module: str) -> None:
    assert_ended(process(AT_IMPORT, module, "compare", "--epochs", "5"), 130, "Interrupted.\n")


@pytest.mark.parametrize("command", ["compare", "train"])
def test_interrupted_while_training(command: str, tmp_path: Path) -> None:
    path = tmp_path / "x.svg"
    done = process(AT_EPOCH, command, "--epochs", "9", "--plot", str(path))
    assert_ended(done, 130, "Interrupted.\n")
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def test_interrupted_while_asking() -> None:
    asking = subprocess.Popen(
        [sys.executable, "cli.py", "predict", "--epochs", "1"],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": "1"},
    )
    with asking:
        assert asking.stdout is not None
        assert asking.stderr is not None
        assert asking.stdout.read(len("Enter x: ")) == "Enter x: "
        time.sleep(0.5)  # a signal between prompt and reading is seen only after the reading
        asking.send_signal(signal.SIGINT)
        assert asking.wait(30) == 130
        assert asking.stderr.read() == "Interrupted.\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["compare", "--epochs", "3"], 0),
        (["compare", "--epochs", "3", "--json", "-"], 0),
        (["compare", "--epochs", "3", "--rtol", "0", "--atol", "0"], 1),
        (["cases"], 141),
        (["--help"], 141),
        (["--version"], 141),
        (["check", "--help"], 141),
        (["predict", "0", "1", "--epochs", "3"], 141),
        (["predict", "--epochs", "3"], 141),
    ],
)
def test_a_reader_that_goes_away(arguments: list[str], code: int) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = process("import cli; cli.main()", *arguments, stdout=write, input="0\n1\n")
    finally:
        os.close(write)
    assert_ended(done, code, "")


def test_a_full_disk() -> None:
    message = "Error: cannot write to standard output: No space left on device\n"
    assert_ended(process(FULL, "cases"), 3, message)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["check", "--help"], ["predict", "--epochs", "1"]]
)
def test_a_full_disk_outside_of_any_command(arguments: list[str]) -> None:
    message = "Error: cannot write to standard output: No space left on device\n"
    with open("/dev/full", "w") as full:
        done = process("import cli; cli.main()", *arguments, stdout=full, stdin=subprocess.DEVNULL)
    assert_ended(done, 3, message)


def test_standard_input_that_cannot_be_read() -> None:
    with open(os.devnull, "w") as unreadable:
        done = process("import cli; cli.main()", "predict", "--epochs", "1", stdin=unreadable)
    assert_ended(done, 3, "Error: standard input: Bad file descriptor\n")


def test_a_current_directory_that_is_gone(tmp_path: Path) -> None:
    gone = f"import os; os.chdir({str(tmp_path)!r}); os.rmdir({str(tmp_path)!r}); "
    path = f"import sys; sys.path.insert(0, {str(ROOT)!r}); import cli; "
    done = process(path + gone + "cli.main()", "compare", "--epochs", "1", "--json", "x.json")
    assert done.returncode == 2
    assert done.stderr.endswith("Error: cannot write x.json: No such file or directory (in .)\n")


def with_a_fault(where: str) -> str:
    """The command line with a function that raises."""
    module = where.rpartition(".")[0]
    return (
        f"import {module}\n"
        "def broken(*arguments): raise RuntimeError('a fault')\n"
        f"{where} = broken\n"
        "import cli\n"
        "cli.main()"
    )


def test_a_fault_of_this_program_is_no_verdict() -> None:
    done = process(with_a_fault("compare.training.session.run"), "compare", "--epochs", "1")
    assert done.returncode == 3
    assert done.stderr.startswith("Traceback")
    assert done.stderr.endswith("RuntimeError: a fault\n")


@pytest.mark.parametrize(("options", "code"), [([], 0), (["--rtol", "0", "--atol", "0"], 1)])
def test_a_report_that_cannot_be_shown_has_its_verdict(options: list[str], code: int) -> None:
    fault = with_a_fault("compare.results.console.draw")
    done = process(fault, "compare", "--epochs", "1", *options)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("Error: the report cannot be shown, and its verdict is the exit ")
    assert "a fault of Backproof, not of your network: RuntimeError: a fault" in done.stderr


def test_a_package_that_is_broken_is_no_verdict() -> None:
    code = (
        "import sys\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'typer': raise ImportError('cannot load')\n"
        "sys.meta_path.insert(0, Finder())\n"
        "import cli"
    )
    done = process(code)
    assert done.returncode == 3
    assert done.stderr.endswith("ImportError: cannot load\n")


@pytest.mark.parametrize("arguments", [["compare", "--lr", "0"], ["cases", "x"]])
def test_errors_that_cannot_be_told_keep_their_exit_code_from_being_a_verdict(
    arguments: list[str],
) -> None:
    with open("/dev/full", "w") as full:
        done = process("import cli; cli.main()", *arguments, stderr=full)
    assert done.returncode in (2, 3)


@pytest.mark.parametrize("arguments", [["cases"], ["compare", "--epochs", "1"], ["predict"]])
def test_closed_streams(arguments: list[str]) -> None:
    closed = "import os, sys\nsys.stdin = sys.stdout = None\nimport cli\ncli.main()"
    assert_ended(process(closed, *arguments), 0, "")


def test_an_encoding_without_lines_to_draw_with() -> None:
    plain = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = process("import cli; cli.main()", "compare", "--epochs", "1", env=plain)
    assert_ended(done, 0, "")
    assert done.stdout.isascii()


def test_a_file_name_of_any_bytes(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.npz")
    done = process("import cli; cli.main()", "train", "--epochs", "1", "--save", name)
    assert_ended(done, 0, "")
    assert Path(name).exists()


@pytest.mark.parametrize("command", ["compare", "train"])
def test_the_progress_bar_is_on_stderr_and_only_on_a_terminal(command: str) -> None:
    ours, theirs = pty.openpty()
    arguments = [command, "--epochs", "20"]
    try:
        shown = process("import cli; cli.main()", *arguments, stderr=theirs)
    finally:
        os.close(theirs)
    bar = os.read(ours, 100_000).decode()
    os.close(ours)
    hidden = process("import cli; cli.main()", *arguments)
    assert "xor" in bar
    assert "100%" in bar
    assert_ended(hidden, 0, "")
    assert shown.stdout == hidden.stdout


def test_the_installed_command_and_the_script_are_the_same() -> None:
    script = process("import runpy; runpy.run_path('cli.py', run_name='__main__')", "cases")
    assert script.stdout == process("import cli; cli.main()", "cases").stdout
    assert script.returncode == 0
