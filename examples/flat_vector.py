"""All parameters in one flat vector, and a function that gives cost and gradient for it."""

import numpy as np
import torch

N_IN, N_HIDDEN, N_OUT = 3, 4, 2
FIRST = N_HIDDEN * (N_IN + 1)


def unrolled(theta):
    return theta[:FIRST].reshape(N_HIDDEN, N_IN + 1), theta[FIRST:].reshape(N_OUT, N_HIDDEN + 1)


def cost_and_gradient(theta, X, Y, decay):
    """Cross-entropy of sigmoid outputs; the bias is each matrix's first column, and not decayed."""
    theta1, theta2 = unrolled(theta)
    m = len(X)
    ones = np.ones((m, 1))
    a1 = np.hstack([ones, X])
    a2 = np.hstack([ones, 1 / (1 + np.exp(-a1 @ theta1.T))])
    h = 1 / (1 + np.exp(-a2 @ theta2.T))
    cost = -np.sum(Y * np.log(h) + (1 - Y) * np.log(1 - h)) / m
    cost += decay / (2 * m) * (np.sum(theta1[:, 1:] ** 2) + np.sum(theta2[:, 1:] ** 2))
    d3 = h - Y
    d2 = (d3 @ theta2 * a2 * (1 - a2))[:, 1:]
    grad1, grad2 = d2.T @ a1 / m, d3.T @ a2 / m
    grad1[:, 1:] += decay / m * theta1[:, 1:]
    grad2[:, 1:] += decay / m * theta2[:, 1:]
    return cost, np.concatenate([grad1.ravel(), grad2.ravel()])


RNG = np.random.default_rng(10)
X, Y = RNG.standard_normal((5, N_IN)), (RNG.random((5, N_OUT)) < 0.5).astype(float)


def check():
    theta = RNG.standard_normal(FIRST + N_OUT * (N_HIDDEN + 1))

    def torch_loss(p):
        t1, t2 = unrolled(p["theta"])
        a2 = torch.sigmoid(torch.tensor(X) @ t1[:, 1:].T + t1[:, 0])
        z = a2 @ t2[:, 1:].T + t2[:, 0]
        fit = torch.nn.functional.binary_cross_entropy_with_logits(
            z, torch.tensor(Y), reduction="sum"
        )
        return (fit + ((t1[:, 1:] ** 2).sum() + (t2[:, 1:] ** 2).sum()) * 0.3 / 2) / 5

    loss, grads = (lambda i=i: cost_and_gradient(theta, X, Y, 0.3)[i] for i in (0, 1))
    return dict(parameters={"theta": theta}, grads=grads, loss=loss, torch_loss=torch_loss)
