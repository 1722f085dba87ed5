"""Gradients in every structure that their parameters may have, and whole numbers among these."""

from __future__ import annotations

import re
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping
from types import MappingProxyType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from compare import CannotCompare, UsageError, crosscheck
from compare.own.user.structure import Node, outline, take_apart
from compare.results.verdict import Verdict

X = np.random.default_rng(0).normal(size=(3, 1))
Y = np.random.default_rng(1).normal(size=(2, 1))
Both = namedtuple("Both", "weights biases")


class Network:
    """Two layers, their weights in one list and their biases in another."""

    def __init__(self, fault: float = 0.0) -> None:
        rng = np.random.default_rng(2)
        self.weights = [rng.normal(size=(2, 3)), rng.normal(size=(2, 2))]
        self.biases = [rng.normal(size=(2, 1)), rng.normal(size=(2, 1))]
        self.fault = fault
        self.dw: Any = None
        self.db: Any = None

    def backprop(self) -> tuple[list[Any], list[Any]]:
        h = np.tanh(self.weights[0] @ X + self.biases[0])
        e = self.weights[1] @ h + self.biases[1] - Y
        d = self.weights[1].T @ e * (1 - h**2)
        self.dw, self.db = [d @ X.T, e @ h.T], [d, e * (1 + self.fault)]
        return self.dw, self.db


def torch_loss(p: Mapping[str, Any]) -> torch.Tensor:
    w = [p["weights[0]"], p["weights[1]"]]
    b = [p["biases[0]"], p["biases[1]"]]
    h = torch.tanh(w[0] @ torch.tensor(X) + b[0])
    return torch.sum((w[1] @ h + b[1] - torch.tensor(Y)) ** 2) / 2


def flat(dw: list[Any], db: list[Any]) -> Any:
    return np.concatenate([g.ravel() for g in (*dw, *db)])


#: What ``grads`` makes of the gradients of all weights and of all biases.
FORMS: dict[str, Callable[[list[Any], list[Any]], Any]] = {
    "pair of lists": lambda dw, db: (dw, db),
    "list of tuples": lambda dw, db: [tuple(dw), tuple(db)],
    "named tuple": Both,
    "dict of lists": lambda dw, db: {"biases": db, "weights": dw},
    "read-only dict": lambda dw, db: MappingProxyType(OrderedDict(weights=dw, biases=db)),
    "dict of dicts": lambda dw, db: {
        "weights": {0: dw[0], 1: dw[1]},
        "biases": dict(enumerate(db)),
    },
    "array of objects": lambda dw, db: [np.array([*dw, None], object)[:2], db],
    "stacked array": lambda dw, db: (dw, np.array(db)),
    "one list": lambda dw, db: [*dw, *db],
    "one dict": lambda dw, db: {
        **{f"biases[{i}]": one for i, one in enumerate(db)},
        **{f"weights[{i}]": one for i, one in enumerate(dw)},
    },
    "vector": flat,
    "column": lambda dw, db: flat(dw, db)[:, None],
    "list of numbers": lambda dw, db: flat(dw, db).tolist(),
    "nested lists": lambda dw, db: [[g.tolist() for g in dw], [g.tolist() for g in db]],
    "without axes of one": lambda dw, db: (dw, [g.ravel() for g in db]),
}


@pytest.mark.parametrize("fault", [0.0, 1e-6], ids=["right", "wrong"])
@pytest.mark.parametrize("form", FORMS)
def test_gradients_are_taken_apart_as_the_parameters(form: str, fault: float) -> None:
    network = Network(fault)
    report = crosscheck(
        (network, "weights", "biases"),
        grads=lambda: FORMS[form](*network.backprop()),
        torch_loss=torch_loss,
        draws=0,
    )
    assert report.verdict is (Verdict.DISAGREE if fault else Verdict.AGREE), str(report)
    if fault:
        assert {failure.quantity for failure in report.failures} == {"gradient biases[1]"}


