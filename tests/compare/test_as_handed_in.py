"""What was handed in is what is compared: compiled, patched, hooked, frozen; or it is refused."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from types import MethodType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import reference
from compare import Report, Verdict
from compare.base.errors import CannotCompare
from compare.training.module import compare_module
from compare.twins.modules import child, register_twin
from reference.module import prefixed, scoped
from torch_impl import eager_optimizers

RNG = np.random.default_rng(3)
X, Y = RNG.standard_normal((6, 3)), RNG.standard_normal((6, 2))


class Net(nn.Module):
    """A class of one's own, whose calls ``compile()`` takes; those of torch.nn it does not."""

    def __init__(self, dropout: float = 0.0) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.inner(x)
        return functional.dropout(y, self.dropout, self.training) if self.dropout else y


class Twin(reference.Module):
    def __init__(self, inner: reference.Module) -> None:
        self.inner = inner

    def forward(self, params: Any, x: Any) -> Any:
        return self.inner.forward(scoped(params, "inner"), x)

    def backward(self, params: Any, cache: Any, dy: Any) -> Any:
        dx, grads = self.inner.backward(scoped(params, "inner"), cache, dy)
        return dx, prefixed("inner", grads)


@pytest.fixture(autouse=True)
def twin_of_net(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("compare.twins.modules._TWINS", {})
    register_twin(Net, lambda net: Twin(child(net, "inner")))


@pytest.fixture(autouse=True)
def nothing_compiled() -> Iterator[None]:
    """No test is told that a function was compiled too often by those before it."""
    yield
    torch._dynamo.reset()


def made(build: Callable[[], nn.Module] = Net) -> Any:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return build().double()


def layers() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))


def sgd(module: nn.Module) -> torch.optim.Optimizer:
    with eager_optimizers():
        return torch.optim.SGD(module.parameters(), lr=0.05)


def compared(module: nn.Module, optimizer: Any = None, **changes: Any) -> Report:
    arguments: dict[str, Any] = {"loss": nn.MSELoss(), "epochs": 3} | changes
    return compare_module(module, (X, Y), optimizer=optimizer or sgd(module), **arguments)


def times(factor: float) -> Callable[[Any, Any], Any]:
    """A compiler that makes of each graph its results times a factor."""

    def backend(graph: Any, inputs: Any) -> Any:
        def run(*values: Any) -> Any:
            return tuple(factor * value for value in graph(*values))

        return run

    return backend


def compile_calls(module: Any, backend: Any) -> nn.Module:
    module.compile(backend=backend)
    return module  # type: ignore[no-any-return]


def compile_forward(module: Any, backend: Any) -> nn.Module:
    module.forward = torch.compile(module.forward, backend=backend)
    return module  # type: ignore[no-any-return]


def compile_whole(module: Any, backend: Any) -> nn.Module:
    return torch.compile(module, backend=backend)  # type: ignore[return-value]


def compile_within(module: Any, backend: Any) -> nn.Module:
    module.inner = torch.compile(module.inner, backend=backend)
    return module  # type: ignore[no-any-return]


COMPILED = [compile_calls, compile_forward, compile_whole, compile_within]


@pytest.mark.parametrize("compiled", COMPILED)
@pytest.mark.parametrize("factor", [3.0, 1 + 1e-9])
def test_wrong_compiler_is_found(compiled: Any, factor: float) -> None:
    module = compiled(made(), times(factor))
    report = compared(module)
    assert report.verdict is Verdict.DISAGREE
    assert report.first_divergence is not None
    assert report.first_divergence.quantity in ("loss", "activation inner")


@pytest.mark.parametrize("compiled", COMPILED)
def test_right_compiler_agrees(compiled: Any) -> None:
    module = compiled(made(), "aot_eager")
    report = compared(module)
    assert report.agrees, report.first_divergence


