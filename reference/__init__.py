"""Neural networks with gradients derived by hand, on NumPy alone.

Layers, losses and update rules carry PyTorch's names, arguments and parameter layout. Each file
reads as a short chapter: the formula, its derivation, the code.
"""

from reference.activations import ACTIVATIONS, Identity, ReLU, Sigmoid, Tanh
from reference.attention import MultiheadAttention, ScaledDotProductAttention, causal_mask
from reference.init import INITIALISERS
from reference.linear import Linear, Shift
from reference.losses import HalfSquaredErrorLoss, Loss, MSELoss
from reference.model import Model, gradients
from reference.module import Array, Module, Params, Shapes
from reference.networks import MLP, Line, XORNetwork
from reference.optim import SGD, Optimizer, State
from reference.recurrent import GRU, LSTM, RNN
from reference.residual import Residual
from reference.sequential import Sequential
from reference.tied import Tied
from reference.transformer import TransformerEncoderLayer

__all__ = [
    "ACTIVATIONS",
    "GRU",
    "INITIALISERS",
    "LSTM",
    "MLP",
    "RNN",
    "SGD",
    "Array",
    "HalfSquaredErrorLoss",
    "Identity",
    "Line",
    "Linear",
    "Loss",
    "MSELoss",
    "Model",
    "Module",
    "MultiheadAttention",
    "Optimizer",
    "Params",
    "ReLU",
    "Residual",
    "ScaledDotProductAttention",
    "Sequential",
    "Shapes",
    "Shift",
    "Sigmoid",
    "State",
    "Tanh",
    "Tied",
    "TransformerEncoderLayer",
    "XORNetwork",
    "causal_mask",
    "gradients",
]
