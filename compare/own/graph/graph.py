"""The graph of a loss: what hands gradients on to what, and going back through it with changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction
from torch.overrides import TorchFunctionMode

from compare.own.graph.edges import Node, Product, Ways


@dataclass(frozen=True)
class Change:
    """What is handed on instead, at one place.

    Attributes:
        node: the operation.
        edge: to which of its inputs.
        instead: the gradient, made of the right one and of what has reached ``watched``.
        watched: another operation that the gradient passes before.
    """

    node: Node
    edge: int
    instead: Callable[[Tensor, Tensor | None], Tensor | None]
    watched: Node | None = None


@dataclass(frozen=True)
class Swap:
    """Another weight through which the error is carried back.

    Attributes:
        product: where.
        instead: the weight, made of the right one and of what it is after a step.
    """

    product: Product
    instead: Callable[[Tensor, Tensor], Tensor | None]


class Outputs(TorchFunctionMode):
    """Notes what each operation computes.

    Attributes:
        found: the results, and how many changes in place each had seen, by the operation.
    """

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[Node, tuple[Tensor, int]] = {}

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if isinstance(result, Tensor) and result.grad_fn is not None:
            self.found[result.grad_fn] = result.detach(), result._version
        return result


@dataclass
class Graph:
    """A loss at some weights, from which the gradient can be taken again and again.

    Args:
        loss: the loss.
        tensors: the parameters, by name.
        outputs: what was noted on the way.
    """

    loss: Tensor
    tensors: Mapping[str, Tensor]
    outputs: Outputs
    ways: Ways = field(init=False)
    _swapped: dict[tuple[Node, str], Tensor] = field(default_factory=dict)
    _right: dict[tuple[Node, str], Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ways = Ways(self.loss, self.tensors)

    @cached_property
    def runs_python(self) -> bool:
        """Whether the gradient passes functions that somebody has written in Python."""
        return any(isinstance(node, BackwardCFunction) for node in self.ways.nodes)

    def output(self, node: Node | None) -> Tensor | None:
        """What an operation computed; None if that was not seen, or is overwritten."""
        result, version = self.outputs.found.get(node, (None, 0))
        return result if result is not None and result._version == version else None

    def gradients(
        self,
        changes: Sequence[Change] = (),
        swaps: Sequence[Swap] = (),
        late: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Tensor] | None:
        """The gradients as they are with some changes; None if one cannot be made.

        Args:
            changes: what is handed on instead.
            swaps: other weights.
            late: the parameters as they are after a step.
        """
        made = _Pass()
        with ExitStack() as stack:
            for swap in swaps:
                if not self._swap(swap, (late or {}).get(swap.product.weight)):
                    return None
                stack.callback(self._swapped.clear)
            for change in changes:
                for handle in made.hooks(change):
                    stack.callback(handle.remove)
            found = torch.autograd.grad(
                self.loss, list(self.tensors.values()), allow_unused=True, retain_graph=True
            )
        if made.impossible:
            return None
        pairs = zip(self.tensors.items(), found, strict=True)
        return {
            name: torch.zeros_like(tensor) if one is None else one for (name, tensor), one in pairs
        }

    def _swap(self, swap: Swap, late: Tensor | None) -> bool:
        """Hand out another weight when it is asked for; whether there is one."""
        key = swap.product.node, swap.product.kept
        if key not in self._right:
            self._keep(key)
        right = self._right[key]
        after = right if late is None else _as_kept(right, self.tensors[swap.product.weight], late)
        instead = None if after is None else swap.instead(right, after)
        if instead is None:
            return False
        self._swapped[key] = instead
        return True

    def _keep(self, key: tuple[Node, str]) -> None:
        """Take over what autograd has kept of a weight."""
        node, name = key

        def pack(tensor: Tensor) -> None:
            self._right[key] = tensor.detach()

        saved = getattr(node, f"_raw_saved_{name}")
        saved.register_hooks(pack, lambda _: self._swapped.get(key, self._right[key]))


def _as_kept(kept: Tensor, parameter: Tensor, late: Tensor) -> Tensor | None:
    """Other numbers for a parameter, seen as what was kept of it; None if that is a copy."""
    if kept.untyped_storage().data_ptr() != parameter.untyped_storage().data_ptr():
        return None
    moved = parameter.detach().clone()  # same strides
    moved.copy_(late)
    if moved.stride() != parameter.stride():
        return None
    offset = kept.storage_offset() - parameter.storage_offset()
    return moved.as_strided(kept.shape, kept.stride(), offset)


class _Pass:
    """One backward pass with changes.

    Attributes:
        impossible: whether one of them could not be made.
    """

    def __init__(self) -> None:
        self.impossible = False
        self._reached: dict[Node, Tensor] = {}

    def hooks(self, change: Change) -> Iterator[Any]:
        """Makes a change, and takes it back when removed."""
        if change.watched is not None:
            yield change.watched.register_prehook(partial(self._note, change.watched))
        yield change.node.register_hook(partial(self._hand_on, change))

    def _note(self, node: Node, given: tuple[Tensor | None, ...]) -> None:
        if given[0] is not None:
            self._reached[node] = given[0]

    def _hand_on(
        self, change: Change, right: tuple[Tensor | None, ...], given: Any
    ) -> tuple[Tensor | None, ...] | None:
        given = right[change.edge]
        reached = None if change.watched is None else self._reached.get(change.watched)
        if given is None or (reached is None and change.watched is not None):
            self.impossible = True
            return None
        try:
            instead = change.instead(given, reached)
        except RuntimeError:  # shapes that do not go together
            instead = None
        if instead is None or instead.numel() != given.numel():
            self.impossible = True
            return None
        handed = list(right)
        handed[change.edge] = instead.reshape(given.shape)
        return tuple(handed)
