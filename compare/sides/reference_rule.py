"""A case's update rule on the NumPy side."""

from __future__ import annotations

import reference
from compare.cases.case import Case
from compare.cases.plan import Plan, plan
from reference.optim import Scheduler

#: In what PyTorch holds the number of the step, unless its default dtype is another.
SCALARS = "float32"


def rule_of(case: Case, network: reference.Module) -> reference.UpdateRule:
    """The case's optimizer, schedule and clipping."""
    make = getattr(reference, case.optimizer)
    optimizer: reference.Optimizer = make(lr=case.lr, groups=case.groups or None, **case.options)
    optimizer.scalar_dtype = SCALARS
    return reference.UpdateRule(
        optimizer,
        _schedule(plan(case), optimizer),
        case.max_norm,
        case.clip_value,
        network.parameter_shapes(),
    )


def _schedule(plan: Plan, optimizer: reference.Optimizer) -> Scheduler | None:
    made = [getattr(reference, name)(optimizer, **options) for name, options in plan.schedules]
    if len(made) > 1:
        return reference.SequentialLR(optimizer, made, plan.milestones)
    return made[0] if made else None
