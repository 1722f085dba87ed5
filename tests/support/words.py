"""What each word of the catalogue's column "varies" means: a condition on an entry's variants.

Inputs are drawn with several seeds, and every draw must meet the condition: what happens to be in
one draw is not varied by construction.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from compare.base.quantities import Array
from compare.catalogue import layer_against_torch, rule_against_torch
from compare.catalogue.entries.entry import Entry, Variant
from compare.catalogue.subject import subject_of

SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Seen:
    """An entry, and what was drawn for its variants with one seed."""

    entry: Entry
    seed: int

    @property
    def variants(self) -> tuple[Variant, ...]:
        return self.entry.variants

    @cached_property
    def problems(self) -> list[tuple[Variant, layer_against_torch.Problem]]:
        """Each variant with its inputs, in float64."""
        found = []
        for variant in self.variants:
            rng = layer_against_torch.generator(self.entry, variant, self.seed)
            subject = subject_of(self.entry, variant, "float64")
            found.append(
                (variant, layer_against_torch.pose(self.entry, variant, subject, "float64", rng))
            )
        return found

    @property
    def inputs(self) -> Iterator[tuple[Variant, Array]]:
        """Each variant with its first input."""
        return ((variant, problem.inputs[0]) for variant, problem in self.problems)

    def option(self, key: str) -> list[Any]:
        """What each variant has for an option; None where it is left out."""
        return [variant.options.get(key) for variant in self.variants]

    def given(self, key: str) -> list[Any]:
        """What each variant is handed by this name."""
        return [problem.given.get(key) for _, problem in self.problems]


Condition = Callable[[Seen], bool]


def phrases(varies: str) -> list[str]:
    """The words of the column, one thing each: what commas outside of brackets separate."""
    return re.split(r"[,;] (?![^(]*\))", varies)


def some(holds: Callable[[Variant], bool]) -> Condition:
    """Some variant is such."""
    return lambda seen: any(map(holds, seen.variants))


def each(*conditions: Condition) -> Condition:
    """All of these."""
    return lambda seen: all(condition(seen) for condition in conditions)


def differs(*keys: str) -> Condition:
    """These options have several values."""
    return lambda seen: all(len(set(map(repr, seen.option(key)))) > 1 for key in keys)


def takes(key: str, *values: Any) -> Condition:
    """An option has each of these values somewhere; None stands for the default."""
    return lambda seen: all(value in seen.option(key) for value in values)


def signs(key: str) -> Condition:
    """An option is negative somewhere, and positive, or left out, elsewhere."""

    def holds(seen: Seen) -> bool:
        values = [1 if value is None else value for value in seen.option(key)]
        return min(values) < 0 < max(values)

    return holds


def entries(holds: Callable[[Array], Any]) -> Condition:
    """Some first input is such."""
    return lambda seen: any(bool(holds(x)) for _, x in seen.inputs)


def pairs(holds: Callable[..., Any]) -> Condition:
    """Some variant's inputs together are such; an option may be asked for as well."""
    return lambda seen: any(bool(holds(v, *p.inputs)) for v, p in seen.problems)


def contains(*numbers: float) -> Condition:
    """Some input holds all of these numbers."""
    return lambda seen: any(
        all((np.asarray(x) == number).any() for number in numbers)
        for _, problem in seen.problems
        for x in problem.inputs
    )


def lengths(*wanted: int | None) -> Condition:
    """First axes: of one sample, of several (2), of several axes (3), or none (0)."""

    def holds(seen: Seen) -> bool:
        return set(wanted) <= {_samples(seen.entry, x) for _, x in seen.inputs}

    return holds


#: Axes of one sample alone.
RANKS = {
    "Linear": 1, "Conv1d": 2, "Conv2d": 3, "ConvTranspose2d": 3, "MaxPool1d": 2, "MaxPool2d": 3,
    "AvgPool1d": 2, "AvgPool2d": 3, "AdaptiveAvgPool2d": 3, "NLLLoss": 1, "CrossEntropyLoss": 1,
    "MultiMarginLoss": 1, "CosineEmbeddingLoss": 1, "InstanceNorm2d": 3,
    "ScaledDotProductAttention": 2,
}  # fmt: skip


