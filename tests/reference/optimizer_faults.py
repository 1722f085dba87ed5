"""What people get wrong in update rules, each as a change to the right one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from reference import SGD, Adagrad, Adam, Adamax, AdamW, Array, NAdam, Params, RMSprop

Step = tuple[Array, Params]


def with_options(o: Any, **changed: Any) -> SimpleNamespace:
    return SimpleNamespace(**vars(o) | changed)


class EpsInsideAdam(Adam):
    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        t, _ = self.count(held)
        _, after = super().update(p, g, held, o)
        m_hat = after["exp_avg"] / (1 - o.betas[0] ** t)
        v_hat = after["exp_avg_sq"] / (1 - o.betas[1] ** t)
        return p - o.lr * m_hat / np.sqrt(v_hat + o.eps), after


class EpsBeforeCorrection(Adam):
    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        t, _ = self.count(held)
        return super().update(p, g, held, with_options(o, eps=o.eps / (1 - o.betas[1] ** t) ** 0.5))


class NoCorrection(Adam):
    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        _, after = super().update(p, g, held, o)
        return p - o.lr * after["exp_avg"] / (np.sqrt(after["exp_avg_sq"]) + o.eps), after


class CorrectionWithoutPower(Adam):
    """1 − β for 1 − β^t."""

    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        stopped = held | {"step": np.zeros_like(held["step"])}
        p, after = super().update(p, g, stopped, o)
        return p, after | {"step": held["step"] + 1}


class CountedFromZero(Adam):
    """Also where the count itself is put right afterwards: 1 − β⁰ divides by 0."""

    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        with np.errstate(all="ignore"):
            p, after = super().update(p, g, held | {"step": held["step"] - 1}, o)
        return p, after | {"step": held["step"] + 1}

    def count(self, held: Params) -> tuple[float, Array]:
        t, step = super().count(held)
        return np.float64(t), step


class CountedAhead(Adam):
    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        p, after = super().update(p, g, held | {"step": held["step"] + 1}, o)
        return p, after | {"step": held["step"] + 1}


class CountedForAllTogether(Adam):
    """One count for all tensors that goes up with each of them."""

    calls = 0

    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        p, after = super().update(p, g, held | {"step": held["step"] + self.calls}, o)
        self.calls += 1
        return p, after | {"step": held["step"] + 1}


class CorrectedWrittenBack(Adam):
    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        t, _ = self.count(held)
        p, after = super().update(p, g, held, o)
        return p, after | {"exp_avg": after["exp_avg"] / (1 - o.betas[0] ** t)}


class Forgetful(Adam):
    """Moments reset at each step."""

    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        return super().update(p, g, self.fresh(p, o), o)


class CoupledForDecoupled(AdamW):
    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        before = p / (1 - o.lr * o.weight_decay)
        return super().update(before, g + o.weight_decay * before, held, o)


class DecoupledForCoupled(Adam):
    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        bare = g - o.weight_decay * p
        return super().update(p * (1 - o.lr * o.weight_decay), bare, held, o)


class DecayNotScaledByLr(AdamW):
    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        before = p / (1 - o.lr * o.weight_decay)
        return super().update(before * (1 - o.weight_decay), g, held, o)


class AmsgradOfCorrected(Adam):
    """The largest corrected v in place of the largest v, corrected."""

    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        t, _ = self.count(held)
        m, v = self.moments(g, held, o)
        _, after = super().update(p, g, held, o)
        largest = np.maximum(held["max_exp_avg_sq"], v / (1 - o.betas[1] ** t))
        m_hat = m / (1 - o.betas[0] ** t)
        return p - o.lr * m_hat / (np.sqrt(largest) + o.eps), after


class EpsInsideAdagrad(Adagrad):
    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        _, after = super().update(p, g, held, o)
        return p - o.lr * g / np.sqrt(after["sum"] + o.eps), after


class EpsInsideRMSprop(RMSprop):
    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        _, after = super().update(p, g, held, o)
        return p - o.lr * g / np.sqrt(after["square_avg"] + o.eps), after


class EpsOutsideMaximum(Adamax):
    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        t, _ = self.count(held)
        with np.errstate(all="ignore"):
            _, after = super().update(p, g, held, with_options(o, eps=0.0))
        m_hat = after["exp_avg"] / (1 - o.betas[0] ** t)
        return p - o.lr * m_hat / (after["exp_inf"] + o.eps), after


class OwnMomentumForBoth(NAdam):
    """This step's μ where the next one's belongs: no momentum warm-up between them."""

    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        return super().update(p, g, held, with_options(o, momentum_decay=0.0))


class LrInsideBuffer(SGD):
    """Sutskever's form: b = μb + lr·g, p − b."""

    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        p, after = super().update(p, o.lr * g, held, with_options(o, lr=1.0))
        return p, {"momentum_buffer": after["momentum_buffer"]}


class LrInsideBufferHidden(LrInsideBuffer):
    """The same, with a buffer that looks right: only the parameters show it."""

    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        last = getattr(self, "last", {})
        inner = {"momentum_buffer": last[g.shape]} if g.shape in last else {}
        stepped, after = super().update(p, g, inner, o)
        self.last = last | {g.shape: after["momentum_buffer"]}
        return stepped, SGD.update(self, p, g, held, o)[1]


class DampedFirstStep(SGD):
    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        return super().update(p, g, {"momentum_buffer": np.zeros_like(p)} | held, o)


class NesterovsOtherForm(SGD):
    """The gradient along the old sum: g + μ b before b is updated."""

    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        _, after = super().update(p, g, held, o)
        old = held.get("momentum_buffer", np.zeros_like(p))
        return p - o.lr * (g + o.momentum * old), after


class Descending(SGD):
    """Maximize ignored."""

    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        return super().update(p, -g, held, o)


class DecayBeforeSign(SGD):
    """Ascent of the penalty as well: −(g + λp)."""

    def update(self, p: Array, g: Array, held: Params, o: Any) -> Step:
        return super().update(p, g - 2 * o.weight_decay * p, held, o)
