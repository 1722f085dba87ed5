"""The comparisons of optimizers fail on what people get wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import reference
from compare.faults import FAULTS
from reference import SGD, Adam, Array, Optimizer, Params
from tests.reference.test_optimizer_formulas import (
    Formula,
    adagrad,
    adam,
    assert_follows,
    reached,
    rmsprop,
    sgd,
)
from tests.support.optimizer_checks import Options, Run

Step = tuple[Array, Params]

MOMENTUM: Options = {"lr": 0.1, "momentum": 0.9}
LR_INSIDE = "SGD: learning rate inside the buffer"

CASES: list[tuple[str, Options]] = [
    ("Adam: eps inside the root", {}),
    ("Adam: eps before the correction", {}),
    ("Adam: no bias correction", {}),
    ("Adam: count not kept", {}),
    ("Adam: count from 0", {}),
    ("Adam: count one ahead", {}),
    ("Adam: one count for all parameters", {}),
    ("Adam: corrected m kept", {}),
    ("Adam: moments reset", {}),
    ("AdamW: coupled decay for decoupled", {"weight_decay": 0.1}),
    ("Adam: decoupled decay for coupled", {"weight_decay": 0.1}),
    ("AdamW: decoupled decay not scaled by lr", {"weight_decay": 0.1}),
    ("Adam: amsgrad of the corrected v", {"amsgrad": True, "lr": 0.01}),
    ("Adagrad: eps inside the root", {}),
    ("RMSprop: eps inside the root", {}),
    ("Adamax: eps outside the maximum", {}),
    ("NAdam: momentum not warmed up", {}),
    ("SGD: learning rate inside the buffer", MOMENTUM),
    ("SGD: first gradient damped", MOMENTUM | {"dampening": 0.5}),
    ("SGD: Nesterov along the old buffer", MOMENTUM | {"nesterov": True}),
    ("SGD: maximize ignored", {"lr": 0.1, "maximize": True}),
    ("SGD: decay climbs too", {"lr": 0.1, "maximize": True, "weight_decay": 0.1}),
]


def planted(fault: str, options: Options) -> Optimizer:
    """A rule with a fault of the catalogue."""
    rule: Optimizer = getattr(reference, FAULTS[fault].owner)(**options)
    return FAULTS[fault].plant(rule)


@pytest.mark.parametrize("lockstep", [True, False], ids=["lockstep", "free"])
@pytest.mark.parametrize(("fault", "options"), CASES)
def test_comparison_with_torch_fails(fault: str, options: Options, lockstep: bool) -> None:
    with pytest.raises(AssertionError, match=r"step .* (differs|has)"):
        Run(planted(fault, options), FAULTS[fault].owner, options, lockstep=lockstep).check()


class LrInsideBufferHidden(SGD):
    """Sutskever's form, b = μb + lr·g, with a buffer that looks right."""

    last: Params = {}  # noqa: RUF012 (replaced, never changed)

    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        b = o.momentum * self.last.get(str(g.shape), 0 * p) + o.lr * g
        self.last = self.last | {str(g.shape): b}
        return p - b, super().update(p, g, held, o)[1]


def test_comparison_of_a_free_run_fails_where_only_parameters_show_it() -> None:
    options: Options = {"lr": 0.1, "momentum": 0.9}
    with pytest.raises(AssertionError, match=r"parameter .* differs"):
        Run(LrInsideBufferHidden(**options), "SGD", options, lockstep=False).check()


def test_lr_inside_the_buffer_is_no_fault_while_the_rate_is_constant() -> None:
    """So the comparison owes its finding to the rate that changes."""

    class Constant(Run):
        def changes(self, t: int) -> list[Options]:
            return [{} for _ in self.optimizer.groups]

    options: Options = {"lr": 0.1, "momentum": 0.9}
    with pytest.raises(AssertionError, match=r"state of .* differs"):
        Constant(planted(LR_INSIDE, options), "SGD", options, lockstep=False).check()
    right, wrong = (
        reached(SGD(**options), "float64"),
        reached(planted(LR_INSIDE, options), "float64"),
    )
    np.testing.assert_allclose(wrong, right, rtol=1e-14)


SMALL: Options = {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-8, "amsgrad": False}
DECAYED: Options = SMALL | {"weight_decay": 0.1}


@pytest.mark.parametrize(
    ("fault", "options", "formula"),
    [
        *(
            (fault, SMALL | {"weight_decay": 0.0, "decoupled_weight_decay": False}, adam)
            for fault in (
                "Adam: eps inside the root", "Adam: eps before the correction",
                "Adam: no bias correction", "Adam: count one ahead",
            )
        ),
        ("Adam: count not kept", DECAYED | {"decoupled_weight_decay": False}, adam),
        ("Adam: decoupled decay for coupled", DECAYED | {"decoupled_weight_decay": False}, adam),
        ("Adagrad: eps inside the root",
         {"lr": 0.1, "lr_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10}, adagrad),
        ("RMSprop: eps inside the root",
         {"lr": 0.1, "alpha": 0.9, "eps": 1e-8, "momentum": 0.0, "centered": False}, rmsprop),
        ("SGD: first gradient damped",
         {"lr": 0.1, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.2}, sgd),
    ],
)  # fmt: skip
def test_comparison_with_the_paper_fails(fault: str, options: Options, formula: Formula) -> None:
    with np.errstate(all="ignore"), pytest.raises(AssertionError):
        assert_follows(planted(fault, options), options, formula, "float64")


def test_missing_and_superfluous_state_is_found() -> None:
    class Silent(Adam):
        def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
            p, after = super().update(p, g, held, o)
            return p, {key: value for key, value in after.items() if key != "exp_avg"}

    with pytest.raises(AssertionError, match=r"state of .* has .* but should have"):
        Run(Silent(), "Adam", {}).check()
    with pytest.raises(AssertionError, match="state has"):
        Run(reference.SGD(1e-3), "Adam", {}).check()


def test_nan_is_found() -> None:
    class Broken(SGD):
        def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
            return p * np.nan, held

    with pytest.raises(AssertionError, match="differs by nan"):
        Run(Broken(0.1), "SGD", {"lr": 0.1}).check()
