"""Slips where the same state passes the same weights again and again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from compare.own.explain.slips.slip import Slip
from compare.own.graph.edges import Node, Product, Ways, inputs, origin
from compare.own.graph.graph import Change

_AT = "recurrence"


def in_recurrence(ways: Ways) -> Iterator[Slip]:
    """All of them, at each recurrent weight, and at all of them at once."""
    loops: dict[str, list[Product]] = {}
    for product in ways.products:
        if product.other is not None and product.weight in ways.reach[product.other]:
            loops.setdefault(product.weight, []).append(product)
    for weight, steps in loops.items():
        yield _cut(steps, weight)
        states = {one.other for one in steps}
        for last in ways.products:
            inner = last.other is not None and weight in ways.reach[last.other]
            if inner and last.weight != weight and last.other not in states:
                yield _injected(last, steps)
    if len(loops) > 1:
        every = [one for steps in loops.values() for one in steps]
        yield _cut(every, " and ".join(loops))


def _cut(steps: Sequence[Product], place: str) -> Slip:
    zero = tuple(
        Change(one.node, one.error, lambda right, reached: torch.zeros_like(right)) for one in steps
    )
    return Slip(
        "gradient from later steps left out",
        "no error is carried back from one step to the one before",
        "add the error of the next step, carried back through the recurrent weight",
        _AT, zero, place=place,
    )  # fmt: skip


def _injected(last: Product, steps: Sequence[Product]) -> Slip:
    def added(right: Tensor, reached: Tensor | None) -> Tensor | None:
        if reached is None:
            return None
        extra: Tensor = last.node(reached)[last.error]
        return right + extra.reshape(right.shape)

    changes = tuple(Change(*_entry(one.node, one.error), added, last.node) for one in steps)
    return Slip(
        "last step's error injected at every step",
        "the error that comes back from the output, which belongs to the last step, is added at "
        "every step",
        "add it at the last step only, and carry it back from there",
        _AT, changes, place=last.weight,
    )  # fmt: skip


def _entry(node: Node, edge: int) -> tuple[Node, int]:
    """The place from which a state itself gets its gradient."""
    while (there := inputs(node)[edge]) is not origin(there):
        node = there
        edge = next(edge for edge, one in enumerate(inputs(node)) if one is not None)
    return node, edge
