"""Update rules and schedules."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

from compare.catalogue.entries.entry import Entry, Variant

Options = dict[str, Any]

_DECAY: tuple[Options, ...] = ({}, {"weight_decay": 0.3, "maximize": True})
_BETAS: tuple[Options, ...] = ({"lr": 0.01}, {"lr": 0.01, "betas": (0.4, 0.7), "eps": 1e-3})
_VARIES = "several tensors, two groups, options that change, zero and absent gradients, maximize"

#: What the first of two groups has for itself.
_OWN: Options = {"lr": 0.2, "weight_decay": 0.1, "maximize": True}


def _rule(name: str, words: str, *choices: tuple[Options, ...], own: Options) -> Entry:
    """Every combination of one of each choice; and two groups, of which one has its own options."""
    combined = [
        {key: value for one in picked for key, value in one.items()} for picked in product(*choices)
    ]
    groups: tuple[Options, ...] = ({"params": ("0.weight", "2.weight"), **own}, {})
    variants = tuple(
        Variant(options=options) for options in (*combined, combined[0] | {"groups": groups})
    )
    words += ", weight decay" * (_DECAY in choices)
    return Entry(name, "optimizer", f"{words}, {_VARIES}", variants)


OPTIMIZERS = (
    _rule(
        "SGD",
        "momentum, dampening, Nesterov",
        ({"lr": 0.1},),
        (
            {},
            {"momentum": 0.9},
            {"momentum": 0.9, "dampening": 0.3},
            {"momentum": 0.9, "nesterov": True},
        ),
        _DECAY,
        own=_OWN | {"momentum": 0.5},
    ),
    _rule(
        "Adagrad",
        "lr_decay, eps, first accumulator",
        ({"lr": 0.1},),
        ({}, {"lr_decay": 0.2, "eps": 1e-3}, {"initial_accumulator_value": 0.5}),
        _DECAY,
        own=_OWN | {"lr_decay": 0.3},
    ),
    _rule(
        "Adadelta",
        "rho, eps",
        ({}, {"lr": 0.3, "rho": 0.5, "eps": 1e-3}),
        _DECAY,
        own=_OWN | {"rho": 0.7},
    ),
    _rule(
        "RMSprop",
        "alpha, eps, momentum, centred",
        ({}, {"alpha": 0.6, "eps": 1e-3, "momentum": 0.9}),
        ({"centered": False}, {"centered": True}),
        _DECAY,
        own=_OWN | {"alpha": 0.8, "momentum": 0.5},
    ),
    *(
        _rule(
            name,
            "betas, eps, amsgrad",
            _BETAS,
            ({}, {"amsgrad": True}),
            _DECAY,
            own=_OWN | {"betas": (0.5, 0.8), "amsgrad": True},
        )
        for name in ("Adam", "AdamW")
    ),
    _rule("Adamax", "betas, eps", _BETAS, _DECAY, own=_OWN | {"betas": (0.5, 0.8)}),
    _rule(
        "NAdam",
        "betas, eps, momentum decay, decoupled decay",
        _BETAS,
        ({}, {"momentum_decay": 0.5}, {"decoupled_weight_decay": True}),
        _DECAY,
        own=_OWN | {"momentum_decay": 0.2},
    ),
    _rule(
        "RAdam",
        "betas, eps, decoupled decay",
        (*_BETAS, {"lr": 0.1, "betas": (0.4, 0.9), "eps": 0.1}),  # the last is soon rectified
        ({}, {"decoupled_weight_decay": True}),
        _DECAY,
        own=_OWN | {"betas": (0.4, 0.9)},
    ),
    _rule(
        "Rprop",
        "factors and limits of the step",
        ({}, {"etas": (0.3, 2.0)}, {"step_sizes": (5e-3, 0.02)}),
        ({}, {"maximize": True}),
        own={"lr": 0.2, "etas": (0.3, 2.0), "maximize": True},
    ),
    _rule(
        "ASGD",
        "lambda, alpha, t0",
        ({}, {"lambd": 0.1, "alpha": 0.5}, {"t0": 2.0}),
        _DECAY,
        own=_OWN | {"lambd": 0.2},
    ),
)


def _wave(count: int) -> float:
    return 1.5 + math.sin(count)


def _fall(count: int) -> float:
    return 0.9**count


def _schedule(name: str, words: str, *options: Options, of_adam: Options | None = None) -> Entry:
    variants = tuple(Variant(options=one) for one in options)
    if of_adam is not None:
        variants += (Variant(options=of_adam, given={"optimizer": "Adam"}),)
    return Entry(name, "schedule", f"{words}; two groups, 60 counts", variants)


SCHEDULES = (
    _schedule("StepLR", "step, gamma", {"step_size": 7}, {"step_size": 1, "gamma": 0.97}),
    _schedule(
        "MultiStepLR",
        "milestones (twice the same, 0), gamma",
        {"milestones": [3, 20, 20, 40], "gamma": 0.3},
        {"milestones": [0, 10]},
    ),
    _schedule("ExponentialLR", "gamma below and above 1", {"gamma": 0.97}, {"gamma": 1.01}),
    _schedule(
        "LinearLR",
        "first and last factor",
        {},
        {"start_factor": 0.01, "total_iters": 45},
        {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 33},
    ),
    _schedule(
        "CosineAnnealingLR",
        "half periods longer and shorter than the run, least rate",
        {"T_max": 100},
        {"T_max": 13, "eta_min": 1e-4},
    ),
    _schedule(
        "CosineAnnealingWarmRestarts",
        "periods that stay and that grow, least rate",
        {"T_0": 10},
        {"T_0": 7, "T_mult": 2, "eta_min": 1e-4},
    ),
    _schedule("PolynomialLR", "power", {}, {"total_iters": 45, "power": 2.5}),
    _schedule(
        "LambdaLR",
        "any function of the count, one for each group",
        {"lr_lambda": _wave},
        {"lr_lambda": [_wave, _fall]},
    ),
    _schedule(
        "OneCycleLR",
        "cosine and linear, two and three phases, rates and momenta by group, momentum and betas "
        "and neither, length by steps and by epochs",
        {"max_lr": 0.5, "total_steps": 60, "cycle_momentum": False},
        {"max_lr": [0.5, 0.2], "total_steps": 60, "pct_start": 0.4, "base_momentum": [0.8, 0.7]},
        {
            "max_lr": [0.5, 0.3],
            "epochs": 6,
            "steps_per_epoch": 10,
            "anneal_strategy": "linear",
            "three_phase": True,
            "max_momentum": [0.9, 0.95],
            "div_factor": 10.0,
            "final_div_factor": 100.0,
        },
        of_adam={"max_lr": 0.1, "total_steps": 60},
    ),
    _schedule(
        "SequentialLR",
        "two and three schedules",
        {
            "schedulers": [
                ("LinearLR", {"start_factor": 0.1, "total_iters": 9}),
                ("CosineAnnealingLR", {"T_max": 20, "eta_min": 1e-3}),
            ],
            "milestones": [10],
        },
        {
            "schedulers": [
                ("ExponentialLR", {"gamma": 0.9}),
                ("MultiStepLR", {"milestones": [0, 5], "gamma": 0.5}),
                ("StepLR", {"step_size": 7}),
            ],
            "milestones": [10, 30],
        },
    ),
    _schedule(
        "ReduceLROnPlateau",
        "mode, threshold (relative and absolute), patience, cooldown, least rate (by group too), "
        "eps, metrics just as good and such as are no number",
        {"patience": 2},
        {"mode": "max", "patience": 1, "cooldown": 3, "threshold_mode": "abs", "min_lr": 1e-3},
        {"patience": 1, "threshold": 0.25},
        {"mode": "max", "patience": 1, "threshold": 0.25, "min_lr": [0.1, 0.01]},
        {"patience": 1, "threshold": 0.25, "threshold_mode": "abs"},
        {"mode": "max", "patience": 1, "threshold": 0.25, "threshold_mode": "abs", "factor": 0.5},
        {"patience": 0, "factor": 0.9, "eps": 0.02},
        {"patience": 0, "factor": 0.5, "eps": 0.35},  # by which the second rate would fall
    ),
)
