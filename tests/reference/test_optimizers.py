"""Every update rule beside its twin in ``torch.optim``, step by step."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch

import reference
from reference import SGD, Adagrad, Adam, Optimizer
from tests.support.optimizer_checks import PRECISIONS, Options, Run
from torch_impl import eager_optimizers


def grid(*choices: list[Options]) -> list[Options]:
    """Every combination of one from each of these choices."""
    return [
        {key: value for options in picked for key, value in options.items()}
        for picked in product(*choices)
    ]


def either(name: str, *values: Any) -> list[Options]:
    """The choice of one option's value."""
    return [{name: value} for value in values]


BOTH = (False, True)
DECAY: list[Options] = [
    {},
    {"weight_decay": 0.3},
    {"maximize": True},
    {"weight_decay": 0.3, "maximize": True},
]
BETAS: list[Options] = [{"lr": 0.01}, {"lr": 0.01, "betas": (0.4, 0.7), "eps": 1e-3}]
MOMENTUM: list[Options] = [
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "dampening": 0.3},
    {"momentum": 0.9, "nesterov": True},
]
RATES: list[Options] = [{"lr_decay": 0.2, "eps": 1e-3}, {"initial_accumulator_value": 0.5}, {}]
AVERAGING: list[Options] = [{}, {"lambd": 0.1, "alpha": 0.5}, {"t0": 10.0}]

GRIDS: dict[str, list[Options]] = {
    "SGD": [*grid(either("lr", 0.1), MOMENTUM, DECAY), {"lr": 0.1, "weight_decay": 1.0}],
    "Adagrad": grid(either("lr", 0.1), RATES, DECAY),
    "Adadelta": grid([{}, {"lr": 0.3, "rho": 0.5, "eps": 1e-3}], DECAY),
    "RMSprop": grid(
        [{}, {"alpha": 0.6, "eps": 1e-3}],
        either("momentum", 0.0, 0.9),
        either("centered", *BOTH),
        DECAY,
    ),
    "Adam": grid(BETAS, either("amsgrad", *BOTH), DECAY)
    + grid([{"lr": 0.01, "betas": (0.0, 0.9)}], DECAY)
    + grid(BETAS, either("decoupled_weight_decay", True), DECAY),
    "AdamW": grid(BETAS, either("amsgrad", *BOTH), DECAY),
    "Adamax": grid(BETAS, DECAY),
    "NAdam": grid(BETAS, either("momentum_decay", 4e-3, 0.5), DECAY)
    + grid(BETAS, either("decoupled_weight_decay", True), DECAY),
    "RAdam": grid([*BETAS, {"lr": 0.01, "betas": (0.9, 0.9)}], DECAY)
    + grid(BETAS, either("decoupled_weight_decay", True), DECAY),
    "Rprop": grid(
        [{}, {"etas": (0.3, 2.0)}, {"step_sizes": (5e-3, 0.02)}], either("maximize", *BOTH)
    ),
    "ASGD": grid(AVERAGING, DECAY),
}


def make(name: str, options: Options, **more: Any) -> Optimizer:
    optimizer: Optimizer = getattr(reference, name)(**options, **more)
    return optimizer


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("name", GRIDS)
def test_agrees_with_torch_after_every_step(name: str, precision: str) -> None:
    for seed, options in enumerate(GRIDS[name]):
        optimizer = make(name, options)
        Run(optimizer, name, options, None, PRECISIONS[precision], True, seed).check()


@pytest.mark.parametrize("name", GRIDS)
def test_agrees_with_torch_after_many_steps_of_its_own(name: str) -> None:
    """In float64 alone: what is carried on is of the dtype that each single step gives."""
    for seed, options in enumerate(GRIDS[name]):
        optimizer = make(name, options)
        Run(optimizer, name, options, None, PRECISIONS["float64"], False, seed).check()


@pytest.mark.parametrize("name", GRIDS)
def test_defaults_are_those_of_torch(name: str) -> None:
    with eager_optimizers():
        twin = getattr(torch.optim, name)([torch.nn.Parameter(torch.zeros(2))])
    options = make(name, {}).groups[0].options
    expected = {key: value for key, value in twin.defaults.items() if key in options}
    assert options == expected
    left_out = twin.defaults.keys() - options.keys()
    assert left_out <= {"foreach", "capturable", "differentiable", "fused"}


