"""Which side is wrong: each side's gradient against the derivative of its own loss.

Two gradients differ most along their difference d. So the loss is differentiated in that one
direction, without any backward pass: if a side's gradient g is right, g·d is that derivative.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import torch

from compare.base.conversion import to_tensor
from compare.base.errors import BackproofError
from compare.base.quantities import AT_INPUT, LOSS, Array, activation, gradient, gradient_at
from compare.measure.step_records import StepOutcome
from compare.referee.claim import Claim, judge_claim
from compare.referee.derivative import (
    Derivative,
    complex_step,
    confirmed,
    extended_precision,
    stride,
)
from compare.referee.differences import central
from compare.referee.opinion import Finding, Opinion, Slope
from compare.sides.networks.copies import copied
from compare.sides.networks.torch_hooks import use_masks
from compare.sides.pair import Pair

#: By how many units of its tolerance a gradient may miss the derivative that it is.
ROUNDING = 64.0

#: What the claims of the reference and of PyTorch, if both are decided, say together.
_FINDINGS = {
    (Claim.RIGHT, Claim.RIGHT): Finding.FORWARDS,
    (Claim.WRONG, Claim.RIGHT): Finding.REFERENCE,
    (Claim.RIGHT, Claim.WRONG): Finding.TORCH,
    (Claim.WRONG, Claim.WRONG): Finding.BOTH,
}


def judge(
    pair: Pair, step: StepOutcome, x: Array, target: Array, failing: frozenset[str]
) -> Opinion:
    """Say which side is wrong about a step on which the two disagree.

    Args:
        pair: both sides.
        step: the step.
        x: its inputs.
        target: its targets.
        failing: the quantities that differ.
    """
    if step.differing:
        return Opinion(Finding.STRUCTURE)
    names = {gradient(name): name for name in step.given.start.weights}
    if AT_INPUT in step.expected:  # characters, for one, have no gradient
        names[AT_INPUT] = AT_INPUT
    forward = {LOSS, *(name for name in failing if name.startswith(activation("")))}
    backward = {*names, *(name for name in failing if name.startswith(gradient_at("")))}
    if not failing & (forward | backward):
        return Opinion(Finding.UPDATE)
    forwards_differ = bool(failing & forward)
    wrong = [name for name in names if name in failing]
    # Where the gradients agree, they are both asked how fast the loss rises along them.
    difference = {
        names[name]: (_double(step.actual[name]) if wrong else 0) - _double(step.expected[name])
        for name in wrong or names
    }
    distance = _length(difference)
    if not math.isfinite(distance) or not _all_finite(step):
        return Opinion(Finding.NOT_FINITE, forwards_differ=forwards_differ)
    if distance == 0:
        return Opinion(Finding.FORWARDS if forwards_differ else Finding.UNCLEAR)
    direction = {name: d / distance for name, d in difference.items()}
    point = {name: _double(p) for name, p in step.given.start.weights.items()} | {
        AT_INPUT: _wide(x)
    }
    line = _Line(point, direction)
    ours = _reference_derivative(pair, line, target)
    theirs = _torch_derivative(pair, line, target)
    claims = [_along(direction, names, seen) for seen in (step.actual, step.expected)]
    noise = ROUNDING * _rounding(step, [name for name in names if names[name] in direction])
    finding = _decide(ours, theirs, claims, distance, noise)
    if finding is Finding.FORWARDS and not forwards_differ:
        finding = Finding.UNCLEAR
    return Opinion(
        finding,
        Slope("the reference's loss", ours, claims[0]),
        Slope("PyTorch's loss", theirs, claims[1]),
        forwards_differ,
    )


def _all_finite(step: StepOutcome) -> bool:
    return all(
        bool(np.isfinite(value).all())
        for seen in (step.actual, step.expected)
        for value in seen.values()
    )


def _along(
    direction: Mapping[str, Array], names: Mapping[str, str], seen: Mapping[str, Array]
) -> float:
    """The product of a direction with what was seen at its places."""
    return sum(
        float((_double(seen[quantity]) * direction[name]).sum())
        for quantity, name in names.items()
        if name in direction
    )


def _length(several: Mapping[str, Array]) -> float:
    return math.sqrt(sum(float((_double(array) ** 2).sum()) for array in several.values()))


def _rounding(step: StepOutcome, wrong: Sequence[str]) -> float:
    """How far rounding may move a product with a direction.

    The units are those of the reference, which may be wrong, too, so there is a least one.
    """
    expected = {name: step.expected[name] for name in wrong}
    least = max(float(np.finfo(array.dtype).eps) for array in expected.values())
    units = _length({name: step.units[name] for name in wrong})
    return max(units, least * _length(expected))


def _decide(
    ours: Derivative, theirs: Derivative, claims: list[float], distance: float, noise: float
) -> Finding:
    both = (
        judge_claim(ours, claims[0], distance, noise),
        judge_claim(theirs, claims[1], distance, noise),
    )
    if Claim.CORNER in both:
        return Finding.CORNER
    return _FINDINGS.get(both, Finding.UNCLEAR)


@dataclass(frozen=True)
class _Line:
    """Parameters and input along one direction: ``point + t · direction``."""

    point: Mapping[str, Array]
    direction: Mapping[str, Array]

    def at(self, t: complex, dtype: type[np.inexact]) -> dict[str, Array]:
        moved = dict(self.point)
        for name, d in self.direction.items():
            moved[name] = moved[name] + np.asarray(t) * d
        return {name: v.astype(dtype) if _is_real(v) else v for name, v in moved.items()}

    @property
    def stride(self) -> float:
        return stride(self.point, self.direction, 1e-3)


def _reference_derivative(pair: Pair, line: _Line, target: Array) -> Derivative:
    """By complex step where the operations allow it, else in the highest precision there is."""
    model = pair.reference.model

    def loss(t: complex, dtype: type[np.inexact]) -> Array:
        values = line.at(t, dtype)
        y, _ = model.network.forward(values, values.pop(AT_INPUT))
        value: Array = model.loss.forward(y, _wide(target, y.real.dtype))[0]
        return value

    wide = np.longdouble if extended_precision() else np.float64
    rough = central(lambda t: float(loss(t, wide)), line.stride, float(np.finfo(wide).eps))
    if wide is np.float64:
        method = f"{rough.method} in float64, as this platform has no extended precision"
        rough = replace(rough, method=method)
    exact = _if_possible(lambda: complex_step(lambda t: complex(loss(t, np.complex128))))
    return confirmed(exact, rough)


def _torch_derivative(pair: Pair, line: _Line, target: Array) -> Derivative:
    """By central differences in float64; by complex step if that is possible and confirms them."""
    network = copied(pair.torch.network).double()
    use_masks(network, pair.torch.masks)

    def loss(t: complex, dtype: type[np.inexact]) -> torch.Tensor:
        values = {name: to_tensor(v) for name, v in line.at(t, dtype).items()}
        x = values.pop(AT_INPUT)
        goal = to_tensor(_wide(target))
        with torch.no_grad():
            y = torch.func.functional_call(network, values, (x,))
            value: torch.Tensor = pair.torch.loss(y, goal)
        return value

    rough = central(lambda t: loss(t, np.float64).item(), line.stride, 2.0**-52)
    exact = _if_possible(lambda: complex_step(lambda t: complex(loss(t, np.complex128).item())))
    return confirmed(exact, rough)


def _if_possible(find: Callable[[], Derivative]) -> Derivative | None:
    """None where the network has an operation that PyTorch cannot do on complex numbers."""
    try:
        return find()
    except (RuntimeError, TypeError, ValueError, NotImplementedError, BackproofError):
        return None


def _wide(array: Array, dtype: npt.DTypeLike = np.float64) -> Array:
    """Real numbers in double or another precision; what is counted, such as classes, as it is."""
    return np.asarray(array, dtype) if _is_real(array) else array


def _is_real(array: Array) -> bool:
    return array.dtype.kind in "fc"


def _double(array: Array) -> Array:
    return np.asarray(array, np.float64)
