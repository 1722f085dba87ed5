"""Dropout with random numbers of its own: PyTorch's side takes the mask off the network."""

import numpy as np
import torch


class Dropping:
    """A ReLU layer with inverted dropout behind it, and the mean squared error."""

    def __init__(self, keep):
        self.rng = np.random.default_rng(12)
        self.keep = keep
        self.W1 = self.rng.standard_normal((5, 8))
        self.b1 = self.rng.standard_normal(8)
        self.W2 = self.rng.standard_normal((8, 2))
        self.mask = None

    def forward(self, x):
        self.x = x
        self.z = x @ self.W1 + self.b1
        self.mask = (self.rng.random(self.z.shape) < self.keep) / self.keep
        self.dropped = np.maximum(self.z, 0) * self.mask
        return self.dropped @ self.W2

    def backward(self, d_output):
        self.grads = {"W2": self.dropped.T @ d_output}
        d_z = (d_output @ self.W2.T) * self.mask * (self.z > 0)
        self.grads["W1"], self.grads["b1"] = self.x.T @ d_z, d_z.sum(axis=0)


RNG = np.random.default_rng(13)
X, Y = RNG.standard_normal((6, 5)), RNG.standard_normal((6, 2))


def check():
    network = Dropping(keep=0.6)

    def grads():
        network.backward(2 * (network.forward(X) - Y) / Y.size)
        return network.grads

    def torch_loss(p):  # called right after grads, while the network holds the mask that it drew
        hidden = torch.relu(torch.tensor(X) @ p["W1"] + p["b1"]) * torch.tensor(network.mask)
        return torch.nn.functional.mse_loss(hidden @ p["W2"], torch.tensor(Y))

    return dict(parameters=(network, "W1", "b1", "W2"), grads=grads, torch_loss=torch_loss)
