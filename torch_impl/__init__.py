"""The networks as ``nn.Module``: gradients by autograd, steps by ``torch.optim``."""

from torch_impl.attention import ScaledDotProductAttention
from torch_impl.eager import eager_optimizers
from torch_impl.losses import LOSSES, HalfSquaredErrorLoss
from torch_impl.networks import (
    GPT,
    MLP,
    NETWORKS,
    Autoencoder,
    CharLSTM,
    CharRNN,
    LeNet,
    Line,
    Regression,
    Shift,
    XORNetwork,
)
from torch_impl.rule import UpdateRule
from torch_impl.training import fit, step

__all__ = [
    "GPT",
    "LOSSES",
    "MLP",
    "NETWORKS",
    "Autoencoder",
    "CharLSTM",
    "CharRNN",
    "HalfSquaredErrorLoss",
    "LeNet",
    "Line",
    "Regression",
    "ScaledDotProductAttention",
    "Shift",
    "UpdateRule",
    "XORNetwork",
    "eager_optimizers",
    "fit",
    "step",
]
