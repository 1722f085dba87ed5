"""A network with a fault, to see how it is told: the hidden layer's derivative is missing."""

import numpy as np
import torch


class Regression:
    """A tanh layer and a linear one; half the squared error."""

    def __init__(self):
        rng = np.random.default_rng(14)
        self.w_hidden = rng.standard_normal((2, 4))
        self.b_hidden = rng.standard_normal(4)
        self.w_out = rng.standard_normal((4, 1))
        self.b_out = rng.standard_normal(1)

    def predict(self, x):
        self.x = x
        self.hidden = np.tanh(x @ self.w_hidden + self.b_hidden)
        return self.hidden @ self.w_out + self.b_out

    def learn(self, x, y, lr):
        error = self.predict(x) - y
        hidden_error = error @ self.w_out.T  # here * (1 - self.hidden**2) is missing
        self.w_out -= lr * self.hidden.T @ error
        self.b_out -= lr * error.sum(axis=0)
        self.w_hidden -= lr * self.x.T @ hidden_error
        self.b_hidden -= lr * hidden_error.sum(axis=0)


RNG = np.random.default_rng(15)
X, Y = RNG.standard_normal((7, 2)), RNG.standard_normal((7, 1))


def check():
    network = Regression()

    def torch_loss(p):
        hidden = torch.tanh(torch.tensor(X) @ p["w_hidden"] + p["b_hidden"])
        return ((hidden @ p["w_out"] + p["b_out"] - torch.tensor(Y)) ** 2).sum() / 2

    return dict(
        parameters=(network, "w_hidden", "b_hidden", "w_out", "b_out"),
        step=lambda lr: network.learn(X, Y, lr),
        lr=0.01,
        loss=lambda: np.sum((network.predict(X) - Y) ** 2) / 2,
        torch_loss=torch_loss,
    )
