"""PyTorch's side: a loss, its gradient by autograd, and how far rounding moves both."""

from __future__ import annotations

import copy
import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from compare.base.conversion import TORCH_DTYPES, to_array, to_tensor
from compare.base.errors import CannotCompare
from compare.base.quantities import LOSS, Array
from compare.measure.rounding import unit_roundoff
from compare.measure.torch_constants import Constants
from compare.own.graph.edges import Ways
from compare.own.graph.graph import Change, Graph, Outputs, Swap
from compare.own.oracle.names import Link, link
from compare.own.oracle.perturbed_numbers import Perturbation
from compare.own.oracle.rounding_noise import SCALE, Noise, Watch
from compare.own.user.run import Runner, told

#: So many runs with noise tell how far rounding goes.
RUNS = 3

Mode = AbstractContextManager[Any]

_BACKWARD = "the backward pass of torch_loss"


@dataclass(frozen=True)
class Expected:
    """What PyTorch computes at some weights.

    Attributes:
        loss: the loss.
        gradients: by autograd, of each of the user's parameters, in the user's shapes; in the order
            in which they are completed, from the loss on.
        spread: standard deviations of what rounding adds to each of them and to the loss, for
            operations with a relative error of 1.
        dtype: the coarsest that took part.
        undisturbed: why nothing could be disturbed, so that spread is a wider estimate; empty if
            it could.
        samples: over how many the gradient of the last layer is summed, if that can be told.
        outputs: how many outputs that layer has.
        constants: classes of PyTorch's whose own constants put the gradients off.
        off_by: how far they do that, by parameter.
        units: along which axis the units of each matrix lie, where that can be told.
        behind: for each parameter, those whose gradients are made of the same error.
    """

    loss: float
    gradients: dict[str, Array]
    spread: dict[str, Array] = field(default_factory=dict)
    dtype: str = "float64"
    undisturbed: str = ""
    samples: int | None = None
    outputs: int | None = None
    constants: tuple[str, ...] = ()
    off_by: dict[str, Array] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)
    behind: dict[str, frozenset[str]] = field(default_factory=dict)


