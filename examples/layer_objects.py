"""Layers as objects with forward and backward, which updates; against an nn.Module."""

import numpy as np
import torch
from torch import nn


class Dense:
    """y = x W + b, with W (in, out)."""

    def __init__(self, n_in, n_out, seed):
        rng = np.random.default_rng(seed)
        self.weights = rng.uniform(-1, 1, (n_in, n_out)) / np.sqrt(n_in)
        self.bias = rng.uniform(-1, 1, (1, n_out))

    def forward(self, x):
        self.x = x
        return x @ self.weights + self.bias

    def backward(self, output_error, learning_rate):
        input_error = output_error @ self.weights.T
        self.weights -= learning_rate * self.x.T @ output_error
        self.bias -= learning_rate * output_error.sum(axis=0)
        return input_error


class ReLU:
    """max(0, x)."""

    def forward(self, x):
        self.x = x
        return np.maximum(x, 0)

    def backward(self, output_error, learning_rate):
        return output_error * (self.x > 0)


class Network:
    """Layers one after the other, and the mean squared error."""

    def __init__(self):
        self.layers = [Dense(3, 6, 0), ReLU(), Dense(6, 2, 1)]

    def train_step(self, x, y, learning_rate):
        output = x
        for layer in self.layers:
            output = layer.forward(output)
        error = 2 * (output - y) / y.size
        for layer in reversed(self.layers):
            error = layer.backward(error, learning_rate)
        return np.mean((output - y) ** 2)


RNG = np.random.default_rng(7)
X, Y = RNG.standard_normal((8, 3)), RNG.standard_normal((8, 2))


def check():
    network, x, y = Network(), torch.tensor(X), torch.tensor(Y)
    names = {f"layers[{i}].weights": f"{i}.weight.T" for i in (0, 2)}
    names |= {f"layers[{i}].bias": f"{i}.bias" for i in (0, 2)}
    return dict(
        parameters=(network, *names),
        step=lambda lr: network.train_step(X, Y, lr),
        lr=0.1,
        module=nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2)),
        names=names,
        torch_loss=lambda module: nn.functional.mse_loss(module(x), y),
    )
