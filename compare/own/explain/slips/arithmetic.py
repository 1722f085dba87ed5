"""Slips at multiplications, divisions and sums."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from compare.own.explain.slips.slip import Slip
from compare.own.graph.edges import Node, can_be_called, inputs, kind, origin, shape
from compare.own.graph.graph import Change, Graph


def in_factor(graph: Graph, node: Node) -> Iterator[Slip]:
    """Multiplications and divisions by something else."""
    if kind(node) not in ("Mul", "Div") or len(inputs(node)) != 2:
        return
    for edge, there in enumerate(inputs(node)):
        if there is None or (kind(node) == "Div" and edge == 1):
            continue
        what = _other_factor(graph, node, edge)

        def again(right: Tensor, reached: Tensor | None, edge: int = edge) -> Tensor:
            handed: Tensor = node(right)[edge]
            return handed

        def inverse(right: Tensor, reached: Tensor | None) -> Tensor | None:
            return None if reached is None else reached * reached / right

        verb = "multiplied" if kind(node) == "Mul" else "divided"
        both = ("division", "multiplication")
        done, right_one = both if kind(node) == "Mul" else both[::-1]
        yield Slip(
            "missing factor",
            f"the error that is handed on is not {verb} by {what}",
            f"the forward pass is {verb} by it there, so the error has to be as well",
            "such operation", (Change(node, edge, lambda right, reached: reached, node),),
        )  # fmt: skip
        yield Slip(
            "factor applied twice",
            f"the error that is handed on is {verb} by {what} twice",
            f"it has to be {verb} by it once",
            "such operation", (Change(node, edge, again),),
        )  # fmt: skip
        yield Slip(
            f"{done} for {right_one}",
            f"the error should be {verb} by {what}, and the reverse is done",
            f"it has to be {verb} by it, as the forward pass is",
            "such operation", (Change(node, edge, inverse, node),),
        )  # fmt: skip


def _other_factor(graph: Graph, node: Node, edge: int) -> str:
    """What the other factor is called."""
    there = origin(inputs(node)[1 - edge])
    if there is not None:
        names = graph.ways.reach[there]
        return next(iter(names)) if hasattr(there, "variable") and names else "the other factor"
    other = getattr(node, "_saved_other" if edge == 0 else "_saved_self", None)
    if isinstance(other, Tensor) and other.numel() == 1:
        return f"{float(other):.6g}"
    return "the other factor"


def in_sum(node: Node) -> Iterator[Slip]:
    """Sums of two branches, as of a residual connection."""
    if kind(node) != "Add" or len(inputs(node)) != 2 or None in inputs(node):
        return
    if any(hasattr(origin(one), "variable") for one in inputs(node)):
        return
    for edge in (0, 1):
        other = inputs(node)[1 - edge]
        yield Slip(
            "gradient of a branch left out",
            "the error that reaches a sum is handed on to one of its two terms only",
            "hand it on to both",
            "sum", (Change(node, edge, lambda right, reached: torch.zeros_like(right)),),
        )  # fmt: skip
        if shape(other) != shape(node) or not can_be_called(other):
            continue

        def spoilt(right: Tensor, reached: Tensor | None, other: Node = other) -> Tensor | None:
            handed = other(right)
            every = (handed,) if isinstance(handed, Tensor) else handed
            found: Tensor | None = next((one for one in every if one is not None), None)
            return found if found is not None and found.shape == right.shape else None

        yield Slip(
            "error overwritten",
            f"one branch of a sum changes the error in place ({kind(other).lower()}), and the "
            f"other branch is handed that",
            "copy the error before a branch changes it: dz = dy.copy(), or dz = dy * slope",
            "sum", (Change(node, edge, spoilt),),
        )  # fmt: skip
