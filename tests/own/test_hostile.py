"""Errors, names and replaced functions of the user's code: told in one line, whatever they are."""

from __future__ import annotations

import asyncio
import builtins
import json
import math
import random
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any, NoReturn
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from compare import BackproofError, CannotCompare, UsageError, crosscheck
from compare.base.printable import encodable, printable
from compare.own.isolation.patches import Theirs, originals
from compare.own.user.run import Runner, is_interruption
from compare.process.blame import LONGEST, described
from compare.results.verdict import Verdict

X = np.array([[1.0, 2.0], [-0.4, 0.7], [0.3, 0.9]])


class Network:
    def __init__(self, slope: float = 1.0) -> None:
        self.W = np.array([[0.5, -1.0], [2.0, 0.3]])
        self.slope = slope

    def gradients(self) -> dict[str, Any]:
        return {"W": self.slope * X.T @ (1 - np.tanh(X @ self.W) ** 2)}

    def named(self, name: str) -> Callable[[], dict[str, Any]]:
        return lambda: {name: self.gradients()["W"]}


def torch_loss(p: dict[str, torch.Tensor]) -> torch.Tensor:
    return torch.tanh(torch.tensor(X) @ p["W"]).sum()


def is_one_line(text: str) -> bool:
    return text.isprintable() and text.encode("utf-8").decode() == text


def hostile(text: Callable[[Any], Any], base: type = Exception, name: str = "Hostile") -> Any:
    return type(name, (base,), {"__str__": text})


def refuse(*given: Any) -> NoReturn:
    raise SystemExit("not for you")


class Split(str):
    """A text that will not be taken apart."""

    split = __len__ = __format__ = refuse  # type: ignore[assignment]


def deep(n: int = 0) -> int:
    return deep(n + 1) + 1


def raising(error: BaseException) -> Callable[[], NoReturn]:
    def grads() -> NoReturn:
        raise error

    return grads


def skip() -> None:
    pytest.skip("not here")


def fail() -> None:
    pytest.fail("not so")


def shallow() -> None:
    sys.setrecursionlimit(sys.getrecursionlimit() + 500)
    deep()


GROUP = ExceptionGroup(
    "several", [ValueError("one"), TypeError("two\n"), OSError(1, "x"), KeyError()]
)

#: What the user's code does, and what is said of it.
ERRORS: dict[str, tuple[Callable[[], Any], str]] = {
    "cancelled": (raising(asyncio.CancelledError()), "CancelledError"),
    "cancelled with a reason": (raising(asyncio.CancelledError("why")), "CancelledError: why"),
    "skipped": (skip, "Skipped: not here"),
    "failed": (fail, "Failed: not so"),
    "interrupts itself": (raising(KeyboardInterrupt()), "KeyboardInterrupt"),
    "interrupts itself with a text": (raising(KeyboardInterrupt("no")), "KeyboardInterrupt: no"),
    "exit": (raising(SystemExit(0)), "SystemExit: 0"),
    "end of a generator": (raising(GeneratorExit()), "GeneratorExit"),
    "end of an iterator": (raising(StopIteration()), "StopIteration"),
    "base": (raising(BaseException("b")), "BaseException: b"),
    "memory": (raising(MemoryError()), "MemoryError"),
    "depth": (deep, "RecursionError"),
    "changed depth": (shallow, "RecursionError"),
    "group": (
        raising(GROUP),
        "ExceptionGroup: several (4 sub-exceptions): ValueError: one; TypeError: two; "
        "PermissionError: [Errno 1] x and 1 more",
    ),
    "base group": (
        raising(BaseExceptionGroup("", [KeyboardInterrupt(), SystemExit()])),
        "BaseExceptionGroup: (2 sub-exceptions): KeyboardInterrupt: ; SystemExit: ",
    ),
    "no text": (raising(hostile(refuse)()), "Hostile: (its text cannot be had)"),
    "text is None": (raising(hostile(lambda self: None)()), "Hostile: (its text cannot be had)"),
    "text is odd": (raising(hostile(lambda self: Split("a\nb"))()), "Hostile: a b"),
    "base without text": (raising(hostile(refuse, BaseException)()), "Hostile: (its text"),
    "name with a break": (raising(hostile(str, name="A\nB")()), r"A\nB"),
    "escape": (raising(ValueError("\x1b[31mred\x1b[0m")), r"ValueError: \x1b[31mred\x1b[0m"),
    "half a character": (raising(ValueError("\ud800")), r"ValueError: \ud800"),
    "markup": (raising(ValueError("[red]a[/] [/]")), "ValueError: [red]a[/] [/]"),
    "turned round": (raising(ValueError("\u202eabc\u2066")), r"ValueError: \u202eabc\u2066"),
    "lines": (raising(ValueError("a\nb\r\nc\u2028d")), "ValueError: a b c d"),
    "long": (raising(ValueError("x" * 10**6)), "x" * LONGEST + "..."),
    "null": (raising(ValueError("a\0b\ufffe")), r"ValueError: a\x00b\ufffe"),
}  # fmt: skip


