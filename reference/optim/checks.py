"""Refusing options that make no sense, before a single step is made with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any


def require(owner: str, name: str, value: object, fits: bool, need: str) -> None:
    """Make sure that an option fits.

    Args:
        owner: whose option it is.
        name: of the option.
        value: what it is.
        fits: whether that is what it should be.
        need: what it should be, in words.

    Raises:
        ValueError: it does not fit.
    """
    if not fits:
        raise ValueError(f"{owner}: {name} is {value!r}, but should be {need}")


def require_numbers(owner: str, options: Mapping[str, Any]) -> None:
    """Make sure that each option is a number, and of those that are pairs, two of them."""
    for name, value in options.items():
        pair = name in ("betas", "etas", "step_sizes")
        numbers = value if pair and isinstance(value, Sequence) else (value,)
        fits = len(numbers) == 1 + pair and all(isinstance(number, Real) for number in numbers)
        require(owner, name, value, fits, "two numbers" if pair else "a number")


def require_at_least_zero(owner: str, options: Mapping[str, Any], *names: str) -> None:
    """Make sure that none of these options is negative or not a number."""
    for name in names:
        require(owner, name, options[name], options[name] >= 0, "at least 0")


def require_betas(owner: str, options: Mapping[str, Any]) -> None:
    """Make sure that both decay rates of an average leave some room for what is new."""
    betas = options["betas"]
    fits = all(0 <= beta < 1 for beta in betas)
    require(owner, "betas", betas, fits, "two numbers, each at least 0 and less than 1")
