"""What a referee can say about two sides that disagree."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from compare.referee.derivative import Derivative


class Finding(Enum):
    """What the referee found, in words."""

    REFERENCE = "the reference is wrong: its backward is not the derivative of its own forward"
    BACKWARD = "your backward is wrong: it is not the derivative of your own loss"
    SHAPES = "your gradients have not the shapes of their parameters, so your backward is wrong"
    TORCH = (
        "PyTorch's side is wrong: autograd's gradient is not the derivative of its own loss (a "
        "detached tensor, a custom backward, or a bug of PyTorch)"
    )
    BOTH = "neither gradient is the derivative of its own loss"
    FORWARDS = "the two forwards differ; each backward is the derivative of its own forward"
    LOSSES = (
        "your backward is the derivative of your own loss, and autograd's is that of torch_loss: "
        "the two losses, or the networks before them, are not the same function"
    )
    OTHER_LOSS = (
        "your gradients are right: they are those of torch_loss; the loss that you gave, loss=, is "
        "another function"
    )
    NO_LOSS = (
        "autograd's gradient is the derivative of torch_loss, so either your backward is wrong or "
        "torch_loss is not the loss that it descends; give your own loss as well, loss=, to tell "
        "which"
    )
    UPDATE = "the gradients agree; the update rules differ"
    FREE_RUN = (
        "every step that was compared agrees from the same start, so what differs is what one side "
        "carries from step to step: its training loop or its state"
    )
    STRUCTURE = "the two sides do not give the same things, so none can be differentiated"
    NOT_FINITE = "values are not finite, so there is no derivative to compare them with"
    CORNER = (
        "the loss has a corner exactly here, and so no derivative that could tell; the slope that "
        "PyTorch takes there is the convention (that of ReLU at 0 is 0)"
    )
    NEARBY = (
        "which side is wrong could not be told: at weights a little off, a loss raises an error or "
        "is not finite, so there is no derivative to compare the gradients with"
    )
    UNCLEAR = "which side is wrong could not be told: the difference is too small for that"


@dataclass(frozen=True)
class Slope:
    """How fast the loss of one side changes where the two gradients differ most.

    Attributes:
        loss: whose loss it is, in words.
        derivative: the derivative of that loss, from its values alone.
        claim: what the side's gradient says it is.
    """

    loss: str
    derivative: Derivative
    claim: float

    def __str__(self) -> str:
        off_by = abs(self.claim - self.derivative.value)
        return (
            f"{self.loss} changes by {self.derivative.value:.9g} ({self.derivative.method}), and "
            f"its gradient is off by {off_by:.2g}"
        )


@dataclass(frozen=True)
class Opinion:
    """The referee's finding and the numbers behind it.

    Attributes:
        finding: which side is wrong.
        ours: the slope of the NumPy side's loss, if it was needed and could be had.
        theirs: the same of PyTorch's.
        forwards_differ: whether activations or losses differ, too.
        relation: what the user's loss is of ``torch_loss``, in words, if it is another function.
        reason: why it could not be found out, if it could not.
    """

    finding: Finding
    ours: Slope | None = None
    theirs: Slope | None = None
    forwards_differ: bool = False
    relation: str = ""
    reason: str = ""

    def __str__(self) -> str:
        told = self.finding.value
        if self.relation:
            told += f": your loss is {self.relation}"
        if self.forwards_differ and self.finding is not Finding.FORWARDS:
            told += "; and the two forwards differ"
        if self.reason:
            told += f" ({self.reason})"
        slopes = "; ".join(str(slope) for slope in (self.ours, self.theirs) if slope is not None)
        return f"{told}. Where the two differ most, {slopes}" if slopes else told
