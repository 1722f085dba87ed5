"""Factors that people get wrong, by name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from compare.diagnosis.evidence.facts import Facts

_SQUARE = "keep the 2 that the square's derivative has, unless the loss has a 1/2"
_BATCH = "take sum or mean over the batch once, as the loss does"
_OUTPUTS = "divide by the number of outputs if and only if the loss does"
_RATE = "apply the learning rate once, in the update and nowhere else"
_SIGN = "turn the sign: the error is output − target, and the step goes down"


@dataclass(frozen=True)
class Constant:
    """A factor with a meaning.

    Attributes:
        value: the factor.
        phrases: what it is: one phrase, or several that come to the same number.
        hint: what people do that gives such a factor.
        remedy: what to change.
        negative: whether the sign is turned as well.
        elsewhere: its value at the other learning rate.
        convention: whether it keeps the direction, as another reduction of the loss does.
    """

    value: float
    phrases: tuple[str, ...]
    hint: str
    remedy: str
    negative: bool = False
    elsewhere: float | None = None
    convention: bool = True

    @property
    def name(self) -> str:
        factor = f"factor of {' or '.join(self.phrases)}" if self.phrases else ""
        return " and ".join(filter(None, ["sign" if self.negative else "", factor]))

    @property
    def meaning(self) -> str:
        """For a sentence."""
        if not self.phrases:
            return "the opposite direction"
        known = "" if self.phrases == ("2",) else f" is {' or '.join(self.phrases)}"
        size = f"{abs(self.value):.6g}{known}{self.hint}"
        return f"the opposite direction, and {size}" if self.negative else size


def constants(facts: Facts) -> list[Constant]:
    """The numbers that are known, each by itself: its inverse, and either with the sign turned.

    Products are not among them, but for all numbers of a batch: with a few known numbers they give
    almost any small one.
    """
    plain = list(_known(facts))
    turned = [
        replace(
            one,
            value=-one.value,
            elsewhere=None if one.elsewhere is None else -one.elsewhere,
            negative=True,
            remedy=f"{_SIGN}; {one.remedy}",
            convention=False,
        )
        for one in plain
    ]
    sign = Constant(-1.0, (), "", _SIGN, negative=True, convention=False)
    return [*plain, sign, *turned]


def _known(facts: Facts) -> Iterator[Constant]:
    batch, outputs, lr = facts.batch_size, facts.outputs, facts.lr
    square = ": the squared error, or half of it?"
    yield from _both(2, "2", (square, square), _SQUARE)
    reduced = ": sum for mean?", ": mean for sum, or the mean taken twice?"
    if batch:
        yield from _both(batch, "the batch size", reduced, _BATCH)
    if outputs:
        averaged = ": mean over the samples, or over all numbers?"
        yield from _both(outputs, "the number of outputs", (averaged, averaged), _OUTPUTS)
    if batch and outputs and 1 not in (batch, outputs):
        name = "the batch size times the number of outputs"
        yield from _both(batch * outputs, name, reduced, _BATCH)
    if lr:
        twice = ": the learning rate applied once too often or not at all?"
        other = None if facts.other is None else facts.other.lr
        for power, one in zip(
            (1, -1), _both(lr, "the learning rate", (twice, twice), _RATE), strict=False
        ):
            elsewhere = None if not other else other**power
            yield replace(one, elsewhere=elsewhere, convention=False)


def _both(value: float, phrase: str, hints: tuple[str, str], remedy: str) -> list[Constant]:
    """A number, and its inverse."""
    if value == 1:
        return []
    return [
        Constant(float(value), (phrase,), hints[0], remedy),
        Constant(1 / value, (f"1 over {phrase}",), hints[1], remedy),
    ]


def merged(several: Sequence[Constant]) -> list[Constant]:
    """Those of the same value as one."""
    ordered = sorted(several, key=lambda one: one.value)
    return [_one(list(same)) for _, same in groupby(ordered, key=lambda one: one.value)]


def _one(same: list[Constant]) -> Constant:
    if len(same) == 1:
        return same[0]
    return replace(
        same[0],
        phrases=tuple(phrase for one in same for phrase in one.phrases),
        hint=same[0].hint,
        remedy="; ".join(dict.fromkeys(one.remedy for one in same)),
        convention=any(one.convention for one in same),
    )