@pytest.mark.parametrize("name", ERRORS)
@pytest.mark.parametrize("where", ["grads", "step", "loss", "torch_loss", "reset", "property"])
def test_error_is_told_in_a_line(name: str, where: str) -> None:
    act, message = ERRORS[name]
    network = Network()
    arguments: dict[str, Any] = {"grads": network.gradients, "torch_loss": torch_loss}
    if where == "step":
        arguments = {"step": act, "lr": 0.1, "torch_loss": torch_loss}
    elif where == "torch_loss":
        arguments["torch_loss"] = lambda p: act()
    elif where != "property":
        arguments[where] = act
    root = (
        type("Root", (), {"W": property(lambda self: act())})() if where == "property" else network
    )
    depth = sys.getrecursionlimit()
    with pytest.raises(CannotCompare) as caught:
        crosscheck((root, "W"), **arguments)
    told = str(caught.value)
    assert "raised" in told
    assert message in told
    assert is_one_line(told)
    assert caught.value.exit_code == 3
    assert sys.getrecursionlimit() == depth


def handler(number: int, frame: object) -> NoReturn:
    raise KeyboardInterrupt


@pytest.mark.parametrize("action", [signal.default_int_handler, handler])
def test_interruption_is_none_of_the_users_errors(action: Any) -> None:
    before = signal.signal(signal.SIGINT, action)
    try:
        with pytest.raises(KeyboardInterrupt):
            Runner()("grads", lambda: signal.raise_signal(signal.SIGINT))
    finally:
        signal.signal(signal.SIGINT, before)
    assert is_interruption(KeyboardInterrupt())
    assert not is_interruption(ValueError())


def test_fault_of_ours_is_no_error_of_theirs() -> None:
    with pytest.raises(AttributeError):
        Runner()("grads", printable, None)


NAMES = (
    *(
        "line\nbreak",
        "\x1b[31mred",
        "\ud800",
        "[red]",
        "[/]",
        "[bold red]x[/bold red]",
        "a\0b",
        "%s",
    ),
    *("\u202e", "<b>&", "]]>", "\ufffe", "\u2028", "\r", "\t", "", " ", "é", "層", "{name}", "\\n"),
    *("%s", "\"'", "a.b", "x" * 300, ":smile:", "\x85", "\x9b31m", "\U000e0001"),
)


def reports(name: str) -> Iterator[tuple[Verdict, Any]]:
    for slope, verdict in ((1.0, Verdict.AGREE), (2.0, Verdict.DISAGREE)):
        network = Network(slope)
        report = crosscheck(
            {name: (network, "W")},
            grads=network.named(name),
            torch_loss=lambda p: torch_loss({"W": p[name]}),
        )
        yield verdict, report


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_name_is_shown_in_every_form_of_a_report(name: str) -> None:
    for verdict, report in reports(name):
        assert report.verdict is verdict
        text = str(report)
        assert all(map(is_one_line, text.split("\n")))
        assert printable(name)[:20].strip() in text
        assert json.loads(report.to_json())["verdict"] == verdict.name.lower()
        assert json.loads(report.to_json().encode("utf-8"))
        html = report._repr_html_()
        assert "\x1b" not in html
        ElementTree.fromstring(html)  # noqa: S314 - our own text
        wrapped = f"<failure message={xml_of(text)} />"
        assert ElementTree.fromstring(wrapped).get("message")  # noqa: S314 - our own text


def xml_of(text: str) -> str:
    from xml.sax.saxutils import quoteattr

    return quoteattr(text)


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_name_is_shown_in_errors(name: str) -> None:
    network = Network()
    with pytest.raises(CannotCompare) as caught:
        crosscheck({name: np.array([1, 2])}, grads=network.gradients, torch_loss=torch_loss)
    assert printable(name) in str(caught.value)
    assert is_one_line(str(caught.value))
    with pytest.raises(BackproofError) as refused:
        crosscheck((network, name), grads=network.gradients, torch_loss=torch_loss)
    assert is_one_line(str(refused.value))


