"""Asking a trained network for its predictions."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

from compare.base.errors import UsageError
from compare.base.quantities import Array
from compare.cases import datasets
from compare.cases.case import Case
from compare.command import continuation
from compare.sides.reference_side import network_of
from compare.sides.side import Side
from compare.training import weight_files
from compare.training.solo import side_of

#: So many answers can be taken in at a glance.
FEW = 8


def load(case: Case, implementation: str, path: Path) -> Side:
    """One side of a case with weights from a file instead of training.

    Raises:
        CannotCompare: the file cannot be read or does not fit the network.
    """
    side = side_of(case, implementation)
    side.load_weights(weight_files.load(path, side.state_dict()))
    return side


def parse(case: Case, words: list[str]) -> Array:
    """One sample from the words of a command line.

    Raises:
        UsageError: they are not as many finite numbers as the network has inputs, or no text that
            the network could go on with.
    """
    for word in words:
        if word.startswith("--"):
            raise UsageError(f"no such option: {word}")
    if continuation.is_text(case):
        return continuation.parse(" ".join(words))
    wanted = _inputs(case)
    if len(words) != wanted:
        noun = "input" if wanted == 1 else "inputs"
        raise UsageError(f"case {case.name!r} takes {wanted} {noun}, but got {len(words)}")
    return np.array([[_number(word, case.dtype) for word in words]], case.dtype)


def answer(case: Case, side: Side, row: Array) -> str:
    """The network's outputs for one sample, in words."""
    if continuation.is_text(case):
        return f"{case.name}: {continuation.go_on(side, row)}"
    with np.errstate(all="ignore"):  # far from what it was taught, it may answer inf
        outputs = side.predict(_shaped(case, row))[0]
    given = ", ".join(f"{value:g}" for value in row[0])
    return f"{case.name}({given}) = {', '.join(f'{value:.6g}' for value in outputs)}"


def known(case: Case, side: Side) -> list[str]:
    """What the network answers to the samples it was taught, if they are few."""
    samples = datasets.load(case).inputs
    return [answer(case, side, row[None]) for row in samples] if len(samples) <= FEW else []


def dialogue(case: Case, side: Side) -> None:
    """Ask for inputs and answer, until q or the end of the input."""
    if continuation.is_text(case):
        _text_dialogue(case, side)
        return
    names = ["x", "y"] if _inputs(case) == 2 else [f"x{i}" for i in range(1, _inputs(case) + 1)]
    while True:
        values = []
        for name in names:
            value = _ask(name, case.dtype)
            if value is None:
                print("Bye")
                return
            values.append(value)
        print(answer(case, side, np.array([values], case.dtype)))


def _text_dialogue(case: Case, side: Side) -> None:
    """Ask for the beginning of a text and go on with it, until q or the end of the input."""
    while True:
        text = _read("Enter text: ")
        if text is None:
            print("Bye")
            return
        try:
            print(answer(case, side, continuation.parse(text)))
        except UsageError as error:
            print(f"{error}; try again, or q to end", file=sys.stderr)


def _ask(name: str, dtype: str) -> float | None:
    """A number from standard input; None for q or the end of the input."""
    while True:
        word = _read(f"Enter {name}: ")
        if word is None:
            return None
        try:
            return _number(word, dtype)
        except UsageError as error:
            print(f"{error}; try again, or q to end", file=sys.stderr)


def _read(prompt: str) -> str | None:
    """A line from standard input; None for q or the end of the input."""
    try:
        line = input(prompt)
    except EOFError:
        print()
        return None
    except OSError as error:
        raise OSError(error.errno, error.strerror, "standard input") from error
    return None if line.strip().lower() == "q" else line


def _number(word: str, dtype: str) -> float:
    try:
        number = float(word)
    except ValueError as error:
        raise UsageError(f"{word.strip()!r} is not a number") from error
    if not math.isfinite(number):
        raise UsageError(f"{word.strip()} is not a finite number")
    with np.errstate(over="ignore"):
        if not np.isfinite(np.array(number).astype(dtype)):
            raise UsageError(f"{word.strip()} is too large for {dtype}; use --dtype float64")
    return number


def _inputs(case: Case) -> int:
    """How many inputs the case's network has."""
    if case.data in datasets.SHAPES:
        return math.prod(datasets.SHAPES[case.data])
    weight = next(iter(network_of(case).parameter_shapes().values()))
    return weight[1]


def _shaped(case: Case, row: Array) -> Array:
    """The numbers of one sample in the shape that the network takes."""
    return row.reshape(-1, *datasets.SHAPES[case.data]) if case.data in datasets.SHAPES else row
