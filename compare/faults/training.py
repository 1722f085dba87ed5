"""Faults of the training loop, and of how data are handled in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from compare.faults.changes.methods import around
from compare.faults.fault import Changes, Method, changed
from compare.faults.table import Right, Row, faults
from reference import Array, Module, Params


def _trained(change: Callable[[Any, Any], None]) -> Changes:
    """``change(side, batch)`` is made to the parts of a side's model for the time of each step.

    What it remembers is what the side's own steps leave: observing one changes nothing.
    """

    def during(right: Method, side: Any, *given: Any) -> Any:
        parts = {name: getattr(side.model, name) for name in ("network", "optimizer", "loss")}
        beside = side.beside
        change(side, given[1] if len(given) > 2 else given[0])
        try:
            return right(side, *given)
        finally:
            vars(side.model).update(parts)
            side.beside = beside

    def observed(right: Method, side: Any, *given: Any) -> Any:
        before = dict(vars(side))
        try:
            return during(right, side, *given)
        finally:
            vars(side).clear()
            vars(side).update(before)

    return {**around("step", during), **around("observe", observed)}


def _network(function: Callable[[Any, Module, int], Module]) -> Changes:
    """Steps are made with ``function(side, network, samples in the batch)``."""

    def change(side: Any, batch: Array) -> None:
        network = function(side, side.model.network, len(batch))
        side.model.network = network
        side.beside = network if side.beside is not None else None

    return _trained(change)


def _upstream(function: Callable[[Any, Array, int], Array]) -> Changes:
    """Backpropagation starts from ``function(side, dy, samples in the batch)``."""

    def change(side: Any, network: Module, samples: int) -> Module:
        def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
            return right(self, params, cache, function(side, dy, samples))

        return changed(network, around("backward", backward))

    return _network(change)


def _step(function: Callable[..., Any]) -> Changes:
    """Updates are ``function(side, samples in the batch, right, *what is given)``."""

    def change(side: Any, batch: Array) -> None:
        def update(right: Method, self: Any, *given: Any, **told: Any) -> Any:
            return function(side, len(batch), lambda *rest: right(self, *rest, **told), *given)

        side.model.optimizer = changed(side.model.optimizer, around("step", update))

    return _trained(change)


def _batch(function: Callable[[Any, Array, Array], tuple[Array, Array]]) -> Changes:
    """Each step is made with the batch ``function(side, x, target)``."""

    def step(right: Method, side: Any, *batch: Array) -> Any:
        return right(side, *function(side, *batch))

    def observe(right: Method, side: Any, start: Any, x: Array, t: Array, *rest: Any) -> Any:
        return right(side, start, *function(side, x, t), *rest)

    return {**around("step", step), **around("observe", observe)}


def _each_layer(module: Module, changes: Changes) -> Module:
    children = module.children()
    if not children:
        return changed(module, changes)
    return module.with_children({n: _each_layer(child, changes) for n, child in children.items()})


def _updated_first(side: Any, network: Module, samples: int) -> Module:
    lr = side.model.optimizer.groups[0].options["lr"]

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        _, grads = right(self, params, cache, dy)
        stepped = {name: params[name] - lr * g for name, g in grads.items()}
        return right(self, params | stepped, cache, dy)[0], grads

    return _each_layer(network, around("backward", backward))


def _piling_up(side: Any, network: Module, samples: int) -> Module:
    """What has piled up is kept by the side's own steps, and shown when it is observed."""

    def backward(right: Method, self: Any, params: Params, cache: Any, dy: Array) -> Any:
        dx, grads = right(self, params, cache, dy)
        held = vars(side).get("_piled", {})
        total = {name: g + held[name] if name in held else g for name, g in grads.items()}
        vars(side)["_piled"] = total
        return dx, total

    return changed(network, around("backward", backward))


def _evaluating(side: Any, network: Module, samples: int) -> Module:
    """The network as in evaluation; what is its own stays in training."""

    def layer(module: Module) -> Module:
        children = {name: layer(child) for name, child in module.children().items()}
        twin = changed(module, {}) if not children else module.with_children(children)
        twin.training = False
        return twin

    return layer(network)


def _full(side: Any, samples: int) -> int:
    """The size of a whole batch: the largest there has been."""
    vars(side)["_full"] = max(samples, vars(side).get("_full", 0))
    return int(vars(side)["_full"])


def _by_full(side: Any, dy: Array, samples: int) -> Array:
    return dy * (samples / _full(side, samples))


def _dropped(side: Any, samples: int, right: Method, params: Params, *rest: Any) -> Any:
    if samples < _full(side, samples):
        return dict(params), rest[-1]
    return right(params, *rest)


def _every_second(side: Any, samples: int, right: Method, params: Params, *rest: Any) -> Any:
    vars(side)["_made"] = vars(side).get("_made", 0) + 1
    return right(params, *rest) if vars(side)["_made"] % 2 else (dict(params), rest[-1])


def _rolled(x: Array) -> Array:
    return np.concatenate([x[1:], x[:1]])


def _remembered(side: Any, x: Array, target: Array) -> tuple[Array, Array]:
    """Targets of the batch before, where they fit."""
    last = vars(side).get("_targets", target)
    vars(side)["_targets"] = target
    return x, last if last.shape == target.shape else _rolled(target)


