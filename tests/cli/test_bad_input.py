"""Requests that are refused: told why, before any work, without a traceback."""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import pytest

import reference
from compare.cases import datasets
from compare.cases.registry import CASES
from tests.support.checks import assert_refused, process, run


@pytest.fixture(autouse=True)
def _no_training(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference.Model, "step", lambda *args: pytest.fail("it trained"))


TRAINING = [["compare"], ["train"]]
COMMANDS = [*TRAINING, ["predict", "0", "1"]]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--case", "nope"], ["'nope'", *CASES]),
        (["--activation", "swish"], ["'swish'", "sigmoid", "relu"]),
        (["--dtype", "int8"], ["'int8'", "float32", "float64"]),
        (["--epochs", "0"], ["epochs is 0", "at least 1"]),
        (["--epochs", "-3"], ["epochs is -3", "at least 1"]),
        (["--epochs", "1" + "0" * 400], ["epochs is 1000", "at most"]),
        (["--epochs", "many"], ["--epochs", "integer"]),
        (["--epochs", "2.5"], ["--epochs", "integer"]),
        (["--hidden", "0"], ["hidden is 0", "at least 1"]),
        (["--hidden", "4,0"], ["hidden is 0", "at least 1"]),
        (["--hidden", "wide"], ["'wide'", "such as 8 or 8,4"]),
        (["--hidden", "8,"], ["'8,'", "such as 8 or 8,4"]),
        (["--hidden", ""], ["''", "such as 8 or 8,4"]),
        (["--hidden", "99999999999999999999"], ["at most"]),
        (["--seed", "-1"], ["seed is -1", "at least 0"]),
        (["--seed", "9" * 26], ["seed is 999", "at most"]),
        (["--seed", "x"], ["--seed", "integer"]),
        (["--case", "line", "--hidden", "3"], ["'line'", "no hidden layer"]),
        (["--case", "line", "--activation", "relu"], ["'line'", "no hidden layer"]),
    ],
    ids=lambda value: " ".join(value)[:30],
)
def test_settings(command: list[str], options: list[str], words: list[str]) -> None:
    assert_refused(run(*command, *options), 2, *words)


@pytest.mark.parametrize("command", TRAINING, ids=" ".join)
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--lr", "0"], ["lr is 0.0", "above 0"]),
        (["--lr", "-1"], ["lr is -1.0", "above 0"]),
        (["--lr", "nan"], ["lr is nan", "finite"]),
        (["--lr", "inf"], ["lr is inf", "finite"]),
        (["--lr", "1e400"], ["lr is inf", "finite"]),
        (["--lr", "fast"], ["--lr", "number"]),
        (["--lr", "1e300", "--dtype", "float32"], ["lr is 1e+300", "float32", "--dtype float64"]),
        (["--lr", "1e-300", "--dtype", "float32"], ["lr is 1e-300", "float32"]),
        (["--batch-size", "0"], ["batch_size is 0", "at least 1"]),
        (["--batch-size", "all"], ["--batch-size", "integer"]),
    ],
    ids=lambda value: " ".join(value)[:30],
)
def test_update_rule(command: list[str], options: list[str], words: list[str]) -> None:
    assert_refused(run(*command, *options), 2, *words)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--rtol", "1e-3"], ["rtol", "atol"]),
        (["--atol", "1e-3"], ["rtol", "atol"]),
        (["--rtol", "-1", "--atol", "0"], ["rtol is -1.0", "at least 0"]),
        (["--rtol", "0", "--atol", "-1"], ["atol is -1.0", "at least 0"]),
        (["--rtol", "nan", "--atol", "0"], ["rtol is nan"]),
        (["--rtol", "0", "--atol", "inf"], ["atol is inf"]),
        (["--rtol", "tight", "--atol", "0"], ["--rtol", "number"]),
        (["--lockstep-every", "0"], ["lockstep_every is 0", "at least 1"]),
        (["--case", "all", "--plot", "a.png"], ["--plot", "one case"]),
    ],
    ids=lambda value: " ".join(value)[:30],
)
def test_comparison(options: list[str], words: list[str]) -> None:
    assert_refused(run("compare", *options), 2, *words)


