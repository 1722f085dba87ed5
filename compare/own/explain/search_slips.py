"""Which slip in a backward pass gives the user's gradients: each is tried on PyTorch's own.

The graph of the user's ``torch_loss`` is gone back through again and again, each time with what a
person might have written at one place. If that gives the user's gradients, all of them, at all
weights and learning rates, to within what is allowed, the mistake is found, with its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

import numpy as np

from compare.base.quantities import Array
from compare.own.comparison.against_torch import Look
from compare.own.explain.slips import Slip, slips
from compare.own.graph.edges import Node
from compare.own.graph.graph import Graph
from compare.own.oracle.autograd import Autograd
from compare.own.user.network import Subject
from compare.results.cause import Cause, listed

#: Some of the attempts, by number, and the gradients that they give.
Choice = tuple[int, ...]
Known = dict[Choice, dict[str, Array] | None]

#: So many slips are tried by themselves, and so many pairs.
SINGLE, PAIRS = 1000, 200


@dataclass(frozen=True)
class Attempt:
    """Some slips at once.

    Attributes:
        slips: what is done.
        where: in words.
    """

    slips: tuple[Slip, ...]
    where: str

    @property
    def name(self) -> str:
        return self.slips[0].name

    @property
    def told(self) -> str:
        return f"{self.slips[0].told}, {self.where}"

    def touches(self, graph: Graph) -> frozenset[str]:
        return frozenset().union(*(slip.touches(graph) for slip in self.slips))

    @property
    def nodes(self) -> set[Node]:
        """Where anything is changed."""
        return {change.node for slip in self.slips for change in slip.changes} | {
            swap.product.node for slip in self.slips for swap in slip.swaps
        }

    @property
    def keeps(self) -> bool:
        """Whether it is the same whatever the learning rate is."""
        return not any(slip.swaps for slip in self.slips)


@dataclass
class Scene:
    """A graph at some weights, and what was seen there.

    Attributes:
        graph: PyTorch's side.
        looks: both sides, at each learning rate.
        autograd: PyTorch's side.
        multiple: how many units of the tolerance are allowed.
        known: gradients that were computed here before.
        attempts: what could be done, in the same order at all weights.
        touched: the parameters that each may change.
    """

    graph: Graph
    looks: Sequence[Look]
    autograd: Autograd
    multiple: float
    known: Known
    attempts: list[Attempt] = field(init=False)
    touched: list[frozenset[str]] = field(init=False)

    def __post_init__(self) -> None:
        self.attempts = list(islice(_attempts(self.graph), SINGLE))
        self.touched = [attempt.touches(self.graph) for attempt in self.attempts]

    def goes_with(self, one: int, other: int) -> bool:
        """Whether two slips are at two places, or one is about the weight alone."""
        first, second = (
            {change.node for slip in self.attempts[number].slips for change in slip.changes}
            for number in (one, other)
        )
        return not first & second and self.attempts[one].name != self.attempts[other].name

    def predicted(self, chosen: Choice, look: Look) -> dict[str, Array] | None:
        """The gradients with some of the attempts; None if one cannot be made."""
        if max(chosen) >= len(self.attempts):
            return None  # torch_loss computes something else here
        picked = [self.attempts[one] for one in chosen]
        key = (*chosen, -1 if all(one.keeps for one in picked) else -2 - self.looks.index(look))
        if key not in self.known:
            self.known[key] = self._try([slip for one in picked for slip in one.slips], look)
        return self.known[key]

    def _try(self, made: Sequence[Slip], look: Look) -> dict[str, Array] | None:
        lr = look.seen.lr or 0.0
        gradients = look.seen.gradients  # whatever they are, weights move by them
        late = {name: w - lr * gradients[name] for name, w in look.weights.items()}
        changes = [change for slip in made for change in slip.changes]
        swaps = [swap for slip in made for swap in slip.swaps]
        return self.autograd.again(self.graph, changes, swaps, late if swaps else {})

    def explained(self, chosen: Choice, look: Look) -> set[str]:
        """The tensors that come out as they were seen."""
        return {name for name in look.weights if self._match(chosen, look, name) <= 1}

    def match(self, chosen: Choice) -> float:
        """The largest difference that is left at any learning rate, over what is allowed.

        Infinite as soon as one tensor is not explained.
        """
        worst = 0.0
        for look in self.looks:
            for name in look.expected.gradients:
                worst = max(worst, self._match(chosen, look, name))
                if worst > 1:
                    return np.inf
        return worst

    def _match(self, chosen: Choice, look: Look, name: str) -> float:
        predicted = self.predicted(chosen, look)
        return np.inf if predicted is None else _match(look, name, predicted[name], self.multiple)


def _match(look: Look, name: str, predicted: Array, multiple: float) -> float:
    actual, expected = look.seen.gradients[name], look.expected.gradients[name]
    if predicted.shape != actual.shape:
        return np.inf
    error = np.abs(predicted - actual.astype(np.float64))
    size = max(float(np.abs(expected).max(initial=0)), np.finfo(np.float64).tiny)
    grown = max(1.0, float(np.abs(predicted).max(initial=0)) / size)
    with np.errstate(all="ignore"):
        ratio = np.where(error == 0, 0, error / (grown * multiple * look.units[name]))
    largest = float(ratio.max(initial=0))
    return largest if np.isfinite(largest) else np.inf


def _attempts(graph: Graph) -> Iterator[Attempt]:
    """Each slip at each place, then wherever the same parameters depend on it, then everywhere."""
    groups: dict[tuple[str, str, str], list[Slip]] = {}
    for slip in slips(graph):
        groups.setdefault((slip.name, slip.told, slip.at), []).append(slip)
    several = [group for group in groups.values() if len(group) > 1]
    for group in groups.values():
        for number, slip in enumerate(group):
            yield Attempt((slip,), _where(slip, number, len(group)))
    for group in several:
        alike: dict[frozenset[str], list[Slip]] = {}
        for slip in group:
            alike.setdefault(slip.touches(graph), []).append(slip)
        for some in alike.values():
            if 1 < len(some) < len(group):
                yield Attempt(tuple(some), _at_all(some))
    for group in several:
        yield Attempt(tuple(group), _at_all(group))


def _where(slip: Slip, number: int, count: int) -> str:
    """Where it is, in the order of the forward pass."""
    if slip.place:
        return f"at {slip.place}"
    if count == 1:
        return f"at the only {slip.at}"
    return f"at place {count - number} of {count} in the order of the forward pass ({slip.at})"


def _at_all(group: Sequence[Slip]) -> str:
    if group[0].place:
        return f"at {listed(list(dict.fromkeys(slip.place for slip in group)))}"
    return f"at every one of {len(group)} places ({group[0].at})"


def slipped(
    groups: Sequence[Sequence[Look]],
    subject: Subject,
    autograd: Autograd,
    multiple: float,
    pairs: bool,
) -> list[Cause]:
    """The slips that explain all of the user's gradients wherever they were looked at.

    Args:
        groups: what was seen at the same weights.
        subject: the user's side, which may draw masks that torch_loss reads.
        autograd: PyTorch's side.
        multiple: how many units of the tolerance are allowed.
        pairs: whether two slips are tried where none explains everything by itself.
    """
    first, *others = sorted(groups, key=lambda group: not group[0].wrong)
    wrong = max((look.wrong for group in groups for look in group), key=len)
    search = _Search([first, *others], subject, autograd, multiple, wrong)
    found = search.causes(search.alone())
    return search.causes(search.together())[:1] if pairs and not found else found


@dataclass
class _Search:
    """What fits at all weights.

    Args:
        groups: what was seen at the same weights, the first of them where something is wrong.
        subject: the user's side.
        autograd: PyTorch's side.
        multiple: how many units of the tolerance are allowed.
        wrong: what is to be explained.
    """

    groups: Sequence[Sequence[Look]]
    subject: Subject
    autograd: Autograd
    multiple: float
    wrong: Sequence[str]
    _known: Known = field(default_factory=dict)

    def alone(self) -> list[Choice]:
        """The slips that may explain it by themselves."""
        return [(one,) for one in self._likely(self._scene(self.groups[0]))]

    def together(self) -> list[Choice]:
        """Two slips, one of which explains what comes first; then two in the same layer."""
        return list(islice(self._pairs(self._scene(self.groups[0])), PAIRS))

    def causes(self, tries: Sequence[Choice]) -> list[Cause]:
        """Those that hold everywhere: of each name, and at each place, the first."""
        matches = dict.fromkeys(tries, 0.0)
        causes: dict[frozenset[Node], Cause] = {}
        for group in self.groups:
            if not matches:
                return []
            scene = self._scene(group)  # right after the user's own run there
            found = {one: max(before, scene.match(one)) for one, before in matches.items()}
            matches = {one: match for one, match in found.items() if match <= 1}
            causes = {}
            for chosen, match in matches.items():
                picked = [scene.attempts[one] for one in chosen]
                places = frozenset(node for one in picked for node in one.nodes)
                causes.setdefault(places, _cause(picked, match, self.wrong))
        return list({cause.name: cause for cause in reversed(causes.values())}.values())[::-1]

    def _scene(self, group: Sequence[Look]) -> Scene:
        self.subject.see(group[0].weights, group[0].seen.lr)
        known = self._known if group is self.groups[0] else {}
        graph = self.autograd.graph(group[0].weights)
        return Scene(graph, group, self.autograd, self.multiple, known)

    def _likely(self, scene: Scene) -> list[int]:
        every = enumerate(scene.touched)
        return [number for number, names in every if names >= set(self.wrong)]

    def _pairs(self, scene: Scene) -> Iterator[Choice]:
        likely, touched = self._likely(scene), scene.touched
        for one in likely:
            rest = set(self.wrong) - scene.explained((one,), scene.looks[0])
            if rest < set(self.wrong):
                for other, names in enumerate(touched):
                    if rest <= names < touched[one]:
                        yield one, other
        fewest = min((len(touched[one]) for one in likely), default=0)
        forms = Counter(attempt.name for attempt in scene.attempts)
        near = [one for one in likely if len(touched[one]) == fewest]
        near.sort(key=lambda one: forms[scene.attempts[one].name])  # those of many forms last
        for number, other in enumerate(near):
            yield from ((one, other) for one in near[:number] if scene.goes_with(one, other))


def _cause(picked: Sequence[Attempt], match: float, wrong: Sequence[str]) -> Cause:
    return Cause(
        " and ".join(dict.fromkeys(one.name for one in picked)),
        "; and ".join(one.told for one in picked),
        "; ".join(dict.fromkeys(one.slips[0].remedy for one in picked)),
        match,
        tuple(wrong),
    )
