"""What faults are planted in: entries of the catalogue and whole networks, each beside PyTorch.

What PyTorch shows is recorded once; every fault of the exhibit is compared with the same record, by
the very comparison that ``compare`` makes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any, Protocol

import numpy as np
from torch import enable_grad

from compare.base.quantities import Observation
from compare.cases import datasets
from compare.cases.datasets import Dataset
from compare.cases.registry import Case
from compare.catalogue import layer_against_torch, rule_against_torch
from compare.catalogue.entries.entry import Entry, Variant
from compare.catalogue.subject import Subject, subject_of
from compare.diagnosis.planting.places import Parts, fresh
from compare.diagnosis.planting.replay import Replayed, replay_once
from compare.diagnosis.planting.replay_network import SideStage
from compare.diagnosis.planting.search_faults import Evidence
from compare.measure.meter import Meter
from compare.measure.step_records import StepInput, StepOutcome
from compare.measure.tolerances import Fixed, Tolerance
from compare.results.verdict import Failure, judge
from compare.sides import lockstep
from compare.sides.feed import Feed
from compare.sides.pair import Pair, build
from compare.sides.reference_side import ReferenceSide

#: The reference's plain numbers.
PLAIN = Fixed(0.0, 0.0)

#: Steps of a whole network, where an epoch is but one.
FIRST_STEPS = 3

#: Samples of a batch, where the case has several batches.
BATCH = 4


class Exhibit(Protocol):
    """Something right beside PyTorch's, in which faults are planted.

    Attributes:
        name: of the case or the entry.
        label: of the variant, in words.
        dtype: of all arithmetic.
        tolerance: of the comparison.
    """

    name: str
    label: str
    dtype: str
    tolerance: Tolerance

    @property
    def parts(self) -> Parts:
        """What is right."""

    def show(self, parts: Parts) -> Iterator[Replayed]:
        """Make each step with these parts, in plain numbers."""

    def judge(self, parts: Parts) -> Judgement:
        """Compare these parts with PyTorch."""


@dataclass(frozen=True)
class Judgement:
    """What a comparison found.

    Attributes:
        failure: the first; None if both sides agree.
        evidence: the numbers of the reference's side.
        gaps: how far apart both sides were, by step and quantity.
    """

    failure: Failure | None
    evidence: Evidence
    gaps: Sequence[Observation] = ()


class Stepwise:
    """What is compared with PyTorch step by step, each from PyTorch's own start."""

    tolerance: Tolerance

    def compare_steps(self, parts: Parts) -> Iterator[StepOutcome]:
        """Make each step with these parts, and compare it with PyTorch's."""
        raise NotImplementedError

    def judge(self, parts: Parts) -> Judgement:
        """Compare these parts with PyTorch."""
        multiple, held = self.tolerance.multiple, []
        meter = Meter(multiple)
        for number, one in enumerate(self.compare_steps(parts), 1):
            held.append(one)
            if not any(gauge.structure for gauge in meter.gauges.values()):
                one.judge(meter, number)
        failures = [judge("lockstep", metrics, multiple) for metrics in meter.metrics()]
        first = min(filter(None, failures), key=lambda one: one.epoch, default=None)
        allowed = [{name: multiple * unit for name, unit in one.units.items()} for one in held]
        evidence = Evidence([Replayed(one.seen, one.raised) for one in held], allowed)
        return Judgement(first, evidence, [_gaps(one) for one in held])


def _gaps(held: StepOutcome) -> Observation:
    return {
        name: np.abs(np.asarray(value, np.float64) - held.expected[name])
        for name, value in held.actual.items()
    }


class LayerExhibit(Stepwise):
    """One variant of a layer, an activation or a loss."""

    def __init__(self, entry: Entry, variant: Variant, dtype: str, tolerance: Tolerance) -> None:
        self.name, self.label, self.dtype = entry.name, variant.label, dtype
        self.tolerance = tolerance
        self.entry, self.variant = entry, variant
        self.subject = subject_of(entry, variant, dtype)
        rng = layer_against_torch.generator(entry, variant, 0)
        problem = layer_against_torch.pose(entry, variant, self.subject, dtype, rng)
        expected, upstream = layer_against_torch.observe_torch(entry, variant, dtype, problem, rng)
        self.asked = layer_against_torch.Asked(problem, expected, upstream)

    @property
    def parts(self) -> dict[str, Any]:
        return {"loss" if self.subject.is_loss else "network": self.subject.module}

    def show(self, parts: Parts) -> Iterator[Replayed]:
        def run(seen: Observation) -> None:
            subject = self._subject(parts)
            layer_against_torch.observe(
                subject, self.asked.problem, self.asked.upstream, PLAIN, self.variant.strided, seen
            )

        yield replay_once(run)

    def compare_steps(self, parts: Parts) -> Iterator[StepOutcome]:
        yield layer_against_torch.step_layer(
            self.variant, self.tolerance, self._subject(parts), self.asked
        )

    def _subject(self, parts: Parts) -> Subject:
        (module,) = parts.values()
        return Subject(module, self.subject.differentiable)


