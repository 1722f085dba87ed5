"""Learning rate schedules, under the names of ``torch.optim.lr_scheduler``."""

from reference.optim.schedulers.cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from reference.optim.schedulers.decay import (
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from reference.optim.schedulers.one_cycle import OneCycleLR
from reference.optim.schedulers.plateau import Plateau, ReduceLROnPlateau
from reference.optim.schedulers.scheduler import Position, Scheduler
from reference.optim.schedulers.sequential import SequentialLR

__all__ = [
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "OneCycleLR",
    "Plateau",
    "PolynomialLR",
    "Position",
    "ReduceLROnPlateau",
    "Scheduler",
    "SequentialLR",
    "StepLR",
]
