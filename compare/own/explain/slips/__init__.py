"""What people do instead of the right thing in one place of a backward pass."""

from __future__ import annotations

from compare.own.explain.slips.activation_derivatives import in_activation
from compare.own.explain.slips.arithmetic import in_factor, in_sum
from compare.own.explain.slips.maxima import in_maximum
from compare.own.explain.slips.products import EARLY, in_product
from compare.own.explain.slips.recurrences import in_recurrence
from compare.own.explain.slips.slip import Slip
from compare.own.graph.activations import activations
from compare.own.graph.graph import Graph

__all__ = ["EARLY", "Slip", "slips"]


def slips(graph: Graph) -> list[Slip]:
    """All that are known, at all places, those from the loss on first."""
    places, ways = activations(graph), graph.ways
    return [
        *(slip for product in ways.products for slip in in_product(product, places)),
        *(slip for place in places for slip in in_activation(place)),
        *(slip for node in ways.nodes for slip in in_factor(graph, node)),
        *(slip for node in ways.nodes for slip in in_sum(node)),
        *(slip for node in ways.nodes for slip in in_maximum(graph, node)),
        *in_recurrence(ways),
    ]
