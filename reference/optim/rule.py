"""All that happens between gradients and new parameters: clipping, schedule, update.

::

    rule = UpdateRule(optimizer, CosineAnnealingLR(optimizer, T_max=100), max_norm=1.0)
    progress = rule.init(params)
    for batch in batches:
        params, progress = rule.step(params, gradients(batch), progress)

Each step clips the gradients, updates the parameters with the options that the schedule has for
this step, and then lets the schedule move on: the first step is made at count 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from reference.module import Array, Params, Shapes
from reference.optim.clipping import clip_grad_norm, clip_grad_value
from reference.optim.groups import Group
from reference.optim.optimizer import Optimizer, State
from reference.optim.schedulers import Position, Scheduler


@dataclass(frozen=True)
class Progress:
    """Where a training is.

    Attributes:
        state: what the optimizer remembers.
        position: where in its schedule it is; None without a schedule.
    """

    state: State
    position: Position | None = None

    @property
    def lrs(self) -> Array:
        """The learning rate of each group in the next step; none without a schedule."""
        return np.array([] if self.position is None else self.position.lrs)


class UpdateRule:
    """An optimizer with the clipping before it and the schedule beside it.

    Args:
        optimizer: updates the parameters.
        schedule: of the same optimizer; it moves on after every step. None for the same options
            in every step.
        max_norm: to which all gradients together are shortened; None for no such clipping.
        clip_value: to which each entry is cut, before that; None for no such clipping.
        shapes: of the parameters of one network; axes before them are an ensemble, of which each
            network's gradients are shortened by their own norm. None where there is no ensemble.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: Scheduler | None = None,
        max_norm: float | None = None,
        clip_value: float | None = None,
        shapes: Shapes | None = None,
    ) -> None:
        self.optimizer = optimizer
        self.schedule = schedule
        self.max_norm = max_norm
        self.clip_value = clip_value
        self.shapes = shapes or {}

    def init(self, params: Params) -> Progress:
        """Where a training of these parameters begins."""
        position = None if self.schedule is None else self.schedule.init()
        return Progress(self.optimizer.init(params), position)

    def step(self, params: Params, grads: Params, progress: Progress) -> tuple[Params, Progress]:
        """Make one step.

        Args:
            params: the parameters, by name.
            grads: the gradient of the loss for each of them.
            progress: what :meth:`init` or the step before returned.

        Returns:
            The parameters, and where the training then is.
        """
        clipped, _ = self.clip(grads)
        return self.update(params, clipped, progress)

    @property
    def groups(self) -> list[Group]:
        """The optimizer's parameter groups."""
        return self.optimizer.groups

    @property
    def clips(self) -> bool:
        """Whether gradients are clipped at all."""
        return self.max_norm is not None or self.clip_value is not None

    def clip(self, grads: Params) -> tuple[Params, Array | None]:
        """The gradients after clipping, and their norm before it was limited, if it is."""
        if self.clip_value is not None:
            grads = clip_grad_value(grads, self.clip_value)
        if self.max_norm is None:
            return grads, None
        axes = max((g.ndim - len(self.shapes.get(name, g.shape)) for name, g in grads.items()))
        return clip_grad_norm(grads, self.max_norm, ensemble_axes=axes)

    def update(
        self, params: Params, clipped: Params, progress: Progress
    ) -> tuple[Params, Progress]:
        """The step without the clipping before it."""
        if self.schedule is None or progress.position is None:
            params, state = self.optimizer.step(params, clipped, progress.state)
            return params, Progress(state)
        changes = progress.position.changes
        params, state = self.optimizer.step(params, clipped, progress.state, changes)
        return params, Progress(state, self.schedule.step(progress.position))
