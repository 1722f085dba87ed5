"""What one entry of the catalogue consists of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Draw:
    """An array to be drawn at random.

    Attributes:
        shape: of the array.
        kind: how its entries are drawn, see :mod:`compare.catalogue.draws`.
        scale: a factor on all of them.
        count: of what there is to choose from, where there is a choice.
        axis: along which entries belong together, where they do.
        values: the entries themselves, row by row and over again, where they are given.
    """

    shape: tuple[int, ...]
    kind: str = "normal"
    scale: float = 1.0
    count: int = 0
    axis: int = -1
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Variant:
    """One way to make and to call a layer, loss, optimizer or schedule.

    Attributes:
        inputs: what ``forward`` is given: draws, and tuples of them.
        options: the constructor's arguments.
        given: what ``forward`` is given by name: draws, or plain values.
        training: whether in training or in evaluation.
        strided: whether inputs, parameters and upstream gradients are not contiguous in memory.
        undefined: whether the output is no number, on both sides, such as the mean of nothing.
    """

    inputs: tuple[Any, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    training: bool = True
    strided: bool = False
    undefined: bool = False

    @property
    def label(self) -> str:
        """In words, such as ``stride=2, inputs (2, 3, 7, 5), strided``."""
        words = [f"{key}={_told(value)}" for key, value in self.options.items()]
        shapes = [_shape(one) for one in self.inputs]
        words += [f"inputs {' '.join(shapes)}"] if shapes else []
        words += [f"{key}={_shape(value)}" for key, value in self.given.items()]
        words += [] if self.training else ["evaluation"]
        return ", ".join(words + ["strided"] * self.strided)


@dataclass(frozen=True)
class Entry:
    """Something that is on both sides under the same name.

    Attributes:
        name: of the class, in PyTorch and in the reference.
        kind: ``layer``, ``activation``, ``loss``, ``optimizer`` or ``schedule``.
        varies: what its comparison varies, in words.
        variants: the ways in which it is compared.
        differentiable: positions of a loss's inputs that have a gradient.
    """

    name: str
    kind: str
    varies: str
    variants: tuple[Variant, ...]
    differentiable: tuple[int, ...] = (0,)


def x(*shape: int, kind: str = "normal", **more: Any) -> Draw:
    """An array of this shape."""
    return Draw(shape, kind, **more)


def variant(*inputs: Any, training: bool = True, strided: bool = False, **options: Any) -> Variant:
    """A variant whose named arguments are the constructor's; a plain shape is a normal draw."""
    draws = tuple(Draw(one) if _is_shape(one) else one for one in inputs)
    return Variant(draws, options, {}, training, strided)


def _is_shape(one: Any) -> bool:
    return isinstance(one, tuple) and all(isinstance(length, int) for length in one)


def _told(option: Any) -> str:
    """An option in words: of a function its name, as the rest would differ from run to run."""
    if isinstance(option, list):
        return f"[{', '.join(map(_told, option))}]"
    return getattr(option, "__name__", str(option))


def _shape(one: Any) -> str:
    if isinstance(one, Draw):
        return f"{one.shape}" + (f" {one.kind}" if one.kind != "normal" else "")
    return f"({', '.join(map(_shape, one))})" if isinstance(one, tuple) else str(one)