@given(st.text(st.characters(), max_size=20))
@settings(max_examples=50)
def test_any_text_becomes_one_line(text: str) -> None:
    for error in (UsageError(text), CannotCompare(text)):
        assert is_one_line(str(error))
    assert is_one_line(described(ValueError(text)).encode("unicode_escape").decode())
    assert printable(printable(text)) == printable(text)
    assert encodable(text).encode("utf-8").decode() == encodable(text)
    if is_one_line(text):
        assert printable(text) == text


def test_what_shows_stays() -> None:
    assert printable("Größe 層 [red] \\n") == "Größe 層 [red] \\n"
    assert printable("a\nb\x1b\ud800\u202e") == r"a\nb\x1b\ud800\u202e"
    assert encodable("a\nb\ud800") == "a\nb\\ud800"


def broken(*given: Any, **named: Any) -> NoReturn:
    raise RuntimeError("replaced")


#: Modules, and functions of theirs that people put others in the place of.
REPLACED: dict[Any, tuple[str, ...]] = {
    np: ("sum", "abs", "array", "isfinite", "sqrt", "zeros", "ravel", "copyto"),
    np.random: ("seed", "default_rng", "set_state"),
    np.linalg: ("norm",),
    torch: ("manual_seed", "tensor", "zeros_like", "no_grad"),
    torch.autograd: ("grad",),
    torch.nn.functional: ("relu",),
    builtins: ("print", "len", "isinstance", "max"),
    time: ("time", "monotonic", "perf_counter"),
    math: ("sqrt",),
    random: ("random", "setstate"),
    warnings: ("warn", "showwarning"),
}
FUNCTIONS = [
    pytest.param(module, name, id=f"{module.__name__}.{name}")
    for module, names in REPLACED.items()
    for name in names
]


@pytest.mark.parametrize("slope", [1.0, 1.001], ids=["right", "wrong"])
@pytest.mark.parametrize(("module", "name"), FUNCTIONS)
def test_replaced_function_is_put_back(module: Any, name: str, slope: float) -> None:
    network, before = Network(slope), getattr(module, name)

    def grads() -> dict[str, Any]:
        found = network.gradients()
        setattr(module, name, broken)
        return found

    report = crosscheck((network, "W"), grads=grads, torch_loss=torch_loss, draws=0)
    assert getattr(module, name) is before
    assert report.verdict is (Verdict.AGREE if slope == 1 else Verdict.DISAGREE)


@pytest.mark.parametrize("name", ["stdout", "stderr", "stdin", "excepthook"])
def test_replaced_streams_are_put_back(name: str) -> None:
    network, before = Network(), getattr(sys, name)

    def grads() -> dict[str, Any]:
        setattr(sys, name, None)
        return network.gradients()

    assert crosscheck((network, "W"), grads=grads, torch_loss=torch_loss, draws=0).agrees
    assert getattr(sys, name) is before


def test_function_that_was_replaced_before_is_the_users_alone() -> None:
    network, before, seen = Network(), np.tanh, []

    def mine(x: Any) -> Any:
        seen.append(x)
        return before(x)

    network.gradients()
    numpy, total = vars(np), np.sum
    try:
        numpy.update(tanh=mine, sum=broken)
        report = crosscheck((network, "W"), grads=network.gradients, torch_loss=torch_loss, draws=0)
        assert report.agrees
        assert (np.tanh, np.sum) == (mine, broken)
        assert seen
    finally:
        numpy.update(tanh=before, sum=total)


def test_functions_are_replaced_in_turns() -> None:
    before = np.sum
    with originals():
        with Theirs(keeps=True).during("file"):
            vars(np)["sum"] = broken
        assert np.sum is before
        with Theirs().during("grads"):
            assert np.sum is broken
            del np.abs
        with originals():
            assert np.abs(-1) == 1
            with Theirs().during("loss"):
                assert np.sum is broken
        assert np.sum is before
    assert np.sum is before
    with originals(), Theirs().during("grads"):
        assert np.sum is before


def test_function_that_is_replaced_late_is_put_back_all_the_same() -> None:
    before, theirs = np.sum, Theirs()
    with originals():
        for call in range(12):
            with theirs.during("grads"):
                if call >= 4:
                    vars(np)["sum"] = broken
            assert (np.sum is broken) is (4 <= call < 7), call
    assert np.sum is before
