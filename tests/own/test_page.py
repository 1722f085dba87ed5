"""What docs/bring-your-own.md shows is so."""

from __future__ import annotations

import re
from inspect import signature

import pytest

from backproof.pytest_plugin import SETTINGS
from compare import crosscheck
from compare.referee.derivative import complex_step
from compare.referee.differences import central
from tests.own.test_examples import GALLERY
from tests.support.checks import run
from tests.support.processes import ROOT

PAGE = (ROOT / "docs" / "bring-your-own.md").read_text(encoding="utf-8")
ARGUMENTS = [name for name in signature(crosscheck).parameters if name != "progress"]
NUMBER = re.compile(r"\d\.?\d*e-\d+|\d+\.\d+|\d+")


def test_adapter_is_the_one_in_the_gallery() -> None:
    shown = re.search(r"<!-- adapter: (\S+) -->\n```python\n(.*?)```", PAGE, re.S)
    assert shown is not None
    assert shown[2] in (ROOT / shown[1]).read_text()


def test_report_on_the_planted_fault_is_real(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    shown = re.search(r"<!-- python cli\.py (.*?) -->\n```text\n(.*?)```", PAGE, re.S)
    assert shown is not None
    real = run(*shown[1].split(), COLUMNS="1000").stdout.split("\n\n")[0]
    lines = [line.rstrip() for line in real.splitlines()]
    for ours, theirs in zip(lines, shown[2].splitlines(), strict=True):
        assert NUMBER.sub("#", ours) == NUMBER.sub("#", theirs)  # last digits are the machine's


def test_every_file_of_the_gallery_is_listed() -> None:
    assert set(re.findall(r"^\| `(\w+\.py)` \|", PAGE, re.M)) == {path.name for path in GALLERY}


def test_every_setting_is_named() -> None:
    assert set(SETTINGS) == set(re.findall(r"backproof_(\w+)", PAGE))
    assert set(SETTINGS) < set(ARGUMENTS)


def test_calls_for_each_entry_are_counted() -> None:
    shown = re.search(r"one\s+call of `loss` by the complex step, (\d+) by differences", PAGE)
    assert shown is not None
    calls: list[complex] = []

    def loss(t: complex) -> complex:
        calls.append(t)
        return t * t

    complex_step(loss)
    assert len(calls) == 1
    calls.clear()
    central(lambda t: loss(t).real, 0.1, 2.0**-53, noise=0.0)
    assert len(calls) == int(shown[1])


def test_share_that_is_found_wrong_is_that_of_the_calibration() -> None:
    share, size = r"(\d+\.\d+%) (?:of the gradients that were returned|would)", r"(1e-\d+)\."
    calibration = (ROOT / "docs" / "tolerances.md").read_text(encoding="utf-8")
    shown, measured = (re.search(f"{share}.*?{size}", one, re.S) for one in (PAGE, calibration))
    assert shown is not None
    assert measured is not None
    assert shown.groups() == measured.groups()


@pytest.mark.parametrize("name", ARGUMENTS)
def test_every_argument_is_explained(name: str) -> None:
    assert f"`{name}`" in PAGE or f"{name}=" in PAGE
