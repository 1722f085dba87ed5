"""From a disagreement to its causes: the catalogue tried, and the numbers read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from compare.base.quantities import Array, gradient
from compare.diagnosis.evidence.facts import Facts, Other
from compare.diagnosis.planting.distance import ROUNDINGS, first_apart
from compare.diagnosis.planting.places import Site
from compare.diagnosis.planting.replay import Replayed, Stage, Timed
from compare.diagnosis.planting.replay_network import SideStage
from compare.diagnosis.planting.search_faults import Evidence, Explanation, Search
from compare.diagnosis.signatures.read import read
from compare.measure.step_records import StepOutcome
from compare.process.budget import Budget, TimeUp
from compare.results.cause import Cause
from compare.sides.reference_side import ReferenceSide


def diagnose(
    right: ReferenceSide,
    steps: Sequence[StepOutcome],
    multiple: float,
    lr: float | None = None,
    budget: Budget | None = None,
) -> list[Cause]:
    """The causes that explain a disagreement.

    Where the reference's own network shows what PyTorch shows, the faults are planted there to find
    what the other side of the comparison did. Where it shows what disagrees, it is PyTorch's side
    that may have the fault.

    Args:
        right: the reference's own network, loss and update rule.
        steps: those that were compared, the first that disagrees among them.
        multiple: how many units were allowed.
        lr: the learning rate, if it stays the same.
        budget: the time for it; without end if it is None.

    Returns:
        Causes that explain all numbers of these steps, then those that explain gradients.

    Raises:
        TimeUp: nothing was found in the time.
    """
    stage = Timed(SideStage(right, [step.given for step in steps]), budget or Budget())
    by_numbers = _by_numbers(steps, multiple, lr)
    try:
        return [*_by_catalogue(stage, steps, multiple), *by_numbers]
    except TimeUp:
        if not by_numbers:
            raise
        return by_numbers


def told(found: Explanation, of: str = "") -> Cause:
    """An explanation in words.

    Args:
        found: the explanation.
        of: whose numbers it reproduces, if they are not the reference's.
    """
    named = [fault.name + _where(site) for fault, site in found.faults]
    sentences = [fault.told for fault, _ in found.faults]
    steps = "1 step" if found.steps == 1 else f"{found.steps} steps"
    numbers = f"all {found.quantities} quantities of {steps}"
    return Cause(
        name=" and ".join(named),
        told=(
            f"{'; and '.join(sentences)}. Planted in a right network, this gives {numbers}"
            f"{of} to within {found.match:.2g} of what is allowed"
        ),
        remedy="; ".join(fault.remedy for fault, _ in found.faults),
        match=found.match,
        tensors=found.tensors,
    )


def _by_catalogue(stage: Stage, steps: Sequence[StepOutcome], multiple: float) -> list[Cause]:
    allowed = [{name: multiple * unit for name, unit in step.units.items()} for step in steps]
    ours = Evidence([Replayed(step.seen, step.raised) for step in steps], allowed)
    theirs = Evidence([Replayed(step.expected) for step in steps], allowed)
    search = Search(stage, ours)
    if search.first is not None:
        return [told(found) for found in search.found()]
    return [told(found, " of PyTorch's side") for found in Search(stage, theirs).found()]


def _by_numbers(steps: Sequence[StepOutcome], multiple: float, lr: float | None) -> list[Cause]:
    """What the gradients of the first step that disagrees tell by themselves."""
    allowed = [_limits(step, multiple) for step in steps]
    wrong = [
        first_apart(Replayed(_ours(step)), Replayed(_theirs(step)), limits) is not None
        for step, limits in zip(steps, allowed, strict=True)
    ]
    if True not in wrong:
        return []
    place = wrong.index(True)
    step = steps[place]
    other = None
    if place and steps[place - 1].given.number == step.given.number - 1:
        before = steps[place - 1]
        number = before.given.number + 1
        other = Other(_ours(before), _theirs(before), allowed[place - 1], lr, number)
    target = step.given.target
    facts = Facts(
        batch_size=len(target),
        outputs=int(np.prod(target.shape[1:])) if target.dtype.kind == "f" else None,
        lr=lr,
        step=step.given.number + 1,
        weights=step.given.start.weights,
        other=other,
    )
    return read(_ours(step), _theirs(step), allowed[place], facts)


def _limits(step: StepOutcome, multiple: float) -> dict[str, Array]:
    """What is allowed of each gradient; where units are missing, many roundings of the largest."""
    found = {}
    for name, expected in _theirs(step).items():
        unit = step.units.get(gradient(name))
        if unit is None:
            eps = float(np.finfo(expected.dtype).eps)
            limit = np.full(expected.shape, ROUNDINGS * eps * np.abs(expected).max(initial=0))
        else:
            limit = multiple * unit
        found[name] = limit
    return found


def _ours(step: StepOutcome) -> dict[str, Array]:
    return {name: step.seen[gradient(name)] for name in _names(step)}


def _theirs(step: StepOutcome) -> dict[str, Array]:
    return {name: step.expected[gradient(name)] for name in _names(step)}


def _names(step: StepOutcome) -> list[str]:
    """The parameters whose gradients both sides have."""
    weights: Mapping[str, Array] = step.given.start.weights
    return [n for n in weights if gradient(n) in step.seen and gradient(n) in step.expected]


def _where(site: Site) -> str:
    """The place of a fault, where it is not the only one."""
    if site.path is None:
        return " (in every such layer)"
    return f" (at {site.path})" if site.path else ""
