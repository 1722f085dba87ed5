"""The comparisons of optimizers fail on what people get wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import reference
from reference import SGD, Adam, Array, Optimizer, Params
from tests.reference.optimizer_checks import Options, Run
from tests.reference.optimizer_faults import (
    AmsgradOfCorrected,
    CorrectedWrittenBack,
    CorrectionWithoutPower,
    CountedAhead,
    CountedForAllTogether,
    CountedFromZero,
    CoupledForDecoupled,
    DampedFirstStep,
    DecayBeforeSign,
    DecayNotScaledByLr,
    DecoupledForCoupled,
    Descending,
    EpsBeforeCorrection,
    EpsInsideAdagrad,
    EpsInsideAdam,
    EpsInsideRMSprop,
    EpsOutsideMaximum,
    Forgetful,
    LrInsideBuffer,
    LrInsideBufferHidden,
    NesterovsOtherForm,
    NoCorrection,
    OwnMomentumForBoth,
    Step,
)
from tests.reference.test_optimizer_formulas import (
    Formula,
    adagrad,
    adam,
    assert_follows,
    reached,
    rmsprop,
    sgd,
)

MOMENTUM: Options = {"lr": 0.1, "momentum": 0.9}
FAULTS: list[tuple[type[Optimizer], str, Options]] = [
    (EpsInsideAdam, "Adam", {}),
    (EpsBeforeCorrection, "Adam", {}),
    (NoCorrection, "Adam", {}),
    (CorrectionWithoutPower, "Adam", {}),
    (CountedFromZero, "Adam", {}),
    (CountedAhead, "Adam", {}),
    (CountedForAllTogether, "Adam", {}),
    (CorrectedWrittenBack, "Adam", {}),
    (Forgetful, "Adam", {}),
    (CoupledForDecoupled, "AdamW", {"weight_decay": 0.1}),
    (DecoupledForCoupled, "Adam", {"weight_decay": 0.1}),
    (DecayNotScaledByLr, "AdamW", {"weight_decay": 0.1}),
    (AmsgradOfCorrected, "Adam", {"amsgrad": True, "lr": 0.01}),
    (EpsInsideAdagrad, "Adagrad", {}),
    (EpsInsideRMSprop, "RMSprop", {}),
    (EpsOutsideMaximum, "Adamax", {}),
    (OwnMomentumForBoth, "NAdam", {}),
    (LrInsideBuffer, "SGD", MOMENTUM),
    (DampedFirstStep, "SGD", MOMENTUM | {"dampening": 0.5}),
    (NesterovsOtherForm, "SGD", MOMENTUM | {"nesterov": True}),
    (Descending, "SGD", {"lr": 0.1, "maximize": True}),
    (DecayBeforeSign, "SGD", {"lr": 0.1, "maximize": True, "weight_decay": 0.1}),
]  # fmt: skip


@pytest.mark.parametrize("lockstep", [True, False], ids=["lockstep", "free"])
@pytest.mark.parametrize(("faulty", "name", "options"), FAULTS)
def test_comparison_with_torch_fails(
    faulty: Callable[..., Optimizer], name: str, options: Options, lockstep: bool
) -> None:
    with pytest.raises(AssertionError, match=r"step .* (differs|has)"):
        Run(faulty(**options), name, options, lockstep=lockstep).check()


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
        Constant(LrInsideBuffer(**options), "SGD", options, lockstep=False).check()
    right, wrong = reached(SGD(**options), "float64"), reached(LrInsideBuffer(**options), "float64")
    np.testing.assert_allclose(wrong, right, rtol=1e-14)


SMALL: Options = {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-8, "amsgrad": False}
DECAYED: Options = SMALL | {"weight_decay": 0.1}


@pytest.mark.parametrize(
    ("faulty", "options", "formula"),
    [
        *(
            (faulty, SMALL | {"weight_decay": 0.0, "decoupled_weight_decay": False}, adam)
            for faulty in (EpsInsideAdam, EpsBeforeCorrection, NoCorrection, CountedAhead)
        ),
        (CorrectionWithoutPower, DECAYED | {"decoupled_weight_decay": False}, adam),
        (DecoupledForCoupled, DECAYED | {"decoupled_weight_decay": False}, adam),
        (EpsInsideAdagrad,
         {"lr": 0.1, "lr_decay": 0.0, "initial_accumulator_value": 0.0, "eps": 1e-10}, adagrad),
        (EpsInsideRMSprop,
         {"lr": 0.1, "alpha": 0.9, "eps": 1e-8, "momentum": 0.0, "centered": False}, rmsprop),
        (DampedFirstStep,
         {"lr": 0.1, "momentum": 0.8, "dampening": 0.3, "weight_decay": 0.2}, sgd),
    ],
)  # fmt: skip
def test_comparison_with_the_paper_fails(
    faulty: Callable[..., Optimizer], options: Options, formula: Formula
) -> None:
    with np.errstate(all="ignore"), pytest.raises(AssertionError):
        assert_follows(faulty(**options), options, formula, "float64")


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
