"""``check`` and ``init``: a user's file from the command line, whatever is in it."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from compare.own.child_process import parent
from compare.own.child_process.child import answer
from compare.own.child_process.mailbox import Post, Request
from compare.own.templates import STYLES
from tests.support.checks import (
    ROOT,
    assert_ended,
    assert_not_loaded,
    assert_refused,
    process,
    run,
    strict_json,
)


@pytest.fixture(autouse=True)
def in_this_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The check without a process of its own, which takes seconds: test_check_apart.py has that."""

    def check(request: Request, progress: object) -> parent.Answer:
        post = Post.begin(tmp_path_factory.mktemp("post"), request)
        return parent.told(answer(request, post))

    monkeypatch.setattr(parent, "check_apart", check)


#: A network of one parameter whose gradient is what the test makes it.
SMALL = """
import numpy as np

w = np.array([1.0, -2.0, 3.0])

def grads():
    {grads}

def check():
    return dict(parameters={{"w": w}}, grads=grads, torch_loss=lambda p: (p["w"] ** 2).sum())
"""

#: Interrupts itself within the user's code.
INTERRUPTED = "import os, signal; os.kill(os.getpid(), signal.SIGINT); return 2 * w"


def small(folder: Path, grads: str) -> Path:
    path = folder / "small.py"
    path.write_text(SMALL.format(grads=grads))
    return path


@pytest.mark.parametrize("style", STYLES)
def test_file_to_start_from_works_as_it_is(
    style: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    written = run("init", "--style", style, "mine.py")
    assert (written.exit_code, written.stderr) == (0, "")
    assert "backproof check mine.py" in Path("mine.py").read_text()
    checked = run("check", "mine.py")
    assert (checked.exit_code, checked.stderr) == (0, ""), checked.output
    assert checked.stdout.startswith("agree: your network against PyTorch's autograd")
    assert (
        run("init", "--style", style).stdout.splitlines()[1:]
        == (Path("mine.py").read_text().splitlines()[1:])
    )


def test_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text("mine")
    assert_refused(run("init", str(path)), 2, "is there already")
    assert path.read_text() == "mine"


def test_unknown_style_is_refused() -> None:
    assert_refused(run("init", "--style", "haiku"), 2, "'haiku'", *STYLES)


def test_init_loads_neither_side() -> None:
    done = process(
        "import atexit, sys, cli\n"
        "atexit.register(lambda: print('torch' in sys.modules, file=sys.stderr))\n"
        "cli.main()",
        "init",
    )
    assert_ended(done, 0, "False\n")


@pytest.mark.parametrize(("grads", "code"), [("return 2 * w", 0), ("return 2.1 * w", 1)])
def test_exit_code_is_the_verdict(grads: str, code: int, tmp_path: Path) -> None:
    result = run("check", str(small(tmp_path, grads)))
    assert (result.exit_code, result.stderr) == (code, "")


def test_nothing_decidable_is_four(tmp_path: Path) -> None:
    path = small(tmp_path, "return 0 * w")
    path.write_text(path.read_text().replace('(p["w"] ** 2)', '(p["w"] * 0)'))
    result = run("check", str(path))
    assert result.exit_code == 4
    assert result.stdout.startswith("not decidable")


@pytest.mark.parametrize(
    ("grads", "words"),
    [
        ("raise ValueError('wrong shapes')", ["grads raised ValueError: wrong shapes", "line 7"]),
        ("return None", ["grads returns None"]),
        ("return {'v': w}", ["gives the keys v, but should give w"]),
        ("return w * np.nan", ["is not finite", "nan at [0]"]),
        ("return w.astype(int)", ["whole numbers"]),
        ("return w.astype('float16')", ["float16"]),
        ("return list('abc')", ["gives 3 gradients, but there is 1 parameter"]),
        ("import sys; sys.exit(0)", ["SystemExit"]),
        ("return undefined", ["NameError"]),
    ],
)
def test_what_the_code_does_wrong_is_three(grads: str, words: list[str], tmp_path: Path) -> None:
    assert_refused(run("check", str(small(tmp_path, grads))), 3, *words)


def test_code_that_does_not_come_back_is_three(tmp_path: Path) -> None:
    path = small(tmp_path, "while True: pass")
    result = run("check", str(path), "--timeout", "0.5")
    assert_refused(result, 3, "grads has not come back within 0.5 seconds")


def test_file_that_does_not_come_back_is_three(tmp_path: Path) -> None:
    path = tmp_path / "loop.py"
    path.write_text("while True: pass")
    assert_refused(run("check", str(path), "--timeout", "0.5"), 3, "loop.py", "0.5 seconds")


def test_limit_of_the_file_does_not_lift_that_of_the_command_line(tmp_path: Path) -> None:
    path = small(tmp_path, "return 2 * w")
    path.write_text(
        path.read_text()
        + dedent("""
        def loop():
            from compare import crosscheck

            crosscheck(**check(), timeout=30)
            while True:
                pass
        """)
    )
    result = run("check", f"{path}:loop", "--timeout", "2")
    assert_refused(result, 3, "loop in small.py has not come back within 2 seconds")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--seed", "-5"), ["seed is -5"]),
        (("--draws", "-1"), ["draws is -1"]),
        (("--timeout", "inf"), ["timeout is inf seconds"]),
        (("--timeout", "1e300"), ["timeout is 1e+300 seconds"]),
    ],
)
def test_options_that_make_no_sense(
    options: tuple[str, str], words: list[str], tmp_path: Path
) -> None:
    assert_refused(run("check", str(small(tmp_path, "return 2 * w")), *options), 2, *words)


def test_code_that_closes_its_standard_output_is_checked(tmp_path: Path) -> None:
    path = small(tmp_path, "import sys; sys.stdout.close(); return 2 * w")
    result = run("check", str(path))
    assert (result.exit_code, result.stderr) == (0, "")


