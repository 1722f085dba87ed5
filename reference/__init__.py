"""Neural networks with gradients derived by hand, on NumPy alone.

Layers, losses and update rules carry PyTorch's names, arguments and parameter layout. Each file
reads as a short chapter: the formula, its derivation, the code.
"""

from reference.activations import ACTIVATIONS, Identity, ReLU, Sigmoid, Tanh
from reference.adaptive import AdaptiveAvgPool2d
from reference.attention import MultiheadAttention, ScaledDotProductAttention, causal_mask
from reference.batchnorm import BatchNorm1d, BatchNorm2d, InstanceNorm2d
from reference.bilinear import Bilinear
from reference.conv_transpose import ConvTranspose2d
from reference.convolution import Conv1d, Conv2d
from reference.dropout import Dropout
from reference.embedding import Embedding
from reference.groupnorm import GroupNorm
from reference.init import INITIALISERS
from reference.layernorm import LayerNorm, RMSNorm
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
from reference.pooling import AvgPool1d, AvgPool2d, MaxPool1d, MaxPool2d
from reference.recurrent import GRU, LSTM, RNN
from reference.residual import Residual
from reference.sequential import Sequential
from reference.shape import Flatten, Unflatten
from reference.tied import Tied
from reference.transformer import TransformerEncoderLayer
from reference.upsample import Upsample

__all__ = [
    "ACTIVATIONS",
    "ASGD",
    "GRU",
    "INITIALISERS",
    "LSTM",
    "MLP",
    "RNN",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "AdaptiveAvgPool2d",
    "Array",
    "AvgPool1d",
    "AvgPool2d",
    "BatchNorm1d",
    "BatchNorm2d",
    "Bilinear",
    "Conv1d",
    "Conv2d",
    "ConvTranspose2d",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "Dropout",
    "Embedding",
    "ExponentialLR",
    "Flatten",
    "GroupNorm",
    "HalfSquaredErrorLoss",
    "Identity",
    "InstanceNorm2d",
    "LambdaLR",
    "LayerNorm",
    "Line",
    "Linear",
    "LinearLR",
    "Loss",
    "MSELoss",
    "MaxPool1d",
    "MaxPool2d",
    "Model",
    "Module",
    "MultiStepLR",
    "MultiheadAttention",
    "NAdam",
    "OneCycleLR",
    "Optimizer",
    "Params",
    "PolynomialLR",
    "RAdam",
    "RMSNorm",
    "RMSprop",
    "ReLU",
    "ReduceLROnPlateau",
    "Residual",
    "Rprop",
    "ScaledDotProductAttention",
    "Sequential",
    "SequentialLR",
    "Shapes",
    "Shift",
    "Sigmoid",
    "State",
    "StepLR",
    "Tanh",
    "Tied",
    "TransformerEncoderLayer",
    "Unflatten",
    "Upsample",
    "XORNetwork",
    "causal_mask",
    "clip_grad_norm",
    "clip_grad_value",
    "gradients",
    "mean_gradients",
    "sum_gradients",
]