GROUPS: dict[str, list[Options]] = {
    "SGD": [
        {"momentum": 0.5, "weight_decay": 0.1},
        {"lr": 0.3},
        {"nesterov": True, "momentum": 0.9},
    ],
    "Adagrad": [{"lr_decay": 0.3}, {"lr": 0.3}, {"eps": 1e-2}],
    "Adadelta": [{"rho": 0.4}, {"lr": 0.3}, {"eps": 1e-2}],
    "RMSprop": [{"centered": True}, {"lr": 0.3}, {"momentum": 0.5}],
    "Adam": [{"amsgrad": True}, {"lr": 0.3}, {"betas": (0.5, 0.6)}],
    "AdamW": [{"amsgrad": True}, {"lr": 0.3}, {"weight_decay": 0.0}],
    "Adamax": [{"betas": (0.5, 0.6)}, {"lr": 0.3}, {"eps": 1e-2}],
    "NAdam": [{"momentum_decay": 0.4}, {"lr": 0.3}, {"weight_decay": 0.1}],
    "RAdam": [{"betas": (0.5, 0.8)}, {"lr": 0.3}, {"decoupled_weight_decay": True}],
    "Rprop": [{"etas": (0.3, 1.5)}, {"lr": 0.3}, {"step_sizes": (1e-3, 0.1)}],
    "ASGD": [{"t0": 3.0}, {"lr": 0.3}, {"lambd": 0.2}],
}


@pytest.mark.parametrize("lockstep", [True, False], ids=["lockstep", "free"])
@pytest.mark.parametrize("name", GROUPS)
def test_groups_agree_with_torch(name: str, lockstep: bool) -> None:
    first, second, rest = GROUPS[name]
    groups = [
        {"params": ["0.bias", "scale"], **first},
        rest,  # without params: the others
        {"params": ["1.weight"], **second},
    ]
    options = {"lr": 0.02, "maximize": True}
    optimizer = make(name, options, groups=groups)
    Run(optimizer, name, options, groups, lockstep=lockstep).check()


@pytest.mark.parametrize("name", GRIDS)
def test_inputs_stay_as_they_are(name: str) -> None:
    optimizer = make(name, {"maximize": True})
    rng = np.random.default_rng(0)
    params, state = {"w": rng.normal(size=(2, 3))}, None
    for _ in range(3):
        grads = {"w": rng.normal(size=(2, 3))}
        state = optimizer.init(params) if state is None else state
        given = [params["w"], grads["w"], *state.get("w", {}).values()]
        copies = [array.copy() for array in given]
        for array in given:
            array.flags.writeable = False
        params, state = optimizer.step(params, grads, state)
        for array, copy in zip(given, copies, strict=True):
            np.testing.assert_array_equal(array, copy)
            made = [params["w"], *state.get("w", {}).values()]
            assert not any(np.shares_memory(array, one) for one in made)
        assert not any(np.shares_memory(params["w"], one) for one in state.get("w", {}).values())


@pytest.mark.parametrize("dtype", ["float32", "float64", "longdouble"])
@pytest.mark.parametrize("name", GRIDS)
def test_keeps_the_dtype(name: str, dtype: str) -> None:
    optimizer = make(name, {})
    params = {"w": np.linspace(-1, 1, 6).reshape(2, 3).astype(dtype)}
    state = optimizer.init(params)
    for _ in range(3):
        params, state = optimizer.step(params, {"w": params["w"] ** 2}, state)
    for array in (params["w"], *state.get("w", {}).values()):
        assert array.dtype == np.dtype(dtype)


@pytest.mark.parametrize("name", GRIDS)
def test_an_ensemble_is_its_networks_one_by_one(name: str) -> None:
    optimizer, rng = make(name, {}), np.random.default_rng(1)
    stacked, grads = {"w": rng.normal(size=(4, 2, 3))}, rng.normal(size=(5, 4, 2, 3))
    alone = [{"w": stacked["w"][i]} for i in range(4)]
    state, states = optimizer.init(stacked), [optimizer.init(one) for one in alone]
    for g in grads:
        stacked, state = optimizer.step(stacked, {"w": g}, state)
        for i in range(4):
            alone[i], states[i] = optimizer.step(alone[i], {"w": g[i]}, states[i])
    np.testing.assert_array_equal(stacked["w"], [one["w"] for one in alone])


REFUSED: list[tuple[str, Options, str]] = [
    *((name, {"lr": -0.1}, "lr is -0.1, but should be at least 0") for name in GRIDS),
    *((name, {"lr": float("nan")}, "lr is nan, but should be at least 0") for name in GRIDS),
    *((name, {"weight_decay": -1.0}, "weight_decay is -1.0") for name in GRIDS if name != "Rprop"),
    *(
        (name, {"betas": betas}, f"betas is {betas}".replace("(", r"\(").replace(")", r"\)"))
        for name in ("Adam", "AdamW", "Adamax", "NAdam", "RAdam")
        for betas in ((1.0, 0.9), (0.9, 1.0), (-0.1, 0.9), (0.9, -0.1))
    ),
    *(
        (name, {"eps": -1e-8}, "eps is -1e-08")
        for name in GRIDS
        if name not in ("SGD", "Rprop", "ASGD")
    ),
    ("SGD", {"momentum": -0.5}, "momentum is -0.5, but should be at least 0"),
    ("SGD", {"nesterov": True}, "momentum is 0.0, but should be above 0 for nesterov"),
    ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "dampening is 0.1"),
    ("Adagrad", {"lr_decay": -1.0}, "lr_decay is -1.0"),
    ("Adagrad", {"initial_accumulator_value": -1.0}, "initial_accumulator_value is -1.0"),
    ("Adadelta", {"rho": 1.1}, "rho is 1.1, but should be between 0 and 1"),
    ("RMSprop", {"alpha": -0.1}, "alpha is -0.1"),
    ("RMSprop", {"momentum": -0.1}, "momentum is -0.1"),
    ("NAdam", {"momentum_decay": -0.1}, "momentum_decay is -0.1"),
    ("Rprop", {"etas": (1.0, 1.2)}, "etas is "),
    ("Rprop", {"etas": (0.5, 0.9)}, "etas is "),
    ("Rprop", {"etas": (0.0, 1.2)}, "etas is "),
    ("Adam", {"betas": 0.9}, "betas is 0.9, but should be two numbers"),
    ("Adam", {"betas": ("a", 0.9)}, "betas is "),
    ("RAdam", {"eps": "a"}, "eps is 'a', but should be a number"),
    ("AdamW", {"weight_decay": None}, "weight_decay is None, but should be a number"),
    *((name, {"lr": "a"}, "lr is 'a', but should be a number") for name in GRIDS),
]


