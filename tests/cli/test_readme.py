"""What README.md shows is so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from compare.cases.registry import CASES
from tests.support.checks import ROOT, assert_ended, process, run

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    python cli\.py (.*?)(?: +#.*)?$", README, re.MULTILINE)
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(
    "command",
    [
        "    pip install -c constraints.txt -e . && python cli.py compare --epochs 100",
        '    pip install -c constraints.txt -e ".[test]" && pytest',
    ],
)
def test_the_two_commands_stand_there(command: str) -> None:
    assert command in README.splitlines()


@pytest.mark.usefixtures("few")
def test_the_commands_work_one_after_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert len(COMMANDS) == 10
    for command in COMMANDS:
        trains = command.split()[0] in ("compare", "train") and "LSTM" not in command
        few = ["--epochs", "2"] if trains else []
        result = run(*shlex.split(command), *few)
        assert (result.exit_code, result.stderr) == (0, ""), command
    files = {"report.json", "curves.svg", "xor.npz", "mine.py"}
    assert {path.name for path in tmp_path.iterdir()} == files


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_examples_run(example: str) -> None:
    assert_ended(process(example), 0, "")


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 5


def test_the_example_of_the_output_is_real() -> None:
    shown = re.search(r"^<!-- python cli\.py (.*) -->\n```text\n(.*?)^```", README, re.M | re.S)
    assert shown is not None
    real = run(*shown[1].split()).stdout
    assert _rows(real) == _rows(shown[2])
    for ours, theirs in zip(_detected(real), _detected(shown[2]), strict=True):
        assert 0.1 < ours / theirs < 10


def _rows(text: str) -> list[list[str]]:
    """How each line begins; the numbers may differ from one machine to another."""
    return [line.split()[:2] for line in text.splitlines() if not line.startswith("─")]


def _detected(text: str) -> list[float]:
    """The last column of the tables: what each check would have noticed."""
    last = [line.split()[-1] for line in text.splitlines() if line.split()]
    return [float(word) for word in last if re.fullmatch(r"\de[+-]\d\d", word)]


def test_all_cases_are_told_of() -> None:
    for name in CASES:
        assert f"| `{name}` |" in README
