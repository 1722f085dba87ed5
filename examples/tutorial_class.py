"""A class as in many tutorials: data in the constructor, weights updated in place, no gradients."""

import numpy as np
import torch


class ExclusiveOr:
    """Two inputs, two hidden units, one output, all sigmoid; half the squared error, lr 1."""

    def __init__(self, inputs, expected):
        rng = np.random.default_rng(4)
        self.inputs = inputs
        self.expected = expected
        self.hidden_weight = rng.random((2, 2))
        self.hidden_bias = rng.random((1, 2))
        self.output_weight = rng.random((2, 1))
        self.output_bias = rng.random((1, 1))
        self.hidden = None
        self.predicted = None

    @staticmethod
    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    @staticmethod
    def slope(y):
        return y * (1 - y)

    def feedforward(self):
        self.hidden = self.sigmoid(np.dot(self.inputs, self.hidden_weight) + self.hidden_bias)
        self.predicted = self.sigmoid(np.dot(self.hidden, self.output_weight) + self.output_bias)

    def backpropagation(self):
        missing = self.expected - self.predicted
        d_output = missing * self.slope(self.predicted)
        d_hidden = d_output.dot(self.output_weight.T) * self.slope(self.hidden)
        self.output_weight += self.hidden.T.dot(d_output)
        self.output_bias += np.sum(d_output, axis=0, keepdims=True)
        self.hidden_weight += self.inputs.T.dot(d_hidden)
        self.hidden_bias += np.sum(d_hidden, axis=0, keepdims=True)


INPUTS = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
EXPECTED = np.array([[0.0], [1.0], [1.0], [0.0]])


def check():
    network = ExclusiveOr(INPUTS, EXPECTED)

    def torch_loss(p):
        hidden = torch.sigmoid(torch.tensor(INPUTS) @ p["hidden_weight"] + p["hidden_bias"])
        output = torch.sigmoid(hidden @ p["output_weight"] + p["output_bias"])
        return ((output - torch.tensor(EXPECTED)) ** 2).sum() / 2

    names = ("hidden_weight", "hidden_bias", "output_weight", "output_bias")
    step = lambda: (network.feedforward(), network.backpropagation())
    return dict(parameters=(network, *names), step=step, lr=1, torch_loss=torch_loss)