def test_places_may_hold_several() -> None:
    network = Network()

    def grads() -> Any:
        network.backprop()
        return (network, "dw", "db")

    report = crosscheck((network, "weights", "biases"), grads=grads, torch_loss=torch_loss)
    assert report.agrees, str(report)


def test_layers_of_dicts() -> None:
    network = Network()
    layers = [{"w": w, "b": b} for w, b in zip(network.weights, network.biases, strict=True)]

    def grads() -> Any:
        dw, db = network.backprop()
        return [{"b": b, "w": w} for w, b in zip(dw, db, strict=True)]

    def loss(p: Mapping[str, Any]) -> torch.Tensor:
        return torch_loss(
            {f"{long}[{i}]": p[f"{i}['{short}']"] for i in (0, 1)
             for long, short in (("weights", "w"), ("biases", "b"))}
        )  # fmt: skip

    assert crosscheck(layers, grads=grads, torch_loss=loss).agrees
    held = {"net": SimpleNamespace(layers=layers)}

    def inner(p: Mapping[str, Any]) -> torch.Tensor:
        return loss({name.removeprefix("net.layers")[1:].replace("]", "", 1): value
                     for name, value in p.items()})  # fmt: skip

    for wrapped in (grads, lambda: [grads()], lambda: {"net.layers": grads()}):
        report = crosscheck((held, "net.layers"), grads=wrapped, torch_loss=inner, draws=0)
        assert report.agrees, str(report)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (
            lambda dw, db: (dw, db[:1]),
            "grads gives 2 gradients, but there are 4 parameters: weights[0], weights[1], "
            "biases[0], biases[1]; the shapes that it gives are [[(2, 3), (2, 2)], [(2, 1)]], "
            "those of the parameters {weights: [(2, 3), (2, 2)], biases: [(2, 1), (2, 1)]}",
        ),
        (
            lambda dw, db: {"weights": dw},
            "grads gives the keys weights, but should give weights, biases; the shapes that it "
            "gives are {weights: [(2, 3), (2, 2)]}",
        ),
        (lambda dw, db: {"weights": dw, "biases": db[0]}, "grads gives the keys"),
        (lambda dw, db: flat(dw, db)[:-1], "grads gives 13 gradients"),
        (lambda dw, db: [dw, db, 0], "grads gives 3 gradients"),
        (lambda dw, db: (dw, [db[0], None]), "the gradient of biases[1] that grads gives is None"),
        (lambda dw, db: "text", "grads returns a str"),
    ],
)
def test_structure_that_does_not_fit_is_refused(form: Any, message: str) -> None:
    network = Network()
    with pytest.raises(CannotCompare, match=re.escape(message)):
        crosscheck(
            (network, "weights", "biases"),
            grads=lambda: form(*network.backprop()),
            torch_loss=torch_loss,
        )


def test_what_can_be_read_in_two_ways_is_refused() -> None:
    tree = Node({"a": Node({"0": "a[0]"}), "b": Node({"0": "b[0]"})})
    shapes = {"a[0]": (2,), "b[0]": (2,)}
    rows = np.arange(2.0), np.arange(2.0) + 5
    assert take_apart(list(rows), tree, shapes) == dict(zip(shapes, rows, strict=True))
    with pytest.raises(CannotCompare, match=r"can be read in 2 ways: .* dict with the names a"):
        take_apart([[rows[0][:1]], [rows[1][:1]]], tree, shapes)


def test_shapes_alone_decide_where_lengths_do_not() -> None:
    tree = Node({"a": Node({"0": "a[0]", "1": "a[1]"}), "b": "b", "c": "c"})
    shapes = {"a[0]": (1,), "a[1]": (1,), "b": (), "c": ()}
    found = take_apart([1.0, 2.0, 3.0, 4.0], tree, shapes)
    assert list(map(float, found.values())) == [1.0, 2.0, 3.0, 4.0]
    found = take_apart([[1.0, 2.0], 3.0, 4.0], tree, shapes)
    assert list(map(float, found.values())) == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"v": 1.0}, "grads gives the keys v, but should give w"),
        (["a", "b", "c"], "grads gives 3 gradients, but there is 1 parameter: w"),
        ("abc", "grads returns a str"),
    ],
)
def test_one_parameter_has_one_gradient(value: Any, message: str) -> None:
    with pytest.raises(CannotCompare, match=message):
        take_apart(value, Node({"w": "w"}), {"w": (3,)})


