"""The NumPy side of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Self

import numpy as np

import reference
from compare.base.quantities import (
    AT_INPUT,
    LOSS,
    NORM,
    RATES,
    Array,
    Observation,
    Snapshot,
    buffer,
    clipped,
    parameter,
    state,
)
from compare.cases.case import Case
from compare.sides.modes import evaluating
from compare.sides.networks.beside import Beside, needed_by
from compare.sides.networks.taps import settle, tapped
from compare.sides.reference_rule import rule_of

Lift = Callable[[Array], Array]


def network_of(case: Case) -> reference.Module:
    """The case's network, without parameters."""
    network: reference.Module = getattr(reference, case.network)(**case.arguments)
    return network


def initial_weights(case: Case) -> dict[str, Array]:
    """The case's first weights and buffers, from its seed, rounded to its dtype."""
    draw = reference.INITIALISERS[case.init]
    weights = draw(network_of(case), np.random.default_rng(case.seed))
    return {
        name: value.astype(case.dtype if value.dtype.kind == "f" else value.dtype)
        for name, value in weights.items()
    }


class ReferenceSide:
    """Trains a network by hand-derived gradients.

    Args:
        network: what to train; one with buffers or dropout is a :class:`Beside`.
        loss: the loss to minimise.
        rule: optimizer, clipping and schedule.
        weights: the first parameters; they are copied.
        dtype: of all arithmetic.
        masks: gives the masks that PyTorch's dropouts drew last, by their names.

    Attributes:
        watched: paths of the layers that :meth:`observe` shows; None for all.
    """

    name = "reference"

    def __init__(
        self,
        network: reference.Module,
        loss: reference.Loss,
        rule: reference.UpdateRule,
        weights: Mapping[str, Array],
        dtype: str,
        masks: Callable[[], Mapping[str, Array]] = dict,
    ) -> None:
        self.model = reference.Model(network, loss, rule, dict(weights), dtype)
        self.rule = rule
        self.beside = network if isinstance(network, Beside) else None
        self.watched: Collection[str] | None = None
        self._masks = masks

    @classmethod
    def of(
        cls,
        case: Case,
        weights: Mapping[str, Array],
        masks: Callable[[], Mapping[str, Array]] = dict,
    ) -> Self:
        """The side of a case, with a copy of these first weights and buffers."""
        network, loss = network_of(case), getattr(reference, case.loss)()
        rule = rule_of(case, network)
        if needed_by(network):
            held = {name: weights[name].copy() for name in network.buffer_shapes()}
            weights = {name: weights[name] for name in network.parameter_shapes()}
            network = Beside(network, held, case.seed)
        return cls(network, loss, rule, weights, case.dtype, masks)

    def training(self) -> AbstractContextManager[None]:
        """NumPy needs nothing."""
        return nullcontext()

    def load(self, array: Array) -> Array:
        """The array itself."""
        return array

    def load_weights(self, weights: Mapping[str, Array]) -> None:
        """Take a copy of these parameters and buffers."""
        shapes = self.model.network.parameter_shapes()
        if self.beside is not None:
            self.beside.held |= {n: v.copy() for n, v in weights.items() if n not in shapes}
        self.model.load_state_dict({name: weights[name] for name in shapes})

    def step(self, x: Array, target: Array) -> float:
        """Train on one batch and return the loss before the step."""
        if self.beside is None:
            return self.model.step(x, target)
        model = self.model
        self.beside.held |= self._masks()
        y, cache = self.beside.forward(model.params, x)
        value, loss_cache = model.loss.forward(y, target)
        _, grads = self.beside.backward(model.params, cache, model.loss.backward(loss_cache))
        self.beside.held |= self.beside.buffers(model.params, cache)
        model.params, model.state = model.optimizer.step(model.params, grads, model.state)
        return float(value)

    def predict(self, x: Array) -> Array:
        """Run the network forward, in evaluation."""
        with evaluating(self.model.network):
            y: Array = self.model.network.forward(self.model.params, x)[0]
        return y

    def weights(self) -> dict[str, Array]:
        """The parameters; not to be written to."""
        return self.model.params

    def state_dict(self) -> dict[str, Array]:
        """The parameters and the buffers; not to be written to."""
        buffers = {} if self.beside is None else self.beside.buffers_now()
        return self.model.params | buffers

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
        model, network = self.model, tapped(self.model.network, seen, watched=self.watched)
        params = {name: lift(value) for name, value in start.weights.items()}
        if self.beside is not None:
            self.beside.held |= self._masks()
        beside = {name: lift(value) for name, value in start.buffers.items()}
        held = {
            name: {key: lift(value) for key, value in entry.items()}
            for name, entry in start.state.items()
        }
        y, cache = network.forward(params | beside, lift(x))
        seen[LOSS], loss_cache = model.loss.forward(y, target)
        dy = model.loss.backward(loss_cache)
        dx, grads = network.backward(params | beside, cache, dy)
        settle(seen, grads)
        if dx is not None:
            seen[AT_INPUT] = dx
        after = network.buffers(params | beside, cache) if beside else {}
        params, progress = self._update(params, grads, held, lift, seen)
        for name, entry in progress.state.items():
            seen.update({state(name, key): value for key, value in entry.items()})
        seen.update({parameter(name): value for name, value in params.items()})
        seen.update({buffer(name): value for name, value in after.items()})

    def _update(
        self,
        params: reference.Params,
        grads: reference.Params,
        held: reference.State,
        lift: Lift,
        seen: Observation,
    ) -> tuple[reference.Params, reference.Progress]:
        """The update rule's part of a step, with what it does before the parameters are new."""
        progress = replace(self.model.state, state=held)
        grads, norm = self.rule.clip(grads)
        if norm is not None:
            seen[NORM] = norm
        if self.rule.clips:
            seen.update({clipped(name): value for name, value in grads.items()})
        if progress.position is not None:
            seen[RATES] = lift(progress.lrs)
        return self.rule.update(params, grads, progress)
