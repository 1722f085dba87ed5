"""Both sides trained on their own, never brought together again.

What differs is rounding at first, and may grow without any fault. So what is allowed is measured:
perturbed copies of the reference give an envelope, and once that is as large as all that was
learned, the free run decides nothing more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from compare.base.quantities import LOSS, Array, Observation, parameter
from compare.measure.meter import Meter
from compare.measure.metrics import Metrics
from compare.measure.tolerances import Fixed, Tolerance
from compare.sides.feed import Feed
from compare.sides.pair import Pair
from compare.training import amplification
from compare.training.envelope import Envelope

#: How many envelopes the two sides may be apart, see benchmarks/calibrate.py.
MULTIPLE = 2048.0

#: A loss so many times as large as before training, of either sign, or parameters so many times
#: the first ones, have exploded: each step then has other rounding errors than the one before, and
#: what lockstep has heard of them no longer holds.
EXPLODED = 100.0


class FreeRun:
    """Measures the distance between two trajectories, in units of what rounding explains.

    Args:
        pair: both sides, before training.
        feed: what they are trained on.
        tolerance: a fixed one is used as it is; with any other the unit is the envelope.
        seed: of the perturbations.

    Attributes:
        horizon: the epoch from which on nothing can be decided; None while all can.
    """

    def __init__(self, pair: Pair, feed: Feed, tolerance: Tolerance, seed: int) -> None:
        self.pair = pair
        self.feed = feed
        self.tolerance = tolerance
        self.multiple = tolerance.multiple if isinstance(tolerance, Fixed) else MULTIPLE
        self.meter = Meter(self.multiple)
        self.envelope = (
            None if isinstance(tolerance, Fixed) else Envelope(pair.reference.model, seed)
        )
        self.horizon: int | None = None
        self._loss_size = pair.torch.loss_size(feed.inputs, feed.targets)
        self._start = {name: p.copy() for name, p in pair.reference.weights().items()}
        self._moved = 0.0
        self._within_limits: amplification.Place | None = None

    @property
    def decides(self) -> bool:
        """Whether the horizon is still ahead."""
        return self.horizon is None

    @property
    def growth(self) -> float | None:
        """The factor by which the envelope has grown per epoch; None if there is none."""
        return None if self.envelope is None else self.envelope.growth

    def metrics(self) -> tuple[Metrics, ...]:
        """What was measured, up to the horizon."""
        return self.meter.metrics()

    def hear(self, values: Observation, units: Observation) -> None:
        """Take from lockstep how large the rounding error of one step is."""
        if self.envelope is not None:
            self.envelope.hear(values, units)

    def step(self, x: Array, target: Array) -> None:
        """Let the perturbed copies train on one batch, too."""
        if self.envelope is not None and self.decides and not self.envelope.lost:
            try:
                self.envelope.step(x, target)
            except Exception:  # of the code under test, given numbers that only rounding gives
                self.envelope.lost = True

    def watch(self, epoch: int, reference_loss: float, torch_loss: float) -> None:
        """Take the losses of an epoch, which may end what can be decided."""
        # Against a loss of about 0 any other would have exploded. If no term of it is below 0, it
        # is as small as they are; where terms of both signs cancel, the floor is their own size.
        limit = EXPLODED * self._loss_size
        ours, theirs = (not abs(loss) <= limit for loss in (reference_loss, torch_loss))
        if ours and theirs and self.envelope:
            self.horizon = self.horizon or epoch

    def epoch(self, epoch: int, reference_loss: float, torch_loss: float) -> bool:
        """Compare the trajectories after some more epochs, of which these are the last losses.

        Returns:
            Whether all that was seen is finite.
        """
        if not self.decides:
            return math.isfinite(reference_loss) and math.isfinite(torch_loss)
        actual, expected = self.trajectories(reference_loss, torch_loss)
        lost = _lost(actual), _lost(expected)
        if self.envelope is not None:
            return self._within(self.envelope, epoch, actual, expected, lost)
        if lost[0] & lost[1]:
            return False
        units = {name: self.tolerance.split(actual[name], expected[name])[1] for name in actual}
        return bool(np.isfinite(self.meter.add(epoch, actual, expected, units)).all())

    def _within(
        self,
        envelope: Envelope,
        epoch: int,
        actual: Observation,
        expected: Observation,
        lost: tuple[set[str], set[str]],
    ) -> bool:
        """Compare with the envelope, unless that ends what can be decided."""
        if envelope.lost:
            self.horizon = epoch
            return not any(lost)
        sizes = envelope.sizes(self.feed)
        if any(lost) and self._exploded():
            self.horizon = epoch
            return False
        known = any(lost) or all(map(math.isfinite, sizes.values()))
        if not known or (envelope.grown and self._beyond_sight(sizes)):
            self.horizon = epoch
            return True
        alike = lost[0] & lost[1]  # which is neither right nor wrong
        compared = {name: size for name, size in sizes.items() if name not in alike}
        if self._amplified(epoch, actual, expected, compared):
            self.horizon = epoch
            return True
        self._within_limits = amplification.place(self.pair, epoch)
        return self.meter.add_evenly(epoch, actual, expected, compared) and not alike

    def _amplified(
        self, epoch: int, actual: Observation, expected: Observation, sizes: Mapping[str, float]
    ) -> bool:
        """Whether a difference that is too large is what training makes of one that was not."""
        before = self._within_limits
        if before is None or self.meter.failed or not _finite(actual) or not _finite(expected):
            return False
        far = (
            not np.abs(actual[name] - expected[name]).max() <= self.multiple * size
            for name, size in sizes.items()
        )
        return any(far) and amplification.explains(
            self.pair, self.feed, before, epoch, actual, expected
        )

    def trajectories(
        self, reference_loss: float, torch_loss: float
    ) -> tuple[Observation, Observation]:
        """Where both sides are: loss and parameters."""
        return (
            _trajectory(reference_loss, self.pair.reference.weights()),
            _trajectory(torch_loss, self.pair.torch.weights()),
        )

    def _exploded(self) -> bool:
        """Whether parameters have left the range in which they started.

        What is computed of them is then so large that the order of a sum decides on overflow.
        """
        largest = max(float(np.abs(p).max()) for p in self._start.values())
        sides = self.pair.reference.weights(), self.pair.torch.weights()
        reached = (np.abs(p[np.isfinite(p)]).max(initial=0) for w in sides for p in w.values())
        return bool(max(reached) > EXPLODED * largest)

    def _beyond_sight(self, sizes: Mapping[str, float]) -> bool:
        """Whether what is allowed is as large as the way that either side has come."""
        allowed = self.multiple * max(sizes[parameter(name)] for name in self._start)
        if not allowed < self._moved:
            for weights in (self.pair.reference.weights(), self.pair.torch.weights()):
                for name, p in weights.items():
                    self._moved = max(self._moved, float(np.abs(p - self._start[name]).max()))
        return not allowed < self._moved


def _lost(side: Observation) -> set[str]:
    """The quantities that are not finite."""
    return {name for name, value in side.items() if not np.isfinite(value).all()}


def _finite(side: Observation) -> bool:
    return not _lost(side)


def _trajectory(loss: float, weights: Mapping[str, Array]) -> Observation:
    return {LOSS: np.array(loss)} | {parameter(name): value for name, value in weights.items()}
