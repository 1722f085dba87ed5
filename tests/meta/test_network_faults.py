"""Faults that only whole trainings can have are found, and the first wrong quantity is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

import reference
from compare import Verdict, compare
from compare.cases.network_cases import NETWORK_CASES, NORMS
from compare.cases.registry import DTYPES
from compare.sides import reference_side
from reference import Array, Model, Params
from reference.optim import rule

Method = Callable[..., Any]


@dataclass(frozen=True)
class Fault:
    """A change to something of the reference's training.

    Attributes:
        case: where it shows.
        owner: whose attribute is changed.
        name: of the attribute.
        change: gives the wrong one for the right one.
        first: how the name of the first wrong quantity begins.
        epoch: when it is first wrong.
    """

    case: str
    owner: Any
    name: str
    change: Callable[[Method], Method]
    first: str
    epoch: int = 1


def without_its_eps(right: Method) -> Method:
    def clip(grads: Params, max_norm: float, **options: Any) -> Any:
        norm = right(grads, max_norm, **options)[1]
        c = np.minimum(max_norm / norm, 1.0)
        shapes = {name: c.shape + (1,) * (g.ndim - c.ndim) for name, g in grads.items()}
        return {name: g * c.reshape(shapes[name]) for name, g in grads.items()}, norm

    return clip


def per_tensor(right: Method) -> Method:
    def clip(grads: Params, max_norm: float, **options: Any) -> Any:
        alone = {name: right({name: g}, max_norm, **options)[0][name] for name, g in grads.items()}
        return alone, right(grads, max_norm, **options)[1]

    return clip


def squared_norm(right: Method) -> Method:
    def clip(grads: Params, max_norm: float, **options: Any) -> Any:
        clipped, norm = right(grads, max_norm, **options)
        return clipped, norm * norm

    return clip


def stepped_before_the_update(right: Method) -> Method:
    def update(self: reference.UpdateRule, params: Params, clipped: Params, progress: Any) -> Any:
        assert self.schedule is not None
        position = self.schedule.step(progress.position)
        return right(self, params, clipped, replace(progress, position=position))

    return update


def mask_of_its_own(right: Method) -> Method:
    def forward(self: reference.Dropout, params: Params, x: Array, **options: Any) -> Any:
        return right(self, {}, x, **options)

    return forward


def biased(right: Method) -> Method:
    """The running variance moves towards the variance that x̂ was made with."""

    def buffers(self: Any, params: Params, cache: Any) -> Params:
        xhat, root, rank, (mean, variance) = cache
        count = xhat.size // self.num_features
        found: Params = right(
            self, params, (xhat, root, rank, (mean, variance * ((count - 1) / count)))
        )
        return found

    return buffers


def last_step_alone(right: Method) -> Method:
    def backward(self: reference.CharLSTM, params: Params, cache: Any, dy: Array) -> Any:
        return right(self, params, cache, dy * (np.arange(dy.shape[-1]) == dy.shape[-1] - 1))

    return backward


def decaying_the_norms(right: Method) -> Method:
    return lambda case, network: right(
        replace(case, groups=({"params": NORMS}, {})) if case.groups else case, network
    )


FAULTS = {
    "schedule not stepped": Fault(
        "gpt", reference.SequentialLR, "step", lambda right: lambda self, p: p, "learning rate", 2
    ),
    "cosine not stepped": Fault(
        "lenet", reference.CosineAnnealingLR, "step", lambda right: lambda self, p: p,
        "learning rate", 2,
    ),
    "learning rate of the next step": Fault(
        "gpt", reference.UpdateRule, "update", stepped_before_the_update, "parameter "
    ),
    "clipped each by its own norm": Fault("gpt", rule, "clip_grad_norm", per_tensor, "clipped "),
    "clipping without its eps": Fault(
        "gpt", rule, "clip_grad_norm", without_its_eps, "clipped "
    ),
    "norm without its root": Fault(
        "char-rnn", rule, "clip_grad_norm", squared_norm, "norm of gradients"
    ),
    "entries not clipped": Fault(
        "diabetes", rule, "clip_grad_value", lambda right: lambda grads, most: grads, "clipped "
    ),
    "masks ignored": Fault(
        "lenet", reference.Dropout, "_scaled", lambda right: lambda self, x, kept: x, "activation 9"
    ),
    "masks of its own": Fault(
        "lenet", reference.Dropout, "forward", mask_of_its_own, "activation 9"
    ),
    "running variance biased": Fault(
        "diabetes", reference.BatchNorm1d, "buffers", biased, "buffer 1.running_var"
    ),
    "running statistics forget too fast": Fault(
        "diabetes", reference.BatchNorm1d, "_weight", lambda right: lambda self, tracked: 0.9,
        "buffer 1.running_mean",
    ),
    "gradient at the last step alone": Fault(
        "char-lstm",
        reference.CharLSTM,
        "backward",
        last_step_alone,
        "gradient at linear",
    ),
    "norms decay": Fault("gpt", reference_side, "rule_of", decaying_the_norms, "parameter "),
    "error of the code doubled": Fault(
        "autoencoder", reference.Sigmoid, "backward",
        lambda right: lambda self, p, y, dy: (2 * dy * y * (1 - y), {}), "gradient at decoder.2",
    ),
}  # fmt: skip

#: What a tolerance for float32 cannot tell from rounding.
SMALL = {"clipping without its eps", "norms decay"}


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", FAULTS)
def test_fault_is_found_and_named(monkeypatch: pytest.MonkeyPatch, name: str, dtype: str) -> None:
    fault = FAULTS[name]
    right = getattr(fault.owner, fault.name)
    monkeypatch.setattr(fault.owner, fault.name, fault.change(right))
    report = compare(fault.case, epochs=fault.epoch, dtype=dtype)
    if name in SMALL and dtype == "float32":
        assert report.agrees
        return
    assert report.verdict is Verdict.DISAGREE
    first = report.first_divergence
    assert first is not None
    assert (first.check, first.epoch) == ("lockstep", fault.epoch)
    assert first.quantity.startswith(fault.first), first.quantity


def test_every_case_of_a_network_is_shown_to_fail() -> None:
    assert {fault.case for fault in FAULTS.values()} == {case.name for case in NETWORK_CASES}


@pytest.mark.usefixtures("verdict_alone")
@pytest.mark.parametrize("name", ["char-rnn", "gpt"])
def test_gradients_of_the_step_before(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """What is carried from step to step only the free run can see."""

    def accumulating(model: Model, x: Array, target: Array) -> float:
        value, grads = reference.gradients(model.network, model.loss, model.params, x, target)
        held = getattr(model, "held", {})
        vars(model)["held"] = {n: grad + held.get(n, 0) for n, grad in grads.items()}
        model.params, model.state = model.optimizer.step(
            model.params, vars(model)["held"], model.state
        )
        return float(value)

    monkeypatch.setattr(Model, "step", accumulating)
    report = compare(name, epochs=1)
    assert report.verdict is Verdict.DISAGREE
    assert {failure.check for failure in report.failures} == {"free run"}
