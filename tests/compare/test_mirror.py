"""The NumPy twin of a user's module, and the comparison of the two."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.fx.experimental.symbolic_shapes
from torch import Tensor, nn

import reference
from compare.base.conversion import to_array, to_tensor
from compare.base.errors import CannotCompare, UsageError
from compare.catalogue.table import CATALOGUE
from compare.catalogue.torch_subject import module_of
from compare.results.report import Report
from compare.results.verdict import Verdict
from compare.sides.networks.beside import Beside
from compare.training.module import compare_module
from compare.twins import modules as mirroring
from compare.twins.modules import LAYERS, child, mirror, register_twin
from reference import Array, Module, Params
from reference.module import prefixed, scoped
from torch_impl import eager_optimizers

RNG = np.random.default_rng(5)


def made(build: Callable[[], nn.Module]) -> nn.Module:
    """A module, drawn without a trace in the global generator."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return build()


def trained(
    module: nn.Module,
    inputs: Array,
    targets: Array,
    loss: nn.Module,
    rule: str = "SGD",
    options: dict[str, Any] | None = None,
    **more: Any,
) -> Report:
    with eager_optimizers():
        kind = getattr(torch.optim, rule)
        optimizer = kind(module.parameters(), **(options or {"lr": 0.05}))
    return compare_module(module, (inputs, targets), loss, optimizer, **{"epochs": 3, **more})


def assert_agrees(report: Report) -> None:
    assert report.verdict is Verdict.AGREE, "\n".join(map(str, report.failures))


