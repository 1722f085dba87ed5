"""A reference optimizer beside its twin from ``torch.optim``, compared after every step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from reference import Array, Optimizer, Params, State
from torch_impl import eager_optimizers

SHAPES = {"0.weight": (3, 4), "0.bias": (3,), "1.weight": (2, 3), "scale": (), "unused": (2,)}
STEPS = 30

#: How much more may differ when errors are carried from step to step.
FREE_RUN = 5.0

Options = dict[str, Any]


@dataclass(frozen=True)
class Precision:
    """What the two sides compute in, and how far they may then differ.

    Attributes:
        dtype: of the parameters.
        default: PyTorch's default dtype, in which it keeps the scalars of the state.
        rtol: what is allowed, relative to the largest entry that the tensor has had so far.
    """

    dtype: str
    default: str
    rtol: float


PRECISIONS = {
    "float32": Precision("float32", "float32", 1e-6),
    "float64": Precision("float64", "float64", 1e-14),
    "float64-beside-float32": Precision("float64", "float32", 1e-14),
}


@contextmanager
def torch_defaults(dtype: str) -> Iterator[None]:
    """Within the block PyTorch's default dtype is this one."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(getattr(torch, dtype))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


class Twin:
    """The same parameters under ``torch.optim``, one tensor at a time (``foreach=False``).

    Args:
        name: of the optimizer.
        options: its options.
        params: the first parameters; they are copied.
        groups: parameter groups, by the names of parameters; ``{}`` takes the rest.
    """

    def __init__(
        self,
        name: str,
        options: Options,
        params: Params,
        groups: Sequence[Mapping[str, Any]] | None = None,
    ) -> None:
        self.tensors = {
            key: torch.nn.Parameter(torch.tensor(value)) for key, value in params.items()
        }
        named = {key for group in groups or () for key in group.get("params", ())}
        rest = [key for key in params if key not in named]
        self.optimizer = getattr(torch.optim, name)(
            [
                dict(group) | {"params": [self.tensors[key] for key in group.get("params", rest)]}
                for group in groups or [{}]
            ],
            **options,
            foreach=False,
        )

    def step(self, grads: Params, changes: Sequence[Options]) -> None:
        for group, change in zip(self.optimizer.param_groups, changes, strict=True):
            group.update(change)
        for key, tensor in self.tensors.items():
            tensor.grad = torch.tensor(grads[key]) if key in grads else None
        self.optimizer.step()

    def params(self) -> Params:
        return {key: _array(tensor) for key, tensor in self.tensors.items()}

    def state(self) -> State:
        return {
            key: {name: _array(held) for name, held in self.optimizer.state[tensor].items()}
            for key, tensor in self.tensors.items()
            if self.optimizer.state.get(tensor)
        }


def _array(tensor: torch.Tensor) -> Array:
    return np.array(tensor.detach().numpy())


@dataclass
class Run:
    """Thirty steps of both sides, from one start, with a learning rate that changes at every one.

    Attributes:
        optimizer: the reference's.
        name: the twin's name in ``torch.optim``.
        options: what it is made with.
        groups: parameter groups of the twin.
        precision: what to compute in.
        lockstep: whether the reference makes each step from where the twin is.
        seed: of parameters and gradients.
    """

    optimizer: Optimizer
    name: str
    options: Options
    groups: Sequence[Mapping[str, Any]] | None = None
    precision: Precision = field(default_factory=lambda: PRECISIONS["float64"])
    lockstep: bool = True
    seed: int = 0

    def check(self) -> None:
        """Make the steps.

        Raises:
            AssertionError: the two differ; the message says at which step, where and by how much.
        """
        precision = self.precision
        if precision.default != precision.dtype:
            self.optimizer.scalar_dtype = precision.default
        rng = np.random.default_rng(self.seed)
        params = draw(rng, precision.dtype)
        state = self.optimizer.init(params)
        with torch_defaults(precision.default), eager_optimizers():
            twin = Twin(self.name, self.options, params, self.groups)
            comparison = Comparison(precision.rtol * (1.0 if self.lockstep else FREE_RUN))
            comparison.check("before", (params, state), (twin.params(), twin.state()))
            for t in range(STEPS):
                if self.lockstep:
                    params, state = twin.params(), twin.state()
                grads, changes = draw_grads(rng, t, precision.dtype), self.changes(t)
                params, state = self.optimizer.step(params, grads, state, changes)
                twin.step(grads, changes)
                reached = (twin.params(), twin.state())
                comparison.check(f"step {t + 1}", (params, state), reached)

    def changes(self, t: int) -> list[Options]:
        """A learning rate of its own for each group, up and down."""
        return [
            {"lr": group.options["lr"] * (1.0 + 0.5 * np.sin(t + i).item())}
            for i, group in enumerate(self.optimizer.groups)
        ]


def draw(rng: np.random.Generator, dtype: str) -> Params:
    """Random parameters of several shapes."""
    return {name: np.asarray(rng.normal(size=shape), dtype) for name, shape in SHAPES.items()}


def draw_grads(rng: np.random.Generator, t: int, dtype: str) -> Params:
    """Random gradients of several sizes, a fifth of them exactly zero.

    At first all of one tensor are zero; another has a gradient at every third step only, the
    last never.
    """
    grads: Params = {}
    for name, shape in SHAPES.items():
        size = 10.0 ** rng.integers(-3, 2)
        drawn = size * rng.normal(size=shape) * (rng.random(shape) > 0.2)
        grads[name] = np.asarray(drawn * (name != "0.bias" or t > 2), dtype)
    absent = {"unused"} | ({"1.weight"} if t % 3 else set())
    return {name: g for name, g in grads.items() if name not in absent}


class Comparison:
    """Compares parameters and state, step by step.

    Args:
        rtol: what is allowed, relative to the largest entry that the tensor has had so far: what
            is left when large numbers cancel has the rounding errors of the large numbers.
    """

    def __init__(self, rtol: float) -> None:
        self.rtol = rtol
        self.largest: dict[str, float] = {}

    def check(
        self, when: str, actual: tuple[Params, State], expected: tuple[Params, State]
    ) -> None:
        """Make sure that parameters and state are the same but for rounding.

        Raises:
            AssertionError: they are not; the message says when, where and by how much.
        """
        (params, state), (expected_params, expected_state) = actual, expected
        _assert_same_keys(when, "state", state, expected_state)
        self._check(when, "parameter", params, expected_params)
        for name, held in state.items():
            self._check(when, f"state of {name}:", held, expected_state[name])

    def _check(self, when: str, of: str, actual: Params, expected: Params) -> None:
        _assert_same_keys(when, of, actual, expected)
        for key, value in actual.items():
            other, what = expected[key], f"{of} {key}"
            size = max(np.abs(other).max(), self.largest.get(what, 0.0))
            self.largest[what] = size
            got, need = (value.shape, value.dtype), (other.shape, other.dtype)
            assert got == need, f"{when}: {what} is {got}, but should be {need}"
            error, allowed = np.abs(value - other).max(), self.rtol * size
            message = f"{when}: {what} differs by {error}, but only by {allowed} at most is allowed"
            assert error <= allowed, message


def _assert_same_keys(
    when: str, of: str, actual: Mapping[str, Any], expected: Mapping[str, Any]
) -> None:
    message = f"{when}: {of} has {sorted(actual)}, but should have {sorted(expected)}"
    assert set(actual) == set(expected), message
