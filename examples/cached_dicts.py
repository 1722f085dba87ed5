"""Functions that hand dicts to one another, samples in columns, as in a well-known course."""

import numpy as np
import torch


def initialize_parameters(n_x, n_h, n_y):
    rng = np.random.default_rng(5)
    return {
        "W1": rng.standard_normal((n_h, n_x)) * 0.1,
        "b1": np.zeros((n_h, 1)),
        "W2": rng.standard_normal((n_y, n_h)) * 0.1,
        "b2": np.zeros((n_y, 1)),
    }


def forward_propagation(X, parameters):
    Z1 = parameters["W1"] @ X + parameters["b1"]
    A1 = np.tanh(Z1)
    Z2 = parameters["W2"] @ A1 + parameters["b2"]
    A2 = 1 / (1 + np.exp(-Z2))
    return A2, {"Z1": Z1, "A1": A1, "Z2": Z2, "A2": A2}


def compute_cost(A2, Y):
    return -np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2)) / Y.shape[1]


def backward_propagation(parameters, cache, X, Y):
    m = X.shape[1]
    dZ2 = cache["A2"] - Y
    dZ1 = (parameters["W2"].T @ dZ2) * (1 - cache["A1"] ** 2)
    return {
        "dW2": dZ2 @ cache["A1"].T / m,
        "db2": np.sum(dZ2, axis=1, keepdims=True) / m,
        "dW1": dZ1 @ X.T / m,
        "db1": np.sum(dZ1, axis=1, keepdims=True) / m,
    }


RNG = np.random.default_rng(6)
X, Y = RNG.standard_normal((3, 7)), (RNG.random((1, 7)) < 0.5).astype(float)


def check():
    parameters = initialize_parameters(3, 4, 1)

    def grads():
        _, cache = forward_propagation(X, parameters)
        return backward_propagation(parameters, cache, X, Y), "dW1", "db1", "dW2", "db2"

    def torch_loss(p):
        z = p["W2"] @ torch.tanh(p["W1"] @ torch.tensor(X) + p["b1"]) + p["b2"]
        return torch.nn.functional.binary_cross_entropy_with_logits(z, torch.tensor(Y))

    loss = lambda: compute_cost(forward_propagation(X, parameters)[0], Y)
    return dict(parameters=parameters, grads=grads, loss=loss, torch_loss=torch_loss)
