"""How far rounding alone may take a run: several runs, perturbed at rounding level.

What differs by rounding at one step is carried on by training, and may shrink or grow. A few
copies of the reference, trained as one ensemble on a leading axis of its arrays and perturbed by
as much as rounding has probably added, step by step or over a few steps, show how far.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import reference
from compare.base.quantities import LOSS, Array, Observation, parameter
from compare.sides.feed import Feed

#: How many perturbed copies. Only the largest distance of any two counts, so a few will do.
MEMBERS = 3

#: An envelope so many times the rounding error of one step has been amplified by training; by
#: rounding alone it would take the square of that many steps.
AMPLIFIED = 100.0

#: The envelope shrinks by no more than this factor an epoch, so that members which happen to meet
#: the reference do not make it vanish.
DECAY = 0.9

#: Each of so many steps is perturbed, then every second one for as long, and so on, ...
EACH = 100

#: ... up to every eighth: to perturb takes a third of the time of training a small network.
SELDOM = 8


class Envelope:
    """Copies of a reference run, all of them perturbed, and their distance from each other.

    Args:
        model: the reference, before training.
        seed: of the perturbations.

    Attributes:
        growth: the factor by which the envelope has grown per epoch, on the average, from the
            rounding error of the first step.
        lost: whether the copies have left what can be computed, so that they show nothing more.
    """

    def __init__(self, model: reference.Model, seed: int) -> None:
        self.model = model
        self._noise: dict[str, Array] = {}
        self._relative: dict[str, float] = {}
        self._least: dict[str, float] = {}
        self._loss_floor = 0.0
        self.growth = 1.0
        self.lost = False
        self._rng = np.random.default_rng((seed, MEMBERS))
        self._params = {name: np.stack([p] * MEMBERS) for name, p in model.params.items()}
        self._stacked: bool | None = None
        self._states: list[Any] = []  # the update rule's own, run by run
        self._losses: list[Array] = []
        self._sizes: dict[str, float] = {}
        self._first = 0.0
        self._epochs = 0
        self._steps = 0
        self._pending = 0

    def hear(self, values: Observation, errors: Observation) -> None:
        """Take the quantities of one step and their rounding errors, as lockstep found them."""
        sizes = {name: _largest(value) or 1.0 for name, value in values.items()}
        self._relative = {name: _largest(error) / sizes[name] for name, error in errors.items()}
        # A loss whose terms cancel to 0 is wrong by their rounding errors, not by a part of itself.
        self._loss_floor = 0.0 if np.any(values[LOSS]) else _largest(errors[LOSS])
        for name in self._params:
            key = parameter(name)
            noise = self._rng.standard_normal((MEMBERS, *errors[key].shape), np.float32)
            self._noise[name] = (noise * (errors[key] / sizes[key])).astype(self.model.dtype)
            self.lost |= not np.isfinite(self._noise[name]).all()
        if not self._first:
            self._first = max(_largest(errors[parameter(name)]) for name in self._params)

    @property
    def grown(self) -> bool:
        """Whether it is more than what rounding adds in some steps, so that training amplifies."""
        return any(not size <= AMPLIFIED * self._least[name] for name, size in self._sizes.items())

    def step(self, x: Array, target: Array) -> None:
        """Train all copies on one batch, each with rounding errors of its own."""
        if self._stacked is None:
            self._stacked = self._can_be_stacked(x, target)
            several = [self._params] if self._stacked else self._each()
            self._states = [self.model.optimizer.init(params) for params in several]
        if self._stacked:
            losses, self._params = self._train(0, self._params, x, target)
        else:
            trained = [self._train(k, p, x, target) for k, p in enumerate(self._each())]
            losses = np.stack([loss for loss, _ in trained])
            self._params = {
                name: np.stack([params[name] for _, params in trained]) for name in self._params
            }
        self._losses.append(losses)
        self._steps += 1
        self._pending += 1
        if self._pending > min(self._steps // EACH, SELDOM - 1):
            self._perturb()
            self._pending = 0

    def _train(
        self, run: int, params: reference.Params, x: Array, target: Array
    ) -> tuple[Array, reference.Params]:
        """One step of one copy, or of all at once."""
        model = self.model
        losses, grads = reference.gradients(model.network, model.loss, params, x, target)
        params, self._states[run] = model.optimizer.step(params, grads, self._states[run])
        return losses, params

    def _each(self) -> list[reference.Params]:
        """The copies one by one."""
        return [{name: p[k] for name, p in self._params.items()} for k in range(MEMBERS)]

    def _can_be_stacked(self, x: Array, target: Array) -> bool:
        """Whether the code under test, given all copies at once, does to each what it does to one.

        It need not: a network is right if it is right about one. Then the copies train one by one.
        """
        network, loss = self.model.network, self.model.loss
        alone, grads = reference.gradients(network, loss, self._each()[0], x, target)
        try:
            together, stacked = reference.gradients(network, loss, self._params, x, target)
        except Exception:  # the code under test, used in a way that it need not allow
            return False
        pairs = [(together, alone), *((stacked[name], grad) for name, grad in grads.items())]
        return all(
            np.shape(all_) == (MEMBERS, *np.shape(one))
            and bool(np.all(np.abs(all_ - one) <= 1e-3 * np.max(np.abs(one), initial=0)))
            for all_, one in pairs
        )

    def sizes(self, feed: Feed) -> dict[str, float]:
        """Measure the envelope.

        Args:
            feed: tells how the losses of batches make that of an epoch.

        Returns:
            For the loss of the last epoch and each parameter, how far a perturbed copy probably is
            from one that is not, and at least one step's rounding error. Two perturbed copies
            are √2 times as far apart, as their perturbations are independent. Infinite where
            copies overflow, or the rounding error is not known.
        """
        now = {LOSS: feed.loss(self._losses[-len(feed.parts) :])}
        now |= {parameter(name): p for name, p in self._params.items()}
        for name, copies in now.items():
            found = _largest(copies.max(axis=0) - copies.min(axis=0)) / math.sqrt(2)
            least = _known(self._relative[name] * _largest(copies[0]))
            least = self._least[name] = max(least, self._loss_floor if name == LOSS else 0.0)
            before = DECAY * self._sizes.get(name, 0.0)
            self._sizes[name] = max(found, least, before)
        self._epochs += len(self._losses) // len(feed.parts)
        self._losses = []
        self._measure_growth()
        return self._sizes

    def _perturb(self) -> None:
        """Add to each parameter what rounding has probably added since it was done last.

        To draw new noise for every entry in every step would take longer than the training. So
        each copy keeps its pattern until lockstep is heard again, at a new strength each time. The
        errors of several steps add up like those of a random walk.
        """
        strength = self._rng.standard_normal(MEMBERS) * math.sqrt(self._pending)
        for name, p in self._params.items():
            by_copy = (strength * _largest(p[0])).astype(p.dtype)
            self._params[name] = p + self._noise[name] * by_copy.reshape(-1, *[1] * (p.ndim - 1))

    def _measure_growth(self) -> None:
        largest = max(size for name, size in self._sizes.items() if name != LOSS)
        if 0 < self._first < math.inf and math.isfinite(largest):
            self.growth = (largest / self._first) ** (1 / self._epochs)


def _largest(difference: Array) -> float:
    """The largest size of any entry; infinite if one is not a number."""
    return _known(float(np.abs(difference).max()))


def _known(size: float) -> float:
    """A size, infinite if it is not a number, beside which ``max`` could overlook it."""
    return math.inf if math.isnan(size) else size