def test_modules_are_compiled_however_many_were_before() -> None:
    """After eight, PyTorch would run a function without its compiler, and say so in a log only."""
    for width in range(1, 11):
        others = nn.Sequential(*(nn.Tanh() for _ in range(width)))
        compile_whole(others, times(2.0))(torch.ones(1, 3))
    assert compared(compile_whole(made(layers), times(2.0))).verdict is Verdict.DISAGREE


@pytest.mark.parametrize("factor", [1.0, 1 + 1e-9])
def test_compiled_loss_is_used(factor: float) -> None:
    loss: Any = torch.compile(nn.MSELoss(), backend=times(factor))
    assert compared(made(), loss=loss).agrees is (factor == 1)


def test_compiled_dropout_is_refused() -> None:
    module = torch.compile(made(lambda: nn.Sequential(nn.Dropout(0.5), layers())), backend="eager")
    with pytest.raises(CannotCompare, match=r"'_orig_mod\.0', a Dropout, is compiled"):
        compared(module)  # type: ignore[arg-type]


def test_what_compiled_it_must_be_known() -> None:
    module = made()
    module._compiled_call_impl = functools.partial(module._call_impl)
    with pytest.raises(CannotCompare, match="is compiled in a way that a copy"):
        compared(module)


def doubled(self: Any, x: Tensor) -> Tensor:
    return 2 * nn.Linear.forward(self, x)


def same(self: Any, x: Tensor) -> Tensor:
    return nn.Linear.forward(self, x)


@pytest.mark.parametrize(("forward", "agrees"), [(doubled, False), (same, True)])
def test_forward_that_is_replaced_takes_part(forward: Any, agrees: bool) -> None:
    module = made(layers)
    module[0].forward = MethodType(forward, module[0])
    assert compared(module).agrees is agrees
    module[0].forward = functools.partial(forward, module[0])
    assert compared(module).agrees is agrees


def test_class_that_is_patched_takes_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nn.Tanh, "forward", lambda self, x: torch.tanh(x) * (1 + 1e-9))
    assert compared(made(layers)).verdict is Verdict.DISAGREE


def test_function_that_is_patched_is_found_on_its_side(monkeypatch: pytest.MonkeyPatch) -> None:
    class Off(torch.autograd.Function):
        @staticmethod
        def forward(context: Any, x: Tensor) -> Tensor:
            context.save_for_backward(x)
            return torch.ops.aten.gelu(x)  # type: ignore[no-any-return]

        @staticmethod
        def backward(context: Any, upstream: Tensor) -> Any:
            (x,) = context.saved_tensors
            return torch.ops.aten.gelu_backward(upstream, x) * (1 + 1e-9)

    def apply(x: Tensor, approximate: str) -> Any:
        return Off.apply(x)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(functional, "gelu", apply)
    report = compared(made(lambda: nn.Sequential(nn.Linear(3, 4), nn.GELU(), nn.Linear(4, 2))))
    assert report.verdict is Verdict.DISAGREE
    assert "PyTorch's side is wrong" in str(report.opinion)


def hooked(register: str, factor: float) -> nn.Module:
    module = made(layers)
    scale = {
        "register_forward_hook": lambda layer, inputs, output: factor * output,
        "register_forward_pre_hook": lambda layer, inputs: (factor * inputs[0],),
        "register_full_backward_hook": lambda layer, grads, upstream: (factor * grads[0],),
        "register_full_backward_pre_hook": lambda layer, upstream: (factor * upstream[0],),
    }[register]
    getattr(module[1], register)(scale)
    return module  # type: ignore[no-any-return]


HOOKS = ["forward_hook", "forward_pre_hook", "full_backward_hook", "full_backward_pre_hook"]


@pytest.mark.parametrize("name", HOOKS)
def test_hooks_take_part(name: str) -> None:
    assert compared(hooked(f"register_{name}", 1.0)).agrees
    assert compared(hooked(f"register_{name}", 1 + 1e-9)).verdict is Verdict.DISAGREE


