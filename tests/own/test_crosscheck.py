"""Networks of every shape that are right agree, wherever their parameters and gradients are."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compare import crosscheck
from compare.results.verdict import Verdict
from tests.support.networks import INPUTS, NAMES, TARGETS, Network, torch_loss


def test_step_that_binds_new_arrays_to_attributes() -> None:
    network = Network()
    report = crosscheck(network.where, step=network.step, lr=0.5, torch_loss=torch_loss)
    assert report.agrees, report
    assert report.undecided == ()
    assert report.parameters == 13


def test_gradients_as_a_dict_a_list_and_a_pointer() -> None:
    network = Network()
    holder = SimpleNamespace()

    def pointed() -> tuple[Any, ...]:
        holder.grads = {f"d{name}": g for name, g in network.gradients().items()}
        return (holder, *(f"grads['d{name}']" for name in NAMES))

    for grads in (network.gradients, lambda: list(network.gradients().values()), pointed):
        report = crosscheck(network.where, grads=grads, torch_loss=torch_loss)
        assert report.agrees, report


def test_learning_rate_that_is_pointed_at_or_handed_over_gives_two() -> None:
    network = Network()
    pointed = crosscheck(
        network.where, step=lambda: network.step(), lr=(network, "lr"), torch_loss=torch_loss
    )
    handed = crosscheck(
        network.where, step=lambda lr: network.step(lr), lr=0.5, torch_loss=torch_loss
    )
    for report in (pointed, handed):
        assert report.agrees, report
        assert [s.title for s in report.sections][:2] == [
            "your weights, lr 0.5",
            "your weights, lr 0.03125",
        ]
    assert network.lr == 0.5


def test_module_with_names_and_declared_transposes() -> None:
    network = Network()
    with torch.random.fork_rng():
        module = nn.Sequential(nn.Linear(2, 3), nn.Sigmoid(), nn.Linear(3, 1), nn.Sigmoid())
    before = {name: p.clone() for name, p in module.named_parameters()}
    x, y = torch.tensor(INPUTS), torch.tensor(TARGETS)
    report = crosscheck(
        network.where,
        grads=network.gradients,
        module=module,
        names={"W1": "0.weight.T", "b1": "0.bias", "W2": "2.weight.T", "b2": "2.bias"},
        torch_loss=lambda net: ((net(x) - y) ** 2).sum() / 2,
    )
    assert report.agrees, report
    assert all(torch.equal(p, before[name]) for name, p in module.named_parameters())
    assert module[0].weight.dtype == torch.float32


def test_dicts_lists_flat_vectors_nested_lists_and_numbers() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((6, 2)), rng.standard_normal(6)
    params: dict[str, Any] = {"w": rng.standard_normal(2), "b": 0.3, "layers": [np.ones((1, 1))]}

    def grads() -> dict[str, Any]:
        error = x @ params["w"] * params["layers"][0][0, 0] + params["b"] - y
        scale = params["layers"][0][0, 0]
        return {
            "w": (x.T @ error * scale).tolist(),
            "b": float(error.sum()),
            "layers[0]": [[float(error @ (x @ params["w"]))]],
        }

    def loss(p: dict[str, Tensor]) -> Tensor:
        output = torch.tensor(x) @ p["w"] * p["layers[0]"][0, 0] + p["b"]
        return ((output - torch.tensor(y)) ** 2).sum() / 2

    assert crosscheck(params, grads=grads, torch_loss=loss).agrees
    nested = {"w": params["w"].tolist(), "b": 0.3, "layers": [[[1.0]]]}
    params.clear()
    params.update(nested)
    params["layers"] = [np.ones((1, 1))]
    report = crosscheck(params, grads=grads, torch_loss=loss)
    assert report.agrees, report
    assert params["w"] == nested["w"]


def test_views_of_one_flat_vector_follow_it() -> None:
    theta = np.random.default_rng(0).standard_normal(6)
    weight, bias = theta[:4].reshape(2, 2), theta[4:]
    x = np.array([[1.0, 2.0], [-0.5, 0.25], [2.0, -1.0]])

    def grads() -> Any:
        output = np.tanh(x @ weight + bias)
        d = output * (1 - output**2)
        return np.concatenate([(x.T @ d).ravel(), d.sum(axis=0)])

    def loss(p: dict[str, Tensor]) -> Tensor:
        w, b = p["0"][:4].reshape(2, 2), p["0"][4:]
        return (torch.tanh(torch.tensor(x) @ w + b) ** 2).sum() / 2

    found = theta.copy()
    assert crosscheck([theta], grads=grads, torch_loss=loss).agrees
    assert np.array_equal(theta, found)
    assert weight.base is not None
    assert np.shares_memory(weight, theta)


def test_float32_is_compared_in_float32() -> None:
    network = Network(dtype="float32")
    report = crosscheck(network.where, grads=network.gradients, torch_loss=torch_loss)
    assert report.agrees, report
    assert "float32" in report.against
    detectable = [m.detectable for s in report.sections for m in s.metrics]
    assert max(detectable) < 5e-3


def test_float32_data_on_the_torch_side_is_remarked_on() -> None:
    network = Network()

    def loss(p: dict[str, Tensor]) -> Tensor:
        hidden = torch.sigmoid(torch.tensor(INPUTS) @ p["W1"] + p["b1"])
        y = torch.tensor(TARGETS, dtype=torch.float32)
        return ((torch.sigmoid(hidden @ p["W2"] + p["b2"]) - y) ** 2).sum() / 2

    report = crosscheck(network.where, grads=network.gradients, torch_loss=loss)
    assert report.agrees, report
    assert any("float32 numbers" in remark for remark in report.remarks)


def test_own_loss_alone_by_complex_step_or_by_differences() -> None:
    network = Network()
    report = crosscheck(network.where, grads=network.gradients, loss=network.loss)
    assert report.agrees, report
    assert "complex step" in report.against
    rough = crosscheck(
        network.where, grads=network.gradients, loss=lambda: float(np.real(network.loss()))
    )
    assert rough.agrees, rough
    assert "central differences" in rough.against


def test_large_tensors_are_sampled_and_say_so() -> None:
    weight = np.random.default_rng(0).standard_normal((20, 30))
    seen: list[tuple[int, int]] = []
    report = crosscheck(
        {"weight": weight},
        grads=lambda: np.cos(weight),
        loss=lambda: np.sum(np.sin(weight)),
        progress=lambda done, total: seen.append((done, total)),
    )
    assert report.agrees, report
    assert "64 of 600 entries" in report.against
    assert seen[-1] == (64, 64)


def test_dropout_masks_can_be_read_off_the_object() -> None:
    class Dropping(Network):
        def __init__(self) -> None:
            super().__init__()
            self.rng = np.random.default_rng(7)
            self.mask: Any = None

        def feedforward(self) -> None:
            self.mask = (self.rng.random((len(self.inputs), 3)) < 0.6) / 0.6
            self.hidden = 1 / (1 + np.exp(-(self.inputs @ self.W1 + self.b1)))
            dropped = self.hidden * self.mask
            self.output = dropped @ self.W2 + self.b2

        def gradients(self) -> dict[str, Any]:
            self.feedforward()
            d2 = self.output - self.targets
            d1 = d2 @ self.W2.T * self.mask * self.hidden * (1 - self.hidden)
            dropped = self.hidden * self.mask
            return {"W1": self.inputs.T @ d1, "b1": d1.sum(axis=0, keepdims=True),
                    "W2": dropped.T @ d2, "b2": d2.sum(axis=0, keepdims=True)}  # fmt: skip

    network = Dropping()

    def loss(p: dict[str, Tensor]) -> Tensor:
        hidden = torch.sigmoid(torch.tensor(INPUTS) @ p["W1"] + p["b1"])
        output = hidden * torch.tensor(network.mask) @ p["W2"] + p["b2"]
        return ((output - torch.tensor(TARGETS)) ** 2).sum() / 2

    report = crosscheck(network.where, grads=network.gradients, loss=network.loss, torch_loss=loss)
    assert report.agrees, report
    assert network.mask is None


def test_nothing_that_could_fail_is_no_agreement() -> None:
    weight = np.zeros((2, 2))
    report = crosscheck(
        {"weight": weight},
        grads=lambda: np.zeros((2, 2)),
        torch_loss=lambda p: (p["weight"] * 0).sum(),
    )
    assert report.verdict is Verdict.NOTHING
    assert report.undecided == ("gradient weight",)


def test_fixed_tolerance_is_what_it_says() -> None:
    network = Network()

    def off() -> dict[str, Any]:
        return {name: g + 1e-4 for name, g in network.gradients().items()}

    def verdict(atol: float) -> bool:
        return crosscheck(
            network.where, grads=off, torch_loss=torch_loss, rtol=0.0, atol=atol
        ).agrees

    assert verdict(1.1e-4)
    assert not verdict(0.9e-4)


def test_report_as_text_html_and_plain_data() -> None:
    network = Network()
    report = crosscheck(network.where, grads=network.gradients, torch_loss=torch_loss)
    assert str(report).startswith("agree: your network against PyTorch's autograd (float64)")
    assert "gradient W1" in report._repr_html_()
    found = report.to_dict()
    assert found["verdict"] == "agree"
    assert [s["title"] for s in found["sections"]] == ["your weights", "drawn weights 1"]
