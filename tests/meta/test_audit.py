"""The audit: planted faults are detected, located and named, and it fails where they are not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from compare.audit import run, trial
from compare.audit.run import Audit, audit
from compare.audit.trial import Trial
from compare.cases.registry import DTYPES
from compare.diagnosis.planting import search_faults as catalogue
from compare.diagnosis.planting.places import Site, planted, sites
from compare.faults import FAULTS, Fault
from compare.faults.changes.methods import output
from compare.measure import meter
from compare.render.audit import document, headline
from compare.results.console import draw
from reference import MLP, Array, Linear, Tanh
from tests.support.checks import run as cli

#: Small ones of each kind.
NAMES = (
    "xor",
    "Linear",
    "MSELoss",
    "StepLR",
    "module with batch norm and dropout",
    "module with a shared weight",
    "module with a skip",
    "functions of gradients",
)


def of(name: str, fault: Fault, dtype: str = "float64") -> list[Trial]:
    """What comes of one fault, where the diagnosis knows of this one alone."""
    return [
        found
        for exhibit in run.exhibits(name, dtype)
        for found in trial.trials(exhibit, [fault], [fault])
    ]


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_that_shows_is_caught(name: str) -> None:
    found = audit([name])
    assert [str(one) for one in found.failures] == []
    assert found.trials
    assert (found.exit_code, found.complete) == (0, False)


@pytest.mark.parametrize("name", ["xor", "Linear", "Tanh"])
def test_every_fault_that_shows_is_caught_in_float32(name: str) -> None:
    found = audit([name], "float32")
    assert [str(one) for one in found.failures] == []
    assert found.trials


@pytest.mark.parametrize("dtype", DTYPES)
def test_fault_is_located_at_its_own_site(dtype: str) -> None:
    found = of("xor", FAULTS["Linear: input gradient scaled"], dtype)
    assert {one.site: one.quantity for one in found} == {
        "0": "gradient at input",
        "2": "gradient at 1",
        "everywhere": "gradient at 1",
    }
    assert all(one.passed for one in found)


def test_case_that_cannot_show_a_fault_does_not_pass_it() -> None:
    """With lr 1 it makes no difference that it is applied twice."""
    name = "SGD: learning rate applied twice"
    found = audit(["xor"])
    assert name in found.fitting
    assert name in found.hidden
    assert found.of(name) == ()
    assert FAULTS[name].needs == "lr other than 1"


# The audit can fail.


def wrong_output() -> Fault:
    return Fault("Tanh: too large", "", "Tanh", output(lambda y: 1.1 * y), "output", "", "")


def test_fault_that_changes_nothing_is_not_shown() -> None:
    nothing = Fault("Tanh: right", "", "Tanh", output(lambda y: y), "output", "")
    assert of("Tanh", nothing) == []
    assert [one.passed for one in of("Tanh", wrong_output())].count(False) == 0


def test_fault_that_says_wrongly_what_it_spoils_is_mislocated() -> None:
    found = of("Tanh", replace(wrong_output(), spoils="dx"))
    assert found
    assert all(one.detected and not one.located for one in found)
    assert "where it is not" in str(found[0])


def test_fault_that_the_diagnosis_does_not_know_is_misnamed() -> None:
    known = [FAULTS["Tanh: derivative missing"]]
    found = [
        one
        for exhibit in run.exhibits("Tanh", "float64")
        for one in trial.trials(exhibit, [wrong_output()], known)
    ]
    assert found
    assert all(one.detected and one.located and not one.named for one in found)
    assert "was named as nothing" in str(found[0])


def test_fault_among_four_that_explain_alike_is_misnamed() -> None:
    alike = [replace(wrong_output(), name=f"Tanh: {number}") for number in range(4)]
    (exhibit, *_) = run.exhibits("Tanh", "float64")
    (four,) = trial.trials(exhibit, alike[:1], alike)
    (three,) = trial.trials(exhibit, alike[:1], alike[:3])
    assert (len(four.names), four.named) == (4, False)
    assert (len(three.names), three.named) == (3, True)


def test_check_that_is_blinded_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    def blind(self: meter.Meter, epoch: int, actual: object, *rest: object) -> Array:
        return np.zeros(1)

    monkeypatch.setattr(meter.Meter, "add", blind)
    found = of("Tanh", wrong_output())
    assert found
    assert not any(one.detected for one in found)
    assert "was not detected" in str(found[0])


def test_tolerance_that_lets_everything_pass_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compare.measure.tolerances.MULTIPLE", 1e18)
    assert of("Tanh", wrong_output()) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({}, 0),
        ({"check": ""}, 1),
        ({"located": False}, 1),
        ({"names": ("another",)}, 1),
        ({"names": ("Tanh: derivative missing", "b", "c", "d")}, 1),
    ],
)
def test_exit_code(change: dict[str, object], code: int) -> None:
    name = "Tanh: derivative missing"
    right = Trial(name, "Tanh", "", "float64", "0", "lockstep", 1, "output", True, (name,))
    found = Audit("float64", ("Tanh",), (name,), (replace(right, **change),))  # type: ignore[arg-type]
    assert found.exit_code == code


def test_fault_that_nothing_shows_fails_the_whole_audit_only() -> None:
    name = "Tanh: derivative missing"
    one = Trial(name, "Tanh", "", "float64", "0", "lockstep", 1, "output", True, (name,))
    assert Audit("float64", ("Tanh",), tuple(FAULTS), (one,)).exit_code == 0
    assert Audit("float64", run.NAMES, tuple(FAULTS), (one,)).exit_code == 1
    assert Audit("float64", ("Tanh",), (name,), ()).exit_code == 4


def test_exhibit_that_is_wrong_without_a_fault_is_no_exhibit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    right = Tanh.forward
    monkeypatch.setattr(Tanh, "forward", lambda *args: (right(*args)[0] * 2, right(*args)[1]))
    result = cli("audit", "--case", "Tanh")
    assert result.exit_code == 3
    assert "Tanh disagrees without any fault" in result.stderr


# Where faults are planted.


def test_planting_leaves_the_right_one_untouched() -> None:
    network = MLP((2, 3, 1), "tanh")
    fault = FAULTS["Linear: input gradient scaled"]
    parts = {"network": network}
    assert [site.path for site in sites(fault, parts)] == ["0", "2", None]
    wrong = planted(fault, Site("network", "2"), parts)["network"]
    assert type(wrong.children()["0"]) is Linear
    assert type(wrong.children()["2"]) is not Linear
    assert type(network.children()["2"]) is Linear


# The command.


def test_command_prints_the_matrix_and_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "audit.json"
    result = cli("audit", "--case", "Tanh", "--json", str(path))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("every fault caught: float64")
    assert "Tanh: derivative missing" in result.stdout
    found = json.loads(path.read_text(encoding="utf-8"))
    assert found["verdict"] == "caught"
    assert found["passed"] == found["trials"] == len(found["matrix"])
    assert set(found["matrix"][0]) >= {"fault", "check", "epoch", "quantity", "names"}


def test_command_refuses_what_it_does_not_know() -> None:
    assert cli("audit", "--case", "nonsense").exit_code == 2
    assert cli("audit", "--dtype", "float16").exit_code == 2


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A diagnosis that knows nothing."""
    monkeypatch.setattr(catalogue.Search, "found", lambda self: [])


@pytest.mark.usefixtures("failing")
def test_command_exits_with_1_on_a_failure() -> None:
    result = cli("audit", "--case", "Tanh")
    assert result.exit_code == 1
    assert result.stdout.startswith("NOT every fault caught")
    assert "! Tanh: derivative missing" in result.stdout


@pytest.mark.parametrize("width", [30, 60, 200])
def test_matrix_fits_any_terminal(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    found = audit(["Tanh"])
    draw(document(found), Console(width=width))
    lines = capsys.readouterr().out.splitlines()
    assert ("from 100 columns on" in " ".join(" ".join(lines).split())) == (width < 100)
    if width > 30:
        assert all(len(line) <= width for line in lines if not line.startswith(headline(found)))
    assert len(lines) > len({one.fault for one in found.trials})