class Autograd:
    """The PyTorch side.

    Args:
        torch_loss: the loss, of a dict of tensors by the user's names; of the module if there is
            one.
        module: a module that holds the parameters; a copy of it is used.
        names: the module's name for each of the user's parameters.
        shapes: of the user's parameters.
        dtype: to compute in.
        run: runs the user's functions.

    Raises:
        UsageError: ``names`` does not fit.
        CannotCompare: nor do the shapes.
    """

    def __init__(
        self,
        torch_loss: Callable[[Any], Any],
        module: nn.Module | None,
        names: Mapping[str, str] | None,
        shapes: Mapping[str, tuple[int, ...]],
        dtype: str,
        run: Runner,
    ) -> None:
        self.torch_loss, self.shapes, self.dtype, self.run = torch_loss, shapes, dtype, run
        self.module = None if module is None else _copied(module, dtype)
        self.links: list[Link] = []
        self._buffers: dict[str, Tensor] = {}
        if self.module is not None:
            theirs = {name: tuple(p.shape) for name, p in self.module.named_parameters()}
            self.links = link(names, shapes, theirs)
            self._buffers = {n: b.detach().clone() for n, b in self.module.named_buffers()}

    def look(self, values: Mapping[str, Array], noisy: bool = True) -> Expected:
        """Loss and gradients at some weights, and how far rounding moves them.

        Raises:
            CannotCompare: the loss is no loss, depends on no parameter or is not finite.
        """
        watch, constants, ways = Watch(), Constants(), list[Ways]()
        loss, gradients = self._run(values, watch, constants, watch=ways.append)
        for name, gradient in {LOSS: np.asarray(loss), **gradients}.items():
            if not np.isfinite(gradient).all():
                what = LOSS if name == LOSS else f"gradient of {name}"
                raise CannotCompare(f"the {what} that torch_loss gives is not finite")
        _require_known(watch.dtypes)
        coarse = "float32" if torch.float32 in watch.dtypes else "float64"
        plain = {LOSS: np.asarray(loss), **gradients}
        spread, why = self._spread(values, plain, coarse, watch.roundings) if noisy else ({}, "")
        off_by = self._off_by(values, gradients) if constants.found else {}
        found = tuple(sorted(constants.found))
        way = ways[0]
        ordered = {name: gradients[name] for name in way.order}
        turned = {one.own for one in self.links if one.transposed}
        units = {name: axis ^ (name in turned) for name, axis in way.units.items()}
        return Expected(
            loss,
            ordered,
            spread,
            coarse,
            why,
            way.samples,
            way.outputs,
            found,
            off_by,
            units,
            way.behind,
        )

    def _off_by(self, values: Mapping[str, Array], plain: dict[str, Array]) -> dict[str, Array]:
        """How far constants of PyTorch's put the gradients off."""
        right = self.gradients(values, Constants(mend=True))
        return {name: np.abs(right[name] - found) for name, found in plain.items()}

    def loss(self, values: Mapping[str, Array]) -> float:
        """The loss alone."""
        with torch.no_grad(), self._prepared():
            value, _ = self._forward(values)
        return float(value.item())

    def gradients(self, values: Mapping[str, Array], mode: Mode) -> dict[str, Array]:
        """The gradients, as they come out under a mode that interferes."""
        return self._run(values, mode)[1]

    def graph(self, values: Mapping[str, Array]) -> Graph:
        """The loss at some weights, to go back through again and again."""
        own = copy.copy(self)
        own.module = copy.deepcopy(self.module)  # its parameters are to stay as they are now
        with torch.enable_grad(), self._prepared(), Outputs() as outputs:
            loss, tensors = own._forward(values)
        return Graph(loss, tensors, outputs)

    def again(
        self,
        graph: Graph,
        changes: Sequence[Change],
        swaps: Sequence[Swap],
        late: Mapping[str, Array],
    ) -> dict[str, Array] | None:
        """The gradients of a graph with some changes; None if one cannot be made.

        Args:
            graph: the loss at some weights.
            changes: what is handed on instead.
            swaps: other weights through which the error is carried back.
            late: the user's parameters after a step; empty if no weight is changed.
        """
        turned = {one.own: one.there(late[one.own]) for one in self.links if late} or late
        after = {name: to_tensor(value.astype(self.dtype)) for name, value in turned.items()}
        with self._prepared():
            if graph.runs_python:
                found = self.run(_BACKWARD, graph.gradients, changes, swaps, after)
            else:  # a hundred times in a row, and nothing of the user's is called but hooks
                self.run.budget.require()
                with redirect_stdout(io.StringIO()):
                    found = graph.gradients(changes, swaps, after)
        if found is None:
            return None
        return self._as_users({name: to_array(tensor) for name, tensor in found.items()})

    def _run(
        self,
        values: Mapping[str, Array],
        *modes: Mode,
        watch: Callable[[Ways], object] | None = None,
    ) -> tuple[float, dict[str, Array]]:
        with torch.enable_grad(), self._prepared(), ExitStack() as entered:
            for mode in modes:
                entered.enter_context(mode)
            loss, tensors = self._forward(values)
            if not loss.requires_grad:
                raise CannotCompare(_detached(self.module is not None))
            if watch is not None:
                watch(Ways(loss, tensors))
            found = self.run(
                _BACKWARD,
                partial(torch.autograd.grad, loss, list(tensors.values()), allow_unused=True),
            )
        if all(one is None for one in found):
            raise CannotCompare(_detached(self.module is not None))
        plain = {
            name: np.zeros(tuple(tensor.shape)) if one is None else to_array(one)
            for (name, tensor), one in zip(tensors.items(), found, strict=True)
        }
        return float(loss.item()), self._as_users(plain)

    @contextmanager
    def _prepared(self) -> Iterator[None]:
        """The same random numbers and buffers each time, and the user's dtype by default."""
        default = torch.get_default_dtype()
        with torch.random.fork_rng(devices=[]):
            torch.set_default_dtype(TORCH_DTYPES[self.dtype])
            try:
                yield
            finally:
                torch.set_default_dtype(default)

    def _forward(self, values: Mapping[str, Array]) -> tuple[Tensor, dict[str, Tensor]]:
        tensors = self._tensors(values)
        argument: Any = dict(tensors) if self.module is None else self.module
        try:
            loss = self.run("torch_loss", self.torch_loss, argument)
        except CannotCompare as error:
            raise CannotCompare(f"{error}{_dtype_hint(str(error), self.dtype)}") from error
        if not isinstance(loss, Tensor) or loss.numel() != 1 or not loss.is_floating_point():
            raise CannotCompare(
                f"torch_loss returns {_told(loss)}, but should return the loss, a tensor with one "
                f"number"
            )
        return loss, tensors

    def _tensors(self, values: Mapping[str, Array]) -> dict[str, Tensor]:
        """Parameters that require gradients, by the user's names or in the module."""
        if self.module is None:
            made = {name: to_tensor(value.astype(self.dtype)) for name, value in values.items()}
            return {name: tensor.requires_grad_() for name, tensor in made.items()}
        held = dict(self.module.named_parameters())
        with torch.no_grad():
            for one in self.links:
                held[one.theirs].copy_(to_tensor(one.there(values[one.own]).astype(self.dtype)))
            for name, buffer in self.module.named_buffers():
                buffer.copy_(self._buffers[name])
        return {one.own: held[one.theirs].requires_grad_() for one in self.links}

    def _as_users(self, gradients: dict[str, Array]) -> dict[str, Array]:
        for one in self.links:
            gradients[one.own] = one.back(gradients[one.own], self.shapes[one.own])
        return {name: gradient.astype(np.float64) for name, gradient in gradients.items()}

    def _spread(
        self, values: Mapping[str, Array], plain: dict[str, Array], coarse: str, roundings: int
    ) -> tuple[dict[str, Array], str]:
        """How far rounding moves loss and gradients, for a relative error of 1.

        Code that cannot stand noise, which a check of its own in it notices, is judged more widely:
        by what noise on the parameters alone does, and √n of each tensor's largest entry for n
        operations.

        Returns:
            The standard deviations, and why nothing could be disturbed, if so.
        """
        size = SCALE * unit_roundoff(np.dtype(coarse))
        try:
            return self._moved(plain, size, lambda noise: self._run(values, Noise(noise))), ""
        except CannotCompare as error:
            why = str(error)
        try:
            around = self._moved(
                plain, size, lambda noise: self._run(_beside(values, noise), Watch())
            )
        except CannotCompare:
            around = {name: np.zeros(value.shape) for name, value in plain.items()}
        return {
            name: np.hypot(around[name], math.sqrt(roundings) * np.abs(value).max(initial=0))
            for name, value in plain.items()
        }, why

    def _moved(
        self, plain: dict[str, Array], size: float, run: Callable[[Perturbation], Any]
    ) -> dict[str, Array]:
        """The root mean square of how far some runs with noise come, in units of its size."""
        squares = {name: np.zeros(value.shape) for name, value in plain.items()}
        for seed in range(RUNS):
            loss, gradients = run(Perturbation(size, seed))
            for name, value in {LOSS: np.asarray(loss), **gradients}.items():
                if not np.isfinite(value).all():
                    raise CannotCompare(
                        f"with noise at the level of rounding, {name} is not finite"
                    )
                squares[name] += (value - plain[name]) ** 2
        return {name: np.sqrt(square / RUNS) / size for name, square in squares.items()}


