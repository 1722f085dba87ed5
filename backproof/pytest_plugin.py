"""A plugin for pytest: fixtures that hold a hand-written network against PyTorch's autograd.

It is there once Backproof is installed. Nothing is loaded before a fixture is used.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from backproof.packages import InTheWay, require

if TYPE_CHECKING:
    from compare.results.own_report import CrossReport
    from compare.results.result import Result

MARKER = "backproof"

#: What ini options and markers may set, and how the text of an ini option is read.
SETTINGS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "dtype": (str, "dtype that PyTorch computes in: float32 or float64"),
    "tolerance": (str, "statistical or fixed"),
    "rtol": (float, "relative part of the fixed tolerance"),
    "atol": (float, "absolute part of the fixed tolerance"),
    "seed": (int, "of the drawn weights"),
    "draws": (int, "at how many drawn weights to compare"),
    "timeout": (float, "seconds after which to give up"),
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the ini options; each is the default of the argument of that name."""
    for name, (_, help) in SETTINGS.items():
        parser.addini(f"{MARKER}_{name}", f"Backproof: {help}")


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known."""
    names = ", ".join(SETTINGS)
    config.addinivalue_line(
        "markers", f"{MARKER}(**settings): settings of Backproof for the test: {names}"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the whole text of a result that a test asserts to agree, of which pytest shows a part.

    After ``assert report.agrees, report`` pytest cuts the message to a few lines.
    """
    report = yield
    results = sys.modules.get("compare.results.result")
    if call.excinfo is not None and call.excinfo.errisinstance(AssertionError) and results:
        told = str(call.excinfo.value)
        for text in _not_agreed(call.excinfo, results.Result):
            if text not in told:
                report.sections.append(("Backproof", text))
    return report


def _not_agreed(error: pytest.ExceptionInfo[BaseException], kind: type[Result]) -> list[str]:
    """The texts of the results that do not agree, in the function that raised an error."""
    here = error.traceback[-1].frame.f_locals.values()
    found = [one for one in here if issubclass(type(one), kind)]
    return list(dict.fromkeys(str(one) for one in found if not one.agrees))


@pytest.fixture
def crosscheck(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Callable[..., CrossReport]:
    """:func:`compare.crosscheck` with the settings of the test; metrics become its properties."""
    settings = _settings(request)

    def check(parameters: Any, **arguments: Any) -> CrossReport:
        try:
            require()
            from compare.own.api import crosscheck
        except InTheWay as error:
            pytest.fail(str(error), pytrace=False)
        except ModuleNotFoundError as error:
            from compare.process.loading import missing

            pytest.fail(missing(error), pytrace=False)
        report = crosscheck(parameters, **(settings | arguments))
        _record(report, record_property)
        return report

    return check


@pytest.fixture
def assert_matches_autograd(
    crosscheck: Callable[..., CrossReport],
) -> Callable[..., CrossReport]:
    """The same, and the test fails with the whole report unless both sides agree."""

    def check(parameters: Any, **arguments: Any) -> CrossReport:
        try:
            report = crosscheck(parameters, **arguments)
        except Exception as error:
            errors = sys.modules.get("compare.base.errors")
            if errors is None or not isinstance(error, errors.BackproofError):
                raise
            pytest.fail(f"could not compare: {error}", pytrace=False)
        if not report.agrees:
            pytest.fail(str(report), pytrace=False)
        return report

    return check


def _settings(request: pytest.FixtureRequest) -> dict[str, Any]:
    """The ini options, then the markers from the outermost to the innermost."""
    settings: dict[str, Any] = {}
    for name, (read, _) in SETTINGS.items():
        text = request.config.getini(f"{MARKER}_{name}")
        if text:
            settings[name] = _read(name, text, read)
    for marker in reversed(list(request.node.iter_markers(MARKER))):
        unknown = [*map(repr, marker.args), *(set(marker.kwargs) - set(SETTINGS))]
        if unknown:
            pytest.fail(
                f"the marker {MARKER} has {', '.join(unknown)}, but takes {', '.join(SETTINGS)}",
                pytrace=False,
            )
        settings |= marker.kwargs
    return settings


def _read(name: str, text: str, read: Callable[[str], Any]) -> Any:
    try:
        return read(text)
    except ValueError:
        pytest.fail(f"the ini option {MARKER}_{name} is {text!r}, but should be a number")


def _record(report: CrossReport, record: Callable[[str, object], None]) -> None:
    """Verdict and metrics as properties of the test, as they stand in JUnit's XML."""
    from compare.base.printable import printable

    record("backproof.verdict", report.verdict.name.lower())
    record("backproof.against", report.against)
    for section in report.sections:
        for metrics in section.metrics:
            name = printable(f"backproof.{section.title}.{metrics.quantity}")
            if metrics.worst is None:
                record(name, f"not compared: {metrics.structure or 'there is no derivative'}")
                continue
            record(f"{name}.difference", f"{metrics.worst.error:.3g}")
            record(f"{name}.allowed", f"{report.multiple * metrics.worst.unit:.3g}")
            record(f"{name}.detects", f"{metrics.detectable:.3g}")