class RuleExhibit(Stepwise):
    """One variant of an update rule."""

    def __init__(self, entry: Entry, variant: Variant, dtype: str, tolerance: Tolerance) -> None:
        self.name, self.label, self.dtype = entry.name, variant.label, dtype
        self.tolerance = tolerance
        self.rule = rule_against_torch.rule_of(entry, variant)
        self.moments = rule_against_torch.record(entry, variant, dtype)

    @property
    def parts(self) -> dict[str, Any]:
        return {"optimizer": self.rule}

    def show(self, parts: Parts) -> Iterator[Replayed]:
        parts = fresh(parts)
        for moment in self.moments:
            yield replay_once(
                partial(rule_against_torch.run_rule, parts["optimizer"], moment, PLAIN)
            )

    def compare_steps(self, parts: Parts) -> Iterator[StepOutcome]:
        parts = fresh(parts)
        for moment in self.moments:
            yield rule_against_torch.step_rule(parts["optimizer"], moment, self.tolerance)


class ScheduleExhibit(Stepwise):
    """One variant of a schedule."""

    def __init__(self, entry: Entry, variant: Variant, dtype: str, tolerance: Tolerance) -> None:
        self.name, self.label, self.dtype = entry.name, variant.label, "float64"
        self.tolerance = tolerance
        self.schedule = rule_against_torch.schedule_of(entry, variant)
        self.rates = rule_against_torch.record_schedule(entry, variant)

    @property
    def parts(self) -> dict[str, Any]:
        return {"schedule": self.schedule}

    def show(self, parts: Parts) -> Iterator[Replayed]:
        for held in self.compare_steps(parts):
            yield Replayed(held.seen, held.raised)

    def compare_steps(self, parts: Parts) -> Iterator[StepOutcome]:
        yield from rule_against_torch.against_schedule(fresh(parts)["schedule"], self.rates)


class TrainingExhibit(Stepwise):
    """The first steps of a training, the last of its first epoch and the first of the next."""

    def __init__(self, name: str, dtype: str, pair: Pair, feed: Feed, tolerance: Tolerance) -> None:
        self.name, self.label, self.dtype = name, "", dtype
        self.tolerance = tolerance
        last = len(feed.parts)
        moments, self.expected = _recorded(pair, feed, max(FIRST_STEPS, last + 1))
        looked = sorted({0, last - 1, last} if last > 1 else range(FIRST_STEPS))
        self.stage = SideStage(pair.reference, moments, feed, looked)

    @property
    def parts(self) -> dict[str, Any]:
        return self.stage.parts

    def show(self, parts: Parts) -> Iterator[Replayed]:
        return self.stage.show(parts)

    def compare_steps(self, parts: Parts) -> Iterator[StepOutcome]:
        def held(side: ReferenceSide, moment: StepInput, number: int) -> StepOutcome:
            return lockstep.step_reference(side, moment, self.expected[number], self.tolerance)

        return self.stage.each(parts, held)


def _recorded(pair: Pair, feed: Feed, steps: int) -> tuple[list[StepInput], list[Observation]]:
    """PyTorch's steps, with all that each of them starts from."""
    moments: list[StepInput] = []
    expected: list[Observation] = []
    with pair.torch.training(), enable_grad(), np.errstate(all="ignore"):
        for epoch in count(1):
            for ours, theirs in feed.batches(epoch, pair.reference, pair.torch):
                if len(moments) == steps:
                    return moments, expected
                start = pair.torch.snapshot()
                expected.append(pair.torch.observe(*theirs))
                masks = dict(pair.torch.masks)
                moments.append(StepInput(start, ours[0], ours[1], masks, len(moments)))
    raise AssertionError("epochs have no end")


def exhibit_of_case(case: Case, tolerance: Tolerance) -> Exhibit:
    """A whole network of the default cases, on few of its samples in small batches."""
    dataset = datasets.load(case)
    if case.batch_size is not None:
        size = min(BATCH, case.batch_size)
        case = replace(case, batch_size=size)
        few = 3 * size + size // 2  # so that the last batch is smaller
        dataset = Dataset(dataset.inputs[:few], dataset.targets[:few])
    return TrainingExhibit(case.name, case.dtype, build(case), Feed(case, dataset), tolerance)


def exhibits_of_entry(entry: Entry, dtype: str, tolerance: Tolerance) -> Iterator[Exhibit]:
    """Every variant of an entry of the catalogue."""
    kinds: dict[str, Any] = {"optimizer": RuleExhibit, "schedule": ScheduleExhibit}
    for variant in entry.variants:
        yield kinds.get(entry.kind, LayerExhibit)(entry, variant, dtype, tolerance)
