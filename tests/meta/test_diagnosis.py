"""A disagreement is explained by the fault that was planted, and by none where none fits."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

import reference
from benchmarks import diagnosis
from compare.cases.registry import CASES, DTYPES, adapt
from compare.diagnosis import diagnose
from compare.diagnosis.explain import explain
from compare.diagnosis.planting.places import Site, planted
from compare.diagnosis.planting.replay_network import SideStage, side_of
from compare.faults import FAULTS
from compare.measure.tolerances import make
from compare.process.budget import Budget, TimeUp
from compare.results.cause import Cause
from compare.results.report import Report
from compare.sides.feed import Feed
from compare.sides.pair import Pair, build
from compare.training import session as session_module
from compare.training.module import compare_module
from compare.training.session import NO_CAUSE, Session
from compare.twins.modules import register_twin
from reference import Array, Linear, Params
from tests.cli.test_readme import README
from tests.support.checks import ROOT, process

Placed = tuple[str, Site]

EVERYWHERE = Site("network", None)


def report(name: str, *faults: Placed, dtype: str = "float64", epochs: int = 3) -> Report:
    """A comparison whose reference has these faults."""
    case = adapt(CASES[name], epochs=epochs, dtype=dtype)
    pair = build(case)
    parts: Mapping[str, Any] = SideStage(pair.reference, []).parts
    for fault, site in faults:
        parts = planted(FAULTS[fault], site, parts)
    wrong = Pair(side_of(pair.reference, parts), pair.torch)
    with pair.torch.training(), torch.enable_grad(), np.errstate(all="ignore"):
        session = Session(case, make(None), wrong, Feed(case), right=lambda: build(case).reference)
        session.train()
        return session.report()


ONE = [
    ("xor", "Linear: bias gradient averaged", EVERYWHERE),
    ("xor", "Sigmoid: derivative missing", Site("network", "1")),
    ("xor-tanh", "Linear: input gradient scaled", Site("network", "2")),
    ("xor-relu", "SGD: update uphill", Site("optimizer")),
    ("digits", "Tanh: derivative missing", Site("network", "1")),
]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("case", "fault", "site"), ONE)
def test_fault_is_named_where_it_is(case: str, fault: str, site: Site, dtype: str) -> None:
    found = report(case, (fault, site), dtype=dtype)
    place = f" (at {site.path})" if site.path else ""
    place = " (in every such layer)" if site.path is None else place
    assert not found.agrees
    assert found.unexplained == ""
    assert fault + place in [cause.name for cause in found.causes]
    (cause,) = [cause for cause in found.causes if cause.name == fault + place]
    assert cause.remedy == FAULTS[fault].remedy
    assert cause.match <= 1
    assert set(cause.tensors) <= set(build(CASES[case]).reference.weights())
    assert cause.tensors


def test_two_faults_are_named_together() -> None:
    bias, sign = "Linear: bias gradient averaged", "Sigmoid: derivative missing"
    found = report("xor", (bias, Site("network", "2")), (sign, Site("network", "1")))
    names = [cause.name for cause in found.causes]
    assert any(bias in name and sign in name and " and " in name for name in names)


def test_cause_is_told_everywhere() -> None:
    found = report("xor", ("Linear: bias gradient averaged", EVERYWHERE))
    console = Console(width=200, record=True, file=io.StringIO())
    found.show(console)
    sentence = "cause: Linear: bias gradient averaged (in every such layer)"
    assert sentence in console.export_text()
    assert sentence in found._repr_html_()
    told = json.loads(found.to_json())["causes"]
    assert told[0]["name"] == "Linear: bias gradient averaged (in every such layer)"


def test_readme_shows_what_is_told() -> None:
    found = report("xor", ("Linear: bias gradient averaged", EVERYWHERE), epochs=100)
    console = Console(width=2000, record=True, file=io.StringIO())
    found.show(console)
    (shown,) = re.findall(r"^  cause: .*$", README, re.MULTILINE)
    assert shown in [line.rstrip() for line in console.export_text().splitlines()]


def test_what_nothing_explains_is_told_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A gradient that is wrong in a way that nobody has thought of."""
    right = Linear.backward

    def odd(self: Linear, params: Params, cache: Any, dy: Array) -> Any:
        dx, grads = right(self, params, cache, dy)
        weight = grads["weight"]
        wave = np.sin(np.arange(weight.size)).reshape(weight.shape).astype(weight.dtype)
        return dx, grads | {"weight": weight + 0.01 * wave}

    case = adapt(CASES["xor-tanh"], epochs=2)
    monkeypatch.setattr(Linear, "backward", odd)
    found = session_module.run(case, make(None))
    assert found.causes == ()
    assert found.unexplained == NO_CAUSE