def _by_batch(x: Array) -> Array:
    spread: Array = x.std(axis=0)
    scaled: Array = (x - x.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return scaled.astype(x.dtype)


def _same_mask(right: Method, side: Any, *given: Any) -> Any:
    masks = side._masks
    first = vars(side).setdefault("_first_masks", {})

    def kept() -> Any:
        for name, mask in masks().items():
            first.setdefault(name, mask.copy())
        fitting = {n: m for n, m in masks().items() if first[n].shape != m.shape}
        return first | fitting

    side._masks = kept
    try:
        return right(side, *given)
    finally:
        side._masks = masks


def _still_statistics(side: Any, network: Module, samples: int) -> Module:
    return changed(network, around("buffers", _before))


def _before(right: Method, network: Any, params: Params, cache: Any) -> Params:
    after = right(network, params, cache)
    held = getattr(network, "held", {}) | params
    return {name: held[name] for name in after}


LOOP = faults("ReferenceSide", Right("compute all gradients first, then update all weights"),
    Row("weights updated before the error passes them",
        "each layer is updated at once, and the error carried back through the new weights", "loop",
        _network(_updated_first), needs="more than one layer"),
    Right("start from 0 with each batch"),
    Row("gradients never reset", "each batch adds its gradients to those of all batches before",
        "loop", _network(_piling_up), needs="more than one step"),
    Right("train(True) before each epoch, after evaluating"),
    Row("evaluation while training",
        "dropout and batch norm are switched to evaluation in training", "loop",
        _network(_evaluating), needs="dropout or batch norm"),
    Right("running ← (1 − momentum) running + momentum · batch, at each step"),
    Row("running statistics not kept", "the running mean and variance stay what they were at first",
        "loop", _network(_still_statistics), needs="batch norm"),
    Right("draw a mask for each batch"),
    Row("dropout's mask reused", "one mask is drawn, and used for all batches", "loop",
        {**around("step", _same_mask), **around("observe", _same_mask)},
        needs="dropout, more than one step"),
    Right("train on every sample, or drop the last batch on both sides"),
    Row("last partial batch dropped", "a batch smaller than the others is not trained on", "loop",
        _step(_dropped), needs="N not a multiple of the batch"),
    Right("divide by the number of samples in this batch"),
    Row("partial batch divided by the full size",
        "the gradient of a smaller batch is divided by the size of a whole one", "loop",
        _upstream(_by_full), needs="N not a multiple of the batch"),
    Right("the loss alone decides: mean divides by N, sum does not"),
    Row("divided by the batch again",
        "the gradient is divided by the batch size, which the loss has done already or should not",
        "loop", _upstream(lambda side, dy, samples: dy / samples), needs="batch > 1"),
    Right("update after each batch"),
    Row("every second update left out", "an update is made at every second batch only", "loop",
        _step(_every_second), needs="more than one step"),
    Right("shuffle both by one permutation"),
    Row("targets shuffled apart from inputs", "each sample gets the target of the next one", "loop",
        _batch(lambda side, x, target: (x, _rolled(target))), needs="batch > 1"),
    Right("take inputs and targets of one batch"),
    Row("targets of the batch before", "each batch is trained on the targets of the one before",
        "loop", _batch(_remembered), needs="more than one batch"),
    Right("count classes from 0"),
    Row("labels off by one", "the targets' columns are shifted by one", "loop",
        _batch(lambda side, x, target: (x, np.roll(target, 1, axis=-1))),
        needs="more than one output"),
    Right("scale inputs once, alike in training and evaluation"),
    Row("inputs at another scale", "inputs are divided by 255 once more", "loop",
        _batch(lambda side, x, target: (x / np.asarray(255, x.dtype), target))),
    Right("standardise by the statistics of all training data"),
    Row("inputs standardised by batch", "each batch is standardised by its own mean and spread",
        "loop", _batch(lambda side, x, target: (_by_batch(x), target))),
    Right("one order of features for all"),
    Row("inputs' features reversed",
        "the columns of the inputs are read from the last to the first", "loop",
        _batch(lambda side, x, target: (x[:, ::-1], target)), needs="more than one feature"),
    prefix="training",
)  # fmt: skip


def _ours(function: Callable[[Any, int, Any], Any]) -> Changes:
    """The first side's data are ``function(feed, epoch, its right batches)``."""

    def batches(right: Method, feed: Any, number: int, *sides: Any) -> Iterator[list[Any]]:
        theirs = list(right(feed, number, *sides))
        ours = function(
            lambda n: [pair[0] for pair in right(feed, n, *sides)], number, [p[0] for p in theirs]
        )
        for one, (_, *rest) in zip(ours, theirs, strict=True):
            yield [one, *rest]

    return around("batches", batches)


ORDER = faults("Feed", Right("a new order in each epoch, from one seed"),
    Row("shuffled once", "all epochs show the samples in the order of the first", "loop",
        _ours(lambda epoch, number, batches: epoch(1)),
        needs="more than one batch and more than one epoch"),
    Right("one generator, or one order, for both"),
    Row("shuffled from another seed", "samples are shown in an order of one's own", "loop",
        _ours(lambda epoch, number, batches: epoch(number + 1000)), needs="more than one batch"),
    Right("one order of batches for both"),
    Row("batches in reverse order", "whole batches are shown from the last to the first", "loop",
        _ours(lambda epoch, number, batches: [*batches[-2::-1], batches[-1]]),
        needs="more than two batches"),
    Right("take the next batch at each step"),
    Row("first batch only", "each step is made with the first batch of the epoch", "loop",
        _ours(lambda epoch, number, batches: [batches[0]] * len(batches)),
        needs="more than one batch"),
    prefix="training",
)  # fmt: skip

TRAINING = (*LOOP, *ORDER)