def test_interruption_is_130(tmp_path: Path) -> None:
    path = small(tmp_path, INTERRUPTED)
    assert_ended(process("import cli; cli.main()", "check", str(path)), 130, "Interrupted.\n")


@pytest.mark.parametrize(
    ("source", "code", "words"),
    [
        ("def check(:", 3, ["is not Python", "line 1"]),
        ("import no_such_module", 3, ["ModuleNotFoundError", "no_such_module"]),
        ("1 / 0", 3, ["ZeroDivisionError", "line 1"]),
        ("def other(): pass", 2, ["no function 'check'", "it has other", ":FUNCTION"]),
        ("check = 3", 2, ["no function 'check'"]),
        ("def check(): return None", 3, ["returns NoneType"]),
        ("def check(): return {}", 2, ["has no parameters"]),
        ("def check(): return dict(parameters=1, params=2)", 2, ["has params", "torch_loss"]),
        ("def check(): return dict(parameters=1)", 2, ["give either grads"]),
    ],
)
def test_files_that_describe_nothing(
    source: str, code: int, words: list[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.py"
    path.write_text(source)
    assert_refused(run("check", str(path)), code, *words)


def test_file_that_is_not_there_is_refused_before_torch_is_loaded(tmp_path: Path) -> None:
    done = process(
        "import atexit, sys, cli\n"
        "atexit.register(lambda: print('torch' in sys.modules))\n"
        "cli.main()",
        "check",
        str(tmp_path / "none.py"),
    )
    assert (done.returncode, done.stdout) == (2, "False\n")
    assert "there is no such file" in done.stderr


def test_another_function_and_what_lies_beside_the_file(tmp_path: Path) -> None:
    (tmp_path / "beside_it.py").write_text("import numpy as np\nw = np.ones(3)\n")
    path = tmp_path / "mine.py"
    path.write_text(
        dedent("""
        from beside_it import w
        from compare import crosscheck

        def compared():
            loss = lambda p: (p["w"] ** 2).sum()
            return crosscheck({"w": w}, grads=lambda: 2 * w, torch_loss=loss)
        """)
    )
    before, found = list(sys.path), set(sys.modules)
    result = run("check", f"{path}:compared")
    assert (result.exit_code, result.stderr) == (0, "")
    assert sys.path == before
    assert not {"beside_it", "backproof_checked"} & (set(sys.modules) - found)


def test_what_the_code_prints_is_not_in_the_report(tmp_path: Path) -> None:
    path = small(tmp_path, "print('epoch'); return 2 * w")
    path.write_text("print('loaded')\n" + path.read_text())
    result = run("check", str(path), "--json", "-")
    found = strict_json(result.stdout)
    assert found["verdict"] == "agree"
    told = "your file and its function printed 1 line, which is not shown"
    assert told in found["remarks"]
    assert any(remark.startswith("your code printed") for remark in found["remarks"])


def test_json_is_written_whole_and_the_same_each_time(tmp_path: Path) -> None:
    path, report = small(tmp_path, "return 2.1 * w"), tmp_path / "report.json"
    assert run("check", str(path), "--json", str(report)).exit_code == 1
    text = report.read_text()
    assert strict_json(text)["failures"]
    assert run("check", str(path), "--json", "-").stdout == text


def test_options_change_the_comparison(tmp_path: Path) -> None:
    path = str(small(tmp_path, "return 2.02 * w"))
    assert run("check", path, "--rtol", "0.02", "--atol", "0").exit_code == 0
    assert_refused(run("check", path, "--rtol", "0.1"), 2, "both rtol and atol")
    assert_refused(run("check", path, "--tolerance", "rigorous"), 2, "every operation")
    found = strict_json(run("check", path, "--draws", "3", "--json", "-").stdout)
    assert len(found["sections"]) == 4


def test_options_come_before_what_the_file_says(tmp_path: Path) -> None:
    path = small(tmp_path, "return 2.02 * w")
    text = path.read_text().replace("dict(", "dict(draws=0, rtol=0.02, atol=0.0, ")
    path.write_text(text)
    assert run("check", str(path)).exit_code == 0
    for options in (("--rtol", "0.001", "--atol", "0"), ("--tolerance", "statistical")):
        assert run("check", str(path), *options).exit_code == 1
    found = strict_json(run("check", str(path), "--draws", "3", "--json", "-").stdout)
    assert len(found["sections"]) == 4


def test_options_for_a_file_that_calls_crosscheck_itself_are_refused(tmp_path: Path) -> None:
    path = small(tmp_path, "return 2 * w")
    path.write_text(
        "from compare import crosscheck\n"
        + path.read_text()
        + "\ndef compared():\n    print('one')\n    return crosscheck(**check())\n"
    )
    result = run("check", f"{path}:compared")
    assert result.exit_code == 0
    assert "your file and its function printed 1 line, which is not shown" in result.stdout
    refused = run("check", f"{path}:compared", "--draws", "7", "--seed", "1")
    assert_refused(refused, 2, "compared", "calls crosscheck itself", "--seed, --draws")


def test_file_that_is_no_text_has_no_line(tmp_path: Path) -> None:
    path = tmp_path / "program"
    path.write_bytes(b"\x7fELF\0\0\0")
    result = run("check", str(path))
    assert_refused(result, 3, "is not Python")
    assert "line None" not in result.stderr


def test_help_loads_nothing() -> None:
    assert_not_loaded(("torch", "numpy", "rich"), "check", "--help")


def test_gallery_is_checked_from_the_command_line() -> None:
    assert run("check", str(ROOT / "examples" / "tutorial_class.py")).exit_code == 0
