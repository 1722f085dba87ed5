"""How far rounding alone may take a run: several runs, perturbed at rounding level.

What differs by rounding at one step is carried on by training, and may shrink or grow. A few
copies of the reference, trained as one ensemble on a leading axis of its arrays and perturbed after
each epoch by as much as rounding has probably added, show how far.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

import reference
from compare.feed import Feed
from compare.observation import LOSS, Array, Observation, parameter

#: How many perturbed runs. Only their largest deviation counts, so a few will do.
MEMBERS = 3

#: The envelope shrinks by no more than this factor an epoch, so that members which happen to meet
#: the reference do not make it vanish.
DECAY = 0.9


class Envelope:
    """Perturbed copies of a reference run, and their distance from it.

    Args:
        model: the reference, before training.
        seed: of the perturbations.

    Attributes:
        errors: the rounding error of one step, as lockstep last found it.
        growth: the factor by which the envelope has grown per epoch, on the average.
    """

    def __init__(self, model: reference.Model, seed: int) -> None:
        self.model = model
        self.errors: Observation = {}
        self.growth = 1.0
        self._rng = np.random.default_rng((seed, MEMBERS))
        self._params = {name: np.stack([p] * MEMBERS) for name, p in model.params.items()}
        self._state = model.optimizer.init(self._params)
        self._losses: list[Array] = []
        self._sizes: dict[str, float] = {}
        self._first = 0.0
        self._epochs = 0

    def step(self, x: Array, target: Array) -> None:
        """Train all copies on one batch."""
        model = self.model
        losses, grads = reference.gradients(model.network, model.loss, self._params, x, target)
        self._params, self._state = model.optimizer.step(self._params, grads, self._state)
        self._losses.append(losses)

    def sizes(self, loss: float, weights: Mapping[str, Array], feed: Feed) -> dict[str, float]:
        """End an epoch and measure the envelope.

        Args:
            loss: the reference's loss in this epoch.
            weights: the reference's parameters after it.
            feed: tells how the losses of batches make that of an epoch.

        Returns:
            For the loss and each parameter, the largest distance of any copy from the reference,
            and at least one step's rounding error.
        """
        self._perturb(len(self._losses))
        found = {LOSS: _largest(feed.loss(self._losses) - loss)}
        self._losses = []
        for name, p in self._params.items():
            found[parameter(name)] = _largest(p - weights[name])
        for name, size in found.items():
            least = _largest(self.errors[name])
            self._sizes[name] = max(size, least, DECAY * self._sizes.get(name, 0.0))
        self._measure_growth()
        return self._sizes

    def _perturb(self, steps: int) -> None:
        """Add to each parameter what rounding has probably added in so many steps."""
        for name, p in self._params.items():
            scale = self.errors[parameter(name)] * math.sqrt(steps)
            noise = self._rng.standard_normal(p.shape, np.float32) * scale
            self._params[name] = (p + noise).astype(p.dtype, copy=False)

    def _measure_growth(self) -> None:
        largest = max(size for name, size in self._sizes.items() if name != LOSS)
        self._epochs += 1
        if self._epochs == 1:
            self._first = largest
        elif self._first > 0 and math.isfinite(largest):
            self.growth = (largest / self._first) ** (1 / (self._epochs - 1))


def _largest(difference: Array) -> float:
    """The largest size of any entry; infinite if one is not a number."""
    largest = float(np.abs(difference).max())
    return math.inf if math.isnan(largest) else largest
