"""Every kind of result: words, data, a notebook's view, and an error unless it agrees."""

from __future__ import annotations

import io
import json
import math
import pickle
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from compare import CannotCompare, CrossReport, NotAgreed, Report, Verdict, compare
from compare.cases.registry import find
from compare.measure.meter import Meter
from compare.measure.metrics import Metrics
from compare.results.checked import Checked, Row
from compare.results.many_results import NoReport
from compare.results.own_report import Section
from compare.results.result import Result

ODD = "gradient <b>&[red]w[/red]"


@cache
def a_report() -> Report:
    return compare("line", epochs=1)


def metrics(verdict: Verdict) -> tuple[Metrics, ...]:
    """One gradient, of which a comparison came out so."""
    meter = Meter(1.0)
    expected = np.array([1.0, -2.0])
    actual = expected + (verdict is Verdict.DISAGREE)
    unit = math.nan if verdict is Verdict.NOTHING else 1e-9
    meter.add(1, {ODD: actual}, {ODD: expected}, {ODD: np.full(2, unit)})
    return meter.metrics()


def report(verdict: Verdict) -> Result:
    return replace(a_report(), lockstep=metrics(verdict), free_run=(), multiple=1.0)


def crossreport(verdict: Verdict) -> Result:
    section = Section("your weights", metrics(verdict))
    remark = ("something <i>else</i>",)
    return CrossReport("autograd", "fixed", 1.0, (section,), None, (), remark, 2, {"numpy": "2"})


def checked(verdict: Verdict) -> Checked:
    return Checked("Linear", "bias=False", "float64", "lockstep", 1.0, metrics(verdict))


def row(verdict: Verdict) -> Result:
    return Row("Linear", (checked(verdict),), ())


def no_report(verdict: Verdict) -> Result:
    return NoReport(find("xor"), CannotCompare("training <overflows>"))


MAKE: dict[str, Callable[[Verdict], Result]] = {
    "compare": report,
    "crosscheck": crossreport,
    "variant": checked,
    "entry": row,
}

each_kind = pytest.mark.parametrize("make", [*MAKE.values(), no_report], ids=[*MAKE, "none"])
each_verdict = pytest.mark.parametrize("verdict", Verdict)


@pytest.mark.parametrize("make", MAKE.values(), ids=MAKE)
@each_verdict
def test_verdict_is_the_same_in_every_form(
    make: Callable[[Verdict], Result], verdict: Verdict
) -> None:
    result = make(verdict)
    assert result.exit_code == verdict.value
    assert result.agrees == (verdict is Verdict.AGREE)
    told = result.to_dict()
    assert (told["verdict"], told["agrees"]) == (verdict.name.lower(), result.agrees)
    word = {"AGREE": "agree", "DISAGREE": "DISAGREE", "NOTHING": "not decidable"}[verdict.name]
    assert word in str(result)
    assert repr(result).startswith(f"<{type(result).__name__}: ")
    assert "\n" not in repr(result)


def test_no_report_agrees_with_nothing() -> None:
    result = no_report(Verdict.AGREE)
    assert (result.exit_code, result.agrees) == (3, False)
    assert str(result) == "could not compare: xor: training <overflows>"


@each_kind
@each_verdict
def test_text_is_that_of_a_terminal(
    make: Callable[[Verdict], Result], verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = make(verdict)
    console = Console(file=io.StringIO(), width=100, color_system=None)
    result.show(console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert str(result) == text.rstrip("\n")
    for name, value in (("COLUMNS", "40"), ("FORCE_COLOR", "1"), ("TTY_COMPATIBLE", "1")):
        monkeypatch.setenv(name, value)
    assert str(result) == text.rstrip("\n")


@each_kind
@each_verdict
def test_json_is_json(make: Callable[[Verdict], Result], verdict: Verdict) -> None:
    result = make(verdict)
    found = json.loads(result.to_json(), parse_constant=pytest.fail)
    assert found.keys() == result.to_dict().keys()


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_that_json_does_not_know_are_strings(number: float) -> None:
    result = replace(a_report(), growth=number)
    assert json.loads(result.to_json(), parse_constant=pytest.fail)["growth"] == str(number)


@each_kind
@each_verdict
def test_notebook_shows_the_same_words_escaped(
    make: Callable[[Verdict], Result], verdict: Verdict
) -> None:
    html = make(verdict)._repr_html_()
    assert html.startswith("<pre>")
    assert html.endswith("</pre>")
    assert "<b>" not in html
    assert "<i>" not in html
    assert "<overflows>" not in html
    assert "color: " in html


@pytest.mark.parametrize("make", [report, crossreport, checked])
def test_names_are_shown_as_they_are(make: Callable[[Verdict], Result]) -> None:
    result = make(Verdict.DISAGREE)
    assert ODD in str(result)
    assert "gradient &lt;b&gt;&amp;[red]w[/red]" in result._repr_html_()


@each_kind
@each_verdict
def test_assertion_and_requirement_print_the_whole_text(
    make: Callable[[Verdict], Result], verdict: Verdict
) -> None:
    result = make(verdict)
    names: dict[str, Any] = {"report": result}
    if result.agrees:
        assert result.require() is result
        exec("assert report.agrees, report", names)  # noqa: S102 - as Python does it by itself
        return
    with pytest.raises(AssertionError) as plain:
        exec("assert report.agrees, report", names)  # noqa: S102
    with pytest.raises(NotAgreed) as required:
        result.require()
    assert str(plain.value) == str(required.value) == str(result)
    assert required.value.report is result
    again = pickle.loads(pickle.dumps(required.value))  # noqa: S301
    assert str(again) == str(again.report) == str(result)
