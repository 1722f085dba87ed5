"""PyTorch's numbers in other places: transposed, reordered, or in another tensor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import permutations, product
from math import lgamma, log, log10

import numpy as np

from compare.base.quantities import Array
from compare.diagnosis.evidence.finding import Finding, explains
from compare.diagnosis.evidence.gradient import Gradient
from compare.results.cause import listed

#: Gates of a GRU and an LSTM; the query, key and value of an attention are three as well.
_BLOCKS = (2, 3, 4)


@dataclass(frozen=True, eq=False)
class Move:
    """A way to move the numbers of a tensor about.

    Attributes:
        name: of the cause.
        told: what the actual gradient is.
        remedy: what to change.
        places: of each entry, where its number stands in PyTorch's gradient, flattened.
        price: the decimal logarithm of how many such moves there are.
    """

    name: str
    told: str
    remedy: str
    places: Array
    price: float


def arrangements(every: Sequence[Gradient]) -> list[Finding]:
    """Of each wrong gradient, the simplest moves that explain it, or what it is mistaken for."""
    found = []
    for gradient in every:
        if gradient.wrong and gradient.finite and gradient.expected.size > 1:
            found += _moved(gradient)
        if gradient.wrong and gradient.finite:
            found += _mistaken(gradient, every)
    return found


def _moved(gradient: Gradient) -> list[Finding]:
    """All moves of the first kind that has one that explains the gradient."""
    for kind in (_axes, _rows, _entries):
        found = [_finding(gradient, move) for move in kind(gradient)]
        found = [one for one in found if one.match <= 1]
        if found:
            return found
    return []


def _finding(gradient: Gradient, move: Move) -> Finding:
    predicted = gradient.expected.ravel()[move.places]
    allowed = gradient.allowed.ravel()[move.places]
    match = explains(gradient, predicted, allowed, move.price)
    return Finding(gradient.name, move.name, move.told, move.remedy, match)


def _axes(gradient: Gradient) -> Iterator[Move]:
    """Axes swapped or reversed, or the numbers written in column order."""
    shape = gradient.expected.shape
    places = np.arange(gradient.expected.size).reshape(shape)
    orders = list(permutations(range(places.ndim)))
    flips = list(product(*((False, True) if length > 1 else (False,) for length in shape)))
    price = log10(len(orders) * len(flips) + 1)
    for order, flip in product(orders, flips) if places.ndim <= 4 else ():
        moved = np.flip(places.transpose(order), tuple(k for k, f in enumerate(flip) if f))
        trivial = np.array_equal(moved, places)
        if moved.shape == gradient.actual.shape and not trivial:
            yield Move(*_named(order, flip), moved, price)
    if places.T.shape != shape and gradient.same_shape:
        yield Move(
            "reshaped for transposed",
            "PyTorch's numbers read in column order",
            "transpose where it is reshaped",
            places.T.reshape(shape),
            price,
        )


def _named(order: tuple[int, ...], flip: tuple[bool, ...]) -> tuple[str, str, str]:
    """Name, sentence and remedy of a move of whole axes."""
    swapped = order != tuple(range(len(order)))
    axes = [str(axis) for axis, reverse in enumerate(flip) if reverse]
    parts, remedies = [], []
    if swapped:
        parts.append("transposed" if len(order) == 2 else f"with its axes in the order {order}")
        remedies.append("transpose it: the gradient has the shape (out, in) of the weight")
    if axes:
        whole = len(axes) == len(order)
        parts.append("reversed" if whole else f"reversed along axis {listed(axes)}")
        remedies.append("turn the order of the units, or of the kernel, round")
    name = (
        "transposed" if swapped and not axes else "reversed" if not swapped else " and ".join(parts)
    )
    return name, f"PyTorch's gradient {' and '.join(parts)}", "; ".join(remedies)


def _rows(gradient: Gradient) -> Iterator[Move]:
    """Slices along one axis in another order."""
    if not gradient.same_shape:
        return
    for axis, length in enumerate(gradient.expected.shape):
        order = _order(
            np.moveaxis(gradient.actual, axis, 0), np.moveaxis(gradient.expected, axis, 0)
        )
        if length < 2 or np.array_equal(order, np.arange(length)):
            continue
        places = np.arange(gradient.expected.size).reshape(gradient.expected.shape)
        yield _reordered(order, axis, places.take(order, axis))


def _reordered(order: Array, axis: int, places: Array) -> Move:
    length = len(order)
    what = "rows" if axis == 0 else "columns" if places.ndim == 2 else f"slices along axis {axis}"
    if places.ndim == 1:
        what = "entries"
    blocks = _in_blocks(order)
    if blocks:
        size = length // len(blocks)
        return Move(
            f"blocks of {what} permuted",
            f"PyTorch's gradient with its blocks of {size} {what} in the order {blocks}",
            "put the gates, or query, key and value, in PyTorch's order",
            places,
            log10(24 * len(_BLOCKS)),
        )
    return Move(
        f"{what} permuted",
        f"PyTorch's gradient with its {what} in the order [{listed([str(k) for k in order], 9)}]",
        "put the units in PyTorch's order",
        places,
        _factorial(length),
    )


def _in_blocks(order: Array) -> list[int] | None:
    """The order of the blocks if whole blocks were moved: those of gates."""
    for count in _BLOCKS:
        if len(order) % count == 0 and len(order) > count:
            blocks = order.reshape(count, -1)
            first, size = blocks[:, 0], blocks.shape[1]
            whole = np.array_equal(blocks, first[:, None] + np.arange(size))
            if whole and not (first % size).any():
                return [int(block) for block in first // size]
    return None


def _order(actual: Array, expected: Array) -> Array:
    """Which slice of expected stands at each place of actual, if they are the same slices.

    Sorted by a random sum of their entries, the same slices come in the same order.
    """
    weights = np.random.default_rng(0).normal(size=expected[0].size)
    sums = [side.reshape(len(side), -1) @ weights for side in (actual, expected)]
    order = np.empty(len(expected), np.intp)
    order[np.argsort(sums[0], kind="stable")] = np.argsort(sums[1], kind="stable")
    return order


def _entries(gradient: Gradient) -> Iterator[Move]:
    """The same numbers in any order, of any shape."""
    if gradient.actual.size != gradient.expected.size:
        return
    order = _order(gradient.actual.reshape(-1, 1), gradient.expected.reshape(-1, 1))
    yield Move(
        "entries permuted",
        "PyTorch's numbers, all of them, in other places",
        "look for a reshape or an index that puts them there",
        order.reshape(gradient.actual.shape),
        _factorial(len(order)) if gradient.same_shape else 0.0,
    )


def _mistaken(gradient: Gradient, every: Sequence[Gradient]) -> Iterator[Finding]:
    """Other tensors whose gradient this one has."""
    for other in every:
        if other.name != gradient.name and other.finite:
            match = explains(gradient, other.expected, other.allowed, log10(len(every)))
            if match <= 1:
                yield Finding(
                    gradient.name,
                    f"gradient of {other.name}",
                    f"the gradient that {other.name} should have",
                    "give each parameter its own gradient, from its own layer's error",
                    match,
                )


def _factorial(number: int) -> float:
    """The decimal logarithm of n!."""
    return lgamma(number + 1) / log(10)
