"""Whether a gradient is the derivative that it claims to be."""

from __future__ import annotations

import math
from enum import Enum

from compare.referee.derivative import Derivative

#: A derivative decides if it is known to this share of the distance between the two gradients.
CLEAR = 0.1


class Claim(Enum):
    """What a derivative says about a claim."""

    RIGHT = "it is the derivative"
    WRONG = "it is not the derivative"
    CORNER = "there is no derivative: the slopes on the two sides differ"
    UNCLEAR = "the derivative is not known well enough"


def judge_claim(found: Derivative, claim: float, distance: float, noise: float) -> Claim:
    """Compare a claim with the derivative.

    A claim is right if it is off by no more than the derivative's error and rounding. At a corner
    claims take one of several slopes, of which a line through it shows but two.

    Args:
        found: the derivative along the difference of two gradients.
        claim: what one of them says it is.
        distance: how far the two are apart.
        noise: how far rounding may move the claim.
    """
    clear = CLEAR * distance
    if found.jump > min(clear, 10 * found.error + noise):
        return Claim.CORNER
    if not (found.error <= clear and math.isfinite(found.value)):
        return Claim.UNCLEAR
    allowed = min(3 * clear, 10 * found.error + noise)
    return Claim.RIGHT if abs(found.value - claim) <= allowed else Claim.WRONG
