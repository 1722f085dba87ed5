"""The command compare: verdict, report, JSON, exit code."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path

import pytest

import reference
from compare.api import compare
from compare.cases.registry import CASES
from compare.catalogue.table import CATALOGUE
from compare.command.run_command import results
from reference import Array, Params
from tests.support.checks import (
    assert_ended,
    assert_fits,
    assert_refused,
    process,
    run,
    strict_json,
)

QUANTITIES = [
    "activation 3",
    "loss",
    "gradient at 3",
    "gradient 2.weight",
    "gradient 0.bias",
    "gradient at input",
    "parameter 0.weight",
]


@pytest.fixture
def wrong_bias(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bias gradient is a mean, not a sum."""
    right = reference.Linear.backward

    def wrong(
        self: reference.Linear, params: Params, cache: Array, dy: Array
    ) -> tuple[Array, Params]:
        dx, grads = right(self, params, cache, dy)
        return dx, grads | ({"bias": dy.mean(axis=-2)} if self.bias else {})

    monkeypatch.setattr(reference.Linear, "backward", wrong)


def test_agreement() -> None:
    result = run("compare", "--epochs", "100")
    lines = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (0, "")
    assert lines[0].startswith("agree: xor, 100 epochs, float64, seed 0: ")
    for quantity in QUANTITIES:
        assert sum(line.startswith(quantity) for line in lines) >= 1
    for side in ("reference", "torch"):
        assert any(line.startswith(side) and "loss 0.708082 -> " in line for line in lines)
    assert "not learned: more epochs" in lines[-1]


@pytest.mark.usefixtures("wrong_bias")
def test_disagreement_names_the_first_wrong_quantity() -> None:
    result = run("compare", "--epochs", "5")
    lines = result.stdout.splitlines()
    assert (result.exit_code, result.stderr) == (1, "")
    assert lines[0].startswith("DISAGREE: xor, 5 epochs, float64, seed 0: ")
    assert "first at gradient 2.bias, epoch 1 (lockstep)" in lines[0]
    assert "but should be" in lines[1]
    assert next(line[:17] for line in lines if line.startswith("!")) == "! gradient 2.bias"
    assert any(line.startswith("  gradient 2.weight") for line in lines)


@pytest.mark.usefixtures("few", "wrong_bias")
def test_a_fault_in_one_case_of_all_is_the_exit_code() -> None:
    result = run("compare", "--case", "all", "--epochs", "2")
    assert result.exit_code == 1
    assert "DISAGREE: digits" in result.stdout
    assert "agree: line" in result.stdout


def test_nothing_decidable() -> None:
    result = run("compare", "--epochs", "3", "--rtol", "1", "--atol", "1")
    assert result.exit_code == 4
    assert result.stdout.startswith("not decidable: ")
    assert "? gradient 2.bias" in result.stdout


def test_one_epoch_is_one() -> None:
    assert "xor, 1 epoch," in run("compare", "--epochs", "1").stdout


