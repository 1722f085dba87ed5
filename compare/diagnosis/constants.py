"""Factors that people get wrong, by name."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

from compare.diagnosis.facts import Facts


@dataclass(frozen=True)
class Constant:
    """A factor with a meaning.

    Attributes:
        value: the factor.
        terms: of how many known numbers it is the product.
        name: what it is called.
        meaning: what it means, for a sentence.
        remedy: what to change.
        convention: whether it keeps the direction, as another reduction of the loss does.
    """

    value: float
    terms: int
    name: str
    meaning: str
    remedy: str
    convention: bool


def constants(facts: Facts) -> list[Constant]:
    """Products of the batch size, the outputs, 2, the learning rate and a sign, or their inverses.

    The batch size may come in twice, as in a mean of a mean. Where several give the same number,
    those of the fewest terms are meant.
    """
    found = [
        _constant(facts, powers, sign)
        for powers in product((0, 1, -1, 2, -2), (0, 1, -1), (0, 1, -1), (0, 1, -1))
        for sign in (1, -1)
        if _known(facts, powers) and sum(map(abs, powers[:3])) * abs(powers[3]) == 0
    ]
    fewest: dict[float, int] = {}
    for one in found:
        fewest[one.value] = min(fewest.get(one.value, one.terms), one.terms)
    return [one for one in found if one.value != 1 and one.terms == fewest[one.value]]


def _known(facts: Facts, powers: tuple[int, ...]) -> bool:
    """Whether every number in use is known, and not 1."""
    numbers = (facts.batch_size, facts.outputs, 2, facts.lr)
    used = [n for n, power in zip(numbers, powers, strict=True) if power]
    return all(number is not None and number not in (0, 1) for number in used)


def _constant(facts: Facts, powers: tuple[int, ...], sign: int) -> Constant:
    batch, outputs, two, lr = powers
    value = float(sign)
    for number, power in zip((facts.batch_size, facts.outputs, 2, facts.lr), powers, strict=True):
        if power > 0:
            value *= (number or 1) ** power
        elif power < 0:
            value /= (number or 1) ** -power
    names = _names(powers)
    phrase = " times ".join(names) if names else ""
    return Constant(
        value,
        sum(map(abs, powers)) + (sign < 0),
        " and ".join(
            filter(None, ["sign" if sign < 0 else "", f"factor of {phrase}" if names else ""])
        ),
        _meaning(value, phrase, sign, _hint(batch, outputs, two, lr)),
        _remedy(batch, outputs, two, lr, sign),
        convention=sign > 0 and not lr,
    )


def _names(powers: tuple[int, ...]) -> list[str]:
    things = ("the batch size", "the number of outputs", "2", "the learning rate")
    return [
        f"{'' if power > 0 else '1 over '}{thing}{' squared' if abs(power) == 2 else ''}"
        for thing, power in zip(things, powers, strict=True)
        if power
    ]


def _meaning(value: float, phrase: str, sign: int, hint: str) -> str:
    if not phrase:
        return "the opposite direction"
    size = f"{abs(value):.6g}{'' if phrase == '2' else f' is {phrase}'}{hint}"
    return f"the opposite direction, and {size}" if sign < 0 else size


def _hint(batch: int, outputs: int, two: int, lr: int) -> str:
    """What people do that gives such a factor."""
    if lr:
        return ": the learning rate applied once too often or not at all?"
    if batch > 0:
        return ": sum for mean?"
    if batch < 0:
        return ": mean for sum, or the mean taken twice?"
    if outputs:
        return ": mean over the samples, or over all numbers?"
    return ": the squared error, or half of it?" if two else ""


def _remedy(batch: int, outputs: int, two: int, lr: int, sign: int) -> str:
    parts = []
    if sign < 0:
        parts.append("turn the sign: the error is output − target, and the step goes down")
    if lr:
        parts.append("apply the learning rate once, in the update and nowhere else")
    if batch:
        parts.append("take sum or mean over the batch once, as the loss does")
    if outputs:
        parts.append("divide by the number of outputs if and only if the loss does")
    if two:
        parts.append("keep the 2 that the square's derivative has, unless the loss has a 1/2")
    return "; ".join(parts)
