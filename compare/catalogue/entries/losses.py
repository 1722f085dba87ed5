"""Losses, each with every reduction."""

from __future__ import annotations

import math
from typing import Any

from compare.catalogue.entries.entry import Draw, Entry, Variant, x

Options = dict[str, Any]

REDUCTIONS = ("none", "mean", "sum")

#: A weight for each of three classes or features; tuples become arrays.
_W = (0.3, 2.0, 0.9)
_UP = (0.7, 2.0, 0.3)


def _entry(
    name: str,
    words: str,
    *pairs: tuple[Options, tuple[Draw, ...]],
    reductions: tuple[str, ...] = REDUCTIONS,
    differentiable: tuple[int, ...] = (0,),
    further: tuple[Variant, ...] = (),
) -> Entry:
    variants = tuple(
        Variant(inputs, options | {"reduction": reduction}, strided=number == 1)
        for reduction in reductions
        for number, (options, inputs) in enumerate(pairs)
    )
    words = f"every reduction, {words}"
    return Entry(name, "loss", words, (*variants, *further), differentiable)


def given(*shape: int, values: tuple[float, ...]) -> Draw:
    """An array of these numbers, over and over."""
    return Draw(shape, "given", values=values)


#: Differences from 1 of 0, of ¾ and just beside it, to either side; and the same for two of them.
_CORNERS = given(4, 3, values=(1.0, 1.75, 0.25, 1.75048828125)), given(4, 3, values=(1.0,))

#: Certain predictions, right and wrong, and such as are beyond a guard of 1e-12 or e^−100.
_SURE = (
    given(
        4, 3, values=(0.0, 1.0, 0.0, 1.0, 1e-13, 1 - 1e-13, 1e-50, 1e-30, 0.25, 0.5, 1e-11, 0.75)
    ),
    given(4, 3, values=(1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0, 0.5, 0.125)),
)

_REAL = x(5, 3), x(5, 3)
_COLUMN = x(5, 1), x(5, 1)
_CUBE = x(2, 4, 3), x(2, 4, 3)
_ONE_ROW = x(1, 4), x(1, 4)
_EXTREME = x(4, 3, kind="extreme"), x(4, 3)
_UNIT = x(5, 3, kind="unit"), x(5, 3, kind="unit")
_CERTAIN = x(5, 3, kind="certain"), x(5, 3, kind="unit")
_LOGITS = x(5, 3, scale=3.0), x(5, 3, kind="unit")
_WILD = x(6, 3, kind="extreme"), x(6, 3, kind="unit")
_CLASSES = x(5, 3, scale=2.0), x(5, kind="index", count=3)
_IMAGE = x(2, 3, 4), x(2, 4, kind="index", count=3)
_IGNORED = x(6, 3), x(6, kind="some ignored", count=3)
_IGNORED_PLACES = x(2, 3, 4), x(2, 4, kind="some ignored", count=3)
_ALL_IGNORED = x(4, 3), given(4, values=(-100,))
_HIDDEN = given(4, 3, values=(0.5, -1.0, -math.inf)), given(4, values=(0, 1))
_WILD_CLASSES = x(6, 3, kind="extreme"), x(6, kind="index", count=3)
_SOFT = x(4, 3, scale=2.0), x(4, 3, kind="distribution")
_LOGS = x(4, 3, kind="log-distribution"), x(4, 3, kind="distribution")
_BOTH_LOGS = x(4, 3, kind="log-distribution"), x(4, 3, kind="log-distribution")
_ONE = x(1, 3, scale=2.0), x(1, kind="index", count=3)
_ALONE = x(4, scale=2.0), x(kind="index", count=4)
_SOFT_IMAGE = x(2, 3, 4, scale=2.0), x(2, 3, 4, kind="distribution", axis=1)
_WILD_SOFT = x(5, 3, kind="extreme"), x(5, 3, kind="distribution")
_ONE_LOG = x(1, 3, kind="log-distribution"), x(1, 3, kind="zeros distribution")
_SIGNED_TIES = x(16, kind="ties"), x(16, kind="sign")
_ONE_PAIR = x(3), x(3), x(kind="sign")
_NOTHING = x(4, 3, kind="zeros", scale=0.0), x(4, 3), x(4, kind="sign")
_ONE_TRIPLE = x(1, 3), x(1, 3), x(1, 3)
_TRIPLE_TIES = x(4, 3, kind="ties"), x(4, 3, kind="ties"), x(4, 3, kind="ties")

