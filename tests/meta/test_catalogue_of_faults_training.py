"""Each fault of training as a whole, of clipping and of first weights shows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import reference
from compare.cases.datasets import Dataset
from compare.cases.registry import DTYPES, Case
from compare.faults import FAULTS, WHOLE, Fault
from compare.faults.training import TRAINING
from compare.measure.meter import Meter
from compare.measure.tolerances import make
from compare.results.report import Report
from compare.sides import pair
from compare.sides.feed import Feed
from compare.sides.pair import Pair
from compare.training import module as module_api
from compare.training.session import Session
from reference import Array, Linear, Params
from reference.optim import total_norm
from tests.reference.test_clipping import by_torch
from tests.support.noise import dataset, noise_case

EPOCHS = 3

each_dtype = pytest.mark.parametrize("dtype", DTYPES)


def of(owner: str) -> list[Fault]:
    return [fault for fault in WHOLE if fault.owner == owner]


def each(faults: Any) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fault", faults, ids=lambda fault: fault.name)


def train(case: Case, sides: Pair, feed: Feed) -> Report:
    """Compare two sides that are there already."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad(), np.errstate(all="ignore"):
        torch.manual_seed(0)
        with sides.torch.training():
            session = Session(case, make(None), sides, feed)
            session.train()
            return session.report()


def assert_shown(report: Report) -> None:
    """Make sure that numbers differ, not that the wrong code fails to run."""
    assert report.failures
    assert not [failure for failure in report.failures if "raised" in str(failure)]


def planted(fault: Fault, sides: Pair, feed: Feed) -> tuple[Pair, Feed]:
    if fault.owner == "Feed":
        return sides, fault.plant(feed)
    return Pair(fault.plant(sides.reference), sides.torch), feed


#: Faults that a plain network cannot show.
OF_LAYERS = ("evaluation while training", "running statistics not kept", "dropout's mask reused")

PLAIN = [fault for fault in TRAINING if not fault.name.endswith(OF_LAYERS)]


def plain(monkeypatch: pytest.MonkeyPatch, dtype: str) -> tuple[Case, Pair, Feed]:
    case = noise_case(monkeypatch, dtype=dtype, epochs=EPOCHS)
    return case, pair.build(case), Feed(case)


