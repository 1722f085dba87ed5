"""Optimizers that do not load the compiler compute the same, and leave nothing behind.

Once loaded, ``torch._dynamo`` stays, so these programs run in processes of their own.
"""

from __future__ import annotations

import pytest

from tests.support.processes import run

BEGINNING = """
import gc
import sys
import types
import torch
from torch import nn
from torch_impl import HalfSquaredErrorLoss, eager_optimizers, step

NAME = "torch._dynamo"

def remembered():
    "All functions anywhere that remember what the compiler told of them."
    functions = (f for f in gc.get_objects() if type(f) is types.FunctionType)
    return [f.__qualname__ for f in functions if "__dynamo_disable" in vars(f)]

def state():
    return NAME in sys.modules, "_dynamo" in vars(torch), remembered()

def trajectory(rule, steps=20, **options):
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    optimizer = getattr(torch.optim, rule)(network.parameters(), lr=0.1, **options)
    x, target = torch.randn(5, 3), torch.randn(5, 2)
    losses = [step(network, HalfSquaredErrorLoss(), optimizer, x, target) for _ in range(steps)]
    return losses, [p.detach().clone() for p in network.parameters()]

def same(one, other):
    return one[0] == other[0] and all(map(torch.equal, one[1], other[1]))
"""


def check(program: str) -> None:
    """Run a program, indented as the tests below, after the common beginning."""
    lines = [line.removeprefix(" " * 8) for line in program.splitlines()]
    run(BEGINNING + "\n".join(lines))


def test_trajectory_is_the_same_bit_for_bit() -> None:
    check(
        """
        rules = {
            "SGD": {},
            "Adam": {"weight_decay": 0.1},
            "RMSprop": {"momentum": 0.9},
        }
        with eager_optimizers():
            without = {rule: trajectory(rule, **options) for rule, options in rules.items()}
        assert NAME not in sys.modules
        for rule, options in rules.items():
            expected = trajectory(rule, **options)
            assert same(without[rule], expected)
            assert not same(without[rule], trajectory(rule, steps=19, **options))
        assert NAME in sys.modules
        """
    )


def test_state_is_as_before_afterwards() -> None:
    check(
        """
        before = state()
        assert before == (False, False, [])
        with eager_optimizers():
            for rule in ("SGD", "Adam", "RMSprop", "Adagrad", "AdamW"):
                trajectory(rule)
            assert state()[:2] == (True, True)
            assert remembered()
        assert state() == before
        """
    )


def test_state_is_as_before_after_an_error() -> None:
    check(
        """
        try:
            with eager_optimizers():
                trajectory("SGD")
                raise KeyError
        except KeyError:
            pass
        assert state() == (False, False, [])
        """
    )


def test_blocks_may_be_nested() -> None:
    check(
        """
        with eager_optimizers():
            with eager_optimizers():
                trajectory("SGD")
            trajectory("SGD")
        assert state() == (False, False, [])
        with eager_optimizers():
            trajectory("SGD")
        assert state() == (False, False, [])
        """
    )


def test_optimizer_made_within_can_be_used_afterwards() -> None:
    check(
        """
        weight = nn.Parameter(torch.ones(2))
        with eager_optimizers():
            optimizer = torch.optim.SGD([weight], lr=0.25)
        weight.grad = torch.ones(2)
        optimizer.step()
        assert weight.tolist() == [0.75, 0.75]
        """
    )


def test_grad_mode_is_switched_all_the_same() -> None:
    check(
        """
        with eager_optimizers():
            trajectory("SGD")
            assert torch.is_grad_enabled()
            with torch.no_grad():
                weight = nn.Parameter(torch.ones(2))
                torch.optim.SGD([weight], lr=0.25).step()
                assert not torch.is_grad_enabled()
        """
    )


@pytest.mark.parametrize("name", ["is_compiling", "reset", "allow_in_graph"])
def test_real_compiler_is_reached_within(name: str) -> None:
    check(
        f"""
        with eager_optimizers():
            trajectory("SGD")
            stand_in = torch._dynamo
            found = torch._dynamo.{name}
            import torch._dynamo as real
            assert real is not stand_in and real.__file__ and real is torch._dynamo
            assert found is real.{name}
            trajectory("SGD")
        assert sys.modules[NAME] is torch._dynamo is real
        assert not real.is_compiling()
        """
    )


def test_loaded_compiler_is_left_alone() -> None:
    check(
        """
        import torch._dynamo as real
        expected = trajectory("SGD")
        with eager_optimizers():
            assert sys.modules[NAME] is torch._dynamo is real
            assert same(trajectory("SGD"), expected)
        assert sys.modules[NAME] is torch._dynamo is real
        """
    )


def test_torch_compile_works_afterwards() -> None:
    check(
        """
        with eager_optimizers():
            trajectory("SGD")
        double = torch.compile(lambda x: 2 * x, backend="eager")
        assert double(torch.ones(2)).tolist() == [2, 2]
        assert sys.modules[NAME] is torch._dynamo
        trajectory("SGD")
        """
    )