def test_all_is_every_case_and_the_whole_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each entry only the first variant: tests/compare/test_catalogue.py compares them all."""
    first = {name: replace(e, variants=e.variants[:1]) for name, e in CATALOGUE.items()}
    monkeypatch.setattr("compare.catalogue.check_entries.CATALOGUE", first)
    result = run("compare", "--case", "all", "--epochs", "2")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    start = lines.index("in short:") + 1
    told = [line.split(",")[0] for line in lines[start : start + len(CASES)]]
    assert told == [f"agree: {name}" for name in CASES]
    start += len(CASES) + 2
    rows = [line.split()[:2] for line in lines[start : start + len(CATALOGUE)]]
    assert rows == [[name, "agree"] for name in CATALOGUE]


def test_one_entry_of_the_catalogue() -> None:
    result = run("compare", "--case", "Conv2d", "--json", "-")
    assert result.exit_code == 0
    (entry,) = strict_json(result.stdout)
    assert (entry["entry"], entry["verdict"]) == ("Conv2d", "agree")


@pytest.mark.parametrize("options", [["--epochs", "3"], ["--dtype", "float32"]])
def test_an_entry_has_no_settings(options: list[str]) -> None:
    assert_refused(run("compare", "--case", "Conv2d", *options), 2, "all its variants")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--dtype", "float32"], "float32"),
        (["--seed", "7"], "seed 7"),
        (["--case", "digits", "--hidden", "4,3", "--batch-size", "500"], "gradient 4.weight"),
        (["--case", "xor-relu"], "agree: xor-relu"),
    ],
)
def test_options(options: list[str], told: str) -> None:
    result = run("compare", "--epochs", "2", *options)
    assert (result.exit_code, result.stderr) == (0, "")
    assert told in result.stdout


@pytest.mark.parametrize("options", [["--lr", "0.01"], ["--activation", "tanh"], ["--seed", "5"]])
def test_options_change_what_is_computed(options: list[str]) -> None:
    assert (
        run("compare", "--epochs", "2").stdout != run("compare", "--epochs", "2", *options).stdout
    )


def test_a_terminal_of_60_columns() -> None:
    result = run("compare", "--case", "digits", "--epochs", "1", COLUMNS="60", FORCE_COLOR="1")
    assert result.exit_code == 0
    assert_fits(result.stdout, 60)
    for quantity in QUANTITIES:
        assert quantity in result.stdout, "no name is broken over two lines"


@pytest.mark.usefixtures("wrong_bias")
def test_failures_on_a_terminal_of_60_columns() -> None:
    result = run("compare", "--epochs", "3", COLUMNS="60", FORCE_COLOR="1")
    assert result.exit_code == 1
    assert_fits(result.stdout, 60)


def table_of_entries(**environment: str) -> list[str]:
    result = run("compare", "--case", "TransformerEncoderLayer", **environment)
    assert result.exit_code == 0
    return result.stdout.splitlines()


def test_entries_and_verdicts_are_whole_on_a_terminal_of_40_columns() -> None:
    lines = table_of_entries(COLUMNS="40")
    assert_fits("\n".join(lines), 40)
    assert lines[0].split() == ["entry", "verdict", "ratio"]
    assert lines[2].split()[:2] == ["TransformerEncoderLayer", "agree"]
    assert table_of_entries(COLUMNS="80")[0].split()[2:] == ["comparisons", "ratio", "detects"]


@pytest.mark.parametrize("columns", ["40", "79"])
def test_columns_that_do_not_fit_are_told_of(columns: str) -> None:
    told = "detects: from 80 columns on"
    report = run("compare", "--epochs", "2", COLUMNS=columns, FORCE_COLOR="1").stdout
    assert report.count(told) == 2
    assert told in " ".join(" ".join(table_of_entries(COLUMNS=columns)).split())
    assert told not in run("compare", "--epochs", "2", COLUMNS="80").stdout


def test_columns_of_0_hide_nothing() -> None:
    settings = os.environ | {"COLUMNS": "0"}
    done = process("import cli; cli.main()", "compare", "--epochs", "2", env=settings)
    assert_ended(done, 0, "")
    assert done.stdout.startswith("agree: xor, 2 epochs")
    assert "detects" in done.stdout
    assert "from 80 columns on" not in done.stdout


@pytest.mark.parametrize(
    ("columns", "width"),
    [("7", 40), ("40", 40), ("90", 90), ("0", 200), ("", 200), ("abc", 200), ("-5", 200)],
)
def test_width_of_a_pipe_is_at_least_40_columns(
    columns: str, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    assert results().width == width


@pytest.mark.parametrize(("columns", "width"), [("0", 66), ("abc", 66), (None, 66), ("70", 70)])
def test_a_terminal_is_as_wide_as_it_is(
    columns: str | None, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    if columns is not None:
        monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setattr("os.get_terminal_size", lambda fd: os.terminal_size((66, 20)))
    assert results().width == width


@pytest.mark.parametrize("command", ["compare", "train", "predict", "cases"])
def test_help_on_a_terminal_of_60_columns(command: str) -> None:
    narrow = os.environ | {"COLUMNS": "60"}
    done = process("import cli; cli.main()", command, "--help", env=narrow)
    assert_ended(done, 0, "")
    assert_fits(done.stdout, 60)


def test_sentences_stay_whole_in_a_pipe() -> None:
    result = run("compare", "--epochs", "3", COLUMNS="60")
    assert result.stdout.splitlines()[0].endswith("within tolerance")


def test_colours_are_a_matter_of_the_terminal_and_of_no_color() -> None:
    red_or_green = ("\x1b[1;32m", "\x1b[32m")
    coloured = run("compare", "--epochs", "3", FORCE_COLOR="1", NO_COLOR="", TERM="xterm")
    assert any(code in coloured.stdout for code in red_or_green)
    plain = run("compare", "--epochs", "3", FORCE_COLOR="1", NO_COLOR="1", TERM="xterm")
    assert not any(code in plain.stdout for code in red_or_green)
    piped = run("compare", "--epochs", "3", NO_COLOR="")
    assert "\x1b" not in piped.stdout


def test_json_on_stdout_is_all_there_is_on_stdout() -> None:
    result = run("compare", "--epochs", "30", "--json", "-")
    report = strict_json(result.stdout)
    assert (result.exit_code, result.stderr) == (0, "")
    assert report["verdict"] == "agree"
    assert report["case"]["epochs"] == 30
    assert len(report["history"]["reference"]) == 30
    assert {"backproof", "python", "numpy", "torch"} == report["versions"].keys()


@pytest.mark.usefixtures("wrong_bias")
def test_json_of_a_disagreement(monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("compare", "--epochs", "2", "--json", "-")
    report = strict_json(result.stdout)
    assert result.exit_code == 1
    assert not report["agrees"]
    assert "gradient 2.bias" in report["first_divergence"]
    assert report["failures"][0] == report["first_divergence"]


def test_json_of_what_json_has_no_numbers_for() -> None:
    report = compare("line", epochs=1)
    odd = replace(report.reference, loss_before=math.nan, loss_after=-math.inf)
    found = strict_json(replace(report, reference=odd).to_json())
    assert found["reference"]["loss_before"] == "nan"
    assert found["reference"]["loss_after"] == "-inf"


def test_json_in_a_file_beside_the_report(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("old")
    result = run("compare", "--epochs", "3", "--json", str(path))
    assert result.stdout.startswith("agree: ")
    assert strict_json(path.read_text())["agrees"]


@pytest.mark.parametrize("case", ["xor", "digits"])
def test_two_runs_give_the_same_bytes(case: str) -> None:
    arguments = ["compare", "--case", case, "--epochs", "4", "--seed", "3", "--json", "-"]
    here = run(*arguments).stdout
    there = process("import cli; cli.main()", *arguments)
    assert there.stdout == here
    assert run(*arguments, "--lr", "0.3").stdout != here
