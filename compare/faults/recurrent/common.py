"""Faults that RNN, LSTM and GRU have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from compare.faults.changes.methods import around
from compare.faults.changes.time import (
    States,
    back,
    carried,
    in_reverse,
    run_back,
    scan,
    turned,
    weight_grads,
)
from compare.faults.fault import Changes, Method
from compare.faults.table import Right, Row, faults
from reference import Array, Params

LATER = "more than one step"
STARTS = "first states given"
BEFORE = f"{LATER} or {STARTS}"
BOTH = "bidirectional"
BOTH_LATER = f"{BOTH}, {LATER}"

#: What a wrong gradient of the state shows in: the weights' gradients, or only before all steps.
STATE = "gradient weight_ih or dx"


def _block_transposed(self: Any, hh: Params) -> Params:
    size, weight = self.hidden_size, hh["weight"]
    blocks = [weight[..., k * size : (k + 1) * size, :] for k in range(self.gates)]
    return hh | {"weight": np.concatenate([b.swapaxes(-1, -2) for b in blocks], axis=-2)}


def _without(hh: Params, name: str) -> Params:
    return hh | {name: 0 * hh[name]} if name in hh else hh


def _zeros(states: States) -> States:
    return tuple(0 * state for state in states)


def _everywhere(self: Any, hh: Params, cache: Any, dy: Array, dend: States) -> Any:
    dh, *others = dend
    return hh, cache, dy + dh[..., None, :, :], (0 * dh, *others)


def _last_only(self: Any, hh: Params, cache: Any, dy: Array, dend: States) -> Any:
    return hh, cache, np.concatenate([0 * dy[..., :-1, :, :], dy[..., -1:, :, :]], axis=-3), dend


def _of_step(t: int) -> Callable[..., Params]:
    """The gradients of W_hh and of both biases, of one step alone."""

    def wrong(self: Any, found: Params, dp: Array, dq: Array, hidden: Array) -> Params:
        before = hidden[..., :-1, :, :]
        return {
            "weight_hh": dq[..., t, :, :].swapaxes(-1, -2) @ before[..., t, :, :],
            "bias_ih": dp[..., t, :, :].sum(axis=-2),
            "bias_hh": dq[..., t, :, :].sum(axis=-2),
        }

    return wrong


def _only(name: str, function: Callable[..., Params]) -> Changes:
    return weight_grads(lambda *given: {name: function(*given)[name]})


def _rows(x: Array) -> Array:
    return x.reshape(*x.shape[:-3], -1, x.shape[-1])


def _of_outputs(self: Any, found: Params, dp: Array, dq: Array, hidden: Array) -> Params:
    return {"weight_hh": _rows(dq).swapaxes(-1, -2) @ _rows(hidden[..., 1:, :, :])}


def _first_left_out(self: Any, found: Params, dp: Array, dq: Array, hidden: Array) -> Params:
    first, later = hidden[..., :1, :, :], hidden[..., 1:-1, :, :]
    before = np.concatenate([0 * first, later], axis=-3)
    return {"weight_hh": _rows(dq).swapaxes(-1, -2) @ _rows(before)}


def _averaged(name: str) -> Changes:
    return weight_grads(
        lambda self, found, dp, *rest: {name: found[name] / dp.shape[-3]} if name in found else {}
    )


def _no_start(right: Method, self: Any, *given: Any) -> tuple[Array, States, Params]:
    dx, dstart, found = right(self, *given)
    return dx, _zeros(dstart), found


def _from_other_layer(right: Method, self: Any, params: Params, x: Array, hx: Any = None) -> Any:
    def turn(state: Array) -> Array:
        return state[..., ::-1, :, :] if x.ndim > 2 else state[..., ::-1, :]

    if hx is None:
        return right(self, params, x)
    return right(self, params, x, tuple(map(turn, hx)) if isinstance(hx, tuple) else turn(hx))


def _biases_counted_once(self: Any, found: Any, dp: Any, dq: Any, hidden: Any) -> Any:
    return {"bias_hh": 0 * dq.sum(axis=(-3, -2))}


#: What can be wrong in each of the three.
_EACH: tuple[Right | Row, ...] = (
    Right("dh_{t−1} = dq_t W_hh, for q_t = W_hh h_{t−1}"),
    Row("recurrent weight not transposed back",
        "the error goes back through W_hh as it is used forward, dq W_hhᵀ for dq W_hh", STATE,
        back(lambda self, hh, *rest: (_block_transposed(self, hh), *rest)), needs=BEFORE),
    Right("dh_t = dy_t + what comes back from step t + 1"),
    Row("gradient from later steps dropped",
        "each step gets the gradient at its own output alone: backpropagation through one step",
        STATE, carried(_zeros), needs=LATER),
    Right("dh_{t−1} = dy_{t−1} + dq_t W_hh + …"),
    Row("gradient through the recurrent weight dropped",
        "dq W_hh is not added to the gradient of the state before", STATE,
        back(lambda self, hh, *rest: (_without(hh, "weight"), *rest)), needs=BEFORE),
    Right("dh_t = dy_t + what comes back from step t + 1, once"),
    Row("gradient from later steps doubled", "what comes back from step t + 1 is added twice",
        STATE, carried(lambda dstate: tuple(2 * d for d in dstate)), needs=LATER),
    Right("the gradient at the last state enters at the last step alone"),
    Row("last state's gradient injected at every step", "the gradient at h_T is added at all steps",
        STATE, back(_everywhere), needs=f"{LATER}, a gradient at the last state"),
    Right("dh_t = dy_t + …, with dy_t of every step"),
    Row("output's gradient of the last step only",
        "the gradient at the outputs of earlier steps is ignored", STATE,
        back(_last_only), needs=f"{LATER}, upstream gradients at inner steps"),
    Right("dh_T = dy_T + the gradient at the last state"),
    Row("last state's gradient ignored", "the recursion starts from 0 whatever the gradient at h_n",
        STATE, back(lambda self, hh, cache, dy, dend: (hh, cache, dy, _zeros(dend))),
        needs="a gradient at the last state"),
    Right("dW_hh = Σ_t dq_tᵀ h_{t−1}"),
    Row("recurrent weight's gradient of one step",
        "each step overwrites the gradient of W_hh, where it should add to it",
        "gradient weight_hh", _only("weight_hh", _of_step(0)), needs=LATER),
    Right("sum over all steps: a bias is used in each of them"),
    *(Row(f"{bias} gradient of the last step", f"the gradient of {bias} is that of one step",
          f"gradient {bias}", _only(bias, _of_step(-1)), needs=f"{LATER}, bias")
      for bias in ("bias_ih", "bias_hh")),
    Right("sum over all steps"),
    *(Row(f"{weight} gradient averaged over steps",
          f"the gradient of {weight} is divided by the number of steps", f"gradient {weight}",
          _averaged(weight), needs=LATER)
      for weight in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")),
    Right("db_hh = Σ_t dq_t"),
    Row("biases counted once",
        "b_ih and b_hh are taken for one bias, of which only b_ih has a gradient",
        "gradient bias_hh", weight_grads(_biases_counted_once), needs="bias"),
    Right("dW_hh = Σ_t dq_tᵀ h_{t−1}"),
    Row("recurrent weight's gradient from the states after",
        "dq_t is paired with h_t, not with the h_{t−1} that W_hh was applied to",
        "gradient weight_hh", weight_grads(_of_outputs)),
    Right("dW_hh = Σ_t dq_tᵀ h_{t−1}, t from 1"),
    Row("recurrent weight's gradient without the first state",
        "the sum begins at the second step, as if h_0 were 0", "gradient weight_hh",
        weight_grads(_first_left_out), needs=STARTS),
    Right("what step 1 hands back is the gradient at h_0"),
    Row("first state's gradient missing", "the gradient at the first state is 0", "dx",
        run_back(_no_start), needs=STARTS),
    Right("h_0 is what is given, 0 only if nothing is"),
    Row("first state ignored", "the scan starts from 0 whatever the first state", "output",
        scan(lambda self, hh, incoming, start: (hh, incoming, _zeros(start))), needs=STARTS),
    Right("state k is that of layer ⌊k / D⌋, direction k mod D"),
    Row("first states in reverse order",
        "the first layer starts from the state of the last one", "output",
        around("forward", _from_other_layer), needs=f"{STARTS}, more than one layer or direction"),
    Right("q_t = W_hh h_{t−1} + b_hh"),
    Row("recurrent bias not added", "b_hh is left out of the forward pass", "output",
        scan(lambda self, hh, *rest: (_without(hh, "bias"), *rest)), needs="bias"),
    Right("reverse the sequence, scan it, reverse the outputs"),
    Row("second direction reads forward", "the second direction runs over the sequence as it is",
        "output", in_reverse(before=turned, dafter=turned), needs=BOTH_LATER),
    Right("reverse the outputs again after the scan"),
    Row("second direction's output not reversed back",
        "its last output stands beside the first one of the first direction", "output",
        in_reverse(after=lambda y, end: (turned(y), end), dbefore=turned), needs=BOTH_LATER),
    Right("reverse dy for the second direction"),
    Row("second direction's gradient not reversed",
        "dy enters the second direction's way back in the order of time", STATE,
        in_reverse(dbefore=turned), needs=BOTH_LATER),
    Right("reverse dx again before it is added to the first direction's"),
    Row("second direction's input gradient not reversed back",
        "dx of the second direction is added in the order of its scan", STATE,
        in_reverse(dafter=turned), needs=BOTH_LATER),
    Right("both directions read the same input: add their dx"),
    Row("second direction's input gradient dropped", "dx is that of the first direction alone",
        STATE, in_reverse(dafter=lambda dx: 0 * dx), needs=BOTH),
    Right("the second direction ends at time 1"),
    Row("second direction's last state at the last place",
        "h_n of the second direction is its output at time T, where it has read one step", "output",
        in_reverse(after=lambda y, end: (y, (1 * y[..., 0, :, :], *end[1:]))), needs=BOTH_LATER),
)  # fmt: skip


def _rnn(slope: Callable[[Array], Array]) -> Changes:
    """RNN's way back with another derivative of tanh, taken of its output."""

    def wrong(right: Method, self: Any, hh: Params, cache: Any, dy: Array, dend: States) -> Any:
        if self.nonlinearity != "tanh":
            return right(self, hh, cache, dy, dend)
        (dh,), das = dend, []
        for t in reversed(range(dy.shape[-3])):
            das.append((dy[..., t, :, :] + dh) * slope(cache[t]))
            dh = das[-1] @ hh["weight"]
        da = np.stack(das[::-1], axis=-3)
        return da, da, (dh,)

    return around("scan_backward", wrong)


RNN = faults("RNN", *_EACH,
    Right("da_t = dh_t (1 − h_t²)"),
    Row("derivative missing", "the error passes tanh as if it were not there", STATE,
        _rnn(lambda h: 0 * h + 1), needs="tanh"),
    Row("derivative without its square", "1 − h in place of 1 − h²", STATE,
        _rnn(lambda h: 1 - h), needs="tanh"),
    Row("derivative of the sigmoid", "h (1 − h) in place of 1 − h²", STATE,
        _rnn(lambda h: h * (1 - h)), needs="tanh"),
    Row("derivative taken at the state", "1 − tanh²(h) in place of 1 − h²: tanh is applied twice",
        STATE, _rnn(lambda h: 1 - np.tanh(h) * np.tanh(h)), needs="tanh"),
)  # fmt: skip

RECURRENT = (*RNN, *faults(("LSTM", "GRU"), *_EACH))