@pytest.mark.parametrize("command", [["train"], ["predict", "0", "1"]], ids=" ".join)
def test_implementation(command: list[str]) -> None:
    assert_refused(run(*command, "--impl", "jax"), 2, "'jax'", "reference", "torch")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["0"], ["takes 2 inputs", "got 1"]),
        (["0", "1", "1"], ["takes 2 inputs", "got 3"]),
        (["0", "1", "--case", "line"], ["takes 1 input,", "got 2"]),
        (["0", "one"], ["'one' is not a number"]),
        (["0", "-x"], ["'-x' is not a number"]),
        (["0", "nan"], ["nan is not a finite number"]),
        (["1e39", "0", "--dtype", "float32"], ["1e39 is too large for float32", "--dtype float64"]),
        (["inf", "0"], ["inf is not a finite number"]),
        (["0", "1", "--lr", "1"], ["no such option: --lr"]),
        (["--bogus", "1"], ["no such option: --bogus"]),
        (["0", "1", "--weights", "w.npz", "--seed", "1"], ["--seed", "--weights"]),
        (["0", "1", "--weights", "w.npz", "--epochs", "1"], ["--epochs", "--weights"]),
    ],
    ids=lambda value: " ".join(value)[:30],
)
def test_inputs(arguments: list[str], words: list[str]) -> None:
    assert_refused(run("predict", *arguments), 2, *words)


@pytest.mark.parametrize("arguments", [["bogus"], ["compare", "--bogus"], ["cases", "x"]])
def test_the_command_itself(arguments: list[str]) -> None:
    assert_refused(run(*arguments), 2, arguments[-1])


def test_a_usage_error_shows_the_usage() -> None:
    assert run("compare", "--lr", "0").stderr.startswith("Usage: ")


def _unwritable(folder: Path, ending: str) -> dict[str, Path]:
    (folder / "file").write_text("")
    (folder / f"folder{ending}").mkdir()
    return {
        "No such file or directory": folder / "missing" / f"x{ending}",
        "Not a directory": folder / "file" / f"x{ending}",
        "is a directory": folder / f"folder{ending}",
        "File name too long": folder / ("x" * 300 + ending),
    }


@pytest.mark.parametrize(
    "why",
    ["No such file or directory", "Not a directory", "is a directory", "File name too long"],
)
@pytest.mark.parametrize(
    ("command", "option", "ending"),
    [
        ("compare", "--json", ".json"),
        ("compare", "--plot", ".png"),
        ("train", "--plot", ".svg"),
        ("train", "--save", ".npz"),
    ],
)
def test_output_paths(why: str, command: str, option: str, ending: str, tmp_path: Path) -> None:
    path = _unwritable(tmp_path, ending)[why]
    assert_refused(run(command, option, str(path)), 2, f"cannot write {path}", why)


@pytest.mark.parametrize(("command", "option"), [("compare", "--json"), ("train", "--save")])
def test_output_path_without_permission(
    command: str, option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.npz"
    path.write_text("")
    monkeypatch.setattr("os.access", lambda *args: False)
    assert_refused(run(command, option, str(path)), 2, f"cannot write {path}", "permission")


@pytest.mark.parametrize(
    ("command", "option", "endings"),
    [
        ("compare", "--plot", [".png", ".svg"]),
        ("train", "--plot", [".png", ".svg"]),
        ("train", "--save", [".npz"]),
    ],
)
def test_output_endings(command: str, option: str, endings: list[str], tmp_path: Path) -> None:
    path = tmp_path / "x.gif"
    assert_refused(run(command, option, str(path)), 2, str(path), *endings)


@pytest.mark.parametrize("command", ["compare", "train"])
def test_matplotlib_missing(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run(command, "--plot", str(tmp_path / "x.png"))
    assert_refused(result, 3, "matplotlib", 'pip install -c constraints.txt -e ".[plot]"')


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_scikit_learn_missing(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    monkeypatch.setitem(
        datasets.DATASETS, "digits", inspect.unwrap(datasets.DATASETS["digits"])
    )  # uncached
    numbers = ["0"] * 64 if command[0] == "predict" else []
    result = run(command[0], *numbers, "--case", "digits")
    assert_refused(result, 3, "scikit-learn", 'pip install -c constraints.txt -e ".[data]"')


@pytest.mark.parametrize("package", ["torch", "numpy", "typer"])
def test_core_package_missing(package: str) -> None:
    done = process(
        f"import sys; sys.modules[{package!r}] = None; import cli; cli.main()", "compare"
    )
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == (
        f"Error: {package} is not installed; install it with: pip install -c constraints.txt -e .\n"
    )