@pytest.mark.parametrize("factor", [1.0, 1 + 1e-9])
def test_hooks_with_options_and_global_ones_take_part(factor: float) -> None:
    module = made(layers)
    module[1].register_forward_hook(
        lambda layer, inputs, options, output: factor * output, with_kwargs=True
    )
    assert compared(module).agrees is (factor == 1)
    handle = nn.modules.module.register_module_forward_hook(
        lambda layer, inputs, output: factor * output if isinstance(layer, nn.Tanh) else None
    )
    try:
        assert compared(made(layers)).agrees is (factor == 1)
    finally:
        handle.remove()


def by_closure(module: Any) -> None:
    module[2].register_forward_hook(lambda layer, inputs, output: output + 0 * module[0].bias[0])


def by_forward(module: Any) -> None:
    forward: Any = nn.Sequential.forward
    module.forward = lambda x: forward(module, x)


def by_default(module: Any) -> None:
    def scaled(layer: Any, inputs: Any, weight: Any = module[0].weight) -> Any:
        return (inputs[0] + 0 * weight[0, 0],)

    module[2].register_forward_pre_hook(scaled)


def by_another(module: Any) -> None:
    held = {"first": [module[0]]}

    def inner(output: Any) -> Any:
        return output + 0 * held["first"][0].bias[0]

    module[2].register_forward_hook(lambda layer, inputs, output: inner(output))


@pytest.mark.parametrize("change", [by_closure, by_forward, by_default, by_another])
def test_functions_that_use_the_module_by_name_are_refused(change: Any) -> None:
    module = made(layers)
    change(module)
    with pytest.raises(CannotCompare, match="uses the module by name, so that the copy"):
        compared(module)


def test_hook_that_only_watches_agrees() -> None:
    seen: list[tuple[int, ...]] = []
    module = made(layers)
    module[1].register_forward_hook(lambda layer, i, output: seen.append(tuple(output.shape)))
    assert compared(module).agrees
    assert seen


def scheduled(optimizer: Any) -> None:
    torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=1e-9)


def stepless(optimizer: Any) -> None:
    optimizer.step = lambda closure=None: None


def resumed(optimizer: Any) -> None:
    optimizer.param_groups[0]["initial_lr"] = 0.1


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (scheduled, "has a learning rate scheduler"),
        (resumed, "has a learning rate scheduler"),
        (stepless, "has a step of its own in place of its class's"),
    ],
)
def test_optimizers_that_would_not_be_copied_are_refused(change: Any, words: str) -> None:
    module = made(layers)
    optimizer = sgd(module)
    with eager_optimizers():
        change(optimizer)
    with pytest.raises(CannotCompare, match=words):
        compared(module, optimizer)


@pytest.mark.parametrize("options", [{}, {"initial_accumulator_value": 0.3}, {"foreach": True}])
def test_adagrad_is_new_until_its_first_step(options: dict[str, Any]) -> None:
    module = made(layers)
    with eager_optimizers():
        optimizer = torch.optim.Adagrad(module.parameters(), lr=0.1, **options)
        assert compared(module, optimizer).agrees
        for held in optimizer.state.values():
            held["sum"].mul_(2).add_(1)
        with pytest.raises(CannotCompare, match="made steps already, or its state was changed"):
            compared(module, optimizer)


def test_autocast_is_refused() -> None:
    module = made(layers)
    with (
        torch.autocast("cpu", torch.bfloat16),
        pytest.raises(CannotCompare, match=r"autocast is on, .*bfloat16"),
    ):
        compared(module)


def test_other_devices_are_refused() -> None:
    with pytest.raises(CannotCompare, match="the module is on meta, but should be on cpu"):
        compared(made(layers).to("meta"))


def normed() -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.4), nn.Linear(4, 2))


def test_layers_stay_in_evaluation(monkeypatch: pytest.MonkeyPatch) -> None:
    module = made(normed)
    module[1].eval()
    modes: set[bool] = set()
    module[1].register_forward_hook(lambda layer, inputs, output: modes.add(layer.training))
    assert compared(module, batch_size=4).agrees
    assert modes == {False}
    right = reference.BatchNorm1d.backward

    def off(self: Any, *arguments: Any) -> Any:
        dx, grads = right(self, *arguments)
        return dx * (1 if self.training else 1 + 1e-9), grads

    monkeypatch.setattr(reference.BatchNorm1d, "backward", off)
    assert compared(module).verdict is Verdict.DISAGREE
    assert compared(made(normed)).agrees


