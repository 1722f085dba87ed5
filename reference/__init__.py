"""Neural networks with gradients derived by hand, on NumPy alone.

Layers, losses and update rules carry PyTorch's names, arguments and parameter layout. Each file
reads as a short chapter: the formula, its derivation, the code.
"""

from reference.activations import ACTIVATIONS, Identity, ReLU, Sigmoid, Tanh
from reference.init import INITIALISERS
from reference.linear import Linear, Shift
from reference.losses import HalfSquaredErrorLoss, Loss, MSELoss
from reference.model import Model, gradients
from reference.module import Array, Module, Params, Shapes
from reference.networks import MLP, Line, XORNetwork
from reference.optim import (
    ASGD,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiStepLR,
    NAdam,
    OneCycleLR,
    Optimizer,
    PolynomialLR,
    RAdam,
    ReduceLROnPlateau,
    RMSprop,
    Rprop,
    SequentialLR,
    State,
    StepLR,
    clip_grad_norm,
    clip_grad_value,
    mean_gradients,
    sum_gradients,
)
from reference.sequential import Sequential

__all__ = [
    "ACTIVATIONS",
    "ASGD",
    "INITIALISERS",
    "MLP",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Array",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "ExponentialLR",
    "HalfSquaredErrorLoss",
    "Identity",
    "LambdaLR",
    "Line",
    "Linear",
    "LinearLR",
    "Loss",
    "MSELoss",
    "Model",
    "Module",
    "MultiStepLR",
    "NAdam",
    "OneCycleLR",
    "Optimizer",
    "Params",
    "PolynomialLR",
    "RAdam",
    "RMSprop",
    "ReLU",
    "ReduceLROnPlateau",
    "Rprop",
    "Sequential",
    "SequentialLR",
    "Shapes",
    "Shift",
    "Sigmoid",
    "State",
    "StepLR",
    "Tanh",
    "XORNetwork",
    "clip_grad_norm",
    "clip_grad_value",
    "gradients",
    "mean_gradients",
    "sum_gradients",
]
