"""A case's update rule on the PyTorch side."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.optim.lr_scheduler import LRScheduler, SequentialLR

import torch_impl
from compare.cases.case import Case
from compare.cases.plan import Plan, plan


def rule_of(case: Case, network: nn.Module) -> torch_impl.UpdateRule:
    """The case's optimizer, schedule and clipping."""
    make = getattr(torch.optim, case.optimizer)
    optimizer = make(_groups(case, network), lr=case.lr, **case.options)
    return torch_impl.UpdateRule(
        optimizer, _schedule(plan(case), optimizer), case.max_norm, case.clip_value
    )


def _groups(case: Case, network: nn.Module) -> list[dict[str, Any]]:
    """The parameters in their groups; those that no group names are in the one without names."""
    learned = dict(network.named_parameters())
    named = {name for group in case.groups for name in group.get("params", ())}
    others = [name for name in learned if name not in named]
    return [
        {**group, "params": [learned[name] for name in group.get("params", others)]}
        for group in case.groups or ({},)
    ]


def _schedule(plan: Plan, optimizer: torch.optim.Optimizer) -> LRScheduler | None:
    made: list[LRScheduler] = [
        getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
        for name, options in plan.schedules
    ]
    if len(made) > 1:
        return SequentialLR(optimizer, made, plan.milestones)
    return made[0] if made else None
