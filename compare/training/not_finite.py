"""Why training has come to where there are no finite numbers, and what helps."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from compare.base.conversion import to_array
from compare.base.quantities import Array, parameter
from compare.sides.feed import Feed
from compare.sides.torch_side import TorchSide

#: A variance so small a part of the mean square, in units of roundoff, is that of rounding alone.
ROUNDED = 64.0


def reason(side: TorchSide, feed: Feed, epoch: int, name: str, lr: float, made: int) -> str:
    """Why a quantity is not finite, and what helps against it.

    Args:
        side: PyTorch's side.
        feed: what it is trained on.
        epoch: when it was seen.
        name: of the quantity.
        lr: the learning rate.
        made: how many steps there were, with the one in which it was seen.
    """
    seen = f"at epoch {epoch}, {name} is not finite"
    if _learns_nothing(side.loss, feed, epoch):
        return (
            f"{seen}, as no target of a batch counts, by ignore_index or weight, and PyTorch's "
            f"mean of none is 0/0; use larger batches, or reduction='sum'"
        )
    if is_centred(side) and not made <= 1:
        return (
            f"at epoch {epoch}, rounding alone decides on {name}, as the centred RMSprop divides "
            f"by the root of E[g²] − E[g]², which is rounding, or negative, where the gradient "
            f"hardly changes; centered=False does not"
        )
    if made <= 1 and not name.startswith((parameter(""), "state ")):
        return (
            f"{seen} before any update, on both sides; look at the data, the first parameters and "
            f"what the loss allows"
        )
    return f"training overflows: {seen}; use a smaller --lr (now {lr:g})"


def is_centred(side: TorchSide) -> bool:
    """Whether a centred RMSprop trains."""
    optimizer = side.rule.optimizer
    return isinstance(optimizer, torch.optim.RMSprop) and any(
        group["centered"] for group in optimizer.param_groups
    )


def lost_variances(side: TorchSide) -> dict[str, Array]:
    """Of each parameter, the entries whose variance of the gradient is rounding alone."""
    if not is_centred(side):
        return {}
    names = {id(p): name for name, p in side.network.named_parameters()}
    return {names[id(p)]: entries for p, entries in _lost_variances(side.rule.optimizer)}


def _lost_variances(optimizer: torch.optim.Optimizer) -> Iterator[tuple[Tensor, Array]]:
    for group in optimizer.param_groups:
        for p in group["params"] if group["centered"] else []:
            held = optimizer.state.get(p)
            if held:
                square, mean = (
                    to_array(held[key]).astype(float) for key in ("square_avg", "grad_avg")
                )
                rounding = ROUNDED * torch.finfo(p.dtype).eps * square
                yield p, ~(square - mean * mean > rounding) & (square != 0)


def _learns_nothing(loss: torch.nn.Module, feed: Feed, epoch: int) -> bool:
    """Whether a batch of the epoch has no target that counts in the mean of a loss."""
    ignored, weight = getattr(loss, "ignore_index", None), getattr(loss, "weight", None)
    if getattr(loss, "reduction", "") != "mean" or (ignored is None and weight is None):
        return False
    targets = feed.epoch(epoch)[1]
    if targets.dtype.kind not in "iu":
        return False
    counts = np.ones(int(targets.max(initial=0)) + 1)
    if weight is not None:
        counts = to_array(weight)
    each = np.where(targets == ignored, 0.0, counts[np.maximum(targets, 0)])
    return any(not each[part].any() for part in feed.parts)
