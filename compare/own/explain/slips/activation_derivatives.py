"""Slips in the derivative of an activation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from torch import Tensor

from compare.own.explain.slips.slip import Slip
from compare.own.graph.activations import KNOWN, Activation, Known
from compare.own.graph.graph import Change

_ONE_FORMULA = "use the formula for what is handed to it: of the output y, or of the input x"


def in_activation(place: Activation) -> Iterator[Slip]:
    """Derivatives that are left out, doubled, of another function, or taken elsewhere."""

    def slip(
        name: str, told: str, remedy: str, instead: Callable[[Tensor, Tensor], Tensor]
    ) -> Slip:
        def change(right: Tensor, reached: Tensor | None) -> Tensor | None:
            return None if reached is None else instead(right, reached)

        return Slip(
            name, told, remedy, place.name, (Change(place.tail, place.edge, change, place.head),)
        )

    yield slip("missing derivative", "the derivative of the activation is missing",
               "multiply the error by the activation's derivative there",
               lambda right, reached: reached)  # fmt: skip
    yield slip("derivative applied twice", "the derivative of the activation is applied twice",
               "multiply the error by the activation's derivative once",
               lambda right, reached: place.back(right))  # fmt: skip
    x, y = place.x, place.y
    if x is not None and place.name in ("relu", "clamp", "threshold"):
        yield slip("ReLU'(0) = 1", "the derivative of ReLU at exactly 0 is taken to be 1",
                   "take 0 there, as PyTorch does: x > 0, not x >= 0",
                   lambda right, reached: reached * (x >= 0))  # fmt: skip
    if place.name == "softmax" and y is not None:
        yield slip("softmax without its off-diagonal",
                   "only the diagonal of softmax's Jacobian is used", "dx = y (dy − Σ dy y)",
                   lambda right, reached: reached * y * (1 - y))  # fmt: skip
    for one in KNOWN:
        for what, slope in _slopes(place, one):
            yield slip(*_words(place, one, what), partial(_times, slope))


def _times(slope: Callable[[], Tensor], right: Tensor, reached: Tensor) -> Tensor:
    return reached * slope()


def _words(place: Activation, one: Known, what: str) -> tuple[str, str, str]:
    """Name, sentence and remedy of a derivative that is another one, or elsewhere."""
    if one.name == place.name:
        return "derivative taken at the wrong place", what, _ONE_FORMULA
    forms = place.name.startswith("gelu") and one.name.startswith("gelu")
    return (
        "another form of GELU" if forms else "derivative of another activation",
        f"{place.name} is differentiated as if it were {one.name}, {what}",
        "use the derivative of the activation that is in the forward pass",
    )


def _slopes(place: Activation, one: Known) -> Iterator[tuple[str, Callable[[], Tensor]]]:
    """A known derivative from the input or the output, in words, and what it is."""
    x, y, of_output = place.x, place.y, one.of_output
    own = one.name == place.name
    if x is not None and not own:
        yield "from its input", lambda: one.slope(x)
    if y is not None and of_output is not None and not own:
        yield one.formula, lambda: of_output(y)
    if x is not None and of_output is not None:
        yield (
            f"{one.formula}, which is for the output, is given the pre-activation",
            lambda: of_output(x),
        )
    if y is not None:
        yield (
            f"the derivative of {one.name} from its input, the pre-activation, is given the output",
            lambda: one.slope(y),
        )
