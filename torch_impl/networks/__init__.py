"""Named networks as ``nn.Module``; every gradient comes from autograd."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from torch_impl.networks.autoencoder import Autoencoder
from torch_impl.networks.characters import CharLSTM, CharRNN
from torch_impl.networks.gpt import GPT
from torch_impl.networks.lenet import LeNet
from torch_impl.networks.line import Line, Shift
from torch_impl.networks.mlp import ACTIVATIONS, MLP
from torch_impl.networks.regression import Regression
from torch_impl.networks.xor import XORNetwork

#: The networks that a case can name.
NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "Autoencoder": Autoencoder,
    "CharLSTM": CharLSTM,
    "CharRNN": CharRNN,
    "GPT": GPT,
    "LeNet": LeNet,
    "Line": Line,
    "MLP": MLP,
    "Regression": Regression,
}

__all__ = [
    "ACTIVATIONS",
    "GPT",
    "MLP",
    "NETWORKS",
    "Autoencoder",
    "CharLSTM",
    "CharRNN",
    "LeNet",
    "Line",
    "Regression",
    "Shift",
    "XORNetwork",
]
