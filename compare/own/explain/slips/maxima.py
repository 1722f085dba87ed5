"""Slips where the largest of several numbers is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from compare.own.explain.slips.slip import Slip
from compare.own.graph.edges import Node, inputs, kind
from compare.own.graph.graph import Change, Graph


def in_maximum(graph: Graph, node: Node) -> Iterator[Slip]:
    """What is done about numbers that are equally large."""
    if kind(node) not in _MAXIMA:
        return

    def change(right: Tensor, reached: Tensor | None) -> Tensor | None:
        x = _kept_input(graph, node)
        return None if reached is None or x is None else _MAXIMA[kind(node)](node, x, reached)

    yield Slip(
        "every tied maximum gets the gradient",
        "where several numbers are equally large, each gets the whole gradient",
        "give it to one of them, the first, as PyTorch does: use argmax, not x == max",
        "maximum", (Change(node, 0, change, node),),
    )  # fmt: skip


def _kept_input(graph: Graph, node: Node) -> Tensor | None:
    kept = getattr(node, "_saved_self", None)
    return kept if isinstance(kept, Tensor) else graph.output(inputs(node)[0])


def _all_of_window(node: Node, x: Tensor, gradient: Tensor) -> Tensor | None:
    """Max pooling's gradient with no choice between ties."""
    size, axes = list(node._saved_kernel_size), len(node._saved_kernel_size)
    stride = list(node._saved_stride) or size
    padding, dilation = list(node._saved_padding), list(node._saved_dilation)
    with torch.enable_grad():
        x = x.detach().requires_grad_()
        both = [pad for one in reversed(padding) for pad in (one, one)]
        windows = torch.nn.functional.pad(x, both, value=-torch.inf)
        for axis in range(axes):
            reach = dilation[axis] * (size[axis] - 1) + 1
            windows = windows.unfold(-axes, reach, stride[axis])[..., :: dilation[axis]]
        within = tuple(range(-axes, 0))
        top = windows.amax(within, keepdim=True)
        picked = torch.where(windows == top, windows, 0).sum(within)
        if picked.shape != gradient.shape:
            return None  # windows beyond the edge
        return torch.autograd.grad(picked, x, gradient)[0]


def _all_along_axis(node: Node, x: Tensor, gradient: Tensor) -> Tensor:
    axis = node._saved_dim
    axes = [axis] if isinstance(axis, int) else list(axis) or list(range(x.dim()))
    axes = [one - 2**64 if one >= 2**63 else one for one in axes]  # kept without a sign
    if not node._saved_keepdim:
        for one in sorted(one % x.dim() for one in axes):
            gradient = gradient.unsqueeze(one)
    return (x == x.amax(axes, keepdim=True)) * gradient


_MAXIMA: dict[str, Callable[[Node, Tensor, Tensor], Tensor | None]] = {
    "MaxPool2DWithIndices": _all_of_window,
    "MaxPool3DWithIndices": _all_of_window,
    "Max": _all_along_axis,
    "Amax": _all_along_axis,
}
