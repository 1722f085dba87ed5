"""No NumPy at all: nested lists of numbers, loops, one sample after the other."""

import math
import random

import torch


def new_network(n_in, n_hidden, n_out):
    draw = random.Random(8)
    row = lambda n: [draw.uniform(-1, 1) for _ in range(n)]
    return {
        "hidden": [row(n_in) for _ in range(n_hidden)],
        "hidden_bias": row(n_hidden),
        "output": [row(n_hidden) for _ in range(n_out)],
        "output_bias": row(n_out),
    }


def activate(weights, biases, inputs):
    sums = [
        bias + sum(w * x for w, x in zip(row, inputs, strict=True))
        for row, bias in zip(weights, biases, strict=True)
    ]
    return [1.0 / (1.0 + math.exp(-z)) for z in sums]


def train(network, rows, lr):
    """One epoch, in which all samples' changes are added up and made at its end."""
    change = {name: zeros_like(value) for name, value in network.items()}
    for inputs, wanted in rows:
        hidden = activate(network["hidden"], network["hidden_bias"], inputs)
        output = activate(network["output"], network["output_bias"], hidden)
        d_output = [(o - t) * o * (1 - o) for o, t in zip(output, wanted, strict=True)]
        d_hidden = []
        for j, h in enumerate(hidden):
            error = sum(network["output"][k][j] * d for k, d in enumerate(d_output))
            d_hidden.append(error * h * (1 - h))
        add_to(change["output"], change["output_bias"], d_output, hidden)
        add_to(change["hidden"], change["hidden_bias"], d_hidden, inputs)
    for name in ("hidden", "output"):
        for i, row in enumerate(network[name]):
            network[name + "_bias"][i] -= lr * change[name + "_bias"][i]
            for j in range(len(row)):
                row[j] -= lr * change[name][i][j]


def zeros_like(value):
    return [zeros_like(one) for one in value] if isinstance(value, list) else 0.0


def add_to(weights, biases, errors, inputs):
    for i, error in enumerate(errors):
        biases[i] += error
        for j, x in enumerate(inputs):
            weights[i][j] += error * x


ROWS = [([0.1, 0.9], [1.0, 0.0]), ([0.8, 0.2], [0.0, 1.0]), ([-0.5, 0.4], [1.0, 1.0])]


def check():
    network = new_network(2, 3, 2)
    x, y = (torch.tensor(column, dtype=torch.float64) for column in zip(*ROWS, strict=True))

    def torch_loss(p):
        hidden = torch.sigmoid(x @ p["hidden"].T + p["hidden_bias"])
        output = torch.sigmoid(hidden @ p["output"].T + p["output_bias"])
        return ((output - y) ** 2).sum() / 2

    step = lambda lr: train(network, ROWS, lr)
    return dict(parameters=network, step=step, lr=0.5, torch_loss=torch_loss)
