"""The losses with the options under which each is checked: plain data, and inputs to fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from reference import Array

Options = dict[str, Any]
Shape = tuple[int, ...]
Draw = Callable[[np.random.Generator, Shape], list[Array]]

REDUCTIONS = ("none", "mean", "sum")

#: Class weights and weights of features, three of each.
WEIGHTS = (0.3, 2.0, 0.7)

#: Class name in ``torch.nn`` and in the reference, constructor arguments but for the reduction, and
#: which inputs (see ``DRAWS``). Tuples are arrays.
LOSSES: list[tuple[str, Options, str]] = [
    ("MSELoss", {}, "real"),
    ("L1Loss", {}, "real"),
    ("SmoothL1Loss", {}, "real"),
    ("SmoothL1Loss", {"beta": 0.3}, "real"),
    ("SmoothL1Loss", {"beta": 0.0}, "real"),
    ("HuberLoss", {}, "real"),
    ("HuberLoss", {"delta": 0.4}, "real"),
    ("BCELoss", {}, "probabilities"),
    ("BCELoss", {"weight": WEIGHTS}, "probabilities"),
    ("BCEWithLogitsLoss", {}, "logits"),
    ("BCEWithLogitsLoss", {"weight": WEIGHTS}, "logits"),
    ("BCEWithLogitsLoss", {"pos_weight": WEIGHTS}, "logits"),
    ("BCEWithLogitsLoss", {"weight": WEIGHTS, "pos_weight": WEIGHTS[::-1]}, "logits"),
    ("NLLLoss", {}, "classes"),
    ("NLLLoss", {"weight": WEIGHTS}, "classes"),
    ("NLLLoss", {}, "some ignored"),
    ("NLLLoss", {"weight": WEIGHTS, "ignore_index": 1}, "classes"),
    *[
        ("CrossEntropyLoss", options | smoothing, inputs)
        for smoothing in ({}, {"label_smoothing": 0.2})
        for options, inputs in (
            ({}, "classes"),
            ({"weight": WEIGHTS}, "classes"),
            ({}, "some ignored"),
            ({"weight": WEIGHTS, "ignore_index": 1}, "classes"),
            ({}, "distributions"),
            ({"weight": WEIGHTS}, "distributions"),
        )
    ],
    ("CrossEntropyLoss", {"label_smoothing": 1.0}, "classes"),
    ("KLDivLoss", {}, "log-probabilities"),
    ("KLDivLoss", {"log_target": True}, "both log-probabilities"),
    ("HingeEmbeddingLoss", {}, "distances"),
    ("HingeEmbeddingLoss", {"margin": 0.4}, "distances"),
    ("MultiMarginLoss", {}, "one class"),
    ("MultiMarginLoss", {"p": 2}, "one class"),
    ("MultiMarginLoss", {"margin": 0.3, "weight": WEIGHTS}, "one class"),
    ("MultiMarginLoss", {"p": 2, "margin": 2.5, "weight": WEIGHTS}, "one class"),
    ("CosineEmbeddingLoss", {}, "pairs"),
    ("CosineEmbeddingLoss", {"margin": 0.3}, "pairs"),
    ("CosineEmbeddingLoss", {"margin": -0.4}, "pairs"),
    ("TripletMarginLoss", {}, "triplets"),
    ("TripletMarginLoss", {"margin": 0.2, "eps": 1e-3}, "triplets"),
    ("TripletMarginLoss", {"swap": True}, "triplets"),
    ("TripletMarginLoss", {"p": 1.0}, "triplets"),
    ("TripletMarginLoss", {"p": 3.5, "swap": True}, "triplets"),
    ("PoissonNLLLoss", {}, "counts"),
    ("PoissonNLLLoss", {"full": True}, "counts"),
    ("PoissonNLLLoss", {"log_input": False}, "rates and counts"),
    ("PoissonNLLLoss", {"log_input": False, "full": True, "eps": 1e-2}, "rates and counts"),
    ("GaussianNLLLoss", {}, "variances"),
    ("GaussianNLLLoss", {"full": True}, "variances"),
    ("GaussianNLLLoss", {"eps": 0.8}, "variances"),
    ("GaussianNLLLoss", {}, "a variance for each sample"),
    ("GaussianNLLLoss", {}, "a variance for each row"),
    ("GaussianNLLLoss", {}, "a variance for each column"),
]

#: Each with every reduction.
REDUCED: list[tuple[str, Options, str]] = [
    (name, options | {"reduction": reduction}, inputs)
    for name, options, inputs in LOSSES
    for reduction in (*REDUCTIONS, *(["batchmean"] if name == "KLDivLoss" else []))
]

#: The inputs that have a gradient, by their position; only the first, if not named here.
DIFFERENTIABLE = {
    "CosineEmbeddingLoss": (0, 1),
    "TripletMarginLoss": (0, 1, 2),
    "GaussianNLLLoss": (0, 2),
}

#: Shapes of y, or of each vector; three features or classes, where a weight wants so many.
SHAPES: dict[str, list[Shape]] = {
    "classes": [(3,), (1, 3), (5, 3), (4, 3, 2), (2, 3, 4, 2)],
    "one class": [(3,), (1, 3), (5, 3)],
    "pairs": [(4,), (1, 4), (5, 2), (3, 7)],
    "triplets": [(4,), (1, 4), (5, 2), (2, 3, 4)],
    "a variance for each sample": [(1, 3), (4, 3), (2, 4, 3)],
    "a variance for each column": [(1, 3), (4, 3)],
    "real": [(3,), (1, 3), (5, 3), (1, 1), (2, 4, 3)],
}
SHAPES["a variance for each row"] = SHAPES["a variance for each sample"]
SHAPES["some ignored"] = SHAPES["distributions"] = SHAPES["classes"]


def draw(inputs: str, rng: np.random.Generator, shape: Shape) -> list[Array]:
    """Inputs of a loss, in float64 and integers."""
    return DRAWS[inputs](rng, shape)


def shapes_for(name: str, inputs: str) -> list[Shape]:
    """Shapes that fit a loss and its inputs."""
    shapes = SHAPES.get(inputs, SHAPES["real"])
    if name.startswith("BCE"):
        return [shape for shape in shapes if shape[-1] == len(WEIGHTS)]
    return shapes


def real(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return [1.5 * rng.normal(size=shape), rng.normal(size=shape)]


def probabilities(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return [rng.uniform(0.02, 0.98, shape), rng.uniform(size=shape)]


def logits(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return [3 * rng.normal(size=shape), rng.uniform(size=shape)]


def classes(rng: np.random.Generator, shape: Shape) -> list[Array]:
    axis = min(1, len(shape) - 1)
    right = rng.integers(0, shape[axis], shape[:axis] + shape[axis + 1 :])
    right = np.asarray(right)
    right.flat[0] = 0  # so that some sample counts, even where class 1 is ignored
    return [2 * rng.normal(size=shape), right]


def some_ignored(rng: np.random.Generator, shape: Shape) -> list[Array]:
    y, right = classes(rng, shape)
    ignored = np.asarray(rng.uniform(size=right.shape) < 0.4)
    ignored.flat[0] = False
    return [y, np.where(ignored, -100, right)]


def distributions(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return [2 * rng.normal(size=shape), _distribution(rng, shape)]


def log_probabilities(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return [np.log(_distribution(rng, shape)), _distribution(rng, shape)]


def both_log_probabilities(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return [np.log(_distribution(rng, shape)), np.log(_distribution(rng, shape))]


def distances(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return [rng.uniform(0, 2, shape), rng.choice([-1.0, 1.0], shape)]


def pairs(rng: np.random.Generator, shape: Shape) -> list[Array]:
    a, b = rng.normal(size=(2, *shape))
    return [a, b, np.asarray(rng.choice([-1.0, 1.0], shape[:-1]))]


def triplets(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return list(rng.normal(size=(3, *shape)))


def counts(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return [rng.normal(size=shape), rng.poisson(2.0, shape).astype(float)]


def rates_and_counts(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return [rng.uniform(0.1, 5, shape), rng.poisson(2.0, shape).astype(float)]


def variances(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return [*real(rng, shape), rng.uniform(0.2, 2.0, shape)]


def variance_for_each_sample(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return [*real(rng, shape), rng.uniform(0.2, 2.0, shape[:-1])]


def variance_for_each_row(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return [*real(rng, shape), rng.uniform(0.2, 2.0, (*shape[:-1], 1))]


def variance_for_each_column(rng: np.random.Generator, shape: Shape) -> list[Array]:
    return [*real(rng, shape), rng.uniform(0.2, 2.0, (1, *shape[1:]))]


def _distribution(rng: np.random.Generator, shape: Shape) -> Array:
    """Positive numbers that add up to 1 along the class axis."""
    raw = rng.uniform(0.1, 1, shape)
    return np.asarray(raw / raw.sum(axis=min(1, len(shape) - 1), keepdims=True))


DRAWS: dict[str, Draw] = {
    "real": real,
    "probabilities": probabilities,
    "logits": logits,
    "classes": classes,
    "one class": classes,
    "some ignored": some_ignored,
    "distributions": distributions,
    "log-probabilities": log_probabilities,
    "both log-probabilities": both_log_probabilities,
    "distances": distances,
    "pairs": pairs,
    "triplets": triplets,
    "counts": counts,
    "rates and counts": rates_and_counts,
    "variances": variances,
    "a variance for each sample": variance_for_each_sample,
    "a variance for each row": variance_for_each_row,
    "a variance for each column": variance_for_each_column,
}


def label(name: str, options: Options, inputs: str) -> str:
    """A test id such as ``HuberLoss-delta=0.4-sum-real``."""
    shown = [value if key == "reduction" else f"{key}={value}" for key, value in options.items()]
    return "-".join([name, *shown, inputs])
