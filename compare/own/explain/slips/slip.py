"""One mistake in a backward pass, at one place."""

from __future__ import annotations

from dataclasses import dataclass

from compare.own.graph.graph import Change, Graph, Swap


@dataclass(frozen=True)
class Slip:
    """One mistake at one place.

    Attributes:
        name: in a few words.
        told: what is done instead, for a sentence.
        remedy: what to do.
        at: what is at the place, in a word.
        changes: what is handed on instead.
        swaps: through which weights instead.
        place: the parameter, or the like, that tells the place; empty if it has none.
    """

    name: str
    told: str
    remedy: str
    at: str
    changes: tuple[Change, ...] = ()
    swaps: tuple[Swap, ...] = ()
    place: str = ""

    def touches(self, graph: Graph) -> frozenset[str]:
        """The parameters whose gradients it may change."""
        ways = graph.ways
        parts = [ways.reached(one.node, one.edge) for one in self.changes]
        parts += [ways.reached(one.product.node, one.product.error) for one in self.swaps]
        return frozenset().union(*parts)
