"""The networks as ``nn.Module``: gradients by autograd, steps by ``torch.optim``."""

from torch_impl.eager import eager_optimizers
from torch_impl.losses import LOSSES, HalfSquaredErrorLoss
from torch_impl.networks import MLP, NETWORKS, Line, Shift, XORNetwork
from torch_impl.training import fit, step

__all__ = [
    "LOSSES",
    "MLP",
    "NETWORKS",
    "HalfSquaredErrorLoss",
    "Line",
    "Shift",
    "XORNetwork",
    "eager_optimizers",
    "fit",
    "step",
]
