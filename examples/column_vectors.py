"""Lists of weights and of column vectors, sample by sample, as in a well-known book."""

import numpy as np
import torch


def sigmoid(z):
    return 1.0 / (1.0 + np.exp(-z))


class Layers:
    """Any number of sigmoid layers; half the squared error, averaged over the mini-batch."""

    def __init__(self, sizes):
        rng = np.random.default_rng(2)
        self.biases = [rng.standard_normal((n, 1)) for n in sizes[1:]]
        self.weights = [
            rng.standard_normal((n, m)) for m, n in zip(sizes[:-1], sizes[1:], strict=True)
        ]

    def learn(self, mini_batch, eta):
        sum_b = [np.zeros(b.shape) for b in self.biases]
        sum_w = [np.zeros(w.shape) for w in self.weights]
        for x, y in mini_batch:
            part_b, part_w = self.one_sample(x, y)
            sum_b = [total + part for total, part in zip(sum_b, part_b, strict=True)]
            sum_w = [total + part for total, part in zip(sum_w, part_w, strict=True)]
        rate = eta / len(mini_batch)
        self.weights = [w - rate * g for w, g in zip(self.weights, sum_w, strict=True)]
        self.biases = [b - rate * g for b, g in zip(self.biases, sum_b, strict=True)]

    def one_sample(self, x, y):
        outputs, sums = [x], []
        for b, w in zip(self.biases, self.weights, strict=True):
            sums.append(w @ outputs[-1] + b)
            outputs.append(sigmoid(sums[-1]))
        delta = (outputs[-1] - y) * sigmoid(sums[-1]) * (1 - sigmoid(sums[-1]))
        by_b, by_w = [delta], [delta @ outputs[-2].T]
        for back in range(2, len(self.weights) + 1):
            slope = sigmoid(sums[-back]) * (1 - sigmoid(sums[-back]))
            delta = (self.weights[-back + 1].T @ delta) * slope
            by_b.insert(0, delta)
            by_w.insert(0, delta @ outputs[-back - 1].T)
        return by_b, by_w


def data(rng=np.random.default_rng(3)):
    return [(rng.standard_normal((4, 1)), rng.random((2, 1))) for _ in range(6)]


def check():
    network, batch = Layers([4, 5, 3, 2]), data()
    x, y = (torch.tensor(np.hstack(columns)) for columns in zip(*batch, strict=True))

    def torch_loss(p):
        a = x
        for i in range(3):
            a = torch.sigmoid(p[f"weights[{i}]"] @ a + p[f"biases[{i}]"])
        return ((a - y) ** 2).sum() / 2 / len(batch)

    step = lambda eta: network.learn(batch, eta)
    return dict(parameters=(network, "weights", "biases"), step=step, lr=3.0, torch_loss=torch_loss)
