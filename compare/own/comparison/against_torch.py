"""The user's gradients against PyTorch's, at several weights and learning rates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

import numpy as np

from compare.base.errors import CannotCompare
from compare.base.quantities import LOSS, Array, gradient
from compare.measure.meter import Meter
from compare.own.comparison.moved_state import put_back
from compare.own.oracle.autograd import Autograd, Expected
from compare.own.oracle.gradient_tolerance import Allowance, coarsest
from compare.own.user.gradients import Seen
from compare.own.user.network import Subject
from compare.own.user.own_loss import as_loss
from compare.process.budget import TimeUp
from compare.results.own_report import Section


class _Compared(Protocol):
    """What was measured at some weights."""

    @property
    def section(self) -> Section: ...


L = TypeVar("L", bound=_Compared)


@dataclass(frozen=True)
class Look:
    """Both sides at the same weights, from which everything else is read.

    Attributes:
        title: which weights and learning rate.
        weights: where.
        seen: the user's side.
        expected: PyTorch's.
        units: of the tolerance, by parameter.
        wrong: the parameters whose gradients differ.
        section: what was measured.
        failed: whether anything differs, be it the loss alone.
        own_loss: the user's loss, if there is one.
        loss_unit: the unit of its tolerance.
        put_back: what the user's code moves on besides the parameters, and torch_loss reads.
    """

    title: str
    weights: Mapping[str, Array]
    seen: Seen
    expected: Expected
    units: Mapping[str, Array]
    wrong: tuple[str, ...]
    section: Section
    failed: bool

    def doubt(self, name: str) -> Array:
        """How far what is expected of a parameter's gradient may be off itself."""
        return np.zeros(())

    own_loss: float | None = None
    loss_unit: float | None = None
    put_back: tuple[str, ...] = ()


def look(
    subject: Subject,
    autograd: Autograd,
    allowance: Allowance,
    weights: Mapping[str, Array],
    title: str,
) -> Iterator[Look]:
    """Compare at some weights, at each learning rate."""
    own_loss = as_loss(subject.loss(weights)) if subject.has_loss else None
    expected: Expected | None = None
    moved: tuple[str, ...] = ()
    for seen in subject.see_all(weights):
        compare = partial(_compare, subject.titled(title, seen.lr), weights, seen)
        if expected is not None:
            yield replace(compare(expected, allowance, own_loss), put_back=moved)
            continue
        expected = autograd.look(weights)  # right after the run: it can read masks off objects
        found = compare(expected, allowance, own_loss)
        if found.wrong:
            try:
                moved, expected = _put_back(subject, autograd, found)
            except TimeUp:
                yield found
                raise
        yield replace(compare(expected, allowance, own_loss), put_back=moved) if moved else found


def _put_back(
    subject: Subject, autograd: Autograd, found: Look
) -> tuple[tuple[str, ...], Expected]:
    """PyTorch's side without what the user's code moves on besides the parameters, if it reads it.

    Returns:
        The names of what that is, and PyTorch's side.
    """
    try:
        moved = put_back(subject, autograd.torch_loss, found.weights, found.seen.lr)
        return (moved, autograd.look(found.weights)) if moved else ((), found.expected)
    except CannotCompare:
        return (), found.expected


def _compare(
    title: str,
    weights: Mapping[str, Array],
    seen: Seen,
    expected: Expected,
    allowance: Allowance,
    own_loss: float | None,
) -> Look:
    held_in = (value.dtype.name for value in weights.values())
    dtype = coarsest(expected.dtype, *held_in, *seen.dtypes.values())
    right = dict(expected.gradients)
    slack = {name: seen.slack[name] + expected.off_by.get(name, 0.0) for name in right}
    units = allowance.units(right, expected.spread, slack, dtype)
    meter = Meter(allowance.multiple)
    loss_unit = None
    if own_loss is not None:
        value = {LOSS: np.asarray(expected.loss)}
        unit = allowance.units(value, expected.spread, {}, dtype)
        meter.add(0, {LOSS: np.asarray(own_loss)}, value, unit)
        loss_unit = float(unit[LOSS])
    misshapen = {
        name: f"shape is {found.shape}, but should be {right[name].shape}"
        for name, found in seen.gradients.items()
        if found.shape != right[name].shape
    }
    meter.reject(0, {gradient(name): reason for name, reason in misshapen.items()})
    fit = [name for name in right if name not in misshapen]
    if fit:
        meter.add(
            0, *({gradient(n): side[n] for n in fit} for side in (seen.gradients, right, units))
        )
    wrong = tuple(
        name
        for name in right
        if name in misshapen or not meter.gauges[gradient(name)].highest <= allowance.multiple
    )
    section = Section(title, meter.metrics())
    return Look(
        title, weights, seen, expected, units, wrong, section, meter.failed, own_loss, loss_unit
    )


def at_all(
    weights: Mapping[str, Mapping[str, Array]],
    compare: Callable[[Mapping[str, Array], str], Iterable[L]],
    multiple: float,
) -> tuple[list[L], list[str]]:
    """Compare at the user's own weights, and at drawn ones where both sides give numbers.

    A disagreement stands: whatever happens after it is a remark.

    Args:
        weights: where, each with its name, the user's own first.
        compare: compares at some weights.
        multiple: how many units of the tolerance are allowed.

    Returns:
        What was seen, and remarks on weights at which nothing could be compared.

    Raises:
        CannotCompare: something could not be compared at the user's own weights.
        TimeUp: there was no time to compare at all weights.
    """
    found: list[L] = []
    remarks = []
    for number, (title, values) in enumerate(weights.items()):
        try:
            for one in compare(values, title):
                found.append(one)  # noqa: PERF402 - it is to stay if the next one raises
        except CannotCompare as error:
            if number == 0 and not _disagree(found, multiple):
                raise
            remarks.append(f"not compared at {title}: {error}")
        except TimeUp:
            if not _disagree(found, multiple):
                raise
            remarks.append(f"not compared at {title}: the time was up")
            break
    return found, remarks


def _disagree(found: Iterable[_Compared], multiple: float) -> bool:
    return any(one.section.fails(multiple) for one in found)
