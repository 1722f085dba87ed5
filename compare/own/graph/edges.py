"""What the gradient of a loss passes on its way back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

#: An operation, as autograd knows it; its class is not part of PyTorch's interface.
Node = Any

#: Operations that only move numbers.
_MOVES = {
    *("T", "Transpose", "Permute", "View", "UnsafeView", "ReshapeAlias", "Expand", "Unsqueeze"),
    *("Squeeze", "Alias", "Clone", "AsStrided", "Slice", "Select", "ToCopy", "Cat", "Split"),
    *("Unbind", "Stack", "Contiguous"),
}

#: Products: at which of its inputs the two factors start, and under which names they are kept.
_PRODUCTS = {
    "Mm": (0, ("self", "mat2")),
    "Mv": (0, ("self", "vec")),
    "Dot": (0, ("self", "tensor")),
    "Bmm": (0, ("self", "mat2")),
    "Addmm": (1, ("mat1", "mat2")),
    "Addmv": (1, ("mat", "vec")),
    "Baddbmm": (1, ("batch1", "batch2")),
    "Convolution": (0, ("input", "weight")),
}


def kind(node: Node) -> str:
    """What an operation is called, without what autograd adds: ``Mm`` of ``MmBackward0``."""
    return str(node.name()).partition("Backward")[0]


def inputs(node: Node) -> list[Node | None]:
    """Where it hands its gradients on to; None where none is needed."""
    return [there for there, _ in node.next_functions]


def shape(node: Node) -> tuple[int, ...]:
    """Of its first result."""
    return tuple(node._input_metadata[0].shape)


def can_be_called(node: Node) -> bool:
    """Whether one gradient is all that it takes."""
    return len(node._input_metadata) == 1


def in_backward_order(root: Node) -> list[Node]:
    """Everything that the gradient passes, from the loss on; parameters come last."""
    found, open_ = {root}, [root]
    while open_:
        for there in inputs(open_.pop()):
            if there is not None and there not in found:
                found.add(there)
                open_.append(there)
    return sorted(found, key=lambda node: (_is_leaf(node), -node._sequence_nr()))


def _is_leaf(node: Node) -> bool:
    return hasattr(node, "variable")


@dataclass(frozen=True)
class Product:
    """A product with a parameter.

    Attributes:
        node: the operation.
        weight: the parameter's name.
        place: which of its two factors that is.
        error: to which of its inputs it hands the other factor's gradient.
        kept: the name under which it keeps the parameter.
    """

    node: Node
    weight: str
    place: int
    error: int
    kept: str

    @property
    def other(self) -> Node | None:
        """Where the other factor comes from, moves left out."""
        return origin(inputs(self.node)[self.error])

    @property
    def units(self) -> int | None:
        """Along which axis of a matrix its units lie, before it was moved about."""
        start = _PRODUCTS[kind(self.node)][0]
        there, turns = inputs(self.node)[start + self.place], self.place
        while there is not None and not _is_leaf(there):
            turns += kind(there) in ("T", "Transpose", "Permute")
            there = next((one for one in inputs(there) if one is not None), None)
        return turns % 2 if there is not None and there.variable.dim() == 2 else None

    @property
    def rows(self) -> int:
        """How many of its results one row of the weight has: samples."""
        result = shape(self.node)
        return torch.Size(result).numel() // max(self.outputs, 1)

    @property
    def outputs(self) -> int:
        """How many results it has for each sample."""
        result = shape(self.node)
        if kind(self.node) == "Convolution":
            return result[1]
        if self.place == 0:
            return result[-2] if len(result) > 1 else torch.Size(result).numel()
        vector = kind(self.node) in ("Mv", "Addmv", "Dot")
        return 1 if vector else result[-1]


def origin(node: Node | None) -> Node | None:
    """The operation that computed what others moved about since."""
    while node is not None and kind(node) in _MOVES:
        node = next((there for there in inputs(node) if there is not None), None)
    return node


class Ways:
    """What the gradient passes on its way back.

    Args:
        loss: where it starts.
        tensors: the parameters, by name.

    Attributes:
        nodes: all operations, from the loss on.
    """

    def __init__(self, loss: Tensor, tensors: Mapping[str, Tensor]) -> None:
        self.nodes = in_backward_order(loss.grad_fn)
        by_id = {id(tensor): name for name, tensor in tensors.items()}
        leaves = [node for node in self.nodes if _is_leaf(node)]
        self._names = {
            node: by_id[id(node.variable)] for node in leaves if id(node.variable) in by_id
        }
        self._every = list(tensors)

    @cached_property
    def reach(self) -> dict[Node, frozenset[str]]:
        """The parameters to whose gradients each operation hands something on."""
        found: dict[Node, frozenset[str]] = {}
        for node in reversed(self.nodes):
            if node in self._names:
                found[node] = frozenset([self._names[node]])
            else:
                parts = [found[there] for there in inputs(node) if there is not None]
                found[node] = frozenset().union(*parts)
        return found

    def reached(self, node: Node, edge: int) -> frozenset[str]:
        """The parameters that get something from one of its inputs."""
        there = inputs(node)[edge]
        return frozenset() if there is None else self.reach[there]

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The parameters as their gradients are completed, one after the other."""
        when: dict[Node, int] = {}
        for number, node in enumerate(self.nodes):
            moves = _is_leaf(node) or kind(node) in _MOVES
            here = when.setdefault(node, number) if moves else number
            for there in inputs(node):
                if there is not None:
                    when[there] = max(when.get(there, 0), here)
        last = {self._names[node]: when.get(node, 0) for node in self._names}
        return tuple(sorted(self._every, key=lambda name: last.get(name, len(self.nodes))))

    @property
    def behind(self) -> dict[str, frozenset[str]]:
        """For each parameter, those whose gradients are made of the same error."""
        found: dict[str, frozenset[str]] = dict.fromkeys(self._every, frozenset())
        for node in self.nodes:
            if kind(node) not in _MOVES:
                for there in inputs(node):
                    name = self._names.get(origin(there))
                    if name is not None:
                        found[name] |= self.reach[node] - {name}
        return found

    @cached_property
    def products(self) -> list[Product]:
        """All products with a parameter, from the loss on."""
        return [one for node in self.nodes if kind(node) in _PRODUCTS for one in self._of(node)]

    def _of(self, node: Node) -> Iterator[Product]:
        start, kept = _PRODUCTS[kind(node)]
        for place in (0, 1):
            weight = self._names.get(origin(inputs(node)[start + place]))
            if weight is not None:
                yield Product(node, weight, place, start + 1 - place, kept[place])

    @property
    def samples(self) -> int | None:
        """How many samples the last layer sees; None if that cannot be told."""
        if not self.products:
            return None
        last = self.products[0]
        rows = {one.rows for one in self.products if one.weight == last.weight}
        uses = sum(one.weight == last.weight for one in self.products)
        if uses == 1:
            return last.rows
        return uses if rows == {1} else None

    @property
    def outputs(self) -> int | None:
        """How many outputs the last layer has; None if that cannot be told."""
        return self.products[0].outputs if self.products else None

    @property
    def units(self) -> dict[str, int]:
        """Along which axis of each matrix its units lie."""
        return {one.weight: axis for one in self.products if (axis := one.units) is not None}