def test_diagnosis_that_raises_costs_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(*args: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(diagnose, "diagnose", raises)
    found = report("xor", ONE[0][1:])
    assert not found.agrees
    assert found.unexplained == "could not be found out: RuntimeError: no"


def test_diagnosis_without_time_costs_no_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session_module, "time_for_it", lambda began: Budget(0.0))
    found = report("xor", ONE[0][1:])
    assert not found.agrees
    assert found.causes == ()
    assert found.unexplained == "not found in the time there was, 0 seconds"


class Few(Budget):
    """Time for so many turns."""

    turns = 5

    def require(self) -> None:
        self.turns -= 1
        if self.turns < 0:
            raise TimeUp


def test_what_the_numbers_tell_is_told_though_the_catalogue_was_not_searched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = report("xor", ("Linear: bias gradient averaged", EVERYWHERE))
    monkeypatch.setattr(session_module, "time_for_it", lambda began: Few())
    found = report("xor", ("Linear: bias gradient averaged", EVERYWHERE))
    assert len(whole.causes) > len(found.causes) > 0
    assert found.causes == whole.causes[-len(found.causes) :]
    assert found.unexplained == ""


def test_agreement_has_no_cause() -> None:
    found = report("xor")
    assert found.agrees
    assert (found.causes, found.unexplained) == ((), "")


# Modules of one's own.


class _Wrong(torch.autograd.Function):
    """tanh, whose derivative is left out."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.tanh()

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        return grads[0]


class OwnTanh(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = _Wrong.apply(x)  # type: ignore[no-untyped-call]
        return y


register_twin(OwnTanh, lambda own: reference.Tanh())


def test_fault_of_pytorchs_side_is_named_as_its() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(3, 4), OwnTanh(), nn.Linear(4, 2)).double()
        data = torch.randn(6, 3).double(), torch.randn(6, 2).double()
    found = compare_module(
        module, data, nn.MSELoss(), torch.optim.SGD(module.parameters(), lr=0.1), epochs=2
    )
    (cause,) = [one for one in found.causes if one.name.startswith("Tanh: derivative missing")]
    assert "of PyTorch's side" in cause.told


def explained(fault: str, site: Site, factor: float = 1.0) -> list[Cause]:
    """What is said of the gradients that a wrong network gives."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).double()
    rng = np.random.default_rng(0)
    params = {name: p.detach().numpy() for name, p in module.named_parameters()}
    x, target = rng.standard_normal((6, 3)), rng.standard_normal((6, 2))
    network = reference.Sequential(Linear(3, 4), reference.Tanh(), Linear(4, 2))
    parts: dict[str, Any] = {"network": network, "loss": reference.MSELoss()}
    if fault:
        parts = planted(FAULTS[fault], site, parts)
    _, grads = reference.gradients(parts["network"], parts["loss"], params, x, target)
    grads = {name: factor * g for name, g in grads.items()}
    allowed = {name: np.full(g.shape, 1e-12) for name, g in grads.items()}
    return explain(module, nn.MSELoss(), params, x, target, grads, allowed)


@pytest.mark.parametrize(
    ("fault", "site"),
    [
        ("Tanh: derivative missing", Site("network", "1")),
        ("Linear: bias gradient averaged", EVERYWHERE),
        ("Linear: sign of the input gradient", Site("network", "2")),
    ],
)
def test_gradients_alone_are_explained(fault: str, site: Site) -> None:
    assert any(cause.name.startswith(fault) for cause in explained(fault, site))


def test_right_gradients_need_no_explanation() -> None:
    assert explained("", EVERYWHERE) == []


def test_one_factor_on_all_gradients_is_read_from_the_numbers() -> None:
    several = explained("", EVERYWHERE, factor=6.0)
    assert any(cause.convention for cause in several)


def test_example_of_the_page_runs() -> None:
    page = (ROOT / "docs" / "audit.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    done = process(example)
    assert (done.returncode, done.stderr) == (0, "")
    assert "never trained" in done.stdout


# Random networks: `python -m benchmarks.diagnosis` takes more of them.


@pytest.mark.parametrize("first", range(0, 48, 12))
def test_nothing_is_named_on_right_networks(first: int) -> None:
    named = {seed: diagnosis.named_on_right(seed) for seed in range(first, first + 12)}
    assert {seed: found for seed, found in named.items() if found} == {}


def test_random_pairs_are_detected_and_named() -> None:
    tried = [one for one in map(diagnosis.pair, range(6)) if one is not None]
    assert len(tried) >= 3
    assert all(one.detected for one in tried)
    assert 2 * sum(one.named for one in tried) >= len(tried)
