"""Update rules under the names of ``torch.optim``, schedules, clipping and accumulation."""

from reference.optim.accumulate import mean_gradients, sum_gradients
from reference.optim.adadelta import Adadelta
from reference.optim.adagrad import Adagrad
from reference.optim.adam import Adam, AdamW
from reference.optim.adamax import Adamax
from reference.optim.asgd import ASGD
from reference.optim.clipping import clip_grad_norm, clip_grad_value, total_norm
from reference.optim.groups import Changes, Group
from reference.optim.nadam import NAdam
from reference.optim.optimizer import Optimizer, State
from reference.optim.radam import RAdam
from reference.optim.rmsprop import RMSprop
from reference.optim.rprop import Rprop
from reference.optim.rule import Progress, UpdateRule
from reference.optim.schedulers import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    OneCycleLR,
    Plateau,
    PolynomialLR,
    Position,
    ReduceLROnPlateau,
    Scheduler,
    SequentialLR,
    StepLR,
)
from reference.optim.sgd import SGD

__all__ = [
    "ASGD",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Changes",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "Group",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "NAdam",
    "OneCycleLR",
    "Optimizer",
    "Plateau",
    "PolynomialLR",
    "Position",
    "Progress",
    "RAdam",
    "RMSprop",
    "ReduceLROnPlateau",
    "Rprop",
    "Scheduler",
    "SequentialLR",
    "State",
    "StepLR",
    "UpdateRule",
    "clip_grad_norm",
    "clip_grad_value",
    "mean_gradients",
    "sum_gradients",
    "total_norm",
]