class Block(nn.Module):
    """A layer with a parameter of its own, a child and a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.linspace(0.5, 1.5, width))
        self.linear = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.scale * torch.tanh(self.linear(x))


class BlockTwin(Module):
    def __init__(self, width: int, linear: Module) -> None:
        self.width = width
        self.linear = linear
        self.tanh = reference.Tanh()

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"scale": (self.width,)} | super().parameter_shapes()

    def forward(self, params: Params, x: Array) -> tuple[Array, Any]:
        z, linear = self.linear.forward(scoped(params, "linear"), x)
        t, tanh = self.tanh.forward({}, z)
        return x + params["scale"] * t, (linear, tanh, t)

    def backward(self, params: Params, cache: Any, dy: Array) -> tuple[Array, Params]:
        linear, tanh, t = cache
        dz, _ = self.tanh.backward({}, tanh, dy * params["scale"])
        dx, grads = self.linear.backward(scoped(params, "linear"), linear, dz)
        own = {"scale": (dy * t).sum(axis=0)}
        return dy + dx, own | prefixed("linear", grads)


class Unknown(nn.Module):
    """A module that nobody has registered."""


@pytest.fixture
def twin_of_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirroring, "_TWINS", {})
    register_twin(Block, lambda block: BlockTwin(len(block.scale), child(block, "linear")))


def settings(module: Module) -> Any:
    """All that a layer of the reference was made with."""
    shown = {k: v for k, v in vars(module).items() if k not in ("rng", "training", "first")}
    return {k: settings(v) if isinstance(v, Module) else v for k, v in shown.items()}


@pytest.mark.parametrize("name", [*LAYERS, "TransformerEncoderLayer"])
def test_layer_has_the_options_of_its_twin(name: str) -> None:
    entry = CATALOGUE[name]
    for variant in entry.variants:
        twin = mirror(module_of(entry, variant, "float32"))
        ours = getattr(reference, name)(**variant.options)
        found, wanted = settings(twin), settings(ours)
        if not ours.parameter_shapes():  # without a weight PyTorch forgets whether it had a bias
            found.pop("bias", None), wanted.pop("bias", None)
        assert found == wanted
        assert twin.training == variant.training


def test_every_layer_of_the_catalogue_can_be_mirrored() -> None:
    layers = {entry.name for entry in CATALOGUE.values() if entry.kind in ("layer", "activation")}
    modules = {name for name in layers if hasattr(nn, name)}
    assert modules == {*LAYERS, "TransformerEncoderLayer"}


def test_nested_and_named_modules_keep_their_names() -> None:
    inner = made(lambda: nn.Sequential(OrderedDict(first=nn.Linear(3, 4), act=nn.GELU())))
    module = made(lambda: nn.Sequential(inner, nn.Sequential(nn.LayerNorm(4)), nn.Linear(4, 2)))
    twin = mirror(module)
    shapes = {name: tuple(p.shape) for name, p in module.named_parameters()}
    assert twin.parameter_shapes() == shapes
    x = RNG.standard_normal((5, 3)).astype("float32")
    params = {name: to_array(p) for name, p in module.named_parameters()}
    y, _ = twin.forward(params, x)
    np.testing.assert_allclose(y, to_array(module(to_tensor(x))), rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("twin_of_block")
def test_registered_module_takes_part() -> None:
    module = made(lambda: nn.Sequential(nn.Linear(3, 4), Block(4), nn.Linear(4, 2)))
    report = trained(
        module, RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2)), nn.MSELoss(), "Adam"
    )
    assert_agrees(report)
    shown = {metrics.quantity for metrics in report.lockstep}
    assert {"gradient 1.scale", "gradient 1.linear.weight", "activation 1.linear"} <= shown


@pytest.mark.usefixtures("twin_of_block")
def test_wrong_twin_disagrees(monkeypatch: pytest.MonkeyPatch) -> None:
    right = BlockTwin.backward

    def without_shortcut(self: BlockTwin, params: Params, cache: Any, dy: Array) -> Any:
        dx, grads = right(self, params, cache, dy)
        return dx - dy, grads

    monkeypatch.setattr(BlockTwin, "backward", without_shortcut)
    module = made(lambda: nn.Sequential(nn.Linear(3, 4), Block(4), nn.Linear(4, 2)))
    report = trained(module, RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2)), nn.MSELoss())
    assert report.verdict is Verdict.DISAGREE
    assert report.first_divergence is not None
    assert report.first_divergence.quantity == "gradient at 0"


NETWORKS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...], int]] = {
    "dropout and batch norm": (
        lambda: nn.Sequential(
            nn.Linear(4, 8),
            nn.BatchNorm1d(8),
            nn.ReLU(inplace=True),
            nn.Dropout(0.3),
            nn.Linear(8, 3),
        ),
        (12, 4),
        3,
    ),
    "convolution": (
        lambda: nn.Sequential(
            nn.Conv2d(1, 3, 3, padding=1),
            nn.BatchNorm2d(3),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(27, 4),
        ),
        (6, 1, 7, 6),
        4,
    ),
    "one layer alone": (lambda: nn.Linear(4, 3), (5, 4), 3),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", NETWORKS)
def test_network_agrees(name: str, dtype: str) -> None:
    build, shape, classes = NETWORKS[name]
    module = made(build).to(getattr(torch, dtype))
    inputs, targets = RNG.standard_normal(shape), RNG.integers(0, classes, shape[0])
    options = {"lr": 0.05, "momentum": 0.9, "weight_decay": 0.01}
    report = trained(
        module,
        inputs,
        targets,
        nn.CrossEntropyLoss(),
        "SGD",
        options,
        batch_size=max(2, len(inputs) // 2),
    )
    assert_agrees(report)
    assert report.case.dtype == dtype


def test_indices_through_embedding_and_attention_agree() -> None:
    module = made(
        lambda: nn.Sequential(
            nn.Embedding(6, 8),
            nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, batch_first=True),
            nn.Flatten(),
            nn.Linear(40, 2),
        )
    )
    inputs, targets = RNG.integers(0, 6, (9, 5)), RNG.standard_normal((9, 2))
    options = {"lr": 0.01, "betas": (0.8, 0.9)}
    assert_agrees(trained(module, inputs, targets, nn.HuberLoss(), "AdamW", options))


def test_shared_layers_and_weights_agree() -> None:
    shared = made(lambda: nn.Linear(4, 4))
    last = made(lambda: nn.Linear(4, 4))
    assert isinstance(last, nn.Linear)
    assert isinstance(shared, nn.Linear)
    last.weight = shared.weight
    module = nn.Sequential(shared, nn.Tanh(), nn.Sequential(shared, nn.Tanh()), last)
    twin = mirror(module)
    assert list(twin.parameter_shapes()) == ["0.weight", "0.bias", "3.bias"]
    report = trained(module, RNG.standard_normal((5, 4)), RNG.standard_normal((5, 4)), nn.L1Loss())
    assert_agrees(report)


def test_parameter_groups_are_mirrored() -> None:
    module = made(lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)))
    first, last = module[0], module[2]  # type: ignore[index]
    groups = [{"params": first.parameters(), "lr": 0.2}, {"params": last.parameters()}]
    with eager_optimizers():
        optimizer = torch.optim.RMSprop(groups, lr=0.01, weight_decay=0.1)
    data = RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2))
    assert_agrees(compare_module(module, data, nn.MSELoss(), optimizer, epochs=3))


def test_the_module_itself_is_left_alone() -> None:
    module = made(NETWORKS["dropout and batch norm"][0]).eval()
    before = copy.deepcopy(module.state_dict())
    generator = torch.get_rng_state()
    trained(module, RNG.standard_normal((6, 4)), RNG.integers(0, 3, 6), nn.CrossEntropyLoss())
    assert torch.equal(torch.get_rng_state(), generator)
    assert not module.training
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: nn.Sequential(nn.Linear(2, 2), nn.Sequential(Unknown())), r"'1\.0', a Unknown"),
        (lambda: nn.Sequential(nn.Softplus(), Unknown()), "'1', a Unknown: .*register_twin"),
        (lambda: Unknown(), "module itself, a Unknown"),
        (
            lambda: nn.Sequential(nn.Conv1d(2, 2, 3, padding=1, padding_mode="circular")),
            "'0', a Conv1d: .*padding_mode",
        ),
        (lambda: nn.Sequential(nn.Embedding(3, 2, max_norm=1.0)), "'0', a Embedding: .*max_norm"),
        (lambda: nn.Sequential(nn.LSTM(3, 4, proj_size=2)), "'0', a LSTM: .*proj_size"),
        (lambda: nn.MultiheadAttention(4, 2, add_bias_kv=True), "MultiheadAttention.*add_bias_kv"),
        (lambda: nn.MaxPool2d(2, return_indices=True), "MaxPool2d.*return_indices"),
        (
            lambda: nn.TransformerEncoderLayer(4, 2, activation=torch.tanh),
            "TransformerEncoderLayer: its activation",
        ),
    ],
)
def test_what_is_not_known_is_named(build: Callable[[], nn.Module], message: str) -> None:
    with pytest.raises(CannotCompare, match=message):
        mirror(made(build))


def test_twin_with_other_parameters_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mirroring, "_TWINS", {})
    register_twin(Block, lambda block: reference.Linear(4, 4))
    with pytest.raises(CannotCompare, match="'scale' has shape None in the twin and"):
        mirror(made(lambda: Block(4)))
    with pytest.raises(CannotCompare, match="Linear is mirrored already"):
        register_twin(nn.Linear, lambda linear: reference.Identity())


DATA = np.ones((3, 2)), np.ones((3, 2))


def test_what_trains_it_must_be_known_too() -> None:
    module = made(lambda: nn.Linear(2, 2))
    with eager_optimizers():
        sgd = torch.optim.SGD(module.parameters(), lr=0.1)
        foreign = torch.optim.SGD([nn.Parameter(torch.ones(2))], lr=0.1)
        bias = torch.optim.SGD([module.get_parameter("bias")], lr=0.1)
        lbfgs = torch.optim.LBFGS(module.parameters())
    for loss, optimizer, message in (
        (nn.CTCLoss(), sgd, "loss is a CTCLoss"),
        (nn.MSELoss(reduction="none"), sgd, "reduction='none'"),
        (nn.MSELoss(), lbfgs, "optimizer is a LBFGS"),
        (nn.MSELoss(), foreign, "not one of the module's"),
        (nn.MSELoss(), bias, "does not have the module's weight"),
    ):
        with pytest.raises(CannotCompare, match=message):
            compare_module(module, DATA, loss, optimizer)
    with pytest.raises(CannotCompare, match="3 inputs and 2 targets"):
        compare_module(module, (DATA[0], DATA[1][:2]), nn.MSELoss(), sgd)
    with pytest.raises(CannotCompare, match="are bfloat16, but should be"):
        compare_module(copy.deepcopy(module).bfloat16(), DATA, nn.MSELoss(), sgd)
    with pytest.raises(UsageError, match="tolerance"):
        compare_module(module, DATA, nn.MSELoss(), sgd, tolerance="none")


def test_network_with_buffers_computes_an_ensemble_in_turn() -> None:
    layers = reference.Sequential(reference.Linear(3, 2), reference.BatchNorm1d(2))
    rng = np.random.default_rng(3)
    first = layers.init(rng)
    network = Beside(layers, {name: first[name] for name in layers.buffer_shapes()})
    members = [network.init(rng) for _ in range(3)]
    x, dy = rng.standard_normal((5, 3)), rng.standard_normal((3, 5, 2))
    together = {name: np.stack([member[name] for member in members]) for name in members[0]}
    y, cache = network.forward(together, x)
    _, grads = network.backward(together, cache, dy)
    for k, member in enumerate(members):
        alone, own = network.forward(member, x)
        np.testing.assert_array_equal(y[k], alone)
        for name, grad in network.backward(member, own, dy[k])[1].items():
            np.testing.assert_array_equal(grads[name][k], grad)
