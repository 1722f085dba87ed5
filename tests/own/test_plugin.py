"""The plugin for pytest: what passes, what fails and what is said, also in several processes."""

from __future__ import annotations

import os
import re
from importlib.metadata import entry_points
from xml.etree import ElementTree

import pytest

from tests.support.processes import ROOT

pytest_plugins = ["pytester"]

#: Installed, the plugin is there by itself; in a bare tree it is named.
LOADED = any(one.value == "backproof.pytest_plugin" for one in entry_points(group="pytest11"))
NAMED = () if LOADED else ("-p", "backproof.pytest_plugin")

NETWORK = """
import numpy as np
import pytest

weight = np.array([[1.0, -2.0], [0.5, 3.0]])
RIGHT = {"grads": lambda: np.cos(weight), "torch_loss": lambda p: p["w"].sin().sum()}
OFF = RIGHT | {"grads": lambda: 1.001 * np.cos(weight)}
"""

SEVERAL = """
def test_right(assert_matches_autograd):
    report = assert_matches_autograd({"w": weight}, **RIGHT)
    assert report.agrees

def test_wrong(assert_matches_autograd):
    assert_matches_autograd({"w": weight}, **OFF)

def test_raises(assert_matches_autograd):
    assert_matches_autograd({"w": weight}, **(RIGHT | {"grads": lambda: 1 / 0}))

def test_nothing(assert_matches_autograd):
    zero = {"grads": lambda: 0 * weight, "torch_loss": lambda p: (0 * p["w"]).sum()}
    assert_matches_autograd({"w": weight}, **zero)

def test_report(crosscheck):
    assert not crosscheck({"w": weight}, **OFF).agrees

@pytest.mark.backproof(rtol=0.01, atol=0.0)
def test_marked(assert_matches_autograd):
    assert_matches_autograd({"w": weight}, **OFF)
"""


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)


def run(pytester: pytest.Pytester, source: str, *arguments: str) -> pytest.RunResult:
    """Run tests in a process of their own, in a folder elsewhere."""
    pytester.makepyfile(NETWORK + source)
    return pytester.runpytest_subprocess(*NAMED, "-p", "no:cacheprovider", *arguments)


@pytest.mark.parametrize("processes", [(), ("-n", "2")], ids=["one process", "two"])
def test_failures_show_the_whole_report(
    pytester: pytest.Pytester, processes: tuple[str, ...]
) -> None:
    result = run(pytester, SEVERAL, "--strict-markers", "--junitxml=out.xml", *processes)
    result.assert_outcomes(passed=3, failed=3)
    result.stdout.fnmatch_lines_random(
        [
            "*DISAGREE: your network against PyTorch's autograd (float64): first at gradient w*",
            "*cause: one factor of 1.001*",
            "*could not compare: grads raised ZeroDivisionError*",
            "*not decidable: your network*",
        ]
    )
    root = ElementTree.parse(pytester.path / "out.xml").getroot()  # noqa: S314 - our own file
    found = {
        case.get("name"): {one.get("name"): one.get("value") for one in case.iter("property")}
        for case in root.iter("testcase")
    }
    assert found["test_right"]["backproof.verdict"] == "agree"
    assert found["test_wrong"]["backproof.verdict"] == "disagree"
    detects = found["test_right"]["backproof.your weights.gradient w.detects"]
    assert detects is not None
    assert 0 < float(detects) < 1e-11


def test_assertion_shows_the_whole_report_once(pytester: pytest.Pytester) -> None:
    lines = ("assert report.agrees, report", "assert report.agrees", "report.require()")
    tests = "".join(
        f"\ndef test_{number}():\n    report = check({{'w': weight}}, **OFF)\n    {line}\n"
        for number, line in enumerate(lines)
    )
    result = run(pytester, f"\nfrom compare import crosscheck as check\n{tests}")
    result.assert_outcomes(failed=len(lines))
    told, _, _ = result.stdout.str().partition("short test summary")  # it repeats all under CI
    each = re.split(r"^_+ test_\d _+$", told, flags=re.MULTILINE)[1:]
    assert len(each) == len(lines)
    for shown in each:
        for text in ("  cause: one factor of 1.001", "which side: ", "9.7e-04"):
            assert shown.count(text) == 1, shown


