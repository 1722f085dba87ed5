"""Which fault gives the gradients that someone's own code gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from torch import nn

from compare.base.quantities import Array, Observation, gradient
from compare.diagnosis.diagnose import told
from compare.diagnosis.evidence.facts import Facts
from compare.diagnosis.planting.places import Parts, fresh
from compare.diagnosis.planting.replay import Replayed, replay_once
from compare.diagnosis.planting.search_faults import Evidence, Search
from compare.diagnosis.signatures.read import read
from compare.results.cause import Cause
from compare.twins.modules import mirror
from compare.twins.training import mirror_loss
from reference import Loss, Module


def explain(
    module: nn.Module | Module,
    loss: nn.Module | Loss,
    params: Mapping[str, Array],
    x: Array,
    target: Array,
    actual: Mapping[str, Array],
    allowed: Mapping[str, Array],
    facts: Facts | None = None,
) -> list[Cause]:
    """The causes that explain gradients.

    ::

        causes = explain(module, nn.MSELoss(), params, x, target, gradients, allowed)
        for cause in causes:
            print(f"{cause.name}: {cause.remedy}")

    Args:
        module: a module of PyTorch, whose NumPy twin is built, or a network of the reference.
        loss: of PyTorch or of the reference.
        params: parameters and buffers, by their names in the ``state_dict``, and the masks of
            dropouts as ``<path>.mask``.
        x: inputs of one batch.
        target: its targets.
        actual: the gradients in question, by the parameters' names; all of them, or some.
        allowed: the largest allowed difference of each, entry for entry or for the whole tensor.
        facts: what else is known; None for what can be told from the above.

    Returns:
        Faults of the catalogue that reproduce all of these gradients, or pairs of them; then what
        the gradients tell by themselves. Empty if they are right, or nothing explains them.

    Raises:
        CannotCompare: the reference does not have a layer or the loss.
    """
    network = mirror(module) if isinstance(module, nn.Module) else module
    stage = _Pass(network, mirror_loss(loss) if isinstance(loss, nn.Module) else loss)
    stage.given = dict(params), np.asarray(x), np.asarray(target)
    stage.names = list(actual)
    numbers = {gradient(name): np.asarray(value) for name, value in actual.items()}
    limits = {
        gradient(name): np.broadcast_to(np.asarray(allowed[name], np.float64), np.shape(value))
        for name, value in actual.items()
    }
    search = Search(stage, Evidence([Replayed(numbers)], [limits]))
    if search.first is None:
        return []
    expected = {name.removeprefix(gradient("")): g for name, g in search.right[0].seen.items()}
    facts = facts or Facts(batch_size=len(target), weights=dict(params))
    bounds = {name: limits[gradient(name)] for name in actual}
    return [
        *(told(found) for found in search.found()),
        *read(dict(actual), {name: expected[name] for name in actual}, bounds, facts),
    ]


class _Pass:
    """One pass forward and back, of which the gradients of parameters are shown."""

    given: tuple[dict[str, Array], Array, Array]
    names: list[str]

    def __init__(self, network: Module, loss: Loss) -> None:
        self.parts: dict[str, Any] = {"network": network, "loss": loss}

    def show(self, parts: Parts) -> Iterator[Replayed]:
        params, x, target = self.given
        copied = fresh(parts)

        def run(seen: Observation) -> None:
            y, cache = copied["network"].forward(params, x)
            _, loss_cache = copied["loss"].forward(y, target)
            _, grads = copied["network"].backward(
                params, cache, copied["loss"].backward(loss_cache)
            )
            seen |= {gradient(name): g for name, g in grads.items() if name in self.names}

        yield replay_once(run)
