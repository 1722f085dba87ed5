"""What three steps, one right after the other, tell of an update rule that is not descent."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from compare.base.errors import CannotCompare
from compare.base.quantities import Array
from compare.diagnosis.evidence.words import number
from compare.own.comparison.against_torch import Look
from compare.own.oracle.autograd import Autograd
from compare.own.user.gradients import Seen
from compare.own.user.network import Subject
from compare.results.cause import Cause

LATE = "applied one step late"


def from_second_step(look: Look, subject: Subject, autograd: Autograd) -> list[Cause]:
    """Why a first step is not descent, if the second and the third tell.

    Args:
        look: both sides at the first step.
        subject: the user's side.
        autograd: PyTorch's side.
    """
    if not look.wrong:
        return []
    try:
        steps = _Steps(look, subject, autograd)
    except CannotCompare:
        return []
    found = steps.late() if not np.any(steps.first) else steps.momentum()
    return [] if found is None else [found]


class _Steps:
    """Three steps, all parameters in one vector, and PyTorch's gradients before the first two.

    Args:
        look: both sides at the first step.
        subject: the user's side.
        autograd: PyTorch's side.
    """

    def __init__(self, look: Look, subject: Subject, autograd: Autograd) -> None:
        self._names, self._wrong = list(look.weights), look.wrong
        lr = look.seen.lr
        first = subject.see(look.weights, lr)
        there = subject.parameters.read()
        second = subject.source.see(lr)
        third = subject.source.see(lr)
        self.first, self._second, self._third = map(self._vector, (first, second, third))
        self._right = self._flat(look.expected.gradients)
        self._after = self._flat(autograd.look(there, noisy=False).gradients)
        double = all(w.dtype == np.float64 for w in look.weights.values())
        self._precision = 1e-9 if double else 1e-3
        self._slack = sum(
            float(np.max(one.slack[n])) for one in (second, third) for n in self._names
        )

    def late(self) -> Cause | None:
        """Whether each step applies what the one before computed, with momentum or without."""
        if not self._same(self._second, self._right):
            return None
        carried = self._times(self._third - self._after, self._second)
        if carried is None:
            return None
        momentum = f", with a momentum of {number(carried)}" if carried else ""
        return Cause(
            LATE,
            f"the first step changes nothing, and the second applies the gradient of the first: "
            f"each step applies what the step before computed{momentum}",
            "compute the change before it is applied, in the same step",
            1.0,
            self._wrong,
        )

    def momentum(self) -> Cause | None:
        """Whether a step is a factor times the gradient, and a part of the step before."""
        factor = self._times(self.first, self._right)
        if not factor:
            return None
        carried = self._times(self._second - factor * self._after, self.first)
        if not carried:
            return None
        mean = abs(carried + factor - 1) <= self._precision
        return Cause(
            "momentum as a running mean" if mean else "momentum and a factor",
            f"the first step is {number(factor)} times the gradient, and the second has "
            f"{number(carried)} times the first as well: the update rule is not plain descent, but "
            + (
                f"a running mean of gradients, {number(carried)} v + {number(factor)} g, so that "
                f"the first steps are short"
                if mean
                else f"has a momentum of {number(carried)}"
            ),
            "check the gradients with grads=, or a step of plain descent"
            + ("; PyTorch's momentum is v = μ v + g" if mean else ""),
            1.0,
            self._wrong,
        )

    def _vector(self, seen: Seen) -> Array:
        return self._flat(seen.gradients)

    def _flat(self, gradients: Mapping[str, Array]) -> Array:
        return np.concatenate([gradients[name].ravel().astype(float) for name in self._names])

    def _same(self, one: Array, other: Array) -> bool:
        limit = self._precision * float(np.abs(self._right).max()) + self._slack
        return bool((np.abs(one - other) <= limit).all())

    def _times(self, one: Array, other: Array) -> float | None:
        """The constant that makes the other into the first; 0 if that is nothing, None if none."""
        if self._same(one, np.zeros_like(one)) or not np.any(other):
            return 0.0
        constant = float(one @ other) / float(other @ other)
        if not self._same(one, constant * other):
            return None
        return 0.0 if abs(constant) <= self._precision else round(constant, 12)
