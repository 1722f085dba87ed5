"""What recurrent layers share: layers, directions, and backpropagation through time."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np

from reference.layers.linear import Linear
from reference.module import Array, Module, Params, Shapes
from reference.support.checks import per_axis, require, require_floating, require_numbers
from reference.support.sequences import (
    as_given,
    as_rows,
    each_step,
    each_step_backward,
    time_first,
)

States: TypeAlias = tuple[Array, ...]


class Recurrent(Module):
    r"""One or more layers, each one *scan* over the sequence, or two in opposite directions.

    A scan computes at every step t = 1 … T, from the input x_t and its own last state h_{t−1}::

        p_t = W_ih x_t + b_ih            what comes in, known for all steps before the scan
        q_t = W_hh h_{t−1} + b_hh        what comes back, known only when step t − 1 is done
        h_t = cell(p_t, q_t, h_{t−1})    differs in RNN, LSTM and GRU; LSTM has a second state c_t

    Unrolled in time this is a deep network whose layers share their weights. h_t reaches the
    loss L in two ways, through the output of step t and through step t + 1, so its gradient is
    the sum of both, and is known once that of step t + 1 is::

        ∂L/∂h_t = dy_t + (∂q_{t+1}/∂h_t)ᵀ dq_{t+1} + what the cell itself passes on
                = dy_t + W_hhᵀ dq_{t+1} + …

    So far vectors were columns, as in PyTorch's documentation. In the code, and in the gradients
    below and of each cell, they are rows, one for each sample: W_ih x_t is there x_t W_ihᵀ, and
    W_hhᵀ dq is dq W_hh.

    That recursion, from the last step to the first, is all that needs a loop. A shared weight's
    gradient is the sum over all the places where the weight is used, so with dp and dq at hand for
    all steps and samples, each is that of one fully connected layer whose rows are all of them::

        dW_ih = Σ_t dp_tᵀ x_t        db_ih = Σ_t dp_t        dx_t = dp_t W_ih
        dW_hh = Σ_t dq_tᵀ h_{t−1}    db_hh = Σ_t dq_t

    The second direction is the same scan of the reversed sequence, with weights of its own;
    outputs of both are put side by side and are the input of the next layer.

    Args:
        input_size: features of the input at each step.
        hidden_size: features of the state, H.
        num_layers: scans on top of each other.
        bias: whether b_ih and b_hh are there.
        batch_first: whether x and the output are ``(N, T, features)``; the states never are.
        dropout: between layers. Only 0 can be trained here.
        bidirectional: whether each layer has a second scan, against time; D is then 2, else 1.

    Shapes:
        x ``(..., T, N, input_size)`` or, one sample alone, ``(T, input_size)``; the first
        states ``(..., num_layers · D, N, H)``, zero if not given; output ``(..., T, N, D · H)``;
        last states as the first. Axes before these are an ensemble and broadcast with those
        of the parameters.

    Raises:
        ValueError: an argument or the shape of an input does not fit; it is named.

    Source:
        Werbos, Backpropagation through time: what it does and how to do it, Proc. IEEE 78 (1990).
    """

    gates: int  # how many blocks of H rows the weights have
    states: int = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        batch_first: bool,
        dropout: float,
        bidirectional: bool,
    ) -> None:
        require_numbers(self, dropout=dropout)
        require(0 <= dropout <= 1, self, "dropout", dropout, "a probability")
        (self.input_size,) = per_axis(self, "input_size", input_size, 1)
        (self.hidden_size,) = per_axis(self, "hidden_size", hidden_size, 1)
        (self.num_layers,) = per_axis(self, "num_layers", num_layers, 1)
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = dropout
        self.directions = 2 if bidirectional else 1

    # What each kind of cell defines.

    def scan(self, hh: Params, incoming: Array, start: States) -> tuple[States, Any]:
        """Run one layer in one direction over all steps.

        Args:
            hh: W_hh as ``weight`` and b_hh as ``bias``.
            incoming: p, ``(..., T, N, gates · H)``.
            start: the state before the first step, each ``(..., N, H)``.

        Returns:
            Each state before the first step and after every step, ``(..., T + 1, N, H)``,
            and the cache.
        """
        raise NotImplementedError

    def scan_backward(
        self, hh: Params, cache: Any, dy: Array, dend: States
    ) -> tuple[Array, Array, States]:
        """Run the recursion from the last step to the first.

        Args:
            hh: what :meth:`scan` was given.
            cache: what :meth:`scan` returned.
            dy: the gradient at the output of each step, ``(..., T, N, H)``.
            dend: the gradient at each state after the last step, ``(..., N, H)``.

        Returns:
            dp and dq of each step, ``(..., T, N, gates · H)``, and the gradient at each state
            before the first step.
        """
        raise NotImplementedError

    # Parameters.

    def parameter_shapes(self) -> Shapes:
        rows = self.gates * self.hidden_size
        shapes: Shapes = {}
        for layer in range(self.num_layers):
            width = self.directions * self.hidden_size if layer else self.input_size
            for direction in range(self.directions):
                suffix = _suffix(layer, direction)
                shapes[f"weight_ih{suffix}"] = (rows, width)
                shapes[f"weight_hh{suffix}"] = (rows, self.hidden_size)
                if self.bias:
                    shapes[f"bias_ih{suffix}"] = (rows,)
                    shapes[f"bias_hh{suffix}"] = (rows,)
        return shapes

    def init(self, rng: np.random.Generator) -> Params:
        """Every parameter uniform in ±1/√hidden_size, PyTorch's default for recurrent layers."""
        bound = 1 / math.sqrt(self.hidden_size)
        return {
            name: rng.uniform(-bound, bound, shape)
            for name, shape in self.parameter_shapes().items()
        }

    # All layers.

    def forward(self, params: Params, x: Array, hx: Any = None) -> tuple[Any, Any]:
        """Run all layers over a sequence.

        Args:
            params: the weights, by PyTorch's names.
            x: the sequence.
            hx: the first states: h_0, or for an LSTM ``(h_0, c_0)``; None is zero.

        Returns:
            The output of the last layer at every step with the last states, h_n or
            ``(h_n, c_n)``; and the cache.
        """
        alone = x.ndim == 2
        starts = None if hx is None else self._unpacked(hx)
        self._check(params, x, starts)
        y = time_first(x, self.batch_first, alone)
        if starts is not None:
            starts = tuple(_with_sample(state, alone) for state in starts)
        caches: list[Any] = []
        ends: list[States] = []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(self.directions):
                start = starts and _of_scan(starts, len(ends))
                part = self._part(params, layer, direction)
                output, end, cache = self._run(part, _in_direction(y, direction), start)
                outputs.append(_in_direction(output, direction))
                ends.append(end)
                caches.append(cache)
            y = np.concatenate(outputs, axis=-1)
        last = _stacked(ends)
        result = as_given(y, self.batch_first, alone), self._packed(last, alone)
        return result, (caches, y, last, alone, hx is not None)

    def backward(self, params: Params, cache: Any, dy: Any) -> tuple[Any, Params]:
        """Carry the gradient back through all layers.

        Args:
            params: what :meth:`forward` was given.
            cache: what :meth:`forward` returned.
            dy: the gradient at the output and at the last states, paired as ``forward`` paired
                them; None stands for zero.

        Returns:
            dx, or ``(dx, dhx)`` if ``forward`` was given first states; and the gradients.
        """
        caches, y, last, alone, has_start = cache
        dy, dends = self._upstream(dy, y, last, alone)
        grads: Params = {}
        dstarts: list[States] = []
        for layer in reversed(range(self.num_layers)):
            dxs = []
            for direction in reversed(range(self.directions)):
                scan = layer * self.directions + direction
                features = slice(direction * self.hidden_size, (direction + 1) * self.hidden_size)
                part = self._part(params, layer, direction)
                doutput = _in_direction(dy[..., features], direction)
                dx, dstart, part_grads = self._run_backward(
                    part, caches[scan], doutput, _of_scan(dends, scan)
                )
                dxs.append(_in_direction(dx, direction))
                dstarts.append(dstart)
                suffix = _suffix(layer, direction)
                grads |= {f"{name}{suffix}": grad for name, grad in part_grads.items()}
            dy = functools.reduce(operator.add, dxs)  # both directions read the same input
        dx = as_given(dy, self.batch_first, alone)
        return (dx, self._packed(_stacked(dstarts[::-1]), alone)) if has_start else dx, grads

    # One layer in one direction.

    def _run(self, part: Params, x: Array, start: States | None) -> tuple[Array, States, Any]:
        linear = Linear(x.shape[-1], self.gates * self.hidden_size, self.bias)
        incoming, linear_cache = each_step(linear, _kind(part, "ih"), x)  # (..., T, N, gates · H)
        state = incoming[..., 0, :, : self.hidden_size]
        if start is None:
            start = (np.zeros_like(state),) * self.states
        start = tuple(np.broadcast_to(each, state.shape) for each in start)
        histories, scan_cache = self.scan(_kind(part, "hh"), incoming, start)
        hidden = histories[0]
        end = tuple(history[..., -1, :, :] for history in histories)
        return hidden[..., 1:, :, :], end, (linear, linear_cache, hidden, scan_cache)

    def _run_backward(
        self, part: Params, cache: Any, dy: Array, dend: States
    ) -> tuple[Array, States, Params]:
        linear, linear_cache, hidden, scan_cache = cache
        dp, dq, dstart = self.scan_backward(_kind(part, "hh"), scan_cache, dy, dend)
        dx, ih = each_step_backward(linear, _kind(part, "ih"), linear_cache, dp)
        dq = as_rows(dq)  # (..., T · N, gates · H)
        before = as_rows(hidden[..., :-1, :, :])  # (..., T · N, H)
        grads = {"weight_ih": ih["weight"], "weight_hh": dq.swapaxes(-1, -2) @ before}
        if self.bias:
            grads |= {"bias_ih": ih["bias"], "bias_hh": dq.sum(axis=-2)}
        return dx, dstart, grads

    def _part(self, params: Params, layer: int, direction: int) -> Params:
        """The parameters of one scan, by the names that all scans share."""
        kinds = ("weight", "bias") if self.bias else ("weight",)
        names = [f"{kind}_{source}" for kind in kinds for source in ("ih", "hh")]
        return {name: params[name + _suffix(layer, direction)] for name in names}

    # Between what the caller holds and (..., T, N, features).

    def _unpacked(self, states: Any) -> tuple[Any, ...]:
        if self.states == 1 and not isinstance(states, tuple | list):
            return (states,)
        if not isinstance(states, tuple | list) or len(states) != self.states:
            needed = "one array" if self.states == 1 else f"a tuple of {self.states} arrays"
            raise self._refused(f"the states should be {needed}")
        return tuple(states)

    def _packed(self, states: States, alone: bool) -> Any:
        states = tuple(state[..., 0, :] for state in states) if alone else states
        return states if self.states > 1 else states[0]

    def _upstream(self, dy: Any, y: Array, last: States, alone: bool) -> tuple[Array, States]:
        """The gradient at the output and at the last states, with zeros where there is none."""
        doutput, dlast = dy
        dlast = (None,) * self.states if dlast is None else self._unpacked(dlast)
        dends = tuple(
            np.zeros_like(end) if dend is None else _with_sample(dend, alone)
            for dend, end in zip(dlast, last, strict=True)
        )
        if doutput is None:
            return np.zeros_like(y), dends
        return time_first(doutput, self.batch_first, alone), dends

    # Refusals.

    def _check(self, params: Params, x: Array, starts: tuple[Any, ...] | None) -> None:
        needed = "(N, T, {})" if self.batch_first else "(T, N, {})"
        if x.ndim < 2 or x.shape[-1] != self.input_size:
            raise self._refused(
                f"the input is {x.shape}, but should be {needed.format(self.input_size)}"
            )
        require_floating(self, "the input", x, params)
        steps, *samples = (
            time_first(x, self.batch_first, False).shape[-3:-1] if x.ndim > 2 else x.shape[:1]
        )
        if steps == 0:
            raise self._refused(f"the input is {x.shape}: a sequence needs at least one step")
        expected = (self.num_layers * self.directions, *samples, self.hidden_size)
        most_axes = len(expected) + max(x.ndim - 3, params["weight_ih_l0"].ndim - 2, 0)
        for state in starts or ():
            require_floating(self, "a first state", state, params)
            if state.shape[-len(expected) :] != expected or state.ndim > most_axes:
                raise self._refused(f"a first state is {state.shape}, but should be {expected}")
        if self.training and self.dropout > 0 and self.num_layers > 1:
            raise self._refused(
                f"dropout={self.dropout} between layers is not supported in training; "
                f"use dropout=0, or train(False)"
            )

    def _refused(self, why: str) -> ValueError:
        return ValueError(f"{type(self).__name__}: {why}")


