"""The NumPy side of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext

import numpy as np

import reference
from compare.cases import Case
from compare.observation import AT_INPUT, LOSS, Array, Observation, Snapshot, parameter, state
from compare.taps import tapped

Lift = Callable[[Array], Array]


def network_of(case: Case) -> reference.Module:
    """The case's network, without parameters."""
    network: reference.Module = getattr(reference, case.network)(**case.arguments)
    return network


def initial_weights(case: Case) -> dict[str, Array]:
    """The case's first weights, from its seed, rounded to its dtype."""
    draw = reference.INITIALISERS[case.init]
    weights = draw(network_of(case), np.random.default_rng(case.seed))
    return {name: value.astype(case.dtype) for name, value in weights.items()}


class ReferenceSide:
    """Trains the case's network by hand-derived gradients.

    Args:
        case: what to train.
        weights: the first weights; they are copied.
    """

    name = "reference"

    def __init__(self, case: Case, weights: Mapping[str, Array]) -> None:
        loss: reference.Loss = getattr(reference, case.loss)()
        self.model = reference.Model(
            network_of(case), loss, reference.SGD(case.lr), dict(weights), case.dtype
        )

    def training(self) -> AbstractContextManager[None]:
        """NumPy needs nothing."""
        return nullcontext()

    def load(self, array: Array) -> Array:
        """The array itself."""
        return array

    def load_weights(self, weights: Mapping[str, Array]) -> None:
        """Take a copy of these parameters."""
        self.model.load_state_dict(dict(weights))

    def step(self, x: Array, target: Array) -> float:
        """Train on one batch and return the loss before the step."""
        return self.model.step(x, target)

    def predict(self, x: Array) -> Array:
        """Run the network forward."""
        return self.model.predict(x)

    def weights(self) -> dict[str, Array]:
        """The parameters; not to be written to."""
        return self.model.params

    def evaluate(self, x: Array, target: Array) -> float:
        """The loss, without training."""
        return float(self.model.loss.forward(self.predict(x), target)[0])

    def observe(
        self, start: Snapshot, x: Array, target: Array, lift: Lift, seen: Observation
    ) -> None:
        """Make one step from ``start`` and show all of it; the side itself stays as it is.

        Args:
            start: parameters and optimizer state to step from.
            x: inputs.
            target: targets.
            lift: turns each array handed in into the kind of number to compute with.
            seen: where every quantity of the step is put, in the order in which it is computed, so
                that what was computed before an error is there.
        """
        model, network = self.model, tapped(self.model.network, seen)
        params = {name: lift(value) for name, value in start.weights.items()}
        held = {
            name: {key: lift(value) for key, value in entry.items()}
            for name, entry in start.state.items()
        }
        y, cache = network.forward(params, lift(x))
        seen[LOSS], loss_cache = model.loss.forward(y, target)
        seen[AT_INPUT], grads = network.backward(params, cache, model.loss.backward(loss_cache))
        params, held = model.optimizer.step(params, grads, held)
        for name, entry in held.items():
            seen.update({state(name, key): value for key, value in entry.items()})
        seen.update({parameter(name): value for name, value in params.items()})
