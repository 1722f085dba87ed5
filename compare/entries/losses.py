"""Losses, each with every reduction."""

from __future__ import annotations

from typing import Any

from compare.entries.entry import Draw, Entry, Variant, x

Options = dict[str, Any]

REDUCTIONS = ("none", "mean", "sum")

#: A weight for each of three classes or features; tuples become arrays.
_W = (0.3, 2.0, 0.7)
_UP = (0.7, 2.0, 0.3)


def _entry(
    name: str,
    words: str,
    *pairs: tuple[Options, tuple[Draw, ...]],
    reductions: tuple[str, ...] = REDUCTIONS,
    differentiable: tuple[int, ...] = (0,),
) -> Entry:
    variants = tuple(
        Variant(inputs, options | {"reduction": reduction}, strided=number == 1)
        for reduction in reductions
        for number, (options, inputs) in enumerate(pairs)
    )
    return Entry(name, "loss", f"every reduction, {words}", variants, differentiable)


_REAL = x(5, 3), x(5, 3)
_COLUMN = x(5, 1), x(5, 1)
_CUBE = x(2, 4, 3), x(2, 4, 3)
_TIES = x(4, 3, kind="ties"), x(4, 3, kind="ties")
_EXTREME = x(4, 3, kind="extreme"), x(4, 3)
_UNIT = x(5, 3, kind="unit"), x(5, 3, kind="unit")
_CERTAIN = x(5, 3, kind="certain"), x(5, 3, kind="unit")
_LOGITS = x(5, 3, scale=3.0), x(5, 3, kind="unit")
_WILD = x(6, 3, kind="extreme"), x(6, 3, kind="unit")
_CLASSES = x(5, 3, scale=2.0), x(5, kind="index", count=3)
_IMAGE = x(2, 3, 4), x(2, 4, kind="index", count=3)
_IGNORED = x(6, 3), x(6, kind="some ignored", count=3)
_WILD_CLASSES = x(6, 3, kind="extreme"), x(6, kind="index", count=3)
_SOFT = x(4, 3, scale=2.0), x(4, 3, kind="distribution")
_LOGS = x(4, 3, kind="log-distribution"), x(4, 3, kind="distribution")
_BOTH_LOGS = x(4, 3, kind="log-distribution"), x(4, 3, kind="log-distribution")
_ONE = x(1, 3, scale=2.0), x(1, kind="index", count=3)
_ALONE = x(4, scale=2.0), x(kind="index", count=4)
_SOFT_IMAGE = x(2, 3, 4, scale=2.0), x(2, 3, 4, kind="distribution", axis=1)
_WILD_SOFT = x(5, 3, kind="extreme"), x(5, 3, kind="distribution")
_ONE_LOG = x(1, 3, kind="log-distribution"), x(1, 3, kind="zeros distribution")
_SIGNED_TIES = x(6, kind="ties"), x(6, kind="sign")
_ONE_PAIR = x(3), x(3), x(kind="sign")
_NOTHING = x(4, 3, kind="zeros", scale=0.0), x(4, 3), x(4, kind="sign")
_ONE_TRIPLE = x(1, 3), x(1, 3), x(1, 3)
_TRIPLE_TIES = x(4, 3, kind="ties"), x(4, 3, kind="ties"), x(4, 3, kind="ties")
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
        "samples, one output and several, ties, ±1e3",
        ({}, _REAL),
        ({}, _CUBE),
        ({}, _TIES),
        ({}, _EXTREME),
        ({}, _COLUMN),
    ),
    _entry(
        "L1Loss",
        "samples, one output and several, ties, ±1e3",
        ({}, _REAL),
        ({}, _CUBE),
        ({}, _TIES),
        ({}, _EXTREME),
        ({}, _COLUMN),
    ),
    _entry(
        "SmoothL1Loss",
        "beta (0 too), ties, ±1e3",
        ({}, _REAL),
        ({"beta": 0.3}, _CUBE),
        ({"beta": 0.0}, _TIES),
        ({}, _EXTREME),
    ),
    _entry(
        "HuberLoss",
        "delta, one output and several, ties, ±1e3",
        ({}, _REAL),
        ({"delta": 0.4}, _CUBE),
        ({"delta": 0.75}, _TIES),
        ({}, _EXTREME),
        ({}, _COLUMN),
    ),
    _entry(
        "BCELoss",
        "weight, probabilities near 0 and 1, samples (1, many)",
        ({}, _UNIT),
        ({"weight": _W}, _UNIT),
        ({}, _CERTAIN),
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
        "weight, ignored samples, places, samples (none, 1, many)",
        ({}, _CLASSES),
        ({"weight": _W}, _IMAGE),
        ({"weight": _W}, _IGNORED),
        ({}, _ONE),
        ({"weight": (0.3, 2.0, 0.7, 1.4)}, _ALONE),
    ),
    _entry(
        "CrossEntropyLoss",
        "classes and probabilities, weight, ignored samples, label smoothing, places, samples "
        "(none, 1, many), logits of ±1e3",
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
    ),
    _entry(
        "KLDivLoss",
        "targets as probabilities, some of them 0, and as logarithms, samples (1, many)",
        ({}, _LOGS),
        ({"log_target": True}, _BOTH_LOGS),
        ({}, _ONE_LOG),
        reductions=(*REDUCTIONS, "batchmean"),
    ),
    _entry(
        "HingeEmbeddingLoss",
        "margin, ties, ±1e3",
        ({}, _SIGNED),
        ({"margin": 0.4}, _SIGNED),
        ({"margin": 0.5}, _SIGNED_TIES),
        ({}, (x(9, kind="extreme"), x(9, kind="sign"))),
    ),
    _entry(
        "MultiMarginLoss",
        "p, margin, weight, samples (none, 1, many), ties, ±1e3",
        ({}, _CLASSES),
        ({"p": 2, "margin": 2.5, "weight": _W}, _CLASSES),
        ({"p": 2, "margin": 9.0}, _ALONE),
        ({"margin": 9.0}, _ONE),
        ({"margin": 0.5}, (x(5, 3, kind="ties"), x(5, kind="index", count=3))),
        ({}, _WILD_CLASSES),
    ),
    _entry(
        "CosineEmbeddingLoss",
        "margin of either sign, samples (none, many), vectors of 0",
        ({}, _PAIRS),
        ({"margin": 0.3}, _PAIRS),
        ({"margin": -0.4}, _PAIRS),
        ({"margin": -1.0}, _ONE_PAIR),
        ({}, _NOTHING),
        differentiable=(0, 1),
    ),
    _entry(
        "TripletMarginLoss",
        "p (1, 2, 3.5), margin, eps, swap, samples (1, many), ties",
        ({}, _TRIPLES),
        ({"margin": 2.5, "eps": 1e-3}, _TRIPLES),
        ({"p": 3.5, "swap": True}, _TRIPLES),
        ({"margin": 9.0}, _ONE_TRIPLE),
        ({"p": 1.0, "margin": 4.0}, _TRIPLES),
        ({"margin": 2.5}, _TRIPLE_TIES),
        differentiable=(0, 1, 2),
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
