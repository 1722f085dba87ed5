"""Recurrent layers: the same map at every step of a sequence, fed with its own last output.

``recurrent.py`` has what RNN, LSTM and GRU share: layers, directions, the map of the input and the
gradients of the weights. Their own files have one step each, forward and backward.
"""

from reference.recurrent.gru import GRU
from reference.recurrent.lstm import LSTM
from reference.recurrent.recurrent import Recurrent
from reference.recurrent.rnn import RNN

__all__ = ["GRU", "LSTM", "RNN", "Recurrent"]
