"""How far rounding alone may take a run: several runs, perturbed at rounding level.

What differs by rounding at one step is carried on by training, and may shrink or grow. A few
copies of the reference, trained as one ensemble on a leading axis of its arrays and perturbed after
each step by as much as rounding has probably added, show how far.
"""

from __future__ import annotations

import math

import numpy as np

import reference
from compare.feed import Feed
from compare.observation import LOSS, Array, Observation, parameter

#: How many copies: one that is left alone, and some that are perturbed. Only their largest
#: distance from the first counts, so a few will do.
MEMBERS = 4

#: The envelope shrinks by no more than this factor an epoch, so that members which happen to meet
#: the reference do not make it vanish.
DECAY = 0.9


class Envelope:
    """Copies of a reference run, one left alone, the others perturbed, and their distance.

    Args:
        model: the reference, before training.
        seed: of the perturbations.

    Attributes:
        growth: the factor by which the envelope has grown per epoch, on the average, from the
            rounding error of the first step.
    """

    def __init__(self, model: reference.Model, seed: int) -> None:
        self.model = model
        self._noise: dict[str, Array] = {}
        self._relative: dict[str, float] = {}
        self.growth = 1.0
        self._rng = np.random.default_rng((seed, MEMBERS))
        self._params = {name: np.stack([p] * MEMBERS) for name, p in model.params.items()}
        self._state = model.optimizer.init(self._params)
        self._losses: list[Array] = []
        self._sizes: dict[str, float] = {}
        self._first = 0.0
        self._epochs = 0

    def hear(self, values: Observation, errors: Observation) -> None:
        """Take the quantities of one step and their rounding errors, as lockstep found them."""
        sizes = {name: _largest(value) or 1.0 for name, value in values.items()}
        self._relative = {name: _largest(error) / sizes[name] for name, error in errors.items()}
        for name in self._params:
            key = parameter(name)
            noise = self._rng.standard_normal((MEMBERS, *errors[key].shape), np.float32)
            noise[0] = 0
            self._noise[name] = (noise * (errors[key] / sizes[key])).astype(self.model.dtype)
        if not self._first:
            self._first = max(_largest(errors[parameter(name)]) for name in self._params)

    def step(self, x: Array, target: Array) -> None:
        """Train all copies on one batch, each with rounding errors of its own."""
        model = self.model
        losses, grads = reference.gradients(model.network, model.loss, self._params, x, target)
        self._params, self._state = model.optimizer.step(self._params, grads, self._state)
        self._losses.append(losses)
        self._perturb()

    def sizes(self, feed: Feed) -> dict[str, float]:
        """Measure the envelope.

        Args:
            feed: tells how the losses of batches make that of an epoch.

        Returns:
            For the loss of the last epoch and each parameter, the largest distance of any perturbed
            copy from the one left alone, and at least one step's rounding error.
        """
        now = {LOSS: feed.loss(self._losses[-len(feed.parts) :])}
        now |= {parameter(name): p for name, p in self._params.items()}
        for name, (alone, *perturbed) in now.items():
            found = _largest(np.asarray(perturbed) - alone)
            least = self._relative[name] * _largest(alone)
            before = DECAY * self._sizes.get(name, 0.0)
            self._sizes[name] = max(found, least, before)
        self._epochs += len(self._losses) // len(feed.parts)
        self._losses = []
        self._measure_growth()
        return self._sizes

    def _perturb(self) -> None:
        """Add to each parameter what rounding has probably added in this step.

        To draw new noise for every entry in every step would take longer than the training. So
        each copy keeps its pattern until lockstep is heard again, at a new strength each step.
        """
        strength = self._rng.standard_normal(MEMBERS)
        for name, p in self._params.items():
            by_copy = (strength * _largest(p[0])).astype(p.dtype)
            self._params[name] = p + self._noise[name] * by_copy.reshape(-1, *[1] * (p.ndim - 1))

    def _measure_growth(self) -> None:
        largest = max(size for name, size in self._sizes.items() if name != LOSS)
        if self._first > 0 and math.isfinite(largest):
            self.growth = (largest / self._first) ** (1 / self._epochs)


def _largest(difference: Array) -> float:
    """The largest size of any entry; infinite if one is not a number."""
    largest = float(np.abs(difference).max())
    return math.inf if math.isnan(largest) else largest