def _samples(entry: Entry, x: Array) -> int:
    """0 for a sample alone, 1, or 2 for several; 3 for several axes of them."""
    rank = RANKS.get(entry.name, 0)
    if x.ndim <= rank:
        return 0
    if entry.name == "Linear" and x.ndim > 2:
        return 3
    return min(len(x), 2)


def steps(seen: Seen) -> bool:
    """Sequences of one step and of several."""
    counts = set()
    for variant, x in seen.inputs:
        first = variant.options.get("batch_first") and x.ndim == 3
        counts.add(min(x.shape[1 if first else 0], 2))
    return counts == {1, 2}


def both_zeros(seen: Seen) -> bool:
    return any(
        ((x == 0) & ~np.signbit(x)).any() and ((x == 0) & np.signbit(x)).any()
        for _, x in seen.inputs
    )


def _zero(options: dict[str, Any]) -> tuple[float, ...]:
    return (0.0,)


#: Where each activation has a corner, a jump or a change of branch, for each variant's options.
CORNERS: dict[str, Callable[[dict[str, Any]], tuple[float, ...]]] = {
    "ReLU6": lambda o: (0.0, 6.0),
    "Threshold": lambda o: (o["threshold"],),
    "Hardsigmoid": lambda o: (-3.0, 3.0),
    "Hardtanh": lambda o: (o.get("min_val", -1.0), o.get("max_val", 1.0)),
    "Hardswish": lambda o: (-3.0, 3.0),
    "Softshrink": lambda o: (-o.get("lambd", 0.5), o.get("lambd", 0.5)),
    "Hardshrink": lambda o: (-o.get("lambd", 0.5), o.get("lambd", 0.5)),
    "Softplus": lambda o: (o.get("threshold", 20.0) / o.get("beta", 1.0),),
}


def corners(seen: Seen) -> bool:
    """Every set of options meets each of its corners exactly; a loss, a slack of exactly 0."""
    if seen.entry.kind == "loss":
        return LOSS_CORNERS[seen.entry.name](seen)
    of = CORNERS.get(seen.entry.name, _zero)
    met: dict[str, bool] = {}
    for variant, x in seen.inputs:
        meets = all((x == corner).any() for corner in of(dict(variant.options)))
        met[repr(variant.options)] = met.get(repr(variant.options), False) or meets
    return all(met.values())


def _hinge(v: Variant, y: Array, target: Array) -> bool:
    return bool(((y == v.options.get("margin", 1.0)) & (target == -1)).any())


def _cosine(v: Variant, a: Array, b: Array, target: Array) -> bool:
    dot = (a * b).sum(axis=-1)
    return v.options.get("margin", 0.0) == 0.0 and bool(((dot == 0) & (target == -1)).any())


LOSS_CORNERS = {
    "HingeEmbeddingLoss": pairs(_hinge),
    "CosineEmbeddingLoss": pairs(_cosine),
}


def apart(key: str, default: float) -> Condition:
    """Some prediction is exactly an option away from its target, to either side."""

    def holds(v: Variant, y: Array, target: Array) -> bool:
        d, far = y - target, v.options.get(key, default)
        return bool((d == far).any() and (d == -far).any())

    return pairs(holds)


def tied_softmax(seen: Seen) -> bool:
    """Some row has its largest entry more than once."""
    return any(
        ((x == x.max(axis=v.options["dim"], keepdims=True)).sum(axis=v.options["dim"]) > 1).any()
        for v, x in seen.inputs
        if "dim" in v.options
    )


def rates(seen: Seen) -> list[rule_against_torch.Rates]:
    return [
        rule_against_torch.record_schedule(seen.entry, v, seed=seen.seed) for v in seen.variants
    ]


def equal_metrics(seen: Seen) -> bool:
    """Metrics that are exactly as good as the best so far, and one that is no number."""
    for found in rates(seen):
        metrics = [metric for (metric,) in found.metrics]
        if not any(map(math.isnan, metrics)) or len(set(metrics)) == len(metrics):
            return False
    return True
