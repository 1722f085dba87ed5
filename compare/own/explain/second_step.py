"""What a second step, right after the first, shows of what is carried from step to step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from compare.base.quantities import Array
from compare.own.comparison.against_loss import ESTIMATE
from compare.own.comparison.against_torch import Look
from compare.own.oracle.autograd import Autograd
from compare.own.oracle.loss_derivative import is_derivative
from compare.own.user.gradients import Seen, Stepped
from compare.own.user.network import Subject
from compare.own.user.own_loss import Differentiator

#: In so many random directions a second step is looked at if there is no PyTorch side.
DIRECTIONS = 3


@dataclass(frozen=True)
class Carried:
    """Something that is carried along.

    Attributes:
        notice: what, for the end of the first line; empty if it may be meant.
        told: the same in a sentence.
    """

    notice: str
    told: str


@dataclass(frozen=True)
class _Numbers:
    """Gradients of two steps, all parameters in one vector, or their sizes in some directions.

    Attributes:
        first: of the first step.
        extra: by how much those of the second are off.
        noise: how far anything but the network may put them off.
    """

    first: Array
    extra: Array
    noise: float


def second_step(look: Look, subject: Subject, autograd: Autograd | None) -> Carried | None:
    """What the update rule carries along, if the first step is right and the second is not.

    Args:
        look: both sides at the first step.
        subject: the user's side.
        autograd: PyTorch's; without it, the derivative of the user's own loss is taken.
    """
    if look.wrong or not isinstance(subject.source, Stepped):
        return None
    first = subject.see(look.weights, look.seen.lr)
    there = subject.parameters.read()
    expected: Mapping[str, Array] | None = None
    if autograd is not None and look.put_back:  # before the second step moves it as well
        expected = autograd.look(there, noisy=False).gradients
    elif autograd is None:
        if subject.reads_more(there):
            return None
        first = subject.see(look.weights, look.seen.lr)
    second = subject.source.see(look.seen.lr)
    if autograd is None:
        numbers = _along_directions(subject, there, first, second)
    else:
        expected = expected or autograd.look(there, noisy=False).gradients
        numbers = _all(expected, there, first, second)
    double = all(w.dtype == np.float64 for w in look.weights.values())
    return _carried(numbers, 1e-9 if double else 1e-3)


def _all(
    expected: Mapping[str, Array], there: Mapping[str, Array], first: Seen, second: Seen
) -> _Numbers:
    extra = {name: second.gradients[name] - expected[name] for name in there}
    return _Numbers(
        np.concatenate([first.gradients[name].ravel() for name in there]),
        np.concatenate([extra[name].ravel() for name in there]),
        sum(float(np.max(second.slack[name])) for name in there),
    )


def _along_directions(
    subject: Subject, there: Mapping[str, Array], first: Seen, second: Seen
) -> _Numbers:
    """The sizes of gradients along the first one, and in random directions."""
    differentiator = Differentiator(subject.loss, there)
    rng = np.random.default_rng(0)
    length = math.sqrt(sum(float((g**2).sum()) for g in first.gradients.values()))
    directions = [{name: g / length for name, g in first.gradients.items()}] if length else []
    directions += [
        {name: rng.standard_normal(w.shape) for name, w in there.items()} for _ in range(DIRECTIONS)
    ]
    before, extra, noise = [], [], 0.0
    for v in directions:
        found = differentiator.along(v)
        if is_derivative(found):
            before.append(_size(first.gradients, v))
            extra.append(_size(second.gradients, v) - found.value)
            slack = {name: np.abs(v[name]) * second.slack[name] for name in v}
            lost = sum(float(one.sum()) for one in slack.values())
            noise = max(noise, lost + ESTIMATE * found.error)
    return _Numbers(np.array(before), np.array(extra), noise)


def _size(gradients: Mapping[str, Array], v: Mapping[str, Array]) -> float:
    return sum(float((gradients[name] * d).sum()) for name, d in v.items())


def _carried(numbers: _Numbers, precision: float) -> Carried | None:
    """What the extra of a second step is of the first one."""
    before, extra, noise = numbers.first, numbers.extra, numbers.noise
    size = float(np.abs(before).max(initial=0))
    if size == 0 or np.abs(extra).max() <= precision * size + noise:
        return None
    constant = float(extra @ before) / float(before @ before)
    if np.abs(extra - constant * before).max() > precision * size + 2 * noise:
        return Carried(
            "",
            "the first step is plain descent, but a second one, right after it, is not: something "
            "is carried from step to step, such as a hidden state, or an optimizer's moments",
        )
    if abs(constant - 1) <= precision + noise / size:
        return Carried(
            "gradients are accumulated",
            "the first step is right, but a second one adds the gradient of the first: gradients "
            "are accumulated, and never set to zero",
        )
    digits = int(np.clip(-math.log10(precision + noise / size), 1, 6))
    return Carried(
        f"there is a momentum of {constant:.{digits}g}",
        f"the update rule is not plain descent, but has a momentum of {constant:.{digits}g}",
    )
