"""All that happens between gradients and new parameters: clipping, schedule, update."""

from __future__ import annotations

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler


class UpdateRule:
    """An optimizer with the clipping before it and the schedule beside it.

    Args:
        optimizer: updates the parameters.
        schedule: of the same optimizer; it moves on after every step. None for the same options
            in every step.
        max_norm: to which all gradients together are shortened; None for no such clipping.
        clip_value: to which each entry is cut, before that; None for no such clipping.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedule: LRScheduler | None = None,
        max_norm: float | None = None,
        clip_value: float | None = None,
    ) -> None:
        self.optimizer = optimizer
        self.schedule = schedule
        self.max_norm = max_norm
        self.clip_value = clip_value

    def zero_grad(self) -> None:
        """Forget the gradients of the step before."""
        self.optimizer.zero_grad()

    def step(self) -> None:
        """Clip the gradients that the parameters have, and make one step along them."""
        self.clip()
        self.update()

    @property
    def clips(self) -> bool:
        """Whether gradients are clipped at all."""
        return self.max_norm is not None or self.clip_value is not None

    @property
    def lrs(self) -> list[float]:
        """The learning rate of each group in the next step."""
        return [float(group["lr"]) for group in self.optimizer.param_groups]

    def clip(self) -> Tensor | None:
        """Clip the gradients; their norm before it was limited, if it is."""
        if not self.clips:
            return None
        learned = [p for group in self.optimizer.param_groups for p in group["params"]]
        if self.clip_value is not None:
            nn.utils.clip_grad_value_(learned, self.clip_value)
        if self.max_norm is None:
            return None
        return nn.utils.clip_grad_norm_(learned, self.max_norm)

    def update(self) -> None:
        """The step without the clipping before it."""
        self.optimizer.step()
        if self.schedule is not None:
            self.schedule.step()
