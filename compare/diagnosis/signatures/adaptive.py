"""Steps whose size does not depend on the gradient's: of Adam, RMSprop, Adagrad and the like."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compare.base.quantities import Array
from compare.diagnosis.evidence.gradient import ENOUGH, Gradient, digits, wrong_names
from compare.results.cause import Cause

_REMEDY = "check the gradients with grads=, or a step of plain descent"

#: How large eps may be, over the largest gradient; beyond, the step is proportional to that.
_LARGEST = 1e3

#: How well c and eps are known that were read off steps.
_READ = 1e-9


def adaptive(every: Sequence[Gradient]) -> Cause | None:
    """An adaptive rule's first step instead of a gradient: c g / (|g| + eps), or near it."""
    parts = ([one.actual, one.expected, one.allowed] for one in every)
    actual, expected, allowed = (
        np.concatenate([p.ravel() for p in side]) for side in zip(*parts, strict=True)
    )
    told = _exact(actual, expected, allowed) or _about(actual, expected)
    if told is None:
        return None
    return Cause("adaptive update rule", told, _REMEDY, 1.0, wrong_names(every))


def _exact(actual: Array, expected: Array, allowed: Array) -> str | None:
    """As a rule makes its first step, from moments of zero.

    From ``|g| / |step| = (|g| + eps) / c``, c and eps are found by least squares; with eps inside
    the root it is ``(g / step)² = (g² + eps) / c²``.
    """
    moved = (expected != 0) & (actual != 0)
    g, step = expected[moved], actual[moved]
    if len(g) < 3 or (np.sign(g) != np.sign(step)).any():
        return None
    for power, form in ((1, "g / (|g| + eps)"), (2, "g / √(g² + eps)")):
        rule = _fitted(g, step, power)
        if rule is not None and rule.explains(actual, expected, allowed):
            return (
                f"each entry moves by {rule.size:.6g} times {form} times the learning rate, with "
                f"eps = {rule.eps:.3g}: the step is not plain gradient descent, but a rule such as "
                f"Adam or RMSprop, from which the gradient cannot be read"
            )
    return None


@dataclass(frozen=True)
class _Rule:
    """A step of c g / (|g|^p + eps)^(1/p)."""

    size: float
    eps: float
    power: int

    def __call__(self, g: Array) -> Array:
        below = (np.abs(g) ** self.power + self.eps) ** (1 / self.power)
        return np.divide(self.size * g, below, out=np.zeros_like(g), where=below > 0)

    def explains(self, actual: Array, g: Array, allowed: Array) -> bool:
        """Whether it is every entry, as far as its gradient and its two numbers are known."""
        predicted = self(g)
        around = [np.abs(self(g + off) - predicted) for off in (allowed, -allowed)]
        limit = np.where(g == 0, 0, np.maximum(*around)) + allowed + _READ * np.abs(predicted)
        worth = np.sort(digits(actual, limit))[:-2]
        return bool(worth.sum() >= ENOUGH and (np.abs(actual - predicted) <= limit).all())


def _fitted(g: Array, step: Array, power: int) -> _Rule | None:
    size = np.abs(g) ** power
    ratio = (size / np.abs(step) ** power)[:, None]
    columns = np.stack([size, np.ones_like(size)], axis=1) / ratio
    scale = np.abs(columns).max(axis=0)
    a, b = np.linalg.lstsq(columns / scale, np.ones(len(g)), rcond=None)[0] / scale
    if not a > 0 or b / a > _LARGEST * size.max():
        return None
    return _Rule(float(a ** (-1 / power)), max(float(b / a), 0.0), power)


def _about(actual: Array, expected: Array) -> str | None:
    """A step of about the same length in each entry, whatever the gradient."""
    moved = expected != 0
    size = np.abs(actual[moved])
    if moved.sum() < 4 or size.min() < 0.5 * size.max() or size.max() == 0:
        return None
    spread = np.abs(expected[moved])
    same_sign = np.mean(np.sign(actual[moved]) == np.sign(expected[moved]))
    if spread.min() > 0.4 * spread.max() or same_sign < 0.95:
        return None
    return (
        f"each entry moves by about the same, {np.median(size):.3g} times the learning rate, "
        f"however large its gradient: the step is not plain gradient descent, but a rule such as "
        f"Adam or RMSprop, from which the gradient cannot be read"
    )
