"""Gradient descent, with momentum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from reference.module import Array, Params
from reference.optim.checks import require, require_at_least_zero
from reference.optim.groups import Options
from reference.optim.optimizer import Optimizer


class SGD(Optimizer):
    r"""Gradient descent: ``p ← p − lr · g``.

    The loss falls fastest against its gradient: L(p + d) ≈ L(p) + g·d, and of all steps d of
    one length −g makes g·d smallest. Full batch or mini-batch is a matter of what g was
    computed on, not of the rule.

    **Momentum** descends along a running sum of the gradients in place of the last one::

        b₁ = g₁,    bₜ = μ bₜ₋₁ + (1 − τ) gₜ,    p ← p − lr · bₜ

    Where gradients keep their direction the sum grows to 1/(1 − μ) times one of them; where they
    alternate they cancel. The first gradient enters whole: the dampening τ applies from the
    second on. The learning rate stays outside the sum. With it inside, b = μb + lr·g, as in
    Sutskever's paper, old gradients keep the learning rate of their own day: the same thing only
    for as long as the rate does not change.

    **Nesterov's** momentum takes the gradient where momentum is about to lead, at p − lr·μ·b.
    Written for that point in place of p, so that g is the gradient at the parameters held, the
    step is along the sum as it *will* be: ``p ← p − lr · (gₜ + μ bₜ)``.

    Args:
        lr: the learning rate, the length of the step per unit of gradient.
        momentum: μ, what is left of the sum after each step.
        dampening: τ, by how much new gradients are reduced.
        weight_decay: λ of coupled decay.
        nesterov: whether to take Nesterov's form.
        maximize: climb instead of descend.
        groups: parameters with options of their own.

    State:
        ``momentum_buffer``: b. There is none without momentum.

    Source:
        Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in
        deep learning (ICML 2013), equations 1 to 4;
        https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html
    """

    def __init__(
        self,
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        groups: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        options = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
        }
        super().__init__(options, groups)

    def check(self, options: Options) -> None:
        require_at_least_zero(self.name, options, "lr", "momentum", "weight_decay")
        if options["nesterov"]:
            momentum, dampening = options["momentum"], options["dampening"]
            require(self.name, "momentum", momentum, momentum > 0, "above 0 for nesterov")
            require(self.name, "dampening", dampening, dampening == 0, "0 for nesterov")

    def update(self, p: Array, g: Array, held: Params, o: Any) -> tuple[Array, Params]:
        if o.momentum == 0:
            return p - o.lr * g, held
        if "momentum_buffer" in held:
            b = o.momentum * held["momentum_buffer"] + (1 - o.dampening) * g
        else:
            b = g.copy()
        along = g + o.momentum * b if o.nesterov else b
        return p - o.lr * along, {"momentum_buffer": b}
