"""Gradients that are PyTorch's, times one constant: all of them, or some."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10

import numpy as np

from compare.diagnosis.evidence import fit
from compare.diagnosis.evidence.facts import Facts
from compare.diagnosis.evidence.fit import Fit, Line
from compare.diagnosis.evidence.gradient import Gradient, gradients
from compare.diagnosis.evidence.words import number
from compare.diagnosis.signatures.constant_names import Constant, constants, merged
from compare.results.cause import Cause, listed

#: A constant nearer to 0 than that is no factor: the gradient is missing.
_NOTHING = 1e-12


def factors(every: Sequence[Gradient], facts: Facts) -> list[Cause]:
    """Every constant, known or not, that explains a wrong gradient.

    A constant that is not known by name is told only where no known one explains as many.
    """
    lines = [line(gradient) for gradient in every if gradient.same_shape and gradient.finite]
    wrong = [one for one, gradient in zip(lines, _usable(every), strict=True) if gradient.wrong]
    named = list(_known(wrong, facts))
    others = [
        one
        for one in fit.free(wrong)
        if abs(one.constant) > _NOTHING
        and not any(set(one.names) <= set(other.names) for _, other in named)
    ]
    right = [one for one, gradient in zip(lines, _usable(every), strict=True) if not gradient.wrong]
    causes = [_named(constant, one, every, right) for constant, one in named]
    return causes + [_free(_rounded(one), every, right) for one in others]


def _rounded(one: Fit) -> Fit:
    """The same with six digits, if those explain as much."""
    short = float(f"{one.constant:.6g}")
    return Fit(short, one.lines) if all(line.explained(short) for line in one.lines) else one


def _known(wrong: Sequence[Line], facts: Facts) -> Iterator[tuple[Constant, Fit]]:
    """Known constants that fit, those of the same value as one."""
    known = constants(facts)
    price = log10(max(len(known), 1))
    fits = [one for one in known if fit.at(one.value, wrong, price) and _fits_elsewhere(one, facts)]
    for constant in merged(fits):
        found = fit.at(constant.value, wrong, price)
        if found is not None:
            yield constant, found


def _fits_elsewhere(constant: Constant, facts: Facts) -> bool:
    """Whether a constant that depends on the learning rate explains what another one gave."""
    other = facts.other
    if constant.elsewhere is None or other is None or other.lr == facts.lr:
        return True
    second = _usable(gradients(other.actual, other.expected, other.allowed))
    wrong = [one for one in second if one.wrong]
    return any(one.is_times(constant.elsewhere) for one in wrong) or not wrong


def line(gradient: Gradient) -> Line:
    """The gradient as a constant times PyTorch's."""
    error = gradient.allowed
    return Line(
        gradient.name,
        gradient.expected,
        gradient.actual,
        error,
        error,
        gradient.unexplained,
        combine=np.maximum,
    )


def _usable(every: Sequence[Gradient]) -> list[Gradient]:
    return [gradient for gradient in every if gradient.same_shape and gradient.finite]


def _everywhere(one: Fit, every: Sequence[Gradient], right: Sequence[Line]) -> bool:
    """Whether no gradient contradicts the constant: those that are right must be about 0."""
    consistent = {*one.names, *(r.name for r in right if r.match(one.constant) <= 1)}
    return consistent == {gradient.name for gradient in every}


def _named(constant: Constant, one: Fit, every: Sequence[Gradient], right: Sequence[Line]) -> Cause:
    whole = _everywhere(one, every, right)
    convention = constant.convention and whole
    return Cause(
        name=constant.name if whole else f"{constant.name}, {spot(one.names, every)}",
        told=f"{_size(one, every, whole, convention)} {constant.meaning}",
        remedy=constant.remedy,
        match=one.match,
        tensors=one.names,
        convention=convention,
        factor=constant.value if constant.elsewhere is None else None,
    )


def _free(one: Fit, every: Sequence[Gradient], right: Sequence[Line]) -> Cause:
    whole = _everywhere(one, every, right)
    name = f"one factor of {number(one.constant)}"
    return Cause(
        name=name if whole else f"{name}, {spot(one.names, every)}",
        told=f"{_size(one, every, whole, whole and one.constant > 0)} the same factor for every "
        f"entry",
        remedy="look for this constant "
        + ("in the loss's gradient" if whole else "where these gradients are computed"),
        match=one.match,
        tensors=one.names,
        factor=one.constant,
        general=True,
    )


def _size(one: Fit, every: Sequence[Gradient], whole: bool, same_direction: bool) -> str:
    times = number(one.constant)
    length = f"same direction, {times} times the length;" if same_direction else ""
    return f"{where(one.names, every, whole)} {times} times PyTorch's: {length}".strip()


def where(names: Sequence[str], every: Sequence[Gradient], whole: bool) -> str:
    """The subject of a sentence, with its verb."""
    if whole:
        return "every gradient is"
    verb = "is" if len(names) == 1 else "are"
    wrong = [gradient.name for gradient in every if gradient.wrong]
    alone = set(names) == set(wrong)
    rest = ", and all others are right," if alone and len(wrong) < len(every) else ""
    return f"{listed(names)}{rest} {verb}" if not rest else f"{listed(names)} {verb}{rest}"


def spot(names: Sequence[str], every: Sequence[Gradient]) -> str:
    """On which tensors, in a few words."""
    if len(names) == 1:
        return f"on {names[0]}"
    biases = [gradient.name for gradient in every if is_bias(gradient.name)]
    if set(names) == set(biases):
        return "on every bias"
    weights = [gradient.name for gradient in every if gradient.name not in biases]
    if biases and set(names) == set(weights):
        return "on every weight"
    last = _up_to(names, every)
    return f"up to layer {last}" if last is not None else f"on {listed(names)}"


def is_bias(name: str) -> bool:
    """Whether PyTorch would call this parameter a bias: also ``bias_ih_l0``."""
    return name.rpartition(".")[2].startswith("bias")


def _up_to(names: Sequence[str], every: Sequence[Gradient]) -> str | None:
    """The layer that these are the gradients of, with all layers before it; None if they are not.

    Only numbered layers are known to come one after the other.
    """
    layers: dict[str, set[str]] = {}
    for gradient in every:
        layers.setdefault(gradient.name.rpartition(".")[0], set()).add(gradient.name)
    if not all(layer.isdigit() for layer in layers):
        return None
    seen: set[str] = set()
    for layer in sorted(layers, key=int):
        seen |= layers[layer]
        if seen == set(names):
            return layer
    return None
