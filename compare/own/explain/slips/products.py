"""Slips where the error is carried back through a weight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from compare.own.explain.slips.slip import Slip
from compare.own.graph.activations import Activation
from compare.own.graph.edges import Node, Product, inputs, kind, origin, shape
from compare.own.graph.graph import Change, Swap

EARLY = "weights updated before the error is propagated through them"


def in_product(product: Product, places: Sequence[Activation]) -> Iterator[Slip]:
    """Another weight, or an error that lacks the derivative of the layer."""
    if inputs(product.node)[product.error] is None:
        return
    at = "product with a weight"
    early = Swap(product, lambda right, late: late)
    yield Slip(
        EARLY,
        "the error is carried back through the weight as it is after its update",
        "compute all gradients first, then update all parameters",
        at, swaps=(early,), place=product.weight,
    )  # fmt: skip
    yield Slip(
        "weight not transposed",
        "the error is carried back through the weight itself",
        "carry it back through the transpose of the weight",
        at, swaps=(Swap(product, _turned),), place=product.weight,
    )  # fmt: skip
    above = _above(product, places)
    if above is None:
        return

    def lacking(right: Tensor, reached: Tensor | None) -> Tensor | None:
        if reached is None:
            return None
        given = reached.reshape(shape(product.node))
        handed: Tensor = product.node(given)[product.error]
        return handed

    yield Slip(
        "error carried back before the derivative of its layer",
        f"the error that is carried back through the weight lacks the derivative of the layer's "
        f"{above.name}, which the weight's own gradient has",
        "multiply the error by the derivative of the layer's activation, then carry that back",
        at, (Change(product.node, product.error, lacking, above.head),), place=product.weight,
    )  # fmt: skip


def _turned(right: Tensor, late: Tensor) -> Tensor | None:
    square = right.dim() > 1 and right.shape[-1] == right.shape[-2]
    return right.transpose(-1, -2) if square else None


def _above(product: Product, places: Sequence[Activation]) -> Activation | None:
    """The activation of the layer: the one that is given the product, but for a bias."""
    numel = torch.Size(shape(product.node)).numel()
    for place in reversed(places):
        there = inputs(place.tail)[place.edge]
        while there is not None and there is not product.node:
            there = _through(there, product)
        if there is product.node and torch.Size(shape(place.head)).numel() == numel:
            return place
    return None


def _through(node: Node, product: Product) -> Node | None:
    """The next one on the way to a product, past moves and the addition of a bias."""
    moved = origin(node)
    if moved is not node:
        return moved
    if kind(node) not in ("Add", "Sub"):
        return None
    return next((origin(one) for one in inputs(node) if origin(one) is product.node), None)
