"""Rprop: the sign of the gradient, and a step size learned from whether it changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from reference.module import Array, Params
from reference.optim.checks import require, require_at_least_zero
from reference.optim.groups import Options
from reference.optim.optimizer import Optimizer


class Rprop(Optimizer):
    r"""Resilient propagation: ``p ← p − s · sign(g)``, each entry with a step size s of its own.

    ::

        s ← η₊ s  where g and the gradient before have one sign,
            η₋ s  where they have opposite signs, and g is then taken for 0,
            s     where one of them is 0;   then s is kept within its limits

    The same sign twice: the step may be longer. Opposite signs: the last step went past a minimum,
    so s is cut, and this step does not move that entry, nor does the next one take a change of sign
    from it (g is remembered as 0): one overshoot is punished once. The first form of
    the method also took the last step back; this one, known as iRprop⁻, does not.

    How large g is does not matter, only its sign; so it is meant for full batches, where the
    sign is no noise.

    Args:
        lr: s before the first step. What it becomes afterwards is of no effect.
        etas: η₋ and η₊.
        step_sizes: the smallest and the largest s.
        maximize: climb instead of descend.
        groups: parameters with options of their own.

    State:
        ``step``: t, ``prev``: the gradient before, or 0, ``step_size``: s.

    Source:
        Riedmiller and Braun, A direct adaptive method for faster backpropagation learning (1993);
        Igel and Hüsken, Improving the Rprop learning algorithm (2000), section 3;
        https://docs.pytorch.org/docs/stable/generated/torch.optim.Rprop.html
    """

    def __init__(
        self,
        lr: float = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50.0),
        *,
        maximize: bool = False,
        groups: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        options = {"lr": lr, "etas": etas, "step_sizes": step_sizes, "maximize": maximize}
        super().__init__(options, groups)

    def check(self, options: Options) -> None:
        require_at_least_zero(self.name, options, "lr")
        less, more = options["etas"]
        need = "one number between 0 and 1 and one above 1"
        require(self.name, "etas", (less, more), 0 < less < 1 < more, need)

    def fresh(self, p: Array, o: Any) -> Params:
        return {
            "step": self.scalar(p, 0),
            "prev": np.zeros_like(p),
            "step_size": np.zeros_like(p) + o.lr,
        }

    def update(self, p: Array, g: Array, held: Params, o: Any) -> tuple[Array, Params]:
        _, step = self.count(held)
        (less, more), (smallest, largest) = o.etas, o.step_sizes
        agreement, s = g * held["prev"], held["step_size"]
        s = np.where(agreement > 0, more * s, np.where(agreement < 0, less * s, s))
        s = np.minimum(np.maximum(s, smallest), largest)
        g = np.where(agreement < 0, np.zeros_like(g), g)
        stepped = np.where(g > 0, p - s, np.where(g < 0, p + s, p))
        return stepped, {"step": step, "prev": g, "step_size": s}
