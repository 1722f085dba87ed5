"""Watching the layers of a PyTorch network at work."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, MutableMapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from compare.base.conversion import to_array, to_tensor
from compare.base.nested import leaves
from compare.base.quantities import Array, activation
from compare.sides.networks.taps import joined


@contextmanager
def watched(
    network: nn.Module, paths: Collection[str] | None
) -> Iterator[dict[str, dict[str, Tensor]]]:
    """Within the block, the outputs of each layer are kept, and after backward their gradients.

    Args:
        network: the network.
        paths: of the layers; None for all that have no others within.

    Yields:
        By the path of each layer, its outputs by their names.
    """
    outputs: dict[str, dict[str, Tensor]] = {}

    def watch(path: str, module: nn.Module) -> RemovableHandle:
        def keep(module: nn.Module, args: object, output: object) -> None:
            outputs.pop(path, None)  # the last use of a layer counts, in its order
            outputs[path] = leaves(output, activation(path))
            for leaf in outputs[path].values():
                if leaf.requires_grad:
                    leaf.retain_grad()

        return module.register_forward_hook(keep)

    handles = [
        watch(path, module)
        for path, module in network.named_modules()
        if (_is_leaf(module) if paths is None else path in paths)
    ]
    try:
        yield outputs
    finally:
        for handle in handles:
            handle.remove()


def keep_masks(network: nn.Module, masks: MutableMapping[str, Array]) -> None:
    """From now on, note the mask that each dropout draws.

    Where an input is 0 the output does not tell its mask. So the generator is set back to where it
    was before the layer drew, and draws once more, for ones.
    """
    for path, module in network.named_modules():
        if isinstance(module, nn.Dropout) and module.p > 0:
            _keep_mask(module, joined(path, "mask"), masks)


def _keep_mask(dropout: nn.Dropout, name: str, masks: MutableMapping[str, Array]) -> None:
    before: list[Tensor] = []

    def remember(module: nn.Module, args: object) -> None:
        before[:] = [torch.get_rng_state()]

    def draw_again(module: nn.Module, args: tuple[Tensor], output: object) -> None:
        if module.training:
            with torch.random.fork_rng(devices=[]):
                torch.set_rng_state(before[0])
                ones = torch.ones_like(args[0], requires_grad=False)
                kept = nn.functional.dropout(ones, dropout.p)
            masks[name] = to_array(kept != 0)

    dropout.register_forward_pre_hook(remember)
    dropout.register_forward_hook(draw_again)


def use_masks(network: nn.Module, masks: Mapping[str, Array]) -> None:
    """From now on, let each dropout of which there is a mask apply that, and draw none."""
    for path, module in network.named_modules():
        name = joined(path, "mask")
        if isinstance(module, nn.Dropout) and name in masks:
            module._forward_pre_hooks.clear()  # those of keep_masks, if it is a copy
            module._forward_hooks.clear()
            vars(module)["forward"] = _masking(to_tensor(masks[name]), module.p)


def draws_unseen(network: nn.Module, masks: Mapping[str, Array], x: Tensor) -> bool:
    """Whether a pass draws random numbers other than the masks that are known.

    Args:
        network: a copy of the network, which is changed.
        masks: those that dropouts drew for a batch.
        x: the inputs of that batch.
    """
    use_masks(network, masks)
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        before = torch.get_rng_state()
        network(x)
        return not torch.equal(torch.get_rng_state(), before)


def _masking(kept: Tensor, p: float) -> Callable[[Tensor], Tensor]:
    return lambda x: torch.where(kept, x / (1 - p), 0)


def _is_leaf(module: nn.Module) -> bool:
    return next(module.children(), None) is None