def test_long_structures_are_shown_in_short() -> None:
    assert outline([1.0] * 2 + [None] * 9) == "[(), (), NoneType, NoneType, ... 11 in all]"
    assert outline({"a": [np.ones(2)] * 2, "b": {}}) == "{a: [(2,), (2,)], b: []}"


class Line:
    """y = w x + b, with whatever numbers."""

    def __init__(self, w: Any, b: Any) -> None:
        self.w, self.b = w, b

    def grads(self) -> Any:
        error = np.asarray(self.w) * 2.0 + np.asarray(self.b) - 1.0
        return [2.0 * error, error]


@pytest.mark.parametrize("slope", [1.0, 1.001])
@pytest.mark.parametrize(
    "b", [0, [0, 0], [0, 1.5], (0, 1), [[1], [2]], np.int64(3), 10**30, [np.int32(1), 2]]
)
def test_whole_numbers_are_taken_as_floats(b: Any, slope: float) -> None:
    line = Line(np.full(np.shape(b), 0.5)[()], b)

    def torch_loss(p: Mapping[str, Any]) -> Any:
        return ((p["w"] * 2 + p["b"] - 1) ** 2).sum() / 2

    report = crosscheck(
        (line, "w", "b"),
        grads=lambda: [slope * g for g in line.grads()],
        torch_loss=torch_loss,
    )
    assert report.verdict is (Verdict.AGREE if slope == 1 else Verdict.DISAGREE), str(report)
    assert line.b is b
    assert np.asarray(line.b).dtype == np.asarray(b).dtype


@pytest.mark.parametrize(
    ("b", "message"),
    [
        (np.zeros(2, int), r"parameter b holds whole numbers (int64), .* no room for a fraction"),
        (np.array(1), r"parameter b holds whole numbers (int64)"),
        (10**400, "parameter b cannot be made float64"),
        (1j, "parameter b is complex128, but should be float64 or float32, which PyTorch and "
         "NumPy both compute in"),
        (True, "parameter b is a bool"),
    ],
)  # fmt: skip
def test_numbers_that_cannot_be_parameters(b: Any, message: str) -> None:
    line = Line(0.5, b)
    pattern = ".*".join(map(re.escape, message.split(".*")))
    with pytest.raises(CannotCompare, match=pattern) as caught:
        crosscheck((line, "w", "b"), grads=line.grads, torch_loss=lambda p: p["w"])
    assert ("astype" in str(caught.value)) is isinstance(b, np.ndarray)


def test_whole_gradients_of_python_are_floats() -> None:
    line = Line(1.0, 0.0)
    report = crosscheck(
        (line, "w", "b"), grads=lambda: (np.float64(3), 1), torch_loss=lambda p: 3 * p["w"] + p["b"]
    )
    assert report.agrees, str(report)


def test_two_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="two parameters are called 1"):
        crosscheck({1: 1.0, "1": 2.0}, grads=lambda: None, torch_loss=torch_loss)
    line = Line(1.0, 0.0)
    with pytest.raises(UsageError, match="two parameters are called w"):
        crosscheck((line, "w", "w"), grads=lambda: None, torch_loss=torch_loss)


def test_mapping_that_raises_is_told() -> None:
    class Lazy(dict[str, Any]):
        def items(self) -> Any:
            raise ValueError("not yet")

    line = Line(1.0, 0.0)
    with pytest.raises(CannotCompare, match="what grads returns raised ValueError: not yet"):
        crosscheck((line, "w", "b"), grads=Lazy, torch_loss=lambda p: p["w"])
