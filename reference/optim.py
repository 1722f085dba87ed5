"""Update rules: parameters, gradients and a state in, parameters and a state out.

Nothing is changed in place: the arrays handed in are those of the step before, still intact.
"""

from __future__ import annotations

from typing import TypeAlias

from reference.module import Params

State: TypeAlias = dict[str, Params]


class Optimizer:
    """An update rule: ``params, state = step(params, grads, state)``."""

    def init(self, params: Params) -> State:
        """The state before the first step, by parameter and then by the state's own names."""
        return {}

    def step(self, params: Params, grads: Params, state: State) -> tuple[Params, State]:
        """Make one step.

        Args:
            params: the parameters, by name.
            grads: the gradient of the loss for each of them, of the same shape.
            state: what :meth:`init` or the step before returned.

        Returns:
            The parameters and the state after the step, as new arrays.
        """
        raise NotImplementedError


class SGD(Optimizer):
    r"""Gradient descent: ``p ← p − lr · g``.

    The loss falls fastest against its gradient: L(p + d) ≈ L(p) + g·d, and of all steps d of
    one length −g makes g·d smallest. Full batch or mini-batch is a matter of what g was
    computed on, not of the rule.

    Args:
        lr: the learning rate, the length of the step per unit of gradient.

    Source:
        https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html
    """

    def __init__(self, lr: float) -> None:
        self.lr = lr

    def step(self, params: Params, grads: Params, state: State) -> tuple[Params, State]:
        return {name: p - self.lr * grads[name] for name, p in params.items()}, state
