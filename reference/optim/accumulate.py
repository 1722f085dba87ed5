"""Gradients of a batch too large for memory, from micro-batches.

Let a batch of N samples be cut into micro-batches of n₁, n₂, … samples. The gradient of a sum is
the sum of the gradients, so what is left is how the losses of the parts make that of the whole.

*Sum over samples* (``reduction="sum"``): the whole is the sum of the parts, L = Σᵢ Lᵢ, and so

    ∇L = Σᵢ ∇Lᵢ .

*Mean over samples* (``reduction="mean"``): the sum of part i is nᵢ Lᵢ, hence L = (1/N) Σᵢ nᵢ Lᵢ and

    ∇L = Σᵢ (nᵢ / N) ∇Lᵢ .

The plain mean of k parts has the weights 1/k in place of nᵢ/N. It is the gradient of the batch if
nᵢ = N/k for each i, that is for parts of one size, and in general only then: one smaller part at
the end, of n samples, is counted N/(k n) times as much as it should be. Dividing each loss by k
before ``backward``, as is usual in PyTorch, is that plain mean.

"Samples" are what the loss takes its mean over: for mean squared errors the entries of the target,
for cross-entropy with ignored targets or weights the total weight of those that count. A network
that looks at the whole batch, as batch normalisation does, computes another function on parts.

Source:
    https://docs.pytorch.org/docs/stable/notes/amp_examples.html#gradient-accumulation
"""

from __future__ import annotations

from collections.abc import Iterable

from reference.module import Params
from reference.optim.checks import require


def sum_gradients(parts: Iterable[Params]) -> Params:
    """The gradient of a sum of losses, from that of each: ``Σᵢ gᵢ``.

    This is what ``backward`` does in PyTorch when called again without ``zero_grad``. A parameter
    that some part has no gradient for gets nothing from that part.

    Args:
        parts: the gradients of each micro-batch, by name. They may come one by one from a
            generator: no more than one is held beside the sum.
    """
    total: Params = {}
    for part in parts:
        total = _plus(total, part, 1)
    return total


def mean_gradients(parts: Iterable[tuple[int, Params]]) -> Params:
    """The gradient of a mean over the batch, from means over its parts: ``Σᵢ (nᵢ/N) gᵢ``.

    Args:
        parts: for each micro-batch nᵢ, its number of samples, and its gradients, by name.

    Raises:
        ValueError: a part has no samples, or there is no part.
    """
    total: Params = {}
    samples = 0
    for size, part in parts:
        require("mean_gradients", "the size of a part", size, size > 0, "at least 1")
        total = _plus(total, part, size)
        samples += size
    require("mean_gradients", "the number of samples", samples, samples > 0, "at least 1")
    return {name: g / samples for name, g in total.items()}


def _plus(total: Params, part: Params, weight: int) -> Params:
    weighted = {name: weight * g for name, g in part.items()}
    return total | {name: total[name] + g if name in total else g for name, g in weighted.items()}
