"""A script: everything is a global variable, and the loop's body the only function."""

import numpy as np
import torch

np.random.seed(9)
X = np.random.randn(10, 4)
labels = np.random.randint(0, 3, 10)
W = 0.01 * np.random.randn(4, 8)
b = np.zeros((1, 8))
W2 = 0.01 * np.random.randn(8, 3)
b2 = np.zeros((1, 3))
step_size = 1.0
reg = 1e-3


def iterate():
    global W, b, W2, b2
    hidden = np.maximum(0, X @ W + b)
    scores = hidden @ W2 + b2
    exponentials = np.exp(scores)
    d_scores = exponentials / exponentials.sum(axis=1, keepdims=True)
    d_scores[range(len(X)), labels] -= 1
    d_scores /= len(X)
    d_hidden = d_scores @ W2.T
    d_hidden[hidden <= 0] = 0
    W = W - step_size * (X.T @ d_hidden + reg * W)
    b = b - step_size * d_hidden.sum(axis=0, keepdims=True)
    W2 = W2 - step_size * (hidden.T @ d_scores + reg * W2)
    b2 = b2 - step_size * d_scores.sum(axis=0, keepdims=True)


def check():
    def torch_loss(p):
        scores = torch.relu(torch.tensor(X) @ p["W"] + p["b"]) @ p["W2"] + p["b2"]
        penalty = reg / 2 * ((p["W"] ** 2).sum() + (p["W2"] ** 2).sum())
        return torch.nn.functional.cross_entropy(scores, torch.tensor(labels)) + penalty

    return dict(
        parameters=(globals(), "W", "b", "W2", "b2"),
        step=iterate,
        lr=(globals(), "step_size"),
        torch_loss=torch_loss,
    )


if __name__ == "__main__":
    for _ in range(200):
        iterate()