def coming_back(hh: Params) -> Callable[[Array], Array]:
    """The map ``h → q = W_hh h + b_hh`` of one step.

    Every step multiplies by the transposed weight, so that is laid out in memory once, before.
    """
    transposed = hh["weight"].swapaxes(-1, -2).copy()  # (..., H, gates · H)
    if "bias" not in hh:
        return lambda h: h @ transposed
    bias = hh["bias"][..., None, :]
    return lambda h: h @ transposed + bias


def _suffix(layer: int, direction: int) -> str:
    """What PyTorch appends to the names of a scan's parameters."""
    return f"_l{layer}_reverse" if direction else f"_l{layer}"


def _kind(part: Params, source: str) -> Params:
    """Weight and bias of what comes in (``ih``) or comes back (``hh``), as a Linear names them."""
    ending = f"_{source}"
    return {name.removesuffix(ending): v for name, v in part.items() if name.endswith(ending)}


def _in_direction(sequence: Array, direction: int) -> Array:
    """The sequence as the scan meets it: reversed in time for the second direction."""
    return sequence[..., ::-1, :, :] if direction else sequence


def _of_scan(states: States, scan: int) -> States:
    return tuple(state[..., scan, :, :] for state in states)


def _with_sample(state: Array, alone: bool) -> Array:
    """The state with an axis of samples, which a sample alone comes without."""
    return state[..., None, :] if alone else state


def _stacked(scans: list[States]) -> States:
    """States per scan, each ``(..., N, H)``, as arrays ``(..., scans, N, H)``."""
    return tuple(np.stack(each, axis=-3) for each in zip(*scans, strict=True))
