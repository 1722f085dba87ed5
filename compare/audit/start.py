"""First weights: both sides of a comparison begin with the same ones, or its free run tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from torch import enable_grad

import reference
from compare.audit.exhibits import Judgement
from compare.base.quantities import Array, Observation
from compare.cases.datasets import Dataset
from compare.cases.registry import Case
from compare.diagnosis.planting.places import Parts
from compare.diagnosis.planting.replay import Replayed, replay_once
from compare.diagnosis.planting.search_faults import Evidence
from compare.measure.tolerances import Tolerance
from compare.sides import pair
from compare.sides.feed import Feed
from compare.training.session import Session

SEED = 5
SIZES = (3, 4, 4, 4, 2)
SAMPLES = 8


class StartExhibit:
    """A network whose first weights are drawn, and then trained for an epoch beside PyTorch's.

    Lockstep hands both sides PyTorch's weights, so that only the free run can tell.

    Args:
        name: of the exhibit.
        network: draws the weights of a network of :data:`SIZES`.
        dtype: of all arithmetic.
        tolerance: of the comparison.
    """

    def __init__(
        self, name: str, network: reference.Module, dtype: str, tolerance: Tolerance
    ) -> None:
        self.name, self.label, self.dtype = name, type(network).__name__, dtype
        self.tolerance = tolerance
        self.network = network
        self.case = _case(dtype)

    @property
    def parts(self) -> dict[str, Any]:
        return {"network": self.network}

    def show(self, parts: Parts) -> Iterator[Replayed]:
        def run(seen: Observation) -> None:
            seen |= {f"start {name}": value for name, value in self._drawn(parts).items()}

        yield replay_once(run)

    def judge(self, parts: Parts) -> Judgement:
        """Train from these weights on one side, and from the right ones on the other."""
        evidence = Evidence(list(self.show(parts)), [{}])
        sides = pair.build(self.case, self._drawn(self.parts))
        sides.reference.load_weights(self._drawn(parts))
        rng = np.random.default_rng(0)
        inputs, targets = (
            rng.standard_normal((SAMPLES, size)).astype(self.dtype) for size in (3, 2)
        )
        feed = Feed(self.case, Dataset(inputs, targets))
        with sides.torch.training(), enable_grad(), np.errstate(all="ignore"):
            session = Session(self.case, self.tolerance, sides, feed)
            session.train()
            return Judgement(session.report().first_divergence, evidence)

    def _drawn(self, parts: Parts) -> dict[str, Array]:
        drawn = parts["network"].init(np.random.default_rng(SEED))
        return {name: value.astype(self.dtype) for name, value in drawn.items()}


def _case(dtype: str) -> Case:
    return Case(
        name="first weights",
        summary="a network of four layers, one epoch",
        network="MLP",
        arguments={"sizes": SIZES, "activation": "tanh"},
        loss="MSELoss",
        lr=0.3,
        data="given",
        goal="none",
        epochs=1,
        dtype=dtype,
    )
