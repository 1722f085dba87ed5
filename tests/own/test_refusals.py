"""What cannot be compared is told in a line, and everything is as it was found."""

from __future__ import annotations

import os
import random
import re
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from compare import CannotCompare, UsageError, crosscheck
from compare.own.user.attribute_paths import place
from tests.support.networks import NAMES, Network, torch_loss
from tests.support.refused import refused


def test_code_that_raises_is_placed() -> None:
    def grads() -> None:
        raise ValueError("shapes (2,3) and (2,3) not aligned")

    _, told = refused("grads raised ValueError: shapes (2,3) and (2,3) not aligned", grads=grads)
    assert re.search(r"test_refusals\.py, line \d+, in grads", told)


def leave() -> None:
    sys.exit(0)


def itself() -> list[Any]:
    """A list that holds itself."""
    found: list[Any] = []
    found.append(found)
    return found


def endless() -> None:
    while True:
        pass


@pytest.mark.parametrize(
    ("grads", "message"),
    [
        (lambda: None, "grads returns None; it should return the gradients"),
        (lambda: {"W1": 1.0}, "grads gives the keys W1, but should give W1, b1, W2, b2"),
        (lambda: [1.0, 2.0], "grads gives 2 gradients, but there are 4 parameters"),
        (lambda: 3.0, "grads returns a float"),
        (lambda: np.array(3.0), "grads returns a ndarray, but should return a dict or list"),
        (lambda: [itself(), 1.0, 1.0, 1.0], "is a list, but should be an array"),
        (lambda: (SimpleNamespace(), "a", "b", "c", "d"), "there is no a in the SimpleNamespace"),
        (lambda: [np.full((2, 3), np.nan), 1.0, 1.0, 1.0], "is not finite: it is nan at [0, 0]"),
        (lambda: [np.ones((2, 3), int), 1.0, 1.0, 1.0], "holds whole numbers (int64)"),
        (lambda: [np.ones((2, 3), np.float16), 1.0, 1.0, 1.0], "is float16"),
        (lambda: [torch.ones(2), 1.0, 1.0, 1.0], "is a Tensor of PyTorch"),
        (lambda: ["a", 1.0, 1.0, 1.0], "is a str, but should be an array"),
        (leave, "grads raised SystemExit"),
    ],
)
def test_gradients_that_are_none(grads: Callable[[], Any], message: str) -> None:
    refused(message, grads=grads)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.ones((2, 3), int), "parameter W1 holds whole numbers (int64), but should hold float64"),
        (np.ones((2, 3), np.float16), "parameter W1 is float16, but should be float64 or float32"),
        (np.full((2, 3), np.inf), "parameter W1 is not finite: it is inf at [0, 0]"),
        (np.ones((0, 3)), "parameter W1 is empty"),
        (np.ones((2, 3), complex), "parameter W1 is complex128"),
        ("text", "parameter W1 is a str, but should be an array"),
        (None, "parameter W1 is None"),
        (torch.ones(2), "parameter W1 is a Tensor of PyTorch"),
    ],
)
def test_parameters_that_cannot_be_compared(value: Any, message: str) -> None:
    with pytest.raises(CannotCompare, match=re.escape(message)):
        crosscheck({"W1": value}, grads=lambda: None, torch_loss=torch_loss)


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda: None, "loss returns None, but should return one number"),
        (lambda: np.ones(3), "loss returns a ndarray of shape (3,)"),
        (lambda: np.inf, "loss returns inf, which is not finite"),
        (lambda: 1j, "a complex number"),
    ],
)
def test_losses_that_are_none(loss: Callable[[], Any], message: str) -> None:
    refused(message, loss=loss)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"grads": None}, "give either grads"),
        ({"step": lambda: None, "lr": 1.0}, "give either grads"),
        ({"grads": None, "step": lambda: None}, "step and lr go together"),
        ({"grads": {"W1": 1}}, "grads is a dict, but should be a function"),
        ({"torch_loss": None}, "there is nothing to compare the gradients with"),
        ({"torch_loss": None, "module": nn.Identity(), "loss": lambda: 1.0}, "module needs"),
        ({"module": 3}, "module is a int"),
        ({"names": {}}, "names belongs to a module"),
        ({"draws": -1}, "draws is -1"),
        ({"draws": 1.5}, "draws is 1.5, but should be a whole number"),
        ({"draws": "2"}, "draws is '2', but should be a whole number"),
        ({"seed": -5}, "seed is -5, but should be a whole number of at least 0"),
        ({"seed": None}, "seed is None, but should be a whole number"),
        ({"dtype": "int8"}, "dtype is 'int8', but should be one of float32, float64"),
        ({"tolerance": "rigorous"}, "needs to see every operation"),
        ({"rtol": 1.0}, "both rtol and atol"),
        ({"rtol": "1e-3", "atol": 0.0}, "rtol is '1e-3', but should be a finite number"),
        ({"timeout": 0.0}, "timeout is 0 seconds"),
        ({"timeout": np.inf}, "timeout is inf seconds, but should be more than 0, and at most"),
        ({"timeout": np.nan}, "timeout is nan seconds"),
        ({"timeout": 1e300}, "timeout is 1e+300 seconds"),
        ({"timeout": "3"}, "timeout is '3', but should be a number of seconds"),
        ({"parameters": Network()}, "parameters is a Network, but should be an object and paths"),
        ({"grads": None, "step": lambda: None, "lr": 0.0}, "lr is 0, but should be"),
        ({"grads": None, "step": lambda: None, "lr": "fast"}, "lr is 'fast'"),
    ],
)
def test_requests_that_make_no_sense(changes: dict[str, Any], message: str) -> None:
    refused(message, UsageError, **changes)