@pytest.mark.parametrize(("name", "options", "message"), REFUSED)
def test_refuses_what_torch_refuses(name: str, options: Options, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{name}: {message}"):
        make(name, options)
    with pytest.raises(ValueError, match=f"^{name}: {message}"):
        make(name, {}, groups=[options])
    if not any(value != value for value in options.values()):  # PyTorch takes NaN here and there
        with eager_optimizers(), pytest.raises((ValueError, TypeError)):
            getattr(torch.optim, name)([torch.nn.Parameter(torch.zeros(2))], **options)


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([{"momentun": 0.9}], "SGD: has no option 'momentun', but only lr, momentum"),
        ([{"params": "w"}], "SGD: params is 'w', but should be a list of names"),
        ([{"params": ["w"]}, {"params": ["w"]}], r"SGD: \['w'\] are in two groups"),
        ([{}, {"lr": 1.0}], "SGD: two groups have no params"),
    ],
)
def test_refuses_groups_that_make_no_sense(groups: list[Options], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        SGD(0.1, groups=groups)


def test_the_group_of_all_others_may_come_first() -> None:
    optimizer = SGD(0.1, groups=[{"lr": 0.5}, {"params": ["b"], "lr": 2.0}])
    params = {"w": np.ones(2), "b": np.ones(1)}
    stepped, _ = optimizer.step(params, {"w": np.ones(2), "b": np.ones(1)}, {})
    np.testing.assert_array_equal(stepped["w"], [0.5, 0.5])
    np.testing.assert_array_equal(stepped["b"], [-1.0])


@pytest.mark.parametrize("kind", [SGD, Adagrad])
@pytest.mark.parametrize(
    ("groups", "message"),
    [
        ([{"params": ["w"]}], r"\['b'\] are in no group"),
        ([{"params": ["v"]}, {}], r"groups name \['v'\], but the parameters are \['w', 'b'\]"),
    ],
)
def test_refuses_groups_that_do_not_fit(
    groups: list[Options], message: str, kind: type[SGD | Adagrad]
) -> None:
    optimizer, params = kind(0.1, groups=groups), {"w": np.ones(2), "b": np.ones(1)}
    with pytest.raises(ValueError, match=f"^{kind.__name__}: {message}"):
        optimizer.init(params)
    with pytest.raises(ValueError, match=f"^{kind.__name__}: {message}"):
        optimizer.step(params, {}, {})


def test_refuses_another_accumulator_for_one_group() -> None:
    with pytest.raises(ValueError, match="Adagrad: initial_accumulator_value is"):
        Adagrad(groups=[{"initial_accumulator_value": 2.0}])


@pytest.mark.parametrize(
    ("grads", "changes", "message"),
    [
        ({"w": np.ones(3)}, None, r"Adam: the gradient of 'w' has shape \(3,\), but should have"),
        ({"v": np.ones(2)}, None, "Adam: 'v' has a gradient but is no parameter"),
        ({"w": np.ones(2)}, [{}, {}], "Adam: changes are for 2 groups, but should be for 1"),
        ({"w": np.ones(2)}, [{"momentum": 1.0}], "Adam: has no option 'momentum'"),
    ],
)
def test_refuses_steps_that_do_not_fit(grads: Any, changes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Adam().step({"w": np.ones(2)}, grads, {}, changes)


@pytest.mark.parametrize("name", GRIDS)
def test_extreme_gradients(name: str) -> None:
    """Finite and, but for the smallest numbers, warning-free at ±1e3, 1e-30 and 0."""
    optimizer = make(name, {})
    params = {"w": np.array([1e3, -1e3, 0.0, 1e-30], np.float32)}
    state = optimizer.init(params)
    with np.errstate(all="raise", under="ignore"):
        for sign in (1, 1, -1):
            grads = {"w": np.array([sign * 1e3, 1e3, 0.0, 1e-30], np.float32)}
            params, state = optimizer.step(params, grads, state)
    assert all(np.isfinite(array).all() for array in (params["w"], *state.get("w", {}).values()))