def layered(dtype: str) -> tuple[Case, Pair, Feed]:
    """The same with batch norm and dropout, four samples in each batch."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = (nn.Linear(3, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Dropout(0.4), nn.Linear(6, 2))
        module = nn.Sequential(*layers).to(getattr(torch, dtype))
    rule = torch.optim.SGD(module.parameters(), lr=0.1)
    case = module_api._case(module, nn.MSELoss(), rule, EPOCHS, 4, 0)
    data = dataset(8)
    data = Dataset(data.inputs.astype(dtype), data.targets.astype(dtype))
    return case, module_api.pair_of(module, nn.MSELoss(), rule), Feed(case, data, summed=False)


@each_dtype
@each(PLAIN)
def test_training_shows(monkeypatch: pytest.MonkeyPatch, fault: Fault, dtype: str) -> None:
    case, sides, feed = plain(monkeypatch, dtype)
    assert_shown(train(case, *planted(fault, sides, feed)))


@each_dtype
@each([fault for fault in TRAINING if fault not in PLAIN])
def test_training_of_layers_shows(fault: Fault, dtype: str) -> None:
    case, sides, feed = layered(dtype)
    assert_shown(train(case, *planted(fault, sides, feed)))


@each_dtype
def test_right_training_agrees(monkeypatch: pytest.MonkeyPatch, dtype: str) -> None:
    assert train(*plain(monkeypatch, dtype)).agrees
    assert train(*layered(dtype)).agrees


@each_dtype
@each(PLAIN)
def test_planting_leaves_the_right_side_right(
    monkeypatch: pytest.MonkeyPatch, fault: Fault, dtype: str
) -> None:
    case, sides, feed = plain(monkeypatch, dtype)
    planted(fault, sides, feed)
    assert train(case, sides, feed).agrees


# Functions: clipping and accumulation.

#: Gradients with a norm above the limit and one below it, and some so small that 1e-6 matters.
SIZES = {"long": (1.0, 0.3), "short": (0.01, 0.3), "small": (1e-3, 1e-3)}


def gradients(size: float, dtype: str) -> Params:
    rng = np.random.default_rng(0)
    shapes = {"0.weight": (3, 4), "0.bias": (3,), "scale": ()}
    return {name: np.asarray(size * rng.normal(size=s), dtype) for name, s in shapes.items()}


def agree(ours: Callable[[Params], Params], grads: Params, expected: Params) -> bool:
    """Whether a function of gradients gives these, but for rounding."""
    tolerance = make(None)
    seen = ours({name: tolerance.lift(g) for name, g in grads.items()})
    pairs = {name: tolerance.split(value, expected[name]) for name, value in seen.items()}
    meter = Meter(tolerance.multiple)
    actual = {name: value for name, (value, _) in pairs.items()}
    ratios = meter.add(1, actual, expected, {name: unit for name, (_, unit) in pairs.items()})
    return all(ratio <= tolerance.multiple for ratio in ratios)


def clips_alike(
    clip: Callable[..., Any], by_norm: bool, size: str, dtype: str, norm: tuple[float, ...] = ()
) -> bool:
    length, limit = SIZES[size]
    grads = gradients(length, dtype)
    torchs: Callable[..., Any] = nn.utils.clip_grad_norm_ if by_norm else nn.utils.clip_grad_value_
    expected, _ = by_torch(grads, lambda tensors: torchs(tensors, limit, *norm))
    return agree(lambda g: clip(g, limit, *norm)[0] if by_norm else clip(g, limit), grads, expected)


@each_dtype
@each([*of("clip_grad_norm"), *of("clip_grad_value")])
def test_clipping_shows(fault: Fault, dtype: str) -> None:
    by_norm = fault.owner == "clip_grad_norm"
    right = getattr(reference, fault.owner)
    assert fault.fits(right)
    wrong = fault.plant(right)
    assert all(clips_alike(right, by_norm, size, dtype) for size in SIZES)
    norms = [(1.0,), (np.inf,)] if by_norm else []
    assert all(clips_alike(right, by_norm, "long", dtype, norm) for norm in norms)
    sizes = all(clips_alike(wrong, by_norm, size, dtype) for size in SIZES)
    assert not (sizes and all(clips_alike(wrong, by_norm, "long", dtype, norm) for norm in norms))


def parts(dtype: str) -> tuple[Params, list[tuple[int, Params]]]:
    """The gradient of a mean over 7 samples by autograd, and of its micro-batches."""
    data = dataset()
    x, y = (torch.tensor(a, dtype=getattr(torch, dtype)) for a in (data.inputs, data.targets))

    def gradient(part: slice) -> Params:
        weight = torch.ones(2, 3, dtype=x.dtype, requires_grad=True)
        loss = ((x[part] @ weight.T - y[part]) ** 2).sum(1).mean()
        (found,) = torch.autograd.grad(loss, [weight])
        return {"weight": found.numpy().copy()}

    cuts = (slice(0, 3), slice(3, 6), slice(6, 7))
    return gradient(slice(None)), [(len(x[cut]), gradient(cut)) for cut in cuts]


@each_dtype
@each([*of("mean_gradients"), *of("sum_gradients")])
def test_accumulation_shows(fault: Fault, dtype: str) -> None:
    whole, pieces = parts(dtype)
    mean = fault.owner == "mean_gradients"
    right: Callable[..., Params] = getattr(reference, fault.owner)
    given = pieces if mean else [{"weight": n * g["weight"]} for n, g in pieces]
    expected = whole["weight"] * (1 if mean else 7)
    rtol = 1e-5 if dtype == "float32" else 1e-13
    assert fault.fits(right)
    np.testing.assert_allclose(right(given)["weight"], expected, rtol=rtol)
    assert not np.allclose(fault.plant(right)(given)["weight"], expected, rtol=rtol)


# Shared parameters.


@each_dtype
@each([fault for fault in FAULTS.values() if fault.owner == "Tied"])
def test_shared_parameter_shows(fault: Fault, dtype: str) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        module = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
    module[2].weight = module[0].weight
    module.to(getattr(torch, dtype))
    rule = torch.optim.SGD(module.parameters(), lr=0.1)
    case = module_api._case(module, nn.MSELoss(), rule, EPOCHS, 4, 0)
    data = dataset(8)
    feed = Feed(case, Dataset(data.inputs.astype(dtype), data.inputs.astype(dtype)), summed=False)

    def report(change: Callable[[Any], Any]) -> Report:
        sides = module_api.pair_of(module, nn.MSELoss(), rule)
        beside = sides.reference.beside
        assert beside is not None
        assert fault.fits(beside.network)
        beside.network = change(beside.network)
        return train(case, sides, feed)

    assert report(lambda network: network).agrees
    first = report(fault.plant).first_divergence
    assert first is not None
    assert first.quantity == "gradient 0.weight"


# First weights.


def drawn(network: reference.Module) -> dict[str, Array]:
    return network.init(np.random.default_rng(5))


@each_dtype
@each([fault for fault in WHOLE if fault.spoils == "start"])
def test_first_weights_show(monkeypatch: pytest.MonkeyPatch, fault: Fault, dtype: str) -> None:
    """Lockstep starts from PyTorch's weights, so that only the free run can tell."""
    case = noise_case(
        monkeypatch, dtype=dtype, arguments={"sizes": (3, 4, 4, 4, 2), "activation": "tanh"}
    )
    right = getattr(reference, case.network)(**case.arguments)
    if fault.owner == "Linear":
        layers = {
            name: fault.plant(layer) if fault.fits(layer) else layer
            for name, layer in right.children().items()
        }
        wrong = right.with_children(layers)
    else:
        owner = right if fault.owner == "MLP" else reference.Sequential(*right.children().values())
        assert fault.fits(owner)
        wrong = fault.plant(owner)
    sides = pair.build(case, {name: p.astype(dtype) for name, p in drawn(right).items()})
    sides.reference.load_weights({name: p.astype(dtype) for name, p in drawn(wrong).items()})
    report = train(case, sides, Feed(case))
    assert {failure.check for failure in report.failures} == {"free run"}


def test_every_fault_is_checked_here() -> None:
    kinds = {fault.owner for fault in WHOLE}
    functions = {"clip_grad_norm", "clip_grad_value", "mean_gradients", "sum_gradients"}
    assert kinds == functions | {"ReferenceSide", "Feed", "Linear", "MLP", "Sequential"}
    assert isinstance(drawn(Linear(2, 3))["weight"], np.ndarray)
    assert total_norm(gradients(1.0, "float64")) > SIZES["long"][1]