def test_module_in_evaluation_is_compared_so_and_that_is_said() -> None:
    report = compared(made(normed).eval(), batch_size=4)
    assert report.agrees
    assert "the module is in evaluation" in report.notes[0]
    assert compared(made(normed)).notes == ()


@pytest.mark.parametrize("batch_size", [None, 2])
def test_memory_format_is_kept(batch_size: int | None) -> None:
    build = lambda: nn.Sequential(nn.Conv2d(2, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 2))  # noqa: E731
    module = made(build).to(memory_format=torch.channels_last)
    last: dict[str, Any] = {"memory_format": torch.channels_last}
    seen = set()
    module[0].register_forward_hook(
        lambda layer, inputs, output: seen.add(
            (inputs[0].is_contiguous(**last), layer.weight.is_contiguous(**last))
        )
    )
    x = torch.tensor(RNG.standard_normal((6, 2, 6, 6))).to(**last)
    report = compare_module(module, (x, Y), nn.MSELoss(), sgd(module), batch_size=batch_size)
    assert report.agrees
    assert seen == {(True, True)}


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
def test_encoder_layer_alone_agrees(norm_first: bool, batch_first: bool) -> None:
    options: dict[str, Any] = {"dropout": 0.0, "norm_first": norm_first, "batch_first": batch_first}
    module = made(lambda: nn.TransformerEncoderLayer(4, 2, 8, **options))
    data = RNG.standard_normal((5, 3, 4)), RNG.standard_normal((5, 3, 4))
    report = compare_module(module, data, nn.MSELoss(), sgd(module), epochs=3)
    assert report.agrees, report.first_divergence
    module.norm1.register_forward_hook(lambda layer, inputs, output: output * (1 + 1e-9))
    report = compare_module(module, data, nn.MSELoss(), sgd(module), epochs=3)
    assert report.verdict is Verdict.DISAGREE


@pytest.mark.parametrize(
    "build",
    [
        lambda: nn.TransformerEncoderLayer(4, 2, 8),
        lambda: nn.Sequential(nn.TransformerEncoderLayer(4, 2, 8)),
        lambda: nn.Sequential(nn.LSTM(4, 4, 2, dropout=0.3)),
        lambda: nn.Sequential(nn.GRU(4, 4, 2, dropout=0.3)),
        lambda: nn.Sequential(nn.RNN(4, 4, 2, dropout=0.3)),
        lambda: nn.MultiheadAttention(4, 2, dropout=0.3),
    ],
)
def test_dropout_within_a_layer_is_refused(build: Callable[[], nn.Module]) -> None:
    with pytest.raises(CannotCompare, match=r"has dropout=0\.\d inside, whose masks cannot be"):
        compared(made(build))


def test_dropout_within_a_layer_in_evaluation_agrees() -> None:
    module = made(lambda: nn.TransformerEncoderLayer(4, 2, 8)).eval()
    data = RNG.standard_normal((5, 3, 4)), RNG.standard_normal((5, 3, 4))
    assert compare_module(module, data, nn.MSELoss(), sgd(module), epochs=3).agrees


def test_other_random_numbers_are_no_disagreement() -> None:
    with pytest.raises(CannotCompare, match="draws random numbers other than the masks"):
        compared(made(lambda: Net(dropout=0.5)))
    assert compared(made(lambda: Net(dropout=0.5)).eval()).agrees


def test_parametrized_weight_is_refused_by_name() -> None:
    module = made(layers)
    torch.nn.utils.parametrizations.weight_norm(module[0])
    with pytest.raises(CannotCompare, match=r"its weight is parametrized.*remove_parametrizations"):
        compared(module)
