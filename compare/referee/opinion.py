"""What a referee can say about two sides that disagree."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from compare.referee.derivative import Derivative


class Finding(Enum):
    """What the referee found, in words."""

    REFERENCE = "the reference is wrong: its backward is not the derivative of its own forward"
    TORCH = (
        "PyTorch's side is wrong: autograd's gradient is not the derivative of its own forward "
        "(a custom backward, or a bug of the framework)"
    )
    FORWARDS = "the two forwards differ; each backward is the derivative of its own forward"
    BOTH = "neither backward is the derivative of its own forward"
    CORNER = (
        "the loss has a corner exactly here, and so no derivative that could tell; the slope that "
        "PyTorch takes there is the convention (that of ReLU at 0 is 0)"
    )
    UPDATE = "the gradients agree; the update rules differ"
    STRUCTURE = "the two sides do not give the same things, so none can be differentiated"
    FREE_RUN = (
        "every step that was compared agrees from the same start, so what differs is what one side "
        "carries from step to step: its training loop or its state"
    )
    NOT_FINITE = "values are not finite, so there is no derivative to hold them against"
    UNCLEAR = "which side is wrong could not be told: the difference is too small for that"


@dataclass(frozen=True)
class Opinion:
    """The referee's finding and the numbers behind it.

    Attributes:
        finding: which side is wrong.
        forwards_differ: whether activations or losses differ, too.
        reference: the derivative of the reference's loss along the difference, if it was needed.
        reference_claim: what the reference's gradient says it is.
        torch: the derivative of PyTorch's loss along the difference.
        torch_claim: what autograd says it is.
        reason: why it could not be found out, if it could not.
    """

    finding: Finding
    forwards_differ: bool = False
    reference: Derivative | None = None
    reference_claim: float = math.nan
    torch: Derivative | None = None
    torch_claim: float = math.nan
    reason: str = ""

    def __str__(self) -> str:
        told = self.finding.value
        if self.forwards_differ and self.finding is not Finding.FORWARDS:
            told += "; and the two forwards differ"
        if self.reference is None or self.torch is None:
            return f"{told} ({self.reason})" if self.reason else told
        return (
            f"{told}. Where the two differ most, the loss changes "
            f"by {self.reference.value:.9g} in the reference ({self.reference.method}), whose "
            f"gradient is off by {abs(self.reference_claim - self.reference.value):.2g}, and by "
            f"{self.torch.value:.9g} in PyTorch ({self.torch.method}), whose gradient is off by "
            f"{abs(self.torch_claim - self.torch.value):.2g}"
        )
