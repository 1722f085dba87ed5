"""Both implementations of a case, starting from bit-identical copies of the same weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from torch import get_default_dtype

from compare.base.conversion import assert_apart
from compare.base.quantities import Array
from compare.cases.case import Case
from compare.sides.networks.compiled import compiled_paths
from compare.sides.networks.taps import layer_paths
from compare.sides.reference_side import ReferenceSide, initial_weights
from compare.sides.torch_side import TorchSide


@dataclass(frozen=True)
class Pair:
    """The two sides of a comparison."""

    reference: ReferenceSide
    torch: TorchSide


def build(case: Case, weights: Mapping[str, Array] | None = None) -> Pair:
    """Build both sides of ``case``.

    Args:
        case: what to build.
        weights: the first weights; None draws them from the case's seed.

    Raises:
        CannotCompare: the two share memory.
    """
    weights = initial_weights(case) if weights is None else weights
    torch_side = TorchSide.of(case, weights)
    return joined(ReferenceSide.of(case, weights, lambda: torch_side.masks), torch_side)


def joined(reference: ReferenceSide, torch: TorchSide) -> Pair:
    """Two sides as a pair, both showing the layers that both have.

    Raises:
        CannotCompare: the two share memory.
    """
    default = str(get_default_dtype()).removeprefix("torch.")
    reference.rule.optimizer.scalar_dtype = default  # PyTorch counts steps in it
    assert_apart(reference.weights(), dict(torch.network.named_parameters()))
    modules = dict(torch.network.named_modules(remove_duplicate=False))
    uses = Counter(map(id, modules.values()))  # of a layer used twice only one use could be shown
    theirs = {path for path, module in modules.items() if uses[id(module)] == 1}
    theirs -= set(compiled_paths(torch.network))
    shown = [path for path in layer_paths(reference.model.network) if path in theirs]
    reference.watched = torch.watched = shown
    return Pair(reference, torch)
