"""Named networks, each made of the layers and no more."""

from reference.networks.autoencoder import Autoencoder
from reference.networks.characters import CharLSTM, CharRNN
from reference.networks.gpt import GPT
from reference.networks.lenet import LeNet
from reference.networks.line import Line
from reference.networks.mlp import MLP
from reference.networks.regression import Regression
from reference.networks.xor import XORNetwork

__all__ = [
    "GPT",
    "MLP",
    "Autoencoder",
    "CharLSTM",
    "CharRNN",
    "LeNet",
    "Line",
    "Regression",
    "XORNetwork",
]