#: By samples, with p = 1 and a margin of 1: a loss of exactly 0, then one of 1 whose anchor is its
#: positive, then distances from the negative that tie, then all three alike.
_TRIPLE_CORNERS = (
    given(4, 2, values=(1.0, 1.0, 2.0, 0.5, 1.0, 0.0, 0.5, 0.5)),
    given(4, 2, values=(1.0, 0.0, 2.0, 0.5, -1.0, 0.0, 0.5, 0.5)),
    given(4, 2, values=(0.0, 2.0, 2.0, 1.5, 0.0, 2.0, 0.5, 0.5)),
)
_SIGNED = x(5, 3, kind="positive"), x(5, 3, kind="sign")
_PAIRS = x(5, 4), x(5, 4), x(5, kind="sign")
_TRIPLES = x(5, 4), x(5, 4), x(5, 4)
_COUNTS = x(4, 3), x(4, 3, kind="count")
_RATES = x(4, 3, kind="positive"), x(4, 3, kind="count")
_VARIANCES = x(4, 3), x(4, 3), x(4, 3, kind="positive")
_VARIANCE = x(4, 3), x(4, 3), x(4, 1, kind="positive")

LOSSES = (
    _entry(
        "MSELoss",
        "samples (1, many), one output and several, no difference, ±1e3",
        ({}, _REAL),
        ({}, _CUBE),
        ({}, _CORNERS),
        ({}, _EXTREME),
        ({}, _COLUMN),
        ({}, _ONE_ROW),
    ),
    Entry(
        "HalfSquaredErrorLoss",
        "loss",
        "samples (1, many), one output and several, no difference, ±1e3, not contiguous",
        (
            Variant(_REAL),
            Variant(_CUBE, strided=True),
            Variant(_CORNERS),
            Variant(_EXTREME),
            Variant(_COLUMN),
            Variant(_ONE_ROW),
        ),
    ),
    _entry(
        "L1Loss",
        "samples (1, many), one output and several, no difference, ±1e3",
        ({}, _REAL),
        ({}, _CUBE),
        ({}, _CORNERS),
        ({}, _EXTREME),
        ({}, _COLUMN),
        ({}, _ONE_ROW),
    ),
    _entry(
        "SmoothL1Loss",
        "beta (0 too), no difference, one of exactly beta, ±1e3",
        ({}, _REAL),
        ({"beta": 0.3}, _CUBE),
        ({"beta": 0.0}, _CORNERS),
        ({"beta": 0.75}, _CORNERS),
        ({}, _EXTREME),
    ),
    _entry(
        "HuberLoss",
        "delta, one output and several, no difference, one of exactly delta, ±1e3",
        ({}, _REAL),
        ({"delta": 0.4}, _CUBE),
        ({"delta": 0.75}, _CORNERS),
        ({}, _EXTREME),
        ({}, _COLUMN),
    ),
    _entry(
        "BCELoss",
        "weight, probabilities near 0 and 1, guards at 0 and 1 from either side, samples (1, many)",
        ({}, _UNIT),
        ({"weight": _W}, _UNIT),
        ({}, _CERTAIN),
        ({}, _SURE),
        ({"weight": _W}, _SURE),
        ({}, (x(1, 2, 4, kind="unit"), x(1, 2, 4, kind="unit"))),
    ),
    _entry(
        "BCEWithLogitsLoss",
        "weight, pos_weight, logits of ±1e3",
        ({}, _LOGITS),
        ({"weight": _W}, _LOGITS),
        ({"weight": _W, "pos_weight": _UP}, _LOGITS),
        ({"pos_weight": _UP}, _WILD),
    ),
    _entry(
        "NLLLoss",
        "weight, ignored samples (with weights and without, another index, all of them), places, "
        "logarithms of −∞, samples (none, 1, many)",
        ({}, _CLASSES),
        ({"weight": _W}, _IMAGE),
        ({"weight": _W}, _IGNORED),
        ({}, _IGNORED),
        ({"weight": _W}, _IGNORED_PLACES),
        ({"ignore_index": 1}, _CLASSES),
        ({}, _HIDDEN),
        ({}, _ONE),
        ({"weight": (0.3, 2.0, 0.7, 1.4)}, _ALONE),
        further=(Variant(_ALL_IGNORED, {"reduction": "mean"}, undefined=True),),
    ),
    _entry(
        "CrossEntropyLoss",
        "classes and probabilities, weight, ignored samples (with weights and without, another "
        "index, all of them), label smoothing, places, samples (none, 1, many), logits of ±1e3 and "
        "−∞",
        ({}, _CLASSES),
        ({"weight": _W}, _IMAGE),
        ({"weight": _W, "label_smoothing": 0.2}, _IGNORED),
        ({"weight": _W, "label_smoothing": 0.2}, _SOFT),
        ({"label_smoothing": 0.1}, _WILD_CLASSES),
        ({}, _ONE),
        ({"label_smoothing": 0.3}, _ALONE),
        ({"weight": _W}, _SOFT_IMAGE),
        ({}, _WILD_SOFT),
        ({"ignore_index": 1}, _CLASSES),
        ({}, _IGNORED),
        ({"label_smoothing": 0.2}, _IGNORED),
        ({"weight": _W, "label_smoothing": 0.2}, _IGNORED_PLACES),
        ({}, _HIDDEN),
        further=(Variant(_ALL_IGNORED, {"reduction": "mean"}, undefined=True),),
    ),
    _entry(
        "KLDivLoss",
        "targets as probabilities (some 0) and as logarithms, samples (1, many)",
        ({}, _LOGS),
        ({"log_target": True}, _BOTH_LOGS),
        ({}, _ONE_LOG),
        reductions=(*REDUCTIONS, "batchmean"),
    ),
    _entry(
        "HingeEmbeddingLoss",
        "margin, exact corners, ±1e3",
        ({}, _SIGNED),
        ({"margin": 0.4}, _SIGNED),
        ({"margin": 0.5}, _SIGNED_TIES),
        ({}, (x(9, kind="extreme"), x(9, kind="sign"))),
    ),
    _entry(
        "MultiMarginLoss",
        "p (1, 2), margin, weight, samples (none, 1, many), ±1e3",
        ({}, _CLASSES),
        ({"p": 2, "margin": 2.5, "weight": _W}, _CLASSES),
        ({"p": 2, "margin": 9.0}, _ALONE),
        ({"margin": 9.0}, _ONE),
        ({"margin": 0.5}, (x(5, 3, kind="ties"), x(5, kind="index", count=3))),
        ({}, _WILD_CLASSES),
    ),
    _entry(
        "CosineEmbeddingLoss",
        "margin of either sign, exact corners, samples (none, many), vectors of 0",
        ({}, _PAIRS),
        ({"margin": 0.3}, _PAIRS),
        ({"margin": -0.4}, _PAIRS),
        ({"margin": -1.0}, _ONE_PAIR),
        ({}, _NOTHING),
        differentiable=(0, 1),
    ),
    _entry(
        "TripletMarginLoss",
        "p (1, 2, 3.5), margin, eps (0 too), swap, samples (1, many), no distance",
        ({}, _TRIPLES),
        ({"margin": 2.5, "eps": 1e-3}, _TRIPLES),
        ({"p": 3.5, "swap": True}, _TRIPLES),
        ({"margin": 9.0}, _ONE_TRIPLE),
        ({"p": 1.0, "margin": 4.0}, _TRIPLES),
        ({"margin": 2.5}, _TRIPLE_TIES),
        differentiable=(0, 1, 2),
        further=(
            Variant(_TRIPLE_CORNERS, {"p": 1.0, "eps": 0.0, "reduction": "none"}),
            Variant(_TRIPLE_CORNERS, {"eps": 0.0, "swap": True, "reduction": "mean"}),
        ),
    ),
    _entry(
        "PoissonNLLLoss",
        "rates and their logarithms, with and without the constant, eps, samples (1, many)",
        ({}, _COUNTS),
        ({"full": True}, _COUNTS),
        ({"log_input": False, "full": True, "eps": 1e-2}, _RATES),
        ({}, (x(1, 5), x(1, 5, kind="count"))),
    ),
    _entry(
        "GaussianNLLLoss",
        "a variance by entry and by sample, with and without the constant, eps",
        ({}, _VARIANCES),
        ({"full": True}, _VARIANCES),
        ({"eps": 0.8}, _VARIANCE),
        ({}, (x(1, 2, 3), x(1, 2, 3), x(1, 2, kind="positive"))),
        differentiable=(0, 2),
    ),
)
