"""Faults of NAdam and RAdam, beside those of their moments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.rules import begun, kept, step, told
from compare.faults.optim.means import corrections
from compare.faults.table import Right, Row, faults
from reference import Array, Params


def _nadam(ahead: Callable[..., Array]) -> Any:
    """A step along ``ahead(m, g, μ, μ of the next step, product of all μ)``."""

    def wrong(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Any:
        t, _ = self.count(held)
        mu, following = (
            o.betas[0] * (1 - 0.5 * 0.96 ** (n * o.momentum_decay)) for n in (t, t + 1)
        )
        along = ahead(after["exp_avg"], g, mu, following, after["mu_product"].item())
        root = np.sqrt(after["exp_avg_sq"] / corrections(self, held, o)[1]) + o.eps
        return p - o.lr * along / root

    return step(wrong)


AHEAD = "m̂ = μₜ₊₁ m / (1 − Π μ · μₜ₊₁) + (1 − μₜ) g / (1 − Π μ)"


NADAM = faults("NAdam", Right("μₜ = β₁ (1 − ½ · 0.96^(ψ t))"),
    Row("momentum not warmed up", "μ is β₁/2 in all steps", "state mu_product",
        told(momentum_decay=lambda o: 0.0)),
    Right("Π μ is the product of all μ so far"),
    Row("β₁ for μ in the product", "the product is of β₁, as in Adam", "state mu_product",
        kept("mu_product", lambda self, g, held, after, o: held["mu_product"] * o.betas[0])),
    Row("product not kept", "the product of all μ is this step's μ", "state mu_product",
        begun(lambda self, p, g, held, o: {"mu_product": 0 * held["mu_product"] + 1}),
        needs="more than one step"),
    Right(AHEAD),
    Row("this step's momentum for the next", "μₜ is used where μₜ₊₁ belongs", "parameter",
        _nadam(lambda m, g, mu, ahead, pi: mu / (1 - pi * mu) * m + (1 - mu) / (1 - pi) * g)),
    Row("gradient not corrected", "g is added without dividing by 1 − Π μ", "parameter",
        _nadam(lambda m, g, mu, ahead, pi: ahead / (1 - pi * ahead) * m + (1 - mu) * g)),
    Row("both parts corrected alike",
        "m is divided by 1 − Π μ, without the next step's μ", "parameter",
        _nadam(lambda m, g, mu, ahead, pi: ahead / (1 - pi) * m + (1 - mu) / (1 - pi) * g)),
    Row("without looking ahead", "the step is Adam's, along m / (1 − Π μ)", "parameter",
        _nadam(lambda m, g, mu, ahead, pi: m / (1 - pi))),
)  # fmt: skip


def _square(rho: float, end: float) -> float:
    """r², of ρ and ρ∞."""
    return (rho - 4) * (rho - 2) * end / ((end - 4) * (end - 2) * rho)


def _radam(
    enough: float = 5.0,
    before: Callable[..., Array] = lambda m, v, last, o: m,
    rate: Callable[[float, float], float] = lambda rho, end: _square(rho, end) ** 0.5,
    root: Callable[..., Array] = lambda v, last, eps: (np.sqrt(v) + eps) / last**0.5,
) -> Any:
    """RAdam's step with one of its parts wrong."""

    def wrong(self: Any, p: Array, g: Array, held: Params, after: Params, o: Any) -> Any:
        t, _ = self.count(held)
        first, last = corrections(self, held, o)
        m, v = after["exp_avg"] / first, after["exp_avg_sq"]
        end = 2 / (1 - o.betas[1]) - 1
        rho = end - 2 * t * o.betas[1] ** t / last
        if rho <= enough:
            return p - o.lr * before(m, v, last, o)
        return p - o.lr * rate(rho, end) * m / root(v, last, o.eps)

    return step(wrong)


RECTIFIED = "r · m̂ · √(1 − β₂^t) / (√v + ε) where ρ > 5, m̂ alone where not"


RADAM = faults("RAdam", Right(f"{RECTIFIED}; PyTorch's threshold is 5"),
    Row("threshold 4", "the variance counts as known where ρ > 4, as in the paper", "parameter",
        _radam(enough=4.0), needs="a step with 4 < ρ ≤ 5"),
    Right(RECTIFIED),
    Row("not rectified", "the step is Adam's once the variance is known", "parameter",
        _radam(rate=lambda rho, end: 1.0), needs="a step with ρ > 5"),
    Right("r = √((ρ − 4)(ρ − 2) ρ∞ / ((ρ∞ − 4)(ρ∞ − 2) ρ))"),
    Row("root of the rectification missing", "r² in place of r", "parameter",
        _radam(rate=_square), needs="a step with ρ > 5"),
    Row("rectification upside down", "1/r in place of r", "parameter",
        _radam(rate=lambda rho, end: _square(end, rho) ** 0.5), needs="a step with ρ > 5"),
    Right(RECTIFIED),
    Row("no step while the variance is unknown", "parameters stay as they are until ρ > 5",
        "parameter", _radam(before=lambda m, v, last, o: 0 * m), needs="a step with ρ ≤ 5"),
    Row("divided before the variance is known", "the first steps are Adam's, not along m̂ alone",
        "parameter", _radam(before=lambda m, v, last, o: m / (np.sqrt(v / last) + o.eps)),
        needs="a step with ρ ≤ 5"),
    Row("eps inside the root", "the step is divided by √(v̂ + ε)", "parameter",
        _radam(root=lambda v, last, eps: np.sqrt(v / last + eps)), needs="a step with ρ > 5"),
    Right(f"{RECTIFIED}: ε is added to √v before it is corrected"),
    Row("eps after the correction", "ε is added to √v̂, as in Adam", "parameter",
        _radam(root=lambda v, last, eps: np.sqrt(v / last) + eps), needs="a step with ρ > 5"),
)  # fmt: skip

NADAM_RADAM = (*NADAM, *RADAM)