def test_object_without_paths_is_told_what_it_holds() -> None:
    network = Network()
    with pytest.raises(UsageError, match="its attributes W1, b1, W2, b2, inputs, targets hold"):
        crosscheck(network, grads=network.gradients, torch_loss=torch_loss)


def test_parameters_that_hold_themselves_are_refused() -> None:
    with pytest.raises(CannotCompare, match="parameters holds something that holds itself"):
        crosscheck(itself(), grads=lambda: None, torch_loss=torch_loss)


def test_property_that_raises_is_told() -> None:
    class Lazy:
        @property
        def w(self) -> Any:
            raise ValueError("not built yet")

        @w.setter
        def w(self, value: Any) -> None:
            raise ValueError("not built yet")

    with pytest.raises(CannotCompare, match="w cannot be read: it raised ValueError: not built"):
        crosscheck((Lazy(), "w"), grads=lambda: None, torch_loss=torch_loss)
    with pytest.raises(CannotCompare, match="w cannot be replaced: ValueError: not built yet"):
        place(Lazy(), "w").set(1.0)


def test_parameters_that_share_memory_are_refused() -> None:
    array = np.ones(4)
    with pytest.raises(CannotCompare, match="parameters 0 and 1 share memory"):
        crosscheck([array[:3], array[1:]], grads=lambda: None, torch_loss=torch_loss)


def test_code_that_is_not_deterministic_is_told_so() -> None:
    network = Network()

    def grads() -> dict[str, Any]:
        found = network.gradients()
        return {**found, "b2": found["b2"] + np.random.default_rng().standard_normal()}

    refused("not deterministic: from the same start, the gradient of b2[0, 0] was", grads=grads)


def test_reset_makes_it_deterministic() -> None:
    network, kept = Network(), {"rng": 0}
    hidden = iter(range(1000))  # cannot be put back

    def reset() -> None:
        kept["rng"] = 0

    def grads() -> dict[str, Any]:
        kept["rng"] += 0 * next(hidden) + 1
        return network.gradients()

    report = crosscheck(network.where, grads=grads, torch_loss=torch_loss, reset=reset)
    assert report.agrees
    assert kept == {"rng": 0}


def test_code_that_does_not_come_back_is_stopped() -> None:
    handler = signal.getsignal(signal.SIGALRM)
    refused("grads has not come back within 0.2 seconds", grads=endless, timeout=0.2)
    assert signal.getsignal(signal.SIGALRM) is handler
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_timeout_outside_the_main_thread_is_refused() -> None:
    told: list[str] = []

    def run() -> None:
        try:
            network = Network()
            crosscheck(network.where, grads=network.gradients, torch_loss=torch_loss, timeout=5)
        except UsageError as error:
            told.append(str(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert "main thread" in told[0]


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Interruptions raise, as in the foreground; a shell has those of a background job ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_interruption_passes_and_leaves_everything_as_it_was() -> None:
    network = Network()
    found = {name: getattr(network, name) for name in NAMES}

    def grads() -> None:
        network.W1 = np.zeros((2, 3))
        network.b1 += 1
        signal.raise_signal(signal.SIGINT)

    numbers = network.b1.copy()
    with pytest.raises(KeyboardInterrupt):
        crosscheck(network.where, grads=grads, torch_loss=torch_loss)
    assert all(getattr(network, name) is value for name, value in found.items())
    assert np.array_equal(network.b1, numbers)


def test_code_that_spoils_the_process_spoils_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    network = Network()
    places = Path.cwd(), list(sys.path), list(sys.argv)

    def grads() -> dict[str, Any]:
        print("epoch 1\nepoch 2")
        np.random.seed(0)  # noqa: NPY002
        random.seed(0)
        torch.manual_seed(0)
        torch.set_default_dtype(torch.float64)
        warnings.simplefilter("ignore")
        np.seterr(all="raise")
        os.chdir("/")
        sys.path.append("/nowhere")
        sys.argv.append("more")
        network.inputs *= 1.0
        return network.gradients()

    report = crosscheck(network.where, grads=grads, torch_loss=torch_loss)
    assert report.agrees, report
    assert any("lines, which are not shown" in remark for remark in report.remarks)
    assert capsys.readouterr().out == ""
    assert (Path.cwd(), list(sys.path), list(sys.argv)) == places


def test_inputs_that_are_changed_in_place_are_put_back() -> None:
    network = Network()
    found = network.inputs.copy()

    def grads() -> dict[str, Any]:
        gradients = network.gradients()
        network.inputs += 1.0
        network.targets[...] = 0
        return gradients

    assert crosscheck(network.where, grads=grads, torch_loss=torch_loss).agrees
    assert np.array_equal(network.inputs, found)


def test_step_that_gives_no_numbers_is_told() -> None:
    network = Network()

    def step() -> None:
        network.W1 = network.W1 * np.nan

    refused(
        "parameter W1 after the step is not finite", network=network, grads=None, step=step, lr=1.0
    )


def test_step_that_broadcasts_is_told() -> None:
    network = Network()

    def step() -> None:
        network.b1 = network.b1 + np.ones((4, 1))

    refused("step changes the shape of b1", network=network, grads=None, step=step, lr=1.0)


def test_gradient_of_another_shape_is_a_difference() -> None:
    network = Network()

    def grads() -> dict[str, Any]:
        found = network.gradients()
        return {**found, "W1": found["W1"].T}

    report = crosscheck(network.where, grads=grads, torch_loss=torch_loss)
    assert "shape is (3, 2), but should be (2, 3)" in str(report.first_divergence)
    assert "transposed" in {cause.name for cause in report.causes}
