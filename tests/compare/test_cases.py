"""Every case agrees, in every dtype, on every quantity."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from compare import CASES, UsageError, Verdict, compare
from compare.cases.datasets import DATASETS, load
from compare.cases.network_cases import NETWORK_CASES
from compare.cases.registry import ACTIVATIONS, DTYPES, LARGEST_SEED, adapt, find
from compare.sides.reference_side import initial_weights, network_of
from tests.support.noise import noise_case

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


@each_dtype
@pytest.mark.parametrize("name", CASES)
def test_case_agrees(name: str, dtype: str) -> None:
    report = compare(name, epochs=3, dtype=dtype)
    assert report.failures == ()
    assert report.first_divergence is None
    assert report.undecided == ()
    assert report.verdict is Verdict.AGREE
    assert report.agrees
    assert report.case == dataclasses.replace(CASES[name], epochs=3, dtype=dtype)


@each_dtype
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", ["HalfSquaredErrorLoss", "MSELoss"])
def test_networks_of_other_shapes_agree(
    monkeypatch: pytest.MonkeyPatch, loss: str, activation: str, seed: int, dtype: str
) -> None:
    case = noise_case(monkeypatch, loss=loss, seed=seed)
    report = compare(case, hidden=(5, 3), activation=activation, batch_size=2, dtype=dtype)
    assert report.failures == ()
    assert report.undecided == ()
    assert report.agrees


def test_quantities_are_those_of_a_step_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    report = compare(noise_case(monkeypatch))
    assert [metrics.quantity for metrics in report.lockstep] == [
        *(f"activation {layer}" for layer in range(4)),
        "loss",
        "gradient at 3",
        "gradient at 2",
        "gradient 2.weight",
        "gradient 2.bias",
        "gradient at 1",
        "gradient at 0",
        "gradient 0.weight",
        "gradient 0.bias",
        "gradient at input",
        "parameter 0.weight",
        "parameter 0.bias",
        "parameter 2.weight",
        "parameter 2.bias",
    ]


def test_quantities_of_the_free_run(monkeypatch: pytest.MonkeyPatch) -> None:
    report = compare(noise_case(monkeypatch))
    assert {metrics.quantity for metrics in report.free_run} == {
        "loss",
        "parameter 0.weight",
        "parameter 0.bias",
        "parameter 2.weight",
        "parameter 2.bias",
    }


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": -1}, "batch_size is -1"),
        ({"hidden": (3, 0)}, "hidden is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"seed": 2**63}, f"seed is {2**63}, but should be at most"),
        ({"lockstep_every": 0}, "lockstep_every is 0"),
        ({"lockstep_every": "3"}, "lockstep_every is '3', but should be a whole number"),
        ({"dtype": "float16"}, "'float16'"),
        ({"activation": "softsign"}, "'softsign'"),
        ({"lr": 0.0}, "lr is 0.0"),
        ({"lr": -1.0}, "lr is -1.0"),
        ({"lr": float("nan")}, "lr is nan"),
        ({"lr": float("inf")}, "lr is inf"),
        ({"lr": 1e300, "dtype": "float32"}, "float32 cannot hold"),
        ({"rtol": 1e-3}, "rtol and atol"),
        ({"atol": 1e-3}, "rtol and atol"),
        ({"rtol": -1e-3, "atol": 0.0}, "rtol is -0.001"),
        ({"rtol": 0.0, "atol": float("nan")}, "atol is nan"),
    ],
)
def test_what_is_out_of_range_is_refused(settings: dict[str, object], named: str) -> None:
    with pytest.raises(UsageError, match=named):
        compare("xor", **settings)  # type: ignore[arg-type]


def test_unknown_case_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError, match=r"'nor'.*xor, xor-tanh"):
        compare("nor")
    with pytest.raises(UsageError, match="no case is called 3"):
        compare(3)  # type: ignore[arg-type]


def test_the_largest_seed_is_taken_by_both_sides() -> None:
    assert compare("lenet", epochs=1, seed=LARGEST_SEED).agrees


def test_line_has_no_hidden_layer() -> None:
    for settings in ({"hidden": (3,)}, {"activation": "tanh"}):
        with pytest.raises(UsageError, match="no hidden layer"):
            adapt(find("line"), **settings)


def test_adapt_changes_what_it_is_told_and_nothing_else() -> None:
    changed = adapt(find("digits"), hidden=(5, 4), activation="relu", seed=7, lr=0.25)
    assert changed.arguments == {"sizes": (64, 5, 4, 10), "activation": "relu"}
    assert (changed.seed, changed.lr) == (7, 0.25)
    assert adapt(find("digits")) == CASES["digits"]
    assert CASES["digits"].arguments["sizes"] == (64, 32, 10)


@pytest.mark.parametrize("name", CASES)
def test_data_fit_the_network(name: str) -> None:
    case = CASES[name]
    data = load(case)
    assert len(data.inputs) == len(data.targets)
    outputs = network_of(case).forward(initial_weights(case), data.inputs[:3])[0]
    assert outputs.dtype == np.dtype(case.dtype)
    if data.targets.dtype.kind == "i":
        return  # the loss refuses those that do not fit
    assert data.inputs.dtype == data.targets.dtype == np.dtype(case.dtype)
    assert outputs.shape == data.targets[:3].shape
    if case in NETWORK_CASES:
        return
    sizes = case.arguments.get("sizes", (1, 1))
    assert (data.inputs.shape[1], data.targets.shape[1]) == (sizes[0], sizes[-1])


def test_digits() -> None:
    data = load(CASES["digits"])
    assert data.inputs.shape == (1797, 64)
    assert data.inputs.min() == 0
    assert data.inputs.max() == 1
    np.testing.assert_array_equal(data.targets.sum(axis=1), 1)


def test_every_case_has_its_data() -> None:
    assert {case.data for case in CASES.values()} <= set(DATASETS)
