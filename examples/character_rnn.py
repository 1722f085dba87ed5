"""A recurrent network over characters that keeps its hidden state from one call to the next."""

import numpy as np
import torch

TEXT = "hello world, hello there"
LETTERS = sorted(set(TEXT))
TOKENS = [LETTERS.index(letter) for letter in TEXT]


class CharacterRNN:
    """One hot letter in, a hidden tanh layer that feeds itself, softmax over the next letter."""

    def __init__(self, hidden_size):
        rng = np.random.default_rng(11)
        letters = len(LETTERS)
        self.Wxh = rng.standard_normal((hidden_size, letters)) * 0.3
        self.Whh = rng.standard_normal((hidden_size, hidden_size)) * 0.3
        self.Why = rng.standard_normal((letters, hidden_size)) * 0.3
        self.bh = np.zeros((hidden_size, 1))
        self.by = np.zeros((letters, 1))
        self.h = np.full((hidden_size, 1), 0.1)

    def loss_and_gradients(self, inputs, targets):
        xs, hs, ps, loss = {}, {-1: np.copy(self.h)}, {}, 0.0
        for t, token in enumerate(inputs):
            xs[t] = np.zeros((len(LETTERS), 1))
            xs[t][token] = 1
            hs[t] = np.tanh(self.Wxh @ xs[t] + self.Whh @ hs[t - 1] + self.bh)
            y = self.Why @ hs[t] + self.by
            ps[t] = np.exp(y) / np.sum(np.exp(y))
            loss -= np.log(ps[t][targets[t], 0])
        self.dWxh, self.dWhh = np.zeros_like(self.Wxh), np.zeros_like(self.Whh)
        self.dWhy = np.zeros_like(self.Why)
        self.dbh, self.dby = np.zeros_like(self.bh), np.zeros_like(self.by)
        dh_next = np.zeros_like(self.h)
        for t in reversed(range(len(inputs))):
            dy = np.copy(ps[t])
            dy[targets[t]] -= 1
            self.dWhy += dy @ hs[t].T
            self.dby += dy
            d_sum = (1 - hs[t] ** 2) * (self.Why.T @ dy + dh_next)
            self.dbh += d_sum
            self.dWxh += d_sum @ xs[t].T
            self.dWhh += d_sum @ hs[t - 1].T
            dh_next = self.Whh.T @ d_sum
        self.h = hs[len(inputs) - 1]
        return loss


def check():
    network, names = CharacterRNN(6), ("Wxh", "Whh", "Why", "bh", "by")
    h0, loss = network.h, lambda: network.loss_and_gradients(TOKENS[:-1], TOKENS[1:])

    def torch_loss(p):
        h, total = torch.tensor(h0), 0.0
        for token, following in zip(TOKENS[:-1], TOKENS[1:], strict=True):
            h = torch.tanh(p["Wxh"][:, [token]] + p["Whh"] @ h + p["bh"])
            total = total - torch.log_softmax(p["Why"] @ h + p["by"], dim=0)[following, 0]
        return total

    grads = lambda: (loss(), (network, *("d" + name for name in names)))[1]
    return dict(parameters=(network, *names), grads=grads, loss=loss, torch_loss=torch_loss)