def test_xml_is_valid_whatever_names_and_errors_hold(pytester: pytest.Pytester) -> None:
    result = run(
        pytester,
        r"""
        import pytest

        NAME = "line\nbreak \x1b[31m [red] <&> ]]> \ud800 \ufffe \0"

        def check(slope, grads=None):
            return {
                "parameters": {NAME: weight},
                "grads": grads or (lambda: {NAME: slope * np.cos(weight)}),
                "torch_loss": lambda p: p[NAME].sin().sum(),
            }

        def test_right(assert_matches_autograd):
            assert_matches_autograd(**check(1.0))

        def test_wrong(assert_matches_autograd):
            assert_matches_autograd(**check(2.0))

        def test_raises(assert_matches_autograd):
            def grads():
                raise BaseException(NAME)
            assert_matches_autograd(**check(1.0, grads))

        def test_skips(assert_matches_autograd):
            assert_matches_autograd(**check(1.0, lambda: pytest.skip("not here")))
        """.replace("\n        ", "\n"),
        "--junitxml=out.xml",
    )
    result.assert_outcomes(passed=1, failed=3)
    root = ElementTree.parse(pytester.path / "out.xml").getroot()  # noqa: S314 - our own file
    named = {one.get("name") for one in root.iter("property")}
    assert any(r"gradient line\nbreak \x1b[31m [red] <&>" in str(name) for name in named)
    result.stdout.fnmatch_lines_random(
        ["*raised BaseException: line break*", "*Skipped: not here*"]
    )


def test_settings_of_ini_files_and_markers(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nbackproof_rtol = 0.01\nbackproof_atol = 0\nbackproof_draws = 2\n")
    result = run(
        pytester,
        """
        def test_ini(crosscheck):
            report = crosscheck({"w": weight}, **OFF)
            assert report.agrees
            assert (report.tolerance, len(report.sections)) == ("fixed", 3)

        @pytest.mark.backproof(rtol=1e-6, draws=0)
        def test_marker(crosscheck):
            report = crosscheck({"w": weight}, **OFF)
            assert not report.agrees
            assert len(report.sections) == 1
        """.replace("\n        ", "\n"),
    )
    result.assert_outcomes(passed=2)


@pytest.mark.parametrize(
    ("ini", "told"),
    [
        ("backproof_seed = many", "*backproof_seed is 'many', but should be a number*"),
        ("backproof_dtype = int8", "*could not compare: dtype is 'int8'*"),
    ],
)
def test_settings_that_make_no_sense_fail(pytester: pytest.Pytester, ini: str, told: str) -> None:
    pytester.makeini(f"[pytest]\n{ini}\n")
    result = run(
        pytester,
        "\ndef test_it(assert_matches_autograd):\n"
        "    assert_matches_autograd({'w': weight}, **RIGHT)\n",
    )
    assert result.ret == 1
    result.assert_outcomes(failed=int("dtype" in ini), errors=int("dtype" not in ini))
    result.stdout.fnmatch_lines([told])


def test_markers_that_make_no_sense_fail(pytester: pytest.Pytester) -> None:
    tests = "".join(
        f"\n@pytest.mark.backproof({setting})\ndef test_{number}(assert_matches_autograd):\n"
        "    assert_matches_autograd({'w': weight}, **RIGHT)\n"
        for number, setting in enumerate(("skip=True", "'float32'"))
    )
    result = run(pytester, tests)
    assert result.ret == 1
    result.assert_outcomes(errors=2)
    for has in (
        "*the marker backproof has skip, but takes*",
        "*the marker backproof has 'float32'*",
    ):
        result.stdout.fnmatch_lines([has])


def test_missing_torch_is_a_failure(pytester: pytest.Pytester) -> None:
    pytester.makeconftest("import sys\nsys.modules['torch'] = None")
    result = run(
        pytester,
        "\ndef test_it(assert_matches_autograd):\n"
        "    assert_matches_autograd({'w': weight}, **RIGHT)\n",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*torch is not installed; install it with*"])


def test_plugin_loads_nothing_by_itself(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import sys\ndef test_it():\n    assert not {'torch', 'numpy'} & sys.modules.keys()\n"
    )
    result = pytester.runpytest_subprocess(*NAMED, "-p", "no:xdist")
    result.assert_outcomes(passed=1)


def test_fixtures_and_settings_are_listed(pytester: pytest.Pytester) -> None:
    shown = pytester.runpytest_subprocess(*NAMED, "--markers").stdout.str()
    assert "@pytest.mark.backproof(**settings)" in shown
    help = pytester.runpytest_subprocess(*NAMED, "--help").stdout.str()
    assert "backproof_tolerance" in help
    assert os.environ["PYTHONPATH"] == str(ROOT)
