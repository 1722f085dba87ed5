"""Small modules of what the default cases do not have, as further exhibits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import reference
from compare.audit.exhibits import Exhibit, TrainingExhibit
from compare.audit.functions import functions
from compare.audit.start import SIZES, StartExhibit
from compare.base.conversion import TORCH_DTYPES
from compare.cases.datasets import Dataset
from compare.measure.tolerances import Tolerance
from compare.sides.feed import Feed
from compare.training import module as module_api
from compare.twins.modules import child, register_twin

#: Ten samples, so that the last of the batches is smaller.
SAMPLES, BATCH, FEATURES = 10, 4, 3


class Skip(nn.Module):
    """A layer whose input is added to its output."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, x: Tensor) -> Tensor:
        added: Tensor = x + self.module(x)
        return added


register_twin(Skip, lambda skip: reference.Residual(child(skip, "module")))


def _stack() -> nn.Module:
    """Batch norm and dropout, whose buffers and masks travel from step to step."""
    layers = nn.Linear(FEATURES, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Dropout(0.4), nn.Linear(6, 3)
    return nn.Sequential(*layers)


def _shared() -> nn.Module:
    """One weight that is used twice."""
    module = nn.Sequential(nn.Linear(FEATURES, 3), nn.Tanh(), nn.Linear(3, 3))
    module[2].weight = module[0].weight
    return module


def _skip() -> nn.Module:
    inner = Skip(nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 3)))
    return nn.Sequential(nn.Linear(FEATURES, 3), inner, nn.Linear(3, 3))


MODULES: dict[str, Callable[[], nn.Module]] = {
    "module with batch norm and dropout": _stack,
    "module with a shared weight": _shared,
    "module with a skip": _skip,
}


def _trained(name: str, dtype: str, tolerance: Tolerance) -> Exhibit:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = MODULES[name]().to(TORCH_DTYPES[dtype])
    rule = torch.optim.SGD(module.parameters(), lr=0.1)
    rng = np.random.default_rng(0)
    data = (rng.standard_normal((SAMPLES, FEATURES)).astype(dtype) for _ in range(2))
    case = module_api._case(module, nn.MSELoss(), rule, 3, BATCH, 0)
    pair = module_api.pair_of(module, nn.MSELoss(), rule)
    feed = Feed(case, Dataset(*data), summed=False)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return TrainingExhibit(name, dtype, pair, feed, tolerance)


def _starts(dtype: str, tolerance: Tolerance) -> Iterator[Exhibit]:
    own = reference.MLP(SIZES, "tanh")
    for network in (own, reference.Sequential(*own.children().values())):
        yield StartExhibit(FIRST_WEIGHTS, network, dtype, tolerance)


FIRST_WEIGHTS = "first weights"
FUNCTIONS = "functions of gradients"

#: Names of these exhibits.
NAMES = (*MODULES, FIRST_WEIGHTS, FUNCTIONS)


def exhibits_of(name: str, dtype: str, tolerance: Tolerance) -> Iterator[Any]:
    """The exhibits of a name."""
    if name == FIRST_WEIGHTS:
        yield from _starts(dtype, tolerance)
    elif name == FUNCTIONS:
        yield from functions(name, dtype, tolerance)
    else:
        yield _trained(name, dtype, tolerance)