def _beside(values: Mapping[str, Array], noise: Perturbation) -> dict[str, Array]:
    """The parameters, each moved as rounding might have."""
    return {name: to_array(noise.moved(to_tensor(value))) for name, value in values.items()}


def _copied(module: nn.Module, dtype: str) -> nn.Module:
    named = dict((*module.named_parameters(), *module.named_buffers()))
    unknown = [name for name, tensor in named.items() if nn.parameter.is_lazy(tensor)]
    if unknown:
        raise CannotCompare(
            f"module has no shape yet for {', '.join(unknown)}: it is lazy; call it once, on data "
            f"of the shape that it is going to get"
        )
    try:
        return copy.deepcopy(module).to(TORCH_DTYPES[dtype])
    except Exception as error:
        raise CannotCompare(
            f"module cannot be copied, as it is so that yours stays as it is: {told(error)}"
        ) from error


def _require_known(dtypes: set[torch.dtype]) -> None:
    other = sorted(str(one).removeprefix("torch.") for one in dtypes - set(TORCH_DTYPES.values()))
    if other:
        raise CannotCompare(
            f"torch_loss computes with {' and '.join(other)} numbers, but should compute with "
            f"float64 or float32, for which it is known how far rounding goes; take conversions "
            f"such as .half(), or autocast, out of it"
        )


def _detached(has_module: bool) -> str:
    what = "the module that it is handed" if has_module else "the tensors that it is handed"
    return (
        f"the loss that torch_loss returns does not depend on any parameter; it should be computed "
        f"from {what}, without .detach() or .item()"
    )


def _dtype_hint(error: str, dtype: str) -> str:
    if "dtype" not in error and "scalar type" not in error:
        return ""
    return f"; the parameters are {dtype}: make its data so, too, with dtype=torch.{dtype}"


def _told(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)} and dtype {value.dtype}"
    return "None" if value is None else f"a {type(value).__name__}"
