"""Networks that share memory, with each other or within one, are found out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from compare import CannotCompare, Verdict, compare
from compare.cases.registry import DTYPES
from compare.sides.torch_side import TorchSide
from reference import Array, HalfSquaredErrorLoss, Model, Params, gradients
from tests.support.noise import noise_case


def keep(model: Model, params: Params) -> None:
    """Take the arrays themselves, not copies."""
    model.params, model.state = params, model.optimizer.init(params)


def share(side: TorchSide, weights: dict[str, Array]) -> None:
    """Let the parameters be the arrays."""
    for name, parameter in side.network.named_parameters():
        parameter.data = torch.from_numpy(weights[name])


def test_two_sides_that_share_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    case = noise_case(monkeypatch)
    monkeypatch.setattr(Model, "load_state_dict", keep)
    assert compare(case).agrees
    monkeypatch.setattr(TorchSide, "load_weights", share)
    with pytest.raises(CannotCompare, match=r"'0.weight' and tensor '0.weight' share memory"):
        compare(case)


def step_in_place(model: Model, x: Array, target: Array) -> float:
    """Update the parameters where they are."""
    value, grads = gradients(model.network, model.loss, model.params, x, target)
    for name, param in model.params.items():
        param -= 0.3 * grads[name]
    return float(value)


@pytest.mark.parametrize("dtype", DTYPES)
def test_layers_that_share_weights_by_aliasing(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    """One array for both biases, all alike at first: each is given the other's updates, too.

    One step from the same start is right, so only the free run can see it.
    """
    case = noise_case(
        monkeypatch, arguments={"sizes": (3, 2, 2), "activation": "tanh"}, init="ones"
    )
    monkeypatch.setattr(Model, "step", step_in_place)
    assert compare(case, dtype=dtype).verdict is Verdict.AGREE
    right = Model.load_state_dict

    def load(model: Model, params: Params) -> None:
        right(model, params)
        model.params["2.bias"] = model.params["0.bias"]

    monkeypatch.setattr(Model, "load_state_dict", load)
    report = compare(case, dtype=dtype)
    assert report.verdict is Verdict.DISAGREE
    first = report.first_divergence
    assert first is not None
    assert (first.check, first.epoch) == ("free run", 1)
    assert {"parameter 0.bias", "parameter 2.bias"} <= {f.quantity for f in report.failures}


@pytest.mark.parametrize("dtype", DTYPES)
def test_gradients_that_are_never_reset(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    """Right in the first step, too long from the second on: again a matter of the free run."""
    case = noise_case(monkeypatch, batch_size=None)
    total: dict[int, Any] = {}

    def accumulate(model: Model, x: Array, target: Array) -> float:
        value, grads = gradients(model.network, model.loss, model.params, x, target)
        held = total.get(id(model), dict.fromkeys(grads, 0))
        total[id(model)] = {name: held[name] + grad for name, grad in grads.items()}
        model.params, _ = model.optimizer.step(model.params, total[id(model)], model.state)
        return float(value)

    monkeypatch.setattr(Model, "step", accumulate)
    report = compare(case, dtype=dtype)
    assert report.verdict is Verdict.DISAGREE
    assert {failure.check for failure in report.failures} == {"free run"}
    assert {failure.epoch for failure in report.failures} == {2, 3}
    first = report.first_divergence
    assert first is not None
    assert (first.quantity, first.epoch) == ("parameter 0.weight", 2)


def test_half_squared_error_does_not_alias_its_prediction() -> None:
    y, target = np.ones((3, 2)), np.zeros((3, 2))
    loss = HalfSquaredErrorLoss()
    assert not np.shares_memory(loss.backward(loss.forward(y, target)[1]), y)
